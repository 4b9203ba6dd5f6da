// How many envelopes a shard sends. The outer Worker counts them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";

/** Two firings of a shard are at least this far apart, in milliseconds (`fire_gap_millis` of the engine). */
const GAP = 100;

const counted = `
  const sent = [];
  const bindings = (env) => ({
    DISPATCH_QUEUE: around(env.DISPATCH_QUEUE, {
      sendBatch: async (messages) => {
        messages = [...messages];
        sent.push(...messages.map(() => Date.now()));
        return env.DISPATCH_QUEUE.sendBatch(messages);
      },
    }),
  });
  async function control() {
    return sent;
  }
`;

test("a shard that keeps up sends one envelope for each gap between its firings", async (t) => {
  const scheduler = await start(t, await folder(t), { parts: counted });
  const [count, apart] = [1_500, 2];
  const first = Date.now() + 1_000;
  const tasks = Array.from({ length: count }, (_, n) => ({ time: first + n * apart, callback: { type: "handler", name: "log" } }));
  for (let at = 0; at < count; at += 500) assert.equal((await scheduler.call("/v1/tasks/batch", tasks.slice(at, at + 500))).status, 200);
  await until("all to be fired", async () => (await scheduler.call("/v1/stats")).body.fired >= count);
  const sent = await scheduler.control("");
  const lasted = sent.at(-1) - sent[0];
  // An envelope was sent whenever the queue had answered, so there were hundreds.
  assert.ok(sent.length <= lasted / GAP + 3, `${sent.length} envelopes in ${lasted} ms`);
});
