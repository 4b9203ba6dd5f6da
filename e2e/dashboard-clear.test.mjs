// Tests that the dashboard says one thing only, and says what to do: numbers that agree, errors in plain words, buttons in place of requests.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { violations } from "./browser/axe.mjs";
import { Tabs } from "./browser/browser.mjs";
import { browser, create, lettersOf, scheduler, sink, tabs, useDashboard } from "./browser/setup.mjs";
import { Scheduler, until } from "./harness.mjs";

useDashboard({ answer: ({ path }) => (path.startsWith("/refuses/") ? { status: 422, body: `order ${path.split("/").at(-1)} has no customer` } : 200) });

/** Nothing listens on this port. */
const CLOSED = { type: "webhook", url: "http://127.0.0.1:9/closed" };
const ONCE = { maxAttempts: 1 };

const number = (text) => Number(text.replaceAll(",", ""));

test("the overview of a new scheduler shows the same rows in its table as in its chart", async () => {
  // A scheduler that nobody has asked anything: its shards write their first rows when the page asks them.
  const fresh = await Scheduler.start({ shards: "8" });
  const others = new Tabs(browser, fresh);
  try {
    const page = await others.at("/");
    const chart = page.getByRole("img", { name: /rows were written/ });
    await chart.waitFor();
    // Both are drawn at the same time, and this reads them at the same time.
    const [label, row] = await page.evaluate(() => [
      document.querySelector('[aria-label*="rows were written"]').getAttribute("aria-label"),
      [...document.querySelectorAll("tr")].find((one) => one.textContent.startsWith("Rows written")).textContent,
    ]);
    const drawn = number(/, ([\d,]+) rows were written/.exec(label)[1]);
    assert.ok(drawn > 0);
    assert.equal(number(/^Rows written([\d,]+)\$/.exec(row)[1]), drawn);
    await others.close();
  } finally {
    await fresh.dispose();
  }
});

test("the lateness of the chart does not contradict that of the tiles", async () => {
  await create(...Array.from({ length: 5 }, (_, index) => ({ id: `quick-${index}`, delayInSeconds: 0 })));
  await until("them to fire", async () => (await scheduler.call("/v1/stats")).body.succeeded >= 5);
  const { body: stats } = await scheduler.call("/v1/stats");
  const page = await tabs.at("/");
  const chart = page.locator("figure").filter({ has: page.getByRole("img", { name: /^How late/ }) });
  await chart.getByText("Numbers").click();
  await chart.getByRole("row").nth(1).waitFor();
  const cells = (await chart.getByRole("row").allInnerTexts()).slice(1).flatMap((text) => text.split("\t").slice(1));
  const { max } = stats.latenessMillis;
  for (const cell of cells) {
    const [, least, millis] = /^(under )?(\d+(?:\.\d)?) (?:ms|s)$/.exec(cell.trim()) ?? assert.fail(cell);
    if (least) assert.equal(millis, "16");
    else assert.ok(Number(millis) * (cell.includes(" s") ? 1_000 : 1) <= max + 50, `${cell} in the chart, and at most ${max} ms in the tile`);
  }
  // The page says what each of them is about.
  await page.getByText(/^There was no backlog\..*This chart is about the last two hours.*The tiles above are more exact/).waitFor();
  await page.getByText(/What has happened, lateness included, is counted since the shards were created/).waitFor();
});

