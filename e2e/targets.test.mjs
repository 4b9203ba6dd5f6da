// Tests every kind of target on the real local runtime: what it receives, what its answers mean,
// and what may not be called.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { ROOT } from "../scripts/paths.mjs";
import { startSink } from "./sink.mjs";

/** Two keys, as during a key rotation. */
const KEYS = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`);

let scheduler;
/** The options of the scheduler. A test changes them before a restart. */
const options = {
  // localhost is not allowed, although it leads to the same sinks.
  vars: { WEBHOOK_SIGNING_KEYS: KEYS.join(","), WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" },
};
let sink;
/** Another host for redirects, because it has another port. */
let other;
/** The sinks' answers, by path without the query. */
const answers = new Map();
before(async () => {
  const answer = (request) => answers.get(request.path.split("?")[0])?.(request);
  [sink, other] = await Promise.all([startSink(answer), startSink(answer)]);
  options.sink = sink.url;
  scheduler = await Scheduler.start(options);
});
after(async () => {
  await scheduler?.dispose();
  await Promise.all([sink?.close(), other?.close()]);
});

const call = (path, options) => scheduler.call(path, options);
const received = (path, by = sink) => by.webhooks.filter((hook) => hook.path === path);
const first = (path, by = sink) => until(`a request to ${path}`, () => received(path, by)[0]);
const get = async (id) => (await call(`/v1/tasks/${encodeURIComponent(id)}`)).body;
const done = (id) => until(`${id} to be done`, async () => (await call(`/v1/tasks/${encodeURIComponent(id)}`)).status === 404);
const dead = (id) => until(`${id} to be a dead letter`, async () => ((await get(id)).status === "dead-lettered" ? get(id) : undefined));

async function create(task) {
  const made = await call("/v1/tasks", { body: { delayInSeconds: 0, ...task } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

const webhook = (path, more) => ({ type: "webhook", url: `${sink.url}${path}`, ...more });
/** One attempt, whatever its outcome. */
const ONCE = { maxAttempts: 1 };

test("a webhook is sent with its method, and with its own body if it has one", async () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  await create({ id: "put", callback: webhook("/put", { method: "PUT", body: { n: [1.5, "é"] } }) });
  await create({ id: "patch", callback: webhook("/patch", { method: "PATCH", body: "a=1&b=2", headers: form }) });
  await create({ id: "text", callback: webhook("/text", { body: "späť\n" }) });
  await create({ id: "get", callback: webhook("/get?x=1", { method: "GET", headers: { "x-mine": "yes" } }) });
  await create({ id: "delete", callback: webhook("/delete", { method: "DELETE" }) });
  const expected = [
    ["/put", "PUT", '{"n":[1.5,"é"]}', "application/json"],
    ["/patch", "PATCH", "a=1&b=2", form["content-type"]],
    ["/text", "POST", "späť\n", "text/plain;charset=utf-8"],
    ["/get?x=1", "GET", "", undefined],
    ["/delete", "DELETE", "", undefined],
  ];
  for (const [path, method, text, contentType] of expected) {
    const hook = await first(path);
    assert.deepEqual([hook.method, hook.text, hook.headers["content-type"]], [method, text, contentType], path);
  }
  const { headers } = await first("/get?x=1");
  assert.equal(headers["x-mine"], "yes");
  // This header comes from `cache: "no-store"`. Without it, the platform may answer a GET from its
  // cache.
  assert.equal(headers["cache-control"], "no-cache");
  for (const id of ["put", "patch", "text", "get", "delete"]) await done(id);
});

/** Returns the keys of a namespace that its receivers have. */
const keysOf = (namespace) =>
  execFileSync(process.execPath, [join(ROOT, "scripts/signing-key.mjs"), namespace], { env: { WEBHOOK_SIGNING_KEYS: KEYS.join(",") }, encoding: "utf8" }).trim().split("\n");

/** Verifies a signature as a receiver does, from the specification and without our code. */
function verifies(hook, key) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = hook.headers;
  const secret = Buffer.from(key.slice("whsec_".length), "base64");
  const expected = createHmac("sha256", secret).update(`${id}.${timestamp}.${hook.text}`).digest("base64");
  return signatures.split(" ").includes(`v1,${expected}`);
}

test("a webhook is signed with every key, and each attempt is signed again with the same id", async () => {
  let left = 1;
  answers.set("/signed", () => (left-- > 0 ? 500 : 200));
  const retry = { minBackoffSeconds: 1.1, jitter: 0 };
  const { due } = await create({ id: "a.b", payload: "ü", retry, callback: webhook("/signed") });
  await create({ id: "signed-get", callback: webhook("/signed-get", { method: "GET" }) });
  await done("a.b");
  const hooks = [...received("/signed"), await first("/signed-get")];
  assert.equal(hooks.length, 3);
  for (const hook of hooks) {
    assert.ok(keysOf("default").every((key) => verifies(hook, key)));
    assert.ok(!KEYS.some((key) => verifies(hook, key)), "the deployment's own keys sign nothing");
    assert.equal(hook.headers["scheduler-namespace"], "default");
    assert.ok(!verifies(hook, `whsec_${Buffer.alloc(32, 3).toString("base64")}`));
    assert.ok(Math.abs(hook.headers["webhook-timestamp"] * 1000 - hook.receivedAt) < 10_000);
  }
  assert.deepEqual(hooks.slice(0, 2).map((hook) => hook.headers["webhook-id"]), [`a%2Eb@${due}`, `a%2Eb@${due}`]);
  assert.equal(hooks[0].headers["idempotency-key"], `a.b@${due}`);
  assert.notEqual(hooks[0].headers["webhook-timestamp"], hooks[1].headers["webhook-timestamp"]);
});

test("a namespace's webhooks are signed with its own key, and the signed id names the namespace", async () => {
  assert.equal((await call("/v1/namespaces/shop", { method: "PUT", body: {} })).status, 201);
  const made = await call("/v1/tasks", { body: { id: "theirs", delayInSeconds: 0, callback: webhook("/theirs") }, headers: { "scheduler-namespace": "shop" } });
  assert.equal(made.status, 201);
  const hook = await first("/theirs");
  assert.equal(hook.headers["webhook-id"], `shop%3Atheirs@${made.body.due}`);
  assert.equal(hook.headers["scheduler-namespace"], "shop");
  assert.ok(keysOf("shop").every((key) => verifies(hook, key)));
  assert.ok(![...KEYS, ...keysOf("default"), ...keysOf("shop-2")].some((key) => verifies(hook, key)));
  const forged = webhook("/x", { headers: { "scheduler-namespace": "default" } });
  assert.equal((await call("/v1/tasks", { body: { delayInSeconds: 0, callback: forged } })).body.field, "callback.headers.scheduler-namespace");
});

test("every attempt of a run has the same body, and its headers describe the attempt", async () => {
  let left = 1;
  answers.set("/same", () => (left-- > 0 ? { status: 503, body: "späť" } : 200));
  const secret = { "x-api-key": "k-17" };
  const onFailure = webhook("/unused", { headers: secret });
  await create({ id: "same", retry: { minBackoffSeconds: 0.1, jitter: 0 }, callback: webhook("/same", { headers: secret }), onFailure });
  const [one, two] = await until("two attempts", () => received("/same").length === 2 && received("/same"));
  assert.deepEqual(two.text, one.text);
  assert.equal(two.headers["idempotency-key"], one.headers["idempotency-key"]);
  assert.ok(KEYS.every((key) => verifies(two, key)) || keysOf("default").every((key) => verifies(two, key)));
  assert.equal(two.headers["x-api-key"], "k-17");
  assert.ok(!two.text.includes("k-17"), two.text);
  const of = ({ headers }) => ["attempt", "last-error", "failed-at"].map((name) => headers[`scheduler-${name}`]);
  assert.deepEqual(of(one), ["1", undefined, undefined]);
  const [attempt, error, failedAt] = of(two);
  assert.equal(attempt, "2");
  assert.match(error, /^HTTP 503 from .* sp\?\?/);
  assert.ok(Number(failedAt) > 1e12, failedAt);
});

test("a message to the user's own queue and a function's argument do not include a target's headers", async () => {
  const onFailure = webhook("/unused", { headers: { "x-api-key": "k-18" } });
  await create({ id: "argument", callback: { type: "service", binding: "EXAMPLE", function: "remind" }, onFailure });
  const { body } = await first("/service.remind");
  assert.deepEqual([body.id, body.onFailure], ["argument", { type: "webhook", url: onFailure.url }]);
  await done("argument");
  sink.webhooks.length = 0;
});

test("an API key that only reads sees the names of a target's headers, not their values", async () => {
  const key = (scopes) => call("/v1/keys", { body: { name: scopes.join(), scopes, namespaces: ["default"] } });
  const [reader, writer] = (await Promise.all([key(["read"]), key(["write"])])).map(({ body }) => body.key);
  const as = (key, path, options) => call(path, { ...options, headers: { authorization: `Bearer ${key}` } });
  const callback = webhook("/unused", { headers: { "x-api-key": "k-19" } });
  await create({ id: "secretive", delayInSeconds: 3_600, tags: ["secretive"], callback, onFailure: callback });
  const hidden = { ...callback, headers: { "x-api-key": "<hidden>" } };
  const shown = (await as(reader, "/v1/tasks/secretive")).body;
  assert.deepEqual([shown.callback, shown.onFailure], [hidden, hidden]);
  const [listed] = (await as(reader, "/v1/tasks?tag=secretive")).body.tasks;
  assert.deepEqual([listed.callback, listed.onFailure], [hidden, hidden]);
  // A key that can change the task sees the values, and a hidden value is not accepted as a value.
  const patched = await as(writer, "/v1/tasks/secretive", { method: "PATCH", body: { description: "d" } });
  assert.deepEqual(patched.body.callback.headers, callback.headers);
  assert.equal((await as(writer, "/v1/tasks/secretive")).status, 403);
  for (const [method, body] of [["PUT", { delayInSeconds: 3_600, callback: shown.callback }], ["PATCH", { callback: { headers: hidden.headers } }]]) {
    const refused = await as(writer, "/v1/tasks/secretive", { method, body });
    assert.deepEqual([refused.status, refused.body.field], [422, "callback.headers.x-api-key"], method);
  }
});

test("Retry-After delays the retry, in seconds and as a date", async () => {
  const retry = { minBackoffSeconds: 0.1, jitter: 0, maxAttempts: 3 };
  const date = () => new Date(Date.now() + 3_000).toUTCString();
  for (const [id, retryAfter, least] of [["seconds", () => "2", 2_000], ["date", date, 1_900]]) {
    let left = 1;
    answers.set(`/${id}`, () => (left-- > 0 ? { status: 429, headers: { "retry-after": retryAfter() }, body: "slow down" } : 200));
    await create({ id, retry, callback: webhook(`/${id}`) });
    const { due, error } = await until(`${id} to wait`, async () => ((await get(id)).status === "retrying" ? get(id) : undefined));
    const [attempt] = received(`/${id}`);
    assert.ok(due - attempt.receivedAt >= least && due - attempt.receivedAt < 10_000, `${id}: ${due - attempt.receivedAt}`);
    assert.equal(error, `HTTP 429 from ${sink.url}/${id}: slow down`);
    await done(id);
    assert.ok(received(`/${id}`)[1].receivedAt >= due);
  }
  // The wait does not exceed the policy's time, at whose end is a last attempt.
  answers.set("/century", () => ({ status: 503, headers: { "retry-after": "3153600000" } }));
  await create({ id: "century", retry: { ...retry, maxDurationSeconds: 1 }, callback: webhook("/century") });
  await dead("century");
  assert.equal(received("/century").length, 2);
});

test("the text of an answer is kept, cut and on one line", async () => {
  const long = `a\u0000b\r\n\u001b[31m  ${"x".repeat(5_000)}`;
  answers.set("/long", () => ({ status: 500, body: long }));
  await create({ id: "long", retry: ONCE, callback: webhook("/long") });
  const { error } = await dead("long");
  assert.ok(error.startsWith(`HTTP 500 from ${sink.url}/long: a b [31m xxx`), error);
  assert.ok(error.length < 350, error);
});

test("statuses that a task lists are permanent failures, others are not", async () => {
  answers.set("/missing", () => 404);
  const retry = { minBackoffSeconds: 0.1, maxAttempts: 2 };
  await create({ id: "final", retry: { ...retry, permanentStatuses: ["4xx"] }, callback: webhook("/missing?final") });
  await create({ id: "again", retry, callback: webhook("/missing?again") });
  assert.equal((await dead("final")).attempt, 1);
  assert.equal((await dead("again")).attempt, 2);
  assert.deepEqual([received("/missing?final").length, received("/missing?again").length], [1, 2]);
});

test("redirects that keep the request are followed, and headers are sent only to their host", async () => {
  const to = (status, location) => () => ({ status, headers: { location } });
  answers.set("/r307", to(307, "/landed"));
  answers.set("/r308", to(308, `${other.url}/landed-elsewhere`));
  answers.set("/r302", to(302, "/got"));
  const headers = { "x-secret": "s" };
  await create({ id: "r307", callback: webhook("/r307", { method: "PUT", headers }) });
  await create({ id: "r308", callback: webhook("/r308", { headers, body: "a=1" }) });
  await create({ id: "r302", callback: webhook("/r302", { method: "GET", headers }) });
  await create({ id: "r302-post", retry: ONCE, callback: webhook("/r302") });
  const landed = await first("/landed");
  assert.deepEqual([landed.method, landed.headers["x-secret"], landed.body.id], ["PUT", "s", "r307"]);
  const elsewhere = await first("/landed-elsewhere", other);
  assert.deepEqual([elsewhere.method, elsewhere.headers["x-secret"], elsewhere.text], ["POST", undefined, "a=1"]);
  assert.ok(verifies(elsewhere, keysOf("default")[0]));
  assert.equal((await first("/got")).method, "GET");
  for (const id of ["r307", "r308", "r302"]) await done(id);
  assert.match((await dead("r302-post")).error, /HTTP 302 .*: POST follows 307 and 308 only/);
  assert.equal(received("/got").length, 1);
});

test("the number of redirects is bounded, and none leads to a forbidden host", async () => {
  answers.set("/loop", () => ({ status: 307, headers: { location: "/loop" } }));
  await create({ id: "loop", retry: ONCE, callback: webhook("/loop") });
  assert.match((await dead("loop")).error, /more than 3 redirects/);
  assert.equal(received("/loop").length, 4);
  const port = new URL(sink.url).port;
  const hosts = ["localhost", "127.0.0.2", "2130706434", "169.254.169.254", "[::ffff:7f00:1]", "metadata.google.internal"];
  for (const [n, host] of hosts.entries()) {
    answers.set(`/out-${n}`, () => ({ status: 307, headers: { location: `http://${host}:${port}/secret` } }));
    await create({ id: `out-${n}`, retry: ONCE, callback: webhook(`/out-${n}`) });
    const { error } = await dead(`out-${n}`);
    assert.match(error, /HTTP 307 .*: its Location has the host .*, which webhooks may not call/, host);
  }
  assert.equal(received("/secret").length, 0);
});

