import type { BatchReply, NewTask } from "../generated/openapi.ts";
import { SchedulerError } from "./errors.ts";
import { toJson } from "./json.ts";
import type { CallOptions } from "./options.ts";
import type { Requests } from "./requests.ts";

/** The most tasks that the API takes at once. */
const MAX_BATCH_TASKS = 20_000;
/** Longest body of a batch, in characters of JSON: at most 12 MB of UTF-8, where the API takes 16. */
const MAX_BATCH_CHARACTERS = 4_000_000;
/** Refusals that a result lists; it counts the others. */
const MAX_LISTED = 1_000;

/** A sequence of tasks of any length. Only the tasks of the batches in flight are in memory. */
export type TaskSource = Iterable<NewTask> | AsyncIterable<NewTask> | ReadableStream<NewTask>;

/** How far a call of `scheduleTasks` has come. */
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

/** What became of the tasks of a call of `scheduleTasks`. */
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
  /** Tasks in one request, at most 20,000. A batch also ends before its JSON exceeds 4,000,000 characters. Default: 2,000. */
  batchSize?: number | undefined;
  /** Requests in flight at one time. Default: 2. */
  concurrency?: number | undefined;
  /**
   * Names the batches: each is sent with this text, a colon and its number as its `Idempotency-Key`. If you send the same
   * tasks again within a day, with the same key and batch size, the call creates nothing twice and completes what is
   * missing. Default: a random one.
   */
  idempotencyKey?: string | undefined;
  /** Called after each answer. */
  onProgress?: ((progress: BatchProgress) => void) | undefined;
  /** Called after each answer, with what became of the tasks of the batch. The call waits for what it returns. */
  onBatch?: ((accepted: readonly AcceptedTask[], rejected: readonly RejectedTask[]) => void | Promise<void>) | undefined;
}

/** Tasks that go in one request. */
interface Batch {
  number: number;
  /** The place of its first task in the source. */
  first: number;
  tasks: NewTask[];
  body: string;
}

/** Creates the tasks of a source in batches: see `SchedulerClient.scheduleTasks`. */
export async function scheduleTasks(requests: Requests, source: TaskSource, options: ScheduleTasksOptions = {}): Promise<ScheduledTasks> {
  const { batchSize = 2_000, concurrency = 2, idempotencyKey = crypto.randomUUID(), onProgress, onBatch, signal } = options;
  const size = wholeNumber("batchSize", batchSize, MAX_BATCH_TASKS);
  const width = wholeNumber("concurrency", concurrency, 1_000);
  const total: ScheduledTasks = { accepted: 0, rejected: 0, rejections: [] };
  let batches = 0;

  const send = async (batch: Batch) => {
    const results = await sendBatch(requests, batch, `${idempotencyKey}:${batch.number}`, options);
    const { accepted, rejected } = sortResults(batch, results);
    total.accepted += accepted.length;
    total.rejected += rejected.length;
    total.rejections.push(...rejected.slice(0, MAX_LISTED - total.rejections.length));
    batches += 1;
    onProgress?.({ accepted: total.accepted, rejected: total.rejected, batches });
    await onBatch?.(accepted, rejected);
  };

  const inFlight = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  for await (const batch of divide(source, size)) {
    signal?.throwIfAborted();
    const sending = send(batch).then(
      () => void inFlight.delete(sending),
      (error: unknown) => {
        inFlight.delete(sending);
        failure ??= { error };
      },
    );
    inFlight.add(sending);
    if (inFlight.size >= width) await Promise.race(inFlight);
    if (failure) break;
  }
  await Promise.all(inFlight);
  if (failure) throw failure.error;
  return total;
}

/** Sends a batch until no task is refused that may be accepted later, or the attempts are used up. */
async function sendBatch(requests: Requests, batch: Batch, idempotencyKey: string, options: CallOptions): Promise<BatchReply["results"]> {
  for (let attempt = 1; ; attempt += 1) {
    const results = await requests
      .send<BatchReply>({
        method: "POST",
        path: "/v1/tasks/batch",
        body: batch.body,
        headers: { "idempotency-key": idempotencyKey },
        ifUncertain: "repeat",
        options,
      })
      .then(({ body }) => body.results, resultsOf);
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

function sortResults({ first, tasks }: Batch, results: BatchReply["results"]): { accepted: AcceptedTask[]; rejected: RejectedTask[] } {
  const accepted: AcceptedTask[] = [];
  const rejected: RejectedTask[] = [];
  for (const [at, result] of results.entries()) {
    const index = first + at;
    const task = tasks[at];
    if ("error" in result) {
      const { field, detail, retryable = false } = result.error;
      if (task !== undefined) rejected.push({ index, task, field, detail, retryable });
    } else {
      const { id, duplicateOf } = result;
      accepted.push(duplicateOf === undefined ? { index, id } : { index, id, duplicateOf: first + duplicateOf });
    }
  }
  return { accepted, rejected };
}

/** Divides tasks into batches. The same tasks give the same batches. */
async function* divide(source: TaskSource, size: number): AsyncGenerator<Batch, void, undefined> {
  let number = 0;
  let index = 0;
  let tasks: NewTask[] = [];
  let texts: string[] = [];
  let characters = 0;
  const take = (): Batch => {
    const batch = { number, first: index - tasks.length, tasks, body: `[${texts.join(",")}]` };
    number += 1;
    [tasks, texts, characters] = [[], [], 0];
    return batch;
  };
  for await (const task of iterate(source)) {
    const text = serialize(task, index);
    if (tasks.length > 0 && characters + text.length > MAX_BATCH_CHARACTERS) yield take();
    tasks.push(task);
    texts.push(text);
    characters += text.length + 1;
    index += 1;
    if (tasks.length >= size) yield take();
  }
  if (tasks.length > 0) yield take();
}

function serialize(task: NewTask, index: number): string {
  try {
    return toJson(task);
  } catch (error) {
    throw new TypeError(`tasks[${index}]: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Iterates over a source. Not every browser can iterate over a stream by itself. */
async function* iterate(source: TaskSource): AsyncGenerator<NewTask, void, undefined> {
  if (Symbol.asyncIterator in source || Symbol.iterator in source) {
    yield* source as Iterable<NewTask> | AsyncIterable<NewTask>;
    return;
  }
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
