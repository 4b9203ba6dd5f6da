// Checks the deployed configuration: wrangler.toml of both workers, and the built files.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { unstable_readConfig } from "wrangler";
import { writeLocalConfig } from "../scripts/local-config.mjs";
import { ROOT } from "../scripts/paths.mjs";
import { queuesOf } from "../scripts/queues.mjs";

const scheduler = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
const staging = unstable_readConfig({ config: join(ROOT, "wrangler.toml"), env: "staging" });
const consumer = unstable_readConfig({ config: join(ROOT, "examples/consumer/wrangler.toml") });

test("every queue consumer sets all its options, because local defaults differ from production's", () => {
  const consumers = [...scheduler.queues.consumers, ...staging.queues.consumers, ...consumer.queues.consumers];
  assert.equal(consumers.length, 3);
  for (const settings of consumers) {
    for (const name of ["max_batch_size", "max_batch_timeout", "max_retries", "retry_delay"]) {
      assert.equal(typeof settings[name], "number", `${settings.queue}: ${name}`);
    }
    assert.notEqual(settings.dead_letter_queue, settings.queue);
    assert.ok(settings.dead_letter_queue, `${settings.queue}: dead_letter_queue`);
  }
});

test("every queue has exactly one of the two workers as its consumer", () => {
  const sent = scheduler.queues.producers.map((producer) => producer.queue).sort();
  const consumed = [...scheduler.queues.consumers, ...consumer.queues.consumers].map((settings) => settings.queue).sort();
  assert.deepEqual(sent, consumed);
});

test("a migration creates every Durable Object class with SQLite storage", () => {
  for (const worker of [scheduler, consumer]) {
    const made = worker.migrations.flatMap((migration) => migration.new_sqlite_classes ?? []);
    assert.deepEqual(worker.durable_objects.bindings.map((binding) => binding.class_name), made);
  }
});

test("by default, tasks can only call the public web and the example queue", () => {
  assert.equal(scheduler.vars.QUEUE_BINDINGS, "FIRED_TASKS");
  for (const name of ["SERVICE_BINDINGS", "DURABLE_OBJECT_BINDINGS", "WEBHOOK_ALLOWED_HOSTS"]) assert.equal(scheduler.vars[name], "", name);
});

test("the local configuration adds bindings that lead to the example and memory for all shards, builds faster, and changes nothing else", async () => {
  const local = unstable_readConfig({ config: await writeLocalConfig() });
  assert.deepEqual(local.services.map((service) => ({ ...service })), [{ binding: "EXAMPLE", service: consumer.name, entrypoint: "Example" }]);
  const { bindings } = local.durable_objects;
  const counters = bindings.at(-1);
  assert.deepEqual(bindings.slice(0, -1), scheduler.durable_objects.bindings);
  assert.deepEqual({ ...counters }, { name: "COUNTERS", class_name: "Counter", script_name: consumer.name });
  const { SERVICE_BINDINGS, DURABLE_OBJECT_BINDINGS, WEBHOOK_ALLOWED_HOSTS, ISOLATE_MEMORY_MB, ...others } = local.vars;
  assert.deepEqual([SERVICE_BINDINGS, DURABLE_OBJECT_BINDINGS], [local.services[0].binding, counters.name]);
  assert.deepEqual([scheduler.vars.ISOLATE_MEMORY_MB, ISOLATE_MEMORY_MB], ["40", "2000"]);
  assert.match(WEBHOOK_ALLOWED_HOSTS, /^127\.0\.0\.1,/);
  for (const [name, value] of Object.entries(others)) assert.equal(value, scheduler.vars[name], name);
  // One batch is delivered at a time.
  const [envelopes] = local.queues.consumers;
  assert.deepEqual([scheduler.queues.consumers[0].max_batch_size, envelopes.max_batch_size], [1, 10]);
  assert.deepEqual(local.queues.producers, scheduler.queues.producers);
  assert.deepEqual({ ...envelopes, max_batch_size: 1 }, { ...scheduler.queues.consumers[0] });
  assert.equal(local.queues.consumers.length, 1);
  // It has the same sources, and leaves out what only makes the Worker small.
  assert.deepEqual({ ...local.build, command: "make build" }, { ...scheduler.build });
  assert.match(local.build.command, /^scripts\/build\.sh quick /);
  for (const name of ["migrations", "triggers", "main", "compatibility_date", "compatibility_flags", "assets"]) assert.deepEqual(local[name], scheduler[name], name);
});

