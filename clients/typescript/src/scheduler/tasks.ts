import { WorkerEntrypoint } from "cloudflare:workers";
import type { SchedulerClient } from "../client/client.ts";
import { connect } from "./connect.ts";
import type { Class } from "./declarations.ts";
import { PermanentError } from "./errors.ts";
import { Home, newToken, RUNS_BINDING } from "./home.ts";
import { reconcileByRecord } from "./reconcile.ts";
import { interceptRuns } from "./runs.ts";
import { TaskScheduler } from "./task-scheduler.ts";
import type { TaskRun } from "./types.ts";

/** The class of an entry point. */
type TasksClass<Self extends Tasks> = (abstract new (ctx: ExecutionContext, env: never) => Self) & { readonly name: string; binding: string };

/**
 * An entry point whose methods tasks call, without a Durable Object of your own.
 *
 * The Worker binds to itself: `services` has `{ "binding": "TASKS", "service": "<its own name>", "entrypoint": "<the class>" }`.
 * Its tasks may call its public methods, but none that it inherits from here, and only tasks that it has scheduled itself
 * may call them.
 *
 * The prebuilt Worker brings the schedules that `@cron` and `@every` declare up to date after a deploy: at its first
 * request, or within five minutes.
 *
 * @example
 * export class Nightly extends Tasks<Env> {
 *   @cron("0 3 * * *", { timezone: "Europe/London", retries: 3 })
 *   async cleanUp() { … }
 * }
 */
export class Tasks<Env = unknown, Props = unknown> extends WorkerEntrypoint<Env, Props> {
  /** The name of the service binding by which the scheduler calls this entry point. */
  static binding = "TASKS";

  /** Schedules, finds and cancels tasks of this entry point. */
  readonly scheduler: TaskScheduler<this>;

  constructor(ctx: ExecutionContext<Props>, env: Env) {
    super(ctx, env);
    const type = new.target as unknown as TasksClass<this>;
    const { home, client } = homeOf(type, env, ctx);
    this.scheduler = new TaskScheduler(home, client);
    interceptRuns(this, home);
  }

  /**
   * Returns the scheduler of an entry point, for use elsewhere in the Worker.
   *
   * @example
   * await Nightly.of(env, ctx).scheduleTask({ delayInSeconds: 5, callback: { type: "self", function: "cleanUp" } });
   */
  static of<Self extends Tasks>(this: TasksClass<Self>, env: unknown, ctx: { readonly exports?: unknown }): TaskScheduler<Self> {
    const { home, client } = homeOf(this, env, ctx);
    return new TaskScheduler<Self>(home, client);
  }

  /**
   * Brings the declared schedules into the scheduler, if they have changed since the last time.
   *
   * Throws an `AggregateError` with one error for each schedule that the scheduler refuses, and a `TypeError` if another class has the same
   * binding.
   */
  async reconcileSchedules(): Promise<void> {
    const type = this.constructor as TasksClass<Tasks>;
    claim(type);
    const { home, client } = homeOf(type, this.env, this.ctx);
    await reconcileByRecord(client(), home, recordId(home));
  }

  /**
   * Runs a task without a callback. A class may override this method. Here it throws a `PermanentError`, because there is nothing to do.
   */
  onTask(_payload: unknown, run: TaskRun): unknown {
    throw new PermanentError(`the task ${run.id} has no callback, and ${this.constructor.name} has no method onTask: give the task a callback, or the class this method`);
  }
}

/** Classes that have declared schedules in this isolate, by binding. */
const owners = new Map<string, TasksClass<Tasks>>();

/**
 * Records that a binding belongs to a class. Throws a `TypeError` if it belongs to another class, because each would remove the schedules
 * of the other.
 */
function claim(type: TasksClass<Tasks>): void {
  const { binding } = type;
  const owner = owners.get(binding) ?? type;
  if (owner !== type) throw new TypeError(`${owner.name} and ${type.name} both have the binding ${binding}: give one of them a service binding of its own, and "static override binding" with its name`);
  owners.set(binding, owner);
}

/** Tokens by binding, for the life of the isolate. */
const tokens = new Map<string, Promise<string>>();

function homeOf(type: TasksClass<Tasks>, env: unknown, ctx: { readonly exports?: unknown }): { home: Home; client: () => SchedulerClient } {
  let made: SchedulerClient | undefined;
  const client = () => (made ??= connect(env, ctx));
  const { binding } = type;
  const home: Home = new Home({
    type: type as unknown as Class,
    base: Tasks as unknown as Class,
    address: () => ({ type: "service", binding }),
    token: () => {
      const token = tokens.get(binding) ?? storedToken(client(), home);
      tokens.set(binding, token);
      token.catch(() => tokens.delete(binding));
      return token;
    },
  });
  return { home, client };
}

/** The id of the record of an entry point: a task that never runs, and has the token and the fingerprint. No query lists it. */
function recordId(home: Home): string {
  return `${home.prefix.slice(0, -1)}-record`;
}

/** Returns the token in the record of an entry point. Creates the record if it is missing. */
async function storedToken(client: SchedulerClient, home: Home): Promise<string> {
  const id = recordId(home);
  const stored = tokenIn(await client.getTask(id));
  if (stored !== undefined) return stored;
  const callback = { type: "service", binding: RUNS_BINDING, path: "/", headers: { [RECORD_HEADER]: newToken() } } as const;
  const description = `the record of ${home.type.name}`;
  try {
    await client.scheduleTask({ id, type: "no-schedule", description, callback, payload: {} }, { ifNoneMatch: "*" });
  } catch (error) {
    // Another instance may have created it first, so the stored token counts.
    const made = tokenIn(await client.getTask(id));
    if (made === undefined) throw error;
    return made;
  }
  return callback.headers[RECORD_HEADER];
}

const RECORD_HEADER = "durable-scheduler-record";

function tokenIn(record: { callback: object } | undefined): string | undefined {
  const { headers } = (record?.callback ?? {}) as { headers?: Record<string, string> | null };
  return headers?.[RECORD_HEADER];
}
