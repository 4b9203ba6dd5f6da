// Tools for language models, `/mcp`, on the real local runtime: with the official clients of both generations, with the conformance suite, and with
// hostile requests.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { Scheduler, until } from "./harness.mjs";
import { conformance, connect, connectFormer } from "./mcp/clients.mjs";
import { startSink } from "./sink.mjs";

const TOOLS = ["parse_schedule", "schedule_task", "find_tasks", "get_task", "change_task", "explain_task", "list_runs", "replay_failures", "cancel_tasks", "scheduler_health"];
const READING = ["parse_schedule", "find_tasks", "get_task", "explain_task", "list_runs", "scheduler_health"];
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const noop = { type: "handler", name: "noop" };

let scheduler;
let sink;
let url;
let headers;
/** What the user answers to the next questions, and which questions came. */
let answers = [];
let questions = [];
/** Of this revision of the protocol: 2026-07-28 and 2025-11-25. */
let client;
let former;

before(async () => {
  sink = await startSink(({ path }) => (path === "/good" ? 200 : 410));
  scheduler = await Scheduler.start({ shards: "4", vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } });
  url = `${scheduler.url}/mcp`;
  headers = { authorization: `Bearer ${scheduler.key}` };
  client = await connect(url, headers, (question) => {
    questions.push(question);
    return answers.shift() ?? { action: "cancel" };
  });
  former = await connectFormer(url, headers);
});
after(async () => {
  await client?.close();
  await former?.close();
  await scheduler?.dispose();
  await sink?.close();
});

/** Calls a tool that does what it should, and returns its structured answer, which is the same as its text. */
async function call(name, args = {}, by = client) {
  const result = await by.callTool({ name, arguments: args });
  assert.notEqual(result.isError, true, `${name}: ${JSON.stringify(result.content)}`);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  return result.structuredContent;
}

/** Calls a tool that fails, and returns what it says to a model. */
async function failed(name, args = {}, by = client) {
  const result = await by.callTool({ name, arguments: args });
  assert.equal(result.isError, true, `${name}: ${JSON.stringify(result)}`);
  assert.equal(result.structuredContent, undefined);
  assert.match(result.content[0].text, /\nNext: /);
  return result.content[0].text;
}

/** Lets the user answer the next question. */
const says = (content, action = "accept") => {
  questions = [];
  answers = [{ action, ...(content && { content }) }];
};

test("both generations of clients see the same tools in the same order, with strict schemas", async () => {
  const names = [];
  for (const by of [client, former]) {
    assert.equal(by.getServerVersion().name, "durable-scheduler");
    assert.match(by.getInstructions(), /time zone/);
    const { tools } = await by.listTools();
    names.push(tools.map((tool) => tool.name));
    for (const tool of tools) {
      assert.deepEqual(Object.keys(tool.annotations).sort(), ["destructiveHint", "idempotentHint", "openWorldHint", "readOnlyHint", "title"], tool.name);
      assert.equal(tool.annotations.readOnlyHint, READING.includes(tool.name), tool.name);
      for (const schema of [tool.inputSchema, tool.outputSchema]) assert.equal(schema.additionalProperties, false, tool.name);
    }
  }
  assert.deepEqual(names, [TOOLS, TOOLS]);
  assert.equal(client.getNegotiatedProtocolVersion?.() ?? "2026-07-28", "2026-07-28");
});

