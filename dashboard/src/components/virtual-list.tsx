// A table that has only the visible rows in the document.

import { signal } from "@preact/signals";
import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { keepPlaceOfList, placeOfList } from "../state/entries";
import { useReturnToRow } from "./row-keys";

interface VirtualListProps {
  label: string;
  /** The widths of the columns, in the syntax of a CSS grid. */
  columns: string;
  head: ComponentChildren;
  length: number;
  /** Returns the cells of a row. */
  row: (index: number) => ComponentChildren;
  rowProps?: (index: number) => JSX.IntrinsicElements["div"];
  /** Called with the range of visible rows when it changes. */
  onRange: (from: number, to: number) => void;
}

/** The number of rows above and below the visible ones that are also in the document. */
const MARGIN = 10;
const ROW_HEIGHT = 32;
/** The height of a row on a narrow screen, where it has three lines: see `.grid-row` in lists.css. */
const NARROW_ROW_HEIGHT = 76;

/** The rows up to which “Back” returns to the place where the list was left. Further ones would take too many requests. */
const MAX_RETURNED = 5_000;

/**
 * Scrolls a list to where it was when its page was left, as its rows arrive, until the user scrolls. Returns a function that keeps the place,
 * to be called when the list is scrolled.
 */
function useReturnToPlace(ref: RefObject<HTMLElement | null>, length: number, rowHeight: number): (top: number) => void {
  const wanted = useRef(placeOfList().top ?? 0);
  /** Where this has scrolled it to. */
  const reached = useRef(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || wanted.current === 0) return;
    if (wanted.current > MAX_RETURNED * rowHeight) wanted.current = 0;
    element.scrollTop = wanted.current;
    reached.current = element.scrollTop;
    if (reached.current >= wanted.current - 1) wanted.current = 0;
  }, [length]);
  return (top) => {
    if (wanted.current > 0 && Math.abs(top - reached.current) < 1) return;
    wanted.current = 0;
    keepPlaceOfList({ top });
  };
}

const narrow = matchMedia("(max-width: 800px)");
const isNarrow = signal(narrow.matches);
narrow.addEventListener("change", () => {
  isNarrow.value = narrow.matches;
});

export function VirtualList({ label, columns, head, length, row, rowProps, onRange }: VirtualListProps) {
  const rowHeight = isNarrow.value ? NARROW_ROW_HEIGHT : ROW_HEIGHT;
  const ref = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const keepPlace = useReturnToPlace(ref, length, rowHeight);

  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const from = Math.max(0, Math.floor(view.top / rowHeight) - MARGIN);
  const to = Math.min(length, Math.ceil((view.top + view.height) / rowHeight) + MARGIN);
  useEffect(() => onRange(from, to), [from, to, length]);
  useReturnToRow(`${from} ${to}`);

  const shown: number[] = [];
  for (let index = from; index < to; index += 1) shown.push(index);
  return (
    <div class={`grid-table list-${label.toLowerCase()}`} role="table" aria-label={label} aria-rowcount={length + 1} style={{ "--columns": columns }}>
      <div class="grid-head" role="rowgroup">
        <div class="grid-row" role="row" aria-rowindex={1}>
          {head}
        </div>
      </div>
      <div class="grid-body" role="rowgroup" ref={ref} tabIndex={0} onScroll={({ currentTarget: { scrollTop, clientHeight } }) => (keepPlace(scrollTop), setView({ top: scrollTop, height: clientHeight }))}>
        <div role="presentation" class="grid-room" style={{ height: `${length * rowHeight}px` }}>
          <div role="presentation" style={{ transform: `translateY(${from * rowHeight}px)` }}>
            {shown.map((index) => (
              <div key={index} {...rowProps?.(index)} class="grid-row" role="row" aria-rowindex={index + 2} data-row data-index={index} style={{ height: `${rowHeight}px` }}>
                {row(index)}
              </div>
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}
