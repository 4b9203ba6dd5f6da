import type { ComponentChildren } from "preact";
import type { Task } from "../../api/types";
import { Copy, Tag, Time } from "../../components/basics";
import { Target } from "../../components/target";
import { definitionOf } from "../../lib/definition";
import { retryText } from "../../lib/retry";
import { writeTag } from "../../lib/tags";
import { pageWith } from "../../state/router";

/** Shows what a task calls, and the rest of its definition. `children` are said before it. */
export function Definition({ task, children }: { task: Task; children?: ComponentChildren }) {
  const { payload, ...rest } = definitionOf(task);
  const json = JSON.stringify(rest, null, 2);
  return (
    <section class="panel" aria-labelledby="definition">
      <div class="panel-head">
        <h2 id="definition">Definition</h2>
        <Copy text={JSON.stringify(definitionOf(task), null, 2)} />
      </div>
      {children}
      <dl class="facts">
        <dt>Calls</dt>
        <dd>
          <Target of={task.callback} />
        </dd>
        <dt>Retries</dt>
        <dd>
          {task.callback?.type === "queue" ? "By the consumer of the queue: the scheduler hands each run over once." : retryText(task.retry)}
          {!task.retry && task.callback?.type !== "queue" && <span class="muted"> This is the default.</span>}
        </dd>
        {task.tags && (
          <>
            <dt>Tags</dt>
            <dd>
              {task.tags.map((tag) => (
                <Tag key={tag} to={pageWith("/tasks", { tag: writeTag(tag) })}>
                  {tag}
                </Tag>
              ))}
            </dd>
          </>
        )}
        {task.words !== undefined && (
          <>
            <dt>In words</dt>
            <dd>“{task.words}”</dd>
          </>
        )}
        {task.createdAt !== undefined && (
          <>
            <dt>Created</dt>
            <dd>
              <Time at={task.createdAt} /> {task.createdBy && <span class="muted">by the key “{task.createdBy}”</span>}
            </dd>
          </>
        )}
        {task.pausedAt !== undefined && (
          <>
            <dt>Paused</dt>
            <dd>
              <Time at={task.pausedAt} /> {task.pausedBy && <span class="muted">by the key “{task.pausedBy}”</span>}
              {task.pauseNote && <p>{task.pauseNote}</p>}
            </dd>
          </>
        )}
        {task.updatedAt !== undefined && (
          <>
            <dt>Changed</dt>
            <dd>
              <Time at={task.updatedAt} />
            </dd>
          </>
        )}
      </dl>
      <h3>Payload</h3>
      {payload === undefined ? (
        <p class="muted">None.</p>
      ) : (
        <pre class="code-block" tabIndex={0} aria-label="Payload">
          {JSON.stringify(payload, null, 2)}
        </pre>
      )}
      <details>
        <summary>Everything as JSON</summary>
        <pre class="code-block" tabIndex={0} aria-label="Definition as JSON">
          {json}
        </pre>
      </details>
    </section>
  );
}
