/** Durable Objects and entry points whose methods tasks call, with decorators for schedules. */
export type { Cron } from "./cron.ts";
export type { CronOptions, ScheduleOptions, TaskOptions } from "./declarations.ts";
export { cron, every, task, type TaskDecorator } from "./decorators.ts";
export { PermanentError, RetryLaterError } from "./errors.ts";
export { Scheduler } from "./scheduler.ts";
export { FoundTasks, TaskScheduler } from "./task-scheduler.ts";
export { Tasks } from "./tasks.ts";
export type {
  Callback,
  Criteria,
  CronTask,
  DelayedTask,
  DurableObjectCallback,
  IntervalTask,
  NewTask,
  OtherCallback,
  RuleTask,
  ScheduledTask,
  SelfCallback,
  ServiceCallback,
  Task,
  TaskMethod,
  TaskRun,
  TaskSchedule,
  UnscheduledTask,
} from "./types.ts";
