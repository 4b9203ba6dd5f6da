// Reads values repeatedly, but only while the page is visible.

import { computed, signal } from "@preact/signals";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, isReachable, Unreachable } from "../api/client";

export const isVisible = signal(!document.hidden);
document.addEventListener("visibilitychange", () => {
  isVisible.value = !document.hidden;
});

/** Whether the pages update by themselves. */
export const isLive = signal(true);

/** The cost of one reading: requests to the Worker, and requests of the Worker to shards. `all` is the number of the namespace's shards. */
interface Cost {
  requests: number;
  shards: (all: number) => number;
}

/** What the current page reads: the interval and the cost of each reader. */
interface Watch extends Cost {
  /** 0 while it is not read again. */
  everyMs: number;
  /** When it was last read, by the clock of the viewer; absent before. */
  at?: number;
  /** Whether the last try has failed. */
  hasFailed?: boolean;
  /** Why it is not read again, if that follows from what was read. */
  ending?: string | undefined;
}

/** The cost of a request that asks every shard. */
export const ASKS_ALL: Cost = { requests: 1, shards: (all) => all };
/** The cost of a request that asks one object. */
export const ASKS_ONE: Cost = { requests: 1, shards: () => 1 };

const watches = new Map<symbol, Watch>();
/** All readers of the current page. */
export const readers = signal<readonly Watch[]>([]);
/** Those that read again by themselves. */
export const watching = computed(() => readers.value.filter(({ everyMs }) => everyMs > 0));

function watch(id: symbol, what: Watch | undefined): void {
  if (what) watches.set(id, what);
  else watches.delete(id);
  readers.value = [...watches.values()];
}

/** The current time, updated every second while the page is visible. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1_000);

export interface Polled<Value> {
  value: Value | undefined;
  error: Error | undefined;
  isLoading: boolean;
  /** Reads it again at once. */
  refresh: () => void;
}

/** The wait before the next try if there was no answer. */
const RETRY_MS = 2_000;
/** The wait before the next try after an answer that says that the scheduler is in trouble. */
const TROUBLE_MS = 5_000;

/** Returns the wait before the next try after an error; 0 if the same request would be refused again. */
function retryAfter(error: unknown): number {
  if (error instanceof Unreachable) return RETRY_MS;
  if (!(error instanceof ApiError) || !error.isPassing) return 0;
  return error.retryAfterSeconds === undefined ? TROUBLE_MS : error.retryAfterSeconds * 1_000;
}

interface PollOptions<Value> extends Cost {
  /** The time between two reads, or how to compute it from the last value; 0 reads once. */
  everyMs: number | ((value: Value) => number);
  /** Says why a value is the last one, as the beginning of a sentence; undefined if it need not be. */
  ending?: (value: Value) => string | undefined;
}

/**
 * Reads `load` at once, again when `keys` change, and every `everyMs` while the page is visible. The last value stays while the scheduler
 * does not answer.
 */
export function usePoll<Value>(load: (signal: AbortSignal) => Promise<Value>, keys: readonly unknown[], options: PollOptions<Value>): Polled<Value> {
  const [state, setState] = useState<{ value?: Value; error?: Error; isLoading: boolean }>({ isLoading: true });
  const [round, setRound] = useState(0);
  const refresh = useCallback(() => setRound((before) => before + 1), []);
  const current = useRef({ load, options });
  current.current = { load, options };

  // A value belongs to its keys, so it is dropped when they change.
  useEffect(() => setState({ isLoading: true }), keys);

  useEffect(() => {
    const id = Symbol("watch");
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const { requests, shards } = current.current.options;
    const idle: Watch = { everyMs: 0, requests, shards };
    let last = idle;
    watch(id, idle);

    const again = (afterMs: number): void => {
      if (afterMs > 0) timer = setTimeout(run, afterMs);
    };
    const run = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden) return;
      const { load: loadNow, options: optionsNow } = current.current;
      try {
        const value = await loadNow(controller.signal);
        if (controller.signal.aborted) return;
        setState({ value, isLoading: false });
        const everyMs = typeof optionsNow.everyMs === "function" ? optionsNow.everyMs(value) : optionsNow.everyMs;
        last = { ...idle, everyMs: isLive.value ? everyMs : 0, at: Date.now(), ending: optionsNow.ending?.(value) };
        watch(id, last);
        if (isLive.value) again(everyMs);
      } catch (error) {
        if (controller.signal.aborted) return;
        setState((before) => ({ ...before, error: error as Error, isLoading: false }));
        watch(id, { ...last, hasFailed: true });
        if (isLive.value || !isReachable.value) again(retryAfter(error));
      }
    };
    // What has been read is read again only if the pages update by themselves.
    const stopVisible = isVisible.subscribe((visible) => visible && (isLive.peek() || last.at === undefined) && void run());
    let wasLive = isLive.value;
    const stopLive = isLive.subscribe((live) => {
      if (live === wasLive) return;
      wasLive = live;
      clearTimeout(timer);
      watch(id, { ...last, everyMs: 0 });
      if (live) void run();
    });
    return () => {
      stopVisible();
      stopLive();
      clearTimeout(timer);
      controller.abort();
      watch(id, undefined);
    };
  }, [...keys, round]);

  return { value: state.value, error: state.error, isLoading: state.isLoading, refresh };
}
