// Whether the namespace is healthy, and what is wrong with it.

import type { Quota, Stats } from "../api/types";
import { count, whole } from "./numbers";

export type Level = "good" | "warn" | "bad";

export interface Reason {
  level: Level;
  text: string;
  /** The page on which the user can do something about it. */
  to?: string;
}

export interface Health {
  level: Level;
  sentence: string;
  reasons: Reason[];
}

/** The most tasks and dead letters of a shard. */
const SHARD_ENTRIES = 1_000_000;
/** A value above this part of its bound is near the bound. */
const NEAR = 0.8;
/** The fewest attempts for a meaningful rate of failures. */
const FEW_ATTEMPTS = 10;
/** A backlog of fewer minutes is what many runs at one time leave for a moment. */
const BACKLOG_MINUTES = 3;

/**
 * What has happened recently: the runs of the last half hour, and the other counts since the dashboard was opened. The counters of the API
 * begin when the shards were created.
 */
export interface Recent {
  succeeded: number;
  failed: number;
  repairs: number;
  displaced: number;
  /** The number of tasks that were overdue at both of the last two readings. */
  stillOverdue: number;
  /** The number of consecutive minutes up to now in which runs were overdue by more than a second, and the most such runs at one time. */
  backlog: { minutes: number; most: number };
  /** The most tasks that were created in one of the last minutes, per second. */
  createdPerSecond: number;
}

const ofShards = (stats: Stats): Reason[] => {
  const full = stats.shards.filter(({ pending, deadLetters }) => pending + deadLetters > SHARD_ENTRIES * NEAR);
  if (full.length === 0) return [];
  return [{ level: "bad", text: `${count(full.length, "shard")} nearly full (${full.slice(0, 3).map(({ shard }) => shard).join(", ")}): beyond ${whole(SHARD_ENTRIES)} tasks and dead letters, a shard refuses creates.` }];
};

const ofQuota = (stats: Stats, quota: Quota | undefined, recent: Recent | undefined): Reason[] => {
  const held = stats.pending + stats.deadLetters;
  const created = recent?.createdPerSecond ?? 0;
  const isNear = (used: number, most: number | null | undefined): most is number => Boolean(most) && used >= (most ?? 0) * NEAR;
  return [
    ...(isNear(held, quota?.pendingTasks) ? [{ level: "warn" as const, text: `The namespace holds ${whole(held)} of the ${whole(quota?.pendingTasks ?? 0)} tasks that its quota allows.`, to: "/namespaces" }] : []),
    ...(isNear(created, quota?.createsPerSecond)
      ? [{ level: "warn" as const, text: `Up to ${whole(Math.round(created))} tasks a second were created, of the ${whole(quota?.createsPerSecond ?? 0)} that the quota of the namespace allows.`, to: "/namespaces" }]
      : []),
  ];
};

const ofBacklog = ({ backlog: { minutes, most }, stillOverdue }: Recent): Reason[] => {
  if (minutes >= BACKLOG_MINUTES) {
    return [{ level: "warn", text: `A backlog for ${count(minutes, "minute")}: up to ${count(most, "run")} at one time ${most === 1 ? "was" : "were"} overdue by more than a second. Runs that wait for their limits count, too.`, to: "/limits" }];
  }
  // Every task is overdue for a moment when it comes due.
  if (stillOverdue === 0) return [];
  return [{ level: "warn", text: `${count(stillOverdue, "task")} overdue: the time has come, and ${stillOverdue === 1 ? "it has" : "they have"} not fired yet.`, to: "/tasks?status=scheduled" }];
};

const ofFailures = (recent: Recent | undefined): Reason[] => {
  if (!recent) return [];
  const attempts = recent.succeeded + recent.failed;
  const failing = attempts >= FEW_ATTEMPTS && recent.failed / attempts > 0.2;
  return [
    ...(failing ? [{ level: "bad" as const, text: `${Math.round((recent.failed / attempts) * 100)} % of the last ${whole(attempts)} attempts failed.`, to: "/runs?group=error" }] : []),
    ...(recent.displaced > 0
      ? [{ level: "warn" as const, text: `${count(recent.displaced, "dead letter")} not kept, because there were too many. The history has them.`, to: "/runs?outcome=dead-lettered" }]
      : []),
    ...ofBacklog(recent),
    ...(recent.repairs > 0 ? [{ level: "warn" as const, text: `The watchdog has just repaired ${count(recent.repairs, "shard")} whose alarm was missing.` }] : []),
  ];
};

/** Judges the statistics of a namespace. */
export function healthOf(stats: Stats, quota: Quota | undefined, recent: Recent | undefined): Health {
  const { deadLetters, circuits } = stats;
  const reasons: Reason[] = [
    ...circuits.map(({ destination, failures, waiting }) => ({
      level: "bad" as const,
      text: `${destination} does not answer: ${count(failures, "attempt")} in a row failed, and ${count(waiting, "run")} wait for it.`,
      to: "/runs?group=error",
    })),
    ...ofShards(stats),
    ...ofFailures(recent),
    ...ofQuota(stats, quota, recent),
    ...(deadLetters > 0 ? [{ level: "warn" as const, text: `${count(deadLetters, "dead letter")} to replay or discard.`, to: "/dead-letters" }] : []),
  ];
  const level = reasons.some((reason) => reason.level === "bad") ? "bad" : reasons.length > 0 ? "warn" : "good";
  return { level, reasons, sentence: sentenceOf(level, reasons.length) };
}

function sentenceOf(level: Level, reasons: number): string {
  if (level === "good") return "All is well: nothing is overdue, every target answers, and no run has been given up.";
  const things = reasons === 1 ? "One thing needs" : `${reasons} things need`;
  return level === "bad" ? `Something is wrong: ${things.toLowerCase()} your attention.` : `It works, but ${things.toLowerCase()} a look.`;
}
