// The second Worker that `make smoke` deploys: it receives what the scheduler fires, from webhooks and from the queue, and keeps it until
// the smoke test takes it.
//
// - POST /hook: a webhook. It needs no key, because webhooks have none; a run checks what belongs to it.
// - GET /take/<ledger>?after=<seq>: what has arrived after that one, as `[{seq, at, key, message, body}]`: a webhook has its key, and an
//   envelope the id of its message in the queue.
//
// Several objects keep it, because one takes a few hundred requests a second.

import { DurableObject } from "cloudflare:workers";

/** How many objects keep what arrives. `LEDGERS` in arrivals.mjs is the same number. */
const LEDGERS = 4;
/** The most arrivals, and about the most bytes, that one answer has. */
const MOST = 1_000;
const MOST_BYTES = 4_000_000;

export class Ledger extends DurableObject {
  constructor(state, env) {
    super(state, env);
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS arrivals (seq INTEGER PRIMARY KEY, at INTEGER, key TEXT, message TEXT, body TEXT) STRICT");
  }
  add(arrivals) {
    for (const { at, key = null, message = null, body } of arrivals) {
      this.ctx.storage.sql.exec("INSERT INTO arrivals (at, key, message, body) VALUES (?, ?, ?, ?)", at, key, message, body);
    }
  }
  take(after) {
    const taken = [];
    let bytes = 0;
    for (const row of this.ctx.storage.sql.exec("SELECT seq, at, key, message, body FROM arrivals WHERE seq > ? ORDER BY seq LIMIT ?", after, MOST)) {
      taken.push(row);
      bytes += row.body.length;
      if (bytes > MOST_BYTES) break;
    }
    return taken;
  }
}

const any = (env) => env.LEDGERS.getByName(String(Math.floor(Math.random() * LEDGERS)));

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/healthz") return new Response("ok");
    if (pathname === "/hook" && request.method === "POST") {
      await any(env).add([{ at: Date.now(), key: request.headers.get("idempotency-key") ?? "", body: await request.text() }]);
      return new Response("ok");
    }
    if (request.headers.get("authorization") !== `Bearer ${env.KEY}`) return new Response("wrong key", { status: 401 });
    const [, ledger] = /^\/take\/(\d+)$/.exec(pathname) ?? [];
    if (ledger === undefined) return new Response("no such path", { status: 404 });
    return Response.json(await env.LEDGERS.getByName(ledger).take(Number(searchParams.get("after") ?? 0)));
  },
  async queue(batch, env) {
    const at = Date.now();
    await any(env).add(batch.messages.map(({ id, body }) => ({ at, message: id, body: typeof body === "string" ? body : JSON.stringify(body) })));
  },
};
