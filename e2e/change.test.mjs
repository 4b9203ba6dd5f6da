// Tests changes of waiting tasks: pause, resume, run now, reschedule, patch, and versions against
// lost updates.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { scheduler, sink, useScheduler } from "./setup.mjs";
import { startSink } from "./sink.mjs";

/** Whether the webhook of /moody fails. */
let fails = true;

useScheduler({ shards: "4" }, ({ path }) => (path === "/dies" || (path === "/moody" && fails) ? 500 : 200));

const queue = { type: "queue", queue: "FIRED_TASKS" };
const FAR = Date.parse("2099-01-01T00:00:00Z");

async function create(task) {
  const { status, body } = await scheduler.call("/v1/tasks", { body: { callback: queue, ...task } });
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
}

const post = (path, body) => scheduler.call(`/v1/tasks/${path}`, { method: "POST", ...(body === undefined ? {} : { body }) });
const shown = async (id) => (await scheduler.call(`/v1/tasks/${id}`)).body;
const tasks = () => sink.envelopes.flatMap((envelope) => envelope.tasks);
const fired = (id) => tasks().filter((task) => task.id === id);

test("a paused task waits until it is resumed", async () => {
  await create({ id: "p", delayInSeconds: 0.5 });
  const answered = (await post("p/pause")).body;
  assert.deepEqual([answered.changed, answered.status], [true, "paused"]);
  // The answer is the task.
  const { changed, ...task } = (await post("p/pause")).body;
  assert.equal(changed, false);
  assert.deepEqual(task, (await scheduler.call("/v1/tasks/p")).body);
  const paused = await shown("p");
  assert.equal(paused.status, "paused");
  // This is well after its time, because another task that was due later has fired.
  await create({ id: "p-later", delayInSeconds: 1 });
  await until("the later task to fire", () => fired("p-later").length === 1);
  assert.equal(fired("p").length, 0);
  assert.equal((await scheduler.call("/v1/stats")).body.paused, 1);
  const resumed = (await post("p/resume")).body;
  assert.deepEqual([resumed.id, resumed.changed, resumed.status], ["p", true, "scheduled"]);
  await until("the resumed task to fire", () => fired("p").length === 1);
  assert.equal(fired("p")[0].time, paused.time, "it keeps the requested time");
});

test("a recurring task is paused, resumed and run in addition to its schedule", async () => {
  await create({ id: "r", cron: "0 0 1 1 *" });
  assert.equal((await post("r/pause")).status, 200);
  assert.equal((await shown("r")).status, "paused");
  const { body } = await scheduler.call("/v1/tasks?status=paused");
  assert.deepEqual(body.tasks.map((task) => task.id), ["r"]);
  assert.equal((await post("r/resume")).status, 200);
  assert.equal((await shown("r")).status, "scheduled");
  assert.equal((await post("r/run")).status, 200);
  await until("the run", () => fired("r").length === 1);
  assert.equal((await shown("r")).status, "scheduled");
  assert.equal((await post("r/reschedule", { delayInSeconds: 1 })).body.type, "/problems/not-applicable");
  await scheduler.call("/v1/tasks/r", { method: "DELETE" });
});

test("a task without a schedule is run and kept", async () => {
  await create({ id: "n", type: "no-schedule", payload: 7 });
  for (const times of [1, 2]) {
    assert.equal((await post("n/run")).status, 200);
    await until(`run ${times}`, () => fired("n").length === times);
  }
  assert.equal((await shown("n")).status, "unscheduled");
  assert.ok(fired("n").every((task) => task.payload === 7 && task.time > 0));
  await scheduler.call("/v1/tasks/n", { method: "DELETE" });
});

test("a task is rescheduled to an earlier and a later time", async () => {
  await create({ id: "s", time: FAR });
  const soon = Date.now() + 300;
  assert.equal((await post("s/reschedule", { time: soon })).status, 200);
  await until("it to fire", () => fired("s").length === 1);
  assert.equal(fired("s")[0].time, soon);
  assert.equal((await post("s/reschedule", { time: soon })).status, 404);
  assert.equal((await post("s/reschedule", {})).body.field, "time");
  assert.equal((await post("s/pause", { time: 5 })).body.field, "time");
});

