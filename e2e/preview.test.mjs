// Tests previews through the API: the explanations of clock changes, and that a task does what its
// preview says. The vectors of schedules are in vectors.test.mjs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler } from "./harness.mjs";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
});
after(() => scheduler?.dispose());

const preview = (body) => scheduler.call("/v1/preview", { body });

test("changes of the clock are explained", async () => {
  const gap = await preview({ cron: "30 1 * * *", timezone: "Europe/London", from: "2026-03-28T12:00:00Z", count: 2 });
  assert.deepEqual(
    gap.body.runs.map(({ local, clockChange }) => [local, clockChange]),
    [
      ["2026-03-29T02:00:00+01:00", "gap-moved"],
      ["2026-03-30T01:30:00+01:00", undefined],
    ],
  );
  assert.match(gap.body.runs[0].explanation, /2026-03-29 01:30:00 does not exist in Europe\/London: the clock jumps from 01:00:00 to 02:00:00/);
  const back = await preview({ cron: "30 * * * *", timezone: "Europe/London", from: "2026-10-25T00:00:00Z", count: 3 });
  assert.deepEqual(
    back.body.runs.map(({ local, clockChange }) => [local, clockChange]),
    [
      ["2026-10-25T01:30:00+01:00", "first-pass"],
      ["2026-10-25T01:30:00+00:00", "second-pass"],
      ["2026-10-25T02:30:00+00:00", undefined],
    ],
  );
});

test("a preview creates nothing, and a task does what its preview said", async () => {
  const start = Date.now() + 3_600_000;
  const schedules = [
    { time: start },
    { time: start, jitterSeconds: 600, windowSeconds: 120 },
    { delayInSeconds: 86_400, windowSeconds: 600 },
    { cron: "0 9 * * MON-FRI", timezone: "America/New_York", jitterSeconds: 900 },
    { cron: ["0 9 * * *", "30 17 * * *"], timezone: "Asia/Kolkata", maxRuns: 3 },
    { everySeconds: 5_000, anchor: start - 3_000_000, windowSeconds: 300 },
    { everySeconds: 90.5, startAt: start, endAt: start + 86_400_000, maxRuns: 20 },
    { cron: "0 9 1 * *", timezone: "Europe/Berlin", exclude: { weekdays: ["SAT", "SUN"], dates: ["01-01"], instead: "next" } },
    { everySeconds: 3_600, anchor: start, timezone: "Asia/Kolkata", exclude: { times: ["09:00-17:00"], rules: ["FREQ=MONTHLY;BYMONTHDAY=-1"] }, jitterSeconds: 60 },
    { rrule: "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9;COUNT=24", startAt: Math.floor(start / 1000) * 1000, timezone: "Europe/Berlin" },
  ];
  const before = (await scheduler.call("/v1/stats")).body.created;
  const previews = [];
  for (const [n, schedule] of schedules.entries()) {
    const { status, body } = await preview({ ...schedule, id: `like-${n}` });
    assert.equal(status, 200, JSON.stringify(body));
    previews.push(body);
  }
  assert.equal((await scheduler.call("/v1/stats")).body.created, before);
  for (const [n, schedule] of schedules.entries()) {
    const task = { id: `like-${n}`, ...schedule, callback: { type: "handler", name: "noop" } };
    const made = await scheduler.call("/v1/tasks", { body: task });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    if (schedule.delayInSeconds === undefined) assert.equal(made.body.due, previews[n].runs[0].due, JSON.stringify(schedule));
    assert.deepEqual((await scheduler.call(`/v1/tasks/like-${n}`)).body, made.body);
  }
});

test("refusals of invalid requests name the field", async () => {
  for (const [body, field] of [
    [{}, "time"],
    [{ cron: ["@daily", "61 * * * *"] }, "cron[1]"],
    [{ cron: "@daily", count: 101 }, "count"],
    [{ cron: "@daily", pay: 1 }, "pay"],
    [{ rrule: "FREQ=DAILY" }, "startAt"],
    [{ rrule: "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", startAt: 1_764_000_000_000 }, "rrule"],
  ]) {
    const reply = await preview(body);
    assert.equal(reply.status, 422, JSON.stringify(body));
    assert.equal(reply.body.field, field);
  }
});
