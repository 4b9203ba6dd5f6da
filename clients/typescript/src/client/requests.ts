import { MAX_TIMER_MILLIS, systemClock } from "./clock.ts";
import { asUncertain, type Attempt, leavesOpen, noAnswer, refusal, SchedulerError, unexpected } from "./errors.ts";
import { type QueryValue, toJson, toQuery } from "./json.ts";
import type { CallOptions, Clock, Fetch, RetryOptions, SchedulerClientOptions } from "./options.ts";

/**
 * What a client may do if it does not know whether a request was carried out:
 * - `read`: send it again, because it changes nothing.
 * - `repeat`: send it again, because it has the same effect twice.
 * - `ask`: nothing, because twice is not the same as once.
 */
export type IfUncertain = "read" | "repeat" | "ask";

/** A request to the API. */
export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path with its ids percent-encoded, such as `/v1/tasks/order%2F7`. */
  path: string;
  query?: Readonly<Record<string, QueryValue>> | undefined;
  /** Text is sent as it is, any other value as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: `read` for GET, `ask` for POST, and `repeat` for the others. */
  ifUncertain?: IfUncertain | undefined;
  options?: CallOptions | undefined;
}

/** An answer with 2xx: its body, and the headers. */
export interface ApiAnswer<Body> {
  body: Body;
  headers: Headers;
  status: number;
  /** Whether the answer to an earlier attempt at the request was lost, so that this answer may not show what that one has changed. */
  uncertain: boolean;
}

const DEFAULT_RETRY = { maxAttempts: 6, minBackoffSeconds: 0.25, maxBackoffSeconds: 20, maxRetryAfterSeconds: 60 };

/** The settings of retries without those that are undefined. */
type Retry = typeof DEFAULT_RETRY;

/** Sends requests, and sends them again if they fail and it is safe. */
export class Requests {
  readonly #fetch: Fetch;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #hasKey: boolean;
  /** Where the requests go, for people. */
  readonly address: string;
  readonly #retry: Retry;
  readonly #timeoutMillis: number;
  readonly #random: () => number;
  readonly clock: Clock;