test("a task is scheduled, shown with exact times, and fires", async () => {
  const { task, nextRuns } = await call("schedule_task", { id: "weekly", description: "call my friend", cron: "0 10 * * MON", timezone: "Europe/Berlin", callback: noop });
  assert.equal(task.status, "scheduled");
  assert.equal(nextRuns.length, 3);
  for (const run of nextRuns) {
    assert.match(run.time, ISO);
    assert.match(run.local, /T10:00:00\+0[12]:00$/);
    assert.equal(Date.parse(run.time), Date.parse(run.local));
    assert.equal(run.timezone, "Europe/Berlin");
  }
  assert.equal(task.due, nextRuns[0].time);
  assert.deepEqual(await call("get_task", { id: "weekly" }), { task, nextRuns });
  assert.match(await failed("schedule_task", { id: "weekly", delayInSeconds: 5 }), /there already.*change_task/s);

  const soon = await call("schedule_task", { id: "soon", delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/good` }, payload: { n: 1.5 } });
  assert.equal(soon.nextRuns.length, 1);
  const runs = await until("the run", async () => (await call("list_runs", { id: "soon" })).runs.length === 1 && (await call("list_runs", { id: "soon" })).runs);
  assert.equal(runs[0].outcome, "succeeded");
  assert.match(runs[0].finishedAt, ISO);
  assert.deepEqual(sink.webhooks.find(({ path }) => path === "/good").body.payload, { n: 1.5 });
  const explained = await call("explain_task", { id: "soon" });
  assert.equal(explained.reasons[0].code, "done");
  assert.match(await failed("get_task", { id: "soon" }), /find_tasks/);
});

test("times before 1973 are shown as any others, with the next runs", async () => {
  const early = { everySeconds: 31_557_600, anchor: "1970-01-01T00:00:00.007Z", startAt: "1972-01-01T00:00:00Z", endAt: "2635-03-09T23:34:53Z" };
  await call("schedule_task", { id: "early", callback: noop, ...early });
  const { task, nextRuns } = await call("get_task", { id: "early" });
  assert.deepEqual([task.schedule.startAt, task.schedule.endAt, nextRuns.length], [early.startAt, early.endAt, 3]);
  assert.ok((await call("find_tasks", { prefix: "early" })).tasks.length === 1);
});

test("a repeated call with a name of its own creates one task", async () => {
  const args = { delayInSeconds: 9_000, callback: noop, idempotencyKey: "once" };
  const one = await call("schedule_task", args);
  const other = await call("schedule_task", args, former);
  assert.equal(other.task.id, one.task.id);
  assert.match(await failed("schedule_task", { ...args, delayInSeconds: 5 }), /another idempotencyKey/);
});

test("a time of a clock needs a time zone, which is asked for", async () => {
  const args = { id: "asked", cron: "30 8 * * *", callback: noop };
  says({ timezone: "Asia/Tokyo" });
  const { task, nextRuns } = await call("schedule_task", args);
  assert.equal(questions.length, 1);
  assert.deepEqual(questions[0].requestedSchema.required, ["timezone"]);
  assert.equal(task.schedule.timezone, "Asia/Tokyo");
  assert.match(nextRuns[0].local, /T08:30:00\+09:00$/);

  for (const [content, action] of [[undefined, "decline"], [undefined, "cancel"]]) {
    says(content, action);
    assert.match(await failed("schedule_task", { ...args, id: "declined" }), /named no time zone/);
  }
  says({ timezone: "Mars/Base" });
  assert.match(await failed("schedule_task", { ...args, id: "declined" }), /timezone.*Next: correct/s);
  // Without elicitation, the error says to ask the user.
  assert.match(await failed("schedule_task", { ...args, id: "declined" }, former), /timezone is missing.*ask the user/s);
  const silent = await connect(url, headers);
  assert.match(await failed("schedule_task", { time: "2099-01-01T09:00", callback: noop }, silent), /timezone is missing/);
  await silent.close();
  assert.match(await failed("get_task", { id: "declined" }), /find_tasks/);

  // What has a zone keeps it; what has none needs one for times of a clock.
  says({ timezone: "Asia/Tokyo" });
  const moved = await call("change_task", { id: "asked", action: "update", changes: { cron: "45 8 * * *" } });
  assert.equal(questions.length, 0);
  assert.match(moved.nextRuns[0].local, /T08:45:00\+09:00$/);
  await call("schedule_task", { id: "interval", everySeconds: 3_600, callback: noop });
  const recast = await call("change_task", { id: "interval", action: "update", changes: { everySeconds: null, cron: "0 6 * * *" } });
  assert.equal(questions.length, 1);
  assert.match(recast.nextRuns[0].local, /T06:00:00\+09:00$/);
});

test("a sentence is read as the arguments of a task, with what is unclear", async () => {
  const text = "remind me to call Ann every monday at 10:00";
  says({ timezone: "Asia/Tokyo" });
  const asked = await call("parse_schedule", { text });
  assert.equal(questions.length, 1);
  assert.deepEqual(asked.readings[0].schedule, { cron: "0 10 * * MON", timezone: "Asia/Tokyo" });
  assert.match(await failed("parse_schedule", { text }, former), /timezone is missing/);
  const { outcome, readings } = await call("parse_schedule", { text, timezone: "Europe/Berlin" }, former);
  assert.deepEqual([outcome, readings.length, readings[0].nextRuns.length], ["understood", 1, 3]);
  // What is read is what is scheduled.
  const { schedule, description, nextRuns } = readings[0];
  const { task, nextRuns: runs } = await call("schedule_task", { id: "said", ...schedule, description, words: text, callback: noop });
  assert.deepEqual([task.description, task.schedule.words, runs], ["call Ann", text, nextRuns]);
  assert.equal((await call("explain_task", { id: "said" })).sentence, "every Monday at 10:00 in Europe/Berlin");
  // What needs no zone, or names it, is not asked about.
  questions = [];
  for (const more of ["in 20 minutes", "every 90 seconds", "every monday at 10:00 London time"]) assert.equal((await call("parse_schedule", { text: more })).outcome, "understood", more);
  assert.deepEqual(questions, []);
  const several = await call("parse_schedule", { text: "every day at 5", timezone: "Europe/Berlin" });
  assert.deepEqual([several.outcome, several.readings.length, several.questions.length], ["ambiguous", 2, 1]);
  assert.match(several.readings[0].differs[0], /at 5/);
  const refused = await call("parse_schedule", { text: "every full moon", timezone: "Europe/Berlin" });
  assert.deepEqual([refused.outcome, refused.readings], ["refused", []]);
  assert.match(refused.refusal, /moon/);
  assert.match(await failed("parse_schedule", { text: "daily", language: "fr" }), /language.*Next: correct/s);
});

test("one task is changed, and shows what has become of it", async () => {
  for (const by of [client, former]) {
    const id = by === client ? "changed" : "changed-too";
    await call("schedule_task", { id, time: "2099-01-01T09:00:00Z", callback: noop, tags: ["change"] }, by);
    const moved = await call("change_task", { id, action: "reschedule", time: "2099-02-01T09:00", timezone: "America/New_York" }, by);
    assert.deepEqual([moved.changed, moved.task.due, moved.nextRuns[0].local], [true, "2099-02-01T14:00:00Z", "2099-02-01T09:00:00-05:00"]);
    const paused = await call("change_task", { id, action: "pause" }, by);
    assert.deepEqual([paused.task.status, paused.nextRuns], ["paused", []]);
    assert.equal((await call("change_task", { id, action: "resume" }, by)).task.status, "scheduled");
    assert.equal((await call("change_task", { id, action: "update", changes: { description: "other" } }, by)).task.description, "other");
    assert.equal((await call("change_task", { id, action: "run_now" }, by)).changed, true);
    await until("the run", async () => (await call("list_runs", { id }, by)).runs.some(({ outcome }) => outcome === "succeeded"));
    assert.match(await failed("change_task", { id, action: "stop" }, by), /action/);
  }
});

test("tasks are found by what is known of them, a page at a time", async () => {
  for (let n = 0; n < 5; n += 1) await call("schedule_task", { id: `found-${n}`, delayInSeconds: 9_000 + n, callback: noop, tags: ["found"], description: `Water plant ${n}` });
  const all = await call("find_tasks", { text: "WATER", tags: ["found"], kind: "once", status: "scheduled", from: new Date().toISOString() });
  assert.deepEqual(all.tasks.map(({ id }) => id), [0, 1, 2, 3, 4].map((n) => `found-${n}`));
  assert.equal(all.cursor, undefined);
  assert.equal(all.tasks[0].target, "handler:noop");
  const seen = [];
  for (let cursor; ; ) {
    const page = await call("find_tasks", { tags: ["found"], limit: 2, ...(cursor && { cursor }) }, former);
    seen.push(...page.tasks.map(({ id }) => id));
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  assert.equal(seen.length, 5);
  assert.match(await failed("find_tasks", { status: "gone" }), /status.*Next: correct/s);
});

test("many tasks are cancelled once the user has agreed to the number", async () => {
  const make = async (tag) => {
    for (let n = 0; n < 3; n += 1) await call("schedule_task", { id: `${tag}-${n}`, delayInSeconds: 9_000, callback: noop, tags: [tag], description: "old" });
  };
  const left = async (tag) => (await call("find_tasks", { tags: [tag] })).tasks.length;

  // By a form.
  await make("form");
  says({ confirm: false });
  assert.match(await failed("cancel_tasks", { filter: { tag: "form" } }), /did not agree/);
  says(undefined, "decline");
  assert.match(await failed("cancel_tasks", { filter: { tag: "form" } }), /did not agree/);
  assert.equal(await left("form"), 3);
  says({ confirm: true });
  assert.deepEqual(await call("cancel_tasks", { filter: { tag: "form" } }), { status: "done", cancelled: 3 });
  assert.match(questions[0].message, /^Cancel 3 tasks\? Among them: "form-0" \("old"\)/);
  assert.equal(await left("form"), 0);

  // By a text to send back.
  await make("text");
  const filter = { tag: "text", kind: "once" };
  const asked = await call("cancel_tasks", { filter }, former);
  assert.deepEqual([asked.status, asked.count, asked.isAtLeast, asked.examples.length], ["confirmation_required", 3, false, 3]);
  assert.match(asked.next, /Ask the user: Cancel 3 tasks\?/);
  const { confirmation } = asked;
  for (const [args, by] of [
    [{ filter: { tag: "text" }, confirmation }, former],
    [{ filter, confirmation: `${confirmation}x` }, former],
    [{ filter, confirmation: "yes" }, former],
  ]) assert.match(await failed("cancel_tasks", args, by), /was not issued for these arguments/);
  // It is for one key, one tool and one namespace.
  const { body: other } = await scheduler.call("/v1/keys", { body: { name: "other", scopes: ["read", "write"], namespaces: ["*"] } });
  const others = await connectFormer(url, { authorization: `Bearer ${other.key}` });
  assert.match(await failed("cancel_tasks", { filter, confirmation }, others), /was not issued/);
  await others.close();
  assert.match(await failed("replay_failures", { filter, confirmation }, former), /was not issued/);
  // One more than the user has seen is asked about again.
  await call("schedule_task", { id: "text-3", delayInSeconds: 9_000, callback: noop, tags: ["text"] });
  const again = await call("cancel_tasks", { filter, confirmation }, former);
  assert.deepEqual([again.status, again.count], ["confirmation_required", 4]);
  assert.deepEqual(await call("cancel_tasks", { filter: { kind: "once", tags: ["text"] }, confirmation: again.confirmation }, former), { status: "done", cancelled: 4 });

  // One is cancelled at once, and what is not there is said.
  await make("ids");
  assert.deepEqual(await call("cancel_tasks", { ids: ["ids-0"] }, former), { status: "done", cancelled: 1 });
  const gone = await call("cancel_tasks", { ids: ["ids-0"] }, former);
  assert.deepEqual([gone.cancelled, gone.notFound], [0, 1]);
  says({ confirm: true });
  assert.equal((await call("cancel_tasks", { ids: ["ids-1", "ids-2"] })).cancelled, 2);
});

test("failures are found, explained and replayed", async () => {
  for (const id of ["dies-1", "dies-2"]) await call("schedule_task", { id, delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/gone` }, retry: { maxAttempts: 1 }, tags: ["dies"] });
  const dead = await until("the failures", async () => {
    const { tasks } = await call("find_tasks", { tags: ["dies"], status: "dead-lettered" });
    return tasks.length === 2 && tasks;
  });
  assert.match(dead[0].failedAt, ISO);
  assert.equal((await call("explain_task", { id: "dies-1" })).reasons[0].code, "dead-lettered");
  const { groups } = await call("list_runs", { groupByError: true, tag: "dies" });
  assert.deepEqual(groups.map(({ count }) => count), [2]);
  const health = await call("scheduler_health");
  assert.equal(health.healthy, false);
  assert.match(health.findings.join(), /2 dead letters.*replay_failures/);
  assert.deepEqual(await call("replay_failures", { ids: [dead[0].deadLetterId] }), { status: "done", replayed: 1 });
  await until("it to fail again", async () => (await call("find_tasks", { tags: ["dies"], status: "dead-lettered" })).tasks.length === 2);
  says({ confirm: true });
  assert.deepEqual(await call("replay_failures", { filter: { tag: "dies" } }), { status: "done", replayed: 2 });
  assert.match(questions[0].message, /^Start over 2 failed runs\?/);
});

