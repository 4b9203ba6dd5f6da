// Tests what the dashboard computes without a browser: sentences, patches, commands and groups.
// What the API computes too is compared with the API.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { ROOT } from "../scripts/paths.mjs";
import { readLib } from "./browser/lib.mjs";
import { Scheduler, until } from "./harness.mjs";

let scheduler;
let lib;

before(async () => {
  lib = await readLib("sentence", "definition", "snippets", "groups", "health", "agenda", "time", "series", "errors", "reasons", "refusal", "parameters", "filter", "cost", "replay", "secrets", "retry", "attempts", "target", "problem", "names");
  scheduler = await Scheduler.start({ shards: "2" });
});
after(() => scheduler?.dispose());

const LOG = { type: "handler", name: "log" };

test("schedules are shown as sentences, or quoted if there is no simple sentence", () => {
  for (const [schedule, expected] of [
    [{ cron: "* * * * *" }, "Every minute, UTC."],
    [{ cron: "*/5 * * * *", timezone: "Asia/Tokyo" }, "Every 5 minutes, Asia/Tokyo."],
    [{ cron: "0 * * * *" }, "Every hour at :00, UTC."],
    [{ cron: "30 2 * * *" }, "Every day at 02:30, UTC."],
    [{ cron: "0 9 * * MON-FRI", timezone: "Europe/London" }, "Every weekday at 09:00, Europe/London."],
    [{ cron: "0 9,17 * * 1,3" }, "Every Monday and Wednesday at 09:00 and 17:00, UTC."],
    [{ cron: "0 0 1 * *" }, "On the 1st of every month at 00:00, UTC."],
    [{ cron: "0 0 2,22,L * *" }, "By the cron expression “0 0 2,22,L * *”, UTC."],
    [{ cron: "15 10 L 3,6 *" }, "On the last day of March and June at 10:15, UTC."],
    [{ cron: "@weekly" }, "Every Sunday at 00:00, UTC."],
    [{ cron: "0 */6 * * *" }, "Every 6 hours at :00, UTC."],
    [{ cron: "* 9 * * *" }, "By the cron expression “* 9 * * *”, UTC."],
    [{ cron: "0 9 13 * FRI" }, "By the cron expression “0 9 13 * FRI”, UTC."],
    [{ cron: "*/7 3-9/2 * * *" }, "By the cron expression “*/7 3-9/2 * * *”, UTC."],
    [{ cron: ["0 9 * * *", "30 17 * * MON"] }, "Every day at 09:00, and every Monday at 17:30, UTC."],
    [{ cron: "* * * * * *" }, "Every second, UTC."],
    // Numbers that a field does not take, and steps that do not divide the hour or the day.
    [{ cron: "99 * * * *" }, "By the cron expression “99 * * * *”, UTC."],
    [{ cron: "0 24 * * *" }, "By the cron expression “0 24 * * *”, UTC."],
    [{ cron: "0 9 0 * *" }, "By the cron expression “0 9 0 * *”, UTC."],
    [{ cron: "0 9 * 13 *" }, "By the cron expression “0 9 * 13 *”, UTC."],
    [{ cron: "0 9 * * 8" }, "By the cron expression “0 9 * * 8”, UTC."],
    [{ cron: "*/7 * * * *" }, "By the cron expression “*/7 * * * *”, UTC."],
    [{ cron: "0 */5 * * *" }, "By the cron expression “0 */5 * * *”, UTC."],
    [{ cron: "30 0 9 * * *" }, "By the cron expression “30 0 9 * * *”, UTC."],
    [{ everySeconds: 3600 }, "Every hour."],
    [{ everySeconds: 5400, maxRuns: 3 }, "Every 90 minutes, 3 times at most."],
    [{ everySeconds: 0.5 }, "Every 500 ms."],
    [{ rrule: "FREQ=DAILY", startAt: "2030-01-01T09:00" }, "By the rule “FREQ=DAILY”, UTC, from 2030-01-01T09:00."],
    [{ time: Date.parse("2030-12-31T23:00:00Z"), timezone: "Europe/Berlin" }, "Once, Wed 2031-01-01 00:00:00 UTC+1."],
    [{ time: "1970-01-01T00:00:00Z", timezone: "Europe/Berlin" }, "Once, Thu 1970-01-01 01:00:00 UTC+1."],
    [{ time: "2030-12-31T09:00" }, "Once, 2030-12-31T09:00."],
    [{ everySeconds: 3600, startAt: "1970-01-01T00:00:00Z", timezone: "Asia/Tokyo" }, "Every hour, from Thu 1970-01-01 09:00:00 UTC+9."],
    [{ delayInSeconds: 90 }, "Once, 1 min 30 s after it is created."],
    [{}, "Only when it is run by hand."],
    [{ schedule: "daily at 9am" }, "As “daily at 9am” says."],
  ]) {
    assert.equal(lib.fullSentence(schedule), expected, JSON.stringify(schedule));
  }
  // The sentence of the scheduler counts, if it is simple; delays are not in it.
  for (const [schedule, said, expected] of [
    [{ cron: "0 9 * * *", startAt: "2030-01-01T09:00", jitterSeconds: 60 }, "every day at 09:00 starting 1 January 2030 in UTC", /^Every day at 09:00 starting 1 January 2030 in UTC, .*1 min/],
    [{ cron: "*/7 3-9/2 * * *" }, 'by the cron expression "*/7 3-9/2 * * *" in UTC', /^By the cron expression “/],
    [{ everySeconds: 3600 }, "every hour counted from 2030-01-01T00:00:00Z", /^Every hour\.$/],
  ]) {
    assert.match(lib.fullSentence(schedule, said), expected);
  }
});

