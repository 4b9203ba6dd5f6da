// Runs the built Worker inside another one, which plays what the real platform does and the local runtime does not.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../scripts/paths.mjs";
import { startRuntime } from "../scripts/runtime.mjs";
import { roundOfWatchdog } from "./harness.mjs";

/**
 * The outer Worker. `parts` is the text of a module with any of these functions:
 *
 * - `bindings(env)`: what replaces bindings, by name.
 * - `state(state)`: what replaces members of a shard's state, by name.
 * - `stateOfRegistry(state)`: the same of the registry.
 * - `alarmFailed()`: called when the alarm handler of the registry has failed.
 * - `answered(path, shard, state)`: called after a shard has answered a request to this path.
 * - `control(name, env)`: the answer to `GET /control/<name>`, as JSON.
 * - `invoked(kind)`: called before each event of the Worker: `fetch`, `queue` or `scheduled`.
 */
const worker = (parts) => `
  import * as built from "./index.js";
  /** A native object with some members replaced. Its methods need the object itself. */
  function around(object, own) {
    return new Proxy(object, {
      get(of, name) {
        if (Object.hasOwn(own, name)) return own[name];
        const value = Reflect.get(of, name);
        return typeof value === "function" && name !== "constructor" ? value.bind(of) : value;
      },
    });
  }
  ${parts}
  const replaced = (env) => (typeof bindings === "function" ? around(env, bindings(env)) : env);
  const called = (kind) => typeof invoked === "function" && invoked(kind);
  export class Shard extends built.Shard {
    #own;
    constructor(context, env) {
      super(typeof state === "function" ? around(context, state(context)) : context, replaced(env));
      this.#own = context;
    }
    async fetch(request) {
      const answer = await super.fetch(request);
      if (typeof answered === "function") answered(new URL(request.url).pathname, this, this.#own);
      return answer;
    }
  }
  export class Registry extends built.Registry {
    constructor(context, env) {
      super(typeof stateOfRegistry === "function" ? around(context, stateOfRegistry(context)) : context, replaced(env));
    }
    async alarm() {
      try {
        return await super.alarm();
      } catch (problem) {
        if (typeof alarmFailed === "function") alarmFailed();
        throw problem;
      }
    }
  }
  export class Limiter extends built.Limiter {
    constructor(context, env) {
      super(context, replaced(env));
    }
  }
  export default class extends built.default {
    #own;
    constructor(context, env) {
      super(context, replaced(env));
      this.#own = env;
    }
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/control/")) return Response.json((await control(pathname.slice(9), this.#own)) ?? null);
      called("fetch");
      return super.fetch(request);
    }
    async queue(batch) {
      called("queue");
      return super.queue(batch);
    }
    async scheduled(event) {
      called("scheduled");
      return super.scheduled(event);
    }
  }`;

/** Makes a folder for the storage of a scheduler, which is removed after the test. */
export async function folder(t) {
  await mkdir(join(ROOT, ".wrangler/e2e"), { recursive: true });
  const storage = await mkdtemp(join(ROOT, ".wrangler/e2e/around-"));
  t.after(() => rm(storage, { recursive: true, force: true, maxRetries: 5 }));
  return storage;
}

/**
 * Starts the scheduler in such a Worker. Returns `call(path, body?, method?)`, which returns status and body, `control(name)`,
 * `watchdog(round?)`, `url` and `stop()`. It also stops after the test.
 */
export async function start(t, storage, { parts, vars = {}, change }) {
  const runtime = await startRuntime({ storage, main: worker(parts), change, vars: { SHARD_MAP: "1", API_KEYS: "key", ...vars } });
  let isUp = true;
  const stop = async () => {
    if (isUp) await runtime.stop();
    isUp = false;
  };
  t.after(stop);
  const headers = { authorization: "Bearer key", "content-type": "application/json" };
  const call = async (path, body, method = body === undefined ? "GET" : "POST") => {
    const response = await fetch(runtime.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const watchdog = async (round = 0) => {
    const response = await fetch(runtime.url + roundOfWatchdog(round));
    if (!response.ok) throw new Error(`watchdog: ${response.status} ${await response.text()}`);
  };
  return { call, control: async (name) => (await call(`/control/${name}`)).body, watchdog, url: runtime.url, stop };
}
