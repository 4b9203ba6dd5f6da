// Compares the API's description with the API: every operation exists, and real answers match their
// schemas.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { Scheduler, until } from "./harness.mjs";

let scheduler;
let document;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
  document = await (await fetch(`${scheduler.url}/openapi.json`)).json();
});
after(() => scheduler?.dispose());

const METHODS = ["get", "put", "post", "patch", "delete"];

/** Returns the target of a reference, or any other value unchanged. */
function resolved(value) {
  if (value?.$ref === undefined) return value;
  const found = value.$ref.replace(/^#\//, "").split("/").reduce((at, part) => at?.[part], document);
  assert.ok(found, value.$ref);
  return found;
}

function typeOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

/**
 * Returns the differences from a schema, as texts. It is stricter than JSON Schema in one way: if
 * an object has documented properties, every property must be documented, so that an answer cannot
 * have more than its description.
 */
function misfits(value, given, path = "$") {
  const schema = resolved(given);
  if (schema === true) return [];
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices?.length > 0) {
    const tried = choices.map((choice) => misfits(value, choice, path));
    return tried.some((found) => found.length === 0) ? [] : tried.flat();
  }
  const found = [];
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const type = typeOf(value);
  if (types.length > 0 && !types.includes(type) && !(type === "integer" && types.includes("number"))) {
    return [`${path} is ${type}, not ${types}`];
  }
  if (schema.enum && !schema.enum.includes(value)) found.push(`${path} is ${JSON.stringify(value)}, not one of ${schema.enum}`);
  if ("const" in schema && schema.const !== value) found.push(`${path} is ${JSON.stringify(value)}, not ${schema.const}`);
  if (type === "object" && types.includes("object")) {
    for (const name of schema.required ?? []) if (!(name in value)) found.push(`${path}.${name} is missing`);
    for (const [name, inner] of Object.entries(value)) {
      const described = schema.properties?.[name];
      if (described !== undefined) found.push(...misfits(inner, described, `${path}.${name}`));
      else if (schema.properties) found.push(`${path}.${name} is not documented`);
    }
  }
  if (type === "array" && schema.items) value.forEach((item, at) => found.push(...misfits(item, schema.items, `${path}[${at}]`)));
  return found;
}

/** The answers with an `ETag` that a test has compared with the document. */
const tagged = new Set();

/** Compares the `ETag` of an answer with the document: both have one, or neither. */
function checkTag(answer, described, response) {
  assert.equal(response.headers.has("etag"), described.headers?.ETag !== undefined, `the ETag of ${answer}, sent and documented`);
  if (response.headers.has("etag")) tagged.add(answer);
}

/** Sends a request, and compares status, headers, content type and body with the document. */
async function checked(method, path, { at = path, query = "", ...options } = {}) {
  const response = await scheduler.fetch(at + query, { method: method.toUpperCase(), ...options });
  const operation = document.paths[path][method];
  const described = resolved(operation.responses[response.status]);
  const text = await response.text();
  assert.ok(described, `${method} ${at}${query}: status ${response.status} is not documented: ${text}`);
  for (const [name, header] of Object.entries(described.headers ?? {})) {
    const value = response.headers.get(name);
    if (value !== null && resolved(header).schema.type === "integer") assert.match(value, /^\d+$/, name);
  }
  checkTag(`${method} ${path} ${response.status}`, described, response);
  const content = described.content[response.headers.get("content-type")];
  assert.ok(content, `${method} ${at}: content type ${response.headers.get("content-type")}`);
  // A stream of tasks is answered with an object on each line.
  const isLines = response.headers.get("content-type") === "application/x-ndjson";
  const objects = (isLines ? text.trimEnd().split("\n") : [text]).map((line) => JSON.parse(line));
  for (const object of objects) assert.deepEqual(misfits(object, content.schema), [], `${method} ${at}: ${text.slice(0, 500)}`);
  const body = objects.at(-1);
  return { status: response.status, body };
}

const SOON = { delayInSeconds: 9000, callback: { type: "handler", name: "noop" } };