test("words of a schedule go when it changes, and stay when something else does", () => {
  const said = { cron: "0 9 * * *", timezone: "Europe/Berlin", maxRuns: 3, words: "daily at 9am" };
  assert.equal(lib.withMembers(said, { tags: ["a"] }).words, "daily at 9am");
  for (const changes of [{ cron: "0 10 * * *" }, { timezone: "UTC" }, { maxRuns: undefined }]) assert.equal(lib.withMembers(said, changes).words, undefined);
  assert.deepEqual(lib.withKind(said, "schedule", "Asia/Tokyo"), { schedule: "", timezone: "Asia/Tokyo" });
});

const KINDS = {
  cron: { cron: "0 9 * * *", timezone: "Europe/Berlin", startAt: "2099-01-01T09:00:00", maxRuns: 3, overlap: "skip" },
  every: { everySeconds: 90, anchor: 4070908800000, jitterSeconds: 5 },
  rrule: { rrule: "FREQ=DAILY", startAt: "2099-01-01T09:00:00", timezone: "Asia/Tokyo" },
  time: { time: "2099-01-01T09:00:00", timezone: "America/New_York", payload: { a: { b: 1, c: [1, 2] } } },
  instant: { time: 4070908800000, tags: ["x"], callback: { type: "webhook", url: "https://example.com/", headers: { a: "1" } } },
  "no-schedule": { type: "no-schedule", payload: { a: { b: 2 } }, retry: { maxAttempts: 3 } },
};

test("the patch from any kind of task to any other results in that task", async () => {
  for (const [from, before] of Object.entries(KINDS)) {
    for (const [to, after] of Object.entries(KINDS)) {
      const id = `${from}-to-${to}`;
      const create = await scheduler.call("/v1/tasks", { body: { id, callback: LOG, ...before } });
      assert.equal(create.status, 201, JSON.stringify(create.body));
      const wanted = { id, callback: LOG, ...after };
      const patch = lib.patchOf(lib.definitionOf((await scheduler.call(`/v1/tasks/${id}`)).body), wanted);
      const answer = await scheduler.call(`/v1/tasks/${id}`, { method: "PATCH", body: patch });
      assert.equal(answer.status, 200, `${id}: ${JSON.stringify(patch)} ${JSON.stringify(answer.body)}`);
      assert.deepEqual(lib.definitionOf((await scheduler.call(`/v1/tasks/${id}`)).body), wanted, id);
    }
  }
});

test("without a change the patch is empty, for every kind", async () => {
  for (const [name, definition] of Object.entries(KINDS)) {
    const id = `same-${name}`;
    await scheduler.call("/v1/tasks", { body: { id, callback: LOG, ...definition } });
    const read = lib.definitionOf((await scheduler.call(`/v1/tasks/${id}`)).body);
    assert.deepEqual(lib.patchOf(read, structuredClone(read)), {}, name);
  }
});

test("the curl command creates the task, with any texts", async () => {
  const definition = { id: "it's $HOME `here` \"now\" \\", delayInSeconds: 3600, description: "line\nbreak", callback: LOG, payload: { "a'b": "%s !x" } };
  const command = lib.curlOf(definition, scheduler.url, "");
  await promisify(execFile)("bash", ["-c", command], { env: { ...process.env, KEY: scheduler.key } });
  const { status, body } = await scheduler.call(`/v1/tasks/${encodeURIComponent(definition.id)}`);
  assert.equal(status, 200);
  assert.deepEqual([body.description, body.payload], [definition.description, definition.payload]);
});

test("the TypeScript of the form creates the task, with any texts", async () => {
  const definition = { id: "it's `${here}` \"now\" \\", delayInSeconds: 3600, description: "line\nbreak", callback: LOG, payload: { "a-b": [1, { c: null }], class: true } };
  const code = lib.typescriptOf(definition, scheduler.url, "");
  // As a user would run it: compiled, with the client of the package.
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: ROOT, loader: "ts" },
    alias: { "durable-scheduler": join(ROOT, "clients/typescript/src/client/index.ts") },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", outputFiles[0].text], { env: { ...process.env, SCHEDULER_KEY: scheduler.key } });
  const { status, body } = await scheduler.call(`/v1/tasks/${encodeURIComponent(definition.id)}`);
  assert.equal(status, 200);
  assert.deepEqual([body.description, body.payload], [definition.description, definition.payload]);
});

