// What a round of the watchdog costs: a shard whose alarm lies ahead does not load its tasks. The outer Worker counts what
// shards read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";

/** Counts the statements of shards. If `loses`, a shard has no alarm when its object is made. */
const parts = (loses) => `
  let statements = 0;
  let untilWatched = 0;
  const answered = (path) => {
    if (path === "/watch") untilWatched = statements;
  };
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
  const control = (what) => (what === "watched" ? untilWatched : statements);
`;

/** Whether a round asks the shards in full, as one in three does. */
const isInFull = () => Math.floor(Date.now() / 300_000) % 3 === 0;

test("a round loads no shard whose alarm lies ahead, except once in a quarter of an hour", async (t) => {
  const storage = await folder(t);
  const first = await start(t, storage, { parts: parts(false) });
  const { status } = await first.call("/v1/tasks", { id: "later", delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } });
  assert.equal(status, 201);
  await first.stop();
  const second = await start(t, storage, { parts: parts(false) });
  const before = isInFull();
  await second.watchdog();
  // Afterwards, the first round of an instance lists the tasks of handlers.
  const statements = await second.control("watched");
  if (before === isInFull()) assert.equal(statements > 0, before, `${statements} statements`);
  assert.equal((await second.call("/v1/tasks/later")).body.status, "scheduled");
  assert.ok((await second.control("")) > 0, "a read loads the shard");
});

test("a shard that has lost its alarm is loaded, and arms it again", async (t) => {
  const storage = await folder(t);
  const task = { id: "soon", delayInSeconds: 4, callback: { type: "handler", name: "noop" } };
  const first = await start(t, storage, { parts: parts(false) });
  assert.equal((await first.call("/v1/tasks", task)).status, 201);
  await first.stop();
  const second = await start(t, storage, { parts: parts(true) });
  await second.watchdog();
  assert.ok((await second.control("")) > 0);
  await until("the task to run", async () => (await second.call("/v1/tasks/soon/runs")).body.runs.length === 1);
});
