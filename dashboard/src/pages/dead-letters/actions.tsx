// What can be done with one dead letter: replay it, perhaps with changes, or discard it.

import { useState } from "preact/hooks";
import { discardOne, getDeadLetter, replayOne } from "../../api/dead-letters";
import type { Json, JsonObject, Task } from "../../api/types";
import { Button } from "../../components/basics";
import { ActionDialog } from "../../components/dialog";
import { isObject, patchOf } from "../../lib/definition";
import { mayWrite } from "../../state/session";
import { tell, tellError } from "../../state/notices";
import { JsonField } from "../create/parts";

interface LetterActionsProps {
  /** The id of the dead letter. */
  id: string;
  taskId: string;
  /** What is next to the buttons, if there are several dead letters. */
  of?: string;
  onReplayed: () => void;
  onDiscarded: () => void;
}

/** The buttons of one dead letter. Reads the dead letter when it is to be replayed. */
export function LetterActions({ id, taskId, of, onReplayed, onDiscarded }: LetterActionsProps) {
  const [letter, setLetter] = useState<Task>();
  const [isDiscarding, setDiscarding] = useState(false);
  if (!mayWrite.value) return null;
  const label = (verb: string) => (of === undefined ? {} : { "aria-label": `${verb} ${of}` });
  return (
    <>
      <Button kind="main" {...label("Replay")} onClick={() => void getDeadLetter(id).then(setLetter).catch(tellError)}>
        Replay
      </Button>
      <Button {...label("Discard")} onClick={() => setDiscarding(true)}>
        Discard
      </Button>
      {letter && <ReplayDialog id={id} letter={letter} onClose={() => setLetter(undefined)} onReplayed={onReplayed} />}
      {isDiscarding && (
        <ActionDialog
          title={`Discard the dead letter of ${taskId}`}
          verb="Discard"
          isDanger
          onClose={() => setDiscarding(false)}
          onAct={async () => {
            await discardOne(id);
            tell(`The dead letter of ${taskId} is discarded.`);
            onDiscarded();
          }}
        >
          <p>After that, nobody can replay it. The history keeps its attempts, and a recurring task goes on.</p>
        </ActionDialog>
      )}
    </>
  );
}

function ReplayDialog({ id, letter, onClose, onReplayed }: { id: string; letter: Task; onClose: () => void; onReplayed: () => void }) {
  const before: JsonObject = { callback: letter.callback as unknown as Json, ...(letter.payload === undefined ? {} : { payload: letter.payload as Json }) };
  const [callback, setCallback] = useState<Json | undefined>(before["callback"]);
  const [payload, setPayload] = useState<Json | undefined>(before["payload"]);
  const after: JsonObject = { ...(isObject(callback) ? { callback } : {}), ...(payload === undefined ? {} : { payload }) };
  const changes = patchOf(before, after);
  const act = async () => {
    await replayOne(id, changes);
    tell(`${letter.id} starts again with its first attempt.`);
    onReplayed();
  };
  const changed = Object.keys(changes);
  return (
    <ActionDialog title={`Replay ${letter.id}`} verb={changed.length === 0 ? "Replay as it was" : `Replay with another ${changed.join(" and ")}`} onAct={act} onClose={onClose}>
      <p>The run starts again with its first attempt. You can change its target and its payload for this run. The task itself does not change.</p>
      <JsonField label="Callback, as JSON" value={callback} onChange={setCallback} rows={5} />
      <JsonField label="Payload, as JSON" value={payload} onChange={setPayload} rows={5} />
    </ActionDialog>
  );
}
