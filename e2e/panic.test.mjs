// A panic while shards wait in their alarm handlers. It ends the program of the isolate, and nobody ends the handlers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const COUNT = 40;

/** Starts a scheduler whose shards are all awake in their alarm handlers, and lets a handler panic. */
async function panicked(t) {
  const sink = await startSink();
  t.after(() => sink.close());
  const scheduler = await start(t, await folder(t), {
    parts: "",
    vars: { SHARD_MAP: "4", EXAMPLE_HANDLERS: "panics" },
  });
  // A shard whose next run is near stays awake until then.
  const busy = Array.from({ length: COUNT }, (_, n) => ({ id: `busy${n}`, everySeconds: 1, callback: { type: "webhook", url: `${sink.url}/busy` } }));
  assert.equal((await scheduler.call("/v1/tasks/batch", busy)).status, 200);
  await until("the tasks to run", () => sink.webhooks.length > 2 * COUNT);
  const bad = { id: "bad", delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: { type: "handler", name: "example-panic" } };
  assert.equal((await scheduler.call("/v1/tasks", bad)).status, 201);
  const last = () => Math.max(...sink.webhooks.map(({ receivedAt }) => receivedAt));
  await until("the shards to be silent", () => Date.now() - last() > 2_500);
  /** Waits until every task has run again, and returns how long that took. */
  const revived = async () => {
    const at = Date.now();
    const ids = () => new Set(sink.webhooks.filter(({ receivedAt }) => receivedAt > at).map(({ body }) => body.id));
    await until("every task to run again", () => ids().size === COUNT, { timeoutMs: 90_000 });
    return Date.now() - at;
  };
  return { ...scheduler, revived };
}

test("after a panic, a shard that waited in its alarm handler fires again within seconds, although nobody asks it", async (t) => {
  const { revived } = await panicked(t);
  const millis = await revived();
  t.diagnostic(`every task ran again ${millis} ms later`);
  // The queue delivers the panicking run again after some seconds. If that ends the next instance too, the guard of 25 seconds
  // has to pass twice.
  assert.ok(millis < 65_000, `${millis} ms`);
});

test("a request to such a shard, as the watchdog sends, makes it fire at once", async (t) => {
  const { revived, watchdog } = await panicked(t);
  const again = revived();
  await watchdog();
  const millis = await again;
  t.diagnostic(`every task ran again ${millis} ms after the watchdog's round`);
  assert.ok(millis < 15_000, `${millis} ms`);
});
