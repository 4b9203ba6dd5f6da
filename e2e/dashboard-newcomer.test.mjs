// Tests what a newcomer to the dashboard needs: sentences that are true, a form that keeps what was typed, and addresses that say what they mean.

import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./browser/axe.mjs";
import { create, lettersOf, scheduler, sink, tabs, useDashboard } from "./browser/setup.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

useDashboard({ shards: "2", answer: ({ path }) => (path.startsWith("/refuses") ? { status: 422, body: "no customer" } : 200) });

// This is the first test, because the scheduler is new.
test("the overview says that nothing is scheduled yet and what to do, and then what has failed", async () => {
  const page = await tabs.at("/");
  const health = page.getByRole("region", { name: "Health" });
  await health.getByText("Nothing is scheduled yet: create a first task, and this page shows how it goes.").waitFor();
  await page.getByRole("link", { name: "Open the form with an example that fires in five seconds" }).waitFor();
  await page.getByRole("link", { name: "Open an empty form" }).waitFor();
  const price = page.locator(".tile").filter({ hasText: "Per million attempts" });
  await price.getByText("–", { exact: true }).waitFor();
  await price.getByText("Too early: with 0 attempts, most of this is the price of starting and watching the shards. It is shown from 438 attempts on.").waitFor();
  assert.deepEqual(await violations(page), []);

  await create({ id: "lost", delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/refuses` }, retry: { maxAttempts: 1 } });
  await until("a dead letter", async () => (await lettersOf("lost")).length === 1);
  await health.getByText("The only attempt of the last half hour failed.").waitFor();
  const letters = health.getByRole("listitem").filter({ hasText: "1 dead letter to replay or discard." });
  await letters.waitFor();
  assert.doesNotMatch(await health.innerText(), /All is well|Nothing is scheduled/);
  await letters.getByRole("link", { name: "Show" }).click();
  await page.getByRole("heading", { name: "Dead letters", exact: true }).waitFor();
  await scheduler.call("/v1/dead-letters/discard", { body: { all: true } });
  await tabs.go(page, "/");
  await health.getByText("Nothing needs your attention: nothing is overdue, and no dead letter waits.").waitFor();
  await health.getByText("1 run failed for good since the shards were created. Its dead letter has been replayed, discarded or dropped since.").waitFor();
});

test("the dialog of a replay says what it does to the task", async () => {
  const callback = { type: "webhook", url: `${sink.url}/refuses` };
  await create({ id: "once-dead", delayInSeconds: 0, callback, retry: { maxAttempts: 1 } }, { id: "every-dead", everySeconds: 86_400, callback, retry: { maxAttempts: 1 } });
  assert.equal((await scheduler.call("/v1/tasks/every-dead/run", { method: "POST" })).status, 200);
  for (const [id, text] of [["once-dead", /^This task fires once, and its dead letter is all that is left of it\. .*the task keeps the change/], ["every-dead", /^The run starts again .*The task every-dead does not change\.$/]]) {
    const [letter] = await until(`a dead letter of ${id}`, async () => {
      const letters = await lettersOf(id);
      return letters.length === 1 && letters;
    });
    const page = await tabs.at(`/dead-letters/${encodeURIComponent(letter.deadLetterId)}`);
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog", { name: `Replay ${id}` }).getByText(text).waitFor();
    await page.context().close();
  }
  await scheduler.call("/v1/tasks/cancel", { body: { ids: ["once-dead", "every-dead"] } });
});

test("what is typed into the form survives Back and a reload, but not its headers, until it is discarded or created", async () => {
  const page = await tabs.at("/tasks");
  await tabs.go(page, "/create");
  const id = page.getByLabel("Id (optional)");
  const note = page.getByRole("status", { name: "Draft" });
  // An untouched form leaves no draft.
  await id.waitFor();
  await page.reload();
  await id.waitFor();
  assert.equal(await note.count(), 0);
  await id.fill("drafted");
  await page.getByLabel("URL").fill("https://example.com/hook");
  await page.getByText("Headers and timeout").click();
  await page.getByLabel("Headers, as JSON").fill('{"authorization":"Bearer hush"}');
  await page.goBack();
  await page.getByRole("heading", { name: "Tasks", exact: true }).waitFor();
  await page.goForward();
  await note.getByText("Your draft is restored.").waitFor();
  await note.getByText("authorization", { exact: true }).waitFor();
  const shown = async () => [await id.inputValue(), await page.getByLabel("URL").inputValue(), await page.getByLabel("Headers, as JSON").inputValue()];
  assert.deepEqual(await shown(), ["drafted", "https://example.com/hook", ""]);
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(sessionStorage)), /hush/);
  assert.deepEqual(await violations(page), []);
  await page.getByLabel("Description (optional)").fill("typed before a reload");
  await page.reload();
  await note.waitFor();
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "typed before a reload");
  // Another form has another draft.
  await tabs.go(page, "/create?example=hello");
  await until("the example", async () => (await id.inputValue()) === "hello");
  assert.equal(await note.count(), 0);
  await tabs.go(page, "/create");
  await note.getByRole("button", { name: "Discard the draft" }).click();
  await note.waitFor({ state: "detached" });
  assert.equal(await id.inputValue(), "");
  await page.reload();
  await id.waitFor();
  assert.equal(await note.count(), 0);

  await id.fill("drafted");
  await page.getByLabel("Delay in seconds").fill("36000");
  await page.getByLabel("URL").fill("https://example.com/hook");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "drafted" }).waitFor();
  await tabs.go(page, "/create");
  await id.waitFor();
  assert.deepEqual([await note.count(), await id.inputValue()], [0, ""]);
  // The form of a clone has a draft, too, and reads the task again without it.
  await tabs.go(page, "/create?from=drafted");
  await page.getByLabel("Description (optional)").fill("a clone");
  await page.reload();
  await note.waitFor();
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "a clone");
  assert.equal(await page.getByLabel("URL").inputValue(), "https://example.com/hook");
  await note.getByRole("button", { name: "Discard the draft" }).click();
  await until("the form of the task", async () => (await page.getByLabel("Description (optional)").inputValue()) === "");
  assert.equal(await page.getByLabel("URL").inputValue(), "https://example.com/hook");
  await page.getByLabel("Description (optional)").fill("left behind");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test("an address with parameters that a page ignores says so on each page, and uses the rest", async () => {
  await create({ id: "filtered-1", time: "2099-01-01T00:00:00Z", tags: ["filtered"] }, { id: "unfiltered", time: "2099-01-01T00:00:00Z" });
  const page = await tabs.at("/tasks?status=bogus&tag=filtered&color=red");
  const note = page.getByRole("status", { name: "What this page ignores" });
  await note.getByText("status=bogus").waitFor();
  await note.getByText(/It takes one of: scheduled, running, /).waitFor();
  await note.getByText("color=red").waitFor();
  await page.getByRole("link", { name: "filtered-1" }).waitFor();
  await page.getByText("1 task: all of them").waitFor();
  assert.equal(await page.getByLabel("Status").inputValue(), "");
  assert.match(await page.getByLabel("Status").locator("option:checked").innerText(), /any/);
  assert.deepEqual(await violations(page), []);
  await note.getByRole("button", { name: "Remove it from the address" }).click();
  await note.waitFor({ state: "detached" });
  assert.match(page.url(), /#\/tasks\?tag=filtered$/);
  for (const [address, name, text] of [
    ["/runs?outcome=lost", "Runs", /^outcome=lost$/],
    ["/dead-letters?status=paused", "Dead letters", /^status=paused$/],
    ["/agenda?span=year", "Agenda", /^span=year$/],
    ["/limits?x=1", "Limits", /^x=1$/],
    ["/tasks/filtered-1?tab=2", "filtered-1", /^tab=2$/],
  ]) {
    await tabs.go(page, address);
    await page.getByRole("heading", { name, exact: true }).waitFor();
    await note.getByText(text).waitFor();
  }
  // A change of a filter removes what is ignored.
  await tabs.go(page, "/tasks?kind=odd");
  await note.waitFor();
  await page.getByLabel("Status").selectOption("scheduled");
  await page.waitForURL(/#\/tasks\?status=scheduled$/);
  await note.waitFor({ state: "detached" });
  await page.setViewportSize({ width: 380, height: 844 });
  await tabs.go(page, `/tasks?${"long".repeat(60)}=${"value".repeat(60)}`);
  await note.waitFor();
  assert.ok((await page.evaluate(() => document.querySelector("main").scrollWidth)) <= 380);
  await scheduler.call("/v1/tasks/cancel", { body: { ids: ["filtered-1", "unfiltered"] } });
});

test("a change of many is not offered while its tasks could not be counted, and says why", async () => {
  await create({ id: "counted", time: "2099-01-01T00:00:00Z", tags: ["counted"] });
  await create({ id: "counted-dead", delayInSeconds: 0, tags: ["counted"], callback: { type: "webhook", url: `${sink.url}/refuses` }, retry: { maxAttempts: 1 } });
  await until("a dead letter", async () => (await lettersOf("counted-dead")).length === 1);
  const page = await tabs.at("/tasks?tag=counted");
  const changes = [];
  let isRefused = true;
  await page.route(/\/v1\/(tasks|dead-letters)\/(pause|resume|run|reschedule|cancel|replay|discard)$/, (route) => {
    if (!route.request().postDataJSON().dryRun) changes.push(route.request().url());
    if (!isRefused) return route.continue();
    return route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ type: "/problems/unavailable", title: "Unavailable", status: 503, detail: "a shard does not answer" }) });
  });
  const dialog = page.getByRole("dialog");
  const refusesTo = async (verb, word, noun) => {
    await dialog.getByText(`The ${noun}s could not be counted, so this dialog changes none of them.`, { exact: false }).waitFor();
    await dialog.getByText("a shard does not answer").waitFor();
    const confirm = dialog.getByLabel(`Type “${word}” to confirm`);
    await confirm.fill(word);
    assert.ok(await dialog.getByRole("button", { name: verb, exact: true }).isDisabled(), verb);
    await confirm.press("Enter");
  };
  const bar = page.getByRole("group", { name: "Changes of many tasks" });
  for (const [button, verb, word] of [["Pause", "Pause", "pause"], ["Resume", "Resume", "resume"], ["Run now", "Run now", "run"], ["Reschedule", "Reschedule", "reschedule"], ["Cancel", "Cancel the tasks", "cancel"]]) {
    await bar.getByRole("button", { name: button, exact: true }).click();
    await refusesTo(verb, word, "task");
    if (button !== "Cancel") await dialog.getByRole("button", { name: "Close" }).last().click();
  }
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(changes, []);
  // It is offered once the count has been repeated.
  isRefused = false;
  await dialog.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("dialog", { name: "Cancel: 2 tasks" }).waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Cancel the tasks" }).isEnabled());
  await dialog.getByRole("button", { name: "Close" }).last().click();
  isRefused = true;
  await tabs.go(page, "/dead-letters?tag=counted");
  for (const verb of ["Replay", "Discard"]) {
    await page.getByRole("button", { name: `${verb} all that match` }).click();
    await refusesTo(verb, verb.toLowerCase(), "dead letter");
    await dialog.getByRole("button", { name: "Close" }).last().click();
  }
  assert.deepEqual(changes, []);
  await page.unrouteAll();
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { tag: "counted" } } });
});

test("Back returns to the period that the agenda has shown before", async () => {
  const at = Date.parse("2031-05-05T10:00:00Z");
  const page = await tabs.at(`/agenda?at=${at}`, { zone: "UTC" });
  const about = (text) => page.locator(".page-title").getByText(text).waitFor();
  await about(/^Mon 2031-05-05 00:00:00/);
  await page.getByRole("button", { name: "Later" }).click();
  await about(/^Tue 2031-05-06 00:00:00/);
  await page.getByRole("button", { name: "Hour" }).click();
  await about(/to Tue 2031-05-06 01:00:00/);
  await page.getByRole("button", { name: "Now" }).click();
  await page.waitForURL((url) => !url.hash.includes("at="));
  await page.goBack();
  await about(/to Tue 2031-05-06 01:00:00/);
  assert.equal(await page.getByRole("button", { name: "Hour" }).getAttribute("aria-pressed"), "true");
  await page.goBack();
  await about(/to Wed 2031-05-07 00:00:00/);
  assert.equal(await page.getByRole("button", { name: "Day" }).getAttribute("aria-pressed"), "true");
  await page.goBack();
  await about(/^Mon 2031-05-05 00:00:00/);
});

test("a list shows the whole of an error that its column cuts off, also on a narrow screen", async () => {
  const long = "the end of a long error";
  await create({ id: "long-error", delayInSeconds: 0, tags: ["long"], callback: { type: "webhook", url: `${sink.url}/refuses/${"x".repeat(150)}` }, retry: { maxAttempts: 1 } });
  const [{ error }] = await until("a dead letter", async () => {
    const letters = await lettersOf("long-error");
    return letters.length === 1 && letters;
  });
  assert.ok(error.length > 150, `${long}: ${error}`);
  for (const width of [1280, 380]) {
    const page = await tabs.at("/runs?tag=long", { width, height: 844 });
    const cell = page.getByRole("table", { name: "Runs" }).getByRole("button", { name: error });
    await cell.waitFor();
    assert.ok(await cell.evaluate((element) => element.scrollWidth > element.clientWidth), "it is cut off");
    const { x, width: wide } = await cell.boundingBox();
    assert.ok(x >= 0 && x + wide <= width, `${x} to ${x + wide}`);
    await cell.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Error of long-error" });
    const whole = dialog.getByLabel("Error", { exact: true });
    assert.equal((await whole.innerText()).trim(), error);
    assert.ok(await whole.evaluate((element) => element.scrollWidth <= element.clientWidth), "it is not cut off");
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await until("the focus to be on the error", () => cell.evaluate((element) => element === document.activeElement));
  }
  await scheduler.call("/v1/tasks/long-error", { method: "DELETE" });
});

test("on a narrow screen the list shows the whole time at which a task is due", async () => {
  await create({ id: "due-here", time: Date.parse("2027-10-31T00:30:00Z"), tags: ["due"] });
  const page = await tabs.at("/tasks?tag=due", { width: 380, height: 844, zone: "Europe/Berlin" });
  const time = page.locator(".grid-body time");
  await time.getByText("UTC+2").waitFor();
  const { x, width, right } = await time.evaluate((element) => {
    const box = element.getBoundingClientRect();
    return { x: box.x, width: box.width, right: element.closest("[role=cell]").getBoundingClientRect().right };
  });
  assert.ok(x >= 0 && x + width <= Math.min(right, 380), `${x} to ${x + width} in a cell that ends at ${right}`);
  await scheduler.call("/v1/tasks/due-here", { method: "DELETE" });
});

test("a phrase that names no time of day is shown by the clock of the viewer, and in UTC", async () => {
  const page = await tabs.at("/create", { zone: "America/New_York" });
  await page.getByRole("button", { name: "In words", exact: true }).click();
  await page.getByRole("textbox", { name: "In words" }).fill("in 3 hours");
  const understood = page.getByText(/^Understood: at \w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC-[45] \(\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)$/);
  await understood.waitFor();
  assert.doesNotMatch(await page.locator("main fieldset").nth(1).innerText(), /\dT\d/);
  await page.getByRole("list", { name: "Next runs" }).getByText(/UTC-[45]/).first().waitFor();
  // Nor does the sentence above the next runs show it in UTC only.
  await page.getByText(/^At \w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC-[45]\.$/).waitFor();
});

test("a cron expression that the scheduler refuses shows the error and no sentence", async () => {
  const page = await tabs.at("/create");
  await page.getByRole("button", { name: "Cron", exact: true }).click();
  await page.getByText(/^Every weekday at 09:00/).waitFor();
  await page.getByLabel(/^Cron expressions/).fill("99 * * * *");
  await page.getByText(/No runs yet\..*"99" in its minute field, which is out of range/).waitFor();
  const panel = page.locator("section").filter({ has: page.getByRole("heading", { name: "Next runs" }) });
  assert.doesNotMatch(await panel.innerText(), /Every|By the cron/);
  await page.getByLabel(/^Cron expressions/).fill("30 * * * *");
  await panel.getByText(/^Every hour at :30|^Every hour/).waitFor();
});

test("an emptied delay or interval is refused, and creates no task", async () => {
  const page = await tabs.at("/create");
  await page.getByLabel(/^Id/).first().fill("emptied");
  await page.getByLabel("URL", { exact: true }).fill(`${sink.url}/emptied`);
  for (const [kind, label] of [["After a delay", /^Delay in seconds/], ["Every", /^Interval in seconds/]]) {
    await page.getByRole("button", { name: kind, exact: true }).click();
    await page.getByLabel(label).fill("");
    await page.getByText(/No runs yet\./).waitFor();
    assert.equal(await page.getByLabel(label).inputValue(), "");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.locator("label, div").filter({ has: page.getByLabel(label) }).getByText(/Seconds.*number|number/).first().waitFor();
  }
  assert.equal((await scheduler.call("/v1/tasks/emptied")).status, 404);
  // What a number begins with is kept while it is typed.
  await page.getByRole("button", { name: "After a delay", exact: true }).click();
  await page.getByLabel(/^Delay in seconds/).fill("");
  await page.getByLabel(/^Delay in seconds/).pressSequentially("6e2");
  await page.getByText(/10 min after it is created/).first().waitFor();
});

test("a line divides the attempts before and after a replay, and the task shows its retry policy", async () => {
  const answers = { status: 422 };
  const target = await startSink(() => answers.status);
  try {
    const retry = { maxAttempts: 2, minBackoffSeconds: 0.1, jitter: 0 };
    await create({ id: "replayed", delayInSeconds: 0, callback: { type: "webhook", url: `${target.url}/replayed` }, retry });
    const [letter] = await until("a dead letter", async () => {
      const letters = await lettersOf("replayed");
      return letters.length === 1 && letters;
    });
    const page = await tabs.at("/tasks/replayed");
    const attempts = page.getByRole("region", { name: "Attempts" });
    await attempts.getByText("attempt 2").waitFor();
    await page.getByText("Up to 2 attempts, 100 ms apart; the last within 1 d of the first.").waitFor();
    assert.equal(await attempts.getByRole("heading", { level: 4 }).count(), 0);
    answers.status = 200;
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Replay as it was" }).click();
    await attempts.getByText("succeeded", { exact: true }).waitFor();
    assert.deepEqual((await attempts.getByRole("heading", { level: 4 }).allInnerTexts()).map((text) => text.split(" ·")[0]), ["Before the replay", "Replayed"]);
    const order = await attempts.locator("h4, .attempt").allInnerTexts();
    assert.deepEqual(order.map((text) => /^(Before|Replayed|attempt \d)/.exec(text)[1]), ["Before", "attempt 1", "attempt 2", "Replayed", "attempt 1"]);
    assert.deepEqual(await violations(page), []);
    assert.ok(letter);
  } finally {
    await target.close();
  }
});

test("the form of an edit is not offered for a task that takes no changes, with the reason and what to do", async () => {
  await create({ id: "dead-once", delayInSeconds: 0, description: "as it was", callback: { type: "webhook", url: `${sink.url}/refuses` }, retry: { maxAttempts: 1 } });
  await create({ id: "again-later", delayInSeconds: 0, callback: { type: "webhook", url: `${sink.url}/refuses` }, retry: { minBackoffSeconds: 3_600 } });
  await until("both to have failed", async () => (await lettersOf("dead-once")).length === 1 && (await scheduler.call("/v1/tasks/again-later")).body.status === "retrying");
  const page = await tabs.at("/tasks/dead-once/edit");
  await page.getByRole("heading", { name: "It has failed for good, so it cannot be edited" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Save" }).count(), 0);
  assert.deepEqual(await violations(page), []);
  await page.getByRole("link", { name: "Open the dead letter" }).click();
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "Create it again" }).click();
  await page.getByRole("heading", { name: "Clone dead-once" }).waitFor();
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "as it was");
  await tabs.go(page, "/tasks/again-later/edit");
  await page.getByRole("heading", { name: "It waits for another attempt, so it cannot be edited" }).waitFor();
  // What the page advises works: after it is rescheduled, the task can be edited.
  assert.equal((await scheduler.call("/v1/tasks/again-later/reschedule", { body: { delayInSeconds: 36_000 } })).status, 200);
  await tabs.go(page, "/tasks");
  await tabs.go(page, "/tasks/again-later/edit");
  await page.getByLabel("Description (optional)").fill("edited");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("again-later is changed.").waitFor();
  await scheduler.call("/v1/tasks/cancel", { body: { ids: ["again-later", "dead-once"] } });
});

test("a target has one name on every page", async () => {
  await create({ id: "named", everySeconds: 86_400, tags: ["named"], callback: { type: "webhook", method: "PUT", url: `${sink.url}/refuses/named` }, retry: { maxAttempts: 1 } });
  assert.equal((await scheduler.call("/v1/tasks/named/run", { method: "POST" })).status, 200);
  const [letter] = await until("a dead letter", async () => {
    const letters = await lettersOf("named");
    return letters.length === 1 && letters;
  });
  const page = await tabs.at("/tasks?tag=named");
  await page.getByRole("table", { name: "Tasks" }).getByText(`webhook:127.0.0.1 PUT ${sink.url}/refuses/named`).first().waitFor();
  await tabs.go(page, "/runs?tag=named");
  await page.getByRole("table", { name: "Runs" }).getByText("webhook:127.0.0.1", { exact: true }).waitFor();
  for (const address of ["/tasks/named", `/dead-letters/${encodeURIComponent(letter.deadLetterId)}`]) {
    await tabs.go(page, address);
    await page.locator("dd").getByText(`webhook:127.0.0.1 PUT ${sink.url}/refuses/named`).waitFor();
  }
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { tag: "named" } } });
});

test("a sentence is offered the calendars of the namespace by their names, and says how to name one", async () => {
  const page = await tabs.at("/create");
  await page.getByRole("button", { name: "In words", exact: true }).click();
  const words = page.getByRole("textbox", { name: "In words" });
  const near = page.getByRole("group", { name: "Near it" });
  await words.fill("every day at 9am except on holidays");
  // Without a calendar, none is offered.
  await page.getByText(/^To leave out holidays or other days, create a calendar .* This namespace has none yet\.$/).waitFor();
  await page.getByText(/^Not understood: “except on holidays”\./).waitFor();
  await page.getByText("No runs yet. The part “When” says why.").waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /calendar "holidays"/);
  await page.getByRole("link", { name: "Calendars" }).last().click();
  await page.getByRole("heading", { name: "No calendars" }).waitFor();

  for (const name of ["de-holidays", "office-closed"]) assert.ok((await scheduler.call(`/v1/calendars/${name}`, { method: "PUT", body: { dates: ["12-25"], description: `Days of ${name}` } })).status < 300);
  await page.goBack();
  await page.getByText('except calendar "de-holidays"', { exact: true }).waitFor();
  await near.getByRole("button").first().waitFor();
  // Only one of the two is of holidays.
  assert.deepEqual(await near.getByRole("button").allInnerTexts(), ['every day at 09:00 in Europe/Berlin except calendar "de-holidays"']);
  assert.doesNotMatch(await page.locator("main").innerText(), /calendar "holidays"/);
  // Names without their quotes, or of calendars that do not exist, are put right.
  for (const [typed, offers] of [
    ["every day at 9am except office-closed", ['every day at 9am except calendar "office-closed"']],
    ["every day at 9am except the calendar de-holidays", ['every day at 9am except calendar "de-holidays"']],
    ['jeden Tag um 9 Uhr außer "de-holidays"', ['jeden Tag um 9 Uhr außer Kalender "de-holidays"']],
    ['every day at 9am except calendar "nope"', ['every day at 9am except calendar "de-holidays"', 'every day at 9am except calendar "office-closed"']],
  ]) {
    await words.fill(typed);
    await until(typed, async () => JSON.stringify(await near.getByRole("button").allInnerTexts()) === JSON.stringify(offers));
    await near.getByRole("button").first().click();
    await page.getByText(/^Understood: .* calendar "|^Understood: .* Kalender "/i).waitFor();
  }
  // Those that the sentence does not name yet have a button, which adds them to its exceptions.
  const others = page.getByRole("group", { name: "Calendars to leave out" });
  for (const [typed, read, both] of [["every day at 9am except sundays", /Monday.* Saturday at/, /except calendar "de-holidays" and calendar "office-closed"$/], ["jeden Tag um 9 Uhr", /jeden Tag/, /außer Kalender "de-holidays" und Kalender "office-closed"$/]]) {
    await words.fill(typed);
    await page.getByText(/^Understood:/).getByText(read).waitFor();
    await others.getByRole("button", { name: /de-holidays$/ }).click();
    await page.getByText(/^Understood: .*de-holidays"/).waitFor();
    assert.deepEqual((await others.getByRole("button").allInnerTexts()).map((text) => text.split(" ").at(-1)), ["office-closed"]);
    await others.getByRole("button").click();
    await page.getByText(/^Understood:/).getByText(both).waitFor();
    // The sentence of the next runs is what was understood, too.
    await page.getByText(/^Every Monday.* except calendar "de-holidays" and calendar "office-closed"\.$|^Every day.* except calendar "de-holidays" and calendar "office-closed"\.$/).waitFor();
  }
  assert.deepEqual(await violations(page), []);
});

test("the list of tasks says where those are that have ended, and leads there", async () => {
  await create({ id: "ended-1", delayInSeconds: 0, tags: ["ended, really"] });
  await until("it to end", async () => (await scheduler.call("/v1/tasks/ended-1/runs")).body.runs.length === 1);
  const page = await tabs.at("/tasks?prefix=ended-1");
  await page.getByRole("heading", { name: "No task matches" }).waitFor();
  await page.getByRole("link", { name: "Open the task with exactly this id" }).waitFor();
  await page.getByText("Tasks that have ended are not in this list: their attempts are under Runs.").getByRole("link", { name: "Runs" }).click();
  await page.waitForURL(/#\/runs\?prefix=ended-1$/);
  await page.getByRole("link", { name: "ended-1" }).waitFor();
  // A list that is short says it, too. A tag with a comma is one tag.
  await create({ id: "ended-2", time: "2099-01-01T00:00:00Z", tags: ["ended, really", "other"] }, { id: "ended-3", time: "2099-01-01T00:00:00Z", tags: ["ended", "really"] });
  await tabs.go(page, "/tasks?prefix=ended-2");
  await page.getByRole("link", { name: "ended, really", exact: true }).click();
  await until("the tag to be the filter", async () => (await page.getByLabel("Tag", { exact: true }).inputValue()) === '"ended, really"');
  await page.getByText("1 task: all of them").waitFor();
  assert.deepEqual(await page.locator("main [data-row] .strong a").allInnerTexts(), ["ended-2"]);
  await page.getByText("their attempts are under").getByRole("link", { name: "Runs" }).click();
  await page.getByText("1 attempt: all of them").waitFor();
  await tabs.go(page, "/tasks?tag=ended,really");
  await page.getByRole("link", { name: "ended-3" }).waitFor();
  // The form and the page of a task have it whole, too.
  await tabs.go(page, "/tasks/ended-2/edit");
  const field = page.getByLabel("Tags (optional)");
  assert.equal(await field.inputValue(), '"ended, really", other');
  await field.press("End");
  await field.pressSequentially(', "a ""b"", c"');
  assert.equal(await field.inputValue(), '"ended, really", other, "a ""b"", c"');
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("ended-2 is changed.").waitFor();
  assert.deepEqual((await scheduler.call("/v1/tasks/ended-2")).body.tags, ["ended, really", "other", 'a "b", c']);
  await page.getByRole("region", { name: "Definition" }).getByRole("link", { name: 'a "b", c' }).click();
  await page.getByText("1 task: all of them").waitFor();
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "ended-" } } });
});

test("a dead letter has the time at which it failed, and its attempts from first to last with what to do", async () => {
  await create({ id: "calls-itself", delayInSeconds: 0, tags: ["looping"], callback: { type: "webhook", url: `${scheduler.url}/v1/stats` }, retry: { maxAttempts: 2, minBackoffSeconds: 0.1, jitter: 0 } });
  const [{ deadLetterId, failedAt }] = await until("a dead letter", async () => (await lettersOf("calls-itself")).length === 1 && lettersOf("calls-itself"));
  await create({ id: "calls-later", time: "2099-01-01T00:00:00Z", tags: ["looping"] });
  const advice = "The task calls a scheduler, which takes no requests from tasks";
  const page = await tabs.at(`/dead-letters/${encodeURIComponent(deadLetterId)}`);
  await page.locator(".note.bad").getByText(advice).waitFor();
  const attempts = page.getByRole("region", { name: "Attempts, first to last" });
  await attempts.getByText("attempt 2").waitFor();
  assert.deepEqual((await attempts.locator(".attempt-name").allInnerTexts()).map((text) => text.trim()), ["attempt 1", "attempt 2"]);
  await page.locator("dt").getByText("Was due").waitFor();
  assert.deepEqual(await violations(page), []);
  await tabs.go(page, "/tasks/calls-itself");
  await page.getByRole("region", { name: "Attempts" }).getByText(advice).waitFor();
  await page.getByRole("region", { name: "Why" }).getByText("/problems/loop").waitFor();
  // Nothing of it is due any more.
  const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: "calls-itself" }) });
  await tabs.go(page, "/tasks?tag=looping");
  await row.getByText(/^failed /).waitFor();
  await page.getByText("Dead letters are after what is due.").waitFor();
  await tabs.go(page, "/tasks?tag=looping&status=dead-lettered");
  await page.getByRole("columnheader", { name: /^Failed \(/ }).waitFor();
  assert.equal(await page.getByRole("columnheader", { name: /^Due/ }).count(), 0);
  assert.equal(await row.locator("time").getAttribute("datetime"), new Date(failedAt).toISOString());
  assert.equal(await page.getByLabel("Failed").locator("option:checked").innerText(), "first to last");
  assert.doesNotMatch(await row.innerText(), /failed /);
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { tag: "looping" } } });
});
