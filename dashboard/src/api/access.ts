// Keys and namespaces, and what a key may do.

import { ApiError, inPath, request } from "./client";
import type { Key, MadeKey, Namespace, NewKey, Quota, Scope } from "./types";

interface Probe {
  scope: Scope;
  /** Sends a request that needs the scope and changes nothing. */
  send: (as: { key: string; namespace: string }) => Promise<unknown>;
}

const PROBES: readonly Probe[] = [
  { scope: "read", send: (as) => request("POST", "/v1/preview", { as, body: { everySeconds: 60, count: 1 } }) },
  // Refused with 422 by whoever may write, since it names no task.
  { scope: "write", send: (as) => request("POST", "/v1/tasks/cancel", { as, body: {} }) },
  { scope: "admin", send: (as) => request("GET", "/v1/namespaces", { as }) },
];

/**
 * Finds out which scopes a key has in a namespace.
 *
 * Throws the `ApiError` of a key that is not known or that has no scope there.
 */
export async function scopesOf(key: string, namespace: string): Promise<Scope[]> {
  let refusal: ApiError | undefined;
  const found = await Promise.all(
    PROBES.map(async ({ scope, send }) => {
      try {
        await send({ key, namespace });
        return [scope];
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 422) return [scope];
        refusal ??= error;
        // Not a matter of scopes: the key is wrong, the namespace is missing, or the scheduler is in trouble.
        if (error.status !== 403) throw error;
        return [];
      }
    }),
  );
  const scopes = found.flat();
  if (scopes.length === 0 && refusal) throw refusal;
  return scopes;
}

export const listKeys = async (signal?: AbortSignal): Promise<Key[]> => (await request<{ keys: Key[] }>("GET", "/v1/keys", { signal })).body.keys;
export const createKey = async (made: NewKey): Promise<MadeKey> => (await request<MadeKey>("POST", "/v1/keys", { body: made })).body;
export const revokeKey = (id: string) => request("DELETE", `/v1/keys/${inPath(id)}`);

export const listNamespaces = async (signal?: AbortSignal): Promise<Namespace[]> =>
  (await request<{ namespaces: Namespace[] }>("GET", "/v1/namespaces", { signal })).body.namespaces;
export const putNamespace = (name: string, quota: Quota) => request<Namespace>("PUT", `/v1/namespaces/${inPath(name)}`, { body: { quota } });
export const deleteNamespace = (name: string) => request("DELETE", `/v1/namespaces/${inPath(name)}`);
