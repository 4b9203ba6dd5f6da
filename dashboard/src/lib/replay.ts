// What a replay does, in words.

import type { Task } from "../api/types";
import { named } from "./names";

type Letter = Pick<Task, "id" | "kind" | "stage">;

const isRecurring = ({ kind }: Letter): boolean => kind === "cron" || kind === "every" || kind === "rrule";

/**
 * Describes what a replay of a dead letter changes. `task` is what the API shows under its id: another task, the dead letter itself, or
 * nothing. The dead letter of a task that fires once is the task. Each other dead letter is a run or a follow-up beside its task.
 */
export function replayEffect(letter: Letter, task: Pick<Task, "status"> | undefined): string {
  const forThis = "If you change its target or its payload, the change is for";
  if (letter.stage !== undefined) return `The follow-up ${letter.stage} starts again with its first attempt. ${forThis} this follow-up only. The run that it follows does not start again.`;
  const begins = "The run starts again with its first attempt.";
  if (task && task.status !== "dead-lettered") return `${begins} ${forThis} this run only. The task ${named(letter.id)} does not change.`;
  if (isRecurring(letter)) return `${begins} ${forThis} this run only. The recurring task has ended, and stays so.`;
  return "This task fires once, and its dead letter is all that is left of it. A replay puts the task back, and its first attempt is due at once. If you change its target or its payload, the task keeps the change: for all its attempts, and in its dead letter if it fails again.";
}
