// Tests that the dashboard never shows a blank page, in browsers with odd settings and after errors of its own, that it never passes off what
// it could not read as what the user means, and that it loses nothing that somebody has typed or selected.

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
  const stale = (where) => where.getByText("This is not what you have typed.");
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

const kindButton = (page, name) => page.getByRole("group", { name: "Kind of schedule" }).getByRole("button", { name, exact: true });

test("each tab of the form keeps what was typed in it, by going back and forth, with Back and after a reload", async () => {
  const page = await tabs.at("/tasks", { zone: "Europe/Berlin" });
  await tabs.go(page, "/create");
  const open = (name) => kindButton(page, name).click();
  const definition = async () => JSON.parse(await page.getByLabel("Definition, as JSON").inputValue());
  const [cron, words, zone] = [page.getByLabel(/^Cron expressions/), page.getByRole("textbox", { name: "In words" }), page.getByLabel("Time zone")];
  await page.getByLabel("Delay in seconds").fill("90");
  await open("Cron");
  await cron.fill("15 7 * * TUE");
  await zone.fill("Asia/Tokyo");
  await page.getByText("Days and times to leave out").click();
  await page.getByLabel("Dates", { exact: true }).fill("12-24, 12-31");
  await page.getByText("Bounds and overlap").click();
  await page.getByLabel("Number of runs").fill("7");
  await page.getByText("Delays and lateness").click();
  await page.getByLabel("Jitter in seconds").fill("30");
  // A kind that is opened for the first time goes on with the bounds, and then has bounds of its own.
  await open("Every");
  await page.getByLabel("Interval in seconds").fill("7200");
  await page.getByLabel("Number of runs").fill("9");
  await open("In words");
  await words.fill("every friday at 8am");
  await zone.fill("Europe/London");
  await open("At a time");
  await page.getByLabel(/^Time \(/).fill("2099-02-03T04:05:06");
  // What a task without a schedule cannot have does not stay in it unseen.
  await open("By hand");
  await until("no schedule", async () => JSON.stringify(await definition()) === JSON.stringify({ callback: { type: "webhook", url: "" }, type: "no-schedule" }));

  const keeps = async () => {
    await open("Cron");
    assert.deepEqual([await cron.inputValue(), await zone.inputValue(), await page.getByLabel("Dates", { exact: true }).inputValue(), await page.getByLabel("Number of runs").inputValue(), await page.getByLabel("Jitter in seconds").inputValue()], ["15 7 * * TUE", "Asia/Tokyo", "12-24, 12-31", "7", "30"]);
    const { callback: _, ...when } = await definition();
    assert.deepEqual(when, { cron: "15 7 * * TUE", timezone: "Asia/Tokyo", exclude: { dates: ["12-24", "12-31"] }, maxRuns: 7, jitterSeconds: 30 });
    await open("In words");
    assert.deepEqual([await words.inputValue(), await zone.inputValue()], ["every friday at 8am", "Europe/London"]);
    await open("Every");
    assert.deepEqual([await page.getByLabel("Interval in seconds").inputValue(), await page.getByLabel("Number of runs").inputValue()], ["7200", "9"]);
    await open("At a time");
    assert.equal(await page.getByLabel(/^Time \(/).inputValue(), "2099-02-03T04:05:06");
    await open("After a delay");
    assert.equal(await page.getByLabel("Delay in seconds").inputValue(), "90");
  };
  await keeps();
  // The targets, too, also while their headers cannot be read.
  const [calls, url, headers] = [page.getByLabel("Calls"), page.getByLabel("URL"), page.getByLabel("Headers, as JSON")];
  await url.fill("https://example.com/kept");
  await page.getByLabel("Method").selectOption("PUT");
  await page.getByText("Headers and timeout").click();
  await headers.fill('{"authorization":"Bearer hush"}');
  await headers.fill('{"authorization":"Bearer hush"');
  await calls.selectOption("handler");
  await page.getByLabel("Handler", { exact: true }).fill("report");
  await calls.selectOption("default");
  await calls.selectOption("webhook");
  assert.deepEqual([await url.inputValue(), await page.getByLabel("Method").inputValue(), await headers.inputValue()], ["https://example.com/kept", "PUT", '{"authorization":"Bearer hush"']);
  await headers.fill('{"authorization":"Bearer hush"}');
  await calls.selectOption("handler");
  assert.equal(await page.getByLabel("Handler", { exact: true }).inputValue(), "report");
  assert.deepEqual(await violations(page), []);

  await page.goBack();
  await page.getByRole("heading", { name: "Tasks", exact: true }).waitFor();
  await page.goForward();
  await page.getByRole("status", { name: "Draft" }).getByText("authorization", { exact: true }).waitFor();
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(sessionStorage)), /hush/);
  await keeps();
  await page.reload();
  await page.getByRole("status", { name: "Draft" }).waitFor();
  await keeps();
  await calls.selectOption("webhook");
  assert.deepEqual([await url.inputValue(), await page.getByLabel("Method").inputValue(), await headers.inputValue()], ["https://example.com/kept", "PUT", ""]);
  await page.getByRole("button", { name: "Discard the draft" }).click();
  await open("Cron");
  assert.deepEqual([await cron.inputValue(), await zone.inputValue()], ["0 9 * * MON-FRI", "Europe/Berlin"]);
  // Who looks at the tabs and types nothing leaves no draft.
  for (const name of ["Every", "In words", "By hand", "After a delay"]) await open(name);
  await page.reload();
  await page.getByLabel("Delay in seconds").waitFor();
  assert.equal(await page.getByRole("status", { name: "Draft" }).count(), 0);

  await create({ id: "kept-edit", cron: "5 4 * * *", timezone: "Asia/Tokyo", exclude: { weekdays: ["SUN"] }, startAt: "2099-01-01T00:00:00" });
  await tabs.go(page, "/tasks/kept-edit/edit");
  await open("Every");
  await page.getByText('"everySeconds": 3600').first().waitFor();
  await open("Cron");
  await page.getByLabel("The patch").getByText("Nothing is changed yet.").waitFor();
  await scheduler.call("/v1/tasks/kept-edit", { method: "DELETE" });
});

