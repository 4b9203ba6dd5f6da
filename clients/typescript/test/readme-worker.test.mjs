// The examples of README.md for a scheduler in one's own Worker, run as a reader would: in their order, in new projects.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureBuilt } from "./built.mjs";
import { startWorker, until } from "./runtime.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
// Below the checkout, so that a project finds the checkout's wrangler.
const FOLDER = join(PACKAGE, "../../.wrangler/readme");
const KEY = "a-key-for-the-examples-of-the-readme";
const run = promisify(execFile);

let text;
before(async () => {
  text = await readFile(join(PACKAGE, "README.md"), "utf8");
  ensureBuilt();
  await rm(FOLDER, { recursive: true, force: true });
});
after(() => rm(FOLDER, { recursive: true, force: true }));

/** Returns the blocks of a language in a section, in their order. */
function blocks(section, language) {
  const start = text.indexOf(`\n## ${section}\n`);
  assert.notEqual(start, -1, section);
  const end = text.indexOf("\n## ", start + 1);
  return [...text.slice(start, end === -1 ? undefined : end).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(([, code]) => code);
}

/** Makes a project: runs the `init` of a text, and writes its Worker. Returns the path of its configuration. */
async function project(name, init, code) {
  const folder = join(FOLDER, name);
  await mkdir(join(folder, "src"), { recursive: true });
  const [, args] = /npx durable-scheduler (init[^\n`]*)/.exec(init);
  await run(process.execPath, [join(PACKAGE, "dist/cli/main.js"), ...args.trim().split(" "), ...(args.includes("--yes") ? [] : ["--yes"])], { cwd: folder });
  await writeFile(join(folder, "src/index.ts"), code);
  return join(folder, "wrangler.jsonc");
}

/** Whether an answer is the one that is shown, in which `…` stands for anything. */
const isShown = (answer, shown) => new RegExp(`^${shown.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`).test(answer);

test("the commands, the Worker and its test do what they show, and another Worker reaches it", async () => {
  const [install, dev, commands] = blocks("The scheduler in your Worker", "sh");
  assert.match(dev, /^npx durable-scheduler dev$/m);
  const [code] = blocks("The scheduler in your Worker", "ts");
  const config = await project("reminders", install, code);
  const shown = [...commands.matchAll(/^curl -s (.*)\n# → (.*)$/gm)];
  assert.equal(shown.length, 2);

  const worker = await startWorker(config);
  try {
    for (const [, args, answer] of shown) {
      // A task is listed until its end is reported.
      await until(`${args} to answer ${answer}`, async () => {
        const { stdout } = await run("sh", ["-c", `curl -s ${args.replace("localhost:8787", new URL(worker.url).host)}`]);
        return isShown(stdout, answer);
      }, 15_000);
    }
  } finally {
    await worker.stop();
  }

  // The test of this Worker, in the same project.
  const [testCode] = blocks("Tests of your own", "js");
  await writeFile(join(FOLDER, "reminders/reminders.test.mjs"), testCode);
  await mkdir(join(FOLDER, "reminders/node_modules"));
  await symlink(PACKAGE, join(FOLDER, "reminders/node_modules/durable-scheduler"));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await run(process.execPath, ["--test", "--test-reporter=spec", "reminders.test.mjs"], { cwd: join(FOLDER, "reminders"), env });
  assert.match(stdout, /^ℹ pass 1$/m);

  const [settings] = blocks("The scheduler for other Workers", "jsonc");
  const [caller] = blocks("The scheduler for other Workers", "ts");
  const folder = join(FOLDER, "shop");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "wrangler.jsonc"), settings);
  await writeFile(join(folder, "index.ts"), caller);
  const shop = await startWorker(join(folder, "wrangler.jsonc"), { others: [config] });
  try {
    assert.deepEqual(await (await fetch(shop.url)).json(), { id: "sale", found: 1 });
  } finally {
    await shop.stop();
  }
});

test("the entry point of the README has its schedules, and its methods run", async () => {
  const [code] = blocks("Methods as tasks", "ts");
  const init = text.slice(text.indexOf("\n## Methods as tasks\n")).match(/`npx durable-scheduler init[^`]*`/)[0];
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
