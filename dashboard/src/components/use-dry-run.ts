import { useEffect, useRef, useState } from "preact/hooks";
import { countMany } from "../api/tasks";
import type { DryRun } from "../api/types";
import { count } from "../lib/numbers";

const TYPING_MS = 250;

/** What a change by filter would change. Both are absent while it is counted. */
export interface Counting {
  counted?: DryRun;
  /** Why it could not be counted. */
  error?: Error;
}

/**
 * Counts what a request would change, without changing anything, and again whenever its body changes: what a pause changes, for
 * example, depends on its note. Without a body, counts nothing.
 */
export function useDryRun(path: string, body: object | undefined): Counting {
  const [counting, setCounting] = useState<Counting>({});
  const text = body && JSON.stringify(body);
  const isFirst = useRef(true);
  useEffect(() => {
    setCounting({});
    if (!body) return undefined;
    const controller = new AbortController();
    const run = () =>
      countMany(path, body, controller.signal, (counted) => setCounting({ counted })).catch((error: Error) => {
        // A count that stopped early says at least how many there are.
        if (!controller.signal.aborted) setCounting(({ counted }) => (counted ? { counted } : { error }));
      });
    const timer = setTimeout(() => void run(), isFirst.current ? 0 : TYPING_MS);
    isFirst.current = false;
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [path, text]);
  return counting;
}

/** Says how many were counted. */
export function countedText({ counted, error }: Counting, noun: string): string {
  if (error) return `an unknown number of ${noun}s`;
  if (!counted) return "counting…";
  return counted.done ? count(counted.count, noun) : `at least ${count(counted.count, noun)}`;
}
