// Reads something again and again, but only while somebody can see it.

import { signal } from "@preact/signals";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, isReachable, Unreachable } from "../api/client";

export const isVisible = signal(!document.hidden);
document.addEventListener("visibilitychange", () => {
  isVisible.value = !document.hidden;
});

/** Says whether the pages update by themselves. */
export const isLive = signal(true);

/** What one reading costs: requests to the Worker, and those of the Worker to shards, of which the namespace has `all`. */
interface Cost {
  requests: number;
  shards: (all: number) => number;
}

/** What the page that is shown reads by itself: for each reader, how often, and what it costs. */
interface Watch extends Cost {
  everyMs: number;
}

/** The cost of a request that asks every shard. */
export const ASKS_ALL: Cost = { requests: 1, shards: (all) => all };
/** The cost of a request that asks one object. */
export const ASKS_ONE: Cost = { requests: 1, shards: () => 1 };

const watches = new Map<symbol, Watch>();
export const watching = signal<readonly Watch[]>([]);

function watch(id: symbol, what: Watch | undefined): void {
  if (what) watches.set(id, what);
  else watches.delete(id);
  watching.value = [...watches.values()];
}

/** The time, to the second, while the page is visible. */
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

/** After so long without an answer the next try is made. */
const RETRY_MS = 2_000;
/** After so long with an answer that says that the scheduler is in trouble. */
const TROUBLE_MS = 5_000;

/** Returns when to try again after an error; 0 if the same request would be refused again. */
function retryAfter(error: unknown): number {
  if (error instanceof Unreachable) return RETRY_MS;
  if (!(error instanceof ApiError) || (error.status < 500 && error.status !== 429)) return 0;
  return error.retryAfterSeconds === undefined ? TROUBLE_MS : error.retryAfterSeconds * 1_000;
}

interface PollOptions<Value> extends Cost {
  /** Time between two reads, or what it is after a value; 0 reads once. */
  everyMs: number | ((value: Value) => number);
}

/**
 * Reads `load` at once, again whenever `keys` change, and every `everyMs` while the page is visible. The last value stays while
 * the scheduler is away.
 */
export function usePoll<Value>(load: (signal: AbortSignal) => Promise<Value>, keys: readonly unknown[], options: PollOptions<Value>): Polled<Value> {
  const [state, setState] = useState<{ value?: Value; error?: Error; isLoading: boolean }>({ isLoading: true });
  const [round, setRound] = useState(0);
  const refresh = useCallback(() => setRound((before) => before + 1), []);
  const current = useRef({ load, options });
  current.current = { load, options };

  // What is shown belongs to the keys: nothing of others stays.
  useEffect(() => setState({ isLoading: true }), keys);

  useEffect(() => {
    const id = Symbol("watch");
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;

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
        watch(id, everyMs > 0 && isLive.value ? { everyMs, requests: optionsNow.requests, shards: optionsNow.shards } : undefined);
        if (isLive.value) again(everyMs);
      } catch (error) {
        if (controller.signal.aborted) return;
        setState((before) => ({ ...before, error: error as Error, isLoading: false }));
        if (isLive.value || !isReachable.value) again(retryAfter(error));
      }
    };
    const stopVisible = isVisible.subscribe((visible) => visible && void run());
    let wasLive = isLive.value;
    const stopLive = isLive.subscribe((live) => {
      if (live === wasLive) return;
      wasLive = live;
      clearTimeout(timer);
      watch(id, undefined);
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
