// Tests every path of the HTTP API on the real local runtime, with its answers and refusals.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler } from "./harness.mjs";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start();
});
after(() => scheduler?.dispose());

const LOG = { type: "handler", name: "noop" };
const call = (path, options) => scheduler.call(path, options);
const create = (task) => call("/v1/tasks", { body: { callback: LOG, ...task } });

test("a task is created, read, replaced and cancelled", async () => {
  const made = await create({ id: "one", time: "2040-01-01T00:00:00Z", description: "First", tags: ["a"], payload: { n: [1, "é"] } });
  assert.equal(made.status, 201);
  assert.equal(made.body.status, "scheduled");
  assert.equal(made.body.due, Date.parse("2040-01-01T00:00:00Z"));
  assert.deepEqual((await call("/v1/tasks/one")).body, made.body);

  const replaced = await call("/v1/tasks/one", { method: "PUT", body: { callback: LOG, delayInSeconds: 3600.5 } });
  assert.equal(replaced.status, 200);
  const read = await call("/v1/tasks/one");
  assert.equal(read.body.due, replaced.body.due);
  assert.equal(read.body.description, undefined);

  const cancelled = await call("/v1/tasks/one", { method: "DELETE" });
  // The answer shows the task before the cancel.
  const { due, ...rest } = read.body;
  assert.deepEqual(cancelled, { status: 200, body: { ...rest, cancelled: true, status: "cancelled" } });
  assert.equal((await call("/v1/tasks/one")).status, 404);
  assert.equal((await call("/v1/tasks/one", { method: "DELETE" })).status, 404);
});

