// Tests large events on the real local runtime: many outcomes, long ids and large records at once,
// all on one shard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "1" });
});
after(async () => {
  await scheduler?.dispose();
});

let namespaces = 0;
/** Creates a namespace with one shard. Returns a function that calls it and expects 200 or 201. */
async function alone() {
  const name = `large-${++namespaces}`;
  assert.equal((await scheduler.call(`/v1/namespaces/${name}`, { method: "PUT", body: {} })).status, 201);
  return async (path, options = {}) => {
    const { status, body } = await scheduler.call(path, { ...options, headers: { "scheduler-namespace": name } });
    assert.ok(status === 200 || status === 201, `${path}: ${status} ${JSON.stringify(body).slice(0, 500)}`);
    return body;
  };
}

const noop = { type: "handler", name: "noop" };
const large = "x".repeat(60_000);
const id = (n, length) => String(n).padStart(length, "0");

test("twenty thousand late tasks with long ids are recorded, and the shard continues", async () => {
  const call = await alone();
  const time = Date.now() - 3_600_000;
  const callback = { type: "queue", queue: "FIRED_TASKS" };
  const body = Array.from({ length: 20_000 }, (_, n) => ({ id: id(n, 90), time, expireAfterSeconds: 1, callback }));
  await call("/v1/tasks/batch", { body });
  await until("all to have expired", async () => (await call("/v1/stats")).expired === 20_000, { timeoutMs: 60_000 });
  const { runs } = await call(`/v1/tasks/${id(7, 90)}/runs`);
  assert.deepEqual(runs.map((run) => run.outcome), ["expired"]);
  await call("/v1/tasks", { body: { id: "next", delayInSeconds: 0, callback: noop } });
  await until("the next task to have run", async () => (await call("/v1/stats")).succeeded === 1);
});

test("large recurring tasks that are due together all run", async () => {
  const call = await alone();
  const startAt = Date.now() + 3_000;
  const items = Array.from({ length: 300 }, (_, n) => ({ id: id(n, 5), everySeconds: 3_600, startAt, maxRuns: 1, callback: noop, payload: large }));
  for (let at = 0; at < items.length; at += 100) await call("/v1/tasks/batch", { body: items.slice(at, at + 100) });
  await until("all to have run", async () => (await call("/v1/stats")).succeeded === 300, { timeoutMs: 60_000 });
  assert.equal((await call("/v1/stats")).pending, 0);
});

test("large tasks are listed page by page, paused, resumed and cancelled", async () => {
  const call = await alone();
  const items = Array.from({ length: 300 }, (_, n) => ({ id: id(n, 90), delayInSeconds: 86_400, callback: noop, payload: large, tags: ["large"] }));
  for (let at = 0; at < items.length; at += 100) await call("/v1/tasks/batch", { body: items.slice(at, at + 100) });
  const seen = [];
  let cursor = "";
  let pages = 0;
  do {
    const page = await call(`/v1/tasks?limit=1000${cursor && `&cursor=${cursor}`}`);
    seen.push(...page.tasks.map((task) => task.id));
    ({ cursor } = page);
    pages += 1;
  } while (cursor);
  assert.deepEqual(seen, items.map((item) => item.id));
  assert.ok(pages > 1, "18 MB do not fit into one answer");
  const ids = seen;
  const filter = { tag: "large" };
  assert.deepEqual((await call("/v1/tasks/pause", { body: { ids } })).changed, 300);
  assert.deepEqual((await call("/v1/tasks/resume", { body: { filter } })).changed, 300);
  assert.deepEqual((await call("/v1/tasks/cancel", { body: { ids } })).cancelled, 300);
  assert.equal((await call("/v1/stats")).pending, 0);
});