test("Back returns to the selected rows of a list and to its place, and a new visit begins without them", async () => {
  await create(...Array.from({ length: 300 }, (_, index) => ({ id: `back-${String(index).padStart(3, "0")}`, time: Date.UTC(2099, 0, 1, 0, index), tags: ["back"] })));
  const page = await tabs.at("/tasks?tag=back");
  const bar = page.getByRole("group", { name: "Changes of many tasks" });
  await page.getByLabel("Select back-001").check();
  const body = page.locator(".grid-body");
  const scrollTo = (top) => body.evaluate((element, to) => (element.scrollTop = to), top);
  // Beyond the first page.
  await until("the row", async () => {
    await scrollTo(250 * 32);
    return (await page.getByLabel("Select back-250").count()) === 1;
  });
  await page.getByLabel("Select back-250").check();
  await bar.getByText("2 selected:").waitFor();
  await page.getByRole("link", { name: "back-252", exact: true }).click();
  await page.getByRole("heading", { name: "back-252" }).waitFor();
  await page.goBack();
  await bar.getByText("2 selected:").waitFor();
  await page.getByLabel("Select back-250").waitFor();
  assert.ok(await page.getByLabel("Select back-250").isChecked());
  assert.ok(Math.abs((await body.evaluate((element) => element.scrollTop)) - 250 * 32) < 64);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await until("the row that was opened to have the focus", async () => (await focused()) === "back-252");
  // A list that is opened by a link has its own selection. A page that is opened again begins without one.
  await page.getByRole("row").filter({ has: page.getByRole("link", { name: "back-250", exact: true }) }).getByRole("link", { name: "back", exact: true }).click();
  await tabs.go(page, "/help");
  await tabs.go(page, "/tasks?tag=back");
  await page.getByRole("link", { name: "back-001", exact: true }).waitFor();
  await bar.getByText("All that match:").waitFor();
  assert.equal(await body.evaluate((element) => element.scrollTop), 0);
  // What is selected goes with a change of it.
  await page.getByLabel("Select back-001").check();
  await page.getByRole("link", { name: "back-001", exact: true }).click();
  await page.getByRole("heading", { name: "back-001" }).waitFor();
  await page.goBack();
  await bar.getByText("1 selected:").waitFor();
  await page.getByRole("button", { name: "Read again" }).click();
  await bar.getByText("All that match:").waitFor();
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { tag: "back" } } });

  await create(...["gone-1", "gone-2"].map((id) => ({ id, delayInSeconds: 0, tags: ["gone"], callback: { type: "webhook", url: "http://127.0.0.1:9/" }, retry: { maxAttempts: 1 } })));
  await until("dead letters", async () => (await lettersOf("gone-")).length === 2);
  await tabs.go(page, "/dead-letters?tag=gone");
  await page.getByLabel("Select gone-1").check();
  await page.getByRole("link", { name: "gone-2" }).click();
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  await page.goBack();
  await page.getByText("1 selected:").waitFor();
  await until("the row that was opened to have the focus", async () => (await focused()) === "gone-2");
  assert.deepEqual([await page.getByLabel("Select gone-1").isChecked(), await page.getByLabel("Select gone-2").isChecked()], [true, false]);
  // Another filter has other letters.
  await page.getByLabel("Id begins with").fill("gone");
  await page.waitForURL(/prefix=gone/);
  await page.getByText("1 selected:").waitFor({ state: "detached" });
  await scheduler.call("/v1/dead-letters/discard", { body: { filter: { tag: "gone" } } });
});

test("a note of what was done is on the page that it is about, and leaves with it", async () => {
  await create({ id: "noted-1", time: "2099-01-01T00:00:00Z" }, { id: "noted-2", time: "2099-01-01T00:00:00Z" });
  const page = await tabs.at("/tasks/noted-1");
  const note = page.locator(".notice");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await note.getByText("noted-1 is paused.").waitFor();
  await tabs.go(page, "/tasks/noted-2");
  await page.getByRole("heading", { name: "noted-2" }).waitFor();
  assert.equal(await note.count(), 0);
  // What leads to another page says there what was done.
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByLabel("Description (optional)").fill("noted");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "noted-2", exact: true }).waitFor();
  await note.getByText("noted-2 is changed.").waitFor();
  await page.getByRole("link", { name: "Clone" }).click();
  await page.getByRole("heading", { name: "Clone noted-2" }).waitFor();
  assert.equal(await note.count(), 0);
  await page.getByLabel("Id (optional)").fill("noted-3");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await note.getByText("noted-3 is created.").waitFor();
  await create({ id: "noted-dead", delayInSeconds: 0, callback: { type: "webhook", url: "http://127.0.0.1:9/" }, retry: { maxAttempts: 1 } });
  const [{ deadLetterId }] = await until("a dead letter", async () => (await lettersOf("noted-dead")).length === 1 && lettersOf("noted-dead"));
  await tabs.go(page, `/dead-letters/${encodeURIComponent(deadLetterId)}`);
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await page.getByRole("heading", { name: "Dead letters", exact: true }).waitFor();
  await note.getByText("The dead letter of noted-dead is discarded.").waitFor();
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "noted-" } } });
});
