// Runs the built Worker and the example consumer in workerd through miniflare's own API: no development
// proxy and no log line per request, which would cost four fifths of the throughput. All settings come
// from the two wrangler.toml files, so what is tested and measured here is what is deployed, but for what
// local-config.mjs adds.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { writeLocalConfig } from "./local-config.mjs";
import { ROOT } from "./paths.mjs";

const CONSUMER = join(ROOT, "examples/consumer/wrangler.toml");

/** Miniflare's notes go to stderr: stdout is for the one line that says where we listen. */
class StderrLog extends Log {
  log(message) {
    process.stderr.write(`${message}\n`);
  }
}

/** Miniflare's options for one worker, from its wrangler.toml. `vars` overrides variables and secrets. */
function workerOptions(configPath, vars, modules, modulesRoot) {
  const { name } = unstable_readConfig({ config: configPath });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(configPath);
  // The modules are listed by us; the conversion refuses rules to find them by.
  const { modulesRules: _, ...options } = workerOptions;
  return { ...options, name, modules, modulesRoot, rootPath: modulesRoot, bindings: { ...options.bindings, ...vars } };
}

/** `main`: the text of a module in place of the Worker's own, which it finds as `./index.js`. `files`: whether it serves the dashboard. */
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

/** `others`: Workers beside it. It does not consume what one of them consumes, because a queue has one consumer. */
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
 * - `port`: 0 takes a free one.
 * - `storage`: folder of the Durable Objects' storage; the same folder finds the same tasks again.
 * - `vars`: variables and secrets of the scheduler, over those of wrangler.toml.
 * - `sink`: URL that the example consumer forwards envelopes to; absent, it logs them.
 * - `main`: the text of a module that wraps the scheduler's Worker, which it imports as `./index.js`.
 * - `files`: false leaves the dashboard's files out.
 * - `workers`: miniflare's options for further Workers. A queue that one of them consumes is not the example consumer's.
 * - `verbose`: also print the runtime's own notes, such as a line per queue batch.
 */
export async function startRuntime({ port = 0, storage, vars = {}, sink, main, files = true, workers = [], verbose = false }) {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port,
      resourcePersistencePath: storage,
      logRequests: false,
      // Do not ask the network for a sample of request metadata, which nothing here reads.
      cf: false,
      log: new StderrLog(verbose ? LogLevel.INFO : LogLevel.WARN),
      handleStructuredLogs: ({ level, message }) => process.stderr.write(`[${level}] ${message}\n`),
      // GET /cdn-cgi/local/scheduled runs the watchdog: locally, nothing runs cron triggers by the clock.
      unsafeTriggerHandlers: true,
      workers: [await scheduler(vars, main, files), await consumer(sink ? { SINK_URL: sink } : {}, workers), ...workers],
    }),
  );
  const url = await runtime.ready;
  return { url: url.origin, worker: (name) => runtime.getWorker(name), stop: () => runtime.dispose() };
}
