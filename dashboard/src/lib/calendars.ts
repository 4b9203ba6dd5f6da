// Calendars in words: how many tasks use them, and how a sentence names them.

import type { ListedCalendar, Task } from "../api/types";
import { count, whole } from "./numbers";

/** The ids of the recurring tasks that name each calendar. */
export interface Users {
  of: ReadonlyMap<string, readonly string[]>;
  /** Whether all recurring tasks of the namespace were read. */
  isWhole: boolean;
}

/** Adds tasks to those that name calendars. An attempt in flight is the same task once more, and a dead letter is none. */
export function withUsers(of: ReadonlyMap<string, readonly string[]>, tasks: readonly Pick<Task, "id" | "status" | "exclude">[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map([...of].map(([name, before]) => [name, new Set(before)]));
  for (const { id, status, exclude } of tasks) {
    if (status === "dead-lettered") continue;
    for (const name of exclude?.calendars ?? []) ids.set(name, (ids.get(name) ?? new Set()).add(id));
  }
  return new Map([...ids].map(([name, all]) => [name, [...all]]));
}

export interface Usage {
  text: string;
  /** Whether tasks are left with former items, for now or for good. */
  isWarning: boolean;
}

function counted(number: number, isWhole: boolean): string {
  if (isWhole) return number === 0 ? "none" : count(number, "task");
  return number === 0 ? "none of the next recurring tasks" : `at least ${count(number, "task")}`;
}

/** Says how many of the counted tasks keep their former items. The text follows the number of all. */
function keeping(failed: number, number: number): string {
  if (failed === 0) return "";
  const keep = failed === 1 ? "keeps its former items" : "keep their former items";
  // A task may have been created or changed since the tasks were counted.
  if (failed > number) return `; ${count(failed, "task")} ${keep}`;
  if (number === 1) return `, which ${keep}`;
  return `, ${failed === number ? "all" : whole(failed)} of which ${keep}`;
}

/** Describes how many tasks name a calendar, and how far they follow its last change. Without `users`, they are not counted yet. */
export function usageOf({ name, tasksUpdated, tasksFailed, pending }: Pick<ListedCalendar, "name" | "tasksUpdated" | "tasksFailed" | "pending">, users: Users | undefined): Usage {
  const number = users?.of.get(name)?.length ?? 0;
  const all = users ? counted(number, users.isWhole) : "counting…";
  const updated = pending ? `; being updated: ${count(tasksUpdated, "task")} so far` : "";
  return { text: `${all}${keeping(tasksFailed, number)}${updated}`, isWarning: pending || tasksFailed > 0 };
}