test("the copy for trials has the settings of the deployment, and queues and objects of its own", () => {
  assert.deepEqual(staging.vars, scheduler.vars);
  for (const name of ["migrations", "triggers", "main", "compatibility_date", "compatibility_flags", "assets", "observability"]) assert.deepEqual(staging[name], scheduler[name], name);
  assert.deepEqual(staging.durable_objects, scheduler.durable_objects);
  assert.equal(staging.name, `${scheduler.name}-staging`);
  const own = JSON.parse(JSON.stringify(staging.queues).replaceAll("-staging", ""));
  assert.deepEqual(own, JSON.parse(JSON.stringify(scheduler.queues)));
  const shared = queuesOf(join(ROOT, "wrangler.toml"), "staging").filter((queue) => queuesOf(join(ROOT, "wrangler.toml")).includes(queue));
  assert.deepEqual(shared, []);
});

/** Returns the configuration with the lines of the example for a domain, as its comment and docs/production.md tell to uncomment them. */
async function withDomain(t, env) {
  const folder = await mkdtemp(join(tmpdir(), "domain-"));
  t.after(() => rm(folder, { recursive: true }));
  const text = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const [example] = /^# For a domain of your own: uncomment these,.*\n(?:# .*\n)+/m.exec(text) ?? assert.fail("wrangler.toml has no example of a domain");
  const [, ...lines] = example.trimEnd().split("\n");
  const config = join(folder, "wrangler.toml");
  await writeFile(config, text.replace(example, `${lines.map((line) => line.replace(/^# /, "")).join("\n")}\n`));
  return unstable_readConfig({ config, env });
}

test("with a domain of its own, the Worker has no second address, and the copy for trials does not take the domain", async (t) => {
  const { routes, workers_dev: hasSecond } = await withDomain(t);
  assert.deepEqual(routes.map((route) => ({ ...route })), [{ pattern: "scheduler.example.com", custom_domain: true }]);
  assert.equal(hasSecond, false);
  const trial = await withDomain(t, "staging");
  assert.deepEqual([trial.routes ?? [], trial.workers_dev], [[], true]);
  const row = (await readFile(join(ROOT, "docs/production.md"), "utf8")).split("\n").find((line) => line.startsWith("| a domain |"));
  for (const part of ["`routes`", "`workers_dev = false`", "`OWN_HOSTS`"]) assert.ok(row?.includes(part), part);
});

test("webhooks to the own zone take the public way, and a deploy replaces the code of all objects at once", () => {
  assert.deepEqual(scheduler.compatibility_flags, ["global_fetch_strictly_public"]);
  assert.equal(scheduler.durable_objects.code_update_strategy.mode, "immediate");
  const { enabled, head_sampling_rate } = scheduler.observability;
  assert.ok(enabled && head_sampling_rate > 0 && head_sampling_rate < 1);
});

/** Runs scripts/deploy.sh with a wrangler that notes its arguments, and knows one queue. Returns these, a line for each call. */
async function deployed(t, variables) {
  const folder = await mkdtemp(join(tmpdir(), "deploy-"));
  t.after(() => rm(folder, { recursive: true }));
  const wrangler = join(folder, "wrangler");
  await writeFile(wrangler, `#!/bin/sh\necho "$*" >> ${folder}/calls\ncase "$*" in "queues info scheduler-dispatch") ;; "queues info "*) exit 1 ;; "secret list"*) echo '[{"name":"API_KEYS"}]' ;; esac\n`);
  await chmod(wrangler, 0o755);
  const PATH = `${folder}:${join(ROOT, "node_modules/.bin")}:${process.env.PATH}`;
  const child = spawn(join(ROOT, "scripts/deploy.sh"), { env: { ...process.env, STAGE: "", CONFIG: "", ...variables, PATH }, stdio: "inherit" });
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  return (await readFile(join(folder, "calls"), "utf8")).trim().split("\n");
}

test("a deploy makes every queue that is named and does not exist, and deploys after that", async (t) => {
  const created = (calls) => calls.filter((call) => call.startsWith("queues create ")).map((call) => call.slice(14));
  const calls = await deployed(t, {});
  assert.deepEqual(created(calls), ["fired-tasks", "scheduler-dispatch-dlq"]);
  assert.ok(calls.indexOf("deploy --config wrangler.toml --env ") > calls.findLastIndex((call) => call.startsWith("queues ")), calls.join("\n"));
  const trial = await deployed(t, { STAGE: "staging" });
  assert.deepEqual(created(trial), ["fired-tasks-staging", "scheduler-dispatch-staging", "scheduler-dispatch-staging-dlq"]);
  assert.ok(trial.includes("deploy --config wrangler.toml --env staging"));
  const ofConsumer = await deployed(t, { CONFIG: "examples/consumer/wrangler.toml" });
  assert.deepEqual(created(ofConsumer), ["fired-tasks", "fired-tasks-dlq"]);
});