test("clock changes are found to the minute, and times that a clock shows twice are known", () => {
  const at = (text) => Date.parse(text);
  for (const [zone, from, changes] of [
    ["Europe/Berlin", "2027-10-30T22:00:00Z", [["2027-10-31T01:00:00Z", "UTC+2", "UTC+1"]]],
    ["Europe/Berlin", "2027-03-27T23:00:00Z", [["2027-03-28T01:00:00Z", "UTC+1", "UTC+2"]]],
    ["Australia/Lord_Howe", "2027-04-03T13:00:00Z", [["2027-04-03T15:00:00Z", "UTC+11", "UTC+10:30"]]],
    ["Asia/Tokyo", "2027-10-30T22:00:00Z", []],
  ]) {
    const found = lib.clockChanges(at(from), at(from) + 25 * 3_600_000, zone);
    assert.deepEqual(found.map(({ at: instant, before: one, after: other }) => [instant, one, other]), changes.map(([instant, ...rest]) => [at(instant), ...rest]), zone);
  }
  for (const [zone, instant, isTwice] of [
    ["Europe/Berlin", "2027-10-31T00:00:00Z", true],
    ["Europe/Berlin", "2027-10-31T01:59:59Z", true],
    ["Europe/Berlin", "2027-10-30T23:59:59Z", false],
    ["Europe/Berlin", "2027-10-31T02:00:00Z", false],
    ["Australia/Lord_Howe", "2027-04-03T14:45:00Z", true],
    ["Asia/Tokyo", "2027-10-31T01:00:00Z", false],
  ]) {
    assert.equal(lib.isRepeated(at(instant), zone), isTwice, `${zone} ${instant}`);
  }
  assert.deepEqual(lib.splitAtInstants("At 2027-10-31T01:00:00Z, then 2027-10-31T01:00:00.250Z."), ["At ", at("2027-10-31T01:00:00Z"), ", then ", at("2027-10-31T01:00:00.250Z"), "."]);
});

test("a stretch of the last buckets ends at the first bucket without any", () => {
  const buckets = [9, 0, 3, 7, 5].map((backlog) => ({ backlog }));
  assert.deepEqual(lib.lastStretch(buckets, "backlog"), { length: 3, most: 7 });
  assert.deepEqual(lib.lastStretch([{ backlog: 0 }], "backlog"), { length: 0, most: 0 });
});

test("errors that differ only in numbers and ids are in one group", () => {
  const letter = (error, failedAt) => ({ error, failedAt });
  const groups = lib.grouped([
    letter("HTTP 503 from http://10.0.0.1:80/a/17: busy", 3),
    letter("HTTP 503 from http://10.0.0.2:81/a/18: busy", 1),
    letter("HTTP 500 from http://10.0.0.1:80/a/17: busy", 2),
    letter("no task 0198c0de-0000-7000-8000-000000000001", 5),
    letter("no task 0198c0de-0000-7000-8000-0000000000ff", 4),
    letter(undefined, 9),
  ]);
  assert.deepEqual(groups.map(({ error, letters, firstAt, lastAt }) => [error, letters.length, firstAt, lastAt]), [
    ["HTTP 503 from http://<n>:<n>/a/<n>: busy", 2, 1, 3],
    ["no task <id>", 2, 4, 5],
    ["HTTP 500 from http://<n>:<n>/a/<n>: busy", 1, 2, 2],
    ["(no error)", 1, 9, 9],
  ]);
  assert.equal(lib.textOfAll("HTTP 503 from http://<n>:<n>/a/<n>: busy"), "HTTP 503 from http://");
});

test("a group is shown by its newest error, in plain words", () => {
  const [group] = lib.grouped([1, 2].map((port) => ({ error: `no answer from http://10.0.0.1:${port}/: Error: Network connection lost.` })));
  assert.equal(lib.explained(lib.titleOf(group)), "no answer from http://10.0.0.1:1/: the connection was refused, or was cut before an answer");
  assert.equal(lib.titleOf(lib.grouped([{}])[0]), "No error is known.");
});

test("errors say what to check if they do not say it themselves", () => {
  for (const [error, advice] of [
    ["no answer from http://10.0.0.1:9/: Error: Network connection lost.", /Check that the target runs, and that the host and the port/],
    ["no answer from http://10.0.0.1:9/: the connection was refused, or was cut before an answer", /Check that the target runs, and that the host and the port/],
    ["no answer from https://a.example/: Error: getaddrinfo", /Check the host of the URL/],
    ["timed out after 30 s: https://a.example/", /give it more time/],
    ["HTTP 401 from https://a.example/: no", /credentials/],
    ["HTTP 404 from https://a.example/: HTTP 401 from elsewhere", /path/],
    ['HTTP 508 from https://a.example/: {"type":"/problems/loop","title":"Called by a task"}', /^The task calls a scheduler, .* Let the task call/],
    ["HTTP 508 from https://a.example/: loop detected", /^The target says that the request leads back to itself/],
    ["HTTP 422 from https://a.example/: order 7 has no customer", undefined],
  ]) {
    if (advice === undefined) assert.equal(lib.adviceOn(error), undefined, error);
    else assert.match(lib.adviceOn(error), advice, error);
  }
});

