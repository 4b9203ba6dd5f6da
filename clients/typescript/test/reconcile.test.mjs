// When declared schedules are brought up to date, and what that asks of the scheduler.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cron, every, task } from "../src/scheduler/decorators.ts";
import { Home } from "../src/scheduler/home.ts";
import { SchedulerError } from "../src/client/index.ts";
import { fingerprintOf, reconcile, reconcileByRecord, throwAll } from "../src/scheduler/reconcile.ts";

class Base {}

/** Returns a class with methods that have declarations, each a list of decorators. */
function classWith(declarations) {
  class Own extends Base {}
  for (const [name, decorators] of Object.entries(declarations)) {
    const method = { [name]() {} }[name];
    for (const decorator of decorators) decorator(method, { kind: "method", name, static: false, private: false, metadata: undefined });
    Object.defineProperty(Own.prototype, name, { value: method, configurable: true });
  }
  return Own;
}

const homeOf = (type, name = "kim") => new Home({ type, base: Base, address: () => ({ type: "durable-object", binding: "ROOMS", name }), token: async () => "t" });
const fingerprint = (declarations) => fingerprintOf(homeOf(classWith(declarations)));

/** A scheduler that keeps tasks in memory and notes what it is asked. */
function fakeClient(tasks = {}) {
  const stored = new Map(Object.entries(tasks));
  const asked = [];
  return {
    stored,
    asked,
    async getTask(id) {
      return stored.get(id);
    },
    async scheduleTask(task) {
      asked.push(["schedule", task.id]);
      if (task.cron === "0 0 30 2 *") throw new Error("cron never fires");
      const made = { status: task.paused ? "paused" : "scheduled", ...task };
      Object.defineProperty(made, "etag", { value: `"${asked.length}"` });
      stored.set(task.id, made);
      return made;
    },
    async pause(id, { note, ifMatch }) {
      asked.push(["pause", id, note, ifMatch?.etag]);
      return Object.assign(stored.get(id), { status: "paused", pauseNote: note });
    },
    query: ({ prefix }) => ({ toArray: async () => [...stored.values()].filter(({ id }) => id.startsWith(prefix)) }),
    async cancelTask(id) {
      asked.push(["cancel", id]);
      stored.delete(id);
    },
  };
}

test("a fingerprint changes with every part of a declaration, and with nothing else", async () => {
  const first = await fingerprint({ tick: [every(60)], other: [task()], plain: [] });
  assert.match(first, /^\{"tick":"[0-9a-f]{32}"\}$/);
  assert.equal(await fingerprint({ plain: [], tick: [every(60)], more: [] }), first);
  const others = [{ tick: [every(61)] }, { tock: [every(60)] }, { tick: [every(60, { payload: 1 })] }, { tick: [every(60), task({ retries: 1 })] }, { tick: [every(60)], b: [cron("@daily")] }, { tick: [cron("@daily")] }];
  const found = await Promise.all(others.map(fingerprint));
  assert.equal(new Set([first, ...found]).size, others.length + 1);
  assert.notEqual(await fingerprintOf(homeOf(classWith({ tick: [every(60)] }), "sue")), first);
  assert.equal(await fingerprint({ plain: [task()] }), "");
});

