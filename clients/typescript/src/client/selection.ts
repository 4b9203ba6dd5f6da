import type { Filter } from "../generated/openapi.ts";

/** The most ids that the API takes at once. */
const MAX_IDS = 20_000;

/** Divides a selection into those that the API takes. */
export function* chunks(which: readonly string[] | Filter): Generator<{ ids: readonly string[] } | { filter: Filter }, void, undefined> {
  if (!isIds(which)) {
    yield { filter: which };
    return;
  }
  // A request without ids is answered with a reply like any other.
  for (let at = 0; at === 0 || at < which.length; at += MAX_IDS) yield { ids: which.slice(at, at + MAX_IDS) };
}

/** Adds up the counts of the answers to one change of many. `done` is true if the last answer of each part was. */
export function sumReplies<Reply extends { done: boolean }>(replies: readonly Reply[]): Reply {
  const sum: Record<string, unknown> = {};
  for (const reply of replies) {
    for (const [name, value] of Object.entries(reply)) {
      const before = sum[name];
      if (typeof value === "number") sum[name] = (typeof before === "number" ? before : 0) + value;
      else if (Array.isArray(value)) sum[name] = [...(Array.isArray(before) ? before : []), ...value];
      else sum[name] = value;
    }
  }
  return sum as Reply;
}

function isIds(which: readonly string[] | Filter): which is readonly string[] {
  return Array.isArray(which);
}
