// Why a task cannot be edited now, and what to do instead.

import type { ComponentChildren } from "preact";
import type { Task } from "../../api/types";
import { Empty, LinkButton, PageHead } from "../../components/basics";
import { named } from "../../lib/names";
import { pageWith, taskPath } from "../../state/router";

interface Refused {
  title: string;
  text: string;
}

/** Returns why the API would refuse any change of a task; undefined if it takes changes. */
export function whyNotEditable({ status, kind }: Task): Refused | undefined {
  switch (status) {
    case "dead-lettered":
      return {
        title: "It has failed for good, so it cannot be edited",
        text:
          kind === "once"
            ? "The task fires once, and its dead letter is all that is left of it. To run it again, replay the dead letter: there you can change its target and its payload. To change anything else, create the task again. The form then begins with its definition."
            : "The task has ended, and a dead letter of a run is all that is left of it. To repeat the run, replay the dead letter. To go on with the schedule, create the task again. The form then begins with its definition.",
      };
    case "retrying":
      return {
        title: "It waits for another attempt, so it cannot be edited",
        text: "A further attempt keeps what the first one had. Wait until the run has ended, or reschedule the task on its page: then it waits for its first attempt again, and you can edit it. You can also create it again: the form then begins with its definition.",
      };
    case "held":
      return {
        title: "A run of it is held, so it cannot be edited",
        text: "The run waits for the end of the run before, and keeps what it had when it came due. Wait until it has ended, or create the task again: the form then begins with its definition.",
      };
    default:
      return undefined;
  }
}

export function NotEditable({ task, why: { title, text } }: { task: Task; why: Refused }) {
  const actions: ComponentChildren = (
    <>
      {task.deadLetterId !== undefined && (
        <LinkButton kind="main" to={`/dead-letters/${encodeURIComponent(task.deadLetterId)}`}>
          Open the dead letter
        </LinkButton>
      )}
      <LinkButton to={pageWith("/create", { from: task.id })}>Create it again</LinkButton>
      <LinkButton to={taskPath(task.id)}>Back to the task</LinkButton>
    </>
  );
  return (
    <div class="page">
      <PageHead title={`Edit ${named(task.id)}`} />
      <Empty title={title} action={actions}>
        {text}
      </Empty>
    </div>
  );
}
