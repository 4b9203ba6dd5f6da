// Tests what stays the same when a definition is sent again or patched.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";

useScheduler({ shards: "2" }, ({ path }) => (path.startsWith("/bad") ? 500 : 200));

const queue = { type: "queue", queue: "FIRED_TASKS" };
const put = (id, body, headers = {}) => scheduler.call(`/v1/tasks/${id}`, { method: "PUT", body: { callback: queue, ...body }, headers });
const patch = (id, body) => scheduler.call(`/v1/tasks/${id}`, { method: "PATCH", body });
const post = (path, body) => scheduler.call(`/v1/tasks/${path}`, { method: "POST", ...(body === undefined ? {} : { body }) });
const shown = async (id) => (await scheduler.call(`/v1/tasks/${id}`)).body;
const fired = (id) => sink.envelopes.flatMap((envelope) => envelope.tasks).filter((task) => task.id === id);

test("frequent deployments neither stop a task from firing nor reset its count", async () => {
  const definition = { everySeconds: 1, maxRuns: 3, callback: queue };
  const deploy = async (more, headers) => {
    const answer = await scheduler.fetch("/v1/tasks/deploy", { method: "PUT", body: { ...definition, ...more }, headers });
    return { status: answer.status, etag: answer.headers.get("etag"), body: await answer.json() };
  };
  const first = await deploy({});
  assert.equal(first.status, 201);
  let last = first;
  await until("three runs while the definition is sent again", async () => {
    // The condition excludes a new task, which the definition would create after the last run.
    const answer = await deploy({ description: `at ${Date.now()}` }, { "if-match": last.etag });
    if (answer.status !== 412) last = answer;
    return fired("deploy").length >= 3;
  }, { everyMs: 200 });
  assert.equal(last.status, 200);
  assert.deepEqual([last.body.anchor, last.body.finalRun], [first.body.anchor, first.body.finalRun]);
  const times = fired("deploy").map((task) => task.time);
  assert.deepEqual([...new Set(times)].sort(), [0, 1, 2].map((n) => first.body.anchor + n * 1_000));
});

test("the same definition keeps a pause, and the answer has the stored version", async () => {
  for (const schedule of [{ cron: "0 9 * * *", timezone: "Europe/London" }, { everySeconds: 3_600 }, { rrule: "FREQ=DAILY", startAt: "2099-01-01T00:00:00Z" }]) {
    const made = (await put("paused", schedule)).body;
    assert.equal((await post("paused/pause")).status, 200);
    const answer = await scheduler.fetch("/v1/tasks/paused", { method: "PUT", body: { ...schedule, callback: queue, tags: ["new"] } });
    const body = await answer.json();
    assert.deepEqual([answer.status, body.status, body.anchor, body.tags], [200, "paused", made.anchor, ["new"]]);
    const stored = await scheduler.fetch("/v1/tasks/paused");
    assert.deepEqual(await stored.json(), body);
    assert.equal(answer.headers.get("etag"), stored.headers.get("etag"));
    // This also holds for a batch.
    const { body: batch } = await scheduler.call("/v1/tasks/batch", { body: [{ id: "paused", ...schedule, callback: queue }] });
    assert.equal(batch.accepted, 1);
    assert.equal((await shown("paused")).status, "paused");
    assert.equal((await put("paused", { ...schedule, paused: false })).body.status, "scheduled");
    // Another schedule starts again.
    await post("paused/pause");
    assert.equal((await put("paused", { everySeconds: 7_200 })).body.status, "scheduled");
    await scheduler.call("/v1/tasks/paused", { method: "DELETE" });
  }
});

