// What compiles and what must not: the files in types/ say so line by line.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** The compiler of this checkout, and the last one of the line before it. */
const COMPILERS = ["tsc", fileURLToPath(new URL("runtimes/node_modules/.bin/tsc", import.meta.url))];

const check = (config, compiler = COMPILERS[0]) =>
  new Promise((resolve) => {
    execFile(compiler, ["-p", fileURLToPath(new URL(`types/${config}`, import.meta.url))], (_, stdout) => resolve(stdout));
  });

const versionOf = (compiler) => execFileSync(compiler, ["--version"], { encoding: "utf8" }).trim();

test("the compilers are of two lines", () => {
  assert.deepEqual(COMPILERS.map((compiler) => /^Version (\d+)\./.exec(versionOf(compiler))?.[1]), ["7", "5"]);
});

for (const compiler of COMPILERS) {
  const suffix = compiler === COMPILERS[0] ? "" : ", with TypeScript 5";
  test(`decorators, payloads, tasks and cron expressions are checked while they compile${suffix}`, async () => {
    assert.equal(await check("tsconfig.json", compiler), "");
  });

  test(`decorators compile with the older convention${suffix}`, async () => {
    assert.equal(await check("tsconfig.legacy.json", compiler), "");
  });

  test(`each mistake gets a message that names it${suffix}`, async () => {
    const errors = (await check("tsconfig.messages.json", compiler)).split(/^(?=\S)/m);
    const lines = readFileSync(new URL("types/messages.ts", import.meta.url), "utf8").split("\n");
    const wanted = lines.flatMap((line, index) => (line.includes("// says: ") ? [[index + 1, line.split("// says: ")[1]]] : []));
    assert.ok(wanted.length > 8);
    assert.equal(errors.length, wanted.length, errors.join(""));
    for (const [line, says] of wanted) {
      const error = errors.find((text) => text.includes(`messages.ts(${line},`)) ?? "";
      assert.ok(error.includes(says), `line ${line}: ${says}\n${error || errors.join("")}`);
    }
  });
}

test("the command line and the scheduler for tests compile", async () => {
  assert.equal(await check("../../tsconfig.node.json"), "");
});

test("the template and the Workers of the tests compile", async () => {
  assert.equal(await check("tsconfig.template.json"), "");
});
