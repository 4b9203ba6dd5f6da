import { routeAgentRequest } from "agents";
import type { Env } from "./watcher";

export { Watcher } from "./watcher";

export default {
  async fetch(request, env) {
    return (await routeAgentRequest(request, env)) ?? new Response("Not found", { status: 404 });
  },
} satisfies ExportedHandler<Env>;
