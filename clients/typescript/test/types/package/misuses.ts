// What must not compile against the built package: a line that compiles all the same is an error of its comment.

import { type Callback, type NewTask, type PreviewRequest, type Reschedule, SchedulerClient, type TaskPatch } from "durable-scheduler";

const callback = { type: "webhook", url: "https://example.com/hook" } as const;

// @ts-expect-error: no schedule.
export const none: NewTask = { callback };
// @ts-expect-error: two schedules.
export const two: NewTask = { time: new Date(), cron: "0 9 * * *", callback };
// @ts-expect-error: two schedules.
export const three: NewTask = { delayInSeconds: 60, everySeconds: 60, callback };
// @ts-expect-error: a schedule in words and another one.
export const words: NewTask = { schedule: "every monday", cron: "0 9 * * *", callback };
// @ts-expect-error: a rule begins at a time.
export const rule: NewTask = { rrule: "FREQ=DAILY", callback };
// @ts-expect-error: an interval has an anchor, cron has none.
export const anchor: NewTask = { cron: "0 9 * * *", anchor: new Date(), callback };
// @ts-expect-error: only what recurs overlaps.
export const overlap: NewTask = { delayInSeconds: 60, overlap: "skip", callback };
// @ts-expect-error: a schedule beside the type that says that there is none.
export const unscheduled: NewTask = { type: "no-schedule", time: new Date(), callback };
// @ts-expect-error: a delay is a number of seconds.
export const delay: NewTask = { delayInSeconds: new Date(), callback };
// @ts-expect-error: a text for a number.
export const text: NewTask = { delayInSeconds: "60", callback };
// @ts-expect-error: no such member.
export const unknown: NewTask = { delayInSeconds: 60, callback, retries: 3 };
// @ts-expect-error: a member that only answers show.
export const status: NewTask = { delayInSeconds: 60, callback, status: "scheduled" };
// @ts-expect-error: no URL.
export const url: Callback = { type: "webhook" };
// @ts-expect-error: a path and a function.
export const both: Callback = { type: "service", binding: "MAIL", path: "/send", function: "send" };
// @ts-expect-error: two schedules.
export const preview: PreviewRequest = { cron: "0 9 * * *", delayInSeconds: 60 };
// @ts-expect-error: no such member.
export const patch: TaskPatch = { crontab: "0 9 * * *" };
// @ts-expect-error: a time and a delay.
export const move: Reschedule = { time: new Date(), delayInSeconds: 60 };

// @ts-expect-error: no way to the scheduler.
export const nowhere = new SchedulerClient({ apiKey: "key" });
// @ts-expect-error: two ways to the scheduler.
export const twice = new SchedulerClient({ url: "https://scheduler.example.com", binding: { fetch } });

export async function calls(client: SchedulerClient): Promise<void> {
  // @ts-expect-error: no such status.
  client.query({ status: "waiting" });
  // @ts-expect-error: a filter has tags or a tag, and no limit.
  await client.cancelTask({ tag: "a", limit: 5 });
  // @ts-expect-error: the time that it moves to.
  await client.reschedule("a");
  // @ts-expect-error: one task has no counts.
  (await client.pause("a")).unchanged.toFixed();
  // @ts-expect-error: many tasks have no version.
  await client.cancelTask({ tag: "a" }, { ifMatch: "*" });
  // @ts-expect-error: there may be no such task.
  (await client.getTask("a")).id.trim();
  // @ts-expect-error: a cancelled task may be unknown, because the answer to the first request was lost.
  (await client.cancelTask("a"))?.status.trim();
  // @ts-expect-error: dead letters have no status.
  await client.deadLetters.discard({ status: "scheduled" });
  // @ts-expect-error: no such target.
  await client.scheduleTasks(function* () {
    yield { delayInSeconds: 1, callback: { type: "letter", url: "https://example.com/renew" } };
  });
  // @ts-expect-error: no such outcome.
  client.runs({ outcome: "lost" });
}
