// Tests every page of the dashboard in a real browser, with an example of everything.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { violations } from "./browser/axe.mjs";
import { startBrowser, Tabs } from "./browser/browser.mjs";
import { hiddenOutlines } from "./browser/focus.mjs";
import { PAGES } from "./browser/pages.mjs";
import { startSample } from "./browser/sample.mjs";
import { until } from "./harness.mjs";

let sample;
let scheduler;
let browser;
let tabs;

before(async () => {
  [sample, browser] = await Promise.all([startSample(), startBrowser()]);
  scheduler = sample.scheduler;
  tabs = new Tabs(browser, scheduler);
});
after(async () => {
  await browser?.close();
  await sample?.close();
});
afterEach(() => tabs.close());

for (const theme of ["light", "dark"]) {
  test(`no page breaks an accessibility rule of axe, or hides a part of the outline of what has the focus, ${theme}`, async () => {
    const signedIn = await tabs.at("/help", { theme });
    const signedOut = await tabs.blank({ theme });
    const wrong = [];
    for (const { name, address, ready, isSignedOut } of PAGES) {
      const page = isSignedOut ? signedOut : signedIn;
      if (!isSignedOut) await tabs.go(page, address);
      await ready(page);
      wrong.push(...[...(await violations(page)), ...(await hiddenOutlines(page))].map((text) => `${name}: ${text}`));
    }
    assert.deepEqual(wrong, []);
  });
}

test("each page has one heading, which is also the title of the tab, while it is read as well", async () => {
  const page = await tabs.at("/help");
  const check = async (name) => {
    const headings = await page.locator("main h1").allInnerTexts();
    assert.equal(headings.length, 1, `${name}: ${headings}`);
    await until(`the title of ${name}`, async () => (await page.title()) === `${headings[0]} · Scheduler`);
  };
  for (const { name, address, ready, isSignedOut } of PAGES) {
    if (isSignedOut) continue;
    await tabs.go(page, address);
    await ready(page);
    await check(name);
  }
  // The answers do not arrive yet.
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route(/\/v1\/tasks\/cleanup/, async (route) => {
    await held;
    await route.continue();
  });
  for (const address of ["/create?from=cleanup", "/tasks/cleanup", "/tasks/cleanup/edit"]) {
    await tabs.go(page, address);
    await page.getByRole("status").filter({ hasText: "Reading" }).waitFor();
    await check(address);
  }
  release();
  await page.getByRole("button", { name: "Save" }).waitFor();
});

test("the charts show their values under the pointer, and as a table", async () => {
  const page = await tabs.at("/");
  const chart = page.locator("figure").filter({ has: page.getByRole("img", { name: /^In the last two hours, [\d,]+ runs succeeded/ }) });
  await chart.locator(".u-over").waitFor();
  await chart.getByText("Numbers").click();
  const rows = chart.getByRole("row");
  await rows.nth(1).waitFor();
  const { body } = await scheduler.call("/v1/stats/series");
  const used = body.buckets.filter((bucket) => bucket.succeeded + bucket.handedOver + bucket.failed > 0);
  const cells = (await rows.allInnerTexts()).slice(1).map((text) => text.split("\t").slice(1).map((cell) => cell.trim()));
  assert.deepEqual(cells, used.map((bucket) => [bucket.succeeded + bucket.handedOver, bucket.failed].map(String)));
  assert.deepEqual(await violations(page), []);
  // The pointer is on the last minute that has any.
  const index = body.buckets.indexOf(used.at(-1));
  const box = await chart.locator(".u-over").boundingBox();
  const step = box.width / body.buckets.length;
  await page.mouse.move(box.x + step * (index + 0.2), box.y + box.height / 2);
  const legend = chart.locator("figcaption");
  await legend.getByText(/\d\d:\d\d:00 UTC\+1$/).waitFor();
  assert.match(await legend.innerText(), /runs succeeded\s+\d+\s+attempts failed\s+\d+/);
});