test("the reasons of the API are shown without its requests, whatever the ids", async () => {
  const closed = { type: "webhook", url: "http://127.0.0.1:9/POST/v1/x" };
  const ids = ["é /?#%2F", "plain", "a..b", "a (POST /v1/tasks/b/run)"];
  for (const id of ids) assert.equal((await scheduler.call("/v1/tasks", { body: { id, delayInSeconds: 0, callback: closed, retry: { maxAttempts: 1 } } })).status, 201, id);
  for (const id of ids) {
    const path = `/v1/tasks/${encodeURIComponent(id)}/explain`;
    const { reasons } = await until("the run to be given up", async () => {
      const { body } = await scheduler.call(path);
      return body.status === "dead-lettered" && body;
    });
    const reason = lib.reasonOf(reasons[0]);
    const { body } = await scheduler.call(`/v1/dead-letters/${encodeURIComponent(reason.deadLetterId)}`);
    assert.equal(body.id, id);
    assert.match(reason.text, /^The run of .* failed for good .*: the connection was refused, or was cut before an answer\.$/);
  }
  await scheduler.call("/v1/dead-letters/discard", { body: { all: true } });
  for (const [task, text] of [[{ type: "no-schedule" }, "It has no schedule: it fires when you request it."], [{ time: "2099-01-01T00:00:00Z", paused: true }, /^It is paused.*: it fires when it is resumed\.$/]]) {
    assert.equal((await scheduler.call("/v1/tasks", { body: { id: "x/y", callback: LOG, ...task } })).status < 300, true);
    const { body } = await scheduler.call("/v1/tasks/x%2Fy/explain");
    const reason = lib.reasonOf(body.reasons[0]);
    if (typeof text === "string") assert.equal(reason.text, text);
    else assert.match(reason.text, text);
    assert.equal(reason.deadLetterId, undefined);
    await scheduler.call("/v1/tasks/x%2Fy", { method: "DELETE" });
  }
});

test("a refusal of the API is shown without requests and headers, whatever it is about", async () => {
  for (const [method, path, body, headers, text] of [
    ["POST", "/v1/tasks/no%20such/pause", undefined, {}, /^No task has the id "no such": it was never created, was cancelled, or has ended\. The namespace of the request is "default"$/],
    ["PATCH", "/v1/tasks/nothing", { description: "x" }, { "if-match": '"0123456789abcdef"' }, /^It is not as it was when this page read it|^No task has the id "nothing": .* ended\./],
    ["DELETE", "/v1/limits/nothing", undefined, {}, /^The key "nothing" has no limit$/],
    ["DELETE", "/v1/calendars/nothing", undefined, {}, /^The namespace has no calendar "nothing"$/],
    ["PUT", "/v1/limits/a", { concurrency: 0 }, {}, /^concurrency is 0; must be/],
  ]) {
    const answer = await scheduler.call(path, { method, body, headers });
    assert.ok(answer.status >= 400, path);
    const shown = lib.problemText(answer.body);
    assert.match(shown, text);
    assert.doesNotMatch(shown, /\/v1\/|\b(GET|PUT|PATCH)\b|If-/);
  }
  const { body } = await scheduler.call("/v1/preview", { body: { zone: "UTC", cron: "0 9 * * *", count: 6 } });
  assert.match(lib.previewText(body), /^zone is not a member of a task/);
  assert.doesNotMatch(lib.previewText(body), /count|from/);
  assert.deepEqual(["a", "a b", "a\tb"].map(lib.named), ["a", "“a b”", "“a\tb”"]);
});

test("a refusal is about a field until its value changes", async () => {
  const definition = { id: "a", delayInSeconds: 60, tags: ["ok", "x".repeat(300)], callback: { type: "webhook", url: "nowhere" } };
  const { body } = await scheduler.call("/v1/tasks", { body: { ...definition, tags: [] } });
  const refusal = lib.refusalOf(body, definition);
  assert.equal(refusal.field, "callback.url");
  assert.match(refusal.text, /^This is not .*https:\/\/$/);
  assert.ok(lib.isStillRefused(refusal, { ...definition, id: "b" }));
  assert.ok(!lib.isStillRefused(refusal, { ...definition, callback: { type: "webhook", url: "https://example.com/" } }));
  assert.ok(!lib.isStillRefused(refusal, { delayInSeconds: 60 }));
  const tags = lib.refusalOf((await scheduler.call("/v1/tasks", { body: { ...definition, callback: LOG } })).body, definition);
  assert.ok(tags.field.startsWith("tags["), tags.field);
  assert.ok(lib.isAbout(tags, "tags") && !lib.isAbout(tags, "tag") && !lib.isAbout(refusal, "callback"));
  assert.equal(lib.refusalOf({ detail: "The body is not JSON." }, definition), undefined);
  for (const url of [undefined, "", " ", "https://", "http:", "https:/"]) assert.equal(lib.missingIn({ callback: { type: "webhook", url } })?.field, "callback.url", url);
  for (const callback of [undefined, LOG, { type: "webhook", url: "https://a" }]) assert.equal(lib.missingIn({ callback }), undefined);
});

