// Tests limits on concurrency and rate on the real local runtime.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const SHARDS = 4;
let scheduler;
let sink;
/** The number of unanswered calls, and their highest number, by path. */
const running = new Map();
const most = new Map();
/** How long a call takes, milliseconds. */
let slow = 100;
before(async () => {
  sink = await startSink(async ({ path }) => {
    running.set(path, (running.get(path) ?? 0) + 1);
    most.set(path, Math.max(most.get(path) ?? 0, running.get(path)));
    await new Promise((resolve) => setTimeout(resolve, slow));
    running.set(path, running.get(path) - 1);
    return 200;
  });
  scheduler = await Scheduler.start({ shards: String(SHARDS), sink: sink.url });
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

const call = (path, options) => scheduler.call(path, options);
const received = (path) => sink.webhooks.filter((hook) => hook.path === path);
const limit = async (key, body, status = 201) => {
  const made = await call(`/v1/limits/${encodeURIComponent(key)}`, { method: "PUT", body });
  assert.equal(made.status, status, JSON.stringify(made.body));
  return made.body;
};
const create = async (count, limitKey, path, more = {}) => {
  const callback = { type: "webhook", url: `${sink.url}${path}` };
  const tasks = Array.from({ length: count }, (_, n) => ({ id: `${path}-${n}`, delayInSeconds: 0, limitKey, callback, ...more }));
  const made = await call("/v1/tasks/batch", { body: tasks });
  assert.equal(made.body.accepted, count, JSON.stringify(made.body));
};
const allRun = (count, path, timeoutMs = 60_000) =>
  until(`${count} calls of ${path}`, () => received(path).length >= count, { timeoutMs });

test("the runs of a key in flight keep the limit over all shards", async () => {
  await limit("three", { concurrency: 3 });
  await create(60, "three", "/three");
  // A task without the key does not wait behind them.
  await call("/v1/tasks", { body: { id: "free", delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/free` } } });
  await until("the free one", () => received("/free")[0], { timeoutMs: 5_000 });
  assert.ok(received("/three").length < 60, "the task without a key arrived before the others were done");
  const seen = await until("the limit to show runs", async () => {
    const { body } = await call("/v1/limits/three");
    return body.inFlight > 0 && body.waiting > 0 ? body : undefined;
  });
  assert.equal(seen.inEffect, true);
  assert.ok(seen.shards.every((held) => /^1-[0-3]$/.test(held.shard)), JSON.stringify(seen));
  assert.ok(seen.shards.reduce((sum, held) => sum + held.slots, 0) <= 3, JSON.stringify(seen));
  await allRun(60, "/three");
  assert.equal(most.get("/three"), 3, "never more than three at once, and three at some time");
  assert.equal(new Set(received("/three").map((hook) => hook.headers["idempotency-key"])).size, 60);
  await until("all slots to be returned", async () => (await call("/v1/limits/three")).body.shards.length === 0);
});

test("the rate is kept in every window", async () => {
  slow = 0;
  const rate = 5;
  await limit("rate", { perSecond: rate });
  await create(40, "rate", "/rate");
  await allRun(40, "/rate");
  const times = received("/rate").map((hook) => hook.receivedAt);
  // The time in seconds by which the durations of two deliveries may differ on this machine.
  const differs = 0.5;
  for (let first = 0; first < times.length; first += 1) {
    for (let last = first; last < times.length; last += 1) {
      const bound = rate * ((times[last] - times[first]) / 1000 + 1 + differs) + 1;
      assert.ok(last - first + 1 <= bound, `${last - first + 1} calls within ${times[last] - times[first]} ms`);
    }
  }
  const seconds = (times.at(-1) - times[0]) / 1000;
  assert.ok(seconds > 5 && seconds < 30, `40 calls at ${rate} a second took ${seconds} s`);
});

test("a limit may change while tasks wait", async () => {
  slow = 300;
  await limit("change", { concurrency: 1 });
  await create(40, "change", "/change");
  await allRun(3, "/change");
  assert.equal(most.get("/change"), 1);
  await limit("change", { concurrency: 8 }, 200);
  await until("more at once", () => most.get("/change") > 4, { timeoutMs: 20_000 });
  assert.equal((await call("/v1/limits/change", { method: "DELETE" })).status, 200);
  await allRun(40, "/change");
  assert.ok(received("/change").length === 40);
});

test("recurring tasks and further attempts keep the limit too", async () => {
  slow = 0;
  await limit("again", { concurrency: 1, perSecond: 2 });
  const callback = { type: "webhook", url: `${sink.url}/every` };
  const made = await call("/v1/tasks", { body: { id: "every", everySeconds: 1, limitKey: "again", callback } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.limitKey, "again");
  await until("three runs", () => received("/every").length >= 3);
  assert.equal((await call("/v1/tasks/every", { method: "DELETE" })).status, 200);
});

test("an invalid field is named, and a namespace has limits of its own", async () => {
  const bad = await call("/v1/limits/x", { method: "PUT", body: { concurrency: 0 } });
  assert.deepEqual([bad.status, bad.body.field], [422, "concurrency"]);
  assert.equal((await call("/v1/limits/none")).body.type, "/problems/no-limit");
  assert.equal((await call("/v1/limits/none", { method: "DELETE" })).status, 404);
  const queue = { delayInSeconds: 0, limitKey: "x", callback: { type: "queue", queue: "FIRED_TASKS" } };
  const refused = await call("/v1/tasks", { body: queue });
  assert.deepEqual([refused.status, refused.body.field], [422, "limitKey"]);

  const headers = { "scheduler-namespace": "limited" };
  assert.equal((await call("/v1/namespaces/limited", { method: "PUT" })).status, 201);
  assert.equal((await call("/v1/limits/a%2Fb", { method: "PUT", body: { perSecond: 0.5 }, headers })).status, 201);
  assert.deepEqual((await call("/v1/limits", { headers })).body.limits.map(({ key, perSecond }) => [key, perSecond]), [["a/b", 0.5]]);
  assert.ok(!(await call("/v1/limits")).body.limits.some(({ key }) => key === "a/b"));
  assert.equal((await call("/v1/namespaces/limited", { method: "DELETE" })).status, 200);
  assert.equal((await call("/v1/namespaces/limited", { method: "PUT" })).status, 201);
  assert.deepEqual((await call("/v1/limits", { headers })).body.limits, []);
});
