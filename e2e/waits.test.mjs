// Checks that everything else is served while tasks wait, whatever they wait for. No kind of
// waiting keeps its shard busy.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

let scheduler;
let sink;
/** The unanswered calls to paths below /slow. */
const hanging = [];
/** The paths whose calls are answered at once, because their test is over. */
const released = new Set();
before(async () => {
  sink = await startSink(({ path }) => {
    if (!path.startsWith("/slow") || released.has(path)) return 200;
    return new Promise((resolve) => hanging.push({ path, answer: () => resolve(200) }));
  });
  scheduler = await Scheduler.start({ shards: "1", sink: sink.url, vars: { MAX_DISPATCHED_TASKS: "6" } });
});
after(async () => {
  release();
  await scheduler?.dispose();
  await sink?.close();
});

/** Answers the calls that hang, and all later ones to their paths. */
function release() {
  for (const { path, answer } of hanging.splice(0)) {
    released.add(path);
    answer();
  }
}

const call = (path, options) => scheduler.call(path, options);
const webhook = (path) => ({ type: "webhook", url: `${sink.url}${path}`, timeoutSeconds: 60 });
const received = (path) => sink.webhooks.filter((hook) => hook.path === path).length;

async function create(count, id, more) {
  const tasks = Array.from({ length: count }, (_, n) => ({ id: `${id}-${n}`, ...more }));
  const { body } = await call("/v1/tasks/batch", { body: tasks });
  assert.equal(body.accepted, count, JSON.stringify(body));
}

async function limit(key, body) {
  const { status } = await call(`/v1/limits/${key}`, { method: "PUT", body });
  assert.ok(status === 200 || status === 201);
}

/** Measures for three seconds how fast the scheduler answers, and how many requests its shard handles. */
async function isServed(what) {
  const requests = async () => (await call("/v1/stats")).body.meter?.shardRequests ?? 0;
  const before = await requests();
  const times = [];
  const end = Date.now() + 3_000;
  while (Date.now() < end) {
    const begun = Date.now();
    assert.ok((await fetch(`${scheduler.url}/healthz`)).ok);
    times.push(Date.now() - begun);
    // This wait is the interval of the measurement, and not for an outcome.
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  times.sort((a, b) => a - b);
  assert.ok(times.length > 20, `${what}: ${times.length} answers in three seconds`);
  assert.ok(times[Math.floor(times.length / 2)] < 200, `${what}: half of the answers took longer than ${times[Math.floor(times.length / 2)]} ms`);
  assert.ok(times.at(-1) < 5_000, `${what}: an answer took ${times.at(-1)} ms`);
  const asked = (await requests()) - before;
  assert.ok(asked < 60, `${what}: the shard handled ${asked} requests and alarms in three seconds`);
}

const kinds = {
  "for a rate": async () => {
    await limit("rate", { perSecond: 0.2 });
    await create(2, "rate", { delayInSeconds: 0, limitKey: "rate", callback: webhook("/rate") });
    await until("one to run", () => received("/rate") > 0, { timeoutMs: 15_000 });
  },
  "for a rate that is new to the shard": async () => {
    await limit("slower", { perSecond: 0.01 });
    await create(3, "slower", { delayInSeconds: 0, limitKey: "slower", callback: webhook("/slower") });
  },
  "for a slot": async () => {
    await limit("slot", { concurrency: 1 });
    await create(3, "slot", { delayInSeconds: 0, limitKey: "slot", callback: webhook("/slow/slot") });
    await until("one to run", () => received("/slow/slot") === 1);
  },
  "for a slot and a rate": async () => {
    await limit("both", { concurrency: 1, perSecond: 0.5 });
    await create(3, "both", { delayInSeconds: 0, limitKey: "both", callback: webhook("/slow/both") });
    await until("one to run", () => received("/slow/both") === 1, { timeoutMs: 15_000 });
  },
  "for the run before": async () => {
    for (const overlap of ["skip", "queue-one"]) {
      const until = new Date(Date.now() + 8_000).toISOString();
      await call("/v1/tasks", { body: { id: overlap, everySeconds: 1, endAt: until, overlap, callback: webhook(`/slow/${overlap}`) } });
    }
    await until("one to be held", async () => (await call("/v1/tasks?status=held")).body.tasks.length === 1);
  },
  "to be resumed": async () => {
    await create(3, "paused", { delayInSeconds: 2, callback: webhook("/paused") });
    for (let n = 0; n < 3; n += 1) assert.equal((await call(`/v1/tasks/paused-${n}/pause`, { method: "POST" })).status, 200);
  },
  "for the dispatchers": async () => {
    await create(10, "many", { delayInSeconds: 0, callback: webhook("/slow/many") });
    await until("the highest number to run", async () => (await call("/v1/stats")).body.inFlight >= 6, { timeoutMs: 15_000 });
  },
  "for a quota": async () => {
    const quota = { pendingTasks: 2, createsPerSecond: 1 };
    assert.ok((await call("/v1/namespaces/full", { method: "PUT", body: { quota } })).status < 300);
    const headers = { "scheduler-namespace": "full" };
    const statuses = [];
    for (let n = 0; n < 4; n += 1) {
      statuses.push((await call("/v1/tasks", { body: { id: `q-${n}`, delayInSeconds: 600, callback: webhook("/never") }, headers })).status);
    }
    assert.ok(statuses.includes(429), statuses.join());
  },
};

// The kinds run one after the other, each while the tasks of the earlier ones still wait.
for (const [kind, prepare] of Object.entries(kinds)) {
  test(`everything else is served while tasks wait ${kind}`, async () => {
    await prepare();
    await isServed(kind);
    // The local runtime handles one batch of the dispatchers' queue at a time.
    await until("nothing to hang", async () => {
      release();
      return (await call("/v1/stats")).body.inFlight === 0;
    });
  });
}
