import { shardCount } from "../state/shards";
import { inPath, request } from "./client";
import type { ShownLimit, Stats } from "./types";

export async function readStats(signal?: AbortSignal): Promise<Stats> {
  const { body } = await request<Stats>("GET", "/v1/stats", { signal });
  shardCount.value = body.shards.length;
  return body;
}

export const listLimits = async (signal?: AbortSignal): Promise<ShownLimit[]> => (await request<{ limits: ShownLimit[] }>("GET", "/v1/limits", { signal })).body.limits;
export const putLimit = (key: string, limit: { concurrency?: number; perSecond?: number }) => request<ShownLimit>("PUT", `/v1/limits/${inPath(key)}`, { body: limit });
export const deleteLimit = (key: string) => request("DELETE", `/v1/limits/${inPath(key)}`);
