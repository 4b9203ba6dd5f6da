// Creates and changes tasks on the dashboard in a real browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./browser/axe.mjs";
import { create, LOG, scheduler, sink, tabs, useDashboard } from "./browser/setup.mjs";
import { until } from "./harness.mjs";

useDashboard();

const read = async (id) => (await scheduler.call(`/v1/tasks/${encodeURIComponent(id)}`)).body;

test("a new user creates the example and sees it fire", async () => {
  const page = await tabs.at("/tasks");
  await page.getByRole("link", { name: /fires in five seconds/ }).click();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "hello" }).waitFor();
  await page.getByText(/Fires in \d/).waitFor();
  await page.getByRole("listitem").filter({ hasText: "attempt 1" }).getByText("succeeded", { exact: true }).waitFor();
  await page.getByText("Nothing of it waits or runs any more").waitFor();
});

test("the form shows the next runs during typing, in both zones, and shows errors", async () => {
  const page = await tabs.at("/create", { zone: "America/New_York" });
  await page.getByRole("button", { name: "Cron", exact: true }).click();
  await page.getByLabel("Time zone").fill("Asia/Tokyo");
  await page.getByLabel("Cron expressions").fill("0 9 * * *");
  await page.getByText("Every day at 09:00 in Asia/Tokyo.").waitFor();
  const runs = page.getByRole("list", { name: "Next runs" });
  await runs.getByText("09:00:00 UTC+9").first().waitFor();
  assert.match(await runs.innerText(), /UTC-[45]/);
  await page.getByLabel("Cron expressions").fill("61 9 * * *");
  await page.getByText("No runs yet.").waitFor();
  await page.getByText(/61.*out of range/).first().waitFor();
  // A run that the clock jumps over is marked, with the reason.
  await page.getByLabel("Time zone").fill("Europe/London");
  await page.getByLabel("Cron expressions").fill("30 1 L MAR *");
  await page.getByText("On the last day of March at 01:30, Europe/London.").waitFor();
});

test("a schedule in words shows how it is understood, and offers choices, before anything is created", async () => {
  const page = await tabs.at("/create", { zone: "Europe/Berlin" });
  await page.getByLabel("Id (optional)").fill("in-words");
  await page.getByRole("button", { name: "In words", exact: true }).click();
  const words = page.getByRole("textbox", { name: "In words" });
  await words.fill("remind me to call Ann every day at 5");
  await page.getByText("In the morning or in the afternoon?").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole("group", { name: "Choices" }).getByRole("button", { name: "every day at 17:00 in Europe/Berlin" }).click();
  await page.getByText("Understood: every day at 17:00 in Europe/Berlin").waitFor();
  assert.equal(await words.inputValue(), "every day at 17:00 in Europe/Berlin");
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "call Ann");
  await words.fill("every few hours");
  await page.getByText("Not understood: “few”.").waitFor();
  await page.getByRole("group", { name: "Near it" }).getByRole("button", { name: "every 2 hours" }).waitFor();
  await words.fill("jeden Freitag um halb drei nachmittags");
  await page.getByText("Understood: jeden Freitag um 14:30 Uhr in Europe/Berlin").waitFor();
  await page.getByRole("list", { name: "Next runs" }).getByText("14:30:00").first().waitFor();
  await page.getByLabel("Calls").selectOption("handler");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "in-words" }).waitFor();
  await page.getByText("Every Friday at 14:30 in Europe/Berlin.").waitFor();
  await page.getByText("“jeden Freitag um halb drei nachmittags”").waitFor();
  const { cron, timezone, description, words: kept } = await read("in-words");
  assert.deepEqual({ cron, timezone, description, kept }, { cron: "30 14 * * FRI", timezone: "Europe/Berlin", description: "call Ann", kept: "jeden Freitag um halb drei nachmittags" });
});

