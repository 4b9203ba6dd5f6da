// Measures the CPU time and the memory that each attack of `e2e/attacks.mjs` takes in two
// checkouts, and prints a table for benches/README.md. Both checkouts must be built. `make
// bench-hostile BASE=<commit>` builds the commit in a folder below `target` and runs this. It runs
// on Linux only, and its traffic stays on this machine.

import { parseArgs } from "node:util";
import path from "node:path";
import { ATTACKS, prepared, run, runtimeOf, rssOf } from "../e2e/attacks.mjs";

const MB = 1_000_000;
/** An attack is ended when the runtime has so much memory, or after so long: a base without bounds would take the machine. */
const MOST_BYTES = 3_000 * MB;
const MOST_MILLIS = 90_000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: "string", default: "" } } });
if (positionals.length !== 2) throw new Error("give two checkouts: node benches/hostile.mjs ../base .");

/** Runs an attack on a runtime of its own, since memory of wasm does not shrink. */
async function cells(root, attack) {
  const scheduler = await prepared({ root: path.resolve(root) });
  const pid = runtimeOf(scheduler);
  let ended;
  const begun = Date.now();
  const watch = setInterval(() => {
    let rss;
    try {
      rss = rssOf(pid);
    } catch {
      ended ??= "the runtime ended";
      return;
    }
    if (rss > MOST_BYTES) ended ??= `ended at ${MOST_BYTES / MB} MB`;
    if (Date.now() - begun > MOST_MILLIS) ended ??= `ended after ${MOST_MILLIS / 1_000} s`;
    if (ended) scheduler.kill().catch(() => {});
  }, 50);
  try {
    const { ordinary, hostile } = await run(scheduler, pid, attack);
    if (ended) return [ended, "", ""];
    // A server that refuses a request may close the connection while the rest of the body is being
    // sent.
    const answer = ["EPIPE", "ECONNRESET"].includes(hostile.outcome.status) ? "closed" : hostile.outcome.status;
    const more = (some, other) => `${some} (${other})`;
    return [answer, more(hostile.cpu, ordinary.cpu), more(Math.round(hostile.bytes / MB), Math.round(ordinary.bytes / MB))].map(String);
  } catch (error) {
    return [ended ?? `the runtime ended: ${error.code ?? error.message}`, "", ""];
  } finally {
    clearInterval(watch);
    await scheduler.dispose().catch(() => {});
  }
}

console.log("| attack | base: answer | CPU ms | MB | now: answer | CPU ms | MB |");
console.log("|---|---|---|---|---|---|---|");
for (const attack of ATTACKS.filter(({ name }) => name.includes(values.only))) {
  const [base, now] = [await cells(positionals[0], attack), await cells(positionals[1], attack)];
  console.log(`| ${[attack.name, ...base, ...now].join(" | ")} |`);
}
