/**
 * The oldest compatibility date of a Worker with the scheduler. The platform has `ctx.exports` from this date on, by which the Worker
 * reaches its own entry points.
 */
export const OLDEST_COMPATIBILITY_DATE = "2025-11-17";

/** Returns why a compatibility date is too old for the scheduler, or undefined. Dates are written as `YYYY-MM-DD`. */
export function refuseDate(date: string): string | undefined {
  if (date >= OLDEST_COMPATIBILITY_DATE) return undefined;
  return `compatibility_date is ${date}, and the scheduler needs ${OLDEST_COMPATIBILITY_DATE} or a later date: change it`;
}
