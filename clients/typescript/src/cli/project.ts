// The user's project: its folder, its wrangler, and its configuration.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Config } from "./requirements.ts";

/** An error in how the command was called, or in the project. The user sees only its message. */
export class UsageError extends Error {}

/** The folder of the dashboard in this package. */
export const DASHBOARD = fileURLToPath(new URL("../../dashboard", import.meta.url));

/** Names of a wrangler configuration, as wrangler looks for them. */
const NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/**
 * Returns the path of the given configuration, or of the one in the folder, or undefined. Throws a `UsageError` if the given path is not a
 * configuration.
 */
export function findConfig(folder: string, given?: string): string | undefined {
  if (given === undefined) return NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
  // Wrangler recognizes the language by the ending of the name.
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

/**
 * Returns a configuration as wrangler reads it, for one environment if `env` is given. Throws a `UsageError` if wrangler cannot read it.
 */
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

/** Returns a text as wrangler would read it in place of the configuration at `path`. */
export async function readText(folder: string, path: string, text: string): Promise<Config> {
  // In the same folder, because the paths in it are relative. The name is new, so no file is overwritten.
  const copy = join(dirname(path), `.${randomUUID()}.${basename(path)}`);
  writeFileSync(copy, text, { flag: "wx" });
  try {
    return await readConfig(folder, copy);
  } finally {
    rmSync(copy);
  }
}

/**
 * Runs the project's wrangler. Resolves with its exit status and, with `capture`, with its output. With `quiet`, its errors are returned
 * and not shown.
 */
export async function runWrangler(
  folder: string,
  args: readonly string[],
  { input, capture = false, quiet = false }: { input?: string; capture?: boolean; quiet?: boolean } = {},
): Promise<{ status: number; output: string; errors: string }> {
  const child = startWrangler(folder, args, [input === undefined ? "inherit" : "pipe", capture ? "pipe" : "inherit", quiet ? "pipe" : "inherit"]);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.stdin?.end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status: status ?? 1, output, errors };
}

/** Starts the project's wrangler with the Node that runs this process. */
export function startWrangler(folder: string, args: readonly string[], stdio: ("inherit" | "pipe" | "ignore")[]) {
  const root = wranglerFolder(folder);
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { bin: { wrangler: string } };
  return spawn(process.execPath, [join(root, bin.wrangler), ...args], { cwd: folder, stdio });
}