test("a dead letter is run again", async () => {
  await create({ id: "d", delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/moody` }, retry: { maxAttempts: 1 } });
  await until("the dead letter", async () => (await shown("d"))?.status === "dead-lettered");
  assert.equal((await post("d/pause")).body.type, "/problems/not-applicable");
  fails = false;
  assert.equal((await post("d/run")).status, 200);
  await until("the second run", async () => (await scheduler.call("/v1/tasks/d")).status === 404);
  assert.equal((await scheduler.call("/v1/stats")).body.deadLetters, 0);
});

test("the ETag of a dead letter is valid for every change of it", async () => {
  const dies = async (id) => {
    await create({ id, delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/dies` }, retry: { maxAttempts: 1 } });
    await until("the dead letter", async () => (await shown(id))?.status === "dead-lettered");
    return (await scheduler.fetch(`/v1/tasks/${id}`)).headers.get("etag");
  };
  const other = '"0123456789abcdef"';
  for (const [method, path, body, good] of [
    ["PUT", "", { time: FAR, callback: queue }, 201], ["POST", "/reschedule", { time: FAR }, 200], ["POST", "/run", undefined, 200], ["DELETE", "", undefined, 200],
  ]) {
    const id = `dead${method}${path.slice(1)}`;
    const etag = await dies(id);
    const ask = (headers) => scheduler.call(`/v1/tasks/${id}${path}`, { method, body, headers });
    for (const headers of [{ "if-match": other }, { "if-none-match": etag }]) {
      assert.equal((await ask(headers)).status, 412, `${method} ${path} ${JSON.stringify(headers)}`);
    }
    assert.equal((await ask({ "if-match": `"x", ${etag}` })).status, good, `${method} ${path}`);
  }
  const etag = await dies("deadPATCH");
  for (const headers of [{}, { "if-match": etag }, { "if-match": other }, { "if-none-match": etag }, { "if-none-match": "*" }]) {
    const { status } = await scheduler.call("/v1/tasks/deadPATCH", { method: "PATCH", body: { description: "d" }, headers });
    assert.equal(status, 409, JSON.stringify(headers));
  }
});

test("single fields are patched, and two writers do not overwrite each other", async () => {
  await create({ id: "v", time: FAR, description: "one", tags: ["a"], payload: { big: 1 } });
  const first = await scheduler.fetch("/v1/tasks/v");
  const etag = first.headers.get("etag");
  assert.match(etag, /^"[0-9a-f]{16}\.[0-9a-f]{16}"$/);
  const patched = await scheduler.fetch("/v1/tasks/v", { method: "PATCH", body: { description: "two", tags: null }, headers: { "if-match": etag } });
  assert.equal(patched.status, 200);
  const body = await patched.json();
  assert.deepEqual([body.description, body.tags, body.time, body.payload], ["two", undefined, FAR, { big: 1 }]);
  for (const [method, path] of [["PATCH", "v"], ["PUT", "v"], ["DELETE", "v"], ["POST", "v/pause"]]) {
    const late = await scheduler.call(`/v1/tasks/${path}`, {
      method, headers: { "if-match": etag },
      body: method === "PUT" ? { time: FAR, callback: queue } : method === "PATCH" ? { description: "lost" } : undefined,
    });
    assert.deepEqual([late.status, late.body.type], [412, "/problems/other-version"], `${method} ${path}`);
  }
  assert.equal((await shown("v")).description, "two");
  const bad = await scheduler.call("/v1/tasks/v", { method: "PATCH", body: { callback: { queue: "NONE" } } });
  assert.deepEqual([bad.status, bad.body.field], [422, "callback.queue"]);
  // The current version is accepted.
  const current = (await scheduler.fetch("/v1/tasks/v")).headers.get("etag");
  const put = await scheduler.fetch("/v1/tasks/v", { method: "PUT", body: { time: FAR, callback: queue }, headers: { "if-match": current } });
  assert.equal(put.status, 200);
  const absent = (id) => scheduler.call(`/v1/tasks/${id}`, { method: "PUT", body: { time: FAR, callback: queue }, headers: { "if-none-match": "*" } });
  assert.equal((await absent("v")).status, 412);
  assert.equal((await absent("v-new")).status, 201);
  const wrong = await scheduler.call("/v1/tasks/v", { method: "DELETE", headers: { "if-match": "v" } });
  assert.deepEqual([wrong.status, wrong.body.field], [422, "If-Match"]);
});