test("a key sees and calls what its scopes and namespaces allow", async () => {
  const keyFor = async (scopes, namespaces) => (await scheduler.call("/v1/keys", { body: { name: "a model", scopes, namespaces } })).body.key;
  assert.equal((await scheduler.call("/v1/namespaces/shop", { method: "PUT", body: {} })).status, 201);
  const reader = await connect(url, { authorization: `Bearer ${await keyFor(["read"], ["*"])}` });
  assert.deepEqual((await reader.listTools()).tools.map(({ name }) => name), READING);
  assert.match(await failed("cancel_tasks", { ids: ["weekly"] }, reader), /lacks the scope write/);
  assert.equal((await call("get_task", { id: "weekly" }, reader)).task.id, "weekly");
  await reader.close();

  const writer = await connectFormer(url, { authorization: `Bearer ${await keyFor(["write"], ["shop"])}` });
  assert.deepEqual((await writer.listTools()).tools.map(({ name }) => name), ["schedule_task"]);
  const { task, nextRuns } = await call("schedule_task", { id: "of-the-shop", everySeconds: 60, callback: noop }, writer);
  assert.deepEqual([task.createdBy, nextRuns.length], ["a model", 3]);
  await writer.close();
  assert.match(await failed("get_task", { id: "of-the-shop" }), /namespace of the request is "default"/);
  const shop = await connect(url, { ...headers, "scheduler-namespace": "shop" });
  assert.equal((await call("find_tasks", {}, shop)).tasks.length, 1);
  await shop.close();
});

