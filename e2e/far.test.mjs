// Tests tasks at the ends of the accepted times, each alone on its shard. A refusal of the platform
// must not reach the caller.

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

const LAST = Date.parse("9999-12-31T23:59:59.999Z");
const CENTURY_SECONDS = 3_155_760_000;
const callback = { type: "handler", name: "noop" };

let namespaces = 0;
/** Creates a namespace whose one shard is empty. Returns a function that calls it. */
async function alone() {
  const name = `far-${++namespaces}`;
  assert.equal((await scheduler.call(`/v1/namespaces/${name}`, { method: "PUT", body: {} })).status, 201);
  return (path, options = {}) =>
    scheduler.call(path, { ...options, headers: { "scheduler-namespace": name, ...options.headers } });
}

const SCHEDULES = {
  "the last time": { time: "9999-12-31T23:59:59.999Z" },
  "the last time in milliseconds": { time: LAST },
  "the year 5000": { time: "5000-01-01T00:00:00Z" },
  // The platform counts nanoseconds in 64 bits.
  "the last nanosecond of 63 bits": { time: 9_223_372_036_854 },
  "the first time after that": { time: 9_223_372_036_855 },
  "the year 2189": { time: "2189-01-01T00:00:00Z" },
  // This is longer than a timer's 31 bits of milliseconds.
  "in a month": { delayInSeconds: 31 * 86_400 },
  "the longest delay": () => ({ delayInSeconds: Math.floor((LAST - Date.now()) / 1_000) - 60 }),
  "the last time, put off by a day": { time: LAST, jitterSeconds: 86_400, windowSeconds: 86_400 },
  "the longest interval": { everySeconds: CENTURY_SECONDS },
  "the longest interval, from the last time": { everySeconds: CENTURY_SECONDS, startAt: LAST },
  "an interval that starts and ends last": { everySeconds: 1, startAt: LAST, endAt: LAST },
  "an interval with a far anchor": { everySeconds: CENTURY_SECONDS, anchor: LAST },
  "cron that starts late": { cron: "0 0 1 1 *", startAt: "9998-06-01T00:00:00Z" },
  "a rule that starts late": { rrule: "FREQ=YEARLY", startAt: "9990-01-01T00:00:00Z", endAt: LAST },
  "the last time with a limit": { time: LAST, limitKey: "slow" },
  "a late interval with a limit": { everySeconds: CENTURY_SECONDS, startAt: "5000-01-01T00:00:00Z", limitKey: "slow" },
};

for (const [what, schedule] of Object.entries(SCHEDULES)) {
  test(`${what}: a task alone on its shard is kept, shown, changed and cancelled`, async () => {
    const call = await alone();
    const ok = async (path, options) => {
      const { status, body } = await call(path, options);
      assert.ok(status === 200 || status === 201, `${options?.method ?? "GET"} ${path}: ${status} ${JSON.stringify(body)}`);
      return body;
    };
    if (schedule.limitKey) await ok("/v1/limits/slow", { method: "PUT", body: { perSecond: 0.001, concurrency: 1 } });
    const { due } = await ok("/v1/tasks", { body: { id: "far", callback, ...(typeof schedule === "function" ? schedule() : schedule) } });
    assert.ok(due > Date.now());
    for (let round = 0; round < 2; round++) {
      assert.equal((await ok("/v1/tasks/far")).id, "far");
      assert.deepEqual((await ok("/v1/tasks")).tasks.map((task) => task.id), ["far"]);
      const stats = await ok("/v1/stats");
      assert.equal(stats.pending, 1);
      assert.equal(stats.created, 1, "the write was not repeated");
      await ok("/v1/tasks/far/explain");
      await ok("/v1/tasks/far/pause", { method: "POST" });
      await ok("/v1/tasks/far/resume", { method: "POST" });
      // The second round reads everything from the storage.
      await scheduler.watchdog();
    }
    await ok("/v1/tasks/far", { method: "DELETE" });
    assert.equal((await call("/v1/tasks/far")).status, 404);
    assert.equal((await ok("/v1/stats")).pending, 0);
  });
}

test("the first time fires at once", async () => {
  const call = await alone();
  assert.equal((await call("/v1/tasks", { body: { id: "first", time: "1970-01-01T00:00:00Z", callback } })).status, 201);
  await until("it to have run", async () => (await call("/v1/stats")).body.succeeded === 1);
});

test("a task beside one of the last time fires in time, and so does a task that is moved from the last time", async () => {
  const call = await alone();
  assert.equal((await call("/v1/tasks", { body: { id: "far", time: LAST, callback } })).status, 201);
  assert.equal((await call("/v1/tasks", { body: { id: "near", delayInSeconds: 1, callback } })).status, 201);
  await until("the near one to have run", async () => (await call("/v1/tasks/near")).status === 404);
  assert.equal((await call("/v1/tasks/far/reschedule", { body: { delayInSeconds: 0.5 } })).status, 200);
  await until("the far one to have run", async () => (await call("/v1/stats")).body.succeeded === 2);
});
