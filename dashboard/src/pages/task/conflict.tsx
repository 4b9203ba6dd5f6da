// Two people have changed one task. Shows both changes, and lets the second person choose.

import { useState } from "preact/hooks";
import type { Json, JsonObject } from "../../api/types";
import { Button } from "../../components/basics";
import { Dialog } from "../../components/dialog";
import { isEqual } from "../../lib/definition";
import { named } from "../../lib/names";

interface ConflictProps {
  id: string;
  base: JsonObject;
  theirs: JsonObject;
  mine: JsonObject;
  onClose: () => void;
  onTakeTheirs: () => void;
  onSave: (merged: JsonObject) => Promise<unknown>;
}

/** The titles of the columns. On a narrow screen, each value shows its own. */
const SIDES = { base: "When you began", theirs: "Theirs, as it is now", yours: "Yours" } as const;

const shown = (value: Json | undefined): string => (value === undefined ? "(absent)" : typeof value === "string" ? value : JSON.stringify(value, null, 1));

/** Returns the members that either side has changed. */
export function changedMembers(base: JsonObject, theirs: JsonObject, mine: JsonObject): { name: string; byThem: boolean; byMe: boolean }[] {
  const names = new Set([base, theirs, mine].flatMap((definition) => Object.keys(definition)));
  return [...names]
    .map((name) => ({ name, byThem: !isEqual(base[name], theirs[name]), byMe: !isEqual(base[name], mine[name]) }))
    .filter(({ byThem, byMe }) => byThem || byMe);
}

export function ConflictDialog({ id, base, theirs, mine, onClose, onTakeTheirs, onSave }: ConflictProps) {
  const members = changedMembers(base, theirs, mine);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(members.filter(({ byMe }) => byMe).map(({ name }) => name)));
  const choose = (name: string, isMine: boolean) => {
    const next = new Set(chosen);
    if (isMine) next.add(name);
    else next.delete(name);
    setChosen(next);
  };
  const save = () => {
    const merged: JsonObject = { ...theirs };
    for (const name of chosen) {
      const value = mine[name];
      if (value === undefined) delete merged[name];
      else merged[name] = value;
    }
    void onSave(merged);
  };
  return (
    <Dialog title={`Somebody else has changed ${named(id)} in the meantime`} onClose={onClose} isWide>
      <div class="dialog-body">
        <p>Your changes are not saved yet. For each field, choose the value that the task gets.</p>
        <div class="scrolls" tabIndex={0} role="region" aria-label="Both changes">
          <table class="table conflict">
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">{SIDES.base}</th>
                <th scope="col">{SIDES.theirs}</th>
                <th scope="col">{SIDES.yours}</th>
              </tr>
            </thead>
            <tbody>
              {members.map(({ name, byThem, byMe }) => (
                <tr key={name}>
                  <th scope="row">
                    <code>{name}</code>
                    {byThem && byMe && <p class="bad small">changed by both</p>}
                  </th>
                  <td data-side={SIDES.base}>
                    <pre>{shown(base[name])}</pre>
                  </td>
                  {([["theirs", theirs, false], ["yours", mine, true]] as const).map(([side, definition, isMine]) => (
                    <td key={side} data-side={SIDES[side]} class={chosen.has(name) === isMine ? "chosen" : ""}>
                      <label class="check">
                        <input type="radio" name={`member-${name}`} checked={chosen.has(name) === isMine} disabled={isMine && !byMe} onChange={() => choose(name, isMine)} />
                        <span class="hidden">
                          {side} for {name}
                        </span>
                        <pre>{isMine && !byMe ? "(not changed)" : shown(definition[name])}</pre>
                      </label>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <footer class="actions end">
          <Button onClick={onClose}>Back to the form</Button>
          <Button onClick={onTakeTheirs}>Start over from theirs</Button>
          <Button kind="main" onClick={save} disabled={chosen.size === 0}>
            Save what is chosen
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}
