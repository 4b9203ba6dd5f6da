// The session: the API key, the namespace, and what the key may do. It is kept in the storage of the tab, so closing the tab signs out.

import { computed, signal } from "@preact/signals";
import type { Scope } from "../api/types";

const KEY = "scheduler-key";
const NAMESPACE = "scheduler-namespace";
const SCOPES = "scheduler-scopes";
const REACH = "scheduler-reach";
/** The unfinished forms of the session: see `drafts.ts`. */
export const DRAFTS = "scheduler-drafts";

export const key = signal<string | null>(sessionStorage.getItem(KEY));
/** The namespace that requests name; empty for the only one of the key, or `default`. */
export const namespace = signal<string>(sessionStorage.getItem(NAMESPACE) ?? "");
export const scopes = signal<readonly Scope[]>(readScopes());
/** The namespaces of the key; `*` for all. */
export const reach = signal<readonly string[]>(sessionStorage.getItem(REACH)?.split(",") ?? []);
/** Why the last session ended, to be shown with the form; null if there is nothing to show. */
export const endedBecause = signal<string | null>(null);

/** Whether the user has signed this tab out. */
export const hasSignedOut = signal(false);

export const isSignedIn = computed(() => key.value !== null);
export const mayRead = computed(() => scopes.value.includes("read"));
export const mayWrite = computed(() => scopes.value.includes("write"));
export const mayAdmin = computed(() => scopes.value.includes("admin"));

function readScopes(): Scope[] {
  const isScope = (text: string): text is Scope => text === "read" || text === "write" || text === "admin";
  return (sessionStorage.getItem(SCOPES) ?? "").split(",").filter(isScope);
}

/** Starts a session with a key that has been checked. */
export function startSession(newKey: string, inNamespace: string, found: { scopes: readonly Scope[]; namespaces: readonly string[] }): void {
  // Another key may belong to somebody else.
  if (newKey !== key.value) sessionStorage.removeItem(DRAFTS);
  sessionStorage.setItem(REACH, found.namespaces.join(","));
  sessionStorage.setItem(KEY, newKey);
  sessionStorage.setItem(NAMESPACE, inNamespace);
  sessionStorage.setItem(SCOPES, found.scopes.join(","));
  endedBecause.value = null;
  hasSignedOut.value = false;
  scopes.value = found.scopes;
  reach.value = found.namespaces;
  namespace.value = inNamespace;
  key.value = newKey;
}

/** Ends the session. */
export function endSession(because: string | null = null): void {
  for (const name of [KEY, NAMESPACE, SCOPES, REACH, DRAFTS]) sessionStorage.removeItem(name);
  endedBecause.value = because;
  key.value = null;
  namespace.value = "";
  scopes.value = [];
  reach.value = [];
}