test("an endless body is ignored for a success, and cut for a failure", async () => {
  const endless = (status) => () => (response) => response.writeHead(status).write("the beginning");
  answers.set("/endless-good", endless(200));
  answers.set("/endless-bad", endless(500));
  await create({ id: "endless-good", callback: webhook("/endless-good", { timeoutSeconds: 60 }) });
  await create({ id: "endless-bad", retry: ONCE, callback: webhook("/endless-bad", { timeoutSeconds: 1 }) });
  await done("endless-good");
  assert.equal((await dead("endless-bad")).error, `HTTP 500 from ${sink.url}/endless-bad: the beginning`);
});

test("a service is called by request", async () => {
  const service = (path, more) => ({ type: "service", binding: "EXAMPLE", path, ...more });
  const { due } = await create({ id: "service", payload: { a: 1 }, callback: service("/orders/7?x=1", { headers: { "x-mine": "yes" } }) });
  const seen = await first("/service/orders/7?x=1");
  assert.deepEqual([seen.method, seen.headers["x-mine"], seen.body.payload], ["POST", "yes", { a: 1 }]);
  assert.equal(seen.headers["idempotency-key"], `service@${due}`);
  // The Worker passes on that no cache may answer: its own cache would answer a run without running it.
  assert.equal(seen.headers["cache-control"], "no-cache");
  await done("service");

  answers.set("/service/busy", () => ({ status: 503, headers: { "retry-after": "3600" }, body: "busy" }));
  await create({ id: "service-busy", callback: service("/busy", { method: "PATCH", body: [7] }) });
  const busy = await until("it to wait", async () => ((await get("service-busy")).status === "retrying" ? get("service-busy") : undefined));
  assert.equal(busy.error, "HTTP 503 from service EXAMPLE/busy: busy");
  assert.ok(busy.due - Date.now() > 3_000_000);
  assert.deepEqual([(await first("/service/busy")).method, received("/service/busy")[0].body], ["PATCH", [7]]);

  answers.set("/service/moved", () => ({ status: 307, headers: { location: "/service/else" } }));
  await create({ id: "service-moved", retry: ONCE, callback: service("/moved", { method: "GET" }) });
  assert.equal((await dead("service-moved")).error, "HTTP 307 from service EXAMPLE/moved: redirects are not followed");
});

