// What the client sends, what it makes of the answers, and when it sends a request again.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { systemClock } from "../src/client/clock.ts";
import { SchedulerClient, SchedulerError } from "../src/client/index.ts";
import { fakeScheduler, json, problem } from "./fake.mjs";

const TASK = { id: "a", status: "scheduled", kind: "once", due: 1, time: 1, callback: { type: "handler", name: "log" } };
const NEW = { id: "a", delayInSeconds: 60 };
const ETAG = { headers: { etag: '"1.2"' } };
const busy = (headers = {}) => problem(503, "unavailable", { headers: { "retry-after": "3", ...headers } });
const network = () => new TypeError("fetch failed");

/** Returns the error that a call throws. */
async function failure(promise) {
  const error = await promise.then(
    () => assert.fail("did not fail"),
    (thrown) => thrown,
  );
  assert.ok(error instanceof SchedulerError, String(error));
  return error;
}

describe("requests", () => {
  test("have the key, the namespace and the id of the call", async () => {
    const { client, requests } = fakeScheduler(json(TASK, ETAG), { namespace: "shop" });
    await client.getTask("a/b ü", { requestId: "order-7" });
    await client.getTask("a", { namespace: "other" });
    assert.equal(requests[0].path, "/v1/tasks/a%2Fb%20%C3%BC");
    assert.equal(requests[0].headers.authorization, "Bearer secret");
    assert.equal(requests[0].headers["scheduler-namespace"], "shop");
    assert.equal(requests[0].headers["x-request-id"], "order-7");
    assert.equal(requests[1].headers["scheduler-namespace"], "other");
  });

  test("keep the path of the address", async () => {
    const { client, requests } = fakeScheduler(json({}), { url: new URL("https://example.com/scheduler/") });
    await client.stats();
    assert.equal(requests[0].path, "/scheduler/v1/stats");
  });

  test("go to a binding, which need not have an address or a key", async () => {
    const seen = [];
    const binding = {
      async fetch(request) {
        assert.equal(this, binding);
        seen.push(new URL(request.url).pathname, request.headers.get("authorization"));
        return json(TASK);
      },
    };
    await new SchedulerClient({ binding }).getTask("a");
    assert.deepEqual(seen, ["/v1/tasks/a", null]);
  });

  test("send every time as the API takes it", async () => {
    const { client, requests } = fakeScheduler(json({ ...TASK, tasks: [], cursor: null, done: true }));
    const time = new Date("2030-12-24T18:00:00Z");
    await client.scheduleTask({ everySeconds: 60, anchor: time, startAt: time.getTime(), endAt: "2031-01-01T00:00:00Z" });
    await client.query({ from: time, to: time.getTime(), tag: "x" }).toArray();
    await client.cancelTask({ from: time, tags: ["x"] });
    assert.deepEqual(JSON.parse(requests[0].body), { everySeconds: 60, anchor: "2030-12-24T18:00:00.000Z", startAt: 1924365600000, endAt: "2031-01-01T00:00:00Z" });
    assert.equal(requests[1].path, "/v1/tasks?from=2030-12-24T18%3A00%3A00.000Z&to=1924365600000&tag=x");
    assert.deepEqual(JSON.parse(requests[2].body), { filter: { from: "2030-12-24T18:00:00.000Z", tags: ["x"] } });
  });

  test("are not sent if an argument is not what it seems", async () => {
    const { client, requests } = fakeScheduler(json({}));
    const never = new Date("never");
    // JSON has only null for these, which means absent: the filter would select more.
    await assert.rejects(client.cancelTask({ tag: "a", from: never }), { name: "TypeError", message: "from is an invalid Date" });
    await assert.rejects(client.pause({ tag: "a", to: NaN }), { name: "TypeError", message: "to is NaN" });
    await assert.rejects(client.scheduleTask({ time: never }), { name: "TypeError", message: "time is an invalid Date" });
    await assert.rejects(client.query({ from: never }).toArray(), { name: "TypeError", message: "from is an invalid Date" });
    // These would be other paths.
    await assert.rejects(client.getTask(""), TypeError);
    await assert.rejects(client.run(".."), TypeError);
    await assert.rejects(client.getTask(undefined), { name: "TypeError", message: /^id is undefined/ });
    // The platform drops an empty header: the task would be in another namespace.
    await assert.rejects(client.scheduleTask(NEW, { namespace: "" }), { name: "TypeError", message: /^namespace is empty/ });
    assert.throws(() => fakeScheduler(json({}), { namespace: "" }), TypeError);
    // The platform drops an empty header, and then there is no condition.
    await assert.rejects(client.changeTask("a", {}, { ifMatch: "" }), TypeError);
    await assert.rejects(client.scheduleTask(NEW, { idempotencyKey: "" }), { name: "TypeError", message: /^idempotencyKey is empty/ });
    assert.equal(requests.length, 0);
    // A copy of a task has no version, and would be no condition either.
    const versions = fakeScheduler(json(TASK, ETAG));
    const task = await versions.client.getTask("a");
    for (const ifMatch of [{ ...task }, JSON.parse(JSON.stringify(task)), null]) {
      await assert.rejects(versions.client.changeTask("a", {}, { ifMatch }), { name: "TypeError", message: /^ifMatch has no version/ });
    }
    assert.equal(versions.requests.length, 1);
  });

  test("need an address and settings that make sense", () => {
    for (const url of ["nowhere", "localhost:8787", "ftp://scheduler.test", "", "https://scheduler.test/?a=1", "https://scheduler.test/#a", "https://kim:secret@scheduler.test"]) {
      assert.throws(() => new SchedulerClient({ url }), { name: "TypeError", message: /^url (is|has) (?!.*secret)/ }, url);
    }
    assert.throws(() => new SchedulerClient({}), TypeError);
    for (const retry of [{ maxAttempts: NaN }, { maxAttempts: 0 }, { minBackoffSeconds: -1 }, { maxRetryAfterSeconds: NaN }]) assert.throws(() => fakeScheduler(json({}), { retry }), RangeError);
    for (const timeoutSeconds of [0, -1, NaN]) assert.throws(() => fakeScheduler(json({}), { timeoutSeconds }), RangeError);
    fakeScheduler(json({}), { retry: { maxAttempts: Infinity, minBackoffSeconds: 0 }, timeoutSeconds: Infinity });
  });

  test("call a fetch of the caller as a function, as the global one wants it", async () => {
    let owner;
    const fetch = function () {
      owner = this;
      return Promise.resolve(json(TASK));
    };
    await new SchedulerClient({ url: "http://scheduler.test", fetch }).getTask("a");
    assert.equal(owner, undefined);
  });

  test("do not follow a redirect, which makes a POST a GET", async () => {
    const seen = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (request.method === "POST") response.writeHead(301, { location: "/v1/tasks/" }).end();
      else response.writeHead(200, { "content-type": "application/json" }).end('{"tasks":[],"cursor":null}');
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const client = new SchedulerClient({ url: `http://127.0.0.1:${server.address().port}`, apiKey: "secret" });
      const { type, status, message, retryable } = await failure(client.scheduleTask(NEW));
      assert.deepEqual([type, status, retryable], ["not-a-problem", 301, false]);
      assert.match(message, /redirect to \/v1\/tasks\//);
      assert.deepEqual(seen, ["POST /v1/tasks"]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("of a change name its conditions", async () => {
    const { client, requests } = fakeScheduler(json(TASK, ETAG));
    const task = await client.scheduleTask(NEW, { ifNoneMatch: "*" });
    await client.changeTask("a", { tags: null }, { ifMatch: task });
    await client.pause("a", { ifMatch: '"3.4"' });
    assert.equal(requests[0].headers["if-none-match"], "*");
    assert.equal(requests[1].headers["if-match"], '"1.2"');
    assert.deepEqual(JSON.parse(requests[1].body), { tags: null });
    assert.equal(requests[2].headers["if-match"], '"3.4"');
    // A copy can be sent in a request: it has only what the API shows.
    assert.deepEqual({ ...task }, TASK);
    assert.deepEqual(JSON.parse(JSON.stringify(task)), TASK);
  });
});

describe("a refusal", () => {
  test("is an error with the members of the problem", async () => {
    const { client, waits } = fakeScheduler(problem(422, "invalid", { field: "retry.maxAttempts", detail: "retry.maxAttempts is 0; must be 1 to 100" }));
    const error = await failure(client.scheduleTask(NEW));
    const { type, title, status, detail, field, requestId, retryAfter, retryable, attempts } = error;
    assert.deepEqual(
      { type, title, status, detail, field, requestId, retryAfter, retryable, attempts },
      { type: "/problems/invalid", title: "Title of invalid", status: 422, detail: "retry.maxAttempts is 0; must be 1 to 100", field: "retry.maxAttempts", requestId: "request-1", retryAfter: undefined, retryable: false, attempts: 1 },
    );
    assert.equal(error.message, "Title of invalid: retry.maxAttempts is 0; must be 1 to 100");
    assert.deepEqual(waits, []);
    assert.equal(JSON.parse(JSON.stringify(error)).type, "/problems/invalid");
  });

  test("because there is no task is undefined for a read and a cancel, and an error for a change", async () => {
    const { client } = fakeScheduler(problem(404, "no-task"));
    assert.equal(await client.getTask("a"), undefined);
    assert.equal(await client.cancelTask("a"), undefined);
    assert.equal((await failure(client.pause("a"))).type, "/problems/no-task");
    const other = fakeScheduler(problem(404, "no-namespace"));
    assert.equal((await failure(other.client.getTask("a"))).type, "/problems/no-namespace");
  });


  test("of something in between is an error, too", async () => {
    const { client } = fakeScheduler(new Response("<html>Bad gateway</html>", { status: 502 }), { retry: { maxAttempts: 1 } });
    const error = await failure(client.getTask("a"));
    assert.equal(error.type, "not-a-problem");
    assert.equal(error.status, 502);
    assert.equal(error.retryable, true);
    assert.match(error.message, /Bad gateway/);
  });

  test("of something in between may have a problem of its own, and is tried again all the same", async () => {
    const body = JSON.stringify({ type: "https://gateway.test/502", title: "Bad gateway", detail: "no answer from the origin", status: 502 });
    const gateway = () => new Response(body, { status: 502, headers: { "content-type": "application/problem+json" } });
    for (const answer of [gateway, () => new Response("slow", { status: 408 })]) {
      const { client, requests } = fakeScheduler([answer, json(TASK)]);
      assert.equal((await client.getTask("a")).id, "a");
      assert.equal(requests.length, 2);
    }
  });

  test("of something in between may even look like success", async () => {
    for (const answer of [new Response("<html>Sign in</html>"), new Response(""), new Response(null, { status: 204 }), json(null), json("ok")]) {
      const { client, requests } = fakeScheduler(answer);
      const error = await failure(client.scheduleTask(NEW));
      assert.deepEqual([error.type, error.status, error.retryable], ["not-a-problem", answer.status, false]);
      assert.equal(requests.length, 1);
    }
    // A list of it has no cursor, and ends.
    assert.deepEqual(await fakeScheduler(json({})).client.runs().toArray(), []);
  });
});

test("an error says what Node knows of the network, and that there is no key", async () => {
  const refused = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:1") });
  const lost = await failure(fakeScheduler(refused, { retry: { maxAttempts: 1 } }).client.getTask("a"));
  assert.equal(lost.message, "No answer: fetch failed: connect ECONNREFUSED 127.0.0.1:1 (asked: http://scheduler.test)");
  assert.match((await failure(fakeScheduler(problem(401, "no-key"), { apiKey: undefined }).client.getTask("a"))).message, /the client has no apiKey/);
  assert.doesNotMatch((await failure(fakeScheduler(problem(401, "no-key")).client.getTask("a"))).message, /apiKey/);
});

describe("retries", () => {
  test("wait with full jitter, and twice as long each time, up to a bound", async () => {
    const { client, requests, waits } = fakeScheduler(network(), { retry: { maxAttempts: 6, minBackoffSeconds: 1, maxBackoffSeconds: 5 } });
    const error = await failure(client.getTask("a"));
    assert.equal(error.type, "no-answer");
    assert.equal(error.message, "No answer: fetch failed (asked: http://scheduler.test)");
    assert.equal(error.cause.message, "fetch failed");
    assert.equal(error.attempts, 6);
    assert.equal(requests.length, 6);
    assert.deepEqual(waits, [500, 1000, 2000, 2500, 2500]);
  });

  test("do not come before Retry-After", async () => {
    const { client, waits } = fakeScheduler([busy(), json(TASK)], { retry: { minBackoffSeconds: 1 } });
    assert.equal((await client.getTask("a")).id, "a");
    assert.deepEqual(waits, [3500]);
  });

  test("do not come before a Retry-After that is a date, by the clock of the client", async () => {
    const { client, waits } = fakeScheduler([busy({ "retry-after": new Date(1_764_000_000_000 + 7_000).toUTCString() }), json(TASK)], { retry: { minBackoffSeconds: 1 } });
    await client.getTask("a");
    assert.deepEqual(waits, [7500]);
  });

  test("are left to the caller if Retry-After is long", async () => {
    const { client, waits } = fakeScheduler(problem(429, "quota", { headers: { "retry-after": "3600" } }));
    const error = await failure(client.scheduleTask(NEW));
    assert.equal(error.retryAfter, 3600);
    assert.equal(error.retryable, true);
    assert.deepEqual(waits, []);
  });

  test("are not made if waiting does not help", async () => {
    for (const answer of [problem(429, "quota"), problem(500, "misconfigured"), problem(409, "not-applicable"), problem(401, "unauthorized")]) {
      const { client, requests } = fakeScheduler(answer);
      const error = await failure(client.scheduleTask(NEW));
      assert.equal(error.retryable, false, error.type);
      assert.equal(requests.length, 1, error.type);
    }
  });

  test("of a create have the same Idempotency-Key", async () => {
    const { client, requests } = fakeScheduler([network(), busy(), new Response("", { status: 502 }), problem(507, "shard-full", { headers: { "retry-after": "60" } }), json(TASK)]);
    await client.scheduleTask(NEW);
    await client.scheduleTask(NEW);
    await client.scheduleTask(NEW, { idempotencyKey: "mine" });
    const keys = requests.map((request) => request.headers["idempotency-key"]);
    assert.equal(requests.length, 7);
    assert.equal(new Set(keys.slice(0, 5)).size, 1);
    assert.match(keys[0], /^[0-9a-f-]{36}$/);
    assert.notEqual(keys[5], keys[0]);
    assert.equal(keys[6], "mine");
    assert.equal(new Set(requests.map((request) => request.body)).size, 1);
  });

  test("of a create need no Idempotency-Key if a repeat means the same task", async () => {
    for (const task of [{ id: "a", cron: "0 9 * * *" }, { id: "a", everySeconds: 60, time: undefined }, { id: "a", type: "no-schedule" }]) {
      const { client, requests } = fakeScheduler([network(), json(TASK)]);
      await client.scheduleTask(task);
      assert.deepEqual(requests.map((request) => request.headers["idempotency-key"]), [undefined, undefined]);
    }
    // Without an id, a repeat is another task. Under a condition, it would be refused.
    for (const [task, options] of [[{ cron: "0 9 * * *" }], [{ id: null, everySeconds: 60 }], [{ id: "a", cron: "0 9 * * *" }, { ifNoneMatch: "*" }]]) {
      const { client, requests } = fakeScheduler([network(), json(TASK)]);
      await client.scheduleTask(task, options);
      assert.match(requests[1].headers["idempotency-key"], /^[0-9a-f-]{36}$/);
    }
  });

  test("are made only if nothing was done, where twice is not once", async () => {
    const calls = [
      (client) => client.run("a"),
      (client) => client.run(["a"]),
      (client) => client.reschedule("a", { delayInSeconds: 1 }),
      (client) => client.reschedule(["a"], { delayInSeconds: 1 }),
      (client) => client.scheduleTask(NEW, { idempotencyKey: false }),
      (client) => client.keys.create({ name: "a", scopes: ["read"], namespaces: ["*"] }),
      // The repeat would be refused because the first request has changed the version.
      (client) => client.changeTask("a", {}, { ifMatch: '"1.2"' }),
      (client) => client.cancelTask("a", { ifMatch: '"1.2"' }),
    ];
    for (const call of calls) {
      for (const answer of [network(), busy(), new Response("", { status: 502 })]) {
        const uncertain = fakeScheduler(answer);
        await failure(call(uncertain.client));
        assert.equal(uncertain.requests.length, 1, String(call));
      }
      const refused = fakeScheduler([problem(429, "overloaded", { headers: { "retry-after": "1" } }), problem(408, "slow-body"), json({ ...TASK, done: true })]);
      await call(refused.client);
      assert.equal(refused.requests.length, 3, String(call));
    }
  });

  test("are made of what has the same effect twice", async () => {
    const calls = [
      (client) => client.getTask("a"),
      (client) => client.cancelTask("a"),
      (client) => client.cancelTask(["a"]),
      (client) => client.changeTask("a", {}),
      (client) => client.pause("a"),
      (client) => client.resume({ tag: "a" }),
      (client) => client.reschedule("a", { time: 1_924_362_000_000 }),
      (client) => client.preview({ cron: "0 9 * * *" }),
      (client) => client.parse({ text: "daily" }),
      (client) => client.explain("a"),
      (client) => client.deadLetters.replay("1-1r-a"),
      (client) => client.deadLetters.discard(["1-1r-a"]),
      (client) => client.limits.set("a", { concurrency: 1 }),
    ];
    for (const call of calls) {
      const { client, requests } = fakeScheduler([network(), busy(), json({ ...TASK, done: true })]);
      await call(client);
      assert.equal(requests.length, 3, String(call));
    }
  });
});

describe("a lost answer", () => {
  const changed = json({ changed: 0, unchanged: 1, notApplicable: 0, alreadyRunning: 0, notFound: 0, done: true });
  const lost = [network(), new Response("", { status: 502 }), busy(), new Response("cut off")];

  test("leaves open whether the cancel that finds no task has cancelled it", async () => {
    for (const answer of [network(), new Response("", { status: 502 }), busy()]) {
      const { client, requests } = fakeScheduler([answer, problem(404, "no-task")]);
      assert.deepEqual(await client.cancelTask("a"), { id: "a", uncertain: true });
      assert.equal(requests.length, 2);
    }
    // The scheduler has done nothing, so there was no task.
    for (const answer of [problem(429, "overloaded", { headers: { "retry-after": "1" } }), new Response("slow", { status: 408 })]) {
      assert.equal(await fakeScheduler([answer, problem(404, "no-task")]).client.cancelTask("a"), undefined);
    }
    // Nor has it if there was no connection, as Node and Bun say it.
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    for (const error of [new TypeError("fetch failed", { cause: refused }), Object.assign(new Error("Unable to connect"), { code: "ConnectionRefused" })]) {
      assert.equal(await fakeScheduler([error, problem(404, "no-task")]).client.cancelTask("a"), undefined);
      const { client, requests } = fakeScheduler([error, json(TASK)]);
      await client.run("a");
      assert.equal(requests.length, 2);
    }
    const found = await fakeScheduler([network(), json({ ...TASK, status: "cancelled" }, ETAG)]).client.cancelTask("a");
    assert.deepEqual([found.status, found.uncertain], ["cancelled", undefined]);
  });

  test("leaves open what a change of many has changed", async () => {
    const calls = [
      (client) => client.cancelTask(["a"]),
      (client) => client.pause({ tag: "a" }),
      (client) => client.reschedule({ tag: "a" }, { time: 1_924_362_000_000 }),
      (client) => client.deadLetters.replay(["a"]),
    ];
    for (const call of calls) {
      assert.equal((await call(fakeScheduler([network(), changed]).client)).uncertain, true, String(call));
      assert.ok(!("uncertain" in (await call(fakeScheduler(changed).client))), String(call));
    }
    // Of several requests, one is enough.
    const { client } = fakeScheduler([json({ changed: 1, done: false }), network(), json({ changed: 2, done: true })]);
    assert.deepEqual(await client.resume({ tag: "a" }), { changed: 3, done: true, uncertain: true });
  });

  test("makes the error of a call that may have taken effect uncertain", async () => {
    for (const answer of lost) assert.equal((await failure(fakeScheduler(answer).client.run("a"))).uncertain, true);
    const replayed = await failure(fakeScheduler([network(), problem(404, "no-dead-letter")]).client.deadLetters.replay("a"));
    assert.deepEqual([replayed.type, replayed.uncertain, replayed.attempts, replayed.message], ["/problems/no-dead-letter", true, 2, "Title of no-dead-letter: detail of no-dead-letter"]);
    assert.equal(JSON.parse(JSON.stringify(replayed)).uncertain, true);
    const none = await failure(fakeScheduler(network(), { retry: { maxAttempts: 1 } }).client.pause("a"));
    assert.deepEqual([none.uncertain, none.cause.message], [true, "fetch failed"]);
  });

  test("leaves nothing open if the scheduler has refused the call, or if it changes nothing", async () => {
    for (const answer of [problem(404, "no-task"), problem(422, "invalid"), problem(429, "quota"), new Response("Sign in", { status: 403 }), new Response("", { status: 302, headers: { location: "/" } })]) {
      assert.equal((await failure(fakeScheduler(answer).client.run("a"))).uncertain, false);
    }
    for (const call of [(client) => client.getTask("a"), (client) => client.preview({ cron: "@daily" }), (client) => client.parse({ text: "daily" }), (client) => client.dryRun("cancel", { tag: "a" }), (client) => client.deadLetters.dryRun("replay", { tag: "a" })]) {
      for (const answer of lost) assert.equal((await failure(call(fakeScheduler(answer).client))).uncertain, false, String(call));
    }
  });
});

describe("a signal", () => {
  test("ends a call before, during and between attempts, with its reason", async () => {
    const before = AbortSignal.abort(new Error("before"));
    const unsent = fakeScheduler(json(TASK));
    await assert.rejects(unsent.client.getTask("a", { signal: before }), { message: "before" });
    assert.equal(unsent.requests.length, 0);

    const during = new AbortController();
    // Does not look at its signal, as some do not.
    const hangs = fakeScheduler(() => {
      queueMicrotask(() => during.abort(new Error("during")));
      return new Promise(() => {});
    });
    await assert.rejects(hangs.client.getTask("a", { signal: during.signal }), { message: "during" });

    const between = new AbortController();
    const clock = {
      now: () => 0,
      wait: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          between.abort(new Error("between"));
        }),
    };
    const fails = fakeScheduler(network(), { clock });
    await assert.rejects(fails.client.getTask("a", { signal: between.signal }), { message: "between" });
    assert.equal(fails.requests.length, 1);
  });

  test("of its own ends an attempt that takes too long, and the call goes on", async () => {
    const { client, requests } = fakeScheduler([() => new Promise(() => {}), json(TASK)], { timeoutSeconds: 0.01 });
    assert.equal((await client.getTask("a")).id, "a");
    assert.equal(requests.length, 2);
    assert.equal(requests[0].signal.aborted, true);
    assert.equal(requests[0].signal.reason.message, "no answer within 0.01 seconds");
  });

  test("of its own also ends a body that does not come", async () => {
    const stuck = (status) => () => Object.assign(new Response(new ReadableStream(), { status }), { clone() { return this; } });
    for (const status of [200, 500]) {
      const { client, requests } = fakeScheduler([stuck(status), json(TASK)], { timeoutSeconds: 0.01 });
      assert.equal((await client.getTask("a")).id, "a");
      assert.equal(requests.length, 2);
    }
  });

  test("is let go of when a call has ended", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args) => (listeners += 1, addEventListener.apply(signal, args));
    signal.removeEventListener = (...args) => (listeners -= 1, removeEventListener.apply(signal, args));
    const { client } = fakeScheduler([network(), busy(), json(TASK)]);
    await client.getTask("a", { signal });
    assert.equal(listeners, 0);
  });
});

