// Runs the built Worker and the example consumer in workerd through miniflare's own API. There is
// no development proxy and no log line per request, which would cost four fifths of the throughput.
// All settings come from the two wrangler.toml files, so tests and measurements use the deployed
// settings, except for those that local-config.mjs adds.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { writeLocalConfig } from "./local-config.mjs";
import { ROOT } from "./paths.mjs";

const CONSUMER = join(ROOT, "examples/consumer/wrangler.toml");

/** Writes miniflare's notes to stderr, because stdout is for the one line with the address. */
class StderrLog extends Log {
  log(message) {
    process.stderr.write(`${message}\n`);
  }
}

/** Returns miniflare's options for one worker, from its wrangler.toml. `vars` overrides variables and secrets. */
function workerOptions(configPath, vars, modules, modulesRoot) {
  const { name } = unstable_readConfig({ config: configPath });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(configPath);
  // This function lists the modules, and the conversion refuses rules that would find them.
  const { modulesRules: _, ...options } = workerOptions;
  return { ...options, name, modules, modulesRoot, rootPath: modulesRoot, bindings: { ...options.bindings, ...vars } };
}

/**
 * Returns the options of the scheduler. `main` is the text of a module that replaces the Worker's own, and imports it as
 * `./index.js`. `files` says whether it serves the dashboard.
 */
async function scheduler(vars, main, files) {
  const folder = join(ROOT, "coordinator/build");
  const [script, wasm] = await Promise.all([readFile(join(folder, "index.js")), readFile(join(folder, "index_bg.wasm"))]);
  const options = workerOptions(await writeLocalConfig(), vars, [
    ...(main === undefined ? [] : [{ type: "ESModule", path: join(folder, "main.js"), contents: main }]),
    { type: "ESModule", path: join(folder, "index.js"), contents: script },
    { type: "CompiledWasm", path: join(folder, "index_bg.wasm"), contents: wasm },
  ], folder);
  if (!files) delete options.assets;
  return options;
}

/**
 * Returns the options of the example consumer. It does not consume the queues that a Worker in `others` consumes, because a
 * queue has one consumer.
 */
async function consumer(vars, others) {
  const folder = dirname(CONSUMER);
  const bundle = await build({ entryPoints: [join(folder, "src/index.ts")], bundle: true, format: "esm", target: "esnext", external: ["cloudflare:*"], write: false });
  const options = workerOptions(CONSUMER, vars, [
    { type: "ESModule", path: join(folder, "index.js"), contents: bundle.outputFiles[0].text },
  ], folder);
  const taken = others.flatMap(({ queueConsumers = {} }) => Object.keys(queueConsumers));
  return { ...options, queueConsumers: Object.fromEntries(Object.entries(options.queueConsumers).filter(([queue]) => !taken.includes(queue))) };
}

/**
 * Starts the runtime and resolves when it listens.
 *
 * - `port`: 0 means a free port.
 * - `storage`: folder of the Durable Objects' storage; the same folder has the same tasks again.
 * - `vars`: variables and secrets of the scheduler, in addition to those of wrangler.toml, which
 *   they override.
 * - `sink`: URL that the example consumer forwards envelopes to; if absent, it logs them.
 * - `main`: the text of a module that wraps the scheduler's Worker, which it imports as `./index.js`.
 * - `change`: a function that changes miniflare's options of the scheduler.
 * - `files`: false omits the dashboard's files.
 * - `workers`: miniflare's options for further Workers. A queue that one of them consumes is not the example consumer's.
 * - `verbose`: also print the runtime's own notes, such as a line per queue batch.
 */
export async function startRuntime({ port = 0, storage, vars = {}, sink, main, change = (options) => options, files = true, workers = [], verbose = false }) {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port,
      resourcePersistencePath: storage,
      logRequests: false,
      // This stops a network request for sample metadata, which nothing here reads.
      cf: false,
      log: new StderrLog(verbose ? LogLevel.INFO : LogLevel.WARN),
      handleStructuredLogs: ({ level, message }) => process.stderr.write(`[${level}] ${message}\n`),
      // GET /cdn-cgi/local/scheduled runs the watchdog, because locally nothing runs cron triggers
      // by the clock.
      unsafeTriggerHandlers: true,
      workers: [change(await scheduler(vars, main, files)), await consumer(sink ? { SINK_URL: sink } : {}, workers), ...workers],
    }),
  );
  const url = await runtime.ready;
  return { url: url.origin, worker: (name) => runtime.getWorker(name), stop: () => runtime.dispose() };
}
