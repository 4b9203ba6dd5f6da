// Starts the Worker under test on the local runtime: bundled as wrangler does it, behind the virtual clock.

import { existsSync, readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { wranglerFolder } from "../cli/project.ts";
import { refuseDate } from "../compatibility.ts";

/** The parts of miniflare that are used here. */
export interface Miniflare {
  ready: Promise<URL>;
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>;
  getBindings<Env>(): Promise<Env>;
  dispose(): Promise<void>;
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

/**
 * Starts the Worker of the wrangler configuration at a path. `outbound` answers what it sends to the web, and `vars` are further variables.
 *
 * Throws an `Error` if the configuration has no main module, or no compatibility date with which the scheduler works, or if the Worker
 * does not start.
 */
export async function startRuntime(path: string, outbound: ((request: Request) => Response | Promise<Response>) | undefined, vars: Record<string, string>): Promise<Miniflare> {
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