test("the reason of a dead letter has buttons in place of requests, and they replay and discard it", async () => {
  await create(...["dead/1", "dead/2"].map((id) => ({ id, delayInSeconds: 0, callback: CLOSED, retry: ONCE })));
  await until("both to be dead letters", async () => (await lettersOf("dead/")).length === 2);
  const page = await tabs.at("/tasks/dead%2F1");
  const why = page.getByRole("region", { name: "Why" });
  await why.getByText(/^The run of .* failed for good at .*, at attempt 1: no answer from http:\/\/127\.0\.0\.1:9\/closed: the connection was refused, or was cut before an answer\.$/).waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /\/v1\/|\.\.|Network connection lost/);
  assert.deepEqual(await violations(page), []);
  // What makes no sense for a dead letter is not offered.
  for (const name of ["Run now", "Pause", "Cancel task", "Edit"]) assert.equal(await page.getByRole("button", { name }).or(page.getByRole("link", { name, exact: true })).count(), 0, name);
  await page.getByText("Check that the target runs, and that the host and the port of the URL are right.").waitFor();

  await why.getByRole("button", { name: "Replay" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay dead/1" });
  await dialog.getByLabel("Callback, as JSON").fill(JSON.stringify({ type: "webhook", url: `${sink.url}/works` }));
  await dialog.getByRole("button", { name: "Replay with another callback" }).click();
  await page.getByText("It has ended").waitFor();
  assert.equal((await scheduler.call("/v1/tasks/dead%2F1/runs")).body.runs[0].outcome, "succeeded");

  await tabs.go(page, "/tasks/dead%2F2");
  await why.getByRole("link", { name: "Open the dead letter" }).click();
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  await page.goBack();
  await why.getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await page.getByText("It has ended").waitFor();
  assert.deepEqual(await lettersOf("dead/2"), []);
});

test("other reasons name no requests, either, and a key that can only read sees no buttons", async () => {
  await create({ id: "by-hand", type: "no-schedule" }, { id: "paused-1", cron: "0 0 1 1 *", paused: true }, { id: "dead-3", delayInSeconds: 0, callback: CLOSED, retry: ONCE });
  await until("a dead letter", async () => (await lettersOf("dead-3")).length === 1);
  const { body } = await scheduler.call("/v1/keys", { body: { name: "looker", scopes: ["read"], namespaces: ["default"] } });
  const page = await tabs.at("/tasks/by-hand", { key: body.key });
  const why = page.getByRole("region", { name: "Why" });
  for (const [id, text] of [["by-hand", "It has no schedule: it fires when you request it."], ["paused-1", /^It is paused since .*: it continues when it is resumed, and/], ["dead-3", /^The run of/]]) {
    await tabs.go(page, `/tasks/${id}`);
    await why.getByText(text).first().waitFor();
    assert.doesNotMatch(await why.innerText(), /\/v1\//);
    assert.equal(await why.getByRole("button").count(), 0);
  }
  await scheduler.call("/v1/tasks/cancel", { body: { ids: ["by-hand", "paused-1", "dead-3"] } });
});

test("a task that has ended shows what it was, if this tab has read it, and else what the history keeps", async () => {
  const page = await tabs.at("/create?example=hello");
  await page.getByLabel("Id (optional)").fill("was-here");
  // It ends before its page can read it.
  await page.getByLabel("Delay in seconds").fill("0");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("It has ended").waitFor();
  await page.getByText("My first task").first().waitFor();
  const definition = page.getByRole("region", { name: "Definition" });
  await definition.getByText("This is the definition as this tab last read it.").waitFor();
  await definition.getByText("handler:log").waitFor();
  await definition.getByLabel("Payload").getByText('"hello": "world"').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole("link", { name: "Create it again" }).click();
  await page.getByRole("heading", { name: "Clone was-here" }).waitFor();
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "My first task");
  assert.equal(await page.getByLabel("Handler").inputValue(), "log");

  // Another tab has not read it.
  const other = await tabs.at("/tasks/was-here");
  const kept = other.getByRole("region", { name: "What is kept of it" });
  await kept.getByText("handler:log").waitFor();
  await kept.getByText(/^succeeded, /).waitFor();
  await kept.getByText(/It does not keep its description, schedule or payload\./).waitFor();
  assert.deepEqual(await violations(other), []);
});

test("the next run of a delay moves with the clock, and that of a fixed time does not", async () => {
  const page = await tabs.at("/create");
  const first = page.getByRole("list", { name: "Next runs" }).getByRole("listitem").first();
  const texts = new Set();
  const shown = async () => {
    texts.add(await first.locator(".next-run .muted").last().innerText());
    return Date.parse(await first.locator("time").first().getAttribute("datetime"));
  };
  await first.waitFor();
  const before = await shown();
  await until("the run to move", async () => (await shown()) >= before + 2_000);
  const ahead = (await shown()) - (await page.evaluate(() => Date.now()));
  assert.ok(Math.abs(ahead - 60_000) < 3_000, `${ahead} ms`);
  // A delay of a minute is a minute all the time.
  assert.deepEqual([...texts], ["in 1 min"]);
  await page.getByText("If you create it now. The times move on until you do.").waitFor();
  await page.getByRole("button", { name: "Every", exact: true }).click();
  await page.getByText("If you create it now.").waitFor();
  await page.getByRole("button", { name: "At a time" }).click();
  await page.getByText("If you create it now.").waitFor({ state: "detached" });
  await create({ id: "edited-later", time: "2099-01-01T00:00:00Z" });
  const other = await tabs.at("/tasks/edited-later/edit");
  await other.getByRole("button", { name: "After a delay" }).click();
  await other.getByText("If you save it now. The times move on until you do.").waitFor();
  // Runs that are past are read again.
  await page.getByRole("button", { name: "Cron", exact: true }).click();
  await page.getByLabel(/^Cron expressions/).fill("* * * * * *");
  await page.getByText(/^Every second/).waitFor();
  await first.waitFor();
  const run = await shown();
  await until("a later run to be the first", async () => (await shown()) > run);
});

test("an error of a field is said once, without the API's name, and goes when the field is changed", async () => {
  const page = await tabs.at("/create");
  const requests = [];
  page.on("request", (request) => request.method() === "POST" && request.url().endsWith("/v1/tasks") && requests.push(request));
  const url = page.getByLabel("URL");
  const note = page.locator(".field").filter({ has: url }).locator(".field-error");
  const send = page.getByRole("button", { name: "Create", exact: true });
  // Nothing, and the beginning of a URL, are no URL.
  assert.equal(await url.inputValue(), "");
  for (const text of ["", "https://"]) {
    await url.fill(text);
    await send.click();
    await note.getByText("Enter the URL that the task calls, such as https://example.com/hook.").waitFor();
    await until("the URL to have the focus", () => url.evaluate((element) => element === document.activeElement));
    const { y, height } = await note.boundingBox();
    assert.ok(y >= 0 && y + height <= 800, `the note is at ${y}`);
    await url.fill("h");
    await note.waitFor({ state: "detached" });
  }
  assert.deepEqual(requests, []);
  await url.fill("nowhere");
  await send.click();
  await note.waitFor();
  assert.match(await note.innerText(), /^This is not /);
  const alert = page.getByRole("alert");
  assert.equal((await alert.innerText()).match(/callback\.url/g).length, 1);
  await page.getByLabel("Description (optional)").fill("another field");
  await note.waitFor();
  await url.fill("https://example.com/");
  await note.waitFor({ state: "detached" });
  await alert.waitFor({ state: "detached" });
  assert.equal(await url.getAttribute("aria-invalid"), "false");
  // A part of a list is an error of the field of the list.
  await page.getByLabel("Tags (optional)").fill(`fine, ${"x".repeat(200)}`);
  await send.click();
  await page.locator(".field").filter({ has: page.getByLabel("Tags (optional)") }).locator(".field-error").waitFor();
});

for (const width of [380, 1280]) test(`a note of what was done covers nothing of the page, ${width} pixels wide`, async () => {
  await create({ id: `covered-${width}`, time: "2099-01-01T00:00:00Z" });
  const page = await tabs.at(`/tasks/covered-${width}`, { width, height: 700 });
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  const note = page.locator(".notice").filter({ hasText: `covered-${width} is paused.` });
  await note.waitFor();
  const [above, below] = [await page.locator("main").boundingBox(), await note.boundingBox()];
  assert.ok(above.y + above.height <= below.y + 1, `the page ends at ${above.y + above.height}, the note begins at ${below.y}`);
  assert.ok(below.y + below.height <= 701 && below.x >= 0 && below.x + below.width <= width);
  await note.getByRole("button", { name: "Dismiss" }).click();
  await until("the page to have the room again", async () => (await page.locator("main").boundingBox()).height > above.height);
});

test("groups of errors show a real error, and say if the others differ", async () => {
  await create(...[41, 42, 43].map((order) => ({ id: `grouped-${order}`, delayInSeconds: 0, tags: ["grouped"], callback: { type: "webhook", url: `${sink.url}/refuses/${order}` }, retry: ONCE })));
  await until("their dead letters", async () => (await lettersOf("grouped-")).length === 3);
  const page = await tabs.at("/dead-letters?tag=grouped");
  const title = page.getByRole("heading", { level: 2 });
  await title.getByText(/^HTTP 422 from http:\/\/127\.0\.0\.1:\d+\/refuses\/4[123]: order 4[123] has no customer$/).waitFor();
  await page.getByText(/^3 dead letters, .*This is the error of the newest\. Those of the others differ in numbers or ids\./).waitFor();
  await tabs.go(page, "/runs?group=error&tag=grouped");
  const row = page.getByRole("row").filter({ hasText: "has no customer" });
  await row.getByText(/^HTTP 422 from http:\/\/127\.0\.0\.1:\d+\/refuses\/4[123]: order 4[123] has no customer$/).waitFor();
  await page.getByText(/^Each row stands for all attempts whose errors differ only in numbers and ids/).waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /<n>|<id>/);
  await scheduler.call("/v1/dead-letters/discard", { body: { filter: { tags: ["grouped"] } } });
});

