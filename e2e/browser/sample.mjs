// A scheduler with an example of everything, for the screenshots and for the checks of every page.

import assert from "node:assert/strict";
import { Scheduler, until } from "../harness.mjs";
import { startSink } from "../sink.mjs";

const LOG = { type: "handler", name: "log" };

/** Returns the answer of the webhook receiver, by the first part of the path. */
function answerTo({ path, headers }) {
  const attempt = Number(headers["scheduler-attempt"] ?? 1);
  if (path.startsWith("/flaky")) return attempt < 3 ? { status: 503, body: "upstream is restarting, try later" } : 200;
  if (path.startsWith("/refuses")) return { status: 422, body: `{"error":"order ${path.split("/").at(-1)} has no customer"}` };
  return 200;
}

/** Starts a scheduler, fills it, and waits until its runs have ended. Returns it with `close`. */
export async function startSample(options = {}) {
  const sink = await startSink(answerTo);
  const scheduler = await Scheduler.start({ shards: "16", ...options });
  const close = async () => {
    await scheduler.dispose();
    await sink.close();
  };
  try {
    await fill(scheduler, sink.url);
  } catch (error) {
    await close();
    throw error;
  }
  return { scheduler, close };
}

async function send(scheduler, path, body, method = "POST") {
  const answer = await scheduler.call(path, { method, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function fill(scheduler, receiver) {
  const hook = (path) => ({ type: "webhook", url: `${receiver}${path}` });
  const quick = { minBackoffSeconds: 0.3, jitter: 0, factor: 1 };
  const later = (hours) => Date.now() + hours * 3_600_000;
  await send(scheduler, "/v1/limits/payments", { concurrency: 5, perSecond: 20 }, "PUT");
  await send(scheduler, "/v1/limits/mail", { concurrency: 50 }, "PUT");
  await send(scheduler, "/v1/calendars/de-holidays", { description: "Public holidays in Germany", dates: ["01-01", "05-01", "10-03", "12-25/12-26", "2030-04-19", "2030-04-22"] }, "PUT");
  await send(scheduler, "/v1/calendars/office-closed", { weekdays: ["SAT", "SUN"], times: ["22:00-06:00"], rules: ["FREQ=MONTHLY;BYMONTHDAY=-1"] }, "PUT");
  await send(scheduler, "/v1/namespaces/shop", { quota: { pendingTasks: 100_000, createsPerSecond: 500 } }, "PUT");
  await send(scheduler, "/v1/keys", { name: "the shop", scopes: ["read", "write"], namespaces: ["shop"] });
  await send(scheduler, "/v1/keys", { name: "dashboard of the night shift", scopes: ["read"], namespaces: ["*"], expiresAt: "2040-01-01T00:00:00Z" });
  const { accepted } = await send(scheduler, "/v1/tasks/batch", [
    { id: "report:daily", description: "Send the daily sales report", cron: "0 9 * * MON-FRI", timezone: "Europe/London", tags: ["reports"], callback: hook("/report"), payload: { report: "sales", format: "pdf" }, overlap: "skip" },
    { id: "report:month-end", description: "Close the books", rrule: "FREQ=MONTHLY;BYDAY=-1FR", startAt: "2026-01-01T17:00", timezone: "America/New_York", tags: ["reports"], callback: hook("/books") },
    { id: "sync:inventory", description: "Sync the inventory with the warehouse", everySeconds: 3600, tags: ["sync"], callback: LOG, limitKey: "payments", overlap: "queue-one" },
    { id: "cleanup", cron: "30 2 * * *", timezone: "Europe/Berlin", callback: LOG, description: "Delete what has expired" },
    { id: "heartbeat", cron: "*/15 * * * *", tags: ["ops"], callback: LOG },
    { id: "newsletter", description: "Waits for the new template", cron: "0 8 * * TUE", timezone: "Europe/Paris", paused: true, tags: ["mail"], callback: hook("/mail") },
    { id: "payroll", description: "Pay the wages, on a working day", cron: "0 10 25 * *", timezone: "Europe/Berlin", exclude: { calendars: ["de-holidays"], weekdays: ["SAT", "SUN"], instead: "previous" }, tags: ["payments", "wages"], callback: hook("/wages") },
    { id: "rebuild-index", type: "no-schedule", description: "Run by hand after an import", callback: LOG },
    ...Array.from({ length: 40 }, (_, index) => ({ id: `order-${1042 + index}:remind`, description: "Remind of the open order", time: later(1 + index * 0.7), tags: ["orders", ...(index % 3 ? [] : ["vip"])], callback: hook("/remind"), payload: { order: 1042 + index } })),
    { id: "invoice-77", description: "Charge the invoice", delayInSeconds: 0, tags: ["payments"], callback: hook("/flaky/77"), limitKey: "payments", payload: { invoice: 77, amount: "129.00" }, retry: { ...quick, maxAttempts: 5 } },
    ...Array.from({ length: 5 }, (_, index) => ({ id: `order-${900 + index}:charge`, delayInSeconds: 0, tags: ["payments"], callback: hook(`/refuses/${900 + index}`), payload: { order: 900 + index }, retry: { ...quick, maxAttempts: 1 } })),
    ...Array.from({ length: 2 }, (_, index) => ({ id: `export-${index + 1}`, delayInSeconds: 0, tags: ["exports"], callback: { type: "webhook", url: "http://127.0.0.1:9/export" }, retry: { ...quick, maxAttempts: 2 } })),
    ...Array.from({ length: 8 }, (_, index) => ({ id: `welcome-${index + 1}`, delayInSeconds: 0, tags: ["mail"], callback: hook("/mail") })),
  ]);
  assert.ok(accepted > 60);
  await until("the runs of the sample to end", async () => {
    const { body } = await scheduler.call("/v1/stats");
    return body.deadLetters === 7 && body.succeeded >= 9 && body.inFlight === 0;
  });
}