test("the document has a title and needs no key", async () => {
  const response = await fetch(`${scheduler.url}/openapi.json`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.match(document.info.version, /^\d+\.\d+\.\d+/);
  assert.equal(document.components.securitySchemes.bearer.scheme, "bearer");
  assert.deepEqual(await response.json(), document);
});

test("every documented operation exists, and needs a key if the document says so", async () => {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((method) => item[method])) {
      const [known] = resolved(item.parameters?.[0] ?? {}).schema?.enum ?? ["none"];
      const at = path.replace(/{\w+}/, known);
      if (item[method].responses[200]?.content?.["text/event-stream"]) {
        const stream = await scheduler.fetch(at);
        assert.equal(stream.headers.get("content-type"), "text/event-stream");
        await stream.body.cancel();
      } else {
        const { body } = await scheduler.call(at, { method: method.toUpperCase() });
        assert.notEqual(body.type, "/problems/no-route", `${method} ${path}`);
      }
      const bare = await fetch(scheduler.url + at, { method: method.toUpperCase() });
      const isOpen = item[method].security?.length === 0;
      assert.equal(bare.status === 401, !isOpen, `${method} ${path}`);
      assert.ok(item[method].responses[bare.status], `${method} ${path}: ${bare.status}`);
    }
  }
});

test("no undocumented method exists", async () => {
  for (const path of Object.keys(document.paths)) {
    for (const method of METHODS.filter((method) => !document.paths[path][method])) {
      // If another path has a variable here, this part may be a value of it: `/v1/tasks/batch` is
      // also the task with that id.
      const isName = (other) => new RegExp(`^${other.replace(/{\w+}/g, ".+")}$`).test(path);
      if (Object.keys(document.paths).some((other) => other !== path && document.paths[other][method] && isName(other))) continue;
      const { body } = await scheduler.call(path.replace(/{\w+}/, "none"), { method: method.toUpperCase() });
      assert.equal(body.type, "/problems/no-method", `${method} ${path}`);
    }
  }
});

/** The id in the path of an example's request, by the prefix of the path. */
const IDS = { "/v1/tasks": "order-7:remind", "/v1/calendars": "de-holidays", "/v1/limits": "stripe", "/v1/namespaces": "shop" };

/** Yields every operation with a body: its path, its method, and the media types of its body with their examples. */
function* bodies() {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((method) => item[method]?.requestBody)) {
      for (const [type, { schema, examples }] of Object.entries(item[method].requestBody.content)) {
        const of = Object.keys(IDS).find((before) => path.startsWith(before));
        // The body may name the task too.
        const at = (value) => path.replace("{id}", encodeURIComponent(value?.id ?? IDS[of]));
        yield { path, method, at, type, schema, examples: Object.entries(examples).map(([name, { value }]) => ({ name, value })) };
      }
    }
  }
}

/** Creates the tasks of the examples again, and a dead letter if the path names one. Returns the address. */
async function prepare(path, at) {
  for (const id of ["order-7:remind", "order-8:remind"]) {
    const { status } = await scheduler.call(`/v1/tasks/${encodeURIComponent(id)}`, { method: "PUT", body: { ...SOON, tags: ["orders"] } });
    assert.ok(status < 300);
  }
  return path.startsWith("/v1/dead-letters/{id}") ? path.replace("{id}", encodeURIComponent(await deadLetter())) : at;
}

/** Returns the id of a dead letter whose task was missed. */
async function deadLetter() {
  const task = { id: "missed", time: Date.now() - 3_600_000, misfire: { policy: "dead-letter" }, callback: { type: "handler", name: "log" } };
  assert.ok((await scheduler.call("/v1/tasks", { body: task })).status < 300);
  const [letter] = await until("a dead letter", async () => {
    const { deadLetters } = (await scheduler.call("/v1/dead-letters?prefix=missed")).body;
    return deadLetters.length > 0 && deadLetters;
  });
  return letter.deadLetterId;
}

