// One task: when it fires next and why, its attempts, and what can be done with it.

import { explainTask, getTask, orAbsent, taskRuns } from "../api/tasks";
import type { Explanation, RunList, Task as TaskBody } from "../api/types";
import { Badge, Copy, Empty, ErrorNote, Link, LinkButton, Loading, PageHead, Time } from "../components/basics";
import { RunTimes, usePreview } from "../components/next-runs";
import { definitionOf } from "../lib/definition";
import { reasonOf } from "../lib/reasons";
import { fullSentence } from "../lib/sentence";
import { relative } from "../lib/time";
import { now, usePoll } from "../state/live";
import { pageWith } from "../state/router";
import { remember, remembered } from "../state/seen";
import { mayWrite } from "../state/session";
import { TaskActions } from "./task/actions";
import { Attempts } from "./task/attempts";
import { Definition } from "./task/definition";
import { Ended } from "./task/ended";
import { Why } from "./task/why";

interface Shown {
  /** Absent if nothing of the task waits or is in flight. */
  task: TaskBody | undefined;
  etag: string | undefined;
  explanation: Explanation | undefined;
  runs: RunList | undefined;
}

async function load(id: string, signal: AbortSignal): Promise<Shown> {
  const [answer, explanation, runs] = await Promise.all([
    orAbsent(getTask(id, signal)),
    orAbsent(explainTask(id, signal)),
    orAbsent(taskRuns(id, { limit: 50 }, signal)),
  ]);
  if (answer) remember(answer.body);
  return { task: answer?.body, etag: answer?.etag, explanation, runs };
}

const SOON_MS = 60_000;

/** Returns the time between two reads, which is short while something is about to happen. */
function interval({ task, explanation }: Shown): number {
  const due = explanation?.nextRun?.due ?? task?.due;
  const isClose = due !== undefined && due - Date.now() < SOON_MS;
  if ((explanation?.inFlight.length ?? 0) > 0 || task?.running || task?.status === "running" || isClose) return 1_000;
  return task ? 10_000 : 0;
}

/** Says that the page need not be read again. */
const endingOf = ({ task, explanation }: Shown): string | undefined => (task || !explanation ? undefined : "The task has ended");

export function Task({ id }: { id: string }) {
  const { value, error, refresh } = usePoll((signal) => load(id, signal), [id], { everyMs: interval, requests: 3, shards: () => 3, ending: endingOf });
  if (!value) {
    return (
      <div class="page">
        <PageHead title={id} />
        {error ? <ErrorNote error={error} onRetry={refresh} /> : <Loading />}
      </div>
    );
  }
  const { task, explanation, runs } = value;
  // What this tab has read of a task that has ended since.
  const former = task ? undefined : remembered(id);
  const hasNothing = !task && !former && !explanation && (runs?.runs.length ?? 0) === 0;
  return (
    <div class="page">
      <PageHead title={id} beside={<Copy text={id} label="Copy id" />} about={(task ?? former)?.description}>
        {task && <TaskActions task={task} onChanged={refresh} />}
        {former && mayWrite.value && <LinkButton to={pageWith("/create", { from: id })}>Create it again</LinkButton>}
      </PageHead>
      {error && <ErrorNote error={error} onRetry={refresh} />}
      {hasNothing ? (
        <Empty title="There is no such task" action={<LinkButton to={pageWith("/tasks", { prefix: id })}>Tasks whose id begins like this</LinkButton>}>
          No task waits or runs under this id, and the history does not know it. It may be in another namespace, or it ended before the history begins, which is kept for 30 days at most.
        </Empty>
      ) : (
        <>
          <Headline task={task} explanation={explanation} />
          <div class="split">
            <div class="stack">
              {explanation && <Why id={id} explanation={explanation} onChanged={refresh} />}
              <Attempts id={id} newest={runs} inFlight={explanation?.inFlight ?? []} />
            </div>
            <div class="stack">
              {task ? (
                <>
                  <NextRunsOf task={task} />
                  <Definition task={task} />
                </>
              ) : (
                <Ended last={runs?.runs[0]} former={former} />
              )}
            </div>
          </div>
        </>
      )}
    </div>
  );
}

/** Describes the state of the task in one line. */
function Headline({ task, explanation }: { task: TaskBody | undefined; explanation: Explanation | undefined }) {
  const due = explanation?.nextRun?.due ?? task?.due;
  const isWaiting = task && due !== undefined && task.status !== "paused" && task.status !== "running";
  return (
    <div class="headline" role="status">
      {task ? <Badge value={task.status} /> : <Badge value={explanation?.lastRun?.outcome ?? explanation?.recentRuns[0]?.outcome ?? "done"} />}
      <span>{task ? fullSentence(task, explanation?.sentence) : "It has ended: nothing of it waits or runs any more."}</span>
      {isWaiting && (
        <span class="strong">
          {due > now.value ? `Fires ${relative(due, now.value)}` : "Due"}: <Time at={due} />
        </span>
      )}
      {task?.running && task.status !== "running" && <Badge value="running" />}
      {task?.deadLetterId && !explanation?.reasons.some((reason) => reasonOf(reason).deadLetterId === task.deadLetterId) && <Link to={`/dead-letters/${encodeURIComponent(task.deadLetterId)}`}>Open the dead letter</Link>}
    </div>
  );
}

function NextRunsOf({ task }: { task: TaskBody }) {
  const definition = definitionOf(task);
  const recurs = task.kind !== "once" && task.kind !== "no-schedule";
  const { preview, error } = usePreview(definition, 5, task.due);
  if (!recurs && (task.status !== "scheduled" || (task.due ?? 0) <= now.value)) return null;
  if (task.kind === "no-schedule") return null;
  return (
    <section class="panel" aria-labelledby="next-runs">
      <div class="panel-head">
        <h2 id="next-runs">Next runs</h2>
      </div>
      {task.paused && <p class="warn small">It is paused: these runs do not fire until you resume it.</p>}
      {error ? <ErrorNote error={error} /> : preview ? <RunTimes preview={preview} /> : <p class="muted">…</p>}
    </section>
  );
}
