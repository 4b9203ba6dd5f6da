// Tests dead letters at their own addresses on the real local runtime. They are listed in the order
// of death, and replayed and discarded one by one and many at once, including those of recurring
// tasks, of follow-ups, and of an older epoch of the shard map.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

/** The options of the scheduler. A test changes them before a restart. */
const options = { shards: "4", vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } };
/** The paths that succeed. All others fail permanently. */
const good = new Set();

useScheduler(options, ({ path }) => (good.has(path) ? 200 : 410));

const webhook = (path) => ({ type: "webhook", url: `${sink.url}${path}` });
const at = (letter, rest = "") => `/v1/dead-letters/${encodeURIComponent(letter)}${rest}`;
const received = (path) => sink.webhooks.filter((request) => request.path === path);

async function call(path, options) {
  const { status, body } = await scheduler.call(path, options);
  assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
  return body;
}

async function create(task) {
  const { status, body } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 0, ...task } });
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
}

const letters = async (query = "") => (await call(`/v1/dead-letters${query}`)).deadLetters;
/** Returns the dead letters once there are `count`. */
const known = (query, count) =>
  until(`${count} dead letters`, async () => {
    const all = await letters(query);
    return all.length === count && all;
  });

/** Lets tasks with a tag die one after the other. Returns their dead letters, newest first. */
async function die(tag, ids) {
  for (const [index, id] of ids.entries()) {
    await create({ id, tags: [tag], callback: webhook("/gone"), retry: { maxAttempts: 1 }, payload: { n: index } });
    await known(`?tag=${tag}`, index + 1);
  }
  return letters(`?tag=${tag}`);
}

async function refused(path, options, expected) {
  const { status, body } = await scheduler.call(path, options);
  assert.equal(status, expected, JSON.stringify(body));
  return body;
}

test("dead letters are listed by time of death, newest first, in pages and between times", async () => {
  const ids = ["z", "a/b c", "m", "ä", "b"];
  const all = await die("order", ids);
  assert.deepEqual(all.map(({ id }) => id), ids.toReversed());
  assert.ok(all.every(({ status, due, failedAt }) => status.startsWith("dead") && due === undefined && failedAt > 0));
  const paged = [];
  let cursor;
  do {
    const page = await call(`/v1/dead-letters?tag=order&limit=2${cursor ? `&cursor=${cursor}` : ""}`);
    paged.push(...page.deadLetters);
    cursor = page.cursor;
  } while (cursor !== null);
  assert.deepEqual(paged, all);
  const [, second, third] = all;
  const between = `from=${third.failedAt}&to=${second.failedAt}`;
  assert.deepEqual(await letters(`?tag=order&${between}`), [third]);
  // They are also in the list of all tasks, which does not show the time of death.
  const status = all[0].status;
  assert.deepEqual((await call(`/v1/tasks?status=${status}&tag=order&${between}`)).tasks, [third]);
  for (const letter of all) assert.deepEqual(await call(at(letter.deadLetterId)), letter);
  assert.equal((await refused("/v1/dead-letters?status=paused", {}, 422)).field, "status");
});

test("a dead letter is replayed unchanged or with another callback and payload, and is a new one if it fails again", async () => {
  const [{ deadLetterId, time }] = await die("replayed", ["replayed"]);
  const run = await call(at(deadLetterId, "/replay"), { method: "POST" });
  assert.deepEqual([run.id, run.time, run.status, run.error], ["replayed", time, "retrying", undefined]);
  assert.equal((await refused(at(deadLetterId, "/replay"), { method: "POST" }, 404)).type, "/problems/no-dead-letter");
  const [again] = await until("it to fail again", async () => {
    const all = await letters("?tag=replayed");
    return all.length === 1 && all;
  });
  assert.notEqual(again.deadLetterId, deadLetterId);
  for (const [body, field] of [
    [{ callback: { url: "http://10.0.0.1/x" } }, "callback.url"],
    [{ callback: { type: "handler", name: "none" } }, "callback.name"],
    [{ callback: { type: "queue", queue: "FIRED_TASKS" } }, "retry"],
    [{ callback: null }, "callback"],
    [{ payload: "x".repeat(70_000) }, "payload"],
    [{ cron: "@daily" }, "cron"],
  ]) {
    assert.equal((await refused(at(again.deadLetterId, "/replay"), { body }, 422)).field, field);
  }
  good.add("/fixed");
  const changed = await call(at(again.deadLetterId, "/replay"), { body: { callback: { url: webhook("/fixed").url }, payload: { m: 2 } } });
  assert.deepEqual([changed.payload, changed.callback.url], [{ n: 0, m: 2 }, webhook("/fixed").url]);
  const [request] = await until("the call", async () => received("/fixed").length > 0 && received("/fixed"));
  assert.deepEqual(request.body.payload, { n: 0, m: 2 });
  assert.equal(request.body.time, time);
  assert.deepEqual(await letters("?tag=replayed"), []);
});

