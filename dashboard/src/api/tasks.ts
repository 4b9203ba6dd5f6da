// Tasks: lists, single tasks, and changes.

import { ApiError, inPath, request, type Answer } from "./client";
import type { DryRun, Explanation, Filter, JsonObject, RunList, Task, TaskList } from "./types";

/** A filter of a list of tasks and of a change of many. The values are the texts of the URL. */
export interface TaskFilter {
  text?: string;
  prefix?: string;
  tags?: readonly string[];
  status?: string;
  kind?: string;
  callbackHost?: string;
  callbackType?: string;
  error?: string;
  lastOutcome?: string;
  /** `true` or `false`. */
  paused?: string;
  from?: string;
  to?: string;
}

export type Selection = { ids: readonly string[] } | { filter: Filter } | { all: true };

export interface ManyAnswer {
  changed?: number;
  cancelled?: number;
  unchanged?: number;
  notApplicable?: number;
  alreadyRunning?: number;
  notFound?: number;
  running?: number;
  done: boolean;
}

export type ManyVerb = "pause" | "resume" | "run" | "reschedule" | "cancel";

export const isEmptyFilter = (filter: TaskFilter): boolean =>
  Object.values(filter).every((value) => value === undefined || value.length === 0);

/** Returns a filter as the member `filter` of a change. */
export function filterBody(filter: TaskFilter): Filter {
  const { tags, paused, ...rest } = filter;
  const members = Object.entries(rest).filter(([, value]) => value !== undefined && value !== "");
  return { ...Object.fromEntries(members), ...(paused ? { paused: paused === "true" } : {}), ...(tags && tags.length > 0 ? { tags: [...tags] } : {}) } as Filter;
}

/** Returns the selection of all tasks that match a filter, or of all if the filter is empty. */
export const selectionOf = (filter: TaskFilter): Selection => (isEmptyFilter(filter) ? { all: true } : { filter: filterBody(filter) });

export async function listTasks(filter: TaskFilter, page: { limit: number; cursor?: string | undefined; order?: string | undefined }, signal?: AbortSignal): Promise<TaskList> {
  const { tags, ...rest } = filter;
  return (await request<TaskList>("GET", "/v1/tasks", { query: { ...rest, tag: tags, ...page }, signal })).body;
}

export const getTask = (id: string, signal?: AbortSignal): Promise<Answer<Task>> => request<Task>("GET", `/v1/tasks/${inPath(id)}`, { signal });

/** Resolves with undefined for a task that does not exist. */
export async function orAbsent<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && error.is("no-task")) return undefined;
    throw error;
  }
}

export const explainTask = async (id: string, signal?: AbortSignal): Promise<Explanation> =>
  (await request<Explanation>("GET", `/v1/tasks/${inPath(id)}/explain`, { signal })).body;

export const taskRuns = async (id: string, page: { limit: number; cursor?: string | undefined }, signal?: AbortSignal): Promise<RunList> =>
  (await request<RunList>("GET", `/v1/tasks/${inPath(id)}/runs`, { query: page, signal })).body;

export const createTask = (definition: JsonObject, headers: Readonly<Record<string, string>> = {}): Promise<Answer<Task>> =>
  request<Task>("POST", "/v1/tasks", { body: definition, headers });

export const patchTask = (id: string, patch: JsonObject, ifMatch: string | undefined): Promise<Answer<Task>> =>
  request<Task>("PATCH", `/v1/tasks/${inPath(id)}`, { body: patch, ifMatch });

export const cancelTask = (id: string): Promise<Answer<Task>> => request<Task>("DELETE", `/v1/tasks/${inPath(id)}`);

export const changeTask = (id: string, verb: "pause" | "resume" | "run" | "reschedule", body?: JsonObject): Promise<Answer<Task>> =>
  request<Task>("POST", `/v1/tasks/${inPath(id)}/${verb}`, body === undefined ? {} : { body });

/** The most requests of one count. One is usually enough. If not, a repeated one usually counts further. */
const MAX_COUNTS = 10;

/**
 * Counts what a change of many would change, without changing anything. Repeats the request until the count is complete, at most
 * `MAX_COUNTS` times.
 */
export async function countMany(path: string, body: object, signal: AbortSignal, onCount: (counted: DryRun) => void): Promise<void> {
  for (let counts = 0; counts < MAX_COUNTS; counts += 1) {
    const { body: counted } = await request<DryRun>("POST", path, { body: { ...body, dryRun: true }, signal });
    onCount(counted);
    if (counted.done) return;
  }
}

/** Changes many tasks with one request. `done` says whether the request has done all of it. */
export const changeMany = async (verb: ManyVerb, selection: Selection, more: JsonObject = {}): Promise<ManyAnswer> =>
  (await request<ManyAnswer>("POST", `/v1/tasks/${verb}`, { body: { ...selection, ...more } })).body;
