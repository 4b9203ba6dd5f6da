// A scheduler on the local runtime, for the tests of this folder.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ROOT } from "../../../../scripts/paths.mjs";
import { startRuntime } from "../../../../scripts/runtime.mjs";

/** Starts a scheduler on storage of its own, which `stop` removes. The options are those of `startRuntime`. */
export async function startScheduler(options) {
  const parent = join(ROOT, ".wrangler/e2e");
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "run-"));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  const runtime = await startRuntime({ storage: join(folder, "storage"), ...options }).catch(async (error) => {
    await remove();
    throw error;
  });
  const stop = async () => {
    await runtime.stop();
    await remove();
  };
  return { ...runtime, stop };
}

/** Bundles a Worker of this folder, and returns the text of its module. */
export async function bundle(name) {
  const entry = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", target: "es2024", external: ["cloudflare:*", "./index.js"], write: false });
  return outputFiles[0].text;
}
