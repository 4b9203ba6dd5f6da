/**
 * A scheduler with a virtual clock, for tests in Node with any runner.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { wranglerFolder } from "../cli/project.ts";
import { SchedulerClient } from "../client/index.ts";
import { refuseDate } from "../compatibility.ts";
import type { Task } from "../generated/openapi.ts";
import { type Duration, toMillis } from "./duration.ts";

export type { Duration } from "./duration.ts";

/** The options of a test scheduler. */
export interface TestSchedulerOptions {
  /** The wrangler configuration of the Worker under test. Default: the one in the current folder. */
  config?: string | undefined;
  /** The first time of the virtual clock. Default: the current time. */
  now?: Date | number | string | undefined;
  /** Variables and secrets that replace those of the configuration. */
  vars?: Record<string, string> | undefined;
  /** Answers the requests that the Worker sends to the web, including webhooks. Default: they are sent. */
  outbound?: ((request: Request) => Response | Promise<Response>) | undefined;
  /** The most time that the tasks of one moment may take, in milliseconds of real time. Default: 30,000. */
  timeoutMillis?: number | undefined;
}

/** The parts of miniflare that are used here. */
interface Miniflare {
  ready: Promise<URL>;
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>;
  getBindings<Env>(): Promise<Env>;
  dispose(): Promise<void>;
}

/** A Worker with a scheduler on the local runtime. A test moves its clock. */
export class TestScheduler<Env = Record<string, unknown>> {
  readonly #runtime: Miniflare;
  readonly #timeoutMillis: number;
  #offset = 0;
  /** A client of the scheduler, with a key that may do everything. */
  readonly client: SchedulerClient;
  /** The address at which the Worker listens on this machine, for example for a browser. */
  readonly url: string;

  /** Use {@link startScheduler}. */
  constructor(runtime: Miniflare, url: string, apiKey: string, timeoutMillis: number) {
    this.#runtime = runtime;
    this.url = url;
    this.#timeoutMillis = timeoutMillis;
    const send = (request: Request) => this.fetch(request.url, request as RequestInit);
    this.client = new SchedulerClient({ fetch: send, apiKey });
  }

