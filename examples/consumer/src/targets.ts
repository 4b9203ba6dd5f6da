// What tasks can call in a Worker of your own: a service and a Durable Object, each by a request or by RPC.
// The bindings that lead here are in ../scheduler.toml.

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { type FiredTask, occurrenceKey } from "./envelope.ts";
import type { Env } from "./env.ts";

/** A request that was not one of the scheduler's would need an answer of its own; bindings let nobody else in. */
export class Example extends WorkerEntrypoint<Env> {
  /** `{"type":"service","binding":"EXAMPLE","path":"/orders/7"}`: an answer with 2xx is success. */
  async fetch(request: Request): Promise<Response> {
    if (this.env.SINK_URL) return forwardRequest(request, `${this.env.SINK_URL}/service`);
    console.log(`${request.method} ${request.url}, ${request.headers.get("idempotency-key")}: ${await request.text()}`);
    return new Response(null, { status: 204 });
  }

  /** `{"type":"service","binding":"EXAMPLE","function":"remind"}`: to return is success, to throw is failure. */
  async remind(task: FiredTask): Promise<void> {
    if (this.env.SINK_URL) return forwardCall(task, `${this.env.SINK_URL}/service.remind`);
    console.log(`remind ${occurrenceKey(task)}: ${JSON.stringify(task.payload ?? null)}`);
  }
}

/**
 * Counts firings, each once: delivery is at least once, and a Durable Object can remember the keys that it has seen in
 * the same transaction as the work itself.
 */
export class Counter extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  #add(key: string): number {
    this.ctx.storage.sql.exec("INSERT INTO seen (key) VALUES (?) ON CONFLICT DO NOTHING", key);
    return Number(this.ctx.storage.sql.exec("SELECT count(*) AS seen FROM seen").one().seen);
  }

  /** `{"type":"durable-object","binding":"COUNTERS","name":"orders","path":"/"}` */
  async fetch(request: Request): Promise<Response> {
    if (this.env.SINK_URL) return forwardRequest(request, `${this.env.SINK_URL}/object/${this.ctx.id.name}`);
    return Response.json({ seen: this.#add(request.headers.get("idempotency-key") ?? "") });
  }

  /** `{"type":"durable-object","binding":"COUNTERS","name":"orders","function":"count"}` */
  async count(task: FiredTask): Promise<void> {
    const seen = this.#add(occurrenceKey(task));
    if (this.env.SINK_URL) return forwardCall({ ...task, seen }, `${this.env.SINK_URL}/object/${this.ctx.id.name}.count`);
    console.log(`${this.ctx.id.name} has seen ${seen}, the last ${occurrenceKey(task)}`);
  }
}

function forwardRequest(request: Request, to: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  return fetch(new Request(`${to}${pathname}${search}`, request));
}

async function forwardCall(argument: unknown, to: string): Promise<void> {
  const response = await fetch(to, { method: "POST", body: JSON.stringify(argument) });
  if (!response.ok) throw new Error(`the sink answered ${response.status}`);
}
