// From a key to a session.

import { scopesOf } from "../api/access";
import { key, startSession } from "./session";

/** Checks a key, and starts a session with it. Throws what the API says against it. */
export async function signIn(newKey: string, namespace: string): Promise<void> {
  const scopes = await scopesOf(newKey, namespace);
  startSession(newKey, namespace, scopes);
}

/** Goes on in another namespace with the same key. */
export async function switchNamespace(to: string): Promise<void> {
  if (key.value !== null) await signIn(key.value, to);
}

/**
 * Takes the key out of the link that `make dev` prints, `/#key=…`, and out of the address bar and the history. Browsers do not
 * send what is behind the #.
 */
export function keyOfLink(): { key: string; namespace: string; isUsed: boolean } | undefined {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const found = parameters.get("key");
  if (!location.hash.startsWith("#key=") || found === null) return undefined;
  history.replaceState(null, "", `${location.pathname}#/`);
  return { key: found, namespace: parameters.get("namespace") ?? "", isUsed: false };
}
