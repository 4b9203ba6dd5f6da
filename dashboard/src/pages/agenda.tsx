// The runs of a period: recurring tasks as rows with their runs, other tasks by the parts of the hour, day or week.

import { previewRuns } from "../api/preview";
import { listTasks } from "../api/tasks";
import type { PreviewRun, Task } from "../api/types";
import { Button, Empty, ErrorNote, Link, Loading, PageHead, Segments, Time } from "../components/basics";
import { definitionOf } from "../lib/definition";
import { beginningOf, moved, stretchOf, type Span, type Stretch } from "../lib/agenda";
import { count, whole } from "../lib/numbers";
import { sentence } from "../lib/sentence";
import { clockAt, fullTime, HERE } from "../lib/time";
import { usePoll } from "../state/live";
import { pageWith, query, setQuery, taskPath } from "../state/router";
import { namespace } from "../state/session";

/** The most recurring tasks that are shown. Each needs one preview. */
const MOST_ROWS = 25;
const MOST_RUNS = 100;
const MOST_ONCE = 1_000;

interface Recurring {
  task: Task;
  runs: PreviewRun[];
  hasMore: boolean;
}

async function read({ from, to }: Stretch, signal: AbortSignal) {
  const start = Math.max(from, Date.now());
  const [once, recurring] = await Promise.all([
    start < to ? listTasks({ kind: "once", status: "scheduled", from: String(start), to: String(to) }, { limit: MOST_ONCE }, signal) : { tasks: [], cursor: null },
    listTasks({ kind: "recurring" }, { limit: MOST_ROWS }, signal),
  ]);
  const rows = await Promise.all(
    recurring.tasks.slice(0, MOST_ROWS).map(async (task): Promise<Recurring> => {
      const { runs, more } = await previewRuns(definitionOf(task), { from: start, count: MOST_RUNS }, signal);
      const within = runs.filter(({ due }) => due < to);
      return { task, runs: within, hasMore: more && within.length === runs.length };
    }),
  );
  return { once: once.tasks, isPart: once.cursor !== null, rows: rows.sort((one, other) => (one.runs[0]?.due ?? Infinity) - (other.runs[0]?.due ?? Infinity)), hasMoreRows: recurring.cursor !== null };
}

const SPANS: readonly (readonly [Span, string])[] = [
  ["hour", "Hour"],
  ["day", "Day"],
  ["week", "Week"],
];

/** Formats the beginning of a part: a time of day, or a day. */
function slotName(span: Span, slot: number): string {
  const { weekday, date, time } = clockAt(slot);
  return span === "week" ? `${weekday} ${date.slice(5)}` : time.slice(0, 5);
}

export function Agenda() {
  const given = query.value.get("span");
  const span: Span = given === "hour" || given === "week" ? given : "day";
  const at = Number(query.value.get("at") ?? Number.NaN);
  const beginning = beginningOf(span, Number.isNaN(at) ? Date.now() : at);
  const stretch = stretchOf(span, beginning.getTime());
  const { value, error, refresh } = usePoll((signal) => read(stretch, signal), [span, stretch.from, namespace.value], { everyMs: 60_000, requests: 2 + MOST_ROWS, shards: (all) => 2 * all });
  const move = (by: number) => setQuery({ at: String(moved(span, beginning, by).getTime()) });
  const isPast = stretch.to <= Date.now();
  return (
    <div class="page">
      <PageHead title="Agenda" about={`${fullTime(stretch.from)} to ${fullTime(stretch.to)} (${HERE})`}>
        <Button onClick={() => move(-1)}>Earlier</Button>
        <Button onClick={() => setQuery({ at: undefined })}>Now</Button>
        <Button onClick={() => move(1)}>Later</Button>
        <Segments label="Length" value={span} options={SPANS} onChange={(to) => setQuery({ span: to === "day" ? undefined : to })} />
      </PageHead>
      {error && <ErrorNote error={error} onRetry={refresh} />}
      {isPast ? (
        <Empty title="This time is past" action={<Link to={pageWith("/runs", { from: new Date(stretch.from).toISOString(), to: new Date(stretch.to).toISOString() })}>Runs of that time</Link>}>
          The agenda shows what is to come.
        </Empty>
      ) : !value ? (
        !error && <Loading />
      ) : value.once.length === 0 && value.rows.length === 0 ? (
        <Empty title="Nothing comes due">Tasks that fire once appear here by their time, and recurring ones each as a row with its runs. Clock changes are marked.</Empty>
      ) : (
        <>
          <Rows rows={value.rows} span={span} stretch={stretch} hasMore={value.hasMoreRows} />
          <Once tasks={value.once} span={span} stretch={stretch} isPart={value.isPart} />
        </>
      )}
    </div>
  );
}

