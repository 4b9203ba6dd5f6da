// The examples of README.md for an entry point whose methods are tasks, and for a second Worker. tarball.test.mjs runs the first Worker.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureBuilt } from "./built.mjs";
import { Blocks, readBlocks } from "./readme.mjs";
import { startWorker, until } from "./runtime.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
// Below the checkout, so that a project finds the checkout's wrangler.
const FOLDER = join(PACKAGE, "../../.wrangler/readme");
const KEY = "a-key-for-the-examples-of-the-readme";
const run = promisify(execFile);

const blocks = await Blocks.of("readme-worker.test.mjs");
const all = await readBlocks();

before(async () => {
  ensureBuilt();
  await rm(FOLDER, { recursive: true, force: true });
});
after(() => rm(FOLDER, { recursive: true, force: true }));

/** Makes a project: runs the `init` of a text, and writes its Worker. Returns the path of its configuration. */
async function project(name, init, code) {
  const folder = join(FOLDER, name);
  await mkdir(join(folder, "src"), { recursive: true });
  const [, args] = /npx durable-scheduler (init[^\n`]*)/.exec(init);
  await run(process.execPath, [join(PACKAGE, "dist/cli/main.js"), ...args.trim().split(" "), ...(args.includes("--yes") ? [] : ["--yes"])], { cwd: folder });
  await writeFile(join(folder, "src/index.ts"), code);
  return join(folder, "wrangler.jsonc");
}

test("another Worker reaches the scheduler of the first one", async () => {
  const [init, code] = ["sh", "ts"].map((language) => all.find((block) => block.section === "The scheduler in your Worker" && block.language === language).code);
  const config = await project("reminders", init, code);
  const folder = join(FOLDER, "shop");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "wrangler.jsonc"), blocks.take("The scheduler for other Workers", "jsonc").code);
  await writeFile(join(folder, "index.ts"), blocks.take("The scheduler for other Workers").code);
  const shop = await startWorker(join(folder, "wrangler.jsonc"), { others: [config] });
  try {
    assert.deepEqual(await (await fetch(shop.url)).json(), { id: "sale", found: 1 });
  } finally {
    await shop.stop();
  }
});

test("the entry point of the README has its schedules, and its methods run", async () => {
  const { code } = blocks.take("Methods as tasks");
  const text = await readFile(join(PACKAGE, "README.md"), "utf8");
  const [init] = text.slice(text.indexOf("\n## Methods as tasks\n")).match(/`npx durable-scheduler init[^`]*`/);
  const worker = await startWorker(await project("nightly", init, code), { vars: { API_KEYS: KEY } });
  const api = async (path, method = "GET") => (await fetch(`${worker.url}/v1/${path}`, { method, headers: { authorization: `Bearer ${KEY}` } })).json();
  try {
    const tasks = await until("the schedules", async () => {
      const found = (await api("tasks")).tasks;
      return found.length === 3 && found;
    });
    const shown = tasks.map(({ id, cron, everySeconds, timezone }) => [id, cron ?? everySeconds, timezone]).sort();
    assert.deepEqual(shown, [["{TASKS}-record", undefined, undefined], ["{TASKS}:@cleanUp", "0 3 * * *", "Europe/London"], ["{TASKS}:@poll", 300, undefined]]);
    await api(`tasks/${encodeURIComponent("{TASKS}:@cleanUp")}/run`, "POST");
    const report = await until("the report", async () => (await api("tasks")).tasks.find(({ payload }) => payload === "cleaned up"));
    assert.equal(report.callback.path, "/durable-scheduler/runs/report?binding=TASKS");
  } finally {
    await worker.stop();
  }
});

test("a queue and a cron trigger of the README run beside the scheduler", async () => {
  const section = "A queue and a cron trigger beside the scheduler";
  const init = blocks.take(section, "sh").code;
  // What the Worker logs as an error can be read here.
  const code = blocks.take(section).code.replaceAll("console.log(", "console.error(");
  const worker = await startWorker(await project("queue", init, code), { vars: { API_KEYS: KEY, WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } });
  const api = async (path, body) => (await fetch(`${worker.url}/v1/${path}`, { method: body === undefined ? "GET" : "POST", headers: { authorization: `Bearer ${KEY}` }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).json();
  try {
    for (const task of [
      { id: "queued", delayInSeconds: 0, payload: "x", callback: { type: "queue", queue: "FIRED_TASKS" } },
      { id: "hook", delayInSeconds: 0, callback: { type: "webhook", url: `${worker.url}/healthz`, method: "GET" } },
    ]) {
      assert.equal((await api("tasks", task)).id, task.id);
    }
    await until("the message", () => worker.errors.some((text) => text.includes("fired queued x")), 60_000);
    await until("the webhook", async () => (await api("tasks/hook/runs")).runs[0]?.outcome === "succeeded");
    for (const cron of ["* * * * *", "0 3 * * *"]) {
      assert.equal((await fetch(`${worker.url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(cron)}`)).status, 200);
    }
    // The lines of the log arrive in their order, after the answers. The trigger of the scheduler came first, and logs no such line.
    const nightly = () => worker.errors.filter((text) => text.includes("nightly")).length;
    await until("the line of the trigger", nightly);
    assert.equal(nightly(), 1);
  } finally {
    await worker.stop();
  }
});

test("these are all of the examples that this file runs", () => {
  assert.deepEqual(blocks.left, []);
});
