// Tests follow-ups of runs on the real local runtime: what is called, with what, and how often.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

/** The options of the scheduler. A test changes them before a restart. */
const options = { shards: "2", visibilitySeconds: 3, vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } };
/** The sink's answers, by path. */
const answers = new Map();

useScheduler(options, (request) => answers.get(request.path)?.(request));

const at = (id, rest = "") => `/v1/tasks/${encodeURIComponent(id)}${rest}`;
const webhook = (path, more) => ({ type: "webhook", url: `${sink.url}${path}`, ...more });
const received = (path) => sink.webhooks.filter((hook) => hook.path === path);
const first = (path) => until(`a request to ${path}`, () => received(path)[0]);
const get = async (id) => (await scheduler.call(at(id))).body;
const done = (id) => until(`${id} to be done`, async () => (await scheduler.call(at(id))).status === 404);
const dead = (id) => until(`${id} to be a dead letter`, async () => (await get(id)).status === "dead-lettered" && get(id));
const fromQueue = (id) => sink.envelopes.flatMap((envelope) => envelope.tasks).filter((task) => task.id === id);
const ONCE = { maxAttempts: 1 };

async function create(task) {
  const { status, body } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 0, ...task } });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

/** Returns the runs once there are `count`: stage, attempt and outcome, oldest first. */
const known = (id, count) =>
  until(`${count} runs of ${id}`, async () => {
    const { runs } = (await scheduler.call(at(id, "/runs"))).body;
    return runs.length >= count && runs.map((run) => [run.stage, run.attempt, run.outcome]).reverse();
  });

test("a run that succeeds is followed by onSuccess, which receives the outcome", async () => {
  let left = 1;
  answers.set("/unsteady", () => (left-- > 0 ? 503 : 204));
  const task = { id: "order 1", payload: { n: 1 }, tags: ["x"], retry: { minBackoffSeconds: 0.1, jitter: 0 } };
  const { due } = await create({
    ...task,
    callback: webhook("/unsteady"),
    onSuccess: webhook("/succeeded", { headers: { "x-mine": "yes" } }),
    onFailure: webhook("/never"),
  });
  const hook = await first("/succeeded");
  const { outcome, callback, createdAt, ...rest } = hook.body;
  assert.ok(createdAt <= due, hook.text);
  assert.deepEqual(rest, { time: due, ...task, stage: "onSuccess" });
  assert.equal(callback.url, `${sink.url}/succeeded`);
  const { firedAt, startedAt, finishedAt, reportedAt, ...result } = outcome;
  assert.deepEqual(result, { time: due, attempt: 2, outcome: "succeeded", status: 204 });
  assert.ok(due <= firedAt && firedAt <= startedAt && startedAt <= finishedAt && finishedAt <= reportedAt, hook.text);
  assert.deepEqual(
    [hook.headers["idempotency-key"], hook.headers["x-mine"], received("/unsteady")[0].headers["idempotency-key"]],
    [`order%201@${due}/onSuccess`, "yes", `order%201@${due}`],
  );
  await done("order 1");
  assert.deepEqual(await known("order 1", 3), [[undefined, 1, "failed"], [undefined, 2, "succeeded"], ["onSuccess", 1, "succeeded"]]);
  assert.deepEqual([received("/succeeded").length, received("/never").length], [1, 0]);
});

