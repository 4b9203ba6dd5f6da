// Tests handlers that are declared by attribute: their payload, retries and timeout, and their own
// recurring tasks.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

/** The deployment: the shard map, and the version of the example handlers. The version "" has no handlers. */
const deployed = { shards: "4", vars: { EXAMPLE_HANDLERS: "1" } };

let scheduler;
let sink;
/** The sink's answers to posts, by path. */
const answers = new Map();
before(async () => {
  sink = await startSink(({ path }) => answers.get(path)?.() ?? 200);
  scheduler = await Scheduler.start(deployed);
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

const call = (path, options) => scheduler.call(path, options);
const received = (path) => sink.webhooks.filter((hook) => hook.path === path);
const post = (id, task) =>
  call("/v1/tasks", { body: { id, delayInSeconds: 0, callback: { type: "handler", name: "example-post" }, ...task } });
const posted = (id, more) => post(id, { payload: { url: `${sink.url}/${id}` }, ...more });
const handlerTasks = async () => (await call("/v1/tasks?prefix=handler:")).body.tasks;
const created = async () => {
  const { created, replaced, cancelled } = (await call("/v1/stats")).body;
  return { created, replaced, cancelled };
};
/** Deploys another version of the code, optionally with more shards, on the same storage. */
const deploy = async (version, shards = deployed.shards) => {
  await scheduler.stop();
  deployed.vars.EXAMPLE_HANDLERS = version;
  deployed.shards = shards;
  await scheduler.restart();
};

test("a handler receives its payload in its own type, and a payload that does not fit is a permanent failure", async () => {
  await posted("typed");
  const [hook] = await until("the handler's post", () => received("/typed").length > 0 && received("/typed"));
  assert.match(hook.headers["idempotency-key"], /^typed@\d+$/);
  await until("it to be done", async () => (await call("/v1/tasks/typed")).status === 404);

  await post("untyped", { payload: { link: "x" } });
  const letter = await until("the dead letter", async () => {
    const { body } = await call("/v1/tasks/untyped");
    return body.status === "dead-lettered" && body;
  });
  assert.match(letter.error, /payload cannot be read: missing field `url`/);
  assert.equal(letter.attempt, 1);
});

test("a task without a retry policy has that of its handler, and is retried by it", async () => {
  answers.set("/broken", () => 500);
  const declared = { jitter: 0, maxAttempts: 3, minBackoffSeconds: 0.1 };
  assert.deepEqual((await posted("broken")).body.retry, declared);
  const letter = await until("the dead letter", async () => {
    const { body } = await call("/v1/tasks/broken");
    return body.status === "dead-lettered" && body;
  });
  assert.equal(letter.attempt, 3);
  assert.equal(received("/broken").length, 3);
  const own = await posted("own", { delayInSeconds: 9000, retry: { maxAttempts: 7 } });
  assert.deepEqual(own.body.retry, { maxAttempts: 7 });
  const batch = [{ id: "batched", delayInSeconds: 9000, callback: { type: "handler", name: "example-post" } }];
  assert.equal((await call("/v1/tasks/batch", { body: batch })).body.accepted, 1);
  assert.deepEqual((await call("/v1/tasks/batched")).body.retry, declared);
});

test("a handler that takes longer than it declares is ended", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  answers.set("/slow", () => held.then(() => 200));
  await posted("slow", { retry: { maxAttempts: 1 } });
  const letter = await until("the dead letter", async () => {
    const { body } = await call("/v1/tasks/slow");
    return body.status === "dead-lettered" && body;
  });
  assert.match(letter.error, /"example-post" was not done after 2 s/);
  release();
});

test("the first request of an instance creates the tasks of handlers with a schedule", async () => {
  const tasks = await until("both tasks", async () => (await handlerTasks()).length === 2 && handlerTasks());
  const weekly = tasks.find((task) => task.id === "handler:example-weekly");
  assert.equal(weekly.cron, "0 9 * * MON");
  assert.equal(weekly.timezone, "Europe/London");
  assert.deepEqual(weekly.callback, { type: "handler", name: "example-weekly" });
  assert.deepEqual(weekly.retry, { maxAttempts: 6 });
  assert.equal(weekly.status, "scheduled");
  assert.deepEqual((await call("/v1/tasks/handler:example-weekly")).body, weekly);
});

test("the tasks of handlers run by themselves", async () => {
  const before = (await call("/v1/stats")).body.succeeded;
  await until("two runs", async () => (await call("/v1/stats")).body.succeeded >= before + 2);
  assert.match(scheduler.log(), /tick of \d+/);
});

test("a task that is right does not change, and a cancelled one is created again by the watchdog's next full turn", async () => {
  const before = await created();
  await scheduler.watchdog();
  await scheduler.watchdog();
  assert.deepEqual(await created(), before);

  assert.equal((await call("/v1/tasks/handler:example-weekly", { method: "DELETE" })).status, 200);
  assert.equal((await call("/v1/tasks/handler:example-weekly")).status, 404);
  for (const round of [1, 2]) await scheduler.watchdog(round);
  assert.equal((await call("/v1/tasks/handler:example-weekly")).status, 404);
  await scheduler.watchdog(3);
  assert.equal((await call("/v1/tasks/handler:example-weekly")).body.cron, "0 9 * * MON");
});

test("callers cannot use the ids of these tasks", async () => {
  const task = { cron: "* * * * *", callback: { type: "handler", name: "noop" } };
  for (const id of ["handler:example-weekly", "handler:mine"]) {
    const refusals = [
      await call("/v1/tasks", { body: { id, ...task } }),
      await call(`/v1/tasks/${encodeURIComponent(id)}`, { method: "PUT", body: task }),
    ];
    for (const { status, body } of refusals) {
      assert.equal(status, 422);
      assert.equal(body.field, "id");
      assert.match(body.detail, /handler:/);
    }
    const { body } = await call("/v1/tasks/batch", { body: [{ id, ...task }, { id: "good", ...task }] });
    assert.equal(body.results[0].error.field, "id");
    assert.equal(body.accepted, 1);
  }
  assert.equal((await call("/v1/tasks/handler:example-weekly")).body.cron, "0 9 * * MON");
});

test("a deployment replaces a task with another expression, and removes the task of a missing handler", async () => {
  await deploy("2");
  await until("the new expression", async () => (await call("/v1/tasks/handler:example-weekly")).body.cron === "0 10 * * MON");
  await scheduler.watchdog();
  assert.deepEqual((await handlerTasks()).map((task) => task.id), ["handler:example-weekly"]);

  await deploy("");
  await scheduler.watchdog();
  assert.deepEqual(await handlerTasks(), []);
  const others = (await call("/v1/tasks")).body.tasks.map((task) => task.id);
  assert.ok(others.includes("own") && others.includes("good"), others);
});

test("after a change of the shard map, a handler has one task", async () => {
  await deploy("1");
  await scheduler.watchdog();
  await deploy("1", "4,7");
  await scheduler.watchdog();
  assert.equal((await handlerTasks()).length, 2);
  const { shards } = (await call("/v1/stats")).body;
  const added = shards.filter(({ shard }) => shard.startsWith("2-"));
  assert.deepEqual(added.map(({ created }) => created), Array(7).fill(0), "the tasks are already on the right shards");

  await deploy("2");
  await scheduler.watchdog();
  const tasks = await handlerTasks();
  assert.deepEqual(tasks.map((task) => [task.id, task.cron]), [["handler:example-weekly", "0 10 * * MON"]]);
});
