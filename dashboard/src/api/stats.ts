import { shardCount } from "../state/shards";
import { inPath, request } from "./client";
import type { Forecast, Series, ShownLimit, Stats } from "./types";

export async function readStats(signal?: AbortSignal): Promise<Stats> {
  const { body } = await request<Stats>("GET", "/v1/stats", { signal });
  shardCount.value = body.shards.length;
  return body;
}

/** Reads the counts of each minute of the last two hours, or of each hour of the last seven days. */
export const readSeries = async (by: "minute" | "hour", signal?: AbortSignal): Promise<Series> => (await request<Series>("GET", "/v1/stats/series", { query: { by }, signal })).body;
/** Reads the number of runs that come due in each part of a period. */
export const readForecast = async (query: { from: number; to: number; buckets: number }, signal?: AbortSignal): Promise<Forecast> => (await request<Forecast>("GET", "/v1/forecast", { query, signal })).body;

export const listLimits = async (signal?: AbortSignal): Promise<ShownLimit[]> => (await request<{ limits: ShownLimit[] }>("GET", "/v1/limits", { signal })).body.limits;
export const putLimit = (key: string, limit: { concurrency?: number; perSecond?: number }) => request<ShownLimit>("PUT", `/v1/limits/${inPath(key)}`, { body: limit });
export const deleteLimit = (key: string) => request("DELETE", `/v1/limits/${inPath(key)}`);
