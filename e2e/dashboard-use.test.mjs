// Uses the dashboard as people do: a newcomer, somebody with a keyboard only, somebody in another time zone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, scheduler, sink, tabs, useDashboard } from "./browser/setup.mjs";
import { until } from "./harness.mjs";

useDashboard({ answer: ({ path }) => (path === "/down" ? { status: 500, body: "the disk is full" } : 200) });

/** More than the elements of any page. */
const MOST_TABS = 100;

const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);
const focusedText = (page) => page.evaluate(() => document.activeElement.textContent.trim());

/** Presses Tab until an element has the focus. */
async function tabTo(page, locator) {
  await locator.waitFor();
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    if (await isFocused(locator)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the keyboard does not reach ${locator}`);
}

test("a newcomer with a keyboard only signs in, sees a first task fire, and finds out why another failed, within minutes", async () => {
  const started = Date.now();
  const page = await tabs.blank();
  await until("the field to have the focus", () => isFocused(page.getByLabel("API key")));
  await page.keyboard.type(scheduler.key);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await tabTo(page, page.getByRole("link", { name: "Create a task" }));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Create a task" }).waitFor();
  await tabTo(page, page.getByLabel("Id (optional)"));
  await page.keyboard.type("first");
  await tabTo(page, page.getByLabel("Delay in seconds"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("2");
  await page.getByText("Once, 2.0 s after it is created.").waitFor();
  await tabTo(page, page.getByLabel("Calls"));
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.getByLabel("Handler").inputValue(), "log");
  await tabTo(page, page.getByLabel("Handler"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "first" }).waitFor();
  await page.getByRole("listitem").filter({ hasText: "attempt 1" }).getByText("succeeded", { exact: true }).waitFor();

  await page.keyboard.press("c");
  await tabTo(page, page.getByLabel("Id (optional)"));
  await page.keyboard.type("second");
  await tabTo(page, page.getByLabel("Delay in seconds"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("0");
  await tabTo(page, page.getByLabel("URL"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type(`${sink.url}/down`);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "second" }).waitFor();
  // Further attempts may have been made already.
  await page.getByText("HTTP 500", { exact: true }).first().waitFor();
  await page.getByText(/^HTTP 500 from http.*the disk is full$/).first().waitFor();
  const why = page.getByRole("region", { name: "Why" });
  await why.getByText(/attempt/).first().waitFor();
  assert.ok(Date.now() - started < 300_000);
  await scheduler.call("/v1/tasks/second", { method: "DELETE" });
});

test("an existing task is overwritten only after a question, and a failure of the form is beside its field", async () => {
  await create({ id: "taken", time: "2099-01-01T00:00:00Z", description: "the first one" });
  const page = await tabs.at("/create");
  await page.getByLabel("Id (optional)").fill("taken");
  await page.getByLabel("URL").fill("not a url");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await until("the refused field to have the focus", () => isFocused(page.getByLabel("URL")));
  await page.getByLabel("URL").fill("https://example.com/");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "There is a task taken already" });
  await dialog.getByRole("button", { name: "Close" }).last().click();
  const read = async () => (await scheduler.call("/v1/tasks/taken")).body;
  assert.equal((await read()).description, "the first one");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await dialog.getByRole("button", { name: "Overwrite it" }).click();
  await page.getByText("taken is overwritten.").waitFor();
  await page.getByRole("heading", { name: "taken" }).waitFor();
  assert.deepEqual((await read()).callback, { type: "webhook", url: "https://example.com/" });
});

test("a form with a text that is not JSON yet is not sent, and the focus shows where", async () => {
  const page = await tabs.at("/create?example=hello");
  await page.getByLabel("Id (optional)").fill("half-typed");
  const payload = page.getByLabel("Payload, as JSON");
  await payload.fill('{"hello":');
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await until("the payload to have the focus", () => isFocused(payload));
  await page.getByText(/^Not JSON yet/).waitFor();
  await payload.fill("12345678901234567890");
  await page.getByText(/^A number is too large for the browser/).waitFor();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  assert.equal((await scheduler.call("/v1/tasks/half-typed")).status, 404);
  await payload.fill('{"hello":1}');
  await page.getByLabel("Delay in seconds").fill("36000");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "half-typed" }).waitFor();
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Run now" }).click();
  await dialog.getByLabel("Payload of this run").fill("[");
  await dialog.getByRole("button", { name: "Run now" }).click();
  await until("the payload of the run to have the focus", () => isFocused(dialog.getByLabel("Payload of this run")));
  await dialog.getByRole("button", { name: "Close" }).last().click();
  assert.deepEqual((await scheduler.call("/v1/tasks/half-typed")).body.payload, { hello: 1 });
  assert.deepEqual((await scheduler.call("/v1/tasks/half-typed/runs")).body.runs, []);
});

test("after a dialog, the focus is on what opened it, or on the heading once that is gone", async () => {
  const page = await tabs.at("/limits");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Set a limit" }).focus();
  await page.keyboard.press("Enter");
  await dialog.getByLabel("Key").fill("focus");
  await dialog.getByLabel("Runs at a time").fill("3");
  await page.keyboard.press("Enter");
  await page.getByRole("cell", { name: "focus", exact: true }).waitFor();
  await until("the button to have the focus", async () => (await focusedText(page)) === "Set a limit");
  await page.getByRole("button", { name: "Delete focus" }).focus();
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Delete" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No limits" }).waitFor();
  await until("the heading to have the focus", async () => (await focusedText(page)) === "Limits");

  // A task that is paused has the button that resumes it in the same place, with the focus.
  await create({ id: "focused", time: "2099-01-01T00:00:00Z" });
  await tabs.go(page, "/tasks/focused");
  await page.getByRole("button", { name: "Pause" }).focus();
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Pause" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await until("Resume to have the focus", async () => (await focusedText(page)) === "Resume");

  // What is shown only once does not go away by accident.
  await tabs.go(page, "/keys");
  await page.getByRole("button", { name: "Create a key" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("kept");
  await page.keyboard.press("Enter");
  const made = page.getByRole("dialog", { name: "The key “kept”" });
  await made.waitFor();
  await page.keyboard.press("Escape");
  await made.getByLabel("The key").waitFor();
  assert.equal(await made.getByRole("button", { name: "Close" }).count(), 0);
  await made.getByRole("button", { name: "I have stored it" }).click();
  await page.getByRole("cell", { name: /^kept/ }).waitFor();
  await until("the page to have the focus", () => page.evaluate(() => document.querySelector("main").contains(document.activeElement)));
});

test("times are never ambiguous: an hour that the clock shows twice, and what the API says in UTC", async () => {
  // On this night the clock of Berlin is set back from 03:00 to 02:00.
  const [summer, winter] = [Date.parse("2027-10-31T00:30:00Z"), Date.parse("2027-10-31T01:30:00Z")];
  await create({ id: "night-1", time: summer, tags: ["night"] }, { id: "night-2", time: winter, tags: ["night"] }, { id: "night-3", time: winter + 10 * 3_600_000, tags: ["night"] });
  const page = await tabs.at("/tasks?tag=night", { zone: "Europe/Berlin" });
  const dueOf = (id) => page.getByRole("row").filter({ has: page.getByRole("link", { name: id }) }).locator("time").innerText();
  await page.getByRole("columnheader", { name: "Due (Europe/Berlin)" }).waitFor();
  await page.getByRole("link", { name: "night-3" }).waitFor();
  assert.deepEqual([await dueOf("night-1"), await dueOf("night-2"), await dueOf("night-3")], ["Sun 2027-10-31 02:30:00 UTC+2", "Sun 2027-10-31 02:30:00 UTC+1", "Sun 2027-10-31 12:30:00"]);

  await tabs.go(page, `/agenda?at=${summer}`);
  await page.getByText("The clock of Europe/Berlin changes from UTC+2 to UTC+1 at Sun 2027-10-31 02:00:00 UTC+1.").waitFor();
  const slots = page.getByRole("region", { name: /^Tasks that fire once/ }).getByRole("listitem");
  await slots.first().waitFor();
  assert.deepEqual((await slots.allInnerTexts()).map((text) => text.split("\n").map((part) => part.trim()).filter(Boolean)), [
    ["02:00 UTC+2", "1", "night-1"],
    ["02:00 UTC+1", "1", "night-2"],
    ["12:00", "1", "night-3"],
  ]);

  await tabs.go(page, "/tasks/night-1");
  const why = page.getByRole("region", { name: "Why" });
  await why.getByText("Sun 2027-10-31 02:30:00 UTC+2").waitFor();
  assert.doesNotMatch(await why.innerText(), /\d\dT\d\d/);
  await page.getByText("Once, Sun 2027-10-31 02:30:00 UTC+2.").waitFor();
  // The year of a filter is typed digit by digit.
  await tabs.go(page, "/tasks?tag=night&from=2027-10-31T01:00:00Z");
  await page.getByRole("link", { name: "night-1" }).waitFor({ state: "detached" });
  const from = page.getByLabel("From (Europe/Berlin)");
  await from.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.type("2026");
  await page.waitForURL(/from=2026-10-31T/);
  await page.getByRole("link", { name: "night-1" }).waitFor();
  assert.equal(await from.inputValue(), "2026-10-31T02:00");
});

test("the agenda counts all that comes due, and names the first", async () => {
  const from = Date.parse("2031-05-05T08:00:00Z");
  await create(...Array.from({ length: 450 }, (_, index) => ({ id: `crowd-${String(index).padStart(3, "0")}`, time: from + index * 10_000 })));
  const page = await tabs.at(`/agenda?at=${from}`, { zone: "UTC" });
  const slots = page.getByRole("region", { name: /^Tasks that fire once/ }).getByRole("listitem");
  await slots.first().waitFor();
  // An hour has 360 of them.
  const texts = (await slots.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
  assert.deepEqual(texts, ["08:00 360 crowd-000, crowd-001, crowd-002 and 357 more", "09:00 90 list them"]);
  await page.getByRole("link", { name: "list them" }).click();
  await page.getByText("90 tasks: all of them").waitFor();
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "crowd-" } } });
});

test("a task whose time is past says what it waits for, and leads there", async () => {
  assert.equal((await scheduler.call("/v1/limits/rare", { method: "PUT", body: { perSecond: 0.001 } })).status, 201);
  await create(...["rare-1", "rare-2"].map((id) => ({ id, delayInSeconds: 0, limitKey: "rare" })));
  const waiting = await until("one to run and one to wait", async () => {
    const { body } = await scheduler.call("/v1/tasks?prefix=rare-");
    return body.tasks.length === 1 && body.tasks[0].id;
  });
  const page = await tabs.at(`/tasks/${waiting}`);
  const why = page.getByRole("region", { name: "Why" });
  await why.getByText("limited", { exact: true }).waitFor();
  // It has no run to come at another time.
  assert.equal(await page.getByRole("heading", { name: "Next runs" }).count(), 0);
  await why.getByRole("link", { name: "Limits" }).click();
  await page.getByRole("heading", { name: "Limits", exact: true }).waitFor();
  await tabs.go(page, "/create");
  await page.getByRole("button", { name: "At a time" }).click();
  await page.getByLabel(/^Time \(/).fill("2020-01-01T10:00:00");
  await page.getByText("This time is past, so it fires at once.").waitFor();
  await scheduler.call(`/v1/tasks/${waiting}`, { method: "DELETE" });
});

test("what watching costs is said on the first page that is opened", async () => {
  const page = await tabs.at("/tasks/night-1");
  await page.getByText(/^Every 10 s, about \$/).waitFor();
  await tabs.go(page, "/limits");
  await page.getByText(/^Every 5 s, about \$/).waitFor();
});

test("a key that can only read is not offered the form of an edit, even by its address", async () => {
  await create({ id: "looked-at", time: "2099-01-01T00:00:00Z" });
  const { body } = await scheduler.call("/v1/keys", { body: { name: "reader", scopes: ["read"], namespaces: ["default"] } });
  const page = await tabs.at("/tasks/looked-at/edit", { key: body.key });
  await page.getByRole("heading", { name: "Edit looked-at" }).waitFor();
  await page.getByText("Your key may not use this page").waitFor();
  assert.equal(await page.getByRole("button", { name: "Save" }).count(), 0);
});

test("on a list that has just been opened, j, k and x begin with the first row, and Enter opens it", async () => {
  await create(...[1, 2].map((day) => ({ id: `rows-${day}`, time: Date.UTC(2099, 0, day), tags: ["rows"] })));
  await create({ id: "rows-dead", delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/down` }, retry: { maxAttempts: 1 } });
  await until("a dead letter", async () => (await scheduler.call("/v1/dead-letters?prefix=rows-dead")).body.deadLetters.length === 1);
  const page = await tabs.at("/help");
  for (const [address, first, second, opened] of [
    ["/tasks?tag=rows", "rows-1", "rows-2", "rows-1"],
    ["/runs?prefix=rows-dead", "rows-dead", undefined, "rows-dead"],
    ["/dead-letters?prefix=rows-dead", "rows-dead", undefined, "What happened"],
  ]) {
    const open = async () => {
      await tabs.go(page, "/help");
      await tabs.go(page, address);
      await page.locator("main [data-row]").filter({ hasText: first }).waitFor();
    };
    for (const key of ["j", "k"]) {
      await open();
      await page.keyboard.press(key);
      await until(`${key} to reach the first row of ${address}`, async () => (await focusedText(page)) === first);
    }
    if (second) {
      await page.keyboard.press("j");
      await until("the second row", async () => (await focusedText(page)) === second);
    }
    if (!address.startsWith("/runs")) {
      await open();
      await page.keyboard.press("x");
      await page.getByText("1 selected:").waitFor();
      assert.ok(await page.getByLabel(`Select ${first}`).isChecked());
      assert.equal(await focusedText(page), first);
    }
    await open();
    // Enter on a button is for the button.
    await page.getByRole("button", { name: "Read again" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("main [data-row]").filter({ hasText: first }).waitFor();
    await open();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: opened }).waitFor();
  }
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "rows-" } } });
});