test("a service's function is called by RPC, with the task or an argument of its own", async () => {
  const callback = { type: "service", binding: "EXAMPLE", function: "remind" };
  await create({ id: "rpc", payload: { a: ["é"] }, callback });
  const seen = await first("/service.remind");
  assert.deepEqual([seen.body.id, seen.body.payload], ["rpc", { a: ["é"] }]);
  await done("rpc");
  await create({ id: "rpc-own", callback: { ...callback, body: { id: "own", n: 1 } } });
  await until("the second call", () => received("/service.remind").length === 2);
  assert.deepEqual(received("/service.remind")[1].body, { id: "own", n: 1 });

  answers.set("/service.remind", () => 500);
  await create({ id: "rpc-throws", retry: { maxAttempts: 2, minBackoffSeconds: 0.1 }, callback });
  const letter = await dead("rpc-throws");
  assert.equal(letter.attempt, 2);
  assert.equal(letter.error, "service EXAMPLE.remind() failed: the sink answered 500");
  await create({ id: "rpc-missing", retry: ONCE, callback: { ...callback, function: "nothing" } });
  assert.match((await dead("rpc-missing")).error, /service EXAMPLE\.nothing\(\) failed: .*nothing/);

  answers.set("/service.remind", () => new Promise(() => {}));
  await create({ id: "rpc-slow", retry: ONCE, callback: { ...callback, timeoutSeconds: 1 } });
  assert.equal((await dead("rpc-slow")).error, "timed out after 1 s: service EXAMPLE.remind()");
  answers.delete("/service.remind");
});

