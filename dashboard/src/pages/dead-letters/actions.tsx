// What can be done with one dead letter: replay it, perhaps with changes, or discard it.

import { useState } from "preact/hooks";
import { discardOne, getDeadLetter, replayOne } from "../../api/dead-letters";
import { getTask, orAbsent } from "../../api/tasks";
import type { Json, JsonObject, Task } from "../../api/types";
import { Button } from "../../components/basics";
import { ActionDialog } from "../../components/dialog";
import { isObject, patchOf } from "../../lib/definition";
import { named } from "../../lib/names";
import { replayEffect } from "../../lib/replay";
import { go } from "../../state/router";
import { mayWrite } from "../../state/session";
import { tell, tellError } from "../../state/notices";
import { JsonField } from "../create/parts";

interface LetterActionsProps {
  /** The id of the dead letter. */
  id: string;
  taskId: string;
  /** What is next to the buttons, if there are several dead letters. */
  of?: string;
  /** Called after a change, if the page stays. */
  onChanged?: () => void;
  /** The pages to open after a change, if it does not. */
  leadsTo?: { replayed: string; discarded: string };
}

/** A dead letter, and what the API shows under the id of its task. */
interface Found {
  letter: Task;
  task: Task | undefined;
}

async function find(id: string, taskId: string): Promise<Found> {
  const [letter, task] = await Promise.all([getDeadLetter(id), orAbsent(getTask(taskId))]);
  return { letter, task: task?.body };
}

/** The buttons of one dead letter. Reads the dead letter when it is to be replayed. */
export function LetterActions({ id, taskId, of, onChanged, leadsTo }: LetterActionsProps) {
  const [found, setFound] = useState<Found>();
  const [isDiscarding, setDiscarding] = useState(false);
  if (!mayWrite.value) return null;
  const done = (text: string, next: string | undefined) => {
    tell(text, { page: next });
    if (next !== undefined) go(next);
    onChanged?.();
  };
  const label = (verb: string) => (of === undefined ? {} : { "aria-label": `${verb} ${of}` });
  return (
    <>
      <Button kind="main" {...label("Replay")} onClick={() => void find(id, taskId).then(setFound).catch((error) => tellError(`The dead letter of ${named(taskId)} could not be read`, error))}>
        Replay
      </Button>
      <Button {...label("Discard")} onClick={() => setDiscarding(true)}>
        Discard
      </Button>
      {found && <ReplayDialog id={id} {...found} onClose={() => setFound(undefined)} onReplayed={(text) => done(text, leadsTo?.replayed)} />}
      {isDiscarding && (
        <ActionDialog
          title={`Discard the dead letter of ${named(taskId)}`}
          verb="Discard"
          isDanger
          onClose={() => setDiscarding(false)}
          onAct={async () => {
            await discardOne(id);
            done(`The dead letter of ${named(taskId)} is discarded.`, leadsTo?.discarded);
          }}
        >
          <p>After that, nobody can replay it. A task that fires once is gone then, and a recurring task goes on. The history keeps the attempts.</p>
        </ActionDialog>
      )}
    </>
  );
}

function ReplayDialog({ id, letter, task, onClose, onReplayed }: Found & { id: string; onClose: () => void; onReplayed: (text: string) => void }) {
  const before: JsonObject = { callback: letter.callback as unknown as Json, ...(letter.payload === undefined ? {} : { payload: letter.payload as Json }) };
  const [callback, setCallback] = useState<Json | undefined>(before["callback"]);
  const [payload, setPayload] = useState<Json | undefined>(before["payload"]);
  const after: JsonObject = { ...(isObject(callback) ? { callback } : {}), ...(payload === undefined ? {} : { payload }) };
  const changes = patchOf(before, after);
  const act = async () => {
    await replayOne(id, changes);
    onReplayed(`${named(letter.id)} starts again with its first attempt.`);
  };
  const changed = Object.keys(changes);
  return (
    <ActionDialog title={`Replay ${named(letter.id)}`} verb={changed.length === 0 ? "Replay as it was" : `Replay with another ${changed.join(" and ")}`} onAct={act} onClose={onClose}>
      <p>{replayEffect(letter, task)}</p>
      <JsonField label="Callback, as JSON" value={callback} onChange={setCallback} rows={5} />
      <JsonField label="Payload, as JSON" value={payload} onChange={setPayload} rows={5} />
    </ActionDialog>
  );
}
