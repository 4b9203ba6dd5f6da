// Tests `POST /v1/tasks/stream` on the real local runtime: long bodies, their memory, and how a stream ends early and is continued.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { measured, runtimeOf } from "./attacks.mjs";
import { Scheduler, until } from "./harness.mjs";

const PATH = "/v1/tasks/stream";
const MIB = 1_048_576;
const FAR = Date.parse("2090-01-01T00:00:00Z");
const NOOP = { type: "handler", name: "noop" };
const NDJSON = "application/x-ndjson";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
});
after(() => scheduler?.dispose());

let namespaces = 0;
/** Creates a namespace, and returns the header that names it. */
async function namespace(body = {}, of = scheduler) {
  const name = `stream-${++namespaces}`;
  assert.equal((await of.call(`/v1/namespaces/${name}`, { method: "PUT", body })).status, 201);
  return { "scheduler-namespace": name };
}

const stored = async (headers, of = scheduler) => (await of.call("/v1/stats", { headers })).body.pending;

/** Returns `count` lines of about `bytes` bytes, from the number `from` on. */
const lines = (count, { from = 0, bytes = 160, prefix = "s" } = {}) =>
  Array.from({ length: count }, (_, n) => {
    const task = { id: `${prefix}-${String(from + n).padStart(7, "0")}`, time: FAR, callback: NOOP, payload: "" };
    task.payload = "x".repeat(Math.max(0, bytes - JSON.stringify(task).length - 1));
    return `${JSON.stringify(task)}\n`;
  });

/** Yields lines in chunks that end within lines. */
function* chunks(all, size = 100_000) {
  let rest = "";
  for (const line of all) {
    rest += line;
    if (rest.length < size) continue;
    yield rest.slice(0, size);
    rest = rest.slice(size);
  }
  yield rest;
}

/** Sends a stream, and returns the status, the lines of the answer and the last one. */
async function streamed(body, { headers, query = "", of = scheduler } = {}) {
  const response = await fetch(`${of.url}${PATH}${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${of.key}`, "content-type": NDJSON, ...headers },
    body: typeof body === "string" || body instanceof Uint8Array ? body : ReadableStream.from(body).pipeThrough(new TextEncoderStream()),
    duplex: "half",
  });
  const text = await response.text();
  if (response.status !== 200) return { status: response.status, body: JSON.parse(text), headers: response.headers };
  assert.equal(response.headers.get("content-type"), NDJSON);
  assert.ok(text.endsWith("\n"));
  const read = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  return { status: 200, parts: read.slice(0, -1), end: read.at(-1) };
}

