import { request } from "./client";
import type { AllRuns } from "./types";

/** A filter of the runs of all tasks. */
export interface RunFilter {
  outcome?: string;
  target?: string;
  tag?: string;
  prefix?: string;
  error?: string;
  from?: string;
  to?: string;
}

export const listRuns = async (filter: RunFilter, page: { limit?: number; cursor?: string | undefined; group?: "error"; order?: "count" }, signal?: AbortSignal): Promise<AllRuns> =>
  (await request<AllRuns>("GET", "/v1/runs", { query: { ...filter, ...page }, signal })).body;
