import type { ListRunsQuery, Misfire, NewCronTask, Retry, Run, Task } from "../generated/openapi.ts";

/** Retries in the form of the agents package. */
export interface RetryOptions {
  /** The most attempts of a callback, including the first. Default: 3. */
  maxAttempts?: number | undefined;
  /** The wait before the second attempt, in milliseconds. It doubles with each attempt. Default: 100. */
  baseDelayMs?: number | undefined;
  /** The longest wait, in milliseconds. Default: 3,000. */
  maxDelayMs?: number | undefined;
}

/** A schedule, as the agents package shows it. `status` and `timezone` are additions. */
export type Schedule<T = string> = {
  id: string;
  /** The name of the method that it calls. */
  callback: string;
  /** The first argument of the method. */
  payload: T;
  /** The retries, if the schedule has its own. */
  retry?: RetryOptions;
  /** When it runs next, seconds since 1970. 0 while a recurring schedule is paused. */
  time: number;
  /** What it waits for: see the API's lists. */
  status?: Task["status"];
  /** The time zone of `cron`. If absent, UTC. */
  timezone?: string;
} & (
  | { /** Once, at a time. */ type: "scheduled" }
  | { /** Once, after a delay. */ type: "delayed"; /** The delay, seconds. */ delayInSeconds: number }
  | { /** Again and again, by an expression. */ type: "cron"; cron: string }
  | { /** Again and again, at an interval. */ type: "interval"; /** The interval, seconds. */ intervalSeconds: number }
);

/** The criteria of a list of schedules. A schedule must match all of them. */
export interface ScheduleCriteria {
  id?: string | undefined;
  type?: Schedule["type"] | undefined;
  /** Schedules that run next at `start` or later, and at `end` or earlier. */
  timeRange?: { start?: Date | undefined; end?: Date | undefined } | undefined;
}

/** The options of a schedule in addition to its time: those of the agents package, and some of the scheduler's. */
export interface ScheduleOptions {
  /** When a callback that throws is tried again, in the form of the agents package or of the API. */
  retry?: RetryOptions | Retry | undefined;
  /** Returns the existing schedule if there is one with the same callback, payload and rule. Default: true for cron and intervals, false for others. */
  idempotent?: boolean | undefined;
  /** The IANA name of the time zone of a cron expression. Default: UTC. */
  timezone?: string | undefined;
  /** No run of a cron expression or interval before this time. */
  startAt?: Date | undefined;
  /** No run of a cron expression or interval after this time. */
  endAt?: Date | undefined;
  /** The most runs of a cron expression or interval. */
  maxRuns?: number | undefined;
  /** What happens to missed runs. Default: all of them fire late, at most the last 100. */
  misfire?: Misfire | undefined;
  /** What happens to a run that comes due before the previous one has ended. Default: `allow` for cron, `skip` for intervals. */
  overlap?: NewCronTask["overlap"];
  /** Delays each run by up to this, seconds. */
  jitterSeconds?: number | undefined;
  /** The most time an attempt may take, in seconds, 1 to 60. Default: 30. */
  timeoutSeconds?: number | undefined;
  /** The key of the limit that bounds the runs. */
  limitKey?: string | undefined;
  /** The description of the schedule, in your words. */
  description?: string | undefined;
  /** Labels to find the task by in the scheduler. */
  tags?: readonly string[] | undefined;
}

/** The methods that `withScheduler` gives to a class. */
export interface ScheduledMethods {
  /**
   * Schedules a call of a method of this agent, and returns the schedule.
   *
   * `when`: a number is a delay in seconds, a `Date` is a time, and a text is a cron expression with five fields, or with six that begin
   * with the second. `callback`: the name of a method, which gets the payload and the schedule.
   *
   * Throws a `TypeError` if tasks may not call the method, and a `SchedulerError` if the scheduler refuses the schedule.
   */
  schedule<T = string>(when: Date | string | number, callback: keyof this, payload?: T, options?: ScheduleOptions): Promise<Schedule<T>>;
  /**
   * Schedules a call of a method at an interval, from one interval from now on, and returns the schedule. A run that comes due
   * while the previous one is in progress is skipped. The same interval, method and payload again return the existing schedule.
   */
  scheduleEvery<T = string>(intervalSeconds: number, callback: keyof this, payload?: T, options?: ScheduleOptions): Promise<Schedule<T>>;
  /** Returns a schedule of this agent, or undefined if there is none with this id. */
  getScheduleById(id: string): Promise<Schedule<unknown> | undefined>;
  /** Lists the schedules of this agent, in the order of their times. */
  listSchedules(criteria?: ScheduleCriteria): Promise<Schedule<unknown>[]>;
  /**
   * Cancels a schedule. Returns false if there is none with this id, such as one that has run. Also returns true if the answer to the request
   * was lost and the schedule is gone now.
   */
  cancelSchedule(id: string): Promise<boolean>;
  /** Does the same as `getScheduleById`. In the agents package it does not return a promise. */
  getSchedule<T = string>(id: string): Promise<Schedule<T> | undefined>;
  /** Does the same as `listSchedules`. In the agents package it does not return a promise. */
  getSchedules<T = string>(criteria?: ScheduleCriteria): Promise<Schedule<T>[]>;
  /** Keeps a schedule from running until it is resumed. Returns false if there is none with this id. */
  pauseSchedule(id: string): Promise<boolean>;
  /** Ends the pause of a schedule. Returns false if there is none with this id. */
  resumeSchedule(id: string): Promise<boolean>;
  /** Runs a schedule now. A recurring one runs in addition. Returns false if there is none with this id. */
  runSchedule(id: string): Promise<boolean>;
  /** Returns how the last runs of a schedule went, the newest first, even after it is gone: up to 100, or `limit`. */
  getScheduleRuns(id: string, query?: Pick<ListRunsQuery, "limit">): Promise<Run[]>;
}
