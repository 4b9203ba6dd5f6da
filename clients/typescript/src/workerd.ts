/**
 * What the package offers in Workers: the client, and the Durable Objects and entry points whose methods tasks call.
 *
 * @module
 */
export * from "./client/index.ts";
export {
  cron,
  every,
  FoundTasks,
  PermanentError,
  RetryLaterError,
  Scheduler,
  task,
  Tasks,
  TaskScheduler,
} from "./scheduler/index.ts";
export type { Cron, CronOptions, Criteria, ScheduleOptions, TaskDecorator, TaskMethod, TaskOptions, TaskRun } from "./scheduler/index.ts";
