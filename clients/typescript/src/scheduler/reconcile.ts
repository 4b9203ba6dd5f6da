// Brings the declared schedules of a class into the scheduler: adds, changes and removes them.

import type { SchedulerClient } from "../client/client.ts";
import type { ChangeOptions } from "../client/options.ts";
import type { NewTask } from "../generated/openapi.ts";
import { type DeclaredSchedule, declaredSchedules } from "./declarations.ts";
import { toApi } from "./convert.ts";
import type { Home } from "./home.ts";
import { isOtherVersion, overwrite } from "./pauses.ts";
import { DECLARED } from "./task-scheduler.ts";

/** The version of what this file writes. When it changes, a new version of the package writes everything again. */
const VERSION = 1;

/** The most tries to store a schedule that somebody else changes in the meantime. */
const MAX_TRIES = 3;

/** Digests of declared schedules, by the names of their methods. */
type Digests = Record<string, string>;

/**
 * Returns a text that identifies the schedules that a class declares, or empty text if it declares none. If the text is equal to the stored
 * one, nothing needs to be done.
 */
export async function fingerprintOf(home: Home): Promise<string> {
  const schedules = declaredSchedules(home.type, home.base);
  return write(Object.fromEntries(await Promise.all(schedules.map(async (schedule) => [schedule.method, await digestOf([VERSION, home.address, schedule])] as const))));
}

async function digestOf(value: unknown): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value)));
  return [...new Uint8Array(digest).slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function write(digests: Digests): string {
  return Object.keys(digests).length === 0 ? "" : JSON.stringify(digests);
}

/** Returns the digests in a fingerprint, or none in a text that is not one. */
function read(fingerprint: string): Digests {
  try {
    return JSON.parse(fingerprint) as Digests;
  } catch {
    return {};
  }
}

/** The result of reconciling declared schedules. */
export interface Reconciled {
  /** The fingerprint of the schedules that are up to date. */
  fingerprint: string;
  /** The errors of the others. */
  errors: Error[];
}

/**
 * Makes the declared schedules in the scheduler those of the class. Each has the name of its method as its id. Those that are up to date
 * according to the fingerprint `known` stay as they are, so one whose runs are used up does not begin again. A paused schedule stays
 * paused, even if its times change.
 */
export async function reconcile(client: SchedulerClient, home: Home, known: string): Promise<Reconciled> {
  const schedules = declaredSchedules(home.type, home.base);
  const before = read(known);
  const digests = read(await fingerprintOf(home));
  const errors: Error[] = [];
  for (const schedule of schedules) {
    const { method } = schedule;
    if (before[method] === digests[method]) continue;
    try {
      await put(client, home, schedule);
    } catch (error) {
      delete digests[method];
      errors.push(new Error(`the schedule of ${home.type.name}.${method}() is not in place: ${(error as Error).message}`, { cause: error }));
    }
  }
  const wanted = new Set(schedules.map(({ method }) => idOf(home, method)));
  const stored = await client.query({ prefix: idOf(home, "") }).toArray();
  // Dead letters stay, so that somebody can examine them.
  const gone = stored.filter(({ id, status }) => !wanted.has(id) && status !== "dead-lettered");
  for (const id of new Set(gone.map((task) => task.id))) await client.cancelTask(id);
  return { fingerprint: write(digests), errors };
}

/** Throws an `AggregateError` if there are errors. */
export function throwAll(errors: readonly Error[]): void {
  if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => error.message).join("\n"));
}

/**
 * Reconciles the declared schedules if they have changed, by the fingerprint in the payload of a task, the record.
 * `home.token` makes the record if it is missing.
 *
 * Throws an `AggregateError` with one error for each schedule that the scheduler has refused; the others are in place then.
 * Throws an `Error` if another version of the class was reconciled at the same time: the record is empty then, so that the next
 * attempt compares them again.
 */
export async function reconcileByRecord(client: SchedulerClient, home: Home, recordId: string): Promise<void> {
  const wanted = await fingerprintOf(home);
  const found = await client.getTask(recordId);
  if (fingerprintIn(found) === wanted) return;
  const { fingerprint, errors } = await reconcile(client, home, fingerprintIn(found));
  await home.token();
  const record = found ?? (await client.getTask(recordId));
  const store = (text: string, options: ChangeOptions) => client.changeTask(recordId, { payload: { fingerprint: text } }, options);
  try {
    if (fingerprint !== fingerprintIn(record)) await store(fingerprint, { ifMatch: record });
    throwAll(errors);
  } catch (error) {
    if (!isOtherVersion(error)) throw error;
    if (fingerprintIn(await client.getTask(recordId)) === wanted) return;
    await store("", {});
    throw new Error(`another version of ${home.type.name} has declared schedules at the same time: they are compared again`, { cause: error });
  }
}

function fingerprintIn(record: { payload?: unknown } | undefined): string {
  return ((record?.payload ?? {}) as { fingerprint?: string }).fingerprint ?? "";
}

function idOf(home: Home, method: string): string {
  return home.prefix + DECLARED + method;
}

async function put(client: SchedulerClient, home: Home, schedule: DeclaredSchedule): Promise<void> {
  const id = idOf(home, schedule.method);
  const definition = await definitionOf(home, schedule);
  for (let tries = MAX_TRIES; ; tries -= 1) {
    const before = await client.getTask(id);
    // A schedule with other times starts over, so the definition must repeat the pause. The condition keeps anybody from pausing it in
    // between.
    const isThere = before !== undefined && before.status !== "dead-lettered";
    try {
      await overwrite(client, definition, before, isThere ? { ifMatch: before } : {});
      return;
    } catch (error) {
      if (tries === 1 || !isOtherVersion(error)) throw error;
    }
  }
}

/** Returns the task of a declared schedule. */
async function definitionOf(home: Home, { method, options, times }: DeclaredSchedule): Promise<NewTask> {
  const { retries: _, retry: __, timeoutSeconds: ___, description, tags, priority, limitKey, ...schedule } = options;
  const task = { ...schedule, ...times, callback: { type: "self", function: method } } as Parameters<typeof toApi>[0];
  return toApi(task, idOf(home, method), home);
}
