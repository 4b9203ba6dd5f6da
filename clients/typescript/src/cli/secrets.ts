// The secrets of a project on this machine, in the files from which wrangler reads them.

import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Returns a new value of the secret `API_KEYS`. */
export function newKey(): string {
  return randomBytes(24).toString("hex");
}

/** Returns a new value of the secret `WEBHOOK_SIGNING_KEYS`. */
export function newSigningKey(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** Returns the first key of `API_KEYS` in the variables next to a configuration, or in those of one of its environments. Creates one if there is none. */
export function ensureKey(folder: string, env?: string): string {
  const keys = (text: string) => (text.split(",")[0] ?? "").trim();
  return keys(ensure(filesOf(folder, env), "API_KEYS", newKey, keys));
}

/** Returns `WEBHOOK_SIGNING_KEYS` in the variables next to a configuration, or in those of one of its environments. Creates a key if there is none. */
export function ensureSigningKeys(folder: string, env?: string): string {
  return ensure(filesOf(folder, env), "WEBHOOK_SIGNING_KEYS", newSigningKey);
}

/** Returns `WEBHOOK_SIGNING_KEYS` in the variables of a folder, or `undefined` if there is none. */
export function signingKeysOf(folder: string): string | undefined {
  return [filesOf(folder), filesOf(join(folder, STANDALONE))].flatMap(({ read }) => read).map((path) => valueIn(path, "WEBHOOK_SIGNING_KEYS")).find((value) => value !== "");
}

/** The folder of the Worker that `dev` runs for a project without a scheduler, below the folder of the project. */
export const STANDALONE = ".wrangler/durable-scheduler";

/** Copies the secrets from the variables of one folder to those of another, and overwrites secrets there. */
export function copySecrets(from: string, to: string): void {
  for (const name of ["API_KEYS", "WEBHOOK_SIGNING_KEYS"]) {
    const value = filesOf(from).read.map((path) => valueIn(path, name)).find((found) => found !== "");
    if (value === undefined) continue;
    const path = join(to, ".dev.vars");
    const others = (existsSync(path) ? readFileSync(path, "utf8") : "").split("\n").filter((line) => line !== "" && !line.startsWith(`${name}=`));
    rmSync(path, { force: true });
    writeFileSync(path, [...others, `${name}=${value}`, ""].join("\n"), { mode: 0o600 });
  }
}

/**
 * Returns the files of variables of a folder: those to read, and the one to write. An earlier file takes precedence. In a project with a
 * `.env`, wrangler would ignore that file if there were a `.dev.vars`, so new secrets go to `.env.local`. A `.dev.vars` of the environment takes the
 * place of all others.
 */
function filesOf(folder: string, env?: string): Files {
  const ofEnvironment = env === undefined ? undefined : join(folder, `.dev.vars.${env}`);
  if (ofEnvironment !== undefined && existsSync(ofEnvironment)) return { read: [ofEnvironment], write: ofEnvironment };
  const [devVars, local, dotEnv] = [".dev.vars", ".env.local", ".env"].map((name) => join(folder, name)) as [string, string, string];
  const usesEnv = !existsSync(devVars) && (existsSync(local) || existsSync(dotEnv));
  return usesEnv ? { read: [local, dotEnv], write: local } : { read: [devVars], write: devVars };
}

/** Files of variables: those to read, the one that takes precedence first, and the one to write. */
interface Files {
  read: string[];
  write: string;
}

/** Returns the value of a variable in files of variables. Adds one if there is none, or if `read` returns nothing for it. */
function ensure({ read: paths, write: path }: Files, name: string, make: () => string, read = (text: string) => text): string {
  const found = paths.map((path) => valueIn(path, name)).find((value) => read(value) !== "");
  if (found !== undefined) return found;
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const value = make();
  const added = `${text === "" || text.endsWith("\n") ? "" : "\n"}${name}=${value}\n`;
  if (text === "") writeFileSync(path, added, { mode: 0o600 });
  else appendFileSync(path, added);
  return value;
}

/** Returns the value of a variable in a file, or empty text. */
function valueIn(path: string, name: string): string {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const line = new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*(.*)$`, "m").exec(text)?.[1] ?? "";
  return line.replace(/["']/g, "").trim();
}