  constructor(options: SchedulerClientOptions) {
    const { url, binding, fetch: given, apiKey, namespace, timeoutSeconds = 60, random = Math.random, clock = systemClock } = options;
    if (binding !== undefined) this.#fetch = (request) => binding.fetch(request);
    // The global `fetch` of browsers and Workers refuses to be called as a method of something else.
    else if (given !== undefined) this.#fetch = (request) => given(request);
    else if (url !== undefined) this.#fetch = (request) => fetch(request);
    else throw new TypeError("give url, binding or fetch: how to reach the scheduler");
    // A binding leads to the scheduler, whatever the host.
    this.#base = baseOf(url ?? "https://scheduler.internal");
    this.address = url === undefined ? `the ${binding === undefined ? "function fetch" : "binding"} of the client` : this.#base;
    this.#hasKey = apiKey !== undefined && apiKey !== "";
    checkNamespace(namespace);
    this.#headers = {
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(namespace === undefined ? {} : { "scheduler-namespace": namespace }),
    };
    this.#retry = withDefaults(options.retry);
    if (!(timeoutSeconds > 0)) throw new RangeError(`timeoutSeconds is ${timeoutSeconds}: give a number above 0`);
    this.#timeoutMillis = Math.min(timeoutSeconds * 1000, MAX_TIMER_MILLIS);
    this.#random = random;
    this.clock = clock;
  }

  /** How often a request is sent at most. */
  get maxAttempts(): number {
    return this.#retry.maxAttempts;
  }

  /** Sends a request and returns its answer with the parsed body. Throws a {@link SchedulerError} if it is not 2xx. */
  async send<Body>(request: ApiRequest): Promise<ApiAnswer<Body>> {
    return this.#attempt(request, async (response, attempt, uncertain) => {
      const text = await response.text();
      return { body: parseAnswer(text, response, attempt) as Body, headers: response.headers, status: response.status, uncertain };
    });
  }

  /** Sends a request once and returns its answer before the body has arrived. The caller's signal ends both. */
  async open(request: ApiRequest, signal: AbortSignal, attempt: number): Promise<Response> {
    let response: Response;
    try {
      response = await Promise.race([this.#fetch(this.#build(request, signal)), aborted(signal)]);
    } catch (error) {
      throw signal.aborted ? signal.reason : noAnswer(error, attempt, this.address);
    }
    if (!response.ok) throw await refusal(response, this.about(attempt));
    return response;
  }

  /** Waits before the next attempt after `attempt` attempts that failed. */
  async backOff(attempt: number, retryAfter: number | undefined, signal?: AbortSignal): Promise<void> {
    const { minBackoffSeconds, maxBackoffSeconds } = this.#retry;
    const bound = Math.min(maxBackoffSeconds, minBackoffSeconds * 2 ** (attempt - 1));
    // Full jitter, so that clients that failed together do not come back together. Retry-After comes on top for the same reason.
    await this.clock.wait(1000 * ((retryAfter ?? 0) + this.#random() * bound), signal);
  }

  /** Returns what errors of an attempt say of it. */
  about(attempt: number): Attempt {
    return { number: attempt, hasKey: this.#hasKey, now: this.clock.now() };
  }

  async #attempt<Result>(request: ApiRequest, read: Reader<Result>): Promise<Result> {
    const signal = request.options?.signal;
    let uncertain = false;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const end = await this.#once(request, attempt, (response, about) => read(response, about, uncertain));
      if ("result" in end) return end.result;
      uncertain ||= ifUncertainOf(request) !== "read" && leavesOpen(end.failed);
      if (!this.#mayRepeat(request, end.failed, attempt)) throw uncertain ? asUncertain(end.failed) : end.failed;
      await this.backOff(attempt, end.failed.retryAfter, signal);
    }
  }

  async #once<Result>(request: ApiRequest, attempt: number, read: (response: Response, attempt: Attempt) => Promise<Result>): Promise<{ result: Result } | { failed: SchedulerError }> {
    const caller = request.options?.signal;
    const attemptEnd = new AbortController();
    const { signal } = attemptEnd;
    const stop = () => attemptEnd.abort(caller?.reason);
    // Throws for an argument that cannot be sent, which no further attempt changes.
    const sent = this.#build(request, signal);
    caller?.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => attemptEnd.abort(new Error(`no answer within ${this.#timeoutMillis / 1000} seconds`)), this.#timeoutMillis);
    try {
      const response = await Promise.race([this.#fetch(sent), aborted(signal)]);
      if (response.ok) return { result: await Promise.race([read(response, this.about(attempt)), aborted(signal)]) };
      return { failed: await Promise.race([refusal(response, this.about(attempt)), aborted(signal)]) };
    } catch (error) {
      if (caller?.aborted) throw caller.reason;
      return { failed: error instanceof SchedulerError ? error : noAnswer(error, attempt, this.address) };
    } finally {
      clearTimeout(timer);
      caller?.removeEventListener("abort", stop);
    }
  }

  #build({ method, path, query = {}, body, headers = {}, options }: ApiRequest, signal: AbortSignal): Request {
    checkNamespace(options?.namespace);
    const all = new Headers(this.#headers);
    if (body !== undefined) all.set("content-type", "application/json");
    if (options?.namespace !== undefined) all.set("scheduler-namespace", options.namespace);
    if (options?.requestId !== undefined) all.set("x-request-id", options.requestId);
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) all.set(name, value);
    }
    const text = body === undefined ? null : typeof body === "string" ? body : toJson(body);
    // Behind most redirects, a POST would arrive as a GET, whose answer looks like success.
    return new Request(`${this.#base}${path}${toQuery(query)}`, { method, headers: all, body: text, signal, redirect: "manual" });
  }

  #mayRepeat(request: ApiRequest, error: SchedulerError, attempt: number): boolean {
    if (!error.retryable || attempt >= this.#retry.maxAttempts) return false;
    if ((error.retryAfter ?? 0) > this.#retry.maxRetryAfterSeconds) return false;
    // With 408, with 429 and without a connection, nothing was done. With anything else, the scheduler may have carried out the request, or a part of it.
    return ifUncertainOf(request) !== "ask" || !leavesOpen(error);
  }
}

/** Reads an answer with 2xx. `uncertain`: whether the answer to an earlier attempt was lost. */
type Reader<Result> = (response: Response, attempt: Attempt, uncertain: boolean) => Promise<Result>;

function ifUncertainOf({ method, ifUncertain }: ApiRequest): IfUncertain {
  return ifUncertain ?? (method === "GET" ? "read" : method === "POST" ? "ask" : "repeat");
}

/** Returns an address without the slashes at its end. Throws a `TypeError` if it is not one that requests can be sent below. */
function baseOf(url: string | URL): string {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw new TypeError(`url is ${url}: give an address such as https://scheduler.example.workers.dev`);
  const { username, password, search, hash, origin, pathname } = parsed;
  if (username + password + search + hash !== "") throw new TypeError("url has a user name, a query or a fragment: give the address without it");
  return origin + pathname.replace(/\/+$/, "");
}

/** Throws a `TypeError` for an empty name: the platform drops an empty header, and the call would be about another namespace. */
function checkNamespace(name: string | undefined): void {
  if (name === "") throw new TypeError("namespace is empty: give a name, or leave it out");
}

/** Returns the body of an answer with 2xx. Throws a {@link SchedulerError} if it is not an object, as each answer of the API is. */
function parseAnswer(text: string, response: Response, attempt: Attempt): object {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return body;
  } catch {
    // It is something else than JSON, such as a page to sign in.
  }
  throw unexpected(response, text, attempt);
}

function withDefaults(retry: RetryOptions = {}): Retry {
  const given = Object.entries(retry).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const least = name === "maxAttempts" ? 1 : 0;
    if (!(Number(value) >= least)) throw new RangeError(`retry.${name} is ${value}: give a number of at least ${least}`);
  }
  return { ...DEFAULT_RETRY, ...Object.fromEntries(given) };
}

/** Rejects when a signal is aborted, for a `fetch` that does not look at its signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
