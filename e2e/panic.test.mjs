// A panic of a handler, while shards wait in their alarm handlers. It ends the program of the isolate, and nobody ends the handlers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const BUSY = 40;
const GROUP = 20;

test("a handler that panics fails its attempts, the rest of its envelope runs, and all shards fire again within seconds", async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const { call, watchdog } = await start(t, await folder(t), { parts: "", vars: { SHARD_MAP: "4", EXAMPLE_HANDLERS: "panics" } });
  const arrivals = (path) => sink.webhooks.filter(({ path: at }) => at === path);
  const webhook = (path) => ({ type: "webhook", url: `${sink.url}${path}` });
  const panics = { type: "handler", name: "example-panic" };
  // A shard whose next run is near stays awake until then.
  const busy = Array.from({ length: BUSY }, (_, n) => ({ id: `busy${n}`, everySeconds: 1, callback: webhook("/busy") }));
  assert.equal((await call("/v1/tasks/batch", busy)).status, 200);
  await until("the tasks to run", () => arrivals("/busy").length > 2 * BUSY);

  const untilSilent = () => until("the shards to be silent", () => Date.now() - Math.max(...arrivals("/busy").map(({ receivedAt }) => receivedAt)) > 2_500);
  /** Waits until every task has run again, and returns how long that took. */
  const revived = async () => {
    const at = Date.now();
    const ids = () => new Set(arrivals("/busy").filter(({ receivedAt }) => receivedAt > at).map(({ body }) => body.id));
    await until("every task to run again", () => ids().size === BUSY, { timeoutMs: 90_000 });
    return Date.now() - at;
  };

  // The braces put these on one shard, so they share an envelope. The one that panics is among them.
  const time = Date.now() + 1_000;
  const group = Array.from({ length: GROUP }, (_, n) => ({ id: `{group}${n}`, time, callback: webhook("/group") }));
  const bad = { id: "{group}bad", time, retry: { maxAttempts: 2, minBackoffSeconds: 0.5, jitter: 0 }, callback: panics };
  assert.equal((await call("/v1/tasks/batch", [...group.slice(0, 10), bad, ...group.slice(10)])).status, 200);
  await untilSilent();
  const byThemselves = await revived();
  t.diagnostic(`every task ran again ${byThemselves} ms later, although nobody asked`);
  assert.ok(byThemselves < 40_000, `${byThemselves} ms`);

  await until("the rest of the envelope to run", () => new Set(arrivals("/group").map(({ body }) => body.id)).size === GROUP);
  const letter = await until("the dead letter", async () => (await call("/v1/dead-letters")).body.deadLetters.find(({ id }) => id === bad.id));
  assert.match(letter.error, /^the dispatcher ended while this ran: panicked at .*a handler panics on demand/);
  assert.equal(letter.attempt, 2);
  const { runs } = (await call(`/v1/tasks/${encodeURIComponent(bad.id)}/runs`)).body;
  assert.deepEqual(runs.map(({ outcome, attempt }) => [outcome, attempt]), [["dead-lettered", 2], ["failed", 1]]);
  // A task that ran beside the panic runs once more.
  assert.ok(arrivals("/group").length <= 2 * GROUP, `${arrivals("/group").length}`);

  // A request to a shard, as the watchdog sends, makes it fire at once.
  assert.equal((await call("/v1/tasks", { id: "bad", delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: panics })).status, 201);
  await untilSilent();
  const again = revived();
  await watchdog();
  const asked = await again;
  t.diagnostic(`every task ran again ${asked} ms after the watchdog's round`);
  assert.ok(asked < 9_000, `${asked} ms`);
});
