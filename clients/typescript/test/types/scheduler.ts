// What compiles with the standard's decorators, and what must not. tsc checks this file.

import { cron, every, PermanentError, Scheduler, SchedulerClient, task, type TaskRun, Tasks } from "durable-scheduler";
import type { Task } from "durable-scheduler/scheduler";
import SchedulerWorker, { Limiter, Registry, SchedulerEntrypoint, type SchedulerProps, Shard } from "durable-scheduler/worker";

interface Env {
  REMINDERS: DurableObjectNamespace<Reminders>;
  SCHEDULER: Service<SchedulerEntrypoint>;
}

export class Reminders extends Scheduler<Env> {
  @task({ retries: 3, timeoutSeconds: 10 })
  async remind(payload: { text: string; urgent?: boolean }, run: TaskRun) {
    return `${payload.text} ${run.time.getTime()} ${run.idempotencyKey}`;
  }

  @cron("0 9 * * MON", { timezone: "Europe/London" })
  async report() {}

  @cron(["0 9 * * MON-FRI", "*/15 10-12 1,15,L * ?", "@daily", "30 0 9 * 1-6/2 FRI#2"], { payload: { n: 1 } })
  async several(payload: { n: number }) {
    return payload.n;
  }

  @every(60)
  async tick(_payload: undefined, run: TaskRun) {
    return run.attempt;
  }

  @cron("0\t9  * * *")
  tabs() {}

  @task()
  plain() {}
  override alarm() {}
  _hidden() {}

  #secret() {}
  protected inner(payload: string) {
    this.#secret();
    return payload;
  }

  async schedule() {
    const { scheduler } = this;
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "remind" }, payload: { text: "Tea" } });
    await scheduler.scheduleTask({ time: new Date(), callback: { type: "self", function: "remind" }, payload: { text: "Tea", urgent: true } });
    await scheduler.scheduleTask({ type: "cron", cron: "0 9 * * *", timezone: "Asia/Tokyo", callback: { type: "self", function: "plain" } });
    await scheduler.scheduleTask({ schedule: "every monday at 10:00", timezone: "Europe/Berlin", callback: { type: "self", function: "plain" } });
    await scheduler.scheduleTask({ type: "no-schedule", callback: { type: "self", function: "tick", timeoutSeconds: 5 } });
    await scheduler.scheduleTask({ everySeconds: 5, description: "no callback", payload: [1] });
    await scheduler.scheduleTask({ time: "2030-01-01T00:00", timezone: "Europe/London", callback: { type: "webhook", url: "https://example.com" }, payload: 1 });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "durable-object", namespace: "X", name: "y", function: "z" } });
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "service", service: "X", function: "z" } });

    // @ts-expect-error The payload has another type.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "remind" }, payload: { text: 1 } });
    // @ts-expect-error The payload is missing.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "remind" } });
    // @ts-expect-error There is no such method.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "remindd" }, payload: { text: "Tea" } });
    // @ts-expect-error The method is not public.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "inner" }, payload: "Tea" });
    // @ts-expect-error The runtime calls the method itself.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "alarm" } });
    // @ts-expect-error The name begins with _.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "_hidden" } });
    // @ts-expect-error The method takes no payload.
    await scheduler.scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "tick" }, payload: 1 });
    // @ts-expect-error A task has one schedule.
    await scheduler.scheduleTask({ delayInSeconds: 1, cron: "0 9 * * *", callback: { type: "self", function: "plain" } });
    // @ts-expect-error A sentence is a schedule.
    await scheduler.scheduleTask({ schedule: "daily", cron: "0 9 * * *", callback: { type: "self", function: "plain" } });
    // @ts-expect-error A task has a schedule.
    await scheduler.scheduleTask({ callback: { type: "self", function: "plain" } });

    const tasks: Task[] = await scheduler.query({ description: "tea", from: new Date() });
    for await (const task of scheduler.query({ type: "cron" })) describe(task);
    // README.md says how these differ from the client's.
    const [next]: (Date | undefined)[] = tasks.map(({ time }) => time);
    const [due]: (number | undefined)[] = (await scheduler.client.query({ kind: "cron" }).toArray()).map((task) => task.due);
    // @ts-expect-error A task of an object has no due.
    console.log(next, due, tasks.map((task) => task.due));
    return tasks.map(({ id }) => scheduler.cancelTask(id));
  }
}

