// Answers the requests by which the scheduler calls methods.

import type { DeliveredTask } from "../generated/openapi.ts";
import { ownTags } from "./convert.ts";
import { PermanentError, RetryLaterError } from "./errors.ts";
import { type Home, hasToken, methodOfPath } from "./home.ts";
import type { TaskRun } from "./types.ts";

type FetchHandler = (request: Request) => Response | Promise<Response>;

/** What an object does of its own when the scheduler calls it. */
export interface RunOptions {
  /** Called with each request. */
  onRequest?: () => void;
  /** Called before a method, which waits for it. */
  before?: () => unknown;
  /** Returns the second argument of a method. Default: a `TaskRun`. */
  argument?: (task: DeliveredTask, headers: Headers, home: Home) => unknown;
}

/**
 * Puts a `fetch` before that of an object, which answers the scheduler's calls of its methods. Every other request
 * reaches the object's own `fetch`, if its class has one.
 */
export function interceptRuns(target: object, home: Home, options: RunOptions = {}): void {
  const own = (target as { fetch?: FetchHandler }).fetch;
  const fetch: FetchHandler = async (request) => {
    options.onRequest?.();
    const method = methodOfPath(new URL(request.url).pathname);
    if (method !== undefined) return answerRun(target, method, request, home, options);
    return own === undefined ? new Response("There is nothing here.\n", { status: 404 }) : own.call(target, request);
  };
  Object.defineProperty(target, "fetch", { value: fetch, configurable: true, writable: true });
}

/**
 * Calls the method of a run, and says how it ended: 204 if it returned, 500 if it is to be retried, 503 if not before
 * some time, and 410 if it failed for good.
 */
async function answerRun(target: object, name: string, request: Request, home: Home, { before, argument = runOf }: RunOptions): Promise<Response> {
  if (!(await hasToken(request, home))) return failure(410, "the call is not from a task that was scheduled here");
  const found = home.find(name);
  if (found === undefined) return failure(410, `${home.type.name} has no method "${name}" that tasks may call`);
  const task = (await request.json()) as DeliveredTask;
  try {
    await before?.();
    await found.method.call(target, task.payload, argument(task, request.headers, home));
    return new Response(null, { status: 204 });
  } catch (error) {
    return answerError(error, `${home.type.name}.${name}()`);
  }
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
    attempt: Number(headers.get("scheduler-attempt") ?? 1),
    idempotencyKey: headers.get("idempotency-key") ?? `${task.id}@${task.time}`,
    ...(lastError === null ? {} : { lastError }),
    ...(task.description === undefined ? {} : { description: task.description }),
    ...(tags.length === 0 ? {} : { tags }),
  };
}
