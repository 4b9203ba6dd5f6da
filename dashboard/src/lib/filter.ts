// Filters of tasks and dead letters in the address of a page.

import type { TaskFilter } from "../api/tasks";
import { readTags } from "./tags";
import { fullTime, timeOf } from "./time";

const TEXTS = ["text", "prefix", "status", "paused", "kind", "callbackType", "callbackHost", "lastOutcome", "error", "from", "to"] as const;
export type FilterName = (typeof TEXTS)[number] | "tag";

export const STATUSES = ["scheduled", "running", "retrying", "held", "paused", "unscheduled", "dead-lettered"] as const;
export const CALLBACK_TYPES = ["webhook", "service", "durable-object", "handler", "queue"] as const;
export const LAST_OUTCOMES = ["failed", "dead-lettered", "succeeded", "expired", "none"] as const;
export const PAUSED = ["true", "false"] as const;
export const OUTCOMES = ["succeeded", "failed", "dead-lettered", "handed-over", "expired", "skipped", "cancelled"] as const;
export const KINDS = ["once", "recurring", "cron", "every", "rrule", "no-schedule"] as const;

/** Returns a time of an address as the API takes it. */
export const apiTime = (text: string): string | undefined => {
  const millis = timeOf(text);
  return millis === undefined ? undefined : new Date(millis).toISOString();
};

/** Reads a filter from a query. */
export function filterOf(query: URLSearchParams): TaskFilter {
  const filter: TaskFilter = {};
  for (const name of TEXTS) {
    const given = query.get(name) ?? "";
    const value = name === "from" || name === "to" ? apiTime(given) : given;
    if (value) filter[name] = value;
  }
  const tags = readTags(query.get("tag") ?? "").filter(Boolean).slice(0, 2);
  return tags.length > 0 ? { ...filter, tags } : filter;
}

/** The names of the parts in the form and in confirmations. */
export const LABELS: Readonly<Record<FilterName, string>> = {
  text: "Id or description contains",
  prefix: "Id begins with",
  tag: "Tag",
  status: "Status",
  paused: "Paused",
  kind: "Kind",
  callbackType: "Target type",
  callbackHost: "Webhook host",
  lastOutcome: "Last outcome",
  error: "Error contains",
  from: "From",
  to: "Before",
};

/** Describes a filter, part by part. */
export function describeFilter(filter: TaskFilter): string[] {
  const parts = TEXTS.flatMap((name) => {
    const value = filter[name];
    if (value === undefined) return [];
    const isTime = name === "from" || name === "to";
    return [`${LABELS[name]}: ${isTime && !Number.isNaN(Date.parse(value)) ? fullTime(Date.parse(value)) : value}`];
  });
  return [...parts, ...(filter.tags ?? []).map((tag) => `${LABELS.tag}: ${tag}`)];
}