test("If-Match accepts *, lists and weak tags as in RFC 9110", async () => {
  const methods = [["PATCH", "m", { description: "d" }], ["POST", "m/pause"], ["PUT", "m", { time: FAR, callback: queue }], ["DELETE", "m"]];
  const asked = async (ifMatch) => {
    const statuses = [];
    for (const [method, path, body] of methods) {
      await create({ id: "m", time: FAR });
      const etag = (await scheduler.fetch("/v1/tasks/m")).headers.get("etag");
      const header = ifMatch(etag);
      statuses.push((await scheduler.call(`/v1/tasks/${path}`, { method, body, headers: { "if-match": header } })).status);
    }
    return statuses;
  };
  const all = (status) => methods.map(() => status);
  assert.deepEqual(await asked((etag) => etag), all(200));
  assert.deepEqual(await asked(() => "*"), all(200));
  assert.deepEqual(await asked((etag) => `"0123456789abcdef", ${etag}`), all(200));
  assert.deepEqual(await asked((etag) => `W/${etag}`), all(412));
  assert.deepEqual(await asked(() => '"0123456789abcdef", "somebody else\'s"'), all(412));
  assert.deepEqual(await asked(() => '"x"'), all(412));
  // * `*` requires that the task exists.
  for (const [method, path, body] of methods) {
    const { status } = await scheduler.call(`/v1/tasks/none-${path}`, { method, body, headers: { "if-match": "*" } });
    assert.equal(status, 412, `${method} ${path}`);
  }
});

test("concurrent patches of different fields all take effect", async () => {
  await create({ id: "c", time: FAR, payload: {}, callback: { type: "handler", name: "noop" } });
  const answers = await Promise.all([
    scheduler.call("/v1/tasks/c", { method: "PATCH", body: { description: "d" } }),
    scheduler.call("/v1/tasks/c", { method: "PATCH", body: { tags: ["t"] } }),
    scheduler.call("/v1/tasks/c", { method: "PATCH", body: { retry: { maxAttempts: 2 } } }),
  ]);
  assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200]);
  const { description, tags, retry } = await shown("c");
  assert.deepEqual([description, tags, retry], ["d", ["t"], { maxAttempts: 2 }]);
});

test("a schedule is patched and a paused task stays paused", async () => {
  await create({ id: "w", time: FAR, paused: true });
  assert.equal((await shown("w")).status, "paused");
  const { body } = await scheduler.call("/v1/tasks/w", { method: "PATCH", body: { cron: "0 9 * * *", timezone: "Europe/London" } });
  assert.deepEqual([body.status, body.cron, body.time], ["paused", "0 9 * * *", undefined]);
  assert.equal((await scheduler.call("/v1/tasks/w", { method: "PATCH", body: { paused: false } })).body.status, "scheduled");
  await scheduler.call("/v1/tasks/w", { method: "DELETE" });
});

test("a patch keeps the members that it does not name", async () => {
  const patch = (body) => scheduler.call("/v1/tasks/z", { method: "PATCH", body });
  const made = await create({
    id: "z", cron: "0 9 * * *", timezone: "America/New_York", startAt: "2098-01-01T00:00", endAt: "2099-12-31T00:00", overlap: "skip",
    payload: { a: { b: 1, c: 2 }, big: 7 },
  });
  const cron = (await patch({ cron: "30 7 * * *" })).body;
  assert.deepEqual([cron.cron, cron.timezone, cron.startAt, cron.endAt, cron.local], ["30 7 * * *", "America/New_York", made.startAt, made.endAt, made.local]);
  const every = (await patch({ everySeconds: 3_600, payload: { a: { b: null }, d: [null] } })).body;
  assert.deepEqual([every.cron, every.timezone, every.startAt, every.overlap], [undefined, "America/New_York", made.startAt, "skip"]);
  assert.deepEqual(every.payload, { a: { c: 2 }, big: 7, d: [null] });
  const moved = (await patch({ timezone: "Asia/Tokyo" })).body;
  assert.equal(moved.startAt, Date.parse("2098-01-01T00:00:00+09:00"));
  const before = await shown("z");
  for (const [body, field] of [[{ endAt: "2000-01-01T00:00" }, "endAt"], [{ tags: ["t"], retry: { maxAttempts: 2 } }, "retry"], [{ anchor: null, cron: "bad" }, "cron"]]) {
    const refused = await patch(body);
    assert.deepEqual([refused.status, refused.body.field], [422, field], JSON.stringify(refused.body));
    assert.deepEqual(await shown("z"), before);
  }
  const once = (await patch({ time: "2098-06-01T09:00", payload: null })).body;
  assert.deepEqual([once.due, once.timezone, once.payload, once.overlap], [Date.parse("2098-06-01T09:00:00+09:00"), "Asia/Tokyo", undefined, undefined]);
  assert.deepEqual([once.createdAt, once.updatedAt >= made.createdAt], [made.createdAt, true]);
  await scheduler.call("/v1/tasks/z", { method: "DELETE" });
});

