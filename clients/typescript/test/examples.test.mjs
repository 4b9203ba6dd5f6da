// The applications in examples/ that use this package: their own tests, a deploy without an account, and the page of one in a browser.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startBrowser, Tabs } from "../../../e2e/browser/browser.mjs";
import { ensureBuilt } from "./built.mjs";
import { startWorker, until } from "./runtime.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(PACKAGE, "../..");
// Below the checkout, so that an example finds the checkout's wrangler.
const FOLDER = join(ROOT, ".wrangler/examples");
const run = promisify(execFile);

/** The examples, and where their packages are here. */
const EXAMPLES = {
  "remind-me": { "durable-scheduler": PACKAGE },
  "agents-migration": { agents: join(PACKAGE, "test/agents/node_modules/agents"), "durable-scheduler": PACKAGE },
};

before(async () => {
  ensureBuilt();
  await rm(FOLDER, { recursive: true, force: true });
});
after(() => rm(FOLDER, { recursive: true, force: true }));

/** Copies an example away from the checkout's files, with its packages, for one use. Returns the folder. */
async function copy(name, use) {
  const folder = join(FOLDER, `${name}-${use}`);
  await cp(join(ROOT, "examples", name), folder, { recursive: true, filter: (path) => !/node_modules|\.wrangler$/.test(path.slice(ROOT.length)) });
  const { dependencies } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  assert.deepEqual(Object.keys(dependencies).sort(), Object.keys(EXAMPLES[name]).sort());
  for (const [dependency, place] of Object.entries(EXAMPLES[name])) {
    const link = join(folder, "node_modules", dependency);
    await mkdir(dirname(link), { recursive: true });
    await symlink(place, link);
  }
  return folder;
}

/** Applies the changes of a block of diff, whose first line names a file in the folder. Each hunk must fit at one place. */
async function applyDiff(folder, diff) {
  const [, path, hunks] = /^--- (.*)\n([^]*)$/.exec(diff);
  let text = await readFile(join(folder, path), "utf8");
  for (const hunk of hunks.trimEnd().split("\n@@\n")) {
    const lines = hunk.split("\n");
    const side = (sign) => lines.filter((line) => !line.startsWith(sign)).map((line) => `${line.slice(1)}\n`).join("");
    assert.equal(text.split(side("+")).length, 2, `${path}:\n${side("+")}`);
    text = text.replace(side("+"), () => side("-"));
  }
  await writeFile(join(folder, path), text);
}

