import { useEffect, useRef, useState } from "preact/hooks";
import { countMany } from "../api/tasks";
import type { DryRun } from "../api/types";
import { count } from "../lib/numbers";

const TYPING_MS = 250;

/** What a change by filter would change. Both optional members are absent while the tasks are counted. */
export interface Counting {
  counted?: DryRun;
  /** Why they could not be counted. A change without a count must not be offered. */
  error?: Error;
  /** Counts again. */
  again: () => void;
}

/**
 * Counts what a request would change, without changing anything, and counts again when the body changes. For example, a pause
 * changes other tasks if it has another note. Without a body, counts nothing.
 */
export function useDryRun(path: string, body: object | undefined): Counting {
  const [counting, setCounting] = useState<Omit<Counting, "again">>({});
  const [round, setRound] = useState(0);
  const text = body && JSON.stringify(body);
  const isFirst = useRef(true);
  useEffect(() => {
    setCounting({});
    if (!body) return undefined;
    const controller = new AbortController();
    const run = () =>
      countMany(path, body, controller.signal, (counted) => setCounting({ counted })).catch((error: Error) => {
        // A count that stopped early is a lower bound.
        if (!controller.signal.aborted) setCounting(({ counted }) => (counted ? { counted } : { error }));
      });
    const timer = setTimeout(() => void run(), isFirst.current ? 0 : TYPING_MS);
    isFirst.current = false;
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [path, text, round]);
  return { ...counting, again: () => setRound((before) => before + 1) };
}

/** Describes a count. */
export function countedText({ counted, error }: Counting, noun: string): string {
  if (error) return `${noun}s that could not be counted`;
  if (!counted) return "counting…";
  return counted.done ? count(counted.count, noun) : `at least ${count(counted.count, noun)}`;
}
