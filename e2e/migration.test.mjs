// Tests storage of the first version (fixtures/first-format) with today's scheduler. Nothing is
// lost, due tasks fire, and later features work with it.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const FIXTURE = new URL("./fixtures/first-format/", import.meta.url).pathname;
const recorded = JSON.parse(await readFile(join(FIXTURE, "recorded.json"), "utf8"));
const FAR = Date.parse("2100-01-01T00:00:00Z");
const ids = (stem, count) => Array.from({ length: count }, (_, n) => `${stem}-${n}`);
/** Returns whether the task `far-<n>` was cancelled. */
const cancelled = (n) => n % 10 === 3;

let scheduler;
let sink;
before(async () => {
  // Tasks that had failed succeed now.
  sink = await startSink(() => 200, recorded.port);
  scheduler = await Scheduler.start({
    shards: "2",
    visibilitySeconds: 10,
    sink: sink.url,
    seed: async (storage) => {
      for (const file of await readdir(join(FIXTURE, "storage"), { recursive: true })) {
        if (!file.endsWith(".gz")) continue;
        const to = join(storage, file.slice(0, -".gz".length));
        await mkdir(dirname(to), { recursive: true });
        await writeFile(to, gunzipSync(await readFile(join(FIXTURE, "storage", file))));
      }
    },
  });
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

const stats = async () => (await scheduler.call("/v1/stats")).body;
const post = (path, body) => scheduler.call(`/v1/tasks/${path}`, { method: "POST", body });
const shown = async (id) => (await scheduler.call(`/v1/tasks/${id}`)).body;
const list = async (query) => (await scheduler.call(`/v1/tasks?limit=1000&${query}`)).body.tasks;
const taken = () => sink.envelopes.flatMap((envelope) => envelope.tasks);
const fired = (id) => taken().filter((task) => task.id === id);
const called = (id) => sink.webhooks.filter(({ body }) => body.id === id);
/** Returns a task without the members that later versions have added. */
const asRecorded = (task, known) => Object.fromEntries(Object.keys(known).map((name) => [name, task?.[name]]));

/** Returns the runs up to now of a recorded task that recurs once a year, or on 29 February. */
function missed({ id, due }) {
  const runs = [];
  const every = id === "yearly-2" ? 4 : 1;
  for (let n = 0; ; n += every) {
    const run = new Date(due);
    run.setUTCFullYear(run.getUTCFullYear() + n);
    if (run.getTime() > Date.now()) return runs;
    runs.push(run.getTime());
  }
}
const recurring = recorded.tasks.filter(({ cron }) => cron !== undefined);

test("due tasks fire: nothing is lost, and nothing fires twice", async () => {
  // No request has loaded the shards. They wake by the stored alarms.
  const expected = recurring.flatMap((task) => missed(task).map((time) => `${task.id}@${time}`));
  assert.ok(expected.length >= 1, "the clock of this machine is before the recording");
  expected.push(...ids("due", 12).filter((_, n) => n % 2 === 1).map((id) => `${id}@${recorded.tasks.find((task) => task.id === id).time}`));
  await until("the tasks for a consumer", () => taken().length >= expected.length);
  await until("the tasks for the dispatcher", () => new Set(sink.webhooks.map(({ body }) => body.id)).size >= 6 + 4 + 2);
  const after = await until("all to be reported", async () => {
    const now = await stats();
    return now.inFlight === 0 && (await list("status=retrying")).length === 0 && now;
  });
  assert.deepEqual(taken().map(({ id, time }) => `${id}@${time}`).sort(), expected.sort());
  for (const [n, id] of ids("due", 12).entries()) {
    const arrived = n % 2 === 0 ? called(id).map(({ body }) => body) : fired(id);
    assert.deepEqual(arrived.map(({ payload, time }) => [payload, time]), [[{ n }, recorded.due + n * 100]], id);
  }
  // Tasks that were in flight at the kill arrive again, with the same key.
  for (const id of ids("flight", 4)) {
    assert.equal(called(id).length, 1, id);
    assert.match(called(id)[0].headers["idempotency-key"], new RegExp(`^${id}@\\d+$`));
  }
  for (const id of ids("again", 2)) {
    assert.deepEqual(called(id).map(({ headers, body }) => [headers["scheduler-attempt"], body.payload]), [["2", id === "again-0" ? "again" : undefined]], id);
    assert.equal((await scheduler.call(`/v1/tasks/${id}`)).status, 404);
  }
  assert.ok(after.redelivered >= 2, `${after.redelivered} envelopes were sent again`);
  // The counts continue.
  assert.equal(after.fired, recorded.counts.fired + expected.length + 6 + 2);
  assert.deepEqual([after.failed, after.cancelled], [recorded.counts.failed, recorded.counts.cancelled]);
});

test("tasks that were not due are unchanged", async () => {
  for (const known of recorded.tasks.filter(({ id }) => /^(yearly|dead|kept)-/.test(id))) {
    const runs = known.cron === undefined ? [] : missed(known);
    const task = asRecorded(await shown(known.id), known);
    // A recurring task has advanced if it was due since the recording.
    if (runs.length > 0) assert.ok(task.due > runs.at(-1), known.id);
    // One status has been renamed since then.
    const status = known.status === "dead" ? "dead-lettered" : known.status;
    assert.deepEqual({ ...task, due: known.due }, { ...known, due: known.due, status });
  }
  assert.deepEqual((await list("status=dead-lettered")).map(({ id }) => id).sort(), ids("dead", 2));
  assert.deepEqual((await list("status=unscheduled")).map(({ id }) => id).sort(), ids("kept", 2));

  const far = await list("tag=far");
  const left = ids("far", 200).filter((_, n) => !cancelled(n));
  assert.deepEqual(far.map(({ id }) => id), left);
  for (const task of far) {
    const n = Number(task.id.slice("far-".length));
    assert.deepEqual([task.due, task.payload.n, task.payload.filling.length], [FAR + n * 1_000, n, 976], task.id);
    assert.equal(task.callback.type, n % 2 === 0 ? "webhook" : "queue");
  }
  for (const n of [3, 13, 193]) assert.equal((await scheduler.call(`/v1/tasks/far-${n}`)).status, 404, `far-${n}`);
});

test("the history begins with new runs", async () => {
  const { body } = await scheduler.call("/v1/tasks/again-0/runs");
  assert.deepEqual(body.runs.map(({ attempt, outcome, status }) => [attempt, outcome, status]), [[2, "succeeded", 200]]);
  assert.deepEqual((await scheduler.call("/v1/tasks/fired-0/runs")).body.runs, []);
});

test("stored tasks can be changed in every way", async () => {
  assert.equal((await post("far-0/pause")).body.changed, true);
  assert.equal((await shown("far-0")).status, "paused");
  assert.equal((await post("yearly-0/pause")).body.changed, true);
  assert.equal((await post("yearly-0/resume")).body.changed, true);
  assert.equal((await post("far-1/run")).status, 200);
  assert.equal((await post("far-2/reschedule", { delayInSeconds: 0 })).status, 200);
  assert.equal((await post("kept-0/run")).status, 200);
  assert.equal((await post("yearly-1/run")).status, 200);
  assert.equal((await post("dead-0/run")).status, 200);
  const etag = (await scheduler.fetch("/v1/tasks/far-4")).headers.get("etag");
  const patch = (body) => scheduler.call("/v1/tasks/far-4", { method: "PATCH", headers: { "if-match": etag }, body });
  const patched = await patch({ description: "patched", priority: 9 });
  assert.deepEqual([patched.status, patched.body.description, patched.body.payload.n], [200, "patched", 4]);
  assert.equal((await patch({ description: "late" })).status, 412);
  assert.equal((await scheduler.call("/v1/tasks/far-5", { method: "DELETE" })).status, 200);
  const late = { id: "far-6", time: FAR, callback: { type: "queue", queue: "FIRED_TASKS" }, tags: ["far"] };
  assert.equal((await scheduler.call("/v1/tasks", { body: late })).status, 200, "it overwrites the stored task");

  const before = recurring.find(({ id }) => id === "yearly-1");
  for (const id of ["far-1", "kept-0"]) await until(id, () => fired(id).length === 1);
  await until("yearly-1", () => fired("yearly-1").length === missed(before).length + 1);
  for (const id of ["far-2", "dead-0"]) await until(id, () => called(id).length === 1);
  assert.equal(called("dead-0")[0].body.payload, "gone");
  assert.deepEqual((await list("status=dead-lettered")).map(({ id }) => id), ["dead-1"]);
});

test("old and new rows load together after a kill", async () => {
  const before = await list("");
  await until("reports to be in", async () => (await stats()).inFlight === 0);
  await scheduler.kill();
  await scheduler.restart();
  assert.deepEqual(await list(""), before);
  const [gone, left] = [["far-1", "far-2", "far-5", "far-3"], ids("far", 200).filter((_, n) => !cancelled(n)).length - 3];
  assert.equal(before.filter(({ id }) => id.startsWith("far-")).length, left);
  for (const id of gone) assert.equal((await scheduler.call(`/v1/tasks/${id}`)).status, 404, id);
  assert.equal((await shown("far-0")).status, "paused");
  assert.equal((await shown("far-4")).description, "patched");
});
