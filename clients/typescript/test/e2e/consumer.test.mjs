// The consumer in the runtime of Workers, with a real queue, a D1 database and a Durable Object.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { until } from "../../../../e2e/harness.mjs";
import { bundle } from "./local.mjs";

let runtime;
before(async () => {
  const contents = await bundle("consumer");
  runtime = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      host: "127.0.0.1",
      workers: [
        {
          name: "consumer",
          compatibilityDate: "2026-11-17",
          modules: [{ type: "ESModule", path: "consumer.js", contents }],
          d1Databases: { DB: "seen" },
          durableObjects: { SEEN: { className: "Seen", useSQLite: true } },
          queueProducers: { QUEUE: "fired" },
          queueConsumers: { fired: { maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 3, retryDelay: 0 } },
        },
      ],
    }),
  );
  await runtime.ready;
});
after(() => runtime?.dispose());

const call = async (path, options) => (await runtime.dispatchFetch(`http://consumer.test/${path}`, options)).json();

for (const [name, forgets] of [["memory", false], ["object", true], ["d1", true]]) {
  test(`the store ${name} finds what was added, and forgets what is old`, async () => {
    const { found, kept, left } = await call(`exercise/${name}`);
    assert.deepEqual(found, [["a", "c"], 1000, []]);
    assert.equal(kept, 1);
    assert.equal(left, forgets ? 0 : 1001);
  });
}

test("of a message that is delivered again, only what failed runs again", async () => {
  const tasks = ["one", "fail", "two"].map((id) => ({ id, time: 1_764_000_000_000, callback: { type: "queue", queue: "QUEUE" } }));
  await call("send", { method: "POST", body: JSON.stringify({ v: 1, shard: "1-3", seq: 1, firedAt: 1_764_000_000_005, tasks }) });
  const ran = await until("the second delivery", async () => {
    const all = await call("ran");
    return all.includes("fail 2") && all;
  });
  assert.deepEqual(ran, ["one 1", "fail 1", "two 1", "fail 2"]);
});

test("a webhook is verified in a Worker", async () => {
  const key = Buffer.alloc(32, 1);
  const body = '{"id":"ü"}';
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = `v1,${createHmac("sha256", key).update(`a@5.${timestamp}.${body}`).digest("base64")}`;
  const headers = { "webhook-id": "a@5", "webhook-timestamp": String(timestamp), "webhook-signature": signature };
  const verify = (secret, sent) => call(`verify/whsec_${secret.toString("base64url")}`, { method: "POST", headers, body: sent });
  assert.deepEqual(await verify(key, body), { id: "ü" });
  assert.equal(await verify(key, `${body} `), "wrong-signature");
  assert.equal(await verify(Buffer.alloc(32, 2), body), "wrong-signature");
});
