// Reminds people: each of them is a Durable Object, and each reminder is a task that calls a method of it.
//
//   curl 'http://localhost:8787/kim?text=Tea&seconds=5' -X POST
//   curl http://localhost:8787/kim

import { cron, Scheduler, task, type TaskRun } from "durable-scheduler";
import { SchedulerWorker } from "durable-scheduler/worker";

export { Limiter, Registry, SchedulerEntrypoint, Shard } from "durable-scheduler/worker";

interface Env {
  REMINDERS: DurableObjectNamespace<Reminders>;
}

/** The reminders of one person. */
export class Reminders extends Scheduler<Env> {
  /** Schedules a reminder. */
  async add(text: string, delayInSeconds: number): Promise<string> {
    const { id } = await this.scheduler.scheduleTask({
      description: text,
      delayInSeconds,
      callback: { type: "self", function: "remind" },
      payload: { text },
    });
    return id;
  }

  /** Runs when a reminder is due. Throw an error here, and it is tried again. */
  @task({ retries: 3 })
  async remind({ text }: { text: string }, run: TaskRun): Promise<void> {
    await this.ctx.storage.put(`sent:${run.idempotencyKey}`, text);
  }

  /** Runs every Monday at nine in London, for every person. */
  @cron("0 9 * * MON", { timezone: "Europe/London" })
  async cleanUp(): Promise<void> {
    await this.ctx.storage.delete([...(await this.ctx.storage.list({ prefix: "sent:", limit: 128 })).keys()]);
  }

  /** Returns what waits and what was sent. */
  async list(): Promise<{ waiting: string[]; sent: string[] }> {
    const waiting = await this.scheduler.query({ type: "delayed" });
    const sent = await this.ctx.storage.list<string>({ prefix: "sent:" });
    return { waiting: waiting.map(({ description = "" }) => description), sent: [...sent.values()] };
  }
}

/** `POST /<name>?text=…&seconds=…` adds a reminder, and `GET /<name>` lists them. The scheduler's own API is below `/v1`. */
export default class extends SchedulerWorker<Env> {
  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const name = /^\/([a-z]+)$/.exec(pathname)?.[1];
    if (name === undefined || ["healthz", "mcp", "problems"].includes(name)) return super.fetch(request);
    const reminders = this.env.REMINDERS.getByName(name);
    if (request.method !== "POST") return Response.json(await reminders.list());
    const id = await reminders.add(searchParams.get("text") ?? "Hello", Number(searchParams.get("seconds") ?? 60));
    return Response.json({ id }, { status: 201 });
  }
}
