import type { Filter } from "../generated/openapi.ts";
import type { ApiAnswer } from "./requests.ts";

/** The most ids that the API accepts in one request. */
const MAX_IDS = 20_000;

/** Divides a selection into selections that the API accepts. */
export function* chunks(which: readonly string[] | Filter): Generator<{ ids: readonly string[] } | { filter: Filter }, void, undefined> {
  if (!isIds(which)) {
    yield { filter: which };
    return;
  }
  // A request without ids gets an answer like any other.
  for (let at = 0; at === 0 || at < which.length; at += MAX_IDS) yield { ids: which.slice(at, at + MAX_IDS) };
}

/**
 * The part of the result of a change of many that is not a count. If `uncertain` is true, the answer to a request was lost, and the request
 * was sent again. The tasks that the first request has changed are then missing in the counts, or counted as not changed or not found.
 */
export interface PerhapsUncertain {
  /** Whether the counts may leave out what this call has changed. */
  readonly uncertain?: true | undefined;
}

/** Adds up the counts of the answers to one change of many. `done` is that of the last answer. */
export function sumAnswers<Reply extends { done: boolean }>(answers: readonly ApiAnswer<Reply>[]): Reply & PerhapsUncertain {
  const sum: Record<string, unknown> = {};
  for (const { body, uncertain } of answers) {
    if (uncertain) sum.uncertain = true;
    for (const [name, value] of Object.entries(body)) {
      const before = sum[name];
      if (typeof value === "number") sum[name] = (typeof before === "number" ? before : 0) + value;
      else if (Array.isArray(value)) sum[name] = [...(Array.isArray(before) ? before : []), ...value];
      else sum[name] = value;
    }
  }
  return sum as Reply & PerhapsUncertain;
}

function isIds(which: readonly string[] | Filter): which is readonly string[] {
  return Array.isArray(which);
}