test("reconciling adds, changes and removes by id, keeps pauses, and leaves other tasks", async () => {
  const id = (name) => `{ROOMS:kim}:@${name}`;
  const client = fakeClient({
    [id("paused")]: { id: id("paused"), status: "paused", everySeconds: 5 },
    [id("gone")]: { id: id("gone"), status: "scheduled" },
    [id("failed")]: { id: id("failed"), status: "dead-lettered" },
    "{ROOMS:kim}:mine": { id: "{ROOMS:kim}:mine" },
    "{ROOMS:kim2}:@gone": { id: "{ROOMS:kim2}:@gone" },
  });
  const type = classWith({ paused: [every(60)], added: [cron("0 9 * * *", { timezone: "Europe/London", retries: 2, timeoutSeconds: 5, payload: { n: 1 } })] });
  const { fingerprint: all, errors } = await reconcile(client, homeOf(type), "");
  assert.deepEqual([all, errors], [await fingerprintOf(homeOf(type)), []]);
  assert.deepEqual(client.asked, [["schedule", id("added")], ["schedule", id("paused")], ["cancel", id("gone")]]);
  assert.deepEqual(client.stored.get(id("added")), {
    status: "scheduled",
    id: id("added"),
    cron: "0 9 * * *",
    timezone: "Europe/London",
    payload: { n: 1 },
    retry: { maxAttempts: 3 },
    callback: { type: "service", binding: "SCHEDULER_RUNS", path: "/durable-scheduler/runs/added?binding=ROOMS&name=kim", headers: { "durable-scheduler-token": "t" }, timeoutSeconds: 5 },
  });
  assert.equal(client.stored.get(id("paused")).status, "paused");
  assert.deepEqual([...client.stored.keys()].sort(), ["{ROOMS:kim2}:@gone", id("added"), id("failed"), id("paused"), "{ROOMS:kim}:mine"]);
});

test("a pause between the look at a schedule and its change is not lost", async () => {
  const id = "{ROOMS:kim}:@tick";
  const client = fakeClient({ [id]: { id, status: "scheduled", everySeconds: 5, etag: "1" } });
  const { scheduleTask } = client;
  client.scheduleTask = async (task, { ifMatch } = {}) => {
    const stored = client.stored.get(id);
    if (stored.status === "scheduled" && stored.etag === "1") Object.assign(stored, { status: "paused", etag: "2" });
    if (ifMatch?.etag !== stored.etag) throw new SchedulerError({ type: "/problems/other-version", title: "", status: 412, detail: "", retryable: false, attempts: 1 });
    await scheduleTask(task);
  };
  client.getTask = async () => ({ ...client.stored.get(id) });
  assert.deepEqual((await reconcile(client, homeOf(classWith({ tick: [every(60)] })), "")).errors, []);
  assert.deepEqual([client.stored.get(id).everySeconds, client.stored.get(id).status], [60, "paused"]);
});

test("a pause that has a note keeps it, unless somebody changes the schedule meanwhile", async () => {
  const id = "{ROOMS:kim}:@tick";
  const paused = { id, status: "paused", pauseNote: "moved house", everySeconds: 5 };
  const type = classWith({ tick: [every(60)] });
  const client = fakeClient({ [id]: paused });
  assert.deepEqual((await reconcile(client, homeOf(type), "")).errors, []);
  assert.deepEqual(client.asked, [["schedule", id], ["pause", id, "moved house", '"1"']]);
  assert.deepEqual([client.stored.get(id).everySeconds, client.stored.get(id).pauseNote], [60, "moved house"]);

  for (const [problem, errors] of [["other-version", 0], ["unavailable", 1]]) {
    const changed = fakeClient({ [id]: paused });
    changed.pause = async () => {
      throw new SchedulerError({ type: `/problems/${problem}`, title: "", status: 412, detail: "", retryable: false, attempts: 1 });
    };
    assert.equal((await reconcile(changed, homeOf(type), "")).errors.length, errors, problem);
  }
});

test("a schedule that is refused does not keep out the others, and the error names its method", async () => {
  const client = fakeClient();
  const type = classWith({ never: [cron("0 0 30 2 *")], tick: [every(60)] });
  const { fingerprint: inPlace, errors } = await reconcile(client, homeOf(type), "");
  assert.throws(() => throwAll(errors), /^AggregateError: the schedule of Own\.never\(\) is not in place: cron never fires$/);
  throwAll([]);
  assert.deepEqual([...client.stored.keys()], ["{ROOMS:kim}:@tick"]);
  // Only the one that is missing is tried again.
  client.asked.length = 0;
  await reconcile(client, homeOf(type), inPlace);
  assert.deepEqual(client.asked, [["schedule", "{ROOMS:kim}:@never"]]);
});

