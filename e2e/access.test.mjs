// Tests keys, scopes, namespaces and quotas on the real local runtime.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const SHARDS = 4;
let scheduler;
let sink;
before(async () => {
  sink = await startSink();
  scheduler = await Scheduler.start({ shards: String(SHARDS) });
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

const LATER = { delayInSeconds: 9000, callback: { type: "handler", name: "noop" } };

/** Sends a request with a key, in a namespace. The defaults are the deployment's key and no namespace. */
const as = ({ key, namespace }, path, { headers = {}, ...options } = {}) =>
  scheduler.call(path, {
    ...options,
    headers: {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(namespace ? { "scheduler-namespace": namespace } : {}),
      ...headers,
    },
  });
const call = (path, options) => as({}, path, options);
const makeKey = async (scopes, namespaces, more = {}) => {
  const { status, body } = await call("/v1/keys", { body: { name: "a test", scopes, namespaces, ...more } });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
};
const makeNamespace = async (name, quota) => {
  const { status, body } = await call(`/v1/namespaces/${name}`, { method: "PUT", body: { quota } });
  assert.equal(status, 201, JSON.stringify(body));
};

test("a key can do what its scopes allow, and a refusal names the missing scope", async () => {
  const requests = {
    read: ["/v1/tasks", {}],
    write: ["/v1/tasks", { body: LATER }],
    admin: ["/v1/keys", {}],
  };
  for (const scope of Object.keys(requests)) {
    const { key } = await makeKey([scope], ["*"]);
    assert.match(key, /^dsk_[0-9a-f]{16}_[0-9a-f]{32}$/);
    for (const [needed, [path, options]] of Object.entries(requests)) {
      const { status, body } = await as({ key }, path, options);
      if (needed === scope) {
        assert.ok(status < 300, `${scope}: ${status}`);
      } else {
        assert.equal(status, 403);
        assert.equal(body.type, "/problems/forbidden");
        assert.ok(body.detail.includes(`"${needed}"`), body.detail);
      }
    }
  }
});

test("every key can read its own permissions", async () => {
  for (const scope of ["read", "write", "admin"]) {
    const { key } = await makeKey([scope], ["a", "b"]);
    const { status, body } = await as({ key }, "/v1/key");
    assert.deepEqual([status, body], [200, { name: "a test", scopes: [scope], namespaces: ["a", "b"] }]);
  }
  const own = (await call("/v1/key")).body;
  assert.deepEqual(own, { scopes: ["read", "write", "admin"], namespaces: ["*"] });
});

test("the list of keys shows no secret, and survives a kill", async () => {
  const { id, key } = await makeKey(["read"], ["default"]);
  await scheduler.kill();
  await scheduler.restart();
  assert.equal((await as({ key }, "/v1/stats")).status, 200);
  const { body } = await call("/v1/keys");
  const listed = body.keys.find((listed) => listed.id === id);
  const { lastUsedAt, ...rest } = listed;
  assert.deepEqual({ ...rest, createdAt: 0 }, { id, name: "a test", scopes: ["read"], namespaces: ["default"], createdAt: 0 });
  assert.ok(!JSON.stringify(body).includes(key.split("_")[2]));
});

test("a key shows its last use, and many uses are stored once", async () => {
  const { id, key } = await makeKey(["read"], ["default"]);
  assert.equal((await call(`/v1/keys/${id}`)).body.lastUsedAt, undefined);
  const before = Date.now();
  assert.equal((await as({ key }, "/v1/stats")).status, 200);
  const used = await until("its use to be known", async () => (await call(`/v1/keys/${id}`)).body.lastUsedAt);
  assert.ok(used >= before && used <= Date.now(), `${used}`);
  assert.equal((await as({ key }, "/v1/stats")).status, 200);
  // The use is known after a restart, and is not written again within the hour.
  await scheduler.kill();
  await scheduler.restart();
  assert.equal((await as({ key }, "/v1/stats")).status, 200);
  const { status, body } = await call(`/v1/keys/${id}`);
  assert.deepEqual([status, body.id, body.lastUsedAt, body.key], [200, id, used, undefined]);
  assert.equal((await call(`/v1/keys/${"0".repeat(16)}`)).status, 404);
});

test("a namespace is shown to its own keys only", async () => {
  await makeNamespace("shown");
  const { body } = await call("/v1/namespaces/shown");
  assert.deepEqual([body.name, typeof body.createdAt], ["shown", "number"]);
  assert.deepEqual((await call("/v1/namespaces/default")).body, { name: "default", quota: {} });
  const { key } = await makeKey(["admin"], ["shown"]);
  assert.equal((await as({ key }, "/v1/namespaces/shown")).body.name, "shown");
  assert.equal((await as({ key }, "/v1/namespaces/default")).status, 403);
  assert.equal((await call("/v1/namespaces/absent")).status, 404);
  assert.deepEqual((await call("/v1/namespaces/shown", { method: "DELETE" })).body, { id: "shown", deleted: true });
});

test("one key is valid at every moment of a rotation, and a revoked key stops working", async () => {
  const first = await makeKey(["read"], ["*"]);
  assert.equal((await as(first, "/v1/stats")).status, 200);
  const second = await makeKey(["read"], ["*"]);
  for (const { key } of [first, second]) assert.equal((await as({ key }, "/v1/stats")).status, 200);
  assert.deepEqual((await call(`/v1/keys/${first.id}`, { method: "DELETE" })).body, { id: first.id, deleted: true });
  const refused = await until("the revoked key to stop", async () => {
    assert.equal((await as({ key: second.key }, "/v1/stats")).status, 200);
    const answer = await as({ key: first.key }, "/v1/stats");
    return answer.status === 401 && answer;
  }, { timeoutMs: 10_000 });
  assert.equal(refused.body.type, "/problems/unauthorized");
  assert.equal((await call(`/v1/keys/${first.id}`, { method: "DELETE" })).status, 404);
  for (const wrong of [`${second.key.slice(0, -1)}x`, second.key.replace(/.{4}$/, "0000"), `dsk_${"0".repeat(16)}_${"0".repeat(32)}`]) {
    assert.equal((await as({ key: wrong }, "/v1/stats")).status, 401, wrong);
  }
});

test("a task names the key that created it, even after a change by another key", async () => {
  const { key } = await makeKey(["read", "write"], ["*"], { name: 'the "shop"' });
  const made = await as({ key }, "/v1/tasks", { body: { id: "owned", ...LATER, createdBy: "somebody" } });
  assert.deepEqual([made.status, made.body.createdBy, made.body.updatedAt], [201, 'the "shop"', undefined]);
  const batch = await as({ key }, "/v1/tasks/batch", { body: [{ id: "owned-2", ...LATER }] });
  assert.equal(batch.body.accepted, 1);
  assert.equal((await call("/v1/tasks/owned-2")).body.createdBy, 'the "shop"');
  const patched = (await call("/v1/tasks/owned", { method: "PATCH", body: { tags: ["t"] } })).body;
  assert.deepEqual([patched.createdBy, patched.createdAt, patched.updatedAt >= made.body.createdAt], [made.body.createdBy, made.body.createdAt, true]);
  assert.equal((await call("/v1/tasks/owned/explain")).body.createdBy, 'the "shop"');
  // If the definition starts another task, the task names the caller of that request.
  assert.equal((await call("/v1/tasks/owned", { method: "PUT", body: LATER })).body.createdBy, undefined);
});

test("a key with a null expiry does not expire", async () => {
  const { status, body } = await call("/v1/keys", { body: { name: "a test", scopes: ["read"], namespaces: ["*"], expiresAt: null } });
  assert.deepEqual([status, body.field], [422, "expiresAt"]);
});

test("a key stops working when it expires", async () => {
  const { key } = await makeKey(["read"], ["*"], { expiresAt: Date.now() + 1_500 });
  assert.equal((await as({ key }, "/v1/stats")).status, 200);
  const { body } = await until("the key to expire", async () => {
    const answer = await as({ key }, "/v1/stats");
    return answer.status === 401 && answer;
  });
  assert.match(body.detail, /expired/);
});

test("namespaces are separate", async () => {
  await makeNamespace("red");
  await makeNamespace("blue");
  const { key } = await makeKey(["read", "write"], ["red"]);
  const red = { key };
  const blue = { namespace: "blue" };
  assert.equal((await as(red, "/v1/tasks", { body: { ...LATER, id: "one", description: "red" } })).status, 201);
  assert.equal((await as(blue, "/v1/tasks/one")).status, 404);
  assert.equal((await as(blue, "/v1/tasks", { body: { ...LATER, id: "one", description: "blue" } })).status, 201);
  assert.equal((await as(red, "/v1/tasks/one")).body.description, "red");
  assert.equal((await call("/v1/tasks/one")).status, 404);
  for (const [who, color] of [[red, "red"], [blue, "blue"]]) {
    assert.deepEqual((await as(who, "/v1/tasks")).body.tasks.map((task) => task.description), [color]);
    assert.equal((await as(who, "/v1/stats")).body.pending, 1);
  }
  assert.equal((await as(blue, "/v1/tasks/one", { method: "DELETE" })).status, 200);
  assert.equal((await as({ key, namespace: "red" }, "/v1/tasks/one")).status, 200);

  const elsewhere = await as({ key, namespace: "blue" }, "/v1/tasks/one");
  assert.equal(elsewhere.status, 403);
  assert.match(elsewhere.body.detail, /"blue"/);
  const nowhere = await as({ namespace: "green" }, "/v1/tasks", { body: LATER });
  assert.deepEqual([nowhere.status, nowhere.body.type], [404, "/problems/no-namespace"]);
  assert.equal((await as({ namespace: "Red:1" }, "/v1/tasks")).body.field, "Scheduler-Namespace");
});

test("firings in a namespace are reported there, and the watchdog checks its shards", async () => {
  await makeNamespace("fires");
  const here = { namespace: "fires" };
  const callback = { type: "webhook", url: `${sink.url}/fires` };
  assert.equal((await as(here, "/v1/tasks", { body: { id: "a", delayInSeconds: 0, callback } })).status, 201);
  const stats = async () => (await as(here, "/v1/stats")).body;
  const done = await until("the task to be reported", async () => {
    const now = await stats();
    return now.succeeded === 1 && now;
  });
  assert.deepEqual([done.pending, done.inFlight, done.fired], [0, 0, 1]);
  const before = (await stats()).meter.shardRequests;
  await scheduler.watchdog();
  assert.equal((await stats()).meter.shardRequests, before + 2 * SHARDS, "one for the watchdog, one for this");
});

test("a quota of pending tasks is kept within its tolerance", async () => {
  const quota = 8;
  await makeNamespace("small", { pendingTasks: quota });
  const here = { namespace: "small" };
  let taken = 0;
  let refused;
  for (let n = 0; n < 60; n++) {
    const answer = await as(here, "/v1/tasks", { body: { ...LATER, id: `t${n}` } });
    if (answer.status === 201) taken++;
    else refused = answer;
  }
  assert.ok(taken >= quota && taken < quota + SHARDS, `${taken} taken`);
  assert.equal((await as(here, "/v1/stats")).body.pending, taken);
  assert.deepEqual([refused.status, refused.body.type], [429, "/problems/quota"]);
  assert.match(refused.body.detail, /pendingTasks/);
  const response = await scheduler.fetch("/v1/tasks", { body: { ...LATER, id: "t59" }, headers: { "scheduler-namespace": "small" } });
  assert.equal(response.headers.get("retry-after"), "3600");

  const items = Array.from({ length: 60 }, (_, n) => ({ ...LATER, id: `b${n}` }));
  assert.equal((await as(here, "/v1/tasks/batch", { body: items })).status, 429);
  // A request that is larger than a shard's share is refused with the advice to split it, not to
  // wait.
  const whole = await scheduler.fetch("/v1/tasks/batch", { body: Array.from({ length: 60 }, () => LATER), headers: { "scheduler-namespace": "small" } });
  assert.deepEqual([whole.status, whole.headers.get("retry-after")], [429, null]);
  assert.match((await whole.json()).detail, /pendingTasks is 8, .* requests of at most \d,/);
  // A larger quota admits them, after at most ten seconds in which the old quota is still in use.
  assert.equal((await call("/v1/namespaces/small", { method: "PUT", body: { quota: { pendingTasks: 1000 } } })).status, 200);
  await until("the larger quota", async () => (await as(here, "/v1/tasks/batch", { body: items })).body.accepted === 60, { timeoutMs: 11_000 });
});

test("runs of tasks without a schedule count for the quota of pending tasks", async () => {
  // The quota is seven tasks a shard. One shard has at least four of these tasks, whose runs would
  // make eight.
  await makeNamespace("runs", { pendingTasks: 7 * SHARDS });
  const here = { namespace: "runs" };
  const items = Array.from({ length: 3 * SHARDS + 1 }, (_, n) => ({ ...LATER, delayInSeconds: undefined, time: undefined, type: "no-schedule", id: `r${n}`, tags: ["mine"] }));
  assert.equal((await as(here, "/v1/tasks/batch", { body: items })).body.accepted, items.length);
  const refused = await as(here, "/v1/tasks/run", { body: { filter: { tag: "mine" } } });
  assert.deepEqual([refused.status, refused.body.type], [429, "/problems/quota"]);
  assert.equal((await as(here, "/v1/tasks/r0/run", { method: "POST" })).status, 200);
});

test("a quota of creates per second is kept within its tolerance", async () => {
  const rate = 4;
  await makeNamespace("slow", { createsPerSecond: rate });
  const here = { namespace: "slow" };
  const start = Date.now();
  let refused;
  for (let n = 0; n < 80; n++) {
    const answer = await as(here, "/v1/tasks", { body: { ...LATER, id: `t${n}` } });
    if (answer.status !== 201) refused = answer;
  }
  const seconds = (Date.now() - start) / 1000;
  const { created } = (await as(here, "/v1/stats")).body;
  assert.ok(created >= rate && created <= (seconds + 1) * rate + SHARDS, `${created} in ${seconds} s`);
  assert.deepEqual([refused.status, refused.body.type], [429, "/problems/quota"]);
  assert.match(refused.body.detail, /createsPerSecond/);
  await until("the next task to be accepted", async () => (await as(here, "/v1/tasks", { body: { ...LATER, id: "next" } })).status === 201);
});

test("a namespace is deleted when it is empty", async () => {
  await makeNamespace("gone");
  const here = { namespace: "gone" };
  await as(here, "/v1/tasks/batch", { body: [LATER, LATER, { ...LATER, id: "a" }] });
  const full = await call("/v1/namespaces/gone", { method: "DELETE" });
  assert.deepEqual([full.status, full.body.type], [409, "/problems/not-empty"]);
  assert.match(full.body.detail, /3 tasks/);
  assert.equal((await as(here, "/v1/tasks/cancel", { body: { filter: { status: "scheduled" } } })).body.cancelled, 3);
  assert.equal((await call("/v1/namespaces/gone", { method: "DELETE" })).status, 200);
  assert.equal((await call("/v1/namespaces/gone", { method: "DELETE" })).status, 404);
  await until("the namespace to be gone", async () => (await as(here, "/v1/tasks")).status === 404, { timeoutMs: 11_000 });
  assert.equal((await call("/v1/namespaces/default", { method: "DELETE" })).status, 422);
  assert.equal((await call("/v1/namespaces/default", { method: "PUT", body: {} })).status, 422);
});

test("a key cannot create a key with more permissions", async () => {
  const own = await makeKey(["admin"], ["mine", "yours"]);
  const other = await makeKey(["read"], ["*"]);
  const make = (scopes, namespaces) => as({ key: own.key }, "/v1/keys", { body: { name: "b", scopes, namespaces } });
  const made = await make(["write"], ["mine"]);
  assert.equal(made.status, 201);
  for (const namespaces of [["*"], ["mine", "theirs"]]) assert.equal((await make(["read"], namespaces)).status, 403);
  const seen = (await as({ key: own.key }, "/v1/keys")).body.keys.map((key) => key.id);
  assert.deepEqual(seen.sort(), [own.id, made.body.id].sort());
  assert.equal((await as({ key: own.key }, `/v1/keys/${other.id}`, { method: "DELETE" })).status, 404);
  assert.equal((await as({ key: own.key }, "/v1/namespaces/mine", { method: "PUT", body: {} })).status, 403);
  assert.deepEqual((await as({ key: own.key }, "/v1/namespaces")).body, { namespaces: [] });
  assert.equal((await as({ key: own.key }, `/v1/keys/${made.body.id}`, { method: "DELETE" })).status, 200);
});

test("an invalid field is named", async () => {
  for (const [body, field] of [
    [{ name: "", scopes: ["read"], namespaces: ["*"] }, "name"],
    [{ name: "a", scopes: ["root"], namespaces: ["*"] }, "scopes[0]"],
    [{ name: "a", scopes: ["read"], namespaces: ["A"] }, "namespaces[0]"],
    [{ name: "a", scopes: ["read"], namespaces: ["*"], expiresAt: 1_764_000_000_000 }, "expiresAt"],
  ]) {
    const answer = await call("/v1/keys", { body });
    assert.deepEqual([answer.status, answer.body.field], [422, field]);
  }
  const zero = await call("/v1/namespaces/zero", { method: "PUT", body: { quota: { pendingTasks: 0 } } });
  assert.deepEqual([zero.status, zero.body.field], [422, "quota.pendingTasks"]);
  assert.equal((await call("/v1/namespaces/A", { method: "PUT", body: {} })).body.field, "id");
});

test("a namespace that is created again has nothing of the deleted one", async () => {
  await makeNamespace("again");
  const who = { namespace: "again" };
  const create = (key, task) => as(who, "/v1/tasks", { body: task, headers: { "idempotency-key": key } });
  const soon = { id: "ran", delayInSeconds: 0, callback: { type: "handler", name: "noop" } };
  assert.equal((await create("first", soon)).status, 201);
  const runs = async () => (await as(who, "/v1/tasks/ran/runs")).body.runs;
  await until("the run", async () => (await runs()).length === 1);
  assert.equal((await create("waits", { ...LATER, id: "waits" })).status, 201);

  // A single waiting task keeps the whole namespace.
  assert.equal((await call("/v1/namespaces/again", { method: "DELETE" })).status, 409);
  assert.equal((await runs()).length, 1);
  assert.equal((await create("first", soon)).body.id, "ran", "the key is remembered: nothing is created");
  assert.equal((await as(who, "/v1/tasks/ran")).status, 404);

  await as(who, "/v1/tasks/waits", { method: "DELETE" });
  await until("nothing to be in flight", async () => (await as(who, "/v1/stats")).body.inFlight === 0);
  assert.equal((await call("/v1/namespaces/again", { method: "DELETE" })).status, 200);
  await makeNamespace("again");
  for (const again of [false, true]) {
    if (again) {
      await scheduler.kill();
      await scheduler.restart();
    }
    assert.deepEqual(await runs(), []);
    const { created, fired, cancelled, succeeded } = (await as(who, "/v1/stats")).body;
    assert.deepEqual([created, fired, cancelled, succeeded], [0, 0, 0, 0]);
  }
  assert.equal((await create("first", { ...soon, delayInSeconds: 0 })).status, 201);
  await until("the run of the new task", async () => (await runs()).length === 1);
});
