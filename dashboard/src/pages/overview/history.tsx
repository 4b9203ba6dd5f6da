// The last two hours or seven days: outcomes, lateness, and cost.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { readSeries } from "../../api/stats";
import type { Series } from "../../api/types";
import { ErrorNote, Loading, Segments, Time } from "../../components/basics";
import { Chart } from "../../components/chart";
import { count, whole } from "../../lib/numbers";
import { mostOf, sumOf } from "../../lib/series";
import { duration } from "../../lib/time";
import { ASKS_ALL, type Polled, usePoll } from "../../state/live";
import { namespace } from "../../state/session";

type By = "minute" | "hour";

const SPANS = { minute: { name: "Two hours", past: "the last two hours" }, hour: { name: "Seven days", past: "the last seven days" } } as const;

const EVERY_HOURS_MS = 300_000;

/** Shows a panel for each chart. `minutes` is the last two hours, which the overview reads anyway. */
export function History({ minutes }: { minutes: Polled<Series> }) {
  const [by, setBy] = useState<By>("minute");
  const head = <Segments label="How far back" value={by} options={(Object.keys(SPANS) as By[]).map((name) => [name, SPANS[name].name] as const)} onChange={setBy} />;
  return by === "minute" ? <Panels by={by} read={minutes} head={head} /> : <Hours head={head} />;
}

function Hours({ head }: { head: ComponentChildren }) {
  const read = usePoll((signal) => readSeries("hour", signal), [namespace.value], { everyMs: EVERY_HOURS_MS, ...ASKS_ALL });
  return <Panels by="hour" read={read} head={head} />;
}

function Panels({ by, read: { value, error, refresh }, head }: { by: By; read: Polled<Series>; head: ComponentChildren }) {
  return (
    <>
      <section class="panel" aria-labelledby="outcomes">
        <div class="panel-head">
          <h2 id="outcomes">Succeeded and failed, by {by}</h2>
          {head}
        </div>
        {error && <ErrorNote error={error} onRetry={refresh} />}
        {value ? <Outcomes by={by} series={value} /> : !error && <Loading />}
      </section>
      {value && (
        <section class="panel" aria-labelledby="lateness">
          <div class="panel-head">
            <h2 id="lateness">How late runs fire, milliseconds</h2>
          </div>
          <Lateness by={by} series={value} />
        </section>
      )}
      {value && (
        <section class="panel" aria-labelledby="operations">
          <div class="panel-head">
            <h2 id="operations">Rows and queue operations, by {by}</h2>
          </div>
          <Operations by={by} series={value} />
        </section>
      )}
    </>
  );
}

function Outcomes({ by, series: { buckets, since, missingShards } }: { by: By; series: Series }) {
  const succeeded = sumOf(buckets, "succeeded") + sumOf(buckets, "handedOver");
  const failed = sumOf(buckets, "failed");
  return (
    <>
      <Chart
        label={`In ${SPANS[by].past}, ${whole(succeeded)} runs succeeded and ${whole(failed)} attempts failed`}
        times={buckets.map(({ at }) => at)}
        series={[
          { label: "runs succeeded", color: "--good", values: buckets.map((bucket) => bucket.succeeded + bucket.handedOver) },
          { label: "attempts failed", color: "--bad", values: buckets.map((bucket) => bucket.failed) },
        ]}
        isBars
        isStacked
      />
      <p class="muted small">
        {whole(succeeded)} succeeded, {whole(failed)} failed, {count(sumOf(buckets, "created"), "task")} created. The last bar still grows.
        {since !== undefined && (
          <>
            {" "}
            Counted since <Time at={since} />.
          </>
        )}
        {missingShards !== undefined && <> {count(missingShards, "shard")} of an earlier version did not answer.</>}
      </p>
    </>
  );
}

function Lateness({ by, series: { buckets } }: { by: By; series: Series }) {
  const fired = sumOf(buckets, "fired");
  if (fired === 0) return <p class="muted">Nothing has fired in {SPANS[by].past}.</p>;
  const worst = mostOf(buckets, (bucket) => bucket.latenessMillis?.p99 ?? 0);
  const backlog = mostOf(buckets, (bucket) => bucket.backlog);
  return (
    <>
      <Chart
        label={`How late ${whole(fired)} attempts fired in ${SPANS[by].past}: 99 of 100 within ${duration(worst.most)} in the worst ${by}`}
        times={buckets.map(({ at }) => at)}
        series={[
          { label: "median", color: "--accent", values: buckets.map(({ latenessMillis }) => latenessMillis?.p50 ?? null) },
          { label: "99 of 100", color: "--warn", values: buckets.map(({ latenessMillis }) => latenessMillis?.p99 ?? null) },
        ]}
        hasGaps
        show={duration}
      />
      <p class="muted small">
        {backlog.most === 0 ? (
          <>No shard has seen a backlog.</>
        ) : (
          <>
            Up to {count(backlog.most, "run")} at once {backlog.most === 1 ? "was" : "were"} overdue by more than a second, about <Time at={backlog.at} />.
          </>
        )}{" "}
        The times are estimates, at most half too high.
      </p>
    </>
  );
}

function Operations({ by, series: { buckets } }: { by: By; series: Series }) {
  const [rows, operations] = [sumOf(buckets, "rowsWritten"), sumOf(buckets, "queueOperations")];
  return (
    <>
      <Chart
        label={`In ${SPANS[by].past}, ${count(rows, "row")} were written, and ${count(operations, "queue operation")} made`}
        times={buckets.map(({ at }) => at)}
        series={[
          { label: "queue operations", color: "--accent", values: buckets.map((bucket) => bucket.queueOperations) },
          { label: "rows written", color: "--warn", values: buckets.map((bucket) => bucket.rowsWritten) },
        ]}
        isBars
        isStacked
      />
      <p class="muted small">
        {count(rows, "row")} written and {count(operations, "queue operation")}: most of what the platform bills.
      </p>
    </>
  );
}
