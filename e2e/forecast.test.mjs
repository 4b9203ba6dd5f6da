// How many runs come due, on the real local runtime: over all shards and epochs, and with a shard that does not know the question.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler } from "./harness.mjs";
import { OLD, startWithOldShard } from "./old-shard.mjs";

let scheduler;
before(async () => {
  // Two epochs: what comes due counts wherever it is.
  scheduler = await Scheduler.start({ shards: "2,3" });
});
after(() => scheduler?.dispose());

const LOG = { type: "handler", name: "log" };
const HOUR = 3_600_000;
/** A day on which nothing else happens, and on which London's clock does not change. */
const DAY = Date.parse("2031-01-15T00:00:00Z");

async function forecast(query, options) {
  const { status, body } = await scheduler.call(`/v1/forecast?${new URLSearchParams(query)}`, options);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const counts = ({ buckets }, name) => buckets.map((bucket) => bucket[name]);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

test("one-shot and recurring runs are counted in the buckets of their due times, over all shards", async () => {
  const once = Array.from({ length: 500 }, (_, n) => ({ id: `once-${n}`, time: DAY + (n % 10) * HOUR + n, callback: LOG }));
  const recurring = [
    { id: "hourly", cron: "30 * * * *", callback: LOG },
    { id: "twice", cron: ["0 3 * * *", "0 9 * * *"], timezone: "Europe/London", callback: LOG },
    { id: "each-second", everySeconds: 1, startAt: DAY, endAt: DAY + HOUR - 1, callback: LOG },
    { id: "paused", cron: "0 * * * *", paused: true, callback: LOG },
    { id: "none", type: "no-schedule", callback: LOG },
  ];
  const { body } = await scheduler.call("/v1/tasks/batch", { body: [...once, ...recurring] });
  assert.deepEqual([body.accepted, body.rejected], [505, 0]);

  const day = await forecast({ from: DAY, to: DAY + 24 * HOUR });
  assert.deepEqual([day.from, day.to, day.bucketMillis, day.countedUntil, day.missingShards], [DAY, DAY + 24 * HOUR, HOUR, DAY + 24 * HOUR, undefined]);
  assert.deepEqual(day.buckets.map(({ at }) => at), Array.from({ length: 24 }, (_, hour) => DAY + hour * HOUR));
  assert.deepEqual(counts(day, "oneShot"), Array.from({ length: 24 }, (_, hour) => (hour < 10 ? 50 : 0)));
  const perHour = Array.from({ length: 24 }, (_, hour) => 1 + (hour === 0 ? 3_600 : 0) + (hour === 3 || hour === 9 ? 1 : 0));
  assert.deepEqual(counts(day, "recurring"), perHour);

  // Finer and coarser buckets divide the same runs.
  for (const buckets of [1, 7, 1_000]) {
    const other = await forecast({ from: new Date(DAY).toISOString(), to: DAY + 24 * HOUR, buckets });
    assert.ok(other.buckets.length <= buckets && other.buckets.length > buckets * 0.9);
    assert.deepEqual([sum(counts(other, "oneShot")), sum(counts(other, "recurring"))], [500, sum(perHour)]);
  }

  // The counts follow the tasks.
  await scheduler.call("/v1/tasks/once-0", { method: "DELETE" });
  await scheduler.call("/v1/tasks/once-1/reschedule", { body: { time: DAY + 23 * HOUR } });
  await scheduler.call("/v1/tasks/hourly/pause", { method: "POST" });
  const later = await forecast({ from: DAY, to: DAY + 24 * HOUR });
  assert.equal(sum(counts(later, "oneShot")), 499);
  assert.equal(later.buckets[23].oneShot, 1);
  assert.equal(sum(counts(later, "recurring")), sum(perHour) - 24);

  // And a restart does not change them.
  await scheduler.kill();
  await scheduler.restart();
  assert.deepEqual(await forecast({ from: DAY, to: DAY + 24 * HOUR }), later);
});

test("without parameters it is the day ahead, of the namespace that is asked for", async () => {
  const task = { id: "soon", delayInSeconds: 5_400, callback: LOG };
  await scheduler.call("/v1/tasks", { body: task });
  const before = Date.now();
  const { from, to, buckets } = await forecast({});
  assert.ok(from >= before - 1_000 && from <= Date.now() + 1_000 && to - from === 24 * HOUR && buckets.length === 24);
  assert.equal(buckets[1].oneShot, 1);
  const key = (await scheduler.call("/v1/keys", { body: { name: "other", scopes: ["read"], namespaces: ["other"] } })).body.key;
  await scheduler.call("/v1/namespaces/other", { method: "PUT" });
  const other = await forecast({}, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(sum(counts(other, "oneShot")) + sum(counts(other, "recurring")), 0);
});

test("more than a shard counts at once is said to be counted in part", async () => {
  // 600 runs a minute on each of five shards: a year of them is not counted in one request.
  const each = Array.from({ length: 50 }, (_, n) => ({ id: `often-${n}`, cron: "*/1 * * * * *", startAt: DAY, callback: LOG }));
  assert.equal((await scheduler.call("/v1/tasks/batch", { body: each })).body.accepted, 50);
  const year = await forecast({ from: DAY, to: DAY + 365 * 24 * HOUR, buckets: 365 });
  assert.equal(year.countedUntil, DAY, "not even the first day");
  const minutes = await forecast({ from: DAY, to: DAY + HOUR, buckets: 60 });
  assert.equal(minutes.countedUntil, DAY + HOUR);
  assert.ok(counts(minutes, "recurring").every((count) => count >= 50 * 60));
  const hours = await forecast({ from: DAY, to: DAY + 48 * HOUR, buckets: 48 });
  assert.ok(hours.countedUntil > DAY && hours.countedUntil < DAY + 48 * HOUR, `${(hours.countedUntil - DAY) / HOUR} hours`);
  const complete = hours.buckets.filter(({ at }) => at < hours.countedUntil);
  assert.ok(complete.every(({ recurring }) => recurring >= 50 * 3_600));
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "often-" } } });
});