test("on a narrow screen a row of a list shows when and how it is, and what can be done, without scrolling to the side", async () => {
  const page = await tabs.at("/tasks", { width: 380, height: 844 });
  for (const [address, name] of [["/tasks?tag=vip", "order-1042:remind"], ["/runs?tag=payments", "invoice-77"]]) {
    await tabs.go(page, address);
    const row = page.getByRole("row").filter({ has: page.getByRole("link", { name }) }).first();
    for (const part of [row.locator("time"), row.locator(".badge")]) {
      const { x, width } = await part.boundingBox();
      assert.ok(x >= 0 && x + width <= 380, `${address}: ${x} to ${x + width}`);
    }
    const [time, link] = [await row.locator("time").boundingBox(), await row.getByRole("link", { name }).boundingBox()];
    assert.ok(time.y > link.y, `${address}: below the name`);
  }
  // The column of the tags has room for few: a button shows all of them.
  for (const width of [380, 1280]) {
    await page.setViewportSize({ width, height: 844 });
    await tabs.go(page, "/tasks?tag=vip");
    const button = page.getByRole("button", { name: "all 2 tags of order-1042:remind" });
    await button.waitFor();
    const { x, width: wide } = await button.boundingBox();
    assert.ok(x >= 0 && x + wide <= width, `tags at ${width}: ${x} to ${x + wide}`);
    await button.click();
    const dialog = page.getByRole("dialog", { name: "Tags of order-1042:remind" });
    await dialog.getByRole("link", { name: "vip" }).waitFor();
    assert.deepEqual(await dialog.getByRole("link").allInnerTexts(), ["orders", "vip"]);
    assert.deepEqual(await violations(page), []);
    await dialog.getByRole("link", { name: "orders" }).click();
    await page.waitForURL(/tag=orders$/);
    await dialog.waitFor({ state: "detached" });
  }
  await page.setViewportSize({ width: 380, height: 844 });
  for (const [address, name] of [["/limits", "Delete payments"], ["/namespaces", "Delete shop"], ["/keys", "Revoke the shop"]]) {
    await tabs.go(page, address);
    const { x, width } = await page.getByRole("button", { name }).boundingBox();
    assert.ok(x >= 0 && x + width <= 380, `${address}: ${x} to ${x + width}`);
  }
});

test("no page is wider than a narrow screen, and the menu reaches every page", async () => {
  const page = await tabs.at("/help", { width: 380, height: 844 });
  for (const { name, address, ready, isSignedOut } of PAGES) {
    if (isSignedOut) continue;
    await tabs.go(page, address);
    await ready(page);
    const { content, screen } = await page.evaluate(() => ({ content: document.querySelector("main").scrollWidth, screen: innerWidth }));
    assert.ok(content <= screen, `${name}: ${content} pixels on ${screen}`);
    assert.deepEqual(await hiddenOutlines(page), [], name);
  }
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Limits" }).click();
  await page.getByRole("heading", { name: "Limits", exact: true }).waitFor();
});

test("the overview shows the health and its reasons, the cost, and the shards", async () => {
  const page = await tabs.at("/");
  const health = page.getByRole("region", { name: "Health" });
  // By the last half hour, in which more than a fifth of the sample's attempts have failed: before the page was opened.
  await health.getByText("Something is wrong: 2 things need your attention.").waitFor();
  await health.getByText(/^\d+ % of the last \d+ attempts failed\./).waitFor();
  await health.getByText("7 dead letters to replay or discard.").waitFor();
  const { body: stats } = await scheduler.call("/v1/stats");
  const tile = async (name) => (await page.locator(".tile").filter({ hasText: name }).locator(".tile-value").first().innerText()).trim();
  assert.equal(await tile("Waiting"), String(stats.pending));
  assert.equal(await tile("Dead letters"), "7");
  assert.equal(await tile("Failed attempts"), String(stats.failed));
  assert.notEqual(await tile("Lateness, 99 of 100"), "–");
  assert.match(await tile("In all"), /^\$0\.\d+$/);
  // The sample has too few attempts for a price of a million.
  assert.equal(await tile("Per million attempts"), "–");
  const shards = page.getByRole("list", { name: "Shards" }).getByRole("listitem");
  assert.equal(await shards.count(), 16);
  const held = (await shards.allInnerTexts()).map((text) => Number(text.split("\n").at(-1)));
  assert.equal(held.reduce((sum, value) => sum + value, 0), stats.pending);
  await page.getByRole("button", { name: "Memory" }).click();
  await shards.getByText(/ B$/).first().waitFor();
});

