import { inPath, request } from "./client";
import { filterBody, isEmptyFilter, type TaskFilter } from "./tasks";
import type { DeadLetterList, Filter, JsonObject, Task } from "./types";

export type Letters = { ids: readonly string[] } | { filter: Filter } | { all: true };

/** Returns the selection of all dead letters that match a filter, or of all if the filter is empty. */
export const lettersOf = ({ status: _, paused: _paused, lastOutcome: _outcome, ...filter }: TaskFilter): Letters => (isEmptyFilter(filter) ? { all: true } : { filter: filterBody(filter) });

export async function listDeadLetters(filter: TaskFilter, page: { limit: number; cursor?: string | undefined }, signal?: AbortSignal): Promise<DeadLetterList> {
  const { tags, status: _, paused: _paused, lastOutcome: _outcome, ...rest } = filter;
  return (await request<DeadLetterList>("GET", "/v1/dead-letters", { query: { ...rest, tag: tags, ...page }, signal })).body;
}

export const getDeadLetter = async (id: string, signal?: AbortSignal): Promise<Task> => (await request<Task>("GET", `/v1/dead-letters/${inPath(id)}`, { signal })).body;

/** Replays a dead letter, with changes of its callback and payload if there are any. */
export const replayOne = async (id: string, changes: JsonObject = {}): Promise<Task> => (await request<Task>("POST", `/v1/dead-letters/${inPath(id)}/replay`, { body: changes })).body;

export const discardOne = (id: string) => request("DELETE", `/v1/dead-letters/${inPath(id)}`);

/** The most requests for one change of many dead letters. */
const MAX_REQUESTS = 200;

/** Replays or discards many dead letters. Repeats the request until all are done, and returns their number. */
export async function changeLetters(verb: "replay" | "discard", which: Letters): Promise<number> {
  let sum = 0;
  for (let requests = 0; requests < MAX_REQUESTS; requests += 1) {
    const { body } = await request<{ replayed?: number; discarded?: number; done: boolean }>("POST", `/v1/dead-letters/${verb}`, { body: which });
    sum += (body.replayed ?? 0) + (body.discarded ?? 0);
    if (body.done) return sum;
  }
  throw new Error("It is not done yet. What is left is in the list: repeat it.");
}