  /** The present time of the virtual clock. Between two calls of `advance`, it runs as fast as the real one. */
  get now(): Date {
    return new Date(Date.now() + this.#offset);
  }

  /** Sends a request to the Worker. A path is enough. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#runtime.dispatchFetch(new URL(path, "http://localhost").href, init);
  }

  /** Returns the bindings of the Worker: Durable Objects and services can be called by RPC. `Bindings` is their type, which `startScheduler` may have as well. */
  bindings<Bindings = Env>(): Promise<Bindings> {
    return this.#runtime.getBindings<Bindings>();
  }

  /**
   * Moves the clock forward, and resolves when every task that came due has run, including retries. The clock stops at the due time of each
   * task, so none is late.
   *
   * Throws an `Error` if the tasks of one moment do not end within `timeoutMillis`.
   */
  async advance(duration: Duration): Promise<void> {
    await this.advanceTo(this.now.getTime() + toMillis(duration));
  }

  /** Moves the clock to a time, as `advance` does. Throws a `RangeError` if the time has passed. */
  async advanceTo(time: Date | number | string): Promise<void> {
    const end = new Date(time).getTime();
    if (!(end >= this.now.getTime() - 1_000)) throw new RangeError(`${String(time)} is no time after ${this.now.toISOString()}`);
    for (;;) {
      await this.settle();
      const next = await this.#nextDue();
      if (next === undefined || next > end) break;
      await this.#setClock(next);
    }
    await this.#setClock(end);
    await this.settle();
  }

  /** Resolves when no task is due and none is running. Throws an `Error` if that does not happen within `timeoutMillis`. */
  async settle(): Promise<void> {
    const deadline = performance.now() + this.#timeoutMillis;
    for (;;) {
      const busy = (await this.client.query({ to: new Date(this.now.getTime() + 1) }).toArray()).filter(isBusy);
      if (busy.length === 0) return;
      if (performance.now() > deadline) throw new Error(`these tasks are still due or running: ${busy.map(({ id, status }) => `${id} (${status})`).join(", ")}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  /** Ends the runtime. Its storage is lost. */
  stop(): Promise<void> {
    return this.#runtime.dispose();
  }

  async #nextDue(): Promise<number | undefined> {
    for await (const task of this.client.query({ from: new Date(this.now.getTime()) })) {
      if (isBusy(task) && task.due !== undefined) return task.due;
    }
    return undefined;
  }

  /** Sets the clock, unless it has passed the time already. */
  async #setClock(time: number): Promise<void> {
    this.#offset = Math.max(this.#offset, time - Date.now());
    await (await this.fetch(CLOCK_PATH, { method: "POST", body: String(this.#offset) })).text();
  }

  /** Sets the first time of the clock. */
  async start(now: number): Promise<void> {
    this.#offset = now - Date.now();
    await this.#setClock(now);
  }
}

/** The same value as in virtual-time.ts, which only the runtime can load. */
const CLOCK_PATH = "/durable-scheduler/clock";

/** Whether a task fires by itself, or is in flight. */
function isBusy({ status }: Task): boolean {
  return status === "scheduled" || status === "retrying" || status === "running" || status === "held";
}

/**
 * Starts the Worker of a wrangler configuration on the local runtime, with its storage in memory and a virtual clock. The
 * default export must be a class that extends `SchedulerWorker`, or `SchedulerWorker` itself. `Date` shows the virtual time
 * in the whole Worker. The alarms of your own Durable Objects follow the real clock.
 *
 * Needs wrangler in the project. Throws a `TypeError` if `now` is no time, and an `Error` if there is no configuration, if its
 * `compatibility_date` is too old for the scheduler, or if the Worker does not start.
 *
 * @example
 * const scheduler = await startScheduler({ now: "2030-01-01T00:00:00Z" });
 * await scheduler.client.scheduleTask({ id: "x", cron: "0 9 * * *", callback });
 * await scheduler.advance("3 days");
 * await scheduler.stop();
 */
export async function startScheduler<Env = Record<string, unknown>>(options: TestSchedulerOptions = {}): Promise<TestScheduler<Env>> {
  const { now = Date.now(), timeoutMillis = 30_000 } = options;
  const start = new Date(now).getTime();
  if (Number.isNaN(start)) throw new TypeError(`now is ${String(now)}, which is no time`);
  const path = options.config ?? ["wrangler.json", "wrangler.jsonc", "wrangler.toml"].find((name) => existsSync(name));
  if (path === undefined || !existsSync(path)) throw new Error(`there is no wrangler configuration ${path ?? "here"}: give its path as config`);
  const apiKey = crypto.randomUUID() + crypto.randomUUID();
  const runtime = await startRuntime(resolve(path), options, { ...options.vars, API_KEYS: apiKey });
  const { origin } = await runtime.ready;
  const scheduler = new TestScheduler<Env>(runtime, origin, apiKey, timeoutMillis);
  try {
    await scheduler.start(start);
  } catch (error) {
    await scheduler.stop();
    throw error;
  }
  return scheduler;
}

/** The parts of a wrangler configuration that are used here. */
interface Config {
  name?: string;
  main?: string;
  compatibility_date?: string;
  define?: Record<string, string>;
  alias?: Record<string, string>;
  tsconfig?: string;
}

/** The parts of the modules of wrangler that are used here. */
interface Tools {
  wrangler: {
    unstable_readConfig(args: { config: string }): Config;
    unstable_getMiniflareWorkerOptions(path: string): { workerOptions: Record<string, unknown> & { bindings?: object; durableObjects?: object } };
  };
  miniflare: { Miniflare: new (options: object) => Miniflare; convertV4MiniflareOptions?: (options: object) => object; Log: new (level: number) => object };
  esbuild: { build(options: object): Promise<{ outputFiles: { text: string }[]; metafile: unknown }> };
}

/** Loads wrangler, with its own miniflare and esbuild. */
async function loadTools(folder: string): Promise<Tools> {
  const root = wranglerFolder(folder);
  const require = createRequire(join(root, "package.json"));
  const load = async (name: string) => {
    const module = (await import(pathToFileURL(require.resolve(name)).href)) as { default?: object };
    return { ...module.default, ...module };
  };
  const { main } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { main: string };
  const [wrangler, miniflare, esbuild] = await Promise.all([load(`./${main.replace(/^\.\//, "")}`), load("miniflare"), load("esbuild")]);
  return { wrangler, miniflare, esbuild } as unknown as Tools;
}

async function startRuntime(path: string, { outbound }: TestSchedulerOptions, vars: Record<string, string>): Promise<Miniflare> {
  const folder = dirname(path);
  const { wrangler, miniflare, esbuild } = await loadTools(folder);
  const config = wrangler.unstable_readConfig({ config: path });
  const { name = "worker", main, compatibility_date: date } = config;
  if (main === undefined) throw new Error(`${path} has no main`);
  if (date === undefined) throw new Error(`${path} has no compatibility_date`);
  const tooOld = refuseDate(date);
  if (tooOld !== undefined) throw new Error(`${path}: ${tooOld}`);
  const { modulesRules: _, ...worker } = wrangler.unstable_getMiniflareWorkerOptions(path).workerOptions;
  const { script, files } = await bundle(esbuild, main, folder, config);
  const modules = [{ type: "ESModule", path: join(folder, "worker.js"), contents: script }, ...files.map((file) => ({ ...file, path: join(folder, file.path) }))];
  const options = {
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new miniflare.Log(1),
    workers: [
      {
        ...worker,
        name,
        modules,
        modulesRoot: folder,
        rootPath: folder,
        bindings: { ...worker.bindings, ISOLATE_MEMORY_MB: "2000", ...vars },
        ...(outbound === undefined ? {} : { outboundService: outbound }),
      },
    ],
  };
  const runtime = new miniflare.Miniflare(miniflare.convertV4MiniflareOptions?.(options) ?? options);
  try {
    await runtime.ready;
  } catch (error) {
    // A process that continues to run would keep Node from ending.
    await runtime.dispose().catch(() => {});
    throw error;
  }
  return runtime;
}

/** A module of a Worker that is not a script. The script imports it by its path. */
interface FileModule {
  type: "CompiledWasm" | "Data";
  path: string;
  contents: Uint8Array;
}

/** Bundles a Worker behind the virtual clock. Returns its script, and the files that this imports: the wasm of the prebuilt Worker, and the project's own. */
async function bundle(esbuild: Tools["esbuild"], main: string, folder: string, { define, alias, tsconfig }: Config): Promise<{ script: string; files: FileModule[] }> {
  // The clock comes first, so it is set before any module of the Worker runs.
  const entry = `
    import { withClock, withVirtualAlarms } from ${JSON.stringify(sourceOf("./virtual-time"))};
    import * as main from ${JSON.stringify(resolve(main))};
    export * from ${JSON.stringify(resolve(main))};
    export const Shard = withVirtualAlarms("Shard", main.Shard);
    export const Registry = withVirtualAlarms("Registry", main.Registry);
    export const Limiter = withVirtualAlarms("Limiter", main.Limiter);
    export default withClock(main.default);
  `;
  const files = new Map<string, FileModule>();
  const { outputFiles } = await esbuild.build({
    stdin: { contents: entry, resolveDir: dirname(main), loader: "js" },
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    absWorkingDir: resolve(folder),
    ...(define === undefined ? {} : { define }),
    ...(alias === undefined ? {} : { alias }),
    ...(tsconfig === undefined ? {} : { tsconfig }),
    // Wrangler does the same without rules of the project.
    loader: { ".html": "text", ".sql": "text", ".txt": "text" },
    write: false,
    logLevel: "silent",
    plugins: [filePlugin(files), nodePlugin()],
  });
  if (files.size === 0) throw new Error(`${main} exports no scheduler: export { Shard, Registry, Limiter } from "durable-scheduler/worker"`);
  return { script: outputFiles[0]?.text ?? "", files: [...files.values()] };
}

/** Returns the path of a module of this package, whether the package is built or not. */
function sourceOf(path: string): string {
  const found = [".js", ".ts"].map((ending) => fileURLToPath(new URL(path + ending, import.meta.url))).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${path} is missing in the package`);
  return found;
}

/** The parts of the interface for plugins of esbuild that are used here. */
interface Bundler {
  onResolve(filter: { filter: RegExp }, callback: (args: Resolution & { path: string; pluginData?: unknown }) => object | undefined | Promise<object | undefined>): void;
  resolve(path: string, options: Resolution & { pluginData: unknown }): Promise<{ path: string; errors: unknown[] }>;
  onLoad(filter: { filter: RegExp; namespace: string }, callback: (args: { path: string }) => object): void;
}

/** The module that imports another one, and how. */
interface Resolution {
  kind: string;
  resolveDir: string;
  importer: string;
}

/** The modules of Node that CommonJS modules require. */
const REQUIRED = "required-from-node";

/** Leaves modules of Node to the runtime, with or without the prefix `node:`. */
function nodePlugin(): object {
  return {
    name: "node",
    setup({ onResolve, onLoad }: Bundler) {
      onResolve({ filter: /^[a-z0-9_:/]+$/ }, ({ path, kind }) => {
        if (!isBuiltin(path)) return undefined;
        const name = path.replace(/^(node:)?/, "node:");
        // The runtime has no `require`.
        return kind === "require-call" ? { path: name, namespace: REQUIRED } : { path: name, external: true };
      });
      onLoad({ filter: /^/, namespace: REQUIRED }, ({ path }) => ({ contents: `import module_ from ${JSON.stringify(path)};\nmodule.exports = module_;`, loader: "js" }));
    },
  };
}

/** Leaves imports of wasm and of bytes to the runtime, as wrangler does, and adds the modules to `found` by the paths of their files. */
function filePlugin(found: Map<string, FileModule>): object {
  return {
    name: "files",
    setup({ onResolve, resolve: resolvePath }: Bundler) {
      onResolve({ filter: /\.(wasm(\?module)?|bin)$/ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
        // In this second resolution, the bundler finds the file.
        if (pluginData === FILES) return undefined;
        const file = await resolvePath(path.replace(/\?module$/, ""), { kind, resolveDir, importer, pluginData: FILES });
        if (file.errors.length > 0) return file;
        const isWasm = file.path.endsWith(".wasm");
        const known = found.get(file.path) ?? { type: isWasm ? "CompiledWasm" : "Data", path: `file-${found.size}.${isWasm ? "wasm" : "bin"}`, contents: readFileSync(file.path) };
        found.set(file.path, known);
        return { path: `./${known.path}`, external: true };
      });
    },
  };
}

/** Marks the resolutions that `filePlugin` requests. */
const FILES = Symbol("files");
