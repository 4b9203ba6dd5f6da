// Namespaces and their quotas.

import { useState } from "preact/hooks";
import { deleteNamespace, listNamespaces, putNamespace } from "../api/access";
import type { Namespace } from "../api/types";
import { Button, Time } from "../components/basics";
import { ActionDialog } from "../components/dialog";
import { TextField } from "../components/field";
import { ResourcePage, type Column } from "../components/resource-page";
import { whole } from "../lib/numbers";
import { readNamespaces } from "../state/directory";
import { ASKS_ONE, usePoll } from "../state/live";
import { namespace } from "../state/session";
import { switchNamespace } from "../state/signin";
import { tell, tellError } from "../state/notices";

const any = <span class="muted">any</span>;

const isCurrent = ({ name }: Namespace): boolean => name === (namespace.value || "default");

/** The namespace `default` is always there, and has no quota. */
const isMade = ({ createdAt }: Namespace): boolean => createdAt !== undefined;

const COLUMNS: readonly Column<Namespace>[] = [
  {
    title: "Name",
    cell: (space) => (
      <span class="strong">
        {space.name} {isCurrent(space) && <span class="muted">(this one)</span>}
      </span>
    ),
  },
  { title: "Tasks at most", isNumber: true, cell: ({ quota }) => (quota.pendingTasks ? whole(quota.pendingTasks) : any) },
  { title: "Creates per second", isNumber: true, cell: ({ quota }) => (quota.createsPerSecond ? whole(quota.createsPerSecond) : any) },
  { title: "Created", cell: ({ createdAt }) => (createdAt === undefined ? <span class="muted">always there</span> : <Time at={createdAt} />) },
];

export function Namespaces() {
  const polled = usePoll(listNamespaces, [], { everyMs: 0, ...ASKS_ONE });
  const read = {
    ...polled,
    refresh: () => {
      polled.refresh();
      void readNamespaces();
    },
  };
  return (
    <ResourcePage
      title="Namespaces"
      about="Each namespace has its own shards, task ids, lists and statistics."
      read={read}
      columns={COLUMNS}
      nameOf={({ name }) => name}
      keyOf={({ name }) => name}
      mayChange
      addLabel="Create a namespace"
      isEditable={isMade}
      editor={(space, onClose, onDone) => <NamespaceDialog space={space} onClose={onClose} onDone={onDone} />}
      moreActions={(space) =>
        !isCurrent(space) && (
          <Button kind="quiet" aria-label={`Switch to ${space.name}`} onClick={() => void switchNamespace(space.name).catch((error) => tellError(`The namespace ${space.name} was not opened`, error))}>
            Switch
          </Button>
        )
      }
      removal={{
        verb: "Delete",
        what: ({ name }) => `the namespace ${name}`,
        effect: "Only a namespace without tasks can be deleted. Its limits, history and counts are deleted with it.",
        confirmWith: ({ name }) => name,
        isOffered: isMade,
        act: async (space) => {
          await deleteNamespace(space.name);
          if (isCurrent(space)) await switchNamespace("");
          return `The namespace ${space.name} is deleted.`;
        },
      }}
    >
      {polled.value?.length === 1 && (
        <p class="muted">This is the only one. Create others to separate tenants, teams or environments: give each its own key and a quota.</p>
      )}
    </ResourcePage>
  );
}

function NamespaceDialog({ space, onClose, onDone }: { space: Namespace | undefined; onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState(space?.name ?? "");
  const [pending, setPending] = useState(space?.quota.pendingTasks ? String(space.quota.pendingTasks) : "");
  const [creates, setCreates] = useState(space?.quota.createsPerSecond ? String(space.quota.createsPerSecond) : "");
  const act = async () => {
    await putNamespace(name, { ...(pending === "" ? {} : { pendingTasks: Number(pending) }), ...(creates === "" ? {} : { createsPerSecond: Number(creates) }) });
    tell(`The namespace ${name} is ${space ? "changed" : "created"}.`);
    onDone();
  };
  return (
    <ActionDialog title={space ? `Change the namespace ${space.name}` : "Create a namespace"} verb={space ? "Change" : "Create"} onAct={act} onClose={onClose} isDisabled={name === ""}>
      {(errorOf) => (
        <>
      {!space && <TextField label="Name" isCode value={name} onChange={setName} isRequired error={errorOf("id")} help="Letters a to z, digits and hyphens." />}
      <TextField label="Tasks at most" type="number" min="1" value={pending} onChange={setPending} error={errorOf("quota.pendingTasks")} help="Counts tasks and dead letters. Empty: any number." />
      <TextField label="Creates per second" type="number" min="1" value={creates} onChange={setCreates} error={errorOf("quota.createsPerSecond")} help="On average. Short bursts may exceed it. Empty: any number." />
        </>
      )}
    </ActionDialog>
  );
}
