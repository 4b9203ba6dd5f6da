// Projects in which tests run the command line, and the command line. Importing this builds the package, and removes the projects at the end.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";
import { ensureBuilt } from "./built.mjs";

/** The command, as a file for Node. */
export const COMMAND = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/** Each process has its own, because it removes it. */
const parent = fileURLToPath(new URL(`../../../.wrangler/cli-tests-${process.pid}`, import.meta.url));

before(async () => {
  ensureBuilt();
  await mkdir(parent, { recursive: true });
});
after(() => rm(parent, { recursive: true, force: true }));

/** A folder below the checkout, so that it finds the checkout's wrangler, with some files. */
export async function project(files = {}) {
  const folder = await mkdtemp(join(parent, "project-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Runs the command, and returns its status and what it printed. */
export const command = (folder, ...args) =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [COMMAND, ...args], { cwd: folder }, (error, stdout, stderr) => resolve({ status: error === null ? 0 : error.code, stdout, stderr }));
    child.stdin.end();
  });

export const read = (folder, name) => readFile(join(folder, name), "utf8");
export const config = (folder, name) => unstable_readConfig({ config: join(folder, name) }, { hideWarnings: true });
