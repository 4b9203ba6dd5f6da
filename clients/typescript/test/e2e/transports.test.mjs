// The whole client on the real local runtime: over HTTP, over a service binding, and in the scheduler's own Worker.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { until } from "../../../../e2e/harness.mjs";
import { startSink } from "../../../../e2e/sink.mjs";
import { ROOT } from "../../../../scripts/paths.mjs";
import { SchedulerClient } from "../../src/client/index.ts";
import { consume, MemorySeenStore, verifyWebhook } from "../../src/consumer/index.ts";
import { bundle, startScheduler } from "./local.mjs";
import { scenario } from "./scenario.ts";

const KEY = "a key for the tests of the client";
const SIGNING_KEY = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

let sink;
let runtime;
let client;
let targets;
/** Whether the receiver at /broken fails. */
let isBroken = true;
before(async () => {
  sink = await startSink(({ path }) => (path === "/bad" || (path === "/broken" && isBroken) ? 410 : 200));
  const [binding, main] = await Promise.all(["binding", "same-worker"].map(bundle));
  const caller = {
    name: "caller",
    compatibilityDate: "2026-11-17",
    modules: [{ type: "ESModule", path: "caller.js", contents: binding }],
    bindings: { KEY },
    serviceBindings: { SCHEDULER: "durable-scheduler" },
  };
  runtime = await startScheduler({ vars: { API_KEYS: KEY, WEBHOOK_SIGNING_KEYS: SIGNING_KEY, WEBHOOK_SHARED_KEY_NAMESPACES: "*" }, sink: sink.url, main, workers: [caller] });
  client = new SchedulerClient({ url: runtime.url, apiKey: KEY });
  targets = { good: `${sink.url}/good`, bad: `${sink.url}/bad` };
});
after(async () => {
  await runtime?.stop();
  await sink?.close();
});

test("a scheduled task fires", async () => {
  const time = new Date(Date.now() + 500);
  const task = await client.scheduleTask({ id: "hello", time, payload: { hello: "world" }, callback: { type: "webhook", url: `${sink.url}/hello` } });
  assert.equal(task.status, "scheduled");
  const webhook = await until("the webhook", () => sink.webhooks.find((hook) => hook.path === "/hello"));
  assert.deepEqual(webhook.body.payload, { hello: "world" });
  assert.equal(webhook.body.time, time.getTime());
});

/** Operations that the scenario does not call: what the client does by another one, and what is about no task. */
const UNCALLED = new Set(["putTask", "streamTasks", "health", "describe", "listProblemTypes", "getProblemType", "mcp"]);

test("every method works over HTTP, and every operation of the API has one", async () => {
  const called = [];
  const noting = (request) => {
    called.push(`${request.method} ${new URL(request.url).pathname}`);
    return fetch(request);
  };
  await scenario(new SchedulerClient({ url: runtime.url, apiKey: KEY, fetch: noting }), "http", targets);
  const { paths } = JSON.parse(await readFile(join(ROOT, "coordinator/openapi.json"), "utf8"));
  for (const [path, methods] of Object.entries(paths)) {
    const pattern = path.replace("{id}", "[^/]+");
    for (const [method, { operationId }] of Object.entries(methods)) {
      if (operationId === undefined || UNCALLED.has(operationId)) continue;
      assert.ok(called.some((call) => new RegExp(`^${method} ${pattern}$`, "i").test(call)), operationId);
    }
  }
});

test("every method works over a service binding", async () => {
  const caller = await runtime.worker("caller");
  const answer = await caller.fetch("http://caller.test/", { method: "POST", body: JSON.stringify(targets) });
  assert.equal(await answer.text(), "done");
});

test("every method works in the scheduler's own Worker", async () => {
  const answer = await fetch(`${runtime.url}/scenario`, { method: "POST", body: JSON.stringify(targets) });
  assert.equal(await answer.text(), "done");
});

