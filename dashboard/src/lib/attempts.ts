// The attempts at a run, in the order in which they were made, divided at its replays.

import type { Run } from "../api/types";

export const startOf = (run: Run): number => run.startedAt ?? run.firedAt ?? run.reportedAt;
export const endOf = (run: Run): number => run.finishedAt ?? run.reportedAt;

/**
 * Divides the attempts at a run and its follow-ups into parts. Each part but the first begins with a replay: nothing but a replay makes
 * another attempt at a run or a follow-up after it has failed for good.
 */
export function partsOf(attempts: readonly Run[]): Run[][] {
  const parts: Run[][] = [];
  /** The stages that have failed for good. */
  let dead = new Set<string>();
  for (const attempt of [...attempts].sort((one, other) => startOf(one) - startOf(other))) {
    const stage = attempt.stage ?? "";
    if (parts.length === 0 || dead.has(stage)) {
      parts.push([]);
      dead = new Set();
    }
    parts.at(-1)?.push(attempt);
    if (attempt.outcome === "dead-lettered") dead.add(stage);
  }
  return parts;
}
