// Readings of the statistics while the dashboard is open, for counts of which the API has no series.

import { effect, signal } from "@preact/signals";
import type { Series, Stats } from "../api/types";
import type { Recent } from "../lib/health";
import { sumOf } from "../lib/series";
import { key, namespace } from "./session";

export interface Sample {
  repairs: number;
  displaced: number;
  overdue: number;
}

/** Half an hour, with a reading every five seconds. */
const MOST = 360;
/** The number of minutes that count as recent. */
const RECENT_MINUTES = 30;
export const samples = signal<readonly Sample[]>([]);

// Readings of another namespace are dropped.
effect(() => {
  void key.value;
  void namespace.value;
  samples.value = [];
});

export function addSample({ repairs, deadLettersDisplaced, overdue }: Stats): void {
  samples.value = [...samples.value.slice(1 - MOST), { repairs, displaced: deadLettersDisplaced, overdue }];
}

/** Returns what has happened recently: the outcomes of runs from the series, and the other counts since the first reading. */
export function recently(minutes: Series | undefined): Recent {
  const [first, before, last] = [samples.value[0], samples.value.at(-2), samples.value.at(-1)];
  const buckets = minutes?.buckets.slice(-RECENT_MINUTES) ?? [];
  return {
    succeeded: sumOf(buckets, "succeeded") + sumOf(buckets, "handedOver"),
    failed: sumOf(buckets, "failed"),
    repairs: first && last ? last.repairs - first.repairs : 0,
    displaced: first && last ? last.displaced - first.displaced : 0,
    stillOverdue: before && last ? Math.min(before.overdue, last.overdue) : 0,
  };
}
