// Where Durable Objects live. The local runtime has no jurisdictions, so here each one has classes of its own.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { startRuntime } from "../scripts/runtime.mjs";
import { roundOfWatchdog, until } from "./harness.mjs";

const CLASSES = { SHARDS: "Shard", REGISTRY: "Registry", LIMITERS: "Limiter" };

/**
 * The Worker, whose class bindings have the jurisdiction eu, and which shows the options of the last object that it called.
 * If `settles` is false, its registry is one of an earlier version.
 */
const worker = (settles) => `
  import * as built from "./index.js";
  const hints = {};
  function placed(name, objects, inside) {
    return {
      getByName(of, options) {
        hints[name] = options?.locationHint ?? null;
        return objects.getByName(of, options);
      },
      jurisdiction(which) {
        if (inside === undefined || which !== "eu") throw new Error("no jurisdiction " + which);
        return placed(name + " in " + which, inside);
      },
    };
  }
  const names = ${JSON.stringify(Object.keys(CLASSES))};
  function wrapped(env) {
    const own = Object.fromEntries(names.map((name) => [name, placed(name, env[name], env[name + "_EU"])]));
    return new Proxy(env, { get: (of, name) => own[name] ?? Reflect.get(of, name) });
  }
  const made = (Base) => class extends Base {
    constructor(context, env) {
      super(context, wrapped(env));
    }
  };
  export class Shard extends made(built.Shard) {}
  export class Registry extends made(built.Registry) {
    constructor(context, env) {
      super(context, env);
      const fetch = this.fetch.bind(this);
      this.fetch = (request) => (${settles} || !request.url.endsWith("/settle") ? fetch(request) : new Response("the registry has no /settle", { status: 400 }));
    }
  }
  export class Limiter extends made(built.Limiter) {}
  /** A native object with some members replaced. Its methods need the object itself. */
  const around = (object, own) => new Proxy(object, {
    get(of, name) {
      if (Object.hasOwn(own, name)) return own[name];
      const value = Reflect.get(of, name);
      return typeof value === "function" && name !== "constructor" ? value.bind(of) : value;
    },
  });
  export class ShardEu extends built.Shard {
    constructor(context, env) {
      super(around(context, { id: { name: context.id.name, jurisdiction: "eu" } }), wrapped(env));
    }
  }
  export class RegistryEu extends made(built.Registry) {}
  export class LimiterEu extends made(built.Limiter) {}
  export default class extends made(built.default) {
    fetch(request) {
      return new URL(request.url).pathname === "/hints" ? Response.json(hints) : super.fetch(request);
    }
  }`;

/** Starts a scheduler on a folder, and returns `call(path, body?, method?)` and `stop`. */
async function start(storage, { settles = true, ...vars }) {
  const runtime = await startRuntime({ storage, main: worker(settles), change: inEurope, vars: { SHARD_MAP: "2", API_KEYS: "key", ...vars } });
  const headers = { authorization: "Bearer key", "content-type": "application/json" };
  const call = async (path, body, method = body === undefined ? "GET" : "POST") => {
    const response = await fetch(runtime.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: await response.json() };
  };
  return { call, url: runtime.url, stop: runtime.stop };
}

/** Adds a second class for each binding, which the wrapped Worker uses for the jurisdiction eu. */
function inEurope(options) {
  const { durableObjects } = options;
  for (const [binding, name] of Object.entries(CLASSES)) {
    durableObjects[`${binding}_EU`] = { ...durableObjects[binding], className: `${name}Eu` };
  }
  return options;
}

async function folder(t) {
  await mkdir(join(ROOT, ".wrangler/e2e"), { recursive: true });
  const storage = await mkdtemp(join(ROOT, ".wrangler/e2e/placement-"));
  t.after(() => rm(storage, { recursive: true, force: true, maxRetries: 5 }));
  return storage;
}

/** Runs `work` with a scheduler on a folder. */
async function during(storage, vars, work) {
  const scheduler = await start(storage, vars);
  try {
    await work(scheduler);
  } finally {
    await scheduler.stop();
  }
}

const TASK = { id: "a", delayInSeconds: 0, limitKey: "some", callback: { type: "handler", name: "log" } };

/** Waits until the task has run and its shard knows it. */
async function succeeds(call) {
  await until("the task to succeed", async () => (await call("/v1/tasks/a/runs")).body.runs?.[0]?.outcome === "succeeded");
}

