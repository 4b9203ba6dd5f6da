// The stretches of time of the agenda, by the clock of whoever looks.

export type Span = "hour" | "day" | "week";

export interface Stretch {
  from: number;
  to: number;
  /** Where the parts begin, in order. */
  slots: number[];
}

/** Returns the beginning of the hour, day or week (Monday) that an instant is in. */
export function beginningOf(span: Span, at: number): Date {
  const date = new Date(at);
  if (span === "hour") date.setMinutes(0, 0, 0);
  else date.setHours(0, 0, 0, 0);
  if (span === "week") date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  return date;
}

/** Moves a beginning by so many hours, days or weeks. Days follow the calendar, not 24 hours. */
export function moved(span: Span, from: Date, by: number): Date {
  const date = new Date(from);
  if (span === "hour") date.setTime(date.getTime() + by * 3_600_000);
  else date.setDate(date.getDate() + by * (span === "week" ? 7 : 1));
  return date;
}

/** Returns the stretch that an instant is in, in twelve parts of five minutes, in hours, or in days. */
export function stretchOf(span: Span, at: number): Stretch {
  const beginning = beginningOf(span, at);
  const [from, to] = [beginning.getTime(), moved(span, beginning, 1).getTime()];
  const slots: number[] = [];
  if (span === "week") for (let day = 0; day < 7; day += 1) slots.push(moved("day", beginning, day).getTime());
  else for (let slot = from; slot < to; slot += span === "hour" ? 300_000 : 3_600_000) slots.push(slot);
  return { from, to, slots };
}
