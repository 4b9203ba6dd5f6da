import { OLDEST_COMPATIBILITY_DATE } from "../compatibility.ts";
import { SchedulerClient } from "../client/client.ts";
import type { Fetch } from "../client/options.ts";

/** The service binding that leads to a scheduler in another Worker. */
export const SERVICE_BINDING = "SCHEDULER_SERVICE";

/** The name that a Worker exports the scheduler's entry point under. */
const ENTRYPOINT = "SchedulerEntrypoint";

/**
 * Returns a client of the scheduler that an object or entry point reaches: the one in its own Worker, if that exports
 * `SchedulerEntrypoint`, or the one behind the service binding `SCHEDULER_SERVICE`.
 *
 * Throws a `TypeError` if there is neither.
 */
export function connect(env: unknown, ctx: { readonly exports?: unknown }): SchedulerClient {
  const own = (ctx.exports as Record<string, unknown> | undefined)?.[ENTRYPOINT];
  // An entry point of the same Worker is a function that takes its properties.
  const found = typeof own === "function" ? (own as (options: { props: object }) => unknown)({ props: {} }) : (env as Record<string, unknown> | undefined)?.[SERVICE_BINDING];
  if (found === undefined || found === null) {
    throw new TypeError(`no scheduler: export { ${ENTRYPOINT} } from "durable-scheduler/worker", with a compatibility_date of ${OLDEST_COMPATIBILITY_DATE} or later, or bind ${SERVICE_BINDING} to the scheduler of another Worker`);
  }
  return new SchedulerClient({ binding: found as { fetch: Fetch } });
}
