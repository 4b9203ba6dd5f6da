// Brings the declared schedules of a class into the scheduler: adds, changes and removes them.

import type { SchedulerClient } from "../client/client.ts";
import { SchedulerError } from "../client/errors.ts";
import type { ChangeOptions } from "../client/options.ts";
import type { NewTask } from "../generated/openapi.ts";
import { type DeclaredSchedule, declaredSchedules } from "./declarations.ts";
import { toApi } from "./convert.ts";
import type { Home } from "./home.ts";
import { DECLARED } from "./task-scheduler.ts";

/** Changed with what this file writes, so that a new version of the package writes it again. */
const VERSION = 1;

/** Returns a digest of the declared schedules of a class, or empty text if it has none. Equal digests mean that nothing is to be done. */
export async function fingerprintOf(home: Home): Promise<string> {
  const schedules = declaredSchedules(home.type, home.base);
  if (schedules.length === 0) return "";
  const text = JSON.stringify([VERSION, home.address, schedules]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Makes the declared schedules in the scheduler those of the class. Running it twice changes nothing the second time: each
 * schedule has the name of its method as its id. A paused schedule stays paused, also if its times change.
 *
 * Throws an `AggregateError` with one error for each schedule that the scheduler has refused. The others are in place then.
 */
export async function reconcile(client: SchedulerClient, home: Home): Promise<void> {
  const schedules = declaredSchedules(home.type, home.base);
  const errors: Error[] = [];
  for (const schedule of schedules) {
    try {
      await put(client, home, schedule);
    } catch (error) {
      const { message } = error as Error;
      errors.push(new Error(`the schedule of ${home.type.name}.${schedule.method}() is not in place: ${message}`, { cause: error }));
    }
  }
  const wanted = new Set(schedules.map(({ method }) => idOf(home, method)));
  const stored = await client.query({ prefix: idOf(home, "") }).toArray();
  for (const id of new Set(stored.map((task) => task.id))) {
    if (!wanted.has(id)) await client.cancelTask(id);
  }
  if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => error.message).join("\n"));
}

/**
 * Reconciles the declared schedules if they have changed, by the fingerprint in the payload of a task, the record.
 * `home.token` makes the record if it is missing.
 *
 * Throws what `reconcile` throws, and an `Error` if another version of the class was reconciled at the same time: the record is
 * empty then, so that the next attempt compares them again.
 */
export async function reconcileByRecord(client: SchedulerClient, home: Home, recordId: string): Promise<void> {
  const wanted = await fingerprintOf(home);
  const found = await client.getTask(recordId);
  if (fingerprintIn(found) === wanted) return;
  await reconcile(client, home);
  await home.token();
  const record = found ?? (await client.getTask(recordId));
  const write = (fingerprint: string, options: ChangeOptions) => client.changeTask(recordId, { payload: { fingerprint } }, options);
  try {
    await write(wanted, { ifMatch: record });
  } catch (error) {
    if (!(error instanceof SchedulerError && error.type === "/problems/other-version")) throw error;
    if (fingerprintIn(await client.getTask(recordId)) === wanted) return;
    await write("", {});
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
  // A schedule with other times starts over, and would not be paused.
  const before = await client.getTask(id);
  await client.scheduleTask({ ...(await definitionOf(home, schedule)), ...(before?.status === "paused" ? { paused: true } : {}) });
}

/** Returns the task of a declared schedule. */
async function definitionOf(home: Home, { method, options, times }: DeclaredSchedule): Promise<NewTask> {
  const { retries: _, retry: __, timeoutSeconds: ___, description, tags, priority, limitKey, ...schedule } = options;
  const task = { ...schedule, ...times, callback: { type: "self", function: method } } as Parameters<typeof toApi>[0];
  return toApi(task, idOf(home, method), home);
}
