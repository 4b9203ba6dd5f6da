import { useState } from "preact/hooks";
import { listTasks } from "../../api/tasks";
import { ErrorNote, Link, Segments, Time } from "../../components/basics";
import { Chart } from "../../components/chart";
import { count, whole } from "../../lib/numbers";
import { HERE } from "../../lib/time";
import { ASKS_ALL, usePoll } from "../../state/live";
import { samples } from "../../state/samples";
import { namespace } from "../../state/session";

const HORIZONS = {
  hour: { name: "Hour", lengthMs: 3_600_000, buckets: 60 },
  day: { name: "Day", lengthMs: 86_400_000, buckets: 48 },
  week: { name: "Week", lengthMs: 604_800_000, buckets: 56 },
} as const;
type Horizon = keyof typeof HORIZONS;

/** So many tasks are read at most. */
const READ = 1_000;
const EVERY_MS = 60_000;

/** Counts the tasks that come due in each part of the time ahead. */
async function readLoad(horizon: Horizon, signal: AbortSignal) {
  const { lengthMs, buckets } = HORIZONS[horizon];
  const width = lengthMs / buckets;
  const from = Math.floor(Date.now() / width) * width;
  const { tasks, cursor } = await listTasks({ status: "scheduled", from: String(from), to: String(from + lengthMs) }, { limit: READ }, signal);
  const counts = new Array<number>(buckets).fill(0);
  for (const { due } of tasks) {
    const at = Math.floor(((due ?? 0) - from) / width);
    if (at >= 0 && at < buckets) counts[at] = (counts[at] ?? 0) + 1;
  }
  // What lies behind the last task that was read is not known.
  const lastDue = tasks.at(-1)?.due;
  const known = cursor === null ? buckets : Math.min(buckets, Math.floor(((lastDue ?? from) - from) / width) + 1);
  return { times: counts.map((_, index) => from + index * width), counts: counts.map((value, index) => (index < known ? value : null)), sum: tasks.length, isPart: cursor !== null, lastDue };
}

export function LoadToCome() {
  const [horizon, setHorizon] = useState<Horizon>("day");
  const { value, error } = usePoll((signal) => readLoad(horizon, signal), [horizon, namespace.value], { everyMs: EVERY_MS, ...ASKS_ALL });
  return (
    <section class="panel" aria-labelledby="load">
      <div class="panel-head">
        <h2 id="load">Load to come ({HERE})</h2>
        <Segments label="How far ahead" value={horizon} options={(Object.keys(HORIZONS) as Horizon[]).map((name) => [name, HORIZONS[name].name] as const)} onChange={setHorizon} />
      </div>
      {error && <ErrorNote error={error} />}
      {value && (
        <>
          <Chart key={horizon} label={`Tasks that come due in the next ${horizon}: ${count(value.sum, "task")}`} times={value.times} series={[{ label: "tasks due", color: "--accent", values: value.counts }]} isBars />
          <p class="muted small">
            {value.isPart ? (
              <>
                The first {whole(value.sum)} tasks, up to <Time at={value.lastDue} />; what follows is not counted.{" "}
              </>
            ) : (
              <>{count(value.sum, "task")}. </>
            )}
            A recurring task counts once, with its next run: the <Link to="/agenda">agenda</Link> has the others.
          </p>
        </>
      )}
    </section>
  );
}

/** Returns what has happened between each two readings, per second. */
function rates(name: "succeeded" | "failed"): (number | null)[] {
  const all = samples.value;
  return all.map((sample, index) => {
    const before = all[index - 1];
    return before && sample.at > before.at ? Math.max(0, sample[name] - before[name]) / ((sample.at - before.at) / 1_000) : null;
  });
}

export function Outcomes() {
  const all = samples.value;
  const first = all[0];
  const last = all.at(-1);
  return (
    <section class="panel" aria-labelledby="outcomes">
      <div class="panel-head">
        <h2 id="outcomes">Succeeded and failed, per second</h2>
      </div>
      {first && last && all.length > 1 ? (
        <>
          <Chart
            label={`Since this page was opened, ${whole(last.succeeded - first.succeeded)} runs succeeded and ${whole(last.failed - first.failed)} attempts failed`}
            times={all.map(({ at }) => at)}
            series={[
              { label: "runs succeeded", color: "--good", values: rates("succeeded") },
              { label: "attempts failed", color: "--bad", values: rates("failed") },
            ]}
          />
          <p class="muted small">
            Since <Time at={first.at} />, when this dashboard began to look: {whole(last.succeeded - first.succeeded)} succeeded, {whole(last.failed - first.failed)} failed.
          </p>
        </>
      ) : (
        <p class="muted">The chart begins with the second reading, in a few seconds. What happened before is under Runs.</p>
      )}
    </section>
  );
}
