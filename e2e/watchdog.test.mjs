// What a round of the watchdog costs: a shard whose alarm lies ahead does not load its tasks. The outer Worker counts what
// shards read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";

/** Counts the statements of shards. If `loses`, a shard has no alarm when its object is made. */
const parts = (loses) => `
  let statements = 0;
  function state(of) {
    if (${loses}) of.storage.deleteAlarm();
    const sql = around(of.storage.sql, {
      exec: (...given) => {
        statements += 1;
        return of.storage.sql.exec(...given);
      },
    });
    return { storage: around(of.storage, { sql }) };
  }
  const control = () => statements;
`;

test("a round loads no shard whose alarm lies ahead, except once in a quarter of an hour, however often instances start", async (t) => {
  const storage = await folder(t);
  // A handler with a schedule has a task of its own, which the watchdog keeps.
  const options = { parts: parts(false), vars: { EXAMPLE_HANDLERS: "2" } };
  const first = await start(t, storage, options);
  const { status } = await first.call("/v1/tasks", { id: "later", delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } });
  assert.equal(status, 201);
  const task = "/v1/tasks/handler:example-weekly";
  await until("the handler's task", async () => (await first.call(task)).status === 200);
  await first.stop();
  for (const round of [1, 2, 3]) {
    const instance = await start(t, storage, options);
    await instance.watchdog(round);
    const statements = await instance.control("");
    assert.equal(statements > 0, round === 3, `${statements} statements in round ${round}`);
    assert.equal((await instance.call("/v1/tasks/later")).body.status, "scheduled");
    assert.ok((await instance.control("")) > 0, "a read loads the shard");
    await instance.stop();
  }
});

test("a shard that has lost its alarm is loaded, and arms it again", async (t) => {
  const storage = await folder(t);
  const task = { id: "soon", delayInSeconds: 4, callback: { type: "handler", name: "noop" } };
  const first = await start(t, storage, { parts: parts(false) });
  assert.equal((await first.call("/v1/tasks", task)).status, 201);
  await first.stop();
  const second = await start(t, storage, { parts: parts(true) });
  await second.watchdog(1);
  assert.ok((await second.control("")) > 0);
  await until("the task to run", async () => (await second.call("/v1/tasks/soon/runs")).body.runs.length === 1);
});