/** Begins a stream on a connection of its own. `text` is what was answered so far, and `over` ends with the answer. */
function begun(headers = {}) {
  const { hostname, port } = new URL(scheduler.url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  const stream = { text: "", send: (text) => socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`), cut: () => socket.end(), leave: () => socket.destroy() };
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${scheduler.key}\r\ncontent-type: ${NDJSON}\r\n${more}transfer-encoding: chunked\r\n\r\n`);
  socket.on("data", (chunk) => (stream.text += chunk));
  stream.over = new Promise((resolve) => socket.on("end", resolve).on("close", resolve).on("error", resolve));
  stream.objects = () => stream.text.split(/\r?\n/).filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return stream;
}

test("a stream has an answer for each part, and a last line", async () => {
  const headers = await namespace();
  const task = (id, fields) => JSON.stringify({ id, time: FAR, callback: NOOP, ...fields });
  const body = `\u{feff}${task("é")}\r\n\r\n${task("b", { cron: "* * *" })}\n  \n{"time":${FAR},"callback":{"type":"handler","name":"noop"}}\n7\n${task("é", { payload: 2 })}`;
  const { parts, end } = await streamed(body, { headers });
  const [{ results, ...part }] = parts;
  assert.deepEqual(part, { firstLine: 1, lastLine: 7, accepted: 3, replaced: 1, rejected: 2 });
  assert.deepEqual(results.map(({ line, error }) => [line, error.field]), [[3, "cron"], [6, "body"]]);
  assert.deepEqual(end, { done: true, lines: 7, accepted: 3, replaced: 1, rejected: 2 });
  assert.equal(await stored(headers), 2);
  assert.equal((await scheduler.call("/v1/tasks/%C3%A9", { headers })).body.payload, 2);

  const all = await streamed(body, { headers, query: "?results=all" });
  const [first, , generated, , last] = all.parts[0].results;
  assert.deepEqual([first, last], [{ line: 1, id: "é" }, { line: 7, id: "é", duplicateOf: 1 }]);
  assert.equal(generated.line, 5);
  assert.equal((await scheduler.call(`/v1/tasks/${generated.id}`, { headers })).status, 200);
  assert.deepEqual([all.end.accepted, all.end.replaced], [3, 2]);
  const none = { done: true, lines: 0, accepted: 0, replaced: 0, rejected: 0 };
  for (const [body, lines] of [["", 0], ["\n\r\n  ", 3]]) assert.deepEqual((await streamed(body, { headers })).end, { ...none, lines });
});

test("lines that cannot be read do not affect others", async () => {
  const headers = await namespace();
  const [one, two] = lines(2);
  const long = `${JSON.stringify({ id: "long", time: FAR, callback: NOOP }).padEnd(262_145)}\n`;
  const fits = `${JSON.stringify({ id: "fits", time: FAR, callback: NOOP }).padEnd(262_144)}\r\n`;
  const body = Buffer.concat([Buffer.from(one), Buffer.from(long.repeat(8)), Buffer.from([0x22, 0xff, 0x0a]), Buffer.from(fits), Buffer.from(two)]);
  const { parts, end } = await streamed(body, { headers });
  assert.deepEqual(end, { done: true, lines: 12, accepted: 3, replaced: 0, rejected: 9 });
  const errors = parts.flatMap(({ results }) => results);
  assert.deepEqual(errors.map(({ line }) => line), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.match(errors[0].error.detail, /^body is longer than 262144 bytes/);
  assert.equal(errors[8].error.detail, "body is not UTF-8");
  assert.equal(await stored(headers), 3);
});

test("what is no stream of tasks is refused before anything is created", async () => {
  const headers = await namespace();
  const [line] = lines(1);
  for (const [given, field] of [
    [{ "content-type": "application/json" }, "Content-Type"], [{ "content-type": "text/plain" }, "Content-Type"], [{ "content-encoding": "gzip" }, "Content-Encoding"],
  ]) {
    const { status, body } = await streamed(line, { headers: { ...headers, ...given } });
    assert.deepEqual([status, body.type, body.field], [415, "/problems/media-type", field]);
  }
  const array = await streamed(`[${line}]`, { headers });
  assert.deepEqual([array.status, array.body.field], [422, "body"]);
  assert.match(array.body.detail, /\/v1\/tasks\/batch/);
  for (const [query, field] of [["?results=some", "results"], ["?result=all", "result"]]) {
    const { status, body } = await streamed(line, { headers, query });
    assert.deepEqual([status, body.field], [422, field]);
  }
  assert.deepEqual((await streamed(line, { headers: { ...headers, "if-match": "*" } })).status, 400);
  assert.deepEqual((await streamed(line, { headers: { ...headers, "idempotency-key": "x".repeat(256) } })).status, 422);
  const { body: key } = await scheduler.call("/v1/keys", { body: { name: "reader", scopes: ["read"], namespaces: ["*"] } });
  const read = await streamed(line, { headers: { ...headers, authorization: `Bearer ${key.key ?? key.secret ?? key.token}` } });
  assert.deepEqual([read.status, read.body.type], [403, "/problems/forbidden"]);
  assert.equal((await streamed(line, { headers: { authorization: "Bearer wrong" } })).status, 401);
  assert.equal((await streamed(line, { headers: { "scheduler-namespace": "nowhere" } })).status, 404);
  assert.equal(await stored(headers), 0);
});

test("200,000 tasks of one request are stored, with a bad line among them, and each part is answered before the next is read", { timeout: 240_000 }, async (t) => {
  const headers = await namespace();
  const all = lines(200_000, { bytes: 170 });
  all[123_456] = '{"id":"bad","delayInSeconds":-1}\n';
  const bytes = all.reduce((sum, line) => sum + line.length, 0);
  assert.ok(bytes > 30 * MIB, `${bytes} bytes`);
  const began = Date.now();
  const { parts, end } = await streamed(chunks(all), { headers });
  t.diagnostic(`${(200_000 / (Date.now() - began) * 1_000).toFixed(0)} tasks/s in ${parts.length} parts`);
  assert.deepEqual(end, { done: true, lines: 200_000, accepted: 199_999, replaced: 0, rejected: 1 });
  assert.equal(await stored(headers), 199_999);
  assert.deepEqual(parts.flatMap(({ results }) => results.map(({ line, error }) => [line, error.field])), [[123_457, "delayInSeconds"]]);
  // The parts cover every line, and none is larger than a part may be.
  let next = 1;
  for (const part of parts) {
    assert.deepEqual([part.firstLine, part.accepted + part.rejected], [next, part.lastLine - next + 1]);
    assert.ok((part.lastLine - next + 1) * 170 <= MIB + 170);
    next = part.lastLine + 1;
  }
  assert.equal(next, 200_001);
  for (const id of ["s-0000000", "s-0123455", "s-0199999"]) assert.equal((await scheduler.call(`/v1/tasks/${id}`, { headers })).status, 200);

  // A part is created while the body goes on.
  const slow = begun(headers);
  slow.send(lines(10_000, { prefix: "early" }).join(""));
  const [part] = await until("the first part", () => slow.objects().length > 0 && slow.objects());
  assert.equal((await scheduler.call("/v1/tasks/early-0000000", { headers })).status, 200);
  assert.equal((await scheduler.call("/v1/tasks/early-0009999", { headers })).status, 404);
  assert.ok(part.lastLine < 10_000);
  slow.leave();
});

test("the memory of a stream does not grow with its body", { skip: process.platform !== "linux", timeout: 280_000 }, async (t) => {
  const other = await Scheduler.start({ shards: "4" });
  t.after(() => other.dispose());
  // The same tasks again, so what is stored does not grow.
  const same = lines(12_500, { bytes: 336 });
  const times = function* (count) {
    for (let n = 0; n < count; n += 1) yield* same;
  };
  const took = async (count) => {
    const { outcome, bytes } = await measured(runtimeOf(other), () => streamed(chunks(times(count)), { of: other }));
    assert.equal(outcome.end.accepted, count * 12_500);
    return bytes / 1_000_000;
  };
  // The first one fills the caches of the runtime.
  const first = await took(16);
  const [short, long] = [await took(2), await took(24)];
  t.diagnostic(`added to the runtime: ${first.toFixed(0)} MB by the first 64 MiB, ${short.toFixed(0)} MB by further 8 MiB, ${long.toFixed(0)} MB by further 96 MiB`);
  // All copies of the body would be five times as large.
  assert.ok(long <= 96, `96 MiB took ${long} MB`);
});

test("a body that is cut off ends the stream, and the same key completes it", async () => {
  const headers = await namespace();
  const keyed = { ...headers, "idempotency-key": "import-7" };
  // Without ids of their own, a repeat could create tasks twice.
  const all = lines(15_000).map((line) => line.replace(/"id":"[^"]*",/, ""));
  const cut = begun(keyed);
  cut.send(all.join("").slice(0, 1_400_000));
  await until("the first part", () => cut.objects().length > 0);
  cut.cut();
  await cut.over;
  const end = cut.objects().at(-1);
  assert.deepEqual([end.done, end.type, end.nextLine], [false, "/problems/invalid", end.lines + 1]);
  assert.match(end.detail, /^body cannot be read/);
  assert.equal(await stored(headers), end.accepted);
  assert.ok(end.accepted > 0 && end.accepted === end.lines);
  for (const replayed of [[true, undefined], [true, true]]) {
    const { parts, end } = await streamed(chunks(all, 70_001), { headers: keyed });
    assert.deepEqual(parts.map((part) => part.replayed).slice(0, 2), replayed);
    assert.deepEqual(end, { done: true, lines: 15_000, accepted: 15_000, replaced: 0, rejected: 0 });
    assert.equal(await stored(headers), 15_000);
  }
  const other = await streamed(chunks(lines(15_000)), { headers: keyed });
  assert.deepEqual([other.status, other.body.type], [409, "/problems/idempotency-key-reused"]);
});

test("a sender that stalls or leaves ends its stream, and its memory is free again", async () => {
  const headers = await namespace();
  const [idle, stalled] = [begun(headers), begun(headers)];
  idle.send(lines(1)[0]);
  stalled.send(lines(10_000).join(""));
  await Promise.all([idle.over, stalled.over]);
  // Before anything was created, the problem is the answer.
  assert.match(idle.text, /^HTTP\/1\.1 408 /);
  assert.equal(idle.objects().at(-1).type, "/problems/slow-body");
  assert.match(stalled.text, /^HTTP\/1\.1 200 /);
  const end = stalled.objects().at(-1);
  assert.deepEqual([end.done, end.type, end.status], [false, "/problems/slow-body", 408]);
  assert.equal(await stored(headers), end.nextLine - 1);
  // An instance has memory for a dozen streams at once.
  for (let n = 0; n < 30; n += 1) {
    const gone = begun(headers);
    gone.send(lines(10_000).join(""));
    await until("its first part", () => gone.text.includes("firstLine"));
    gone.leave();
    await gone.over;
  }
  await until("the memory to be free", async () => (await streamed(lines(1)[0], { headers })).status === 200);
});

test("a quota that is reached in the middle ends the stream, and the rest is created when there is room", async () => {
  const headers = await namespace({ quota: { pendingTasks: 20_000 } });
  const all = lines(40_000);
  const { parts, end } = await streamed(chunks(all), { headers });
  assert.deepEqual([end.done, end.type, end.status, end.nextLine], [false, "/problems/quota", 429, end.lines + 1]);
  assert.ok(end.accepted > 10_000 && end.accepted <= 20_000, `${end.accepted} tasks`);
  assert.equal(await stored(headers), end.accepted);
  const again = parts.flatMap(({ results }) => results).map(({ line, error }) => (assert.equal(typeof error.retryable, "boolean"), line));
  assert.equal(end.accepted + again.length, end.lines);
  await scheduler.call(`/v1/namespaces/${headers["scheduler-namespace"]}`, { method: "PUT", body: { quota: { pendingTasks: 100_000 } } });
  const rest = [...again.map((line) => all[line - 1]), ...all.slice(end.nextLine - 1)];
  const done = await until("the quota to apply", async () => {
    const { end } = await streamed(chunks(rest), { headers });
    return end?.done && end;
  });
  assert.equal(done.rejected, 0);
  assert.equal(await stored(headers), 40_000);
  // Without any room, the answer is the problem.
  await scheduler.call(`/v1/namespaces/${headers["scheduler-namespace"]}`, { method: "PUT", body: { quota: { pendingTasks: 1_000 } } });
  const refused = await until("the quota to apply", async () => {
    const answer = await streamed(chunks(lines(100, { prefix: "new" })), { headers });
    return answer.status === 429 && answer;
  });
  assert.equal(refused.body.type, "/problems/quota");
});

test("more schedules in words than a batch may have are created, part after part", async () => {
  const headers = await namespace();
  // A name may be written with escapes.
  const text = (n) => JSON.stringify({ id: `w-${n}`, schedule: `every monday at 1${n % 10}:00`, timezone: "UTC", callback: NOOP });
  const all = Array.from({ length: 1_100 }, (_, n) => `${n % 2 === 0 ? text(n) : text(n).replace('"schedule"', '"\\u0073chedule"')}\n`);
  const { parts, end } = await streamed(all.join(""), { headers });
  assert.deepEqual(end, { done: true, lines: 1_100, accepted: 1_100, replaced: 0, rejected: 0 });
  assert.deepEqual(parts.map(({ firstLine }) => firstLine), [1, 251, 501, 751, 1_001]);
});

test("a stream ends after as many refused tasks as a batch may have", async () => {
  const headers = await namespace();
  const all = [...lines(100), ..."1\n".repeat(30_000).split(/(?<=\n)/), ...lines(100, { from: 100 })];
  const { parts, end } = await streamed(chunks(all), { headers });
  assert.deepEqual([end.done, end.type, end.status, end.accepted], [false, "/problems/too-large", 413, 100]);
  assert.match(end.detail, /tasks were refused, and a request ends after 20000/);
  assert.ok(end.rejected >= 20_000 && end.rejected < 30_000);
  assert.equal(parts.flatMap(({ results }) => results).length, end.rejected);
  assert.equal((await streamed(chunks(all.slice(end.nextLine - 1)), { headers })).end.accepted, 100);
  assert.equal(await stored(headers), 200);
});

test("a stream ends when the subrequests of an invocation are used up", async (t) => {
  const other = await Scheduler.start({ shards: "8", vars: { SUBREQUESTS: "50" } });
  t.after(() => other.dispose());
  const all = lines(60_000);
  let [from, requests] = [0, 0];
  for (;;) {
    const { end } = await streamed(chunks(all.slice(from)), { of: other });
    requests += 1;
    if (end.done) break;
    assert.deepEqual([end.type, end.status, end.rejected], ["/problems/too-large", 413, 0]);
    assert.match(end.detail, /SUBREQUESTS/);
    from += end.nextLine - 1;
  }
  assert.ok(requests > 1 && requests < 6, `${requests} requests`);
  assert.equal(await stored({}, other), 60_000);
});
