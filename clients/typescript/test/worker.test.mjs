// The prebuilt Worker seen from another Worker: RPC, namespaces and scopes.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SchedulerClient } from "../src/client/client.ts";
import { neededScope, refuse } from "../src/worker/access.ts";
import { startWorker, until } from "./runtime.mjs";

const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}.jsonc`, import.meta.url));

let worker;
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "durable-scheduler-"));
  // No API_KEYS: calls over a binding need none.
  worker = await startWorker(fixture("caller"), { others: [await objectsWithRemote()] });
});
after(async () => {
  await worker?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Writes the configuration of the Worker with the scheduler, with a binding to the object of the other Worker. */
async function objectsWithRemote() {
  const config = JSON.parse(await readFile(fixture("objects"), "utf8"));
  config.main = join(dirname(fixture("objects")), config.main);
  config.durable_objects.bindings.push({ name: "REMOTE", class_name: "Remote", script_name: "caller" });
  const path = join(folder, "wrangler.json");
  await writeFile(path, JSON.stringify(config));
  return path;
}

async function call(path, ...args) {
  const response = await fetch(`${worker.url}/${path}`, { method: "POST", body: JSON.stringify(args) });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

const callback = { type: "webhook", url: "https://example.com/x", headers: { "x-api-key": "secret" } };
const later = { time: "2099-01-01T00:00:00Z", callback };

test("every method of the client can be called by RPC, without an API key", async () => {
  const made = await call("FULL/scheduleTask", { id: "one", ...later });
  assert.match(made.etag, /^".+"$/);
  assert.equal((await call("FULL/getTask", "one")).id, "one");
  assert.equal(await call("FULL/getTask", "nothing"), null);
  assert.equal((await call("FULL/scheduleTasks", [{ id: "shared-1", ...later }, { id: "shared-2", ...later }])).accepted, 2);
  const page = await call("FULL/query", { prefix: "shared", limit: 1 });
  assert.deepEqual([page.items[0].id, (await call("FULL/query", { prefix: "shared", limit: 1, cursor: page.cursor })).items[0].id], ["shared-1", "shared-2"]);
  assert.equal((await call("FULL/changeTask", "one", { description: "new" }, { ifMatch: made.etag })).description, "new");
  await assert.rejects(call("FULL/changeTask", "one", { description: "old" }, { ifMatch: made.etag }), /version/i);
  assert.equal((await call("FULL/pause", "one")).status, "paused");
  assert.equal((await call("FULL/resume", ["one"])).changed, 1);
  assert.equal((await call("FULL/reschedule", "one", { time: "2098-01-01T00:00:00Z" })).due, Date.UTC(2098, 0));
  assert.equal((await call("FULL/preview", { cron: "@daily", count: 2 })).runs.length, 2);
  assert.equal((await call("FULL/parse", { text: "every monday at 10:00" })).outcome, "understood");
  assert.equal((await call("FULL/explain", "one")).status, "scheduled");
  assert.deepEqual((await call("FULL/runs", "one")).items, []);
  // Schedules of the Worker may have run already.
  assert.deepEqual((await call("FULL/runs", { tag: "nothing" })).items, []);
  assert.deepEqual((await call("FULL/errorGroups")).items, []);
  assert.ok((await call("FULL/stats")).created >= 3);
  assert.equal((await call("FULL/statsSeries", { by: "hour" })).buckets.length, 168);
  assert.equal((await call("FULL/forecast", { buckets: 6 })).buckets.length, 6);
  assert.equal((await call("FULL/dryRun", "cancel", { prefix: "one" })).count, 1);
  assert.equal((await call("FULL/dryRun", "reschedule", { prefix: "one" }, { delayInSeconds: 5 })).count, 1);
  assert.equal((await call("FULL/deadLetters/dryRun", "replay", { all: true })).count, 0);
  assert.match(await call("FULL/events", { id: "one" }), /^(:|id:|event:|retry:|data:)/);
  assert.equal((await call("FULL/cancelTask", "one")).cancelled, true);
  assert.deepEqual((await call("FULL/deadLetters/list")).items, []);
  assert.equal((await call("FULL/deadLetters/discard", { kind: "once" })).discarded, 0);
  await assert.rejects(call("FULL/deadLetters/get", "nothing"), /dead letter/i);
  await assert.rejects(call("FULL/deadLetters/replay", "nothing"), /dead letter/i);
  await call("FULL/limits/set", "api", { concurrency: 2 });
  assert.equal((await call("FULL/limits/get", "api")).concurrency, 2);
  assert.equal((await call("FULL/limits/list")).length, 1);
  assert.equal((await call("FULL/limits/delete", "api")).deleted, true);
  await assert.rejects(call("FULL/run", "nothing"), /no task/i);
});

test("no method of the client is missing", async () => {
  const source = await readFile(fileURLToPath(new URL("../src/worker/entrypoint.ts", import.meta.url)), "utf8");
  const names = Object.getOwnPropertyNames(SchedulerClient.prototype).filter((name) => name !== "constructor");
  const client = new SchedulerClient({ url: "http://localhost" });
  for (const name of [...names, ...Object.keys(client)]) assert.match(source, new RegExp(`^  (async |get )${name}\\(`, "m"), name);
  for (const part of Object.keys(client)) {
    const target = source.slice(source.search(new RegExp(`^export class ${part}Target`, "im"))).split("\n}\n")[0];
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(client[part]))) {
      if (name !== "constructor") assert.match(target, new RegExp(`^  async ${name}\\(`, "m"), `${part}.${name}`);
    }
  }
});

test("the client works over the binding", async () => {
  assert.deepEqual(await call("FULL/client"), ["shared-1", "shared-2"]);
});

test("the scopes in the properties of a binding bound what it may do, and a reader sees no headers", async () => {
  const payload = { headers: { mine: "shown" } };
  await call("FULL/scheduleTask", { id: "secret", ...later, payload, onFailure: callback });
  for (const read of [(await call("READER/query", { prefix: "secret" })).items[0], await call("READER/getTask", "secret")]) {
    assert.deepEqual([read.callback.headers, read.onFailure.headers, read.payload], [{ "x-api-key": "<hidden>" }, { "x-api-key": "<hidden>" }, payload]);
  }
  await assert.rejects(call("READER/scheduleTask", later), /lacks the scope write/);
  await assert.rejects(call("READER/cancelTask", "shared-1"), /lacks the scope write/);
  await assert.rejects(call("FULL/keys/list"), /lacks the scope admin/);
  await assert.rejects(call("FULL/namespaces/set", "shop", {}), /lacks the scope admin/);
  await assert.rejects(call("FULL/scheduleTask", later, { namespace: "shop" }), /not for shop/);
});

test("an object uses a scheduler in another Worker", async () => {
  await call("OBJECT/add", "Tea");
  await until("the task", async () => (await call("OBJECT/list")).length > 0);
  assert.deepEqual(await call("OBJECT/list"), ["Tea"]);
});

test("a caller can ask what it may do", async () => {
  assert.deepEqual(await call("READER/keys/own"), { namespaces: ["default"], scopes: ["read"] });
  assert.deepEqual(await call("SHOP/keys/own"), { namespaces: ["shop"], scopes: ["read", "write"] });
  assert.deepEqual(await call("ADMIN/keys/own"), { namespaces: ["*"], scopes: ["admin", "read", "write"] });
});

test("no path says more of a caller than it may do, or lets it do more", async () => {
  const get = (path, init) => call("READER/raw", `https://scheduler.internal${path}`, init);
  for (const path of ["/v1/key", "/v1/key/"]) assert.deepEqual(JSON.parse((await get(path))[1]), { namespaces: ["default"], scopes: ["read"] }, path);
  for (const path of ["/v1/keys", "/v1/keys/", "/v1/./keys", "/v1/tasks/../keys", "/v1/tasks/%2e%2e/keys", "/v1\\keys", "/v1/namespaces/shop"]) assert.equal((await get(path))[0], 403, path);
  for (const path of ["/v1/%6beys", "//v1/keys", "/v1//keys", "/V1/keys", "/v1;/keys", "/v1/keys%2f"]) assert.equal((await get(path))[0], 404, path);
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) assert.equal((await get("/v1/tasks/a", { method, body: "{}" }))[0], 403, method);
  for (const path of ["/v1/preview", "/v1/preview/"]) assert.equal((await get(path, { method: "POST", body: '{"cron":"@daily"}' }))[0], 200, path);
  for (const path of ["/v1/parse", "/v1/parse/"]) assert.equal((await get(path, { method: "POST", body: '{"text":"daily at noon"}' }))[0], 200, path);
  for (const namespace of ["shop", " shop", "default,shop", "", "*"]) assert.equal((await get("/v1/tasks", { headers: { "scheduler-namespace": namespace } }))[0], 403, namespace);
  for (const id of [["../keys"], ["%2e%2e/keys"]]) assert.equal(await call("READER/getTask", ...id), null);
  for (const id of [{}, null, ["a"], 5]) await assert.rejects(call("READER/getTask", id), /cannot be part of a path/);
});

