// Tests changes of a task while an attempt of it runs, on the real local runtime. The attempt ends,
// and no other starts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

let scheduler;
let sink;
/** Attempts that wait for their answer, by path. */
const gates = new Map();

before(async () => {
  sink = await startSink(({ path }) => new Promise((resolve) => gates.set(path, resolve)));
  scheduler = await Scheduler.start({ sink: sink.url });
});

after(async () => {
  for (const open of gates.values()) open(200);
  await scheduler?.dispose();
  await sink?.close();
});

const call = (path, options) => scheduler.call(path, options);
const attempts = (id) => sink.webhooks.filter((hook) => hook.path === `/${id}`);
const runs = async (id) => (await call(`/v1/tasks/${id}/runs`)).body.runs;
const shown = (id) => call(`/v1/tasks/${id}`);

/** Creates a task whose first attempt runs, and which is retried at once if it fails. */
async function running(id, more) {
  const body = {
    id, delayInSeconds: 0, tags: ["held"], retry: { minBackoffSeconds: 0.1, jitter: 0, factor: 1 },
    callback: { type: "webhook", url: `${sink.url}/${id}` }, ...more,
  };
  assert.equal((await call("/v1/tasks", { body })).status, 201);
  await until(`an attempt at ${id}`, () => gates.has(`/${id}`));
}

/** Ends the attempt of a task, and waits until the shard has its outcome. */
async function end(id, status) {
  const before = (await runs(id)).length;
  gates.get(`/${id}`)(status);
  gates.delete(`/${id}`);
  await until(`the outcome of ${id}`, async () => (await runs(id)).length > before);
}

/** Runs another task, which fires after any further attempts of the others would have. */
async function later() {
  const id = `later-${Date.now()}`;
  await call("/v1/tasks", { body: { id, delayInSeconds: 1.5, callback: { type: "queue", queue: "FIRED_TASKS" } } });
  await until("a later task", () => sink.envelopes.some((envelope) => envelope.tasks.some((task) => task.id === id)));
}

test("a cancel stops further attempts: by id, by ids and by filter", async () => {
  const ways = {
    one: () => call("/v1/tasks/one", { method: "DELETE" }),
    ids: () => call("/v1/tasks/cancel", { body: { ids: ["ids", "nowhere"] } }),
    filter: () => call("/v1/tasks/cancel", { body: { filter: { prefix: "filt", tag: "held" } } }),
  };
  const answers = {
    one: { id: "one", cancelled: true, running: true, status: "cancelled" },
    ids: { cancelled: 1, notFound: 1, running: 1, done: true },
    filter: { cancelled: 1, notFound: 0, running: 1, done: true },
  };
  for (const [id, way] of Object.entries(ways)) {
    await running(id);
    const { status, body } = await way();
    const answered = Object.fromEntries(Object.keys(answers[id]).map((name) => [name, body[name]]));
    assert.deepEqual([status, answered], [200, answers[id]]);
    const { body: explanation } = await call(`/v1/tasks/${id}/explain`);
    assert.equal(explanation.inFlight[0].decided, "cancelled");
    assert.equal((await call(`/v1/tasks/${id}/pause`, { method: "POST" })).body.type, "/problems/task-cancelled");
    const patched = await call(`/v1/tasks/${id}`, { method: "PATCH", body: { description: "d" } });
    assert.deepEqual([patched.status, patched.body.type], [409, "/problems/task-cancelled"]);
    await end(id, 500);
  }
  await later();
  for (const id of Object.keys(ways)) {
    assert.equal(attempts(id).length, 1, id);
    assert.equal((await shown(id)).status, 404, id);
    const [run, ...others] = await runs(id);
    assert.deepEqual([run.outcome, others.map((other) => other.outcome)], ["failed", ["cancelled"]]);
    assert.match(run.error, /cancelled while it ran/);
  }
});

test("lists with every filter show attempts in flight", async () => {
  const hour = 3_600_000;
  const from = Date.now() - hour;
  const list = async (query) => (await call(`/v1/tasks?${query}`)).body.tasks.map(({ id, status, running, kind }) => [id, status, running, kind]);
  await running("lists", { tags: ["shown", "twice"], description: "Shows what runs" });
  const item = ["lists", "running", undefined, "once"];
  const host = new URL(sink.url).hostname;
  const selecting = [
    "tag=shown", "tag=shown&tag=twice", "prefix=lists", "text=WHAT", "tag=shown&status=running", "tag=shown&kind=once",
    `tag=shown&callbackHost=${host}`, `tag=shown&from=${from}`, `tag=shown&to=${Date.now() + hour}`,
  ];
  for (const query of selecting) assert.deepEqual(await list(query), [item], query);
  const others = [
    "tag=shown&tag=held", "tag=shown&status=scheduled", "tag=shown&kind=recurring", "tag=shown&callbackHost=other.example",
    "tag=shown&error=500", `tag=shown&to=${from}`, `tag=shown&from=${Date.now() + hour}`,
  ];
  for (const query of others) assert.deepEqual(await list(query), [], query);
  // The same filter selects the same tasks for a change.
  const pause = (filter) => call("/v1/tasks/pause", { body: { filter } });
  assert.equal((await pause({ tags: ["shown", "held"] })).body.changed, 0);
  assert.deepEqual((await pause({ tags: ["shown", "twice"], callbackHost: host })).body.running, 1);
  assert.deepEqual(await list("tag=shown&status=paused"), [item], "paused, and still running");
  await end("lists", 500);
  assert.deepEqual(await list("tag=shown&error=http+500"), [["lists", "paused", undefined, "once"]]);
  await call("/v1/tasks/lists", { method: "DELETE" });
});

