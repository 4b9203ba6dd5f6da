// The reminders of one person.

import { Scheduler, SchedulerError, task, type TaskRun } from "durable-scheduler";
import { readReminder, Refusal, type Reminder, scheduleOf } from "./reminder.ts";

export interface Env {
  PEOPLE: DurableObjectNamespace<Person>;
}

const MAX_REMINDERS = 100;
/** How many reminders that have come are kept. */
const MAX_ARRIVED = 50;

export class Person extends Scheduler<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS arrived (key TEXT PRIMARY KEY, text TEXT NOT NULL, time INTEGER NOT NULL)");
  }

  /** Runs when a reminder is due. A run may be repeated, with the same key. */
  @task({ retries: 5 })
  remind({ text }: Reminder, { idempotencyKey, time }: TaskRun): void {
    const { sql } = this.ctx.storage;
    if (sql.exec("SELECT 1 FROM arrived WHERE key = ?", idempotencyKey).toArray().length > 0) return;
    // Send a mail or a push message here. Throw if that fails, and the run is tried again.
    sql.exec("INSERT INTO arrived VALUES (?, ?, ?)", idempotencyKey, text, time.getTime());
    sql.exec("DELETE FROM arrived WHERE key NOT IN (SELECT key FROM arrived ORDER BY time DESC LIMIT ?)", MAX_ARRIVED);
    for (const page of this.ctx.getWebSockets()) page.send(JSON.stringify({ text, time: time.getTime() }));
  }

  /** Answers the page of the person. */
  override async fetch(request: Request): Promise<Response> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof Refusal) return Response.json({ field: error.field, detail: error.message }, { status: 422 });
      // What the scheduler refuses, such as a time zone that does not exist.
      const { status = 500, field, detail } = error instanceof SchedulerError ? error : {};
      if (status >= 500) throw error;
      return Response.json({ field, detail }, { status });
    }
  }

  async #answer(request: Request): Promise<Response> {
    const [resource = "", id = ""] = new URL(request.url).pathname.split("/").slice(3);
    const body = async () => request.json<unknown>().catch(() => undefined);
    switch (`${request.method} ${resource}`) {
      case "GET ":
        return Response.json(await this.#show());
      case "PUT timezone":
        return Response.json(await this.#move(await body()));
      case "POST reminders":
        return Response.json(await this.#add(readReminder(await body())), { status: 201 });
      case "PUT reminders":
        if ((await this.scheduler.getTask(id)) === undefined) return new Response(null, { status: 404 });
        return Response.json(await this.#set(id, readReminder(await body())));
      case "DELETE reminders":
        return new Response(null, { status: (await this.scheduler.cancelTask(id)) ? 204 : 404 });
      case "GET live":
        return request.headers.get("upgrade") === "websocket" ? this.#follow() : new Response(null, { status: 426 });
      default:
        return new Response(null, { status: 404 });
    }
  }

  /** Returns what waits, the next one first, and what has come, the last one first. A new person has no time zone yet. */
  async #show() {
    const reminders = await this.#reminders();
    const arrived = this.ctx.storage.sql.exec<{ text: string; time: number }>("SELECT text, time FROM arrived ORDER BY time DESC").toArray();
    return { timezone: await this.ctx.storage.get<string>("timezone"), reminders, arrived };
  }

  async #reminders() {
    const tasks = await this.scheduler.query();
    const waiting = tasks.filter(({ status, callback }) => status !== "dead-lettered" && callback.type === "self" && callback.function === "remind");
    return waiting.map(({ id, payload, time }) => ({ id, ...(payload as Reminder), next: time?.getTime() }));
  }

  async #add(reminder: Reminder) {
    if ((await this.#reminders()).length >= MAX_REMINDERS) throw new Refusal("text", `there are ${MAX_REMINDERS} reminders: cancel one first`);
    return this.#set(crypto.randomUUID(), reminder);
  }

  /** Sets a reminder, or changes the one with this id. */
  async #set(id: string, reminder: Reminder) {
    const schedule = scheduleOf(reminder, await this.#timezone());
    const { runs } = await this.scheduler.client.preview({ ...schedule, count: 1 });
    const [first] = runs;
    if (first === undefined || first.due <= Date.now()) throw new Refusal("at", "this time has passed");
    await this.#schedule(id, reminder, schedule);
    // A local time may not exist, or exist twice, when the clocks change. The note says what was made of it.
    return { id, ...reminder, next: first.time, note: first.explanation };
  }

  /** The same id again replaces a task. */
  async #schedule(id: string, reminder: Reminder, schedule: ReturnType<typeof scheduleOf>): Promise<void> {
    await this.scheduler.scheduleTask({ id, ...schedule, description: reminder.text, callback: { type: "self", function: "remind" }, payload: reminder });
  }

  async #timezone(): Promise<string> {
    return (await this.ctx.storage.get<string>("timezone")) ?? "UTC";
  }

  /** Moves the person to another time zone. The reminders keep their local times. */
  async #move(body: unknown) {
    const { timezone } = (body ?? {}) as { timezone?: unknown };
    if (typeof timezone !== "string") throw new Refusal("timezone", "give the name of a time zone such as Europe/Berlin");
    await this.scheduler.client.preview({ cron: "@daily", timezone, count: 1 });
    for (const { id, text, at, repeat } of await this.#reminders()) await this.#schedule(id, { text, at, repeat }, scheduleOf({ text, at, repeat }, timezone));
    await this.ctx.storage.put("timezone", timezone);
    return this.#show();
  }

  /** Sends reminders to a page as they come. */
  #follow(): Response {
    const { 0: page, 1: own } = new WebSocketPair();
    this.ctx.acceptWebSocket(own);
    return new Response(null, { status: 101, webSocket: page });
  }
}
