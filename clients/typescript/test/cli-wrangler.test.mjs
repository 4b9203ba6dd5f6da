// The command line: what it has wrangler do. What it adds to a configuration is in cli.test.mjs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { namespaceKeys } from "../src/cli/signing-key.ts";
import { freePort } from "../../../e2e/harness.mjs";
import { COMMAND, command, config, project, read } from "./projects.mjs";
import { until } from "./runtime.mjs";

/** A wrangler that notes how it was called. It reads configurations with the real one. */
const FAKE = `
  const { appendFileSync, readFileSync, existsSync } = require("node:fs");
  const args = process.argv.slice(2);
  const input = args[1] === "put" ? readFileSync(0, "utf8") : undefined;
  appendFileSync("calls.json", JSON.stringify(input === undefined ? args : [...args, input]) + "\\n");
  const known = existsSync("known.json") ? JSON.parse(readFileSync("known.json", "utf8")) : { queues: [], secrets: [] };
  if (args[0] === "queues" && args[1] === "info" && !known.queues.includes(args[2])) process.exit(1);
  if (args[0] === "dev") {
    require("node:fs").writeFileSync("dev.pid", String(process.pid));
    // As wrangler does it if the runtime does not start.
    setInterval(() => existsSync("src/index.ts") && readFileSync("src/index.ts", "utf8").includes("broken") && process.exit(1), 50);
    if (known.listens) require("node:http").createServer((_, response) => response.end()).listen(Number(args[args.indexOf("--port") + 1]), "127.0.0.1");
    return;
  }
  if (args[0] === "whoami") {
    console.log(JSON.stringify({ loggedIn: !known.loggedOut }, undefined, 2));
    process.exit(known.loggedOut ? 1 : 0);
  }
  if (known.fails?.includes(args.slice(0, 2).join(" "))) process.exit(1);
  if (args[0] === "secret" && args[1] === "list") console.log((known.before ?? "") + JSON.stringify(known.secrets.map((name) => ({ name, type: "secret_text" }))));
`;

async function withFakeWrangler(files) {
  const folder = await project(files);
  const real = createRequire(import.meta.url).resolve("wrangler/package.json");
  const { main } = JSON.parse(await readFile(real, "utf8"));
  const place = join(folder, "node_modules/wrangler");
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "package.json"), JSON.stringify({ name: "wrangler", version: "0.0.0", main: "main.cjs", bin: { wrangler: "bin.cjs" } }));
  await writeFile(join(place, "main.cjs"), `module.exports = require(${JSON.stringify(join(dirname(real), main))});`);
  await writeFile(join(place, "bin.cjs"), FAKE);
  return folder;
}
const calls = async (folder) => (await read(folder, "calls.json")).trim().split("\n").map((line) => JSON.parse(line).filter((argument) => argument !== "--config" && !argument.endsWith("wrangler.jsonc")));

test("dev goes on after a change with which the Worker does not start, and ends at a signal", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  await writeFile(join(folder, "known.json"), JSON.stringify({ queues: [], secrets: [], listens: true }));
  const child = spawn(process.execPath, [COMMAND, "dev", "--port", String(await freePort())], { cwd: folder, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, npm_command: undefined } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const ended = once(child, "close");
  const shown = (text, times) => until(`${text}, ${times} times, in ${output}`, () => output.split(text).length > times);
  const worker = await read(folder, "src/index.ts");
  for (let times = 1; times <= 2; times += 1) {
    await shown("The scheduler is ready in your Worker.", times);
    await writeFile(join(folder, "src/index.ts"), "export * from \"broken\"");
    await shown("The Worker no longer starts: see above. With the next change of a file, it is started again.", times);
    // What wrangler keeps is no file of the project.
    await mkdir(join(folder, ".wrangler/tmp"), { recursive: true });
    await writeFile(join(folder, "src/index.ts"), worker);
  }
  await shown("The scheduler is ready in your Worker.", 3);
  child.kill("SIGTERM");
  await ended;

  // What has never started ends at once, with its status.
  await writeFile(join(folder, "src/index.ts"), "export * from \"broken\"");
  const { status } = await command(folder, "dev", "--port", String(await freePort()));
  assert.equal(status, 1);
});

