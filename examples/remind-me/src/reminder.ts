// What a reminder is, and when it comes.

export const REPEATS = ["never", "daily", "weekdays", "weekly"] as const;

/** A reminder, as a person sets it. It is the payload of its task. */
export interface Reminder {
  text: string;
  /** The local time of the first one, such as `2030-12-24T18:00`. */
  at: string;
  repeat: (typeof REPEATS)[number];
}

/** Something in a request is wrong. */
export class Refusal extends Error {
  readonly field: string;

  constructor(field: string, detail: string) {
    super(detail);
    this.field = field;
  }
}

const MAX_TEXT_LENGTH = 200;

/** Reads a reminder. Throws a `Refusal` that names the member at fault. */
export function readReminder(body: unknown): Reminder {
  const { text, at, repeat = "never" } = (body ?? {}) as Partial<Record<keyof Reminder, unknown>>;
  if (typeof text !== "string" || text.trim() === "" || text.length > MAX_TEXT_LENGTH) throw new Refusal("text", `give 1 to ${MAX_TEXT_LENGTH} characters`);
  if (typeof at !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(at)) throw new Refusal("at", "give a local time such as 2030-12-24T18:00");
  const known = REPEATS.find((name) => name === repeat);
  if (known === undefined) throw new Refusal("repeat", `give one of ${REPEATS.join(", ")}`);
  return { text: text.trim(), at, repeat: known };
}

/** Returns when a reminder comes, as the scheduler takes it: local times of a zone stay local when the clocks change. */
export function scheduleOf({ at, repeat }: Reminder, timezone: string) {
  if (repeat === "never") return { time: at, timezone };
  const days = { daily: "*", weekdays: "MON-FRI", weekly: String(new Date(`${at}Z`).getUTCDay()) };
  return { cron: `${Number(at.slice(14))} ${Number(at.slice(11, 13))} * * ${days[repeat]}`, startAt: at, timezone };
}
