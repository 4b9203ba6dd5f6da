// The whole client over HTTP where else it runs: in Deno, in Bun and in a browser. And a test with a virtual clock under vitest.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { startBrowser } from "../../../../e2e/browser/browser.mjs";
import { startSink } from "../../../../e2e/sink.mjs";
import { ensureBuilt } from "../built.mjs";
import { startScheduler } from "../e2e/local.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = join(HERE, "../..");
const FOLDER = join(PACKAGE, "../../.wrangler/runtimes");
const KEY = "a key for the tests of the runtimes";
const run = promisify(execFile);

let runtime;
let sink;
let targets;
before(async () => {
  ensureBuilt();
  sink = await startSink(({ path }) => (path === "/bad" ? 410 : 200));
  targets = { good: `${sink.url}/good`, bad: `${sink.url}/bad` };
  runtime = await startScheduler({ vars: { API_KEYS: KEY } });
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(join(FOLDER, "node_modules"), { recursive: true });
  await symlink(PACKAGE, join(FOLDER, "node_modules/durable-scheduler"));
  await writeFile(join(FOLDER, "package.json"), JSON.stringify({ type: "module", dependencies: { "durable-scheduler": "*" } }));
});
after(async () => {
  await runtime?.stop();
  await sink?.close();
  await rm(FOLDER, { recursive: true, force: true });
});

/** Bundles the scenario with an end of its own. Without `isInstalled`, the client is a part of the bundle. */
async function bundle(end, { isInstalled, ...options }) {
  const installed = { name: "installed", setup: ({ onResolve }) => onResolve({ filter: /\/client\/index\.ts$/ }, () => ({ path: "durable-scheduler", external: true })) };
  const contents = `import { SchedulerClient } from "../../src/client/index.ts";\nimport { scenario } from "../e2e/scenario.ts";\n${end}`;
  const { outputFiles } = await build({ stdin: { contents, resolveDir: HERE, loader: "ts" }, bundle: true, write: false, plugins: isInstalled ? [installed] : [], ...options });
  return outputFiles[0].text;
}

describe("elsewhere", { concurrency: true }, () => {
  for (const [name, args] of [["deno", ["run", "--allow-net", "--no-prompt", "--node-modules-dir=manual"]], ["bun", ["run"]]]) {
    test(`every method works in ${name}, from the installed package`, async () => {
      const call = `await scenario(new SchedulerClient({ url: ${JSON.stringify(runtime.url)}, apiKey: ${JSON.stringify(KEY)} }), "${name}", ${JSON.stringify(targets)});\nconsole.log("done");\n`;
      await writeFile(join(FOLDER, `${name}.mjs`), await bundle(call, { isInstalled: true, format: "esm", platform: "neutral" }));
      const { stdout } = await run(join(HERE, "node_modules/.bin", name), [...args, `${name}.mjs`], { cwd: FOLDER, env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" } });
      assert.equal(stdout, "done\n");
    });
  }

  test("every method works in a browser, on a page of the scheduler's address", async () => {
    const script = await bundle("globalThis.runScenario = (settings, targets) => scenario(new SchedulerClient(settings), 'browser', targets);", { format: "iife", platform: "browser" });
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`${runtime.url}/healthz`);
      await page.evaluate(script);
      await page.evaluate(([settings, to]) => globalThis.runScenario(settings, to), [{ url: runtime.url, apiKey: KEY }, targets]);
    } finally {
      await browser.close();
    }
  });

  test("a test with a virtual clock runs under vitest", async () => {
    const source = `
      import { afterAll, expect, test } from "vitest";
      import { startScheduler } from "durable-scheduler/testing";
      const scheduler = await startScheduler({ config: ${JSON.stringify(join(PACKAGE, "test/fixtures/clock.jsonc"))}, now: "2030-01-01T00:00:00Z" });
      afterAll(() => scheduler.stop());
      test("a method runs at nine in London, three days on end", async () => {
        const { ROOMS } = await scheduler.bindings();
        await ROOMS.getByName("a").list();
        await scheduler.advance("3 days");
        const daily = (await ROOMS.getByName("a").list()).filter(([method]) => method === "daily");
        expect(daily.map(([, time]) => time)).toEqual(["2030-01-01T09:00:00.000Z", "2030-01-02T09:00:00.000Z", "2030-01-03T09:00:00.000Z"]);
      }, 120_000);
    `;
    await writeFile(join(FOLDER, "clock.test.mjs"), source);
    await symlink(join(HERE, "node_modules/vitest"), join(FOLDER, "node_modules/vitest"));
    const args = ["run", "--root", FOLDER, "--reporter=json", "--outputFile=result.json"];
    await run(process.execPath, [join(HERE, "node_modules/vitest/vitest.mjs"), ...args], { cwd: FOLDER }).catch(() => undefined);
    const { numPassedTests, testResults } = JSON.parse(await readFile(join(FOLDER, "result.json"), "utf8"));
    assert.equal(numPassedTests, 1, JSON.stringify(testResults));
  });
});
