// What the API says of the tasks of a calendar, in words.

import type { ListedCalendar } from "../api/types";
import { count } from "./numbers";

/** The tasks of a calendar, which are counted when its items change. */
export interface Usage {
  text: string;
  /** Whether tasks are left with former items, for now or for good. */
  isWarning: boolean;
}

/** Describes how many tasks have the items of a calendar. */
export function usageOf({ tasksUpdated, tasksFailed, pending, createdAt, updatedAt }: Pick<ListedCalendar, "tasksUpdated" | "tasksFailed" | "pending" | "createdAt" | "updatedAt">): Usage {
  const failed = tasksFailed === 0 ? "" : `, ${count(tasksFailed, "task")} ${tasksFailed === 1 ? "keeps its" : "keep their"} former ones`;
  if (pending) return { text: `being updated: ${count(tasksUpdated, "task")} so far${failed}`, isWarning: true };
  if (tasksUpdated + tasksFailed === 0) return { text: createdAt === updatedAt ? "not counted yet" : "none when it was changed", isWarning: false };
  return { text: `${count(tasksUpdated, "task")} with these items${failed}`, isWarning: tasksFailed > 0 };
}
