import { useEffect, useState } from "preact/hooks";
import { countMany } from "../api/tasks";
import type { DryRun } from "../api/types";
import { count } from "../lib/numbers";

/** What a change by filter would change: undefined while it is counted, null if it could not be. */
export type Counted = DryRun | null | undefined;

/** Counts what a change of many would change, without changing anything. Without a body, counts nothing. */
export function useDryRun(path: string, body: object | undefined): Counted {
  const [counted, setCounted] = useState<Counted>();
  useEffect(() => {
    if (!body) return undefined;
    const controller = new AbortController();
    countMany(path, body, controller.signal, setCounted).catch(() => {
      if (!controller.signal.aborted) setCounted((before) => before ?? null);
    });
    return () => controller.abort();
  }, []);
  return counted;
}

/** Says how many were counted. */
export function countedText(counted: Counted, noun: string): string {
  if (counted === undefined) return "counting…";
  if (counted === null) return `an unknown number of ${noun}s`;
  return counted.done ? count(counted.count, noun) : `at least ${count(counted.count, noun)}`;
}