test("a generated id is a UUID of version 7", async () => {
  const { body } = await create({ delayInSeconds: 5000 });
  assert.match(body.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal((await call(`/v1/tasks/${body.id}`)).status, 200);
});

test("tasks are found by ids of any characters", async () => {
  for (const id of ["a/b?c#d", "späť 1", "{order-7}:remind", "100%"]) {
    assert.equal((await create({ id, delayInSeconds: 5000 })).status, 201, id);
    assert.equal((await call(`/v1/tasks/${encodeURIComponent(id)}`)).body.id, id);
  }
});

test("a recurring task shows its next run, and a task without a schedule does not", async () => {
  const cron = await create({ id: "cron", cron: "0 9 * * MON", timezone: "Europe/London" });
  assert.equal(new Date(cron.body.due).getUTCDay(), 1);
  const idle = await create({ id: "idle", type: "no-schedule" });
  assert.equal(idle.body.status, "unscheduled");
  assert.equal(idle.body.due, undefined);
  const kinds = async (kind) => (await call(`/v1/tasks?kind=${kind}`)).body.tasks.map((task) => task.id);
  assert.deepEqual(await kinds("cron"), ["cron"]);
  assert.deepEqual(await kinds("no-schedule"), ["idle"]);
  // A one-shot task replaces a recurring task with the same id.
  assert.equal((await create({ id: "cron", delayInSeconds: 9000 })).status, 200);
  assert.deepEqual(await kinds("cron"), []);
});

test("the refusal of bad input names the field, and nothing changes", async () => {
  const before = (await call("/v1/stats")).body.created;
  for (const [task, field] of [
    [{ delayInSeconds: -1 }, "delayInSeconds"],
    [{ time: "yesterday" }, "time"],
    [{ cron: "61 * * * *" }, "cron"],
    [{ cron: "* * * * *", timezone: "Mars/Base" }, "timezone"],
    [{ delayInSeconds: 1, callback: { type: "handler", name: "nope" } }, "callback.name"],
    [{ delayInSeconds: 1, callback: { type: "queue", queue: "OTHER" } }, "callback.queue"],
    [{ delayInSeconds: 1, callback: { type: "webhook", url: "ftp://x" } }, "callback.url"],
    [{ delayInSeconds: 1, payload: "x".repeat(70_000) }, "payload"],
    [{ delayInSeconds: 1, tiem: 3 }, "tiem"],
    [{ delayInSeconds: 1, id: "x".repeat(257) }, "id"],
  ]) {
    const { status, body } = await create(task);
    assert.equal(status, 422, JSON.stringify(task).slice(0, 100));
    assert.equal(body.field, field);
    assert.ok(body.detail.length > field.length + 5, body.detail);
  }
  for (const body of ["", "{", "[]", "\u0000", '{"a":']) {
    assert.equal((await call("/v1/tasks", { body })).status, 422, body);
  }
  const response = await scheduler.fetch("/v1/tasks", { body: "nope" });
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal((await call("/v1/stats")).body.created, before);
});

test("without a key only the health and the API's document are available", async () => {
  const bare = (path, headers = {}) => fetch(`${scheduler.url}${path}`, { headers });
  assert.equal((await bare("/healthz")).status, 200);
  assert.equal((await bare("/openapi.json")).status, 200);
  for (const authorization of [undefined, "Bearer wrong", `Basic ${scheduler.key}`, "Bearer "]) {
    const response = await bare("/v1/stats", authorization ? { authorization } : {});
    assert.equal(response.status, 401);
    assert.equal((await response.json()).type, "/problems/unauthorized");
  }
  assert.equal((await call("/v1/nothing")).status, 404);
});

test("a batch without an accepted task is 422, and a repeated id is reported", async () => {
  const bad = { id: "bad", cron: "* * *", callback: LOG };
  const lines = (...items) => ({ body: items.map((item) => item && JSON.stringify(item)).join("\n"), headers: { "content-type": "application/x-ndjson" } });
  const refused = await call("/v1/tasks/batch", { body: [bad, 7] });
  assert.deepEqual([refused.status, refused.body.type, refused.body.field], [422, "/problems/batch-rejected", "[0].cron"]);
  assert.deepEqual(refused.body.results.map(({ error }) => error.field), ["cron", "body"]);
  const ofLines = await call("/v1/tasks/batch", lines("", bad, "", bad));
  assert.deepEqual([ofLines.status, ofLines.body.results.map(({ line }) => line)], [422, [2, 4]]);
  // A body of lines is not a list, so an index does not lead to its items.
  assert.deepEqual([ofLines.body.field, /in line 2: cron /.test(ofLines.body.detail)], ["cron", true]);
  assert.match(ofLines.body.results[0].error.detail, /^cron /);
  const none = await call("/v1/tasks/batch", { body: [] });
  assert.deepEqual([none.status, none.body.field], [422, "body"]);
  const empty = await call("/v1/tasks/batch", lines("", ""));
  assert.deepEqual([empty.status, empty.body.detail], [422, "body has no task; send one task per line"]);
  const twice = (payload) => ({ id: "twice", delayInSeconds: 9000, callback: LOG, payload });
  const { body } = await call("/v1/tasks/batch", { body: [twice(1), bad, twice(2), twice(3)] });
  assert.deepEqual(body.results.map(({ duplicateOf }) => duplicateOf), [undefined, undefined, 0, 2]);
  assert.equal((await call("/v1/tasks/twice")).body.payload, 3);
});

test("a batch keeps its good items, in order, as array and as lines", async () => {
  const items = [
    { id: "b0", delayInSeconds: 9000, callback: LOG },
    { id: "b1", delayInSeconds: -9, callback: LOG },
    7,
    { delayInSeconds: 9000, callback: LOG },
    { id: "b4", cron: "0 0 1 1 *", callback: LOG },
  ];
  const check = ({ status, body }) => {
    assert.equal(status, 200);
    assert.equal(body.accepted, 3);
    assert.equal(body.rejected, 2);
    assert.deepEqual(body.results.map((result) => Boolean(result.error)), [false, true, true, false, false]);
    assert.equal(body.results[0].id, "b0");
    assert.equal(body.results[1].error.field, "delayInSeconds");
  };
  check(await call("/v1/tasks/batch", { body: items }));
  check(await call("/v1/tasks/batch", {
    body: items.map((item) => JSON.stringify(item)).join("\n"),
    headers: { "content-type": "application/x-ndjson" },
  }));
  for (const id of ["b0", "b4"]) assert.equal((await call(`/v1/tasks/${id}`)).status, 200);
});

test("10,000 tasks of one request are listed in due order over pages, each once", async () => {
  const start = Date.parse("2050-01-01T00:00:00Z");
  const items = Array.from({ length: 10_000 }, (_, n) => ({
    id: `many-${n}`, time: start + ((n * 7919) % 10_000) * 10, callback: LOG, tags: [n % 10 === 0 ? "tenth" : "other"],
    description: n % 1000 === 0 ? `Thousandth ${n}` : undefined,
  }));
  const { status, body } = await call("/v1/tasks/batch", { body: items });
  assert.equal(status, 200);
  assert.equal(body.accepted, 10_000);

  const listed = async (query) => {
    const found = [];
    let cursor = null;
    do {
      const page = await call(`/v1/tasks?${query}&limit=777${cursor ? `&cursor=${cursor}` : ""}`);
      assert.equal(page.status, 200, JSON.stringify(page.body));
      assert.ok(page.body.tasks.length <= 777);
      found.push(...page.body.tasks);
      cursor = page.body.cursor;
    } while (cursor);
    return found;
  };
  const all = await listed("prefix=many-");
  assert.equal(new Set(all.map((task) => task.id)).size, 10_000);
  assert.equal(all.length, 10_000);
  for (let n = 1; n < all.length; n++) assert.ok(all[n - 1].due <= all[n].due);
  assert.equal((await listed("tag=tenth")).length, 1000);
  assert.equal((await listed("text=thousandTH")).length, 10);
  assert.equal((await listed(`from=${start + 50_000}&to=${start + 60_000}`)).length, 1000);
  assert.equal((await listed("prefix=many-&status=dead-lettered")).length, 0);

  const some = await call("/v1/tasks/cancel", { body: { ids: ["many-1", "many-2", "many-1", "none"] } });
  assert.deepEqual(some.body, { cancelled: 2, notFound: 1, done: true });
  const tenth = await call("/v1/tasks/cancel", { body: { filter: { tag: "tenth", prefix: "many-" } } });
  assert.equal(tenth.body.cancelled, 1000);
  assert.equal((await listed("prefix=many-")).length, 8998);
  const rest = await call("/v1/tasks/cancel", { body: { filter: { prefix: "many-" } } });
  assert.equal(rest.body.cancelled, 8998);
  for (const body of [{}, { filter: {} }, { ids: ["a"], filter: { tag: "a" } }, { filter: { nope: 1 } }]) {
    assert.equal((await call("/v1/tasks/cancel", { body })).status, 422, JSON.stringify(body));
  }
});

test("a selection of every task must be explicit", async () => {
  const create = () => call("/v1/tasks", { body: { id: "one-of-all", time: "2099-01-01T00:00:00Z", callback: LOG } });
  await create();
  const texts = ["prefix", "text", "tag", "callbackHost", "error"];
  const filters = [{}, { all: false }, { all: true, tag: "a" }, { tags: [] }, { tags: [""] }, ...texts.map((name) => ({ [name]: "" }))];
  for (const way of ["cancel", "pause", "resume", "run", "reschedule"]) {
    for (const body of [...filters.map((filter) => ({ filter })), { all: false }, { all: true, ids: ["a"] }, { all: true, filter: { all: true } }]) {
      const time = way === "reschedule" ? { delayInSeconds: 60 } : {};
      assert.equal((await call(`/v1/tasks/${way}`, { body: { ...body, ...time } })).status, 422, JSON.stringify([way, body]));
    }
  }
  for (const name of ["id", "tag"]) assert.equal((await call(`/v1/events?${name}=`)).status, 422, name);
  for (const name of [...texts, "kind", "status", "from", "to", "limit", "cursor"]) {
    assert.equal((await call(`/v1/tasks?${name}=`)).status, 422, name);
  }
  const { total, tasks } = (await call("/v1/tasks?limit=1000")).body;
  assert.ok(total === tasks.length && total > 0, `${total}`);
  assert.equal((await call("/v1/tasks?prefix=one")).body.total, undefined);
  for (const body of [{ all: true }, { filter: { all: true } }]) {
    await create();
    assert.ok((await call("/v1/tasks/cancel", { body })).body.cancelled >= 1, JSON.stringify(body));
    assert.equal((await call("/v1/tasks")).body.total, 0);
  }
});

test("invalid list parameters are refused", async () => {
  for (const query of ["limit=0", "limit=1001", "kind=weekly", "cursor=abc", "from=x", "prefx=a", "status=fired", "status=dead"]) {
    const { status, body } = await call(`/v1/tasks?${query}`);
    assert.equal(status, 422, query);
    assert.ok(body.field, query);
  }
});

test("every route refuses unknown parameters", async () => {
  const document = (await scheduler.call("/openapi.json")).body;
  let routes = 0;
  await scheduler.call("/v1/tasks", { body: { id: "kept", delayInSeconds: 9000, callback: { type: "handler", name: "noop" } } });
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      // Routes without a key have no parameters.
      if (method === "parameters" || operation.security?.length === 0) continue;
      const body = ["get", "delete"].includes(method) ? undefined : {};
      const { status, body: problem } = await scheduler.call(`${path.replace("{id}", "kept")}?dryRun=true`, { method: method.toUpperCase(), body });
      assert.deepEqual([status, problem.type, problem.field], [422, "/problems/invalid", "dryRun"], `${method} ${path}`);
      routes += 1;
    }
  }
  assert.ok(routes > 35, `${routes}`);
  assert.equal((await scheduler.call("/v1/tasks/kept")).body.status, "scheduled");
});