test("events are followed over the end of a connection", async () => {
  const stream = client.events({ tag: "followed" });
  const seen = [];
  const events = stream[Symbol.asyncIterator]();
  const first = events.next();
  await until("the stream to begin", () => stream.lastEventId);
  const task = { time: Date.UTC(2099, 0, 1), tags: ["followed"] };
  await client.scheduleTask({ ...task, id: "followed-1" });
  seen.push((await first).value.id);
  await events.return();
  // What happens in between is kept for a minute.
  await client.scheduleTask({ ...task, id: "followed-2" });
  const later = client.events({ tag: "followed" }, { lastEventId: stream.lastEventId });
  for await (const event of later) {
    if (event.id !== "followed-1") seen.push(event.id);
    if (event.id === "followed-2") break;
  }
  assert.deepEqual(seen, ["followed-1", "followed-2"]);
});

test("all dead letters of a namespace are replayed or discarded with one call", async () => {
  await client.namespaces.set("letters", {});
  const here = new SchedulerClient({ url: runtime.url, apiKey: KEY, namespace: "letters" });
  const letters = async (of) => (await of.deadLetters.list().toArray()).map(({ id }) => id).sort();
  const fail = async (of, ids) => {
    for (const id of ids) await of.scheduleTask({ id, delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: { type: "webhook", url: `${sink.url}/broken` } });
    return until("the dead letters", async () => {
      const found = await letters(of);
      return ids.every((id) => found.includes(id)) && found;
    });
  };
  assert.deepEqual(await fail(here, ["one", "three", "two"]), ["one", "three", "two"]);
  const others = await fail(client, ["elsewhere"]);

  isBroken = false;
  assert.deepEqual(await here.deadLetters.replay({ all: true }), { replayed: 3, done: true });
  await until("the replays", async () => (await here.runs({ outcome: "succeeded" }).toArray()).length === 3);
  assert.deepEqual(await letters(here), []);

  isBroken = true;
  await fail(here, ["four", "one"]);
  assert.deepEqual(await here.deadLetters.discard({ all: true }), { discarded: 2, done: true });
  assert.deepEqual(await letters(here), []);
  assert.deepEqual(await letters(client), others);
});

test("a wrong key is refused, and so is a stream with it", async () => {
  const stranger = new SchedulerClient({ url: runtime.url, apiKey: "wrong" });
  await assert.rejects(stranger.getTask("hello"), { type: "/problems/unauthorized", status: 401, requestId: /.+/ });
  await assert.rejects(stranger.events()[Symbol.asyncIterator]().next(), { type: "/problems/unauthorized" });
});

test("a webhook of the scheduler is verified", async () => {
  const { due } = await client.scheduleTask({ id: "signed.1", delayInSeconds: 0, payload: "ü", callback: { type: "webhook", url: `${sink.url}/signed` } });
  const { headers, text } = await until("the webhook", () => sink.webhooks.find((hook) => hook.path === "/signed"));
  const webhook = await verifyWebhook({ headers, body: text }, SIGNING_KEY);
  assert.equal(webhook.id, `signed%2E1@${due}`);
  assert.equal(webhook.namespace, "default");
  assert.equal(webhook.attempt, 1);
  assert.equal(webhook.json().payload, "ü");
  await assert.rejects(verifyWebhook({ headers, body: `${text} ` }, SIGNING_KEY), { reason: "wrong-signature" });
});

test("a message of the scheduler is consumed", async () => {
  await client.scheduleTask({ id: "queued", delayInSeconds: 0, payload: { n: 7 }, callback: { type: "queue", queue: "FIRED_TASKS" } });
  const body = await until("the message", () => sink.envelopes.find((envelope) => envelope.tasks.some(({ id }) => id === "queued")));
  const found = [];
  const ends = [];
  const message = { id: "1", attempts: 1, body: JSON.stringify(body), ack: () => ends.push("ack"), retry: () => ends.push("retry") };
  const handle = ({ id, payload }, { key, namespace }) => void (id === "queued" && found.push({ payload, key, namespace }));
  await consume({ messages: [message] }, handle, { seen: new MemorySeenStore() });
  const { time } = body.tasks.find(({ id }) => id === "queued");
  assert.deepEqual(found, [{ payload: { n: 7 }, key: `default:queued@${time}`, namespace: "default" }]);
  assert.deepEqual(ends, ["ack"]);
});
