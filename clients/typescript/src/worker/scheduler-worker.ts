import PrebuiltWorker from "../../prebuilt/index.js";
import { isDispatch, isForOwnQueue } from "../consumer/envelope.ts";
import { IS_SCHEDULER } from "./holder.ts";
import { withRuns } from "./runs.ts";

/** The part of a `Tasks` that this file needs: an entry point that may have declared schedules. */
interface MayReconcile {
  reconcileSchedules(): Promise<void>;
}

/** The wait in milliseconds before declared schedules that could not be brought up to date are tried again. */
const RETRY_MILLIS = 30_000;
/**
 * The time in milliseconds after which an isolate checks again. While a deploy is rolled out, an isolate of the old version may start last
 * and bring back the old schedules.
 */
const INTERVAL_MILLIS = 300_000;

/** When this isolate may next bring declared schedules up to date, milliseconds since 1970. */
let nextAttempt = 0;

/**
 * The scheduler's Worker: the HTTP API, the dispatcher of fired tasks, and the watchdog. Make it, or a class that extends
 * it, the default export of your Worker.
 *
 * With the first event of an isolate, and so within five minutes after a deploy, it also brings up to date the schedules that
 * the exported `Tasks` declare.
 *
 * @example
 * export default class extends SchedulerWorker {
 *   async fetch(request: Request): Promise<Response> {
 *     if (new URL(request.url).pathname === "/") return new Response("Hello");
 *     return super.fetch(request);
 *   }
 * }
 */
export class SchedulerWorker<Env = unknown> extends PrebuiltWorker {
  declare protected readonly env: Env & Cloudflare.Env;

  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, withRuns(env, ctx) as Cloudflare.Env);
    guardQueue(new.target.prototype);
    if (Date.now() < nextAttempt) return;
    nextAttempt = Date.now() + INTERVAL_MILLIS;
    ctx.waitUntil(reconcileAll((ctx as { exports?: Record<string, unknown> }).exports ?? {}));
  }

  /**
   * Runs the tasks of a batch of the dispatch queue. A class that overrides this calls it for each queue that is not its own.
   *
   * Throws an `Error` for a batch of tasks that are for a queue of the project: nobody would run them. The queue delivers them again, and
   * then moves them to its dead-letter queue.
   */
  override async queue(batch: MessageBatch): Promise<void> {
    if (batch.messages.some(({ body }) => isForOwnQueue(body))) {
      const error = new Error(`nobody consumes the queue ${batch.queue}: let the queue() of this Worker give its batches to consume() of "durable-scheduler/consumer", and all others to super.queue(batch)`);
      // Without this, it would only be in the outcome of the event.
      console.error(error.message);
      throw error;
    }
    taken.add(batch);
    await super.queue(batch);
  }

  /** Runs the watchdog. A class that overrides this calls it for each `controller.cron` that is not its own. */
  override async scheduled(controller: ScheduledController): Promise<void> {
    await super.scheduled(controller);
  }

  /**
   * Answers that the default export of the Worker is the scheduler. `SchedulerEntrypoint` asks for this, because otherwise no task would
   * run.
   */
  [IS_SCHEDULER](): true {
    return true;
  }
}

/** The batches that the scheduler has received. */
const taken = new WeakSet<MessageBatch>();
/** Prototypes whose `queue` is guarded. */
const guarded = new WeakSet<object>();

/**
 * Lets the `queue` of a class that extends `SchedulerWorker` throw for a batch of the dispatch queue that it does not give to
 * `super.queue`. The runs of such a batch would be lost until the scheduler sends them again.
 */
function guardQueue(prototype: SchedulerWorker): void {
  if (guarded.has(prototype)) return;
  guarded.add(prototype);
  if (prototype === SchedulerWorker.prototype || !Object.hasOwn(prototype, "queue")) return;
  const own = prototype.queue;
  prototype.queue = async function queue(this: SchedulerWorker, batch: MessageBatch) {
    const isLost = () => !taken.has(batch) && batch.messages.some(({ body }) => isDispatch(body));
    try {
      await own.call(this, batch);
      if (isLost()) throw new Error(`the queue() of this Worker has not passed a batch of ${batch.queue} to the scheduler, so no task runs: return super.queue(batch) for every queue that is not your own`);
    } catch (error) {
      // Otherwise the message would only be in the outcome of the event.
      if (isLost()) console.error((error as Error).message);
      throw error;
    }
  };
}

/** Exports that are not a `Tasks`. */
const OTHERS = new Set(["default", "SchedulerEntrypoint", "Shard", "Registry", "Limiter"]);

async function reconcileAll(exports: Record<string, unknown>): Promise<void> {
  const names = Object.keys(exports).filter((name) => !OTHERS.has(name) && typeof (exports[name] as Partial<MayReconcile>).reconcileSchedules === "function");
  const results = await Promise.all(names.map((name) => reconcile(exports[name] as MayReconcile)));
  if (results.includes(false)) nextAttempt = Date.now() + RETRY_MILLIS;
}

/** Returns false if an entry point has declared schedules and they are not up to date. */
async function reconcile(entrypoint: MayReconcile): Promise<boolean> {
  try {
    await entrypoint.reconcileSchedules();
    return true;
  } catch (error) {
    const { message } = error as Error;
    // The error of the platform for an entry point that is not a `Tasks`.
    if (/does not implement the method|is not a function/.test(message)) return true;
    console.error(message);
    return false;
  }
}
