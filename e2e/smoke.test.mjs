// Tests `make smoke` against a platform that this machine plays: see platform.mjs. The whole run measures the local runtime.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { ROOT } from "../scripts/paths.mjs";
import { Api } from "../scripts/smoke/api.mjs";
import { Arrivals } from "../scripts/smoke/arrivals.mjs";
import { Deployment } from "../scripts/smoke/deployment.mjs";
import { faultsOf } from "../scripts/smoke/load.mjs";
import { MEASURES } from "../scripts/smoke/measures.mjs";
import { LEFTOVER_MILLIS, newRun, runOf } from "../scripts/smoke/names.mjs";
import { MAX_RUN_MILLIS, estimate, sizes } from "../scripts/smoke/plan.mjs";
import { EXIT, Interrupted, removeLeftovers, smoke } from "../scripts/smoke/run.mjs";
import { readSettings } from "../scripts/smoke/upload.mjs";
import { folder } from "./around.mjs";
import { until } from "./harness.mjs";
import { ACCOUNT, Platform, TOKEN } from "./platform.mjs";

const settings = await readSettings();
let loadtest;
/** A folder with small files in place of the built Worker, where nothing runs it. */
let build;
before(async () => {
  build = await mkdtemp(join(tmpdir(), "smoke-build-"));
  for (const name of ["index.js", "index_bg.wasm"]) await writeFile(join(build, name), "small");
  loadtest = process.env.LOADTEST ?? (await builtLoadtest());
});
after(() => rm(build, { recursive: true }));

/** Returns the load tester that the tests of the workspace have built; this compiles only what is not. */
async function builtLoadtest() {
  await promisify(execFile)("cargo", ["test", "--quiet", "--workspace", "--no-run", "--test", "fake_scheduler"], { cwd: ROOT });
  return join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/loadtest");
}

async function platform(t, options) {
  const started = await Platform.start(options);
  t.after(() => started.stop());
  return started;
}

/** Runs `node scripts/smoke.mjs`. Returns the child, `output()`, and `ended`, its exit status. */
function command(args, env) {
  const child = spawn(process.execPath, [join(ROOT, "scripts/smoke.mjs"), ...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output.push(text));
  return { child, output: () => output.join(""), ended: once(child, "close").then(([code]) => code) };
}

const apiOf = (platform) => new Api({ token: TOKEN, account: ACCOUNT, base: `${platform.origin}/client/v4`, firstWaitMillis: 1 });

/** Runs a smoke test in this process. Returns its result with `output`. */
async function run(platform, { measures = [], signal = new AbortController().signal, ...more } = {}) {
  const lines = [];
  const result = await smoke({ api: apiOf(platform), run: newRun(), settings, build, address: platform.address, measures, signal, log: (line) => lines.push(line), lookAgainMillis: 1, ...more });
  const output = lines.join("\n");
  assert.ok(!output.includes(TOKEN) && !output.includes(ACCOUNT), output);
  return { ...result, output };
}

test("the whole run measures everything, loses nothing, writes its report and removes everything of its own and of old runs", async (t) => {
  const here = await platform(t, { storage: await folder(t) });
  // What a run of yesterday has left, what somebody else has, and a run that may be running.
  const old = newRun(Date.now() - LEFTOVER_MILLIS - 60_000);
  const other = newRun(Date.now() - 60_000);
  const script = { classes: [], metadata: { bindings: [] }, modules: [] };
  for (const name of [old, `${old}-receiver`]) here.scripts.set(name, script);
  here.queues.set("left", { queue_id: "left", queue_name: `${old}-fired`, consumers: [{ consumer_id: "1", script_name: `${old}-receiver` }] });
  const theirs = ["fired-tasks", `${other}-fired`, "scheduler-smoke-mine"];
  for (const name of theirs) here.queues.set(name, { queue_id: name, queue_name: name, consumers: [] });
  let uploaded;
  here.after = ({ method, route }) => {
    const latest = [...here.scripts.entries()].find(([name, { isOn }]) => isOn && !name.endsWith("-receiver"));
    if (method === "PUT" && route === "workers/scripts/*/schedules") uploaded = { ...latest[1], consumers: [...here.queues.values()].flatMap(({ consumers }) => consumers) };
  };

  const report = join(await folder(t), "production.md");
  const { output, ended } = command(["--yes", "--scale", "0.02", "--analytics", "2", "--report", report], { ...here.env, LOADTEST: loadtest });
  const code = await ended;
  assert.equal(code, EXIT.fine, output());
  assert.deepEqual(here.left, theirs.sort());
  assert.match(output(), /costs at most \d+ cents/);
  assert.match(output(), new RegExp(`removing what is left of ${old}`));
  assert.match(output(), new RegExp(`${other} may be running`));
  assert.ok(!output().includes(TOKEN) && !output().includes(ACCOUNT));

  // What was deployed is what `make deploy` deploys, with one handler more.
  const { bindings, code_update_strategy: strategy, compatibility_flags: flags } = uploaded.metadata;
  assert.deepEqual([strategy, flags], [{ ...settings.durable_objects.code_update_strategy }, settings.compatibility_flags]);
  const vars = Object.fromEntries(bindings.filter(({ type }) => type === "plain_text").map(({ name, text }) => [name, text]));
  assert.deepEqual({ ...vars, VISIBILITY_TIMEOUT_SECONDS: undefined }, { ...settings.vars, EXAMPLE_HANDLERS: "panics", DEPLOY: "1", VISIBILITY_TIMEOUT_SECONDS: undefined });
  assert.deepEqual(uploaded.schedules, settings.triggers.crons.map((cron) => ({ cron })));
  const [{ max_batch_size, max_retries, retry_delay }] = settings.queues.consumers;
  const dispatch = uploaded.consumers.find(({ dead_letter_queue: dead }) => dead);
  assert.deepEqual(dispatch.settings, { batch_size: max_batch_size, max_retries, retry_delay, max_wait_time_ms: 0 });

  const text = await readFile(report, "utf8");
  const titles = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title).filter((title) => title !== "Remarkable");
  assert.deepEqual(titles, ["Where the shards live", "Loads", "Large requests", "A deploy under load", "A panic", "Our meter and the platform's figures"]);
  assert.equal(text.match(/^\| 1-\d \| TST \| \d+ \|$/gm).length, Number(settings.vars.SHARD_MAP));
  for (const [load, count] of [["sparse", 3], ["steady", 40], ["herd", 400], ["redeploy under load", 80]]) {
    const [, created, , , received, , , wrong, repeated] = new RegExp(`^\\| ${load} \\| (.*) \\|$`, "m").exec(text)[1].split(" | ").map(Number).reduce((cells, cell) => [...cells, cell], [undefined]);
    assert.deepEqual([created, received, wrong], [count, count, 0], load);
    if (load !== "redeploy under load") assert.equal(repeated, 0, load);
  }
  assert.match(text, /A batch of 400 tasks took \d+ ms/);
  assert.match(text, /^\| rows written \| [1-9]\d* \| [1-9]\d* \|$/m);
});

