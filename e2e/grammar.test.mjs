// Several tenants send generated requests at the same time. No answer may be a server error, the
// runtime must survive, each tenant must see only its own data, a refused request must change
// nothing, and a neighbor must be answered. `GRAMMAR_SECONDS` and `GRAMMAR_SEED` set a longer run
// and another seed; `make fuzz-http`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runtimeOf } from "./attacks.mjs";
import { Grammar, IDS, randomFrom } from "./grammar.mjs";
import { Scheduler } from "./harness.mjs";

const SEED = Number(process.env.GRAMMAR_SEED ?? 1);
const SECONDS = Number(process.env.GRAMMAR_SECONDS ?? 0);
/** The number of requests of each tenant in an ordinary run. */
const REQUESTS = 700;
const TENANTS = ["fuzz-a", "fuzz-b", "fuzz-c"];
/** A neighbor may wait this many times as long as with ordinary requests, and at most this many milliseconds. */
const SLOWER = 20;
const LONGEST_WAIT = 8_000;
/** The longest refusal in bytes: the errors of a batch, and the rest of the answer. */
const MOST_REFUSAL_BYTES = 2_300_000;

const callback = { type: "handler", name: "noop" };
/** The statuses of 500 and more that a limit causes. */
const LIMITS = new Set([507]);

let scheduler;
let pid;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
  pid = process.platform === "linux" ? runtimeOf(scheduler) : undefined;
});
after(async () => {
  await scheduler?.dispose();
});

async function keyOf(namespace, scopes) {
  const { status, body } = await scheduler.call("/v1/keys", { body: { name: namespace, scopes, namespaces: [namespace] } });
  assert.equal(status, 201);
  return body.key;
}

/** Sends a request. Reads an endless answer for a moment only. */
async function send({ method, path, headers, body }, key, namespace) {
  const abort = new AbortController();
  const all = { authorization: `Bearer ${key}`, ...(namespace && { "scheduler-namespace": namespace }), ...headers };
  const response = await fetch(scheduler.url + path, { method, headers: all, body, signal: abort.signal, redirect: "manual" });
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) {
    abort.abort();
    return { status: response.status, type, text: "" };
  }
  return { status: response.status, type, text: await response.text() };
}

/** Checks what the API promises of every answer. Throws the reason if the answer differs. */
function check({ status, type, text }, shown) {
  assert.ok(status < 500 || LIMITS.has(status), `${status}: ${text.slice(0, 500)}\n${shown}`);
  if (status < 400 || text === "") return;
  assert.ok(text.length <= MOST_REFUSAL_BYTES, `a refusal of ${text.length} bytes\n${shown}`);
  assert.equal(type, "application/problem+json", shown);
  const problem = JSON.parse(text);
  assert.equal(problem.status, status, shown);
  for (const name of ["type", "title", "detail"]) assert.equal(typeof problem[name], "string", `${name}\n${shown}`);
  assert.ok(problem.detail.length <= 2_000, `a detail of ${problem.detail.length} characters\n${shown}`);
}

/** Returns the counts that only requests change. An update after a change of a calendar replaces tasks meanwhile. */
async function counts(key) {
  const { text } = await send({ method: "GET", path: "/v1/stats", headers: {} }, key);
  const { created, replaced, cancelled } = JSON.parse(text);
  return { added: created - replaced, cancelled };
}

/** Creates a plain task for each id that requests name. */
async function plainTasks(key) {
  const body = JSON.stringify(IDS.map((id) => ({ id, time: "2040-01-01T00:00:00Z", callback, tags: ["x"] })));
  check(await send({ method: "POST", path: "/v1/tasks/batch", headers: { "content-type": "application/json" }, body }, key), "plain tasks");
}

/** Sends one tenant's requests, one after the other. */
async function tenant(namespace, number, document, tally, goesOn) {
  const random = randomFrom(SEED * 1_000 + number);
  const grammar = new Grammar(document, random);
  const key = await keyOf(namespace, ["read", "write"]);
  const operations = grammar.operations(({ path }) => path.startsWith("/v1/") && !path.startsWith("/v1/keys") && !path.startsWith("/v1/namespaces"));
  for (let n = 0; goesOn(n); n += 1) {
    // Tasks are cancelled and replaced, so some are created again for further changes.
    if (n % 60 === 0) await plainTasks(key);
    const operation = grammar.pick(operations);
    const request = grammar.request(operation);
    const shown = `seed ${SEED}, ${namespace}, request ${n}: ${request.method} ${request.path.slice(0, 300)} ${JSON.stringify(request.headers)} ${request.body?.slice(0, 600)}`;
    const elsewhere = grammar.chance(0.03);
    if (elsewhere) {
      const other = TENANTS[(number + 1) % TENANTS.length];
      const answer = await send(request, key, other);
      // What the key itself may do is the same in every namespace.
      const isOwn = operation.path === "/v1/key" && answer.status === 200;
      assert.ok(isOwn || [403, 404, 405].includes(answer.status), `${answer.status} in another's namespace\n${shown}`);
      continue;
    }
    const before = grammar.chance(0.1) ? await counts(key) : undefined;
    const answer = await send(request, key);
    check(answer, shown);
    if (before && answer.status >= 400 && answer.status < 500) assert.deepEqual(await counts(key), before, `a refused request changed something\n${shown}`);
    const name = `${operation.method} ${operation.path}`;
    const of = (tally[name] ??= { good: 0, refused: 0 });
    if (answer.status < 400) of.good += 1;
    else of.refused += 1;
  }
}

