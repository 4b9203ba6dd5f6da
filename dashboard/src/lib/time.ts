// Formats times for people, always with their time zone.

import { clockFormat, HERE } from "./intl";

export { HERE, isZone, zones } from "./intl";

export interface Clock {
  /** As in `Mon`. */
  weekday: string;
  /** As in `2026-11-30`. */
  date: string;
  /** As in `09:00:00`. */
  time: string;
  /** As in `UTC+1`. */
  offset: string;
}

/** Returns what the clocks of a zone show at an instant. */
export function clockAt(millis: number, zone: string = HERE): Clock {
  const parts = Object.fromEntries(clockFormat(zone).formatToParts(millis).map(({ type, value }) => [type, value]));
  return {
    weekday: parts["weekday"] ?? "",
    date: `${parts["year"]}-${parts["month"]}-${parts["day"]}`,
    time: `${parts["hour"]}:${parts["minute"]}:${parts["second"]}`,
    offset: (parts["timeZoneName"] ?? "").replace("GMT", "UTC"),
  };
}

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** Splits a text at its instants, such as `2026-11-30T08:00:00Z`, which become milliseconds since 1970. */
export function splitAtInstants(text: string): (string | number)[] {
  const parts: (string | number)[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(INSTANT)) {
    parts.push(text.slice(end, index), Date.parse(found));
    end = index + found.length;
  }
  return [...parts, text.slice(end)];
}

/** Clocks go back by an hour, by half an hour on Lord Howe, and by two or three hours in rare cases. */
const TURNED_BACK_MS = [1_800_000, 3_600_000, 7_200_000, 10_800_000];

/** The length of the windows below: a list has many times in one. */
const WINDOW_MS = 21_600_000;
/** More windows than a page has. */
const MAX_WINDOWS = 1_000;
const isChanging = new Map<string, boolean>();

/** Returns whether the clock of a zone may change near an instant. */
function isNearChange(millis: number, zone: string): boolean {
  const window = Math.floor(millis / WINDOW_MS);
  const name = `${zone} ${window}`;
  let answer = isChanging.get(name);
  if (answer === undefined) {
    const margin = Math.max(...TURNED_BACK_MS);
    answer = clockAt(window * WINDOW_MS - margin, zone).offset !== clockAt((window + 1) * WINDOW_MS + margin, zone).offset;
    if (isChanging.size >= MAX_WINDOWS) isChanging.clear();
    isChanging.set(name, answer);
  }
  return answer;
}

/** Returns whether the clock of a zone shows the date and time of an instant twice, because it goes back. */
export function isRepeated(millis: number, zone: string = HERE): boolean {
  if (!isNearChange(millis, zone)) return false;
  const { date, time } = clockAt(millis, zone);
  return TURNED_BACK_MS.flatMap((by) => [millis - by, millis + by]).some((other) => {
    const shown = clockAt(other, zone);
    return shown.time === time && shown.date === date;
  });
}

/** Formats an instant completely: `Mon 2026-11-30 09:00:00 UTC+1`. */
export function fullTime(millis: number, zone: string = HERE): string {
  const { weekday, date, time, offset } = clockAt(millis, zone);
  return `${weekday} ${date} ${time} ${offset}`;
}

const UNITS: readonly [number, string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** Formats a duration by its two largest units: `2 h 5 min`, `340 ms`. */
export function duration(millis: number): string {
  if (millis < 1_000) return `${Math.round(millis)} ms`;
  if (millis < 10_000) return `${(millis / 1_000).toFixed(1)} s`;
  let rest = Math.round(millis / 1_000) * 1_000;
  const shown: string[] = [];
  for (const [unit, name] of UNITS) {
    const count = Math.floor(rest / unit);
    if (count > 0) shown.push(`${count} ${name}`);
    else if (shown.length > 0) break;
    rest -= count * unit;
    if (shown.length === 2) break;
  }
  return shown.join(" ");
}

/** Formats the distance of one instant from another: `in 5 min`, `2 h ago`. */
export function relative(millis: number, from: number): string {
  const distance = millis - from;
  if (Math.abs(distance) < 1_000) return "now";
  const seconds = Math.round(Math.abs(distance) / 1_000) * 1_000;
  return distance > 0 ? `in ${duration(seconds < 10_000 ? seconds : seconds).replace(".0", "")}` : `${duration(seconds).replace(".0", "")} ago`;
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/i;

/** Reads an instant as in `2026-11-30T08:00:00Z`, or in milliseconds since 1970 between 2001 and 2286; undefined if a text is neither. */
export function timeOf(text: string): number | undefined {
  const millis = /^[1-9]\d{12}$/.test(text) ? Number(text) : TIMESTAMP.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(millis) ? undefined : millis;
}

/** Returns a time of a task in milliseconds. The API shows it as a number, or as text if a request would refuse the number. */
export const millisOf = (time: number | string | undefined): number | undefined => (typeof time === "string" ? timeOf(time) : time);

/** Formats an instant for the field of a form. */
export function forField(millis: number, zone: string = HERE): string {
  const { date, time } = clockAt(millis, zone);
  return `${date}T${time.slice(0, 5)}`;
}
