// The Worker that `make smoke` deploys: the built scheduler, with two questions of the smoke test in front of it.
//
// - GET /smoke/place: where this instance runs.
// - GET /smoke/shards: where each shard runs, as `[{shard, colo, millis}]`, and how long the question took.
//
// Both need one of API_KEYS. It is deployed beside index.js.

import * as built from "./index.js";
export { Limiter, Registry } from "./index.js";

/** An address that says which data center a request to it comes from. */
const TRACE = "https://www.cloudflare.com/cdn-cgi/trace";

/** Returns the data center from which this code sends requests, such as FRA. */
async function colo(env) {
  const response = await fetch(env.TRACE_URL ?? TRACE, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
  return /^colo=(\w+)$/m.exec(await response.text())?.[1];
}

export class Shard extends built.Shard {
  #env;
  constructor(state, env) {
    super(state, env);
    this.#env = env;
  }
  async fetch(request) {
    if (new URL(request.url).pathname === "/smoke/colo") return Response.json(await colo(this.#env));
    return super.fetch(request);
  }
}

/** Returns the names of all shards of the map `8` or `8,32`. */
const shards = (map) => map.split(",").flatMap((count, epoch) => (count === "-" ? [] : Array.from({ length: Number(count) }, (_, n) => `${epoch + 1}-${n}`)));

async function places(env) {
  return Promise.all(shards(env.SHARD_MAP).map(async (shard) => {
    const begun = Date.now();
    const response = await env.SHARDS.getByName(shard).fetch("https://shard/smoke/colo");
    return { shard, colo: await response.json(), millis: Date.now() - begun };
  }));
}

export default class extends built.default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/smoke/")) return super.fetch(request);
    if (request.headers.get("authorization") !== `Bearer ${this.env.API_KEYS}`) return new Response("wrong key", { status: 401 });
    if (pathname === "/smoke/place") return Response.json({ colo: request.cf?.colo ?? null, country: request.cf?.country ?? null, deploy: this.env.DEPLOY });
    if (pathname === "/smoke/shards") return Response.json(await places(this.env));
    return new Response("no such question", { status: 404 });
  }
}
