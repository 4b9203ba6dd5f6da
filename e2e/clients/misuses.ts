// Uses that must not compile with a generated client. A line that compiles is an error of its
// comment.

import type { Callback, NewTask, PreviewRequest, Reschedule, Selection, Task, TaskPatch } from "client";

const callback = { type: "webhook", url: "https://example.com/hook" } as const;

// @ts-expect-error: no schedule.
export const none: NewTask = { callback };
// @ts-expect-error: two schedules.
export const two: NewTask = { time: 1_924_362_000_000, cron: "0 9 * * *", callback };
// @ts-expect-error: two schedules.
export const three: NewTask = { delayInSeconds: 60, everySeconds: 60, callback };
// @ts-expect-error: a rule without a start.
export const rule: NewTask = { rrule: "FREQ=DAILY", callback };
// @ts-expect-error: an anchor without an interval.
export const anchor: NewTask = { cron: "0 9 * * *", anchor: 1_924_362_000_000, callback };
// @ts-expect-error: an overlap policy without a recurring schedule.
export const overlap: NewTask = { delayInSeconds: 60, overlap: "skip", callback };
// @ts-expect-error: a schedule and the type that excludes it.
export const unscheduled: NewTask = { type: "no-schedule", time: 1_924_362_000_000, callback };
// @ts-expect-error: a type of another kind.
export const type: NewTask = { type: "cron", everySeconds: 60, callback };
// @ts-expect-error: a text for a number.
export const text: NewTask = { delayInSeconds: "60", callback };
// @ts-expect-error: no such member.
export const unknown: NewTask = { delayInSeconds: 60, callback, retries: 3 };
// @ts-expect-error: no such value.
export const value: NewTask = { cron: "0 9 * * *", callback, overlap: "queue" };

// @ts-expect-error: no URL.
export const url: Callback = { type: "webhook" };
// @ts-expect-error: neither a path nor a function.
export const call: Callback = { type: "service", binding: "MAIL" };
// @ts-expect-error: a path and a function.
export const both: Callback = { type: "service", binding: "MAIL", path: "/send", function: "send" };
// @ts-expect-error: no such type.
export const kind: Callback = { type: "email" };

// @ts-expect-error: two schedules.
export const preview: PreviewRequest = { cron: "0 9 * * *", delayInSeconds: 60 };
// @ts-expect-error: no such member.
export const patch: TaskPatch = { crontab: "0 9 * * *" };
// @ts-expect-error: a time and a delay.
export const time: Reschedule = { time: 1_924_362_000_000, delayInSeconds: 60 };
// @ts-expect-error: ids and a filter.
export const selection: Selection = { ids: ["a"], filter: { tag: "orders" } };
// @ts-expect-error: neither ids nor a filter.
export const nothing: Selection = {};

export function shown(task: Task): boolean {
  // @ts-expect-error: no such status.
  return task.status === "waiting";
}
