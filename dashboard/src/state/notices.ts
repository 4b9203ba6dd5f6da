// Short messages about what an action did.

import { signal } from "@preact/signals";

export interface Notice {
  id: number;
  text: string;
  isBad: boolean;
}

export const notices = signal<readonly Notice[]>([]);
const SHOWN_MS = 8_000;
let last = 0;

/** Shows a message for some seconds. A bad one stays until the user dismisses it. */
export function tell(text: string, { isBad = false } = {}): void {
  last += 1;
  const id = last;
  notices.value = [...notices.value.slice(-3), { id, text, isBad }];
  if (!isBad) setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Shows why an action failed. */
export function tellError(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), { isBad: true });
}
