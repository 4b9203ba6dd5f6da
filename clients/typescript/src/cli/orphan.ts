// Detects that npm, which has started this process, has ended. npm passes on only some signals.

import { execFileSync } from "node:child_process";

/** The time between two checks, in milliseconds. */
const INTERVAL_MILLIS = 1_000;

/** Calls a function when npm has ended, if npm has started this process, such as by `npx`. Returns a function that stops the checks. */
export function whenOrphaned(end: () => void): () => void {
  if (process.env.npm_command === undefined) return () => {};
  const parent = process.ppid;
  const npm = starterOf(parent);
  const timer = setInterval(() => (process.ppid !== parent || !isRunning(npm)) && end(), INTERVAL_MILLIS);
  return () => clearInterval(timer);
}

/** Returns the process that has started a shell, because npm starts commands by one. Returns the process itself if it is not a shell. */
function starterOf(pid: number): number {
  try {
    const [ppid = "", command = ""] = execFileSync("ps", ["-o", "ppid=,comm=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim().split(/\s+/);
    return /(^|[/-])(sh|dash|bash|zsh|ash)$/.test(command) ? Number(ppid) : pid;
  } catch {
    // There is no ps on this system.
    return pid;
  }
}

/** Returns whether a process of this machine runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