test("dev refuses storage that another dev uses, and takes it when that one has ended, even by kill -9", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  const port = await freePort();
  const first = spawn(process.execPath, [COMMAND, "dev", "--port", String(port)], { cwd: folder, stdio: "ignore", env: { ...process.env, npm_command: undefined } });
  const ended = once(first, "close");
  const pid = Number(await until("wrangler dev", async () => (await read(folder, "dev.pid")) || undefined));
  const second = async (...args) => command(folder, "dev", "--port", String(await freePort()), ...args);
  const refused = await second();
  assert.equal(refused.status, 2, refused.stderr);
  assert.match(refused.stderr, new RegExp(`^the storage .*/\\.wrangler/state belongs to the scheduler that runs on port ${port} as process ${first.pid}: end that process, or give another folder with --persist-to`));
  // The Worker of a further wrangler does not start, so dev ends with its status.
  first.kill("SIGKILL");
  await ended;
  process.kill(pid);
  await writeFile(join(folder, "src/index.ts"), "export * from \"broken\"");
  assert.equal((await second()).status, 1);
});

test("dev gives further arguments to wrangler, and checks the environment that they name", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  const made = JSON.parse(await read(folder, "wrangler.jsonc"));
  const { durable_objects, queues, vars } = made;
  const old = { durable_objects: { bindings: [...durable_objects.bindings.slice(1), { name: "SHARDS", class_name: "Mine" }] }, queues, vars };
  await writeFile(join(folder, "wrangler.jsonc"), JSON.stringify({ ...made, env: { staging: { durable_objects, queues, vars }, old } }));
  // The Worker of this wrangler has never started, so dev ends with its status.
  await writeFile(join(folder, "src/index.ts"), "export * from \"broken\"");
  for (const env of [["--env", "staging"], ["-e=staging", "--live-reload"]]) {
    assert.equal((await command(folder, "dev", "--port", String(await freePort()), "--", ...env)).status, 1);
    assert.deepEqual((await calls(folder)).at(-1).slice(-env.length), env);
  }
  const { status, stderr } = await command(folder, "dev", "--port", String(await freePort()), "--", "--env", "old");
  assert.deepEqual([status, /has to lead to the class Shard of this Worker, and leads to Mine/.test(stderr)], [2, true], stderr);
});

test("dev ends wrangler if npm is killed, which passes on nothing", async () => {
  const folder = await withFakeWrangler({});
  const port = await freePort();
  // As npm does it: a process that starts a shell, which starts the command.
  const npm = `require("node:child_process").spawn("sh", ["-c", '"$0" "$@"; true', ...${JSON.stringify([process.execPath, COMMAND, "dev", "--port", String(port)])}], { stdio: "ignore" })`;
  const child = spawn(process.execPath, ["-e", npm], { cwd: folder, stdio: "ignore", env: { ...process.env, npm_command: "exec" } });
  const pid = Number(await until("wrangler dev", async () => (await read(folder, "dev.pid")) || undefined));
  const isRunning = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  assert.ok(isRunning());
  child.kill("SIGKILL");
  await until("wrangler to end", () => !isRunning());
});

test("deploy makes the queues and secrets that are missing, and no others", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  const { name } = config(folder, "wrangler.jsonc");
  await writeFile(join(folder, "known.json"), JSON.stringify({ queues: [`${name}-dispatch`], secrets: ["WEBHOOK_SIGNING_KEYS"] }));
  const { status, stdout, stderr } = await command(folder, "deploy", "--", "--minify");
  assert.equal(status, 0, stderr);
  const made = await calls(folder);
  const key = made.at(-1).at(-1);
  assert.deepEqual(made, [
    ["deploy", "--dry-run", "--minify"],
    ["whoami", "--json"],
    ["queues", "info", `${name}-dispatch`],
    ["queues", "info", `${name}-dispatch-dlq`],
    ["queues", "create", `${name}-dispatch-dlq`],
    ["deploy", "--minify"],
    ["secret", "list", "--format", "json"],
    ["secret", "put", "API_KEYS", key],
  ]);
  assert.match(key, /^[0-9a-f]{48}$/);
  assert.ok(stdout.includes(key));

  await rm(join(folder, "known.json"));
  await rm(join(folder, "calls.json"));
  const first = await command(folder, "deploy");
  const signing = (await calls(folder)).at(-1);
  assert.deepEqual(signing.slice(0, 3), ["secret", "put", "WEBHOOK_SIGNING_KEYS"]);
  assert.match(signing[3], /^whsec_[A-Za-z0-9+/]{43}=$/);
  // What its receivers need follows from it, and nothing shows it later.
  for (const shown of [signing[3], ...namespaceKeys(signing[3], "default")]) assert.ok(first.stdout.includes(shown), first.stdout);
});

