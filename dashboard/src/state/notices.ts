// Short messages about what an action did.

import { effect, signal } from "@preact/signals";
import { path } from "./router";
import { key, namespace } from "./session";

export interface Notice {
  id: number;
  text: string;
  isBad: boolean;
  /** The path of the page that it is about. */
  page: string;
}

export const notices = signal<readonly Notice[]>([]);
const SHOWN_MS = 8_000;
let last = 0;

interface Options {
  isBad?: boolean;
  /** The path of the page that it is about, if that is opened next. */
  page?: string | undefined;
}

/** Shows a message for some seconds, or until the user leaves its page. A bad one stays until the user dismisses it or leaves the page. */
export function tell(text: string, { isBad = false, page = path.peek() }: Options = {}): void {
  last += 1;
  const id = last;
  notices.value = [...notices.peek().slice(-3), { id, text, isBad, page }];
  if (!isBad) setTimeout(() => dismiss(id), SHOWN_MS);
}

const keep = (isKept: (notice: Notice) => boolean): void => {
  const kept = notices.peek().filter(isKept);
  if (kept.length < notices.peek().length) notices.value = kept;
};

export const dismiss = (id: number): void => keep((notice) => notice.id !== id);

/** Shows why an action failed. `what` names the action and what it was for, as in `The task a was not resumed`. */
export function tellError(what: string, error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error);
  tell(`${what}: ${/[.?!]$/.test(detail) ? detail : `${detail}.`}`, { isBad: true });
}

// What was done on a page, or went wrong there, is not about the next one.
effect(() => {
  const page = path.value;
  keep((notice) => notice.page === page);
});

// Another key may belong to somebody else, and another namespace has other tasks.
effect(() => {
  void key.value;
  void namespace.value;
  keep(() => false);
});
