// The scheduler with a virtual clock, as a user's tests start it: with the built package.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureBuilt } from "./built.mjs";
import { toMillis } from "../src/testing/duration.ts";

const CONFIG = fileURLToPath(new URL("fixtures/clock.jsonc", import.meta.url));

let startScheduler;
let scheduler;
/** What the Worker has sent to the web. */
const sent = [];
before(async () => {
  ensureBuilt();
  ({ startScheduler } = await import("durable-scheduler/testing"));
  scheduler = await startScheduler({
    config: CONFIG,
    now: "2030-03-29T00:00:00Z",
    outbound: async (request) => {
      sent.push({ url: request.url, at: scheduler.now, body: await request.json() });
      return new Response(null, { status: 204 });
    },
  });
});
after(() => scheduler?.stop());

const room = async (name) => (await scheduler.bindings()).ROOMS.getByName(name);
const calls = async (name, method) => (await (await room(name)).list()).filter(([called]) => called === method);
/** How late a method was called, milliseconds. */
const lateness = ([, time, now]) => Date.parse(now) - Date.parse(time);

test("advance fires what comes due, each at its time", async () => {
  const started = performance.now();
  await (await room("a")).schedule(7_200);
  await scheduler.advance("1 hour");
  assert.deepEqual(await calls("a", "once"), []);
  await scheduler.advance("3 days");
  const [once] = await calls("a", "once");
  assert.ok(lateness(once) < 5_000, JSON.stringify(once));
  // The clock of London changes on the 31st.
  assert.deepEqual((await calls("a", "daily")).map(([, time]) => time), ["2030-03-29T09:00:00.000Z", "2030-03-30T09:00:00.000Z", "2030-03-31T08:00:00.000Z"]);
  for (const call of await calls("a", "daily")) assert.ok(lateness(call) < 5_000, JSON.stringify(call));
  assert.equal((await calls("a", "twice")).length, 2);
  assert.equal(scheduler.now.toISOString().slice(0, 13), "2030-04-01T01");
  assert.ok(performance.now() - started < 60_000);
});

test("advance waits for retries, and a run that fails for good is a dead letter", async () => {
  await (await room("b")).fail();
  await scheduler.advance("2 hours");
  const failed = await calls("b", "failing");
  assert.deepEqual(failed.map(([, , , attempt]) => attempt), [1, 2]);
  assert.ok(Date.parse(failed[1][2]) - Date.parse(failed[0][2]) >= 3_600_000);
  await scheduler.advance("1 hour");
  assert.equal((await calls("b", "failing")).length, 3);
  const letters = await scheduler.client.deadLetters.list().toArray();
  assert.deepEqual(letters.map(({ error }) => /: no$/.test(error)), [true]);
});

test("webhooks reach the function that stands for the web", async () => {
  const due = new Date(scheduler.now.getTime() + 60_000);
  await scheduler.client.scheduleTask({ id: "hook", time: due, callback: { type: "webhook", url: "https://example.com/hook" }, payload: 7 });
  await scheduler.advanceTo(due);
  const [{ url, body, at }] = sent;
  assert.deepEqual([url, body.id, body.payload], ["https://example.com/hook", "hook", 7]);
  assert.ok(at.getTime() - due.getTime() < 5_000);
});

test("a task each second does not take as long as the seconds do", async () => {
  const started = performance.now();
  await scheduler.client.scheduleTask({ id: "often", everySeconds: 1, maxRuns: 60, callback: { type: "webhook", url: "https://example.com/often" } });
  await scheduler.advance("1 minute");
  assert.equal(sent.filter(({ body }) => body.id === "often").length, 60);
  // A shard waits for what is due within a second by a timer. By the real clock, half of the runs would each come after most of a second.
  assert.ok(performance.now() - started < 20_000);
});

test("a Worker may import texts, bytes, wasm and modules of Node, and listens at an address", async () => {
  assert.equal(await (await room("a")).read(), "note: a text\n");
  assert.deepEqual(await (await room("a")).compute(), [42, [1, 2, 3], "hello!"]);
  assert.equal((await fetch(`${scheduler.url}/healthz`)).status, 200);
});

test("a wrong call says what is wrong", async () => {
  await assert.rejects(scheduler.advance("3 fortnights"), /3 fortnights is not a duration/);
  await assert.rejects(scheduler.advance(-1), /not a duration/);
  await assert.rejects(scheduler.advanceTo("2020-01-01T00:00:00Z"), RangeError);
  await assert.rejects(startScheduler({ config: "nowhere/wrangler.toml" }), /no wrangler configuration nowhere\/wrangler\.toml/);
  await assert.rejects(startScheduler({ config: CONFIG, now: "soon" }), { name: "TypeError", message: "now is soon, which is not a time" });
  assert.deepEqual(["1 second", "1.5 hours", "2 weeks", 5].map(toMillis), [1_000, 5_400_000, 1_209_600_000, 5]);
});
