import { systemClock } from "./clock.ts";
import { noAnswer, refusal, type SchedulerError } from "./errors.ts";
import { type QueryValue, toJson, toQuery } from "./json.ts";
import type { CallOptions, Clock, Fetch, RetryOptions, SchedulerClientOptions } from "./options.ts";

/**
 * What a client may do if it does not know whether a request was carried out:
 * - `repeat`: send it again, because it has the same effect twice.
 * - `ask`: nothing, because twice is not the same as once.
 */
export type IfUncertain = "repeat" | "ask";

/** A request to the API. */
export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path with its ids percent-encoded, such as `/v1/tasks/order%2F7`. */
  path: string;
  query?: Readonly<Record<string, QueryValue>> | undefined;
  /** Text is sent as it is, any other value as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: `repeat` for every method but POST. */
  ifUncertain?: IfUncertain | undefined;
  options?: CallOptions | undefined;
}

/** An answer with 2xx: its body, and the headers. */
export interface ApiAnswer<Body> {
  body: Body;
  headers: Headers;
  status: number;
}

const DEFAULT_RETRY = { maxAttempts: 6, minBackoffSeconds: 0.25, maxBackoffSeconds: 20, maxRetryAfterSeconds: 60 };

/** The settings of retries without those that are undefined. */
type Retry = typeof DEFAULT_RETRY;

/** Sends requests, and sends them again if they fail and it is safe. */
export class Requests {
  readonly #fetch: Fetch;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #retry: Retry;
  readonly #timeoutMillis: number;
  readonly #random: () => number;
  readonly clock: Clock;

  constructor(options: SchedulerClientOptions) {
    const { url, binding, fetch: given, apiKey, namespace, timeoutSeconds = 60, random = Math.random, clock = systemClock } = options;
    if (binding !== undefined) this.#fetch = (request) => binding.fetch(request);
    else if (given !== undefined) this.#fetch = given;
    else if (url !== undefined) this.#fetch = (request) => fetch(request);
    else throw new TypeError("give url, binding or fetch: how to reach the scheduler");
    // A binding leads to the scheduler, whatever the host.
    this.#base = String(url ?? "https://scheduler.internal").replace(/\/+$/, "");
    if (!URL.canParse(this.#base)) throw new TypeError(`url is ${this.#base}: give an address such as https://scheduler.example.workers.dev`);
    this.#headers = {
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(namespace === undefined ? {} : { "scheduler-namespace": namespace }),
    };
    this.#retry = withDefaults(options.retry);
    // The longest timer that there is.
    this.#timeoutMillis = Math.min(timeoutSeconds * 1000, 2 ** 31 - 1);
    this.#random = random;
    this.clock = clock;
  }

  /** How often a request is sent at most. */
  get maxAttempts(): number {
    return this.#retry.maxAttempts;
  }

  /** Sends a request and returns its answer with the parsed body. Throws a {@link SchedulerError} if it is not 2xx. */
  async send<Body>(request: ApiRequest): Promise<ApiAnswer<Body>> {
    return this.#attempt(request, async (response) => {
      const text = await response.text();
      return { body: (text === "" ? undefined : JSON.parse(text)) as Body, headers: response.headers, status: response.status };
    });
  }

  /** Sends a request once and returns its answer before the body has arrived. The caller's signal ends both. */
  async open(request: ApiRequest, signal: AbortSignal, attempt: number): Promise<Response> {
    let response: Response;
    try {
      response = await Promise.race([this.#fetch(this.#build(request, signal)), aborted(signal)]);
    } catch (error) {
      throw signal.aborted ? signal.reason : noAnswer(error, attempt);
    }
    if (!response.ok) throw await refusal(response, attempt);
    return response;
  }

  /** Waits before the next attempt after `attempt` attempts that failed. */
  async backOff(attempt: number, retryAfter: number | undefined, signal?: AbortSignal): Promise<void> {
    const { minBackoffSeconds, maxBackoffSeconds } = this.#retry;
    const bound = Math.min(maxBackoffSeconds, minBackoffSeconds * 2 ** (attempt - 1));
    // Full jitter, so that clients that failed together do not come back together. Retry-After comes on top for the same reason.
    await this.clock.wait(1000 * ((retryAfter ?? 0) + this.#random() * bound), signal);
  }

  async #attempt<Result>(request: ApiRequest, read: (response: Response) => Promise<Result>): Promise<Result> {
    const signal = request.options?.signal;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const end = await this.#once(request, attempt, read);
      if ("result" in end) return end.result;
      if (!this.#mayRepeat(request, end.failed, attempt)) throw end.failed;
      await this.backOff(attempt, end.failed.retryAfter, signal);
    }
  }

  async #once<Result>(request: ApiRequest, attempt: number, read: (response: Response) => Promise<Result>): Promise<{ result: Result } | { failed: SchedulerError }> {
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
      if (response.ok) return { result: await Promise.race([read(response), aborted(signal)]) };
      return { failed: await Promise.race([refusal(response, attempt), aborted(signal)]) };
    } catch (error) {
      if (caller?.aborted) throw caller.reason;
      return { failed: noAnswer(error, attempt) };
    } finally {
      clearTimeout(timer);
      caller?.removeEventListener("abort", stop);
    }
  }

  #build({ method, path, query = {}, body, headers = {}, options }: ApiRequest, signal: AbortSignal): Request {
    const all = new Headers(this.#headers);
    if (body !== undefined) all.set("content-type", "application/json");
    if (options?.namespace !== undefined) all.set("scheduler-namespace", options.namespace);
    if (options?.requestId !== undefined) all.set("x-request-id", options.requestId);
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) all.set(name, value);
    }
    const text = body === undefined ? null : typeof body === "string" ? body : toJson(body);
    return new Request(`${this.#base}${path}${toQuery(query)}`, { method, headers: all, body: text, signal });
  }

  #mayRepeat({ method, ifUncertain = method === "POST" ? "ask" : "repeat" }: ApiRequest, error: SchedulerError, attempt: number): boolean {
    if (!error.retryable || attempt >= this.#retry.maxAttempts) return false;
    if ((error.retryAfter ?? 0) > this.#retry.maxRetryAfterSeconds) return false;
    // With 408 and 429 the scheduler has done nothing. With anything else it may have carried out the request, or a part of it.
    return ifUncertain === "repeat" || error.status === 408 || error.status === 429;
  }
}

function withDefaults(retry: RetryOptions = {}): Retry {
  const given = Object.entries(retry).filter(([, value]) => value !== undefined);
  return { ...DEFAULT_RETRY, ...Object.fromEntries(given) };
}

/** Rejects when a signal is aborted, for a `fetch` that does not look at its signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
