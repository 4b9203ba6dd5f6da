// The days and times that a calendar or a task leaves out.

import type { Json } from "../api/types";

/** The members of a calendar that are lists of items. `exclude` of a task has them, too. */
export const ITEMS = ["dates", "weekdays", "times", "rules"] as const;
export type ItemList = (typeof ITEMS)[number];
export type Items = Partial<Record<ItemList, string[]>>;

/** What the lists are called. */
export const ITEM_LABELS: Readonly<Record<ItemList, string>> = { dates: "Dates", weekdays: "Weekdays", times: "Times of day", rules: "Rules" };

export const WEEKDAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;

/** Returns the texts of a list; none for anything else. */
export const textsOf = (value: Json | readonly string[] | null | undefined): string[] => (Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : []);

/** Returns the lists of an object that have items. */
export function itemsOf(from: Readonly<Partial<Record<ItemList, Json | readonly string[] | null | undefined>>>): Items {
  return Object.fromEntries(ITEMS.map((name) => [name, textsOf(from[name])] as const).filter(([, items]) => items.length > 0));
}

/** Reads items that are separated by commas or lines. A rule has commas itself. */
export const readItems = (text: string, name: ItemList): string[] =>
  text
    .split(name === "rules" ? /\n/ : /[,\n]/)
    .map((item) => item.trim())
    .filter(Boolean);

/** Writes items for their field. */
export const writeItems = (items: readonly string[], name: ItemList): string => items.join(name === "rules" ? "\n" : ", ");

/** Describes items in one line, up to a few of each list. */
export function itemsText(items: Items): string {
  return ITEMS.flatMap((name) => {
    const all = items[name] ?? [];
    if (all.length === 0) return [];
    const more = all.length > MAX_NAMED ? ` and ${all.length - MAX_NAMED} more` : "";
    return [`${ITEM_LABELS[name].toLowerCase()} ${all.slice(0, MAX_NAMED).join(", ")}${more}`];
  }).join("; ");
}

const MAX_NAMED = 6;
