// A Worker that runs the scenario over a service binding.

import { SchedulerClient } from "../../src/client/index.ts";
import { scenario, type Targets } from "./scenario.ts";

interface Env {
  SCHEDULER: Fetcher;
  KEY: string;
}

export default {
  async fetch(request, env) {
    const client = new SchedulerClient({ binding: env.SCHEDULER, apiKey: env.KEY });
    try {
      await scenario(client, "binding", await request.json<Targets>());
      return new Response("done");
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error), { status: 500 });
    }
  },
} satisfies ExportedHandler<Env>;
