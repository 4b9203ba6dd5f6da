// The examples of README.md for a running scheduler, in their order: those in Node as modules, those for Workers in Workers beside it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { until } from "../../../../e2e/harness.mjs";
import { startSink } from "../../../../e2e/sink.mjs";
import { SchedulerClient } from "../../src/client/index.ts";
import { localVars } from "../../src/cli/dev.ts";
import { VARS } from "../../src/cli/requirements.ts";
import { Blocks } from "../readme.mjs";
import { startScheduler } from "./local.mjs";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = `${PACKAGE}test/e2e/.readme/`;
const KEY = "a key for the tests of the examples";
const WEBHOOK_KEY = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

const blocks = await Blocks.of("e2e/readme.test.mjs");
const workers = { connect: blocks.take("Connect"), queue: blocks.take("A queue of your own"), webhook: blocks.take("Webhooks") };
const modules = blocks.takeAll(({ isWorker }) => !isWorker);

let runtime;
/** A scheduler as `durable-scheduler init` and `dev` make it: without a queue for tasks. The blocks for Node run on it. */
let plain;
let sink;
/** A client of the first. */
let scheduler;
before(async () => {
  // Webhooks to /webhook go to the Worker that verifies them, and its answer goes to the scheduler.
  sink = await startSink(async ({ method, path, headers, text }) => (path === "/webhook" ? (await post("webhook", { method, headers, body: text })).status : 200));
  const options = {
    connect: { serviceBindings: { SCHEDULER: "durable-scheduler" }, bindings: { SCHEDULER_KEY: KEY } },
    queue: { d1Databases: { DB: "seen" }, queueConsumers: { "fired-tasks": { maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 3, retryDelay: 0 } } },
    webhook: { bindings: { WEBHOOK_KEY } },
  };
  runtime = await startScheduler({
    vars: { API_KEYS: KEY, WEBHOOK_SIGNING_KEYS: WEBHOOK_KEY, WEBHOOK_SHARED_KEY_NAMESPACES: "*" },
    workers: await Promise.all(Object.keys(workers).map((name) => workerOptions(name, options[name]))),
  });
  plain = await startScheduler({ vars: { ...VARS, ...Object.fromEntries(localVars({ vars: VARS })), API_KEYS: KEY } });
  scheduler = new SchedulerClient({ url: runtime.url, apiKey: KEY });
  process.env.SCHEDULER_KEY = KEY;
  globalThis.scheduler = new SchedulerClient({ url: plain.url, apiKey: KEY });
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
});
after(async () => {
  await runtime?.stop();
  await plain?.stop();
  await sink?.close();
  await rm(FOLDER, { recursive: true, force: true });
});

/** Bundles a block with the sources of the package. Returns the text of its module. */
async function bundle(code, platform) {
  const { outputFiles } = await build({
    stdin: { contents: code.replaceAll("https://example.com", sink.url), loader: "ts", resolveDir: PACKAGE },
    alias: { "durable-scheduler": `${PACKAGE}src/client/index.ts`, "durable-scheduler/consumer": `${PACKAGE}src/consumer/index.ts` },
    bundle: true,
    format: "esm",
    platform,
    write: false,
  });
  return outputFiles[0].text;
}

/** The address at which the block of a Worker calls the scheduler over HTTP. The Worker runs before the scheduler has its address. */
const REMOTE = "https://scheduler.example.workers.dev";

/** Returns miniflare's options for the Worker of a block. */
async function workerOptions(name, options) {
  const contents = await bundle(workers[name].code, "browser");
  // What it sends to the scheduler's address reaches the scheduler, and everything else this machine.
  const outboundService = (request) => {
    const { origin, pathname, search } = new URL(request.url);
    return fetch(origin === REMOTE ? runtime.url + pathname + search : request.url, request);
  };
  return { name, compatibilityDate: "2026-11-17", modules: [{ type: "ESModule", path: `${name}.js`, contents }], outboundService, ...options };
}

/** Sends a request to the Worker of a block. */
async function post(name, init) {
  return (await runtime.worker(name)).fetch("http://worker.test/", init);
}

/** Runs a block as a module of Node, and returns what it prints. */
async function run({ code, line }) {
  const path = `${FOLDER}line-${line}.mjs`;
  await writeFile(path, await bundle(code.replaceAll("http://localhost:8787", plain.url), "node"));
  const printed = [];
  const { log } = console;
  console.log = (...values) => printed.push(values);
  try {
    await import(pathToFileURL(path).href);
  } finally {
    console.log = log;
  }
  return printed;
}

/** What an example prints, by a part of its code. */
const expected = [
  ["scheduleTasks", (printed) => assert.deepEqual(printed.at(-1), [5_000, []])],
  ["preview", (printed) => assert.equal(printed.at(-1)[0].length, 3)],
  ["for await (const task of scheduler.query", (printed) => assert.ok(printed.length > 5_000 && printed[0][0].startsWith("renew-"))],
  ["dryRun", (printed) => assert.match(String(printed.at(-1)[2]), /^(5000|at least \d+)$/)],
  ["forecast", (printed) => assert.deepEqual([printed[0][0].length, typeof printed[1][0]], [24, "number"])],
  ["error instanceof SchedulerError", (printed) => assert.deepEqual(printed[0].slice(0, 3), ["/problems/invalid", 422, "cron"])],
];

for (const block of modules) {
  test(`the example in line ${block.line} runs`, async () => {
    const printed = await run(block);
    for (const [part, check] of expected) if (block.code.includes(part)) check(printed);
  });
}

test("the example of the three connections finds the tasks of each", async () => {
  await scheduler.namespaces.set("shop", {});
  const task = { id: "a", time: "2099-01-01T00:00:00Z" };
  await scheduler.scheduleTask({ ...task, payload: "shop" }, { namespace: "shop" });
  await scheduler.scheduleTask({ ...task, payload: "default" });
  const found = await (await post("connect")).json();
  assert.deepEqual(found.map(({ id, payload }) => [id, payload]), [["a", "shop"], ["a", "default"], ["a", "default"]]);
});

test("the example of a queue runs what the scheduler sends to it", async () => {
  const payload = { user: "kim", text: "Tea" };
  const { due } = await scheduler.scheduleTask({ id: "queued", delayInSeconds: 0, payload, callback: { type: "queue", queue: "FIRED_TASKS" } });
  const { body, headers } = await until("the request of the handler", () => sink.webhooks.find(({ path, headers }) => path === "/remind" && headers["idempotency-key"]?.includes("queued")));
  assert.deepEqual([body, headers["idempotency-key"]], [payload, `default:queued@${due}`]);
});

test("the example of a webhook takes what the scheduler has signed, and nothing else", async () => {
  await scheduler.scheduleTask({ id: "signed", delayInSeconds: 0, payload: "ü", retry: { maxAttempts: 1 }, callback: { type: "webhook", url: `${sink.url}/webhook` } });
  const run = await until("the run", () => scheduler.runs("signed").first());
  assert.deepEqual([run.outcome, run.status], ["succeeded", 204]);
  const { headers, text } = sink.webhooks.find(({ path }) => path === "/webhook");
  const forged = await post("webhook", { method: "POST", headers, body: text.replace("ü", "ö") });
  assert.equal(forged.status, 401);
  assert.match(await forged.text(), /signature/);
});

test("the examples are those that this test knows", () => {
  assert.ok(modules.length >= 7);
  for (const [part] of expected) assert.equal(modules.filter(({ code }) => code.includes(part)).length, 1, part);
  assert.deepEqual(blocks.left, []);
});