test("the example of every body is accepted, and the answer matches its schema", async () => {
  let sent = 0;
  for (const { path, method, at, type, schema, examples } of bodies()) {
    assert.ok(examples.length > 0, `${method} ${path} has no example`);
    for (const { name, value } of examples) {
      if (typeof value !== "string") assert.deepEqual(misfits(value, schema), [], `${method} ${path} ${name}`);
      const { status, body } = await checked(method, path, { at: await prepare(path, at(value)), body: value, headers: { "content-type": type } });
      assert.ok(status === 200 || status === 201, `${method} ${path} ${name}: ${JSON.stringify(body)}`);
      // A batch whose tasks are all refused has an answer too.
      if (body.rejected !== undefined) assert.equal(body.rejected, 0, name);
      if (typeof body.changed === "number") assert.equal(body.changed + body.unchanged > 0 || name === "filter", true, `${path} ${name}`);
      sent += 1;
    }
  }
  assert.ok(sent > 25, `${sent} examples`);
});

test("null means absent in every nullable member of the document", async () => {
  let sent = 0;
  for (const { path, method, at, type, schema, examples } of bodies()) {
    // In a merge patch, null removes a member.
    if (type !== "application/json" || path === "/v1/tasks/batch" || method === "patch") continue;
    const { value } = examples[0];
    const form = (resolved(schema).anyOf ?? [schema]).map(resolved).find((form) => misfits(value, form).length === 0);
    for (const [name, member] of Object.entries(form.properties)) {
      const isNullable = misfits(null, member).length === 0;
      // The payload is any JSON, including null.
      if (!isNullable || name in value || name === "payload") continue;
      const { status, body } = await checked(method, path, { at: await prepare(path, at(value)), body: { ...value, [name]: null } });
      assert.ok(status === 200 || status === 201, `${method} ${path} ${name}: ${JSON.stringify(body)}`);
      sent += 1;
    }
  }
  assert.ok(sent > 30, `${sent} members`);
});

test("listed tasks match their schema after each example, in pages", async () => {
  const { examples } = document.paths["/v1/tasks"].post.requestBody.content["application/json"];
  for (const { value } of Object.values(examples)) {
    const made = await checked("post", "/v1/tasks", { body: value });
    const at = `/v1/tasks/${encodeURIComponent(made.body.id)}`;
    // Only the answer to a change has warnings, and says what was understood of words.
    const { sentence, warnings, ...stored } = made.body;
    assert.equal(sentence !== undefined, value.schedule !== undefined);
    assert.deepEqual((await checked("get", "/v1/tasks/{id}", { at })).body, stored);
    assert.equal((await checked("put", "/v1/tasks/{id}", { at, body: value })).status, 200);
    assert.equal((await scheduler.fetch(at)).headers.has("etag"), true);
  }
  const list = await checked("get", "/v1/tasks", { query: "?limit=2" });
  assert.equal(typeof list.body.cursor, "string");
  assert.equal((await checked("get", "/v1/tasks")).body.cursor, null);
});

