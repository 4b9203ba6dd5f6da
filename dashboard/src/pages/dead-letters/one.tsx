// One dead letter: why it died, and what can be done with it.

import { getDeadLetter } from "../../api/dead-letters";
import { ApiError } from "../../api/client";
import { ApiText, Copy, Empty, ErrorNote, LinkButton, Loading, PageHead, Time } from "../../components/basics";
import { Target } from "../../components/target";
import { adviceOn, explained } from "../../lib/errors";
import { ASKS_ONE, usePoll } from "../../state/live";
import { go, taskPath } from "../../state/router";
import { LetterActions } from "./actions";

export function DeadLetter({ id }: { id: string }) {
  const { value: letter, error, refresh } = usePoll((signal) => getDeadLetter(id, signal), [id], { everyMs: 0, ...ASKS_ONE });
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
  if (!letter) {
    return (
      <div class="page">
        <PageHead title="Dead letter" />
        {error ? <ErrorNote error={error} onRetry={refresh} /> : <Loading />}
      </div>
    );
  }
  return (
    <div class="page">
      <PageHead title={letter.id} beside={<Copy text={letter.id} label="Copy id" />} about={`Dead letter${letter.description === undefined ? "" : `: ${letter.description}`}`}>
        <LetterActions id={id} taskId={letter.id} onReplayed={() => go(taskPath(letter.id))} onDiscarded={() => go("/dead-letters")} />
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
        <section class="panel" aria-labelledby="facts">
          <div class="panel-head">
            <h2 id="facts">What happened</h2>
          </div>
          <dl class="facts">
            <dt>Failed</dt>
            <dd>
              <Time at={letter.failedAt} />
            </dd>
            <dt>Run of</dt>
            <dd>
              <Time at={letter.time} />
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
            <dd>
              <code>{letter.deadLetterId}</code> <Copy text={letter.deadLetterId ?? id} label="Copy" />
            </dd>
          </dl>
        </section>
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
