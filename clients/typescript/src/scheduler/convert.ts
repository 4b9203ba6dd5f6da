// Converts tasks of an object to tasks of the API, and back.

import type { Callback as ApiCallback, NewTask as ApiNewTask, Task as ApiTask } from "../generated/openapi.ts";
import { DEFAULT_METHOD, retryOf } from "./declarations.ts";
import type { Home } from "./home.ts";
import { type Callback, type NewTask, type OtherCallback, SAME, type Task } from "./types.ts";

/** The tag with the delay of a task, because the API turns a delay into a time. */
const DELAY_TAG = "delayInSeconds:";
/** The most tags that the API accepts. */
const MAX_TAGS = 16;
/** The tag with a digest of an agent's idempotent schedule, without the members that identify it. */
export const DEFINITION_TAG = "definition:";

/**
 * Returns a new task for the API, with the options of the method that it calls. The task's own members come first.
 *
 * Throws a `TypeError` if tasks may not call the method, or if there is no room for its delay among the tags.
 */
export async function toApi(task: NewTask, id: string, home: Home): Promise<ApiNewTask> {
  const { callback = { type: "self", function: DEFAULT_METHOD }, ...rest } = task;
  const { type, ...fields } = rest as typeof rest & { delayInSeconds?: number };
  const delayTags = fields.delayInSeconds === undefined ? [] : [DELAY_TAG + fields.delayInSeconds];
  const isSelf = callback.type === "self";
  const { tags: methodTags = [], retries, retry, timeoutSeconds: _, ...options } = (isSelf && home.find(callback.function)?.declaration?.options) || {};
  const tags = [...(fields.tags ?? methodTags), ...delayTags];
  if (delayTags.length > 0 && tags.length === MAX_TAGS + 1) throw new TypeError(`tags has ${MAX_TAGS} entries: beside a delay, which is kept in a tag, there is room for ${MAX_TAGS - 1}`);
  const { description, priority, limitKey } = options;
  const declared = withoutUndefined({ description, priority, limitKey, retry: retryOf({ retries, retry }) });
  return {
    ...declared,
    ...withoutUndefined(fields),
    ...(type === "no-schedule" ? { type } : {}),
    ...(tags.length === 0 ? {} : { tags }),
    id,
    callback: isSelf ? await home.callback(callback.function, callback.timeoutSeconds) : toApiCallback(callback, task.payload),
  } as unknown as ApiNewTask;
}

/** Returns a callback for the API. Functions and webhooks get the payload, not the whole task. */
function toApiCallback(callback: OtherCallback, payload: unknown): ApiCallback {
  if (callback.type === "durable-object" && "namespace" in callback) {
    const { namespace: binding, ...rest } = callback;
    return { ...rest, binding, body: payload ?? null };
  }
  if (callback.type === "service" && "service" in callback) {
    const { service: binding, ...rest } = callback;
    return { ...rest, binding, body: payload ?? null };
  }
  const hasBody = callback.type === "webhook" && callback.method !== "GET" && callback.method !== "DELETE";
  return hasBody && callback.body === undefined && payload !== undefined ? { ...callback, body: payload } : callback;
}

/** Returns a task of the API as a task of its home. */
export function fromApi(task: ApiTask, home: Home): Task {
  const tags = ownTags(task.tags);
  const { payload, startAt, endAt, anchor } = task;
  const same = Object.fromEntries(SAME.map((name) => [name, task[name]]));
  const shared = withoutUndefined({ ...same, tags: undefined, payload, startAt: dateOf(startAt), endAt: dateOf(endAt), anchor: dateOf(anchor) });
  const id = task.id.startsWith(home.prefix) ? task.id.slice(home.prefix.length) : task.id;
  return {
    id,
    ...shared,
    ...(tags.length === 0 ? {} : { tags }),
    callback: fromApiCallback(task, home),
    ...scheduleOf(task),
  } as Task;
}

/** Returns the tags that the user has given. */
export function ownTags(tags: readonly string[] = []): string[] {
  return tags.filter((tag) => !tag.startsWith(DELAY_TAG) && !tag.startsWith(DEFINITION_TAG));
}

function scheduleOf(task: ApiTask): object {
  const time = withoutUndefined({ time: dateOf(task.due ?? task.time) });
  const { kind, cron, everySeconds, rrule, timezone } = task;
  switch (kind) {
    case "cron":
    case "every":
    case "rrule":
      return { type: kind, ...withoutUndefined({ cron, everySeconds, rrule, timezone }), ...time };
    case "no-schedule":
      return { type: kind };
    default: {
      const delay = task.tags?.find((tag) => tag.startsWith(DELAY_TAG));
      return delay === undefined ? { type: "scheduled", ...withoutUndefined({ timezone }), ...time } : { type: "delayed", delayInSeconds: Number(delay.slice(DELAY_TAG.length)), ...time };
    }
  }
}

function fromApiCallback({ callback, payload }: ApiTask, home: Home): Callback {
  const method = home.methodOf(callback);
  if (method !== undefined) {
    const { timeoutSeconds } = callback as { timeoutSeconds?: number };
    return { type: "self", function: method, ...withoutUndefined({ timeoutSeconds }) };
  }
  if (!("body" in callback) || JSON.stringify(callback.body) !== JSON.stringify(payload ?? null)) return callback;
  const { body: _, ...rest } = callback;
  if (!("function" in rest) || rest.function == null) return rest;
  const { binding, ...others } = rest;
  return { ...others, [rest.type === "service" ? "service" : "namespace"]: binding } as Callback;
}

/** Returns a time of the API as a `Date`. It is text if a request would refuse its number. */
function dateOf(time: number | string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

/** Returns an object without members that are `undefined`, because a comparison distinguishes these from absent ones. */
function withoutUndefined<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}
