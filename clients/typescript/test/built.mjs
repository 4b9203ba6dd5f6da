// Builds the package for the tests that need it built, once for all of them.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
/** What the build makes last. */
const LAST = join(PACKAGE, "dist/cli/LICENSE-jsonc-parser.md");
const INPUTS = ["src", "scripts", "package.json", "tsconfig.json", "tsconfig.node.json", "tsconfig.build.json", "tsconfig.build.node.json", "../../coordinator/build/index_bg.wasm", "../../dashboard/dist"];

/** Builds the package, unless nothing has changed since it was built. */
export function ensureBuilt() {
  const built = existsSync(LAST) ? statSync(LAST).mtimeMs : 0;
  if (INPUTS.some((input) => newest(join(PACKAGE, input)) > built)) build();
}

/** Builds the package. */
export function build() {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: PACKAGE, stdio: "inherit" });
}

/** Returns when a file, or any in a folder, has changed last, milliseconds since 1970. */
function newest(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  return Math.max(statSync(path).mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
