// The path of a schedule in words, from a sentence to its run, as a user of each interface goes it: the HTTP API, the command of the
// README, and a client of the Model Context Protocol. dashboard-changes.test.mjs goes it on the dashboard.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { commandsOf, runDocument } from "./documents.mjs";
import { Scheduler, until } from "./harness.mjs";
import { connect, connectFormer } from "./mcp/clients.mjs";

const SENTENCE = "remind me to call my friend every monday at 10:00";
const TIMEZONE = "Europe/Berlin";
const LOG = { type: "handler", name: "log" };
const SAID = `every Monday at 10:00 in ${TIMEZONE}`;

let scheduler;
before(async () => (scheduler = await Scheduler.start({ shards: "4" })));
after(() => scheduler?.dispose());

const call = (path, body, method = "POST") => scheduler.call(path, { method, body });
const read = async (path) => (await scheduler.call(path)).body;

/** Checks that a task recurs as the sentence says. */
function checkTask({ status, kind, cron, timezone, words, description, due }) {
  assert.deepEqual({ status, kind, cron, timezone, words, description }, { status: "scheduled", kind: "cron", cron: "0 10 * * MON", timezone: TIMEZONE, words: SENTENCE, description: "call my friend" });
  checkMonday(due);
}

/** Checks that a time is the next Monday at 10:00 in the time zone. */
function checkMonday(time) {
  const shown = new Intl.DateTimeFormat("en-GB", { weekday: "long", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: TIMEZONE }).format(time);
  assert.match(shown, /^Monday 10:00:00$/);
  assert.ok(time > Date.now() && time < Date.now() + 8 * 86_400_000, String(time));
}

/** Waits until the history of a task has this number of runs, all of which succeeded. */
async function ran(id, count) {
  const runs = await until(`${count} runs of ${id}`, async () => {
    const { runs } = await read(`/v1/tasks/${id}/runs`);
    return runs?.length >= count && runs;
  });
  assert.ok(runs.every(({ outcome, target, attempt }) => outcome === "succeeded" && target === "handler:log" && attempt === 1), JSON.stringify(runs));
  return runs;
}

/** Runs the task of the sentence now, and checks that it waits for Monday afterwards. */
async function runNow(id) {
  const { status } = await call(`/v1/tasks/${id}/run`);
  assert.equal(status, 200);
  await ran(id, 1);
  checkTask(await read(`/v1/tasks/${id}`));
}

test("the HTTP API reads a sentence, creates its task, and runs it", async () => {
  const { status, body } = await call("/v1/parse", { text: SENTENCE, timezone: TIMEZONE });
  assert.equal(status, 200);
  const { outcome, reading } = body;
  assert.deepEqual([outcome, reading.sentence, reading.description, reading.schedule], ["understood", SAID, "call my friend", { cron: "0 10 * * MON", timezone: TIMEZONE }]);
  assert.deepEqual([reading.assumptions, reading.runs.length, reading.more], [[], 3, true]);
  for (const { local, callerLocal } of reading.runs) assert.match(`${local} ${callerLocal}`, /^(\S+T10:00:00\+0[12]:00) \1$/);
  checkMonday(reading.runs[0].time);
  const made = await call("/v1/tasks", { id: "api", schedule: SENTENCE, timezone: TIMEZONE, callback: LOG });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  checkTask(made.body);
  assert.equal(made.body.due, reading.runs[0].time, "it fires when the answer to the sentence says");
  assert.equal((await read("/v1/tasks/api/explain")).sentence, SAID);
  await runNow("api");
});

test("a task in words fires by itself, once and again and again", async () => {
  for (const [id, schedule, runs] of [
    ["soon", "remind me to call my friend in 2 seconds", 1],
    ["often", "remind me to call my friend every 2 seconds", 2],
  ]) {
    const { reading } = (await call("/v1/parse", { text: schedule })).body;
    assert.equal(reading.description, "call my friend");
    const made = await call("/v1/tasks", { id, schedule, callback: LOG });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const found = await ran(id, runs);
    assert.equal(found.at(-1).time, made.body.due);
  }
  assert.equal((await scheduler.call("/v1/tasks/soon")).status, 404, "it has fired");
  const { time: second } = (await ran("often", 2)).at(-2);
  assert.equal(second - (await ran("often", 2)).at(-1).time, 2_000);
  assert.equal((await call("/v1/tasks/often", undefined, "DELETE")).status, 200);
});

test("the command of the README creates the task", async () => {
  const commands = await commandsOf(await readFile(join(ROOT, "README.md"), "utf8"));
  const [{ text }, ...others] = commands.filter(({ text }) => text.includes('"schedule":'));
  assert.deepEqual([others, text.includes(SENTENCE)], [[], true]);
  await runDocument(scheduler, `\`\`\`sh\n${text}\`\`\`\n`);
  const id = /"id":"([^"]+)"/.exec(text)[1];
  checkTask(await read(`/v1/tasks/${id}`));
  await runNow(id);
});

test("clients of the Model Context Protocol read a sentence, schedule its task, and run it", async () => {
  const [url, headers] = [`${scheduler.url}/mcp`, { authorization: `Bearer ${scheduler.key}` }];
  const clients = { present: await connect(url, headers), former: await connectFormer(url, headers) };
  for (const [id, client] of Object.entries(clients)) {
    const tool = async (name, args) => {
      const result = await client.callTool({ name, arguments: args });
      assert.notEqual(result.isError, true, JSON.stringify(result.content));
      return result.structuredContent;
    };
    const { outcome, readings } = await tool("parse_schedule", { text: SENTENCE, timezone: TIMEZONE });
    const [{ schedule, sentence, description, nextRuns }] = readings;
    assert.deepEqual([outcome, readings.length, sentence, description], ["understood", 1, SAID, "call my friend"]);
    checkMonday(Date.parse(nextRuns[0].time));
    const made = await tool("schedule_task", { id, ...schedule, description, words: SENTENCE, callback: LOG });
    assert.deepEqual(made.nextRuns, nextRuns);
    checkTask(await read(`/v1/tasks/${id}`));
    assert.equal((await tool("change_task", { id, action: "run_now" })).changed, true);
    const runs = await until("the run", async () => {
      const { runs } = await tool("list_runs", { id });
      return runs.length > 0 && runs;
    });
    assert.deepEqual(runs.map(({ outcome }) => outcome), ["succeeded"]);
    checkTask(await read(`/v1/tasks/${id}`));
    // What a sentence says fires by itself, too.
    const soon = await tool("parse_schedule", { text: "call my friend in 2 seconds" });
    await tool("schedule_task", { id: `${id}-soon`, ...soon.readings[0].schedule, callback: LOG });
    await ran(`${id}-soon`, 1);
    await client.close();
  }
});
