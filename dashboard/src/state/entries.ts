// What a page keeps for the browser's “Back”: the rows that were selected in a list, how far it was scrolled, and the row that had the focus. It
// belongs to an entry of the history, so a page that is opened by a link begins without it. It is in memory only.

import { effect, signal } from "@preact/signals";
import { address } from "./router";
import { key, namespace } from "./session";

/** The most entries that are kept. */
const MAX_ENTRIES = 50;
const NONE: ReadonlySet<string> = new Set();

/** The selected rows by the names of the entries. */
const selections = signal<ReadonlyMap<string, ReadonlySet<string>>>(new Map());

interface Place {
  /** The address of the list. */
  of: string;
  /** The pixels above the visible rows. */
  top?: number;
  /** Where the link of the row with the focus leads. */
  row?: string;
}

let places: ReadonlyMap<string, Place> = new Map();

// Another key may not see what this one has selected, and another namespace has other rows.
effect(() => {
  void key.value;
  void namespace.value;
  selections.value = new Map();
  places = new Map();
});

/** Returns the name of the current entry of the history. */
function entry(): string {
  const state: unknown = history.state;
  if (typeof state === "string") return state;
  const name = `${Date.now()}-${Math.random()}`;
  history.replaceState(name, "");
  return name;
}

/** Returns a map with the value of the current entry. Beyond the bound, drops the entry that was changed longest ago. */
function withValue<Value>(map: ReadonlyMap<string, Value>, value: Value): ReadonlyMap<string, Value> {
  const name = entry();
  return new Map([...[...map].filter(([other]) => other !== name).slice(1 - MAX_ENTRIES), [name, value]]);
}

/** Returns the selected rows of the page, and a function that changes them. */
export const selection = (): [ReadonlySet<string>, (chosen: ReadonlySet<string>) => void] => [
  selections.value.get(entry()) ?? NONE,
  (chosen) => {
    selections.value = withValue(selections.peek(), chosen);
  },
];

/** Returns the place that the list of the page was left at, if it has the same address. */
export function placeOfList(): Partial<Place> {
  const place = places.get(entry());
  return place?.of === address.peek() ? place : {};
}

export function keepPlaceOfList(more: Omit<Place, "of">): void {
  places = withValue(places, { ...placeOfList(), ...more, of: address.peek() });
}
