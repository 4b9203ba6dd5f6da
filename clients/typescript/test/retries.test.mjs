// When the client sends a request again, what a lost answer leaves open, and how a signal ends a call.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../src/client/clock.ts";
import { ETAG, failure, fakeScheduler, json, network, NEW, problem, TASK } from "./fake.mjs";

const busy = (headers = {}) => problem(503, "unavailable", { headers: { "retry-after": "3", ...headers } });

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
