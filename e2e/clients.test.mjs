// Tests clients that generators make from the API's document: right uses compile with them, and
// wrong ones do not.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ROOT } from "../scripts/paths.mjs";

const CLIENTS = join(ROOT, "e2e/clients");
const GENERATED = join(CLIENTS, "generated");
const DOCUMENT = join(ROOT, "coordinator/openapi.json");

const run = promisify(execFile);

/** Runs a command of the packages in e2e/clients, and returns what it prints. */
async function generate(command, args) {
  const { stdout } = await run(process.execPath, [join(CLIENTS, "node_modules", command), ...args], { cwd: CLIENTS });
  return stdout;
}

/** Compiles the uses and misuses with a client. */
async function compile(client) {
  const failed = await run("tsc", ["-p", join(CLIENTS, `tsconfig.${client}.json`)], { cwd: CLIENTS }).then(() => undefined, (error) => error);
  assert.equal(failed, undefined, `${failed?.stdout}${failed?.stderr}`);
}

test("a client of openapi-typescript compiles", async () => {
  const to = join(GENERATED, "openapi-typescript.d.ts");
  await rm(to, { force: true });
  await generate("openapi-typescript/bin/cli.js", [DOCUMENT, "-o", to]);
  await compile("openapi-typescript");
});

test("a client of @hey-api/openapi-ts compiles", async () => {
  const to = join(GENERATED, "hey-api");
  await rm(to, { recursive: true, force: true });
  const output = await generate("@hey-api/openapi-ts/bin/run.js", ["--input", DOCUMENT, "--output", to, "--no-log-file"]);
  assert.doesNotMatch(output, /warning/i);
  await compile("hey-api");
});
