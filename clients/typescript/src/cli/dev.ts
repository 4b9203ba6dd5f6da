// `durable-scheduler dev`: the scheduler on the local runtime, in the project's Worker or beside it.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DASHBOARD, findConfig, readConfig, startWrangler, UsageError } from "./project.ts";
import { COMPATIBILITY_DATE, type Config, CRON, missing, mustAgree, OBJECTS } from "./requirements.ts";

/** Settings of `dev`. */
export interface DevOptions {
  config?: string | undefined;
  /** Default: 8787. */
  port: number;
  /** The folder of the storage. Default: `.wrangler/state`. */
  persistTo?: string | undefined;
}

/** Variables that make sense on this machine only: all shards are in one isolate, and webhooks may go to this machine. */
const LOCAL_VARS = { ISOLATE_MEMORY_MB: "2000", WEBHOOK_ALLOWED_HOSTS: "127.0.0.1,localhost,[::1]" };

/** Returns the variables for this machine. Hosts that the configuration allows stay allowed. */
export function localVars({ vars = {} }: Config): [name: string, value: string][] {
  const hosts = [String(vars.WEBHOOK_ALLOWED_HOSTS ?? ""), LOCAL_VARS.WEBHOOK_ALLOWED_HOSTS].filter((list) => list !== "").join(",");
  return Object.entries({ ...LOCAL_VARS, WEBHOOK_ALLOWED_HOSTS: hosts });
}

/** The watchdog's interval. The local runtime does not run cron triggers by the clock. */
const WATCHDOG_MILLIS = 60_000;

/**
 * Runs the scheduler until it is ended, and resolves with its exit status. A project whose configuration has the scheduler's
 * Durable Objects runs it in its own Worker. Any other folder gets a Worker of its own for it, named `durable-scheduler`.
 *
 * Throws a `UsageError` if the port is in use, or if the configuration has something that the scheduler cannot work with.
 */
export async function dev(folder: string, options: DevOptions): Promise<number> {
  await mustBeFree(options.port);
  const own = findConfig(folder, options.config);
  const isInside = own !== undefined && holdsScheduler(await readConfig(folder, own));
  if (own !== undefined && isInside) mustAgree(own, await readConfig(folder, own));
  const config = own !== undefined && isInside ? own : writeStandalone(folder);
  const key = ensureKey(dirname(config));
  const state = resolve(folder, options.persistTo ?? ".wrangler/state");
  const interactive = process.stdin.isTTY === true;
  const vars = localVars(isInside && own !== undefined ? await readConfig(folder, own) : {}).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const args = ["dev", "--config", config, "--ip", "127.0.0.1", "--port", String(options.port), "--persist-to", state, `--show-interactive-dev-session=${interactive}`, ...vars];
  const child = startWrangler(folder, args, [interactive ? "inherit" : "ignore", "inherit", "inherit"]);
  const ended = new Promise<number>((done) => child.once("close", (status) => done(status ?? 0)));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const url = `http://127.0.0.1:${options.port}`;
  const watchdog = watch(url, () => announce({ url, key, state, isInside }));
  const status = await ended;
  watchdog.stop();
  return status;
}

/** Throws a `UsageError` if something listens on a port. Whatever listens there could be taken for the scheduler. */
async function mustBeFree(port: number): Promise<void> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new UsageError(`port ${port} is in use: end what listens there, or give another one with --port`);
  }
  server.close();
  await once(server, "close");
}

function announce({ url, key, state, isInside }: { url: string; key: string; state: string; isInside: boolean }): void {
  console.log(`
  The scheduler is ready${isInside ? " in your Worker" : ""}.
  Address  ${url}
  Key      ${key}
  Storage  ${state}
`);
}

/** Runs the watchdog as soon as the Worker answers, and then every minute. `onReady` is called the first time. */
function watch(url: string, onReady: () => void): { stop(): void } {
  let timer: NodeJS.Timeout;
  let isReady = false;
  const tick = async () => {
    const isUp = await fetch(`${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(CRON)}`, { signal: AbortSignal.timeout(WATCHDOG_MILLIS) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp && !isReady) onReady();
    isReady ||= isUp;
    timer = setTimeout(tick, isReady ? WATCHDOG_MILLIS : 250);
  };
  timer = setTimeout(tick, 250);
  return { stop: () => clearTimeout(timer) };
}

function holdsScheduler({ durable_objects }: Config): boolean {
  const bound = durable_objects?.bindings?.map(({ name }) => name) ?? [];
  return OBJECTS.every(([binding]) => bound.includes(binding));
}

/** Writes the configuration of a Worker that is nothing but the scheduler, below the folder's `.wrangler`. */
function writeStandalone(folder: string): string {
  const place = resolve(folder, ".wrangler/durable-scheduler");
  mkdirSync(place, { recursive: true });
  // The Worker is this package's own.
  const main = fileURLToPath(new URL("../worker/index.js", import.meta.url));
  const config: Record<string, unknown> = { name: "durable-scheduler", main, compatibility_date: COMPATIBILITY_DATE };
  for (const { path, isItem, value } of missing(config as Config, { dashboard: DASHBOARD })) {
    const [first = "", second] = path;
    if (second === undefined) config[first] = isItem ? [...((config[first] as unknown[] | undefined) ?? []), value] : value;
    else {
      const table = (config[first] ??= {}) as Record<string, unknown>;
      table[second] = isItem ? [...((table[second] as unknown[] | undefined) ?? []), value] : value;
    }
  }
  const file = join(place, "wrangler.json");
  writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`);
  return file;
}

/**
 * Returns the first key in `.dev.vars` beside a configuration. Makes one if there is none. In a project with a `.env`, wrangler would
 * ignore that one because of a `.dev.vars`, so the key is in `.env.local`.
 */
export function ensureKey(folder: string): string {
  const [devVars, local, dotEnv] = [".dev.vars", ".env.local", ".env"].map((name) => join(folder, name)) as [string, string, string];
  const usesEnv = !existsSync(devVars) && (existsSync(local) || existsSync(dotEnv));
  const path = usesEnv ? local : devVars;
  const found = (usesEnv ? [local, dotEnv] : [devVars]).map(firstKeyIn).find((key) => key !== "");
  if (found !== undefined) return found;
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const key = randomBytes(24).toString("hex");
  const added = `${text === "" || text.endsWith("\n") ? "" : "\n"}API_KEYS=${key}\n`;
  if (text === "") writeFileSync(path, added, { mode: 0o600 });
  else appendFileSync(path, added);
  return key;
}

/** Returns the first key in a file of variables, or empty text. */
function firstKeyIn(path: string): string {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const line = /^[ \t]*(?:export[ \t]+)?API_KEYS[ \t]*=[ \t]*(.*)$/m.exec(text)?.[1] ?? "";
  return (line.replace(/["']/g, "").split(",")[0] ?? "").trim();
}
