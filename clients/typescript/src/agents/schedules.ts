import type { SchedulerClient } from "../client/client.ts";
import { SchedulerError } from "../client/errors.ts";
import type { DeliveredTask, ListRunsQuery, NewTask as NewApiTask, Retry, Run, Task as ApiTask } from "../generated/openapi.ts";
import { DEFINITION_TAG, fromApi, toApi } from "../scheduler/convert.ts";
import type { Home } from "../scheduler/home.ts";
import { overwrite } from "../scheduler/pauses.ts";
import type { NewTask } from "../scheduler/types.ts";
import type { RetryOptions, Schedule, ScheduleCriteria, ScheduleOptions } from "./types.ts";

/** The retries of the agents package for a callback that throws, unless an agent has its own. */
const DEFAULT_RETRY = { maxAttempts: 3, baseDelayMs: 100, maxDelayMs: 3_000 };

/** The most tries to find an idempotent schedule before it is overwritten. */
const MAX_TRIES = 3;

/** When a schedule runs, in the members of the API. */
type Times = { delayInSeconds: number } | { time: Date } | { cron: string } | { everySeconds: number };

/** The schedules of one agent in the scheduler. */
export class Schedules {
  readonly #home: Home;
  readonly #client: () => SchedulerClient;
  /** The retries of schedules that have none of their own. */
  readonly #retry: Retry;

  /** `retry` are the agent's retries for all its schedules. */
  constructor(home: Home, client: () => SchedulerClient, retry: RetryOptions = {}) {
    this.#home = home;
    this.#client = client;
    this.#retry = toRetry({ ...DEFAULT_RETRY, ...retry });
  }

