// Tests firing on the real local runtime: to webhooks, handlers and a user's own consumer, with
// retries and dead letters.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

/** The sink's answers to webhooks, by path. */
const answers = new Map();
useScheduler({}, ({ path }) => answers.get(path)?.() ?? 200);

const call = (path, options) => scheduler.call(path, options);
const webhook = (path, more) => ({ type: "webhook", url: `${sink.url}${path}`, ...more });
const received = (path) => sink.webhooks.filter((hook) => hook.path === path);
const fired = (id) => sink.envelopes.flatMap((envelope) => envelope.tasks).filter((task) => task.id === id);
const dead = async () => (await call("/v1/tasks?status=dead-lettered")).body.tasks;

test("a webhook receives the task, its headers and the key that identifies repeats, not before its time", async () => {
  const { body: task } = await call("/v1/tasks", {
    body: { id: "hook", delayInSeconds: 0.5, payload: { a: 1 }, callback: webhook("/hook", { headers: { "x-mine": "yes" } }) },
  });
  const [hook] = await until("the webhook", () => received("/hook").length > 0 && received("/hook"));
  assert.ok(hook.receivedAt >= task.due);
  assert.equal(hook.headers["idempotency-key"], `hook@${task.due}`);
  assert.equal(hook.headers["x-mine"], "yes");
  assert.equal(hook.headers["content-type"], "application/json");
  assert.equal(hook.headers["webhook-signature"], undefined, "not signed without keys");
  assert.deepEqual(hook.body.payload, { a: 1 });
  assert.equal(hook.body.time, task.due);
  await until("the task to be done", async () => (await call("/v1/tasks/hook")).status === 404);
  assert.equal(received("/hook").length, 1);
});

test("a user's own consumer receives envelopes", async () => {
  const callback = { type: "queue", queue: "FIRED_TASKS" };
  const items = Array.from({ length: 500 }, (_, n) => ({ id: `own-${n}`, delayInSeconds: 1, callback }));
  await call("/v1/tasks/batch", { body: items });
  await until("all to arrive", () => items.every(({ id }) => fired(id).length > 0));
  for (const { id } of items) assert.equal(fired(id).length, 1, id);
  const of = sink.envelopes.filter((envelope) => envelope.tasks.some((task) => task.id.startsWith("own-")));
  assert.ok(of.length < 100, `many tasks share an envelope: ${of.length}`);
  for (const envelope of of) {
    assert.equal(envelope.v, 1);
    for (const task of envelope.tasks) assert.ok(envelope.firedAt >= task.time);
  }
});

test("a recurring task fires each time, until it is cancelled", async () => {
  await call("/v1/tasks", { body: { id: "every", cron: "* * * * * *", callback: { type: "queue", queue: "FIRED_TASKS" } } });
  await until("three runs", () => fired("every").length >= 3);
  assert.equal((await call("/v1/tasks/every", { method: "DELETE" })).status, 200);
  const times = fired("every").map((task) => task.time);
  for (let n = 1; n < times.length; n++) assert.equal(times[n] - times[n - 1], 1000);
});

test("an interval fires from its start, within its jitter, up to its number of runs, and is gone", async () => {
  const startAt = Date.now() + 2_000;
  const callback = { type: "queue", queue: "FIRED_TASKS" };
  const body = { id: "beat", everySeconds: 1.1, startAt, maxRuns: 4, jitterSeconds: 0.4, callback };
  const made = await call("/v1/tasks", { body });
  assert.equal(made.status, 201);
  assert.equal(made.body.finalRun, startAt + 3_300);
  assert.deepEqual((await call("/v1/tasks?kind=every")).body.tasks.map((task) => task.id), ["beat"]);
  assert.deepEqual((await call("/v1/tasks?kind=cron")).body.tasks, []);
  await until("the task to have ended", async () => (await call("/v1/tasks/beat")).status === 404);
  await until("all runs", () => fired("beat").length >= 4);
  assert.deepEqual(fired("beat").map((task) => task.time), [0, 1_100, 2_200, 3_300].map((after) => startAt + after));
  assert.equal((await call("/v1/stats")).body.schedules, 0);
});

