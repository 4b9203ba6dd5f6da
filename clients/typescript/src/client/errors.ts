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
  results?: BatchReply["results"] | undefined;
  cause?: unknown;
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
  /** What became of each task, if every task of a batch was refused. */
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
    this.results = fields.results;
  }

  /** The members that a log should have. */
  toJSON(): object {
    const { type, title, status, detail, field, requestId, retryAfter, retryable, attempts } = this;
    return { type, title, status, detail, field, requestId, retryAfter, retryable, attempts };
  }
}

/** Returns the error of a request that got no answer. */
export function noAnswer(cause: unknown, attempts: number): SchedulerError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new SchedulerError({ type: "no-answer", title: "No answer", status: undefined, detail, retryable: true, attempts, cause });
}

/** Returns the error of an answer that is not 2xx. Reads its body. */
export async function refusal(response: Response, attempts: number): Promise<SchedulerError> {
  const text = await response.text().catch(() => "");
  const problem = parseProblem(text);
  if (problem === undefined) return unexpected(response, text, attempts);
  const { type, title, detail, field, results } = problem;
  const fields = fieldsOf(response, attempts);
  // The scheduler answers 429 without Retry-After if waiting does not help. Others have problems of types of their own.
  const mayHelp = [408, 503, 507].includes(response.status) || (response.status === 429 && fields.retryAfter !== undefined);
  const retryable = type.startsWith(PROBLEMS) ? mayHelp : isPassing(response.status);
  return new SchedulerError({ ...fields, type, title, detail, field: field ?? undefined, results: results ?? undefined, retryable });
}

/** What the types of the scheduler's problems begin with. */
const PROBLEMS = "/problems/";

/** Returns the error of an answer that something between here and the scheduler has given. */
export function unexpected(response: Response, text: string, attempts: number): SchedulerError {
  const { status, statusText, headers } = response;
  // A browser shows 0 in place of the status of a redirect, and no address.
  const isRedirect = status === 0 || (status >= 300 && status < 400);
  const detail = isRedirect
    ? `a redirect${headers.has("location") ? ` to ${headers.get("location")}` : ""}, which would lose the request: give the address of the scheduler itself as url`
    : `${status} ${statusText}: ${text.slice(0, 200)}`;
  return new SchedulerError({ ...fieldsOf(response, attempts), type: "not-a-problem", title: "Unexpected answer", detail, retryable: isPassing(status) });
}

/** Whether an answer of something in between may be another one later. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

function fieldsOf({ status, headers }: Response, attempts: number): Pick<SchedulerErrorFields, "status" | "requestId" | "retryAfter" | "attempts"> {
  return { status, requestId: headers.get("x-request-id") ?? undefined, retryAfter: parseRetryAfter(headers.get("retry-after")), attempts };
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
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