test("every object gets the location, and a location that the platform does not know is refused", async (t) => {
  const storage = await folder(t);
  await during(storage, { LOCATION: "weur" }, async ({ call }) => {
    assert.equal((await call("/v1/limits/some", { concurrency: 1 }, "PUT")).status, 201);
    assert.equal((await call("/v1/tasks", TASK)).status, 201);
    await succeeds(call);
    assert.deepEqual((await call("/hints")).body, { SHARDS: "weur", REGISTRY: "weur", LIMITERS: "weur" });
  });
  await during(storage, { LOCATION: "mars" }, async ({ call }) => {
    const { status, body } = await call("/v1/tasks", TASK);
    assert.equal(status, 500);
    assert.match(body.detail, /^LOCATION is "mars", which the platform does not know; write one of wnam, /);
  });
  await during(storage, {}, async ({ call }) => {
    assert.equal((await call("/v1/tasks/a/runs")).body.runs.length, 1);
    assert.equal((await call("/hints")).body.SHARDS, null);
  });
});

test("a deployment in a jurisdiction has all objects there, and a change of it is refused until it is undone", async (t) => {
  const storage = await folder(t);
  // A name that the platform refuses does not become the first one.
  await during(storage, { JURISDICTION: "mars" }, async ({ call }) => {
    const refused = await call("/v1/tasks", TASK);
    assert.equal(refused.status, 500);
    assert.match(refused.body.detail, /the platform refuses JURISDICTION mars/);
  });
  await during(storage, { JURISDICTION: "eu" }, async ({ call }) => {
    assert.equal((await call("/v1/limits/some", { concurrency: 1 }, "PUT")).status, 201);
    assert.equal((await call("/v1/tasks", TASK)).status, 201);
    await succeeds(call);
    assert.equal((await call("/v1/namespaces")).status, 200);
    // One registry outside remembers the jurisdiction.
    assert.deepEqual(Object.keys((await call("/hints")).body).sort(), ["LIMITERS in eu", "REGISTRY", "REGISTRY in eu", "SHARDS in eu"]);
    assert.equal((await call("/v1/tasks", { ...TASK, id: "later", delayInSeconds: 3_600 })).status, 201);
  });
  for (const other of ["", "us", "EU"]) {
    await during(storage, { JURISDICTION: other }, async ({ call, url }) => {
      for (const body of [undefined, TASK]) {
        const refused = await call("/v1/tasks", body);
        assert.equal(refused.status, 500, JSON.stringify(refused.body));
        assert.match(refused.body.detail, other === "EU" ? /^JURISDICTION is "EU", which is not the name/ : other === "us" ? /the platform refuses JURISDICTION us/ : /JURISDICTION is "", but .* in "eu", where they must stay/);
      }
      assert.equal((await fetch(url + roundOfWatchdog(0))).status, 200);
      // Nothing was created outside.
      assert.ok(!Object.keys((await call("/hints")).body).includes("SHARDS"));
    });
  }
  await during(storage, { JURISDICTION: "eu" }, async ({ call }) => {
    assert.equal((await call("/v1/tasks/later")).body.status, "scheduled");
  });
});

test("after a change of the jurisdiction, a shard goes on in its own: it finds its limits there", async (t) => {
  const storage = await folder(t);
  // The dispatchers return the run, so the shard sends it again.
  const vars = { VISIBILITY_TIMEOUT_SECONDS: "2" };
  await during(storage, { JURISDICTION: "eu", ...vars }, async ({ call }) => {
    assert.equal((await call("/v1/limits/some", { concurrency: 1 }, "PUT")).status, 201);
    assert.equal((await call("/v1/tasks", { ...TASK, delayInSeconds: 3 })).status, 201);
  });
  await during(storage, vars, async ({ call, url }) => {
    assert.equal((await call("/v1/tasks/a")).status, 500, "the change is refused");
    await until("the shard to ask its limiter", async () => {
      const hints = Object.keys(await (await fetch(`${url}/hints`)).json());
      assert.ok(!hints.includes("LIMITERS"), "it asks no limiter outside");
      return hints.includes("LIMITERS in eu");
    });
  });
  await during(storage, { JURISDICTION: "eu", ...vars }, async ({ call }) => succeeds(call));
});

test("a deployment that began without a jurisdiction, in this version or before, cannot get one", async (t) => {
  for (const settles of [true, false]) {
    const storage = await folder(t);
    await during(storage, { settles }, async ({ call }) => {
      assert.equal((await call("/v1/tasks", { ...TASK, delayInSeconds: 3_600 })).status, 201);
      // The watchdog reads the registry, too.
      assert.equal((await call("/v1/namespaces")).status, 200);
    });
    await during(storage, { JURISDICTION: "eu" }, async ({ call }) => {
      const refused = await call("/v1/tasks/a");
      assert.equal(refused.status, 500);
      assert.match(refused.body.detail, /JURISDICTION is "eu", but the keys and tasks of this deployment are in "", where they must stay/);
    });
    await during(storage, {}, async ({ call }) => assert.equal((await call("/v1/tasks/a")).status, 200));
  }
});
