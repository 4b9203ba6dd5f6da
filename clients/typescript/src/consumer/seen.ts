/**
 * Remembers which runs are done, so that a repeated delivery does not run them again. Each key names one run.
 *
 * An object of your own may be a store, too: a Durable Object whose methods `find` and `add` can be called over RPC is one.
 */
export interface SeenStore {
  /** Returns those of the keys that the store has. */
  find(keys: string[]): string[] | Promise<string[]>;
  /** Adds keys. A key that the store has already is not an error. */
  add(keys: string[]): void | Promise<void>;
}

/**
 * A store in memory, for tests and for work that may be done twice now and then: another instance of the Worker, to which a
 * repeated delivery may go, does not know what this one has seen.
 */
export class MemorySeenStore implements SeenStore {
  readonly #keys = new Set<string>();
  readonly #capacity: number;

  /** `capacity` is the most keys that it remembers. When it is full, it forgets the oldest. */
  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  find(keys: string[]): string[] {
    return keys.filter((key) => this.#keys.has(key));
  }

  add(keys: string[]): void {
    for (const key of keys) {
      this.#keys.add(key);
      if (this.#keys.size <= this.#capacity) continue;
      for (const oldest of this.#keys) {
        this.#keys.delete(oldest);
        break;
      }
    }
  }
}

const CREATE = "CREATE TABLE IF NOT EXISTS scheduler_seen (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID";
const FIND = "SELECT key FROM scheduler_seen WHERE key IN (SELECT value FROM json_each(?))";
// The condition tells the parser that ON belongs to the conflict, and not to a join.
const ADD = "INSERT INTO scheduler_seen (key, at) SELECT value, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING";
const FORGET = "DELETE FROM scheduler_seen WHERE at < ?";

/** The parts of the storage of a Durable Object that a store needs. */
export interface SqlStorageLike {
  sql: { exec(query: string, ...bindings: unknown[]): { toArray(): Record<string, unknown>[] } };
}

/**
 * A store in the SQL storage of a Durable Object. A task whose callback is the object itself can be remembered in the same
 * transaction as what it does: without an `await` in between, both are stored or neither.
 *
 * It keeps a table `scheduler_seen`, and writes one row for each key.
 *
 * @example
 * export class Orders extends DurableObject {
 *   #seen = new DurableObjectSeenStore(this.ctx.storage);
 *   find(keys: string[]) { return this.#seen.find(keys); }
 *   add(keys: string[]) { this.#seen.add(keys); }
 * }
 */
export class DurableObjectSeenStore implements SeenStore {
  readonly #sql: SqlStorageLike["sql"];

  constructor(storage: SqlStorageLike) {
    this.#sql = storage.sql;
    this.#sql.exec(CREATE);
  }

  find(keys: string[]): string[] {
    return this.#sql.exec(FIND, JSON.stringify(keys)).toArray().map(({ key }) => String(key));
  }

  add(keys: string[]): void {
    this.#sql.exec(ADD, Date.now(), JSON.stringify(keys));
  }

  /** Forgets keys that were added before a time. Keep keys for as long as a queue may deliver a message again: 14 days at most. */
  forgetBefore(time: Date): void {
    this.#sql.exec(FORGET, time.getTime());
  }
}

/** The parts of a D1 database that a store needs. */
export interface D1DatabaseLike {
  prepare(query: string): { bind(...values: unknown[]): D1StatementLike } & D1StatementLike;
}

/** A statement of a D1 database. */
export interface D1StatementLike {
  run(): Promise<unknown>;
  all<Row>(): Promise<{ results: Row[] }>;
}

/** A store in a D1 database. It keeps a table `scheduler_seen`, and writes one row for each key. */
export class D1SeenStore implements SeenStore {
  readonly #database: D1DatabaseLike;
  #created: Promise<unknown> | undefined;

  constructor(database: D1DatabaseLike) {
    this.#database = database;
  }

  async find(keys: string[]): Promise<string[]> {
    await this.#create();
    const { results } = await this.#database.prepare(FIND).bind(JSON.stringify(keys)).all<{ key: string }>();
    return results.map(({ key }) => key);
  }

  async add(keys: string[]): Promise<void> {
    await this.#create();
    await this.#database.prepare(ADD).bind(Date.now(), JSON.stringify(keys)).run();
  }

  /** Forgets keys that were added before a time. Keep keys for as long as a queue may deliver a message again: 14 days at most. */
  async forgetBefore(time: Date): Promise<void> {
    await this.#create();
    await this.#database.prepare(FORGET).bind(time.getTime()).run();
  }

  /** Creates the table once. If that fails, the next call tries again. */
  #create(): Promise<unknown> {
    this.#created ??= this.#database.prepare(CREATE).run().catch((error: unknown) => {
      this.#created = undefined;
      throw error;
    });
    return this.#created;
  }
}
