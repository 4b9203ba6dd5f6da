// Tests what a newcomer to the dashboard needs: sentences that are true, a form that keeps what was typed, and addresses that say what they mean.

import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./browser/axe.mjs";
import { create, lettersOf, scheduler, sink, tabs, useDashboard } from "./browser/setup.mjs";
import { until } from "./harness.mjs";

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
  await page.getByRole("heading", { name: "Dead letters" }).waitFor();
  await scheduler.call("/v1/dead-letters/discard", { body: { all: true } });
  await tabs.go(page, "/");
  await health.getByText("Nothing needs your attention: nothing is overdue, and no dead letter waits.").waitFor();
  await health.getByText("1 run failed for good since the shards were created. It has been replayed, discarded or dropped since.").waitFor();
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
  await page.getByRole("heading", { name: "Tasks" }).waitFor();
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
  const page = await tabs.at("/tasks?status=bogus&tag=filtered&colour=red");
  const note = page.getByRole("status", { name: "What this page ignores" });
  await note.getByText("status=bogus").waitFor();
  await note.getByText(/It takes one of: scheduled, running, /).waitFor();
  await note.getByText("colour=red").waitFor();
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
