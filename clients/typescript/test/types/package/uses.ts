// What must compile against the built package.

import {
  type Callback,
  type CancelledMany,
  type ChangedMany,
  type Fetch,
  type NewTask,
  type Pages,
  type PerhapsUncertain,
  type PreviewRequest,
  type Reschedule,
  SchedulerClient,
  type SchedulerClientOptions,
  SchedulerError,
  type Task,
  type TaskPatch,
  type Time,
  type VersionedTask,
} from "durable-scheduler";
import type { TestScheduler } from "durable-scheduler/testing";
import { verifyWebhook, WebhookVerificationError } from "durable-scheduler/consumer";

const callback = { type: "webhook", url: "https://example.com/hook" } as const;

export const times: Time[] = [new Date(), Date.now(), "2030-12-24T18:00"];

export const tasks: NewTask[] = [
  { time: new Date(), callback },
  { time: "2030-12-24T18:00", timezone: "Europe/Berlin", callback, id: "a", tags: ["orders"] as const, payload: { order: 7 } },
  { delayInSeconds: 60, callback: { type: "handler", name: "log" }, priority: 9, paused: true },
  { cron: "0 9 * * MON-FRI", timezone: "Europe/London", callback: { type: "queue", queue: "FIRED_TASKS" }, maxRuns: 10 },
  { cron: ["0 9 * * *", "30 17 * * *"] as const, callback, overlap: "skip", misfire: { policy: "fire-once", graceSeconds: 300 }, startAt: new Date() },
  { everySeconds: 90, anchor: new Date(), callback, jitterSeconds: 5, windowSeconds: 10 },
  { rrule: "FREQ=MONTHLY;BYDAY=-1FR", startAt: new Date(), endAt: new Date(), callback },
  { type: "no-schedule", id: "later", callback },
  { delayInSeconds: 1, callback, retry: { maxAttempts: 5, permanentStatuses: ["4xx", 501] } },
  // Null and undefined mean absent.
  { delayInSeconds: 1, callback, description: null, tags: undefined, cron: null, limitKey: undefined },
  // The deployment has a default callback.
  { delayInSeconds: 1, payload: null },
];

export const callbacks: Callback[] = [
  { ...callback, method: "PUT", headers: { "x-api-key": "secret" }, body: { any: "JSON" }, timeoutSeconds: 10 },
  { type: "service", binding: "MAIL", path: "/send", method: "PUT" },
  { type: "service", binding: "MAIL", function: "send" },
  { type: "durable-object", binding: "ROOMS", name: "lobby", function: "open" },
];

export const previews: PreviewRequest[] = [{ cron: "30 1 * * *", timezone: "Europe/London", from: new Date(), count: 3 }, { delayInSeconds: 60 }];
export const patches: TaskPatch[] = [{}, { time: new Date() }, { tags: null, callback: { headers: { "x-old": null } }, misfire: { graceSeconds: 5 } }];
export const moves: Reschedule[] = [{ delayInSeconds: 60 }, { time: new Date() }, { time: "2030-12-24T19:00", timezone: "Europe/Berlin" }];

declare const binding: { fetch: Fetch };
export const connections: SchedulerClientOptions[] = [
  { url: "https://scheduler.example.com", apiKey: "key" },
  { url: new URL("https://scheduler.example.com"), fetch: (request) => fetch(request), retry: { maxAttempts: 1 } },
  { binding, namespace: "shop", timeoutSeconds: 5 },
  { fetch: () => new Response(), apiKey: undefined },
];

export async function calls(client: SchedulerClient, signal: AbortSignal): Promise<void> {
  const made: VersionedTask = await client.scheduleTask({ time: new Date(), callback }, { signal, idempotencyKey: "a", ifNoneMatch: "*" });
  const read: Task | undefined = await client.getTask(made.id);
  const one = await client.cancelTask(made.id, { ifMatch: made });
  const cancelled: VersionedTask | undefined = one?.uncertain ? undefined : one;
  console.log(cancelled?.payload, one?.id, one?.status);
  const many: CancelledMany & PerhapsUncertain = await client.cancelTask({ tags: ["a"], from: new Date() });
  const paused: ChangedMany = await client.pause(["a", "b"] as const);
  await client.run("a", { payload: { n: 1 }, ifMatch: made.etag });
  await client.resume({ all: true });
  await client.reschedule("a", { time: new Date() });
  await client.changeTask("a", { payload: 1 }, { ifMatch: "*" });
  const list: Pages<Task> = client.query({ tag: "a", from: new Date(), status: "retrying", kind: "recurring", limit: 10 });
  for await (const task of list) console.log(task.id, task.due?.toFixed(), read, many.uncertain, many.cancelled, paused.changed);
  for await (const run of client.runs("a", { limit: 1 })) console.log(run.outcome, run.status);
  for await (const run of client.runs({ outcome: ["failed"], from: new Date() })) console.log(run.id);
  for await (const event of client.events({ type: "failed" }, { signal })) if (event.type === "gap") console.log(event.at);
  await client.scheduleTasks(tasks, { batchSize: 100, onProgress: ({ accepted }) => console.log(accepted) });
  await client.scheduleTasks(new ReadableStream<NewTask>(), { onBatch: async (accepted, rejected) => console.log(accepted[0]?.id, rejected[0]?.task) });
  await client.deadLetters.replay("a", { payload: null });
  await client.deadLetters.discard({ tag: "a", to: new Date() });
}

export function shown(error: unknown): string {
  if (!(error instanceof SchedulerError)) return "";
  switch (error.type) {
    case "/problems/no-task":
    case "no-answer":
      return `${error.status} ${error.requestId} ${error.retryAfter?.toFixed()}`;
    default:
      return error.detail;
  }
}

export async function receive(request: Request, node: { headers: Record<string, string | string[] | undefined> }, raw: Uint8Array): Promise<Response> {
  try {
    await verifyWebhook({ headers: node.headers, body: raw }, ["whsec_old", "whsec_new"], { toleranceSeconds: 60 });
    const webhook = await verifyWebhook(request, "whsec_key");
    return Response.json([webhook.id, webhook.namespace, webhook.sentAt.getTime(), webhook.json().payload]);
  } catch (error) {
    if (error instanceof WebhookVerificationError && error.reason !== "wrong-time") return new Response(null, { status: 401 });
    throw error;
  }
}

interface Bindings {
  ROOMS: { getByName(name: string): { list(): Promise<string[]> } };
}

export async function ofTests(scheduler: TestScheduler, typed: TestScheduler<Bindings>): Promise<string[]> {
  const [{ ROOMS }, { ROOMS: same }] = [await scheduler.bindings<Bindings>(), await typed.bindings()];
  return [...(await ROOMS.getByName("a").list()), ...(await same.getByName("a").list())];
}

/** A generator whose tasks are written out needs the type of what it yields. */
export async function* renewals(): AsyncGenerator<NewTask> {
  yield { delayInSeconds: 60, callback: { type: "webhook", url: "https://example.com/renew" } };
}
export const imported = (client: SchedulerClient) => client.scheduleTasks(renewals());

/** One that is written in the call does not. */
export async function inline(client: SchedulerClient): Promise<void> {
  await client.scheduleTasks(function* () {
    for (let n = 0; n < 3; n += 1) yield { delayInSeconds: n, callback: { type: "webhook", url: "https://example.com/renew" } };
  });
  await client.scheduleTasks(async function* () {
    yield { cron: "0 9 * * *", callback: { type: "queue", queue: "FIRED_TASKS" } };
  });
  await client.scheduleTasks(() => tasks);
}
