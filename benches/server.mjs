// Starts a server for a benchmark, and measures the CPU time of its runtime. Linux only.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

/** Returns a process and all that it has started. */
function processes(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  return [pid, ...children.flatMap((child) => processes(Number(child)))];
}

/** Returns the nanoseconds that the threads of a process have run. */
function cpuNanos(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]), 0);
}

/**
 * Starts `scripts/serve.mjs` of a checkout with some arguments and other variables. Returns its address, a function that stops it, and
 * a function that returns the CPU time of its runtime so far, in nanoseconds.
 */
export async function startServer(args, { checkout = ".", env = {} } = {}) {
  const child = spawn("scripts/run", ["node", "scripts/serve.mjs", "--port", "0", ...args], { cwd: checkout, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((resolve, reject) => {
    let output = "";
    child.on("exit", (code) => reject(new Error(`${checkout}: the server has ended with ${code}`)));
    child.stdout.on("data", (data) => {
      output += data;
      const line = output.split("\n").find((printed) => printed.startsWith("{"));
      if (line) resolve(JSON.parse(line).url);
    });
  });
  const runtime = processes(child.pid).filter((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd"));
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill();
    await gone;
  };
  return { url, stop, cpuNanos: () => runtime.reduce((sum, pid) => sum + cpuNanos(pid), 0) };
}