/** Sends the operator's requests, for keys and namespaces. */
async function operator(document, tally, goesOn) {
  const grammar = new Grammar(document, randomFrom(SEED * 1_000 + 999));
  const operations = grammar.operations(({ path }) => path.startsWith("/v1/keys") || path.startsWith("/v1/namespaces"));
  for (let n = 0; goesOn(n * 10); n += 1) {
    const operation = grammar.pick(operations);
    const request = grammar.request(operation);
    request.path = request.path.replace(/^(\/v1\/namespaces\/)(?!a\b|b\b|x-1\b)[a-z].*$/, "$1x-1");
    const answer = await send(request, scheduler.key);
    check(answer, `seed ${SEED}, operator, request ${n}: ${request.method} ${request.path} ${request.body?.slice(0, 600)}`);
    const name = `${operation.method} ${operation.path}`;
    const of = (tally[name] ??= { good: 0, refused: 0 });
    if (answer.status < 400) of.good += 1;
    else of.refused += 1;
  }
}

/** Requests a list repeatedly until `ended` is done. Returns the milliseconds of each answer, sorted. */
async function neighbor(key, ended) {
  const waits = [];
  let goesOn = true;
  const end = ended.finally(() => (goesOn = false));
  while (goesOn) {
    const asked = performance.now();
    const { status, text } = await send({ method: "GET", path: "/v1/tasks?limit=1", headers: {} }, key);
    assert.equal(status, 200, text);
    waits.push(performance.now() - asked);
  }
  await end;
  return waits.sort((one, other) => one - other);
}

async function ordinary(namespace, number) {
  const key = await keyOf(namespace, ["read", "write"]);
  for (let n = 0; n < 100; n += 1) {
    const body = JSON.stringify({ id: `ordinary-${number}-${n}`, delayInSeconds: 86_400, callback });
    const created = await send({ method: "POST", path: "/v1/tasks", headers: { "content-type": "application/json" }, body }, key);
    assert.equal(created.status, 201);
    assert.equal((await send({ method: "GET", path: `/v1/tasks/ordinary-${number}-${n}`, headers: {} }, key)).status, 200);
  }
}

test("for all requests of tenants, answers keep the API's promises, and a neighbor is answered", { timeout: (SECONDS + 240) * 1_000 }, async (t) => {
  for (const name of [...TENANTS, "neighbor"]) assert.ok((await scheduler.call(`/v1/namespaces/${name}`, { method: "PUT", body: {} })).status < 300);
  const watched = await keyOf("neighbor", ["read"]);
  const usual = await neighbor(watched, Promise.all(TENANTS.map(ordinary)));

  const { body: document } = await scheduler.call("/openapi.json");
  const tally = {};
  const end = Date.now() + SECONDS * 1_000;
  const goesOn = (n) => n < REQUESTS || Date.now() < end;
  const fuzzing = Promise.all([...TENANTS.map((name, number) => tenant(name, number, document, tally, goesOn)), operator(document, tally, goesOn)]);
  const waits = await neighbor(watched, fuzzing);

  const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const shown = (sorted) => `${at(sorted, 0.5).toFixed(0)} ms, 9 of 10 within ${at(sorted, 0.9).toFixed(0)} ms, ${sorted.at(-1).toFixed(0)} ms at most`;
  t.diagnostic(`a neighbor waits ${shown(usual)} beside ordinary requests, ${shown(waits)} beside these`);
  const good = Object.values(tally).reduce((sum, of) => sum + of.good, 0);
  const refused = Object.values(tally).reduce((sum, of) => sum + of.refused, 0);
  t.diagnostic(`seed ${SEED}: ${good} requests carried out, ${refused} refused`);
  assert.ok(at(waits, 0.9) <= SLOWER * Math.max(at(usual, 0.9), 5), "a neighbor is slower");
  assert.ok(waits.at(-1) <= LONGEST_WAIT, "a neighbor waited too long");

  // A run in which everything was refused, or nothing, has tested nothing.
  const never = Object.entries(tally).filter(([, of]) => of.good === 0).map(([name]) => name);
  // The scheduler generates the ids of keys and of dead letters, so no request names one that
  // exists.
  const named = /\/v1\/(keys|dead-letters)\/{id}/;
  assert.deepEqual(never.filter((name) => !named.test(name)), [], "these were never accepted");
  const all = new Grammar(document, Math.random).operations(({ path }) => path.startsWith("/v1/"));
  assert.equal(Object.keys(tally).length, all.length, "some operations were not requested");
  assert.ok(good > refused / 4 && refused > good / 10, `${good} carried out, ${refused} refused`);

  assert.equal((await scheduler.call("/healthz")).status, 200);
  if (pid) assert.equal(runtimeOf(scheduler), pid, "the runtime was restarted");
  assert.doesNotMatch(scheduler.log(), /panicked|RuntimeError|unreachable/, "the log has a crash");
});
