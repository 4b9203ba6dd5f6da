// Keys and namespaces, and what a key may do.

import { inPath, request } from "./client";
import type { Key, MadeKey, Namespace, NewKey, OwnKey, Quota } from "./types";

/** Returns what a key may do, and in which namespaces. Throws an `ApiError` if the key is unknown. */
export const ownKey = async (key: string, namespace: string): Promise<OwnKey> => (await request<OwnKey>("GET", "/v1/key", { as: { key, namespace } })).body;

export const listKeys = async (signal?: AbortSignal): Promise<Key[]> => (await request<{ keys: Key[] }>("GET", "/v1/keys", { signal })).body.keys;
export const createKey = async (made: NewKey): Promise<MadeKey> => (await request<MadeKey>("POST", "/v1/keys", { body: made })).body;
export const revokeKey = (id: string) => request("DELETE", `/v1/keys/${inPath(id)}`);

export const listNamespaces = async (signal?: AbortSignal): Promise<Namespace[]> =>
  (await request<{ namespaces: Namespace[] }>("GET", "/v1/namespaces", { signal })).body.namespaces;
export const putNamespace = (name: string, quota: Quota) => request<Namespace>("PUT", `/v1/namespaces/${inPath(name)}`, { body: { quota } });
export const deleteNamespace = (name: string) => request("DELETE", `/v1/namespaces/${inPath(name)}`);