/** Shows the runs of a row at their times. If there are more runs than were read, fills the rest of the period. */
function Track({ runs, span, stretch, hasMore }: { runs: readonly PreviewRun[]; span: Span; stretch: Stretch; hasMore: boolean }) {
  const length = stretch.to - stretch.from;
  const last = runs.at(-1)?.due;
  return (
    <div class="lane" aria-hidden="true">
      {stretch.slots.map((slot) => (
        <i key={slot} class="tick" style={{ left: `${((slot - stretch.from) / length) * 100}%` }} />
      ))}
      {hasMore && last !== undefined && <i class="rest" style={{ left: `${((last - stretch.from) / length) * 100}%` }} />}
      {runs.map((run) => (
        <i
          key={run.time}
          class={run.clockChange ? "mark changed" : "mark"}
          title={`${slotName(span, run.due)} ${run.explanation ?? ""}`}
          style={{ left: `${((run.due - stretch.from) / length) * 100}%` }}
        />
      ))}
    </div>
  );
}

function Rows({ rows, span, stretch, hasMore }: { rows: readonly Recurring[]; span: Span; stretch: Stretch; hasMore: boolean }) {
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
        {rows.map(({ task, runs, hasMore: more }) => (
          <li key={task.id}>
            <div class="agenda-row">
              <div class="clip">
                <Link to={taskPath(task.id)}>{task.id}</Link> {task.paused && <span class="warn small">paused</span>}
                <div class="muted small clip">{sentence(task)}</div>
              </div>
              <Track runs={task.paused ? [] : runs} span={span} stretch={stretch} hasMore={more && !task.paused} />
              <span class="muted small number">{task.paused ? "–" : `${more ? "over " : ""}${count(runs.length, "run")}`}</span>
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
          The next {MOST_ROWS} recurring tasks by due time. <Link to="/tasks?kind=recurring">All of them</Link>
        </p>
      )}
    </section>
  );
}

function Once({ tasks, span, stretch, isPart }: { tasks: readonly Task[]; span: Span; stretch: Stretch; isPart: boolean }) {
  const parts = stretch.slots
    .map((slot, index) => {
      const end = stretch.slots[index + 1] ?? stretch.to;
      return { slot, end, tasks: tasks.filter(({ due }) => due !== undefined && due >= slot && due < end) };
    })
    .filter((part) => part.tasks.length > 0);
  const most = Math.max(1, ...parts.map((part) => part.tasks.length));
  return (
    <section class="panel" aria-labelledby="once">
      <h2 id="once">Tasks that fire once</h2>
      {parts.length === 0 ? (
        <p class="muted">None in this time.</p>
      ) : (
        <ul class="agenda-rows">
          {parts.map(({ slot, end, tasks: due }) => (
            <li key={slot} class="agenda-row once">
              <span>{slotName(span, slot)}</span>
              <div class="count-bar" aria-hidden="true">
                <i style={{ width: `${(due.length / most) * 100}%` }} />
              </div>
              <span class="number">{whole(due.length)}</span>
              <span class="clip muted">
                {due.slice(0, 3).map((task) => (
                  <Link key={task.id} to={taskPath(task.id)}>
                    {task.id}{" "}
                  </Link>
                ))}
                {due.length > 3 && <Link to={pageWith("/tasks", { kind: "once", status: "scheduled", from: new Date(slot).toISOString(), to: new Date(end).toISOString() })}>and {whole(due.length - 3)} more</Link>}
              </span>
            </li>
          ))}
        </ul>
      )}
      {isPart && <p class="muted small">The first {whole(tasks.length)}; those behind them are not counted.</p>}
    </section>
  );
}
