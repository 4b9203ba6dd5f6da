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

/** The greatest lateness that a series cannot tell from none, in milliseconds: the end of the first of the API's buckets. */
const FINEST_MS = 16;

interface PanelsProps {
  by: By;
  read: Pick<Polled<Series>, "value" | "error" | "refresh">;
  head: ComponentChildren;
  /** The greatest lateness of any run, in milliseconds. */
  latest: number;
}

/** Shows a panel for each chart. `minutes` is the last two hours, which the overview reads anyway. */
export function History({ minutes, latest }: { minutes: Series; latest: number }) {
  const [by, setBy] = useState<By>("minute");
  const head = <Segments label="How far back" value={by} options={(Object.keys(SPANS) as By[]).map((name) => [name, SPANS[name].name] as const)} onChange={setBy} />;
  const read = { value: minutes, error: undefined, refresh: () => {} };
  return by === "minute" ? <Panels by={by} read={read} head={head} latest={latest} /> : <Hours head={head} latest={latest} />;
}

function Hours({ head, latest }: Pick<PanelsProps, "head" | "latest">) {
  const read = usePoll((signal) => readSeries("hour", signal), [namespace.value], { everyMs: EVERY_HOURS_MS, ...ASKS_ALL });
  return <Panels by="hour" read={read} head={head} latest={latest} />;
}

function Panels({ by, read: { value, error, refresh }, head, latest }: PanelsProps) {
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
          <Lateness by={by} series={value} latest={latest} />
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
        {whole(succeeded)} succeeded, {whole(failed)} failed, {count(sumOf(buckets, "created"), "task")} created. The last bar is the present {by}.
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

/** Formats a lateness of a series. */
const late = (millis: number): string => (millis < FINEST_MS ? `under ${FINEST_MS} ms` : duration(millis));

function Lateness({ by, series: { buckets }, latest }: { by: By; series: Series; latest: number }) {
  const fired = sumOf(buckets, "fired");
  if (fired === 0) return <p class="muted">Nothing has fired in {SPANS[by].past}.</p>;
  // A series knows lateness by coarse steps. No run was later than the statistics say.
  const within = (millis: number | undefined): number | null => (millis === undefined ? null : Math.min(millis, latest));
  const worst = mostOf(buckets, (bucket) => within(bucket.latenessMillis?.p99) ?? 0);
  const backlog = mostOf(buckets, (bucket) => bucket.backlog);
  return (
    <>
      <Chart
        label={`How late ${whole(fired)} attempts fired in ${SPANS[by].past}: 99 of 100 ${worst.most < FINEST_MS ? "" : "within "}${late(worst.most)} in the worst ${by}`}
        times={buckets.map(({ at }) => at)}
        series={[
          { label: "median", color: "--accent", values: buckets.map(({ latenessMillis }) => within(latenessMillis?.p50)) },
          { label: "99 of 100", color: "--warn", values: buckets.map(({ latenessMillis }) => within(latenessMillis?.p99)) },
        ]}
        hasGaps
        show={late}
      />
      <p class="muted small">
        {backlog.most === 0 ? (
          <>There was no backlog.</>
        ) : (
          <>
            Up to {count(backlog.most, "run")} at one time {backlog.most === 1 ? "was" : "were"} overdue by more than a second, at about <Time at={backlog.at} />.
          </>
        )}{" "}
        This chart is about {SPANS[by].past}, each {by} by itself, and its times may be up to half too high. The tiles above are more exact, and about all runs since the shards were created.
      </p>
    </>
  );
}

function Operations({ by, series: { buckets } }: { by: By; series: Series }) {
  const [rows, operations] = [sumOf(buckets, "rowsWritten"), sumOf(buckets, "queueOperations")];
  return (
    <>
      <Chart
        label={`In ${SPANS[by].past}, ${count(rows, "row")} ${rows === 1 ? "was" : "were"} written, and ${count(operations, "queue operation")} made`}
        times={buckets.map(({ at }) => at)}
        series={[
          { label: "queue operations", color: "--accent", values: buckets.map((bucket) => bucket.queueOperations) },
          { label: "rows written", color: "--warn", values: buckets.map((bucket) => bucket.rowsWritten) },
        ]}
        isBars
        isStacked
      />
      <p class="muted small">
        {count(rows, "row")} written and {count(operations, "queue operation")} in {SPANS[by].past}. These are most of what the platform bills: see “Cost so far”.
      </p>
    </>
  );
}
