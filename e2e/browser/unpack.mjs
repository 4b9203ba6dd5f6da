// Unpacks the browser of the npm package @sparticuz/chromium, for Linux on x64, beside the package.
// It does nothing if the browser is already unpacked, or if there is another: the one that CHROME
// names, or the system's.

import { execFileSync } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { arch, argv, env, pid, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKED = join(HERE, "node_modules/@sparticuz/chromium/bin");
const UNPACKED = join(HERE, "node_modules/.chromium");
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const ON_MACOS = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];
/** The browser's fonts, for a system without fonts. */
const FONTS = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${join(UNPACKED, "fonts")}</dir><cachedir>${join(UNPACKED, "cache")}</cachedir></fontconfig>`;

/** Returns a browser that needs no unpacking. */
function other() {
  if (env.CHROME) return env.CHROME;
  const folders = (env.PATH ?? "").split(delimiter).filter(Boolean);
  return [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...ON_MACOS].find((path) => existsSync(path));
}

/** Returns the path of the browser to start. Throws if there is none. */
export function browserPath() {
  const path = other() ?? join(UNPACKED, "chromium");
  if (!existsSync(path)) throw new Error(`There is no browser at ${path}: run scripts/setup.sh tests, or set CHROME to the path of a Chromium.`);
  return path;
}

/** Returns the browser's environment: libraries that the system may lack, and fonts if it has none. */
export const browserEnv = () => ({
  LD_LIBRARY_PATH: [join(UNPACKED, "lib"), env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
  ...(existsSync("/etc/fonts/fonts.conf") ? {} : { FONTCONFIG_FILE: join(UNPACKED, "fonts.conf") }),
});

async function unpack() {
  if (other() || existsSync(UNPACKED) || platform !== "linux" || arch !== "x64") return;
  const scratch = `${UNPACKED}-${pid}`;
  await mkdir(scratch, { recursive: true });
  for (const [packed, to] of [["chromium.br", "chromium"], ["al2023.tar.br", "libraries.tar"], ["fonts.tar.br", "fonts.tar"]]) {
    await pipeline(createReadStream(join(PACKED, packed)), createBrotliDecompress(), createWriteStream(join(scratch, to)));
  }
  await chmod(join(scratch, "chromium"), 0o755);
  for (const archive of ["libraries.tar", "fonts.tar"]) {
    execFileSync("tar", ["xf", archive], { cwd: scratch });
    await rm(join(scratch, archive));
  }
  await writeFile(join(scratch, "fonts.conf"), FONTS);
  await rename(scratch, UNPACKED);
}

if (argv[1] === fileURLToPath(import.meta.url)) await unpack();
