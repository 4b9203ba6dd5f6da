// The attempts at the runs of a task, as a timeline for each run.

import { useState } from "preact/hooks";
import { taskRuns } from "../../api/tasks";
import type { Flight, Run, RunList } from "../../api/types";
import { ApiText, Badge, Button, ErrorNote, Time } from "../../components/basics";
import { endOf, partsOf, startOf } from "../../lib/attempts";
import { adviceOn, explained } from "../../lib/errors";
import { duration } from "../../lib/time";
import { now } from "../../state/live";

interface Group {
  key: string;
  time: number | undefined;
  attempts: Run[];
}

/** Groups attempts by their runs, the newest run first. */
export function byRun(runs: readonly Run[]): Group[] {
  const groups = new Map<string, Group>();
  for (const run of runs) {
    const key = run.time === undefined ? `at ${run.reportedAt}` : String(run.time);
    const group = groups.get(key) ?? { key, time: run.time, attempts: [] };
    group.attempts.push(run);
    groups.set(key, group);
  }
  return [...groups.values()];
}

interface AttemptProps {
  run: Run;
  /** The time that the track shows. */
  from: number;
  to: number;
  beside: number | undefined;
  /** Whether it is the last attempt of its run, which says what to check. */
  isLast: boolean;
}

function Attempt({ run, from, to, beside, isLast }: AttemptProps) {
  const advice = run.error === undefined ? undefined : adviceOn(run.error);
  const span = Math.max(to - from, 1);
  const left = ((startOf(run) - from) / span) * 100;
  const width = Math.max(((endOf(run) - startOf(run)) / span) * 100, 0.5);
  const isGood = run.outcome === "succeeded" || run.outcome === "handed-over";
  return (
    <li class="attempt">
      <div class="attempt-line">
        <span class="attempt-name">
          {run.stage ? `${run.stage} ` : ""}
          {run.attempt === undefined ? "" : `attempt ${run.attempt}`}
        </span>
        <Badge value={run.outcome} />
        <span class="muted">{run.status === undefined ? "" : `HTTP ${run.status}`}</span>
        <span class="track" aria-hidden="true">
          <span class={isGood ? "bar good" : "bar bad"} style={{ left: `${Math.min(left, 99.5)}%`, width: `${Math.min(width, 100 - Math.min(left, 99.5))}%` }} />
        </span>
        <span class="muted number">{run.startedAt !== undefined && run.finishedAt !== undefined ? duration(run.finishedAt - run.startedAt) : ""}</span>
        <Time at={startOf(run)} beside={beside} />
      </div>
      {run.by && <p class="muted small">by the key “{run.by}”</p>}
      {run.error && (
        <p class="attempt-error">
          <ApiText>{explained(run.error)}</ApiText>
        </p>
      )}
      {isLast && advice && <p class="attempt-advice muted">{advice}</p>}
      {run.excerpt && !run.error?.includes(run.excerpt) && (
        <pre class="code-block" tabIndex={0} aria-label="How the answer begins">
          {run.excerpt}
        </pre>
      )}
    </li>
  );
}

/** Shows the attempts at a run, from the first to the last. After a replay, a line divides them, because their numbers begin at 1 again. */
export function RunAttempts({ attempts: all, time }: { attempts: readonly Run[]; time: number | undefined }) {
  const parts = partsOf(all);
  return (
    <>
      <h3>
        {time === undefined ? "Cancelled" : "Run of "} {time !== undefined && <Time at={time} />}
        {parts.length === 1 && <Length attempts={parts[0] ?? []} />}
      </h3>
      {parts.map((attempts, part) => (
        <Part key={part} attempts={attempts} time={time} replay={part} isOnly={parts.length === 1} isLast={part === parts.length - 1} />
      ))}
    </>
  );
}

/** Shows how long several attempts took together. */
function Length({ attempts }: { attempts: readonly Run[] }) {
  if (attempts.length < 2) return null;
  return <span class="muted"> · {duration(Math.max(...attempts.map(endOf)) - Math.min(...attempts.map(startOf)))} in all</span>;
}

interface PartProps {
  attempts: readonly Run[];
  /** The time of the run. */
  time: number | undefined;
  /** The number of the replay with which it begins; 0 for the part before the first. */
  replay: number;
  isOnly: boolean;
  isLast: boolean;
}

function Part({ attempts, time, replay, isOnly, isLast }: PartProps) {
  const from = Math.min(...attempts.map(startOf));
  const to = Math.max(...attempts.map(endOf));
  return (
    <>
      {!isOnly && (
        <h4 class={replay > 0 ? "replayed" : "muted"}>
          {replay === 0 ? "Before the replay" : replay === 1 ? "Replayed" : "Replayed again"}
          {replay > 0 && attempts[0]?.stage && ` (${attempts[0].stage})`}
          <Length attempts={attempts} />
        </h4>
      )}
      <ol>
        {attempts.map((run, index) => (
          <Attempt key={index} run={run} from={from} to={to} beside={time} isLast={isLast && index === attempts.length - 1} />
        ))}
      </ol>
    </>
  );
}

export function Attempts({ id, newest, inFlight }: { id: string; newest: RunList | undefined; inFlight: readonly Flight[] }) {
  const [older, setOlder] = useState<{ runs: Run[]; cursor: string | null }>();
  const [error, setError] = useState<unknown>();
  const cursor = older ? older.cursor : (newest?.cursor ?? null);
  const more = async () => {
    setError(undefined);
    try {
      const page = await taskRuns(id, { limit: 50, cursor: cursor ?? undefined });
      setOlder({ runs: [...(older?.runs ?? []), ...page.runs], cursor: page.cursor });
    } catch (problem) {
      setError(problem);
    }
  };
  const groups = byRun([...(newest?.runs ?? []), ...(older?.runs ?? [])]);
  return (
    <section class="panel" aria-labelledby="attempts">
      <div class="panel-head">
        <h2 id="attempts">Attempts</h2>
        {groups.length > 1 && <span class="muted small">The newest run first. Its attempts: first to last.</span>}
      </div>
      {inFlight.map((flight) => (
        <p key={`${flight.time} ${flight.attempt}`} class="row">
          <Badge value="running" /> attempt {flight.attempt}, dispatched {duration(Math.max(now.value - flight.firedAt, 0))} ago
          {flight.decided && <span class="warn">{flight.decided}: no other attempt follows</span>}
        </p>
      ))}
      {groups.length === 0 && inFlight.length === 0 ? (
        <p class="muted">None yet. When it has fired, each attempt appears here with its outcome, its duration and the beginning of the answer.</p>
      ) : (
        <ol class="run-groups">
          {groups.map((group) => (
            <li key={group.key} class="run-group">
              <RunAttempts attempts={group.attempts} time={group.time} />
            </li>
          ))}
        </ol>
      )}
      <ErrorNote error={error} />
      {cursor !== null && <Button onClick={more}>Older attempts</Button>}
    </section>
  );
}