describe("examples", { concurrency: 2 }, () => {
  for (const name of Object.keys(EXAMPLES)) {
    test(`${name} passes its own tests and can be deployed`, async () => {
      const folder = await copy(name, "tests");
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const { stdout } = await run(process.execPath, ["--test", "--test-reporter=spec"], { cwd: folder, env }).catch((error) => assert.fail(`${error.stdout}${error.stderr}`));
      assert.match(stdout, /^ℹ pass [1-9]\d*$/m);
      assert.match(stdout, /^ℹ skipped 0$/m);
      const deployed = await run("wrangler", ["deploy", "--dry-run", "--outdir", join(folder, "deployed")], { cwd: folder, env });
      assert.match(deployed.stdout, /--dry-run: exiting now/);
    });
  }

  for (const name of ["typescript", ...Object.keys(EXAMPLES)]) {
    test(`${name} uses no file outside its folder, but for links in its README`, async () => {
      const folder = join(ROOT, "examples", name);
      for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!file.isFile() || file.name === "README.md") continue;
        assert.doesNotMatch(await readFile(join(file.parentPath, file.name), "utf8"), /\.\.\/\.\.\//, file.name);
      }
    });
  }

  test("the page of remind-me sets, changes and cancels reminders, and shows them when they come", async () => {
    const { startScheduler } = await import("durable-scheduler/testing");
    const scheduler = await startScheduler({ config: join(await copy("remind-me", "page"), "wrangler.jsonc"), now: "2030-12-24T08:00:00Z" });
    const browser = await startBrowser();
    try {
      const tabs = new Tabs(browser, scheduler);
      const page = await tabs.blank({ zone: "Europe/Berlin" });
      await page.waitForFunction(() => document.querySelector("#timezone").value === "Europe/Berlin");
      const set = async (text, at) => {
        await page.getByRole("textbox", { name: "What" }).fill(text);
        await page.locator("[name=at]").fill(at);
        await page.locator("#save").click();
      };
      await set("Too late", "2030-12-24T08:00");
      await page.getByText("this time has passed").waitFor();
      await set("Milk", "2030-12-24T17:00");
      await page.getByText("Milk").waitFor();
      await set("Tea", "2030-12-24T18:00");
      const tea = page.locator("#reminders li", { hasText: "Tea" });
      assert.equal(await tea.locator("time").textContent(), "24 Dec 2030, 18:00");

      await tea.getByRole("button", { name: "Change" }).click();
      assert.equal(await page.locator("[name=at]").inputValue(), "2030-12-24T18:00");
      await set("Green tea", "2030-12-24T19:00");
      await page.locator("#reminders li", { hasText: "Green tea" }).waitFor();
      await page.locator("#reminders li", { hasText: "Milk" }).getByRole("button", { name: "Cancel" }).click();
      await page.waitForFunction(() => document.querySelectorAll("#reminders li").length === 1);

      await scheduler.advanceTo("2030-12-24T18:00:00Z");
      await page.getByText("It is time: Green tea").waitFor();
      await page.locator("#arrived li", { hasText: "Green tea" }).waitFor();
      assert.equal(await page.locator("#arrived li").count(), 1);

      // Somebody else sees nothing of it, and whoever has the address sees it.
      const stranger = await tabs.blank();
      await stranger.waitForFunction(() => document.querySelector("#timezone").value !== "UTC");
      assert.equal(await stranger.locator("#arrived li").count(), 0);
      const known = await tabs.blank({ address: `/${await page.evaluate(() => location.hash)}` });
      await known.locator("#arrived li", { hasText: "Green tea" }).waitFor();
      await tabs.close();
    } finally {
      await browser.close();
      await scheduler.stop();
    }
  });

  test("each step of agents-migration works on what the step before has stored", async () => {
    const example = join(ROOT, "examples/agents-migration");
    const folder = join(FOLDER, "moving");
    const storage = join(FOLDER, "moving-storage");
    await cp(join(example, "before"), folder, { recursive: true });
    await mkdir(join(folder, "node_modules"));
    await symlink(EXAMPLES["agents-migration"].agents, join(folder, "node_modules/agents"));
    const readme = await readFile(join(example, "README.md"), "utf8");
    const [worker, mixin, gains] = [...readme.matchAll(/^```diff\n([^]*?)^```$/gm)].map(([, diff]) => diff);
    const same = async (...names) => {
      for (const name of names) assert.equal(await readFile(join(folder, name), "utf8"), await readFile(join(example, name), "utf8"), name);
    };

    const KEY = "a-key-of-the-operator-for-these-tests";
    /** Runs the project as it is, with the storage of the last time. */
    const use = async (steps) => {
      const running = await startWorker(join(folder, "wrangler.jsonc"), { storage, vars: { API_KEYS: KEY }, outbound: () => new Response("") });
      const call = async (method, path) => (await fetch(`${running.url}/agents/watchers/team/${path}`, { method })).json();
      const tasks = async () => (await (await fetch(`${running.url}/v1/tasks`, { headers: { authorization: `Bearer ${KEY}` } })).json()).tasks;
      const run = (id) => fetch(`${running.url}/v1/tasks/${encodeURIComponent(`{WATCHERS:team}:${id}`)}/run`, { method: "POST", headers: { authorization: `Bearer ${KEY}` } });
      try {
        await steps({ call, tasks, run });
      } finally {
        await running.stop();
      }
    };
    const shown = (schedules) => schedules.map(({ type, callback }) => `${type} ${callback}`).sort();
    const all = ["cron sumUp", "delayed post", "interval check"];

    await use(async ({ call }) => {
      await call("PUT", "page?text=https://example.com/");
      await call("POST", "reminder?seconds=0&text=Now");
      await call("POST", "reminder?seconds=3600&text=Later");
      await until("the message", async () => (await call("GET", "")).messages.includes("Now"));
      assert.deepEqual(shown((await call("GET", "")).schedules), all);
    });

    // Steps 1 to 3.
    await run(process.execPath, [join(PACKAGE, "dist/cli/main.js"), "init", "--yes"], { cwd: folder });
    await applyDiff(folder, worker);
    await applyDiff(folder, mixin);
    await same("wrangler.jsonc", "src/index.ts");
    await use(async ({ call, tasks }) => {
      const { messages, schedules } = await call("GET", "");
      assert.deepEqual([messages, shown(schedules)], [["Now"], all]);
      // The schedules of onStart have moved. The reminder is still the agent's own.
      assert.deepEqual((await tasks()).map(({ cron, everySeconds }) => cron ?? everySeconds).sort(), ["0 8 * * 1-5", 60]);
      await call("DELETE", `reminder?text=${schedules.find(({ callback }) => callback === "post").id}`);
      await call("POST", "reminder?seconds=0&text=Moved");
      await until("the message", async () => (await call("GET", "")).messages.includes("Moved"));
    });

    // Step 4.
    await applyDiff(folder, gains);
    await same("src/watcher.ts");
    await use(async ({ call, tasks, run: runNow }) => {
      const { messages, schedules } = await call("GET", "");
      assert.deepEqual([messages, shown(schedules)], [["Now", "Moved"], ["cron sumUp", "interval check"]]);
      const [cron, check] = ["cron", "interval"].map((type) => schedules.find((schedule) => schedule.type === type));
      assert.deepEqual([cron.timezone, check.retry.maxAttempts, (await tasks()).length], ["Europe/Berlin", 5, 2]);
      await runNow(check.id);
      const history = await until("the run", async () => {
        const found = await call("GET", `history?text=${check.id}`);
        return found.length > 0 && found;
      });
      assert.equal(history[0].outcome, "succeeded");
    });
  });
});