test("a recurring task with a run in flight is listed once", async () => {
  await running("again", { delayInSeconds: undefined, everySeconds: 1, maxRuns: 1000, overlap: "skip", tags: ["recurs"] });
  const list = async (query) => (await call(`/v1/tasks?${query}`)).body.tasks.map(({ id, status, running, kind }) => [id, status, running, kind]);
  assert.deepEqual(await list("tag=recurs"), [["again", "scheduled", true, "every"]]);
  assert.equal((await shown("again")).body.running, true);
  assert.deepEqual(await list("tag=recurs&status=running"), [["again", "running", undefined, "every"]]);
  assert.deepEqual((await call("/v1/tasks/cancel", { body: { filter: { tag: "recurs" } } })).body.running, 1);
  assert.deepEqual(await list("tag=recurs"), [], "a cancelled run is not listed");
  await end("again", 200);
});

test("a pause holds the next attempt until the task is resumed", async () => {
  await running("paused");
  const pause = () => call("/v1/tasks/paused/pause", { method: "POST" });
  for (const changed of [true, false]) {
    const { body } = await pause();
    assert.deepEqual([body.id, body.changed, body.running], ["paused", changed, true]);
  }
  const { body } = await shown("paused");
  assert.deepEqual([body.status, body.paused], ["running", true]);
  await end("paused", 500);
  assert.deepEqual([(await shown("paused")).body.status, (await shown("paused")).body.attempt], ["paused", 2]);
  await later();
  assert.equal(attempts("paused").length, 1);
  const resumed = await call("/v1/tasks/resume", { body: { filter: { status: "paused", tag: "held" } } });
  assert.equal(resumed.body.changed, 1);
  await until("the second attempt", () => gates.has("/paused"));
  await end("paused", 200);
});

test("a patch applies to further attempts, and a patch of the time moves the task", async () => {
  await running("patched", { payload: "old" });
  const patch = (id, body, headers) => call(`/v1/tasks/${id}`, { method: "PATCH", body, headers });
  const { status, body } = await patch("patched", { payload: "new" });
  assert.deepEqual([status, body.status, body.running, body.payload], [200, "running", true, "new"]);
  assert.equal((await shown("patched")).body.payload, "new");
  const etag = (await scheduler.fetch("/v1/tasks/patched")).headers.get("etag");
  assert.equal((await patch("patched", { description: "d" }, { "if-match": etag })).status, 200);
  assert.equal((await patch("patched", { description: "e" }, { "if-match": etag })).status, 412);
  await end("patched", 500);
  await until("the second attempt", () => gates.has("/patched"));
  const [first, second] = attempts("patched").map((hook) => hook.body);
  assert.deepEqual([first.payload, second.payload, second.description], ["old", "new", "d"]);
  assert.equal(attempts("patched")[1].headers["scheduler-attempt"], "2");
  const moved = await patch("patched", { time: "2099-01-01T00:00:00Z" });
  assert.deepEqual([moved.status, moved.body.status, moved.body.running], [200, "scheduled", true]);
  await end("patched", 500);
  await later();
  assert.equal(attempts("patched").length, 2);
  assert.equal((await shown("patched")).body.status, "scheduled");
  assert.equal((await call("/v1/tasks/patched", { method: "DELETE" })).body.running, undefined);
});

test("an overwrite replaces a running task", async () => {
  await running("put");
  const put = (time) => call("/v1/tasks/put", { method: "PUT", body: { time, callback: { type: "webhook", url: `${sink.url}/put` } } });
  const absent = await call("/v1/tasks/put", {
    method: "PUT", body: { delayInSeconds: 9, callback: { type: "handler", name: "log" } }, headers: { "if-none-match": "*" },
  });
  assert.equal(absent.status, 412);
  const before = (await call("/v1/stats")).body.replaced;
  const { status, body } = await put("2099-01-01T00:00:00Z");
  assert.deepEqual([status, body.status, body.running], [200, "scheduled", true]);
  assert.equal((await call("/v1/stats")).body.replaced, before + 1);
  await end("put", 500);
  await later();
  assert.equal(attempts("put").length, 1);
  assert.equal((await put("2099-02-01T00:00:00Z")).body.running, undefined);
  assert.equal((await call("/v1/tasks?prefix=put")).body.tasks.length, 1);
});

test("a cancelled run that succeeds has succeeded, and has no follow-up", async () => {
  await running("well", { onSuccess: { type: "webhook", url: `${sink.url}/followed` } });
  assert.equal((await call("/v1/tasks/well", { method: "DELETE" })).body.running, true);
  await end("well", 200);
  await later();
  assert.equal((await shown("well")).status, 404);
  assert.deepEqual((await runs("well")).map((run) => run.outcome), ["succeeded", "cancelled"]);
  assert.equal(attempts("followed").length, 0);
});
