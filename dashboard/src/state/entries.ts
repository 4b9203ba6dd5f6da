// What a page keeps for the browser's “Back”: the rows that were selected in a list, and how far it was scrolled. It belongs to an entry of
// the history, so a page that is opened by a link begins without it. It is in memory only.

import { effect, signal } from "@preact/signals";
import { address } from "./router";
import { key, namespace } from "./session";

/** The most entries that are kept. */
const MOST = 50;
const NONE: ReadonlySet<string> = new Set();

/** The selected rows by the names of the entries. */
const selections = signal<ReadonlyMap<string, ReadonlySet<string>>>(new Map());
/** The pixels above the visible rows, and the address of the list. */
let tops: ReadonlyMap<string, { of: string; top: number }> = new Map();

// Another key may not see what this one has selected, and another namespace has other rows.
effect(() => {
  void key.value;
  void namespace.value;
  selections.value = new Map();
  tops = new Map();
});

/** Returns the name of the present entry of the history. */
function entry(): string {
  const state: unknown = history.state;
  if (typeof state === "string") return state;
  const name = `${Date.now()}-${Math.random()}`;
  history.replaceState(name, "");
  return name;
}

/** Returns a map with the value of the present entry. Beyond the bound, drops the entry that was changed longest ago. */
function withValue<Value>(map: ReadonlyMap<string, Value>, value: Value): ReadonlyMap<string, Value> {
  const name = entry();
  return new Map([...[...map].filter(([other]) => other !== name).slice(1 - MOST), [name, value]]);
}

/** Returns the selected rows of the page, and a function that changes them. */
export const selection = (): [ReadonlySet<string>, (chosen: ReadonlySet<string>) => void] => [
  selections.value.get(entry()) ?? NONE,
  (chosen) => {
    selections.value = withValue(selections.peek(), chosen);
  },
];

/** Returns how far the list of the page was scrolled, if it has the same address. */
export function topOfList(): number {
  const kept = tops.get(entry());
  return kept?.of === address.peek() ? kept.top : 0;
}

export function keepTopOfList(top: number): void {
  tops = withValue(tops, { of: address.peek(), top });
}
