// A change of SHARD_MAP that would hide tasks is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";

/** If `remembers` is false, the registry is one of an earlier version, which knows no shard maps. */
const parts = (remembers) => `
  const bindings = (env) => ({
    REGISTRY: around(env.REGISTRY, {
      getByName: (...of) => {
        const stub = env.REGISTRY.getByName(...of);
        const isKnown = (url) => ${remembers} || !String(url).endsWith("/settle-shards");
        return { fetch: async (url, init) => (isKnown(url) ? stub.fetch(url, init) : new Response("the registry has no /settle-shards", { status: 400 })) };
      },
    }),
  });`;

/** Runs `work` with a scheduler that has this map. */
async function under(t, storage, map, work, remembers = true) {
  const scheduler = await start(t, storage, { parts: parts(remembers), vars: { SHARD_MAP: map } });
  await work(scheduler);
  await scheduler.stop();
}

const TASK = { delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } };
const isRefused = (before) => async ({ call, watchdog }) => {
  for (const body of [undefined, TASK]) {
    const { status, body: problem } = await call("/v1/tasks", body);
    assert.equal(status, 500, JSON.stringify(problem));
    assert.match(problem.detail, /^SHARD_MAP is ".*", but the tasks of this deployment are stored under "/);
    assert.ok(problem.detail.includes(`under ${JSON.stringify(before)}`) && problem.detail.includes("append it, like"), problem.detail);
  }
  await watchdog();
};
const isServed = async ({ call }) => assert.equal((await call("/v1/tasks")).status, 200);

test("a number that tasks are stored under cannot be changed, only followed by another", async (t) => {
  const storage = await folder(t);
  await under(t, storage, "2", async ({ call }) => assert.equal((await call("/v1/tasks", { ...TASK, id: "a" })).status, 201));
  await under(t, storage, "4", isRefused("2"));
  await under(t, storage, "2,4", async ({ call }) => assert.equal((await call("/v1/tasks/a")).status, 200));
  for (const map of ["2", "4,2", "1,4"]) await under(t, storage, map, isRefused("2,4"));
  await under(t, storage, "-,4", isServed);
  await under(t, storage, "2,4,1", async ({ call }) => assert.equal((await call("/v1/tasks/a")).status, 200));
});

test("a deployment from before the memory of maps keeps its sixteen shards, if there are tasks on them", async (t) => {
  const storage = await folder(t);
  // The tasks of a UUID are spread, and these ids are spread over all shards.
  const tasks = Array.from({ length: 200 }, (_, n) => ({ ...TASK, id: `t${n}` }));
  await under(t, storage, "16", async ({ call }) => assert.equal((await call("/v1/tasks/batch", tasks)).status, 200), false);
  await under(t, storage, "8", isRefused("16"));
  await under(t, storage, "16", async ({ call }) => assert.equal((await call("/v1/tasks/t0")).status, 200));
  await under(t, storage, "16,8", isServed);
});

test("a deployment from before that had eight shards keeps them", async (t) => {
  const storage = await folder(t);
  await under(t, storage, "8", isServed, false);
  await under(t, storage, "8", isServed);
  await under(t, storage, "4", isRefused("8"));
});
