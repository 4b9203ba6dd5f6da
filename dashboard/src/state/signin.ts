// From a key to a session.

import { ownKey } from "../api/access";
import { go } from "./router";
import { endSession, hasSignedOut, key, startSession } from "./session";

/** Returns the namespace of a new session; empty if the API chooses it. */
function namespaceOf(names: readonly string[], wanted: string): string {
  if (wanted !== "" && !names.includes("*") && !names.includes(wanted)) throw new Error(`The key is not for the namespace “${wanted}”. It is for ${names.join(", ")}.`);
  const isKnown = wanted !== "" || names.length === 1 || names.includes("*") || names.includes("default");
  return isKnown ? wanted : (names[0] ?? "");
}

/** Checks a key, and starts a session with it. Throws the error of the API if the key is refused. */
export async function signIn(newKey: string, wanted: string): Promise<void> {
  const found = await ownKey(newKey, "");
  const chosen = namespaceOf(found.namespaces, wanted);
  // This refuses a namespace that does not exist at once, rather than on every page.
  if (chosen !== "") await ownKey(newKey, chosen);
  startSession(newKey, chosen, found);
}

/** Ends the session of this tab, as its user wishes. */
export function signOut(): void {
  endSession();
  hasSignedOut.value = true;
  go("/");
}

/** Switches to another namespace with the same key. */
export async function switchNamespace(to: string): Promise<void> {
  if (key.value !== null) await signIn(key.value, to);
}

/**
 * Returns the key of the link that `make dev` prints, `/#key=…`, and removes it from the address bar and the history. Browsers do not send
 * the part after the #.
 */
export function keyOfLink(): { key: string; namespace: string; isUsed: boolean } | undefined {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const found = parameters.get("key");
  if (!location.hash.startsWith("#key=") || found === null) return undefined;
  history.replaceState(null, "", `${location.pathname}#/`);
  return { key: found, namespace: parameters.get("namespace") ?? "", isUsed: false };
}
