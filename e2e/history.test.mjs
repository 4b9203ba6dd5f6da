// Tests the history of attempts on the real local runtime: what is kept, what is shown, and that it
// survives the task, a crash, and a change of the shard map.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

/** The options of the scheduler. A test changes them before a restart. */
const options = { shards: "4", vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } };
/** The sink's answers, by path. */
const answers = new Map();

useScheduler(options, ({ path }) => answers.get(path)?.());

const at = (id, rest = "") => `/v1/tasks/${encodeURIComponent(id)}${rest}`;
const webhook = (path) => ({ type: "webhook", url: `${sink.url}${path}` });

async function create(task) {
  const { status, body } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 0, ...task } });
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
}

async function runs(id, query = "") {
  const { status, body } = await scheduler.call(at(id, `/runs${query}`));
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Returns the runs once there are `count`. */
const known = (id, count) =>
  until(`${count} runs of ${id}`, async () => {
    const { runs: all } = await runs(id);
    assert.ok(all.length <= count, `${all.length} runs of ${id}`);
    return all.length === count && all;
  });

/** Checks what is true of every run. */
function inOrder(run) {
  assert.ok(run.time <= run.firedAt && run.firedAt <= run.startedAt, JSON.stringify(run));
  assert.ok(run.startedAt <= run.finishedAt && run.finishedAt <= run.reportedAt, JSON.stringify(run));
}

test("a webhook's attempts are kept after the task is gone: failures with status and excerpt, newest first", async () => {
  let left = 2;
  answers.set("/moody", () => (left-- > 0 ? { status: 503, body: `no\n${"x".repeat(400)}` } : 204));
  const { due } = await create({ id: "a b/c", retry: { minBackoffSeconds: 0.1, jitter: 0 }, callback: webhook("/moody") });
  const all = await known("a b/c", 3);
  assert.deepEqual(all.map((run) => [run.attempt, run.outcome, run.status]), [[3, "succeeded", 204], [2, "failed", 503], [1, "failed", 503]]);
  for (const run of all) {
    inOrder(run);
    assert.equal(run.time, due);
  }
  assert.match(all[1].error, /^HTTP 503 from .*\/moody: no xxx/);
  assert.match(all[1].excerpt, /^no x{200,}/);
  assert.ok(all[1].excerpt.length <= 256);
  assert.ok(!("error" in all[0]) && !("excerpt" in all[0]));
  const gone = await scheduler.call(at("a b/c"));
  assert.equal(gone.status, 404);
  assert.ok(gone.body.detail.includes("/v1/tasks/a%20b%2Fc/runs"), gone.body.detail);
  assert.deepEqual(await runs("never"), { runs: [], cursor: null });
});

test("the history shows handlers, queues and dead letters", async () => {
  answers.set("/gone", () => 410);
  await create({ id: "noop", callback: { type: "handler", name: "noop" } });
  await create({ id: "queued", callback: { type: "queue", queue: "FIRED_TASKS" } });
  await create({ id: "dead", callback: webhook("/gone") });
  const [noop] = await known("noop", 1);
  assert.equal(noop.outcome, "succeeded");
  inOrder(noop);
  const [queued] = await known("queued", 1);
  assert.deepEqual([queued.outcome, "startedAt" in queued], ["handed-over", false]);
  const [dead] = await known("dead", 1);
  assert.deepEqual([dead.outcome, dead.status, dead.attempt], ["dead-lettered", 410, 1]);
  // A replay is a run of its own.
  answers.set("/gone", () => 200);
  assert.equal((await scheduler.call(at("dead", "/run"), { method: "POST" })).status, 200);
  const [again, before] = await known("dead", 2);
  assert.deepEqual([again.outcome, again.attempt, before.outcome], ["succeeded", 1, "dead-lettered"]);
});

test("pages have neither a gap nor a repeat, and an invalid parameter is named", async () => {
  await create({ id: "often", delayInSeconds: undefined, cron: "* * * * * *", callback: { type: "handler", name: "noop" } });
  await until("five runs", async () => (await runs("often")).runs.length >= 5);
  await scheduler.call(at("often"), { method: "DELETE" });
  const all = await until("the last to be reported", async () => {
    const [before, after] = [await runs("often"), await runs("often")];
    return (await scheduler.call("/v1/stats")).body.inFlight === 0 && before.runs.length === after.runs.length && after.runs;
  });
  assert.equal(all[0].outcome, "cancelled");
  const times = all.slice(1).map((run) => run.time);
  assert.equal(new Set(times).size, times.length);
  assert.deepEqual(times, times.toSorted((a, b) => b - a));
  const paged = [];
  let cursor;
  do {
    const page = await runs("often", `?limit=2${cursor ? `&cursor=${cursor}` : ""}`);
    assert.ok(page.runs.length <= 2);
    paged.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== null);
  assert.deepEqual(paged, all);
  for (const [query, field] of [["limit=0", "limit"], ["cursor=x", "cursor"], ["tag=x", "tag"]]) {
    const { status, body } = await scheduler.call(at("often", `/runs?${query}`));
    assert.deepEqual([status, body.field], [422, field]);
  }
});

test("reported attempts survive a crash, and are shown together with those of a new epoch", async () => {
  const before = (await known("a b/c", 3))[0];
  await scheduler.kill();
  options.shards = "4,8";
  await scheduler.restart();
  assert.deepEqual((await known("a b/c", 3))[0], before);
  await create({ id: "a b/c", callback: { type: "handler", name: "noop" } });
  const all = await known("a b/c", 4);
  assert.deepEqual(all.map((run) => run.outcome), ["succeeded", "succeeded", "failed", "failed"]);
  const first = await runs("a b/c", "?limit=1");
  const second = await runs("a b/c", `?limit=2&cursor=${first.cursor}`);
  assert.deepEqual([...first.runs, ...second.runs], all.slice(0, 3));
});

test("HISTORY sets what is kept", async () => {
  answers.set("/bad", () => 500);
  answers.set("/good", () => 200);
  for (const [keep, expected] of [["failures", ["dead-lettered"]], ["off", []]]) {
    await scheduler.stop();
    options.vars = { ...options.vars, HISTORY: keep };
    await scheduler.restart();
    const { succeeded, handedOver, deadLettered } = (await scheduler.call("/v1/stats")).body;
    await create({ id: `good-${keep}`, callback: webhook("/good") });
    await create({ id: `queued-${keep}`, callback: { type: "queue", queue: "FIRED_TASKS" } });
    await create({ id: `bad-${keep}`, retry: { maxAttempts: 1 }, callback: webhook("/bad") });
    await until("all to be reported", async () => {
      const { body } = await scheduler.call("/v1/stats");
      return body.succeeded === succeeded + 1 && body.handedOver === handedOver + 1 && body.deadLettered === deadLettered + 1;
    });
    for (const id of [`good-${keep}`, `queued-${keep}`]) assert.deepEqual((await runs(id)).runs, [], id);
    assert.deepEqual((await runs(`bad-${keep}`)).runs.map((run) => run.outcome), expected);
    // Attempts that were kept before are still there.
    assert.equal((await runs("a b/c")).runs.length, 4);
  }
});