test("a Durable Object is called by request and by RPC, and can recognize repeats", async () => {
  const object = (name, more) => ({ type: "durable-object", binding: "COUNTERS", name, ...more });
  await create({ id: "object", callback: object("one", { path: "/x", method: "PUT" }) });
  const seen = await first("/object/one/x");
  assert.deepEqual([seen.method, seen.body.id], ["PUT", "object"]);
  answers.set("/object/bad/", () => ({ status: 418, body: "a teapot" }));
  await create({ id: "object-bad", retry: ONCE, callback: object("bad", { path: "/" }) });
  assert.equal((await dead("object-bad")).error, "HTTP 418 from Durable Object COUNTERS:bad/: a teapot");

  // The first call fails after the object has counted. The second time, the object knows the key.
  let left = 1;
  answers.set("/object/rpc.count", () => (left-- > 0 ? 500 : 200));
  await create({ id: "object-rpc", retry: { minBackoffSeconds: 0.1 }, callback: object("rpc", { function: "count" }) });
  await done("object-rpc");
  assert.deepEqual(received("/object/rpc.count").map(({ body }) => [body.id, body.attempt ?? 1, body.seen]), [["object-rpc", 1, 1], ["object-rpc", 2, 1]]);
  await create({ id: "object-rpc-2", callback: object("rpc", { function: "count" }) });
  await done("object-rpc-2");
  assert.equal(received("/object/rpc.count")[2].body.seen, 2);
});

