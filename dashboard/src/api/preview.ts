import { request } from "./client";
import type { JsonObject, Preview } from "./types";

/** Returns the next runs of a schedule. The definition may have the other members of a task. */
export const previewRuns = async (definition: JsonObject, more: { from?: number; count?: number } = {}, signal?: AbortSignal): Promise<Preview> =>
  (await request<Preview>("POST", "/v1/preview", { body: { ...definition, ...more }, signal })).body;