describe("a change of many", () => {
  const changed = (more) => json({ changed: 1, unchanged: 0, notApplicable: 0, alreadyRunning: 0, notFound: 0, done: true, ...more });

  test("goes on until everything is done, and adds up", async () => {
    const { client, requests } = fakeScheduler([changed({ done: false, running: 2 }), changed({ changed: 3 })]);
    assert.deepEqual(await client.pause({ tag: "a" }), { changed: 4, unchanged: 0, notApplicable: 0, alreadyRunning: 0, notFound: 0, running: 2, done: true });
    assert.equal(requests.length, 2);
    assert.equal(requests[0].body, requests[1].body);
  });

  test("does not go on by itself if it would fire tasks twice", async () => {
    const { client, requests } = fakeScheduler(changed({ done: false }));
    assert.equal((await client.run({ all: true })).done, false);
    assert.equal((await client.reschedule({ all: true }, { delayInSeconds: 0 })).done, false);
    assert.equal(requests.length, 2);
    assert.deepEqual(JSON.parse(requests[1].body), { filter: { all: true }, delayInSeconds: 0 });
  });

  test("takes any number of ids", async () => {
    const { client, requests } = fakeScheduler(json({ cancelled: 20_000, notFound: 0, done: true }));
    const ids = Array.from({ length: 45_000 }, (_, n) => `task-${n}`);
    assert.deepEqual(await client.cancelTask(ids), { cancelled: 60_000, notFound: 0, done: true });
    assert.deepEqual(requests.map((request) => JSON.parse(request.body).ids.length), [20_000, 20_000, 5_000]);
    assert.deepEqual(requests.flatMap((request) => JSON.parse(request.body).ids), ids);
    await client.cancelTask([]);
    assert.deepEqual(JSON.parse(requests[3].body), { ids: [] });
  });

  test("of dead letters lists the ids that are not there", async () => {
    const { client, requests } = fakeScheduler([json({ replayed: 1, notFound: ["a"], done: false }), json({ replayed: 0, notFound: ["b"], done: true })]);
    assert.deepEqual(await client.deadLetters.replay(["a", "b", "c"]), { replayed: 1, notFound: ["a", "b"], done: true });
    assert.equal(requests[0].path, "/v1/dead-letters/replay");
  });
});

