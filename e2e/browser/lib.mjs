// What the dashboard computes without a document, for tests without a browser.

import { join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "../../scripts/paths.mjs";

/** Returns the exports of modules of `dashboard/src/lib`. */
export async function readLib(...names) {
  const bundle = await build({
    stdin: { contents: names.map((name) => `export * from "./${name}";`).join("\n"), resolveDir: join(ROOT, "dashboard/src/lib"), loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(bundle.outputFiles[0].text)}`);
}