test("forbidden targets are refused when the task is created", async () => {
  const port = new URL(sink.url).port;
  for (const [callback, field] of [
    [{ type: "webhook", url: `http://localhost:${port}/x` }, "callback.url"],
    [{ type: "webhook", url: `http://[::1]:${port}/x` }, "callback.url"],
    [{ type: "webhook", url: "http://10.0.0.1/" }, "callback.url"],
    [{ type: "webhook", url: "http://0x0a000001/" }, "callback.url"],
    [{ type: "webhook", url: "http://169.254.169.254/latest/meta-data" }, "callback.url"],
    [{ type: "webhook", url: "https://intranet/" }, "callback.url"],
    [webhook("/x", { headers: { "webhook-signature": "v1,x" } }), "callback.headers.webhook-signature"],
    [{ type: "service", binding: "OTHER", path: "/" }, "callback.binding"],
    [{ type: "service", binding: "COUNTERS", path: "/" }, "callback.binding"],
    [{ type: "service", binding: "EXAMPLE", function: "fetch" }, "callback.function"],
    [{ type: "durable-object", binding: "SHARDS", name: "1-0", path: "/stats" }, "callback.binding"],
  ]) {
    const { status, body } = await call("/v1/tasks", { body: { delayInSeconds: 1, callback } });
    assert.deepEqual([status, body.field], [422, field], JSON.stringify(callback));
    assert.ok(body.detail.length > 40, body.detail);
  }
});