test("a task as GET shows it can be sent again, and nothing changes", async () => {
  for (const task of [
    { time: "2099-06-01T09:00", timezone: "Europe/London", payload: { n: 1 } },
    { cron: "0 9 * * *", timezone: "Europe/London", startAt: "2098-01-01T00:00", maxRuns: 5 },
    { everySeconds: 60, startAt: "2098-01-01T00:00", timezone: "Europe/London" },
    { rrule: "FREQ=DAILY;COUNT=9", startAt: "2098-01-01T00:00:00Z" },
    { type: "no-schedule", tags: ["t"] },
    // A request refuses these times as numbers.
    { everySeconds: 31_557_600, anchor: "1970-01-01T00:00:00.007Z", startAt: "1972-01-01T00:00:00Z", endAt: "2635-03-09T23:34:53Z" },
    { everySeconds: 31_557_600, anchor: "1970-01-05T09:00", timezone: "Europe/London", maxRuns: 9 },
    { cron: "0 9 1 1 *", startAt: "1970-01-01T00:00:00Z" },
    { rrule: "FREQ=YEARLY", startAt: "1971-01-01T09:00", timezone: "Asia/Tokyo" },
    { time: "2635-03-09T23:34:53Z" },
    { time: "1970-01-02T00:00:00Z", paused: true },
  ]) {
    await create({ id: "again", ...task });
    const first = await scheduler.fetch("/v1/tasks/again");
    const body = await first.json();
    const ways = [["PUT", "/v1/tasks/again"], ["POST", "/v1/tasks"], ["PATCH", "/v1/tasks/again"]];
    // White space makes no difference.
    for (const [method, path, space] of [...ways, ...ways.map((way) => [...way, 1])]) {
      const answer = await scheduler.fetch(path, { method, body: JSON.stringify(body, null, space) });
      assert.deepEqual([answer.status, await answer.json()], [200, body], `${method} of ${JSON.stringify(body)}`);
      assert.equal(answer.headers.get("etag"), first.headers.get("etag"));
    }
    const preview = await scheduler.call("/v1/preview", { body });
    assert.equal(preview.status, 200, JSON.stringify(preview.body));
    await scheduler.call("/v1/tasks/again", { method: "DELETE" });
  }
});

test("times that a request refuses as numbers are shown as text", async () => {
  const task = { everySeconds: 31_557_600, anchor: "1970-01-01T00:00:00.007Z", startAt: "1972-01-01T00:00:00Z", endAt: "2099-01-01T00:00:00Z" };
  await create({ id: "early", tags: ["early"], ...task });
  const expected = [task.anchor, task.startAt, Date.parse(task.endAt)];
  const { tasks: listed } = (await scheduler.call("/v1/tasks?tag=early")).body;
  for (const { anchor, startAt, endAt } of [await shown("early"), ...listed, (await post("early/pause")).body]) {
    assert.deepEqual([anchor, startAt, endAt], expected);
  }
  assert.equal(listed.length, 1);
  await scheduler.call("/v1/tasks/early", { method: "DELETE" });
});

test("a paused one-shot task stays paused when it is sent again as GET shows it", async () => {
  await create({ id: "put-back", time: FAR });
  await post("put-back/pause");
  const paused = await shown("put-back");
  assert.deepEqual([paused.status, paused.paused], ["paused", true]);
  assert.equal((await scheduler.call("/v1/tasks/put-back", { method: "DELETE" })).status, 200);
  const { status, body } = await scheduler.call("/v1/tasks/put-back", { method: "PUT", body: paused });
  assert.deepEqual([status, body.status, body.paused], [201, "paused", true]);
});

