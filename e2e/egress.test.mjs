// Where webhooks may go: not to the scheduler itself.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

let scheduler;
let sink;
before(async () => {
  sink = await startSink(({ path }) => (path === "/back" ? { status: 307, headers: { location: `http://localhost:${new URL(sink.url).port}/v1/tasks` } } : 200));
  scheduler = await Scheduler.start({ shards: "1", vars: { OWN_HOSTS: "scheduler.example.com, https://other.example.com/, localhost" } });
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

const create = (id, url, more) => scheduler.call("/v1/tasks", { body: { id, delayInSeconds: 0, retry: { maxAttempts: 1 }, callback: { type: "webhook", url, ...more } } });
/** Waits for the only run of a task. */
const run = (id) => until(`the run of ${id}`, async () => (await scheduler.call(`/v1/tasks/${id}/runs`)).body.runs[0]);

test("a webhook to a host of the scheduler is refused, even if the host is allowed otherwise", async () => {
  for (const url of ["https://scheduler.example.com/v1/tasks", "https://Other.example.com./", "http://localhost:8787/hook"]) {
    const { status, body } = await create("own", url);
    assert.equal(status, 422, JSON.stringify(body));
    assert.equal(body.field, "callback.url");
    assert.match(body.detail, /a host of this scheduler \(OWN_HOSTS\): a task that calls the scheduler could start itself again/);
  }
  const follow = await scheduler.call("/v1/tasks", {
    body: { id: "own", delayInSeconds: 0, callback: { type: "handler", name: "noop" }, onSuccess: { type: "webhook", url: "https://scheduler.example.com/" } },
  });
  assert.equal(follow.status, 422);
});

test("a redirect to a host of the scheduler is not followed", async () => {
  assert.equal((await create("redirected", `${sink.url}/back`)).status, 201);
  const { outcome, error } = await run("redirected");
  assert.equal(outcome, "dead-lettered");
  assert.match(error, /^HTTP 307 .* its Location has the host localhost, which is a host of this scheduler/);
  assert.equal(sink.webhooks.filter(({ path }) => path === "/v1/tasks").length, 0);
});

test("a request that a task sends to the API is refused, whatever the host and the key", async () => {
  // The host is not in OWN_HOSTS, as that of a route that nobody has listed.
  const { host } = new URL(scheduler.url);
  const headers = { authorization: `Bearer ${scheduler.key}` };
  const again = { id: "again", delayInSeconds: 0, callback: { type: "handler", name: "noop" } };
  assert.equal((await create("loop", `http://${host}/v1/tasks`, { headers, body: again })).status, 201);
  const { outcome, status, error } = await run("loop");
  assert.deepEqual([outcome, status], ["dead-lettered", 508]);
  assert.match(error, /problems\/loop/);
  assert.equal((await scheduler.call("/v1/tasks/again/runs")).body.runs.length, 0, "nothing was created");
  const direct = await scheduler.call("/v1/tasks", { body: again, headers: { "scheduler-attempt": "1" } });
  assert.deepEqual([direct.status, direct.body.type], [508, "/problems/loop"]);
  // What needs no key cannot start anything.
  assert.equal((await scheduler.call("/healthz", { headers: { "scheduler-attempt": "1" } })).status, 200);
});

test("no cache answers a webhook", async () => {
  assert.equal((await create("cached", `${sink.url}/cached`, { method: "GET" })).status, 201);
  await run("cached");
  const [hook] = sink.webhooks.filter(({ path }) => path === "/cached");
  assert.equal(hook.headers["cache-control"], "no-cache");
});
