// An invocation may make few subrequests on the platform's free plan. The local runtime has no such limit, so the outer Worker
// refuses those beyond it, as the platform does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

/**
 * Counts the subrequests of an invocation of the queue consumer or the watchdog. Locally, one of them runs at a time. The queue keeps
 * its messages after `control("hold")`, and delivers them together after `control("release")`.
 */
const counting = (limit) => `
  let current, made = 0, most = 0;
  const byPath = {};
  function invoked(kind) {
    if (kind !== "fetch") [current, made] = [kind, 0];
  }
  function count(path) {
    made += 1;
    byPath[path] = (byPath[path] ?? 0) + 1;
    most = Math.max(most, made);
    if (made > ${limit}) throw new Error("Too many subrequests.");
  }
  const send = globalThis.fetch;
  globalThis.fetch = (...given) => {
    count("web");
    return send(...given);
  };
  // The test asks for these meanwhile, in invocations of their own.
  const isAsked = (path) => path === "/stats" || path === "/dead-letters";
  const objects = (namespace) => around(namespace, {
    getByName: (...of) => {
      const stub = namespace.getByName(...of);
      return { fetch: (url, init) => (current && !isAsked(new URL(url).pathname) && count(new URL(url).pathname), stub.fetch(url, init)) };
    },
  });
  let held;
  const queue = (of) => around(of, { sendBatch: async (messages) => (held ? held.push(...messages) : of.sendBatch(messages)) });
  const bindings = (env) => ({ SHARDS: objects(env.SHARDS), REGISTRY: objects(env.REGISTRY), DISPATCH_QUEUE: queue(env.DISPATCH_QUEUE) });
  async function control(name, env) {
    if (name === "hold") held = [];
    if (name === "release") {
      await env.DISPATCH_QUEUE.sendBatch(held);
      held = undefined;
    }
    return { most, byPath, held: held?.length };
  }
`;

test("an envelope of 60 webhooks runs each once within 50 subrequests, and no attempt is counted twice", async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  const { call, control } = await start(t, await folder(t), { parts: counting(50), vars: { SUBREQUESTS: "50" } });
  const tasks = Array.from({ length: 60 }, (_, n) => ({ id: `w${n}`, delayInSeconds: 1, callback: { type: "webhook", url: `${sink.url}/${n}` } }));
  assert.equal((await call("/v1/tasks/batch", tasks)).status, 200);
  await until("all to succeed", async () => (await call("/v1/stats")).body.succeeded === 60, { timeoutMs: 60_000 });
  assert.deepEqual(sink.webhooks.map(({ path }) => path).sort(), tasks.map((_, n) => `/${n}`).sort());
  for (const { headers } of sink.webhooks) assert.equal(headers["scheduler-attempt"], "1");
  const { most, byPath } = await control("");
  assert.ok(most <= 50, `${most} subrequests`);
  assert.ok(byPath["/report"] >= 2, "it took more than one invocation");
});

test("webhooks without an answer take one subrequest each, so a few invocations are enough for them", async (t) => {
  // Each has a destination of its own, so that none of them is given up early.
  const hosts = Array.from({ length: 60 }, (_, n) => `127.0.1.${n + 1}`);
  const { call, control } = await start(t, await folder(t), { parts: counting(50), vars: { SUBREQUESTS: "50", WEBHOOK_ALLOWED_HOSTS: hosts.join() } });
  const tasks = hosts.map((host) => ({ delayInSeconds: 1, retry: { maxAttempts: 1 }, callback: { type: "webhook", url: `http://${host}:1/` } }));
  assert.equal((await call("/v1/tasks/batch", tasks)).status, 200);
  await until("all to have failed", async () => (await call("/v1/dead-letters?limit=100")).body.deadLetters.length === 60, { timeoutMs: 60_000 });
  const { most, byPath } = await control("");
  assert.ok(most <= 50, `${most} subrequests`);
  assert.ok(byPath["/report"] <= 3, `${byPath["/report"]} reports`);
});

test("an invocation takes no more envelopes than it can report", async (t) => {
  const sink = await startSink();
  t.after(() => sink.close());
  // The local queue delivers up to ten messages at once. What comes back to it is delivered again at once.
  const change = (options) => {
    for (const consumer of Object.values(options.queueConsumers)) Object.assign(consumer, { maxBatchSize: 10, maxBatchTimeout: 1, retryDelay: 0 });
    return options;
  };
  const { call, control } = await start(t, await folder(t), { parts: counting(10), change, vars: { SUBREQUESTS: "10" } });
  await control("hold");
  // Firings are at least 100 ms apart, and each of them is an envelope.
  const tasks = Array.from({ length: 10 }, (_, n) => ({ id: `e${n}`, delayInSeconds: 0.5 + n * 0.2, callback: { type: "webhook", url: `${sink.url}/${n}` } }));
  assert.equal((await call("/v1/tasks/batch", tasks)).status, 200);
  await until("ten envelopes", async () => (await control("")).held === 10);
  await control("release");
  await until("all to succeed", async () => (await call("/v1/stats")).body.succeeded === 10, { timeoutMs: 60_000 });
  assert.deepEqual(sink.webhooks.map(({ path }) => path).sort(), tasks.map((_, n) => `/${n}`).sort());
  const { most } = await control("");
  assert.ok(most <= 10, `${most} subrequests`);
});

test("the watchdog asks 24 shards in a round of the free plan", async (t) => {
  // The rounds 0 and 1 are in full, and look for tasks of handlers too.
  const vars = { SUBREQUESTS: "50", SHARD_MAP: "40", EXAMPLE_HANDLERS: "2" };
  const { control, watchdog } = await start(t, await folder(t), { parts: counting(50), vars });
  for (const [round, of] of [[0, 10], [1, 10], [2, 0]]) {
    const before = (await control("")).byPath;
    await watchdog(round);
    const { most, byPath } = await control("");
    assert.ok(most <= 50, `${most} subrequests`);
    // 40 shards take two rounds. Half of the shards of a round take another full turn to be looked through.
    const asked = (path) => (byPath[path] ?? 0) - (before[path] ?? 0);
    assert.deepEqual([asked("/watch"), asked("/list")], [20, of], `round ${round}`);
  }
});
