// Notices that npm, which has started this process, is gone. npm passes on no signal that it cannot catch, and not every one that it can.

import { execFileSync } from "node:child_process";

/** How often it is checked whether npm is still there, milliseconds. */
const INTERVAL_MILLIS = 1_000;

/** Calls a function once npm is gone, if that has started this process, such as by `npx`. Returns how to stop that. */
export function whenOrphaned(end: () => void): () => void {
  if (process.env.npm_command === undefined) return () => {};
  const parent = process.ppid;
  const npm = starterOf(parent);
  const timer = setInterval(() => (process.ppid !== parent || !isRunning(npm)) && end(), INTERVAL_MILLIS);
  return () => clearInterval(timer);
}

/** Returns the process that has started a shell, because npm starts commands by one, or the process itself if it is no shell. */
function starterOf(pid: number): number {
  try {
    const [ppid = "", command = ""] = execFileSync("ps", ["-o", "ppid=,comm=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim().split(/\s+/);
    return /(^|[/-])(sh|dash|bash|zsh|ash)$/.test(command) ? Number(ppid) : pid;
  } catch {
    // There is no ps here.
    return pid;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