test("an id with spaces is shown, linked, copied and written as it is", async () => {
  const id = "my  report 1/2";
  await create({ id, time: Date.parse("2031-06-01T10:00:00Z"), tags: ["spaced"] }, { id: "other", time: Date.parse("2031-06-01T10:00:00Z"), tags: ["spaced"] });
  const page = await tabs.at("/tasks?tag=spaced", { zone: "UTC" });
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const link = page.getByRole("table", { name: "Tasks" }).getByRole("link", { name: id });
  assert.equal(await link.innerText(), id);
  await link.click();
  const heading = page.getByRole("heading", { level: 1 });
  await until("the page of the task", async () => (await heading.innerText()) === id);
  await page.getByRole("button", { name: "Copy id" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), id);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("dialog", { name: `Pause “${id}”` }).getByRole("button", { name: "Pause" }).click();
  await page.getByText(`“${id}” is paused.`).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText(`“${id}” is resumed.`).waitFor();
  // Two ids beside each other are two.
  await tabs.go(page, `/agenda?at=${Date.parse("2031-06-01T10:00:00Z")}`);
  const slot = page.getByRole("region", { name: /^Tasks that fire once/ }).getByRole("listitem").first();
  await slot.getByRole("link", { name: id }).waitFor();
  assert.match(await slot.locator(".clip").innerText(), /^(my +report 1\/2, other|other, my +report 1\/2)$/);
  await slot.getByRole("link", { name: id }).click();
  await until("the page of the task", async () => (await heading.innerText()) === id);
  await page.getByRole("link", { name: "Clone" }).click();
  await page.getByRole("heading", { name: `Clone “${id}”` }).waitFor();
  await page.getByLabel("Id (optional)").fill(id);
  await page.getByRole("button", { name: "curl" }).click();
  assert.match(await page.locator("pre.code-block").innerText(), /"id":"my {2}report 1\/2"/);
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { tags: ["spaced"] } } });
});