test("the namespace in the properties of a binding is that of its tasks", async () => {
  await assert.rejects(call("SHOP/scheduleTask", { id: "shared-3", ...later }), /namespace/);
  await call("ADMIN/namespaces/set", "shop", {});
  assert.deepEqual((await call("ADMIN/namespaces/list")).map(({ name }) => name), ["default", "shop"]);
  assert.equal((await call("ADMIN/namespaces/get", "shop")).name, "shop");
  await call("SHOP/scheduleTask", { id: "shared-3", ...later });
  assert.deepEqual((await call("SHOP/query", {})).items.map(({ id }) => id), ["shared-3"]);
  assert.equal(await call("FULL/getTask", "shared-3"), null);
  assert.equal((await call("ADMIN/getTask", "shared-3", { namespace: "shop" })).id, "shared-3");
  // Every method takes the options of a call.
  const shop = { namespace: "shop" };
  assert.equal((await call("ADMIN/limits/set", "api", { concurrency: 3 }, shop)).concurrency, 3);
  assert.deepEqual([(await call("ADMIN/limits/list", shop)).length, (await call("ADMIN/limits/list")).length], [1, 0]);
  await call("ADMIN/limits/delete", "api", shop);
  assert.deepEqual((await call("ADMIN/runs", "shared-3", { limit: 1 }, shop)).items, []);
  assert.deepEqual((await call("ADMIN/runs", {}, shop)).items, []);
  assert.deepEqual([(await call("ADMIN/dryRun", "cancel", { all: true }, shop)).count, (await call("ADMIN/dryRun", "reschedule", { all: true }, { delayInSeconds: 5 }, shop)).count], [1, 1]);
  assert.match(await call("ADMIN/events", { id: "a" }, shop), /^(:|id:|event:|retry:|data:)/);
  await assert.rejects(call("ADMIN/events", {}, { namespace: "none" }), /^Error: .*namespace/i);
  // A position that nobody has is one after which events are missing.
  assert.match(await call("ADMIN/events", {}, { lastEventId: "nonsense" }), /"type":"gap"/);
  assert.doesNotMatch(await call("ADMIN/events"), /"type":"gap"/);
  assert.equal((await call("ADMIN/deadLetters/discard", { all: true }, shop)).discarded, 0);
  assert.equal((await call("ADMIN/deadLetters/replay", { all: true }, shop)).replayed, 0);
  await assert.rejects(call("ADMIN/deadLetters/replay", "nothing", {}, { namespace: "none" }), /namespace/);
  await call("SHOP/cancelTask", "shared-3");
  assert.equal((await call("ADMIN/namespaces/delete", "shop")).deleted, true);
  const key = await call("ADMIN/keys/create", { name: "k", scopes: ["read"], namespaces: ["default"] });
  assert.equal((await call("ADMIN/keys/get", key.id)).name, "k");
  assert.equal((await call("ADMIN/keys/list")).length, 1);
  assert.equal((await call("ADMIN/keys/revoke", key.id)).deleted, true);
});

