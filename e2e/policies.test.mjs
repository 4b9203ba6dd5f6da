// Tests runs that are late, missed, or due while the run before is in flight, and their
// explanations.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

let scheduler;
let sink;
/** The webhooks that wait, by path: the functions that send their answers. */
const waiting = new Map();

before(async () => {
  sink = await startSink(({ path }) => {
    if (path.startsWith("/slow")) return new Promise((resolve) => waiting.set(path, [...(waiting.get(path) ?? []), resolve]));
    return path.startsWith("/bad") ? 500 : 200;
  });
  scheduler = await Scheduler.start({ shards: "4", vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } });
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

const webhook = (path) => ({ type: "webhook", url: `${sink.url}${path}` });
const received = (path) => sink.webhooks.filter((request) => request.path === path);

async function create(task) {
  const { status, body } = await scheduler.call("/v1/tasks", { body: task });
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
}
const runs = async (id) => (await scheduler.call(`/v1/tasks/${id}/runs`)).body.runs;
const outcomes = async (id) => (await runs(id)).map((run) => run.outcome);
const explain = async (id) => (await scheduler.call(`/v1/tasks/${id}/explain`)).body;
const codes = async (id) => (await explain(id)).reasons?.map((reason) => reason.code);

test("a late one-shot task is fired, skipped, or kept as a dead letter", async () => {
  const time = Date.now() - 3_600_000;
  await create({ id: "fires", time, callback: webhook("/late") });
  await create({ id: "grace", time, misfire: { policy: "skip", graceSeconds: 7_200 }, callback: webhook("/late") });
  await create({ id: "skipped", time, misfire: { policy: "skip" }, callback: webhook("/never") });
  await create({ id: "kept", time, misfire: { policy: "dead-letter", graceSeconds: 10 }, callback: webhook("/never") });
  await create({ id: "expired", time, expireAfterSeconds: 60, callback: webhook("/never") });
  await until("two to fire", () => received("/late").length === 2);
  await until("the others to be reported", async () => {
    const all = await Promise.all(["skipped", "kept", "expired"].map(outcomes));
    return all.every((outcomes) => outcomes.length === 1);
  });
  assert.deepEqual(await outcomes("skipped"), ["skipped"]);
  assert.deepEqual(await outcomes("expired"), ["expired"]);
  assert.match((await runs("skipped"))[0].error, /^missed: it would have fired 360\d s late$/);
  assert.deepEqual(await codes("skipped"), ["skipped"]);
  assert.match((await explain("skipped")).reasons[0].detail, /^The run of .* was skipped at .*: missed: it would have fired 360\d s late\./);
  assert.deepEqual(await codes("expired"), ["expired"]);
  assert.deepEqual(await codes("kept"), ["dead-lettered"]);
  // A requested run is not late.
  assert.equal((await scheduler.call("/v1/tasks/kept/run", { method: "POST" })).status, 200);
  await until("the replay", () => received("/never").length === 1);
  assert.equal(received("/never")[0].body.id, "kept");
  assert.equal((await scheduler.call("/v1/stats")).body.skipped, 1);
});

test("after an outage a recurring task continues by its policy", async () => {
  const startAt = Math.ceil(Date.now() / 1_000) * 1_000 + 1_000;
  const every = { everySeconds: 1, startAt };
  await create({ id: "all", ...every, callback: webhook("/all") });
  await create({ id: "once", ...every, misfire: { policy: "fire-once", graceSeconds: 1.5 }, callback: webhook("/once") });
  await create({ id: "none", ...every, misfire: { policy: "skip", graceSeconds: 1.5 }, callback: webhook("/none") });
  const times = (path) => [...new Set(received(path).map(({ body }) => body.time))].sort();
  await until("each to have fired", () => ["/all", "/once", "/none"].every((path) => received(path).length > 0));
  await scheduler.stop();
  const last = Math.max(...["/all", "/once", "/none"].flatMap(times));
  await until("some runs to be missed", () => Date.now() > last + 8_000);
  await scheduler.restart();
  await scheduler.watchdog();
  await until("each to continue", () => ["/all", "/once", "/none"].every((path) => Math.max(...times(path)) > last + 10_000));
  const gaps = (path) => times(path).map((time, at, all) => (at ? time - all[at - 1] : 0)).filter((gap) => gap > 1_000);
  assert.deepEqual(gaps("/all"), []);
  assert.equal(gaps("/once").length, 1);
  assert.equal(gaps("/none").length, 1);
  const skipped = (await runs("once")).filter((run) => run.outcome === "skipped");
  assert.equal(skipped.length, 1);
  assert.match(skipped[0].error, /so would all runs up to that of/);
  for (const id of ["all", "once", "none"]) assert.equal((await scheduler.call(`/v1/tasks/${id}`, { method: "DELETE" })).status, 200);
});

// The tests use one task at a time, because the local queue delivers one batch at a time, so a slow
// webhook delays all others.
const every = () => ({ everySeconds: 1, startAt: Date.now() + 500 });
const answer = (path) => waiting.get(path).splice(0).forEach((answer) => answer(200));
const skips = async (id) => (await outcomes(id)).filter((outcome) => outcome === "skipped").length;

/** Cancels a recurring task, and waits until its runs have ended. */
async function end(id, path) {
  assert.equal((await scheduler.call(`/v1/tasks/${id}`, { method: "DELETE" })).status, 200);
  await until("its runs to end", async () => {
    if (waiting.has(path)) answer(path);
    return (await scheduler.call(`/v1/tasks/${id}`)).status === 404;
  });
}

test("runs that must not overlap are skipped", async () => {
  await create({ id: "alone", ...every(), overlap: "skip", callback: webhook("/slow/alone") });
  await until("runs to be skipped", async () => received("/slow/alone").length > 0 && (await skips("alone")) >= 2);
  assert.equal(received("/slow/alone").length, 1);
  assert.ok((await codes("alone")).includes("overlap"));
  answer("/slow/alone");
  await until("a run to come again", () => received("/slow/alone").length === 2);
  await end("alone", "/slow/alone");
});

test("with queue-one, one run waits instead of overlapping", async () => {
  await create({ id: "queued", ...every(), overlap: "queue-one", callback: webhook("/slow/queued") });
  await until("runs to be skipped", async () => received("/slow/queued").length > 0 && (await skips("queued")) >= 2);
  assert.equal(received("/slow/queued").length, 1);
  assert.deepEqual((await codes("queued")).filter((code) => code === "held" || code === "in-flight"), ["held", "in-flight"]);
  const held = (await scheduler.call("/v1/tasks?status=held")).body.tasks;
  assert.deepEqual(held.map((task) => task.id), ["queued"]);
  // Once the first run has ended, the waiting run starts.
  answer("/slow/queued");
  await until("the waiting run", () => received("/slow/queued").length === 2);
  assert.equal(received("/slow/queued")[1].body.time, held[0].time);
  assert.equal(received("/slow/queued")[1].body.time - received("/slow/queued")[0].body.time, 1_000);
  await end("queued", "/slow/queued");
});

test("a retry that would be too late is not made", async () => {
  const retry = { minBackoffSeconds: 30, jitter: 0 };
  await create({ id: "brief", delayInSeconds: 0.1, expireAfterSeconds: 5, retry, callback: webhook("/bad/brief") });
  await until("a dead letter", async () => (await scheduler.call("/v1/tasks/brief")).body.status === "dead-lettered");
  assert.equal(received("/bad/brief").length, 1);
  const explanation = await explain("brief");
  assert.equal(explanation.status, "dead-lettered");
  assert.match(explanation.reasons[0].detail, /failed for good at .*, at attempt 1: HTTP 500.*POST \/v1\/dead-letters\/.*\/replay/);
  assert.deepEqual(explanation.recentRuns.map((run) => run.outcome), ["dead-lettered"]);
});

test("waiting tasks have explanations", async () => {
  const time = Date.parse("2099-01-01T00:00:00Z");
  await create({ id: "far", time, windowSeconds: 60, misfire: { policy: "skip" }, expireAfterSeconds: 9, callback: webhook("/x") });
  const far = await explain("far");
  assert.equal(far.status, "scheduled");
  assert.equal(far.nextRun.time, time);
  assert.deepEqual(far.reasons.map((reason) => reason.code).filter((code) => code !== "put-off"), ["scheduled", "misfire", "expiry"]);
  await scheduler.call("/v1/tasks/far/pause", { method: "POST" });
  assert.deepEqual(await codes("far"), ["paused"]);
  await create({ id: "idle", type: "no-schedule", callback: webhook("/x") });
  assert.deepEqual(await codes("idle"), ["unscheduled"]);
  await create({ id: "again", delayInSeconds: 0.1, retry: { minBackoffSeconds: 3_600 }, callback: webhook("/bad/again") });
  await until("an attempt to fail", async () => (await codes("again"))?.[0] === "retrying");
  assert.match((await explain("again")).reasons[0].detail, /the attempt before failed \(HTTP 500.*attempt 2 starts at/);
  const unknown = await scheduler.call("/v1/tasks/nobody/explain");
  assert.equal(unknown.status, 404);
});

test("an invalid field is refused by name", async () => {
  for (const [fields, field] of [
    [{ misfire: "skip" }, "misfire"],
    [{ misfire: { policy: "sometimes" } }, "misfire.policy"],
    [{ misfire: { policy: "skip", graceSeconds: -1 } }, "misfire.graceSeconds"],
    [{ misfire: { policy: "skip", grace: 1 } }, "misfire.grace"],
    [{ overlap: "skip" }, "overlap"],
    [{ expireAfterSeconds: 0 }, "expireAfterSeconds"],
  ]) {
    const { status, body } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 60, callback: webhook("/x"), ...fields } });
    assert.deepEqual([status, body.field], [422, field], JSON.stringify(body));
  }
  const never = { type: "no-schedule", callback: webhook("/x") };
  const { status, body } = await scheduler.call("/v1/tasks", { body: { ...never, misfire: { policy: "skip" } } });
  assert.deepEqual([status, body.field], [422, "misfire"]);
});