test("dead letters of a recurring task are replayed and discarded without a change of its schedule, as explain says", async () => {
  await create({ id: "each second", delayInSeconds: undefined, everySeconds: 1, tags: ["recurring"], callback: webhook("/gone") });
  await until("three of them", async () => (await letters("?tag=recurring")).length >= 3);
  await call("/v1/tasks/each%20second/pause", { method: "POST" });
  await until("rest", async () => (await call("/v1/stats")).inFlight === 0);
  const all = await letters("?tag=recurring");
  const task = await call("/v1/tasks/each%20second");
  const { reasons } = await call("/v1/tasks/each%20second/explain");
  const paths = reasons.map(({ detail }) => /POST (\S+)\/replay, or discard it with DELETE (\S+)\.$/.exec(detail)).filter(Boolean);
  assert.equal(paths[0][1], paths[0][2]);
  assert.equal(paths[0][1], at(all[0].deadLetterId));
  assert.deepEqual(await call(paths[0][2], { method: "DELETE" }), { id: all[0].deadLetterId, deleted: true });
  await refused(paths[0][2], { method: "DELETE" }, 404);
  await call(`${paths[1][1]}/replay`, { method: "POST" });
  await until("it to fail again", async () => (await letters("?tag=recurring"))[0]?.time === all[1].time);
  assert.deepEqual(await call("/v1/tasks/each%20second"), task);
  await call("/v1/tasks/each%20second", { method: "DELETE" });
  assert.equal((await letters("?tag=recurring")).length, all.length - 1, "the dead letters stay");
  await call("/v1/dead-letters/discard", { body: { filter: { tag: "recurring" } } });
  assert.deepEqual(await letters("?tag=recurring"), []);
});

test("requested runs and follow-ups differ", async () => {
  await create({ id: "asked", delayInSeconds: undefined, type: "no-schedule", tags: ["kinds"], callback: webhook("/gone"), onFailure: webhook("/gone-too") });
  await Promise.all([1, 2].map((n) => call("/v1/tasks/asked/run", { body: { payload: { n } } })));
  const all = await known("?tag=kinds", 4);
  assert.equal(new Set(all.map(({ deadLetterId }) => deadLetterId)).size, 4);
  assert.deepEqual(all.map(({ deadLetterId }) => /-\d+([rsf])-asked$/.exec(deadLetterId)[1]).sort(), ["f", "f", "r", "r"]);
  assert.deepEqual(all.map(({ payload }) => payload.n).sort(), [1, 1, 2, 2]);
  assert.equal((await call("/v1/tasks/asked")).payload, undefined, "the task keeps its own payload");
  const ids = all.map(({ deadLetterId }) => deadLetterId);
  const gone = ["1-2r-asked", "nonsense"];
  assert.deepEqual(await call("/v1/dead-letters/discard", { body: { ids: [gone[0], ...ids.slice(0, 2), gone[1], ids[0]] } }), { discarded: 2, notFound: gone, done: true });
  assert.deepEqual((await letters("?tag=kinds")).map(({ deadLetterId }) => deadLetterId), ids.slice(2));
  assert.deepEqual(await call("/v1/dead-letters/discard", { body: { ids: ids.slice(2) } }), { discarded: 2, notFound: [], done: true });
});

test("many are replayed and discarded by filter and by time, and all only with `all`", async () => {
  const all = await die("many", ["one", "two", "three"]);
  good.add("/gone");
  // A dead letter that died before the times of the filter is kept.
  const body = { filter: { tag: "many", from: new Date(all[1].failedAt).toISOString() } };
  assert.deepEqual(await call("/v1/dead-letters/replay", { body }), { replayed: 2, done: true });
  await until("the runs", async () => (await call("/v1/stats")).inFlight === 0 && received("/gone").filter(({ body }) => body.tags?.includes("many")).length === 5);
  assert.deepEqual(await letters("?tag=many"), [all[2]]);
  good.delete("/gone");
  for (const [body, field] of [
    [{}, "body"],
    [{ filter: {} }, "filter"],
    [{ ids: [""] }, "ids[0]"],
    [{ ids: [], all: true }, "body"],
    [{ all: false }, "all"],
  ]) {
    assert.equal((await refused("/v1/dead-letters/discard", { body }, 422)).field, field, JSON.stringify(body));
  }
  const { length } = await letters("?limit=1000");
  assert.deepEqual(await call("/v1/dead-letters/discard", { body: { filter: { all: true } } }), { discarded: length, done: true });
  assert.deepEqual(await call("/v1/dead-letters/discard", { body: { all: true } }), { discarded: 0, done: true });
  assert.deepEqual(await letters(), []);
});

test("a run may have a payload of its own", async () => {
  good.add("/paid");
  const later = { delayInSeconds: 3600, callback: webhook("/paid"), payload: { own: true } };
  await create({ ...later, id: "once" });
  await create({ ...later, id: "daily", delayInSeconds: undefined, cron: "@daily" });
  for (const id of ["once", "daily"]) {
    assert.equal((await refused(`/v1/tasks/${id}/run`, { body: { payload: "x".repeat(70_000) } }, 422)).field, "payload");
    await call(`/v1/tasks/${id}/run`, { body: { payload: { run: id } } });
    await until("the run", async () => received("/paid").some(({ body }) => body.payload.run === id));
  }
  assert.deepEqual((await call("/v1/tasks/daily")).payload, { own: true });
  await call("/v1/tasks/daily/run", { method: "POST" });
  await until("the run", async () => received("/paid").some(({ body }) => body.payload.own));
});

test("dead letters survive a crash, and are found after a change of the shard map", async () => {
  const all = await die("epochs", ["e-1", "e-2", "e-3"]);
  await scheduler.kill();
  options.shards = "4,3";
  await scheduler.restart();
  assert.deepEqual(await letters("?tag=epochs"), all);
  await die("epochs-new", ["e-4"]);
  const [first, second, third] = all.map(({ deadLetterId }) => deadLetterId);
  assert.deepEqual(await call(at(first)), all[0]);
  await call(at(first, "/replay"), { method: "POST" });
  await call(at(second), { method: "DELETE" });
  assert.deepEqual(await call("/v1/dead-letters/discard", { body: { ids: [second, third] } }), { discarded: 1, notFound: [second], done: true });
  await until("the first to fail again", async () => (await letters("?tag=epochs")).length === 1);
});
