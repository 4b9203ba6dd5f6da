// The command line: what it adds to a configuration, and what it has wrangler do. The local runtime is in tarball.test.mjs.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";
import { ensureBuilt } from "./built.mjs";
import { OLDEST_COMPATIBILITY_DATE } from "../src/compatibility.ts";
import { diff } from "../src/cli/diff.ts";
import { ensureKey, localVars } from "../src/cli/dev.ts";
import { addTo } from "../src/cli/edit.ts";
import { ASSETS, CONSUMER, CRON, COMPATIBILITY_DATE, missing, OBJECTS, VARS } from "../src/cli/requirements.ts";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(PACKAGE, "../..");
const COMMAND = join(PACKAGE, "dist/cli/main.js");
const parent = join(ROOT, ".wrangler/cli-tests");

const scheduler = unstable_readConfig({ config: join(ROOT, "wrangler.toml") }, { hideWarnings: true });

before(async () => {
  ensureBuilt();
  await mkdir(parent, { recursive: true });
});
after(() => rm(parent, { recursive: true, force: true }));

/** A folder below the checkout, so that it finds the checkout's wrangler, with some files. */
async function project(files = {}) {
  const folder = await mkdtemp(join(parent, "project-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Runs the command, and returns its status and what it printed. */
const command = (folder, ...args) =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [COMMAND, ...args], { cwd: folder }, (error, stdout, stderr) => resolve({ status: error === null ? 0 : error.code, stdout, stderr }));
    child.stdin.end();
  });
const read = (folder, name) => readFile(join(folder, name), "utf8");
const config = (folder, name) => unstable_readConfig({ config: join(folder, name) }, { hideWarnings: true });

/** A configuration has what the deployed scheduler has in wrangler.toml. */
function assertAgrees(found) {
  const bindings = (settings) => settings.durable_objects.bindings.map(({ name, class_name }) => `${name}=${class_name}`);
  for (const binding of bindings(scheduler)) assert.ok(bindings(found).includes(binding), binding);
  const { queue } = found.queues.producers.find(({ binding }) => binding === "DISPATCH_QUEUE");
  const { queue: _, dead_letter_queue, ...settings } = found.queues.consumers.find((consumer) => consumer.queue === queue);
  const { queue: __, dead_letter_queue: ___, ...wanted } = scheduler.queues.consumers.find((consumer) => consumer.queue === "scheduler-dispatch");
  assert.deepEqual(settings, wanted);
  assert.notEqual(dead_letter_queue, queue);
  for (const cron of scheduler.triggers.crons) assert.ok(found.triggers.crons.includes(cron), cron);
  const made = found.migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes);
  for (const { new_sqlite_classes } of scheduler.migrations) for (const name of new_sqlite_classes) assert.equal(made.filter((known) => known === name).length, 1, name);
}

test("what init adds is what wrangler.toml has", () => {
  assert.deepEqual(OBJECTS, scheduler.durable_objects.bindings.map(({ name, class_name }) => [name, class_name]));
  // In the order in which releases have added them, so that a newer release appends.
  assert.deepEqual(OBJECTS.map(([, name]) => name), scheduler.migrations.flatMap(({ new_sqlite_classes }) => new_sqlite_classes));
  const { max_batch_size, max_batch_timeout, max_retries, retry_delay } = scheduler.queues.consumers[0];
  assert.deepEqual({ ...CONSUMER }, { max_batch_size, max_batch_timeout, max_retries, retry_delay });
  assert.deepEqual([[CRON], COMPATIBILITY_DATE], [scheduler.triggers.crons, scheduler.compatibility_date]);
  for (const name of Object.keys(VARS)) assert.notEqual(scheduler.vars[name], undefined, name);
  assert.equal(VARS.SHARD_MAP, scheduler.vars.SHARD_MAP);
  const { directory, html_handling, not_found_handling, run_worker_first } = scheduler.assets;
  assert.deepEqual([{ ...ASSETS }, directory], [{ html_handling, not_found_handling, run_worker_first }, "dashboard/dist"]);
  assert.deepEqual(missing(scheduler, { dashboard: "x" }), []);
});

