// Makes dist/ from src/, and prebuilt/ from the Worker that `make build` has built. Run it through scripts/run.

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));
rmSync(`${folder}dist`, { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { cwd: folder, stdio: "inherit" });
for (const file of ["index.js", "index_bg.wasm"]) copyFileSync(`${folder}../../coordinator/build/${file}`, `${folder}prebuilt/${file}`);

// The command line is one file with what it needs, so the package has no dependencies.
await build({
  entryPoints: [`${folder}src/cli/main.ts`],
  outfile: `${folder}dist/cli/main.js`,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  // The other form of jsonc-parser cannot be bundled.
  mainFields: ["module", "main"],
  banner: { js: "// Contains jsonc-parser: see LICENSE-jsonc-parser.md." },
});
chmodSync(`${folder}dist/cli/main.js`, 0o755);
copyFileSync(`${folder}node_modules/jsonc-parser/LICENSE.md`, `${folder}dist/cli/LICENSE-jsonc-parser.md`);
