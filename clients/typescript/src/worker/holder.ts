// Checks whether the default export of a Worker is the scheduler. Otherwise no task would run.

/** The method of `SchedulerWorker` that says so. */
export const IS_SCHEDULER = "durableSchedulerIsHere";

/** The errors of the platform for a default export that has no such method. */
const WITHOUT_METHOD = /does not implement the method|is not a function|not an RPC|does not support RPC/i;

/** The result of this isolate's check: why tasks would not run, or undefined. */
let found: Promise<string | undefined> | undefined;

/** Returns why no task would run in a Worker, or undefined. An error about anything else counts as "not known". */
export function whyNoTaskRuns(ctx: { readonly exports?: unknown }): Promise<string | undefined> {
  return (found ??= ask(ctx.exports as Record<string, unknown> | undefined).catch(() => {
    found = undefined;
    return undefined;
  }));
}

async function ask(exports: Record<string, unknown> | undefined): Promise<string | undefined> {
  if (exports === undefined) return undefined;
  try {
    const main = exports.default as Record<typeof IS_SCHEDULER, () => Promise<true>> | undefined;
    if (main === undefined) return WHY;
    await main[IS_SCHEDULER]();
    return undefined;
  } catch (error) {
    if (WITHOUT_METHOD.test((error as Error).message)) return WHY;
    throw error;
  }
}

const WHY = 'no task would run, because the default export of this Worker is not the scheduler: let it be a class that extends SchedulerWorker of "durable-scheduler/worker"';
