// Tests that the dashboard never shows a blank page, in browsers with odd settings and after errors of its own, and that it never passes off what
// it could not read as what the user means.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { violations } from "./browser/axe.mjs";
import { create, lettersOf, scheduler, tabs, useDashboard } from "./browser/setup.mjs";
import { until } from "./harness.mjs";

useDashboard({ shards: "2" });

/** Goes to some pages that show times and numbers, with every use of Intl. */
async function walk(page) {
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.locator(".chart canvas").nth(1).waitFor();
  await tabs.go(page, "/create");
  await page.getByRole("button", { name: "Cron", exact: true }).click();
  await page.getByRole("list", { name: "Next runs" }).getByRole("listitem").first().waitFor();
  await tabs.go(page, "/agenda");
  await page.getByRole("heading", { name: "Agenda" }).waitFor();
  await page.getByRole("region", { name: "Recurring tasks" }).waitFor();
}

test("a language that Intl refuses, a time zone that the browser does not know, and no list of zones break no page", async () => {
  await scheduler.call("/v1/tasks", { body: { id: "hourly", cron: "0 * * * *", callback: { type: "handler", name: "log" } } });
  const oddities = [
    () => Object.defineProperty(Navigator.prototype, "language", { get: () => "en-US@posix" }),
    () => Object.defineProperty(Navigator.prototype, "language", { get: () => "" }),
    () => {
      const { resolvedOptions } = Intl.DateTimeFormat.prototype;
      Intl.DateTimeFormat.prototype.resolvedOptions = function () {
        return { ...resolvedOptions.call(this), timeZone: "Etc/Unknown" };
      };
      delete Intl.supportedValuesOf;
    },
  ];
  for (const prepare of oddities) await walk(await tabs.at("/", { prepare }));
  const page = await tabs.at("/", { prepare: oddities[2] });
  await page.getByText("Times in UTC").waitFor();
});

test("only one module uses Intl", async () => {
  const folder = join(ROOT, "dashboard/src");
  const using = [];
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/\.tsx?$/.test(name)) continue;
    const code = (await readFile(join(folder, name), "utf8")).replace(/\/\/.*|\/\*[^]*?\*\//g, "");
    if (/\bIntl\.|\.toLocale\w*\(/.test(code)) using.push(name);
  }
  assert.deepEqual(using.sort(), ["lib/intl.ts", "lib/locale.ts"]);
});

test("a page that fails while it is drawn says so, the other pages go on, and it is drawn again when the cause is gone", async () => {
  const page = await tabs.at("/help");
  await page.route("**/v1/stats", (route) => route.fulfill({ json: { shards: [] } }));
  await tabs.go(page, "/");
  await page.getByRole("heading", { name: "This page cannot be shown" }).waitFor();
  const note = page.getByRole("alert");
  await note.getByText(/TypeError: /).waitFor();
  await note.getByRole("button", { name: "Load the dashboard again" }).waitFor();
  assert.deepEqual(await violations(page), []);
  assert.ok(tabs.errors.splice(0).length > 0, "the error is in the console, for whoever repairs it");
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Tasks" }).click();
  await page.getByRole("table", { name: "Tasks" }).waitFor();
  await tabs.go(page, "/");
  await page.getByRole("heading", { name: "This page cannot be shown" }).waitFor();
  await page.unroute("**/v1/stats");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("region", { name: "Health" }).waitFor();
  tabs.errors.splice(0);
});

test("a dashboard that cannot start says what to do", async () => {
  const page = await tabs.blank({
    prepare: () => {
      delete globalThis.matchMedia;
    },
  });
  await page.getByRole("heading", { name: "The dashboard does not start" }).waitFor();
  await page.getByText(/matchMedia/).waitFor();
  await page.getByText(/^Reload the page\./).waitFor();
  assert.equal(tabs.errors.splice(0).length, 1);
});

test("while a field cannot be read, the next runs and the definition say that they are not of it", async () => {
  const page = await tabs.at("/create?example=hello");
  const panel = (name) => page.locator("section.panel").filter({ has: page.getByRole(name === "Next runs" ? "heading" : "group", { name }) });
  const [runs, definition] = [panel("Next runs"), panel("The task as")];
  const stale = (where) => where.getByText("Not of what you have typed.");
  await runs.getByRole("list", { name: "Next runs" }).waitFor();
  await page.getByLabel("Payload, as JSON").fill('{"hello":');
  for (const view of ["JSON", "curl"]) {
    // While a text is broken, the view stays: so it is chosen before.
    await page.getByLabel("Payload, as JSON").fill("{}");
    await page.getByRole("button", { name: view, exact: true }).click();
    await page.getByLabel("Payload, as JSON").fill('{"hello":');
    await runs.getByText("“Payload, as JSON” cannot be read yet, so the runs below are those of the task as before.").waitFor();
    await definition.getByText("“Payload, as JSON” cannot be read yet, so this is the task as before.").waitFor();
    assert.equal(await definition.getByRole("button", { name: "Copy" }).count(), 0);
  }
  assert.deepEqual(await violations(page), []);
  await page.getByLabel("Payload, as JSON").fill('{"hello":1}');
  for (const where of [runs, definition]) await stale(where).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "JSON", exact: true }).click();
  const json = page.getByLabel("Definition, as JSON");
  const before = await json.inputValue();
  await json.fill("{");
  await stale(runs).waitFor();
  await page.getByText("“Definition, as JSON” cannot be read yet, so the fields show the task as before.").waitFor();
  await json.fill(before);
  await until("no note to be left", async () => (await stale(page).count()) === 0);
});

