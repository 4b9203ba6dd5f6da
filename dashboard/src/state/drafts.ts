// What somebody has typed into the create form and not created yet. The storage of the tab keeps it, so it survives “Back” and a reload, and is
// gone when the tab is closed or its user signs out. It has no headers of targets, because they may be secrets.

import type { JsonObject } from "../api/types";
import { NOTHING_ASIDE, type Aside } from "../lib/aside";
import { isObject } from "../lib/definition";
import { withoutSecrets } from "../lib/secrets";
import { DRAFTS, namespace } from "./session";

export interface Draft {
  definition: JsonObject;
  /** What was typed in the tabs of the form that are not open. */
  aside: Aside;
  /** The names of the headers that are not kept. */
  headers: string[];
  /** When it was last changed. */
  at: number;
}

/** The most forms whose drafts are kept: an empty form, and the forms of some clones. */
const MAX_DRAFTS = 5;

type Drafts = [of: string, draft: Draft][];

/** Returns the drafts, the oldest first. */
function read(): Drafts {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(DRAFTS) ?? "[]");
    return Array.isArray(stored) ? (stored as Drafts) : [];
  } catch {
    return [];
  }
}

function write(drafts: Drafts): void {
  try {
    if (drafts.length === 0) sessionStorage.removeItem(DRAFTS);
    else sessionStorage.setItem(DRAFTS, JSON.stringify(drafts));
  } catch {
    // The storage is full. The form works on without a draft.
  }
}

/** Names a form: its namespace and the query of its page. */
const nameOf = (form: string): string => `${namespace.value} ${form}`;

/** Returns the draft of a form; undefined if there is none. */
export function draftOf(form: string): Draft | undefined {
  const [, draft] = read().find(([of]) => of === nameOf(form)) ?? [];
  if (!draft || !isObject(draft.definition) || !Array.isArray(draft.headers)) return undefined;
  // A draft of an earlier version of the dashboard has no tabs.
  return draft.aside?.schedules && draft.aside.targets ? draft : { ...draft, aside: NOTHING_ASIDE };
}

/** Keeps the draft of a form. Beyond the bound, drops the draft that was changed longest ago. */
export function keepDraft(form: string, typed: JsonObject, aside: Aside): void {
  const others = read().filter(([of]) => of !== nameOf(form));
  write([...others.slice(1 - MAX_DRAFTS), [nameOf(form), { ...withoutSecrets(typed, aside), at: Date.now() }]]);
}

export const dropDraft = (form: string): void => write(read().filter(([of]) => of !== nameOf(form)));
