// Tests a receiver that hangs. Other receivers do not wait for it, and none of its own runs is
// lost.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

/** The timeout of the hanging host's webhooks in seconds. */
const TIMEOUT_SECONDS = 10;

let scheduler;
let good;
/** Accepts connections and never answers, until it is closed and a sink takes its port. */
let hanging;
const sockets = new Set();

before(async () => {
  good = await startSink();
  hanging = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  hanging.unref();
  scheduler = await Scheduler.start({ shards: "1", sink: good.url, vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } });
});
after(async () => {
  await scheduler?.dispose();
  await Promise.all([good?.close(), closeHanging()]);
});

async function closeHanging() {
  for (const socket of sockets) socket.destroy();
  if (hanging?.listening) await new Promise((resolve) => hanging.close(resolve));
}

const hangingUrl = () => `http://127.0.0.1:${hanging.address().port}`;
const received = (path, by = good) => by.webhooks.filter((hook) => hook.path === path);
/** Creates webhooks to a URL that are all due at one instant, in a namespace. */
async function create(prefix, count, url, time, namespace) {
  const retry = { maxAttempts: 50, minBackoffSeconds: 1, factor: 1 };
  const callback = { type: "webhook", url, timeoutSeconds: TIMEOUT_SECONDS };
  const tasks = Array.from({ length: count }, (_, n) => ({ id: `${prefix}-${n}`, time, callback, retry }));
  const headers = namespace ? { "scheduler-namespace": namespace } : {};
  const made = await scheduler.call("/v1/tasks/batch", { body: tasks, headers });
  assert.equal(made.body.accepted, count, JSON.stringify(made.body));
}

let port;
test("30 webhooks to a host that hangs do not delay 5 to a good one, on one shard and at one instant", async () => {
  port = hanging.address().port;
  const time = Date.now() + 1_500;
  await create("hang", 30, `${hangingUrl()}/hang`, time);
  await create("good", 5, `${good.url}/good`, time);
  await until("the good ones", () => received("/good").length >= 5, { timeoutMs: 20_000 });
  const late = Math.max(...received("/good").map((hook) => hook.receivedAt)) - time;
  assert.ok(late < 2_000, `the good ones were ${late} ms late`);
});

test("once its circuit is open, due runs for it wait, give the reason, and delay nothing", async () => {
  const circuit = await until("the circuit to open", async () => {
    const { body } = await scheduler.call("/v1/stats");
    return body.circuits.find((of) => of.destination === hangingUrl() && of.waiting >= 20);
  });
  assert.ok(["open", "half-open"].includes(circuit.state) && circuit.failures >= 5, JSON.stringify(circuit));
  const explained = await until("a waiting run to give the reason", async () => {
    for (let n = 29; n >= 0; n--) {
      const { body } = await scheduler.call(`/v1/tasks/hang-${n}/explain`);
      if (body.reasons?.some((reason) => reason.code === "circuit-open")) return body;
    }
  });
  assert.equal(explained.status, "retrying");
});

test("another namespace waits for at most one attempt, and for none once the circuit is open", async () => {
  const made = await scheduler.call("/v1/namespaces/other", { method: "PUT", body: {} });
  assert.ok([200, 201].includes(made.status), JSON.stringify(made.body));
  const time = Date.now() + 1_000;
  await create("other", 5, `${good.url}/other`, time, "other");
  await until("the webhooks of the other namespace", () => received("/other").length >= 5, { timeoutMs: 30_000 });
  const late = Math.max(...received("/other").map((hook) => hook.receivedAt)) - time;
  // The local runtime delivers one batch at a time. A probe in flight at that moment holds the
  // batch for its timeout.
  assert.ok(late < (TIMEOUT_SECONDS + 2) * 1_000, `they were ${late} ms late`);
});

test("once the host answers again, every run arrives", async () => {
  await closeHanging();
  const back = await startSink(() => 200, port);
  try {
    const all = () => new Set(received("/hang", back).map((hook) => hook.body.id)).size === 30;
    await until("all 30", all, { timeoutMs: 120_000 });
    await until("the circuit to close", async () => (await scheduler.call("/v1/stats")).body.circuits.length === 0);
    const attempts = received("/hang", back).map((hook) => Number(hook.headers["scheduler-attempt"]));
    // Most have waited instead of running into the timeout, so this is their first attempt.
    assert.ok(attempts.filter((attempt) => attempt === 1).length >= 15, JSON.stringify(attempts));
  } finally {
    await back.close();
  }
});
