// The periods of the agenda, in the viewer's time zone.

export type Span = "hour" | "day" | "week";

export interface Stretch {
  from: number;
  to: number;
  /** The times at which the parts begin, in order. */
  slots: number[];
}

/** Returns the beginning of the hour, day or week (from Monday) that contains an instant. */
export function beginningOf(span: Span, at: number): Date {
  const date = new Date(at);
  if (span === "hour") date.setMinutes(0, 0, 0);
  else date.setHours(0, 0, 0, 0);
  if (span === "week") date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  return date;
}

/** Returns a beginning moved by `by` hours, days or weeks. Days follow the calendar, so they may have 23 or 25 hours. */
export function moved(span: Span, from: Date, by: number): Date {
  const date = new Date(from);
  if (span === "hour") date.setTime(date.getTime() + by * 3_600_000);
  else date.setDate(date.getDate() + by * (span === "week" ? 7 : 1));
  return date;
}

/** Returns the period that contains an instant: an hour in twelve parts of five minutes, a day in hours, or a week in days. */
export function stretchOf(span: Span, at: number): Stretch {
  const beginning = beginningOf(span, at);
  const [from, to] = [beginning.getTime(), moved(span, beginning, 1).getTime()];
  const slots: number[] = [];
  if (span === "week") for (let day = 0; day < 7; day += 1) slots.push(moved("day", beginning, day).getTime());
  else for (let slot = from; slot < to; slot += span === "hour" ? 300_000 : 3_600_000) slots.push(slot);
  return { from, to, slots };
}