/** When the statistics of the tests below were read. */
const NOW = 1_700_000_000_000;

test("the health is good until something needs attention, and names it", async () => {
  const { body: stats } = await scheduler.call("/v1/stats");
  const calm = { succeeded: 90, failed: 10, repairs: 0, displaced: 0, stillOverdue: 0, backlog: { minutes: 2, most: 900 }, createdPerSecond: 79 };
  // The scheduler of these tests has had dead letters, which are gone.
  const used = { ...stats, deadLetters: 0, deadLettered: 0, overdue: 0, circuits: [] };
  const judge = (changes = {}, recent = calm, quota = {}) => {
    const { level, reasons } = lib.healthOf({ ...used, ...changes }, quota, recent, NOW);
    return [level, reasons.map(({ text }) => text).join(" ")];
  };
  assert.equal(judge()[0], "good");
  assert.equal(judge({}, calm, { createsPerSecond: 100, pendingTasks: 1_000 })[0], "good");
  assert.equal(judge({ overdue: 5 })[0], "good");
  for (const [changes, recent, quota, level, text] of [
    [{}, { ...calm, stillOverdue: 3 }, {}, "warn", /3 tasks overdue/],
    [{}, { ...calm, stillOverdue: 3, backlog: { minutes: 4, most: 900 } }, {}, "warn", /^A backlog for 4 minutes: up to 900 runs at one time were overdue[^.]*\. Runs that wait for their limits count, too\.$/],
    [{}, { ...calm, createdPerSecond: 81 }, { createsPerSecond: 100 }, "warn", /^Up to 81 tasks a second were created, of the 100 /],
    [{}, { ...calm, failed: 40 }, {}, "bad", /31 % of the last 130 attempts failed/],
    [{}, { ...calm, repairs: 1 }, {}, "warn", /repaired 1 shard /],
    [{}, { ...calm, displaced: 2 }, {}, "warn", /2 dead letters not kept/],
    [{ deadLetters: 1 }, calm, {}, "warn", /1 dead letter to replay/],
    [{ pending: 85 }, calm, { pendingTasks: 100 }, "warn", /85 of the 100 tasks/],
    [{ shards: [{ ...stats.shards[0], shard: "1-0", pending: 900_000 }] }, calm, {}, "bad", /1 shard nearly full \(1-0\)/],
    [{ circuits: [{ destination: "https://a.example", state: "open", until: NOW + 1, failures: 5, waiting: 2 }] }, calm, {}, "bad", /https:\/\/a\.example does not answer: 5 attempts in a row failed, and 2 runs wait/],
    // A run is being tried.
    [{ circuits: [{ destination: "https://a.example", state: "half-open", until: NOW + 1, failures: 5, waiting: 0 }] }, calm, {}, "bad", /https:\/\/a\.example does not answer/],
  ]) {
    const [found, reasons] = judge(changes, recent, quota);
    assert.equal(found, level, reasons);
    assert.match(reasons, text);
  }
});

