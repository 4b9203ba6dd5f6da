// Sends requests to the API of the Worker that serves this page.

import { signal } from "@preact/signals";
import { problemText } from "../lib/problem";
import { endSession, key, namespace } from "../state/session";
import type { Problem } from "./types";

/** A refusal of the API. */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    readonly requestId: string | null,
    /** Seconds after which the same request may succeed. */
    readonly retryAfterSeconds: number | undefined,
  ) {
    super(problemText(problem));
  }

  get status(): number {
    return this.problem.status;
  }

  /** Whether the same request may succeed later. */
  get isPassing(): boolean {
    return this.status >= 500 || this.status === 429;
  }

  /** Returns whether the problem has this type, such as `no-task`. */
  is(type: string): boolean {
    return this.problem.type === `/problems/${type}`;
  }
}

/** The scheduler did not answer. */
export class Unreachable extends Error {
  constructor() {
    super("The scheduler does not answer. Check your connection, and that the Worker is deployed and running.");
  }
}

export interface Answer<Body> {
  body: Body;
  status: number;
  /** The version of the task that the answer shows. */
  etag: string | undefined;
}

export interface RequestOptions {
  query?: Readonly<Record<string, string | number | readonly string[] | undefined>> | undefined;
  body?: unknown;
  /** The body as text, in place of `body`. */
  text?: string;
  ifMatch?: string | undefined;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** A key to use in place of that of the session. */
  as?: { key: string; namespace: string };
}

/** Whether the scheduler answered the last request. */
export const isReachable = signal(true);

const TIMEOUT_MS = 30_000;

/** Returns a path with a query. Omits members that are undefined or empty. */
export function withQuery(path: string, query: RequestOptions["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") parameters.append(name, String(one));
    }
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Returns the headers with the API key and the namespace. */
function credentials(as: RequestOptions["as"]): Record<string, string> {
  const bearer = as?.key ?? key.value;
  const space = as?.namespace ?? namespace.value;
  return {
    ...(bearer === null || bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    ...(space === "" ? {} : { "scheduler-namespace": space }),
  };
}

/** Sends a request whose answer is a stream, and returns it without reading it. */
export async function open(path: string, options: RequestOptions = {}): Promise<Response> {
  const { query, headers, signal: outer } = options;
  const response = await fetch(withQuery(path, query), {
    headers: { ...credentials(options.as), ...headers },
    cache: "no-store",
    ...(outer ? { signal: outer } : {}),
  });
  if (!response.ok) throw refused(response, await response.text(), options.as);
  return response;
}

/**
 * Sends a request and returns the JSON of its answer.
 *
 * Throws an `ApiError` if the API refuses the request, `Unreachable` if there is no answer, and the reason of `signal` if it is aborted.
 */
export async function request<Body>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<Body>> {
  const { query, body, text, ifMatch, headers, signal: outer, as } = options;
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  let response: Response;
  let answer: string;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      headers: {
        ...credentials(as),
        ...(content === undefined ? {} : { "content-type": "application/json" }),
        ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content }),
      cache: "no-store",
      signal: outer ? AbortSignal.any([outer, deadline]) : deadline,
    });
    answer = await response.text();
  } catch (error) {
    if (outer?.aborted) throw error;
    isReachable.value = false;
    throw new Unreachable();
  }
  isReachable.value = true;
  if (!response.ok) {
    throw refused(response, answer, as);
  }
  return { body: (answer === "" ? undefined : JSON.parse(answer)) as Body, status: response.status, etag: response.headers.get("etag") ?? undefined };
}

/** Returns the error for a refusal. Ends the session if its key is refused. */
function refused(response: Response, text: string, as: RequestOptions["as"]): ApiError {
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const error = new ApiError(problemOf(response.status, text), response.headers.get("x-request-id"), Number.isFinite(retryAfter) ? retryAfter : undefined);
  if (error.status === 401 && as === undefined) endSession(error.problem.detail);
  return error;
}

function problemOf(status: number, text: string): Problem {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "type" in value && "detail" in value) return { ...(value as Problem), status };
  } catch {
    // The answer is not JSON: it comes from a proxy, not from the API.
  }
  return { type: "about:blank", title: `HTTP ${status}`, status, detail: `The answer has the status ${status} and is not from the API: ${text.slice(0, 200)}` };
}

/** Returns an id as a part of a path. */
export const inPath = (id: string): string => encodeURIComponent(id);
