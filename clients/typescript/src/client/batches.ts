import type { BatchReply, NewTask } from "../generated/openapi.ts";
import { SchedulerError } from "./errors.ts";
import { toJson } from "./json.ts";
import type { CallOptions } from "./options.ts";
import type { Requests } from "./requests.ts";

/** The most tasks that the API accepts in one request. */
const MAX_BATCH_TASKS = 20_000;
/** The longest body of a batch, in characters of JSON. This is at most 8.1 MB of UTF-8, and the API accepts 8.3. */
const MAX_BATCH_CHARACTERS = 2_700_000;
/** The most refusals that a result lists. It counts the others. */
const MAX_LISTED = 1_000;

/**
 * A sequence of tasks of any length, or a function that returns one, such as a generator. Only the tasks of the batches in flight are in memory.
 *
 * TypeScript checks the tasks of a generator that is written in the call. One that is declared elsewhere needs its type, such as
 * `async function* renewals(): AsyncGenerator<NewTask>`, or TypeScript takes `type: "webhook"` for any text.
 */
export type TaskSource = Tasks | ReadableStream<NewTask> | (() => Tasks);

type Tasks = Iterable<NewTask> | AsyncIterable<NewTask>;

/** The progress of a call of `scheduleTasks`. */
export interface BatchProgress {
  /** Tasks that the scheduler has accepted. */
  accepted: number;
  /** Tasks that it has refused. */
  rejected: number;
  /** Batches that it has answered. */
  batches: number;
}

/** A task that the scheduler has accepted. */
export interface AcceptedTask {
  /** Its place in the source, from 0. */
  index: number;
  id: string;
  /** The place of an earlier task of the same batch that has the same id, and that this task replaced. */
  duplicateOf?: number | undefined;
}

/** A task that the scheduler has refused. */
export interface RejectedTask {
  /** Its place in the source, from 0. */
  index: number;
  task: NewTask;
  /** The path of the invalid member, such as `callback.url`, or `body`. */
  field: string;
  /** The field, the problem and the limit, for people. */
  detail: string;
  /** Whether the same task may be accepted later. If the task itself is invalid, it is false. */
  retryable: boolean;
}

/** The result of a call of `scheduleTasks`. */
export interface ScheduledTasks {
  /** Tasks that were accepted. */
  accepted: number;
  /** Tasks that were refused. */
  rejected: number;
  /** The first 1,000 tasks that were refused. `onBatch` gets all of them. */
  rejections: RejectedTask[];
}

/** Settings of a call of `scheduleTasks`. */
export interface ScheduleTasksOptions extends CallOptions {
  /** Tasks in one request, at most 20,000. A batch also ends before its JSON exceeds 2,700,000 characters. Default: 2,000. */
  batchSize?: number | undefined;
  /** Requests in flight at one time. Default: 2. */
  concurrency?: number | undefined;
  /**
   * Identifies the batches: each is sent with this text, a colon and its number as its `Idempotency-Key`. If you send the same tasks again
   * within a day, with the same key and batch size, the call creates nothing twice and completes what is missing. Default: a random one.
   */
  idempotencyKey?: string | undefined;
  /** Called after each answer. */
  onProgress?: ((progress: BatchProgress) => void) | undefined;
  /** Called after each answer, with the results of the tasks of the batch. The call waits for the returned promise. */
  onBatch?: ((accepted: readonly AcceptedTask[], rejected: readonly RejectedTask[]) => void | Promise<void>) | undefined;
}

/** A task with its place in the source, from 0. */
interface PlacedTask {
  index: number;
  task: NewTask;
}

/** The tasks of one request. */
interface Batch {
  number: number;
  tasks: PlacedTask[];
  /** The tasks among them that JSON cannot hold. They are not sent. */
  unsendable: RejectedTask[];
  body: string;
}

/** Creates the tasks of a source in batches: see `SchedulerClient.scheduleTasks`. */
export async function scheduleTasks(requests: Requests, source: TaskSource, options: ScheduleTasksOptions = {}): Promise<ScheduledTasks> {
  const { batchSize = 2_000, concurrency = 2, idempotencyKey = crypto.randomUUID(), onProgress, onBatch, signal } = options;
  const size = wholeNumber("batchSize", batchSize, MAX_BATCH_TASKS);
  const width = wholeNumber("concurrency", concurrency, 1_000);
  checkKey(idempotencyKey);
  const total: ScheduledTasks = { accepted: 0, rejected: 0, rejections: [] };
  let batches = 0;

  const send = async (batch: Batch) => {
    const results = batch.tasks.length === 0 ? [] : await sendBatch(requests, batch, `${idempotencyKey}:${batch.number}`, options);
    const { accepted, rejected } = sortResults(batch, results);
    total.accepted += accepted.length;
    total.rejected += rejected.length;
    total.rejections.push(...rejected.slice(0, MAX_LISTED - total.rejections.length));
    batches += 1;
    onProgress?.({ accepted: total.accepted, rejected: total.rejected, batches });
    await onBatch?.(accepted, rejected);
  };

  // Ends the call: because the caller's signal is aborted, or because a batch has failed.
  const end = new AbortController();
  const abort = () => end.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort, { once: true });

  const inFlight = new Set<Promise<void>>();
  const divided = divide(source, size);
  // The source may take any time for its next task, or never return one.
  let isReading = false;
  try {
    for (;;) {
      isReading = true;
      const next = await unlessAborted(end.signal, divided.next());
      isReading = false;
      if (next.done === true) break;
      const sending: Promise<void> = send(next.value)
        .catch((error: unknown) => end.abort(error))
        .finally(() => inFlight.delete(sending));
      inFlight.add(sending);
      if (inFlight.size >= width) await unlessAborted(end.signal, Promise.race(inFlight));
    }
    await unlessAborted(end.signal, Promise.all(inFlight));
    return total;
  } finally {
    const closed = divided.return().catch(() => {});
    // A source with a pending request for a task closes only after it has answered, which may be never.
    const isClosed = isReading ? Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 0))]) : closed;
    const rest = Promise.all([isClosed, ...inFlight]);
    await (signal === undefined ? rest : unlessAborted(signal, rest).catch(() => {}));
    signal?.removeEventListener("abort", abort);
  }
}