test("the sentence of a good health says no more than is true, and names failures that need nothing more", async () => {
  const { body: stats } = await scheduler.call("/v1/stats");
  const used = { ...stats, created: 9, deadLetters: 0, deadLettered: 0, overdue: 0, circuits: [] };
  const calm = { succeeded: 9, failed: 0, repairs: 0, displaced: 0, stillOverdue: 0, backlog: { minutes: 0, most: 0 }, createdPerSecond: 0 };
  const judge = (changes, recent = {}) => {
    const { level, sentence, notes, reasons } = lib.healthOf({ ...used, ...changes }, undefined, { ...calm, ...recent }, NOW);
    return { level, sentence, notes: notes.map(({ text, to }) => `${text} ${to}`).join(" "), reasons: reasons.map(({ text, to }) => `${text} ${to}`).join(" ") };
  };
  for (const [changes, recent, sentence, notes] of [
    [{}, {}, "All is well: nothing is overdue, every attempt of the last half hour succeeded, and no run has been given up.", ""],
    // The wait for a destination is over, and nothing is due for it.
    [
      { circuits: [{ destination: "https://a.example", state: "half-open", until: NOW, failures: 5, waiting: 0 }] },
      {},
      "Nothing needs your attention: nothing is overdue, and no dead letter waits.",
      "https://a.example has not answered the last 5 attempts. No run waits for it, and the next run tries it again. /runs?group=error",
    ],
    [{ overdue: 2 }, {}, "All is well: nothing has been overdue for long, every attempt of the last half hour succeeded, and no run has been given up.", ""],
    [{}, { succeeded: 0 }, "All is well: nothing is overdue, and no run has been given up. Nothing has run in the last half hour.", ""],
    // Fewer attempts than tell a rate.
    [{}, { succeeded: 3, failed: 2 }, "Nothing needs your attention: nothing is overdue, and no dead letter waits.", "2 of the 5 attempts of the last half hour failed. /runs?group=error"],
    [{}, { succeeded: 0, failed: 4 }, "Nothing needs your attention: nothing is overdue, and no dead letter waits.", "All 4 attempts of the last half hour failed. /runs?group=error"],
    [{ deadLettered: 1 }, {}, "Nothing needs your attention: nothing is overdue, and no dead letter waits.", "1 run failed for good since the shards were created. Its dead letter has been replayed, discarded or dropped since. /runs?outcome=dead-lettered"],
    // A run that fails again after a replay is two dead letters, and one run.
    [{ deadLettered: 2 }, {}, "Nothing needs your attention: nothing is overdue, and no dead letter waits.", "There have been 2 dead letters since the shards were created: a run that is replayed and fails again counts again. All of them have been replayed, discarded or dropped since. /runs?outcome=dead-lettered"],
  ]) {
    assert.deepEqual(judge(changes, recent), { level: "good", sentence, notes, reasons: "" });
  }
  const waiting = judge({ deadLettered: 3, deadLetters: 2 }, { failed: 1 });
  assert.deepEqual([waiting.level, waiting.sentence, waiting.reasons], ["warn", "It works, but one thing needs a look.", "2 dead letters to replay or discard. /dead-letters"]);
  assert.equal(waiting.notes, "1 of the 10 attempts of the last half hour failed. /runs?group=error");
  // A namespace that nobody has used has no health.
  const unused = { ...used, created: 0, fired: 0, pending: 0 };
  const { level, sentence } = lib.healthOf(unused, undefined, { ...calm, succeeded: 0 }, NOW);
  assert.deepEqual([level, sentence], ["new", "Nothing is scheduled yet: create a first task, and this page shows how it goes."]);
});

test("parameters of an address that a page does not have or take are named, with what it would take, and the rest is used", () => {
  const check = (path, text) => {
    const { used, ignored } = lib.checkQuery(path, new URLSearchParams(text));
    return [String(used), ignored.map(({ name, value, why }) => `${name}=${value}: ${why}`)];
  };
  for (const [path, text, used, ...ignored] of [
    ["/tasks", "status=bogus&tag=a,b&order=desc", "tag=a%2Cb&order=desc", /^status=bogus: It takes one of: scheduled, running, .*dead-lettered\.$/],
    ["/tasks", "estado=paused", "", /^estado=paused: This page has no such parameter\. It has: text, prefix, tag, .*order\.$/],
    ["/tasks", "kind=once&kind=cron&prefix=", "kind=once", /^kind=cron: It is there more than once\. The first value counts\.$/],
    ["/tasks", "tag=a,b,c&paused=yes", "", /^tag=a,b,c: It takes a tag, or two tags/, /^paused=yes: It takes one of: true, false\.$/],
    ["/tasks", "from=2026-11-30T08:00:00Z&to=yesterday", "from=2026-11-30T08%3A00%3A00Z", /^to=yesterday: It takes a time, such as 2026-11-30T08:00:00Z/],
    ["/tasks", "toString=1&constructor=2", "", /^toString=1: This page has no/, /^constructor=2: This page has no/],
    ["/dead-letters", "status=paused&error=x", "error=x", /^status=paused: This page has no such parameter/],
    ["/runs", "group=tag&view=events&outcome=failed", "view=events&outcome=failed", /^group=tag: It takes only error\.$/],
    ["/agenda", "span=month&at=1795773062727", "at=1795773062727", /^span=month: It takes one of: hour, day, week\.$/],
    ["/agenda", "at=0&span=hour", "span=hour", /^at=0: It takes a time/],
    ["/create", "example=bye", "", /^example=bye: It takes only hello\.$/],
    ["/limits", "a=1", "", /^a=1: This page has no parameters\.$/],
  ]) {
    const [found, names] = check(path, text);
    assert.equal(found, used, text);
    assert.equal(names.length, ignored.length, `${text}: ${names}`);
    for (const [index, pattern] of ignored.entries()) assert.match(names[index], pattern);
  }
});

test("the choices of the filters are those of the API, and it takes the times of an address", async () => {
  const parameters = (path) => Object.fromEntries(document.paths[path].get.parameters.filter(({ schema }) => schema).map(({ name, schema }) => [name, schema.enum ?? schema.items?.enum]));
  const { body: document } = await scheduler.call("/openapi.json");
  for (const [path, name, values] of [
    ["/v1/tasks", "status", lib.STATUSES],
    ["/v1/tasks", "kind", lib.KINDS],
    ["/v1/tasks", "callbackType", lib.CALLBACK_TYPES],
    ["/v1/tasks", "lastOutcome", lib.LAST_OUTCOMES],
    ["/v1/runs", "outcome", lib.OUTCOMES],
  ]) {
    assert.deepEqual([...values].sort(), [...parameters(path)[name]].sort(), name);
  }
  for (const text of ["1795773062727", "2026-11-30T08:00Z", "2026-11-30T08:00:00.123456+01:00", "2026-11-30t08:00:00z"]) {
    const { from } = lib.filterOf(new URLSearchParams({ from: text }));
    assert.equal((await scheduler.call(`/v1/tasks?from=${encodeURIComponent(from)}`)).status, 200, text);
  }
});

