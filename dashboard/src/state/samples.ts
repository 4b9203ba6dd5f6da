// What the statistics said while the dashboard was open: the API itself keeps no history of them.

import { effect, signal } from "@preact/signals";
import type { Stats } from "../api/types";
import { key, namespace } from "./session";

export interface Sample {
  at: number;
  fired: number;
  succeeded: number;
  failed: number;
  repairs: number;
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

export function addSample({ fired, succeeded, handedOver, failed, repairs }: Stats, at: number): void {
  samples.value = [...samples.value.slice(1 - MOST), { at, fired, succeeded: succeeded + handedOver, failed, repairs }];
}
