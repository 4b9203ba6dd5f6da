// Tests eight shards in one isolate that have reached their memory bound. Creates are refused, and
// everything else continues.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";

const MEGABYTES = 3;
/** A task takes at least 39 bytes. Each of the eight shards counts only after 4,096 more tasks, and the last request adds some. */
const MOST_TASKS = (MEGABYTES * 1_000_000) / 39 + 8 * 4_096 + 4_000;

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "8", vars: { ISOLATE_MEMORY_MB: String(MEGABYTES) } });
});
after(async () => {
  await scheduler?.dispose();
});

const callback = { type: "handler", name: "noop" };

test("shards of a full isolate refuse creates, but answer and fire, and accept creates again once there is room", async (t) => {
  const soon = await scheduler.call("/v1/tasks", { body: { id: "soon", delayInSeconds: 5, callback } });
  assert.equal(soon.status, 201);
  assert.equal((await scheduler.call("/v1/tasks/stays", { method: "PUT", body: { type: "no-schedule", callback } })).status, 201);
  const once = () => scheduler.call("/v1/tasks/once", { method: "PUT", body: { id: "once", delayInSeconds: 7_200, callback }, headers: { "idempotency-key": "once" } });
  assert.equal((await once()).status, 201);
  let taken = 0;
  let refused;
  for (let batch = 0; !refused; batch += 1) {
    const items = Array.from({ length: 4_000 }, (_, n) => ({ id: `t-${batch}-${n}`, delayInSeconds: 86_400, callback, tags: ["many"] }));
    const answer = await scheduler.call("/v1/tasks/batch", { body: items });
    if (answer.status === 200) taken += answer.body.accepted;
    else refused = answer;
    assert.ok(taken <= MOST_TASKS, `${taken} tasks were taken`);
  }
  t.diagnostic(`${taken} tasks in ${MEGABYTES} MB`);
  assert.ok(taken > 10_000, `${taken} tasks were taken`);
  assert.deepEqual([refused.status, refused.body.type], [507, "/problems/shard-full"]);
  assert.match(refused.body.detail, /ISOLATE_MEMORY_MB/);
  const again = await scheduler.fetch("/v1/tasks", { body: { delayInSeconds: 60, callback } });
  assert.deepEqual([again.status, again.headers.get("retry-after")], [507, "60"]);

  assert.equal((await scheduler.call("/v1/tasks/t-0-7")).body.status, "scheduled");
  assert.equal((await scheduler.call("/v1/tasks?tag=many&limit=3")).body.tasks.length, 3);
  await until("the due task to fire", async () => (await scheduler.call("/v1/tasks/soon")).status === 404);

  // Requests that add nothing succeed. A run in addition to a task does not.
  const changed = { id: "t-0-7", delayInSeconds: 7_200, callback };
  assert.equal((await scheduler.call("/v1/tasks/t-0-7", { method: "PUT", body: changed })).status, 200);
  assert.equal((await scheduler.call("/v1/tasks/t-0-7", { method: "PATCH", body: { description: "d" } })).status, 200);
  assert.equal((await scheduler.call("/v1/tasks/stays/run", { method: "POST" })).status, 507);
  assert.equal((await once()).status, 201);

  const cancelled = await scheduler.call("/v1/tasks/cancel", { body: { filter: { tag: "many" } } });
  assert.equal(cancelled.status, 200);
  await until("room", async () => (await scheduler.call("/v1/tasks", { body: { delayInSeconds: 60, callback } })).status === 201);
});

/** Returns the rest of a batch of `bytes` bytes with one task, after its opening bracket. */
const restOfBatch = (bytes) => `${JSON.stringify({ id: "one", type: "no-schedule", callback })}]`.padStart(bytes - 1);

/** Begins to send a batch, whose body takes memory until `finish`. */
function begun(bytes, headers) {
  const url = new URL("/v1/tasks/batch", scheduler.url);
  const sender = request(url, { method: "POST", headers: { authorization: `Bearer ${scheduler.key}`, "content-length": bytes, ...headers } });
  const of = { status: undefined, finish: () => sender.end(restOfBatch(bytes)) };
  of.answered = new Promise((resolve) => {
    sender.on("response", (response) => response.resume().on("end", () => resolve((of.status = response.statusCode))));
    sender.on("error", (error) => resolve((of.status = error.code)));
  });
  sender.write("[");
  return of;
}

test("large bodies share their memory, and small ones are accepted", async () => {
  // Large bodies have 6 MB, and each takes five times its length.
  const batch = (bytes, namespace) => scheduler.call("/v1/tasks/batch", { body: `[${restOfBatch(bytes)}`, headers: { "scheduler-namespace": namespace } });
  for (const name of ["import", "other"]) assert.ok((await scheduler.call(`/v1/namespaces/${name}`, { method: "PUT", body: {} })).status < 300);
  let held;
  const crowded = await until("the body to be held", async () => {
    // If the other body was first, this one has been refused.
    if (!held || held.status === 429) held = begun(700_000, { "scheduler-namespace": "import" });
    const answer = await batch(300_000, "import");
    return answer.status === 429 && answer;
  });
  assert.equal(crowded.body.type, "/problems/overloaded");
  assert.notEqual((await batch(300_000, "other")).status, 429);
  assert.equal((await batch(500_000, "other")).status, 429);
  const small = { body: { delayInSeconds: 60, callback }, headers: { "scheduler-namespace": "import" } };
  assert.equal((await scheduler.call("/v1/tasks", small)).status, 201);
  held.finish();
  assert.equal(await held.answered, 200);
  assert.equal((await batch(300_000, "import")).status, 200);
});

test("a stalled body is refused, and the memory of slow bodies is bounded", async () => {
  const idle = begun(262_144, { "scheduler-namespace": "other" });
  const many = Array.from({ length: 120 }, () => begun(262_144, { "scheduler-namespace": "import" }));
  // 16 MB are room for 64 of them, and a namespace may use four fifths.
  await until("some to be refused", () => many.filter((of) => of.status === 429).length >= 120 - 52);
  const small = { body: { delayInSeconds: 60, callback }, headers: { "scheduler-namespace": "other" } };
  assert.equal((await scheduler.call("/v1/tasks", small)).status, 201);
  await Promise.all([...many, idle].map((of) => of.answered));
  assert.equal(idle.status, 408);
  assert.ok(many.every((of) => of.status === 408 || of.status === 429), JSON.stringify(many.map((of) => of.status)));
});

test("a batch may be 8 MiB long, and longer only if the deployment says so", async (t) => {
  const MIB = 1_048_576;
  for (const [setting, most] of [["8", 8], ["16", 16], ["17", 8]]) {
    const other = await Scheduler.start({ shards: "1", vars: { MAX_BODY_MIB: setting } });
    t.after(() => other.dispose());
    const batch = (bytes) => other.call("/v1/tasks/batch", { body: `[${restOfBatch(bytes)}` });
    assert.equal((await batch(most * MIB)).status, 200, setting);
    const refused = await batch(most * MIB + 1);
    assert.deepEqual([refused.status, refused.body.type], [413, "/problems/too-large"], setting);
    assert.ok(refused.body.detail.includes(`${most * MIB} bytes`), refused.body.detail);
    await other.dispose();
  }
});
