// `make smoke` deploys a copy of the scheduler to a Cloudflare account, measures it, and removes it: see docs/production.md, or node scripts/smoke.mjs
// --help.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs, promisify } from "node:util";
import { ROOT } from "./paths.mjs";
import { Api } from "./smoke/api.mjs";
import { MEASURES } from "./smoke/measures.mjs";
import { newRun } from "./smoke/names.mjs";
import { MAX_RUN_MILLIS, planText, sizes } from "./smoke/plan.mjs";
import { reportText } from "./smoke/report.mjs";
import { EXIT, Interrupted, removeLeftovers, smoke } from "./smoke/run.mjs";
import { readSettings } from "./smoke/upload.mjs";

const HELP = `make smoke ARGS="options": deploys a copy to your account, measures it, and removes it
  --yes              confirms what the copy does and costs; without it, this only says so
  --remove           only removes what earlier runs have left, also what is running now
  --scale N          multiplies the numbers of tasks and the times, 0.01 to 5; default 1
  --only A,B         only these measures: ${MEASURES.map(({ name }) => name).join(", ")}
  --analytics S      how long to wait for the platform's figures, 1 to 1800 seconds; default 600
  --report FILE      default benches/production.md
environment:
  CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID   a token that may edit Workers and queues and read analytics
  CLOUDFLARE_API_BASE_URL                       another address of the platform's API
  SMOKE_ADDRESS                                 where deployed Workers answer, by default https://{name}.{subdomain}.workers.dev
  LOADTEST                                      a built load tester; by default it is built`;

const log = (line) => console.log(line);

/** Ends with a message about the usage. */
function refuse(message) {
  console.error(`make smoke: ${message}`);
  process.exit(EXIT.failed);
}

function options() {
  const text = (fallback) => ({ type: "string", default: fallback });
  const flag = { type: "boolean", default: false };
  try {
    return parseArgs({ options: { yes: flag, remove: flag, help: flag, scale: text("1"), only: text(""), analytics: text("600"), report: text(join(ROOT, "benches/production.md")) } }).values;
  } catch (error) {
    return refuse(`${error.message}\n${HELP}`);
  }
}

/** Returns the number of an option, which must be within these limits. */
function within(option, given, least, most) {
  const number = Number(given);
  return given !== "" && number >= least && number <= most ? number : refuse(`--${option} ${given}: must be between ${least} and ${most}`);
}

async function builtLoadtest() {
  if (process.env.LOADTEST) return process.env.LOADTEST;
  const [code] = await once(spawn("cargo", ["build", "--release", "-p", "loadtest"], { stdio: "inherit", cwd: ROOT }), "exit");
  if (code !== 0) refuse("the load tester could not be built");
  return join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "release/loadtest");
}

/** Returns a signal that ends the run: at Ctrl-C, when its terminal is closed, or when it takes too long. */
function endings() {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => {
      if (controller.signal.aborted) return log("everything is being removed: please wait");
      controller.abort(new Interrupted(`interrupted (${name})`));
    });
  }
  setTimeout(() => controller.abort(new Error(`the run took more than ${MAX_RUN_MILLIS / 60_000} minutes`)), MAX_RUN_MILLIS).unref();
  return controller.signal;
}

const commitNow = async () => (await promisify(execFile)("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT }).catch(() => ({ stdout: "unknown" }))).stdout.trim();

async function main() {
  const given = options();
  if (given.help) return log(HELP);
  const scale = within("scale", given.scale, 0.01, 5);
  const analytics = within("analytics", given.analytics, 1, 1_800);
  const only = given.only === "" ? [] : given.only.split(",");
  const unknown = only.filter((name) => !MEASURES.some((measure) => measure.name === name));
  if (unknown.length > 0) refuse(`--only ${unknown}: there are ${MEASURES.map(({ name }) => name).join(", ")}`);

  const run = newRun();
  const sized = sizes(scale);
  if (!given.remove) for (const line of planText(sized, run, analytics)) log(line);
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_BASE_URL: base, SMOKE_ADDRESS: address } = process.env;
  if (!token || !account) refuse("set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID: see docs/production.md");
  if (!given.yes && !given.remove) refuse('nothing was done: confirm with make smoke ARGS="--yes"');

  const api = new Api({ token, account, base });
  if (given.remove) {
    const problems = await removeLeftovers(api, log, () => true).catch((error) => [error.message]);
    for (const problem of problems) log(`could not be removed: ${problem}`);
    process.exit(problems.length > 0 ? EXIT.left : EXIT.fine);
  }
  const loadtest = await builtLoadtest();
  const startedAt = Date.now();
  const isShort = scale < 0.1;
  const { code, results, faults, notes } = await smoke({
    api,
    run,
    settings: await readSettings(),
    address,
    measures: MEASURES.filter(({ name }) => only.length === 0 || only.includes(name)),
    sizes: sized,
    // Seconds, and the rate of creates that the load tester counts on before a herd.
    times: { lead: isShort ? 1 : 10, grace: isShort ? 60 : 120, settle: isShort ? 0.5 : 10, expectedRate: 1_000, analytics },
    loadtest,
    everyMillis: isShort ? 100 : 500,
    signal: endings(),
    log,
  });
  if (Object.keys(results).length > 0) {
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    await writeFile(given.report, reportText({ run, startedAt, seconds, scale, results, faults, notes, commit: await commitNow() }));
    log(`written: ${relative(process.cwd(), given.report)}`);
  }
  log(code === EXIT.fine ? "nothing lost, nothing sent twice, and everything is removed" : `ended with status ${code}`);
  process.exit(code);
}

await main();