test("a sentence becomes a task that is run and waits for its day, and another that fires by itself", async () => {
  const page = await tabs.at("/create", { zone: "Europe/Berlin" });
  const createWith = async (id, sentence, understood) => {
    await page.getByLabel("Id (optional)").fill(id);
    await page.getByRole("button", { name: "In words", exact: true }).click();
    await page.getByRole("textbox", { name: "In words" }).fill(sentence);
    await page.getByText(understood).waitFor();
    await page.getByText("Description: “call my friend”").waitFor();
    await page.getByLabel("Calls").selectOption("handler");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("heading", { name: id, exact: true }).waitFor();
  };
  const sentence = "remind me to call my friend every monday at 10:00";
  await createWith("friend", sentence, "Understood: every Monday at 10:00 in Europe/Berlin");
  await page.getByText(`“${sentence}”`).waitFor();
  await page.getByText("Every Monday at 10:00 in Europe/Berlin.").waitFor();
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run now" }).click();
  await page.getByRole("listitem").filter({ hasText: "attempt 1" }).getByText("succeeded", { exact: true }).waitFor();
  const { status, cron, timezone, description, words, due } = await read("friend");
  assert.deepEqual({ status, cron, timezone, description, words }, { status: "scheduled", cron: "0 10 * * MON", timezone: "Europe/Berlin", description: "call my friend", words: sentence });
  assert.match(new Intl.DateTimeFormat("en-GB", { weekday: "long", hour: "2-digit", minute: "2-digit", timeZone: "Europe/Berlin" }).format(due), /^Monday 10:00$/);
  await tabs.go(page, "/create");
  await createWith("soon", "call my friend in 5 seconds", /^Understood: at \w{3} \d/);
  await page.getByRole("listitem").filter({ hasText: "attempt 1" }).getByText("succeeded", { exact: true }).waitFor();
  await page.getByText("Nothing of it waits or runs any more").waitFor();
});

test("the form is also shown as JSON, a command and code, and the JSON can be edited", async () => {
  const page = await tabs.at("/create");
  await page.getByLabel("Id (optional)").fill("it's");
  await page.getByLabel("URL").fill("https://example.com/hook");
  const json = page.getByLabel("Definition, as JSON");
  const shown = await until("the JSON of the form", async () => {
    const found = JSON.parse(await json.inputValue());
    return found.callback.url === "https://example.com/hook" && found;
  });
  assert.deepEqual(shown, { delayInSeconds: 60, callback: { type: "webhook", url: "https://example.com/hook" }, id: "it's" });
  const changed = JSON.stringify({ ...shown, description: "from JSON", everySeconds: 90, delayInSeconds: undefined });
  await json.fill(changed);
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "from JSON");
  assert.equal(await page.getByLabel("Interval in seconds").inputValue(), "90");
  await json.fill("{");
  await page.getByText(/Not JSON yet/).waitFor();
  // Another view would drop the text, so the field keeps the focus until it can be read.
  await page.getByRole("button", { name: "curl" }).click();
  await until("the focus on the field", () => json.evaluate((field) => field === document.activeElement));
  assert.equal(await json.inputValue(), "{");
  await json.fill(changed);
  await page.getByRole("button", { name: "curl" }).click();
  const curl = await page.locator("pre.code-block").innerText();
  assert.match(curl, new RegExp(`^curl ${scheduler.url}/v1/tasks -H "Authorization: Bearer \\$KEY" \\\\\n  -d '.*it'\\\\''s`));
  await page.getByRole("button", { name: "TypeScript" }).click();
  assert.match(await page.locator("pre.code-block").innerText(), /await scheduler\.scheduleTask\(\{\n {2}callback: \{/);
});

test("a task is created with every field of the form, and the refusal of a field is shown beside it", async () => {
  const page = await tabs.at("/create");
  await page.getByLabel("Id (optional)").fill("whole");
  await page.getByLabel("Tags (optional)").fill("one, two");
  await page.getByLabel("Delay in seconds").fill("3600");
  await page.getByLabel("URL").fill("not a url");
  await page.getByLabel("Payload, as JSON").fill('{"a":1}');
  await page.getByText("Retries", { exact: true }).click();
  await page.getByLabel("Attempts at most").fill("3");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.locator("input[aria-invalid=true]").waitFor();
  assert.equal(await page.locator("input[aria-invalid=true]").inputValue(), "not a url");
  await page.getByLabel("URL").fill("https://example.com/hook");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "whole" }).waitFor();
  const { tags, payload, retry, callback, kind } = await read("whole");
  assert.deepEqual({ tags, payload, retry, callback, kind }, { tags: ["one", "two"], payload: { a: 1 }, retry: { maxAttempts: 3 }, callback: { type: "webhook", url: "https://example.com/hook" }, kind: "once" });
});

