// How an object finds the scheduler and its own binding, and who may call its methods.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../src/scheduler/connect.ts";
import { fromApi, toApi } from "../src/scheduler/convert.ts";
import { Home, hasToken, methodOfPath } from "../src/scheduler/home.ts";
import { homeOfObject } from "../src/scheduler/object-home.ts";
import { PermanentError, RetryLaterError } from "../src/scheduler/errors.ts";
import { interceptRuns } from "../src/scheduler/runs.ts";
import { forwardRun } from "../src/worker/runs.ts";

/** A scheduler that answers with its name and what it was called with. */
const binding = (name) => ({ fetch: async () => Response.json({ id: name }) });

test("the scheduler in the same Worker comes before the one behind a binding", async () => {
  const own = { exports: { SchedulerEntrypoint: ({ props }) => binding(`own ${JSON.stringify(props)}`) } };
  const other = { SCHEDULER_SERVICE: binding("other") };
  assert.equal((await connect(other, own).getTask("x")).id, "own {}");
  assert.equal((await connect(other, { exports: {} }).getTask("x")).id, "other");
  assert.equal((await connect(other, {}).getTask("x")).id, "other");
  assert.throws(() => connect({}, {}), /^TypeError: no scheduler: export \{ SchedulerEntrypoint \}/);
});

/** A namespace as the platform has it: its ids are those of a class. */
class DurableObjectNamespace {
  constructor(type) {
    this.type = type;
  }
  idFromName(name) {
    return idOf(this.type, name);
  }
}
const idOf = (type, name) => ({ name, hash: `${type}:${name}`, equals: (other) => other.hash === `${type}:${name}` });
/** A service binding: every name is a function on it. */
const service = new Proxy({}, { get: () => () => ({ equals: () => Promise.resolve(true) }) });

const storage = () => {
  const stored = new Map();
  return {
    stored,
    writes: 0,
    get: async (keys) => (typeof keys === "string" ? stored.get(keys) : new Map(keys.filter((key) => stored.has(key)).map((key) => [key, stored.get(key)]))),
    async put(entries) {
      this.writes += 1;
      for (const [key, value] of Object.entries(entries)) stored.set(key, value);
    },
    kv: { get: (key) => stored.get(key) },
  };
};

test("an object finds its binding among all that the Worker has", () => {
  class Room {}
  const env = { VAR: "text", NULL: null, SERVICE: service, OTHERS: new DurableObjectNamespace("Other"), ROOMS: new DurableObjectNamespace("Room") };
  const home = (name, type = Room, bindings = env) => homeOfObject({ id: idOf("Room", name), storage: storage() }, bindings, type, Object);
  assert.deepEqual(home("kim").address, { type: "durable-object", binding: "ROOMS", name: "kim" });
  class Named {
    static binding = "ELSEWHERE";
  }
  assert.equal(home("kim", Named).address.binding, "ELSEWHERE");
  assert.throws(() => home(undefined).address, /this Room has no name/);
  assert.throws(() => home("kim", Room, { SERVICE: service }).address, /no binding leads to this Room/);
  class Wrong {
    static binding = "OTHERS";
  }
  assert.throws(() => home("kim", Wrong).address, /the binding OTHERS does not lead to this Wrong: change Wrong\.binding/);
});

test("the token of an object is made once and stored", async () => {
  const kept = storage();
  const home = () => homeOfObject({ id: idOf("Room", "kim"), storage: kept }, {}, class {}, Object);
  const token = await home().token();
  assert.match(token, /^[0-9a-f]{64}$/);
  assert.equal(await home().token(), token);
  assert.equal(kept.writes, 1);
});