test("tasks with overlapping windows fire together, none before its time", async () => {
  const callback = { type: "queue", queue: "FIRED_TASKS" };
  const now = Date.now();
  // Ids in braces are on one shard. Without the windows there are 40 firings; with them, there is
  // one for each instant to which they are rounded.
  const items = Array.from({ length: 40 }, (_, n) => ({ id: `{window}-${n}`, time: now + 1_000 + n * 100, windowSeconds: 8, callback }));
  const before = (await call("/v1/stats")).body.meter.firingsSaved;
  await call("/v1/tasks/batch", { body: items });
  await until("all to arrive", () => items.every(({ id }) => fired(id).length > 0));
  const of = sink.envelopes.filter((envelope) => envelope.tasks.some((task) => task.id.startsWith("{window}-")));
  for (const envelope of of) for (const task of envelope.tasks) assert.ok(envelope.firedAt >= task.time);
  assert.ok((await call("/v1/stats")).body.meter.firingsSaved - before >= 36);
});

test("a failed webhook is retried until it succeeds, and its neighbors run once", async () => {
  let left = 2;
  answers.set("/flaky", () => (left-- > 0 ? 503 : 200));
  const retry = { minBackoffSeconds: 0.2, jitter: 0, maxAttempts: 5 };
  const items = [
    { id: "flaky", delayInSeconds: 0.5, retry, callback: webhook("/flaky") },
    ...Array.from({ length: 20 }, (_, n) => ({ id: `calm-${n}`, delayInSeconds: 0.5, callback: webhook(`/calm-${n}`) })),
  ];
  await call("/v1/tasks/batch", { body: items });
  await until("the third attempt", () => received("/flaky").length === 3);
  const attempts = received("/flaky");
  assert.deepEqual(attempts.map((hook) => hook.headers["scheduler-attempt"]), ["1", "2", "3"]);
  assert.equal(new Set(attempts.map((hook) => hook.headers["idempotency-key"])).size, 1);
  assert.match(attempts[2].headers["scheduler-last-error"], /HTTP 503/);
  assert.deepEqual(attempts[2].body, attempts[0].body);
  assert.ok(attempts[2].receivedAt - attempts[1].receivedAt >= 400, "the second wait is twice the first");
  await until("all to be done", async () => (await call("/v1/stats")).body.inFlight === 0);
  for (let n = 0; n < 20; n++) assert.equal(received(`/calm-${n}`).length, 1, `calm-${n}`);
});

test("a task that fails permanently is a dead letter, which can be found and discarded", async () => {
  answers.set("/broken", () => 500);
  answers.set("/gone", () => 410);
  const retry = { minBackoffSeconds: 0.1, maxAttempts: 2 };
  await call("/v1/tasks", { body: { id: "broken", delayInSeconds: 0, retry, callback: webhook("/broken") } });
  await call("/v1/tasks", { body: { id: "gone", delayInSeconds: 0, retry, callback: webhook("/gone") } });
  await until("two dead letters", async () => (await dead()).length === 2);
  assert.equal(received("/broken").length, 2);
  assert.equal(received("/gone").length, 1, "410 is final");
  const { body: letter } = await call("/v1/tasks/broken");
  assert.equal(letter.status, "dead-lettered");
  assert.equal(letter.attempt, 2);
  assert.match(letter.error, /HTTP 500/);
  assert.equal((await call("/v1/stats")).body.deadLetters, 2);
  assert.equal((await call("/v1/tasks/broken", { method: "DELETE" })).status, 200);
  assert.deepEqual((await dead()).map((task) => task.id), ["gone"]);
});

test("a task that waits for another attempt can be cancelled", async () => {
  answers.set("/later", () => 500);
  await call("/v1/tasks", { body: { id: "later", delayInSeconds: 0, retry: { minBackoffSeconds: 3600 }, callback: webhook("/later") } });
  await until("it to wait", async () => (await call("/v1/tasks/later")).body.status === "retrying");
  assert.equal((await call("/v1/tasks/later", { method: "DELETE" })).status, 200);
  assert.equal((await call("/v1/tasks/later")).status, 404);
});

test("a slow webhook times out", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  answers.set("/slow", () => held.then(() => 200));
  const callback = webhook("/slow", { timeoutSeconds: 1 });
  await call("/v1/tasks", { body: { id: "slow", delayInSeconds: 0, retry: { maxAttempts: 1 }, callback } });
  await until("it to be called", () => received("/slow").length === 1);
  assert.equal((await call("/v1/tasks/slow")).body.status, "running");
  await until("it to time out", async () => (await call("/v1/tasks/slow")).body.status === "dead-lettered");
  assert.match((await call("/v1/tasks/slow")).body.error, /timed out/);
  release();
});