test("the scope that a request needs is that of its route", async () => {
  const folder = new URL("../../../coordinator/src/routes/", import.meta.url);
  const sources = await Promise.all(["tasks.rs", "dead_letters.rs", "others.rs"].map((name) => readFile(new URL(name, folder), "utf8")));
  const routes = [...sources.join("").matchAll(/Route::new\(Method::(\w+), "([^"]+)", Scope::(\w+)/g)];
  assert.ok(routes.length > 30, String(routes.length));
  for (const [, method, path, scope] of routes) assert.equal(neededScope(method.toUpperCase(), path), scope.toLowerCase(), `${method} ${path}`);
  for (const path of ["/v1/key", "/healthz", "/openapi.json", "/problems/invalid"]) assert.equal(neededScope("GET", path), undefined);
});

test("a binding leads to the tools for language models only with every scope that a tool may need", () => {
  for (const [path, scopes, status] of [
    ["/mcp", undefined, undefined],
    ["/mcp/", ["read", "write", "admin"], undefined],
    ["/mcp", ["read"], 403],
    ["/mcp/", ["read"], 403],
    ["/mcp?x", ["write"], 403],
    ["/mcp", ["admin"], 403],
    ["/mcp", [], 403],
  ]) {
    const request = new Request(`https://scheduler.test${path}`, { method: "POST", body: "{}" });
    assert.equal(refuse(request, { scopes })?.status, status, `${path} ${scopes}`);
  }
  const elsewhere = new Request("https://scheduler.test/mcp", { method: "POST", headers: { "scheduler-namespace": "other" } });
  assert.equal(refuse(elsewhere, { namespace: "own" }).status, 403);
});
