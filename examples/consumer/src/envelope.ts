// The message format of the scheduler's queues: one envelope is one queue message of many fired tasks.
// Pure: no platform in here, so it is tested on plain Node.

/** A task as it is handed over when it has fired. */
export interface FiredTask {
  /** The due time that was asked for, epoch milliseconds; of a recurring task the occurrence's time. */
  time: number;
  id: string;
  description?: string;
  tags?: string[];
  payload?: unknown;
  /** Which attempt this is. Absent on the first; then 2 and up. */
  attempt?: number;
  /** Of a follow-up of a run, which: "onSuccess" or "onFailure". */
  stage?: string;
  /** Of a follow-up, how the run ended. There may be more in it. */
  outcome?: { outcome: string; attempt: number; status?: number; error?: string; excerpt?: string; finishedAt?: number };
}

export interface Envelope {
  v: 1;
  /** The shard that sent it, and the envelope's number there. */
  shard: string;
  seq: number;
  /** When the shard fired these tasks, epoch milliseconds. */
  firedAt: number;
  tasks: FiredTask[];
}

/**
 * Reads a queue message. Throws an Error that names the field for anything that is not an envelope of
 * version 1. Fields that a later version adds are let through.
 */
export function parseEnvelope(text: string): Envelope {
  const value: unknown = JSON.parse(text);
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
  return value as unknown as Envelope;
}

/**
 * The name of this one occurrence of the task, or of its follow-up, the same over retries and repeated deliveries:
 * deduplicate by it. Webhooks get the same text as their `Idempotency-Key`.
 */
export function occurrenceKey(task: FiredTask): string {
  const run = `${task.id}@${task.time}`;
  return task.stage === undefined ? run : `${run}/${task.stage}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
