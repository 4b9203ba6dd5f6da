// A Worker with a queue, a D1 database and a Durable Object, to try the stores of the consumer.

import { DurableObject } from "cloudflare:workers";
import { consume, D1SeenStore, DurableObjectSeenStore, MemorySeenStore, type SeenStore, verifyWebhook, WebhookVerificationError } from "../../src/consumer/index.ts";

interface Env {
  DB: D1Database;
  SEEN: DurableObjectNamespace<Seen>;
  /** Its messages are tasks. Those with an id that begins with `fail` fail on their first delivery. */
  QUEUE: Queue<string>;
}

/** A store that the consumer calls over RPC. */
export class Seen extends DurableObject<Env> {
  #store = new DurableObjectSeenStore(this.ctx.storage);

  find(keys: string[]): string[] {
    return this.#store.find(keys);
  }

  add(keys: string[]): void {
    this.#store.add(keys);
  }

  forgetBefore(time: Date): void {
    this.#store.forgetBefore(time);
  }
}

const memory = new MemorySeenStore();
const ran: string[] = [];

function storeOf(name: string, env: Env): SeenStore & { forgetBefore?(time: Date): unknown } {
  if (name === "d1") return new D1SeenStore(env.DB);
  return name === "object" ? env.SEEN.getByName("one") : memory;
}

/** Tries what every store must do. Returns what was found at each step. */
async function exercise(store: SeenStore & { forgetBefore?(time: Date): unknown }): Promise<unknown> {
  const many = Array.from({ length: 1_000 }, (_, n) => `many:${n} 'ü' "x"`);
  await store.add(["a", "b"]);
  await store.add(["b", "c"]);
  await store.add(many);
  const found = [await store.find(["c", "d", "a"]), (await store.find(["none", ...many])).length, await store.find([])];
  found[0] = [...(found[0] as string[])].sort();
  await store.forgetBefore?.(new Date(0));
  const kept = (await store.find(["a"])).length;
  await store.forgetBefore?.(new Date(Date.now() + 60_000));
  return { found, kept, left: (await store.find(["a", ...many])).length };
}

export default {
  async fetch(request, env) {
    const [, action, name = ""] = new URL(request.url).pathname.split("/");
    if (action === "exercise") return Response.json(await exercise(storeOf(name, env)));
    if (action === "verify") {
      try {
        return Response.json((await verifyWebhook(request, name)).json());
      } catch (error) {
        return Response.json(error instanceof WebhookVerificationError ? error.reason : String(error), { status: 401 });
      }
    }
    if (action === "send") await env.QUEUE.send(await request.text(), { contentType: "text" });
    return Response.json(ran);
  },

  async queue(batch, env) {
    await consume(
      batch,
      (task, { attempts }) => {
        ran.push(`${task.id} ${attempts}`);
        if (task.id.startsWith("fail") && attempts === 1) throw new Error("broken");
      },
      { seen: new D1SeenStore(env.DB), onError: () => {} },
    );
  },
} satisfies ExportedHandler<Env>;
