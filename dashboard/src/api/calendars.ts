// Named calendars, whose days and times recurring tasks leave out.

import { withUsers, type Users } from "../lib/calendars";
import { inPath, request, type Answer } from "./client";
import { listTasks } from "./tasks";
import type { Calendar, CalendarList, ListedCalendar, NewCalendar } from "./types";

const pathOf = (name: string): string => `/v1/calendars/${inPath(name)}`;

/** Lists the calendars of the namespace, without their items, and names those that cannot be read. */
export const listCalendars = async (signal?: AbortSignal): Promise<CalendarList> => (await request<CalendarList>("GET", "/v1/calendars", { signal })).body;

/** Returns a calendar, and the tag of its items and its description. */
export const getCalendar = (name: string, signal?: AbortSignal): Promise<Answer<Calendar>> => request<Calendar>("GET", pathOf(name), { signal });

/** Creates a calendar; refused with `other-version` if there is one with this name, unless it replaces one that cannot be read. */
export const createCalendar = async (name: string, calendar: NewCalendar, replacesUnreadable = false): Promise<Calendar> =>
  (await request<Calendar>("PUT", pathOf(name), { body: calendar, headers: replacesUnreadable ? {} : { "if-none-match": "*" } })).body;

/** Replaces the items and the description of a calendar; refused with `other-version` if it has another tag. */
export const replaceCalendar = async (name: string, calendar: NewCalendar, etag: string | undefined): Promise<Calendar> => (await request<Calendar>("PUT", pathOf(name), { body: calendar, ifMatch: etag })).body;

/** Deletes a calendar that no task names, unless somebody has changed it since it was listed. */
export async function deleteCalendar({ name, updatedAt }: Pick<ListedCalendar, "name" | "updatedAt">): Promise<void> {
  // A list has no tags.
  const { body, etag } = await getCalendar(name);
  if (body.updatedAt !== updatedAt) throw new Error(`Somebody has changed ${name} since this page read it. Close this dialog, and look at it again.`);
  await request("DELETE", pathOf(name), { ifMatch: etag });
}

const PAGE = 1_000;
/** The most pages of recurring tasks that are read to find those of calendars. Each asks every shard. */
const MAX_PAGES = 5;

/** Finds the recurring tasks that name calendars, among the first 5,000. */
export async function findUsers(signal?: AbortSignal): Promise<Users> {
  let of: Users["of"] = new Map();
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await listTasks({ kind: "recurring" }, { limit: PAGE, cursor }, signal);
    of = withUsers(of, page.tasks);
    if (page.cursor === null) return { of, isWhole: true };
    cursor = page.cursor;
  }
  return { of, isWhole: false };
}