test("live updates say on which pages there are none", async () => {
  const page = await tabs.at("/create");
  for (const [address, text] of [
    ["/create", "Not for this form: nothing replaces what you type."],
    ["/tasks", "Not for this list, so that its rows stay where they are: “Read again” reads it."],
    ["/runs", "Not for this list, so that its rows stay where they are: “Read again” reads it."],
    ["/dead-letters", "Not for this list, so that its rows stay where they are: “Read again” reads it."],
    ["/runs?view=events", "Not by reading: events arrive as they happen while you follow them."],
    ["/namespaces", /^Not for this page: it shows what was there at \d\d:\d\d:\d\d\.$/],
    ["/help", "Not for this page: it shows nothing that changes."],
  ]) {
    await tabs.go(page, address);
    await page.getByText(text).waitFor();
    if (String(text).includes("Read again")) await page.getByRole("button", { name: "Read again" }).waitFor();
  }
  await tabs.go(page, "/");
  await page.getByText(/^Every 5 s, about \$/).waitFor();
  await page.getByRole("switch", { name: "Live updates" }).click();
  await page.getByText("Off: no page is read again by itself.").waitFor();
  await page.getByRole("switch", { name: "Live updates" }).click();
  // The page of a task that ends is read until it has ended.
  await create({ id: "ends-here", time: "2099-01-01T00:00:00Z" });
  await tabs.go(page, "/tasks/ends-here");
  await page.getByText(/^Every 10 s/).waitFor();
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run now" }).click();
  await page.getByText("It has ended: nothing of it waits or runs any more.").waitFor();
  await page.getByText(/^The task has ended: nothing more is to come\. Last read at \d\d:\d\d:\d\d\.$/).waitFor();
});