test("the overview begins with what has been and what is to come, by the API's series and forecast", async () => {
  const number = (text) => Number(text.replaceAll(",", ""));
  const sum = (buckets, name) => buckets.reduce((total, bucket) => total + bucket[name], 0);
  const page = await tabs.at("/");
  // The runs of the sample ended before this page was opened.
  const outcomes = page.getByRole("img", { name: /^In the last two hours/ }).first();
  await outcomes.waitFor();
  const { body: minutes } = await scheduler.call("/v1/stats/series");
  const [, succeeded, failed] = /, ([\d,]+) runs succeeded and ([\d,]+) attempts failed$/.exec(await outcomes.getAttribute("aria-label"));
  assert.deepEqual([number(succeeded), number(failed)], [sum(minutes.buckets, "succeeded") + sum(minutes.buckets, "handedOver"), sum(minutes.buckets, "failed")]);
  assert.ok(number(succeeded) >= 9 && number(failed) >= 7);
  await page.getByRole("img", { name: /^How late [\d,]+ attempts fired/ }).waitFor();
  await page.getByRole("img", { name: /rows were written, and [\d,]+ queue operations made$/ }).waitFor();
  await page.getByRole("group", { name: "How far back" }).getByRole("button", { name: "Seven days" }).click();
  const hours = page.getByRole("img", { name: /^In the last seven days, [\d,]+ runs succeeded/ });
  await hours.waitFor();
  assert.ok(number(/, ([\d,]+) runs/.exec(await hours.getAttribute("aria-label"))[1]) >= number(succeeded));

  const load = page.getByRole("img", { name: /^Runs that come due in the next day/ });
  await load.waitFor();
  const width = 86_400_000 / 48;
  const from = Math.floor(Date.now() / width) * width;
  const { body: day } = await scheduler.call(`/v1/forecast?from=${from}&to=${from + 48 * width}&buckets=48`);
  const shown = number(/: ([\d,]+)$/.exec(await load.getAttribute("aria-label"))[1]);
  // Half an hour may have begun meanwhile, with a few runs of recurring tasks.
  assert.ok(Math.abs(shown - sum(day.buckets, "oneShot") - sum(day.buckets, "recurring")) <= 10, `${shown} runs`);
  // Each quarter of an hour counts, not only the next run.
  assert.ok(shown >= 96 + 24 + 30);
  await page.getByText(/ tasks that fire once, and [\d,]+ runs of recurring tasks/).waitFor();
  await page.getByRole("group", { name: "How far ahead" }).getByRole("button", { name: "Hour" }).click();
  await page.getByRole("img", { name: /^Runs that come due in the next hour: \d+$/ }).waitFor();
});

test("a target that does not answer is named, and the health is bad because of it until nothing waits for it", async () => {
  const webhook = { type: "webhook", url: "http://127.0.0.1:9/silent", timeoutSeconds: 1 };
  const ids = Array.from({ length: 40 }, (_, index) => ({ id: `silent-${index}`, delayInSeconds: 0, callback: webhook, retry: { maxAttempts: 3, minBackoffSeconds: 60 } }));
  assert.equal((await scheduler.call("/v1/tasks/batch", { body: ids })).status, 200);
  await until("a circuit to open", async () => (await scheduler.call("/v1/stats")).body.circuits.length > 0);
  const page = await tabs.at("/");
  const health = page.getByRole("region", { name: "Health" });
  await health.getByText(/^Something is wrong/).waitFor();
  await health.getByText(/http:\/\/127\.0\.0\.1:9 does not answer/).waitFor();
  await page.getByRole("region", { name: "Targets that do not answer" }).last().getByText("open").first().waitFor();
  assert.equal((await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "silent-" } } })).status, 200);
  // Nothing is due for it, so no run tries it, and its circuit stays.
  await health.getByText(/^http:\/\/127\.0\.0\.1:9 has not answered the last \d+ attempts\. No run waits for it/).waitFor({ timeout: 60_000 });
  assert.doesNotMatch(await health.innerText(), /does not answer/);
  await page.getByRole("row", { name: /127\.0\.0\.1:9 half-open .* with the next run/ }).waitFor();
  const { circuits } = (await scheduler.call("/v1/stats")).body;
  assert.ok(circuits.every(({ state, until, waiting }) => state === "half-open" && until <= Date.now() && waiting === 0), JSON.stringify(circuits));
});

test("runs are listed, filtered and grouped by error, and a group leads to its attempts", async () => {
  const page = await tabs.at("/runs?tag=payments");
  const list = page.getByRole("table", { name: "Runs" });
  await list.getByRole("link", { name: "invoice-77" }).first().waitFor();
  assert.equal(await list.getByRole("link", { name: /^welcome/ }).count(), 0);
  await page.getByLabel("Outcome").selectOption("dead-lettered");
  await page.waitForURL(/outcome=dead-lettered/);
  await list.getByRole("link", { name: "order-900:charge" }).waitFor();
  assert.equal(await list.getByRole("link", { name: "invoice-77" }).count(), 0);
  await page.getByRole("button", { name: "Errors" }).click();
  const row = page.getByRole("row").filter({ hasText: /HTTP 422.*has no customer/ });
  assert.match(await row.innerText(), /\b5\b/);
  await row.getByRole("link", { name: "Attempts" }).click();
  await list.getByRole("link", { name: "order-904:charge" }).waitFor();
});

