// The definitions of tasks that this tab has read. The scheduler does not keep the definition of a task that has ended, but somebody who has just
// watched it fire wants to see what it was. They are in memory only.

import { effect } from "@preact/signals";
import type { Task } from "../api/types";
import { key, namespace } from "./session";

const MAX_TASKS = 50;
const seen = new Map<string, Task>();

// Another key may not see what this one has read.
effect(() => {
  void key.value;
  void namespace.value;
  seen.clear();
});

/** Keeps a task as it was read. Beyond the bound, drops the task that was read longest ago. */
export function remember(task: Task): void {
  seen.delete(task.id);
  seen.set(task.id, task);
  const [oldest] = seen.keys();
  if (seen.size > MAX_TASKS && oldest !== undefined) seen.delete(oldest);
}

/** Returns a task as it was last read; undefined if this tab has not read it. */
export const remembered = (id: string): Task | undefined => seen.get(id);
