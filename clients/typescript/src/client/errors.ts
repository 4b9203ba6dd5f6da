import type { BatchReply, KnownProblemType, Problem } from "../generated/openapi.ts";

/** The type of a problem. A later version of the API may add types. */
export type ProblemType = KnownProblemType | "no-answer" | "not-a-problem" | (string & {});

/** What a {@link SchedulerError} is made from. */
export interface SchedulerErrorFields {
  type: ProblemType;
  title: string;
  status: number | undefined;
  detail: string;
  field?: string | undefined;
  requestId?: string | undefined;
  retryAfter?: number | undefined;
  retryable: boolean;
  attempts: number;
  uncertain?: boolean | undefined;
  results?: BatchReply["results"] | undefined;
  cause?: unknown;
}

/** The attempt that an error is about. */
export interface Attempt {
  /** Its number, from 1. */
  number: number;
  /** Whether the client sends an API key. */
  hasKey: boolean;
  /** The current time, milliseconds since 1970. */
  now: number;
}

/**
 * Says why the scheduler did not do what a call asked for.
 *
 * Decide by `type`, which is stable. A call that is aborted throws the reason of its signal instead, and a call with an
 * argument that JSON cannot hold throws a `TypeError`.
 *
 * @example
 * try {
 *   await scheduler.run("report");
 * } catch (error) {
 *   if (error instanceof SchedulerError && error.type === "/problems/already-running") return;
 *   throw error;
 * }
 */
export class SchedulerError extends Error {
  override readonly name = "SchedulerError";
  /**
   * A stable name for programs, such as `/problems/no-task`: the path of a page of the API that says what to do.
   * `no-answer` if no answer arrived, and `not-a-problem` if something between here and the scheduler answered.
   */
  readonly type: ProblemType;
  /** The kind of problem, for people. */
  readonly title: string;
  /** The HTTP status, or undefined if no answer arrived. */
  readonly status: number | undefined;
  /** This problem, for people: the field, the limit, and what to do. */
  readonly detail: string;
  /** The path of the invalid member in the request, such as `retry.maxAttempts` or `tags[3]`. */
  readonly field: string | undefined;
  /** The id of the request in the logs of the scheduler. */
  readonly requestId: string | undefined;
  /** Seconds after which the same request may succeed, if the scheduler has said so. */
  readonly retryAfter: number | undefined;
  /** Whether the same request may succeed later, unchanged. The client has tried it `attempts` times. */
  readonly retryable: boolean;
  /** How often the client has sent the request. */
  readonly attempts: number;
  /**
   * Whether the call may have taken effect all the same: the answer to an attempt at it was lost, or says nothing of it. Always false for
   * calls that change nothing.
   */
  readonly uncertain: boolean;
  /** The result of each task, if every task of a batch was refused. */
  readonly results: BatchReply["results"] | undefined;

  constructor(fields: SchedulerErrorFields) {
    const { title, field, detail, cause } = fields;
    const start = field === undefined || detail.startsWith(field) ? title : `${title}: ${field}`;
    super(`${start}: ${detail}`, cause === undefined ? undefined : { cause });
    this.type = fields.type;
    this.title = title;
    this.status = fields.status;
    this.detail = detail;
    this.field = field;
    this.requestId = fields.requestId;
    this.retryAfter = fields.retryAfter;
    this.retryable = fields.retryable;
    this.attempts = fields.attempts;
    this.uncertain = fields.uncertain ?? false;
    this.results = fields.results;
  }

  /** The members that a log should have. */
  toJSON(): object {
    const { type, title, status, detail, field, requestId, retryAfter, retryable, attempts, uncertain } = this;
    return { type, title, status, detail, field, requestId, retryAfter, retryable, attempts, uncertain };
  }
}

/** Returns an error with the same members that is uncertain. */
export function asUncertain(error: SchedulerError): SchedulerError {
  return new SchedulerError({ ...error, uncertain: true, ...(error.cause === undefined ? {} : { cause: error.cause }) });
}

/** The messages of runtimes for a request whose connection could not be made. */
const NOT_SENT = new Set<unknown>(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ConnectionRefused"]);

/** Whether an error leaves open if the scheduler has carried out the attempt that it is about. */
export function leavesOpen({ type, status, cause }: SchedulerError): boolean {
  if (status === undefined) return !NOT_SENT.has(codeOf(cause)) && !NOT_SENT.has(codeOf((cause as Error | undefined)?.cause));
  if (status >= 500) return true;
  // An answer with 2xx that is not the scheduler's may be the rest of one that was.
  return type === "not-a-problem" && status >= 200 && status <= 299;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

/** Returns the error of a request to an address that got no answer. */
export function noAnswer(cause: unknown, attempts: number, address: string): SchedulerError {
  const { message, cause: reason } = cause instanceof Error ? cause : { message: String(cause) };
  // Node says "fetch failed", and why in the cause of this.
  const why = reason instanceof Error ? reason.message || (reason as { code?: string }).code : undefined;
  const detail = `${message}${why ? `: ${why}` : ""} (asked: ${address})`;
  return new SchedulerError({ type: "no-answer", title: "No answer", status: undefined, detail, retryable: true, attempts, cause });
}

/** Returns the error of an answer that is not 2xx. Reads its body. */
export async function refusal(response: Response, attempt: Attempt): Promise<SchedulerError> {
  const text = await response.text().catch(() => "");
  const problem = parseProblem(text);
  if (problem === undefined) return unexpected(response, text, attempt);
  const { type, title, field, results } = problem;
  const detail = response.status === 401 && !attempt.hasKey ? `${problem.detail} (the client has no apiKey: is the variable set that should hold it?)` : problem.detail;
  const fields = fieldsOf(response, attempt);
  // The scheduler answers 429 without Retry-After if waiting does not help. Others have problems of types of their own.
  const mayHelp = [408, 503, 507].includes(response.status) || (response.status === 429 && fields.retryAfter !== undefined);
  const retryable = type.startsWith(PROBLEMS) ? mayHelp : isPassing(response.status);
  return new SchedulerError({ ...fields, type, title, detail, field: field ?? undefined, results: results ?? undefined, retryable });
}

/** What the types of the scheduler's problems begin with. */
const PROBLEMS = "/problems/";

/** Returns the error of an answer that something between here and the scheduler has given. */
export function unexpected(response: Response, text: string, attempt: Attempt): SchedulerError {
  const { status, statusText, headers } = response;
  // A browser shows 0 in place of the status of a redirect, and no address.
  const isRedirect = status === 0 || (status >= 300 && status < 400);
  const detail = isRedirect
    ? `a redirect${headers.has("location") ? ` to ${headers.get("location")}` : ""}, which would lose the request: give the address of the scheduler itself as url`
    : `${status} ${statusText}: ${text.slice(0, 200)}`;
  return new SchedulerError({ ...fieldsOf(response, attempt), type: "not-a-problem", title: "Unexpected answer", detail, retryable: isPassing(status) });
}

/** Whether an answer of something in between may be another one later. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

function fieldsOf({ status, headers }: Response, { number, now }: Attempt): Pick<SchedulerErrorFields, "status" | "requestId" | "retryAfter" | "attempts"> {
  return { status, requestId: headers.get("x-request-id") ?? undefined, retryAfter: parseRetryAfter(headers.get("retry-after"), now), attempts: number };
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { type, title, detail } = value as Partial<Problem>;
    return typeof type === "string" && typeof title === "string" && typeof detail === "string" ? (value as Problem) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the seconds of a `Retry-After`. The scheduler sends seconds; a proxy may send a date. */
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
