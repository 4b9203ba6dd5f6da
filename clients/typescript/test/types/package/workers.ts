// What must compile in a Worker, with the types of Cloudflare.

import { DurableObject } from "cloudflare:workers";
import { SchedulerClient } from "durable-scheduler";
import { consume, D1SeenStore, DurableObjectSeenStore, type SeenStore, verifyWebhook } from "durable-scheduler/consumer";

interface Env {
  DB: D1Database;
  SEEN: DurableObjectNamespace<Seen>;
  KEY: string;
  SCHEDULER: Fetcher;
  NAMED: Service;
}

export class Seen extends DurableObject<Env> {
  #store = new DurableObjectSeenStore(this.ctx.storage);

  find(keys: string[]): string[] {
    return this.#store.find(keys);
  }

  add(keys: string[]): void {
    this.#store.add(keys);
  }
}

interface Reminder {
  text: string;
}

export default {
  async queue(batch, env) {
    const stores: SeenStore[] = [new D1SeenStore(env.DB), env.SEEN.getByName("one")];
    for (const seen of stores) {
      const { acked } = await consume<Reminder>(batch, ({ id, time, payload }, { retry }) => (time > 0 ? console.log(id, payload.text) : retry({ delaySeconds: 5 })), { seen });
      console.log(acked);
    }
  },

  async fetch(request, env) {
    const webhook = await verifyWebhook(request, env.KEY);
    console.log(webhook.json().id, webhook.json<Reminder>().text);
    const client = new SchedulerClient({ binding: env.SCHEDULER });
    await new SchedulerClient({ binding: env.NAMED }).stats();
    return Response.json(await client.query({ tag: "orders" }).toArray(10));
  },
} satisfies ExportedHandler<Env>;
