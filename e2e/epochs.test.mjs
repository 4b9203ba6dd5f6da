// Tests one id in two epochs of the shard map. A request is about one task, as it would be on one
// shard.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

let fails = true;
const options = { shards: "2" };

useScheduler(options, ({ path }) => (path.startsWith("/bad") && fails ? 500 : 200));

const queue = { type: "queue", queue: "FIRED_TASKS" };
const FAR = Date.parse("2099-01-01T00:00:00Z");
const put = (id, body) => scheduler.call(`/v1/tasks/${id}`, { method: "PUT", body });
const post = (path, body) => scheduler.call(`/v1/tasks/${path}`, { method: "POST", ...(body === undefined ? {} : { body }) });
const listed = async (prefix) => (await scheduler.call(`/v1/tasks?prefix=${prefix}`)).body.tasks;
const statuses = async (prefix) => (await listed(prefix)).map((task) => task.status).sort();
const dead = (id) => put(id, { delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: { type: "webhook", url: `${sink.url}/bad/${id}` } });
const NAMES = ["run", "move", "moves", "put", "cancel", "cancels", "patch", "pause", "left"].map((name) => `old-${name}`);

test("dead letters and tasks of an older epoch exist", async () => {
  for (const name of NAMES) await dead(name);
  await until("the dead letters", async () => (await statuses("old-")).every((status) => status === "dead-lettered"));
  assert.equal((await put("deployed", { everySeconds: 3_600, maxRuns: 9, callback: queue })).status, 201);
  assert.equal((await put("deployed-2", { cron: "0 0 1 1 *", callback: queue })).status, 201);
  assert.equal((await post("deployed/pause")).status, 200);
  await scheduler.stop();
  options.shards = "2,3";
  await scheduler.restart();
  fails = false;
  for (const name of NAMES.filter((name) => name !== "old-left")) {
    assert.equal((await put(name, { time: FAR, callback: queue })).status, 201, `${name}: a dead letter is not replaced`);
  }
  assert.equal((await listed("old-")).length, 2 * NAMES.length - 1, "PUT does not change dead letters");
});

test("every verb applies to the live task, not to the dead letter", async () => {
  const run = (await post("old-run/run")).body;
  assert.deepEqual([run.id, run.changed], ["old-run", true]);
  await until("its run", () => sink.envelopes.some(({ tasks }) => tasks.some(({ id }) => id === "old-run")));
  assert.deepEqual(await statuses("old-run"), ["dead-lettered"]);

  assert.equal((await post("old-move/reschedule", { time: FAR + 1_000 })).body.changed, true);
  const many = await post("reschedule", { ids: ["old-moves", "nowhere"], time: FAR + 1_000 });
  assert.deepEqual([many.body.changed, many.body.notFound], [1, 1]);
  for (const id of ["old-move", "old-moves"]) {
    const tasks = (await listed(id)).filter((task) => task.id === id);
    assert.deepEqual(tasks.map((task) => [task.status, task.time === FAR + 1_000]).sort(), [["dead-lettered", false], ["scheduled", true]]);
  }
  assert.equal((await post("old-pause/pause")).body.changed, true);
  assert.deepEqual(await statuses("old-pause"), ["dead-lettered", "paused"]);
  const patched = await scheduler.call("/v1/tasks/old-patch", { method: "PATCH", body: { description: "d" } });
  assert.deepEqual([patched.status, patched.body.description], [200, "d"]);
  assert.deepEqual(await statuses("old-patch"), ["dead-lettered", "scheduled"]);

  assert.equal((await scheduler.call("/v1/tasks/old-cancel", { method: "DELETE" })).body.cancelled, true);
  assert.equal((await post("cancel", { ids: ["old-cancels"] })).body.cancelled, 1);
  for (const id of ["old-cancel", "old-cancels"]) {
    assert.equal((await scheduler.call(`/v1/tasks/${id}`)).body.status, "dead-lettered", id);
    // A second cancel is of the dead letter.
    assert.equal((await scheduler.call(`/v1/tasks/${id}`, { method: "DELETE" })).body.cancelled, true);
    assert.equal((await scheduler.call(`/v1/tasks/${id}`)).status, 404);
  }
});

test("a verb applies to a dead letter of an older epoch if there is no live task", async () => {
  assert.equal((await post("old-left/pause")).body.type, "/problems/not-applicable");
  assert.equal((await post("old-left/run")).body.changed, true);
  await until("its end", async () => (await scheduler.call("/v1/tasks/old-left")).status === 404);
});

test("with the same definition the task stays in its epoch", async () => {
  const before = (await scheduler.call("/v1/tasks/deployed")).body;
  assert.equal(before.status, "paused");
  const again = await put("deployed", { everySeconds: 3_600, maxRuns: 9, description: "again", callback: queue });
  assert.deepEqual([again.status, again.body], [200, { ...before, description: "again", updatedAt: again.body.updatedAt }]);
  assert.ok(again.body.updatedAt >= before.createdAt);
  const { body } = await scheduler.call("/v1/tasks/batch", {
    body: [{ id: "deployed", everySeconds: 3_600, maxRuns: 9, callback: queue }, { id: "deployed-2", cron: "0 0 1 1 *", callback: queue, tags: ["t"] }, { id: "deployed-3", cron: "@daily", callback: queue }],
  });
  assert.equal(body.accepted, 3);
  const tasks = await listed("deployed");
  assert.deepEqual(tasks.map((task) => task.id).sort(), ["deployed", "deployed-2", "deployed-3"]);
  assert.deepEqual([(await scheduler.call("/v1/tasks/deployed")).body.anchor, tasks.find((task) => task.id === "deployed-2").tags], [before.anchor, ["t"]]);
  // Another schedule moves it to the newest epoch.
  assert.equal((await put("deployed", { everySeconds: 60, callback: queue })).status, 200);
  assert.equal((await listed("deployed")).filter((task) => task.id === "deployed").length, 1);
});
