// The state of the namespace at a glance.

import { useRef } from "preact/hooks";
import { readSeries, readStats } from "../api/stats";
import type { Series, Stats } from "../api/types";
import { Badge, Button, Empty, ErrorNote, Link, LinkButton, Loading, PageHead, Time } from "../components/basics";
import { healthOf, isUntried, isUnused, type Health, type Note } from "../lib/health";
import { bytes, count, short, whole } from "../lib/numbers";
import { duration } from "../lib/time";
import { namespaces } from "../state/directory";
import { usePoll } from "../state/live";
import { addSample, recently } from "../state/samples";
import { mayWrite, namespace } from "../state/session";
import { Cost } from "./overview/cost";
import { History } from "./overview/history";
import { LoadToCome } from "./overview/load";
import { Shards } from "./overview/shards";

const EVERY_MS = 5_000;

interface Reading {
  /** The last two hours. */
  minutes: Series;
  stats: Stats;
  /** When the statistics were read. */
  at: number;
}

/** Reads the series and then the statistics, so that no chart shows more than the counts beside it. */
async function readBoth(signal: AbortSignal): Promise<Reading> {
  const minutes = await readSeries("minute", signal);
  const stats = await readStats(signal);
  addSample(stats);
  return { minutes, stats, at: Date.now() };
}

export function Overview() {
  /** The namespace that has been asked. */
  const asked = useRef<string>(undefined);
  const load = async (signal: AbortSignal) => {
    // A new shard writes its first rows when it is asked for the first time, and counts them after its answer.
    if (asked.current !== namespace.value) await readStats(signal);
    asked.current = namespace.value;
    return readBoth(signal);
  };
  const { value, error, refresh } = usePoll(load, [namespace.value], { everyMs: EVERY_MS, requests: 2, shards: (all) => 2 * all });
  return (
    <div class="page">
      <PageHead title="Overview">
        <Button onClick={refresh}>Read again</Button>
      </PageHead>
      {error && <ErrorNote error={error} onRetry={refresh} />}
      {value ? <Numbers {...value} isOld={error !== undefined} /> : !error && <Loading />}
    </div>
  );
}

function Numbers({ stats, minutes, at, isOld }: Reading & { isOld: boolean }) {
  const quota = namespaces.value?.find(({ name }) => name === (namespace.value || "default"))?.quota;
  const isNew = isUnused(stats);
  return (
    <>
      <HealthNote health={healthOf(stats, quota, recently(minutes), at)} at={at} isOld={isOld} />
      {isNew && (
        <Empty
          title="Create a first task"
          action={
            mayWrite.value && (
              <>
                <LinkButton to="/create?example=hello" kind="main" icon="create">
                  Open the form with an example that fires in five seconds
                </LinkButton>
                <LinkButton to="/create">Open an empty form</LinkButton>
              </>
            )
          }
        >
          {mayWrite.value ? "" : "Your key lacks the scope “write”, so somebody else must create it. "}Once there are tasks, this page shows which runs come due, which have failed, how late they fired, and what they cost.
        </Empty>
      )}
      <Tiles stats={stats} />
      <div class="halves">
        <LoadToCome />
        <History minutes={minutes} latest={stats.latenessMillis.max} />
      </div>
      {stats.circuits.length > 0 && <Circuits stats={stats} at={at} />}
      <div class="halves">
        <Shards shards={stats.shards} />
        <Cost stats={stats} />
      </div>
    </>
  );
}

function HealthNote({ health, at, isOld }: { health: Health; at: number; isOld: boolean }) {
  return (
    <section class={`note health ${isOld ? "bad" : health.level}`} aria-label="Health">
      {isOld ? (
        <p>
          <span class="health-sentence">The present state is not known.</span> When it was last read: {health.sentence}
        </p>
      ) : (
        <p class="health-sentence">{health.sentence}</p>
      )}
      <Notes notes={health.reasons} />
      <Notes notes={health.notes} isMuted />
      <p class="muted small">
        As of <Time at={at} />
      </p>
    </section>
  );
}

function Notes({ notes, isMuted = false }: { notes: readonly Note[]; isMuted?: boolean }) {
  if (notes.length === 0) return null;
  return (
    <ul class={isMuted ? "muted" : ""}>
      {notes.map(({ text, to }) => (
        <li key={text}>
          {text} {to && <Link to={to}>Show</Link>}
        </li>
      ))}
    </ul>
  );
}

function Tiles({ stats }: { stats: Stats }) {
  const { latenessMillis: late } = stats;
  const tiles: readonly { name: string; value: string; note?: string; to?: string }[] = [
    { name: "Waiting", value: short(stats.pending), note: `${short(stats.schedules)} recurring`, to: "/tasks" },
    { name: "In flight", value: short(stats.inFlight), note: `${short(stats.waitingForLimits)} due runs wait for limits`, to: "/tasks?status=running" },
    { name: "Overdue", value: short(stats.overdue), note: `${short(stats.paused)} paused` },
    { name: "Dead letters", value: short(stats.deadLetters), note: `${short(stats.deadLettered)} since the beginning`, to: "/dead-letters" },
    { name: "Succeeded", value: short(stats.succeeded + stats.handedOver), note: `of ${short(stats.fired)} ${stats.fired === 1 ? "attempt" : "attempts"}`, to: "/runs?outcome=succeeded" },
    { name: "Failed attempts", value: short(stats.failed), note: `${short(stats.expired + stats.skipped)} skipped or expired`, to: "/runs?outcome=failed" },
    { name: "Lateness, median", value: late.count === 0 ? "–" : duration(late.p50), note: late.count === 0 ? "nothing has fired" : `9 of 10 within ${duration(late.p90)}` },
    { name: "Lateness, 99 of 100 within", value: late.count === 0 ? "–" : duration(late.p99), note: late.count === 0 ? "" : `all within ${duration(late.max)}` },
  ];
  return (
    <>
      <dl class="tiles">
        {tiles.map(({ name, value, note, to }) => (
          <div class="tile" key={name}>
            <dt>{to ? <Link to={to}>{name}</Link> : name}</dt>
            <dd class="tile-value">{value}</dd>
            <dd class="muted small">{note}</dd>
          </div>
        ))}
      </dl>
      <p class="muted small">
        What has happened, lateness included, is counted since the shards were created. The waiting tasks take {bytes(stats.memoryBytes)} of memory on {count(stats.shards.length, "shard")}. Time zone data: release {stats.timeZones}.
      </p>
    </>
  );
}

function Circuits({ stats, at }: { stats: Stats; at: number }) {
  return (
    <section class="panel" aria-labelledby="circuits">
      <h2 id="circuits">Targets that do not answer</h2>
      <div class="scrolls" tabIndex={0} role="region" aria-label="Targets that do not answer">
        <table class="table cards">
          <thead>
            <tr>
              <th scope="col">Destination</th>
              <th scope="col">Circuit</th>
              <th scope="col">Since</th>
              <th scope="col">Next try</th>
              <th scope="col" class="number">
                Waiting
              </th>
            </tr>
          </thead>
          <tbody>
            {stats.circuits.map((circuit) => (
              <tr key={circuit.destination}>
                <td data-title="Destination">{circuit.destination}</td>
                <td data-title="Circuit">
                  <Badge value={circuit.state} />
                </td>
                <td data-title="Since">
                  <Time at={circuit.since} />
                </td>
                <td data-title="Next try">
                  {isUntried(circuit, at) ? "with the next run" : <Time at={circuit.until} />}
                </td>
                <td class="number" data-title="Waiting">
                  {whole(circuit.waiting)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
