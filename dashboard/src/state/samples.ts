// What the statistics said while the dashboard was open: the API itself keeps no history of them.

import { effect, signal } from "@preact/signals";
import type { Stats } from "../api/types";
import type { Recent } from "../lib/health";
import { key, namespace } from "./session";

export interface Sample {
  at: number;
  fired: number;
  succeeded: number;
  failed: number;
  repairs: number;
  displaced: number;
  overdue: number;
}

/** Half an hour at one every five seconds. */
const MOST = 360;
export const samples = signal<readonly Sample[]>([]);

// Those of another namespace mean nothing here.
effect(() => {
  void key.value;
  void namespace.value;
  samples.value = [];
});

export function addSample({ fired, succeeded, handedOver, failed, repairs, deadLettersDisplaced, overdue }: Stats, at: number): void {
  samples.value = [...samples.value.slice(1 - MOST), { at, fired, succeeded: succeeded + handedOver, failed, repairs, displaced: deadLettersDisplaced, overdue }];
}

/** Returns what has happened since the first reading; undefined before the second. */
export function recently(): Recent | undefined {
  const [first, before, last] = [samples.value[0], samples.value.at(-2), samples.value.at(-1)];
  if (!first || !before || !last) return undefined;
  return {
    succeeded: last.succeeded - first.succeeded,
    failed: last.failed - first.failed,
    repairs: last.repairs - first.repairs,
    displaced: last.displaced - first.displaced,
    stillOverdue: Math.min(before.overdue, last.overdue),
  };
}
