import type { Run } from "../../api/types";
import { Badge, Copy, LinkButton, Time } from "../../components/basics";
import { Dialog } from "../../components/dialog";
import { adviceOn, explained } from "../../lib/errors";
import { named } from "../../lib/names";
import { taskPath } from "../../state/router";

/** Shows the whole error of an attempt, which a row of the list cuts off. */
export function AttemptDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const error = explained(run.error ?? "");
  const advice = run.error === undefined ? undefined : adviceOn(run.error);
  return (
    <Dialog title={`Error of ${run.id === undefined ? "an attempt" : named(run.id)}`} onClose={onClose} isWide>
      <div class="dialog-body">
        <p class="row">
          <Badge value={run.outcome} />
          <span class="muted">
            {run.stage ? `${run.stage}, ` : ""}attempt {run.attempt ?? 1}, reported <Time at={run.reportedAt} />
          </span>
        </p>
        <pre class="code-block" tabIndex={0} aria-label="Error">
          {error}
        </pre>
        {advice && <p class="muted">{advice}</p>}
        {run.excerpt && !run.error?.includes(run.excerpt) && (
          <pre class="code-block" tabIndex={0} aria-label="How the answer begins">
            {run.excerpt}
          </pre>
        )}
        <footer class="actions end">
          <Copy text={error} />
          {run.id !== undefined && <LinkButton to={taskPath(run.id)}>Open the task</LinkButton>}
        </footer>
      </div>
    </Dialog>
  );
}
