// The scheduler's Worker with a path of its own, which runs the scenario in the same Worker.

// @ts-ignore: the built Worker, beside this module once it runs.
import Base from "./index.js";
import type { WorkerEntrypoint } from "cloudflare:workers";
import { SchedulerClient } from "../../src/client/index.ts";
import { scenario, type Targets } from "./scenario.ts";

interface Env {
  API_KEYS: string;
}

// @ts-ignore: as above.
export { Limiter, Registry, Shard } from "./index.js";

/** What the build exports, as far as it matters here. */
declare class Built extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response>;
}
const Scheduler = Base as typeof Built;

export default class extends Scheduler {
  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== "/scenario") return super.fetch(request);
    const client = new SchedulerClient({ fetch: (request) => super.fetch(request), apiKey: this.env.API_KEYS });
    try {
      await scenario(client, "same", await request.json<Targets>());
      return new Response("done");
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error), { status: 500 });
    }
  }
}
