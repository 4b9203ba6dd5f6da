// What compiles and what must not: the files in types/ say so line by line.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const check = (config) =>
  new Promise((resolve) => {
    execFile("tsc", ["-p", fileURLToPath(new URL(`types/${config}`, import.meta.url))], (_, stdout) => resolve(stdout));
  });

test("decorators, payloads, tasks and cron expressions are checked while they compile", async () => {
  assert.equal(await check("tsconfig.json"), "");
});

test("decorators compile with the older convention", async () => {
  assert.equal(await check("tsconfig.legacy.json"), "");
});

test("the command line and the scheduler for tests compile", async () => {
  assert.equal(await check("../../tsconfig.node.json"), "");
});

test("the template and the Workers of the tests compile", async () => {
  assert.equal(await check("tsconfig.template.json"), "");
});