test("a task that is lost and one that is sent twice end the run with a status of its own", async (t) => {
  const here = await platform(t, { storage: await folder(t) });
  let hooks = 0;
  here.hook = () => [0, 2][hooks++] ?? 1;
  const sized = { sparse: { rate: 2, seconds: 2, bulk: 1, via: ["webhook"] } };
  const measures = MEASURES.filter(({ name }) => name === "sparse");
  const times = { lead: 1, grace: 3, settle: 0.5, expectedRate: 1_000 };
  const result = await run(here, { build: undefined, measures, sizes: sized, times, loadtest, everyMillis: 100 });
  assert.equal(result.code, EXIT.faults, result.output);
  assert.deepEqual(result.faults.map((fault) => fault.replace(/\d+/, "n")), ["sparse: n tasks lost", "sparse: n tasks were sent twice"]);
  assert.match(result.output, /wrong: sparse: \d+ tasks lost/);
  assert.deepEqual(here.left, []);
});

test("what the load tester finds wrong is a fault, and what a restart or a lost answer explains is none", () => {
  const fine = { exitStatus: 0, defectCounts: {}, duplicates: { total: 0, afterRepeatedRequest: 0 }, ending: "complete", failedRequests: 0, problems: [], webhookLateness: [3] };
  assert.deepEqual(faultsOf("a", fine), []);
  assert.deepEqual(faultsOf("a", { ...fine, duplicates: { total: 2, afterRepeatedRequest: 2 } }), []);
  assert.deepEqual(faultsOf("a", { ...fine, duplicates: { total: 2, afterRepeatedRequest: 1 } }), ["a: 1 tasks were sent twice"]);
  assert.deepEqual(faultsOf("a", { ...fine, duplicates: { total: 2, afterRepeatedRequest: 0 } }, { mayRepeat: true }), []);
  assert.deepEqual(faultsOf("a", { ...fine, exitStatus: 1, defectCounts: { lost: 3 } }, { mayRepeat: true }), ["a: 3 tasks lost"]);
  assert.deepEqual(faultsOf("a", { ...fine, webhookLateness: [-7, 3] }), ["a: a webhook arrived 7 ms early"]);
  assert.deepEqual(faultsOf("a", { ...fine, failedRequests: 1, problems: ["500"] }), ["a: 1 requests failed for good: 500"]);
  assert.deepEqual(faultsOf("a", { ...fine, ending: "timeLimit", exitStatus: 130 }), ["a: it did not end by itself (timeLimit)"]);
  assert.deepEqual(faultsOf("a", { ...fine, exitStatus: 9 }), ["a: the load tester ended with status 9"]);
});

