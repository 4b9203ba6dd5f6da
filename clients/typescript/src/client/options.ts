/** Sends a request and returns its answer: the global `fetch`, a service binding's, or a Worker's own. */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** How a client reaches the scheduler. */
export type Connection =
  /** Over HTTP, in Node 22, browsers, Deno, Bun and Workers. */
  | {
      /** The address of the scheduler, such as `https://scheduler.example.workers.dev`. It may have a path. Redirects are not followed. */
      url: string | URL;
      /** Used in place of the global `fetch`. */
      fetch?: Fetch | undefined;
      binding?: never;
    }
  /** Over a service binding of a Worker to the scheduler. */
  | {
      /** The binding, such as `env.SCHEDULER`. */
      binding: { fetch: Fetch };
      url?: never;
      fetch?: never;
    }
  /** In the Worker that holds the scheduler. */
  | {
      /** The scheduler's `fetch`. */
      fetch: Fetch;
      url?: never;
      binding?: never;
    };

/** When a client sends a request again. */
export interface RetryOptions {
  /** The most times that a request is sent, including the first. 1 never repeats a request. Default: 6. */
  maxAttempts?: number | undefined;
  /** The longest wait before the second attempt, in seconds. The wait is random between 0 and this. Default: 0.25. */
  minBackoffSeconds?: number | undefined;
  /** The longest wait before any attempt, in seconds. The bound of the wait doubles with each attempt up to this. Default: 20. */
  maxBackoffSeconds?: number | undefined;
  /** The longest `Retry-After` that a call waits for, in seconds. With a longer one, the call fails at once. Default: 60. */
  maxRetryAfterSeconds?: number | undefined;
}

/** The clock of a client. Tests use their own. */
export interface Clock {
  /** Returns the current time, milliseconds since 1970. */
  now(): number;
  /** Resolves after a time, or rejects with the reason of the signal as soon as it is aborted. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Settings of a client. */
export type SchedulerClientOptions = Connection & {
  /** The API key. Over a binding it may be absent if the other side adds it. */
  apiKey?: string | undefined;
  /** The namespace of every call. Default: the only namespace of the key, or `default`. */
  namespace?: string | undefined;
  /** When a request is sent again. */
  retry?: RetryOptions | undefined;
  /** The most time an attempt at a request may take, in seconds. Default: 60. */
  timeoutSeconds?: number | undefined;
  /** Returns a random number from 0 up to but not including 1. Default: `Math.random`. */
  random?: (() => number) | undefined;
  /** Default: the system's clock. */
  clock?: Clock | undefined;
};

/** Settings of one call. */
export interface CallOptions {
  /** Ends the call, including waits between attempts. The call throws the reason of the signal. */
  signal?: AbortSignal | undefined;
  /** The namespace of this call. */
  namespace?: string | undefined;
  /** The id of the request in the logs of the scheduler: 1 to 128 letters, digits, `_` and `-`. */
  requestId?: string | undefined;
}

/** A version of a task: an `ETag`, or a task as the client has returned it. */
export type Version = string | { readonly etag: string };

/** Settings of a call that changes one task. */
export interface ChangeOptions extends CallOptions {
  /** Makes the change only if the task still has this version, or, with `"*"`, if there is a task. Otherwise the call fails with `/problems/other-version`. */
  ifMatch?: Version | undefined;
  /** Makes the change only if the task does not have this version, or, with `"*"`, if no task waits or runs under the id. */
  ifNoneMatch?: Version | undefined;
}

/** Settings of a call that creates tasks. */
export interface CreateOptions extends ChangeOptions {
  /**
   * Names the request, so that it takes effect once in a day, however often it is sent: 1 to 255 printable ASCII characters.
   * It costs two written rows on a shard. `false` sends none.
   *
   * Default: a new random one, so that the client can repeat the request if the answer is lost. A task with an id that
   * recurs or has no schedule needs none, because a repeat means the same task.
   */
  idempotencyKey?: string | false | undefined;
}
