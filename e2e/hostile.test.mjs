// Sends heavy and hostile requests to the real local runtime, and measures from outside. None may
// take more memory or CPU than the bound, and a neighbor must be answered meanwhile. The requests
// are in `e2e/attacks.mjs`, and the bounds in `docs/bounds.md`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ATTACKS, prepared, run, runtimeOf, send } from "./attacks.mjs";

const MB = 1_000_000;
/** The most memory that a request adds to the runtime: five times the largest body, and the garbage of the runtime. */
const MOST_BYTES = 150 * MB;
/** The most CPU of a request beyond twenty ordinary ones of its route, in milliseconds. The build may not be optimised. */
const MOST_CPU = 2_500;
/** The milliseconds within which a neighbor is always answered. */
const NEIGHBOR_WAITS = 8_000;

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
    const neighbor = scheduler.call("/v1/tasks?limit=1", { headers: { "scheduler-namespace": "neighbor" } });
    assert.equal((await neighbor).status, 200);
    const waited = Date.now() - asked;
    const { ordinary, hostile } = await attacked;
    const ratio = (hostile.bytes / Math.max(ordinary.bytes, MB)).toFixed(1);
    t.diagnostic(`${(hostile.bytes / MB).toFixed(0)} MB (${ratio} times an ordinary one), ${hostile.cpu} ms (ordinary ${ordinary.cpu} ms), answer ${hostile.outcome.bytes} bytes`);
    // A connection that was closed during the body counts as a refusal.
    assert.ok([...attack.expect, "EPIPE", "ECONNRESET"].includes(hostile.outcome.status), `answered with ${hostile.outcome.status}: ${hostile.outcome.start}`);
    assert.ok(hostile.bytes <= MOST_BYTES, `took ${hostile.bytes} bytes`);
    assert.ok(hostile.cpu <= 20 * ordinary.cpu + MOST_CPU, `took ${hostile.cpu} ms; an ordinary request takes ${ordinary.cpu} ms`);
    assert.ok(hostile.outcome.bytes <= (attack.answer ?? 5 * MB), `was answered with ${hostile.outcome.bytes} bytes`);
    assert.ok(waited <= NEIGHBOR_WAITS, `a neighbor waited ${waited} ms`);
  });
}

test("refused requests have changed nothing, and the runtime has not been restarted", { skip: process.platform !== "linux" }, async () => {
  assert.equal(runtimeOf(scheduler), pid);
  const { body } = await scheduler.call("/v1/tasks/patched", { headers: { "scheduler-namespace": "hostile" } });
  assert.equal(body.status, "scheduled");
  assert.equal(body.tags, undefined);
});

test("lists of large tasks are cut by bytes, and their cursor continues", async (t) => {
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

test("texts of a filter are refused if they are longer than the compared texts, in a body and in a query", async () => {
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

test("only an address that guesses keys is slowed down", async () => {
  const guess = (address, key) => fetch(`${scheduler.url}/v1/tasks`, { headers: { authorization: `Bearer ${key}`, "cf-connecting-ip": address } }).then((response) => response.status);
  const statuses = [];
  for (let n = 0; n < 60; n += 1) statuses.push(await guess("192.0.2.7", `wrong-${n}`));
  assert.equal(statuses[0], 401);
  assert.ok(statuses.includes(429), "guesses are not slowed down");
  assert.equal(await guess("192.0.2.8", scheduler.key), 200);
});

test("an unknown method is not a GET", async () => {
  const response = await send(scheduler, { path: "/v1/tasks", method: "PROPFIND" }, "");
  assert.equal(response.status, 405);
});
