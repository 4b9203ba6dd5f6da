// `make loadtest` starts a scheduler on a free port with empty storage, runs the load tester
// against it, and stops it. Usage: node scripts/loadtest.mjs SCENARIO [options of the load tester].
// It returns the load tester's exit status.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { freePort, Scheduler } from "../e2e/harness.mjs";

async function run(command, args) {
  const [code, signal] = await once(spawn(command, args, { stdio: "inherit" }), "exit");
  return signal ? 1 : code;
}

const [scenario = "smoke", ...options] = process.argv.slice(2);
// The load tester is built before the clock starts, and before the server uses the machine.
const built = await run("cargo", ["build", "--release", "-p", "loadtest"]);
if (built !== 0) process.exit(built);

// The load tester listens there a moment later.
const sinkPort = await freePort();
const scheduler = await Scheduler.start({ sink: `http://127.0.0.1:${sinkPort}` });
let status = 1;
try {
  const server = ["--url", scheduler.url, "--key", scheduler.key, "--sink-port", String(sinkPort)];
  status = await run("cargo", ["run", "--quiet", "--release", "-p", "loadtest", "--", scenario, ...server, ...options]);
  if (status !== 0) process.stderr.write(`\nthe scheduler's own log ends:\n${scheduler.log().slice(-4_000)}\n`);
} finally {
  await scheduler.dispose();
}
process.exit(status);
