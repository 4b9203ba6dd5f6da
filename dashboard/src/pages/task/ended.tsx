// What is left of a task that has ended.

import type { Run, Task } from "../../api/types";
import { Time } from "../../components/basics";
import { fullSentence } from "../../lib/sentence";
import { Definition } from "./definition";

const KEPT = "The scheduler keeps the history of a task that has ended, for 30 days at most: when it ran, what it called, and how that went. It does not keep its description, schedule or payload.";

/** Shows the definition that this tab has read before the task ended, or else what the history says. `last` is the newest attempt. */
export function Ended({ last, former }: { last: Run | undefined; former: Task | undefined }) {
  if (former) {
    return (
      <Definition task={former}>
        <p class="note">
          <span>
            This is the definition as this tab last read it. {KEPT} Keep what you still need: this copy is gone when you close or reload the tab.
          </span>
        </p>
        <p>{fullSentence(former)}</p>
      </Definition>
    );
  }
  return (
    <section class="panel" aria-labelledby="kept">
      <div class="panel-head">
        <h2 id="kept">What is kept of it</h2>
      </div>
      <dl class="facts">
        {last?.target !== undefined && (
          <>
            <dt>Called</dt>
            <dd>{last.target}</dd>
          </>
        )}
        {last && (
          <>
            <dt>Last outcome</dt>
            <dd>
              {last.outcome}, <Time at={last.reportedAt} />
            </dd>
          </>
        )}
      </dl>
      <p class="muted">{KEPT} Put what you want to find later into its id or its tags, which the history keeps.</p>
    </section>
  );
}