test("init in an empty folder makes a Worker that needs nothing more", async () => {
  const folder = await project();
  const shown = await command(folder, "init");
  assert.match(shown.stdout, /^\+ {3}"main": "src\/index\.ts",$/m);
  assert.match(shown.stdout, /Nothing was written/);
  await assert.rejects(stat(join(folder, "wrangler.jsonc")));
  assert.equal((await command(folder, "init", "--yes", "--tasks", "Nightly", "--object", "ROOMS=Room", "--dashboard")).status, 0);
  const made = config(folder, "wrangler.jsonc");
  assertAgrees(made);
  // Methods of Scheduler and Tasks need no list.
  assert.deepEqual([made.vars.SERVICE_BINDINGS, made.vars.DURABLE_OBJECT_BINDINGS], ["", ""]);
  assert.deepEqual([made.durable_objects.bindings.at(-1).class_name, made.migrations.map(({ new_sqlite_classes }) => new_sqlite_classes)], ["Room", [["Shard", "Registry", "Limiter", "Room"]]]);
  assert.deepEqual(made.services.map((service) => ({ ...service })), [{ binding: "TASKS", service: made.name, entrypoint: "Nightly" }]);
  assert.deepEqual([resolve(folder, made.assets.directory), made.assets.run_worker_first], [join(PACKAGE, "dashboard"), scheduler.assets.run_worker_first]);
  const source = await read(folder, "src/index.ts");
  assert.match(source, /export \{ .*default \} from "durable-scheduler\/worker";/);
  assert.match(source, /export class Room extends Scheduler \{\}[^]*export class Nightly extends Tasks \{\}/);
  const again = await command(folder, "init", "--yes");
  assert.match(again.stdout, /has everything/);
});

const JSONC = `{
  // My Worker.
  "name": "mine",
  "main": "src/index.ts", /* here */
  "compatibility_date": "2026-11-17",
  "vars": { "MINE": "1", "DURABLE_OBJECT_BINDINGS": "ROOMS" },
  "durable_objects": {
    "bindings": [
      // Rooms.
      { "name": "ROOMS", "class_name": "Room" },
    ],
  },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Room"] }, { "tag": "v2", "renamed_classes": [] }],
  "queues": { "consumers": [{ "queue": "mine", "max_batch_size": 3 }] },
  "triggers": { "crons": ["0 9 * * *"] },
}
`;

const TOML = `# My Worker.
name = "mine"
main = "src/index.ts"   # here
compatibility_date = "2026-11-17"

[vars]
MINE = "1" # one
DURABLE_OBJECT_BINDINGS = "ROOMS"

# Rooms.
[durable_objects]
bindings = [
  { name = "ROOMS", class_name = "Room" }, # ]
]

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room"]

[[migrations]]
tag = "v2"

[[queues.consumers]]
queue = "mine"
max_batch_size = 3

[triggers]
crons = ["0 9 * * *"]
`;

