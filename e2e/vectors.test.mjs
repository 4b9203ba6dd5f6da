// Tests every vector of cron and of RFC 5545 through the API: as previews, and cron also by
// creating tasks and reading their next runs. The vectors are in core/calendar/tests/data, where
// the core's own tests read them too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Scheduler } from "./harness.mjs";

const DAY_MS = 86_400_000;
/** The calendar with its weekdays repeats after 400 years, and after 28 years without a century in between. */
const CYCLES = { 400: 146_097 * DAY_MS, 28: 10_227 * DAY_MS };
/** The zones whose vectors are about a year that their clocks do not repeat. The others have yearly rules up to 2100. */
const ONCE = ["America/Sao_Paulo", "Pacific/Apia", "Pacific/Kwajalein", "Africa/Casablanca"];
const KNOWN_UNTIL = Date.parse("2100-01-01T00:00:00Z");

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
});
after(() => scheduler?.dispose());

const vectors = (name) =>
  readFileSync(new URL(`../core/calendar/tests/data/${name}`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("\t"));
const CRON = vectors("cron_vectors.txt").map(([cron, timezone, from, expected]) => ({
  cron,
  timezone,
  from: Date.parse(from),
  runs: expected === "never" ? [] : expected.split(" ").map(Date.parse),
}));
const preview = (body) => scheduler.call("/v1/preview", { body });
const times = (body) => body.runs.map((run) => run.time);

/** Runs `check` for every element, several at a time. */
async function each(all, check) {
  const left = [...all];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await check(next);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

test("every cron vector holds in a preview", async () => {
  let count = 0;
  await each(CRON, async ({ cron, timezone, from, runs }) => {
    // A request begins in 1970 at the earliest, and needs a further run. The other vectors are in
    // the next test.
    if (from < 0 || runs.length === 0) return;
    const { status, body } = await preview({ cron, timezone, from, count: 5 });
    assert.equal(status, 200, `${cron} ${timezone}: ${JSON.stringify(body)}`);
    assert.deepEqual(times(body), runs, `${cron}, ${timezone}, from ${from}`);
    assert.equal(body.timezone, timezone);
    for (const run of body.runs) assert.equal(Date.parse(run.local), run.time);
    count += 1;
  });
  assert.ok(count >= 140, `only ${count} vectors were read`);
});

test("the next run of a created task is that of the vector", async () => {
  // A task's runs begin at `startAt`, so one task for each run of a vector tests all of them. The
  // runs must be in the future, so a vector about the past is moved by whole cycles of the
  // calendar.
  const soon = Date.now() + DAY_MS;
  const wanted = [];
  let moved = 0;
  for (const { cron, timezone, from, runs } of CRON.filter(({ timezone }) => !ONCE.includes(timezone))) {
    const cycle = CYCLES[timezone === "UTC" ? 400 : 28];
    const by = Math.max(0, Math.ceil((soon - from) / cycle)) * cycle;
    moved += by > 0 ? 1 : 0;
    const starts = [from, ...runs].map((at) => at + by);
    if (timezone !== "UTC" && by > 0) assert.ok(starts.at(-1) < KNOWN_UNTIL, `${timezone} has moved beyond the known clock changes`);
    // After the last listed run there is no further run, or it is unknown here.
    const next = [...runs.map((at) => at + by), ...(runs.length < 5 ? [undefined] : [])];
    next.forEach((due, n) => wanted.push({ cron, timezone, startAt: starts[n] + 1, due }));
  }
  assert.ok(moved > 100, `only ${moved} vectors have been moved`);
  assert.ok(wanted.length > 650, `only ${wanted.length} runs`);

  const tasks = wanted.map(({ due: _, ...schedule }, n) => ({ id: `vector-${n}`, ...schedule, callback: { type: "handler", name: "noop" } }));
  const { status, body } = await scheduler.call("/v1/tasks/batch", { body: tasks });
  assert.equal(status, 200);
  const waiting = await listed();
  for (const [n, { due, ...schedule }] of wanted.entries()) {
    const shown = JSON.stringify(schedule);
    if (due === undefined) {
      assert.deepEqual([body.results[n].error?.field, waiting.has(`vector-${n}`)], ["cron", false], shown);
    } else {
      assert.equal(body.results[n].id, `vector-${n}`, `${shown}: ${JSON.stringify(body.results[n])}`);
      assert.equal(waiting.get(`vector-${n}`)?.due, due, shown);
    }
  }
});

test("in a zone whose vectors cannot be moved, a task does what its preview says", async () => {
  const startAt = Date.now() + DAY_MS;
  const once = CRON.filter(({ timezone }) => ONCE.includes(timezone));
  assert.ok(once.length >= 16, `only ${once.length} vectors`);
  await each(once.entries(), async ([n, { cron, timezone }]) => {
    const said = await preview({ cron, timezone, startAt, from: startAt - 1, count: 1 });
    const made = await scheduler.call("/v1/tasks", { body: { id: `once-${n}`, cron, timezone, startAt, callback: { type: "handler", name: "noop" } } });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.body.due, said.body.runs[0].due, `${cron}, ${timezone}`);
  });
});

test("every vector of RFC 5545 holds in a preview", async () => {
  let count = 0;
  await each(vectors("rrule_vectors.txt"), async ([rrule, timezone, start, expected]) => {
    // The start is the local time on the zone's clock, which is the first instant that shows it.
    const startAt = instantOf(start, timezone);
    const { status, body } = await preview({ rrule, timezone, startAt, from: startAt - 1, count: 12 });
    assert.equal(status, 200, `${rrule} ${timezone}: ${JSON.stringify(body)}`);
    assert.deepEqual(times(body), expected.split(" ").map(Date.parse), `${rrule}, ${timezone}, ${start}`);
    count += 1;
  });
  assert.ok(count >= 80, `only ${count} vectors were read`);
});

/** Returns all waiting tasks, by id. */
async function listed() {
  const found = new Map();
  for (let cursor; cursor !== null; ) {
    const { status, body } = await scheduler.call(`/v1/tasks?limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    assert.equal(status, 200, JSON.stringify(body));
    for (const task of body.tasks) found.set(task.id, task);
    cursor = body.cursor;
  }
  return found;
}

/** Returns the milliseconds of a local time such as `19970902T090000` on a zone's clock. No vector starts at a skipped time. */
function instantOf(local, timeZone) {
  const wanted = local.replace(/(....)(..)(..)T(..)(..)(..)/, "$1-$2-$3T$4:$5:$6Z");
  const format = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "medium" });
  const shown = (instant) => Date.parse(`${format.format(instant).replace(" ", "T")}Z`);
  let instant = Date.parse(wanted);
  for (let n = 0; n < 3; n++) instant += Date.parse(wanted) - shown(instant);
  assert.equal(shown(instant), Date.parse(wanted));
  return instant;
}
