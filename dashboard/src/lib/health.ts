// Whether the namespace is healthy, and what is wrong with it.

import type { Circuit, Quota, Stats } from "../api/types";
import { count, whole } from "./numbers";

/** `new` means that the namespace has had no task, so there is nothing to judge. */
export type Level = "new" | "good" | "warn" | "bad";

/** A fact, and the page on which the user sees more of it. */
export interface Note {
  text: string;
  to?: string;
}

/** What needs attention. Its page is where the user can do something about it. */
export interface Reason extends Note {
  level: "warn" | "bad";
}

export interface Health {
  level: Level;
  sentence: string;
  /** What needs attention. */
  reasons: Reason[];
  /** What has gone wrong and needs nothing more. */
  notes: Note[];
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

/** Returns whether so large a part of the recent attempts failed that somebody must look at it. */
const isFailing = ({ succeeded, failed }: Recent): boolean => succeeded + failed >= FEW_ATTEMPTS && failed / (succeeded + failed) > 0.2;

const ofFailures = (recent: Recent | undefined): Reason[] => {
  if (!recent) return [];
  const attempts = recent.succeeded + recent.failed;
  return [
    ...(isFailing(recent) ? [{ level: "bad" as const, text: `${Math.round((recent.failed / attempts) * 100)} % of the last ${whole(attempts)} attempts failed.`, to: "/runs?group=error" }] : []),
    ...(recent.displaced > 0
      ? [{ level: "warn" as const, text: `${count(recent.displaced, "dead letter")} not kept, because there were too many. The history has them.`, to: "/runs?outcome=dead-lettered" }]
      : []),
    ...ofBacklog(recent),
    ...(recent.repairs > 0 ? [{ level: "warn" as const, text: `The watchdog has just repaired ${count(recent.repairs, "shard")} whose alarm was missing.` }] : []),
  ];
};

/** Says how many dead letters there have been. A run that is replayed and fails again is another one. */
const deadLetteredText = (times: number): string =>
  times === 1 ? "1 run failed for good since the shards were created. Its dead letter has" : `There have been ${count(times, "dead letter")} since the shards were created: a run that is replayed and fails again counts again. All of them have`;

/** Returns what has gone wrong lately or at any time, and needs no action. */
const ofPast = ({ deadLettered, deadLetters }: Stats, recent: Recent | undefined): Note[] => {
  const failed = recent?.failed ?? 0;
  const attempts = failed + (recent?.succeeded ?? 0);
  return [
    ...(recent && failed > 0 && !isFailing(recent) ? [{ text: `${attempts === 1 ? "The only attempt" : failed === attempts ? `All ${whole(attempts)} attempts` : `${whole(failed)} of the ${whole(attempts)} attempts`} of the last half hour failed.`, to: "/runs?group=error" }] : []),
    ...(deadLettered > 0 && deadLetters === 0
      ? [{ text: `${deadLetteredText(deadLettered)} been replayed, discarded or dropped since.`, to: "/runs?outcome=dead-lettered" }]
      : []),
  ];
};

/** Returns whether nothing waits for a destination that has not answered: the wait is over, and the next run tries it. */
export const isUntried = ({ state, until, waiting }: Circuit, now: number): boolean => state === "half-open" && until <= now && waiting === 0;

/** Names the destinations that have not answered and that nothing waits for. */
const ofUntried = (circuits: readonly Circuit[]): Note[] =>
  circuits.map(({ destination, failures }) => ({ text: `${destination} has not answered the last ${count(failures, "attempt")}. No run waits for it, and the next run tries it again.`, to: "/runs?group=error" }));

/** Judges the statistics of a namespace, which were read at `now`. */
export function healthOf(stats: Stats, quota: Quota | undefined, recent: Recent | undefined, now: number): Health {
  const { deadLetters, circuits } = stats;
  const reasons: Reason[] = [
    ...circuits.filter((circuit) => !isUntried(circuit, now)).map(({ destination, failures, waiting }) => ({
      level: "bad" as const,
      text: `${destination} does not answer: ${count(failures, "attempt")} in a row failed, and ${count(waiting, "run")} wait for it.`,
      to: "/runs?group=error",
    })),
    ...ofShards(stats),
    ...ofFailures(recent),
    ...ofQuota(stats, quota, recent),
    ...(deadLetters > 0 ? [{ level: "warn" as const, text: `${count(deadLetters, "dead letter")} to replay or discard.`, to: "/dead-letters" }] : []),
  ];
  const notes = [...ofUntried(circuits.filter((circuit) => isUntried(circuit, now))), ...ofPast(stats, recent)];
  if (reasons.length > 0) {
    const level = reasons.some((reason) => reason.level === "bad") ? "bad" : "warn";
    return { level, reasons, notes, sentence: sentenceOf(level, reasons.length) };
  }
  if (isUnused(stats)) return { level: "new", reasons, notes, sentence: "Nothing is scheduled yet: create a first task, and this page shows how it goes." };
  return { level: "good", reasons, notes, sentence: goodSentence(stats, recent, notes.length > 0) };
}

/** Returns whether a namespace has never had a task. */
export const isUnused = ({ created, fired, pending, deadLettered }: Stats): boolean => created + fired + pending + deadLettered === 0;

/** Says that nothing needs attention, and no more than is known. */
function goodSentence({ overdue }: Stats, recent: Recent | undefined, hasPast: boolean): string {
  const due = overdue === 0 ? "nothing is overdue" : "nothing has been overdue for long";
  if (hasPast) return `Nothing needs your attention: ${due}, and no dead letter waits.`;
  if ((recent?.succeeded ?? 0) === 0) return `All is well: ${due}, and no run has been given up. Nothing has run in the last half hour.`;
  return `All is well: ${due}, every attempt of the last half hour succeeded, and no run has been given up.`;
}

function sentenceOf(level: "warn" | "bad", reasons: number): string {
  const things = reasons === 1 ? "One thing needs" : `${reasons} things need`;
  return level === "bad" ? `Something is wrong: ${things.toLowerCase()} your attention.` : `It works, but ${things.toLowerCase()} a look.`;
}
