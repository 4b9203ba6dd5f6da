// Namespaces and their quotas.

import { useState } from "preact/hooks";
import { deleteNamespace, listNamespaces, putNamespace } from "../api/access";
import type { Namespace } from "../api/types";
import { Button, ErrorNote, Loading, PageHead, Time } from "../components/basics";
import { ActionDialog } from "../components/dialog";
import { TextField } from "../components/field";
import { whole } from "../lib/numbers";
import { readNamespaces } from "../state/directory";
import { ASKS_ONE, usePoll } from "../state/live";
import { namespace } from "../state/session";
import { switchNamespace } from "../state/signin";
import { tell, tellError } from "../state/notices";

const any = <span class="muted">any</span>;

export function Namespaces() {
  const { value, error, refresh } = usePoll(listNamespaces, [], { everyMs: 0, ...ASKS_ONE });
  const [edited, setEdited] = useState<Namespace | "new">();
  const [deleted, setDeleted] = useState<Namespace>();
  const done = () => {
    refresh();
    void readNamespaces();
  };
  const current = namespace.value || "default";
  return (
    <div class="page">
      <PageHead title="Namespaces" about="Each has shards, ids, lists and statistics of its own.">
        <Button kind="main" icon="create" onClick={() => setEdited("new")}>
          Create a namespace
        </Button>
      </PageHead>
      <ErrorNote error={error} onRetry={refresh} />
      {!value && !error && <Loading />}
      {value && (
        <div class="scrolls" tabIndex={0} role="region" aria-label="Namespaces">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col" class="number">
                  Tasks at most
                </th>
                <th scope="col" class="number">
                  Creates per second
                </th>
                <th scope="col">Created</th>
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {value.map((space) => (
                <tr key={space.name}>
                  <td class="strong">
                    {space.name} {space.name === current && <span class="muted">(this one)</span>}
                  </td>
                  <td class="number">{space.quota.pendingTasks ? whole(space.quota.pendingTasks) : any}</td>
                  <td class="number">{space.quota.createsPerSecond ? whole(space.quota.createsPerSecond) : any}</td>
                  <td>{space.createdAt === undefined ? <span class="muted">always there</span> : <Time at={space.createdAt} />}</td>
                  <td>
                    <div class="actions end">
                      {space.name !== current && (
                        <Button kind="quiet" aria-label={`Switch to ${space.name}`} onClick={() => void switchNamespace(space.name).catch(tellError)}>
                          Switch
                        </Button>
                      )}
                      {space.createdAt !== undefined && (
                        <>
                          <Button kind="quiet" aria-label={`Change ${space.name}`} onClick={() => setEdited(space)}>
                            Change
                          </Button>
                          <Button kind="quiet" aria-label={`Delete ${space.name}`} onClick={() => setDeleted(space)}>
                            Delete
                          </Button>
                        </>
                      )}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {value?.length === 1 && (
        <p class="muted">There is only this one. Create others to keep tenants, teams or environments apart: give each a key of its own, and a quota.</p>
      )}
      {edited && <NamespaceDialog space={edited === "new" ? undefined : edited} onClose={() => setEdited(undefined)} onDone={done} />}
      {deleted && (
        <ActionDialog
          title={`Delete the namespace ${deleted.name}`}
          verb="Delete"
          isDanger
          confirmWith={deleted.name}
          onClose={() => setDeleted(undefined)}
          onAct={async () => {
            await deleteNamespace(deleted.name);
            tell(`The namespace ${deleted.name} is deleted.`);
            if (deleted.name === current) await switchNamespace("");
            done();
          }}
        >
          <p>Only a namespace without tasks can be deleted. Its limits, its history and its counts go with it.</p>
        </ActionDialog>
      )}
    </div>
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
      {!space && <TextField label="Name" isCode value={name} onChange={setName} isRequired help="Letters a to z, digits and hyphens." />}
      <TextField label="Tasks at most" type="number" min="1" value={pending} onChange={setPending} help="Tasks and dead letters. Empty: any number." />
      <TextField label="Creates per second" type="number" min="1" value={creates} onChange={setCreates} help="Over the long run. Empty: any number." />
    </ActionDialog>
  );
}
