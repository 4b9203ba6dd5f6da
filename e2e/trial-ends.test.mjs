// Tests the example in examples/trial-ends with 5,000 trials, against the scheduler and a receiver
// on this machine.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startReceiver } from "../examples/trial-ends/receiver.mjs";
import { Trials } from "../examples/trial-ends/trials.mjs";
import { ROOT } from "../scripts/paths.mjs";
import { Scheduler, until } from "./harness.mjs";

let scheduler;
before(async () => {
  scheduler = await Scheduler.start({ shards: "4", vars: { WEBHOOK_ALLOWED_HOSTS: "localhost" } });
});
after(() => scheduler?.dispose());

test("5,000 trials end, and failures are reviewed, replayed and discarded", { timeout: 120_000 }, async () => {
  // The scheduler has other tasks too, which are due much later.
  const body = { time: Date.now() + 3_600_000, callback: { type: "handler", name: "log" } };
  for (const id of ["other", "trial-end:others"]) await scheduler.call("/v1/tasks", { body: { ...body, id } });
  const env = { ...process.env, SCHEDULER_URL: scheduler.url, SCHEDULER_KEY: scheduler.key };
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "examples/trial-ends/main.mjs"), "5000"], { env });
  const customers = / \(customer-\d+, customer-\d+, customer-\d+, …\)$/;
  assert.deepEqual(stdout.trim().split("\n").map((line) => line.replace(customers, "").replace(/localhost:\d+/, "localhost")), [
    "5000 trials started, 0 refused",
    "4850 trials have ended",
    "100 failed: HTTP 500 from http://localhost/trial-ends: billing does not answer",
    "50 failed: HTTP 404 from http://localhost/trial-ends: no such customer",
    "billing works again: 100 are tried again",
    "4950 trials have ended",
    "50 are given up",
    "0 failed ends are left",
  ]);
});

test("a trial is stopped, extended and started again, and an invalid one does not affect the others", async () => {
  const ended = [];
  const receiver = await startReceiver({ end: (customer) => ended.push(customer) });
  try {
    const trials = new Trials({ url: scheduler.url, key: scheduler.key, webhook: receiver.url });
    const later = new Date(Date.now() + 3_600_000);
    const refused = await trials.start([
      { customer: "a", endsAt: later },
      { customer: "b".repeat(300), endsAt: later },
      { customer: "c", endsAt: later },
    ]);
    assert.deepEqual(refused.map(({ customer, error }) => [customer[0], error.field]), [["b", "id"]]);
    assert.deepEqual([await trials.stop("a"), await trials.stop("a")], [true, false]);
    await trials.extend("c", new Date(later.getTime() + 3_600_000));
    assert.deepEqual(await trials.start([{ customer: "c", endsAt: new Date() }]), []);
    await until("the end", () => ended.length > 0);
    assert.deepEqual(ended, ["c"]);
    await assert.rejects(trials.extend("a", later), { status: 404 });
  } finally {
    receiver.close();
  }
});
