import type { Envelope as ApiEnvelope, QueuedTask } from "../generated/openapi.ts";

/** A task as it arrives when it has fired. */
export type FiredTask<Payload = unknown> = Omit<QueuedTask, "payload" | "time"> & {
  /** The requested time, milliseconds since 1970; for a recurring task, the time of this run. */
  time: number;
  payload: Payload;
};

/** A message in a queue of your own: tasks that fired together. */
export type Envelope<Payload = unknown> = Omit<ApiEnvelope, "tasks"> & {
  /** The tasks, in the order in which they fired. */
  tasks: FiredTask<Payload>[];
};

/**
 * Reads a message of a queue. Throws an `Error` that names the member if it is not an envelope of version 1. Members that a
 * later version adds are kept.
 */
export function parseEnvelope<Payload = unknown>(body: unknown): Envelope<Payload> {
  const value: unknown = typeof body === "string" ? JSON.parse(body) : body;
  if (!isObject(value)) throw new Error("envelope: not an object");
  if (value.v !== 1) throw new Error(`envelope: v is ${JSON.stringify(value.v)}, this code reads version 1`);
  if (typeof value.shard !== "string") throw new Error("envelope: shard is not a string");
  if (!Number.isSafeInteger(value.seq)) throw new Error("envelope: seq is not an integer");
  if (!Number.isSafeInteger(value.firedAt)) throw new Error("envelope: firedAt is not an integer");
  if (!Array.isArray(value.tasks)) throw new Error("envelope: tasks is not an array");
  value.tasks.forEach((task: unknown, index) => {
    if (!isObject(task)) throw new Error(`envelope: tasks[${index}] is not an object`);
    if (typeof task.id !== "string") throw new Error(`envelope: tasks[${index}].id is not a string`);
    if (!Number.isSafeInteger(task.time)) throw new Error(`envelope: tasks[${index}].time is not an integer`);
  });
  return value as unknown as Envelope<Payload>;
}

/** Whether a message of a queue is one by which the scheduler dispatches runs to itself, not one for a queue of your own. */
export function isDispatch(body: unknown): boolean {
  return targetsOf(body).some((type) => type !== "queue");
}

/** Whether a message of a queue is one for a queue of your own, by which the scheduler hands tasks over. */
export function isForOwnQueue(body: unknown): boolean {
  const targets = targetsOf(body);
  return targets.length > 0 && targets.every((type) => type === "queue");
}

/** Returns the types of the targets of the tasks in a message, or none for a message that is not an envelope. In a queue of your own, each task has this queue as its target. */
function targetsOf(body: unknown): string[] {
  try {
    return parseEnvelope(body).tasks.map(({ callback }) => (callback as { type?: string } | undefined)?.type ?? "queue");
  } catch {
    return [];
  }
}

/**
 * Returns the key of a run, `<id>@<time>`, or of its follow-up, `<id>@<time>/<stage>`. All attempts and repeated deliveries have the same
 * key, and webhooks have it as `Idempotency-Key`. Two namespaces may have the same key.
 */
export function occurrenceKey(task: { id: string; time: number; stage?: string | undefined }): string {
  const run = `${task.id}@${task.time}`;
  return task.stage === undefined ? run : `${run}/${task.stage}`;
}

/** Returns the namespace of the tasks of an envelope from the name of its shard: `shop:1-3`, or `1-3` in `default`. */
export function namespaceOf(envelope: { shard: string }): string {
  const colon = envelope.shard.indexOf(":");
  return colon < 0 ? "default" : envelope.shard.slice(0, colon);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