test("an object that an alarm has started without its name knows the name all the same", async () => {
  class Room {}
  const kept = storage();
  const env = { ROOMS: new DurableObjectNamespace("Room") };
  const home = (id) => homeOfObject({ id, storage: kept }, env, Room, Object);
  const nameless = { ...idOf("Room", "kim"), name: undefined };
  const kim = idOf("Room", "kim");
  assert.throws(() => home(nameless).address, /this Room has no name/);
  const token = await home(kim).token();
  assert.deepEqual(home(nameless).address, { type: "durable-object", binding: "ROOMS", name: "kim" });
  // It does not lose the name when it is asked without it, and one from before gets it.
  assert.equal(await home(nameless).token(), token);
  kept.stored.delete("durable-scheduler:name");
  assert.equal(await home(kim).token(), token);
  assert.equal(home(nameless).address.name, "kim");
  // A class without SQLite has no such storage.
  delete kept.kv;
  assert.throws(() => home(nameless).address, /this Room has no name/);
});

test("only a request with the token of the home passes", async () => {
  const home = new Home({ type: class {}, base: Object, address: () => ({ type: "service", binding: "TASKS" }), token: async () => "the token" });
  const request = (token) => new Request("http://x/", { headers: token === undefined ? {} : { "durable-scheduler-token": token } });
  const passes = await Promise.all([undefined, "", "the toke", "the token2", "THE TOKEN", "the token"].map((token) => hasToken(request(token), home)));
  assert.deepEqual(passes, [false, false, false, false, false, true]);
});

test("a forged run leaves no trace in an object that has no token", async () => {
  const kept = storage();
  const home = homeOfObject({ id: idOf("Room", "kim"), storage: kept }, {}, class {}, Object);
  assert.equal(await hasToken(new Request("http://x/", { headers: { "durable-scheduler-token": "0".repeat(64) } }), home), false);
  assert.equal(kept.stored.size, 0);
});

test("the answer to a run says how it ended, and whether it is tried again", async (t) => {
  t.mock.method(console, "error", () => {});
  class Base {}
  class Room extends Base {
    remind(payload, run) {
      if (payload instanceof Object) throw { permanent: new PermanentError("no use"), later: new RetryLaterError("not yet", 1.2), broken: new Error("broken") }[payload.how];
      return [payload, run];
    }
  }
  const home = new Home({ type: Room, base: Base, address: () => ({ type: "durable-object", binding: "ROOMS", name: "kim" }), token: async () => "the token" });
  const room = new Room();
  const calls = [];
  interceptRuns(room, home, { onCall: (isGenuine) => calls.push(isGenuine), before: () => calls.push("before") });
  const send = async (method, payload, token = "the token") => {
    const request = new Request(`http://x/durable-scheduler/runs/${method}?binding=ROOMS&name=kim`, { method: "POST", headers: { "durable-scheduler-token": token }, body: JSON.stringify({ id: "{ROOMS:kim}:a", time: 5, payload }) });
    const response = await room.answerScheduledRun(request);
    return [response.status, response.headers.get("retry-after")];
  };
  assert.deepEqual(await send("remind", "tea"), [204, null]);
  assert.deepEqual([await calls[0], calls[1]], [true, "before"]);
  assert.deepEqual(await send("remind", { how: "broken" }), [500, null]);
  assert.deepEqual(await send("remind", { how: "later" }), [503, "2"]);
  assert.deepEqual(await send("remind", { how: "permanent" }), [410, null]);
  // A version of the class that has the method may come with the next deployment.
  assert.deepEqual(await send("report"), [404, null]);
  calls.length = 0;
  assert.deepEqual(await send("remind", "tea", "forged"), [410, null]);
  assert.deepEqual(await send("report", "tea", "forged"), [410, null]);
  assert.deepEqual(await Promise.all(calls), [false, false]);
});

