// Unpacks the browser that the npm package @sparticuz/chromium ships, beside the package. Does nothing when it is there, or when
// there is another: the one that CHROME names, or the system's.

import { execFileSync } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { argv, env, pid } from "node:process";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKED = join(HERE, "node_modules/@sparticuz/chromium/bin");
const UNPACKED = join(HERE, "node_modules/.chromium");
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Returns the browser that is there without unpacking one. */
function other() {
  if (env.CHROME) return env.CHROME;
  const folders = (env.PATH ?? "").split(delimiter).filter(Boolean);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** The browser to start, and the libraries that it needs and the system may not have. */
export function browserPath() {
  return other() ?? join(UNPACKED, "chromium");
}
export const libraryPath = join(UNPACKED, "lib");

async function unpack() {
  if (other() || existsSync(UNPACKED)) return;
  const scratch = `${UNPACKED}-${pid}`;
  await mkdir(scratch, { recursive: true });
  for (const [packed, to] of [["chromium.br", "chromium"], ["al2023.tar.br", "libraries.tar"]]) {
    await pipeline(createReadStream(join(PACKED, packed)), createBrotliDecompress(), createWriteStream(join(scratch, to)));
  }
  await chmod(join(scratch, "chromium"), 0o755);
  execFileSync("tar", ["xf", "libraries.tar"], { cwd: scratch });
  await rm(join(scratch, "libraries.tar"));
  await rename(scratch, UNPACKED);
}

if (argv[1] === fileURLToPath(import.meta.url)) await unpack();
