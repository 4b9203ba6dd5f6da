// The client over HTTP on the real local runtime.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "../../../../e2e/harness.mjs";
import { startSink } from "../../../../e2e/sink.mjs";
import { SchedulerClient } from "../../src/client/index.ts";

let runtime;
let sink;
let client;
before(async () => {
  sink = await startSink();
  runtime = await Scheduler.start();
  client = new SchedulerClient({ url: runtime.url, apiKey: runtime.key });
});
after(async () => {
  await runtime?.dispose();
  await sink?.close();
});

test("a scheduled task fires", async () => {
  const task = await client.scheduleTask({ id: "hello", time: new Date(Date.now() + 500), payload: { hello: "world" }, callback: { type: "webhook", url: `${sink.url}/hello` } });
  assert.equal(task.status, "scheduled");
  assert.match(task.etag, /^".+"$/);
  const webhook = await until("the webhook", () => sink.webhooks.find((hook) => hook.path === "/hello"));
  assert.deepEqual(webhook.body.payload, { hello: "world" });
  assert.equal(webhook.body.time, task.time);
});