test("a task is paused, resumed, run, run with another payload, rescheduled, cloned and cancelled", async () => {
  await create({ id: "acts/1", everySeconds: 3600, callback: { type: "webhook", url: `${sink.url}/acts` }, payload: { own: true } });
  const page = await tabs.at("/tasks/acts%2F1");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("dialog").getByLabel("Note (optional)").fill("The receiver moves.");
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.getByText("It is paused: these runs do not fire").waitFor();
  await page.getByText("The receiver moves.", { exact: true }).waitFor();
  const paused = await read("acts/1");
  assert.deepEqual([paused.status, paused.pauseNote], ["paused", "The receiver moves."]);
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Pause" }).waitFor();
  assert.equal((await read("acts/1")).status, "scheduled");

  const run = page.getByRole("dialog");
  await page.getByRole("button", { name: "Run now" }).click();
  await run.getByRole("button", { name: "Run now" }).click();
  await run.waitFor({ state: "detached" });
  await until("the run", () => sink.webhooks.length === 1);
  await page.getByRole("button", { name: "Run now" }).click();
  await run.getByLabel("Payload of this run").fill('{"own":false}');
  await run.getByRole("button", { name: "Run now" }).click();
  await until("the run with another payload", () => sink.webhooks.length === 2);
  assert.deepEqual(sink.webhooks.map(({ body }) => body.payload), [{ own: true }, { own: false }]);
  await page.getByText("attempt 1").nth(1).waitFor();

  await page.getByRole("link", { name: "Clone" }).click();
  await page.getByLabel("Id (optional)").fill("acts/2");
  await page.getByRole("button", { name: "At a time" }).click();
  await page.getByLabel(/^Time \(/).fill("2099-05-01T10:00:00");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "acts/2" }).waitFor();
  assert.deepEqual((await read("acts/2")).local, { time: "2099-05-01T10:00:00" });

  await page.getByRole("button", { name: "Reschedule" }).click();
  await page.getByLabel("To", { exact: true }).selectOption("time");
  await page.getByRole("dialog").getByLabel("Time (Europe/Berlin)").fill("2099-06-01T12:30");
  await page.getByRole("dialog").getByLabel("Time zone").fill("Asia/Tokyo");
  await page.getByRole("dialog").getByLabel("Time (Asia/Tokyo)").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Reschedule" }).click();
  await page.getByText("acts/2 is moved.").waitFor();
  const { time, timezone } = await read("acts/2");
  assert.deepEqual([time, timezone], [Date.parse("2099-06-01T12:30+09:00"), "Asia/Tokyo"]);

  await page.getByRole("button", { name: "Cancel task" }).click();
  await page.getByRole("button", { name: "Cancel the task" }).click();
  await page.getByText("acts/2 is cancelled.").waitFor();
  assert.equal((await scheduler.call("/v1/tasks/acts%2F2")).status, 404);
  await page.getByText("Nothing of it waits or runs any more").waitFor();
});

test("an edit sends only the differences, and keeps members that the form does not have", async () => {
  await create({ id: "edited", cron: "0 9 * * *", timezone: "Europe/Berlin", startAt: "2099-01-01T09:00", onFailure: LOG, payload: { kept: [1, 2] } });
  const page = await tabs.at("/tasks/edited/edit");
  await page.getByLabel("Description (optional)").fill("now described");
  await page.getByLabel("Cron expressions").fill("0 10 * * *");
  assert.deepEqual(JSON.parse(await page.getByLabel("The patch").innerText()), { cron: "0 10 * * *", description: "now described" });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("edited is changed.").waitFor();
  const task = await read("edited");
  assert.deepEqual([task.cron, task.description, task.payload, task.onFailure, task.local], ["0 10 * * *", "now described", { kept: [1, 2] }, LOG, { startAt: "2099-01-01T09:00:00" }]);
  // Another kind of schedule removes the members of the old one.
  await tabs.go(page, "/tasks/edited/edit");
  await page.getByRole("button", { name: "After a delay" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "edited", exact: true }).waitFor();
  const once = await read("edited");
  assert.deepEqual([once.kind, once.cron, once.startAt, once.description], ["once", undefined, undefined, "now described"]);
});