for (const [name, text] of [["wrangler.jsonc", JSONC], ["wrangler.json", JSON.stringify({ name: "mine", main: "src/index.ts", compatibility_date: "2026-11-17", vars: { MINE: "1", DURABLE_OBJECT_BINDINGS: "ROOMS" }, durable_objects: { bindings: [{ name: "ROOMS", class_name: "Room" }] }, migrations: [{ tag: "v1", new_sqlite_classes: ["Room"] }, { tag: "v2" }], queues: { consumers: [{ queue: "mine", max_batch_size: 3 }] }, triggers: { crons: ["0 9 * * *"] } }, undefined, "\t")], ["wrangler.toml", TOML]]) {
  test(`init adds to ${name}, keeps what is there, and only appends migrations`, async () => {
    const folder = await project({ [name]: text, "src/index.ts": "export default {};\n" });
    const before = config(folder, name);
    const { stdout, status, stderr } = await command(folder, "init", "--yes", "--object", "LOBBY=Lobby", "--dashboard");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /SchedulerEntrypoint, Shard, default } from "durable-scheduler\/worker"/);
    const now = await read(folder, name);
    const found = config(folder, name);
    assertAgrees(found);
    assert.deepEqual(found.assets.run_worker_first, scheduler.assets.run_worker_first);
    assert.deepEqual(found.migrations.slice(0, before.migrations.length), before.migrations);
    assert.deepEqual(found.migrations.slice(before.migrations.length).map((migration) => ({ ...migration })), [{ tag: "v3", new_sqlite_classes: ["Shard", "Registry", "Limiter", "Lobby"] }]);
    assert.deepEqual([found.vars.MINE, found.vars.DURABLE_OBJECT_BINDINGS], ["1", "ROOMS"]);
    assert.deepEqual(found.durable_objects.bindings[0], before.durable_objects.bindings[0]);
    assert.deepEqual(found.queues.consumers[0], before.queues.consumers[0]);
    assert.deepEqual(found.triggers.crons, ["0 9 * * *", CRON]);
    // Comments stay.
    for (const comment of text.match(/(\/\/ [A-Z]\w+|\/\* here \*\/|# [A-Za-z]+).*/g) ?? []) assert.ok(now.includes(comment), comment);
    assert.match((await command(folder, "init")).stdout, /has everything/);
  });
}

test("a project of an earlier release gets the later classes in a migration of its own, at the end", () => {
  const earlier = { ...scheduler, durable_objects: { bindings: scheduler.durable_objects.bindings.slice(0, 2) }, migrations: scheduler.migrations.slice(0, 2) };
  const additions = missing(earlier);
  assert.deepEqual(additions.map(({ path, value }) => [path.join("."), value]), [
    ["durable_objects.bindings", { name: "LIMITERS", class_name: "Limiter" }],
    ["migrations", { tag: "v3", new_sqlite_classes: ["Limiter"] }],
  ]);
  // Tags that are no numbers are not continued.
  const [migration] = missing({ migrations: [{ tag: "first" }] }).filter(({ path }) => path[0] === "migrations");
  assert.equal(migration.value.tag, "durable-scheduler-1");
});

test("init keeps keys and local storage out of git", async () => {
  const folder = await project({ "wrangler.toml": TOML, ".gitignore": "node_modules\n/.wrangler/\n" });
  await command(folder, "init", "--yes");
  assert.equal(await read(folder, ".gitignore"), "node_modules\n/.wrangler/\n.dev.vars\n");
  assert.match((await command(folder, "init")).stdout, /has everything/);
});

test("init refuses what it cannot extend, and changes nothing", async () => {
  const text = 'name = "mine"\ncompatibility_date = "2026-11-17"\nvars = { MINE = "1" }\n';
  const folder = await project({ "wrangler.toml": text });
  const { status, stderr } = await command(folder, "init", "--yes");
  assert.equal(status, 2);
  assert.match(stderr, /^vars is written in one line: write it as a table, or add this by hand/);
  assert.equal(await read(folder, "wrangler.toml"), text);
});

test("init never writes over, or removes, a file that is no configuration", async () => {
  for (const name of ["config", "wrangler.TOML", "wrangler.json5"]) {
    const folder = await project({ [name]: '{ "name": "mine" }' });
    const { status, stderr } = await command(folder, "init", "--config", name);
    assert.equal(status, 2);
    assert.match(stderr, /^--config .*: give a file whose name ends with \.json, \.jsonc or \.toml$/m);
    assert.equal(await read(folder, name), '{ "name": "mine" }');
  }
  const folder = await project({ "wrangler.jsonc": JSONC });
  await command(folder, "init");
  assert.deepEqual(await readdir(folder), ["wrangler.jsonc"]);
});

test("what wrangler cannot read is an error with its place, and without a stack", async () => {
  for (const [name, text, says] of [
    ["wrangler.jsonc", '{\n  "name": "mine",\n', /^wrangler cannot read wrangler\.jsonc, line 3: /],
    ["wrangler.toml", "name = \n", /^wrangler cannot read wrangler\.toml, line 1: /],
    ["wrangler.json", '{ "name": "mine", "queues": { "producers": null } }', /^wrangler cannot read wrangler\.json: .*\n.*"queues\.producers" should be an array/],
    ["wrangler.jsonc", '{ "name": "mine", "kv_namespaces": [{ "binding": "SHARDS", "id": "x" }] }', /^wrangler\.jsonc cannot be extended\. wrangler cannot read wrangler\.jsonc: .*\n.*SHARDS assigned to/],
  ]) {
    const folder = await project({ [name]: text });
    const { status, stderr } = await command(folder, "init", "--yes");
    assert.equal(status, 2, stderr);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.deepEqual([await readdir(folder), await read(folder, name)], [[name], text]);
  }
  const missing = await command(await project(), "dev", "--config", "nowhere.toml");
  assert.deepEqual([missing.status, missing.stderr.trim()], [2, "--config nowhere.toml: there is no such file"]);
});

test("init refuses bindings that are something else, and changes nothing", async () => {
  const object = (name, class_name, more) => ({ durable_objects: { bindings: [{ name, class_name, ...more }] }, migrations: [{ tag: "v1", new_sqlite_classes: [class_name] }] });
  for (const [more, args, says] of [
    [object("SHARDS", "MyShard"), [], "the binding SHARDS has to lead to the class Shard of this Worker, and leads to MyShard"],
    [object("REGISTRY", "Registry", { script_name: "other" }), [], "the binding REGISTRY has to lead to the class Registry of this Worker, and leads to Registry of other"],
    [object("ROOMS", "Other"), ["--object", "ROOMS=Room"], "the binding ROOMS has to lead to the class Room of this Worker, and leads to Other"],
    [{ services: [{ binding: "TASKS", service: "other" }] }, ["--tasks", "Nightly"], "the binding TASKS leads to the default export of other: bind Nightly by another name"],
  ]) {
    const text = JSON.stringify({ name: "mine", compatibility_date: "2026-11-17", ...more });
    const folder = await project({ "wrangler.json": text });
    const { status, stderr } = await command(folder, "init", "--yes", ...args);
    assert.equal(status, 2);
    assert.ok(stderr.startsWith(`wrangler.json: ${says}`), stderr);
    assert.equal(await read(folder, "wrangler.json"), text);
  }
  // What is there already as it is wished is no conflict.
  const folder = await project();
  await command(folder, "init", "--yes", "--tasks", "Nightly", "--object", "ROOMS=Room", "--object", "ROOMS=Room", "--object", "HALLS=Room");
  assert.equal((await read(folder, "src/index.ts")).match(/class Room/g).length, 1);
  assert.match((await command(folder, "init", "--tasks", "Nightly", "--object", "ROOMS=Room")).stdout, /has everything/);
});

test("init, dev and deploy refuse a compatibility date that is too old, and change nothing", async () => {
  const folder = await project();
  await command(folder, "init", "--yes");
  const dated = (date) => writeFile(join(folder, "wrangler.jsonc"), made.replace(COMPATIBILITY_DATE, date));
  const made = await read(folder, "wrangler.jsonc");
  await dated("2025-11-16");
  const before = await readdir(folder);
  for (const args of [["init", "--yes"], ["dev", "--port", "9"], ["deploy"]]) {
    const { status, stderr } = await command(folder, ...args);
    assert.deepEqual([status, stderr], [2, `wrangler.jsonc: compatibility_date is 2025-11-16, and the scheduler needs ${OLDEST_COMPATIBILITY_DATE} or a later date: change it\n`], args.join(" "));
  }
  assert.deepEqual(await readdir(folder), before);
  await dated(OLDEST_COMPATIBILITY_DATE);
  assert.match((await command(folder, "init", "--yes")).stdout, /has everything/);
});

test("queues have names that queues may have", async () => {
  const queue = (name) => missing({ name }).find(({ path }) => path.join(".") === "queues.consumers").value;
  for (const name of ["mine", "my_worker", "x".repeat(63), "_", "A--B", "a".repeat(49) + "-b"]) {
    for (const text of [queue(name).queue, queue(name).dead_letter_queue]) assert.match(text, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, name);
  }
  assert.equal(queue("my_worker").queue, "my-worker-dispatch");
});

test("init in a folder with files of its own says what to add, and keeps the key out of git", async () => {
  const folder = await project({ ".gitignore": "node_modules\n", "src/index.ts": "export default {};\n" });
  const { stdout } = await command(folder, "init", "--yes");
  assert.match(stdout, /Add this to src\/index\.ts/);
  assert.equal(await read(folder, ".gitignore"), "node_modules\n.wrangler\n.dev.vars\n");
  assert.equal(await read(folder, "src/index.ts"), "export default {};\n");
});

test("init keeps the ends of lines, finds tables however they are written, and names environments", async () => {
  const crlf = TOML.replaceAll("\n", "\r\n").replace("[vars]", "[ vars ]").replace("[triggers]", "[ triggers ] # when");
  const folder = await project({ "wrangler.toml": `${crlf}\r\n[env.staging.vars]\r\nMINE = "2"\r\n` });
  const { stdout, stderr } = await command(folder, "init", "--yes");
  assert.match(stdout, /Bindings and variables are not inherited: .*\(env\.staging\)/, stderr);
  assert.doesNotMatch((await read(folder, "wrangler.toml")).replaceAll("\r\n", ""), /[\r\n]/);
  assertAgrees(config(folder, "wrangler.toml"));
});

test("a list on several lines gets lines of its own", () => {
  const list = (items) => `{\n  "triggers": {\n    "crons": [\n${items.map((item) => `      "${item}"`).join(",\n")}\n    ]\n  }\n}\n`;
  assert.equal(addTo(list(["0 9 * * *"]), "a.jsonc", [{ path: ["triggers", "crons"], isItem: true, value: "* * * * *" }]), list(["0 9 * * *", "* * * * *"]));
});

test("a difference shows what changes and a little around it", () => {
  assert.equal(diff("a\nb\nc\nd\ne\nf\ng", "a\nb\nc\nd\nx\nf\ng"), "  …\n  c\n  d\n- e\n+ x\n  f\n  g");
});

test("dev refuses a port that is in use, and writes nothing", async () => {
  const folder = await project();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const { status, stderr } = await command(folder, "dev", "--port", String(port));
  assert.deepEqual([status, stderr], [2, `port ${port} is in use: end what listens there, or give another one with --port\n`]);
  assert.deepEqual(await readdir(folder), []);
  server.close();
});

test("dev makes a key once, and keeps what .dev.vars has", async () => {
  const folder = await project({ ".dev.vars": "MINE=1" });
  const key = ensureKey(folder);
  assert.match(key, /^[0-9a-f]{48}$/);
  assert.equal(ensureKey(folder), key);
  assert.equal(await read(folder, ".dev.vars"), `MINE=1\nAPI_KEYS=${key}\n`);
  const other = await project({ ".dev.vars": 'API_KEYS="one,two"\n' });
  assert.equal(ensureKey(other), "one");
  const fresh = await project();
  ensureKey(fresh);
  assert.equal((await stat(join(fresh, ".dev.vars"))).mode & 0o077, 0);
});

test("dev leaves the variables of a project that has them in .env", async () => {
  // Wrangler ignores .env if there is a .dev.vars.
  const folder = await project({ ".env": "SECRET=1\n", ".gitignore": "" });
  const key = ensureKey(folder);
  assert.deepEqual([await read(folder, ".env"), await read(folder, ".env.local")], ["SECRET=1\n", `API_KEYS=${key}\n`]);
  assert.equal(ensureKey(folder), key);
  assert.deepEqual((await readdir(folder)).sort(), [".env", ".env.local", ".gitignore"]);
  await command(folder, "init", "--yes");
  assert.match(await read(folder, ".gitignore"), /^\.env\.local$/m);
  assert.equal(ensureKey(await project({ ".env": "API_KEYS=of-env\n" })), "of-env");
  assert.equal(ensureKey(await project({ ".env": "API_KEYS=of-env\n", ".dev.vars": "export API_KEYS = 'of-dev-vars'\n" })), "of-dev-vars");
  // An empty value is none, whatever stands in the next line.
  assert.match(ensureKey(await project({ ".dev.vars": "API_KEYS=\nOTHER=1\n" })), /^[0-9a-f]{48}$/);
});

test("dev allows webhooks to this machine, and to the hosts that the configuration allows", () => {
  const hosts = (vars) => Object.fromEntries(localVars({ vars })).WEBHOOK_ALLOWED_HOSTS;
  assert.equal(hosts({ WEBHOOK_ALLOWED_HOSTS: "wiki.example.internal" }), "wiki.example.internal,127.0.0.1,localhost,[::1]");
  assert.equal(hosts({ WEBHOOK_ALLOWED_HOSTS: "" }), "127.0.0.1,localhost,[::1]");
  assert.equal(hosts(undefined), "127.0.0.1,localhost,[::1]");
});

/** A wrangler that notes how it was called. It reads configurations with the real one. */
const FAKE = `
  const { appendFileSync, readFileSync, existsSync } = require("node:fs");
  const args = process.argv.slice(2);
  const input = args[1] === "put" ? readFileSync(0, "utf8") : undefined;
  appendFileSync("calls.json", JSON.stringify(input === undefined ? args : [...args, input]) + "\\n");
  const known = existsSync("known.json") ? JSON.parse(readFileSync("known.json", "utf8")) : { queues: [], secrets: [] };
  if (args[0] === "queues" && args[1] === "info" && !known.queues.includes(args[2])) process.exit(1);
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
  assert.ok(!first.stdout.includes(signing[3]));
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
    const found = (await calls(folder)).map((call) => call.slice(0, 5));
    assert.deepEqual(found.slice(0, 4), [["queues", "info", "staging-dispatch"], ["queues", "create", "staging-dispatch"], ["queues", "info", "staging-dlq"], ["queues", "create", "staging-dlq"]]);
    assert.deepEqual(found.slice(4).map((call) => call.join(" ")), [`deploy ${args.join(" ")}`, "secret list --format json --env", "secret put API_KEYS --env staging", "secret put WEBHOOK_SIGNING_KEYS --env staging"]);
  }
  await rm(join(folder, "calls.json"));
  assert.equal((await command(folder, "deploy", "--", "--dry-run")).status, 0);
  assert.deepEqual(await calls(folder), [["deploy", "--dry-run"]]);
});

test("deploy that fails half-way says where, and can be called again", async () => {
  const folder = await withFakeWrangler({});
  await command(folder, "init", "--yes");
  const { name } = config(folder, "wrangler.jsonc");
  const queues = [`${name}-dispatch`, `${name}-dispatch-dlq`];
  for (const [known, says] of [
    [{ fails: ["deploy --config"] }, /^wrangler deploy .* has failed$/m],
    [{ fails: ["secret list"] }, /^wrangler secret list has failed: the Worker is deployed/m],
    [{ fails: ["secret put"] }, /^wrangler secret put API_KEYS has failed$/m],
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

test("a wrong call says what is wrong and what there is", async () => {
  const folder = await project();
  for (const [args, says] of [
    [["fly"], /there is no command fly/],
    [["dev", "--port", "x"], /--port x: give a port, 1 to 65535/],
    [["init", "--nothing"], /--nothing/],
    [["init", "--object", "ROOMS"], /give a binding and a class, such as ROOMS=Room/],
    [["deploy"], /run durable-scheduler init/],
    [["init", "--tasks", "../x y"], /--tasks \.\.\/x y: give the name of a class/],
  ]) {
    const { status, stderr } = await command(folder, ...args);
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, says);
  }
  assert.match((await command(folder, "--help")).stdout, /durable-scheduler deploy/);
});

for (const name of ["typescript", "remind-me", "agents-migration"]) {
  test(`examples/${name} has what the scheduler needs, and is as init would leave it`, async () => {
    const example = join(ROOT, "examples", name);
    const found = config(example, "wrangler.jsonc");
    assertAgrees(found);
    assert.deepEqual(missing(found), []);
    const versionOf = async (path) => JSON.parse(await readFile(path, "utf8")).version;
    const manifest = JSON.parse(await readFile(join(example, "package.json"), "utf8"));
    assert.equal(manifest.dependencies["durable-scheduler"], await versionOf(join(PACKAGE, "package.json")));
    assert.equal(manifest.devDependencies.wrangler, await versionOf(join(ROOT, "node_modules/wrangler/package.json")));
    if (name === "agents-migration") assert.equal(manifest.dependencies.agents, await versionOf(join(PACKAGE, "test/agents/node_modules/agents/package.json")));
    // The button asks for these secrets, and explains them.
    const secrets = (await readFile(join(example, ".dev.vars.example"), "utf8")).match(/^\w+(?==)/gm);
    for (const secret of secrets) assert.ok(manifest.cloudflare.bindings[secret].description, secret);
  });
}
