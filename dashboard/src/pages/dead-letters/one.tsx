// One dead letter: why it died, and what can be done with it.

import { useState } from "preact/hooks";
import { discardOne, getDeadLetter, replayOne } from "../../api/dead-letters";
import { ApiError } from "../../api/client";
import type { Json, JsonObject, Task } from "../../api/types";
import { Button, Copy, Empty, ErrorNote, Link, LinkButton, Loading, PageHead, Time } from "../../components/basics";
import { ActionDialog } from "../../components/dialog";
import { isObject, patchOf } from "../../lib/definition";
import { targetOf } from "../../lib/target";
import { ASKS_ONE, usePoll } from "../../state/live";
import { go, taskPath } from "../../state/router";
import { mayWrite } from "../../state/session";
import { tell } from "../../state/notices";
import { JsonField } from "../create/target";

export function DeadLetter({ id }: { id: string }) {
  const { value: letter, error, refresh } = usePoll((signal) => getDeadLetter(id, signal), [id], { everyMs: 0, ...ASKS_ONE });
  const [asked, setAsked] = useState<"replay" | "discard">();
  if (error instanceof ApiError && error.is("no-dead-letter")) {
    return (
      <div class="page">
        <PageHead title="Dead letter" />
        <Empty title="It is not there any more" action={<LinkButton to="/dead-letters">All dead letters</LinkButton>}>
          It has been replayed or discarded, or it gave way to newer ones of its task. The history of the task still has it.
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
      <PageHead title={letter.id} about={letter.description ?? "Dead letter"}>
        {mayWrite.value && (
          <>
            <Button kind="main" onClick={() => setAsked("replay")}>
              Replay
            </Button>
            <Button onClick={() => setAsked("discard")}>Discard</Button>
          </>
        )}
        <LinkButton to={taskPath(letter.id)}>The task and its history</LinkButton>
      </PageHead>
      <div class="note bad">
        <p>
          <strong>{letter.error}</strong>
        </p>
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
            <dd>{targetOf(letter.callback)}</dd>
            {letter.stage && (
              <>
                <dt>Stage</dt>
                <dd>{letter.stage}, a follow-up of the run</dd>
              </>
            )}
            <dt>Address</dt>
            <dd>
              <code>{letter.deadLetterId}</code>
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
      {asked === "replay" && <ReplayDialog id={id} letter={letter} onClose={() => setAsked(undefined)} />}
      {asked === "discard" && (
        <ActionDialog
          title={`Discard the dead letter of ${letter.id}`}
          verb="Discard"
          isDanger
          onClose={() => setAsked(undefined)}
          onAct={async () => {
            await discardOne(id);
            tell(`The dead letter of ${letter.id} is discarded.`);
            go("/dead-letters");
          }}
        >
          <p>It is gone then, and cannot be replayed. Its task and its history do not change.</p>
        </ActionDialog>
      )}
    </div>
  );
}

function ReplayDialog({ id, letter, onClose }: { id: string; letter: Task; onClose: () => void }) {
  const before: JsonObject = { callback: letter.callback as unknown as Json, ...(letter.payload === undefined ? {} : { payload: letter.payload as Json }) };
  const [callback, setCallback] = useState<Json | undefined>(before["callback"]);
  const [payload, setPayload] = useState<Json | undefined>(before["payload"]);
  const after: JsonObject = { ...(isObject(callback) ? { callback } : {}), ...(payload === undefined ? {} : { payload }) };
  const changes = patchOf(before, after);
  const act = async () => {
    await replayOne(id, changes);
    tell(`${letter.id} starts over.`);
    go(taskPath(letter.id));
  };
  const changed = Object.keys(changes);
  return (
    <ActionDialog title={`Replay ${letter.id}`} verb={changed.length === 0 ? "Replay as it was" : `Replay with another ${changed.join(" and ")}`} onAct={act} onClose={onClose}>
      <p>It starts over with its first attempt. You may change what is called and with which payload, for this run only.</p>
      <JsonField label="Callback, as JSON" value={callback} onChange={setCallback} rows={5} />
      <JsonField label="Payload, as JSON" value={payload} onChange={setPayload} rows={5} />
      <p class="muted small">
        Headers that show “&lt;hidden&gt;” cannot be sent back: leave the callback as it is then. The <Link to={taskPath(letter.id)}>task</Link> itself does not change.
      </p>
    </ActionDialog>
  );
}
