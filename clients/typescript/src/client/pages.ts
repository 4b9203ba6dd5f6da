/** A page of a list. It may be short or empty although more follow. */
export interface Page<Item> {
  items: readonly Item[];
  /** The cursor of the next page, or null at the end of the list. */
  cursor: string | null;
  /** The number of all items of the list. Only the first page of a list without a filter has it. */
  total?: number | undefined;
  /** How far the search for this page has come. Lists of tasks and of dead letters have it. */
  searched?: Searched | undefined;
}

/** How far the search for a page has come. */
export interface Searched {
  /** The number of tasks, attempts and dead letters that the shards examined for this page. */
  records: number;
  /**
   * The time up to which this page and those before it have covered the list, milliseconds since 1970. Absent at the end of the list, and
   * if the rest has no due time.
   */
  until?: number | undefined;
}

/**
 * A list that is read page by page, while it is iterated. Each iteration reads the list from its beginning.
 *
 * @example
 * for await (const task of scheduler.query({ tag: "orders" })) console.log(task.id);
 */
export class Pages<Item> implements AsyncIterable<Item> {
  readonly #read: (cursor: string | undefined) => Promise<Page<Item>>;
  readonly #from: string | undefined;

  /** Assumes that `read` returns the page at a cursor, or the first page without one. */
  constructor(read: (cursor: string | undefined) => Promise<Page<Item>>, from?: string) {
    this.#read = read;
    this.#from = from;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** Iterates over the pages, which have the cursors to continue from. */
  async *pages(): AsyncGenerator<Page<Item>, void, undefined> {
    let cursor: string | null | undefined = this.#from;
    do {
      const page: Page<Item> = await this.#read(cursor);
      yield page;
      // An answer that is not from the scheduler may have none.
      cursor = page.cursor ?? null;
    } while (cursor !== null);
  }

  /** Reads up to `max` items into an array. */
  async toArray(max = Infinity): Promise<Item[]> {
    const items: Item[] = [];
    if (max <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= max) break;
    }
    return items;
  }

  /** Reads the first item. Returns undefined if the list is empty. */
  async first(): Promise<Item | undefined> {
    return (await this.toArray(1))[0];
  }
}
