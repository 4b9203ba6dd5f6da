// Runs every test suite, and ends with one line for all: `N passed, N failed`. A suite that ends with an error, or that runs no
// test, is a failure, because a test that does not run proves nothing.
//
// Usage: node scripts/test.mjs [SUITE or FILE...], such as `typescript`, `"end to end"` or `e2e/lists.test.mjs`.
//
// The suites in JavaScript mostly wait: for due times, and for runtimes to start. So two of their files run at once, except those
// that cannot share something, and those that measure. The output of a file appears when the file has ended.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./paths.mjs";

/** The lines in which a runner prints its results. Each match adds its groups `passed` and `failed`. */
const CARGO = [/^test result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed;/];
const NODE = [/^ℹ pass (?<passed>\d+)$/, /^ℹ fail (?<failed>\d+)$/, /^ℹ cancelled (?<failed>\d+)$/];
// No test may hang the run. A test is cancelled after five minutes, and its open handles do not
// keep the process alive.
const NODE_TEST = ["node", "--test", "--test-reporter=spec", "--test-timeout=300000", "--test-force-exit", "--disable-warning=ExperimentalWarning"];

/** The number of files that run at once. More than two would take the cores of a small machine from each other. */
const AT_ONCE = Math.min(2, availableParallelism());

/** The files of e2e/ that run while no other does, each because of something that it measures or counts. */
const ALONE = {
  "crash.test.mjs": "the runs that a busy machine repeats",
  "envelopes.test.mjs": "how many envelopes the gaps between firings allow",
  "fairness.test.mjs": "lateness",
  "firing.test.mjs": "lateness",
  "grammar.test.mjs": "what a neighbor waits",
  "hostile.test.mjs": "CPU and memory of a request, and what a neighbor waits",
  "limits.test.mjs": "the rate at which webhooks arrive",
  "memory.test.mjs": "the memory of full shards",
  "panic.test.mjs": "the time until what a panic has stopped runs again",
  "smoke.test.mjs": "lateness, and what a load repeats",
  "subrequests.test.mjs": "firings 200 ms apart",
  "upgrade.test.mjs": "runs after a cancel, and what a load repeats",
  "waits.test.mjs": "the number of answers in three seconds",
};

/**
 * The suites. One has a `command`, or a `folder` of files whose names match `files`. `shares(name)` names what a file uses alone: of
 * the files that share something, one runs at a time.
 */
const SUITES = [
  { name: "rust", command: ["cargo", "test", "--workspace", "--no-fail-fast"], results: CARGO },
  { name: "examples", command: [...NODE_TEST, "examples/*/test/*.test.ts"], results: NODE },
  // The first file builds the package, and one builds it again.
  { name: "typescript", folder: "clients/typescript/test", files: /\.test\.(mjs|ts)$/, shares: () => "the package" },
  { name: "end to end", folder: "e2e", files: /^[^/]+\.test\.mjs$/, shares: (name) => (name.startsWith("dashboard") ? "the cores, with a browser" : undefined) },
];

/** Returns the files of a suite: their paths in the checkout, what they share, and whether they run alone. */
function filesOf({ name: suite, folder, files, shares }) {
  const names = readdirSync(join(ROOT, folder), { recursive: true }).filter((name) => files.test(name) && !name.split("/").includes("node_modules"));
  const gone = suite === "end to end" ? Object.keys(ALONE).filter((name) => !names.includes(name)) : [];
  if (gone.length > 0) throw new Error(`no such file in e2e/: ${gone}`);
  return names.sort().map((name) => ({ suite, path: `${folder}/${name}`, share: shares(name), isAlone: folder === "e2e" && name in ALONE }));
}