test("a schedule that has not changed stays as it is, also if its runs are used up", async () => {
  const client = fakeClient();
  const once = { once: [every(60, { maxRuns: 1 })] };
  const first = await reconcile(client, homeOf(classWith(once)), "");
  // It has run, and is gone.
  client.stored.clear();
  client.asked.length = 0;
  const second = await reconcile(client, homeOf(classWith({ ...once, more: [every(5)] })), first.fingerprint);
  assert.deepEqual(client.asked, [["schedule", "{ROOMS:kim}:@more"]]);
  // A fingerprint of an earlier version of the package says nothing.
  client.asked.length = 0;
  await reconcile(client, homeOf(classWith(once)), "0".repeat(64));
  assert.deepEqual(client.asked, [["schedule", "{ROOMS:kim}:@once"], ["cancel", "{ROOMS:kim}:@more"]]);
  assert.notEqual(second.fingerprint, first.fingerprint);
});

/** A client as `fakeClient`, with a record whose versions count. `during` is called while schedules are put in place. */
function clientWithRecord(during = () => {}) {
  const client = fakeClient();
  let version = 0;
  const record = { id: "{TASKS}-record", payload: {}, etag: "0" };
  const { scheduleTask } = client;
  return Object.assign(client, {
    record,
    async getTask(id) {
      return id === record.id ? { ...record } : client.stored.get(id);
    },
    async scheduleTask(task) {
      await scheduleTask(task);
      await during(client);
    },
    async changeTask(id, { payload }, { ifMatch }) {
      assert.equal(id, record.id);
      if (ifMatch !== undefined && ifMatch.etag !== record.etag) throw new SchedulerError({ type: "/problems/other-version", title: "", status: 412, detail: "", retryable: false, attempts: 1 });
      Object.assign(record, { payload, etag: String((version += 1)) });
    },
  });
}

test("schedules are compared by their record, and two versions at one time leave none that says that all is well", async () => {
  const home = homeOf(classWith({ tick: [every(60)] }));
  const wanted = await fingerprintOf(home);
  const alone = clientWithRecord();
  await reconcileByRecord(alone, home, alone.record.id);
  await reconcileByRecord(alone, home, alone.record.id);
  assert.deepEqual([alone.record.payload, alone.asked.length], [{ fingerprint: wanted }, 1]);

  const other = await fingerprintOf(homeOf(classWith({ tick: [every(61)] })));
  const both = clientWithRecord((client) => client.changeTask(client.record.id, { payload: { fingerprint: other } }, {}));
  await assert.rejects(reconcileByRecord(both, home, both.record.id), /another version of Own has declared schedules at the same time/);
  assert.deepEqual(both.record.payload, { fingerprint: "" });

  // One that is refused is tried again, and the others are not.
  const refusing = homeOf(classWith({ never: [cron("0 0 30 2 *")], tick: [every(60)] }));
  const partly = clientWithRecord();
  for (const asked of [2, 1]) {
    partly.asked.length = 0;
    await assert.rejects(reconcileByRecord(partly, refusing, partly.record.id), /^AggregateError: .*Own\.never/);
    assert.equal(partly.asked.length, asked);
  }

  // Another isolate of the same version may have been faster.
  const same = clientWithRecord((client) => client.changeTask(client.record.id, { payload: { fingerprint: wanted } }, {}));
  await reconcileByRecord(same, home, same.record.id);
  assert.deepEqual(same.record.payload, { fingerprint: wanted });
});

test("no name of an object imitates another one", () => {
  const prefixes = ["a", "a}:b", "a:b", "{a", "a%7D", "é", ""].map((name) => homeOf(Base, name).prefix);
  assert.equal(new Set(prefixes).size, prefixes.length);
  for (const prefix of prefixes) assert.match(prefix, /^\{ROOMS:[^{}:]*\}:$/);
});
