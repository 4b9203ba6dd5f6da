// The built package: its types, and what its exports name.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureBuilt } from "./built.mjs";
import { blocksOf, readBlocks } from "./readme.mjs";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

const run = promisify(execFile);

/** Compiles a project of this folder, and fails with what the compiler prints. */
async function compile(project) {
  const failed = await run("tsc", ["-p", project], { cwd: FOLDER }).then(() => undefined, (error) => error);
  assert.equal(failed, undefined, `${failed?.stdout}${failed?.stderr}`);
}

before(ensureBuilt);

test("what is right compiles with the types of the DOM, and what is wrong does not", () => compile("test/types/package/tsconfig.json"));

test("what is right compiles as a bundler for browsers resolves it", () => compile("test/types/package/tsconfig.browser.json"));

test("what is right compiles with the types of Workers, and what is wrong does not", () => compile("test/types/package/tsconfig.workers.json"));

test("a Worker with modules as in Node compiles with the setting that README.md names", async () => {
  await compile("test/types/package/tsconfig.nodenext.json");
  assert.match(await readFile(`${FOLDER}README.md`, "utf8"), /`"customConditions": \["workerd"\]`/);
});

test("every example of README.md compiles", async () => {
  const folder = `${FOLDER}test/types/package/.readme/`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const blocks = (await readBlocks()).filter(({ language }) => language === "ts");
  assert.ok(blocks.length > 8);
  const scheduler = 'declare const scheduler: import("durable-scheduler").SchedulerClient;';
  // A file is named after the line of its block. Without an import or an export, it would not be a module.
  for (const { code, line } of blocks) {
    const isComplete = /^const scheduler =/m.test(code);
    await writeFile(`${folder}line-${line}.ts`, `${isComplete ? "" : scheduler}${code}export {};\n`);
  }
  const compilerOptions = {
    paths: { agents: ["../../../agents/node_modules/agents"] },
    // The declarations of the agents package name packages that are not installed here.
    skipLibCheck: true,
    // A setting of this package, and not of everybody.
    noImplicitOverride: false,
  };
  await writeFile(`${folder}tsconfig.json`, JSON.stringify({ extends: "../tsconfig.workers.json", compilerOptions, include: ["*.ts"], files: [] }));
  await compile(folder);
  await rm(folder, { recursive: true });
});

test("every block of README.md is run by a test, which takes it from there", async () => {
  const blocks = await readBlocks();
  const unknown = blocks.filter(({ runBy }) => runBy === undefined).map(({ section, language, line }) => `line ${line}: ${language} in ${section}`);
  assert.deepEqual(unknown, [], "say in readme.mjs which test runs them");
  for (const file of new Set(blocks.map(({ runBy }) => runBy))) {
    const source = await readFile(new URL(file, import.meta.url), "utf8");
    assert.ok(source.includes(`Blocks.of("${file}")`), file);
    assert.match(source, /assert\.deepEqual\(blocks\.left, \[\]\);/, `${file} does not check that it has run all of its blocks`);
  }
});

test("no code of README.md escapes from the tests", () => {
  const block = "```ts\nrun();\n```\n";
  assert.deepEqual(blocksOf(`# durable-scheduler\n\n${block}\n## New\n\n${block}`).map(({ section, line, runBy }) => [section, line, runBy]), [["durable-scheduler", 4, "e2e/readme.test.mjs"], ["New", 10, undefined]]);
  for (const [code, line] of [["- item\n  ```ts\n  run();\n  ```\n", 6], ["~~~ts\nrun();\n~~~\n", 5], ["```ts title=a\nrun();\n```\n", 5], ["```ts\nrun();\n", 5], ["````ts\nrun();\n````\n", 5], ["    run();\n", 5], ["\trun();\n", 5], ["<pre>run();</pre>\n", 5]]) {
    assert.throws(() => blocksOf(`${block}\n${code}`), { message: new RegExp(`^line ${line} is code that no test runs`) }, code);
  }
});

test("the exports name files that the build has made", async () => {
  const { exports } = JSON.parse(await readFile(`${FOLDER}package.json`, "utf8"));
  for (const [name, targets] of Object.entries(exports)) {
    for (const target of JSON.stringify(targets).match(/\.\/[^"]+/g)) await access(`${FOLDER}${target}`);
    if (name.endsWith(".json")) continue;
    // What only a Worker can load, because it imports cloudflare:workers.
    if (["./worker", "./scheduler"].includes(name)) continue;
    const module = await import(`durable-scheduler${name.slice(1)}`);
    assert.ok(Object.keys(module).length > 0, name);
  }
});
