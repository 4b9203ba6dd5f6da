// A panic of a handler, while shards wait in their alarm handlers. It ends the program of the isolate, and its hook settles what is left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const BUSY = 40;
const GROUP = 20;

// The periods that this test derives its bounds from, in milliseconds.
/** A busy task runs this often. */
const PERIOD = 1_000;
/** The wait between the alarm and the reset of a shard: `STORED` in platform/src/rebirth.rs. */
const RESET = 200;
/** How long a shard whose program has ended is silent before its guard resets it: `GUARD` in shard/src/shell.rs. */
const GUARD = 10_000;
/** The start of the program and of four shards, and the runs of the busy tasks, on a machine with other work. */
const START = 3_000;

/** The tasks of a shard that is reset at once are silent for a reset and a period. A second end may follow before they have run. */
const AT_ONCE = 2 * (RESET + PERIOD + START);
/** A guard counts from the end of a wait, which is a period at most. */
const BY_GUARD = PERIOD + GUARD + AT_ONCE;
assert.ok(AT_ONCE < GUARD);

/** `/control/deaf` lets each shard that is in memory ignore its next reset, as if the runtime did not continue a promise in the event that has created it. */
const DEAF = `
  let deafened = 0;
  const state = (state) => {
    let heard = deafened;
    return { abort: (reason) => (heard === deafened ? state.abort(reason) : void (heard = deafened)) };
  };
  const control = () => void deafened++;`;

test("a handler that panics fails its attempts, the rest of its envelope runs, and all shards fire again at once", async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const { call, control } = await start(t, await folder(t), { parts: DEAF, vars: { SHARD_MAP: "4", EXAMPLE_HANDLERS: "panics" } });
  const arrivals = (path) => sink.webhooks.filter(({ path: at }) => at === path);
  const webhook = (path) => ({ type: "webhook", url: `${sink.url}${path}` });
  // A shard whose next run is near stays awake until then.
  const busy = Array.from({ length: BUSY }, (_, n) => ({ id: `busy${n}`, everySeconds: PERIOD / 1_000, callback: webhook("/busy") }));
  assert.equal((await call("/v1/tasks/batch", busy)).status, 200);
  await until("the tasks to run", () => arrivals("/busy").length > 2 * BUSY);

  /** Runs a task that panics twice, with others in its first envelope. Returns the path of its runs once both attempts have failed. */
  const panicTwice = async (name, others) => {
    // The braces put these on one shard, so they share an envelope. The one that panics is among them.
    const time = Date.now() + 1_000;
    const group = Array.from({ length: others }, (_, n) => ({ id: `{group}${name}${n}`, time, callback: webhook(`/${name}`) }));
    const bad = { id: `{group}${name}`, time, retry: { maxAttempts: 2, minBackoffSeconds: 0.5, jitter: 0 }, callback: { type: "handler", name: "example-panic" } };
    assert.equal((await call("/v1/tasks/batch", [...group.slice(0, others / 2), bad, ...group.slice(others / 2)])).status, 200);
    const runs = `/v1/tasks/${encodeURIComponent(bad.id)}/runs`;
    await until("both attempts to fail", async () => (await call(runs)).body.runs.length === 2);
    return runs;
  };
  /** Waits until every busy task has run again. Sends nothing to any shard. */
  const revived = async () => {
    const at = Date.now();
    const ids = () => new Set(arrivals("/busy").filter(({ receivedAt }) => receivedAt > at).map(({ body }) => body.id));
    await until("every task to run again", () => ids().size === BUSY, { timeoutMs: 30_000 + BY_GUARD });
  };
  /** The longest silence of any busy task since a time. */
  const silence = (since) => {
    const times = new Map(busy.map(({ id }) => [id, [since]]));
    for (const { receivedAt, body } of arrivals("/busy").filter(({ receivedAt }) => receivedAt > since)) times.get(body.id).push(receivedAt);
    return Math.max(...[...times.values()].flatMap((at) => at.slice(1).map((time, n) => time - at[n])));
  };

  let since = Date.now();
  const { body } = await call(await panicTwice("panicked", GROUP));
  await revived();
  t.diagnostic(`no task was silent for more than ${silence(since)} ms around two panics`);
  assert.ok(silence(since) < AT_ONCE, `${silence(since)} ms`);
  assert.deepEqual(body.runs.map(({ outcome, attempt }) => [outcome, attempt]), [["dead-lettered", 2], ["failed", 1]]);
  for (const { error } of body.runs) assert.match(error, /^the dispatcher ended while this ran: panicked at .*a handler panics on demand/);
  await until("the rest of the envelope to run", () => new Set(arrivals("/panicked").map(({ body }) => body.id)).size === GROUP);
  // A task that ran beside the panic runs once more.
  assert.ok(arrivals("/panicked").length <= 2 * GROUP, `${arrivals("/panicked").length}`);

  // If nothing else resets the shards, their guards do.
  since = Date.now();
  await control("deaf");
  await panicTwice("unnoticed", 0);
  await revived();
  t.diagnostic(`no task was silent for more than ${silence(since)} ms when only guards reset most shards`);
  assert.ok(silence(since) >= GUARD && silence(since) < BY_GUARD, `${silence(since)} ms`);
});

