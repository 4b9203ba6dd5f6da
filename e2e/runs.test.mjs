// Tests the runs of all tasks on the real local runtime: in order over all shards and epochs,
// filtered, and in groups of like failures.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

const options = { shards: "4", vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1,127.0.0.2" } };
/** The sink's answers, by the prefix of the path. */
const answers = new Map([["/ok", () => 204]]);

useScheduler(options, ({ path }) => answers.get(`/${path.split("/")[1]}`)?.(path) ?? 404);

const webhook = (path) => ({ type: "webhook", url: `${sink.url}${path}` });
/** A webhook to an address where nothing listens. */
const NOWHERE = { type: "webhook", url: "http://127.0.0.2:9/x" };
const ONCE = { maxAttempts: 1 };

async function create(tasks) {
  const items = tasks.map((task) => ({
    ...(task.time === undefined && { delayInSeconds: 0 }),
    ...(task.callback.type !== "queue" && { retry: ONCE }),
    ...task,
  }));
  const { status, body } = await scheduler.call("/v1/tasks/batch", { body: items });
  assert.deepEqual([status, body.rejected], [200, 0], JSON.stringify(body));
}

async function page(query = {}) {
  const { status, body } = await scheduler.call(`/v1/runs?${new URLSearchParams(query)}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Returns all runs of a query, read page by page. */
async function all(query = {}) {
  const runs = [];
  let cursor;
  do {
    const body = await page({ ...query, ...(cursor ? { cursor } : {}) });
    assert.ok(body.runs.length <= (query.limit ?? 100));
    assert.equal(body.lookedBackTo === undefined, body.cursor === null);
    if (body.lookedBackTo !== undefined) assert.ok(body.runs.every((run) => run.reportedAt >= body.lookedBackTo));
    runs.push(...body.runs);
    cursor = body.cursor;
  } while (cursor !== null);
  return runs;
}

const settled = async (count) =>
  until(`${count} runs`, async () => {
    const runs = await all();
    assert.ok(runs.length <= count, `${runs.length} runs`);
    return runs.length === count && runs;
  });
const ids = (runs) => runs.map((run) => run.id).toSorted();
const isNewestFirst = (runs) => runs.every((run, n) => n === 0 || runs[n - 1].reportedAt >= run.reportedAt);

test("the runs of all tasks are listed newest first over all shards, each once, with any page size", async () => {
  const callback = { type: "handler", name: "noop" };
  await create(Array.from({ length: 30 }, (_, n) => ({ id: `noop/${n}`, callback })));
  await create([{ id: "one", tags: ["mail", "eu"], callback: webhook("/ok") }, { id: "queued", callback: { type: "queue", queue: "FIRED_TASKS" } }]);
  const runs = await settled(32);
  assert.ok(isNewestFirst(runs));
  assert.equal(new Set(ids(runs)).size, 32);
  for (const limit of [1, 7, 32, 1000]) assert.deepEqual(await all({ limit }), runs, `limit ${limit}`);
  const one = runs.find((run) => run.id === "one");
  const { time, firedAt, startedAt, finishedAt, reportedAt, ...rest } = one;
  assert.deepEqual(rest, { id: "one", attempt: 1, target: "webhook:127.0.0.1", tags: ["mail", "eu"], outcome: "succeeded", status: 204 });
  assert.ok(time <= firedAt && firedAt <= startedAt && startedAt <= finishedAt && finishedAt <= reportedAt);
  assert.equal(runs.find((run) => run.id === "queued").target, "queue:FIRED_TASKS");
});

test("a filter selects by outcome, target, host, tag, id, time and error", async () => {
  answers.set("/bad", (path) => ({ status: 503, body: `Busy, try ${path.length} later` }));
  answers.set("/worse", () => ({ status: 500, body: "Überlast" }));
  await create([
    { id: "bad/1", tags: ["mail"], callback: webhook("/bad") },
    { id: "bad/2", tags: ["mail", "eu"], callback: webhook("/bad/er") },
    { id: "worse", callback: webhook("/worse") },
    { id: "nowhere", callback: NOWHERE },
    { id: "late", time: Date.now() - 600_000, expireAfterSeconds: 5, callback: webhook("/ok") },
  ]);
  const runs = await settled(37);
  for (const [query, expected] of [
    [{ outcome: "dead-lettered" }, ["bad/1", "bad/2", "nowhere", "worse"]],
    [{ outcome: "dead-lettered,expired" }, ["bad/1", "bad/2", "late", "nowhere", "worse"]],
    [{ target: "queue" }, ["queued"]],
    [{ target: "webhook:127.0.0.2" }, ["nowhere"]],
    [{ callbackHost: "127.0.0.2" }, ["nowhere"]],
    [{ tag: "mail" }, ["bad/1", "bad/2", "one"]],
    [{ tag: "mail", prefix: "bad/" }, ["bad/1", "bad/2"]],
    [{ error: "http 503" }, ["bad/1", "bad/2"]],
    [{ error: "üBERLAST" }, ["worse"]],
    [{ error: "nobody says so" }, []],
    [{ prefix: "noop/", target: "webhook" }, []],
  ]) {
    for (const limit of [1, 100]) assert.deepEqual(ids(await all({ ...query, limit })), expected, JSON.stringify(query));
  }
  const late = runs.find((run) => run.id === "late");
  assert.deepEqual([late.outcome, "firedAt" in late, "startedAt" in late], ["expired", false, false]);
  const middle = runs[10].reportedAt;
  assert.deepEqual(await all({ from: middle }), runs.filter((run) => run.reportedAt >= middle));
  assert.deepEqual(await all({ to: new Date(middle).toISOString() }), runs.filter((run) => run.reportedAt < middle));
});

test("like failures are one group, sorted by time or by count", async () => {
  // The failures so far differ in more than numbers.
  assert.deepEqual((await page({ group: "error" })).groups.map((group) => group.count), [1, 1, 1, 1, 1]);
  await create(Array.from({ length: 6 }, (_, n) => ({ id: `like/${n}`, callback: webhook(`/bad/${n}${"0".repeat(n)}`) })));
  await settled(43);
  const body = await page({ group: "error", order: "count" });
  const [like, ...others] = body.groups;
  assert.deepEqual([like.count, body.attempts, body.cursor, "runs" in body], [6, 43, null, false]);
  assert.match(like.error, /^HTTP 503 from http:\/\/<n>:<n>\/bad\/<n>: Busy, try <n> later$/);
  assert.deepEqual(others.map((group) => group.count), [1, 1, 1, 1, 1]);
  assert.ok(like.firstAt <= like.lastAt);
  assert.equal(like.example.reportedAt, like.lastAt);
  assert.match(like.example.id, /^like\//);
  const newest = (await page({ group: "error" })).groups;
  assert.ok(newest.every((group, n) => n === 0 || newest[n - 1].lastAt >= group.lastAt));
  // The filter applies before the grouping, and a small page leaves the rest to the next one.
  let [counted, attempts, cursor] = [0, 0, undefined];
  do {
    const part = await page({ group: "error", prefix: "like/", limit: 1, ...(cursor ? { cursor } : {}) });
    counted += part.groups.reduce((sum, group) => sum + group.count, 0);
    attempts += part.attempts;
    cursor = part.cursor;
  } while (cursor !== null);
  assert.deepEqual([counted, attempts], [6, 43]);
});

test("an invalid parameter is named", async () => {
  for (const [query, field] of [
    ["limit=0", "limit"],
    ["cursor=00", "cursor"],
    ["outcome=gone", "outcome"],
    ["target=mail", "target"],
    ["target=webhook&callbackHost=a.example", "callbackHost"],
    ["prefix=", "prefix"],
    ["order=count", "order"],
    ["group=id", "group"],
    ["from=tomorrow", "from"],
    ["id=x", "id"],
  ]) {
    const { status, body } = await scheduler.call(`/v1/runs?${query}`);
    assert.deepEqual([status, body.field], [422, field], query);
  }
});

test("runs survive a kill and a new epoch, which needs a new cursor", async () => {
  const before = await all();
  const { cursor } = await page({ limit: 1 });
  await scheduler.kill();
  options.shards = "4,8";
  await scheduler.restart();
  assert.deepEqual(await all(), before);
  const refused = await scheduler.call(`/v1/runs?cursor=${cursor}`);
  assert.deepEqual([refused.status, refused.body.field], [422, "cursor"]);
  await create([{ id: "new", callback: { type: "handler", name: "noop" } }]);
  const [first, ...rest] = await settled(before.length + 1);
  assert.equal(first.id, "new");
  assert.deepEqual(rest, before);
});

test("a namespace lists its own runs", async () => {
  assert.equal((await scheduler.call("/v1/namespaces/other", { method: "PUT", body: {} })).status, 201);
  const { body } = await scheduler.call("/v1/runs", { headers: { "scheduler-namespace": "other" } });
  assert.deepEqual(body, { runs: [], attempts: 0, cursor: null });
});
