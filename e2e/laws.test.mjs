// Tests storage from a time zone release with another law. Tasks at a local time are planned again
// when the shard starts.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

const HOUR = 3_600_000;
/** Nine in the morning of December 1 in Vancouver: at -07:00, and at -08:00 by the law before 2026. */
const NINE = Date.parse("2099-12-01T09:00:00-07:00");
const local = { time: "2099-12-01T09:00", timezone: "America/Vancouver" };
const OLDER = "2025b";

let scheduler;
let sink;
let storage;
before(async () => {
  sink = await startSink();
  scheduler = await Scheduler.start({ shards: "1", sink: sink.url, seed: async (folder) => void (storage = folder) });
});
after(async () => {
  await scheduler?.dispose();
  await sink?.close();
});

/** Calls `use` with the database of the only shard while the runtime is stopped. */
async function withDatabase(use) {
  const folder = join(storage, "do/durable-scheduler-Shard");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  assert.equal(files.length, 1);
  const database = new DatabaseSync(join(folder, files[0]));
  try {
    return use(database);
  } finally {
    database.close();
  }
}

const newestState = (database) => database.prepare("SELECT seq, state FROM outbox WHERE state IS NOT NULL ORDER BY seq DESC LIMIT 1").get();
const lawOf = (database) => JSON.parse(Buffer.from(newestState(database).state).toString()).law;

/** Rewrites stored one-shot tasks: `text` changes a record to another of the same length, `due` changes a due time. */
function rewrite(database, text, due) {
  for (const { seq, directory, body } of database.prepare("SELECT seq, directory, body FROM pages").all()) {
    const [entries, records] = [Buffer.from(directory), Buffer.from(body)];
    for (let at = 4; at < entries.length; at += 20) {
      const place = entries.readUIntLE(at + 14, 6);
      const [from, length] = [place % 2 ** 20, Math.floor(place / 2 ** 20) % 2 ** 19];
      const record = records.subarray(from, from + length).toString();
      const changed = text(record);
      assert.equal(changed.length, record.length);
      records.write(changed, from);
      entries.writeUIntLE(due(entries.readUIntLE(at + 8, 6), record), at + 8, 6);
    }
    database.prepare("UPDATE pages SET directory = ?, body = ? WHERE seq = ?").run(entries, records, seq);
  }
}

const shown = async (id) => (await scheduler.call(`/v1/tasks/${id}`)).body;

test("tasks at a local time follow the law of today's release, others keep their instant", async () => {
  const callback = { type: "webhook", url: `${sink.url}/fired` };
  const create = (id, fields) => scheduler.call("/v1/tasks", { body: { id, callback, ...fields } });
  for (const id of ["nine", "past"]) assert.equal((await create(id, local)).body.time, NINE);
  assert.equal((await create("paused", { ...local, paused: true })).body.status, "paused");
  assert.equal((await create("moved", { time: "2098-01-01T00:00:00Z" })).status, 201);
  const moved = await scheduler.call("/v1/tasks/moved/reschedule", { body: local });
  assert.deepEqual([moved.status, moved.body.id, moved.body.changed], [200, "moved", true]);
  assert.equal((await create("instant", { time: NINE + HOUR })).status, 201);
  assert.equal((await create("daily", { cron: "0 9 * * *", timezone: local.timezone, startAt: local.time })).body.due, NINE);
  const etag = (await scheduler.fetch("/v1/tasks/nine")).headers.get("etag");
  await scheduler.stop();

  await withDatabase((database) => {
    const release = lawOf(database);
    assert.match(release, /^20\d\d[a-z]$/);
    const { seq, state } = newestState(database);
    const older = Buffer.from(state).toString().replace(`"law":"${release}"`, `"law":"${OLDER}"`);
    database.prepare("UPDATE outbox SET state = ? WHERE seq = ?").run(Buffer.from(older), seq);
    const isLocal = (record) => record.includes('"local"');
    rewrite(
      database,
      (record) => {
        if (!isLocal(record)) return record;
        // The local time of this task is on a past day of this year, but its stored due time is far in the future.
        const at = record.includes('"id":"past"') ? "2026-11-02" : "2099-12-01";
        return record.replace(`"time":${NINE}`, `"time":${NINE + HOUR}`).replace("2099-12-01T", `${at}T`);
      },
      (due, record) => (isLocal(record) && due === NINE ? NINE + HOUR : due),
    );
  });

  await scheduler.restart();
  const nine = await until("the shard to plan its tasks again", async () => {
    const task = await shown("nine");
    return task.time === NINE && task;
  });
  assert.deepEqual([nine.due, nine.local, nine.timezone], [NINE, { time: "2099-12-01T09:00:00" }, local.timezone]);
  assert.equal((await scheduler.fetch("/v1/tasks/nine")).headers.get("etag"), etag, "by today's law it is unchanged");
  assert.deepEqual([(await shown("moved")).due, (await shown("instant")).due, (await shown("daily")).due], [NINE, NINE + HOUR, NINE]);
  const paused = await shown("paused");
  assert.deepEqual([paused.status, paused.time], ["paused", NINE]);
  assert.equal((await scheduler.call("/v1/tasks/paused/resume", { method: "POST" })).status, 200);
  assert.equal((await shown("paused")).due, NINE);

  await until("the task that the law has moved into the past to fire", () => sink.webhooks.length > 0);
  const key = `past@${Date.parse("2026-11-02T09:00:00-07:00")}`;
  assert.deepEqual(sink.webhooks.map(({ headers }) => headers["idempotency-key"]), [key]);
  await until("its report", async () => (await scheduler.call("/v1/tasks/past")).status === 404);
  assert.equal((await scheduler.call("/v1/stats")).body.fired, 1);
});

test("the release is stored, and nothing moves or fires again", async () => {
  const { timeZones } = (await scheduler.call("/healthz")).body;
  const before = (await scheduler.call("/v1/tasks")).body.tasks;
  await scheduler.kill();
  await withDatabase((database) => assert.equal(lawOf(database), timeZones));
  await scheduler.restart();
  assert.deepEqual((await scheduler.call("/v1/tasks")).body.tasks, before);
  assert.equal(before.length, 5);
  assert.equal(sink.webhooks.length, 1);
});
