// What becomes of the update of a changed calendar when the alarm of the registry, which does it, is interrupted, fails or is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";

const TASKS = 40;
const DAY = Date.UTC(2099, 0, 1, 9);
const AFTER = DAY + 86_400_000;
const noop = { type: "handler", name: "noop" };
const tasks = Array.from({ length: TASKS }, (_, n) => ({ id: `daily${n}`, cron: "0 9 * * *", startAt: "2099-01-01T00:00:00Z", exclude: { calendars: ["days"] }, callback: noop }));
const LEAVES_OUT = { none: { dates: ["2098-01-01"] }, first: { dates: ["2099-01-01"] } };

/** Creates the calendar and the tasks. */
async function prepare(call) {
  assert.equal((await call("/v1/calendars/days", LEAVES_OUT.none, "PUT")).status, 201);
  assert.equal((await call("/v1/tasks/batch", tasks)).body.accepted, TASKS);
}

/** Counts the tasks that follow the changed calendar. Asks nothing about calendars, because that would set the alarm. */
async function count(call) {
  const { body } = await call(`/v1/tasks?limit=${TASKS + 10}&prefix=daily`);
  assert.equal(body.tasks.length, TASKS);
  for (const { due } of body.tasks) assert.ok(due === DAY || due === AFTER, `${due}`);
  return body.tasks.filter(({ due }) => due === AFTER).length;
}

/** Appends from the registry wait after `/control/hold`, until `/control/release`. */
const HELD = `
  let isHeld = false;
  let held = 0;
  const bindings = (env) => ({
    SHARDS: around(env.SHARDS, {
      getByName: (...name) => ({
        async fetch(url, init) {
          if (isHeld && new URL(url).pathname === "/append") held += 1;
          while (isHeld && new URL(url).pathname === "/append") await new Promise((resolve) => setTimeout(resolve, 20));
          return env.SHARDS.getByName(...name).fetch(url, init);
        },
      }),
    }),
  });
  const control = (name) => {
    if (name !== "held") isHeld = name === "hold";
    return held;
  };`;

test("a panic while the registry updates tasks: the change reaches all of them", async (t) => {
  const { call, control } = await start(t, await folder(t), { parts: HELD, vars: { SHARD_MAP: "2", EXAMPLE_HANDLERS: "panics" } });
  await prepare(call);
  const bad = { id: "bad", delayInSeconds: 3, retry: { maxAttempts: 1 }, callback: { type: "handler", name: "example-panic" } };
  assert.equal((await call("/v1/tasks", bad)).status, 201);
  await control("hold");
  assert.equal((await call("/v1/calendars/days", LEAVES_OUT.first, "PUT")).status, 200);
  await until("changes to wait for their shards", async () => (await control("held")) > 0);
  await until("the panic", async () => (await call("/v1/tasks/bad/runs")).body.runs.length === 1);
  await control("release");
  const since = Date.now();
  await until("all tasks to follow", async () => (await count(call)) === TASKS, { timeoutMs: 60_000, everyMs: 200 });
  t.diagnostic(`all tasks followed ${Date.now() - since} ms after the panic`);
});

/** The registry has no alarm when its object is made. */
const FORGETFUL = `const stateOfRegistry = (state) => void state.storage.deleteAlarm() ?? {};`;

test("an update that has lost its alarm goes on after the next round of the watchdog", async (t) => {
  const storage = await folder(t);
  const first = await start(t, storage, { parts: HELD, vars: { SHARD_MAP: "2" } });
  await prepare(first.call);
  await first.control("hold");
  assert.equal((await first.call("/v1/calendars/days", LEAVES_OUT.first, "PUT")).status, 200);
  await until("changes to wait for their shards", async () => (await first.control("held")) > 0);
  await first.stop();
  const second = await start(t, storage, { parts: FORGETFUL, vars: { SHARD_MAP: "2" } });
  assert.equal(await count(second.call), 0);
  await second.watchdog(1);
  await until("all tasks to follow", async () => (await count(second.call)) === TASKS, { timeoutMs: 60_000, everyMs: 200 });
});

/** The storage of the registry refuses to read pending updates once after `/control/fail`. */
const BROKEN = `
  ${HELD.replace("const control", "const controlHeld")}
  let fails = false;
  let escaped = 0;
  const alarmFailed = () => void (escaped += 1);
  const stateOfRegistry = (state) => {
    const sql = around(state.storage.sql, {
      exec: (query, ...values) => {
        if (fails && query.includes("WHERE due IS NOT NULL")) {
          fails = false;
          throw new Error("the storage fails");
        }
        return state.storage.sql.exec(query, ...values);
      },
    });
    return { storage: around(state.storage, { sql }) };
  };
  const control = (name) => {
    if (name === "fail") fails = true;
    return { held: controlHeld(name === "fail" || name === "" ? "held" : name), fails, escaped };
  };`;

test("a failure of the storage does not end an update, and the platform does not see the handler fail", async (t) => {
  const { call, control } = await start(t, await folder(t), { parts: BROKEN, vars: { SHARD_MAP: "2" } });
  await prepare(call);
  await control("hold");
  assert.equal((await call("/v1/calendars/days", LEAVES_OUT.first, "PUT")).status, 200);
  await until("changes to wait for the first shard", async () => (await control("")).held > 0);
  // The handler reads the pending update again before the second shard.
  await control("fail");
  await control("release");
  await until("all tasks to follow", async () => (await count(call)) === TASKS, { timeoutMs: 60_000, everyMs: 200 });
  const { fails, escaped } = await control("");
  assert.deepEqual({ fails, escaped }, { fails: false, escaped: 0 });
});

/** The stored form of the calendar `broken` is damaged when the object of the registry is made. */
const DAMAGED = `const stateOfRegistry = (state) => void state.storage.sql.exec("UPDATE calendars SET record = '{', due = 1 WHERE name = 'broken'") ?? {};`;

test("a calendar that cannot be read does not keep the tasks of others from following, is named, and can be written again", async (t) => {
  const storage = await folder(t);
  const first = await start(t, storage, { parts: HELD, vars: { SHARD_MAP: "2" } });
  await prepare(first.call);
  assert.equal((await first.call("/v1/calendars/broken", LEAVES_OUT.none, "PUT")).status, 201);
  await first.control("hold");
  assert.equal((await first.call("/v1/calendars/days", LEAVES_OUT.first, "PUT")).status, 200);
  await until("changes to wait for their shards", async () => (await first.control("held")) > 0);
  await first.stop();
  const { call, watchdog } = await start(t, storage, { parts: DAMAGED, vars: { SHARD_MAP: "2" } });
  await watchdog(1);
  await until("all tasks to follow", async () => (await count(call)) === TASKS, { timeoutMs: 60_000, everyMs: 200 });
  const { body } = await call("/v1/calendars");
  assert.deepEqual([body.calendars.map(({ name }) => name), body.unreadable], [["days"], ["broken"]]);
  const task = (calendars) => ({ ...tasks[0], id: "another", exclude: { calendars } });
  assert.equal((await call("/v1/tasks", task(["days"]))).status, 201);
  const refused = await call("/v1/tasks", task(["days", "broken"]));
  assert.deepEqual([refused.status, refused.body.field], [422, "exclude.calendars[1]"]);
  assert.equal((await call("/v1/calendars/broken", LEAVES_OUT.none, "PUT")).status, 200);
  assert.equal((await call("/v1/calendars")).body.unreadable, undefined);
  assert.equal((await call("/v1/tasks", task(["days", "broken"]))).status, 200);
});
