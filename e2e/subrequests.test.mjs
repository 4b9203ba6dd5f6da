// An invocation may make few subrequests on the platform's free plan. The local runtime has no such limit, so the outer Worker
// refuses those beyond it, as the platform does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

/** Counts the subrequests of an invocation of the queue consumer or the watchdog. Locally, one of them runs at a time. */
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
  const objects = (namespace) => around(namespace, {
    getByName: (...of) => {
      const stub = namespace.getByName(...of);
      return { fetch: (url, init) => (current && count(new URL(url).pathname), stub.fetch(url, init)) };
    },
  });
  const bindings = (env) => ({ SHARDS: objects(env.SHARDS), REGISTRY: objects(env.REGISTRY) });
  const control = () => ({ most, byPath });
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
