// The package as npm makes it: what is in it, how large it is, and from nothing to a fired task with npm alone.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureBuilt } from "./built.mjs";
import { freePort } from "../../../e2e/harness.mjs";
import { startSink } from "../../../e2e/sink.mjs";
import { verifyWebhook } from "../src/consumer/index.ts";
import { Blocks } from "./readme.mjs";
import { until } from "./runtime.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(PACKAGE, "../..");
const TEMPLATE = join(ROOT, "examples/typescript");

/** The package as it is downloaded, the wasm included. README.md states it. */
const MOST_PACKED_BYTES = 2_200_000;
/** All but the wasm and its script, unpacked: half of it is the dashboard. */
const MOST_OTHER_BYTES = 950_000;

const run = promisify(execFile);
let folder;
let packed;

async function pack(name) {
  const destination = join(folder, name);
  await mkdir(destination);
  // It is built already.
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", destination], { cwd: PACKAGE });
  const [{ filename, size, unpackedSize, files }] = JSON.parse(stdout);
  const path = join(destination, filename);
  return { path, size, unpackedSize, files, digest: await digestOf(path) };
}

const digestOf = async (path) => createHash("sha256").update(await readFile(path)).digest("hex");

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "durable-scheduler-"));
  ensureBuilt();
  packed = await pack("one");
});
after(() => rm(folder, { recursive: true, force: true }));

test("the package is the same however often it is made, and npm pack builds it", async () => {
  const again = join(folder, "two");
  await mkdir(again);
  await rm(join(PACKAGE, "dist"), { recursive: true });
  await run("npm", ["pack", "--pack-destination", again], { cwd: PACKAGE });
  assert.equal(await digestOf(join(again, basename(packed.path))), packed.digest);
});

test("the package holds what is needed and nothing else", () => {
  const unknown = packed.files.map(({ path }) => path).filter((path) => !/^(dist\/[\w-]+(\/[\w-]+)*\.(js|d\.ts)|dist\/cli\/LICENSE-jsonc-parser\.md|dashboard\/(_headers|index\.html|favicon\.svg|llms\.txt|skills\/durable-scheduler\/SKILL\.md|assets\/[\w.-]+\.(js|css))|prebuilt\/(index\.js|index\.d\.ts|index_bg\.wasm)|package\.json|README\.md|LICENSE)$/.test(path));
  assert.deepEqual(unknown, []);
  for (const needed of ["dist/workerd.js", "dist/worker/index.js", "dist/cli/main.js", "prebuilt/index.js", "prebuilt/index_bg.wasm", "dashboard/index.html", "LICENSE", "README.md"]) {
    assert.ok(packed.files.some(({ path }) => path === needed), needed);
  }
});

