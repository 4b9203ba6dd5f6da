// Limits on concurrency and rate.

import { useState } from "preact/hooks";
import { deleteLimit, listLimits, putLimit } from "../api/stats";
import type { ShownLimit } from "../api/types";
import { Button, Empty, ErrorNote, Link, Loading, PageHead } from "../components/basics";
import { ActionDialog } from "../components/dialog";
import { TextField } from "../components/field";
import { whole } from "../lib/numbers";
import { usePoll } from "../state/live";
import { mayWrite, namespace } from "../state/session";
import { tell } from "../state/notices";

const EVERY_MS = 5_000;
/** A namespace's limits are held by so many objects. */
const LIMITERS = 8;

export function Limits() {
  const { value, error, refresh } = usePoll(listLimits, [namespace.value], { everyMs: EVERY_MS, requests: 1, shards: () => LIMITERS });
  const [edited, setEdited] = useState<ShownLimit | "new">();
  const [deleted, setDeleted] = useState<ShownLimit>();
  return (
    <div class="page">
      <PageHead title="Limits" about="A limit bounds the runs of all tasks that name its key, on all shards together. What exceeds it waits.">
        {mayWrite.value && (
          <Button kind="main" icon="create" onClick={() => setEdited("new")}>
            Set a limit
          </Button>
        )}
      </PageHead>
      <ErrorNote error={error} onRetry={refresh} />
      {!value && !error && <Loading />}
      {value?.length === 0 && (
        <Empty title="No limits">
          Set one for a service that takes only so many calls, for example the key “stripe” with 5 runs a second. Tasks whose “limitKey” is that key then share it, and wait for their turn in the order of their due times.
        </Empty>
      )}
      {value && value.length > 0 && (
        <div class="scrolls" tabIndex={0} role="region" aria-label="Limits">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col" class="number">
                  At a time
                </th>
                <th scope="col" class="number">
                  Per second
                </th>
                <th scope="col" class="number">
                  In flight
                </th>
                <th scope="col" class="number">
                  Waiting
                </th>
                <th scope="col">State</th>
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {value.map((limit) => (
                <tr key={limit.key}>
                  <td class="strong">{limit.key}</td>
                  <td class="number">{limit.concurrency === undefined ? <span class="muted">any</span> : whole(limit.concurrency)}</td>
                  <td class="number">{limit.perSecond === undefined ? <span class="muted">any</span> : limit.perSecond}</td>
                  <td class="number">{whole(limit.inFlight)}</td>
                  <td class="number">{whole(limit.waiting)}</td>
                  <td>{limit.inEffect ? <span class="nowrap">in effect</span> : <span class="warn">runs of before still hold more slots</span>}</td>
                  <td>
                    {mayWrite.value && (
                      <div class="actions end">
                        <Button kind="quiet" onClick={() => setEdited(limit)} aria-label={`Change ${limit.key}`}>
                          Change
                        </Button>
                        <Button kind="quiet" onClick={() => setDeleted(limit)} aria-label={`Delete ${limit.key}`}>
                          Delete
                        </Button>
                      </div>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {edited && <LimitDialog limit={edited === "new" ? undefined : edited} onClose={() => setEdited(undefined)} onDone={refresh} />}
      {deleted && (
        <ActionDialog
          title={`Delete the limit ${deleted.key}`}
          verb="Delete"
          isDanger
          onClose={() => setDeleted(undefined)}
          onAct={async () => {
            await deleteLimit(deleted.key);
            tell(`The limit ${deleted.key} is deleted.`);
            refresh();
          }}
        >
          <p>Tasks with this key are not bounded any more: all that wait for it may fire at once. See them under <Link to="/tasks">Tasks</Link>.</p>
        </ActionDialog>
      )}
    </div>
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
      {!limit && <TextField label="Key" isCode value={key} onChange={setKey} isRequired help="What tasks name in “limitKey”." />}
      <TextField label="Runs at a time" type="number" min="1" value={concurrency} onChange={setConcurrency} help="A strict bound, also after a crash." />
      <TextField label="Runs per second" type="number" min="0.001" step="any" value={perSecond} onChange={setPerSecond} help="At least one of the two." />
    </ActionDialog>
  );
}
