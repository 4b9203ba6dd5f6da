// Heavy and hostile requests to the real local runtime, measured from outside: none takes more memory or CPU than a request may, and a neighbour
// is answered meanwhile. See `e2e/attacks.mjs` for the requests, and `docs/bounds.md` for what a request may take.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ATTACKS, prepared, run, runtimeOf, send } from "./attacks.mjs";

const MB = 1_000_000;
/** Most that any request adds to the runtime's memory at once: the largest body, five times, and what the runtime's collector lets lie about. */
const MOST_BYTES = 150 * MB;
/** Most CPU of any request beside twenty ordinary ones of its route, milliseconds. The build that is tested may be one that is not optimised. */
const MOST_CPU = 2_500;
/** In this time a neighbour is answered, whatever runs, milliseconds. */
const NEIGHBOUR_WAITS = 8_000;

let scheduler;
let pid;
before(async () => {
  scheduler = await prepared();
  pid = runtimeOf(scheduler);
});
after(async () => {
  await scheduler?.dispose();
});

for (const attack of ATTACKS) {
  test(attack.name, { skip: process.platform !== "linux" }, async (t) => {
    const asked = Date.now();
    const attacked = run(scheduler, pid, attack);
    const neighbour = scheduler.call("/v1/tasks?limit=1", { headers: { "scheduler-namespace": "neighbour" } });
    assert.equal((await neighbour).status, 200);
    const waited = Date.now() - asked;
    const { ordinary, hostile } = await attacked;
    const ratio = (hostile.bytes / Math.max(ordinary.bytes, MB)).toFixed(1);
    t.diagnostic(`${(hostile.bytes / MB).toFixed(0)} MB (${ratio} times an ordinary one), ${hostile.cpu} ms (ordinary ${ordinary.cpu} ms), answer ${hostile.outcome.bytes} bytes`);
    // A connection that is cut while the body is on its way was refused as well.
    assert.ok([...attack.expect, "EPIPE", "ECONNRESET"].includes(hostile.outcome.status), `answered with ${hostile.outcome.status}`);
    assert.ok(hostile.bytes <= MOST_BYTES, `took ${hostile.bytes} bytes`);
    assert.ok(hostile.cpu <= 20 * ordinary.cpu + MOST_CPU, `took ${hostile.cpu} ms; an ordinary request takes ${ordinary.cpu} ms`);
    assert.ok(hostile.outcome.bytes <= 5 * MB, `was answered with ${hostile.outcome.bytes} bytes`);
    assert.ok(waited <= NEIGHBOUR_WAITS, `a neighbour waited ${waited} ms`);
  });
}

test("nothing is changed by what was refused, and the runtime is the one that was started", { skip: process.platform !== "linux" }, async () => {
  assert.equal(runtimeOf(scheduler), pid);
  const { body } = await scheduler.call("/v1/tasks/patched", { headers: { "scheduler-namespace": "hostile" } });
  assert.equal(body.status, "scheduled");
  assert.equal(body.tags, undefined);
});

test("lists of large tasks are cut by bytes, and their cursor goes on", async (t) => {
  const headers = { "scheduler-namespace": "hostile" };
  const payload = "x".repeat(64_000);
  const items = Array.from({ length: 240 }, (_, n) => ({ id: `large-${n}`, delayInSeconds: 86_400, callback: { type: "handler", name: "noop" }, payload, tags: ["large"] }));
  for (let at = 0; at < items.length; at += 120) assert.equal((await scheduler.call("/v1/tasks/batch", { body: items.slice(at, at + 120), headers })).status, 200);
  const seen = new Set();
  let cursor = "";
  do {
    const response = await scheduler.fetch(`/v1/tasks?limit=1000&tag=large${cursor && `&cursor=${cursor}`}`, { headers });
    const text = await response.text();
    assert.ok(text.length <= 5 * MB, `a page has ${text.length} bytes`);
    const page = JSON.parse(text);
    page.tasks.forEach((task) => seen.add(task.id));
    cursor = page.cursor;
  } while (cursor);
  assert.equal(seen.size, items.length);
  t.diagnostic(`${items.length} tasks of 64 kB`);
});

test("texts of a filter are no longer than what they are compared with, in a body and in a query", async () => {
  const headers = { "scheduler-namespace": "hostile" };
  for (const [name, limit] of [["prefix", 256], ["text", 1_024], ["tag", 64]]) {
    const value = "x".repeat(limit + 1);
    const listed = await scheduler.call(`/v1/tasks?${name}=${value}`, { headers });
    assert.deepEqual([listed.status, listed.body.field], [422, name]);
    const cancelled = await scheduler.call("/v1/tasks/cancel", { body: { filter: { [name]: value } }, headers });
    assert.deepEqual([cancelled.status, cancelled.body.field], [422, `filter.${name}`]);
    assert.equal((await scheduler.call(`/v1/tasks?${name}=${value.slice(1)}`, { headers })).status, 200);
  }
});

test("an address that guesses keys is slowed down, and no other", async () => {
  const guess = (address, key) => fetch(`${scheduler.url}/v1/tasks`, { headers: { authorization: `Bearer ${key}`, "cf-connecting-ip": address } }).then((response) => response.status);
  const statuses = [];
  for (let n = 0; n < 60; n += 1) statuses.push(await guess("192.0.2.7", `wrong-${n}`));
  assert.equal(statuses[0], 401);
  assert.ok(statuses.includes(429), "guesses are not slowed down");
  assert.equal(await guess("192.0.2.8", scheduler.key), 200);
});

test("a method that nobody knows is not a GET", async () => {
  const response = await send(scheduler, { path: "/v1/tasks", method: "PROPFIND" }, "");
  assert.equal(response.status, 405);
});
