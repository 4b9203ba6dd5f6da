// The runs of a period: recurring tasks as rows with their runs, other tasks by the parts of the hour, day or week.

import { Fragment } from "preact";
import { previewRuns } from "../api/preview";
import { readForecast } from "../api/stats";
import { listTasks } from "../api/tasks";
import type { Forecast, PreviewRun, Task } from "../api/types";
import { Button, Empty, ErrorNote, Link, LinkButton, Loading, PageHead, Segments, Time } from "../components/basics";
import { definitionOf } from "../lib/definition";
import { beginningOf, clockChanges, countedParts, inSlots, moved, stretchOf, type ClockChange, type Span, type Stretch } from "../lib/agenda";
import { count, whole } from "../lib/numbers";
import { fullSentence } from "../lib/sentence";
import { clockAt, fullTime, HERE, isRepeated, timeOf } from "../lib/time";
import { usePoll } from "../state/live";
import { pageWith, query, setQuery, taskPath } from "../state/router";
import { mayWrite, namespace } from "../state/session";

/** The most recurring tasks that are shown. Each needs one preview. */
const MAX_ROWS = 25;
const MAX_RUNS = 100;
/** The most tasks that are read for their names. The forecast counts all of them. */
const MAX_NAMED = 200;
/** The most names in each part. */
const NAMED = 3;

interface Recurring {
  task: Task;
  runs: PreviewRun[];
  hasMore: boolean;
  /** The schedule in words, from the scheduler. */
  said: string | undefined;
}

async function read(stretch: Stretch, signal: AbortSignal) {
  const { from, to } = stretch;
  const start = Math.max(from, Date.now());
  if (start >= to) return undefined;
  const [forecast, once, recurring] = await Promise.all([
    readForecast({ from, to, buckets: countedParts(stretch) }, signal),
    listTasks({ kind: "once", status: "scheduled", from: String(start), to: String(to) }, { limit: MAX_NAMED }, signal),
    listTasks({ kind: "recurring" }, { limit: MAX_ROWS }, signal),
  ]);
  const rows = await Promise.all(
    recurring.tasks.slice(0, MAX_ROWS).map(async (task): Promise<Recurring> => {
      const { runs, more, sentence: said } = await previewRuns(definitionOf(task), { from: start, count: MAX_RUNS }, signal);
      const within = runs.filter(({ due }) => due < to);
      return { task, runs: within, hasMore: more && within.length === runs.length, said };
    }),
  );
  return { forecast, once: once.tasks, rows: rows.sort((one, other) => (one.runs[0]?.due ?? Infinity) - (other.runs[0]?.due ?? Infinity)), hasMoreRows: recurring.cursor !== null };
}

const SPANS: readonly (readonly [Span, string])[] = [
  ["hour", "Hour"],
  ["day", "Day"],
  ["week", "Week"],
];

/** Formats the beginning of a part: a time of day, or a day. Adds the offset to a time that the clock shows twice. */
function slotName(span: Span, slot: number): string {
  const { weekday, date, time, offset } = clockAt(slot);
  if (span === "week") return `${weekday} ${date.slice(5)}`;
  return isRepeated(slot) ? `${time.slice(0, 5)} ${offset}` : time.slice(0, 5);
}

export function Agenda() {
  const given = query.value.get("span");
  const span: Span = given === "hour" || given === "week" ? given : "day";
  const beginning = beginningOf(span, timeOf(query.value.get("at") ?? "") ?? Date.now());
  const stretch = stretchOf(span, beginning.getTime());
  const { value, error, refresh } = usePoll((signal) => read(stretch, signal), [span, stretch.from, namespace.value], { everyMs: 60_000, requests: 3 + MAX_ROWS, shards: (all) => 3 * all });
  // Each period that is shown is an entry in the history of the browser, so “Back” returns to the one before.
  const show = (changes: { at?: string | undefined; span?: string | undefined }) => setQuery(changes, { replace: false });
  const move = (by: number) => show({ at: String(moved(span, beginning, by).getTime()) });
  const isPast = stretch.to <= Date.now();
  const changes = clockChanges(stretch.from, stretch.to, HERE);
  return (
    <div class="page">
      <PageHead title="Agenda" about={`${fullTime(stretch.from)} to ${fullTime(stretch.to)} (${HERE})`}>
        <Button onClick={() => move(-1)}>Earlier</Button>
        <Button onClick={() => show({ at: undefined })}>Now</Button>
        <Button onClick={() => move(1)}>Later</Button>
        <Segments label="Length" value={span} options={SPANS} onChange={(to) => show({ span: to === "day" ? undefined : to })} />
      </PageHead>
      {changes.map((change) => (
        <p key={change.at} class="note warn">
          <span>
            The clock of {HERE} changes from {change.before} to {change.after} at {fullTime(change.at)}.
          </span>
        </p>
      ))}
      {error && <ErrorNote error={error} onRetry={refresh} />}
      {isPast ? (
        <Empty title="This time is past" action={<LinkButton to={pageWith("/runs", { from: new Date(stretch.from).toISOString(), to: new Date(stretch.to).toISOString() })}>Runs of that time</LinkButton>}>
          The agenda shows only runs to come. The attempts of that time are under Runs.
        </Empty>
      ) : !value ? (
        !error && <Loading />
      ) : value.rows.length === 0 && value.forecast.buckets.every(({ oneShot }) => oneShot === 0) ? (
        <Empty title="Nothing comes due" action={mayWrite.value && <LinkButton to="/create">Create a task</LinkButton>}>
          No run comes due in this time. Tasks that fire once appear here by their time, and each recurring task as a row with its runs. Clock changes are marked.
        </Empty>
      ) : (
        <>
          <Rows rows={value.rows} span={span} stretch={stretch} changes={changes} hasMore={value.hasMoreRows} />
          <Once tasks={value.once} span={span} stretch={stretch} forecast={value.forecast} />
        </>
      )}
    </div>
  );
}