test("a function's name may not be one that every object has", async () => {
  for (const name of Object.getOwnPropertyNames(Object.prototype)) {
    const callback = { type: "service", binding: "EXAMPLE", function: name };
    const { status, body } = await call("/v1/tasks", { body: { delayInSeconds: 3_600, callback } });
    assert.deepEqual([name, status, body.field], [name, 422, "callback.function"]);
  }
});

test("changed settings apply to existing tasks", async () => {
  const url = `${sink.url}/closed`;
  const service = { type: "service", binding: "EXAMPLE", path: "/closed" };
  await create({ id: "closed", delayInSeconds: 4, callback: { type: "webhook", url } });
  await create({ id: "closed-service", delayInSeconds: 4, retry: ONCE, callback: service });
  await scheduler.stop();
  // These are the settings of a deployment.
  options.vars = { WEBHOOK_ALLOWED_HOSTS: "", SERVICE_BINDINGS: "", DURABLE_OBJECT_BINDINGS: "" };
  await scheduler.restart();
  const { status, body } = await call("/v1/tasks", { body: { delayInSeconds: 1, callback: { type: "webhook", url } } });
  assert.deepEqual([status, body.field], [422, "callback.url"]);
  const letter = await dead("closed");
  assert.equal(letter.attempt ?? 1, 1);
  assert.match(letter.error, /^not called: the URL .* has the host 127\.0\.0\.1, a loopback address/);
  assert.match((await dead("closed-service")).error, /has no binding "EXAMPLE" for tasks/);
  assert.equal(received("/closed").length + received("/service/closed").length, 0);

  // If no key is valid, webhooks are not sent, because they would be unsigned.
  await scheduler.stop();
  options.vars = { WEBHOOK_SIGNING_KEYS: "secret", WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" };
  await scheduler.restart();
  await create({ id: "unsigned", retry: ONCE, callback: webhook("/unsigned") });
  assert.match((await dead("unsigned")).error, /WEBHOOK_SIGNING_KEYS has no valid key/);
  assert.equal(received("/unsigned").length, 0);
});
