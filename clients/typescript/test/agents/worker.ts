// Agents that use the schedules of the agents package in the ways that its documentation describes, on the scheduler.

import { Agent, getCurrentAgent } from "agents";
import { type Schedule, withScheduler } from "durable-scheduler/agents";
import { SchedulerWorker } from "durable-scheduler/worker";

export { Limiter, Registry, SchedulerEntrypoint, Shard } from "durable-scheduler/worker";

interface Env {
  REMINDERS: DurableObjectNamespace<ReminderAgent>;
  POLLERS: DurableObjectNamespace<PollingAgent>;
}

/** A call of a method by a schedule. */
interface Call {
  callback: string;
  payload: unknown;
  schedule: Schedule<unknown>;
}

/** An agent that notes the calls of its methods. */
abstract class NotingAgent extends withScheduler(Agent<Env>) {
  protected note(callback: string, payload: unknown, schedule: Schedule<unknown>): void {
    this.sql`CREATE TABLE IF NOT EXISTS calls (call TEXT)`;
    this.sql`INSERT INTO calls VALUES (${JSON.stringify({ callback, payload, schedule })})`;
  }

  async calls(): Promise<Call[]> {
    this.sql`CREATE TABLE IF NOT EXISTS calls (call TEXT)`;
    return this.sql<{ call: string }>`SELECT call FROM calls`.map(({ call }) => JSON.parse(call) as Call);
  }
}

/** Delays, dates, cron expressions and what there is to manage them. */
export class ReminderAgent extends NotingAgent {
  static override options = { retry: { maxAttempts: 2, baseDelayMs: 10, maxDelayMs: 50 } };

  override async onRequest(request: Request): Promise<Response> {
    const url = new URL(request.url);
    await this.schedule(30, "sendReminder", { message: "in half a minute" });
    await this.schedule(new Date("2099-02-01T09:00:00Z"), "sendReminder", { message: "at a date" });
    await this.schedule("0 8 * * *", "dailyDigest", { user: url.searchParams.get("user") });
    return new Response("Scheduled!");
  }

  async setReminder(delaySeconds: number, message: string): Promise<string> {
    const schedule = await this.schedule(delaySeconds, "sendReminder", { message });
    this.sql`CREATE TABLE IF NOT EXISTS reminders (schedule TEXT, message TEXT)`;
    this.sql`INSERT INTO reminders VALUES (${schedule.id}, ${message})`;
    return schedule.id;
  }

  async cancelReminder(id: string): Promise<boolean> {
    const cancelled = await this.cancelSchedule(id);
    if (cancelled) this.sql`DELETE FROM reminders WHERE schedule = ${id}`;
    return cancelled;
  }

  async reminders(): Promise<string[]> {
    return this.sql<{ message: string }>`SELECT message FROM reminders`.map(({ message }) => message);
  }

  /** Calls a method of the agent. Arguments that look like a date become one. */
  async call(method: "schedule" | "scheduleEvery" | "getScheduleById" | "listSchedules" | "cancelSchedule" | "getSchedule" | "getSchedules" | "pauseSchedule" | "resumeSchedule" | "runSchedule" | "getScheduleRuns" | "destroy", ...args: unknown[]): Promise<string> {
    const revived = JSON.parse(JSON.stringify(args), (_, value) => (/^\d{4}-.*Z$/.test(value) ? new Date(value) : value)) as never[];
    return JSON.stringify((await (this[method] as (...args: never[]) => unknown)(...revived)) ?? null);
  }

  /** Makes a schedule as the agent did before it moved over. */
  async scheduleBefore(when: Date | string | number, payload: unknown): Promise<string> {
    return (await Agent.prototype.schedule.call(this, when, "sendReminder" as never, payload)).id;
  }

  async countBefore(): Promise<number> {
    return (await Agent.prototype.listSchedules.call(this)).length;
  }

  sendReminder(payload: { message: string }, schedule: Schedule<unknown>): void {
    this.note("sendReminder", payload, schedule);
  }

  async dailyDigest(payload: { user: string }, schedule: Schedule<unknown>): Promise<void> {
    this.note("dailyDigest", payload, schedule);
  }

