// Keeps two schedulers on this machine from using one storage folder, where each would find the other's tasks and a locked database. The
// scripts of this repository use it, too.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "./orphan.ts";
import { UsageError } from "./project.ts";

/** The file in a storage folder that names the process which uses the folder. */
const LOCK = "scheduler.lock";

/** How long another process may take to write its own name after it has found the folder free, milliseconds. */
const SETTLE_MILLIS = 100;

/** A process that uses a storage folder. */
export interface Owner {
  pid: number;
  /** Where it listens, if that is known before it starts. */
  port?: number | undefined;
}

/**
 * Claims a storage folder for a process, and creates the folder. The claim ends with the process. `advice` says how the user chooses
 * another folder.
 *
 * Throws a `UsageError` that names the other process if the folder belongs to one that runs.
 */
export async function claimStorage(folder: string, owner: Owner, advice: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, LOCK);
  do {
    const other = ownerIn(file);
    if (other !== undefined && other.pid !== owner.pid && isRunning(other.pid)) {
      const where = other.port === undefined ? "" : ` on port ${other.port}`;
      throw new UsageError(`the storage ${folder} belongs to the scheduler that runs${where} as process ${other.pid}: end that process, or ${advice}. If it is no scheduler, remove ${file}`);
    }
    // The file is renamed into place, so nobody reads a part of it. If several processes do this at once, the last one has the folder.
    writeFileSync(`${file}.${owner.pid}`, JSON.stringify(owner));
    renameSync(`${file}.${owner.pid}`, file);
    await sleep(SETTLE_MILLIS);
  } while (ownerIn(file)?.pid !== owner.pid);
}

/** Returns the process that a file names, or undefined if there is no such file or it names none. */
function ownerIn(file: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, "utf8")) as Owner;
    return Number.isInteger(owner.pid) && owner.pid > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}
