// Tests the example in examples/reminders against the scheduler and a receiver on this machine.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startReceiver } from "../examples/reminders/receiver.mjs";
import { Reminders } from "../examples/reminders/reminders.mjs";
import { ROOT } from "../scripts/paths.mjs";
import { Scheduler, until } from "./harness.mjs";

const run = promisify(execFile);

let scheduler;
let receiver;
let reminders;
const heard = [];

before(async () => {
  scheduler = await Scheduler.start({ shards: "2", vars: { WEBHOOK_ALLOWED_HOSTS: "localhost" } });
  receiver = await startReceiver({ remind: (reminder) => heard.push(reminder) });
  reminders = new Reminders({ url: scheduler.url, key: scheduler.key, receiver: receiver.url });
});
after(async () => {
  receiver?.close();
  await scheduler?.dispose();
});

test("reminders are created, listed by user, changed and cancelled in the user's zone", async () => {
  const once = await reminders.once({ user: "maria", zone: "Europe/Berlin", time: "2030-12-24T18:00", text: "Call grandma" });
  assert.deepEqual([once.next, once.zone, once.text], ["2030-12-24T18:00:00", "Europe/Berlin", "Call grandma"]);
  const repeated = await reminders.recurring({ user: "maria", zone: "America/New_York", cron: "0 8 * * MON-FRI", text: "Stand-up" });
  assert.match(repeated.next, /T08:00:00$/);
  await reminders.once({ user: "joe", zone: "Asia/Tokyo", time: "2030-01-01T00:00", text: "New year" });
  assert.deepEqual((await reminders.list("maria")).map(({ id }) => id), [repeated.id, once.id]);
  assert.equal((await reminders.list("joe")).length, 1);

  const later = await reminders.change(once.id, { time: "2030-12-24T19:30" });
  assert.deepEqual([later.next, later.zone, later.text], ["2030-12-24T19:30:00", "Europe/Berlin", "Call grandma"]);
  const { version, ...read } = await reminders.get(once.id);
  assert.deepEqual(read, later);
  const other = await reminders.change(once.id, { text: "Call grandpa", version });
  assert.deepEqual([other.text, other.next], ["Call grandpa", later.next]);
  await assert.rejects(reminders.change(once.id, { text: "too late", version }), { status: 412 });

  await reminders.move("maria", "Asia/Tokyo");
  const moved = await reminders.list("maria");
  assert.deepEqual(moved.map(({ zone }) => zone), ["Asia/Tokyo", "Asia/Tokyo"]);
  assert.match(moved[0].next, /T08:00:00$/);
  assert.deepEqual([moved[1].next, moved[1].text], [later.next, "Call grandpa"]);

  assert.deepEqual([await reminders.cancel(once.id), await reminders.cancel(once.id)], [true, false]);
  assert.equal(await reminders.cancelAll("maria"), 1);
  assert.deepEqual(await reminders.list("maria"), []);
  assert.equal((await reminders.list("joe")).length, 1);
});

test("an error names the wrong member, and a local time that does not exist causes a note", async () => {
  const reminder = { user: "eve", zone: "Europe/Berln", time: "2030-12-24T18:00", text: "x" };
  await assert.rejects(reminders.once(reminder), { status: 422, field: "timezone" });
  await assert.rejects(reminders.once({ ...reminder, zone: "Europe/Berlin", time: "at six" }), { status: 422, field: "time" });
  // On 2030-03-31 the clocks jump from two to three.
  const gap = await reminders.once({ ...reminder, zone: "Europe/Berlin", time: "2030-03-31T02:30" });
  assert.match(gap.note, /does not exist/);
  await reminders.cancelAll("eve");
});

test("a reminder that is due calls the receiver once", async () => {
  const zone = "Asia/Tokyo";
  // The reminder is due in one second, on the user's clock.
  const time = new Date(Date.now() + 1_000).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T");
  await reminders.once({ user: "ken", zone, time, text: "Tea" });
  await until("the reminder", () => heard.length > 0);
  assert.deepEqual(heard.map(({ user, text }) => ({ user, text })), [{ user: "ken", text: "Tea" }]);
  assert.equal(new Date(heard[0].time).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T"), time);
});

test("the command line does the same", async () => {
  const env = { ...process.env, SCHEDULER_URL: scheduler.url, SCHEDULER_KEY: scheduler.key, RECEIVER_URL: receiver.url };
  const main = async (...args) => (await run(process.execPath, [join(ROOT, "examples/reminders/main.mjs"), ...args], { env })).stdout;
  const { id } = JSON.parse(await main("add", "ann", "Europe/Berlin", "2030-12-24T18:00", "Tree"));
  assert.equal(JSON.parse(await main("time", id, "2030-12-24T19:00")).next, "2030-12-24T19:00:00");
  assert.match(await main("list", "ann"), /"text":"Tree"/);
  assert.equal(await main("cancel", id), "cancelled\n");
  await assert.rejects(main("add", "ann", "Mars", "2030-12-24T18:00", "Tree"), { code: 1, stderr: /^timezone: / });
  await assert.rejects(main("add", "ann"), { code: 2, stderr: /Usage/ });
  // The receiver of this test has the port.
  await assert.rejects(main("receive"), { code: 1, stderr: /^error: something listens on port \d+ already: [^\n]+\n$/ });
});
