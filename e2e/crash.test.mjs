// Kills the runtime (kill -9) in the middle of 100,000 pending tasks. Every task must still fire.
//
// All tasks go through the dispatcher, for whose reports the shards wait. (An envelope for a user's
// own consumer is done when its queue has accepted it. The local queue is in memory and loses its
// messages at a kill; the real one does not.)

import assert from "node:assert/strict";
import { test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const TASKS = 100_000;
/** One task in this many is a webhook, whose arrival is checked. The others run a handler and are counted. */
const WEBHOOK_EVERY = 10;
const BULK = 5_000;
/** The due times span this many milliseconds, and begin this long after the first request. */
const SPREAD_MS = 15_000;
const LEAD_MS = 8_000;

test("every task fires although the runtime is killed twice meanwhile", async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  // Messages in the local queue are lost at the kill. The shards send them again after this time.
  const scheduler = await Scheduler.start({ visibilitySeconds: 10 });
  t.after(() => scheduler.dispose());

  const start = Date.now() + LEAD_MS;
  const webhook = { type: "webhook", url: `${sink.url}/hook` };
  const handler = { type: "handler", name: "noop" };
  for (let from = 0; from < TASKS; from += BULK) {
    const items = Array.from({ length: BULK }, (_, at) => {
      const n = from + at;
      return { id: `t${n}`, time: start + Math.floor((n * SPREAD_MS) / TASKS), callback: n % WEBHOOK_EVERY === 0 ? webhook : handler };
    });
    const { status, body } = await scheduler.call("/v1/tasks/batch", { body: items });
    assert.equal(status, 200);
    assert.equal(body.accepted, BULK);
  }

  const wanted = TASKS / WEBHOOK_EVERY;
  const seen = new Map();
  let read = 0;
  const count = () => {
    for (; read < sink.webhooks.length; read++) {
      const { body, receivedAt } = sink.webhooks[read];
      assert.ok(receivedAt >= body.time, `${body.id} fired early`);
      seen.set(body.id, (seen.get(body.id) ?? 0) + 1);
    }
    return seen.size;
  };
  for (const share of [0.2, 0.6]) {
    await until(`${share} of the tasks`, () => count() >= wanted * share, { timeoutMs: 120_000 });
    await scheduler.kill();
    // The objects wake by their stored alarms. No request loads them before.
    await scheduler.restart();
  }
  await until(`every task (${wanted})`, () => count() === wanted, { timeoutMs: 180_000 });
  const done = await until("all to be reported", async () => {
    const { body } = await scheduler.call("/v1/stats");
    return body.pending === 0 && body.inFlight === 0 && body;
  }, { timeoutMs: 120_000, everyMs: 500 });
  for (let n = 0; n < TASKS; n += WEBHOOK_EVERY) assert.ok(seen.has(`t${n}`), `t${n} was lost`);
  // A firing is counted in the same commit, so a kill neither loses a count nor counts a firing
  // twice. A task that has failed, or was returned by a slow dispatcher, is fired again. A kill may
  // lose the count of the failure, and a return is not counted. Both are few.
  assert.ok(done.fired >= TASKS + done.failed && done.fired <= TASKS * 1.01, `${done.fired} fired, ${done.failed} failed`);
  assert.deepEqual((await scheduler.call("/v1/tasks")).body, { tasks: [], cursor: null, total: 0 });
  t.diagnostic(`${seen.size} webhooks, ${[...seen.values()].filter((times) => times > 1).length} of them more than once`);
});