test("every file that package.json names is in the package, and there is no dependency", async () => {
  const manifest = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  const named = JSON.stringify([manifest.exports, manifest.bin]).match(/\.\/(dist|prebuilt)\/[^"]+/g);
  for (const path of named) assert.ok(packed.files.some((file) => `./${file.path}` === path), path);
  assert.equal(manifest.dependencies, undefined);
  // The README says so.
  assert.equal(manifest.publishConfig.provenance, true);
});

test("the package is within its size budget, which the README states", async () => {
  assert.ok(packed.size <= MOST_PACKED_BYTES, `${packed.size} bytes`);
  const others = packed.files.filter(({ path }) => !path.startsWith("prebuilt/")).reduce((sum, { size }) => sum + size, 0);
  assert.ok(others <= MOST_OTHER_BYTES, `${others} bytes`);
  assert.match(await readFile(join(PACKAGE, "README.md"), "utf8"), /at most 2\.2 MB to download/);
});

/** Returns a PATH with Node, npm and a shell, and no Rust, C or Python. */
async function barePath() {
  const bin = join(folder, "bin");
  await mkdir(bin);
  const npm = (await run("sh", ["-c", "command -v npm"])).stdout.trim();
  const npmFolder = dirname(await realpath(npm));
  await symlink(process.execPath, join(bin, "node"));
  for (const name of ["npm", "npx"]) await symlink(join(npmFolder, `${name}-cli.js`), join(bin, name));
  for (const name of ["sh", "env"]) await symlink((await run("sh", ["-c", `command -v ${name}`])).stdout.trim(), join(bin, name));
  for (const name of ["cargo", "rustc", "gcc", "cc", "python3", "wrangler"]) await assert.rejects(access(join(bin, name)));
  return bin;
}

/** The first project, in which the package is installed, and the environment of a newcomer. The first test makes them. */
let first;
let env;

const blocks = await Blocks.of("tarball.test.mjs");

/**
 * Runs `npx durable-scheduler dev` in a folder until it is ready. Returns its address, its key, and how to kill it. Something else on
 * this machine may take one of its ports at the last moment, so it is started up to `tries` times.
 */
async function startDev(folder, ready, tries = 3) {
  const port = await freePort();
  const child = spawn("npx", ["durable-scheduler", "dev", "--port", String(port)], { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  let hasEnded = false;
  const ended = once(child, "close").then(() => (hasEnded = true));
  const kill = async (signal = "SIGKILL") => {
    if (!hasEnded) process.kill(-child.pid, signal);
    await ended;
  };
  await until("the address", () => output.includes(ready) || hasEnded, 90_000).catch((error) => (output += `\n${error.message}`));
  if (!output.includes(ready)) {
    await kill();
    if (tries > 1 && /in use/i.test(output)) return startDev(folder, ready, tries - 1);
    throw new Error(`dev did not start:\n${output}`);
  }
  const url = `http://127.0.0.1:${port}`;
  assert.match(output, new RegExp(`^ {2}Address +${url}$`, "m"));
  const key = /^ {2}Key +(\S+)$/m.exec(output)[1];
  const receiverKey = /^ {2}Webhooks are signed\. Receivers verify them with (\S+)$/m.exec(output)[1];
  return { url, key, receiverKey, kill };
}

const list = async ({ url, key }) => (await (await fetch(`${url}/v1/tasks`, { headers: { authorization: `Bearer ${key}` } })).json()).tasks;

/** Returns a command of README.md as it is run here: with the tarball, and with the wrangler that everything is tested with. */
async function localCommand(line) {
  const { version } = JSON.parse(await readFile(join(ROOT, "node_modules/wrangler/package.json"), "utf8"));
  const flags = "--prefer-offline --no-audit --no-fund --loglevel=error";
  return line.replace(/^npm install( .*)? durable-scheduler$/, `npm install$1 ${packed.path} ${flags}`).replace(/^npm install (.*)wrangler$/, `npm install $1wrangler@${version} ${flags}`);
}

/** Whether an answer is the one that is shown, in which `…` stands for anything. */
const isShown = (answer, shown) => new RegExp(`^${shown.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`).test(answer);

test("from nothing to a fired task with npm alone, by the commands and files of README.md", async (context) => {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  first = join(folder, "first");
  await mkdir(first);
  const { PATH: _, ...others } = process.env;
  env = { ...others, PATH: await barePath(), TMPDIR: folder, XDG_CONFIG_HOME: join(folder, "config"), WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  assert.ok(!env.PATH.includes(delimiter));
  const [install, start, requests] = [1, 2, 3].map(() => blocks.take("The scheduler in your Worker", "sh").code);
  for (const line of install.trim().split("\n")) await run("sh", ["-c", await localCommand(line)], { cwd: first, env });
  const installed = seconds();
  await writeFile(join(first, "src/index.ts"), blocks.take("The scheduler in your Worker").code);

  assert.equal(start, "npx durable-scheduler dev\n");
  const dev = await startDev(first, "The scheduler is ready in your Worker");
  try {
    const shown = [...requests.matchAll(/^(curl .*)\n# → (.*)$/gm)];
    assert.equal(shown.length, 2);
    for (const [, command, answer] of shown) {
      // A task is listed until its end is reported.
      await until(`${command} to answer ${answer}`, async () => isShown((await run("sh", ["-c", command.replace("localhost:8787", new URL(dev.url).host)])).stdout, answer));
    }
    context.diagnostic(`from nothing to a fired task: ${seconds()} s, of which npm install ${installed} s`);
    assert.ok(performance.now() - started < 120_000, seconds());
  } finally {
    await dev.kill();
  }
});

test("the Worker of README.md compiles with the settings for an editor", async () => {
  await writeFile(join(first, "tsconfig.json"), blocks.take("The scheduler in your Worker", "json").code);
  await run("npx", ["wrangler", "types"], { cwd: first, env });
  const { stdout } = await run("tsc", ["-p", first]).catch((error) => error);
  assert.equal(stdout, "");
});

test("the test of README.md runs in the same project", async () => {
  await writeFile(join(first, "reminders.test.mjs"), blocks.take("Tests of your own", "js").code);
  const { NODE_TEST_CONTEXT: _, ...outside } = env;
  const { stdout } = await run("node", ["--test", "--test-reporter=spec", "reminders.test.mjs"], { cwd: first, env: outside });
  assert.match(stdout, /^ℹ pass 1$/m);
  assert.deepEqual(blocks.left, []);
});

/** The project that the template makes. */
let project;

test("the template runs with the packed package", async () => {
  project = join(folder, "project");
  await cp(TEMPLATE, project, { recursive: true });
  await symlink(join(first, "node_modules"), join(project, "node_modules"));
  const dev = await startDev(project, "The scheduler is ready in your Worker");
  try {
    assert.match(await readFile(join(project, ".dev.vars"), "utf8"), new RegExp(`^API_KEYS=${dev.key}$`, "m"));
    assert.equal((await fetch(`${dev.url}/kim?text=Tea&seconds=1`, { method: "POST" })).status, 201);
    const found = await until("the reminder", async () => {
      const reminders = await (await fetch(`${dev.url}/kim`)).json();
      return reminders.sent.length > 0 && reminders.waiting.length === 0 && reminders;
    });
    assert.deepEqual(found, { waiting: [], sent: ["Tea"] });
    // The schedule that the class declares.
    const tasks = await list(dev);
    assert.deepEqual(tasks.map(({ id, cron, timezone }) => [id, cron, timezone]), [["{REMINDERS:kim}:@cleanUp", "0 9 * * MON", "Europe/London"]]);
    await fetch(`${dev.url}/kim?text=later&seconds=86400`, { method: "POST" });
    // Webhooks are signed, and the package's own command makes the key of their receivers.
    const sink = await startSink(() => 204);
    try {
      const body = JSON.stringify({ delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/signed` }, payload: "Tea" });
      await fetch(`${dev.url}/v1/tasks`, { method: "POST", headers: { authorization: `Bearer ${dev.key}` }, body });
      const { headers, text } = await until("the webhook", () => sink.webhooks.find(({ path }) => path === "/signed"));
      const { stdout } = await run("sh", ["-c", "npx durable-scheduler signing-key </dev/null"], { cwd: project, env });
      assert.equal(stdout, `${dev.receiverKey}\n`);
      assert.equal((await verifyWebhook({ headers, body: text }, stdout.trim())).json().payload, "Tea");
    } finally {
      await sink.close();
    }
  } finally {
    await dev.kill();
  }
});

test("the template can be deployed", async () => {
  const { stdout } = await run("npx", ["wrangler", "deploy", "--dry-run", "--outdir", join(folder, "deployed")], { cwd: project, env });
  assert.match(stdout, /--dry-run: exiting now/);
  for (const binding of ["SHARDS", "REGISTRY", "LIMITERS", "REMINDERS", "DISPATCH_QUEUE"]) assert.ok(stdout.includes(`env.${binding}`), stdout);
});

test("dev keeps tasks on disk, also if it is killed, declares nothing twice, and serves the dashboard if init has added it", async () => {
  await run("npx", ["durable-scheduler", "init", "--dashboard", "--yes"], { cwd: project, env });
  const dev = await startDev(project, "The scheduler is ready in your Worker");
  try {
    assert.match(await (await fetch(dev.url)).text(), /<title>Scheduler<\/title>/);
    assert.deepEqual(await (await fetch(`${dev.url}/kim`)).json(), { waiting: ["later"], sent: ["Tea"] });
    assert.equal((await list(dev)).length, 2);
  } finally {
    await dev.kill("SIGTERM");
  }
});

test("dev runs the scheduler beside a project that does not hold it", async () => {
  const beside = join(folder, "beside");
  await mkdir(beside);
  await symlink(join(first, "node_modules"), join(beside, "node_modules"));
  const dev = await startDev(beside, "The scheduler is ready.");
  try {
    const task = { id: "x", time: "2099-01-01T00:00:00Z", callback: { type: "webhook", url: "http://localhost:1/x" } };
    const made = await fetch(`${dev.url}/v1/tasks`, { method: "POST", headers: { authorization: `Bearer ${dev.key}` }, body: JSON.stringify(task) });
    assert.equal(made.status, 201, await made.text());
    assert.deepEqual((await list(dev)).map(({ id }) => id), ["x"]);
    const dashboard = await fetch(dev.url);
    assert.match(dashboard.headers.get("content-type"), /^text\/html/);
    assert.match(dashboard.headers.get("content-security-policy"), /default-src 'none'/);
    assert.match(await dashboard.text(), /<script/);
  } finally {
    await dev.kill("SIGTERM");
  }
});