test("a paused attempt is not patched, and a patch of the pause resumes it", async () => {
  const bad = { type: "webhook", url: `${sink.url}/bad` };
  await put("attempt", { delayInSeconds: 0, callback: bad, retry: { minBackoffSeconds: 600 } });
  await until("the further attempt", async () => (await shown("attempt")).status === "retrying");
  assert.equal((await post("attempt/pause")).status, 200);
  const before = await shown("attempt");
  assert.deepEqual([before.status, before.attempt], ["paused", 2]);
  const refused = await patch("attempt", { description: "d" });
  assert.deepEqual([refused.status, refused.body.type], [409, "/problems/not-applicable"]);
  assert.deepEqual(await shown("attempt"), before);
  // Only the pause itself can be patched.
  const both = await patch("attempt", { paused: false, description: "d" });
  assert.deepEqual([both.status, both.body.type], [409, "/problems/not-applicable"]);
  for (const [paused, status] of [[false, "retrying"], [true, "paused"]]) {
    const { status: code, body } = await patch("attempt", { paused });
    assert.deepEqual([code, body.status, body.attempt], [200, status, 2]);
  }
  const stale = await scheduler.call("/v1/tasks/attempt", { method: "PATCH", body: { paused: null }, headers: { "if-match": '"0000000000000000"' } });
  assert.equal(stale.status, 412);
  await scheduler.call("/v1/tasks/attempt", { method: "DELETE" });

  await put("skips", { everySeconds: 1, overlap: "skip", callback: { type: "webhook", url: `${sink.url}/bad-2` }, retry: { maxAttempts: 2, minBackoffSeconds: 1, jitter: 0 } });
  const retrying = async () => (await scheduler.call("/v1/tasks?prefix=skips&status=retrying")).body.tasks.length > 0;
  await until("its further attempt", retrying, { everyMs: 20 });
  assert.equal((await patch("skips", { paused: true })).body.status, "paused");
  assert.equal((await patch("skips", { paused: null })).body.status, "scheduled");
  assert.equal((await scheduler.call("/v1/tasks?prefix=skips&status=paused")).body.tasks.length, 0);
  const count = (await scheduler.call("/v1/tasks/skips/runs?limit=1000")).body.runs.filter((run) => run.attempt === 1).length;
  await until("the task to run again", async () => (await scheduler.call("/v1/tasks/skips/runs?limit=1000")).body.runs.filter((run) => run.attempt === 1 && run.outcome !== "skipped").length > count + 1);
  await scheduler.call("/v1/tasks/skips", { method: "DELETE" });
});

test("a task whose end passed during a pause is patched", async () => {
  const end = Date.now() + 1_500;
  assert.equal((await put("ended", { everySeconds: 1, endAt: end, paused: true })).status, 201);
  await until("its end", () => Date.now() > end);
  const { status, body } = await patch("ended", { description: "late" });
  assert.deepEqual([status, body.status, body.description], [200, "paused", "late"]);
  assert.equal((await post("ended/resume")).status, 200);
  assert.equal((await scheduler.call("/v1/tasks/ended")).status, 404);
});

test("a definition that ends a pause with nothing left starts over, or is refused by version", async () => {
  const definition = { everySeconds: 1, maxRuns: 2, callback: queue };
  const ending = { everySeconds: 1, endAt: Date.now() + 2_000, callback: queue };
  const made = (await put("over", { ...definition, paused: true })).body;
  await put("over-by-batch", { ...definition, paused: true });
  await put("over-by-post", { ...definition, paused: true });
  await put("makes-up", { ...definition, misfire: { policy: "fire" }, paused: true });
  await put("past", { ...ending, paused: true });
  await until("the last runs", () => Date.now() > made.finalRun + 1_000);

  const before = await shown("over");
  const etag = (await scheduler.fetch("/v1/tasks/over")).headers.get("etag");
  for (const refused of [
    await patch("over", { paused: false }),
    await patch("over", { paused: null, description: "d" }),
    await patch("over", { ...before, paused: false }),
    await put("over", { ...definition, paused: false }, { "if-match": etag }),
    await patch("past", { paused: false }),
  ]) {
    assert.deepEqual([refused.status, refused.body.type], [409, "/problems/not-applicable"]);
    assert.match(refused.body.detail, /nothing would be left of the task/);
  }
  assert.deepEqual(await shown("over"), before);

  const over = await put("over", { ...definition, paused: false });
  assert.deepEqual([over.status, over.body.status, over.body.firstRun > made.finalRun], [200, "scheduled", true]);
  const batch = await post("batch", [{ id: "over-by-batch", ...definition, paused: false }]);
  assert.equal(batch.body.accepted, 1);
  const posted = await scheduler.call("/v1/tasks", { body: { id: "over-by-post", ...definition, paused: false } });
  assert.deepEqual([posted.status, posted.body.status], [200, "scheduled"]);
  // What the policy fires does fire.
  assert.equal((await patch("makes-up", { paused: false })).status, 200);
  for (const id of ["over", "over-by-batch", "over-by-post", "makes-up"]) {
    await until(`both runs of ${id}`, () => new Set(fired(id).map((task) => task.time)).size === 2);
    await until(`the end of ${id}`, async () => (await scheduler.call(`/v1/tasks/${id}`)).status === 404);
  }

  // A schedule that has ended is refused, as for a new task.
  for (const refused of [
    await put("past", { ...ending, paused: false }),
    await put("past-and-new", ending),
    await patch("past", { ...(await shown("past")), paused: false }),
  ]) assert.deepEqual([refused.status, refused.body.field], [422, "endAt"]);
  assert.equal((await shown("past")).status, "paused");
  const ended = await post("past/resume");
  assert.deepEqual([ended.status, ended.body.changed], [200, true]);
  assert.equal((await scheduler.call("/v1/tasks/past")).status, 404);
});

