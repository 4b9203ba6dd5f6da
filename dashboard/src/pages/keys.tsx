// API keys: made, shown once, revoked.

import { useState } from "preact/hooks";
import { createKey, listKeys, revokeKey } from "../api/access";
import type { Key, MadeKey, Scope } from "../api/types";
import { Button, Copy, Tag, Time } from "../components/basics";
import { ActionDialog, Dialog } from "../components/dialog";
import { Check, TextField } from "../components/field";
import { ResourcePage, type Column } from "../components/resource-page";
import { HERE, millisOf } from "../lib/time";
import { namespaces } from "../state/directory";
import { ASKS_ONE, usePoll } from "../state/live";
import { namespace } from "../state/session";

const SCOPES: readonly (readonly [Scope, string])[] = [
  ["read", "read: see tasks, runs and statistics"],
  ["write", "write: create, change and cancel tasks, set limits"],
  ["admin", "admin: create keys; with all namespaces (“*”), also create namespaces"],
];

const Scopes = ({ scopes }: { scopes: readonly Scope[] }) => (
  <span class="tags">
    {scopes.map((scope) => (
      <Tag key={scope}>{scope}</Tag>
    ))}
  </span>
);

const orNever = (at: number | undefined) => (at === undefined ? <span class="muted">never</span> : <Time at={at} />);

const COLUMNS: readonly Column<Key>[] = [
  {
    title: "Name",
    cell: ({ name, id }) => (
      <div>
        <div class="strong">{name}</div>
        <code class="muted">dsk_{id}_…</code>
      </div>
    ),
  },
  { title: "Scopes", cell: ({ scopes }) => <Scopes scopes={scopes} /> },
  { title: "Namespaces", cell: ({ namespaces }) => namespaces.map((name) => (name === "*" ? "all" : name)).join(", ") },
  { title: "Created", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: "Last used", cell: ({ lastUsedAt }) => orNever(lastUsedAt) },
  { title: "Expires", cell: ({ expiresAt }) => orNever(millisOf(expiresAt)) },
];

export function Keys() {
  const read = usePoll(listKeys, [], { everyMs: 0, ...ASKS_ONE });
  const [made, setMade] = useState<MadeKey>();
  return (
    <ResourcePage
      title="API keys"
      about="Keys that were created here or through the API. Those in the secret API_KEYS are not listed."
      read={read}
      columns={COLUMNS}
      nameOf={({ name }) => name}
      keyOf={({ id }) => id}
      mayChange
      addLabel="Create a key"
      editor={(_, onClose, onDone) => (
        <KeyDialog
          onClose={onClose}
          onMade={(key) => {
            setMade(key);
            onDone();
          }}
        />
      )}
      removal={{
        verb: "Revoke",
        what: ({ name }) => name,
        effect: "From then on, requests with this key are refused. This cannot be undone. The tasks that it has created stay.",
        act: async ({ id, name }) => {
          await revokeKey(id);
          return `The key ${name} is revoked. It stops working everywhere within ten seconds.`;
        },
      }}
      none={{
        title: "No keys yet",
        text: "Create one for each program and each person, with only the scopes and namespaces that it needs. A key is shown once, can be revoked at any time, and its name is shown with the tasks that it creates.",
      }}
    >
      {made && <MadeDialog made={made} onClose={() => setMade(undefined)} />}
    </ResourcePage>
  );
}

function MadeDialog({ made, onClose }: { made: MadeKey; onClose: () => void }) {
  return (
    <Dialog title={`The key “${made.name}”`} onClose={onClose} isKept>
      <div class="dialog-body">
        <p>Copy it now: the key is shown only this once.</p>
        <pre class="code-block" tabIndex={0} aria-label="The key">
          {made.key}
        </pre>
        <footer class="actions end">
          <Copy text={made.key} label="Copy the key" />
          <Button kind="main" onClick={onClose}>
            I have stored it
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}

function KeyDialog({ onClose, onMade }: { onClose: () => void; onMade: (made: MadeKey) => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["read", "write"]);
  const [spaces, setSpaces] = useState(namespace.value || "default");
  const [expires, setExpires] = useState("");
  const names = spaces.split(",").map((space) => space.trim()).filter(Boolean);
  // A key may be for a namespace that is created later. A misspelled name looks the same.
  const unknown = names.filter((space) => space !== "*" && namespaces.value?.every((known) => known.name !== space) === true);
  const act = async () => {
    onMade(await createKey({ name, scopes: [...scopes], namespaces: names, ...(expires === "" ? {} : { expiresAt: new Date(expires).toISOString() }) }));
  };
  return (
    <ActionDialog title="Create a key" verb="Create" onAct={act} onClose={onClose} isDisabled={name === "" || scopes.length === 0}>
      {(errorOf) => (
        <>
      <TextField label="Name" value={name} onChange={setName} isRequired error={errorOf("name")} help="What it is for. It is shown with the tasks that it creates." />
      <fieldset class="plain stack">
        <legend class="muted small">What it may do</legend>
        {SCOPES.map(([scope, text]) => (
          <Check key={scope} label={text} isChecked={scopes.includes(scope)} onChange={(isChecked) => setScopes(isChecked ? [...scopes, scope] : scopes.filter((one) => one !== scope))} />
        ))}
      </fieldset>
      <TextField label="Namespaces" isCode value={spaces} onChange={setSpaces} isRequired error={errorOf("namespaces")} help={`Separate names with commas. * means all namespaces.${unknown.length === 0 ? "" : ` Not there yet: ${unknown.join(", ")}.`}`} />
      <TextField label={`Expires (${HERE})`} type="datetime-local" value={expires} onChange={setExpires} error={errorOf("expiresAt")} help="Empty: never." />
        </>
      )}
    </ActionDialog>
  );
}
