// What can be done with a task.

import { useState } from "preact/hooks";
import { cancelTask, changeTask } from "../../api/tasks";
import type { Json, JsonObject, Task } from "../../api/types";
import { Button, LinkButton } from "../../components/basics";
import { ActionDialog } from "../../components/dialog";
import { useCommands } from "../../components/palette";
import { PauseNote } from "../../components/pause-note";
import { JsonField } from "../create/parts";
import { named } from "../../lib/names";
import { RescheduleFields, rescheduleBody, type RescheduleForm } from "../tasks/reschedule";
import { go, pageWith, taskPath } from "../../state/router";
import { mayRead, mayWrite } from "../../state/session";
import { tell, tellError } from "../../state/notices";

type Asked = "pause" | "run" | "reschedule" | "cancel";

export function TaskActions({ task, onChanged }: { task: Task; onChanged: () => void }) {
  const [asked, setAsked] = useState<Asked>();
  const isDead = task.status === "dead-lettered";
  const canPause = !task.paused && task.status !== "unscheduled" && !isDead;
  const done = (text: string) => {
    tell(text);
    onChanged();
  };
  const resume = () =>
    void changeTask(task.id, "resume")
      .then(() => done(`${named(task.id)} is resumed.`))
      .catch((error) => {
        tellError(`${named(task.id)} was not resumed`, error);
        // The page may show what is not so any more.
        onChanged();
      });
  const edit = `${taskPath(task.id)}/edit`;
  const clone = pageWith("/create", { from: task.id });
  const isOffered = mayWrite.value;
  useCommands(
    !isOffered
      ? []
      : [
          { title: "Clone this task", run: () => go(clone) },
          // A dead letter is replayed or discarded. Its buttons are beside the reason.
          ...(isDead
            ? []
            : [
                { title: "Edit this task", run: () => go(edit) },
                { title: task.paused ? "Resume this task" : "Pause this task", run: () => (task.paused ? resume() : setAsked("pause")) },
                { title: "Run this task now", run: () => setAsked("run") },
                { title: "Cancel this task", run: () => setAsked("cancel") },
              ]),
        ],
    [task.id, task.paused, isOffered, isDead],
  );
  if (!isOffered) return null;
  return (
    <>
      {(canPause || task.paused) && (
        // One element for both, so that it keeps the focus.
        <Button icon={task.paused ? "play" : "pause"} onClick={() => (task.paused ? resume() : setAsked("pause"))}>
          {task.paused ? "Resume" : "Pause"}
        </Button>
      )}
      {!isDead && <Button onClick={() => setAsked("run")}>Run now</Button>}
      {task.kind === "once" && <Button onClick={() => setAsked("reschedule")}>Reschedule</Button>}
      {!isDead && mayRead.value && <LinkButton to={edit}>Edit</LinkButton>}
      {mayRead.value && <LinkButton to={clone}>Clone</LinkButton>}
      {!isDead && <Button onClick={() => setAsked("cancel")}>Cancel task</Button>}
      {asked === "pause" && <PauseDialog task={task} onDone={done} onClose={() => setAsked(undefined)} />}
      {asked === "run" && <RunDialog task={task} onDone={done} onClose={() => setAsked(undefined)} />}
      {asked === "reschedule" && <RescheduleDialog task={task} onDone={done} onClose={() => setAsked(undefined)} />}
      {asked === "cancel" && (
        <ActionDialog
          title={`Cancel ${named(task.id)}`}
          verb="Cancel the task"
          isDanger
          onClose={() => setAsked(undefined)}
          onAct={async () => {
            const { body } = await cancelTask(task.id);
            done(`${named(task.id)} is cancelled.${body.running ? " One attempt is running, and continues to its end." : ""}`);
          }}
        >
          <p>No further attempt of it starts, and all its future runs are gone. This cannot be undone. An attempt that is running continues to its end.</p>
        </ActionDialog>
      )}
    </>
  );
}

interface DialogProps {
  task: Task;
  onDone: (text: string) => void;
  onClose: () => void;
}

function PauseDialog({ task, onDone, onClose }: DialogProps) {
  const [note, setNote] = useState("");
  const act = async () => {
    await changeTask(task.id, "pause", note === "" ? undefined : { note });
    onDone(`${named(task.id)} is paused.`);
  };
  return (
    <ActionDialog title={`Pause ${named(task.id)}`} verb="Pause" onAct={act} onClose={onClose}>
      <p>It does not fire until somebody resumes it. An attempt that is running continues to its end.</p>
      <PauseNote value={note} onChange={setNote} />
    </ActionDialog>
  );
}

function RunDialog({ task, onDone, onClose }: DialogProps) {
  const [payload, setPayload] = useState<Json | undefined>(task.payload as Json | undefined);
  const own = JSON.stringify(task.payload);
  const act = async () => {
    const isOther = payload !== undefined && JSON.stringify(payload) !== own;
    await changeTask(task.id, "run", isOther ? ({ payload } as JsonObject) : undefined);
    onDone(`${named(task.id)} fires now${isOther ? ", with another payload" : ""}.`);
  };
  return (
    <ActionDialog title={`Run ${named(task.id)} now`} verb="Run now" onAct={act} onClose={onClose}>
      <p>{task.kind === "once" ? "It fires now instead of at its time." : task.kind === "no-schedule" ? "It fires now, and you can run it again later." : "It fires now in addition to its schedule, which does not change."}</p>
      <JsonField label="Payload of this run, as JSON" value={payload} onChange={setPayload} rows={6} help={task.kind === "once" ? "" : "For this run only. The payload of the task does not change."} />
    </ActionDialog>
  );
}

function RescheduleDialog({ task, onDone, onClose }: DialogProps) {
  const [form, setForm] = useState<RescheduleForm>({ how: "delay", delay: "3600", time: "", timezone: task.timezone ?? "" });
  const body = rescheduleBody(form);
  const act = async () => {
    await changeTask(task.id, "reschedule", body);
    onDone(`${named(task.id)} is moved.`);
  };
  return (
    <ActionDialog title={`Reschedule ${named(task.id)}`} verb="Reschedule" onAct={act} onClose={onClose} isDisabled={!body}>
      <RescheduleFields form={form} onChange={setForm} />
    </ActionDialog>
  );
}