test("a patch that removes the time zone has a warning", async () => {
  const patch = (body) => scheduler.call("/v1/tasks/zoned", { method: "PATCH", body });
  await create({ id: "zoned", cron: "0 9 * * *", timezone: "Asia/Tokyo" });
  const { body: moved } = await patch({ time: "2099-01-05T09:00:00-05:00" });
  assert.deepEqual([moved.timezone, moved.warnings.map(({ field }) => field)], [undefined, ["timezone"]]);
  assert.match(moved.warnings[0].detail, /Asia\/Tokyo/);
  assert.equal((await patch({ description: "x" })).body.warnings, undefined);
  assert.equal((await patch({ cron: "0 9 * * *", timezone: "Asia/Tokyo" })).body.warnings, undefined);
  const { body: local } = await patch({ time: "2099-01-05T09:00" });
  assert.deepEqual([local.timezone, local.warnings], ["Asia/Tokyo", undefined]);
});

test("an interval without its anchor starts again", async () => {
  const patch = async (body) => (await scheduler.call("/v1/tasks/anchored", { method: "PATCH", body })).body;
  await create({ id: "anchored", everySeconds: 86_400, anchor: FAR });
  assert.equal((await patch({ everySeconds: 60 })).anchor, FAR, "an anchor that the patch does not name is kept");
  const before = Date.now();
  const { anchor, due } = await patch({ anchor: null });
  assert.ok(anchor >= before + 60_000 && anchor <= Date.now() + 60_000, `${anchor}`);
  assert.equal(due, anchor);
});

test("a run that is requested early is due at the request, even while it runs", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const slow = await startSink(async () => (await held, 200));
  try {
    const before = Date.now();
    await create({ id: "early", time: FAR, tags: ["early"], callback: { type: "webhook", url: slow.url } });
    const asked = (await post("early/run")).body;
    await until("the attempt", async () => (await shown("early")).status === "running");
    assert.equal((await shown("early")).due, asked.due);
    const list = async (query) => (await scheduler.call(`/v1/tasks?tag=early&status=running${query}`)).body.tasks.length;
    assert.deepEqual([await list(`&from=${before}&to=${Date.now() + 1}`), await list(`&from=${FAR}`)], [1, 0]);
  } finally {
    release();
    await slow.close();
  }
});

test("a patch resets the count of runs only if it changes the schedule", async () => {
  const made = await create({ id: "n", everySeconds: 60, startAt: FAR, endAt: FAR + 9_000_000, maxRuns: 3, jitterSeconds: 5 });
  assert.deepEqual([made.firstRun, made.finalRun], [FAR, FAR + 120_000]);
  const patch = async (body) => {
    const answer = await scheduler.call("/v1/tasks/n", { method: "PATCH", body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(await shown("n"), answer.body);
    return answer.body;
  };
  const kept = await patch({ description: "d" });
  assert.deepEqual([kept.anchor, kept.startAt, kept.maxRuns, kept.finalRun, kept.due], [FAR, FAR, 3, FAR + 120_000, made.due]);
  assert.equal((await patch({ jitterSeconds: null })).finalRun, FAR + 120_000);
  assert.equal((await patch({ everySeconds: 30, anchor: FAR, maxRuns: 5 })).finalRun, FAR + 120_000);
  const once = await patch({ time: FAR });
  assert.deepEqual([once.everySeconds, once.anchor, once.maxRuns, once.finalRun], [undefined, undefined, undefined, undefined]);
  await scheduler.call("/v1/tasks/n", { method: "DELETE" });
});

test("many are changed by id and by filter", async () => {
  const items = Array.from({ length: 500 }, (_, n) => ({ id: `m-${n}`, time: FAR, tags: ["many"], callback: queue }));
  assert.equal((await scheduler.call("/v1/tasks/batch", { body: items })).body.accepted, 500);
  const counts = (body) => [body.changed, body.unchanged, body.notFound, body.done];
  assert.deepEqual(counts((await post("pause", { ids: ["m-1", "m-1", "m-2", "nowhere"] })).body), [2, 0, 1, true]);
  assert.deepEqual(counts((await post("pause", { filter: { tag: "many" } })).body), [498, 0, 0, true]);
  assert.equal((await scheduler.call("/v1/tasks?status=paused&tag=many&limit=1000")).body.tasks.length, 500);
  assert.deepEqual(counts((await post("resume", { filter: { tag: "many" } })).body), [500, 0, 0, true]);
  const soon = Date.now() + 500;
  assert.deepEqual(counts((await post("reschedule", { filter: { tag: "many" }, time: soon })).body), [500, 0, 0, true]);
  await until("all to fire", () => new Set(tasks().filter((task) => task.id.startsWith("m-")).map((task) => task.id)).size === 500);
  assert.equal((await post("run", { filter: {} })).body.field, "filter");
  assert.equal((await post("run", {})).body.field, "body");
});
