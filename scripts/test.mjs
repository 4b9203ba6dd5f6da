// Runs every test suite, shows its output as it arrives, and ends with one line for all: `N passed,
// N failed`. A suite that ends with an error, or that runs no test, is a failure, because a test
// that does not run proves nothing.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The lines in which a runner prints its results. Each match adds its groups `passed` and `failed`. */
const CARGO = [/^test result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed;/];
const NODE = [/^ℹ pass (?<passed>\d+)$/, /^ℹ fail (?<failed>\d+)$/, /^ℹ cancelled (?<failed>\d+)$/];
// No test may hang the run. A test is cancelled after five minutes, and its open handles do not
// keep the process alive.
const NODE_TEST = ["node", "--test", "--test-reporter=spec", "--test-timeout=300000", "--test-force-exit"];

const SUITES = [
  { name: "rust", command: ["cargo", "test", "--workspace", "--no-fail-fast"], results: CARGO },
  { name: "examples", command: [...NODE_TEST, "--disable-warning=ExperimentalWarning", "examples/*/test/*.test.ts"], results: NODE },
  // The files run one at a time, because some start a runtime of their own.
  { name: "typescript", command: [...NODE_TEST, "--test-concurrency=1", "--disable-warning=ExperimentalWarning", "clients/typescript/test/**/*.test.{mjs,ts}"], results: NODE },
  // The files run one at a time, because each starts a runtime of its own, and some measure
  // lateness.
  { name: "end to end", command: [...NODE_TEST, "--test-concurrency=1", "e2e/*.test.mjs"], results: NODE },
];

async function runSuite({ name, command, results }) {
  console.log(`\n== ${name}: ${command.join(" ")}`);
  const started = Date.now();
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const total = { passed: 0, failed: 0 };
  for await (const line of createInterface(child.stdout)) {
    console.log(line);
    for (const pattern of results) {
      const found = pattern.exec(line)?.groups ?? {};
      total.passed += Number(found.passed ?? 0);
      total.failed += Number(found.failed ?? 0);
    }
  }
  const [status] = await ended;
  // The suite did not compile, crashed, or ran no test. This counts as one failure, which no runner
  // has counted.
  const broken = (status !== 0 && total.failed === 0) || total.passed + total.failed === 0;
  if (broken) {
    console.log(`== ${name}: ended with status ${status} after ${total.passed} tests`);
    total.failed += 1;
  }
  return { name, ...total, seconds: ((Date.now() - started) / 1000).toFixed(0) };
}

const only = process.argv.slice(2);
const unknown = only.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) throw new Error(`no such suite: ${unknown}; there are: ${SUITES.map((suite) => suite.name).join(", ")}`);

const done = [];
for (const suite of SUITES) {
  if (only.length === 0 || only.includes(suite.name)) done.push(await runSuite(suite));
}
console.log();
for (const { name, passed, failed, seconds } of done) console.log(`${name}: ${passed} passed, ${failed} failed (${seconds} s)`);
const sum = (field) => done.reduce((total, suite) => total + suite[field], 0);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
process.exit(sum("failed") === 0 ? 0 : 1);