test("a run reaches an object of a namespace or an entry point, and no other method of a binding", async () => {
  const called = [];
  /** A service binding takes every name for a method of the other Worker. */
  const service = (methods) => new Proxy({}, { get: (_, name) => (name === "constructor" ? Object : (...args) => (called.push([name, ...args.filter((arg) => typeof arg === "string")]), methods?.[name]?.(...args) ?? new Proxy({}, { get: () => () => new Response("stolen") }))) });
  const rooms = Object.assign(new DurableObjectNamespace("Room"), { getByName: (name) => ({ answerScheduledRun: async () => new Response(`run of ${name}`) }) });
  const env = { MAIL: service(), TASKS: service({ answerScheduledRun: () => new Response("run of TASKS") }), ROOMS: rooms, SHARDS: rooms, VAR: "text", JSON: { a: 1 } };
  const send = async (query) => {
    const response = await forwardRun(new Request(`http://x/durable-scheduler/runs/remind?${query}`, { method: "POST" }), env);
    return `${response.status} ${await response.text()}`;
  };
  assert.equal(await send("binding=ROOMS&name=kim"), "200 run of kim");
  assert.equal(await send("binding=TASKS"), "200 run of TASKS");
  assert.deepEqual(called.map(([name]) => name), ["answerScheduledRun"]);
  for (const query of ["binding=MAIL&name=kim", "binding=ROOMS", "binding=SHARDS&name=kim", "binding=VAR", "binding=JSON&name=kim", "binding=__proto__", "binding=constructor&name=x", ""]) {
    assert.match(await send(query), /^404 there is no binding/, query);
  }
  assert.match(await send("binding=JSON"), /^410 /);
  assert.equal(called.length, 1);
});

test("the path of a run names a method, and no other path does", () => {
  const found = ["/durable-scheduler/runs/remind", "/durable-scheduler/runs/a%2Fb", "/durable-scheduler/runs/", "/durable-scheduler/runs/%", "/durable-scheduler/run/x", "/x/durable-scheduler/runs/x", "/"].map(methodOfPath);
  assert.deepEqual(found, ["remind", "a/b", "", undefined, undefined, undefined, undefined]);
});

test("a task of an object shows all that defines it", () => {
  const home = new Home({ type: class {}, base: Object, address: () => ({ type: "durable-object", binding: "ROOMS", name: "kim" }), token: async () => "t" });
  const callback = { type: "webhook", url: "https://example.com/x" };
  const shown = { description: "d", priority: 7, limitKey: "k", overlap: "skip", misfire: { policy: "fire-once" }, maxRuns: 3, jitterSeconds: 4, windowSeconds: 5, expireAfterSeconds: 6, onSuccess: callback, onFailure: callback, payload: null, callback };
  const found = fromApi({ id: "{ROOMS:kim}:a", kind: "every", status: "scheduled", everySeconds: 60, startAt: "1970-01-01T00:00:00.001Z", endAt: 2, anchor: "1970-01-01T00:00:00.003Z", due: 4, ...shown }, home);
  assert.deepEqual(found, { id: "a", type: "every", status: "scheduled", everySeconds: 60, startAt: new Date(1), endAt: new Date(2), anchor: new Date(3), time: new Date(4), ...shown });
  const local = fromApi({ id: "{ROOMS:kim}:b", kind: "once", status: "scheduled", due: 5, timezone: "Europe/Berlin", local: { time: "2030-01-01T09:00" }, callback }, home);
  assert.deepEqual(local, { id: "b", type: "scheduled", status: "scheduled", time: new Date(5), timezone: "Europe/Berlin", local: { time: "2030-01-01T09:00" }, callback });
});

test("a task with a delay has room for one tag less, and says so", async () => {
  class Room {
    remind() {}
  }
  const home = new Home({ type: Room, base: class {}, address: () => ({ type: "service", binding: "TASKS" }), token: async () => "t" });
  const tags = (count) => Array.from({ length: count }, (_, n) => `t${n}`);
  const task = (count, when) => toApi({ ...when, tags: tags(count), callback: { type: "self", function: "remind" } }, "{TASKS}:a", home);
  assert.deepEqual((await task(15, { delayInSeconds: 5 })).tags, [...tags(15), "delayInSeconds:5"]);
  await assert.rejects(task(16, { delayInSeconds: 5 }), /^TypeError: tags has 16 entries: beside a delay, .* room for 15$/);
  assert.equal((await task(16, { everySeconds: 5 })).tags.length, 16);
});
