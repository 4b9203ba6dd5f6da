// Keeps readings of the statistics while the dashboard is open, because the API has no series of some counts.

import { effect, signal } from "@preact/signals";
import type { Series, Stats } from "../api/types";
import type { Recent } from "../lib/health";
import { lastStretch, mostOf, sumOf } from "../lib/series";
import { key, namespace } from "./session";

export interface Sample {
  repairs: number;
  displaced: number;
  overdue: number;
}

/** Half an hour, with a reading every five seconds. */
const MAX_READINGS = 360;
/** The number of minutes that count as recent. */
const RECENT_MINUTES = 30;
/** The number of minutes whose creates are compared with the quota. */
const FEW_MINUTES = 5;
export const samples = signal<readonly Sample[]>([]);

// Readings of another namespace are dropped.
effect(() => {
  void key.value;
  void namespace.value;
  samples.value = [];
});

export function addSample({ repairs, deadLettersDisplaced, overdue }: Stats): void {
  samples.value = [...samples.value.slice(1 - MAX_READINGS), { repairs, displaced: deadLettersDisplaced, overdue }];
}

/** Returns what has happened recently: the outcomes of runs from the series, and the other counts since the first reading. */
export function recently(minutes: Series | undefined): Recent {
  const [first, before, last] = [samples.value[0], samples.value.at(-2), samples.value.at(-1)];
  const buckets = minutes?.buckets.slice(-RECENT_MINUTES) ?? [];
  // The last minute has not ended yet.
  const ended = buckets.slice(0, -1);
  const backlog = lastStretch(ended, "backlog");
  return {
    succeeded: sumOf(buckets, "succeeded") + sumOf(buckets, "handedOver"),
    failed: sumOf(buckets, "failed"),
    repairs: first && last ? last.repairs - first.repairs : 0,
    displaced: first && last ? last.displaced - first.displaced : 0,
    stillOverdue: before && last ? Math.min(before.overdue, last.overdue) : 0,
    backlog: { minutes: backlog.length, most: backlog.most },
    createdPerSecond: mostOf(ended.slice(-FEW_MINUTES), ({ created }) => created).most / 60,
  };
}