test("two users edit one task, and the second sees both changes and chooses", async () => {
  await create({ id: "shared", time: "2099-01-01T00:00:00Z", description: "first", tags: ["old"] });
  const one = await tabs.at("/tasks/shared/edit");
  const other = await tabs.at("/tasks/shared/edit");
  await one.getByLabel("Description (optional)").fill("by one");
  await one.getByLabel("Priority, 0 to 9").fill("9");
  await one.getByRole("button", { name: "Save" }).click();
  await one.getByText("shared is changed.").waitFor();

  await other.getByLabel("Description (optional)").fill("by other");
  await other.getByLabel("Tags (optional)").fill("new");
  await other.getByRole("button", { name: "Save" }).click();
  const dialog = other.getByRole("dialog", { name: /Somebody else has changed shared/ });
  await dialog.waitFor();
  assert.deepEqual(await violations(other), []);
  assert.equal((await read("shared")).description, "by one");
  const row = (name) => dialog.getByRole("row").filter({ has: other.getByRole("rowheader", { name }) });
  assert.match(await row(/^description/).innerText(), /changed by both[^]*first[^]*by one[^]*by other/);
  // On a narrow screen, all values of a member are below one another.
  await other.setViewportSize({ width: 380, height: 844 });
  for (const side of ["theirs", "yours"]) {
    const { x, width } = await row(/^description/).locator(`td:has(input[type=radio]) label:has-text("${side}")`).first().boundingBox();
    assert.ok(x >= 0 && x + width <= 380, `${side}: ${x} to ${x + width}`);
  }
  assert.deepEqual(await violations(other), []);
  await other.setViewportSize({ width: 1280, height: 800 });
  await row(/^description/).getByLabel("theirs for description").check();
  await dialog.getByRole("button", { name: "Save what is chosen" }).click();
  await other.getByText("shared is changed.").waitFor();
  const { description, tags, priority } = await read("shared");
  assert.deepEqual({ description, tags, priority }, { description: "by one", tags: ["new"], priority: 9 });
});

