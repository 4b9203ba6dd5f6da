// The forecast of the API: the runs that come due in the next hour, day or week.

import { useState } from "preact/hooks";
import { readForecast } from "../../api/stats";
import type { Forecast } from "../../api/types";
import { ErrorNote, Link, Loading, Segments, Time } from "../../components/basics";
import { Chart } from "../../components/chart";
import { count, whole } from "../../lib/numbers";
import { sumOf } from "../../lib/series";
import { ASKS_ALL, usePoll } from "../../state/live";
import { namespace } from "../../state/session";

const HORIZONS = {
  hour: { name: "Hour", lengthMs: 3_600_000, buckets: 60 },
  day: { name: "Day", lengthMs: 86_400_000, buckets: 48 },
  week: { name: "Week", lengthMs: 604_800_000, buckets: 56 },
} as const;
type Horizon = keyof typeof HORIZONS;

const EVERY_MS = 60_000;

/** Reads the number of runs that come due in each part of the coming period, which begins now: parts that begin at a full half hour would leave out its end. */
async function readLoad(horizon: Horizon, signal: AbortSignal): Promise<Forecast> {
  const { lengthMs, buckets } = HORIZONS[horizon];
  const from = Date.now();
  return readForecast({ from, to: from + lengthMs, buckets }, signal);
}

export function LoadToCome() {
  const [horizon, setHorizon] = useState<Horizon>("day");
  const { value, error } = usePoll((signal) => readLoad(horizon, signal), [horizon, namespace.value], { everyMs: EVERY_MS, ...ASKS_ALL });
  return (
    <section class="panel" aria-labelledby="load">
      <div class="panel-head">
        <h2 id="load">Load to come</h2>
        <Segments label="How far ahead" value={horizon} options={(Object.keys(HORIZONS) as Horizon[]).map((name) => [name, HORIZONS[name].name] as const)} onChange={setHorizon} />
      </div>
      {error && <ErrorNote error={error} />}
      {!value && !error && <Loading />}
      {value && <Load key={horizon} horizon={horizon} forecast={value} />}
    </section>
  );
}

function Load({ horizon, forecast }: { horizon: Horizon; forecast: Forecast }) {
  const { buckets, countedUntil, to, missingShards } = forecast;
  const [once, recurring] = [sumOf(buckets, "oneShot"), sumOf(buckets, "recurring")];
  const least = countedUntil < to ? "at least " : "";
  return (
    <>
      <Chart
        label={`Runs that come due in the next ${horizon}: ${least}${whole(once + recurring)}`}
        times={buckets.map(({ at }) => at)}
        series={[
          { label: "runs of recurring tasks", color: "--accent", values: buckets.map((bucket) => bucket.recurring) },
          { label: "tasks that fire once", color: "--good", values: buckets.map((bucket) => bucket.oneShot) },
        ]}
        isBars
        isStacked
      />
      <p class="muted small">
        In the next {horizon}: {count(once, "task")} that {once === 1 ? "fires" : "fire"} once, and {least}
        {count(recurring, "run")} of recurring tasks: see the <Link to="/agenda">agenda</Link>.
        {missingShards !== undefined ? (
          <> {count(missingShards, "shard")} of an earlier version did not answer, and {missingShards === 1 ? "is" : "are"} not counted.</>
        ) : (
          countedUntil < to && (
            <>
              {" "}
              Recurring tasks are counted up to <Time at={countedUntil} /> only.
            </>
          )
        )}
      </p>
    </>
  );
}
