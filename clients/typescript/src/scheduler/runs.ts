// Answers the calls of methods by the scheduler.

import type { DeliveredTask } from "../generated/openapi.ts";
import { ownTags } from "./convert.ts";
import { PermanentError, RetryLaterError } from "./errors.ts";
import { type Home, hasToken, methodOfPath, RUN_METHOD } from "./home.ts";
import type { TaskRun } from "./types.ts";

/** The hooks of an object for calls by the scheduler. */
export interface RunOptions {
  /** Called first, with whether the call comes from a task that was scheduled here. */
  onCall?: (isGenuine: Promise<boolean>) => void;
  /** Called before a method, which waits for it. */
  before?: () => unknown;
  /** Returns the second argument of a method. Default: a `TaskRun`. */
  argument?: (task: DeliveredTask, headers: Headers, home: Home) => unknown;
  /** Called with the error after the last attempt at a run has failed. An error that it throws is ignored. */
  afterFailure?: (error: unknown) => unknown;
}

/** The most attempts of a run if its task does not say: the API's default. */
const DEFAULT_MAX_ATTEMPTS = 10;

/** The functions that answer the runs of objects, by object. */
const handlers = new WeakMap<object, (request: Request) => Promise<Response>>();

/**
 * Lets an object answer the scheduler's calls of its methods, through an RPC method of the base class of its home. Only callers with a
 * binding can reach it. This does not affect the `fetch` of the object.
 */
export function interceptRuns(target: object, home: Home, options: RunOptions = {}): void {
  handlers.set(target, (request) => answerRun(target, request, home, options));
  const prototype = home.base.prototype as object;
  if (Object.hasOwn(prototype, RUN_METHOD)) return;
  async function answer(this: object, request: Request): Promise<Response> {
    return handlers.get(this)?.(request) ?? failure(410, "nothing is scheduled here");
  }
  Object.defineProperty(prototype, RUN_METHOD, { value: answer, configurable: true, writable: true });
}

/**
 * Calls the method of a run, and returns the result as a status: 204 if it returned, 500 if it is to be retried, 503 if not before some
 * time, 404 if there is no such method, and 410 if it failed for good.
 */
async function answerRun(target: object, request: Request, home: Home, { onCall, before, argument = runOf, afterFailure }: RunOptions): Promise<Response> {
  const name = methodOfPath(new URL(request.url).pathname) ?? "";
  const isGenuine = hasToken(request, home);
  onCall?.(isGenuine);
  if (!(await isGenuine)) return failure(410, "the call is not from a task that was scheduled here");
  const found = home.find(name);
  // While a deploy is rolled out, a task of the new version may reach the old one. The scheduler tries again after a 404.
  if (found === undefined) return failure(404, `${home.type.name} has no method "${name}" that tasks may call`);
  const task = (await request.json()) as DeliveredTask;
  try {
    await before?.();
    await found.method.call(target, task.payload, argument(task, request.headers, home));
    return new Response(null, { status: 204 });
  } catch (error) {
    const answer = answerError(error, `${home.type.name}.${name}()`);
    const isLast = answer.status === 410 || attemptOf(request.headers) >= (task.retry?.maxAttempts ?? DEFAULT_MAX_ATTEMPTS);
    try {
      if (isLast) await afterFailure?.(error);
    } catch {
      // The error is about the run, which has failed already.
    }
    return answer;
  }
}

/** Returns the number of the attempt, from 1. */
function attemptOf(headers: Headers): number {
  return Number(headers.get("scheduler-attempt") ?? 1);
}

function answerError(error: unknown, name: string): Response {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PermanentError) return failure(410, message);
  if (error instanceof RetryLaterError) return failure(503, message, { "retry-after": String(Math.max(0, Math.ceil(error.afterSeconds))) });
  console.error(`${name} failed:`, error);
  return failure(500, message);
}

function failure(status: number, message: string, headers: Record<string, string> = {}): Response {
  return new Response(message, { status, headers: { "content-type": "text/plain;charset=utf-8", ...headers } });
}

function runOf(task: DeliveredTask, headers: Headers, home: Home): TaskRun {
  const tags = ownTags(task.tags);
  const lastError = headers.get("scheduler-last-error");
  return {
    id: task.id.startsWith(home.prefix) ? task.id.slice(home.prefix.length) : task.id,
    time: new Date(task.time ?? 0),
    attempt: attemptOf(headers),
    idempotencyKey: headers.get("idempotency-key") ?? `${task.id}@${task.time}`,
    ...(lastError === null ? {} : { lastError }),
    ...(task.description === undefined ? {} : { description: task.description }),
    ...(tags.length === 0 ? {} : { tags }),
  };
}