test("the price of a million attempts is shown only when what the shards cost by themselves hardly changes it", () => {
  assert.deepEqual([1, 16].map(lib.fewestPricedAttempts), [219, 3_504]);
  // Five attempts, as on the first day: what the shards cost to start is most of it.
  assert.equal(lib.pricePerMillion(0.000_077, 5, 16), undefined);
  assert.equal(lib.pricePerMillion(0, 0, 1), undefined);
  assert.equal(lib.pricePerMillion(0.035_03, 3_503, 16), undefined);
  assert.ok(Math.abs(lib.pricePerMillion(0.035_04, 3_504, 16) - 10) < 1e-9);
});

test("a draft has no headers of any target, and names them", () => {
  const definition = { id: "a", callback: { type: "webhook", url: "https://a.example", headers: { authorization: "hush" } }, onFailure: { type: "webhook", url: "https://b.example", headers: { "x-key": "hush", authorization: "hush" } }, payload: { headers: { kept: true } } };
  const { definition: kept, headers } = lib.withoutSecrets(definition);
  assert.deepEqual(headers, ["authorization", "x-key"]);
  assert.deepEqual(kept, { id: "a", callback: { type: "webhook", url: "https://a.example" }, onFailure: { type: "webhook", url: "https://b.example" }, payload: { headers: { kept: true } } });
  assert.doesNotMatch(JSON.stringify(kept), /hush/);
  assert.deepEqual(definition.callback.headers, { authorization: "hush" });
});

test("what a replay says is what it does: to a task that fires once, to a run of a recurring task, and to a run that was requested", async () => {
  const once = { payload: { old: true }, retry: { maxAttempts: 1 } };
  const letterOf = async (id) => (await scheduler.call(`/v1/dead-letters?prefix=${id}`)).body.deadLetters[0];
  const dead = (id) => until(`a dead letter of ${id}`, () => letterOf(id));
  const taskOf = async (id) => {
    const { status, body } = await scheduler.call(`/v1/tasks/${id}`);
    return status === 200 ? body : undefined;
  };
  const replay = async (letter) => {
    const { status, body } = await scheduler.call(`/v1/dead-letters/${encodeURIComponent(letter.deadLetterId)}/replay`, { body: { payload: { old: null, changed: true } } });
    assert.equal(status, 200, JSON.stringify(body));
    return until(`another dead letter of ${letter.id}`, async () => {
      const next = await letterOf(letter.id);
      return next && next.deadLetterId !== letter.deadLetterId && next;
    });
  };
  // Nothing listens on these ports. Each kind has its own, so that no circuit opens.
  for (const [port, id, task, run, text] of [
    [9, "replay-once", { delayInSeconds: 0 }, false, /^This task fires once, and its dead letter is all that is left of it\..*the task keeps the change/],
    [7, "replay-every", { everySeconds: 86_400 }, true, /^The run starts again.*for this run only\. The task replay-every does not change\.$/],
    [11, "replay-hand", { type: "no-schedule" }, true, /^The run starts again.*for this run only\. The task replay-hand does not change\.$/],
  ]) {
    assert.equal((await scheduler.call("/v1/tasks", { body: { id, ...once, ...task, callback: { type: "webhook", url: `http://127.0.0.1:${port}/closed` } } })).status, 201);
    if (run) assert.equal((await scheduler.call(`/v1/tasks/${id}/run`, { method: "POST" })).status, 200);
    const letter = await dead(id);
    const before = await taskOf(id);
    assert.match(lib.replayEffect(letter, before), text, id);
    const next = await replay(letter);
    assert.deepEqual(next.payload, { changed: true });
    const after = await taskOf(id);
    // The task is the dead letter with the change, or is as it was.
    if (run) assert.deepEqual(after, before);
    else assert.deepEqual([after.deadLetterId, after.payload], [next.deadLetterId, { changed: true }]);
    await scheduler.call(`/v1/tasks/${id}`, { method: "DELETE" });
  }
  assert.match(lib.replayEffect({ id: "a", kind: "once", stage: "onFailure" }, undefined), /^The follow-up onFailure starts again.*The run that it follows does not start again\.$/);
  assert.match(lib.replayEffect({ id: "a", kind: "cron" }, undefined), /The recurring task has ended, and stays so\.$/);
  // Another task has the id now.
  assert.match(lib.replayEffect({ id: "a", kind: "once" }, { status: "scheduled" }), /The task a does not change\.$/);
});

