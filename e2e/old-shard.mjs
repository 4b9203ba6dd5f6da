// A scheduler with one shard of an earlier version, as happens for minutes while a new version is rolled out.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../scripts/paths.mjs";
import { startRuntime } from "../scripts/runtime.mjs";

/** The name of the shard of the earlier version, among three. */
export const OLD = "1-1";

/** The Worker, whose shard OLD answers to some paths as one does that does not know them. */
const worker = (unknown) => `
  import * as built from "./index.js";
  export * from "./index.js";
  export { default } from "./index.js";
  export class Shard extends built.Shard {
    constructor(state, env) {
      super(state, env);
      const fetch = this.fetch.bind(this);
      this.fetch = (request) => {
        const { pathname } = new URL(request.url);
        if (state.id.name !== "${OLD}" || !${JSON.stringify(unknown)}.includes(pathname)) return fetch(request);
        return Response.json({ kind: "request", detail: "a shard has no " + pathname }, { status: 400 });
      };
    }
  }`;

/** Starts a scheduler of three shards, of which one does not know these paths. Returns `call`, which sends a request and returns status, headers and body. */
export async function startWithOldShard(t, unknown) {
  await mkdir(join(ROOT, ".wrangler/e2e"), { recursive: true });
  const storage = await mkdtemp(join(ROOT, ".wrangler/e2e/old-"));
  const runtime = await startRuntime({ storage, main: worker(unknown), vars: { SHARD_MAP: "3", API_KEYS: "key" } });
  t.after(async () => {
    await runtime.stop();
    await rm(storage, { recursive: true, force: true, maxRetries: 5 });
  });
  const headers = { authorization: "Bearer key", "content-type": "application/json" };
  return async (path, body) => {
    const response = await fetch(runtime.url + path, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
}