test("many tasks are changed: the selected ones, and after a confirmation all that match a filter", async () => {
  for (let index = 0; index < 4; index += 1) await create({ id: `many-${index}`, time: "2099-01-01T00:00:00Z", tags: ["many"] });
  const page = await tabs.at("/tasks?tag=many");
  await page.getByLabel("Select many-1").check();
  await page.getByRole("group", { name: "Changes of many tasks" }).getByRole("button", { name: "Pause" }).click();
  const pause = page.getByRole("dialog", { name: "Pause: 1 task" });
  await pause.getByLabel("Note (optional)").fill("not yet");
  await pause.getByRole("button", { name: "Pause" }).click();
  await page.getByText("1 task paused", { exact: true }).waitFor();
  assert.deepEqual([(await read("many-0")).status, (await read("many-1")).status], ["scheduled", "paused"]);
  assert.equal((await read("many-1")).pauseNote, "not yet");
  // What the change would do is counted before: one is paused already.
  await page.getByRole("group", { name: "Changes of many tasks" }).getByRole("button", { name: "Pause" }).click();
  const again = page.getByRole("dialog", { name: "Pause: 3 tasks" });
  await again.getByText(/^They are: many-[023], many-[023], many-[023]$/).waitFor();
  // With another note, a pause also changes what is paused already, so the count is that of the request that will be sent.
  await again.getByLabel("Note (optional)").fill("the receiver moves");
  const noted = page.getByRole("dialog", { name: "Pause: 4 tasks" });
  await noted.getByText(/^They are: (many-[0-3](, )?){4}$/).waitFor();
  await noted.getByLabel("Note (optional)").fill("not yet");
  await again.waitFor();
  await again.getByRole("button", { name: "Close" }).first().click();

  await page.getByRole("group", { name: "Changes of many tasks" }).getByRole("button", { name: "Cancel" }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel: 4 tasks" });
  await dialog.getByText("Tag: many").waitFor();
  const confirm = dialog.getByRole("button", { name: "Cancel the tasks" });
  assert.ok(await confirm.isDisabled());
  await dialog.getByLabel("Type “cancel” to confirm").fill("cancel");
  await confirm.click();
  await page.getByRole("heading", { name: "No task matches" }).waitFor();
  assert.equal((await scheduler.call("/v1/tasks/many-1")).status, 404);
  assert.equal((await scheduler.call("/v1/tasks/shared")).status, 200);
});

test("all that match a filter are paused, resumed, moved and run, each after its count", async () => {
  for (let index = 0; index < 3; index += 1) await create({ id: `all-${index}`, time: "2099-01-01T00:00:00Z", tags: ["all"], callback: { type: "webhook", url: `${sink.url}/all` } });
  await create({ id: "all-recurring", everySeconds: 86_400, tags: ["all"], callback: { type: "webhook", url: `${sink.url}/all` } });
  const page = await tabs.at("/tasks?tag=all");
  const change = async (verb, name, fill = async () => {}) => {
    await page.getByRole("group", { name: "Changes of many tasks" }).getByRole("button", { name: verb }).click();
    const dialog = page.getByRole("dialog");
    await fill(dialog);
    await page.getByRole("dialog", { name }).waitFor();
    await dialog.getByLabel(/^Type “/).fill(name.split(":")[0].split(" ")[0].toLowerCase());
    await dialog.getByRole("button", { name: verb, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  };
  const statuses = async () => Promise.all(["all-0", "all-1", "all-2", "all-recurring"].map(async (id) => (await read(id)).status));
  await change("Pause", "Pause: 4 tasks");
  assert.deepEqual(await statuses(), ["paused", "paused", "paused", "paused"]);
  await change("Resume", "Resume: 4 tasks");
  assert.deepEqual(await statuses(), ["scheduled", "scheduled", "scheduled", "scheduled"]);
  // A recurring task cannot be moved, so it does not count.
  await change("Reschedule", "Reschedule: 3 tasks", async (dialog) => {
    await dialog.getByLabel("To", { exact: true }).selectOption("time");
    await page.getByRole("dialog", { name: "Reschedule: to which time?" }).waitFor();
    assert.ok(await dialog.getByRole("button", { name: "Reschedule", exact: true }).isDisabled());
    await dialog.getByLabel("Time (Europe/Berlin)").fill("2099-06-01T12:30");
  });
  assert.deepEqual(await Promise.all([0, 1, 2].map(async (index) => (await read(`all-${index}`)).due)), Array(3).fill(Date.parse("2099-06-01T12:30+02:00")));
  await change("Run now", "Run now: 4 tasks");
  await until("the runs of all", () => sink.webhooks.filter(({ path }) => path === "/all").length === 4);
  await scheduler.call("/v1/tasks/all-recurring", { method: "DELETE" });
});

test("a list is read from its end, filtered by what it calls and how its last attempt ended, and searched by a part of an id", async () => {
  for (let index = 0; index < 3; index += 1) await create({ id: `sorted/${index}-end`, time: Date.UTC(2099, 0, 1 + index), tags: ["sorted"] });
  await create({ id: "sorted/hook", time: Date.UTC(2098, 0, 1), tags: ["sorted"], callback: { type: "webhook", url: `${sink.url}/sorted` } });
  const page = await tabs.at("/tasks?tag=sorted");
  const first = page.locator(".grid-body [data-index='0']");
  await first.getByText("sorted/hook").waitFor();
  await page.getByLabel(/^Due/).selectOption("desc");
  await first.getByText("sorted/2-end").waitFor();
  assert.match(page.url(), /order=desc/);
  await page.getByRole("button", { name: "More filters" }).click();
  await page.getByLabel("Target type").selectOption("webhook");
  await page.getByText("1 task: all of them").waitFor();
  await page.getByLabel("Last outcome").selectOption("failed");
  await page.getByRole("heading", { name: "No task matches" }).waitFor();
  await page.getByLabel("Last outcome").selectOption("none");
  await page.getByLabel(/^Paused/).selectOption("false");
  await page.getByText("1 task: all of them").waitFor();
  await tabs.go(page, "/tasks?text=1-END");
  await first.getByText("sorted/1-end").waitFor();
});