test("what has arrived is taken although one object of the receiver gives no answer, and that one is asked again", async () => {
  let isStuck = true;
  const stored = [[], [{ seq: 1, message: null, body: "a" }], [{ seq: 7, message: "m", body: "b" }], [{ seq: 2, message: "m", body: "b" }]];
  const server = createServer((request, response) => {
    const [, ledger, after] = /^\/take\/(\d)\?after=(\d+)$/.exec(request.url).map(Number);
    if (isStuck && ledger === 0) return;
    response.end(JSON.stringify(stored[ledger].filter(({ seq }) => seq > after)));
  }).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const url = `http://127.0.0.1:${server.address().port}`;
    const arrivals = new Arrivals(new Deployment({ url, key: "k", signal: new AbortController().signal }), 2_000);
    const bodies = async () => (await arrivals.take()).map(({ body }) => body);
    assert.deepEqual(await bodies(), ["a", "b"]);
    assert.equal(arrivals.redelivered, 1);
    await assert.rejects(arrivals.take(), { name: "TimeoutError" });
    isStuck = false;
    stored[0].push({ seq: 3, message: null, body: "c" });
    assert.deepEqual(await bodies(), ["c"]);
    assert.deepEqual(await bodies(), []);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

/** A measure that takes no time, and one that never ends by itself. */
const quick = { name: "quick", run: async () => 1 };
const endless = { name: "endless", run: ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))) };

/** Returns the calls of a run without trouble, and the number of those before the removal. */
async function calls(here) {
  here.calls = [];
  let measured;
  const { code, output } = await run(here, { measures: [{ name: "count", run: async () => (measured = here.calls.length) }] });
  assert.equal(code, EXIT.fine, output);
  assert.deepEqual(here.left, []);
  return { all: [...here.calls], measured };
}

for (const status of [403, 500]) {
  test(`an API that answers ${status} at any step is named with the step, and everything is removed`, async (t) => {
    const here = await platform(t);
    const { all, measured } = await calls(here);
    assert.ok(measured >= 12 && all.length - measured >= 10, `${measured} of ${all.length}`);
    for (const [at, { method, route }] of all.entries()) {
      let seen = 0;
      let refusals = 0;
      // A request that may be repeated is refused each time: four tries. The removal asks for some of the same again.
      here.before = (call) => {
        const isIt = seen++ === at || (refusals > 0 && call.method === method && call.route === route);
        if (!isIt || refusals >= (status === 403 || method === "POST" ? 1 : 4)) return undefined;
        refusals += 1;
        return status;
      };
      const { code, output } = await run(here, { measures: [quick] });
      const what = `call ${at}, ${method} ${route}: ${output}`;
      assert.ok(refusals > 0, what);
      assert.deepEqual(here.left, [], what);
      // A refusal during the removal is overcome in its next round.
      assert.equal(code, at < measured ? EXIT.failed : EXIT.fine, what);
      if (at < measured) assert.match(output, new RegExp(`failed at the step: (look|create|deploy|wait)[^:]*: (what an earlier .*)?${method} /.*: ${status}, the test refuses`), what);
    }
  });
}

for (const when of ["before", "after"]) {
  test(`an interruption ${when} the platform has carried out any request removes everything`, async (t) => {
    const here = await platform(t);
    const { all, measured } = await calls(here);
    for (const [at, { method, route }] of all.entries()) {
      const controller = new AbortController();
      let seen = 0;
      here[when] = () => {
        if (seen++ === at) controller.abort(new Interrupted("interrupted (SIGINT)"));
      };
      const { code, output } = await run(here, { measures: [quick], signal: controller.signal });
      const what = `call ${at}, ${method} ${route}: ${output}`;
      await until(`${what}, and nothing to be left`, () => here.left.length === 0);
      assert.equal(code, at < measured ? EXIT.interrupted : EXIT.fine, what);
      if (at < measured) assert.match(output, /interrupted \(SIGINT\) at the step: /, what);
    }
  });
}

