// One dead letter: why its run failed, and what can be done with it.

import { getDeadLetter } from "../../api/dead-letters";
import { ApiError } from "../../api/client";
import { orAbsent, taskRuns } from "../../api/tasks";
import type { RunList, Task } from "../../api/types";
import { ApiText, Copy, Empty, ErrorNote, LinkButton, Loading, PageHead, Time } from "../../components/basics";
import { Target } from "../../components/target";
import { adviceOn, explained } from "../../lib/errors";
import { millisOf } from "../../lib/time";
import { usePoll } from "../../state/live";
import { taskPath } from "../../state/router";
import { RunAttempts } from "../task/attempts";
import { LetterActions } from "./actions";

interface Shown {
  letter: Task;
  /** The newest attempts at the task. */
  runs: RunList | undefined;
}

async function load(id: string, signal: AbortSignal): Promise<Shown> {
  const letter = await getDeadLetter(id, signal);
  return { letter, runs: await orAbsent(taskRuns(letter.id, { limit: 100 }, signal)) };
}

export function DeadLetter({ id }: { id: string }) {
  const { value, error, refresh } = usePoll((signal) => load(id, signal), [id], { everyMs: 0, requests: 2, shards: () => 2 });
  if (error instanceof ApiError && error.is("no-dead-letter")) {
    return (
      <div class="page">
        <PageHead title="Dead letter" />
        <Empty title="This dead letter is gone" action={<LinkButton to="/dead-letters">All dead letters</LinkButton>}>
          Somebody has replayed or discarded it, or newer dead letters of its task have taken its place. The history of the task still shows its attempts.
        </Empty>
      </div>
    );
  }
  if (!value) {
    return (
      <div class="page">
        <PageHead title="Dead letter" />
        {error ? <ErrorNote error={error} onRetry={refresh} /> : <Loading />}
      </div>
    );
  }
  const { letter, runs } = value;
  return (
    <div class="page">
      <PageHead title={letter.id} beside={<Copy text={letter.id} label="Copy id" />} about={`Dead letter${letter.description === undefined ? "" : `: ${letter.description}`}`}>
        <LetterActions id={id} taskId={letter.id} leadsTo={{ replayed: taskPath(letter.id), discarded: "/dead-letters" }} />
        <LinkButton to={taskPath(letter.id)}>The task and its history</LinkButton>
      </PageHead>
      <div class="note bad">
        <p>
          <strong>
            <ApiText>{explained(letter.error ?? "No error is known.")}</ApiText>
          </strong>
        </p>
        {letter.error !== undefined && adviceOn(letter.error) && <p>{adviceOn(letter.error)}</p>}
      </div>
      <div class="halves">
        <div class="stack">
          <section class="panel" aria-labelledby="facts">
            <div class="panel-head">
              <h2 id="facts">What happened</h2>
            </div>
            <dl class="facts">
              <dt>Was due</dt>
              <dd>
                <Time at={millisOf(letter.time)} />
              </dd>
              <dt>Failed</dt>
              <dd>
                <Time at={letter.failedAt} />
              </dd>
              <dt>Attempts</dt>
              <dd>{letter.attempt ?? "none"}</dd>
              <dt>Called</dt>
              <dd>
                <Target of={letter.callback} />
              </dd>
              {letter.stage && (
                <>
                  <dt>Stage</dt>
                  <dd>{letter.stage}, a follow-up of the run</dd>
                </>
              )}
              <dt>Dead letter id</dt>
              <dd class="row">
                <code>{letter.deadLetterId}</code> <Copy text={letter.deadLetterId ?? id} label="Copy" />
              </dd>
            </dl>
          </section>
          <LetterAttempts letter={letter} runs={runs} />
        </div>
        <section class="panel" aria-labelledby="payload">
          <div class="panel-head">
            <h2 id="payload">Payload</h2>
            <Copy text={JSON.stringify(letter.payload ?? null, null, 2)} />
          </div>
          {letter.payload === undefined ? (
            <p class="muted">None.</p>
          ) : (
            <pre class="code-block" tabIndex={0} aria-label="Payload">
              {JSON.stringify(letter.payload, null, 2)}
            </pre>
          )}
        </section>
      </div>
    </div>
  );
}

/** Shows the attempts at the run that failed for good, as far as the history still has them among the newest of the task. */
function LetterAttempts({ letter, runs }: { letter: Task; runs: RunList | undefined }) {
  const of = millisOf(letter.time);
  const attempts = runs?.runs.filter(({ time }) => time === of) ?? [];
  return (
    <section class="panel" aria-labelledby="attempts">
      <div class="panel-head">
        <h2 id="attempts">Attempts, first to last</h2>
      </div>
      {attempts.length > 0 ? (
        <div class="run-groups">
          <div class="run-group">
            <RunAttempts attempts={attempts} time={of} />
          </div>
        </div>
      ) : (
        <p class="muted">{runs?.cursor ? "They are not among the newest attempts at the task. Its page shows the older ones." : "The history does not have them."}</p>
      )}
    </section>
  );
}
