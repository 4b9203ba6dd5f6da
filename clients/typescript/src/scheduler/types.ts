// The types of the scheduler of an object or entry point: its tasks, callbacks and criteria.

import type {
  Callback as ApiCallback,
  HandlerCallback,
  NewCronTask,
  NewIntervalTask,
  NewRuleTask,
  NewTaskAfterDelay,
  NewTaskAtTime,
  NewTaskInWords,
  NewUnscheduledTask,
  QueueCallback,
  Task as ApiTask,
  WebhookCallback,
} from "../generated/openapi.ts";

/** Calls a method of the object or entry point that schedules the task. */
export interface SelfCallback<Method extends string = string> {
  type: "self";
  /** The name of a public method of the class. It gets the payload, and the run as its second argument. */
  function: Method;
  /** The most time an attempt may take, in seconds, 1 to 60. Default: that of `@task`, or 30. */
  timeoutSeconds?: number | undefined;
}

/** Calls a function of a Durable Object by RPC, with the payload as its argument. */
export interface DurableObjectCallback {
  type: "durable-object";
  /** The binding of the namespace: one of the deployment's `DURABLE_OBJECT_BINDINGS`. */
  namespace: string;
  /** The name of the object. */
  name: string;
  /** The name of the function. */
  function: string;
  /** The most time an attempt may take, in seconds, 1 to 60. Default: 30. */
  timeoutSeconds?: number | undefined;
}

/** Calls a function of another Worker by RPC, with the payload as its argument. */
export interface ServiceCallback {
  type: "service";
  /** The service binding: one of the deployment's `SERVICE_BINDINGS`. */
  service: string;
  /** The name of the function. */
  function: string;
  /** The most time an attempt may take, in seconds, 1 to 60. Default: 30. */
  timeoutSeconds?: number | undefined;
}

/**
 * What happens when a task fires, except for a method of the object itself: that is {@link SelfCallback}.
 *
 * A webhook without a `body` sends the payload. With `binding` in place of `namespace` or `service`, a callback is the
 * API's own, and its function gets the whole task.
 */
export type OtherCallback = WebhookCallback | DurableObjectCallback | ServiceCallback | QueueCallback | HandlerCallback | ApiCallback;

/** What happens when a task fires. */
export type Callback = SelfCallback | OtherCallback;

/** The members of a new task of the API, without those that the scheduler of an object sets. Those of other kinds are `undefined`. */
type Members<Api> = { [Name in keyof Api as Name extends "callback" | "payload" | "type" | "local" ? never : Name]: [Api[Name]] extends [null | undefined] ? undefined : Api[Name] };

/** A task to run at a time. */
export type ScheduledTask = Members<NewTaskAtTime> & { type?: "scheduled" | undefined };
/** A task to run after a delay. */
export type DelayedTask = Members<NewTaskAfterDelay> & { type?: "delayed" | undefined };
/** A task that recurs by cron expressions. */
export type CronTask = Members<NewCronTask> & { type?: "cron" | undefined };
/** A task that recurs at an interval. */
export type IntervalTask = Members<NewIntervalTask> & { type?: "every" | undefined };
/** A task that recurs by a rule of RFC 5545. */
export type RuleTask = Members<NewRuleTask> & { type?: "rrule" | undefined };
/**
 * A task whose schedule is a sentence in English or German. It runs once or recurs. The stored task has the schedule that the sentence
 * means.
 */
export type TaskInWords = Members<NewTaskInWords> & { type?: undefined };
/** A task that does not run by itself. */
export type UnscheduledTask = Members<NewUnscheduledTask> & { type: "no-schedule" };

/**
 * When a task runs, with all other members except its callback and payload. An id may not begin with `@`, which is for declared schedules.
 */
export type TaskSchedule = ScheduledTask | DelayedTask | CronTask | IntervalTask | RuleTask | TaskInWords | UnscheduledTask;

/** A task to schedule. Without a callback, it calls the method `onTask`. */
export type NewTask = TaskSchedule & { payload?: unknown; callback?: Callback | undefined };

/** The members of a task of the API that a stored task has unchanged. */
export const SAME = [
  "status",
  "pauseNote",
  "description",
  "words",
  "tags",
  "priority",
  "retry",
  "limitKey",
  "error",
  "attempt",
  "maxRuns",
  "exclude",
  "overlap",
  "misfire",
  "jitterSeconds",
  "windowSeconds",
  "expireAfterSeconds",
  "onSuccess",
  "onFailure",
  "local",
  "running",
] as const satisfies (keyof ApiTask)[];

/** The members of a stored task, whatever its schedule is. */
interface StoredTask extends Pick<ApiTask, (typeof SAME)[number]> {
  /** The id of the task within its object. */
  id: string;
  /** The data of the task. */
  payload?: unknown;
  /** What happens when it fires. */
  callback: Callback;
  /** It does not recur before this time. */
  startAt?: Date | undefined;
  /** It does not recur after this time. */
  endAt?: Date | undefined;
  /** The time from which the runs of its interval are computed. No run is earlier. */
  anchor?: Date | undefined;
}

/** A stored task. `type` is the kind of its schedule. */
export type Task = StoredTask &
  (
    | { type: "scheduled"; /** When it fires. */ time: Date; timezone?: string | undefined }
    | { type: "delayed"; /** The delay that it was given, seconds. */ delayInSeconds: number; /** When it fires. */ time: Date }
    | { type: "cron"; cron: string | string[]; timezone?: string | undefined; /** When it fires next; absent while it is paused. */ time?: Date | undefined }
    | { type: "every"; everySeconds: number; time?: Date | undefined }
    | { type: "rrule"; rrule: string; timezone?: string | undefined; time?: Date | undefined }
    | { type: "no-schedule"; time?: undefined }
  );

/** The criteria of a query for tasks of an object. A task must match all of them. */
export interface Criteria {
  /** The task with this id. */
  id?: string | undefined;
  /** The tasks with exactly this description. */
  description?: string | undefined;
  /** The tasks with this kind of schedule. */
  type?: Task["type"] | undefined;
  /** The tasks with this tag. */
  tag?: string | undefined;
  /** The tasks whose time is this or later. */
  from?: Date | number | string | undefined;
  /** The tasks whose time is before this. */
  to?: Date | number | string | undefined;
  /** The same as `from` and `to`, as one member. */
  timeRange?: { start?: Date | undefined; end?: Date | undefined } | undefined;
}

/** A run of a task: the second argument of the method that it calls. */
export interface TaskRun {
  /** The id of the task. The id of a declared schedule is `@` and the name of its method. */
  id: string;
  /** The time that was requested for this run. */
  time: Date;
  /** The number of the attempt, from 1. */
  attempt: number;
  /** The same for every attempt and every repeat of one run, and different for every run. Store it to act only once. */
  idempotencyKey: string;
  /** Why the previous attempt failed. */
  lastError?: string | undefined;
  /** The description of the task. */
  description?: string | undefined;
  /** The tags of the task. */
  tags?: string[] | undefined;
}

/** A method that tasks may call. */
export type TaskMethod<Payload> = (payload: Payload, run: TaskRun) => unknown;

/** The names of the methods of `Owner` that accept the payload of some task. */
export type TaskMethodName<Owner> = {
  [Name in keyof Owner]: Owner[Name] extends (payload: never, run: TaskRun) => unknown ? Name : never;
}[keyof Owner] &
  string;
