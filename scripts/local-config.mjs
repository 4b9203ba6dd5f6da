// Writes wrangler.local.toml: the scheduler's wrangler.toml with settings for this machine only.
// Tasks may call the example Worker through its bindings, and webhooks may call this machine.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, pid } from "node:process";
import { fileURLToPath } from "node:url";
import { ROOT } from "./paths.mjs";

const VARS = {
  SERVICE_BINDINGS: "EXAMPLE",
  DURABLE_OBJECT_BINDINGS: "COUNTERS",
  // Locally, all shards are in one isolate, whose memory is not bounded.
  ISOLATE_MEMORY_MB: "2000",
  WEBHOOK_ALLOWED_HOSTS: "127.0.0.1,localhost,[::1]",
};

// Locally, one batch is delivered at a time, so a slow task would hold up all other envelopes.
const BATCH = ["max_batch_size = 1\n", "max_batch_size = 10\n"];

// Locally, neither the size nor the speed of the Worker matters.
const BUILD = ['command = "make build"\n', 'command = "scripts/build.sh quick && scripts/dashboard.sh"\n'];

/** Writes the file, and returns its path. It lies beside wrangler.toml, for paths in it are relative to its folder. */
export async function writeLocalConfig() {
  let text = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  for (const [name, value] of Object.entries(VARS)) {
    const line = new RegExp(`^${name} = ".*"$`, "m");
    if (!line.test(text)) throw new Error(`wrangler.toml has no line ${name} = "..."`);
    text = text.replace(line, `${name} = ${JSON.stringify(value)}`);
  }
  for (const [line, local] of [BATCH, BUILD]) {
    if (!text.includes(line)) throw new Error(`wrangler.toml has no line ${line}`);
    text = text.replace(line, local);
  }
  const bindings = await readFile(join(ROOT, "examples/consumer/scheduler.toml"), "utf8");
  const path = join(ROOT, "wrangler.local.toml");
  // The runtime does not start without the dashboard's folder. If the dashboard is not built, the
  // folder is empty.
  await mkdir(join(ROOT, "dashboard/dist"), { recursive: true });
  const config = `# Written by scripts/local-config.mjs, for this machine.\n${text}\n${bindings}`;
  // A `make dev` that runs starts its Workers again when the file changes.
  if ((await readFile(path, "utf8").catch(() => undefined)) === config) return path;
  // The file is renamed into place, because another process may be reading it.
  await writeFile(`${path}.${pid}`, config);
  await rename(`${path}.${pid}`, path);
  return path;
}

if (argv[1] === fileURLToPath(import.meta.url)) await writeLocalConfig();
