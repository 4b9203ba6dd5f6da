// Runs the load tester against the deployment.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../e2e/harness.mjs";
import { startBridge } from "./bridge.mjs";

/** How long the load tester may take to end after an interruption, in milliseconds. */
const END_MILLIS = 10_000;

/** Returns the percentile of the sorted values, or undefined if there are none. */
export const percentile = (sorted, percent) => sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];

/** Returns the command line of a scenario. `size` is from plan.mjs, and `times` are seconds. */
export function argumentsOf(scenario, size, times) {
  const { tasks, rate, seconds, bulk, via } = size;
  return [
    scenario,
    ...(tasks === undefined ? ["--rate", rate] : ["--tasks", tasks]),
    ...["--spread", seconds, "--bulk", bulk, "--via", via.join(","), "--due-in", times.lead],
    ...["--grace", times.grace, "--settle", times.settle, "--max-seconds", seconds + times.lead + times.grace + 300, "--quiet"],
    // The rate over the network is not known, and what comes late is in the report.
    ...(scenario === "herd" ? ["--expected-rate", times.expectedRate] : []),
  ].map(String);
}

/**
 * Runs a scenario, and returns the load tester's report with `webhookLateness`, in milliseconds and sorted, and the `outcomes` of its
 * requests by status. `program` is the built load tester.
 *
 * Throws if it could not run.
 */
export async function runLoad({ program, scenario, size, times, scheduler, receiver, signal, everyMillis }) {
  const folder = await mkdtemp(join(tmpdir(), "scheduler-smoke-"));
  const sinkPort = await freePort();
  const bridge = await startBridge({ scheduler, receiver, sinkPort, everyMillis });
  try {
    const report = join(folder, "report.json");
    const files = ["--report", report, "--svg", join(folder, "report.svg"), "--sink-port", String(sinkPort), "--url", bridge.url];
    const child = spawn(program, [...argumentsOf(scenario, size, times), ...files], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, SCHEDULER_API_KEY: scheduler.key },
      // A Ctrl-C at the terminal goes to this process, which ends the load tester.
      detached: true,
    });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output.push(text));
    const end = () => {
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGKILL"), END_MILLIS).unref();
    };
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    const [status] = await once(child, "close").finally(() => signal.removeEventListener("abort", end));
    signal.throwIfAborted();
    const found = await readFile(report, "utf8").then(JSON.parse, () => undefined);
    if (!found) throw new Error(`the load tester ended with status ${status}: ${output.join("").trim().slice(-1_000)}`);
    return { ...found, webhookLateness: bridge.lateness.sort((a, b) => a - b), outcomes: bridge.outcomes };
  } finally {
    // A problem of the bridge would show as lost tasks, so it is reported itself.
    await bridge.stop().finally(() => rm(folder, { recursive: true, force: true }));
  }
}

/** Returns what is wrong with a load tester's report, as texts. `mayRepeat` says whether runs may be repeated, as after a restart. */
export function faultsOf(name, report, { mayRepeat = false } = {}) {
  const { exitStatus, defectCounts, duplicates, ending, failedRequests, problems, webhookLateness } = report;
  const faults = Object.entries(defectCounts).map(([kind, count]) => `${name}: ${count} tasks ${kind}`);
  // A task whose creation was sent again, because its answer was lost, may rightly exist twice.
  const doubled = duplicates.total - duplicates.afterRepeatedRequest;
  if (doubled > 0 && !mayRepeat) faults.push(`${name}: ${doubled} tasks were sent twice`);
  if (failedRequests > 0) faults.push(`${name}: ${failedRequests} requests failed for good: ${problems[0] ?? ""}`);
  if (webhookLateness[0] < 0) faults.push(`${name}: a webhook arrived ${-webhookLateness[0]} ms early`);
  if (ending !== "complete") faults.push(`${name}: it did not end by itself (${ending})`);
  if (exitStatus !== 0 && faults.length === 0) faults.push(`${name}: the load tester ended with status ${exitStatus}`);
  return faults;
}
