import { useEffect, useState } from "preact/hooks";
import { listCalendars } from "../api/calendars";
import type { ListedCalendar } from "../api/types";
import { mayRead } from "../state/session";

/** Reads the calendars of the namespace; undefined while they are not known. */
export function useCalendars(): readonly ListedCalendar[] | undefined {
  const [calendars, setCalendars] = useState<readonly ListedCalendar[]>();
  useEffect(() => {
    if (!mayRead.value) return undefined;
    const controller = new AbortController();
    // Without them, a form still shows the names that it has.
    listCalendars(controller.signal).then(({ calendars: known }) => setCalendars(known), () => {});
    return () => controller.abort();
  }, []);
  return calendars;
}
