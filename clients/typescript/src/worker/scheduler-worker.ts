import PrebuiltWorker from "../../prebuilt/index.js";

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
 * the `Tasks` behind `SERVICE_BINDINGS` declare.
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
    super(ctx, env as Cloudflare.Env);
    if (Date.now() < nextAttempt) return;
    nextAttempt = Date.now() + INTERVAL_MILLIS;
    ctx.waitUntil(reconcileAll(env as Record<string, unknown>));
  }
}

async function reconcileAll(env: Record<string, unknown>): Promise<void> {
  const names = String(env.SERVICE_BINDINGS ?? "").split(",").map((name) => name.trim()).filter((name) => env[name] !== undefined);
  const results = await Promise.all(names.map((name) => reconcile(name, env[name] as MayReconcile)));
  if (results.includes(false)) nextAttempt = Date.now() + RETRY_MILLIS;
}

/** Returns false if an entry point has declared schedules and they are not up to date. */
async function reconcile(name: string, entrypoint: MayReconcile): Promise<boolean> {
  try {
    await entrypoint.reconcileSchedules();
    return true;
  } catch (error) {
    const { message } = error as Error;
    // What the platform says of an entry point that is no Tasks.
    if (/does not implement the method|is not a function/.test(message)) return true;
    console.error(`${name}: ${message}`);
    return false;
  }
}
