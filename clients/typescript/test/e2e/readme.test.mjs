// The examples of README.md, run in their order against a scheduler. Those for Workers are only compiled, by another test.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { startSink } from "../../../../e2e/sink.mjs";
import { SchedulerClient } from "../../src/client/index.ts";
import { readBlocks } from "../readme.mjs";
import { startScheduler } from "./local.mjs";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = `${PACKAGE}test/e2e/.readme/`;
const KEY = "a key for the tests of the examples";

let runtime;
let sink;
before(async () => {
  sink = await startSink();
  runtime = await startScheduler({ vars: { API_KEYS: KEY } });
  process.env.SCHEDULER_KEY = KEY;
  globalThis.scheduler = new SchedulerClient({ url: runtime.url, apiKey: KEY });
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
});
after(async () => {
  await runtime?.stop();
  await sink?.close();
  await rm(FOLDER, { recursive: true, force: true });
});

/** Runs a block as a module, and returns what it prints. */
async function run({ code, line }) {
  const contents = code.replaceAll("http://localhost:8787", runtime.url).replaceAll("https://example.com", sink.url);
  const { outputFiles } = await build({
    stdin: { contents, loader: "ts", resolveDir: PACKAGE },
    alias: { "durable-scheduler": `${PACKAGE}src/client/index.ts` },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  const path = `${FOLDER}line-${line}.mjs`;
  await writeFile(path, outputFiles[0].text);
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

const blocks = (await readBlocks()).filter(({ isWorker }) => !isWorker);
/** What an example prints, by a part of its code. */
const expected = [
  ["scheduleTasks", (printed) => assert.deepEqual(printed.at(-1), [5_000, []])],
  ["preview", (printed) => assert.equal(printed.at(-1)[0].length, 3)],
  ["for await (const task of scheduler.query", (printed) => assert.ok(printed.length > 5_000 && printed[0][0].startsWith("renew-"))],
  ["error instanceof SchedulerError", (printed) => assert.deepEqual(printed[0].slice(0, 3), ["/problems/invalid", 422, "cron"])],
];

for (const block of blocks) {
  test(`the example in line ${block.line} runs`, async () => {
    const printed = await run(block);
    for (const [part, check] of expected) if (block.code.includes(part)) check(printed);
  });
}

test("the examples are those that this test knows", () => {
  assert.ok(blocks.length >= 7);
  for (const [part] of expected) assert.equal(blocks.filter(({ code }) => code.includes(part)).length, 1, part);
});
