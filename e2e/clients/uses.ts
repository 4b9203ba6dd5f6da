// Uses that must compile with a generated client. The module "client" is one of the clients: see
// the configurations beside this file.

import type { Callback, DeliveredTask, Envelope, Event, NewTask, PreviewRequest, Reschedule, Selection, Task, TaskPatch } from "client";

const callback = { type: "webhook", url: "https://example.com/hook" } as const;

export const tasks: NewTask[] = [
  { time: 1_924_362_000_000, callback },
  { time: "2030-12-24T18:00", timezone: "Europe/Berlin", callback, id: "a", tags: ["orders"], payload: { order: 7 } },
  { delayInSeconds: 60, callback: { type: "handler", name: "log" }, priority: 9, paused: true },
  { cron: "0 9 * * MON-FRI", timezone: "Europe/London", callback: { type: "queue", queue: "FIRED_TASKS" }, maxRuns: 10 },
  { cron: ["0 9 * * *", "30 17 * * *"], callback, overlap: "skip", misfire: { policy: "fire-once", graceSeconds: 300 } },
  { everySeconds: 90, anchor: "2030-06-01T00:00:00Z", callback, jitterSeconds: 5, windowSeconds: 10 },
  { rrule: "FREQ=MONTHLY;BYDAY=-1FR", startAt: "2030-01-25T15:00:00+01:00", callback },
  { type: "no-schedule", id: "later", callback },
  // Retries with some members only. The absent ones have defaults.
  { delayInSeconds: 1, callback, retry: { maxAttempts: 5, permanentStatuses: ["4xx", 501] } },
  // Null and undefined mean absent.
  { delayInSeconds: 1, callback, description: null, tags: undefined, cron: null, limitKey: null },
  // A payload is any JSON.
  { delayInSeconds: 1, callback, payload: null },
  { delayInSeconds: 1, callback, payload: ["a", 1, { b: [] }] },
  // The deployment has a default callback.
  { delayInSeconds: 1 },
];

export const callbacks: Callback[] = [
  callback,
  { ...callback, method: "PUT", headers: { "x-api-key": "secret" }, body: { any: "JSON" }, timeoutSeconds: 10 },
  { type: "service", binding: "MAIL", path: "/send", method: "PUT" },
  { type: "service", binding: "MAIL", function: "send" },
  { type: "durable-object", binding: "ROOMS", name: "lobby", path: "/open" },
  { type: "durable-object", binding: "ROOMS", name: "lobby", function: "open" },
];

export const previews: PreviewRequest[] = [
  { cron: "30 1 * * *", timezone: "Europe/London", from: "2026-03-28T00:00:00Z", count: 3 },
  { delayInSeconds: 60 },
];

export const patches: TaskPatch[] = [
  {},
  { cron: "30 7 * * *" },
  { tags: null, payload: { order: null }, callback: { headers: { "x-old": null } }, retry: { maxAttempts: 3 }, misfire: { graceSeconds: 5 } },
];

export const times: Reschedule[] = [{ delayInSeconds: 60 }, { time: 1_924_362_000_000 }, { time: "2030-12-24T19:00", timezone: "Europe/Berlin" }];
export const selections: Selection[] = [{ ids: ["a"] }, { filter: { tag: "orders", status: "scheduled" } }];

/** A task in an answer can be read without a cast. */
export function shown(task: Task): string {
  const due: number | undefined = task.due;
  const tags: string[] = task.tags ?? [];
  const url = task.callback.type === "webhook" ? task.callback.url : undefined;
  switch (task.status) {
    case "scheduled":
    case "retrying":
      return `${task.id} ${due} ${tags.join()} ${url}`;
    default:
      return task.status;
  }
}

/** The body of a webhook, and the message of a queue. */
export function received(task: DeliveredTask, message: Envelope): string[] {
  const version: 1 = message.v;
  return [`${task.id}@${task.time}`, `${version}`, ...message.tasks.map((task) => `${task.id}@${task.time}`)];
}

export function followed(event: Event): string {
  const at: number = event.at;
  return `${at} ${event.type} ${event.id ?? event.destination ?? ""}`;
}
