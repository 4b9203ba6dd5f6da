// The keys of lists: j and k go from row to row, x selects a row, and Enter opens one. They begin with the first row while no row has the focus.
// A row is an element with `data-row`. “Back” returns to the row that had the focus.

import { useEffect, useRef } from "preact/hooks";
import { keepPlaceOfList, placeOfList } from "../state/entries";

const CONTROLS = "a, button, input, select, textarea, summary, label";

/** Returns the part of a row that takes the focus: its link, or else its first control. */
const focusOf = (row: Element, selector = "a"): HTMLElement | null => row.querySelector<HTMLElement>(selector) ?? row.querySelector<HTMLElement>(CONTROLS);

/** Returns the rows of the page that are in the document, in their order. The rows that a list has scrolled past come after the visible ones. */
function rowsOf(main: Element): { rows: HTMLElement[]; first: HTMLElement | undefined } {
  const rows = [...main.querySelectorAll<HTMLElement>("[data-row]")];
  const isBelow = (row: HTMLElement): boolean => row.getBoundingClientRect().top >= (row.closest(".grid-body")?.getBoundingClientRect().top ?? -Infinity) - 1;
  return { rows, first: rows.find(isBelow) ?? rows[0] };
}

/** Returns by how many rows a key moves; 0 if it is another key. The arrow keys move only inside of a list. */
function stepOf({ key }: KeyboardEvent, isInList: boolean): number {
  if (key === "j" || (isInList && key === "ArrowDown")) return 1;
  return key === "k" || (isInList && key === "ArrowUp") ? -1 : 0;
}

/** Moves the focus between the rows of the page's lists, selects a row, or opens the first one. */
export function onRowKey(event: KeyboardEvent): void {
  const main = document.querySelector("main");
  const target = event.target instanceof Element ? event.target : document.body;
  if (!main || event.defaultPrevented) return;
  const { rows, first } = rowsOf(main);
  const current = target.closest<HTMLElement>("[data-row]");
  const row = current ?? first;
  if (!row) return;
  const step = stepOf(event, current !== null || target.closest(".grid-body") !== null);
  if (step !== 0) {
    const next = current ? rows[rows.indexOf(current) + step] : first;
    if (!next) return;
    event.preventDefault();
    return focusOf(next, target.matches("input") ? "input" : "a")?.focus();
  }
  if (event.key === "x") {
    const box = row.querySelector<HTMLInputElement>("input[type=checkbox]");
    if (!box) return;
    if (!current) focusOf(row)?.focus();
    return box.click();
  }
  // Enter on a control is for the control.
  if (event.key === "Enter" && !current && !target.closest(CONTROLS)) {
    event.preventDefault();
    row.querySelector<HTMLElement>("a")?.click();
  }
}

document.addEventListener("focusin", ({ target }) => {
  const row = target instanceof Element ? target.closest("main [data-row]") : null;
  const link = row?.querySelector("a")?.getAttribute("href");
  if (link) keepPlaceOfList({ row: link });
});

/** After “Back”, returns the focus to the row that had it, once it is there. Looks again when `rows` change, until something else has the focus. */
export function useReturnToRow(rows: unknown): void {
  const wanted = useRef(placeOfList().row);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const isElsewhere = document.activeElement !== document.body && !document.activeElement?.matches("main h1");
    const link = [...document.querySelectorAll<HTMLElement>("main [data-row] a")].find((one) => one.getAttribute("href") === wanted.current);
    if (!isElsewhere && !link) return;
    wanted.current = undefined;
    if (!isElsewhere) link?.focus();
  }, [rows]);
}