test("what the scheduler refuses to preview is said at its field, in the words of the form", async () => {
  const page = await tabs.at("/create");
  const errorAt = (label) => page.locator(".field").filter({ has: page.getByLabel(label) }).locator(".field-error");
  await page.getByRole("button", { name: "Every", exact: true }).click();
  const interval = page.getByLabel("Interval in seconds");
  await interval.fill("0");
  await errorAt("Interval in seconds").getByText(/^This is 0; must be 1 to /).waitFor();
  assert.equal(await interval.getAttribute("aria-invalid"), "true");
  await interval.fill("");
  await errorAt("Interval in seconds").getByText("Enter a number of seconds.").waitFor();
  await interval.fill("60");
  await errorAt("Interval in seconds").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Cron", exact: true }).click();
  await page.getByLabel("Time zone").fill("Nowhere");
  await errorAt("Time zone").getByText(/^This is "Nowhere", which is not a known time zone/).waitFor();
  await page.getByLabel("Time zone").fill("UTC");
  await errorAt("Time zone").waitFor({ state: "detached" });
  // An emptied time does not change the kind of schedule.
  await page.getByRole("button", { name: "At a time" }).click();
  await page.getByLabel(/^Time \(/).fill("");
  await errorAt(/^Time \(/).getByText("Enter a date and a time.").waitFor();
  assert.equal(await page.getByRole("button", { name: "At a time" }).getAttribute("aria-pressed"), "true");
  // A preview has members of its own, which a task does not have.
  await page.getByLabel("Definition, as JSON").fill('{"crom":"0 9 * * *","callback":{"type":"handler","name":"log"}}');
  const refused = page.getByText("No runs yet. crom is not a member of a task; did you mean `cron`?");
  await refused.waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /There are:|\bcount\b/);
  // An empty field for words is not wrong yet.
  await page.getByLabel("Definition, as JSON").fill('{"delayInSeconds":60}');
  await page.getByRole("button", { name: "In words", exact: true }).click();
  await page.getByText("Say when it fires, and its next runs appear here.").waitFor();
  assert.equal(await page.locator("main .note.warn").count(), 0);
});

test("what is changed by filter is never more than the address asks for", async () => {
  await create({ id: "wide-1", time: "2099-01-01T00:00:00Z" });
  await create({ id: "wide-dead", delayInSeconds: 0, callback: { type: "webhook", url: "http://127.0.0.1:9/" }, retry: { maxAttempts: 1 } });
  await until("a dead letter", async () => (await lettersOf("wide-dead")).length === 1);
  const page = await tabs.at("/tasks?dueBefore=garbage");
  const bar = page.getByRole("group", { name: "Changes of many tasks" });
  const note = "Not offered for all while a part of the address is ignored";
  await bar.getByText(note).waitFor();
  for (const name of ["Pause", "Resume", "Run now", "Reschedule", "Cancel"]) assert.ok(await bar.getByRole("button", { name, exact: true }).isDisabled(), name);
  assert.deepEqual(await violations(page), []);
  // What is selected is what was meant.
  await page.getByLabel("Select wide-1").check();
  await bar.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("dialog", { name: "Cancel: 1 task" }).getByRole("button", { name: "Close" }).last().click();
  await bar.getByRole("button", { name: "Clear the selection" }).click();
  await page.getByRole("button", { name: "Remove it from the address" }).click();
  await bar.getByText(note).waitFor({ state: "detached" });
  assert.ok(await bar.getByRole("button", { name: "Cancel", exact: true }).isEnabled());
  // A dialog that is open does not survive a change of the address, either.
  await bar.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("dialog", { name: /^Cancel: \d+ tasks/ }).waitFor();
  await page.evaluate(() => (location.hash = "/tasks?to=tomorrow"));
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await tabs.go(page, "/dead-letters?status=paused");
  await page.getByText(note).waitFor();
  for (const name of ["Replay all", "Discard all"]) assert.ok(await page.getByRole("button", { name, exact: true }).isDisabled(), name);
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "wide-" } } });
});

test("the load of the next day is that of a whole day", async () => {
  assert.ok((await scheduler.call("/v1/namespaces/load", { method: "PUT", body: {} })).status < 300);
  const minutely = { id: "minutely", everySeconds: 60, callback: { type: "handler", name: "log" } };
  assert.equal((await scheduler.call("/v1/tasks", { body: minutely, headers: { "scheduler-namespace": "load" } })).status, 201);
  const page = await tabs.at("/", { namespace: "load" });
  await page.getByText("In the next day: 0 tasks that fire once, and 1,440 runs of recurring tasks").waitFor();
  await page.getByRole("group", { name: "How far ahead" }).getByRole("button", { name: "Hour" }).click();
  await page.getByText("In the next hour: 0 tasks that fire once, and 60 runs of recurring tasks").waitFor();
});