/** The union is complete: each kind narrows to its own members. */
export function describe(task: Task): string {
  switch (task.type) {
    case "scheduled":
      return task.time.toISOString();
    case "delayed":
      return `${task.delayInSeconds} ${task.time.toISOString()}`;
    case "cron":
      return String(task.cron);
    case "every":
      return String(task.everySeconds);
    case "rrule":
      return task.rrule;
    case "no-schedule":
      return "by hand";
    default:
      return task satisfies never;
  }
}

/** So are the callbacks. */
export function target({ callback }: Task): string {
  switch (callback.type) {
    case "self":
      return callback.function;
    case "webhook":
      return callback.url;
    case "durable-object":
      return callback.name;
    case "service":
      return "service";
    case "queue":
      return callback.queue;
    case "handler":
      return callback.name;
    default:
      return callback satisfies never;
  }
}

export class Wrong extends Scheduler {
  // @ts-expect-error A star is a field of its own.
  @cron("*,5 * * * *")
  star() {}
  // @ts-expect-error A step is at least 1.
  @cron("*/0 * * * *")
  zero() {}
  // @ts-expect-error An expression has five or six fields.
  @cron("0 9 * *")
  fields() {}
  // @ts-expect-error There is no minute 61.
  @cron("61 9 * * *")
  minute() {}
  // @ts-expect-error There is no such day.
  @cron("0 9 * * MOM")
  day() {}
  // @ts-expect-error There is no such macro.
  @cron("@fortnightly")
  macro() {}
  // @ts-expect-error A step is a number.
  @cron("*/x * * * *")
  step() {}
  // @ts-expect-error The second of two is wrong.
  @cron(["0 9 * * *", "0 24 * * *"])
  list() {}
  // @ts-expect-error The method needs a payload, and the schedule has none.
  @cron("0 9 * * *")
  needs(payload: { n: number }) {
    return payload;
  }
  // @ts-expect-error The payload of the schedule has another type.
  @every(60, { payload: { n: "1" } })
  other(payload: { n: number }) {
    return payload;
  }
  // @ts-expect-error There is no such option.
  @task({ retry: { maxAttempt: 3 } })
  option() {}
}

export class Nightly extends Tasks<Env> {
  @cron("0 3 * * *", { retries: 2 })
  async cleanUp() {
    if (this.env === undefined) throw new PermanentError("no env");
  }
  async once(payload: string) {
    return payload;
  }
}

declare const text: string;
/** An expression that is not written out is checked when it runs. */
export const later = cron(text);

export async function use(env: Env, ctx: ExecutionContext) {
  await Nightly.of(env, ctx).scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "once" }, payload: "x" });
  // @ts-expect-error The payload has another type.
  await Nightly.of(env, ctx).scheduleTask({ delayInSeconds: 1, callback: { type: "self", function: "once" }, payload: 1 });
  const object = env.REMINDERS.getByName("x");
  await object.scheduleTask({ type: "delayed", delayInSeconds: 60, callback: { type: "self", function: "remind" }, payload: { text: "Tea" } });
  const found = await object.query({ id: "x" });
  await object.cancelTask(found[0]!.id);
  await new SchedulerClient({ binding: env.SCHEDULER }).getTask("x");
  const shown = await env.SCHEDULER.scheduleTask({ delayInSeconds: 1 });
  await env.SCHEDULER.pause("x");
  await env.SCHEDULER.pause({ tag: "x" });
  await env.SCHEDULER.run("x", { payload: 1 });
  await env.SCHEDULER.reschedule(["x"], { delayInSeconds: 1 });
  for (const { outcome } of (await env.SCHEDULER.runs("x", { limit: 1 })).items) console.log(outcome);
  for (const { id, payload } of (await env.SCHEDULER.query({ kind: "cron" })).items) console.log(id, payload);
  await env.SCHEDULER.deadLetters.replay("x");
  return shown.id;
}

export const props: SchedulerProps = { namespace: "shop", scopes: ["read"] };
export { Limiter, Registry, Shard };
export default class extends SchedulerWorker<Env> {
  override async fetch(request: Request): Promise<Response> {
    return request.url.endsWith("/") ? Response.json(Object.keys(this.env.REMINDERS)) : super.fetch(request);
  }
}
