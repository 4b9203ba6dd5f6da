// What must compile in a Worker, with the types of Cloudflare.

import { SchedulerClient } from "durable-scheduler";

interface Env {
  SCHEDULER: Fetcher;
  NAMED: Service;
}

export default {
  async fetch(_request, env) {
    const client = new SchedulerClient({ binding: env.SCHEDULER });
    await new SchedulerClient({ binding: env.NAMED }).stats();
    return Response.json(await client.query({ tag: "orders" }).toArray(10));
  },
} satisfies ExportedHandler<Env>;