describe("a list", () => {
  const searched = { records: 2, until: 1_900_000_000_000 };
  const pages = [
    json({ tasks: [{ id: "a" }, { id: "b" }], cursor: "1", total: 3, searched }),
    json({ tasks: [], cursor: "2", searched }),
    json({ tasks: [{ id: "c" }], cursor: null, searched: { records: 1 } }),
  ];

  test("is read page by page, until the cursor is null", async () => {
    const { client, requests } = fakeScheduler(pages);
    const ids = [];
    for await (const task of client.query({ tag: ["x", "y"], limit: 2 })) ids.push(task.id);
    assert.deepEqual(ids, ["a", "b", "c"]);
    assert.deepEqual(requests.map((request) => request.path), ["", "&cursor=1", "&cursor=2"].map((cursor) => `/v1/tasks?tag=x&tag=y&limit=2${cursor}`));
  });

  test("reads no further than it is asked for", async () => {
    const { client, requests } = fakeScheduler(pages);
    assert.equal((await client.query().first()).id, "a");
    assert.equal(requests.length, 1);
    assert.deepEqual(await client.query().toArray(0), []);
    assert.equal(requests.length, 1);
    assert.deepEqual(await client.query().toArray(1), [{ id: "c" }]);
    assert.equal(requests.length, 3);
  });

  test("can continue in another process", async () => {
    const { client, requests } = fakeScheduler(pages);
    const first = await client.query().pages().next();
    assert.deepEqual(first.value, { items: [{ id: "a" }, { id: "b" }], cursor: "1", total: 3, searched });
    await client.query({ cursor: first.value.cursor }).pages().next();
    assert.equal(requests[1].path, "/v1/tasks?cursor=1");
  });

  test("of attempts has one parameter for several outcomes", async () => {
    const { client, requests } = fakeScheduler(json({ runs: [], groups: [{ error: "x", count: 2 }], attempts: 0, cursor: null }));
    await client.runs("a/b", { limit: 5 }).toArray();
    await client.runs({ outcome: ["failed", "dead-lettered"], tag: "x" }).toArray();
    assert.equal((await client.errorGroups({ order: "count" }).first()).count, 2);
    assert.deepEqual(requests.map((request) => request.path), ["/v1/tasks/a%2Fb/runs?limit=5", "/v1/runs?tag=x&outcome=failed%2Cdead-lettered", "/v1/runs?order=count&group=error"]);
  });
});

test("the longest waits are no short ones", async () => {
  const aborter = new AbortController();
  let isOver = false;
  // A timer of more than 2^31 milliseconds ends at once.
  const waiting = systemClock.wait(2 ** 40, aborter.signal).then(() => (isOver = true));
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.equal(isOver, false);
  aborter.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
});