const META = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": { elicitation: {} } };
const message = (method, params, id = 1) => ({ jsonrpc: "2.0", id, method, params: { _meta: META, ...params } });

/** Posts a message with the headers of the newest revision, and with others in place of them. */
async function post(body, more = {}, by = { ...headers }) {
  const { method, params } = body ?? {};
  const sent = { "content-type": "application/json", "mcp-protocol-version": "2026-07-28", ...(method && { "mcp-method": method }), ...(params?.name && { "mcp-name": params.name }), ...by, ...more };
  for (const [name, value] of Object.entries(sent)) if (value === undefined) delete sent[name];
  const response = await fetch(url, { method: "POST", headers: sent, body: typeof body === "string" ? body : JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type"), body: text && JSON.parse(text) };
}

test("headers that disagree with a message are refused", async () => {
  const list = message("tools/list");
  const find = message("tools/call", { name: "find_tasks", arguments: {} });
  assert.equal((await post(list)).body.result.resultType, "complete");
  assert.equal((await post(find, { "mcp-name": "=?base64?ZmluZF90YXNrcw==?=" })).status, 200);
  for (const [body, more] of [
    [list, { "mcp-protocol-version": undefined }],
    [list, { "mcp-protocol-version": "2025-11-25" }],
    [list, { "mcp-method": undefined }],
    [list, { "mcp-method": "tools/call" }],
    [list, { "mcp-method": "Tools/List" }],
    [find, { "mcp-name": undefined }],
    [find, { "mcp-name": "get_task" }],
    [find, { "mcp-name": "=?base64?%?=" }],
  ]) {
    const { status, body: answer } = await post(body, more);
    assert.deepEqual([status, answer.error.code, answer.id], [400, -32_020, 1], JSON.stringify(more));
  }
});

test("what is no message, and what nobody asked for, is refused in the words of the protocol", async () => {
  const deep = (levels) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  for (const [body, status, code] of [
    ["", 400, -32_700],
    ["{", 400, -32_700],
    ["[]", 400, -32_600],
    [[message("tools/list")], 400, -32_600],
    [{ jsonrpc: "2.0", id: 1, result: {} }, 400, -32_600],
    [{ jsonrpc: "2.0", id: null, method: "ping" }, 400, -32_600],
    [{ jsonrpc: "2.0", id: "x".repeat(2_000), method: "ping" }, 400, -32_600],
    [message("server/discover", { _meta: { ...META, "io.modelcontextprotocol/protocolVersion": "1900-01-01" } }), 400, -32_020],
    [message("tools/list", { _meta: {} }), 400, -32_602],
    [message("initialize"), 404, -32_601],
    [message("ping"), 404, -32_601],
    [message("subscriptions/listen"), 404, -32_601],
    [message("tools/call", { name: "rm_rf", arguments: {} }), 200, -32_602],
    [message("tools/call", { name: "find_tasks", arguments: {}, requestState: "forged" }), 200, -32_602],
    [message("tools/call", { name: "cancel_tasks", arguments: { filter: { all: true } }, requestState: "f.f.forged", inputResponses: { confirm: { action: "accept", content: { confirm: true } } } }), 200, -32_602],
    [`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":${deep(60_000)}}}`, 400, -32_602],
  ]) {
    const sent = typeof body === "string" || Array.isArray(body) ? await post(body, { "mcp-method": "tools/list" }) : await post(body);
    assert.deepEqual([sent.status, sent.body.error?.code], [status, code], `${JSON.stringify(body).slice(0, 200)}: ${JSON.stringify(sent.body)}`);
    assert.equal(sent.type, "application/json");
    assert.ok(JSON.stringify(sent.body).length < 4_000);
  }
  const unsupported = await post(message("server/discover", { _meta: { ...META, "io.modelcontextprotocol/protocolVersion": "2031-01-01" } }), { "mcp-protocol-version": "2031-01-01" });
  assert.deepEqual([unsupported.status, unsupported.body.error.code, unsupported.body.error.data.supported[0]], [400, -32_022, "2026-07-28"]);
  const note = await post({ jsonrpc: "2.0", method: "notifications/initialized" }, { "mcp-method": undefined, "mcp-protocol-version": "2025-11-25" });
  assert.deepEqual([note.status, note.type, note.body], [202, null, ""]);
});

test("hostile arguments are refused, with what to do, and change nothing", async () => {
  const filler = "x".repeat(200_000);
  for (const [name, args] of [
    ["find_tasks", { text: filler }],
    ["find_tasks", { cursor: filler }],
    ["find_tasks", { tags: Array.from({ length: 10_000 }, () => "a") }],
    ["find_tasks", { limit: 1e9 }],
    ["find_tasks", { __proto__: null, constructor: 1 }],
    ["find_tasks", ["a"]],
    ["parse_schedule", { text: filler }],
    ["get_task", { id: "../keys" }],
    ["get_task", { id: ".." }],
    ["get_task", { id: "a\u0000b" }],
    ["get_task", { id: "x".repeat(10_000) }],
    ["list_runs", { outcomes: ["failed", "x".repeat(5_000)] }],
    ["schedule_task", { delayInSeconds: 5, idempotencyKey: "a\r\nauthorization: b" }],
    ["schedule_task", { delayInSeconds: 5, [filler]: 1 }],
    ["schedule_task", { delayInSeconds: -1 }],
    ["schedule_task", { cron: "* * * * *", everySeconds: 5, timezone: "UTC" }],
    ["schedule_task", { delayInSeconds: 5, callback: { type: "webhook", url: "http://169.254.169.254/" } }],
    ["schedule_task", { delayInSeconds: 5, payload: "x".repeat(70_000) }],
    ["change_task", { id: "weekly", action: "update", changes: { id: "other" } }],
    ["cancel_tasks", { ids: Array.from({ length: 101 }, (_, n) => `${n}`) }],
    ["cancel_tasks", { filter: {} }],
    ["cancel_tasks", {}],
    ["replay_failures", { ids: ["not-a-dead-letter", "nor this"], confirmation: filler }],
    ["scheduler_health", { verbose: true }],
  ]) {
    const { status, body } = await post(message("tools/call", { name, arguments: args }));
    const at = `${name} ${JSON.stringify(args).slice(0, 100)}: ${JSON.stringify(body).slice(0, 500)}`;
    assert.equal(status, 200, at);
    // Arguments that are no object are the client's mistake.
    if (body.error) assert.equal(body.error.code, -32_602, at);
    else assert.equal(body.result.isError, true, at);
    assert.ok(JSON.stringify(body).length < 4_000, at);
  }
  const long = await post(message("tools/call", { name: "find_tasks", arguments: { text: "x".repeat(300_000) } }));
  assert.deepEqual([long.status, long.body.type], [413, "/problems/too-large"]);
  assert.equal((await call("get_task", { id: "weekly" })).task.status, "scheduled");
});

test("requests without a key, and from pages of other sites, are refused", async () => {
  const list = message("tools/list");
  for (const by of [{}, { authorization: "Bearer wrong" }, { authorization: `Basic ${scheduler.key}` }]) {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...by }, body: JSON.stringify(list) });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
  }
  for (const [origin, status] of [
    [new URL(url).origin, 200],
    ["https://evil.example", 403],
    ["http://localhost:1", 403],
    ["null", 403],
  ]) assert.equal((await post(list, { origin })).status, status, origin);
  for (const method of ["GET", "DELETE", "PUT"]) {
    const response = await fetch(url, { method, headers });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"], method);
  }
});

/**
 * Checks that call tools, prompts or resources of the suite's own example server, or methods about these, which this server does not have. All
 * others that a revision requires of a server are run and have to pass.
 */
const BEYOND = JSON.parse(await readFile(join(ROOT, "e2e/mcp/beyond.json"), "utf8"));

for (const revision of ["2026-07-28", "2025-11-25"]) {
  test(`the conformance suite of ${revision} passes`, async (t) => {
    const { status, output } = await conformance(url, headers, revision, BEYOND[revision]);
    const summary = output.slice(output.indexOf("=== SUMMARY ==="));
    t.diagnostic(`${/^Total: (\d+) passed/m.exec(summary)?.[1]} checks pass; ${BEYOND[revision].length} that count need the suite's own server`);
    assert.equal(status, 0, summary);
    // What is sent is as the revision's schema says, and the suite has run.
    assert.match(summary, /✓ tools-list: \d+ passed, 0 failed/);
    assert.match(summary, /✓ dns-rebinding-protection: 2 passed, 0 failed/);
    // The revision does not count it, because the suite's own server does not pass it.
    if (revision === "2026-07-28") assert.match(summary, /✓ http-header-validation: \d\d passed, 0 failed/);
  });
}