  /**
   * Creates a schedule. If it is idempotent and there is one with the same callback, payload and kind, returns that one. A recurring
   * schedule must also have the same times and zone to be the same, and gets the options of the call if they have changed.
   */
  async create(times: Times, callback: string, payload: unknown, options: ScheduleOptions): Promise<Schedule<unknown>> {
    const isRecurring = "cron" in times || "everySeconds" in times;
    const { idempotent = isRecurring, retry, timeoutSeconds, overlap = "everySeconds" in times ? "skip" : undefined, ...more } = options;
    const fields = {
      ...more,
      ...times,
      ...(overlap === undefined ? {} : { overlap }),
      ...(payload === undefined ? {} : { payload }),
      retry: retry === undefined ? this.#retry : isOfAgents(retry) ? { ...this.#retry, ...toRetry(retry) } : retry,
      callback: { type: "self", function: callback, timeoutSeconds },
    };
    const idIn = async (timezone: string | undefined) => this.#home.prefix + (await digest([isRecurring ? times : Object.keys(times), callback, payload, timezone]));
    const id = idempotent ? await idIn(more.timezone) : this.#home.prefix + crypto.randomUUID();
    const task = await toApi(fields as NewTask, id, this.#home);
    if (!idempotent) return this.#show(await this.#client().scheduleTask(task));
    if (!isRecurring) return this.#show((await this.#createUnlessThere(task)).task);
    const definition = DEFINITION_TAG + (await digest(fields));
    const marked = { ...task, tags: [...(task.tags ?? []), definition] };
    const { task: found, isNew } = await this.#createUnlessThere(marked);
    // A schedule with a time zone replaces the same schedule without one.
    if (isNew && more.timezone !== undefined) await this.#client().cancelTask(await idIn(undefined));
    if (isNew || found.tags?.includes(definition)) return this.#show(found);
    return this.#show(await overwrite(this.#client(), marked, found));
  }

  /** Creates a task, or returns the one that has its id. */
  async #createUnlessThere(task: NewApiTask): Promise<{ task: ApiTask; isNew: boolean }> {
    for (let tries = MAX_TRIES; tries > 0; tries -= 1) {
      try {
        return { task: await this.#client().scheduleTask(task, { ifNoneMatch: "*" }), isNew: true };
      } catch (error) {
        if (!isType(error, "/problems/other-version")) throw error;
      }
      const existing = await this.#client().getTask(task.id ?? "");
      if (existing !== undefined) return { task: existing, isNew: false };
      // A task that runs once may end between the two calls. Then the place is free again.
    }
    return { task: await this.#client().scheduleTask(task), isNew: true };
  }

  /** Returns a schedule, or undefined if there is none. */
  async get(id: string): Promise<Schedule<unknown> | undefined> {
    const task = await this.#client().getTask(this.#home.prefix + id);
    return task === undefined || !isSchedule(task) ? undefined : this.#show(task);
  }

  /** Lists schedules in the order of their times. */
  async list({ id, type, timeRange }: ScheduleCriteria): Promise<Schedule<unknown>[]> {
    const kind = type === undefined ? undefined : KINDS[type];
    const found = new Map<string, Schedule<unknown>>();
    const query = { prefix: this.#home.prefix + (id ?? ""), kind, from: timeRange?.start, to: after(timeRange?.end) };
    for await (const task of this.#client().query(query)) {
      const schedule = this.#show(task);
      if (!isSchedule(task) || (id ?? schedule.id) !== schedule.id || (type ?? schedule.type) !== schedule.type) continue;
      // A further attempt at a recurring schedule has the id of the schedule.
      const before = found.get(schedule.id);
      if (before === undefined || before.status === "retrying") found.set(schedule.id, schedule);
    }
    return [...found.values()].sort((one, two) => one.time - two.time);
  }

  /** Cancels a schedule. Returns whether there was one. */
  async cancel(id: string): Promise<boolean> {
    return (await this.#client().cancelTask(this.#home.prefix + id)) !== undefined;
  }

  /** Cancels all schedules. */
  async cancelAll(): Promise<void> {
    await this.#client().cancelTask({ prefix: this.#home.prefix });
  }

  /** Pauses, resumes or runs a schedule. Returns whether there is one. */
  async change(id: string, change: "pause" | "resume" | "run"): Promise<boolean> {
    try {
      const [client, name] = [this.#client(), this.#home.prefix + id];
      await (change === "pause" ? client.pause(name) : client[change](name));
      return true;
    } catch (error) {
      if (isType(error, "/problems/no-task")) return false;
      throw error;
    }
  }

  /** Returns the last runs of a schedule, the newest first. */
  async runs(id: string, { limit = 100 }: Pick<ListRunsQuery, "limit"> = {}): Promise<Run[]> {
    return this.#client().runs(this.#home.prefix + id, { limit: Math.min(limit, 1_000) }).toArray(limit);
  }

  /** Returns the schedule of a run. */
  ofRun(task: DeliveredTask): Schedule<unknown> {
    const kind = task.cron !== undefined ? "cron" : task.everySeconds !== undefined ? "every" : "once";
    return this.#show({ ...task, kind, status: "running" } as unknown as ApiTask);
  }

  /** Returns the retries of a schedule that differ from the agent's retries for all its schedules. */
  #shownRetry(retry: Retry | undefined): { retry?: RetryOptions } {
    const common = fromRetry(this.#retry);
    const own = Object.entries(retry === undefined ? {} : fromRetry(retry)).filter(([name, value]) => common[name as keyof RetryOptions] !== value);
    return own.length === 0 ? {} : { retry: Object.fromEntries(own) };
  }

  #show(task: ApiTask): Schedule<unknown> {
    const { id, payload, callback, status, retry, ...shown } = fromApi(task, this.#home);
    const seconds = shown.time === undefined ? 0 : Math.floor(shown.time.getTime() / 1000);
    const common = {
      id,
      callback: callback.type === "self" ? callback.function : callback.type,
      payload,
      ...this.#shownRetry(retry),
      time: seconds,
      ...(status === undefined ? {} : { status }),
    };
    switch (shown.type) {
      case "cron": {
        const timezone = shown.timezone === undefined ? {} : { timezone: shown.timezone };
        return { ...common, ...timezone, type: "cron", cron: String(shown.cron) };
      }
      case "every":
        return { ...common, type: "interval", intervalSeconds: shown.everySeconds };
      case "delayed":
        return { ...common, type: "delayed", delayInSeconds: shown.delayInSeconds };
      default:
        return { ...common, type: "scheduled" };
    }
  }
}

const KINDS = { scheduled: "once", delayed: "once", cron: "cron", interval: "every" } as const;

/** Whether a task of the API is a schedule: it still runs, and it is not a follow-up of a run. */
function isSchedule({ status, stage }: ApiTask): boolean {
  return status !== "dead-lettered" && stage === undefined;
}

/** Returns the first millisecond after a time. The agents package includes the end of a range, and the API does not. */
function after(time: Date | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time.getTime() + 1);
}

function isType(error: unknown, type: string): boolean {
  return error instanceof SchedulerError && error.type === type;
}

function isOfAgents(retry: RetryOptions | Retry): retry is RetryOptions {
  return Object.keys(retry).every((name) => name in DEFAULT_RETRY);
}

/** Returns retries in the members of the API, without absent members. */
function toRetry({ maxAttempts, baseDelayMs, maxDelayMs }: RetryOptions): Retry {
  return {
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(baseDelayMs === undefined ? {} : { minBackoffSeconds: baseDelayMs / 1000 }),
    ...(maxDelayMs === undefined ? {} : { maxBackoffSeconds: maxDelayMs / 1000 }),
  };
}

function fromRetry({ maxAttempts, minBackoffSeconds, maxBackoffSeconds }: Retry): RetryOptions {
  return {
    ...(maxAttempts == null ? {} : { maxAttempts }),
    ...(minBackoffSeconds == null ? {} : { baseDelayMs: minBackoffSeconds * 1000 }),
    ...(maxBackoffSeconds == null ? {} : { maxDelayMs: maxBackoffSeconds * 1000 }),
  };
}

/** Returns a digest that is equal for equal values and differs for others. */
async function digest(value: unknown): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value)));
  return [...new Uint8Array(bytes).slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
