// A deployment with 1,024 shards: how many requests to shards each request of the API makes. The outer Worker answers for all
// shards with a few real ones, and counts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";

const REAL = 4;
const parts = `
  let asked = 0;
  const shards = (namespace) => around(namespace, {
    getByName: (name, options) => {
      const [epoch, index] = name.split("-");
      const stub = namespace.getByName(epoch + "-" + (index % ${REAL}), options);
      return { fetch: (url, init) => ((asked += 1), stub.fetch(url, init)) };
    },
  });
  const bindings = (env) => ({ SHARDS: shards(env.SHARDS) });
  function control() {
    const count = asked;
    asked = 0;
    return count;
  }
`;

const WIDE = "512,512";
const TASK = { delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } };

/** Reads the beginning of a stream of events, and closes it. */
async function beginning(url) {
  const response = await fetch(`${url}/v1/events`, { headers: { authorization: "Bearer key" } });
  const reader = response.body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return { status: response.status, text: new TextDecoder().decode(value) };
}

test("1,024 shards: a request asks each shard once, within 10,000 subrequests and some seconds", async (t) => {
  const { call, control, watchdog, url } = await start(t, await folder(t), { parts, vars: { SHARD_MAP: WIDE } });
  const tasks = Array.from({ length: 2_000 }, (_, n) => ({ ...TASK, id: `t${n}` }));
  await control("");
  const counted = async (what, most, work) => {
    const begun = Date.now();
    await work();
    const requests = await control("");
    t.diagnostic(`${what}: ${requests} requests to shards, ${Date.now() - begun} ms`);
    assert.ok(requests <= most, `${what}: ${requests} requests, at most ${most}`);
    return requests;
  };
  const answers = (path, body) => async () => {
    const answer = await call(path, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };
  // The newest epoch gets the tasks, and the other is asked for those that they replace.
  await counted("create 2,000", 1_024, answers("/v1/tasks/batch", tasks));
  for (const path of ["/v1/tasks?limit=1000", "/v1/stats", "/v1/stats/series", "/v1/forecast", "/v1/runs", "/v1/dead-letters", "/v1/tasks?text=t1"]) {
    assert.equal(await counted(path, 1_024, answers(path)), 1_024, path);
  }
  assert.equal(await counted("dry run", 1_024, answers("/v1/tasks/pause", { all: true, dryRun: true })), 1_024);
  await counted("pause all", 2_048, answers("/v1/tasks/pause", { all: true }));
  // A shard is asked for its news at the beginning, and again while the stream is open.
  await counted("events", 8_192, async () => assert.equal((await beginning(url)).status, 200));
  // 1,024 shards take two rounds of 512. In full, half of these are looked through for tasks of handlers.
  assert.equal(await counted("watchdog", 800, () => watchdog(2)), 512);
  assert.equal(await counted("watchdog in full", 800 + 256, () => watchdog(0)), 512 + 256);
});

test("a change that takes more steps than an invocation may ask for stops in time, and says that it is not done", async (t) => {
  // A shard that always has more to change.
  const endless = parts.replace("stub.fetch(url, init))", `url.endsWith("/change-matching") || url.endsWith("/count") ? Promise.resolve(Response.json({ changed: 1, count: 1, running: 0, next: { due: 5, page: 1, index: 0 }, first: [] })) : stub.fetch(url, init))`);
  const { call, control } = await start(t, await folder(t), { parts: endless, vars: { SHARD_MAP: "64", SUBREQUESTS: "600" } });
  assert.equal((await call("/v1/stats")).status, 200);
  await control("");
  const { status, body } = await call("/v1/tasks/pause", { all: true });
  assert.deepEqual([status, body.done], [200, false], JSON.stringify(body));
  const requests = await control("");
  assert.ok(requests > 64 && requests <= 600, `${requests} requests`);
  const dry = await call("/v1/tasks/pause", { all: true, dryRun: true });
  assert.deepEqual([dry.status, dry.body.done], [200, false], JSON.stringify(dry.body));
  const counts = await control("");
  assert.ok(counts > 64 && counts <= 600 && dry.body.count === counts, `${counts} counts`);
});

test("more shards than subrequests are refused with the reason", async (t) => {
  const { call } = await start(t, await folder(t), { parts, vars: { SHARD_MAP: "64", SUBREQUESTS: "50" } });
  assert.equal((await call("/v1/tasks", { ...TASK, id: "a" })).status, 201, "one task needs one shard");
  const { status, body } = await call("/v1/tasks");
  assert.equal(status, 500);
  assert.match(body.detail, /more requests to shards than SUBREQUESTS allows/);
});
