// Limits on concurrency and rate.

import { useState } from "preact/hooks";
import { deleteLimit, listLimits, putLimit } from "../api/stats";
import type { ShownLimit } from "../api/types";
import { ActionDialog } from "../components/dialog";
import { TextField } from "../components/field";
import { ResourcePage, type Column } from "../components/resource-page";
import { whole } from "../lib/numbers";
import { usePoll } from "../state/live";
import { mayWrite, namespace } from "../state/session";
import { tell } from "../state/notices";

const EVERY_MS = 5_000;
/** The number of objects that hold the limits of a namespace. */
const LIMITERS = 8;

const any = <span class="muted">any</span>;

const COLUMNS: readonly Column<ShownLimit>[] = [
  { title: "Key", cell: ({ key }) => <span class="strong">{key}</span> },
  { title: "Runs at a time", isNumber: true, cell: ({ concurrency }) => (concurrency === undefined ? any : whole(concurrency)) },
  { title: "Runs per second", isNumber: true, cell: ({ perSecond }) => perSecond ?? any },
  { title: "In flight", isNumber: true, cell: ({ inFlight }) => whole(inFlight) },
  { title: "Waiting", isNumber: true, cell: ({ waiting }) => whole(waiting) },
  { title: "State", cell: ({ inEffect }) => (inEffect ? <span class="nowrap">in effect</span> : <span class="warn">earlier runs still hold more slots</span>) },
];

export function Limits() {
  const read = usePoll(listLimits, [namespace.value], { everyMs: EVERY_MS, requests: 1, shards: () => LIMITERS });
  return (
    <ResourcePage
      title="Limits"
      about="A limit applies to all tasks that name its key, across all shards. Runs that exceed it wait for their turn."
      read={read}
      columns={COLUMNS}
      nameOf={({ key }) => key}
      keyOf={({ key }) => key}
      mayChange={mayWrite.value}
      addLabel="Set a limit"
      isEditable={() => true}
      editor={(limit, onClose, onDone) => <LimitDialog limit={limit} onClose={onClose} onDone={onDone} />}
      removal={{
        verb: "Delete",
        what: ({ key }) => `the limit ${key}`,
        effect: "Tasks with this key are no longer limited: all that wait may fire at once.",
        act: async ({ key }) => {
          await deleteLimit(key);
          return `The limit ${key} is deleted.`;
        },
      }}
      none={{
        title: "No limits",
        text: "Set one for a service that accepts a limited number of calls, for example the key “stripe” with 5 runs per second. All tasks whose limit key is “stripe” then share it, and wait for their turn in the order of their due times.",
      }}
    />
  );
}

function LimitDialog({ limit, onClose, onDone }: { limit: ShownLimit | undefined; onClose: () => void; onDone: () => void }) {
  const [key, setKey] = useState(limit?.key ?? "");
  const [concurrency, setConcurrency] = useState(limit?.concurrency === undefined ? "" : String(limit.concurrency));
  const [perSecond, setPerSecond] = useState(limit?.perSecond === undefined ? "" : String(limit.perSecond));
  const act = async () => {
    await putLimit(key, { ...(concurrency === "" ? {} : { concurrency: Number(concurrency) }), ...(perSecond === "" ? {} : { perSecond: Number(perSecond) }) });
    tell(`The limit ${key} is set.`);
    onDone();
  };
  return (
    <ActionDialog title={limit ? `Change the limit ${limit.key}` : "Set a limit"} verb="Set" onAct={act} onClose={onClose} isDisabled={key === "" || (concurrency === "" && perSecond === "")}>
      {(errorOf) => (
        <>
      {!limit && <TextField label="Key" isCode value={key} onChange={setKey} isRequired error={errorOf("id")} help="Tasks refer to it by the field “Limit key” (“limitKey” in JSON)." />}
      <TextField label="Runs at a time" type="number" min="1" value={concurrency} onChange={setConcurrency} error={errorOf("concurrency")} help="A strict bound, even after a crash." />
      <TextField label="Runs per second" type="number" min="0.001" step="any" value={perSecond} onChange={setPerSecond} error={errorOf("perSecond")} help="At least one of the two." />
        </>
      )}
    </ActionDialog>
  );
}
