// Pauses of tasks that are overwritten.

import type { SchedulerClient, VersionedTask } from "../client/client.ts";
import { SchedulerError } from "../client/errors.ts";
import type { ChangeOptions } from "../client/options.ts";
import type { NewTask, Task } from "../generated/openapi.ts";

/**
 * Overwrites a task, and returns it. If the task was paused `before`, it stays paused, with the same note.
 *
 * Throws a `SchedulerError` if the scheduler refuses the task or cannot be reached.
 */
export async function overwrite(client: SchedulerClient, task: NewTask, before: Task | undefined, options: ChangeOptions = {}): Promise<VersionedTask> {
  if (before?.status !== "paused") return client.scheduleTask(task, options);
  const made = await client.scheduleTask({ ...task, paused: true }, options);
  if (before.pauseNote === undefined) return made;
  try {
    // The pause of a new definition has no note.
    return await client.pause(made.id, { note: before.pauseNote, ifMatch: made });
  } catch (error) {
    // Somebody has changed or resumed the task in the meantime.
    if (isOtherVersion(error)) return made;
    throw error;
  }
}

/** Returns whether the scheduler has refused a change because the task has changed. */
export function isOtherVersion(error: unknown): boolean {
  return error instanceof SchedulerError && error.type === "/problems/other-version";
}
