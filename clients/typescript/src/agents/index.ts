/**
 * The schedules of Cloudflare's agents package, on the scheduler.
 *
 * @module
 */

export type { RetryOptions, Schedule, ScheduleCriteria, ScheduledMethods, ScheduleOptions } from "./types.ts";
export { withScheduler } from "./with-scheduler.ts";
export type { ScheduledClass } from "./with-scheduler.ts";
