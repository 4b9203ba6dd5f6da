// Agents of Cloudflare's agents package whose schedules are tasks, on the real local runtime.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Blocks } from "../readme.mjs";
import { startWorker, until } from "../runtime.mjs";

const KEY = "a-key-of-the-operator-for-these-tests";

const CONFIG = fileURLToPath(new URL("worker.jsonc", import.meta.url));
const vars = { API_KEYS: KEY };

let worker;
before(async () => {
  worker = await startWorker(CONFIG, { vars });
});
after(() => worker?.stop());

async function rpc(kind, name, method, ...args) {
  const response = await fetch(`${worker.url}/${kind}/${name}/${method}`, { method: "POST", body: JSON.stringify(args) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
/** An agent: `agent("ann").schedule(…)` calls the method there. */
const agent = (name) => new Proxy({}, { get: (_, method) => async (...args) => JSON.parse(await rpc("reminders", name, "call", method, ...args)) });
const poller = (name) => new Proxy({}, { get: (_, method) => (...args) => rpc("pollers", name, method, ...args) });
const calls = (name, kind = "reminders") => rpc(kind, name, "calls");
const call = (name, isIt, kind) => until(`a call at ${name}`, async () => (await calls(name, kind)).find(isIt));

test("agents, and the example that moves a project, compile with the types of the agents package", async () => {
  for (const config of ["tsconfig.json", "tsconfig.examples.json"]) {
    const printed = await new Promise((resolve) => execFile("tsc", ["-p", fileURLToPath(new URL(config, import.meta.url))], (_, stdout) => resolve(stdout)));
    assert.equal(printed, "");
  }
});

test("a delay, a date and a cron expression are schedules", async () => {
  const answer = await fetch(`${worker.url}/reminders/quick?user=kim`);
  assert.equal(await answer.text(), "Scheduled!");
  const schedules = await agent("quick").listSchedules();
  const byType = Object.fromEntries(schedules.map((schedule) => [schedule.type, schedule]));
  assert.equal(schedules.length, 3);
  assert.deepEqual(byType.delayed, { ...byType.delayed, callback: "sendReminder", payload: { message: "in half a minute" }, delayInSeconds: 30, status: "scheduled" });
  assert.ok(Math.abs(byType.delayed.time - Date.now() / 1000 - 30) < 20, "seconds since 1970");
  assert.deepEqual(byType.scheduled, { ...byType.scheduled, payload: { message: "at a date" }, time: Date.UTC(2099, 1, 1, 9) / 1000 });
  assert.deepEqual(byType.cron, { ...byType.cron, callback: "dailyDigest", cron: "0 8 * * *", payload: { user: "kim" } });
  assert.equal(byType.cron.time % 86_400, 8 * 3_600);
  // In the order of their times.
  assert.deepEqual(schedules.map(({ time }) => time), schedules.map(({ time }) => time).sort((a, b) => a - b));
});

test("a method gets the payload and the schedule, of an agent that has started", async () => {
  const made = await agent("ann").schedule(0.3, "sendReminder", { message: "tea" });
  assert.equal(made.type, "delayed");
  const { payload, schedule } = await call("ann", ({ callback }) => callback === "sendReminder");
  assert.deepEqual(payload, { message: "tea" });
  assert.deepEqual(schedule, { ...made, status: "running" });
  assert.equal(await agent("ann").getScheduleById(made.id), null);

  await agent("named").schedule(0, "tellName");
  assert.deepEqual((await call("named", ({ callback }) => callback === "tellName")).payload, { told: "named" });
  await agent("named").schedule(0, "noteContext");
  assert.equal((await call("named", ({ callback }) => callback === "noteContext")).payload, true);
});

test("a delay or a date that has passed runs at once, as in the agents package", async () => {
  await agent("late").schedule(-5, "sendReminder", { message: "a delay" });
  await agent("late").schedule(new Date("2020-01-01T00:00:00Z"), "sendReminder", { message: "a date" });
  for (const message of ["a delay", "a date"]) await call("late", ({ payload }) => payload.message === message);
});

test("a schedule is found and cancelled by its id, and only by its agent", async () => {
  const schedule = await agent("bob").schedule(60, "sendReminder", { message: "later" }, { retry: { maxAttempts: 5 } });
  const { id, time, ...rest } = schedule;
  assert.ok(time > Date.now() / 1000);
  assert.deepEqual(rest, { callback: "sendReminder", payload: { message: "later" }, retry: { maxAttempts: 5 }, type: "delayed", delayInSeconds: 60, status: "scheduled" });
  for (const method of ["getScheduleById", "getSchedule"]) assert.deepEqual(await agent("bob")[method](id), schedule);
  assert.equal(await agent("eve").getScheduleById(id), null);
  assert.equal(await agent("eve").cancelSchedule(id), false);
  assert.equal(await agent("bob").cancelSchedule(id), true);
  assert.equal(await agent("bob").cancelSchedule(id), false);
  assert.equal(await agent("bob").getScheduleById(id), null);
});

test("a list has the schedules that meet all criteria", async () => {
  const cleo = agent("cleo");
  const now = Date.now();
  const soon = await cleo.schedule(1_800, "sendReminder", { message: "soon" });
  const later = await cleo.schedule(new Date(now + 7_200_000), "sendReminder", { message: "later" });
  const cron = await cleo.schedule("*/5 * * * *", "dailyDigest", {});
  const interval = await cleo.scheduleEvery(90, "dailyDigest", { destination: "warehouse" });
  const ids = async (criteria = {}, method = "listSchedules") => (await cleo[method](criteria)).map(({ id }) => id).sort();
  assert.deepEqual(await ids(), [soon.id, later.id, cron.id, interval.id].sort());
  for (const [type, expected] of [["delayed", soon], ["scheduled", later], ["cron", cron], ["interval", interval]]) assert.deepEqual(await ids({ type }), [expected.id]);
  assert.deepEqual(await ids({ id: later.id }), [later.id]);
  assert.deepEqual(await ids({ type: "delayed", id: later.id }), []);
  assert.deepEqual(await ids({ timeRange: { start: new Date(now), end: new Date(now + 3_600_000) } }), [soon.id, cron.id, interval.id].sort());
  assert.deepEqual(await ids({ type: "cron", timeRange: { start: new Date(now), end: new Date(now + 86_400_000) } }), [cron.id]);
  // The end belongs to the range.
  const at = new Date(later.time * 1000);
  assert.deepEqual(await ids({ timeRange: { start: at, end: new Date(now + 7_200_000) } }, "getSchedules"), [later.id]);
  assert.deepEqual(interval, { ...interval, type: "interval", intervalSeconds: 90, payload: { destination: "warehouse" } });
});

test("the same cron expression, interval or idempotent schedule is one schedule", async () => {
  const dan = agent("dan");
  const same = async (method, ...args) => assert.equal((await dan[method](...args)).id, (await dan[method](...args)).id, JSON.stringify(args));
  const other = async (method, one, two) => assert.notEqual((await dan[method](...one)).id, (await dan[method](...two)).id, JSON.stringify(two));
  await same("schedule", "0 * * * *", "dailyDigest", { a: 1 });
  await other("schedule", ["0 * * * *", "dailyDigest", { a: 1 }], ["0 * * * *", "dailyDigest", { a: 2 }]);
  await other("schedule", ["0 * * * *", "dailyDigest", { a: 1 }], ["0 * * * *", "sendReminder", { a: 1 }]);
  await other("schedule", ["0 * * * *", "dailyDigest", { a: 1 }], ["0 * * * *", "dailyDigest", { a: 1 }, { idempotent: false }]);
  await other("schedule", ["0 * * * *", "dailyDigest", { a: 1 }], ["0 * * * *", "dailyDigest", { a: 1 }, { timezone: "Asia/Tokyo" }]);
  await same("scheduleEvery", 30, "dailyDigest");
  await other("scheduleEvery", [30, "dailyDigest"], [60, "dailyDigest"]);
  await other("scheduleEvery", [30, "dailyDigest"], [30, "dailyDigest", {}]);
  await same("schedule", 3600, "sendReminder", {}, { idempotent: true });
  await other("schedule", [3600, "sendReminder", {}], [3600, "sendReminder", {}]);

  // What runs once is the same by its callback and payload, whenever it runs.
  const once = { idempotent: true };
  const first = await dan.schedule(3600, "sendReminder", { message: "once" }, once);
  assert.deepEqual(await dan.schedule(60, "sendReminder", { message: "once" }, once), first);
  await other("schedule", [3600, "sendReminder", { message: "once" }, once], [new Date("2099-01-01"), "sendReminder", { message: "once" }, once]);
  const [one, two] = [new Date("2099-01-01"), new Date("2099-02-01")].map((when) => dan.schedule(when, "sendReminder", { message: "once" }, once));
  assert.deepEqual(await two, await one);
});

test("a recurring schedule that is declared again has its new options, and stays paused", async () => {
  const hal = agent("hal");
  const first = await hal.scheduleEvery(3600, "fails");
  await hal.pauseSchedule(first.id);
  const changed = await hal.scheduleEvery(3600, "fails", undefined, { retry: { maxAttempts: 7 } });
  assert.deepEqual([changed.id, changed.retry, changed.status], [first.id, { maxAttempts: 7 }, "paused"]);
  assert.deepEqual(await hal.scheduleEvery(3600, "fails", undefined, { retry: { maxAttempts: 7 } }), changed);

  // A zone is a part of the schedule. With one, a schedule replaces the one without.
  const plain = await hal.schedule("0 8 * * *", "dailyDigest");
  const berlin = await hal.schedule("0 8 * * *", "dailyDigest", undefined, { timezone: "Europe/Berlin" });
  const tokyo = await hal.schedule("0 8 * * *", "dailyDigest", undefined, { timezone: "Asia/Tokyo" });
  assert.equal(new Set([plain, berlin, tokyo].map(({ id }) => id)).size, 3);
  const zones = (await hal.listSchedules({ type: "cron" })).map(({ timezone }) => timezone);
  assert.deepEqual(zones.sort(), ["Asia/Tokyo", "Europe/Berlin"]);
});

test("schedules of onStart are made once, however often the agent starts", async () => {
  for (const _ of [1, 2]) await poller("starts").calls();
  const schedules = JSON.parse(await poller("starts").schedules());
  assert.deepEqual(schedules.map(({ callback, type }) => `${type} ${callback}`).sort(), ["cron sync", "delayed cleanup", "interval tick"]);
  assert.equal(schedules.find(({ type }) => type === "cron").timezone, "Europe/Berlin");
});

test("a reminder is cancelled together with what the agent stores of it", async () => {
  const [one, two] = [await rpc("reminders", "fay", "setReminder", 600, "one"), await rpc("reminders", "fay", "setReminder", 600, "two")];
  assert.equal(await rpc("reminders", "fay", "cancelReminder", one), true);
  assert.equal(await rpc("reminders", "fay", "cancelReminder", one), false);
  assert.deepEqual(await rpc("reminders", "fay", "reminders"), ["two"]);
  assert.equal((await agent("fay").getScheduleById(two)).type, "delayed");
});

test("a method schedules the next call of itself, until the schedules are cancelled", async () => {
  await poller("polls").startPolling(0.1);
  await until("three calls", async () => (await calls("polls", "pollers")).filter(({ callback }) => callback === "poll").length >= 3);
  await until("the polling to end", async () => {
    await poller("polls").stopPolling();
    return !JSON.parse(await poller("polls").schedules()).some(({ callback }) => callback === "poll");
  });

  await poller("attempts").startAttempts(3);
  const last = await call("attempts", ({ callback, payload }) => callback === "attempt" && payload.attempt === 3, "pollers");
  assert.equal(last.payload.most, 3);
});

test("a method that throws is tried again, and what became of it can be read", async () => {
  const once = await agent("gus").schedule(0, "fails", {}, { retry: { maxAttempts: 3 } });
  const often = await agent("gus").scheduleEvery(3600, "fails", {});
  assert.equal(await agent("gus").runSchedule(often.id), true);
  const runs = await until("the last attempts", async () => {
    const [one, two] = [await agent("gus").getScheduleRuns(once.id), await agent("gus").getScheduleRuns(often.id)];
    return one.length === 3 && two.length === 2 && [one, two];
  });
  assert.deepEqual(runs.map((all) => all.map(({ outcome }) => outcome)), [["dead-lettered", "failed", "failed"], ["dead-lettered", "failed"]]);
  // `onError` is called once for each run that has failed for good.
  const errors = (await calls("gus")).filter(({ callback }) => callback === "onError").map(({ payload }) => payload);
  assert.deepEqual(errors, ["Error: fails each time", "Error: fails each time"]);
  assert.match(runs[0][0].error, /fails each time/);
  // What runs once is gone, and an interval goes on.
  assert.deepEqual((await agent("gus").listSchedules()).map(({ id }) => id), [often.id]);
  assert.equal(await agent("gus").getScheduleById(once.id), null);
  assert.equal((await agent("gus").getScheduleById(often.id)).status, "scheduled");
});

test("schedules are paused, resumed and run by hand", async () => {
  const ida = agent("ida");
  const { id } = await ida.schedule("0 8 * * *", "dailyDigest", { user: "ida" });
  assert.equal(await ida.pauseSchedule(id), true);
  assert.deepEqual(await ida.getScheduleById(id), { id, callback: "dailyDigest", payload: { user: "ida" }, time: 0, status: "paused", type: "cron", cron: "0 8 * * *" });
  assert.equal(await ida.resumeSchedule(id), true);
  assert.equal(await ida.runSchedule(id), true);
  const { schedule } = await call("ida", ({ callback }) => callback === "dailyDigest");
  assert.equal(schedule.id, id);
  assert.equal((await ida.listSchedules()).length, 1);
  for (const method of ["pauseSchedule", "resumeSchedule", "runSchedule"]) assert.equal(await ida[method]("nowhere"), false);
});

test("expressions have seconds and a zone", async () => {
  const seconds = await agent("kai").schedule("*/10 * * * * *", "dailyDigest", {}, { startAt: new Date("2099-01-01T00:00:05Z"), maxRuns: 2 });
  assert.equal(seconds.time, Date.UTC(2099, 0, 1, 0, 0, 10) / 1000);
  const zone = await agent("kai").schedule("0 9 * * *", "dailyDigest", {}, { timezone: "Asia/Tokyo" });
  assert.equal(zone.time % 86_400, 0);
});

test("schedules from before go on, and one that is declared again moves over", async () => {
  const lea = agent("lea");
  const [once, cron] = [await rpc("reminders", "lea", "scheduleBefore", 3600, { message: "once" }), await rpc("reminders", "lea", "scheduleBefore", "0 8 * * *", { message: "daily" })];
  assert.deepEqual((await lea.listSchedules()).map(({ id }) => id).sort(), [once, cron].sort());
  assert.equal((await lea.getScheduleById(once)).payload.message, "once");
  const moved = await lea.schedule("0 8 * * *", "sendReminder", { message: "daily" });
  assert.deepEqual((await lea.listSchedules()).map(({ id }) => id).sort(), [once, moved.id].sort());
  assert.equal(await lea.cancelSchedule(once), true);
  assert.equal(await rpc("reminders", "lea", "countBefore"), 0);
  // And it fires by the agent's own alarm.
  await rpc("reminders", "lea", "scheduleBefore", 0, { message: "at once" });
  await call("lea", ({ payload }) => payload?.message === "at once");
});

test("a method that the agent does not have, and a wrong expression, are refused", async () => {
  await assert.rejects(agent("mia").schedule(0, "nothing"), /ReminderAgent has no method "nothing" that tasks may call/);
  await assert.rejects(agent("mia").schedule("not cron", "dailyDigest"), /cron/);
});

test("a run of an interval that comes due before the previous one has ended is skipped", async () => {
  const id = await poller("slow").startSlow();
  const outcomes = await until("two runs and a skipped one", async () => {
    const all = await poller("slow").outcomes(id);
    return all.includes("skipped") && all.filter((outcome) => outcome === "succeeded").length >= 2 && all;
  });
  assert.ok(outcomes.every((outcome) => ["succeeded", "skipped"].includes(outcome)), String(outcomes));
});

test("a sub-agent schedules by the alarm of its agent, as before", async () => {
  assert.deepEqual(JSON.parse(await poller("parent").childLater(0.2)), { found: 1, far: true });
  const made = await until("the call of the child", async () => (await poller("parent").childCalls())[0]);
  assert.deepEqual([made.callback, made.payload], ["remind", { of: "child" }]);
  const response = await fetch(`${worker.url}/v1/tasks?prefix=${encodeURIComponent("{POLLERS:kid}:")}`, { headers: { authorization: `Bearer ${KEY}` } });
  assert.deepEqual((await response.json()).tasks, []);
});

test("an agent that destroys itself takes its schedules along", async () => {
  await agent("end").schedule("0 8 * * *", "dailyDigest", {});
  await agent("end").destroy().catch(() => {});
  const response = await fetch(`${worker.url}/v1/tasks?prefix=${encodeURIComponent("{REMINDERS:end}:")}`, { headers: { authorization: `Bearer ${KEY}` } });
  assert.deepEqual((await response.json()).tasks, []);
});

test("an agent may destroy itself in a method that it has scheduled", async () => {
  const stored = async (path) => (await fetch(`${worker.url}/v1/${path}`, { headers: { authorization: `Bearer ${KEY}` } })).json();
  const prefix = encodeURIComponent("{REMINDERS:last}:");
  await agent("last").schedule("0 8 * * *", "dailyDigest", {});
  const { id } = await agent("last").schedule(0, "endItself");
  // The attempt ends with the agent, and nothing starts it again.
  await until("the end of the attempt", async () => (await stored(`tasks/${encodeURIComponent(`{REMINDERS:last}:${id}`)}/runs`)).runs.length > 0);
  await until("the tasks to be gone", async () => (await stored(`tasks?prefix=${prefix}`)).tasks.length === 0);
  assert.deepEqual((await stored(`dead-letters?prefix=${prefix}`)).deadLetters, []);
  assert.deepEqual(await calls("last"), []);
});

test("the example of README.md runs", async () => {
  const blocks = await Blocks.of("agents/agents.test.mjs");
  const { code } = blocks.take("Agents");
  assert.deepEqual(blocks.left, []);
  // The configuration names another class, too.
  const example = await startWorker(CONFIG, { vars, source: `${code}\nexport class PollingAgent extends withScheduler(Agent) {}` });
  try {
    const url = `${example.url}/agents/reminders/kim`;
    const answer = await (await fetch(url, { method: "POST", body: "Tea" })).json();
    assert.deepEqual(answer, { waiting: ["delayed", "cron"], sent: [] });
    await until("the reminder", async () => JSON.stringify(await (await fetch(url)).json()) === '{"waiting":["cron"],"sent":["Tea"]}');
  } finally {
    await example.stop();
  }
});