test("events are shown live, after a user has started them and has seen the cost", async () => {
  const page = await tabs.at("/runs?view=events");
  await page.getByText("about $0.09 an hour for the 16 shards").waitFor();
  const streams = [];
  page.on("request", (request) => request.url().endsWith("/v1/events") && streams.push(request));
  await page.getByRole("button", { name: "Follow events" }).click();
  await until("the stream to be open", () => streams.length === 1);
  // The stream begins some time after its request, so tasks are created until one is seen.
  let created = 0;
  await until("an event", async () => {
    created += 1;
    await scheduler.call("/v1/tasks", { body: { id: `seen-${created}`, time: "2099-01-01T00:00:00Z", callback: { type: "handler", name: "log" } } });
    return (await page.getByRole("region", { name: "Events" }).getByText("created").count()) > 0;
  });
  await page.getByRole("link", { name: /^seen-/ }).first().waitFor();
  await scheduler.call("/v1/tasks/cancel", { body: { filter: { prefix: "seen-" } } });
});

test("the agenda shows recurring tasks as rows, one-shot tasks by their time, and clock changes", async () => {
  // On this day London's clock jumps, which moves a run at half past one.
  await scheduler.call("/v1/tasks", { body: { id: "in-the-gap", cron: "30 1 * * *", timezone: "Europe/London", callback: { type: "handler", name: "log" } } });
  const at = Date.parse("2027-03-28T12:00:00Z");
  const page = await tabs.at(`/agenda?at=${at}`, { zone: "Europe/London" });
  const row = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "in-the-gap" }) });
  await row.getByText("1 run", { exact: true }).waitFor();
  await row.getByText(/2027-03-28 01:30:00 does not exist in Europe\/London/).waitFor();
  await page.getByText("UTC+0 to Mon 2027-03-29 00:00:00 UTC+1 (Europe/London)").waitFor();
  await page.getByRole("button", { name: "Week" }).click();
  await row.getByText("7 runs", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Now" }).click();
  await page.getByRole("link", { name: /^order-10\d\d:remind/ }).first().waitFor();
  await page.getByRole("button", { name: "Earlier" }).click();
  await page.getByRole("heading", { name: "This time is past" }).waitFor();
  await scheduler.call("/v1/tasks/in-the-gap", { method: "DELETE" });
});

test("the keyboard reaches everything: the palette, the pages, the actions of a task", async () => {
  const page = await tabs.at("/help");
  const palette = page.getByRole("combobox", { name: "A page, an action or the id of a task" });
  const choose = async (text, option) => {
    // A page that has just been loaded may not listen to the keyboard yet.
    await until("the palette", async () => {
      await page.keyboard.press("Control+k");
      return palette.waitFor({ timeout: 1_000 }).then(() => true, () => false);
    });
    await palette.fill(text);
    // The page offers its actions after it has read the task.
    await page.getByRole("option", { name: option, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await palette.waitFor({ state: "detached" });
  };
  await choose("report:daily", /report:daily/);
  await page.getByRole("heading", { name: "report:daily" }).waitFor();
  await choose("pause this", "Pause this task");
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.getByText("report:daily is paused.").waitFor();
  await choose("resume this", "Resume this task");
  await page.getByText("report:daily is resumed.").waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await page.getByRole("table", { name: "Tasks" }).waitFor();
  const search = page.getByLabel("Id or description contains");
  await until("the search to have the focus", async () => {
    await page.keyboard.press("/");
    return search.evaluate((input) => input === document.activeElement);
  });
  await page.keyboard.type("open order");
  await page.getByText("40 tasks: all of them").waitFor();
  assert.match(page.url(), /text=open\+order/);
  // The keyboard moves from row to row, selects one, and opens one.
  await page.getByRole("link", { name: "order-1042:remind" }).focus();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected:").waitFor();
  assert.ok(await page.getByLabel("Select order-1043:remind").isChecked());
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "order-1044:remind" }).waitFor();
  await choose("theme dark", "Theme: dark");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  // After a dialog, the element that opened it has the focus again.
  await tabs.go(page, "/tasks/cleanup");
  await page.getByRole("button", { name: "Cancel task" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Cancel task");
});