test("a task with a rule, days to leave out and a payload is created by keyboard only", async () => {
  assert.ok((await scheduler.call("/v1/calendars/days-off", { method: "PUT", body: { dates: ["12-13"] } })).status < 300);
  const page = await tabs.at("/", { zone: "UTC" });
  const type = async (label, text) => {
    await tabTo(page, page.getByLabel(label, { exact: typeof label === "string" }));
    await page.keyboard.press("Control+a");
    await page.keyboard.type(text);
  };
  const open = async (summary) => {
    await tabTo(page, page.locator("summary").getByText(summary));
    await page.keyboard.press("Enter");
  };
  await page.keyboard.press("c");
  await page.getByRole("heading", { name: "Create a task" }).waitFor();
  await type("Id (optional)", "by-keyboard");
  await tabTo(page, page.getByRole("button", { name: "Rule", exact: true }));
  await page.keyboard.press("Enter");
  await type("Rule (RFC 5545)", "FREQ=DAILY");
  // The parts of a date are typed one after the other. An unfinished one neither closes the fold nor changes the kind.
  await tabTo(page, page.getByLabel(/^Not before/));
  await page.keyboard.press("Delete");
  await page.getByText(/This is missing; a rule starts there/).waitFor();
  // Day and month are the same, because their order is that of the system.
  await page.keyboard.type("12122098");
  await until("the time", async () => (await page.getByLabel(/^Not before/).inputValue()).startsWith("2098-12-12T09:00"));
  await open("Days and times to leave out");
  await tabTo(page, page.getByLabel("days-off", { exact: true }));
  await page.keyboard.press("Space");
  await type("Dates", "12-15, 12-16");
  await tabTo(page, page.getByLabel("SUN"));
  await page.keyboard.press("Space");
  await tabTo(page, page.getByLabel("Calls"));
  await page.keyboard.press("ArrowDown");
  await type("Payload, as JSON", '{"typed":true}');
  const runs = page.getByRole("list", { name: "Next runs" }).getByRole("listitem");
  // 2098-12-14 is a Sunday.
  await until("the next runs", async () => (await runs.allInnerTexts()).slice(0, 2).map((text) => /\d{4}-\d\d-\d\d/.exec(text)?.[0]).join() === "2098-12-12,2098-12-17");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("heading", { name: "by-keyboard" }).waitFor();
  const { body } = await scheduler.call("/v1/tasks/by-keyboard");
  assert.deepEqual([body.rrule, body.exclude, body.payload, body.callback], ["FREQ=DAILY", { calendars: ["days-off"], dates: ["12-15", "12-16"], weekdays: ["SUN"] }, { typed: true }, { type: "handler", name: "log" }]);
  await scheduler.call("/v1/tasks/by-keyboard", { method: "DELETE" });
});

