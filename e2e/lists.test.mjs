// Lists and searches: bounded pages that say how far they have looked, filters, both orders, dry runs, and notes of pauses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { OLD, startWithOldShard } from "./old-shard.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

useScheduler({ shards: "16" }, ({ path }) => (path === "/fails" ? 500 : 200));

const FAR = Date.parse("2099-01-01T00:00:00Z");
const log = { type: "handler", name: "log" };

const get = async (path) => {
  const { status, body } = await scheduler.call(path);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

const post = (path, body, headers = {}) => scheduler.call(`/v1/${path}`, { method: "POST", body, headers });

async function create(task) {
  const { status, body } = await post("tasks", { callback: log, ...task });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

/** Reads a list to its end, and returns its pages. */
async function pages(query, path = "/v1/tasks") {
  const all = [];
  for (let cursor = ""; ; ) {
    const page = await get(`${path}?${query}${cursor}`);
    all.push(page);
    assert.ok(page.searched.records >= page[path.includes("dead") ? "deadLetters" : "tasks"].length);
    if (page.cursor === null) {
      assert.equal(page.searched.until, undefined, "the whole list was looked at");
      return all;
    }
    cursor = `&cursor=${page.cursor}`;
  }
}

const ids = async (query) => (await pages(query)).flatMap(({ tasks }) => tasks.map(({ id }) => id));

test("a search is answered after a bounded amount of work, and goes on from its cursor", async () => {
  // More than the shards read for one page together.
  const [count, batch] = [3_600, 400];
  for (let first = 0; first < count; first += batch) {
    const tasks = Array.from({ length: batch }, (_, index) => ({ id: `large-${first + index}`, time: FAR + ((first + index) % 97) * 1_000, tags: ["large"], callback: log, payload: "x".repeat(20_000) }));
    assert.equal((await post("tasks/batch", tasks)).body.accepted, batch);
  }
  for (const query of ["text=nowhere", "prefix=nobody", "tag=none"]) {
    const all = await pages(query);
    assert.ok(all.length > 1 && all.length < 30, `${query}: ${all.length} pages`);
    const [first] = all;
    assert.deepEqual([first.tasks, typeof first.cursor], [[], "string"]);
    assert.ok(first.searched.records > 0 && first.searched.records < count, JSON.stringify(first.searched));
    const times = all.flatMap(({ searched: { until } }) => until ?? []);
    assert.ok(times[0] >= FAR && times[0] < FAR + 97_000);
    assert.deepEqual(times, times.toSorted((one, other) => one - other));
    assert.equal(all.flatMap(({ tasks }) => tasks).length, 0);
  }
  // The rest is known by then.
  assert.equal((await pages("text=nowhere")).length, 1);
  assert.deepEqual(await ids("text=LARGE-3599"), ["large-3599"]);
  // A dry run takes as many steps as it needs.
  const { body } = await post("tasks/cancel", { filter: { tag: "large" }, dryRun: true });
  assert.deepEqual([body.count, body.done, body.tasks.length], [count, true, 10]);
  assert.equal((await post("tasks/cancel", { filter: { tag: "large" } })).body.cancelled, count);
});

test("filters by callback, last outcome and pause, and both orders", async () => {
  const tag = "filters";
  const hook = (path) => ({ type: "webhook", url: `${sink.url}${path}` });
  for (const n of [2, 0, 1]) await create({ id: `f-${n}`, tags: [tag], time: FAR + n * 1_000, description: n === 1 ? "Needle" : "hay" });
  await create({ id: "f-hook", tags: [tag], time: FAR + 9_000, callback: hook("/ok") });
  await create({ id: "f-needle", tags: [tag], cron: "0 0 1 1 *" });
  await create({ id: "f-dead", tags: [tag], delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: hook("/fails") });
  await create({ id: "f-again", tags: [tag], delayInSeconds: 0, retry: { minBackoffSeconds: 3_600 }, callback: hook("/fails") });
  await until("both to fail", async () => (await ids(`tag=${tag}&status=retrying`)).length === 1 && (await ids(`tag=${tag}&status=dead-lettered`)).length === 1);
  await post("tasks/f-0/pause", {});
  for (const [query, expected] of [
    ["text=NEEDLE", ["f-1", "f-needle"]],
    ["callbackType=webhook", ["f-again", "f-hook", "f-dead"]],
    ["callbackType=queue", []],
    ["lastOutcome=failed", ["f-again"]],
    ["lastOutcome=dead-lettered", ["f-dead"]],
    ["lastOutcome=none&kind=once", ["f-1", "f-2", "f-hook", "f-0"]],
    ["paused=true", ["f-0"]],
    ["paused=false&kind=once&callbackType=handler", ["f-1", "f-2"]],
    ["order=desc&status=scheduled&kind=once", ["f-hook", "f-2", "f-1"]],
    ["order=asc&status=scheduled&kind=once", ["f-1", "f-2", "f-hook"]],
    ["order=desc&limit=1&kind=once", ["f-0", "f-dead", "f-hook", "f-2", "f-1", "f-again"]],
  ]) {
    const found = await ids(`tag=${tag}&${query}`);
    if (query.startsWith("text")) found.sort();
    assert.deepEqual(found, expected, query);
  }
  const [page] = await pages(`tag=${tag}&order=desc&limit=1&status=scheduled&kind=once`);
  assert.equal(page.searched.until, FAR + 9_000);
  const letters = (await pages(`tag=${tag}&callbackType=webhook&text=DEAD`, "/v1/dead-letters")).flatMap(({ deadLetters }) => deadLetters);
  assert.deepEqual(letters.map(({ id }) => id), ["f-dead"]);
  for (const [path, field] of [["tasks?order=up", "order"], ["tasks?paused=yes", "paused"], ["tasks?lastOutcome=x", "lastOutcome"], ["tasks?callbackType=x", "callbackType"], ["dead-letters?order=asc", "order"], ["dead-letters?paused=true", "paused"]]) {
    const { status, body } = await scheduler.call(`/v1/${path}`);
    assert.deepEqual([status, body.field], [422, field], path);
  }
});

test("a dry run changes nothing, and counts what the request changes", async () => {
  const tag = "dry";
  for (let n = 0; n < 30; n += 1) await create({ id: `dry-${n}`, tags: [tag], time: FAR + n });
  await post("tasks/dry-0/pause", {});
  const filter = { tag };
  const shown = await get(`/v1/tasks?tag=${tag}`);
  for (const [verb, more, count] of [
    ["pause", {}, 29],
    ["resume", {}, 1],
    ["run", {}, 30],
    ["reschedule", { time: FAR + 5 }, 29],
    ["cancel", {}, 30],
  ]) {
    const { status, body } = await post(`tasks/${verb}`, { filter, dryRun: true, ...more });
    const { tasks, ...counted } = body;
    assert.deepEqual([status, counted], [200, { dryRun: true, count, done: true }], verb);
    assert.equal(tasks.length, Math.min(count, 10));
    assert.ok(tasks.every(({ tags }) => tags[0] === tag));
  }
  assert.deepEqual((await post("tasks/pause", { filter, dryRun: true })).body.tasks.map(({ id }) => id), Array.from({ length: 10 }, (_, n) => `dry-${n + 1}`));
  assert.deepEqual(await get(`/v1/tasks?tag=${tag}`), shown, "nothing has changed");
  // And then it does as much.
  assert.equal((await post("tasks/reschedule", { filter, time: FAR + 5, dryRun: false })).body.changed, 29);
  assert.equal((await post("tasks/pause", { filter })).body.changed, 29);
  assert.equal((await post("tasks/cancel", { filter })).body.cancelled, 30);
  for (const [path, body, field] of [
    ["tasks/pause", { ids: ["a"], dryRun: true }, "dryRun"],
    ["tasks/dry-0/pause", { dryRun: true }, "dryRun"],
    ["tasks/cancel", { filter, dryRun: 1 }, "dryRun"],
    ["dead-letters/discard", { ids: ["1-1r-a"], dryRun: true }, "dryRun"],
  ]) {
    const answer = await post(path, body);
    assert.deepEqual([answer.status, answer.body.field], [422, field], JSON.stringify(body));
  }
  assert.equal((await post("dead-letters/replay", { all: true, dryRun: true })).body.count, 1);
  assert.equal((await post("dead-letters/discard", { filter: { prefix: "f-" }, dryRun: true })).body.tasks[0].id, "f-dead");
  assert.equal((await get("/v1/dead-letters")).deadLetters.length, 1);
});

test("a pause says why, by whom and since when, until it ends", async () => {
  const { status: made, body: key } = await post("keys", { name: "ops", scopes: ["read", "write"], namespaces: ["default"] });
  assert.equal(made, 201, JSON.stringify(key));
  const headers = { authorization: `Bearer ${key.key}` };
  const before = Date.now();
  for (const task of [{ id: "noted", time: FAR }, { id: "noted-again", cron: "0 0 1 1 *" }]) {
    await create({ ...task, tags: ["noted"] });
    const { status: answered, body: paused } = await post(`tasks/${task.id}/pause`, { note: "Until Monday: see #42." }, headers);
    assert.equal(answered, 200, JSON.stringify(paused));
    assert.deepEqual([paused.changed, paused.pausedBy, paused.pauseNote], [true, "ops", "Until Monday: see #42."]);
    assert.ok(paused.pausedAt >= before && paused.pausedAt <= Date.now());
    const said = ({ pausedAt, pausedBy, pauseNote }) => ({ pausedAt, pausedBy, pauseNote });
    const read = await get(`/v1/tasks/${task.id}`);
    assert.deepEqual(said(read), said(paused));
    assert.deepEqual(said((await get(`/v1/tasks?prefix=${task.id}`)).tasks[0]), said(paused));
    const explained = await get(`/v1/tasks/${task.id}/explain`);
    assert.deepEqual(said(explained), said(paused));
    assert.match(explained.reasons[0].detail, /by the API key "ops".*Note: Until Monday: see #42\./);
    // A body that an answer showed can be sent again: it keeps the pause and the note.
    const { status } = await scheduler.call(`/v1/tasks/${task.id}`, { method: "PUT", body: { ...read, paused: true } });
    assert.equal(status, 200);
    assert.deepEqual(said(await get(`/v1/tasks/${task.id}`)), said(paused));
    // Another note takes its place; the key of the deployment's secret has no name.
    assert.equal((await post(`tasks/${task.id}/pause`, { note: "Longer." })).body.changed, true);
    const longer = await get(`/v1/tasks/${task.id}`);
    assert.deepEqual([longer.pausedBy, longer.pauseNote], [undefined, "Longer."]);
    const { body: resumed } = await post(`tasks/${task.id}/resume`, {});
    assert.deepEqual(said(resumed), said({}));
  }
  assert.equal((await post("tasks/pause", { filter: { tag: "noted" }, note: "All." }, headers)).body.changed, 2);
  assert.deepEqual((await get("/v1/tasks?paused=true&tag=noted")).tasks.map(({ pauseNote }) => pauseNote), ["All.", "All."]);
  for (const [path, body] of [["tasks/noted/pause", { note: "x".repeat(501) }], ["tasks/noted/pause", { note: "" }], ["tasks/noted/pause", { note: "a\nb" }], ["tasks/noted/resume", { note: "a" }], ["tasks/run", { all: true, note: "a" }]]) {
    const answer = await post(path, body);
    assert.deepEqual([answer.status, answer.body.field], [422, "note"], JSON.stringify(body));
  }
  assert.equal((await post("tasks/cancel", { filter: { tag: "noted" } })).body.cancelled, 2);
});

test("a cursor opens only the list that returned it", async () => {
  const hook = { type: "webhook", url: `${sink.url}/fails` };
  for (let n = 0; n < 3; n++) await create({ id: `own-${n}`, tags: ["own"], time: FAR + n });
  for (let n = 0; n < 2; n++) await create({ id: `own-failed-${n}`, tags: ["own"], delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: hook });
  await until("both to be dead letters", async () => (await get("/v1/dead-letters?tag=own")).deadLetters.length === 2);
  const cursorOf = async (path) => {
    const { cursor } = await get(path);
    assert.equal(typeof cursor, "string", path);
    return cursor;
  };
  const tasks = await cursorOf("/v1/tasks?tag=own&limit=1");
  const letters = await cursorOf("/v1/dead-letters?tag=own&limit=1");
  const runs = await cursorOf("/v1/runs?tag=own&limit=1");
  // The size of a page may change.
  const rest = await get(`/v1/tasks?tag=own&limit=2&cursor=${tasks}`);
  assert.deepEqual(rest.tasks.map(({ id }) => id), ["own-1", "own-2"]);
  for (const [path, cursor, problem] of [
    ["/v1/tasks?tag=own&order=desc", tasks, /tasks with order=asc, and this request lists tasks with order=desc/],
    ["/v1/tasks?tag=other", tasks, /another filter/],
    ["/v1/tasks?limit=1", tasks, /another filter/],
    ["/v1/dead-letters?tag=own", tasks, /tasks with order=asc, and this request lists dead letters/],
    ["/v1/dead-letters?tag=own&text=failed", letters, /another filter/],
    ["/v1/tasks?tag=own", letters, /dead letters, and this request lists tasks/],
    ["/v1/runs?tag=own&outcome=dead-lettered", runs, /another filter/],
    ["/v1/runs?tag=own&group=error", runs, /runs, and this request lists runs with group=error/],
  ]) {
    const { status, body } = await scheduler.call(`${path}&cursor=${cursor}`);
    assert.deepEqual([status, body.type, body.field], [422, "/problems/invalid", "cursor"], path);
    assert.match(body.detail, problem);
    assert.match(body.detail, /send it with the parameters of the request that returned it, or leave it out/);
  }
  // A cursor of a version before cursors named their list still opens.
  const unnamed = tasks.slice(0, tasks.lastIndexOf("-"));
  assert.deepEqual((await get(`/v1/tasks?tag=own&limit=2&cursor=${unnamed}`)).tasks, rest.tasks);
});

test("while a deploy is under way, a list that a shard does not know yet is answered with when to try again", async (t) => {
  const call = await startWithOldShard(t, ["/list-from-the-end"]);
  const { status, headers, body } = await call("/v1/tasks?order=desc");
  assert.deepEqual([status, body.type, headers.get("retry-after")], [503, "/problems/unavailable", "10"]);
  assert.match(body.detail, new RegExp(`shard ${OLD} refused the request: a shard has no /list-from-the-end; while a deploy is under way`));
  assert.equal((await call("/v1/tasks")).status, 200);
});