test("a measure that fails, is interrupted or takes too long ends with the removal of everything", async (t) => {
  const here = await platform(t);
  const failing = { name: "failing", run: async () => Promise.reject(new Error("no answer from anywhere")) };
  const failed = await run(here, { measures: [quick, failing, endless] });
  assert.equal(failed.code, EXIT.failed);
  assert.match(failed.output, /failed at the step: failing: no answer from anywhere/);
  assert.deepEqual([failed.results, here.left], [{ quick: 1 }, []]);
  for (const [reason, code, message] of [[new Interrupted("interrupted (SIGTERM)"), EXIT.interrupted, /interrupted \(SIGTERM\) at the step: endless/], [new Error("the run took too long"), EXIT.failed, /failed at the step: endless: the run took too long/]]) {
    const controller = new AbortController();
    const ended = run(here, { measures: [endless], signal: controller.signal });
    await until("both Workers to be deployed", () => here.left.length === 5);
    controller.abort(reason);
    const { code: got, output } = await ended;
    assert.equal(got, code, output);
    assert.match(output, message);
    assert.deepEqual(here.left, []);
  }
});

test("what cannot be removed is named, with what to do, and the command that removes it does", async (t) => {
  const here = await platform(t);
  here.before = ({ method, route }) => method === "DELETE" && route === "workers/scripts/*" && 500;
  const { code, output } = await run(here, { measures: [quick] });
  assert.equal(code, EXIT.left, output);
  assert.equal(here.left.filter((name) => runOf(name)).length, 2);
  for (const name of here.left) assert.match(output, new RegExp(`could not be removed: the Worker ${name}: DELETE /.*: 500`));
  assert.match(output, /make smoke ARGS=--remove/);
  here.before = () => undefined;
  assert.deepEqual(await removeLeftovers(apiOf(here), () => {}), [], "a run of now may be running");
  assert.equal(here.left.length, 2);
  const { output: text, ended } = command(["--remove"], here.env);
  assert.equal(await ended, EXIT.fine, text());
  assert.deepEqual(here.left, []);
});

test("a Ctrl-C ends the command with the removal of everything, and another one does not end the removal", async (t) => {
  const here = await platform(t);
  here.isUp = false;
  const { child, output, ended } = command(["--yes"], { ...here.env, LOADTEST: loadtest });
  await until("the Workers to be deployed", () => output().includes("wait until both answer") && here.left.length === 5);
  child.kill("SIGINT");
  await until("the removal to begin", () => output().includes("remove everything"));
  child.kill("SIGINT");
  assert.equal(await ended, EXIT.interrupted, output());
  assert.deepEqual(here.left, []);
  assert.match(output(), /interrupted \(SIGINT\) at the step: wait until both answer/);
});

test("without a confirmation, or without an account, the command says what it would do and does nothing", async (t) => {
  const here = await platform(t);
  const cases = [
    [[], here.env, /nothing was done: confirm/],
    [["--yes"], { ...here.env, CLOUDFLARE_API_TOKEN: "" }, /set CLOUDFLARE_API_TOKEN/],
    [["--yes", "--scale", "9"], here.env, /--scale 9: must be between 0.01 and 5/],
    [["--yes", "--only", "sprase"], here.env, /--only sprase: there are placement, sparse/],
  ];
  await Promise.all(cases.map(async ([args, env, message]) => {
    const { output, ended } = command(args, env);
    assert.equal(await ended, EXIT.failed, output());
    assert.match(output(), message);
    assert.ok(!output().includes(TOKEN));
  }));
  assert.deepEqual(here.calls, []);
});

test("names say when a run began, and a run ends before it counts as a leftover", () => {
  const at = Date.UTC(2026, 10, 27, 10, 15, 9);
  const run = newRun(at, "a1b2c3");
  assert.equal(run, "scheduler-smoke-20261127-101509-a1b2c3");
  for (const name of [run, `${run}-receiver`, `${run}-dispatch`]) assert.deepEqual(runOf(name), { run, startedAt: at });
  for (const name of ["scheduler-smoke-", "durable-scheduler", `x${run}`, `${run}-`, "scheduler-smoke-20261127-101509-a1b2c"]) assert.equal(runOf(name), undefined, name);
  assert.ok(MAX_RUN_MILLIS < LEFTOVER_MILLIS);
  // A label of a host name has 63 characters at most.
  assert.ok(`${run}-receiver`.length <= 63);
});

test("the estimate grows with the scale, and stays small", () => {
  const [small, usual, large] = [0.01, 1, 5].map((scale) => estimate(sizes(scale)));
  assert.ok(small.tasks < usual.tasks && usual.tasks < large.tasks);
  assert.ok(usual.dollars > 0.1 && usual.dollars < 1, `${usual.dollars}`);
  assert.ok(large.dollars < 5, `${large.dollars}`);
});
