// Makes dist/ from src/, and prebuilt/ and dashboard/ from what `make build` has built. `npm pack` and `npm publish` run it first.

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));
const built = join(folder, "../../coordinator/build");
if (!existsSync(join(built, "index_bg.wasm"))) throw new Error("the Worker is not built: run make build in the checkout");

const dist = join(folder, "dist");
rmSync(dist, { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "tsconfig.build.node.json"]) execFileSync("tsc", ["-p", project], { cwd: folder, stdio: "inherit" });

// The compiler renames what the modules import, but not what their declarations import.
for (const name of readdirSync(dist, { recursive: true })) {
  if (!name.endsWith(".d.ts")) continue;
  const path = join(dist, name);
  writeFileSync(path, readFileSync(path, "utf8").replace(/(from "\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'));
}

for (const file of ["index.js", "index_bg.wasm"]) copyFileSync(join(built, file), join(folder, "prebuilt", file));

const dashboard = join(folder, "../../dashboard/dist");
rmSync(join(folder, "dashboard"), { recursive: true, force: true });
if (existsSync(join(dashboard, "index.html"))) cpSync(dashboard, join(folder, "dashboard"), { recursive: true });
else console.error("the package has no dashboard: make build makes it");

// The command line is one file with what it needs, so the package has no dependencies.
const command = join(dist, "cli/main.js");
await build({
  entryPoints: [join(folder, "src/cli/main.ts")],
  outfile: command,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  // The other form of jsonc-parser cannot be bundled.
  mainFields: ["module", "main"],
  banner: { js: "// Contains jsonc-parser: see LICENSE-jsonc-parser.md." },
});
chmodSync(command, 0o755);
copyFileSync(join(folder, "node_modules/jsonc-parser/LICENSE.md"), join(dist, "cli/LICENSE-jsonc-parser.md"));
