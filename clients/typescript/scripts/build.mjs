// Makes dist/ from src/, and prebuilt/ from the Worker that `make build` has built. Run it through scripts/run.

import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
rmSync(`${folder}dist`, { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { cwd: folder, stdio: "inherit" });
for (const file of ["index.js", "index_bg.wasm"]) copyFileSync(`${folder}../../coordinator/build/${file}`, `${folder}prebuilt/${file}`);
