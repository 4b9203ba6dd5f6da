// Every use of Intl: the viewer's time zone, the zones that the browser knows, and formats of dates and numbers. A browser may name a time
// zone that it does not know itself, or lack the list of zones. Nothing here throws.

import { LOCALE } from "./locale";

const isKnown = new Map<string, boolean>();

/** Returns whether the browser knows a time zone. */
export function isZone(zone: string): boolean {
  let answer = isKnown.get(zone);
  if (answer === undefined) {
    try {
      answer = zone !== "" && Boolean(new Intl.DateTimeFormat(LOCALE, { timeZone: zone }));
    } catch {
      answer = false;
    }
    isKnown.set(zone, answer);
  }
  return answer;
}

/** Returns the time zone of the browser; UTC if the browser does not say one that it knows. */
function ownZone(): string {
  const zone: string | undefined = new Intl.DateTimeFormat(LOCALE).resolvedOptions().timeZone;
  return zone !== undefined && isZone(zone) ? zone : "UTC";
}

/** The time zone of the viewer. */
export const HERE = ownZone();

/** Returns the names of the time zones that the browser lists, UTC first. */
export function zones(): readonly string[] {
  const listed: readonly string[] = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [HERE];
  return ["UTC", ...listed.filter((zone) => zone !== "UTC")];
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Returns the format that shows the clock of a time zone, with its offset. A zone that the browser does not know is shown as UTC. */
export function clockFormat(zone: string): Intl.DateTimeFormat {
  let format = clocks.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat(LOCALE, {
      timeZone: isZone(zone) ? zone : "UTC",
      weekday: "short",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "shortOffset",
    });
    clocks.set(zone, format);
  }
  return format;
}

/** The format of whole numbers, with separators of thousands. */
export const WHOLE = new Intl.NumberFormat(LOCALE);
