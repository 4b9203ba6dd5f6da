// The retry policy of a task, in words.

import type { Task } from "../api/types";
import { list } from "./sentence";
import { duration } from "./time";

type Retry = NonNullable<Task["retry"]>;

/** What a task without a policy of its own has: see docs/tasks.md. */
export const RETRY_DEFAULTS = { maxAttempts: 10, minBackoffSeconds: 1, factor: 2, maxBackoffSeconds: 3_600, jitter: 0.2, maxDurationSeconds: 86_400 } as const;

/** The number of waits that are named. */
const NAMED_WAITS = 3;

const seconds = (value: number): string => duration(value * 1_000).replace(".0 ", " ");

/** Describes when failed attempts are repeated. */
export function retryText(retry: Retry | undefined): string {
  const given = <Name extends keyof typeof RETRY_DEFAULTS>(name: Name): number => retry?.[name] ?? RETRY_DEFAULTS[name];
  const attempts = given("maxAttempts");
  if (attempts === 1) return "One attempt only: a run that fails is not tried again.";
  const least = given("minBackoffSeconds");
  const most = retry?.maxBackoffSeconds ?? Math.max(RETRY_DEFAULTS.maxBackoffSeconds, least);
  const all = Array.from({ length: Math.min(attempts - 1, NAMED_WAITS) }, (_, index) => seconds(Math.min(least * given("factor") ** index, most)));
  const isAll = attempts - 1 <= NAMED_WAITS;
  const isSame = given("factor") === 1 || least >= most || all.length === 1;
  const waits = isSame ? `${seconds(Math.min(least, most))} apart` : isAll ? `with waits of ${list(all)}` : `with waits of ${all.join(", ")} and so on, ${seconds(most)} at most`;
  const jitter = given("jitter");
  const parts = [
    `Up to ${attempts} attempts, ${waits}`,
    ...(jitter > 0 ? [`each wait up to ${Math.round(jitter * 100)} % longer or shorter`] : []),
    `the last within ${seconds(given("maxDurationSeconds"))} of the first`,
    ...(retry?.permanentStatuses?.length ? [`none after HTTP ${list([...retry.permanentStatuses.map(String), "410"].filter((status, index, statuses) => statuses.indexOf(status) === index))}`] : []),
  ];
  return `${parts.join("; ")}.`;
}
