// Notices that a file of the project has changed.

import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join } from "node:path";

/** How long further changes are awaited after the first one, milliseconds: an editor may write a file in several steps. */
const QUIET_MILLIS = 200;

/** Resolves when a file in a folder, or in one below it, has changed, or the signal is aborted. Installed packages and the folders of wrangler and git do not count. */
export async function nextChange(folder: string, signal: AbortSignal): Promise<void> {
  const watchers: FSWatcher[] = [];
  try {
    await new Promise<void>((done) => {
      signal.addEventListener("abort", () => done(), { once: true });
      for (const path of foldersBelow(folder)) {
        const watcher = watch(path, (_, name) => {
          // Wrangler writes its own state while it ends.
          if (name === null || !isIgnored(name)) setTimeout(done, QUIET_MILLIS);
        });
        // A folder may be deleted meanwhile.
        watchers.push(watcher.on("error", () => watcher.close()));
      }
    });
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

function foldersBelow(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !isIgnored(entry.name));
  return [folder, ...below.flatMap(({ name }) => foldersBelow(join(folder, name)))];
}

function isIgnored(name: string): boolean {
  return name === "node_modules" || name.startsWith(".wrangler") || name.startsWith(".git");
}