/** Runs a command. Returns what its runner counted, with a failure more if it ended badly, and how long it took. */
async function run(what, [program, ...args], results, show, env = process.env) {
  const started = Date.now();
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  const total = { passed: 0, failed: 0 };
  child.stderr.setEncoding("utf8").on("data", (text) => show(text));
  for await (const line of createInterface(child.stdout)) {
    show(`${line}\n`);
    for (const pattern of results) {
      const found = pattern.exec(line)?.groups ?? {};
      total.passed += Number(found.passed ?? 0);
      total.failed += Number(found.failed ?? 0);
    }
  }
  const [status] = await ended;
  // It did not compile, or crashed. This counts as one failure, which no runner has counted.
  if (status !== 0 && total.failed === 0) {
    show(`== ${what}: ended with status ${status} after ${total.passed} tests\n`);
    total.failed += 1;
  }
  return { ...total, seconds: (Date.now() - started) / 1000 };
}

/** Runs a file in one of the slots, and shows its output once it has ended. */
async function runFile({ path }, slot) {
  const output = [];
  // Files that run at once do not find each other's ports and Workers: see `freePort`, and wrangler's registry of running Workers.
  const env = { ...process.env, TEST_SLOT: String(slot), WRANGLER_REGISTRY_PATH: join(ROOT, `.wrangler/registry-${slot}`) };
  const ran = await run(path, [...NODE_TEST, path], NODE, (text) => output.push(text), env);
  console.log(`\n== ${path} (${ran.seconds.toFixed(1)} s)\n${output.join("").trimEnd()}`);
  return ran;
}

/** Runs files, as many at once as may. Calls `done(file, ran)` after each. */
async function runFiles(files, done) {
  const waiting = files.toSorted((a, b) => a.isAlone - b.isAlone);
  const running = new Map();
  const mayRun = (file) => {
    if (running.size === 0) return true;
    const others = [...running.values()].map(({ file }) => file);
    return running.size < AT_ONCE && !file.isAlone && others.every((other) => !other.isAlone && (file.share === undefined || other.share !== file.share));
  };
  while (waiting.length > 0 || running.size > 0) {
    let next;
    while ((next = waiting.findIndex(mayRun)) >= 0) {
      const [file] = waiting.splice(next, 1);
      const slot = Array.from({ length: AT_ONCE }, (_, n) => n).find((n) => !running.has(n));
      running.set(slot, { file, ended: runFile(file, slot).then((ran) => ({ slot, file, ran })) });
    }
    const { slot, file, ran } = await Promise.race([...running.values()].map(({ ended }) => ended));
    running.delete(slot);
    done(file, ran);
  }
}

const only = process.argv.slice(2);
const known = SUITES.flatMap((suite) => [suite.name, ...(suite.folder ? filesOf(suite).map(({ path }) => path) : [])]);
const unknown = only.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`no such suite or file: ${unknown}; the suites are: ${SUITES.map((suite) => suite.name).join(", ")}`);
const isWanted = (...names) => only.length === 0 || names.some((name) => only.includes(name));

const sums = new Map();
const failed = [];
function add(suite, what, ran) {
  const sum = sums.get(suite) ?? { passed: 0, failed: 0, seconds: 0 };
  for (const field of Object.keys(sum)) sum[field] += ran[field];
  sums.set(suite, sum);
  if (ran.failed > 0) failed.push(what);
}

for (const { name, command, results } of SUITES) {
  if (!command || !isWanted(name)) continue;
  console.log(`\n== ${name}: ${command.join(" ")}`);
  add(name, name, await run(name, command, results, (text) => process.stdout.write(text)));
}
const files = SUITES.filter(({ folder }) => folder).flatMap((suite) => filesOf(suite).filter(({ path }) => isWanted(suite.name, path)));
const began = Date.now();
await runFiles(files, ({ suite, path }, ran) => add(suite, path, ran));

console.log();
for (const [name, sum] of sums) {
  if (sum.passed + sum.failed === 0) {
    sum.failed = 1;
    failed.push(`${name}, in which no test has run`);
  }
  console.log(`${name}: ${sum.passed} passed, ${sum.failed} failed (${sum.seconds.toFixed(0)} s)`);
}
if (files.length > 1) console.log(`${files.length} files took ${((Date.now() - began) / 1000).toFixed(0)} s, ${AT_ONCE} at once`);
for (const what of failed) console.log(`failed: ${what}`);
const sum = (field) => [...sums.values()].reduce((total, suite) => total + suite[field], 0);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
process.exit(sum("failed") === 0 ? 0 : 1);