test("docs/api.md lists the routes of the document", async () => {
  const text = await readFile(join(ROOT, "docs/api.md"), "utf8");
  const listed = [...text.matchAll(/^\|((?:,? `[A-Z]+ [^` ]+`)+) \|/gm)].flatMap(([, routes]) => [...routes.matchAll(/`([^`]+)`/g)].map(([, route]) => route));
  const described = Object.entries(document.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`));
  assert.deepEqual(listed.toSorted(), described.toSorted());
});

test("every list parameter is accepted, with each of its values", async () => {
  const samples = { from: ["2030-01-01T00:00:00Z", 1_795_704_299_000], to: ["2030-01-01T00:00:00+01:00", 1_893_456_000_000], paused: [true, false] };
  let cursor;
  for (let n = 0; n < 3; n++) await checked("post", "/v1/tasks", { body: SOON });
  for (const { name, schema } of document.paths["/v1/tasks"].get.parameters.map(resolved)) {
    if (name === "cursor") ({ cursor } = (await checked("get", "/v1/tasks", { query: "?limit=1" })).body);
    const values = samples[name] ?? schema.enum ?? (name === "cursor" ? [cursor] : name === "limit" ? [schema.minimum, schema.maximum] : ["a"]);
    for (const value of values) {
      const query = `?${new URLSearchParams({ [name]: value })}`;
      assert.equal((await checked("get", "/v1/tasks", { query })).status, 200, query);
    }
    if (name === "limit") {
      for (const value of [schema.minimum - 1, schema.maximum + 1]) {
        assert.equal((await checked("get", "/v1/tasks", { query: `?limit=${value}` })).status, 422);
      }
    }
  }
});

test("the examples of the parameters of each query are taken together", async () => {
  let sent = 0;
  for (const [path, { get }] of Object.entries(document.paths)) {
    const examples = (get?.parameters ?? []).map(resolved).filter(({ example }) => example !== undefined);
    if (examples.length === 0) continue;
    for (const { example, schema, name } of examples) assert.deepEqual(misfits(example, schema), [], `${path} ${name}`);
    const query = `?${new URLSearchParams(examples.map(({ name, example }) => [name, example]))}`;
    assert.equal((await checked("get", path, { query })).status, 200, `${path}${query}`);
    sent += 1;
  }
  assert.ok(sent > 0);
});

test("answers about keys and namespaces match their schemas", async () => {
  await scheduler.call("/v1/namespaces/shop", { method: "DELETE" });
  const example = document.paths["/v1/keys"].post.requestBody.content["application/json"].examples.shop.value;
  const { body: key } = await checked("post", "/v1/keys", { body: example });
  await checked("get", "/v1/keys");
  assert.equal((await checked("get", "/v1/keys/{id}", { at: `/v1/keys/${key.id}` })).status, 200);
  const headers = { authorization: `Bearer ${key.key}` };
  assert.equal((await checked("get", "/v1/keys", { headers })).status, 403);
  assert.equal((await checked("get", "/v1/tasks", { headers })).status, 404);

  const at = "/v1/namespaces/shop";
  const quota = document.paths["/v1/namespaces/{id}"].put.requestBody.content["application/json"].examples.quota.value;
  assert.equal((await checked("put", "/v1/namespaces/{id}", { at, body: quota })).status, 201);
  assert.equal((await checked("put", "/v1/namespaces/{id}", { at, body: { quota: { pendingTasks: 1 } } })).status, 200);
  assert.equal((await checked("put", "/v1/namespaces/{id}", { at, body: { quota: { pendingTasks: -1 } } })).status, 422);
  await checked("get", "/v1/namespaces");
  assert.equal((await checked("get", "/v1/namespaces/{id}", { at })).status, 200);
  const ours = { headers: { "scheduler-namespace": "shop" } };
  const once = { headers: { ...ours.headers, "idempotency-key": "a" } };
  for (let n = 0; n < 2; n++) assert.equal((await checked("post", "/v1/tasks", { body: { ...SOON, id: "a" }, ...once })).status, 201);
  assert.equal((await checked("post", "/v1/tasks", { body: { ...SOON, id: "b" }, ...once })).status, 409);
  assert.equal((await checked("post", "/v1/tasks/batch", { body: [SOON, SOON], ...ours })).status, 429);
  assert.equal((await checked("delete", "/v1/namespaces/{id}", { at })).status, 409);
  await checked("delete", "/v1/tasks/{id}", { at: "/v1/tasks/a", ...ours });
  assert.equal((await checked("delete", "/v1/namespaces/{id}", { at })).status, 200);
  assert.equal((await checked("delete", "/v1/namespaces/{id}", { at })).status, 404);

  assert.equal((await checked("delete", "/v1/keys/{id}", { at: `/v1/keys/${key.id}` })).status, 200);
  assert.equal((await checked("delete", "/v1/keys/{id}", { at: `/v1/keys/${key.id}` })).status, 404);
});

test("other answers and refusals match their schemas", async () => {
  await checked("get", "/healthz");
  await checked("get", "/v1/stats");
  await checked("get", "/v1/tasks/{id}/runs", { at: "/v1/tasks/none/runs" });
  await checked("get", "/v1/runs");
  await checked("get", "/v1/stats/series");
  assert.equal((await checked("get", "/v1/stats/series", { query: "?by=day" })).status, 422);
  await checked("get", "/v1/forecast");
  assert.equal((await checked("get", "/v1/forecast", { query: "?buckets=0" })).status, 422);
  await checked("get", "/v1/runs", { query: "?group=error&order=count&outcome=failed,expired&limit=1" });
  await checked("post", "/v1/tasks", { body: { ...SOON, id: "one" } });
  const at = "/v1/tasks/one";
  assert.equal((await checked("delete", "/v1/tasks/{id}", { at })).status, 200);
  assert.equal((await checked("delete", "/v1/tasks/{id}", { at })).status, 404);
  assert.equal((await checked("get", "/v1/tasks/{id}", { at })).status, 404);
  assert.equal((await checked("post", "/v1/tasks", { body: {} })).status, 422);
  const mixed = await checked("post", "/v1/tasks/batch", { body: [SOON, { ...SOON, delayInSeconds: -1 }, 7] });
  assert.equal(mixed.body.rejected, 2);
  assert.equal((await checked("post", "/v1/tasks/batch", { body: [7] })).status, 422);
  assert.equal((await checked("post", "/v1/tasks/cancel", { body: {} })).status, 422);
  assert.equal((await checked("get", "/v1/stats", { headers: { authorization: "Bearer wrong" } })).status, 401);
});

test("an answer has an ETag if and only if the document says so", async () => {
  const { path: examplePath, examples } = [...bodies()].find(({ path }) => path === "/v1/calendars/{id}");
  const calendar = { at: examplePath.replace("{id}", "tagged"), body: examples[0].value };
  for (const status of [201, 200]) assert.equal((await checked("put", "/v1/calendars/{id}", calendar)).status, status);
  assert.equal((await checked("get", "/v1/calendars/{id}", { at: calendar.at })).status, 200);
  await checked("delete", "/v1/calendars/{id}", { at: calendar.at });

  const [at, body] = ["/v1/tasks/tagged", { ...SOON, id: "tagged" }];
  for (const status of [201, 200]) assert.equal((await checked("put", "/v1/tasks/{id}", { at, body })).status, status);
  assert.equal((await checked("get", "/v1/tasks/{id}", { at })).status, 200);
  assert.equal((await checked("patch", "/v1/tasks/{id}", { at, body: { description: "x" } })).status, 200);
  for (const [verb, body] of [["pause"], ["resume"], ["reschedule", { delayInSeconds: 9000 }], ["run"]]) {
    assert.equal((await checked("post", `/v1/tasks/{id}/${verb}`, { at: `${at}/${verb}`, body })).status, 200);
  }
  const other = { body: { ...SOON, id: "also-tagged" } };
  for (const status of [201, 200]) assert.equal((await checked("post", "/v1/tasks", other)).status, status);
  assert.equal((await checked("delete", "/v1/tasks/{id}", { at: "/v1/tasks/also-tagged" })).status, 200);
  const letter = `/v1/dead-letters/${encodeURIComponent(await deadLetter())}`;
  assert.equal((await checked("get", "/v1/dead-letters/{id}", { at: letter })).status, 200);
  assert.equal((await checked("post", "/v1/dead-letters/{id}/replay", { at: `${letter}/replay`, body: {} })).status, 200);

  // An answer of 304 has no body, which `checked` reads.
  for (const [path, at] of [["/v1/tasks/{id}", "/v1/tasks/one-tag"], ["/v1/calendars/{id}", "/v1/calendars/one-tag"]]) {
    const body = path === "/v1/tasks/{id}" ? SOON : examples[0].value;
    assert.ok((await scheduler.call(at, { method: "PUT", body })).status < 300);
    const seen = await scheduler.fetch(at, { headers: { "if-none-match": "*" } });
    assert.equal(seen.status, 304);
    checkTag(`get ${path} 304`, document.paths[path].get.responses[304], seen);
  }

  const documented = Object.entries(document.paths).flatMap(([path, item]) => METHODS.flatMap((method) =>
    Object.entries(item[method]?.responses ?? {}).filter(([, given]) => resolved(given).headers?.ETag).map(([status]) => `${method} ${path} ${status}`)));
  assert.deepEqual(documented.filter((answer) => !tagged.has(answer)), [], "documented, and never compared");
});