test("a run that fails permanently is followed by onFailure, and stays a dead letter", async () => {
  answers.set("/broken", () => ({ status: 500, body: "out of order" }));
  const callback = webhook("/broken");
  const { due } = await create({ id: "to-queue", retry: ONCE, callback, onFailure: { type: "queue", queue: "FIRED_TASKS" } });
  await create({ id: "to-handler", retry: ONCE, callback, onFailure: { type: "handler", name: "log" } });
  await create({ id: "own-body", retry: ONCE, callback, onFailure: webhook("/pager", { method: "PUT", body: { page: 1 } }) });
  await create({ id: "to-object", retry: ONCE, callback, onSuccess: webhook("/never"), onFailure: { type: "durable-object", binding: "COUNTERS", name: "failures", path: "/" } });
  const [task] = await until("the queue's consumer", () => fromQueue("to-queue").length > 0 && fromQueue("to-queue"));
  assert.deepEqual([task.stage, task.time, task.onFailure], ["onFailure", due, undefined]);
  const { outcome, status, error, excerpt } = task.outcome;
  assert.deepEqual([outcome, status, error], ["dead-lettered", 500, `HTTP 500 from ${sink.url}/broken: out of order`]);
  assert.equal(excerpt, "out of order");
  assert.deepEqual(await known("to-queue", 2), [[undefined, 1, "dead-lettered"], ["onFailure", 1, "handed-over"]]);
  assert.deepEqual(await known("to-handler", 2), [[undefined, 1, "dead-lettered"], ["onFailure", 1, "succeeded"]]);
  const page = await first("/pager");
  assert.deepEqual([page.method, page.body], ["PUT", { page: 1 }]);
  assert.equal((await first("/object/failures/")).body.stage, "onFailure");
  for (const id of ["to-queue", "to-handler", "own-body", "to-object"]) {
    const letter = await dead(id);
    assert.equal(letter.error, `HTTP 500 from ${sink.url}/broken: out of order`);
    assert.ok(letter.onFailure && letter.stage === undefined, JSON.stringify(letter));
  }
  assert.equal(received("/never").length, 0);
});

test("a follow-up has attempts of its own, is kept if it fails permanently, and can be replayed", async () => {
  const down = new Set(["/told"]);
  answers.set("/told", () => (down.has("/told") ? 500 : 200));
  await create({ id: "untold", retry: { maxAttempts: 2, minBackoffSeconds: 0.1 }, callback: webhook("/fine"), onSuccess: webhook("/told") });
  const letter = await dead("untold");
  assert.deepEqual([letter.stage, letter.attempt, letter.outcome.outcome], ["onSuccess", 2, "succeeded"]);
  const patched = await scheduler.call(at("untold"), { method: "PATCH", body: { payload: 1 } });
  const moved = await scheduler.call(at("untold", "/reschedule"), { body: { delayInSeconds: 1 } });
  assert.deepEqual([patched.status, moved.status], [409, 409]);
  const listed = (await scheduler.call("/v1/tasks?status=dead-lettered&prefix=untold")).body.tasks;
  assert.deepEqual(listed.map((task) => task.stage), ["onSuccess"]);
  down.clear();
  assert.equal((await scheduler.call(at("untold", "/run"), { method: "POST" })).status, 200);
  await done("untold");
  assert.equal(received("/told").length, 3);
  assert.equal(received("/fine").length, 1);
  assert.equal(new Set(received("/told").map((hook) => hook.headers["idempotency-key"])).size, 1);
});

test("a dead letter that is replayed and succeeds is followed by onSuccess", async () => {
  let status = 500;
  answers.set("/repaired", () => status);
  const follow = { onSuccess: webhook("/up-again"), onFailure: webhook("/went-down") };
  await create({ id: "replayed", retry: ONCE, callback: webhook("/repaired"), ...follow });
  await first("/went-down");
  await dead("replayed");
  status = 200;
  await scheduler.call(at("replayed", "/run"), { method: "POST" });
  const hook = await first("/up-again");
  assert.deepEqual([hook.body.outcome.outcome, hook.body.replayedAt], ["succeeded", undefined]);
  await done("replayed");
  assert.deepEqual([received("/went-down").length, received("/up-again").length], [1, 1]);
});