test("a paused task stays paused when it is rescheduled", async () => {
  await put("moved", { time: "2099-01-01T00:00:00Z", paused: true });
  assert.equal((await post("moved/reschedule", { delayInSeconds: 0 })).status, 200);
  assert.equal((await shown("moved")).status, "paused");
  assert.equal((await post("moved/resume")).status, 200);
  await until("it to fire", () => fired("moved").length === 1);
});

test("a run that waits for its limit continues when its task is patched", async () => {
  await scheduler.call("/v1/limits/slow", { method: "PUT", body: { perSecond: 0.5 } });
  await put("limited", { time: "2099-01-01T00:00:00Z", limitKey: "slow", callback: { type: "webhook", url: `${sink.url}/limited` } });
  // It waits behind other tasks with the same key.
  for (const n of [1, 2, 3]) await put(`limited-${n}`, { delayInSeconds: 0, limitKey: "slow", callback: { type: "webhook", url: `${sink.url}/limited` } });
  assert.equal((await post("limited/run")).status, 200);
  const { status, body } = await patch("limited", { description: "soon" });
  if (status === 200) assert.ok(body.due < Date.now() + 60_000, `the run is stuck: ${body.due}`);
  await until("its run", async () => (await scheduler.call("/v1/tasks/limited/runs")).body.runs.some((run) => run.outcome === "succeeded"));
});

test("what is left out keeps a task from firing, and a patch changes it", async () => {
  const today = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const date = (days) => new Date(today + days * 86_400_000).toISOString().slice(0, 10);
  const exclude = { dates: [`${date(0)}/${date(2)}`] };
  const made = await put("left-out", { everySeconds: 1, exclude });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.due >= today + 3 * 86_400_000, true, `${made.body.due}`);
  assert.deepEqual((await shown("left-out")).exclude, exclude);
  const explained = (await scheduler.call("/v1/tasks/left-out/explain")).body;
  assert.equal(explained.reasons.some(({ code, detail }) => code === "excluded" && detail.startsWith("exclude leaves out the run at ")), true, JSON.stringify(explained));
  assert.match(explained.sentence, / in UTC except /);
  // The definition in another notation is the same task.
  const again = await put("left-out", { everySeconds: 1, exclude: { dates: [date(2), date(0), date(1)] } });
  assert.deepEqual([again.status, again.body.createdAt], [200, made.body.createdAt]);
  assert.deepEqual(fired("left-out"), []);
  const refused = await patch("left-out", { exclude: { weekdays: ["Saturday"] } });
  assert.deepEqual([refused.status, refused.body.field], [422, "exclude.weekdays[0]"]);
  const patched = await patch("left-out", { exclude: null });
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
  await until("a run", () => fired("left-out").length > 0);
  await scheduler.call("/v1/tasks/left-out", { method: "DELETE" });
});