/** Waits for a promise. Throws the reason of the signal as soon as it is aborted. */
function unlessAborted<Result>(signal: AbortSignal, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Throws a `TypeError` for an empty key. The platform drops an empty header, so a repeat would create everything twice. */
export function checkKey(idempotencyKey: string | false | undefined): void {
  if (idempotencyKey === "") throw new TypeError("idempotencyKey is empty: give 1 to 255 characters, or leave it out");
}

/** Sends a batch until it has no refused task that may be accepted later, or the attempts are used up. */
async function sendBatch(requests: Requests, batch: Batch, idempotencyKey: string, options: CallOptions): Promise<BatchReply["results"]> {
  for (let attempt = 1; ; attempt += 1) {
    const results = await requests
      .send<Partial<BatchReply>>({
        method: "POST",
        path: "/v1/tasks/batch",
        body: batch.body,
        headers: { "idempotency-key": idempotencyKey },
        ifUncertain: "repeat",
        options,
      })
      .then(({ body }) => body.results, resultsOf);
    if (results?.length !== batch.tasks.length) {
      const detail = `a batch of ${batch.tasks.length} tasks was answered with ${results?.length ?? "no"} results`;
      throw new SchedulerError({ type: "not-a-problem", title: "Unexpected answer", status: undefined, detail, retryable: false, uncertain: true, attempts: attempt });
    }
    // Under the same key, a repeat creates only what a shard has refused before.
    const isComplete = !results.some((result) => "error" in result && result.error.retryable === true);
    if (isComplete || attempt >= requests.maxAttempts) return results;
    await requests.backOff(attempt, undefined, options.signal);
  }
}

/** Returns the results of a batch that was refused because each of its tasks is invalid. Throws any other error. */
function resultsOf(error: unknown): BatchReply["results"] {
  if (error instanceof SchedulerError && error.results !== undefined) return error.results;
  throw error;
}

function sortResults({ tasks, unsendable }: Batch, results: BatchReply["results"]): { accepted: AcceptedTask[]; rejected: RejectedTask[] } {
  const accepted: AcceptedTask[] = [];
  const rejected = [...unsendable];
  for (const [at, { index, task }] of tasks.entries()) {
    const result = results[at];
    if (result === undefined) continue;
    if ("error" in result) {
      const { field, detail, retryable = false } = result.error;
      rejected.push({ index, task, field, detail, retryable });
    } else {
      const { id, duplicateOf } = result;
      const original = duplicateOf === undefined ? undefined : tasks[duplicateOf];
      accepted.push(original === undefined ? { index, id } : { index, id, duplicateOf: original.index });
    }
  }
  return { accepted, rejected: rejected.sort((one, two) => one.index - two.index) };
}

/** Divides tasks into batches. The same tasks give the same batches. */
async function* divide(source: TaskSource, size: number): AsyncGenerator<Batch, void, undefined> {
  let number = 0;
  let index = -1;
  let tasks: PlacedTask[] = [];
  let unsendable: RejectedTask[] = [];
  let texts: string[] = [];
  let characters = 0;
  const take = (): Batch => {
    const batch = { number, tasks, unsendable, body: `[${texts.join(",")}]` };
    number += 1;
    [tasks, unsendable, texts, characters] = [[], [], [], 0];
    return batch;
  };
  for await (const task of iterate(source)) {
    index += 1;
    const { text, problem } = serialize(task);
    if (problem !== undefined) unsendable.push({ index, task, field: "body", detail: problem, retryable: false });
    else {
      if (tasks.length > 0 && characters + text.length > MAX_BATCH_CHARACTERS) yield take();
      tasks.push({ index, task });
      texts.push(text);
      characters += text.length + 1;
    }
    if (tasks.length + unsendable.length >= size) yield take();
  }
  if (tasks.length + unsendable.length > 0) yield take();
}

/** Returns a task as JSON, or the reason why JSON cannot hold it. */
function serialize(task: NewTask): { text: string; problem?: undefined } | { text?: undefined; problem: string } {
  try {
    // There is no JSON for a function and for undefined.
    const text = toJson(task) as string | undefined;
    return text === undefined ? { problem: `${typeof task} is no task` } : { text };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Iterates over a source. Not every browser can iterate over a stream by itself. */
async function* iterate(given: TaskSource): AsyncGenerator<NewTask, void, undefined> {
  const source = typeof given === "function" ? given() : given;
  const { [Symbol.asyncIterator]: inTurns, [Symbol.iterator]: atOnce } = source as Partial<Iterable<NewTask> & AsyncIterable<NewTask>>;
  if (inTurns !== undefined || atOnce !== undefined) {
    yield* source as Iterable<NewTask> | AsyncIterable<NewTask>;
    return;
  }
  if (!("getReader" in Object(source))) throw new TypeError("tasks is neither an array, an iterable or a stream, nor a function that returns an array or an iterable");
  const reader = (source as ReadableStream<NewTask>).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function wholeNumber(name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 1 || value > max) throw new RangeError(`${name} is ${value}: give a whole number from 1 to ${max}`);
  return value;
}