test("what cannot be counted is refused with the parameter and its limit", async () => {
  for (const [query, field, text] of [
    [`from=${DAY}&to=${DAY}`, "to", "not after from"],
    [`from=${DAY}&to=${DAY - 1}`, "to", "not after from"],
    [`from=${DAY}&to=${DAY + 367 * 24 * HOUR}`, "to", "366 days"],
    ["buckets=1001", "buckets", "1 to 1000"],
    ["buckets=none", "buckets", "1 to 1000"],
    ["from=tomorrow", "from", "RFC 3339"],
    ["limit=1", "limit", "from, to, buckets"],
  ]) {
    const { status, body } = await scheduler.call(`/v1/forecast?${query}`);
    assert.deepEqual([status, body.type, body.field], [422, "/problems/invalid", field], query);
    assert.ok(body.detail.includes(text), body.detail);
  }
});

test("a shard of an earlier version is missing in the counts, and named as such", async (t) => {
  const call = await startWithOldShard(t, ["/forecast"]);
  const tasks = Array.from({ length: 90 }, (_, n) => ({ id: `once-${n}`, time: DAY + n, callback: LOG }));
  assert.equal((await call("/v1/tasks/batch", tasks)).status, 200);
  const { shards } = (await call("/v1/stats")).body;
  const { status, body } = await call(`/v1/forecast?from=${DAY}&to=${DAY + HOUR}&buckets=1`);
  assert.deepEqual([status, body.missingShards, body.countedUntil], [200, 1, DAY]);
  const known = shards.filter(({ shard }) => shard !== OLD).map(({ pending }) => pending);
  assert.ok(known.length === 2 && sum(known) < 90);
  assert.equal(body.buckets[0].oneShot, sum(known));
});
