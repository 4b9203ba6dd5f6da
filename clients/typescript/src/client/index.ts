/**
 * A client of durable-scheduler for Node 22, browsers, Deno, Bun and Workers.
 *
 * @module
 */

export type { AcceptedTask, BatchProgress, RejectedTask, ScheduledTasks, ScheduleTasksOptions, TaskSource } from "./batches.ts";
export { SchedulerClient } from "./client.ts";
export type { CancelledTask, ErrorGroupsQuery, Outcome, PauseManyOptions, PauseOptions, RunOptions, RunsQuery, TaskQuery, TaskSelection, VersionedTask } from "./client.ts";
export type { DeadLetterFilter, DeadLetterQuery, DeadLetters, DeadLetterSelection } from "./dead-letters.ts";
export { SchedulerError } from "./errors.ts";
export type { ProblemType } from "./errors.ts";
export type { EventsOptions, EventStream, EventType, SchedulerEvent } from "./events.ts";
export type { CallOptions, ChangeOptions, Clock, Connection, CreateOptions, Fetch, RetryOptions, SchedulerClientOptions, Version } from "./options.ts";
export type { Page, Pages, Searched } from "./pages.ts";
export type { PerhapsUncertain } from "./selection.ts";
export type { ApiKeys, Calendars, Limits, Namespaces, VersionedCalendar } from "./settings.ts";
// The schemas of the API by their names.
export type * from "../generated/openapi.ts";