test("an error of an action names its task, without requests of the API, and leaves with its page", async () => {
  await create({ id: "gone 1", time: "2099-01-01T00:00:00Z", paused: true }, { id: "gone-2", time: "2099-01-01T00:00:00Z" }, { id: "stays", time: "2099-01-01T00:00:00Z" });
  const page = await tabs.at("/tasks/gone%201");
  await page.getByRole("button", { name: "Resume" }).waitFor();
  const other = await tabs.at("/tasks/gone-2");
  await other.getByRole("button", { name: "Pause" }).click();
  // Somebody else cancels both meanwhile.
  await scheduler.call("/v1/tasks/cancel", { body: { ids: ["gone 1", "gone-2"] } });
  await page.getByRole("button", { name: "Resume" }).click();
  const note = page.locator(".notice.bad");
  await note.getByText("“gone 1” was not resumed: No task has the id").waitFor();
  assert.doesNotMatch(await note.innerText(), /\/v1\//);
  // The page shows how it is now, and nothing of it is beside its panel.
  await page.getByText("Nothing of it waits or runs any more").or(page.getByText("It has ended")).first().waitFor();
  const [panel, time] = [await page.getByRole("region", { name: "Attempts" }).boundingBox(), await page.locator(".attempt .time").first().boundingBox()];
  assert.ok(time.x + time.width <= panel.x + panel.width, `${time.x + time.width} beyond ${panel.x + panel.width}`);
  await tabs.go(page, "/tasks/stays");
  await page.getByRole("heading", { name: "stays" }).waitFor();
  await note.waitFor({ state: "detached" });

  const dialog = other.getByRole("dialog");
  await dialog.getByLabel("Note (optional)").fill("too late");
  await dialog.getByRole("button", { name: "Pause" }).click();
  await dialog.getByRole("alert").getByText("No task has the id").waitFor();
  assert.doesNotMatch(await dialog.innerText(), /\/v1\/|GET|pauseNote/);
  await scheduler.call("/v1/tasks/stays", { method: "DELETE" });
});

test("a refused key is said once, and shortcuts have names that every font can show", async () => {
  const page = await tabs.blank();
  await page.getByLabel("API key").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /^The API key is unknown/);
  const mac = () => Object.defineProperty(Navigator.prototype, "platform", { get: () => "MacIntel" });
  for (const [prepare, keys] of [[undefined, "Ctrl K"], [mac, "Cmd K"]]) {
    const help = await tabs.at("/help", prepare ? { prepare } : {});
    await help.locator("dt").getByText(keys, { exact: true }).waitFor();
    await help.locator(".palette-button").getByText(keys).waitFor();
    assert.doesNotMatch(await help.locator("body").innerText(), /[\u2300-\u23ff]/);
  }
});

