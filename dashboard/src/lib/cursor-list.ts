// A list that is read by cursors. It keeps only the pages around the visible rows, so a million rows take no more memory than a thousand.

import { signal } from "@preact/signals";

export interface Portion<Item> {
  items: readonly Item[];
  /** Where the next page begins; null at the end. */
  cursor: string | null;
  /** How many records were examined for the page, and up to which time, if the list says so. */
  searched?: { records: number; until?: number } | undefined;
}

interface Page<Item> {
  /** The cursor of the page. */
  start: string | undefined;
  /** The index of its first row. */
  first: number;
  count: number;
  /** Absent if the page is not kept. */
  items: readonly Item[] | undefined;
  lastUsed: number;
}

const MAX_KEPT_PAGES = 20;
/** The number of empty pages in a row after which the user must continue the search. */
const MAX_EMPTY_PAGES = 10;

export class CursorList<Item> {
  /** Changes when any of the members below changes. */
  readonly version = signal(0);
  isLoading = false;
  error: Error | undefined;
  /** Whether the last page has been read. */
  isComplete = false;
  /** Whether the search waits until the user continues it. */
  isWaiting = false;
  /** The number of pages that were read for this list. */
  pagesRead = 0;
  /** The number of records that the scheduler has examined for them, as far as it says. */
  looked = 0;
  /** The time up to which the scheduler has searched; undefined if that is not known, or at the end. */
  until: number | undefined;
  #pages: Page<Item>[] = [];
  #next: string | undefined;
  #length = 0;
  #emptyInARow = 0;
  #uses = 0;
  #controller = new AbortController();

  constructor(readonly load: (cursor: string | undefined, signal: AbortSignal) => Promise<Portion<Item>>) {}

  get length(): number {
    return this.#length;
  }

  /** Returns a row; undefined if its page is not kept, which `show` reads again. */
  at(index: number): Item | undefined {
    const page = this.#find(index);
    return page?.items?.[index - page.first];
  }

  /** Loads the rows of a range, and further ones after it. */
  show(from: number, to: number): void {
    if (!this.isComplete && !this.isWaiting && !this.error && to >= this.#length - 1) void this.more();
    for (let index = from; index < Math.min(to, this.#length); ) {
      const page = this.#find(index);
      if (!page) return;
      this.#uses += 1;
      page.lastUsed = this.#uses;
      if (!page.items) void this.#readAgain(page);
      index = page.first + page.count;
    }
  }

  /** Reads more pages until rows are found or the user must continue the search. */
  async more(): Promise<void> {
    if (this.isLoading || this.isComplete) return;
    this.#set({ isLoading: true, error: undefined, isWaiting: false });
    const { signal } = this.#controller;
    try {
      for (;;) {
        const start = this.#next;
        const { items, cursor, searched } = await this.load(start, signal);
        if (signal.aborted) return;
        this.pagesRead += 1;
        this.looked += searched?.records ?? 0;
        this.until = searched?.until;
        this.#uses += 1;
        if (items.length > 0) this.#pages.push({ start, first: this.#length, count: items.length, items, lastUsed: this.#uses });
        this.#length += items.length;
        this.#next = cursor ?? undefined;
        this.#forget();
        this.#emptyInARow = items.length > 0 ? 0 : this.#emptyInARow + 1;
        if (cursor === null) return this.#set({ isLoading: false, isComplete: true });
        if (items.length > 0) return this.#set({ isLoading: false });
        if (this.#emptyInARow >= MAX_EMPTY_PAGES) {
          this.#emptyInARow = 0;
          return this.#set({ isLoading: false, isWaiting: true });
        }
        this.#changed();
      }
    } catch (error) {
      if (!signal.aborted) this.#set({ isLoading: false, error: error as Error });
    }
  }

  /** Stops reading for good. */
  close(): void {
    this.#controller.abort();
  }

  async #readAgain(page: Page<Item>): Promise<void> {
    // This keeps the page from being read twice at a time.
    page.items = [];
    try {
      const { items } = await this.load(page.start, this.#controller.signal);
      // Rows may have disappeared. The others keep their places until the whole list is read again.
      page.items = items.slice(0, page.count);
    } catch {
      page.items = undefined;
    }
    this.#forget();
    this.#changed();
  }

  /** Returns the page with a row. */
  #find(index: number): Page<Item> | undefined {
    let [low, high] = [0, this.#pages.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const page = this.#pages[middle];
      if (!page) return undefined;
      if (index < page.first) high = middle - 1;
      else if (index >= page.first + page.count) low = middle + 1;
      else return page;
    }
    return undefined;
  }

  #forget(): void {
    const kept = this.#pages.filter((page) => page.items);
    if (kept.length <= MAX_KEPT_PAGES) return;
    kept.sort((one, other) => one.lastUsed - other.lastUsed);
    for (const page of kept.slice(0, kept.length - MAX_KEPT_PAGES)) page.items = undefined;
  }

  #set(changes: Partial<Pick<this, "isLoading" | "error" | "isComplete" | "isWaiting">>): void {
    Object.assign(this, changes);
    this.#changed();
  }

  #changed(): void {
    this.version.value += 1;
  }
}
