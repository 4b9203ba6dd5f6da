// A schedule as an English sentence. A schedule that is not simple is quoted.

import type { Task } from "../api/types";
import { duration, fullTime, millisOf } from "./time";

type Schedule = Partial<Pick<Task, "kind" | "time" | "cron" | "everySeconds" | "rrule" | "timezone" | "startAt" | "endAt" | "maxRuns" | "exclude" | "jitterSeconds" | "windowSeconds" | "local">> & {
  delayInSeconds?: number;
  schedule?: string;
};

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY_NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const MONTH_NAMES = MONTHS.map((name) => name.slice(0, 3).toUpperCase());
const MACROS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Joins words: `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** A field of a cron expression: the numbers that it takes, and names for those from the least on. */
interface CronField {
  least: number;
  most: number;
  names?: readonly string[];
}

const MINUTE: CronField = { least: 0, most: 59 };
const HOUR: CronField = { least: 0, most: 23 };
const DAY_OF_MONTH: CronField = { least: 1, most: 31 };
const MONTH: CronField = { least: 1, most: 12, names: MONTH_NAMES };
const DAY_OF_WEEK: CronField = { least: 0, most: 7, names: DAY_NAMES };

/** Reads a field that is a list of numbers or names that it takes; returns undefined for any other field. */
function numbers(field: string, { least, most, names = [] }: CronField): number[] | undefined {
  const read = field.split(",").map((part) => {
    const named = names.indexOf(part.toUpperCase());
    return named >= 0 ? named + least : /^\d+$/.test(part) ? Number(part) : Number.NaN;
  });
  return read.every((value) => value >= least && value <= most) ? read : undefined;
}

/** Reads a step that divides the whole evenly: `*` with a step of 7 minutes does not fire every 7 minutes. */
function stepOf(field: string, pattern: RegExp, whole: number): string | undefined {
  const step = pattern.exec(field)?.[1];
  return step !== undefined && Number(step) > 1 && whole % Number(step) === 0 ? step : undefined;
}

function ordinal(day: number): string {
  const ending = day % 10 === 1 && day !== 11 ? "st" : day % 10 === 2 && day !== 12 ? "nd" : day % 10 === 3 && day !== 13 ? "rd" : "th";
  return `${day}${ending}`;
}

/** Describes the days on which a cron expression fires; undefined if they are not simple. */
function days(dom: string, month: string, dow: string): string | undefined {
  const months = month === "*" ? [] : numbers(month, MONTH);
  if (!months) return undefined;
  const inMonths = months.length > 0 ? list(months.map((one) => MONTHS[one - 1] ?? "")) : "";
  if (dom === "*" && dow === "*") return inMonths ? `every day in ${inMonths}` : "every day";
  if (dom === "*") {
    const upper = dow.toUpperCase();
    const named =
      upper === "MON-FRI" || upper === "1-5"
        ? "every weekday"
        : (() => {
            const found = numbers(dow, DAY_OF_WEEK);
            return found && `every ${list(found.map((day) => DAYS[day % 7] ?? ""))}`;
          })();
    return named && (inMonths ? `${named} in ${inMonths}` : named);
  }
  if (dow !== "*") return undefined;
  const found = dom.toUpperCase() === "L" ? ["last day"] : numbers(dom, DAY_OF_MONTH)?.map(ordinal);
  return found && `on the ${list(found)} of ${inMonths || "every month"}`;
}

/** Describes when a cron expression fires; undefined if it is not simple. */
function cron(expression: string): string | undefined {
  const text = (MACROS[expression.trim()] ?? expression.trim()).replaceAll("?", "*");
  const all = text.split(/\s+/);
  const fields = all.length === 6 ? all : ["0", ...all];
  const [second, minute, hour, dom, month, dow] = fields;
  if (fields.length !== 6 || second === undefined || minute === undefined || hour === undefined || dom === undefined || month === undefined || dow === undefined) return undefined;
  const on = days(dom, month, dow);
  if (on === undefined) return undefined;
  const tail = on === "every day" ? "" : `, ${on}`;
  if (minute === "*" && hour === "*" && (second === "*" || second === "0")) return `every ${second === "*" ? "second" : "minute"}${tail}`;
  if (second !== "0") return undefined;
  const step = stepOf(minute, /^(?:\*|0)\/(\d+)$/, 60);
  if (step && hour === "*") return `every ${step} minutes${tail}`;
  const minutes = numbers(minute, MINUTE);
  if (!minutes) return undefined;
  if (hour === "*") return `every hour at ${list(minutes.map((one) => `:${two(one)}`))}${tail}`;
  const hourStep = stepOf(hour, /^\*\/(\d+)$/, 24);
  if (hourStep && minutes.length === 1) return `every ${hourStep} hours at :${two(minutes[0] ?? 0)}${tail}`;
  const hours = numbers(hour, HOUR);
  if (!hours || hours.length * minutes.length > 6) return undefined;
  return `${on} at ${list(hours.flatMap((one) => minutes.map((other) => `${two(one)}:${two(other)}`)))}`;
}

/** Formats seconds as an interval: `every 90 s`, `every hour`. */
function every(seconds: number): string {
  const units: readonly [number, string][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  for (const [unit, name] of units) {
    if (seconds % unit === 0 && seconds >= unit) return seconds === unit ? `every ${name}` : `every ${seconds / unit} ${name}s`;
  }
  return `every ${duration(seconds * 1_000)}`;
}

function rule(schedule: Schedule): string {
  if (schedule.cron !== undefined) {
    const expressions = typeof schedule.cron === "string" ? [schedule.cron] : schedule.cron;
    const said = expressions.map(cron);
    const text = said.every((one) => one !== undefined) ? said.join(", and ") : `by the cron expression ${expressions.map((one) => `“${one}”`).join(" or ")}`;
    return `${text}, ${schedule.timezone ?? "UTC"}`;
  }
  if (schedule.everySeconds !== undefined) return every(schedule.everySeconds);
  if (schedule.rrule !== undefined) return `by the rule “${schedule.rrule}”, ${schedule.timezone ?? "UTC"}`;
  if (schedule.schedule !== undefined) return `as “${schedule.schedule}” says`;
  if (schedule.delayInSeconds !== undefined) return `once, ${duration(schedule.delayInSeconds * 1_000)} after it is created`;
  if (schedule.time !== undefined) return `once, ${instant(schedule.time, schedule.timezone)}`;
  return "only when it is run by hand";
}

/** Describes when a task fires, without its bounds. */
export const sentence = (schedule: Schedule): string => capital(rule(schedule));

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Describes when a task fires, with its bounds and delays. Uses the sentence of the scheduler if it is given and simple. */
export function fullSentence(schedule: Schedule, said?: string | undefined): string {
  const zone = schedule.timezone;
  // The scheduler's sentence for an interval has an anchor, the one for a single time is in UTC, and one that quotes more than the names of
  // calendars is no simpler than ours.
  const isSaid = said !== undefined && schedule.everySeconds === undefined && schedule.time === undefined && schedule.delayInSeconds === undefined && !said.replaceAll(/calendar "[^"]*"/g, "").includes('"');
  const bounds = isSaid
    ? [capital(said)]
    : [
        sentence(schedule),
        ...(schedule.startAt !== undefined ? [`from ${instant(schedule.startAt, zone)}`] : []),
        ...(schedule.endAt !== undefined ? [`until ${instant(schedule.endAt, zone)}`] : []),
        ...(schedule.maxRuns !== undefined ? [`${schedule.maxRuns} times at most`] : []),
        ...(schedule.exclude ? [except(schedule.exclude)] : []),
      ];
  const parts = [
    ...bounds,
    ...(schedule.jitterSeconds ? [`up to ${duration(schedule.jitterSeconds * 1_000)} later by chance`] : []),
    ...(schedule.windowSeconds ? [`up to ${duration(schedule.windowSeconds * 1_000)} later to share a firing`] : []),
  ];
  return `${parts.join(", ")}.`;
}

/** Describes what a schedule leaves out. */
function except({ dates, weekdays, times, rules, calendars, instead }: NonNullable<Task["exclude"]>): string {
  const items = [...(dates ?? []), ...(weekdays ?? []), ...(times ?? []), ...(rules ?? []).map((rule) => `“${rule}”`), ...(calendars ?? []).map((name) => `the calendar “${name}”`)];
  return `except ${items.join(", ")}${instead === "next" || instead === "previous" ? `, then on the ${instead} day that is not left out` : ""}`;
}

/** Formats an instant in a zone. A local time stays as it is. */
function instant(value: number | string, zone: string | undefined): string {
  const millis = millisOf(value);
  return millis === undefined ? String(value) : fullTime(millis, zone);
}
