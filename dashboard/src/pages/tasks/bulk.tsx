// Changes of many tasks: of the selected ones, or of all that match the filter.

import { useState } from "preact/hooks";
import { changeMany, isEmptyFilter, selectionOf, type ManyAnswer, type ManyVerb, type Selection, type TaskFilter } from "../../api/tasks";
import type { JsonObject } from "../../api/types";
import { Button } from "../../components/basics";
import { ActionDialog } from "../../components/dialog";
import { PauseNote } from "../../components/pause-note";
import { UncountedNote } from "../../components/uncounted-note";
import { countedText, useDryRun } from "../../components/use-dry-run";
import { describeFilter } from "../../lib/filter";
import { named } from "../../lib/names";
import { count, whole } from "../../lib/numbers";
import { tell } from "../../state/notices";
import { ignored } from "../../state/router";
import { WiderNote } from "../../components/ignored-note";
import { RescheduleFields, rescheduleBody, type RescheduleForm } from "./reschedule";

const VERBS: readonly { verb: ManyVerb; title: string; done: string; does: string; isDanger: boolean }[] = [
  { verb: "pause", title: "Pause", done: "paused", does: "They do not fire until somebody resumes them.", isDanger: false },
  { verb: "resume", title: "Resume", done: "resumed", does: "They fire again by their schedules. Their misfire policies decide what happens to the runs that they missed.", isDanger: false },
  { verb: "run", title: "Run now", done: "started", does: "Each fires at once. The schedules of recurring tasks do not change.", isDanger: false },
  { verb: "reschedule", title: "Reschedule", done: "rescheduled", does: "Tasks that fire once get another time. Recurring tasks do not change.", isDanger: false },
  { verb: "cancel", title: "Cancel", done: "cancelled", does: "No further attempt of them starts, and they are deleted. This cannot be undone.", isDanger: true },
];

interface BulkBarProps {
  chosen: ReadonlySet<string>;
  filter: TaskFilter;
  onDone: () => void;
  onClear: () => void;
}

export function BulkBar({ chosen, filter, onDone, onClear }: BulkBarProps) {
  const [asked, setAsked] = useState<ManyVerb>();
  const isByFilter = chosen.size === 0;
  // What matches would be more than the address asks for.
  const isWider = isByFilter && ignored.value.length > 0;
  return (
    <div class="bulk" role="group" aria-label="Changes of many tasks">
      <span class="muted">{isByFilter ? (isEmptyFilter(filter) ? "All tasks" : "All that match") : `${whole(chosen.size)} selected`}:</span>
      {VERBS.map(({ verb, title }) => (
        <Button key={verb} kind="quiet" disabled={isWider} onClick={() => setAsked(verb)}>
          {title}
        </Button>
      ))}
      {!isByFilter && (
        <Button kind="quiet" onClick={onClear}>
          Clear the selection
        </Button>
      )}
      {isWider && <WiderNote />}
      {asked && !isWider && (
        <BulkDialog verb={asked} selection={isByFilter ? selectionOf(filter) : { ids: [...chosen] }} filter={filter} onDone={onDone} onClose={() => setAsked(undefined)} />
      )}
    </div>
  );
}

/** Describes what a request did, the most important part first. */
function summary(done: string, sum: Omit<ManyAnswer, "done">): string {
  const changed = (sum.changed ?? 0) + (sum.cancelled ?? 0);
  const parts = [
    `${count(changed, "task")} ${done}`,
    ...(sum.unchanged ? [`${whole(sum.unchanged)} did not need it`] : []),
    ...(sum.alreadyRunning ? [`${whole(sum.alreadyRunning)} are running already`] : []),
    ...(sum.notApplicable ? [`${whole(sum.notApplicable)} cannot be changed like this`] : []),
    ...(sum.notFound ? [`${whole(sum.notFound)} were gone`] : []),
  ];
  return parts.join(", ");
}

/** The most requests for one change. A shard changes thousands of tasks in each. */
const MAX_REQUESTS = 200;

/** Repeats a change until it is done, and adds up what it did. */
async function carryOut(verb: ManyVerb, selection: Selection, more: JsonObject, onProgress: (changed: number) => void): Promise<Omit<ManyAnswer, "done">> {
  const sum: Record<string, number> = {};
  for (let requests = 0; requests < MAX_REQUESTS; requests += 1) {
    const { done, ...counts } = await changeMany(verb, selection, more);
    for (const [name, value] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + (typeof value === "number" ? value : 0);
    onProgress((sum["changed"] ?? 0) + (sum["cancelled"] ?? 0));
    if (done) return sum;
    if (verb === "run") throw new Error(`${count(sum["changed"] ?? 0, "task")} fire now, and more are left. Repeating the request would fire the first ones again: narrow the filter to the others.`);
  }
  throw new Error("It is not done yet. What is left is shown by the list: repeat the change.");
}

const FIRST_FORM: RescheduleForm = { how: "delay", delay: "60", time: "", timezone: "" };

function BulkDialog({ verb, selection, filter, onDone, onClose }: { verb: ManyVerb; selection: Selection; filter: TaskFilter; onDone: () => void; onClose: () => void }) {
  const { title, done, does, isDanger } = VERBS.find((entry) => entry.verb === verb) ?? VERBS[0]!;
  const [form, setForm] = useState(FIRST_FORM);
  const [note, setNote] = useState("");
  const [progress, setProgress] = useState<number>();
  const isByIds = "ids" in selection;
  const more = verb === "reschedule" ? rescheduleBody(form) : verb === "pause" && note !== "" ? { note } : {};
  // The count is for the request that will be sent, because the note and the time decide which tasks change.
  const counting = useDryRun(`/v1/tasks/${verb}`, isByIds || !more ? undefined : { ...selection, ...more });
  const { counted: dryRun } = counting;
  const isCounted = isByIds || dryRun !== undefined;
  const counted = isByIds ? count(selection.ids.length, "task") : more ? countedText(counting, "task") : "to which time?";
  const parts = describeFilter(filter);
  const act = async () => {
    const sum = await carryOut(verb, selection, more ?? {}, setProgress);
    tell(summary(done, sum));
    onDone();
  };
  return (
    <ActionDialog title={`${title}: ${counted}`} verb={verb === "cancel" ? "Cancel the tasks" : title} isDanger={isDanger} isDisabled={!more || !isCounted} onAct={act} onClose={onClose} {...(isByIds && !isDanger ? {} : { confirmWith: verb })}>
      <p>{does}</p>
      {!isByIds && (
        <>
          <p>{parts.length === 0 ? "No filter is set: this changes every task of the namespace." : "This changes the tasks that match all of these filters:"}</p>
          {parts.length > 0 && (
            <ul>
              {parts.map((part) => (
                <li key={part}>{part}</li>
              ))}
            </ul>
          )}
          {dryRun && dryRun.tasks.length > 0 && (
            <p class="muted small">
              {dryRun.tasks.length < dryRun.count ? "The first of them: " : "They are: "}
              {dryRun.tasks.map(({ id }) => named(id)).join(", ")}
            </p>
          )}
        </>
      )}
      <UncountedNote counting={counting} noun="task" />
      {verb === "pause" && <PauseNote value={note} onChange={setNote} />}
      {verb === "reschedule" && <RescheduleFields form={form} onChange={setForm} />}
      {progress !== undefined && <p role="status">{count(progress, "task")} so far…</p>}
    </ActionDialog>
  );
}
