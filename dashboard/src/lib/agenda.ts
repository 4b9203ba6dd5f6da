// The periods of the agenda, in the viewer's time zone.

import { clockAt } from "./time";

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

/** The length of the parts that the forecast counts. Days begin at a multiple of it, even where clocks change by half an hour. */
const COUNTED_MS = 1_800_000;

/** Returns the number of equal parts to count in a stretch, so that each of its slots is a sum of them. */
export const countedParts = ({ from, to, slots }: Stretch): number => (to - from) / Math.min(COUNTED_MS, (slots[1] ?? to) - from);

/** Returns the sum of the counted parts in each slot of a stretch. */
export function inSlots({ slots, to }: Stretch, counted: readonly { at: number; oneShot: number }[]): number[] {
  return slots.map((slot, index) => {
    const end = slots[index + 1] ?? to;
    return counted.reduce((sum, { at, oneShot }) => (at >= slot && at < end ? sum + oneShot : sum), 0);
  });
}

export interface ClockChange {
  at: number;
  /** The offsets before and after, as in `UTC+1`. */
  before: string;
  after: string;
}

const MINUTE_MS = 60_000;

/** Returns the clock changes of a zone between two instants, to the minute. */
export function clockChanges(from: number, to: number, zone: string): ClockChange[] {
  const offsetAt = (at: number): string => clockAt(at, zone).offset;
  const changes: ClockChange[] = [];
  const hour = 60 * MINUTE_MS;
  for (let at = from; at < to; at += hour) {
    let [low, high] = [at, Math.min(at + hour, to)];
    const before = offsetAt(low);
    const after = offsetAt(high);
    if (before === after) continue;
    while (high - low > MINUTE_MS) {
      const middle = low + Math.ceil((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
      if (middle >= high) break;
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ at: high, before, after });
  }
  return changes;
}
