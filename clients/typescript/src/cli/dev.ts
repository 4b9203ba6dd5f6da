// `durable-scheduler dev`: the scheduler on the local runtime, in the project's Worker or alone.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { nextChange } from "./changes.ts";
import { DASHBOARD, environmentOf, findConfig, readConfig, startWrangler, UsageError } from "./project.ts";
import { mustExportObjects } from "./init.ts";
import { COMPATIBILITY_DATE, type Config, CRON, missing, mustAgree, OBJECTS } from "./requirements.ts";
import { whenOrphaned } from "./orphan.ts";
import { copySecrets, ensureKey, ensureSigningKeys, STANDALONE } from "./secrets.ts";
import { namespaceKeys } from "./signing-key.ts";
import { lacksScheduler } from "./source.ts";
import { claimStorage } from "./storage.ts";

/** Settings of `dev`. */
export interface DevOptions {
  config?: string | undefined;
  /** The port. Default: 8787. */
  port: number;
  /** The folder of the storage. Default: `.wrangler/state`. */
  persistTo?: string | undefined;
  /** Further arguments for `wrangler dev`. */
  args?: readonly string[] | undefined;
}

/** Variables for this machine only: all shards are in one isolate, and webhooks may call this machine. */
const LOCAL_VARS = { ISOLATE_MEMORY_MB: "2000", WEBHOOK_ALLOWED_HOSTS: "127.0.0.1,localhost,[::1]" };

/** Returns the variables for this machine. Hosts that the configuration allows stay allowed. */
export function localVars({ vars = {} }: Config): [name: string, value: string][] {
  const hosts = [String(vars.WEBHOOK_ALLOWED_HOSTS ?? ""), LOCAL_VARS.WEBHOOK_ALLOWED_HOSTS].filter((list) => list !== "").join(",");
  return Object.entries({ ...LOCAL_VARS, WEBHOOK_ALLOWED_HOSTS: hosts });
}

/** The watchdog's interval. The local runtime does not run cron triggers by the clock. */
const WATCHDOG_MILLIS = 60_000;

/**
 * Runs the scheduler until the process ends, and resolves with the exit status. If the project's configuration has the scheduler's Durable
 * Objects, its own Worker runs the scheduler. Otherwise a Worker named `durable-scheduler` runs it.
 *
 * If a change to the project's Worker ends wrangler, because the Worker no longer starts, wrangler starts again with the next change.
 *
 * Throws a `UsageError` if the port or the storage is in use, if a key that signs webhooks is invalid, or if the scheduler cannot work with the
 * configuration.
 */
export async function dev(folder: string, options: DevOptions): Promise<number> {
  await mustBeFree(options.port);
  const own = findConfig(folder, options.config);
  const { args: further = [] } = options;
  const env = environmentOf(further);
  const settings = own === undefined ? {} : await readConfig(folder, own, env);
  const isInside = holdsScheduler(settings);
  if (own !== undefined && isInside) {
    mustAgree(own, settings);
    mustExportObjects(folder, settings);
  }
  const state = resolve(folder, options.persistTo ?? ".wrangler/state");
  await claimStorage(state, { pid: process.pid, port: options.port }, "give another folder with --persist-to");
  const config = own !== undefined && isInside ? own : writeStandalone(folder);
  // Wrangler reads only the variables next to the configuration.
  if (!isInside) copySecrets(folder, dirname(config));
  const key = ensureKey(dirname(config), env);
  const [receiverKey = ""] = namespaceKeys(ensureSigningKeys(dirname(config), env), "default");
  const interactive = process.stdin.isTTY === true;
  const vars = localVars(isInside ? settings : {}).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const args = ["dev", "--config", config, "--ip", "127.0.0.1", "--port", String(options.port), "--persist-to", state, `--show-interactive-dev-session=${interactive}`, ...vars, ...further];
  const url = `http://127.0.0.1:${options.port}`;
  const onReady = () => announce({ heading: isInside ? headingInside(folder, settings) : "The scheduler is ready.", url, key, receiverKey, state });

  let child: ChildProcess | undefined;
  const end = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    end.abort();
    child?.kill(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop(signal));
  const stopWatching = whenOrphaned(() => stop("SIGTERM"));
  try {
    for (;;) {
      const running = (child = startWrangler(folder, args, [interactive ? "inherit" : "ignore", "inherit", "inherit"]));
      const ended = new Promise<number>((done) => running.once("close", (status) => done(status ?? 0)));
      const watchdog = watch(url, onReady);
      const status = await ended;
      watchdog.stop();
      // What has never been ready is no Worker that a change has broken.
      if (end.signal.aborted || status === 0 || !isInside || !watchdog.wasReady()) return status;
      console.error("\n  The Worker no longer starts: see above. With the next change of a file, it is started again.\n");
      await nextChange(dirname(config), end.signal);
      if (end.signal.aborted) return status;
    }
  } finally {
    stopWatching();
  }
}

/** Throws a `UsageError` if a process listens on a port, because it could be mistaken for the scheduler. */
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

function announce({ heading, url, key, receiverKey, state }: { heading: string; url: string; key: string; receiverKey: string; state: string }): void {
  console.log(`
  ${heading}
  Address  ${url}
  Key      ${key}
  Storage  ${state}
  Webhooks are signed. Receivers verify them with ${receiverKey}
`);
}

/** Returns the heading for a Worker with the scheduler: that it is ready, or that its default export is not the scheduler. */
export function headingInside(folder: string, { main }: Config): string {
  if (main === undefined || !existsSync(main) || !lacksScheduler(readFileSync(main, "utf8"))) return "The scheduler is ready in your Worker.";
  return `No task will run: the default export of ${relative(folder, main)} is not the scheduler.\n  Let it be a class that extends SchedulerWorker: durable-scheduler init shows one.`;
}

/** Runs the watchdog as soon as the Worker answers, and then every minute. `onReady` is called the first time. */
function watch(url: string, onReady: () => void): { stop(): void; wasReady(): boolean } {
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
  return { stop: () => clearTimeout(timer), wasReady: () => isReady };
}

function holdsScheduler({ durable_objects }: Config): boolean {
  const bound = durable_objects?.bindings?.map(({ name }) => name) ?? [];
  return OBJECTS.every(([binding]) => bound.includes(binding));
}

/** Writes the configuration of a Worker that has only the scheduler, below the folder's `.wrangler`. */
function writeStandalone(folder: string): string {
  const place = resolve(folder, STANDALONE);
  mkdirSync(place, { recursive: true });
  // The main module of the Worker is in this package.
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
