// Statistics over time, on the real local runtime: they agree with the counters, survive a restart, and say what is missing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { OLD, startWithOldShard } from "./old-shard.mjs";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "2,3", vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.2" } });
});
after(() => scheduler?.dispose());

const NOOP = { type: "handler", name: "noop" };
/** Nothing listens there. */
const NOWHERE = { type: "webhook", url: "http://127.0.0.2:9/x" };
const MINUTE = 60_000;
const LENGTHS = [["minute", MINUTE, 120], ["hour", 60 * MINUTE, 168]];

async function series(by, options) {
  const { status, body } = await scheduler.call(`/v1/stats/series?by=${by}`, options);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const sum = (buckets, name) => buckets.reduce((total, bucket) => total + bucket[name], 0);
const COUNTS = ["created", "fired", "succeeded", "handedOver", "failed"];

/** Waits until the buckets add up to what the shards have counted since they were made. */
const agrees = (by) =>
  until(`${by}s that add up to the counters`, async () => {
    const { buckets } = await series(by);
    const { body: stats } = await scheduler.call("/v1/stats");
    for (const name of COUNTS) assert.equal(sum(buckets, name), stats[name], name);
    assert.equal(sum(buckets, "queueOperations"), stats.meter.queueOperations);
    // The rows of a commit after which nothing was stored yet may be missing.
    assert.ok(sum(buckets, "rowsWritten") <= stats.meter.rowsWritten && sum(buckets, "rowsWritten") >= stats.meter.rowsWritten / 2);
    return true;
  });

test("what happens is in the last buckets, and all buckets add up to the counters", async () => {
  const began = Date.now();
  const tasks = [
    ...Array.from({ length: 40 }, (_, n) => ({ id: `good-${n}`, delayInSeconds: 0, callback: NOOP })),
    ...Array.from({ length: 5 }, (_, n) => ({ id: `bad-${n}`, delayInSeconds: 0, callback: NOWHERE, retry: { maxAttempts: 1 } })),
    ...Array.from({ length: 7 }, (_, n) => ({ id: `own-${n}`, delayInSeconds: 0, callback: { type: "queue", queue: "FIRED_TASKS" } })),
  ];
  assert.equal((await scheduler.call("/v1/tasks/batch", { body: tasks })).body.accepted, 52);
  await until("all to have ended", async () => {
    const { succeeded, failed, handedOver } = (await scheduler.call("/v1/stats")).body;
    return succeeded === 40 && failed === 5 && handedOver === 7;
  });
  for (const [by, millis, count] of LENGTHS) {
    await agrees(by);
    const { from, to, bucketMillis, since, missingShards, buckets } = await series(by);
    assert.deepEqual([bucketMillis, buckets.length, since, missingShards], [millis, count, undefined, undefined]);
    assert.ok(to >= began && to <= Date.now() + 1_000);
    assert.deepEqual(buckets.map(({ at }) => at), Array.from({ length: count }, (_, n) => from + n * millis));
    assert.equal(buckets.at(-1).at, Math.floor(to / millis) * millis);
    for (const bucket of buckets) {
      assert.equal(bucket.latenessMillis !== undefined, bucket.fired > 0);
      if (bucket.at + millis <= began) assert.deepEqual(COUNTS.map((name) => bucket[name]), [0, 0, 0, 0, 0]);
    }
    const late = buckets.findLast(({ fired }) => fired > 0).latenessMillis;
    assert.ok(late.p50 <= late.p99, JSON.stringify(late));
  }
});

test("a kill loses no count that was stored, and the counts go on", async () => {
  await scheduler.kill();
  await scheduler.restart();
  // What has fired was stored by the firing.
  for (const [by] of LENGTHS) {
    await agrees(by);
    assert.equal(sum((await series(by)).buckets, "fired"), 52);
  }
  await scheduler.call("/v1/tasks/batch", { body: Array.from({ length: 8 }, (_, n) => ({ id: `more-${n}`, delayInSeconds: 0, callback: NOOP })) });
  for (const [by] of LENGTHS) {
    await until("the others to have fired", async () => sum((await series(by)).buckets, "fired") === 60);
    await agrees(by);
  }
});

test("each namespace has its own series", async () => {
  await scheduler.call("/v1/namespaces/other", { method: "PUT" });
  const { buckets } = await series("minute", { headers: { "scheduler-namespace": "other" } });
  assert.equal(sum(buckets, "created"), 0);
});

test("what is not a length of a bucket is refused", async () => {
  for (const [query, field] of [["by=day", "by"], ["by=", "by"], ["by=minute&by=hour", "by"], ["from=1", "from"]]) {
    const { status, body } = await scheduler.call(`/v1/stats/series?${query}`);
    assert.deepEqual([status, body.type, body.field], [422, "/problems/invalid", field], query);
  }
});

test("a shard of an earlier version is missing in the counts, and named as such", async (t) => {
  const call = await startWithOldShard(t, ["/series"]);
  const tasks = Array.from({ length: 90 }, (_, n) => ({ id: `once-${n}`, delayInSeconds: 9_000, callback: NOOP }));
  assert.equal((await call("/v1/tasks/batch", tasks)).status, 200);
  const { shards } = (await call("/v1/stats")).body;
  const { status, body } = await call("/v1/stats/series");
  assert.deepEqual([status, body.missingShards], [200, 1]);
  const known = shards.filter(({ shard }) => shard !== OLD);
  assert.ok(known.length === 2 && sum(known, "created") < 90);
  assert.equal(sum(body.buckets, "created"), sum(known, "created"));
});
