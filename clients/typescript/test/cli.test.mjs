// The command line: what it adds to a configuration. What it has wrangler do is in cli-wrangler.test.mjs, and the local runtime in tarball.test.mjs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";
import { OLDEST_COMPATIBILITY_DATE } from "../src/compatibility.ts";
import { diff } from "../src/cli/diff.ts";
import { headingInside, localVars } from "../src/cli/dev.ts";
import { copySecrets, ensureKey, ensureSigningKeys } from "../src/cli/secrets.ts";
import { namespaceKeys } from "../src/cli/signing-key.ts";
import { addTo } from "../src/cli/edit.ts";
import { hasDefault, lacksScheduler } from "../src/cli/source.ts";
import { freePort } from "../../../e2e/harness.mjs";
import { command, config, project, read } from "./projects.mjs";
import { ASSETS, CONSUMER, CRON, COMPATIBILITY_DATE, missing, OBJECTS, VARS } from "../src/cli/requirements.ts";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(PACKAGE, "../..");

const scheduler = unstable_readConfig({ config: join(ROOT, "wrangler.toml") }, { hideWarnings: true });

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
    // The module has a default export of its own.
    assert.match(stdout, /The default export of src\/index\.ts has to be a class that extends SchedulerWorker[^]*SchedulerEntrypoint, Shard } from "durable-scheduler\/worker";\n\nexport default class extends SchedulerWorker \{[^]*if \(batch\.queue !== "mine"\) return super\.queue\(batch\);[^]*if \(controller\.cron !== "0 9 \* \* \*"\) return super\.scheduled\(controller\);/);
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

test("tables in one line in an environment of a TOML configuration are no tables of the Worker itself", async () => {
  const text = 'name = "mine"\nmain = "src/index.ts"\ncompatibility_date = "2026-11-17"\n\n[env.staging]\nvars = { STAGE = "1" }\ntriggers.crons = ["0 1 * * *"]\n';
  const folder = await project({ "wrangler.toml": text });
  const { status, stdout, stderr } = await command(folder, "init", "--yes");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /repeat durable_objects, queues and vars in each environment .*env\.staging/);
  assert.ok((await read(folder, "wrangler.toml")).startsWith(text));
  assertAgrees(config(folder, "wrangler.toml"));
});

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

test("init makes a .gitignore in a project that has none", async () => {
  const folder = await project({ "wrangler.toml": TOML });
  await command(folder, "init", "--yes");
  assert.equal(await read(folder, ".gitignore"), ".wrangler\n.dev.vars\n");
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
  const missing = await command(await project(), "dev", "--config", "nowhere.toml", "--port", String(await freePort()));
  assert.deepEqual([missing.status, missing.stderr.trim()], [2, "--config nowhere.toml: there is no such file"]);
});

