// Objects and entry points whose methods tasks call, on the real local runtime.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startWorker, until } from "./runtime.mjs";

const CONFIG = fileURLToPath(new URL("fixtures/objects.jsonc", import.meta.url));
const SOURCE = fileURLToPath(new URL("fixtures/objects.ts", import.meta.url));
const CONSUMER = fileURLToPath(new URL("../src/consumer/index.ts", import.meta.url));
const KEY = "a-key-of-the-operator-for-these-tests";
const vars = { API_KEYS: KEY };

let worker;
before(async () => {
  worker = await startWorker(CONFIG, { vars });
});
after(() => worker?.stop());

async function send(path, body, method = "POST") {
  const response = await fetch(worker.url + path, {
    method,
    headers: { authorization: `Bearer ${KEY}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json().catch(() => undefined) };
}
/** Calls a method of an object by RPC. */
async function call(object, method, ...args) {
  const { status, body } = await send(`/object/${object}/${method}`, args);
  if (status !== 200) throw new Error(body.error);
  return body;
}
const api = (path, body, method) => send(`/v1/${path}`, body, method ?? (body === undefined ? "GET" : "POST"));
const log = async () => (await send("/log", undefined, "GET")).body;
const called = async (method, isIt = () => true) => (await log()).filter((entry) => entry.method === method && isIt(entry));
const first = (method, isIt) => until(`a call of ${method}`, async () => (await called(method, isIt))[0]);
const flaky = (how, id) => call("kim", "scheduleTask", { id, delayInSeconds: 0, callback: { type: "self", function: "flaky" }, payload: { how } });

test("a task of an object calls its method with the payload and the run", async () => {
  const task = await call("ann", "addReminder", "Tea", 0.2);
  assert.equal(task.type, "delayed");
  const { payload, run } = await first("ann.remind");
  assert.deepEqual(payload, { text: "Tea" });
  assert.deepEqual([run.id, run.attempt, run.description, run.tags], [task.id, 1, "tea", undefined]);
  assert.equal(run.time, task.time);
  assert.equal(run.idempotencyKey, `{REMINDERS:ann}:${task.id}@${Date.parse(task.time)}`);
});

test("the options of @task are those of its tasks, and errors say what becomes of a run", async () => {
  const task = await flaky("once", "f1");
  assert.deepEqual([task.retry, task.tags, task.description, task.callback.timeoutSeconds], [{ maxAttempts: 2 }, ["flaky"], "fails once", 5]);
  const again = await first("flaky", ({ run }) => run.id === "f1" && run.attempt === 2);
  assert.match(again.run.lastError, /^HTTP 500 .*the first attempt fails$/);

  await flaky("later", "f2");
  await first("flaky", ({ run }) => run.id === "f2" && run.attempt === 2);
  const runs = (await api(`tasks/${encodeURIComponent("{REMINDERS:kim}:f2")}/runs`)).body.runs;
  const failed = runs.find((run) => run.outcome === "retried" || run.error !== undefined);
  assert.match(failed.error, /^HTTP 503 .*not yet$/);

  await flaky("permanent", "f3");
  const letter = await until("a dead letter", async () => (await call("kim", "query", { id: "f3" })).find(({ status }) => status === "dead-lettered"));
  assert.match(letter.error, /^HTTP 410 .*no use$/);
  assert.equal((await called("flaky", ({ run }) => run.id === "f3")).length, 1);
  assert.deepEqual(await call("kim", "past", "f3"), { apiId: "{REMINDERS:kim}:f3", outcomes: ["dead-lettered"], reasons: ["dead-lettered"] });
});

test("only methods that the class itself declares can be named", async () => {
  for (const name of ["fetch", "alarm", "constructor", "scheduleTask", "query", "cancelTask", "getter", "_hidden", "nothing", "toString", "__proto__", "ctx", "scheduler"]) {
    await assert.rejects(call("kim", "scheduleTask", { delayInSeconds: 0, callback: { type: "self", function: name } }), /has no method .* that tasks may call/, name);
  }
});

test("only tasks that the object has scheduled reach its methods", async () => {
  // A request from the web, which the Worker passes on to the object.
  const path = "/durable-scheduler/runs/remind?binding=REMINDERS&name=kim";
  const passed = await fetch(worker.url + path, { method: "POST", body: "{}" });
  assert.equal(await passed.text(), "own fetch of /durable-scheduler/runs/remind");

  // Tasks of whoever has an API key: they know no token, and the class is in no list of what tasks may call.
  const service = { type: "service", binding: "SCHEDULER_RUNS" };
  const headers = { "durable-scheduler-token": "0".repeat(64) };
  const payload = { text: "forged" };
  for (const [id, callback, error] of [
    ["forged", { ...service, path, headers }, /^HTTP 410 .*not from a task that was scheduled here$/],
    ["no-token", { ...service, path }, /^HTTP 410 .*not from a task that was scheduled here$/],
    ["other-class", { ...service, path: path.replace("REMINDERS", "LOG"), headers }, /^HTTP 410/],
    ["own-class", { ...service, path: path.replace("REMINDERS", "SHARDS"), headers }, /^HTTP 404 .*no binding SHARDS for runs/],
    // An object that nobody has called would make its declared schedules, and a service has every name as a method.
    ["new-object", { ...service, path: path.replace("kim", "nobody"), headers }, /^HTTP 410 .*not from a task that was scheduled here$/],
    ["service", { ...service, path: path.replace("REMINDERS", "MYSERVICE"), headers }, /^HTTP 404 .*no binding MYSERVICE for runs/],
    ["no-binding", { ...service, path: path.replace("REMINDERS", "toString"), headers }, /^HTTP 404 .*no binding toString for runs/],
    ["api", { ...service, path: "/v1/tasks", method: "GET" }, /^HTTP 404 .*no binding +for runs/],
    ["rpc", { ...service, function: "scheduleTask" }, /no binding +for runs/],
    ["answer", { ...service, function: "answerScheduledRun" }, /answerScheduledRun/],
  ]) {
    await api("tasks", { id, delayInSeconds: 0, retry: { maxAttempts: 1 }, callback, payload });
    const letter = await until(`the dead letter of ${id}`, async () => (await api(`tasks/${id}`)).body.error);
    assert.match(letter, error, id);
  }
  for (const callback of [
    { type: "durable-object", binding: "REMINDERS", name: "kim", function: "remind" },
    { type: "durable-object", binding: "REMINDERS", name: "kim", path },
    { type: "service", binding: "TASKS", function: "once" },
  ]) {
    const { status, body } = await api("tasks", { delayInSeconds: 0, callback, payload });
    assert.deepEqual([status, body.field], [422, "callback.binding"]);
  }
  assert.deepEqual(await called("kim.remind", ({ payload: { text } }) => text === "forged"), []);
  assert.deepEqual(await called("getByName"), []);
  assert.deepEqual((await api(`tasks?prefix=${encodeURIComponent("{REMINDERS:nobody}:")}`)).body.tasks, []);
});

test("a query finds the tasks of its object only, by description, id, kind and time", async () => {
  const at = (hour) => new Date(Date.UTC(2099, 0, 1, hour)).toISOString();
  const callback = { type: "webhook", url: "https://example.com/x" };
  for (const [id, fields] of [
    ["a", { time: at(1), description: "tea" }],
    ["b", { time: at(2), description: "tea time" }],
    ["c", { cron: "0 9 1 1 *", description: "tea" }],
    ["d", { type: "no-schedule", description: "by hand" }],
    ["ab", { delayInSeconds: 86_400 }],
  ]) {
    await call("sue", "scheduleTask", { id, callback, ...fields });
    await call("sue2", "scheduleTask", { id, callback, ...fields });
  }
  const ids = async (criteria) => (await call("sue", "query", criteria)).map(({ id }) => id).filter((id) => id !== "@tick").sort();
  assert.deepEqual(await ids({}), ["a", "ab", "b", "c", "d"]);
  assert.deepEqual(await ids({ description: "tea" }), ["a", "c"]);
  assert.deepEqual(await ids({ id: "a" }), ["a"]);
  assert.deepEqual(await ids({ type: "no-schedule" }), ["d"]);
  assert.deepEqual(await ids({ type: "delayed" }), ["ab"]);
  assert.deepEqual(await ids({ from: at(1), to: at(2) }), ["a"]);
  const [delayed] = await call("sue", "query", { id: "ab" });
  assert.deepEqual([delayed.delayInSeconds, delayed.tags, delayed.callback], [86_400, undefined, callback]);
  assert.equal(await call("sue", "cancelTask", "a"), true);
  assert.equal(await call("sue", "cancelTask", "a"), false);
  assert.deepEqual(await ids({ id: "a" }), []);
  assert.equal((await call("sue2", "query", { id: "a" })).length, 1);
});

test("a task in words has the schedule that its sentence means, and the sentence", async () => {
  const callback = { type: "webhook", url: "https://example.com/x" };
  const made = await call("words", "scheduleTask", { id: "often", schedule: "every monday at 10:00", timezone: "Europe/Berlin", callback });
  assert.deepEqual([made.type, made.cron, made.timezone, made.words], ["cron", "0 10 * * MON", "Europe/Berlin", "every monday at 10:00"]);
  const once = await call("words", "scheduleTask", { id: "once", schedule: "on 24 December 2098 at 18:00", timezone: "Europe/Berlin", callback });
  assert.deepEqual([once.type, once.time], ["scheduled", "2098-12-24T17:00:00.000Z"]);
  assert.deepEqual((await call("words", "query", { type: "cron", id: "often" })).map(({ words }) => words), ["every monday at 10:00"]);
  await assert.rejects(call("words", "scheduleTask", { schedule: "whenever", callback }), /schedule/);
});

test("the examples of the first design's later document run, and their targets get the payload", async () => {
  const payload = { message: "Hello, world!" };
  const { body } = await send("/design");
  const [delayed, cron, scheduled] = body;
  assert.deepEqual([delayed.type, delayed.delayInSeconds, delayed.callback], ["delayed", 60, { type: "webhook", url: "https://example.com/webhook" }]);
  const stored = (id) => api(`tasks/${encodeURIComponent(`{SCHEDULER:my-scheduler}:${id}`)}`);
  assert.deepEqual((await stored(delayed.id)).body.callback.body, payload);
  assert.deepEqual([cron.type, cron.cron, cron.callback], ["cron", "0 18 * * 5", { type: "durable-object", namespace: "MYDURABLE", name: "some-id", function: "myFunction" }]);
  assert.deepEqual(scheduled.callback, { type: "service", service: "MYSERVICE", function: "myFunction" });
  // Its time has passed, so it fires at once.
  assert.deepEqual((await first("service.myFunction")).payload, payload);
  await api(`tasks/${encodeURIComponent(`{SCHEDULER:my-scheduler}:${cron.id}`)}/run`, undefined, "POST");
  assert.deepEqual((await first("myFunction")).payload, payload);
});

test("the first design's example runs", async () => {
  const before = (await api("stats")).body;
  await call("plain", "foo");
  assert.deepEqual(await call("plain", "query"), []);
  const { body: now } = await api("stats");
  assert.deepEqual([now.created - before.created >= 4, now.cancelled - before.cancelled >= 4], [true, true], JSON.stringify([before, now]));
});

test("a task without a callback calls onTask", async () => {
  await call("plain", "scheduleTask", { id: "bare", delayInSeconds: 0, payload: [1] });
  assert.deepEqual((await first("onTask")).payload, [1]);
});

test("a task without a callback fails for good in a class without onTask", async () => {
  await call("kim", "scheduleTask", { id: "bare", delayInSeconds: 0 });
  const [run] = await until("the run", async () => {
    const { runs } = (await api(`tasks/${encodeURIComponent("{REMINDERS:kim}:bare")}/runs`)).body;
    return runs.length > 0 && runs;
  });
  assert.deepEqual([run.outcome, run.status], ["dead-lettered", 410]);
  assert.match(run.error, /the task bare has no callback, and Reminders has no method onTask/);
});

test("an entry point is called without an object, also from elsewhere in the Worker", async () => {
  const { body } = await send("/once/hello", undefined);
  assert.equal(body.callback.function, "once");
  const { payload, run } = await first("once");
  assert.deepEqual([payload, run.id], ["hello", body.id]);
});

test("declared schedules survive a deploy: added, changed, removed, none twice, and pauses stay", async () => {
  const storage = await mkdtemp(join(tmpdir(), "durable-scheduler-"));
  const shared = worker;
  const declared = async () => {
    const ids = await call("dee", "query", {});
    const { body } = await api(`tasks?prefix=${encodeURIComponent("{TASKS}:@")}`);
    return [...ids, ...body.tasks].map(({ id, status, everySeconds, cron }) => [id, status, everySeconds ?? cron]).sort();
  };
  try {
    const source = (await readFile(SOURCE, "utf8")).replace('@cron("* * * * * *"', '@cron("0 0 1 1 *"').replace("@every(1,", "@every(1000,");
    worker = await startWorker(CONFIG, { vars, storage, source });
    const before = [["@tick", "scheduled", 1000], ["{TASKS}:@clean", "scheduled", "0 0 1 1 *"]];
    await until("the first schedules", async () => { assert.deepEqual(await declared(), before); return true; });
    await call("dee", "pauseTicks");
    await api(`tasks/${encodeURIComponent("{TASKS}:@clean")}/pause`, { note: "no cleaning" }, "POST");
    await worker.stop();

    // The same again.
    worker = await startWorker(CONFIG, { vars, storage, source });
    const paused = before.map(([id, , times]) => [id, "paused", times]);
    assert.deepEqual(await declared(), paused);
    // An object whose declarations have not changed asks the scheduler for nothing.
    assert.equal((await send("/creates", undefined, "GET")).body, 0);
    await worker.stop();

    // Both changed, one added to each.
    const changed = source
      .replace('"0 0 1 1 *"', '"0 0 2 2 *"')
      .replace("@every(1000,", "@every(2000,")
      .replace("  async pauseTicks", "  @every(500)\n  async more() {}\n\n  async pauseTicks")
      .replace("  async once(", "  @cron(\"@yearly\")\n  async yearly() {}\n\n  async once(");
    worker = await startWorker(CONFIG, { vars, storage, source: changed });
    const after = [["@more", "scheduled", 500], ["@tick", "paused", 2000], ["{TASKS}:@clean", "paused", "0 0 2 2 *"], ["{TASKS}:@yearly", "scheduled", "@yearly"]];
    await until("the changed schedules", async () => { assert.deepEqual(await declared(), after); return true; });
    const notes = async () => [(await call("dee", "query", { id: "@tick" }))[0].pauseNote, (await api(`tasks/${encodeURIComponent("{TASKS}:@clean")}`)).body.pauseNote];
    await until("the notes of the pauses", async () => { assert.deepEqual(await notes(), ["by hand", "no cleaning"]); return true; });
    await worker.stop();

    // None left.
    worker = await startWorker(CONFIG, { vars, storage, source: changed.replaceAll(/@(every|cron)\([^)]*\)/g, "") });
    await until("no schedules", async () => { assert.deepEqual(await declared(), []); return true; });
    assert.deepEqual(worker.errors, []);
  } finally {
    await worker.stop();
    worker = shared;
    await rm(storage, { recursive: true, force: true });
  }
});

test("two entry points with one binding do not remove each other's schedules", async () => {
  const shared = worker;
  const source = (await readFile(SOURCE, "utf8")).replace('@cron("* * * * * *"', '@cron("0 0 1 1 *"').replace("export class Nightly", "export class Daily extends Tasks<Env> {\n  @every(999)\n  async other() {}\n}\n\nexport class Nightly");
  worker = await startWorker(CONFIG, { vars, source });
  try {
    const error = await until("the error", async () => (await send("/log", undefined, "GET"), worker.errors[0]));
    assert.match(error, /^(Nightly and Daily|Daily and Nightly) both have the binding TASKS: /);
    const ids = (await api(`tasks?prefix=${encodeURIComponent("{TASKS}:@")}`)).body.tasks.map(({ id }) => id);
    assert.equal(ids.length, 1, String(ids));
  } finally {
    await worker.stop();
    worker = shared;
  }
});

test("a schedule that the scheduler refuses is a clear error at start, and the others are in place", async () => {
  const shared = worker;
  const source = (await readFile(SOURCE, "utf8")).replace('  @cron("* * * * * *"', '  @cron("0 0 30 2 *")\n  async never() {}\n\n  @cron("0 0 1 1 *"');
  worker = await startWorker(CONFIG, { vars, source });
  try {
    await until("the other schedule", async () => (await api(`tasks?prefix=${encodeURIComponent("{TASKS}:@")}`)).body.tasks.length === 1);
    const error = await until("the error", () => worker.errors[0]);
    assert.match(error, /^the schedule of Nightly\.never\(\) is not in place: .*cron never fires/);
  } finally {
    await worker.stop();
    worker = shared;
  }
});

/** Starts the Worker of the fixture with another default export. */
async function startWithDefault(code) {
  const source = await readFile(SOURCE, "utf8");
  const at = source.indexOf("export default class");
  const handler = source.slice(at).replace("export default class extends", "class Default extends");
  return startWorker(CONFIG, { vars, source: `import { consume } from ${JSON.stringify(CONSUMER)};\n${source.slice(0, at)}${handler}\n${code}` });
}

test("without the scheduler in the default export, scheduleTask says so, and no task is stored that would not run", async () => {
  const own = "export default { fetch: (request, env, ctx) => new Default(ctx, env).fetch(request), queue(batch) { batch.ackAll(); }, scheduled() {} };";
  const without = await startWithDefault(own);
  try {
    const response = await fetch(`${without.url}/object/kim/scheduleTask`, { method: "POST", body: JSON.stringify([{ delayInSeconds: 0 }]) });
    assert.match((await response.json()).error, /no task would run, because the default export of this Worker is not the scheduler: let it be a class that extends SchedulerWorker/);
  } finally {
    await without.stop();
  }
});

test("tasks for a queue that nobody consumes are an error in the log, and stay in the queue", async () => {
  const folder = await mkdtemp(join(tmpdir(), "durable-scheduler-"));
  const shared = worker;
  const settings = JSON.parse(await readFile(CONFIG, "utf8"));
  settings.main = SOURCE;
  settings.vars.QUEUE_BINDINGS = "OWN";
  settings.queues.producers.push({ binding: "OWN", queue: "own" });
  settings.queues.consumers.push({ queue: "own", max_retries: 2, retry_delay: 0, max_batch_timeout: 0, dead_letter_queue: "own-dlq" });
  await writeFile(join(folder, "wrangler.json"), JSON.stringify(settings));
  worker = await startWorker(join(folder, "wrangler.json"), { vars });
  try {
    const { status, body } = await api("tasks", { delayInSeconds: 0, callback: { type: "queue", queue: "OWN" } });
    assert.equal(status, 201, JSON.stringify(body));
    // Of the first delivery, and of the two after it.
    const errors = await until("the errors", () => worker.errors.length >= 3 && worker.errors);
    for (const error of errors) assert.match(error, /nobody consumes the queue own: let the queue\(\) of this Worker give its batches to consume\(\)/);
  } finally {
    await worker.stop();
    worker = shared;
    await rm(folder, { recursive: true, force: true });
  }
});

for (const [how, says] of [
  ["batch.ackAll();", /the queue\(\) of this Worker has not passed a batch of dispatch to the scheduler, so no task runs: return super\.queue\(batch\)/],
  ["await consume(batch, () => {});", /the queue dispatch is the one by which the scheduler dispatches runs to itself: return super\.queue\(batch\)/],
]) {
  test(`a queue handler that keeps the scheduler's batches to itself is an error in the log: ${how}`, async () => {
    const keeping = await startWithDefault(`export default class extends Default { async queue(batch) { ${how} } }`);
    try {
      const response = await fetch(`${keeping.url}/object/plain/scheduleTask`, { method: "POST", body: JSON.stringify([{ delayInSeconds: 0 }]) });
      assert.equal(response.status, 200);
      await until("the error", () => keeping.errors.some((text) => says.test(text)), 60_000);
    } finally {
      await keeping.stop();
    }
  });
}
