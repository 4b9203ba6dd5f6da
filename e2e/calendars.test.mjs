// Tests calendars on the real local runtime: what tasks store and show of them, and how tasks follow
// a change.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";

const SHARDS = 4;
let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: String(SHARDS) });
});
after(() => scheduler?.dispose());

const call = (path, options) => scheduler.call(path, options);
const put = (name, body, headers) => call(`/v1/calendars/${name}`, { method: "PUT", body, headers });
const calendar = async (name, body) => {
  const answer = await put(name, body);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return answer.body;
};
/** Creates a daily task that begins in 2099. */
const daily = async (id, exclude, more = {}) => {
  const body = { id, cron: "0 9 * * *", startAt: "2099-01-01T00:00:00Z", exclude, callback: { type: "handler", name: "noop" }, ...more };
  const answer = await call("/v1/tasks", { body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
};
const get = async (id, options) => (await call(`/v1/tasks/${id}`, options)).body;
const nine = (day) => Date.UTC(2099, 0, day, 9);
/** Waits until an update has changed this many tasks. */
const updated = (name, count) =>
  until(`${count} tasks of ${name}`, async () => (await call(`/v1/calendars/${name}`)).body.tasksUpdated === count, { timeoutMs: 60_000 });
const done = (name) =>
  until(`the end of the update of ${name}`, async () => {
    const { body } = await call(`/v1/calendars/${name}`);
    return body.pending === false && body;
  }, { timeoutMs: 90_000, everyMs: 250 });

test("a calendar is created, shown, changed under a condition, listed and deleted", async () => {
  const body = { description: "Days off", dates: ["2099-01-01", "12-24/12-26"], weekdays: ["SUN"], times: ["12:00-13:00"], rules: ["FREQ=MONTHLY;BYMONTHDAY=-1"] };
  const made = await scheduler.fetch("/v1/calendars/a.first_one-1", { method: "PUT", body });
  const shown = await made.json();
  const { version, createdAt, updatedAt, ...rest } = shown;
  assert.equal(made.status, 201);
  assert.deepEqual(rest, { name: "a.first_one-1", ...body, tasksUpdated: 0, tasksFailed: 0, pending: false });
  assert.match(version, /^[0-9a-f]{16}$/);
  assert.ok(createdAt === updatedAt && Math.abs(createdAt - Date.now()) < 60_000);

  const etag = made.headers.get("etag");
  const read = await scheduler.fetch("/v1/calendars/a.first_one-1");
  assert.deepEqual([read.status, read.headers.get("etag"), await read.json()], [200, etag, shown]);
  assert.equal((await scheduler.fetch("/v1/calendars/a.first_one-1", { headers: { "if-none-match": etag } })).status, 304);
  for (const [headers, status] of [
    [{ "if-none-match": "*" }, 412],
    [{ "if-match": '"0123456789abcdef"' }, 412],
    [{ "if-match": `W/${etag}` }, 412],
    [{ "if-none-match": etag }, 412],
    [{ "if-match": "nonsense" }, 422],
    [{ "if-match": `"0123456789abcdef", ${etag}` }, 200],
  ]) {
    // What an answer shows may be sent again, which changes nothing.
    const answer = await put("a.first_one-1", status === 200 ? shown : { ...shown, dates: ["2099-01-09"] }, headers);
    assert.equal(answer.status, status, JSON.stringify([headers, answer.body]));
    if (status === 412) assert.equal(answer.body.type, "/problems/other-version");
  }
  const changed = await put("a.first_one-1", { dates: ["2099-01-02"] }, { "if-match": etag });
  assert.equal(changed.status, 200);
  assert.deepEqual([changed.body.dates, changed.body.description, changed.body.createdAt], [["2099-01-02"], undefined, createdAt]);
  assert.equal((await put("a.first_one-1", { dates: ["2099-01-03"] }, { "if-match": etag })).status, 412);
  assert.equal((await put("absent", { dates: ["2099-01-03"] }, { "if-match": etag })).status, 412);
  assert.equal((await call("/v1/calendars/a.first_one-1", { headers: { "if-match": etag } })).status, 412);

  await calendar("B", { weekdays: ["SAT"] });
  const { calendars } = (await call("/v1/calendars")).body;
  assert.deepEqual(calendars.map(({ name }) => name), ["B", "a.first_one-1"]);
  assert.ok(calendars.every((listed) => listed.dates === undefined && listed.weekdays === undefined && listed.version));
  const remove = (name, headers) => call(`/v1/calendars/${name}`, { method: "DELETE", headers });
  assert.equal((await remove("B", { "if-match": etag })).status, 412);
  assert.deepEqual((await remove("B")).body, { id: "B", deleted: true });
  const gone = await remove("B");
  assert.deepEqual([gone.status, gone.body.type], [404, "/problems/no-calendar"]);
  assert.equal((await call("/v1/calendars/B")).body.type, "/problems/no-calendar");
});

test("a task shows the names of its calendars, and a preview and an explanation say which one leaves out a run", async () => {
  await calendar("year-begin", { dates: ["2099-01-01/2099-01-02"] });
  await calendar("lunch", { times: ["12:00-13:00"] });
  const exclude = { dates: ["2099-01-03"], calendars: ["year-begin", "lunch"] };
  const made = await daily("shown", exclude);
  assert.deepEqual([made.exclude, made.due], [exclude, nine(4)]);
  assert.deepEqual((await get("shown")).exclude, exclude);
  const { tasks } = (await call("/v1/tasks?prefix=shown")).body;
  assert.deepEqual(tasks[0].exclude, exclude);
  // What an answer shows is the same task again.
  const again = await call("/v1/tasks/shown", { method: "PUT", body: made });
  assert.deepEqual([again.status, again.body.updatedAt, again.body.due], [200, undefined, nine(4)]);

  const explained = (await call("/v1/tasks/shown/explain")).body;
  const { detail } = explained.reasons.find(({ code }) => code === "excluded");
  assert.match(detail, /It is left out by the calendar "year-begin"\.$/);
  assert.match(explained.sentence, / except 3 January 2099, calendar "year-begin" and calendar "lunch"$/);
  const preview = (await call("/v1/preview", { body: { cron: "0 9,12 * * *", exclude, from: "2099-01-02T00:00:00Z", count: 3 } })).body;
  assert.deepEqual(
    preview.excluded.map(({ time, calendars }) => [time, calendars]),
    [
      [nine(2), ["year-begin"]],
      [Date.UTC(2099, 0, 2, 12), ["year-begin", "lunch"]],
      [nine(3), undefined],
    ],
  );

  // A patch of other fields keeps the days; one of exclude looks the names up.
  const patched = await call("/v1/tasks/shown", { method: "PATCH", body: { description: "x" } });
  assert.deepEqual([patched.status, patched.body.exclude, patched.body.due], [200, exclude, nine(4)]);
  const fewer = await call("/v1/tasks/shown", { method: "PATCH", body: { exclude: { calendars: ["year-begin"] } } });
  assert.deepEqual(fewer.body.exclude, { dates: ["2099-01-03"], calendars: ["year-begin"] });
  const own = await call("/v1/tasks/shown", { method: "PATCH", body: { exclude: { calendars: null } } });
  assert.deepEqual([own.body.exclude, own.body.due], [{ dates: ["2099-01-03"] }, nine(1)]);
  const batch = await call("/v1/tasks/batch", {
    body: ["year-begin", "nowhere"].map((name) => ({ id: `batch-${name}`, everySeconds: 86_400, anchor: "2099-01-01T09:00:00Z", exclude: { calendars: [name] }, callback: { type: "handler", name: "noop" } })),
  });
  assert.deepEqual([batch.body.accepted, batch.body.rejected], [1, 1]);
  assert.equal((await get("batch-year-begin")).due, nine(3));
  // By an Idempotency-Key, too.
  const body = { cron: "0 9 * * *", startAt: "2099-01-01T00:00:00Z", exclude: { calendars: ["year-begin"] }, callback: { type: "handler", name: "noop" } };
  const keyed = await Promise.all([1, 2].map(() => call("/v1/tasks", { body, headers: { "idempotency-key": "calendars" } })));
  assert.deepEqual(keyed.map(({ status, body: { due } }) => [status, due]), [[201, nine(3)], [201, nine(3)]]);
  assert.equal(keyed[0].body.id, keyed[1].body.id);
});

test("hostile and wrong names of calendars are refused", async () => {
  await calendar("known", { dates: ["2099-01-01"] });
  const body = (calendars, more = {}) => ({ cron: "0 9 * * *", exclude: { calendars, ...more }, callback: { type: "handler", name: "noop" } });
  const unknown = await call("/v1/tasks", { body: body(["known", "nowhere"]) });
  assert.deepEqual([unknown.status, unknown.body.field], [422, "exclude.calendars[1]"]);
  assert.match(unknown.body.detail, /"nowhere", which is not a calendar of this namespace; it has .*"known"/);
  for (const [calendars, field] of [
    [[{ name: "known", version: "1", items: { dates: ["12-24"] } }], "exclude.calendars[0]"],
    [["known", "known"], "exclude.calendars[1]"],
    [[7], "exclude.calendars[0]"],
    [[], "exclude.calendars"],
    [["../known"], "exclude.calendars[0]"],
    [["known' OR '1'='1"], "exclude.calendars[0]"],
    [["x".repeat(100_000)], "exclude"],
    [Array(9).fill("known"), "exclude.calendars"],
    ["known", "exclude.calendars"],
  ]) {
    for (const path of ["/v1/tasks", "/v1/preview"]) {
      const answer = await call(path, { body: body(calendars) });
      assert.deepEqual([answer.status, answer.body.field], [422, field], JSON.stringify(answer.body));
    }
  }
  const dates = Array.from({ length: 300 }, (_, n) => `${2027 + n}-12-24`);
  await calendar("full", { dates });
  const tooMany = await call("/v1/tasks", { body: body(["full"], { dates: ["12-31"] }) });
  assert.deepEqual([tooMany.status, tooMany.body.field], [422, "exclude.dates"]);
  assert.match(tooMany.body.detail, /has 1 items, and its calendars add 300; the limit is 300/);
  for (const [name, given, field] of [
    ["-x", { dates: ["12-24"] }, "id"],
    ["x".repeat(65), { dates: ["12-24"] }, "id"],
    ["a%2Fb", { dates: ["12-24"] }, "id"],
    ["x", {}, "body"],
    ["x", { dates: ["24.12."] }, "dates[0]"],
    ["x", { dates: ["12-24"], instead: "next" }, "instead"],
    ["x", { rules: ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"] }, "rules[0]"],
    ["x", [], "body"],
  ]) {
    const answer = await put(name, given);
    assert.deepEqual([answer.status, answer.body.field], [422, field], JSON.stringify([name, answer.body]));
  }
  assert.equal((await put("x", { dates: ["12-24"], description: "x".repeat(60_000) })).status, 413);
  const hundred = await Promise.all(Array.from({ length: 101 }, (_, n) => put(`many-${n}`, { dates: ["12-24"] })));
  const refused = hundred.filter(({ status }) => status !== 201);
  assert.ok(refused.length > 0 && refused.every(({ status, body: { type } }) => status === 409 && type === "/problems/too-many"));
  await Promise.all(Array.from({ length: 101 }, (_, n) => call(`/v1/calendars/many-${n}`, { method: "DELETE" })));
});

test("scopes and namespaces hold for calendars", async () => {
  const makeKey = async (scopes, namespaces) => (await call("/v1/keys", { body: { name: "a test", scopes, namespaces } })).body.key;
  const as = (key, namespace) => ({ authorization: `Bearer ${key}`, "scheduler-namespace": namespace });
  for (const name of ["one", "two"]) await call(`/v1/namespaces/${name}`, { method: "PUT", body: {} });
  const [reader, writer, other] = await Promise.all([makeKey(["read"], ["one"]), makeKey(["write"], ["one"]), makeKey(["read", "write"], ["two"])]);
  const body = { dates: ["2099-01-01"] };
  const refused = await put("secret", body, as(reader, "one"));
  assert.deepEqual([refused.status, refused.body.type], [403, "/problems/forbidden"]);
  assert.equal((await put("secret", body, as(writer, "one"))).status, 201);
  assert.equal((await call("/v1/calendars/secret", { headers: as(writer, "one") })).status, 403);
  assert.equal((await call("/v1/calendars/secret", { headers: as(reader, "one") })).status, 200);
  // Near to holidays is the one calendar that the namespace has.
  const near = async (key, namespace) => {
    const text = "every day at 9am except on holidays";
    return (await call("/v1/parse", { body: { text }, headers: as(key, namespace) })).body.refusal.near;
  };
  assert.deepEqual(await near(reader, "one"), ['every day at 09:00 in UTC except calendar "secret"']);
  assert.deepEqual(await near(other, "two"), ['every day at 09:00 in UTC except calendar "holidays"']);
  assert.equal((await call("/v1/calendars/secret", { method: "DELETE", headers: as(reader, "one") })).status, 403);

  assert.equal((await call("/v1/calendars/secret", { headers: as(other, "two") })).status, 404);
  assert.deepEqual((await call("/v1/calendars", { headers: as(other, "two") })).body, { calendars: [] });
  const task = { cron: "0 9 * * *", exclude: { calendars: ["secret"] }, callback: { type: "handler", name: "noop" } };
  const hidden = await call("/v1/tasks", { body: task, headers: as(other, "two") });
  assert.equal(hidden.status, 422);
  assert.match(hidden.body.detail, /it has none yet/);
  assert.equal((await call("/v1/calendars/secret", { headers: as(other, "one") })).status, 403);

  // A namespace that is created again does not have the calendars of the former one.
  assert.equal((await call("/v1/namespaces/one", { method: "DELETE" })).status, 200);
  await call("/v1/namespaces/one", { method: "PUT", body: {} });
  assert.deepEqual((await call("/v1/calendars", { headers: { "scheduler-namespace": "one" } })).body, { calendars: [] });
});

test("tasks follow a change, and keep their counted runs, anchor, pause and what users change", async () => {
  await calendar("closed", { dates: ["2099-01-02"] });
  const exclude = { calendars: ["closed"] };
  for (let n = 0; n < 12; n++) await daily(`follow-${n}`, exclude);
  // Runs on 1, 3 and 4 January.
  const counted = await daily("counted", exclude, { maxRuns: 3 });
  assert.equal(counted.finalRun, nine(4));
  const paused = await daily("paused", exclude, { paused: true, description: "waits" });
  const every = await daily("every", exclude, { cron: undefined, everySeconds: 86_400, anchor: "2099-01-01T10:00:00Z" });
  await daily("bystander", { dates: ["2099-01-02"] });
  const before = await get("bystander");

  const changed = await put("closed", { dates: ["2099-01-01"] });
  assert.deepEqual([changed.status, changed.body.pending], [200, true]);
  await updated("closed", 15);
  for (let n = 0; n < 12; n++) {
    const { due, exclude: shown, updatedAt } = await get(`follow-${n}`);
    assert.deepEqual([due, shown, updatedAt >= changed.body.updatedAt], [nine(2), exclude, true]);
  }
  const after = await get("counted");
  assert.deepEqual([after.due, after.maxRuns, after.finalRun], [nine(2), 3, nine(4)]);
  const still = await get("paused");
  assert.deepEqual([still.status, still.paused, still.description, still.createdAt], ["paused", true, "waits", paused.createdAt]);
  const interval = await get("every");
  assert.deepEqual([interval.anchor, interval.due], [every.anchor, Date.UTC(2099, 0, 2, 10)]);
  assert.deepEqual(await get("bystander"), before);

  // Each change of a user and of the calendar takes effect, whichever comes first.
  const [{ body: second }] = await Promise.all([
    put("closed", { dates: ["2099-01-01/2099-01-05"] }),
    ...Array.from({ length: 12 }, (_, n) => call(`/v1/tasks/follow-${n}`, { method: "PATCH", body: { description: `by ${n}` } })),
  ]);
  await until("both changes", async () => {
    const tasks = await Promise.all(Array.from({ length: 12 }, (_, n) => get(`follow-${n}`)));
    return tasks.every(({ due, description }, n) => due === nine(6) && description === `by ${n}`);
  }, { timeoutMs: 60_000, everyMs: 250 });

  // A task that the new days leave no run keeps the former ones.
  await daily("short", exclude, { endAt: "2099-01-06T12:00:00Z" });
  const last = await put("closed", { dates: ["2099-01-01/2099-01-31"] });
  assert.notEqual(last.body.version, second.version);
  const end = await done("closed");
  assert.deepEqual([end.tasksUpdated, end.tasksFailed, end.failures.map(({ id }) => id)], [15, 1, ["short"]]);
  assert.match(end.failures[0].detail, /exclude leaves no run/);
  assert.equal((await get("short")).due, nine(6));
});

test("a change makes a task fire that the former days left out", async () => {
  const hhmm = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
  await calendar("quiet", { times: [`${hhmm(-30)}-${hhmm(60)}`] });
  const body = { id: "ticks", everySeconds: 1, exclude: { calendars: ["quiet"] }, callback: { type: "handler", name: "noop" } };
  assert.equal((await call("/v1/tasks", { body })).status, 201);
  const runs = async () => (await call("/v1/tasks/ticks/runs")).body.runs.length;
  assert.ok((await get("ticks")).due > Date.now() + 1_800_000);
  assert.equal(await runs(), 0);
  await calendar("quiet", { times: [`${hhmm(300)}-${hhmm(360)}`] });
  await until("a run", async () => (await runs()) > 0, { timeoutMs: 60_000 });
  await call("/v1/tasks/ticks", { method: "DELETE" });
});

test("a paused task makes up for the runs that it missed before a change", async () => {
  await calendar("pausing", { dates: ["2099-01-01"] });
  const body = { everySeconds: 1, paused: true, misfire: { policy: "fire" }, exclude: { calendars: ["pausing"] }, callback: { type: "handler", name: "noop" } };
  const made = (await call("/v1/tasks", { body: { id: "catches-up", ...body } })).body;
  await call("/v1/tasks", { body: { id: "catches-up-by-put", ...body, anchor: made.anchor } });
  const missed = [made.anchor, made.anchor + 1_000];
  await until("the missed runs", () => Date.now() > made.anchor + 1_500);
  const { updatedAt } = await calendar("pausing", { dates: ["2099-01-02"] });
  // The same definition means the task, whether or not the update has come to it.
  const { anchor, ...again } = (await call("/v1/tasks/catches-up-by-put", { method: "PUT", body: { ...body, anchor: made.anchor, paused: false } })).body;
  assert.deepEqual([anchor, again.createdAt < updatedAt], [made.anchor, true]);
  await until("the update", async () => (await get("catches-up")).updatedAt >= updatedAt);
  assert.equal((await get("catches-up")).status, "paused");
  assert.equal((await call("/v1/tasks/catches-up/resume", { method: "POST" })).body.changed, true);
  for (const id of ["catches-up", "catches-up-by-put"]) {
    await until(`the missed runs of ${id}`, async () => {
      const { runs } = (await call(`/v1/tasks/${id}/runs?limit=1000`)).body;
      return missed.every((time) => runs.some((run) => run.time === time && run.outcome === "succeeded"));
    });
    await call(`/v1/tasks/${id}`, { method: "DELETE" });
  }
});

test("a calendar that tasks use is not deleted", async () => {
  await calendar("used", { dates: ["2099-01-01"] });
  for (let n = 0; n < 5; n++) await daily(`user-${n}`, { calendars: ["used"] }, n === 4 ? { paused: true } : {});
  const refused = await call("/v1/calendars/used", { method: "DELETE" });
  assert.deepEqual([refused.status, refused.body.type], [409, "/problems/calendar-in-use"]);
  assert.match(refused.body.detail, /^5 tasks name the calendar "used": "user-\d", "user-\d", "user-\d" and others$/);
  for (let n = 1; n < 5; n++) await call(`/v1/tasks/user-${n}`, { method: "DELETE" });
  assert.match((await call("/v1/calendars/used", { method: "DELETE" })).body.detail, /^1 task names the calendar "used": "user-0"$/);
  await call("/v1/tasks/user-0", { method: "PATCH", body: { exclude: null } });
  assert.equal((await call("/v1/calendars/used", { method: "DELETE" })).status, 200);
});

test("an update survives a kill in its middle", async () => {
  const COUNT = 600;
  await calendar("crash", { dates: ["2099-01-01"] });
  const body = Array.from({ length: COUNT }, (_, n) => ({ id: `crash-${n}`, cron: "0 9 * * *", startAt: "2099-01-01T00:00:00Z", exclude: { calendars: ["crash"] }, callback: { type: "handler", name: "noop" } }));
  assert.equal((await call("/v1/tasks/batch", { body })).body.accepted, COUNT);
  await calendar("crash", { dates: ["2099-01-01/2099-01-02"] });
  const isNew = async (n) => (await get(`crash-${n}`)).due === nine(3);
  // Some tasks are changed, and others are not.
  await until("the first changes", async () => (await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(isNew))).some(Boolean), { everyMs: 1 });
  await scheduler.kill();
  await scheduler.restart();
  const end = await done("crash");
  assert.deepEqual([end.tasksUpdated, end.tasksFailed], [COUNT, 0]);
  for (let from = 0; from < COUNT; from += 50) {
    const news = await Promise.all(Array.from({ length: 50 }, (_, n) => isNew(from + n)));
    assert.ok(news.every(Boolean), `from ${from}: ${news}`);
  }
});