test("init refuses bindings that are something else, and changes nothing", async () => {
  const object = (name, class_name, more) => ({ durable_objects: { bindings: [{ name, class_name, ...more }] }, migrations: [{ tag: "v1", new_sqlite_classes: [class_name] }] });
  for (const [more, args, says] of [
    [object("SHARDS", "MyShard"), [], "the binding SHARDS has to lead to the class Shard of this Worker, and leads to MyShard"],
    [object("REGISTRY", "Registry", { script_name: "other" }), [], "the binding REGISTRY has to lead to the class Registry of this Worker, and leads to Registry of other"],
    [object("ROOMS", "Other"), ["--object", "ROOMS=Room"], "the binding ROOMS has to lead to the class Room of this Worker, and leads to Other"],
    [object("LIMITS", "Limiter"), [], "the binding LIMITS leads to a class Limiter, which is the name of a class of the scheduler: rename yours"],
    [{}, ["--object", "FRAGMENTS=Shard"], "the binding FRAGMENTS leads to a class Shard, which is the name of a class of the scheduler: rename yours"],
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

for (const name of ["wrangler.jsonc", "wrangler.toml"]) {
  test(`init --queue binds a queue in ${name}, consumes it, and lets tasks name it`, async () => {
    const folder = await project({ [name]: name.endsWith("toml") ? TOML.replace("[vars]", '[vars]\nQUEUE_BINDINGS = "OLD"') : JSONC.replace('"vars": {', '"vars": { "QUEUE_BINDINGS": "OLD",') });
    const args = ["init", "--yes", "--queue", "FIRED_TASKS=fired-tasks", "--queue", "OWN=mine"];
    assert.equal((await command(folder, ...args)).status, 0);
    const { vars, queues } = config(folder, name);
    assert.equal(vars.QUEUE_BINDINGS, "OLD,FIRED_TASKS,OWN");
    assert.deepEqual(queues.producers.map(({ binding, queue }) => [binding, queue]), [["DISPATCH_QUEUE", "mine-dispatch"], ["FIRED_TASKS", "fired-tasks"], ["OWN", "mine"]]);
    assert.deepEqual(queues.consumers.map(({ queue, dead_letter_queue }) => [queue, dead_letter_queue]), [["mine", undefined], ["mine-dispatch", "mine-dispatch-dlq"], ["fired-tasks", "fired-tasks-dlq"]]);
    assert.match((await command(folder, ...args)).stdout, /has everything/);
    const { status, stderr } = await command(folder, "init", "--queue", "FIRED_TASKS=other");
    assert.deepEqual([status, stderr], [2, `${name}: the binding FIRED_TASKS has to lead to the queue other, and leads to fired-tasks\n`]);
  });
}

test("what a module says of its default export, which dev announces", async () => {
  const scheduler = 'from "durable-scheduler/worker";';
  for (const [source, isDefault, lacks] of [
    ["", false, false],
    ["export default { fetch() {} };", true, true],
    [`export { Shard } ${scheduler} export default { queue() {} };`, true, true],
    [`export { Shard, default } ${scheduler}`, true, false],
    [`import { SchedulerWorker } ${scheduler} export default class extends SchedulerWorker {}`, true, false],
    [`import Base ${scheduler} export default class extends Base {}`, true, false],
    ["// export default {}\n/* export default {} */", false, false],
  ]) {
    assert.deepEqual([hasDefault(source), lacksScheduler(source)], [isDefault, lacks], source);
    const folder = await project({ "src/index.ts": source });
    const heading = headingInside(folder, { main: join(folder, "src/index.ts") });
    if (lacks) assert.match(heading, /^No task will run: the default export of src\/index\.ts is not the scheduler\.\n/);
    else assert.equal(heading, "The scheduler is ready in your Worker.");
  }
});

test("dev and deploy refuse a Worker that does not export the scheduler's objects, and say with init what to change", async () => {
  const all = 'export { Limiter, Registry, SchedulerEntrypoint, Shard } from "durable-scheduler/worker";';
  for (const [source, says] of [
    ["", /^Add this to src\/index\.ts:\n\nexport \{ Limiter, Registry, SchedulerEntrypoint, Shard, default \} from "durable-scheduler\/worker";$/m],
    ['import { SchedulerWorker } from "durable-scheduler/worker";\nexport default class extends SchedulerWorker {}\n', /^Add this to src\/index\.ts:\n\nexport \{ Limiter, Registry, SchedulerEntrypoint, Shard \} from "durable-scheduler\/worker";$/m],
    ["export default { fetch() {} };\n", /^The default export of src\/index\.ts has to be a class that extends SchedulerWorker[^]*if \(batch\.queue !== "fired"\) return super\.queue\(batch\);/m],
    [`${all}\nexport default { fetch() {} };\n`, /^The default export of src\/index\.ts has to be a class/m],
    [`${all}\nimport Base from "durable-scheduler/worker";\nexport default class extends Base {}\n`, undefined],
    ['export * from "./worker";\n', undefined],
  ]) {
    const folder = await project({ "wrangler.json": JSON.stringify({ name: "mine", main: "src/index.ts" }), "src/index.ts": source });
    const { stdout } = await command(folder, "init", "--yes", "--queue", "FIRED=fired");
    if (says === undefined) assert.match(stdout, /^Written\. Next: npx durable-scheduler dev$/m, source);
    else {
      assert.match(stdout, says, source);
      assert.match(stdout, /^Written\. Next: do what is said above, then npx durable-scheduler dev$/m);
    }
    // A default export that is not the scheduler is what dev says when the Worker is ready.
    if (says === undefined || source.includes(all)) continue;
    for (const args of [["dev", "--port", String(await freePort())], ["deploy"]]) {
      const { status, stderr } = await command(folder, ...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, says);
    }
  }
});

test("the Worker that init makes consumes the queues that it is asked for", async () => {
  for (const [args, condition] of [
    [["--queue", "FIRED=fired-tasks"], 'batch.queue !== "fired-tasks"'],
    [["--queue", "FIRED=fired-tasks", "--queue", "MORE=more", "--object", "ROOMS=Room"], '!["fired-tasks", "more"].includes(batch.queue)'],
  ]) {
    const folder = await project();
    await command(folder, "init", "--yes", ...args);
    const source = await read(folder, "src/index.ts");
    assert.ok(source.includes(`    if (${condition}) return super.queue(batch);\n    await consume(batch, `), source);
    assert.deepEqual([hasDefault(source), lacksScheduler(source), source.match(/\bdefault\b/g).length], [true, false, 1]);
    assert.match((await command(folder, "init", ...args)).stdout, /^The configuration has everything that the scheduler needs\.\n\n$/);
  }
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
  assert.match(stdout, /The default export of src\/index\.ts has to be a class/);
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
  // Wrangler reads those of an environment in their place.
  const staging = await project({ ".dev.vars": "API_KEYS=one\n", ".dev.vars.staging": "MINE=1\n" });
  assert.deepEqual([ensureKey(staging), ensureKey(staging, "other")], ["one", "one"]);
  const own = ensureKey(staging, "staging");
  assert.equal(await read(staging, ".dev.vars.staging"), `MINE=1\nAPI_KEYS=${own}\n`);
});

test("dev makes a key that signs webhooks, and signing-key prints what receivers verify with", async () => {
  const folder = await project({ ".dev.vars": "API_KEYS=one" });
  const keys = ensureSigningKeys(folder);
  assert.match(keys, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.equal(ensureSigningKeys(folder), keys);
  assert.equal(await read(folder, ".dev.vars"), `API_KEYS=one\nWEBHOOK_SIGNING_KEYS=${keys}\n`);
  const [ofDefault, ofShop] = ["default", "shop"].map((namespace) => namespaceKeys(keys, namespace).join());
  assert.notEqual(ofDefault, ofShop);
  assert.deepEqual((await command(folder, "signing-key")).stdout, `${ofDefault}\n`);
  assert.deepEqual((await command(folder, "signing-key", "shop")).stdout, `${ofShop}\n`);
  for (const [args, files, says] of [
    [["signing-key"], {}, /^there is no key: set WEBHOOK_SIGNING_KEYS/],
    [["signing-key", "Shop"], { ".dev.vars": `WEBHOOK_SIGNING_KEYS=${keys}\n` }, /^Shop is not the name of a namespace/],
    [["signing-key"], { ".dev.vars": "WEBHOOK_SIGNING_KEYS=secret\n" }, /^WEBHOOK_SIGNING_KEYS: key 1 does not begin with whsec_\n$/],
  ]) {
    const { status, stdout, stderr } = await command(await project(files), ...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, says);
  }
});

test("dev beside a Worker takes the secrets of the folder", async () => {
  const keys = ensureSigningKeys(await project());
  const folder = await project({ ".dev.vars": `MINE=1\nAPI_KEYS="mine,other"\nWEBHOOK_SIGNING_KEYS=${keys}\n`, ".wrangler/durable-scheduler/.dev.vars": "API_KEYS=old\n" });
  const place = join(folder, ".wrangler/durable-scheduler");
  for (let times = 0; times < 2; times += 1) copySecrets(folder, place);
  assert.equal(await read(place, ".dev.vars"), `API_KEYS=mine,other\nWEBHOOK_SIGNING_KEYS=${keys}\n`);
  assert.deepEqual([ensureKey(place), ensureSigningKeys(place)], ["mine", keys]);
  // Without any, what there is stays.
  copySecrets(await project(), place);
  assert.equal(ensureKey(place), "mine");
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
  // An empty value is none, whatever is in the next line.
  assert.match(ensureKey(await project({ ".dev.vars": "API_KEYS=\nOTHER=1\n" })), /^[0-9a-f]{48}$/);
});

test("dev allows webhooks to this machine, and to the hosts that the configuration allows", () => {
  const hosts = (vars) => Object.fromEntries(localVars({ vars })).WEBHOOK_ALLOWED_HOSTS;
  assert.equal(hosts({ WEBHOOK_ALLOWED_HOSTS: "wiki.example.internal" }), "wiki.example.internal,127.0.0.1,localhost,[::1]");
  assert.equal(hosts({ WEBHOOK_ALLOWED_HOSTS: "" }), "127.0.0.1,localhost,[::1]");
  assert.equal(hosts(undefined), "127.0.0.1,localhost,[::1]");
});

test("a wrong call says what is wrong and what there is", async () => {
  const folder = await project();
  for (const [args, says] of [
    [["fly"], /there is no command fly/],
    [["dev", "--port", "x"], /--port x: give a port, 1 to 65535/],
    [["init", "--nothing"], /--nothing/],
    [["init", "--object", "ROOMS"], /give a binding and a class, such as ROOMS=Room/],
    [["deploy"], /run durable-scheduler init/],
    [["init", "--", "--env", "x"], /--env x: only dev and deploy take arguments for wrangler/],
    [["signing-key", "--", "x"], /only dev and deploy take arguments for wrangler/],
    [["init", "--tasks", "../x y"], /--tasks \.\.\/x y: give the name of a class/],
  ]) {
    const { status, stderr } = await command(folder, ...args);
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, says);
  }
  assert.match((await command(folder, "--help")).stdout, /durable-scheduler deploy/);
  assert.equal((await command(folder, "--version")).stdout, `${JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8")).version}\n`);
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