/** Requests of the watchdog to shards wait after `/control/hold`, until `/control/release`. */
const HELD = `
  let isHeld = false;
  let waiting = 0;
  const bindings = (env) => ({
    SHARDS: around(env.SHARDS, {
      getByName: (...name) => ({
        async fetch(url, init) {
          if (isHeld && new URL(url).pathname === "/watch") waiting += 1;
          while (isHeld && new URL(url).pathname === "/watch") await new Promise((resolve) => setTimeout(resolve, 20));
          return env.SHARDS.getByName(...name).fetch(url, init);
        },
      }),
    }),
  });
  const control = (name) => {
    if (name !== "waiting") isHeld = name === "hold";
    return waiting;
  };`;

/** Creates a task whose handler panics. */
async function panicOnce(call, id) {
  const bad = { id, delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: { type: "handler", name: "example-panic" } };
  assert.equal((await call("/v1/tasks", bad)).status, 201);
}

test("an open event stream ends when a handler panics, and its reader goes on from its last event", async (t) => {
  const { call, url } = await start(t, await folder(t), { parts: "", vars: { SHARD_MAP: "2", EXAMPLE_HANDLERS: "panics" } });
  const text = { stream: "" };
  const read = async (lastEventId) => {
    const headers = { authorization: "Bearer key", ...(lastEventId && { "last-event-id": lastEventId }) };
    const response = await fetch(`${url}/v1/events?type=created`, { headers });
    assert.equal(response.status, 200);
    const decoder = new TextDecoder();
    for await (const chunk of response.body) text.stream += decoder.decode(chunk, { stream: true });
  };
  const ids = () => [...text.stream.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
  const create = (id) => call("/v1/tasks", { id, delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } });
  const first = read().then(() => "ended", (problem) => problem);
  await until("the stream to begin", () => ids().length > 0);
  await create("before");
  await until("the event", () => text.stream.includes('"before"'));
  await panicOnce(call, "bad");
  const since = Date.now();
  // Nobody asks the shards for anything meanwhile.
  const end = await Promise.race([first, new Promise((resolve) => setTimeout(() => resolve("open"), BY_GUARD).unref())]);
  t.diagnostic(`the stream ended ${Date.now() - since} ms after the panic was due: ${end}`);
  assert.notEqual(end, "open");
  const second = read(ids().at(-1)).catch((problem) => problem);
  await until("the second stream", () => text.stream.match(/^retry: /gm).length === 2);
  // A shard that has outlived its program may be reset once more, which the reader learns from a `gap`.
  let created = 0;
  await until("a further event", async () => {
    await create(`after-${created++}`);
    return text.stream.includes('"after-');
  });
  // The runtime ends with the test, and with it the stream.
  second.catch(() => {});
});

test("a round of the watchdog that is open when a handler panics fails, and the next one works", async (t) => {
  const { call, control, watchdog } = await start(t, await folder(t), { parts: HELD, vars: { SHARD_MAP: "2", EXAMPLE_HANDLERS: "panics" } });
  await control("hold");
  const round = watchdog(1).then(() => "done", (problem) => problem);
  await until("both shards to be asked", async () => (await control("waiting")) === 2);
  await panicOnce(call, "bad");
  await until("the attempt to fail", async () => (await call("/v1/tasks/bad/runs")).body.runs.length === 1);
  await control("release");
  assert.match(`${await round}`, /watchdog: 500/);
  await watchdog(2);
});
