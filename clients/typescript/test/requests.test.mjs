// What the client sends, and what it makes of the answers. When it sends a request again is in retries.test.mjs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { SchedulerClient } from "../src/client/index.ts";
import { ETAG, failure, fakeScheduler, json, network, NEW, problem, TASK } from "./fake.mjs";

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
