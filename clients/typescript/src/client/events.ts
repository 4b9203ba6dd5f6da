import type { Event, WatchEventsQuery } from "../generated/openapi.ts";
import { noAnswer, SchedulerError, unexpected } from "./errors.ts";
import type { CallOptions } from "./options.ts";
import type { Requests } from "./requests.ts";
import { parseServerSentEvents } from "./sse.ts";

/** The scheduler sends a comment at least every 25 seconds, so a silent connection is a dead one. */
const MAX_SILENCE_MILLIS = 60_000;

/** What happened: the type of an event. `gap` says that events may be missing before the next one. */
export type EventType = NonNullable<WatchEventsQuery["type"]> | "gap" | (string & {});

/** What happened to a task or to a destination, or a gap in the stream. */
export interface SchedulerEvent extends Event {
  type: EventType;
}

/** Settings of a stream of events. */
export interface EventsOptions extends CallOptions {
  /** The `lastEventId` of an earlier stream, to continue it. */
  lastEventId?: string | undefined;
  /** Called before the stream connects again after an error, which it does until it succeeds. */
  onReconnect?: ((error: SchedulerError) => void) | undefined;
}

/**
 * A stream of events that connects again by itself: after ten minutes, when the scheduler ends an answer, and after errors.
 *
 * It begins when you iterate over it, and ends with the iteration, or with the signal, whose reason it throws. It yields
 * no event twice. If events may be missing, it yields one of the type `gap`. It throws a {@link SchedulerError} if the
 * scheduler refuses the request for good, such as one with a wrong key.
 *
 * @example
 * for await (const event of scheduler.events({ type: "dead-lettered" }, { signal })) console.log(event.id, event.error);
 */
export class EventStream implements AsyncIterable<SchedulerEvent> {
  readonly #requests: Requests;
  readonly #query: WatchEventsQuery;
  readonly #options: EventsOptions;
  #lastEventId: string | undefined;
  /** Keys of the events since `#lastEventId`, which the next answer repeats. */
  #seen = new Set<string>();

  constructor(requests: Requests, query: WatchEventsQuery = {}, options: EventsOptions = {}) {
    this.#requests = requests;
    this.#query = query;
    this.#options = options;
    this.#lastEventId = options.lastEventId;
  }

  /** The id after which another process can continue, or undefined before the first answer. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SchedulerEvent, void, undefined> {
    const { signal } = this.#options;
    let failures = 0;
    for (;;) {
      signal?.throwIfAborted();
      let failed: SchedulerError | undefined;
      let isSilent = true;
      try {
        for await (const event of this.#connect(failures + 1)) {
          failures = 0;
          isSilent = false;
          if (event !== undefined) yield event;
        }
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (!(error instanceof SchedulerError) || !error.retryable) throw error;
        failed = error;
        this.#options.onReconnect?.(error);
      }
      // An answer that ends without a message has failed, too.
      failures = failed === undefined && !isSilent ? 0 : failures + 1;
      await this.#requests.backOff(Math.max(1, failures), failed?.retryAfter, signal);
    }
  }

  /** Reads one answer to its end. Yields undefined for a message that is not an event but shows that the connection works. */
  async *#connect(attempt: number): AsyncGenerator<SchedulerEvent | undefined, void, undefined> {
    const { signal } = this.#options;
    const connection = new AbortController();
    const end = () => connection.abort(signal?.reason);
    signal?.addEventListener("abort", end, { once: true });
    let silence: ReturnType<typeof setTimeout> | undefined;
    const stopTimer = () => {
      if (silence !== undefined) clearTimeout(silence);
    };
    const heard = () => {
      stopTimer();
      silence = setTimeout(() => connection.abort(new Error(`no sign of life for ${MAX_SILENCE_MILLIS / 1000} seconds`)), MAX_SILENCE_MILLIS);
    };
    try {
      heard();
      const headers = { accept: "text/event-stream", "last-event-id": this.#lastEventId };
      const response = await this.#requests.open({ method: "GET", path: "/v1/events", query: { ...this.#query }, headers, options: this.#options }, connection.signal, attempt);
      const type = response.headers.get("content-type");
      if (response.body === null || !type?.startsWith("text/event-stream")) throw unexpected(response, `content-type is ${type}`, this.#requests.about(attempt));
      for await (const block of parseServerSentEvents(response.body, connection.signal)) {
        // The reader does not listen while it handles an event.
        stopTimer();
        yield block && block.data !== "" ? this.#read(block.data) : undefined;
        heard();
        // The reader has handled the event only now, so another process may continue after it.
        if (block?.hasId) {
          this.#lastEventId = block.id;
          this.#seen.clear();
        }
      }
    } catch (error) {
      throw error instanceof SchedulerError ? error : noAnswer(error, attempt, this.#requests.address);
    } finally {
      stopTimer();
      signal?.removeEventListener("abort", end);
      connection.abort();
    }
  }

  /** Returns an event, or undefined if it is repeated. */
  #read(data: string): SchedulerEvent | undefined {
    const event = JSON.parse(data) as SchedulerEvent;
    if (event.type === "gap") return event;
    if (this.#seen.has(event.key)) return undefined;
    this.#seen.add(event.key);
    return event;
  }
}
