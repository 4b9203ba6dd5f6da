import { request } from "./client";
import type { ParsedSentence } from "./types";

/** Reads a sentence as a schedule, in this zone unless the sentence names another. Creates nothing. */
export const parseSentence = async (text: string, timezone: string, signal?: AbortSignal, model = false): Promise<ParsedSentence> =>
  (await request<ParsedSentence>("POST", "/v1/parse", { body: { text, timezone, ...(model ? { model } : {}) }, signal })).body;
