// Tests creates with an Idempotency-Key on the real local runtime.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
});
after(() => scheduler?.dispose());

const LATER = { delayInSeconds: 9000, callback: { type: "handler", name: "noop" } };

/** Sends a create with a key. Returns also whether it was a repeat. */
async function create(key, body, { path = "/v1/tasks", method = "POST", headers = {} } = {}) {
  const response = await scheduler.fetch(path, { method, body, headers: { "idempotency-key": key, ...headers } });
  return { status: response.status, body: await response.json(), replayed: response.headers.get("idempotent-replayed") };
}
const stats = async (headers) => (await scheduler.call("/v1/stats", { headers })).body;
const isReused = ({ status, body }) => assert.deepEqual([status, body.type], [409, "/problems/idempotency-key-reused"]);

test("the same request is carried out once, and has the same answer each time", async () => {
  const before = (await stats()).created;
  const first = await create("one", LATER);
  assert.deepEqual([first.status, first.replayed], [201, null]);
  // Some time passes, so that a due time counted from now would differ.
  await until("the clock to move on", () => Date.now() > first.body.due - 9_000_000 + 20);
  for (let n = 0; n < 3; n++) assert.deepEqual(await create("one", LATER), { ...first, replayed: "true" });
  assert.equal((await scheduler.call(`/v1/tasks/${first.body.id}`)).body.due, first.body.due);
  assert.equal((await stats()).created, before + 1);
  const second = await create("two", LATER);
  assert.notEqual(second.body.id, first.body.id);
  assert.match(second.body.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("another request with the same key is refused, even for a task on another shard", async () => {
  for (let n = 0; n < 12; n++) {
    const key = `reused-${n}`;
    assert.equal((await create(key, { ...LATER, id: `first-${n}` })).status, 201);
    isReused(await create(key, { ...LATER, id: `second-${n}` }));
    isReused(await create(key, LATER));
    isReused(await create(key, [LATER], { path: "/v1/tasks/batch" }));
    assert.equal((await create(key, { ...LATER, id: `first-${n}` })).replayed, "true");
    assert.equal((await scheduler.call(`/v1/tasks/second-${n}`)).status, 404);
  }
});

test("a repeated overwrite has the same answer, and does not undo later changes", async () => {
  const at = { path: "/v1/tasks/over", method: "PUT" };
  assert.equal((await create("over-1", LATER, at)).status, 201);
  const second = await create("over-2", { ...LATER, description: "second" }, at);
  assert.equal(second.status, 200);
  assert.equal((await scheduler.call("/v1/tasks/over", { method: "PUT", body: { ...LATER, description: "third" } })).status, 200);
  assert.deepEqual(await create("over-2", { ...LATER, description: "second" }, at), { ...second, replayed: "true" });
  assert.equal((await scheduler.call("/v1/tasks/over")).body.description, "third");
});

test("one of several simultaneous requests is carried out", async () => {
  const before = (await stats()).created;
  const answers = await Promise.all(Array.from({ length: 20 }, () => create("at once", { ...LATER, payload: 1 })));
  assert.equal(new Set(answers.map(({ body }) => JSON.stringify(body))).size, 1);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
  assert.equal(answers.filter(({ replayed }) => replayed === null).length, 1);
  assert.equal((await stats()).created, before + 1);
});

test("a batch is carried out once, with its ids and its refusals", async () => {
  const items = [LATER, { ...LATER, id: "batch-a" }, { ...LATER, delayInSeconds: -1 }, 7, LATER,
    ...Array.from({ length: 30 }, (_, n) => ({ ...LATER, id: `batch-${n}` }))];
  const before = (await stats()).created;
  const path = "/v1/tasks/batch";
  const first = await create("batch", items, { path });
  assert.deepEqual([first.status, first.body.accepted, first.body.rejected, first.replayed], [200, 33, 2, null]);
  assert.equal((await stats()).created, before + 33);
  const tasks = (await scheduler.call("/v1/tasks?limit=1000")).body;
  assert.deepEqual(await create("batch", items, { path }), { ...first, replayed: "true" });
  assert.deepEqual((await scheduler.call("/v1/tasks?limit=1000")).body, tasks);
  isReused(await create("batch", items.slice(1), { path }));
  const text = items.map((item) => JSON.stringify(item)).join("\n");
  isReused(await create("batch", text, { path, headers: { "content-type": "application/x-ndjson" } }));
});

test("a repeat whose refused tasks would be accepted by now is refused, and another key creates them", async () => {
  const headers = { "scheduler-namespace": "later-valid" };
  const call = async (path, options, status) => assert.equal((await scheduler.call(path, { headers, ...options })).status, status, path);
  await call("/v1/namespaces/later-valid", { method: "PUT", body: {} }, 201);
  const of = (prefix, more) => Array.from({ length: 20 }, (_, n) => ({ ...LATER, ...more, id: `${prefix}-${n}` }));
  const leavesOut = { delayInSeconds: undefined, cron: "0 9 * * *", exclude: { calendars: ["unknown"] } };
  const tasks = [...of("plain"), ...of("calendar", leavesOut)];
  const array = { path: "/v1/tasks/batch", headers };
  const lines = { path: "/v1/tasks/stream?results=all", headers: { ...headers, "content-type": "application/x-ndjson" } };
  const send = async (key, { path, headers: own }) => {
    const body = path.includes("stream") ? tasks.map((task) => `${JSON.stringify(task)}\n`).join("") : JSON.stringify(tasks);
    const response = await fetch(`${scheduler.url}${path}`, { method: "POST", body, headers: { authorization: `Bearer ${scheduler.key}`, "idempotency-key": key, ...own } });
    const [first] = (await response.text()).split("\n");
    return { status: response.status, body: JSON.parse(first) };
  };
  for (const [key, form] of Object.entries({ array, lines })) {
    const { body } = await send(`valid-${key}`, form);
    assert.deepEqual([body.accepted, body.rejected], [20, 20]);
  }
  await call("/v1/calendars/unknown", { method: "PUT", body: { dates: ["12-24"] } }, 201);
  for (const [key, form] of Object.entries({ array, lines })) isReused(await send(`valid-${key}`, form));
  assert.equal((await stats(headers)).pending, 20);
  assert.equal((await send("another", array)).body.accepted, 40);
  assert.equal((await stats(headers)).pending, 40);
});

test("a task that has fired does not fire again, even after a kill", async () => {
  const before = await stats();
  const soon = { delayInSeconds: 0, callback: LATER.callback };
  const first = await create("fired", soon);
  const isDone = async () => (await stats()).succeeded === before.succeeded + 1;
  await until("it to be done", isDone);
  assert.deepEqual(await create("fired", soon), { ...first, replayed: "true" });
  await scheduler.kill();
  await scheduler.restart();
  assert.deepEqual(await create("fired", soon), { ...first, replayed: "true" });
  isReused(await create("fired", { ...soon, payload: 1 }));
  assert.equal((await stats()).pending, before.pending);
  // A later task is done, so the repeats have fired nothing before it.
  await scheduler.call("/v1/tasks", { body: { ...soon, id: first.body.id } });
  await until("the later one to be done", async () => (await stats()).inFlight === 0 && (await stats()).succeeded >= before.succeeded + 2);
  assert.equal((await stats()).succeeded, before.succeeded + 2);
});

test("a repeat has the first answer, even if its sentence or its end has passed since", async () => {
  const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_000);
  const callback = LATER.callback;
  const bodies = [
    { schedule: `at ${at.toISOString().replace(".000", "")}`, callback },
    { everySeconds: 1, endAt: at.toISOString(), callback },
  ];
  const paths = { one: "/v1/tasks", many: "/v1/tasks/batch" };
  const sent = bodies.flatMap((body, n) => [
    [`passed-${n}`, body, { path: paths.one }],
    [`passed-many-${n}`, [body], { path: paths.many }],
  ]);
  const first = [];
  for (const request of sent) first.push(await create(...request));
  assert.deepEqual(first.map(({ status }) => status), [201, 200, 201, 200], JSON.stringify(first));
  await until("the times to pass", () => Date.now() > at.getTime() + 1_000);
  for (const [n, request] of sent.entries()) {
    const { replayed, body, status } = await create(...request);
    assert.deepEqual([status, replayed, body.id ?? body.items], [first[n].status, "true", first[n].body.id ?? first[n].body.items]);
    // The same body under another key is refused, and so is another body under this key.
    assert.notEqual((await create(`${request[0]}-other`, ...request.slice(1))).replayed, "true");
  }
  assert.equal((await create("passed-0", { ...bodies[0], payload: 1 })).status, 422);
});

test("each namespace has keys of its own", async () => {
  assert.equal((await scheduler.call("/v1/namespaces/other", { method: "PUT", body: {} })).status, 201);
  const headers = { "scheduler-namespace": "other" };
  assert.equal((await create("shared", LATER)).replayed, null);
  assert.equal((await create("shared", { ...LATER, payload: 2 }, { headers })).status, 201);
  assert.equal((await stats(headers)).created, 1);
});

test("an invalid request does not use its key, and an invalid key is named", async () => {
  assert.equal((await create("unused", { ...LATER, delayInSeconds: -1 })).status, 422);
  assert.deepEqual([(await create("unused", LATER)).status, (await create("unused", LATER)).replayed], [201, "true"]);
  const bad = await create("x".repeat(256), LATER);
  assert.deepEqual([bad.status, bad.body.field], [422, "Idempotency-Key"]);
});

test("a batch that is refused as a whole does not use up its key", async () => {
  const path = "/v1/tasks/batch";
  const refused = await create("corrected", [{ ...LATER, id: "corrected", x: 1 }], { path });
  assert.deepEqual([refused.status, refused.replayed], [422, null]);
  const corrected = await create("corrected", [{ ...LATER, id: "corrected" }], { path });
  assert.deepEqual([corrected.status, corrected.body.rejected, corrected.replayed], [200, 0, null]);
  isReused(await create("corrected", [{ ...LATER, id: "corrected", x: 1 }, LATER], { path }));
});

test("a route whose requests act again when repeated refuses the header", async () => {
  assert.equal((await create("runs", { ...LATER, id: "runs" })).status, 201);
  for (const [path, body] of [
    ["/v1/tasks/runs/run", {}],
    ["/v1/tasks/run", { ids: ["runs"] }],
    ["/v1/keys", { name: "n", scopes: ["read"], namespaces: ["*"] }],
  ]) {
    const { status, body: problem } = await create("again", body, { path });
    assert.deepEqual([status, problem.type, problem.field], [400, "/problems/condition-refused", "Idempotency-Key"], path);
  }
  assert.equal((await scheduler.call("/v1/tasks/runs")).body.status, "scheduled");
  // Any other route ignores it.
  assert.equal((await create("again", {}, { path: "/v1/tasks/runs/pause" })).status, 200);
});
