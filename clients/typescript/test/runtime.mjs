// Runs a Worker of a test on the local runtime: its wrangler configuration and its TypeScript, bundled as wrangler does it.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
/** The Worker that `make build` makes. The package's own build copies it into the package. */
const BUILT = join(PACKAGE, "../../coordinator/build");

/** Imports of the package lead to its sources, so no build is needed. */
const alias = {
  "durable-scheduler": join(PACKAGE, "src/workerd.ts"),
  "durable-scheduler/agents": join(PACKAGE, "src/agents/index.ts"),
  "durable-scheduler/consumer": join(PACKAGE, "src/consumer/index.ts"),
  "durable-scheduler/worker": join(PACKAGE, "src/worker/index.ts"),
  "durable-scheduler/scheduler": join(PACKAGE, "src/scheduler/index.ts"),
  // As wrangler does it for Workers with nodejs_compat.
  path: "node:path",
};

/** Finds the prebuilt Worker where `make build` has put it. */
const prebuilt = {
  name: "prebuilt",
  setup({ onResolve }) {
    onResolve({ filter: /\/prebuilt\/index\.js$/ }, () => ({ path: join(BUILT, "index.js") }));
  },
};

/**
 * Bundles a Worker. Returns the text of its module. `source` is TypeScript that takes the place of the file `path`.
 *
 * `legacy`: lowers decorators by the older convention.
 */
export async function bundle(path, { source, legacy = false } = {}) {
  const input = source === undefined ? { entryPoints: [path] } : { stdin: { contents: source, resolveDir: dirname(path), sourcefile: path, loader: "ts" } };
  const result = await build({
    ...input,
    alias,
    plugins: [prebuilt],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*", "*.wasm"],
    write: false,
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { experimentalDecorators: legacy, useDefineForClassFields: true } },
  });
  return result.outputFiles[0].text;
}

/** Returns the options of one Worker for miniflare, from its wrangler configuration. */
async function workerOptions(configPath, { vars = {}, outbound, date, ...options } = {}) {
  const config = unstable_readConfig({ config: configPath });
  const { modulesRules: _, ...settings } = unstable_getMiniflareWorkerOptions(configPath).workerOptions;
  const contents = await bundle(config.main, options);
  const wasm = await readFile(join(BUILT, "index_bg.wasm"));
  const modules = [{ type: "ESModule", path: join(PACKAGE, "index.js"), contents }, { type: "CompiledWasm", path: join(PACKAGE, "index_bg.wasm"), contents: wasm }];
  return { ...settings, name: config.name, modules, modulesRoot: PACKAGE, rootPath: PACKAGE, bindings: { ...settings.bindings, ...vars }, ...(outbound === undefined ? {} : { outboundService: outbound }), ...(date === undefined ? {} : { compatibilityDate: date }) };
}

/**
 * Returns whether a line of the log is one of the Worker's errors and warnings. On a busy machine, the runtime notes that it runs
 * an alarm late, which says nothing about the Worker.
 */
const isOfWorker = ({ level, message }) => (level === "error" || level === "warn") && !message.startsWith("NOSENTRY ");

/**
 * Starts the Worker of a wrangler configuration. `storage` is the folder of its storage; without it, the storage is in
 * memory. `source` and `legacy` are those of `bundle`, `vars` are further variables, `outbound` answers what the Worker sends
 * to the web, and `others` are configurations of Workers beside it. Returns its `url` and `stop`, and the texts of its `errors`.
 */
export async function startWorker(configPath, { storage, others = [], ...options } = {}) {
  const workers = await Promise.all([workerOptions(configPath, options), ...others.map((path) => workerOptions(path))]);
  const errors = [];
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      logRequests: false,
      log: new Log(LogLevel.NONE),
      unsafeTriggerHandlers: true,
      ...(storage === undefined ? {} : { resourcePersistencePath: storage }),
      handleStructuredLogs: (line) => isOfWorker(line) && errors.push(line.message),
      workers,
    }),
  );
  const url = (await runtime.ready).origin;
  return { url, errors, stop: () => runtime.dispose() };
}

/** Calls `probe` until it returns something truthy, and returns that. An error of the probe counts as "not yet". */
export async function until(what, probe, timeoutMs = 30_000) {
  const deadline = Date.now() + timeoutMs;
  for (let last; ; ) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}; last: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