interface TrackProps {
  runs: readonly PreviewRun[];
  stretch: Stretch;
  changes: readonly ClockChange[];
  hasMore: boolean;
}

/** Shows the runs of a row at their times. If there are more runs than were read, fills the rest of the period. */
function Track({ runs, stretch, changes, hasMore }: TrackProps) {
  const placeOf = (at: number) => ({ left: `${((at - stretch.from) / (stretch.to - stretch.from)) * 100}%` });
  const last = runs.at(-1)?.due;
  return (
    <div class="lane" aria-hidden="true">
      {stretch.slots.map((slot) => (
        <i key={slot} class="tick" style={placeOf(slot)} />
      ))}
      {changes.map(({ at }) => (
        <i key={at} class="tick changed" style={placeOf(at)} />
      ))}
      {hasMore && last !== undefined && <i class="rest" style={placeOf(last)} />}
      {runs.map((run) => (
        <i key={run.time} class={run.clockChange ? "mark changed" : "mark"} title={`${fullTime(run.due)} ${run.explanation ?? ""}`} style={placeOf(run.due)} />
      ))}
    </div>
  );
}

function Rows({ rows, span, stretch, changes, hasMore }: { rows: readonly Recurring[]; span: Span; stretch: Stretch; changes: readonly ClockChange[]; hasMore: boolean }) {
  if (rows.length === 0) return null;
  const every = span === "hour" ? 3 : span === "day" ? 4 : 1;
  return (
    <section class="panel" aria-labelledby="recurring">
      <h2 id="recurring">Recurring tasks</h2>
      <div class="agenda-row muted small" aria-hidden="true">
        <span />
        <div class="lane-names">
          {stretch.slots
            .filter((_, index) => index % every === 0)
            .map((slot) => (
              <span key={slot}>
                {span === "week" ? clockAt(slot).weekday : slotName(span, slot)}
                {span === "week" && <span class="date"> {clockAt(slot).date.slice(5)}</span>}
              </span>
            ))}
        </div>
        <span />
      </div>
      <ul class="agenda-rows">
        {rows.map(({ task, runs, hasMore: more, said }) => (
          <li key={task.id}>
            <div class="agenda-row">
              <div class="clip">
                <Link to={taskPath(task.id)}>{task.id}</Link> {task.paused && <span class="warn small">paused</span>}
                <div class="muted small clip" title={fullSentence(task, said)}>
                  {fullSentence(task, said)}
                </div>
              </div>
              <Track runs={task.paused ? [] : runs} stretch={stretch} changes={changes} hasMore={more && !task.paused} />
              <div class="muted small number">
                <div>{task.paused ? "–" : `${more ? "over " : ""}${count(runs.length, "run")}`}</div>
                {!task.paused && runs[0] && <div>from {firstOf(span, runs[0].due)}</div>}
              </div>
            </div>
            {runs
              .filter(({ clockChange }) => clockChange)
              .map((run) => (
                <p key={run.time} class="warn small">
                  <Time at={run.due} /> {run.explanation}
                </p>
              ))}
          </li>
        ))}
      </ul>
      {hasMore && (
        <p class="muted small">
          These are the {MAX_ROWS} recurring tasks that fire next. <Link to="/tasks?kind=recurring">List all</Link>
        </p>
      )}
    </section>
  );
}

/** Formats the time of the first run of a row. The page names the period. */
const firstOf = (span: Span, at: number): string => (span === "week" ? `${clockAt(at).weekday} ${slotName("day", at)}` : slotName("day", at));

function Once({ tasks, span, stretch, forecast }: { tasks: readonly Task[]; span: Span; stretch: Stretch; forecast: Forecast }) {
  const counts = inSlots(stretch, forecast.buckets);
  const parts = stretch.slots
    .map((slot, index) => {
      const end = stretch.slots[index + 1] ?? stretch.to;
      return { slot, end, number: counts[index] ?? 0, named: tasks.filter(({ due }) => due !== undefined && due >= slot && due < end).slice(0, NAMED) };
    })
    .filter(({ number }) => number > 0);
  const most = Math.max(1, ...counts);
  return (
    <section class="panel" aria-labelledby="once">
      <h2 id="once">Tasks that fire once, and retries</h2>
      {parts.length === 0 ? (
        <p class="muted">None in this time.</p>
      ) : (
        <ul class="agenda-rows">
          {parts.map(({ slot, end, number, named }) => (
            <li key={slot} class="agenda-row once">
              <span>{slotName(span, slot)}</span>
              <div class="count-bar" aria-hidden="true">
                <i style={{ width: `${(number / most) * 100}%` }} />
              </div>
              <span class="number">{whole(number)}</span>
              <span class="clip muted">
                {named.map((task, index) => (
                  <Fragment key={task.id}>
                    {index > 0 && ", "}
                    <Link to={taskPath(task.id)}>{task.id}</Link>
                  </Fragment>
                ))}
                {number > named.length && (
                  <>
                    {named.length > 0 && " "}
                    <Link to={pageWith("/tasks", { from: new Date(slot).toISOString(), to: new Date(end).toISOString() })}>{named.length === 0 ? "list them" : `and ${whole(number - named.length)} more`}</Link>
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {forecast.missingShards !== undefined && (
        <p class="muted small">{count(forecast.missingShards, "shard")} of an earlier version did not answer: there may be more.</p>
      )}
    </section>
  );
}
