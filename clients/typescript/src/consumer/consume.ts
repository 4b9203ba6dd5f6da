import { type Envelope, type FiredTask, isDispatch, namespaceOf, occurrenceKey, parseEnvelope } from "./envelope.ts";
import { MemorySeenStore, type SeenStore } from "./seen.ts";

/** The parts of a message of a Cloudflare queue that `consume` needs. */
export interface QueueMessage {
  readonly id: string;
  readonly body: unknown;
  /** How often the queue has delivered the message, this time included. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** The parts of a batch of a Cloudflare queue that `consume` needs. */
export interface QueueBatch {
  /** The name of the queue. */
  readonly queue?: string;
  readonly messages: readonly QueueMessage[];
}

/** The delivery of one task. */
export interface Delivery {
  /** Identifies the run: the namespace, a colon and the occurrence key. Repeated deliveries have the same key. */
  readonly key: string;
  /** The namespace of the task. */
  readonly namespace: string;
  /** How often the queue has delivered the message with this task, this time included. */
  readonly attempts: number;
  /** When the scheduler fired the task, milliseconds since 1970. */
  readonly firedAt: number;
  /** Marks the task as done, even if the handler throws afterwards. */
  ack(): void;
  /**
   * Asks for another delivery of the task, even if the handler returns. Default delay: that of the queue, seconds. The longest is
   * 43,200. Throws a `RangeError` if the delay is not a number.
   */
  retry(options?: { delaySeconds?: number | undefined }): void;
}

/** The results of the tasks of a batch. */
export interface Consumed {
  /** Tasks that are done. */
  acked: number;
  /** Tasks that will be delivered again. */
  retried: number;
  /** Tasks that were done before, and were not run again. */
  repeated: number;
  /** Messages that are not envelopes. The queue delivers them again, and then moves them to its dead-letter queue. */
  invalid: number;
}

/** Settings of `consume`. */
export interface ConsumeOptions {
  /** The store of the runs that are done. Default: the memory of this instance of the Worker, shared by all calls. */
  seen?: SeenStore | undefined;
  /** Tasks that run at one time. Default: 6, the connections that a Worker may open at once. */
  concurrency?: number | undefined;
  /** Called with each error: of a handler, of a message that is not an envelope, of the store. Default: `console.error`. */
  onError?: ((error: unknown, what: { message: QueueMessage; task?: FiredTask | undefined }) => void) | undefined;
}

/** The result of a run: done, or to be delivered again. */
type Outcome = { isDone: true } | { isDone: false; delaySeconds?: number | undefined };

const sharedMemory = new MemorySeenStore();

/** The longest delay of a message that a queue accepts, in seconds: 12 hours. */
const MAX_DELAY_SECONDS = 43_200;

/** How long only this call remembers a run that is done, in milliseconds. */
const REMEMBER_MILLIS = 1_000;

/**
 * Runs the tasks of a batch of a queue, each by itself: a task that fails does not hold back the others.
 *
 * A task is done when the handler returns, and is delivered again if it throws. The queue knows only messages, and a message
 * holds many tasks. So a message with a failed task is retried as a whole, and the tasks of it that are done are remembered
 * in `seen` and not run again. A run whose key is in `seen` already is not run either.
 *
 * Delivery stays at least once: a task runs again if the Worker ends within a second after its work.
 *
 * Throws a `TypeError`, and takes no message, if the batch is from the queue by which the scheduler dispatches runs to itself: a
 * Worker that holds the scheduler gives it to `super.queue(batch)`.
 *
 * @example
 * export default {
 *   async queue(batch, env) {
 *     await consume(batch, (task) => remind(task.payload), { seen: new D1SeenStore(env.DB) });
 *   },
 * } satisfies ExportedHandler<Env>;
 */
export async function consume<Payload = unknown>(
  batch: QueueBatch,
  handle: (task: FiredTask<Payload>, delivery: Delivery) => unknown,
  options: ConsumeOptions = {},
): Promise<Consumed> {
  const { seen = sharedMemory, concurrency = 6, onError = logError } = options;
  const counts: Consumed = { acked: 0, retried: 0, repeated: 0, invalid: 0 };
  if (!(concurrency >= 1)) throw new RangeError(`concurrency is ${concurrency}: give a number of at least 1`);
  const slot = slots(concurrency);
  /** Runs that this call has started. A batch may hold the same one twice. */
  const started = new Map<string, Promise<Outcome>>();

  if (batch.messages.some(({ body }) => isDispatch(body))) {
    throw new TypeError(`the queue${batch.queue === undefined ? "" : ` ${batch.queue}`} is the one by which the scheduler dispatches runs to itself: return super.queue(batch) for it, and consume only queues of your own`);
  }

  const runMessage = async (message: QueueMessage): Promise<void> => {
    let envelope: Envelope<Payload>;
    try {
      envelope = parseEnvelope<Payload>(message.body);
    } catch (error) {
      counts.invalid += 1;
      message.retry();
      onError(error, { message });
      return;
    }
    try {
      await runEnvelope(message, envelope);
    } catch (error) {
      message.retry();
      onError(error, { message });
    }
  };

  const runEnvelope = async (message: QueueMessage, envelope: Envelope<Payload>): Promise<void> => {
    const namespace = namespaceOf(envelope);
    const keys = envelope.tasks.map((task) => `${namespace}:${occurrenceKey(task)}`);
    const known = new Set(await seen.find(keys));
    const done = new Notes(seen);
    const runs = envelope.tasks.map((task, at): { isFirst: boolean; outcome: Promise<Outcome> | undefined } => {
      const key = keys[at] ?? "";
      if (known.has(key)) return { isFirst: false, outcome: undefined };
      const before = started.get(key);
      if (before) return { isFirst: false, outcome: before };
      const outcome = slot(() => runTask(message, task, { key, namespace, attempts: message.attempts, firedAt: envelope.firedAt }));
      started.set(key, outcome);
      return { isFirst: true, outcome: outcome.then((end) => (end.isDone && done.add(key), end)) };
    });

    const delays: number[] = [];
    let failed = 0;
    let acked = 0;
    for (const { isFirst, outcome } of runs) {
      const end = await outcome;
      if (end === undefined || (end.isDone && !isFirst)) counts.repeated += 1;
      else if (end.isDone) acked += 1;
      else {
        failed += 1;
        if (end.delaySeconds !== undefined) delays.push(end.delaySeconds);
      }
    }
    await done.end();
    counts.acked += acked;
    counts.retried += failed;
    if (failed === 0) message.ack();
    // No task is delivered before its delay has passed.
    else message.retry(delays.length === 0 ? undefined : { delaySeconds: Math.max(...delays) });
  };

  const runTask = async (message: QueueMessage, task: FiredTask<Payload>, about: Omit<Delivery, "ack" | "retry">): Promise<Outcome> => {
    let decided: Outcome | undefined;
    const delivery: Delivery = {
      ...about,
      ack: () => void (decided = { isDone: true }),
      retry: ({ delaySeconds } = {}) => void (decided = { isDone: false, delaySeconds: toDelay(delaySeconds) }),
    };
    try {
      await handle(task, delivery);
      return decided ?? { isDone: true };
    } catch (error) {
      onError(error, { message, task });
      return decided ?? { isDone: false };
    }
  };

  // Only `onError` can throw an error here.
  const ends = await Promise.allSettled(batch.messages.map(runMessage));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return counts;
}

/** Returns a delay that a queue accepts: whole seconds, and no more than the longest. */
function toDelay(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (Number.isNaN(Number(seconds))) throw new RangeError(`delaySeconds is ${seconds}: give a number from 0 to ${MAX_DELAY_SECONDS}`);
  return Math.ceil(Math.min(Math.max(seconds, 0), MAX_DELAY_SECONDS));
}

/** Adds keys to a store: a moment after they arrive, in case the Worker ends in the middle of a message, and at the end. */
class Notes {
  readonly #store: SeenStore;
  #keys: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: SeenStore) {
    this.#store = store;
  }

  add(key: string): void {
    this.#keys.push(key);
    // If this write fails, the keys are written at the end.
    this.#timer ??= setTimeout(() => void this.#write().catch(() => {}), REMEMBER_MILLIS);
  }

  /** Adds the remaining keys. Throws the error of the store. */
  async end(): Promise<void> {
    await this.#write();
  }

  #write(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.catch(() => {}).then(async () => {
      const keys = [...this.#keys];
      if (keys.length > 0) await this.#store.add(keys);
      this.#keys.splice(0, keys.length);
    });
    return this.#writing;
  }
}

function logError(error: unknown, { message, task }: { message: QueueMessage; task?: FiredTask | undefined }): void {
  const what = task === undefined ? `message ${message.id}` : `task ${task.id}`;
  console.error(`${what}, delivery ${message.attempts}:`, error);
}

/** Returns a function that runs its argument as soon as fewer than `count` others run. */
function slots(count: number): <Result>(run: () => Promise<Result>) => Promise<Result> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free -= 1;
    // A function that ends passes its slot on.
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