  async fails(payload: unknown, schedule: Schedule<unknown>): Promise<void> {
    this.note("fails", payload, schedule);
    throw new Error("fails each time");
  }

  /** Is called by the agents package, too, after the last attempt at a schedule. */
  override onError(error: unknown): void {
    this.note("onError", String(error), {} as Schedule<unknown>);
    throw error;
  }

  async noteContext(_payload: unknown, schedule: Schedule<unknown>): Promise<void> {
    this.note("noteContext", getCurrentAgent<ReminderAgent>().agent === this, schedule);
  }

  async endItself(): Promise<void> {
    await this.destroy();
  }

  async tellName(_payload: unknown, schedule: Schedule<unknown>): Promise<void> {
    // The agent has started, and knows its name and state.
    this.setState({ told: this.name });
    this.note("tellName", this.state, schedule);
  }
}

/** A sub-agent, which has no address of its own. */
export class ChildAgent extends NotingAgent {
  async later(seconds: number): Promise<string> {
    const { id } = await this.schedule(seconds, "remind", { of: "child" });
    const found = await this.listSchedules({ id });
    return JSON.stringify({ found: found.length, far: await this.cancelSchedule((await this.schedule(3600, "remind")).id) });
  }

  async remind(payload: unknown, schedule: Schedule<unknown>): Promise<void> {
    this.note("remind", payload, schedule);
  }
}

/** Intervals from `onStart`, and schedules that are made by callbacks. */
export class PollingAgent extends NotingAgent {
  override async onStart(): Promise<void> {
    await this.scheduleEvery(3600, "tick");
    await this.schedule(3600, "cleanup", {}, { idempotent: true });
    await this.schedule("*/15 * * * *", "sync", {}, { timezone: "Europe/Berlin" });
  }

  async startPolling(interval: number): Promise<void> {
    await this.schedule(interval, "poll", { interval });
  }

  async poll(payload: { interval: number }, schedule: Schedule<unknown>): Promise<void> {
    this.note("poll", payload, schedule);
    await this.schedule(payload.interval, "poll", payload);
  }

  async stopPolling(): Promise<void> {
    for (const schedule of await this.listSchedules({ type: "delayed" })) {
      if (schedule.callback === "poll") await this.cancelSchedule(schedule.id);
    }
  }

  async schedules(): Promise<string> {
    return JSON.stringify(await this.listSchedules());
  }

  async attempt(payload: { attempt: number; most: number }, schedule: Schedule<unknown>): Promise<void> {
    this.note("attempt", payload, schedule);
    if (payload.attempt < payload.most) await this.schedule(2 ** payload.attempt * 0.1, "attempt", { ...payload, attempt: payload.attempt + 1 });
  }

  async startAttempts(most: number): Promise<void> {
    await this.schedule(0, "attempt", { attempt: 1, most });
  }

  async childLater(seconds: number): Promise<string> {
    return (await this.subAgent(ChildAgent, "kid")).later(seconds);
  }

  async childCalls(): Promise<Call[]> {
    return (await this.subAgent(ChildAgent, "kid")).calls() as Promise<Call[]>;
  }

  async slow(payload: unknown, schedule: Schedule<unknown>): Promise<void> {
    this.note("slow", payload, schedule);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  }

  async startSlow(): Promise<string> {
    return (await this.scheduleEvery(1, "slow")).id;
  }

  async outcomes(id: string): Promise<string[]> {
    return (await this.getScheduleRuns(id)).map(({ outcome }) => outcome);
  }

  async tick(payload: unknown, schedule: Schedule<unknown>): Promise<void> {
    this.note("tick", payload, schedule);
  }
  async cleanup(): Promise<void> {}
  async sync(): Promise<void> {}
}

export default class extends SchedulerWorker<Env> {
  override async fetch(request: Request): Promise<Response> {
    const [, kind, name = "", method = ""] = new URL(request.url).pathname.split("/");
    if (kind !== "reminders" && kind !== "pollers") return super.fetch(request);
    const stub = kind === "reminders" ? this.env.REMINDERS.getByName(name) : this.env.POLLERS.getByName(name);
    if (method === "") return stub.fetch(request);
    try {
      const result = await (stub as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]?.(...(await request.json<unknown[]>()));
      return Response.json(result ?? null);
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 });
    }
  }
}