test("a retry policy is shown in words, and the default is that of the documentation", async () => {
  const table = await readFile(join(ROOT, "docs/tasks.md"), "utf8");
  for (const [name, value] of Object.entries(lib.RETRY_DEFAULTS)) {
    const [, shown] = new RegExp(`^\\| \`${name}\` \\|.*\\| ([\\d.,]+)[^|]*\\|$`, "m").exec(table) ?? assert.fail(name);
    assert.equal(Number(shown.replace(/,(?=\d{3})/g, "").replace(/,$/, "")), value, name);
  }
  for (const [retry, expected] of [
    [undefined, "Up to 10 attempts, with waits of 1 s, 2 s, 4 s and so on, 1 h at most; each wait up to 20 % longer or shorter; the last within 1 d of the first."],
    [{ maxAttempts: 1 }, "One attempt only: a run that fails is not tried again."],
    [{ maxAttempts: 3, minBackoffSeconds: 2, factor: 3, jitter: 0.1 }, "Up to 3 attempts, with waits of 2 s and 6 s; each wait up to 10 % longer or shorter; the last within 1 d of the first."],
    [{ maxAttempts: 2, jitter: 0 }, "Up to 2 attempts, 1 s apart; the last within 1 d of the first."],
    [{ maxAttempts: 5, minBackoffSeconds: 0.3, factor: 1, jitter: 0 }, "Up to 5 attempts, 300 ms apart; the last within 1 d of the first."],
    [{ minBackoffSeconds: 3_000, maxDurationSeconds: 600, jitter: 0 }, "Up to 10 attempts, with waits of 50 min, 1 h, 1 h and so on, 1 h at most; the last within 10 min of the first."],
    // A first wait above the longest one raises that, if it is not given.
    [{ maxAttempts: 4, minBackoffSeconds: 7_200, jitter: 0 }, "Up to 4 attempts, 2 h apart; the last within 1 d of the first."],
    [{ permanentStatuses: ["4xx", 501], jitter: 0, factor: 1 }, "Up to 10 attempts, 1 s apart; the last within 1 d of the first; none after HTTP 4xx, 501 and 410."],
  ]) {
    assert.equal(lib.retryText(retry), expected);
  }
});

test("the attempts at a run are divided at its replays, also those of its follow-ups", () => {
  const attempt = (startedAt, outcome, stage) => ({ startedAt, outcome, reportedAt: startedAt + 1, ...(stage ? { stage } : {}) });
  const shown = (attempts) => lib.partsOf(attempts).map((part) => part.map(({ startedAt }) => startedAt));
  // The API's order is the newest first.
  assert.deepEqual(shown([attempt(9, "succeeded"), attempt(8, "failed"), attempt(2, "dead-lettered"), attempt(1, "failed")]), [[1, 2], [8, 9]]);
  assert.deepEqual(shown([attempt(1, "failed"), attempt(2, "failed"), attempt(3, "succeeded")]), [[1, 2, 3]]);
  // The follow-up of a run that has failed for good is no replay of it.
  assert.deepEqual(shown([attempt(1, "dead-lettered"), attempt(2, "failed", "onFailure"), attempt(3, "dead-lettered", "onFailure")]), [[1, 2, 3]]);
  assert.deepEqual(shown([attempt(1, "dead-lettered"), attempt(2, "dead-lettered", "onFailure"), attempt(7, "succeeded", "onFailure"), attempt(9, "succeeded")]), [[1, 2], [7, 9]]);
  assert.deepEqual(shown([attempt(1, "dead-lettered"), attempt(5, "dead-lettered"), attempt(9, "succeeded")]), [[1], [5], [9]]);
  assert.deepEqual(shown([]), []);
});

test("a target has the name that the history gives it", async () => {
  const hook = (url) => ({ type: "webhook", url });
  for (const [id, callback, detail] of [
    ["name-hook", hook("http://127.0.0.1:9/a?b=c"), "POST http://127.0.0.1:9/a?b=c"],
    ["name-port", { ...hook("http://LOCALHOST:9"), method: "PUT" }, "PUT http://LOCALHOST:9"],
    ["name-handler", LOG, undefined],
  ]) {
    assert.equal((await scheduler.call("/v1/tasks", { body: { id, delayInSeconds: 0, callback, retry: { maxAttempts: 1 } } })).status, 201, id);
    const run = await until(`the run of ${id}`, async () => (await scheduler.call(`/v1/tasks/${id}/runs`)).body.runs[0]);
    assert.deepEqual(lib.targetOf(callback), { name: run.target, ...(detail ? { detail } : {}) });
  }
  assert.deepEqual(lib.targetOf(hook("https://BÜCHER.example/x")).name, "webhook:xn--bcher-kva.example");
  assert.deepEqual(lib.targetOf({ type: "service", binding: "BILLING", path: "/run" }), { name: "service:BILLING", detail: "/run" });
  assert.deepEqual(lib.targetOf({ type: "durable-object", binding: "CART", name: "a/1", function: "tick" }), { name: "durable-object:CART", detail: "a/1, tick()" });
  assert.deepEqual(lib.targetOf({ type: "queue", queue: "FIRED_TASKS" }), { name: "queue:FIRED_TASKS" });
  await scheduler.call("/v1/dead-letters/discard", { body: { all: true } });
});
