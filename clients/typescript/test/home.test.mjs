// How an object finds the scheduler and its own binding, and who may call its methods.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../src/scheduler/connect.ts";
import { Home, hasToken, methodOfPath } from "../src/scheduler/home.ts";
import { homeOfObject } from "../src/scheduler/object-home.ts";

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
const idOf = (type, name) => ({ type, name, equals: (other) => other.type === type && other.name === name });
/** A service binding: every name is a function on it. */
const service = new Proxy({}, { get: () => () => ({ equals: () => Promise.resolve(true) }) });

const storage = () => {
  const stored = new Map();
  return { stored, get: async (key) => stored.get(key), put: async (key, value) => void stored.set(key, value) };
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
  assert.throws(() => home("kim", Room, { SERVICE: service }).address, /no binding leads to Room/);
});

test("the token of an object is made once and stored", async () => {
  const kept = storage();
  const home = () => homeOfObject({ id: idOf("Room", "kim"), storage: kept }, {}, class {}, Object);
  const token = await home().token();
  assert.match(token, /^[0-9a-f]{64}$/);
  assert.equal(await home().token(), token);
  assert.equal(kept.stored.size, 1);
});

test("only a request with the token of the home passes", async () => {
  const home = new Home({ type: class {}, base: Object, address: () => ({ type: "service", binding: "TASKS" }), token: async () => "the token" });
  const request = (token) => new Request("http://x/", { headers: token === undefined ? {} : { "durable-scheduler-token": token } });
  const passes = await Promise.all([undefined, "", "the toke", "the token2", "THE TOKEN", "the token"].map((token) => hasToken(request(token), home)));
  assert.deepEqual(passes, [false, false, false, false, false, true]);
});

test("the path of a run names a method, and no other path does", () => {
  const found = ["/durable-scheduler/runs/remind", "/durable-scheduler/runs/a%2Fb", "/durable-scheduler/runs/", "/durable-scheduler/runs/%", "/durable-scheduler/run/x", "/x/durable-scheduler/runs/x", "/"].map(methodOfPath);
  assert.deepEqual(found, ["remind", "a/b", "", undefined, undefined, undefined, undefined]);
});
