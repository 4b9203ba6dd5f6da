import { routeAgentRequest } from "agents";
import { SchedulerWorker } from "durable-scheduler/worker";
import type { Env } from "./watcher";

export { Limiter, Registry, SchedulerEntrypoint, Shard } from "durable-scheduler/worker";
export { Watcher } from "./watcher";

export default class extends SchedulerWorker<Env> {
  override async fetch(request: Request): Promise<Response> {
    return (await routeAgentRequest(request, this.env)) ?? super.fetch(request);
  }
}
