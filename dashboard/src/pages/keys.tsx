// API keys: made, shown once, revoked.

import { useState } from "preact/hooks";
import { createKey, listKeys, revokeKey } from "../api/access";
import type { Key, MadeKey, Scope } from "../api/types";
import { Button, Copy, Empty, ErrorNote, Loading, PageHead, Tag, Time } from "../components/basics";
import { ActionDialog, Dialog } from "../components/dialog";
import { Check, TextField } from "../components/field";
import { HERE } from "../lib/time";
import { ASKS_ONE, usePoll } from "../state/live";
import { namespace } from "../state/session";
import { tell } from "../state/notices";

const SCOPES: readonly (readonly [Scope, string])[] = [
  ["read", "read: look at tasks, runs and numbers"],
  ["write", "write: create, change and cancel tasks, set limits"],
  ["admin", "admin: make keys, and namespaces with “*”"],
];

export function Keys() {
  const { value, error, refresh } = usePoll(listKeys, [], { everyMs: 0, ...ASKS_ONE });
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey>();
  const [revoked, setRevoked] = useState<Key>();
  return (
    <div class="page">
      <PageHead title="API keys" about="Keys that the API has made. Those in the secret API_KEYS are not listed.">
        <Button kind="main" icon="create" onClick={() => setMaking(true)}>
          Create a key
        </Button>
      </PageHead>
      <ErrorNote error={error} onRetry={refresh} />
      {!value && !error && <Loading />}
      {value?.length === 0 && (
        <Empty title="No keys yet">
          Make one for each program and each person, with the scopes and the namespaces that it needs and no more. A key is shown once, can be revoked at any time, and its name stands beside the tasks that it creates.
        </Empty>
      )}
      {value && value.length > 0 && (
        <div class="scrolls" tabIndex={0} role="region" aria-label="API keys">
          <table class="table">
            <thead>
              <tr>
                {["Name", "Scopes", "Namespaces", "Created", "Last used", "Expires"].map((name) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ))}
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {value.map((key) => (
                <tr key={key.id}>
                  <td>
                    <span class="strong">{key.name}</span> <code class="muted">dsk_{key.id}_…</code>
                  </td>
                  <td>
                    {key.scopes.map((scope) => (
                      <Tag key={scope}>{scope}</Tag>
                    ))}
                  </td>
                  <td>{key.namespaces.map((name) => (name === "*" ? "every one" : name)).join(", ")}</td>
                  <td>
                    <Time at={key.createdAt} />
                  </td>
                  <td>{key.lastUsedAt === undefined ? <span class="muted">never</span> : <Time at={key.lastUsedAt} />}</td>
                  <td>{key.expiresAt === undefined ? <span class="muted">never</span> : <Time at={key.expiresAt} />}</td>
                  <td>
                    <Button kind="quiet" aria-label={`Revoke ${key.name}`} onClick={() => setRevoked(key)}>
                      Revoke
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isMaking && (
        <KeyDialog
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMade(key);
            refresh();
          }}
        />
      )}
      {made && <MadeDialog made={made} onClose={() => setMade(undefined)} />}
      {revoked && (
        <ActionDialog
          title={`Revoke ${revoked.name}`}
          verb="Revoke"
          isDanger
          onClose={() => setRevoked(undefined)}
          onAct={async () => {
            await revokeKey(revoked.id);
            tell(`The key ${revoked.name} is revoked. It stops working everywhere within ten seconds.`);
            refresh();
          }}
        >
          <p>Whatever uses this key is refused from then on. This cannot be undone; tasks that it has created stay.</p>
        </ActionDialog>
      )}
    </div>
  );
}

function MadeDialog({ made, onClose }: { made: MadeKey; onClose: () => void }) {
  return (
    <Dialog title={`The key “${made.name}”`} onClose={onClose}>
      <div class="dialog-body">
        <p>Copy it now: it is shown this once, and nobody can read it again.</p>
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
  const act = async () => {
    const names = spaces.split(",").map((space) => space.trim()).filter(Boolean);
    onMade(await createKey({ name, scopes: [...scopes], namespaces: names, ...(expires === "" ? {} : { expiresAt: new Date(expires).getTime() }) }));
  };
  return (
    <ActionDialog title="Create a key" verb="Create" onAct={act} onClose={onClose} isDisabled={name === "" || scopes.length === 0}>
      <TextField label="Name" value={name} onChange={setName} isRequired help="What it is for. It stands beside the tasks that it creates." />
      <fieldset class="plain stack">
        <legend class="muted small">What it may do</legend>
        {SCOPES.map(([scope, text]) => (
          <Check key={scope} label={text} isChecked={scopes.includes(scope)} onChange={(isChecked) => setScopes(isChecked ? [...scopes, scope] : scopes.filter((one) => one !== scope))} />
        ))}
      </fieldset>
      <TextField label="Namespaces" isCode value={spaces} onChange={setSpaces} isRequired help="With commas; * for every one." />
      <TextField label={`Expires (${HERE})`} type="datetime-local" value={expires} onChange={setExpires} help="Empty: never." />
    </ActionDialog>
  );
}