test("make smoke builds only if it deploys, and prints its help in a checkout where nothing is installed", async (t) => {
  const account = { CLOUDFLARE_API_TOKEN: "token", CLOUDFLARE_ACCOUNT_ID: "account" };
  for (const [args, env, builds] of [
    ["", account, false], ["--help", account, false], ["--remove", account, false], ["--yes --help", account, false],
    ["--yes", {}, false], ["--yes", account, true], ["--scale 0.1 --yes", account, true],
  ]) {
    // The variables of a make that runs this test do not count.
    const { PATH } = process.env;
    const { stdout } = await promisify(execFile)("make", ["-n", "smoke", `ARGS=${args}`], { cwd: ROOT, env: { PATH, ...env } });
    assert.deepEqual([stdout.includes("build.sh"), stdout.includes("smoke.mjs")], [builds, true], `${args} ${Object.keys(env)}`);
  }
  const bare = await mkdtemp(join(tmpdir(), "smoke-help-"));
  t.after(() => rm(bare, { recursive: true }));
  for (const path of ["scripts", "e2e/harness.mjs"]) await cp(join(ROOT, path), join(bare, path), { recursive: true });
  const { stdout } = await promisify(execFile)(process.execPath, [join(bare, "scripts/smoke.mjs"), "--help"]);
  assert.match(stdout, /^make smoke ARGS=/);
});

test("both workers have the same compatibility date", () => {
  assert.equal(consumer.compatibility_date, scheduler.compatibility_date);
});

test("the build exports the handlers and the classes, which a macro outside the entry crate would silently omit", async () => {
  const script = await readFile(scheduler.main, "utf8");
  for (const { class_name: name } of scheduler.durable_objects.bindings) {
    assert.match(script, new RegExp(`export\\s*{[^}]*\\b${name}\\b[^}]*}`), name);
  }
  for (const handler of ["fetch", "queue", "scheduled"]) {
    assert.match(script, new RegExp(`\\.prototype\\.${handler}\\s*=`), handler);
  }
});

// The platform's bound after gzip is 3 MB on its free plan and 10 MB on the paid one. Size costs
// start-up time, so this bound is lower, and a jump in size is noticed early. The wasm has about
// 1,780,000 bytes. That the model and the engine are built for speed takes 170,000 of them.
const MOST_WASM_BYTES = 1_850_000;

test("the wasm after gzip is within its bound", async () => {
  const size = gzipSync(await readFile(join(ROOT, "coordinator/build/index_bg.wasm")), { level: 9 }).length;
  assert.ok(size <= MOST_WASM_BYTES, `${size} bytes`);
});

const DASHBOARD = join(ROOT, "dashboard/dist");

/** Returns whether a path goes to the Worker before any file. */
function goesToWorker(path) {
  return scheduler.assets.run_worker_first.some((rule) => (rule.endsWith("*") ? path.startsWith(rule.slice(0, -1)) : path === rule));
}

test("every route of the API goes to the Worker first, and so does every unknown path", async () => {
  const { paths } = JSON.parse(await readFile(join(ROOT, "coordinator/openapi.json"), "utf8"));
  for (const path of Object.keys(paths)) {
    assert.ok(goesToWorker(path), path);
    assert.ok(goesToWorker(`${path}/`), `${path}/`);
  }
  assert.ok(!goesToWorker("/"));
  assert.equal(scheduler.assets.not_found_handling, "none");
  assert.equal(join(ROOT, scheduler.assets.directory), DASHBOARD);
});

test("the dashboard allows scripts and styles of its own files only, and forbids framing", async () => {
  const headers = await readFile(join(DASHBOARD, "_headers"), "utf8");
  const policy = /^\/\*\n(?: {2}.*\n)*? {2}Content-Security-Policy: (.*)$/m.exec(headers)?.[1] ?? "";
  const directives = new Map(policy.split("; ").map((directive) => [directive.split(" ")[0], directive.split(" ").slice(1).join(" ")]));
  for (const name of ["default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"]) assert.equal(directives.get(name), "'none'", name);
  for (const name of ["script-src", "style-src", "img-src", "connect-src"]) assert.equal(directives.get(name), "'self'", name);
  assert.doesNotMatch(headers, /unsafe|https?:|data:|\* /);
  for (const header of ["X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "X-Frame-Options: DENY"]) assert.ok(headers.includes(header), header);
  const page = await readFile(join(DASHBOARD, "index.html"), "utf8");
  assert.doesNotMatch(page, /<style|style=|\son\w+=|https?:/);
  for (const [tag] of page.matchAll(/<script[^>]*>/g)) assert.match(tag, /src="\/assets\//);
});

// This bounds all files that a browser may load, not only those of the first page.
const MOST_DASHBOARD_BYTES = 200_000;

test("the dashboard after gzip is within its bound", async () => {
  const files = (await readdir(DASHBOARD, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  let size = 0;
  for (const file of files) size += gzipSync(await readFile(join(file.parentPath, file.name)), { level: 9 }).length;
  assert.ok(files.length > 3);
  assert.ok(size <= MOST_DASHBOARD_BYTES, `${size} bytes`);
});
