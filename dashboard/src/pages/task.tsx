// One task: when it fires next and why, its attempts, and what can be done with it.

import { ApiError } from "../api/client";
import { explainTask, getTask, taskRuns } from "../api/tasks";
import type { Explanation, RunList, Task as TaskBody } from "../api/types";
import { ApiText, Badge, Copy, Empty, ErrorNote, Link, Loading, PageHead, Tag, Time } from "../components/basics";
import { RunTimes, usePreview } from "../components/next-runs";
import { definitionOf } from "../lib/definition";
import { fullSentence } from "../lib/sentence";
import { targetOf } from "../lib/target";
import { relative } from "../lib/time";
import { now, usePoll } from "../state/live";
import { pageWith } from "../state/router";
import { TaskActions } from "./task/actions";
import { Attempts } from "./task/attempts";

interface Shown {
  /** Absent if nothing of the task waits or is in flight. */
  task: TaskBody | undefined;
  etag: string | undefined;
  explanation: Explanation | undefined;
  runs: RunList | undefined;
}

/** Resolves with undefined for a task that does not exist. */
async function orAbsent<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && error.is("no-task")) return undefined;
    throw error;
  }
}

async function load(id: string, signal: AbortSignal): Promise<Shown> {
  const [answer, explanation, runs] = await Promise.all([
    orAbsent(getTask(id, signal)),
    orAbsent(explainTask(id, signal)),
    orAbsent(taskRuns(id, { limit: 50 }, signal)),
  ]);
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

export function Task({ id }: { id: string }) {
  const { value, error, refresh } = usePoll((signal) => load(id, signal), [id], { everyMs: interval, requests: 3, shards: () => 3 });
  if (!value) {
    return (
      <div class="page">
        <PageHead title={id} />
        {error ? <ErrorNote error={error} onRetry={refresh} /> : <Loading />}
      </div>
    );
  }
  const { task, explanation, runs } = value;
  const hasNothing = !task && !explanation && (runs?.runs.length ?? 0) === 0;
  return (
    <div class="page">
      <PageHead title={id} beside={<Copy text={id} label="Copy id" />} about={task?.description}>
        {task && <TaskActions task={task} onChanged={refresh} />}
      </PageHead>
      {error && <ErrorNote error={error} onRetry={refresh} />}
      {hasNothing ? (
        <Empty title="There is no such task" action={<Link to={pageWith("/tasks", { prefix: id })}>Tasks whose id begins so</Link>}>
          None waits or runs under this id, and the history has nothing of it. It may be in another namespace, or older than the history, which is kept for 30 days at most.
        </Empty>
      ) : (
        <>
          <Headline task={task} explanation={explanation} />
          <div class={task ? "split" : "stack"}>
            <div class="stack">
              {explanation && <Why explanation={explanation} />}
              <Attempts id={id} newest={runs} inFlight={explanation?.inFlight ?? []} />
            </div>
            {task && (
              <div class="stack">
                <NextRunsOf task={task} />
                <Definition task={task} />
              </div>
            )}
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
      <span>{task ? fullSentence(task, explanation?.sentence) : "Nothing of it waits or runs any more: this is its history."}</span>
      {isWaiting && (
        <span class="strong">
          {due > now.value ? `Fires ${relative(due, now.value)}` : "Due"}: <Time at={due} />
        </span>
      )}
      {task?.running && task.status !== "running" && <Badge value="running" />}
      {task?.deadLetterId && <Link to={`/dead-letters/${encodeURIComponent(task.deadLetterId)}`}>Open the dead letter</Link>}
    </div>
  );
}

/** The pages about some reasons. */
const PAGE_OF: Readonly<Partial<Record<Explanation["reasons"][number]["code"], { to: string; name: string }>>> = {
  limited: { to: "/limits", name: "Limits" },
  "circuit-open": { to: "/", name: "Overview" },
};

function Why({ explanation }: { explanation: Explanation }) {
  return (
    <section class="panel" aria-labelledby="why">
      <div class="panel-head">
        <h2 id="why">Why</h2>
      </div>
      <ul class="reasons">
        {explanation.reasons.map(({ code, detail }, index) => (
          <li key={index}>
            <code>{code}</code>
            <span>
              <ApiText>{detail}</ApiText> {PAGE_OF[code] && <Link to={PAGE_OF[code].to}>{PAGE_OF[code].name}</Link>}
            </span>
          </li>
        ))}
      </ul>
    </section>
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
      {task.paused && <p class="warn small">It is paused: these do not fire until it is resumed.</p>}
      {error ? <ErrorNote error={error} /> : preview ? <RunTimes preview={preview} /> : <p class="muted">…</p>}
    </section>
  );
}

function Definition({ task }: { task: TaskBody }) {
  const { payload, ...rest } = definitionOf(task);
  const json = JSON.stringify(rest, null, 2);
  return (
    <section class="panel" aria-labelledby="definition">
      <div class="panel-head">
        <h2 id="definition">Definition</h2>
        <Copy text={JSON.stringify(definitionOf(task), null, 2)} />
      </div>
      <dl class="facts">
        <dt>Calls</dt>
        <dd>{targetOf(task.callback)}</dd>
        {task.tags && (
          <>
            <dt>Tags</dt>
            <dd>
              {task.tags.map((tag) => (
                <Tag key={tag} to={pageWith("/tasks", { tag })}>
                  {tag}
                </Tag>
              ))}
            </dd>
          </>
        )}
        {task.words !== undefined && (
          <>
            <dt>In words</dt>
            <dd>“{task.words}”</dd>
          </>
        )}
        {task.createdAt !== undefined && (
          <>
            <dt>Created</dt>
            <dd>
              <Time at={task.createdAt} /> {task.createdBy && <span class="muted">by the key “{task.createdBy}”</span>}
            </dd>
          </>
        )}
        {task.pausedAt !== undefined && (
          <>
            <dt>Paused</dt>
            <dd>
              <Time at={task.pausedAt} /> {task.pausedBy && <span class="muted">by the key “{task.pausedBy}”</span>}
              {task.pauseNote && <p>{task.pauseNote}</p>}
            </dd>
          </>
        )}
        {task.updatedAt !== undefined && (
          <>
            <dt>Changed</dt>
            <dd>
              <Time at={task.updatedAt} />
            </dd>
          </>
        )}
      </dl>
      <h3>Payload</h3>
      {payload === undefined ? (
        <p class="muted">None.</p>
      ) : (
        <pre class="code-block" tabIndex={0} aria-label="Payload">
          {JSON.stringify(payload, null, 2)}
        </pre>
      )}
      <details>
        <summary>Everything as JSON</summary>
        <pre class="code-block" tabIndex={0} aria-label="Definition as JSON">
          {json}
        </pre>
      </details>
    </section>
  );
}