test("the list says where tasks without a due time are, which have no order of time", async () => {
  const ids = ["unordered-1", "unordered-2"];
  await create(...ids.map((id, index) => ({ id, time: Date.UTC(2099, 0, 2 - index), paused: true })), { id: "unordered-3", time: "2099-01-03T00:00:00Z" });
  const page = await tabs.at("/tasks?prefix=unordered");
  for (const [query, text, isFirst] of [
    ["", "Dead letters are after what is due. What is held, paused or unscheduled is last, in no order of time.", true],
    ["&order=desc", "Dead letters are before what is due. What is held, paused or unscheduled is first, in no order of time.", false],
  ]) {
    await tabs.go(page, `/tasks?prefix=unordered${query}`);
    await page.getByText(text).waitFor();
    await until("the place of what is due", async () => (await page.locator(`.grid-body [data-index="${isFirst ? 0 : 2}"]`).innerText()).includes("unordered-3"));
  }
  await tabs.go(page, "/tasks?status=paused");
  await page.getByText("What is paused has no due time, so this list is in no order of time.").waitFor();
  // The API's document makes the same promise.
  const document = JSON.parse(await readFile(join(ROOT, "coordinator/openapi.json"), "utf8"));
  assert.match(document.paths["/v1/tasks"].get.description, /paused and unscheduled tasks have no due time: they are last, in no order of time/);
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "unordered" } } });
});
