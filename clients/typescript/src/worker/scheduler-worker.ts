import PrebuiltWorker from "../../prebuilt/index.js";
import { withRuns } from "./runs.ts";

/** An entry point that may have declared schedules: a `Tasks`, as far as this file is concerned. */
interface MayReconcile {
  reconcileSchedules(): Promise<void>;
}

/** Milliseconds until declared schedules that could not be brought up to date are tried again. */
const RETRY_MILLIS = 30_000;
/**
 * Milliseconds until an isolate looks again. While a deploy is rolled out, an isolate of the old version may start last and
 * bring back the old schedules.
 */
const INTERVAL_MILLIS = 300_000;

/** When this isolate may next bring declared schedules up to date, milliseconds since 1970. */
let nextAttempt = 0;

/**
 * The scheduler's Worker: the HTTP API, the dispatcher of fired tasks, and the watchdog. Make it, or a class that extends
 * it, the default export of your Worker.
 *
 * With the first event of an isolate, and so within a minute after a deploy, it also brings up to date the schedules that
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
    if (Date.now() < nextAttempt) return;
    nextAttempt = Date.now() + INTERVAL_MILLIS;
    ctx.waitUntil(reconcileAll((ctx as { exports?: Record<string, unknown> }).exports ?? {}));
  }
}

/** Exports that are no `Tasks`. */
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
    // What the platform says of an entry point that is no Tasks.
    if (/does not implement the method|is not a function/.test(message)) return true;
    console.error(message);
    return false;
  }
}
