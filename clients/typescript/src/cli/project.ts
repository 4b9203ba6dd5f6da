// The user's project: its folder, its wrangler, and its configuration.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Config } from "./requirements.ts";

/** Something is wrong with how the command was called, or with the project. Its message is all that is shown. */
export class UsageError extends Error {}

/** The folder of the dashboard in this package. */
export const DASHBOARD = fileURLToPath(new URL("../../dashboard", import.meta.url));

/** Names of a wrangler configuration, as wrangler looks for them. */
const NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** Returns the path of the configuration that is given, or of the one in the folder, or undefined. Throws a `UsageError` if what is given is none. */
export function findConfig(folder: string, given?: string): string | undefined {
  if (given === undefined) return NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
  // Wrangler tells the languages apart by these.
  if (!/\.(jsonc?|toml)$/.test(given)) throw new UsageError(`--config ${given}: give a file whose name ends with .json, .jsonc or .toml`);
  const path = resolve(folder, given);
  if (!existsSync(path)) throw new UsageError(`--config ${given}: there is no such file`);
  return path;
}

/** The parts of wrangler's module that are used here. */
interface Wrangler {
  unstable_readConfig(args: { config: string; env?: string }, options?: { hideWarnings?: boolean }): Config;
}

/** An error of wrangler about a configuration. */
interface WranglerError extends Error {
  location?: { line?: number; column?: number };
}

/** Returns the folder of the project's wrangler. Throws a `UsageError` if there is none. */
export function wranglerFolder(folder: string): string {
  try {
    return dirname(createRequire(join(resolve(folder), "package.json")).resolve("wrangler/package.json"));
  } catch {
    throw new UsageError("wrangler is not installed here: run npm install --save-dev wrangler");
  }
}

/** Returns a configuration as wrangler reads it, of one environment if that is given. Throws a `UsageError` if wrangler cannot read it. */
export async function readConfig(folder: string, path: string, env?: string): Promise<Config> {
  const root = wranglerFolder(folder);
  const { main } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { main: string };
  const module = (await import(pathToFileURL(join(root, main)).href)) as Wrangler & { default?: Wrangler };
  const { unstable_readConfig: read } = module.unstable_readConfig === undefined && module.default !== undefined ? module.default : module;
  try {
    return read({ config: path, ...(env === undefined ? {} : { env }) }, { hideWarnings: true });
  } catch (error) {
    const { message, location } = error as WranglerError;
    const place = location?.line === undefined ? "" : `, line ${location.line}`;
    throw new UsageError(`wrangler cannot read ${relative(folder, path)}${place}: ${message.trim()}`, { cause: error });
  }
}

/** Returns a text as wrangler would read it in place of a configuration. */
export async function readText(folder: string, path: string, text: string): Promise<Config> {
  // Beside it, because its paths are relative. Never a file that exists.
  const copy = join(dirname(path), `.${randomUUID()}.${basename(path)}`);
  writeFileSync(copy, text, { flag: "wx" });
  try {
    return await readConfig(folder, copy);
  } finally {
    rmSync(copy);
  }
}

/** Runs the project's wrangler. Resolves with how it ended and, with `capture`, with what it printed. With `quiet`, its errors are not shown. */
export async function runWrangler(
  folder: string,
  args: readonly string[],
  { input, capture = false, quiet = false }: { input?: string; capture?: boolean; quiet?: boolean } = {},
): Promise<{ status: number; output: string }> {
  const child = startWrangler(folder, args, [input === undefined ? "inherit" : "pipe", capture ? "pipe" : "inherit", quiet ? "pipe" : "inherit"]);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr?.resume();
  child.stdin?.end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status: status ?? 1, output };
}

/** Starts the project's wrangler with the Node that runs this. */
export function startWrangler(folder: string, args: readonly string[], stdio: ("inherit" | "pipe" | "ignore")[]) {
  const root = wranglerFolder(folder);
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { bin: { wrangler: string } };
  return spawn(process.execPath, [join(root, bin.wrangler), ...args], { cwd: folder, stdio });
}
