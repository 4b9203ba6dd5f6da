const UNITS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;

type Unit = keyof typeof UNITS;

/** A length of time: a number of milliseconds, or text such as `"3 days"`, `"1 hour"` or `"90 seconds"`. */
export type Duration = number | `${number} ${Unit}` | `${number} ${Unit}s`;

/** Returns a duration in milliseconds. Throws a `TypeError` if it is none, or negative. */
export function toMillis(duration: Duration): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?) (second|minute|hour|day|week)s?$/.exec(String(duration)) ?? [];
  const millis = typeof duration === "number" ? duration : Number(count) * UNITS[unit as Unit];
  if (!(Number.isFinite(millis) && millis >= 0)) throw new TypeError(`${duration} is not a duration: give milliseconds, or text such as "3 days"`);
  return millis;
}
