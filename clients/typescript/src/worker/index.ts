/** The scheduler as a Worker: what to export from your Worker so that it holds a scheduler. */
export { Limiter, Registry, Shard } from "../../prebuilt/index.js";
export { SchedulerEntrypoint, type SchedulerProps, type Scope } from "./entrypoint.ts";
export { SchedulerWorker, SchedulerWorker as default } from "./scheduler-worker.ts";