test("deploy of an environment makes the queues and secrets of that one, and a dry run makes none", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  const made = JSON.parse(await read(folder, "wrangler.jsonc"));
  await writeFile(join(folder, "wrangler.jsonc"), JSON.stringify({ ...made, env: { staging: {} } }));
  const lacking = await command(folder, "deploy", "--", "--env", "staging");
  assert.equal(lacking.status, 2);
  assert.match(lacking.stderr, /^env\.staging in .* lacks durable_objects\.bindings.*: copy it from above$/m);
  const { durable_objects, queues: { producers: [producer], consumers: [consumer] }, vars } = made;
  const staging = { durable_objects, vars, queues: { producers: [{ ...producer, queue: "staging-dispatch" }], consumers: [{ ...consumer, queue: "staging-dispatch", dead_letter_queue: "staging-dlq" }] } };
  await writeFile(join(folder, "wrangler.jsonc"), JSON.stringify({ ...made, env: { staging } }));
  for (const args of [["--env", "staging"], ["--env=staging"], ["-e", "staging"]]) {
    await rm(join(folder, "calls.json"), { force: true });
    const { status, stderr } = await command(folder, "deploy", "--", ...args);
    assert.equal(status, 0, stderr);
    const found = (await calls(folder)).slice(2).map((call) => call.slice(0, 5));
    assert.deepEqual(found.slice(0, 4), [["queues", "info", "staging-dispatch"], ["queues", "create", "staging-dispatch"], ["queues", "info", "staging-dlq"], ["queues", "create", "staging-dlq"]]);
    assert.deepEqual(found.slice(4).map((call) => call.join(" ")), [`deploy ${args.join(" ")}`, "secret list --format json --env", "secret put API_KEYS --env staging", "secret put WEBHOOK_SIGNING_KEYS --env staging"]);
  }
  await rm(join(folder, "calls.json"));
  for (const args of [["--dry-run"], ["--", "--dry-run"]]) {
    assert.equal((await command(folder, "deploy", ...args)).status, 0);
    assert.deepEqual(await calls(folder), [["deploy", "--dry-run"]]);
    await rm(join(folder, "calls.json"));
  }
});

test("deploy makes nothing without an account, or for a Worker that does not build", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  const { name } = config(folder, "wrangler.jsonc");
  for (const [known, says] of [
    [{ loggedOut: true }, new RegExp(`^you are not logged in: run npx wrangler login.* Deploy would create the Worker ${name}, those of the queues ${name}-dispatch and ${name}-dispatch-dlq that are missing, and then those of the secrets API_KEYS and WEBHOOK_SIGNING_KEYS$`, "m")],
    [{ fails: ["deploy --dry-run"] }, /^wrangler deploy --dry-run failed: nothing was created$/m],
  ]) {
    await writeFile(join(folder, "known.json"), JSON.stringify({ queues: [], secrets: [], ...known }));
    await rm(join(folder, "calls.json"), { force: true });
    const { status, stderr } = await command(folder, "deploy");
    assert.equal(status, 2);
    assert.match(stderr, says);
    assert.deepEqual((await calls(folder)).filter(([what, how]) => (what === "deploy" && how !== "--dry-run") || how === "create" || how === "put"), []);
  }
});

test("deploy that fails half-way says where, and can be called again", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  const { name } = config(folder, "wrangler.jsonc");
  const queues = [`${name}-dispatch`, `${name}-dispatch-dlq`];
  for (const [known, says] of [
    [{ fails: ["deploy --config"] }, /^wrangler deploy .* failed$/m],
    [{ fails: ["secret list"] }, /^wrangler secret list failed: the Worker is deployed/m],
    [{ fails: ["secret put"] }, /^wrangler secret put API_KEYS failed$/m],
  ]) {
    await writeFile(join(folder, "known.json"), JSON.stringify({ queues, secrets: [], ...known }));
    const { status, stderr, stdout } = await command(folder, "deploy");
    assert.equal(status, 2);
    assert.match(stderr, says);
    // No key is shown that is not in place.
    assert.doesNotMatch(stdout, /[0-9a-f]{48}/);
  }
  await writeFile(join(folder, "known.json"), JSON.stringify({ queues, secrets: ["API_KEYS", "WEBHOOK_SIGNING_KEYS"], before: "\u001b[33m[WARNING] old\u001b[0m\n[x\n" }));
  await rm(join(folder, "calls.json"));
  assert.equal((await command(folder, "deploy")).status, 0);
  assert.deepEqual((await calls(folder)).filter(([, what]) => what === "put"), []);
});

test("deploy refuses a configuration without the scheduler", async () => {
  const folder = await withFakeWrangler({ "wrangler.jsonc": '{ "name": "mine", "main": "index.ts", "compatibility_date": "2026-11-17" }' });
  const { status, stderr } = await command(folder, "deploy");
  assert.equal(status, 2);
  assert.match(stderr, /lacks durable_objects\.bindings.*: run durable-scheduler init/);
  await assert.rejects(read(folder, "calls.json"));
});
