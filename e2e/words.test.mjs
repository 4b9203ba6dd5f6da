// Schedules in words on the real local runtime: what a sentence is read as, and tasks that are given one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

let scheduler;
let sink;
before(async () => {
  sink = await startSink();
  scheduler = await Scheduler.start({ shards: "4" });
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

const LOG = { type: "handler", name: "log" };
const FROM = "2026-11-25T09:15:00Z";
const BERLIN = "Europe/Berlin";
const call = (path, body, method = "POST") => scheduler.call(path, { method, body });
const parse = (text, more) => call("/v1/parse", { text, timezone: BERLIN, from: FROM, ...more });

test("a sentence is read as the fields of a task, with what was assumed and the next runs on both clocks", async () => {
  const { status, body } = await parse("remind me to call Ann every monday at 10:00 London time");
  assert.equal(status, 200, JSON.stringify(body));
  const { outcome, language, timezone, reading } = body;
  assert.deepEqual([outcome, language, timezone], ["understood", "en", BERLIN]);
  assert.deepEqual(reading.schedule, { cron: "0 10 * * MON", timezone: "Europe/London" });
  assert.equal(reading.sentence, "every Monday at 10:00 in Europe/London");
  assert.equal(reading.description, "call Ann");
  assert.deepEqual(
    reading.runs.map(({ local, callerLocal }) => [local, callerLocal]),
    ["11-30", "12-07", "12-14"].map((day) => [`2026-${day}T10:00:00+00:00`, `2026-${day}T11:00:00+01:00`]),
  );
  assert.equal(reading.used.map(({ text }) => text).join(" "), "every monday at 10:00 London time");
  const change = await parse("every day at 1:30am", { timezone: "Europe/London", from: "2027-03-27T12:00:00Z" });
  assert.equal(change.body.reading.runs[0].clockChange, "gap-moved");
});

test("every sentence is shown again as one that is read as the same schedule, in its language", async () => {
  for (const text of [
    "weekdays at 8:30am",
    "every other friday at noon",
    "the last working day of each month at 4pm",
    "in 20 minutes",
    "every 90 seconds",
    "tomorrow at 17:00",
    "every monday at 9am until 5 december",
    "jeden Montag um 10 Uhr",
    "am ersten Werktag jedes Monats um halb neun",
    "übermorgen um 14 Uhr",
    "alle 15 Minuten",
  ]) {
    const { reading, language } = (await parse(text)).body;
    const again = (await parse(reading.sentence)).body;
    assert.equal(again.language, language, reading.sentence);
    assert.equal(again.reading.sentence, reading.sentence);
    const times = ({ runs }) => runs.map(({ time }) => time);
    assert.deepEqual(times(again.reading), times(reading), text);
    // Its fields are those of a preview.
    const preview = await call("/v1/preview", { ...reading.schedule, from: FROM, count: 3 });
    assert.deepEqual(times(preview.body), times(reading), text);
  }
});

test("a sentence with two meanings gets choices, and each of them is understood", async () => {
  const { outcome, questions, choices } = (await parse("remind me to call Ann tomorrow at 5")).body;
  assert.equal(outcome, "ambiguous");
  assert.deepEqual(questions, ["In the morning or in the afternoon?"]);
  assert.equal(choices.length, 2);
  for (const { differs, reading } of choices) {
    assert.equal(differs[0].part.text, "at 5");
    assert.equal(reading.description, "call Ann");
    const { body } = await parse(reading.sentence);
    assert.equal(body.reading.runs[0].time, reading.runs[0].time);
  }
});

test("a refused sentence is answered with the part that is not understood and with what is near", async () => {
  const text = "every full moon";
  const { outcome, refusal } = (await parse(text)).body;
  assert.equal(outcome, "refused");
  assert.equal(text.slice(refusal.part.start, refusal.part.end), "moon");
  assert.ok(refusal.near.length > 0);
  for (const sentence of refusal.near) assert.equal((await parse(sentence)).body.outcome, "understood", sentence);
  for (const [body, field] of [
    [{}, "text"],
    [{ text: "daily", timezone: "Berlin" }, "timezone"],
    [{ text: "daily", language: "fr" }, "language"],
  ]) {
    const answer = await call("/v1/parse", body);
    assert.deepEqual([answer.status, answer.body.field], [422, field]);
  }
});

test("a task in words is the task of its fields, however it is sent, and keeps the words", async () => {
  const words = "remind me to call Ann every monday at 10:00";
  const task = { schedule: words, timezone: BERLIN, callback: LOG };
  const of = { cron: "0 10 * * MON", timezone: BERLIN, words, description: "call Ann", kind: "cron" };
  const shown = ({ cron, timezone, words, description, kind }) => ({ cron, timezone, words, description, kind });
  const plain = (await call("/v1/tasks", { id: "plain", cron: of.cron, timezone: BERLIN, callback: LOG })).body;
  const posted = await call("/v1/tasks", { id: "posted", ...task });
  assert.deepEqual([posted.status, shown(posted.body), posted.body.due], [201, of, plain.due]);
  const put = await call("/v1/tasks/put", task, "PUT");
  assert.deepEqual([put.status, shown(put.body)], [201, of]);
  for (const { body } of [posted, put]) assert.equal(body.sentence, "every Monday at 10:00 in Europe/Berlin");
  const batch = await call("/v1/tasks/batch", [{ id: "batched", ...task }, { id: "unclear", ...task, schedule: "every day at 5" }]);
  assert.deepEqual([batch.body.accepted, batch.body.rejected], [1, 1]);
  assert.equal(batch.body.results[1].error.field, "schedule");
  assert.deepEqual(shown((await scheduler.call("/v1/tasks/batched")).body), of);
  // The answer can be sent again.
  const again = await call("/v1/tasks/put", put.body, "PUT");
  assert.deepEqual([again.status, shown(again.body), again.body.createdAt], [200, of, put.body.createdAt]);
  assert.equal(again.body.sentence, undefined, "it gives the schedule as fields");
  const preview = await call("/v1/preview", task);
  assert.deepEqual([preview.body.runs[0].time, preview.body.sentence], [plain.due, "every Monday at 10:00 in Europe/Berlin"]);
  for (const id of ["plain", "posted"]) {
    const explanation = (await scheduler.call(`/v1/tasks/${id}/explain`)).body;
    assert.equal(explanation.sentence, "every Monday at 10:00 in Europe/Berlin");
  }
});

test("the answer says what was understood, and in which zone, as POST /v1/parse does", async () => {
  for (const [id, schedule, timezone, sentence] of [
    ["in-utc", "every monday at 10:00", undefined, "every Monday at 10:00 in UTC"],
    ["in-words", "jeden Montag um 10 Uhr", BERLIN, "jeden Montag um 10:00 Uhr in Europe/Berlin"],
    ["elsewhere", "daily at 9am London time", BERLIN, "every day at 09:00 in Europe/London"],
  ]) {
    const body = { id, schedule, timezone, callback: LOG };
    const made = await call("/v1/tasks", body);
    assert.deepEqual([made.status, made.body.sentence, made.body.timezone], [201, sentence, / in (\S+)$/.exec(sentence)[1]], id);
    assert.equal((await call("/v1/parse", { text: schedule, timezone })).body.reading.sentence, sentence);
    // The answer to a repeated request says so, too.
    const once = { method: "POST", body, headers: { "idempotency-key": id } };
    for (const status of [200, 200]) {
      const answer = await scheduler.call("/v1/tasks", once);
      assert.deepEqual([answer.status, answer.body.sentence], [status, sentence], id);
    }
  }
  const near = await call("/v1/tasks", { schedule: "daily at 9am", timezone: "berlin", callback: LOG });
  assert.deepEqual([near.status, near.body.detail], [422, 'timezone is "berlin", which is not a known time zone; write Europe/Berlin']);
});

test("an unclear sentence creates nothing, and the error has the choices", async () => {
  for (const [schedule, words] of [
    ["every day at 5", /ambiguous: In the morning or in the afternoon\? Write "every day at 17:00 in Europe\/Berlin" or "every day at 05:00/],
    ["every few hours", /refused at "few": .* Near it: "every 2 hours in Europe\/Berlin"/],
    ["every monday except on holidays", /refused at/],
  ]) {
    const { status, body } = await call("/v1/tasks/unclear", { schedule, timezone: BERLIN, callback: LOG }, "PUT");
    assert.deepEqual([status, body.field], [422, "schedule"]);
    assert.match(body.detail, words);
  }
  assert.equal((await scheduler.call("/v1/tasks/unclear")).status, 404);
  const both = await call("/v1/tasks", { schedule: "daily at 9am", cron: "@daily", callback: LOG });
  assert.deepEqual([both.status, both.body.field], [422, "cron"]);
});

test("a patch with a sentence replaces the schedule, and one of its fields drops the words", async () => {
  const patch = async (body) => {
    const answer = await call("/v1/tasks/changed", body, "PATCH");
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };
  const made = await call("/v1/tasks/changed", { schedule: "every monday at 10:00, 5 times", timezone: BERLIN, callback: LOG }, "PUT");
  assert.deepEqual([made.status, made.body.maxRuns], [201, 5]);
  assert.equal((await patch({ tags: ["a"] })).words, "every monday at 10:00, 5 times");
  const friday = await patch({ schedule: "jeden Freitag um 17:30" });
  assert.equal(friday.sentence, "jeden Freitag um 17:30 Uhr in Europe/Berlin");
  assert.deepEqual([friday.cron, friday.timezone, friday.maxRuns, friday.words], ["30 17 * * FRI", BERLIN, undefined, "jeden Freitag um 17:30"]);
  const once = await patch({ schedule: "on 3 march 2099 at 9am", timezone: "Asia/Tokyo" });
  assert.deepEqual([once.kind, once.cron, once.time], ["once", undefined, Date.parse("2099-03-03T09:00:00+09:00")]);
  assert.equal((await patch({ time: "2099-03-03T10:00" })).words, undefined);
  const unclear = await call("/v1/tasks/changed", { schedule: "soon" }, "PATCH");
  assert.deepEqual([unclear.status, unclear.body.field], [422, "schedule"]);
  assert.equal((await patch({ schedule: "on 3 march 2099 at 11am" })).words, "on 3 march 2099 at 11am");
  await call("/v1/tasks/changed/reschedule", { time: "2099-03-03T10:00:00Z" });
  const moved = (await scheduler.call("/v1/tasks/changed")).body;
  assert.deepEqual([moved.due, moved.words], [Date.parse("2099-03-03T10:00:00Z"), undefined]);
});

test("a task in words fires, and its target gets the fields without the words", async () => {
  const { body } = await call("/v1/tasks", { id: "said", schedule: "in 1 second", callback: { type: "webhook", url: `${sink.url}/said` } });
  const hook = await until("the webhook", () => sink.webhooks.find(({ path }) => path === "/said"));
  assert.ok(hook.receivedAt >= body.due);
  assert.deepEqual([hook.body.id, hook.body.time, hook.body.words], ["said", body.due, undefined]);
});

test("a key that may only read can have sentences read", async () => {
  const { body: key } = await call("/v1/keys", { name: "reader", scopes: ["read"], namespaces: ["default"] });
  const { body: writer } = await call("/v1/keys", { name: "writer", scopes: ["write"], namespaces: ["default"] });
  const read = ({ key }) => scheduler.call("/v1/parse", { headers: { authorization: `Bearer ${key}` }, body: { text: "daily at 9am" } });
  assert.equal((await read(key)).status, 200);
  assert.equal((await read(writer)).status, 403);
});