test("a run that never started is followed by onFailure, and a skipped run by nothing", async () => {
  const late = { delayInSeconds: undefined, time: Date.now() - 60_000, callback: webhook("/too-late"), onSuccess: webhook("/never") };
  await create({ ...late, id: "skipped", misfire: { policy: "skip", graceSeconds: 1 }, onFailure: webhook("/never") });
  await create({ ...late, id: "missed", misfire: { policy: "dead-letter", graceSeconds: 1 }, onFailure: webhook("/missed") });
  await create({ ...late, id: "expired", expireAfterSeconds: 5, onFailure: webhook("/expired") });
  for (const [id, outcome] of [["missed", "dead-lettered"], ["expired", "expired"]]) {
    const { body, headers } = await first(`/${id}`);
    assert.deepEqual([body.stage, body.outcome.outcome, body.outcome.startedAt], ["onFailure", outcome, undefined]);
    assert.match(body.outcome.error, new RegExp(`^${id}: it would have `));
    assert.deepEqual([body.misfire, body.expireAfterSeconds], [undefined, undefined]);
    assert.equal(headers["idempotency-key"], `${id}@${late.time}/onFailure`);
    assert.deepEqual(await known(id, 2), [[undefined, 1, outcome], ["onFailure", 1, "succeeded"]]);
  }
  assert.deepEqual(await known("skipped", 1), [[undefined, 1, "skipped"]]);
  assert.deepEqual([received("/too-late").length, received("/never").length], [0, 0]);
});

test("an envelope that is run and reported twice has one follow-up", async () => {
  // This takes longer than the shard waits for the report. So the shard sends the envelope again,
  // and both runs are reported.
  let slow = 1;
  answers.set("/slow", () => (slow-- > 0 ? new Promise((resolve) => setTimeout(resolve, 5_000, 200)) : 200));
  await create({ id: "slow", callback: webhook("/slow", { timeoutSeconds: 20 }), onSuccess: webhook("/after-slow") });
  await until("the second run", () => received("/slow").length === 2);
  await first("/after-slow");
  // The local queue delivers one batch at a time, so a later task is reported after the second
  // report.
  await create({ id: "later", callback: webhook("/later"), onSuccess: webhook("/after-later") });
  await first("/after-later");
  await done("slow");
  assert.equal(received("/after-slow").length, 1);
});

test("each run of a recurring task has a follow-up, and follow-ups are shown, changed and checked", async () => {
  const onSuccess = webhook("/each");
  await create({ id: "recurring", delayInSeconds: undefined, everySeconds: 1, maxRuns: 2, callback: { type: "handler", name: "noop" }, onSuccess });
  await until("both", () => received("/each").length === 2);
  const [one, two] = received("/each").map((hook) => hook.body.time);
  assert.equal(two - one, 1_000);
  await done("recurring");

  const made = await create({ id: "shown", delayInSeconds: 3_600, callback: { type: "handler", name: "log" }, onSuccess });
  assert.deepEqual((await get("shown")).onSuccess, onSuccess);
  const patch = { onSuccess: { method: "PUT" }, onFailure: { type: "handler", name: "log" } };
  const patched = await scheduler.call(at("shown"), { method: "PATCH", body: patch });
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
  const shown = await get("shown");
  assert.deepEqual([shown.onSuccess, shown.onFailure, shown.time], [{ ...onSuccess, method: "PUT" }, patch.onFailure, made.due]);
  const queue = { type: "queue", queue: "FIRED_TASKS" };
  const refusals = [
    [{ callback: queue, onSuccess }, "onSuccess"],
    [{ callback: queue, onFailure: queue }, "onFailure"],
    [{ callback: onSuccess, onFailure: { type: "webhook", url: "http://10.0.0.1/" } }, "onFailure.url"],
    [{ callback: onSuccess, onSuccess: { type: "queue", queue: "SECRET" } }, "onSuccess.queue"],
    [{ callback: onSuccess, onSuccess: { type: "service", binding: "SHARDS", path: "/" } }, "onSuccess.binding"],
  ];
  for (const [task, field] of refusals) {
    const { status, body } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 60, ...task } });
    assert.deepEqual([status, body.field], [422, field], JSON.stringify(body));
  }
  const refused = await scheduler.call(at("shown"), { method: "PATCH", body: { callback: queue } });
  assert.deepEqual([refused.status, refused.body.field], [422, "onSuccess"]);
});

test("follow-ups do not depend on the history", async () => {
  await scheduler.stop();
  options.vars = { ...options.vars, HISTORY: "off" };
  await scheduler.restart();
  await create({ id: "unkept", callback: webhook("/kept-nowhere"), onSuccess: webhook("/told-all-the-same") });
  assert.equal((await first("/told-all-the-same")).body.outcome.status, 200);
  await done("unkept");
});