test("an interval with days to leave out has a time zone, and without them none", async () => {
  const page = await tabs.at("/create");
  const definition = async () => JSON.parse(await page.getByLabel("Definition, as JSON").inputValue());
  await page.getByRole("button", { name: "Every", exact: true }).click();
  await page.getByText("Days and times to leave out").click();
  await page.getByLabel("SUN").check();
  assert.equal(await page.getByLabel("Time zone").inputValue(), "Europe/Berlin");
  await page.getByLabel("A run on such a day").selectOption("next");
  await until("the definition", async () => (await definition()).exclude?.instead === "next");
  assert.deepEqual((await definition()).timezone, "Europe/Berlin");
  await page.getByText(/^Every hour, except SUN/).waitFor();
  await page.getByLabel("SUN").uncheck();
  await until("no days to leave out", async () => (await definition()).exclude === undefined);
  assert.equal((await definition()).timezone, undefined);
  await page.getByText("Bounds and overlap").click();
  await page.getByLabel(/^Not before/).fill("2099-01-01T10:00:00");
  await page.getByLabel(/^Not before/).fill("");
  await page.getByText(/^Every hour\./).waitFor();
  await page.getByRole("list", { name: "Next runs" }).waitFor();
  assert.equal(await page.locator(".field-error").count(), 0);
});

test("signing out of one of two tabs says that the other one is still signed in, and it is", async () => {
  const page = await tabs.at("/tasks");
  const other = await page.context().newPage();
  await other.goto(`${scheduler.url}/#key=${scheduler.key}`);
  await other.locator(".shell").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("This tab is signed out. If the dashboard is open in other tabs, they are signed in until").waitFor();
  await other.reload();
  await other.locator(".shell").waitFor();
  await page.getByLabel("API key").fill(scheduler.key);
  await page.keyboard.press("Enter");
  await page.locator(".shell").waitFor();
});
