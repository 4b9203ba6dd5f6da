// Tests the dashboard in a real browser: dead letters, limits, namespaces and keys, and an
// unreachable scheduler.

import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./browser/axe.mjs";
import { scheduler, sink, tabs, useDashboard } from "./browser/setup.mjs";
import { until } from "./harness.mjs";

/** The sink's answer. */
let answer = 500;

useDashboard({ answer: () => answer });

const call = async (path, options, status = 200) => {
  const found = await scheduler.call(path, options);
  assert.equal(found.status, status, JSON.stringify(found.body));
  return found.body;
};

/** Creates tasks that fail at once, and waits until all are dead letters. */
async function fail(count, { prefix, status }) {
  answer = status;
  const callback = { type: "webhook", url: `${sink.url}/${prefix}` };
  await call("/v1/tasks/batch", { body: Array.from({ length: count }, (_, index) => ({ id: `${prefix}-${index}`, delayInSeconds: 0, tags: [prefix], callback, payload: { index }, retry: { maxAttempts: 1 } })) });
  await until("the dead letters", async () => (await call(`/v1/dead-letters?tag=${prefix}`)).deadLetters.length === count);
}

test("dead letters are grouped by error, and replayed or discarded one by one, by selection, by group and by filter", async () => {
  await fail(3, { prefix: "teapot", status: 418 });
  await fail(4, { prefix: "broken", status: 500 });
  const page = await tabs.at("/dead-letters");
  const broken = page.getByRole("region", { name: /^HTTP 500/, exact: false }).first();
  const teapot = page.getByRole("region", { name: /^HTTP 418/, exact: false }).first();
  await broken.getByText("4 dead letters").waitFor();
  await teapot.getByText("3 dead letters").waitFor();
  const dialog = page.getByRole("dialog");

  // Some are discarded.
  await broken.getByLabel("Select broken-1").check();
  await broken.getByLabel("Select broken-2").check();
  await page.getByRole("button", { name: "Discard selected" }).click();
  await dialog.getByText("2 selected dead letters").waitFor();
  await dialog.getByLabel(/Type “discard”/).fill("discard");
  await dialog.getByRole("button", { name: "Discard" }).click();
  await page.getByText("2 dead letters discarded").waitFor();
  await broken.getByText("2 dead letters").first().waitFor();

  // One is replayed with another payload.
  answer = 200;
  await broken.getByRole("link", { name: "broken-0" }).click();
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  await dialog.getByLabel("Payload, as JSON").fill('{"index":"repaired"}');
  await dialog.getByRole("button", { name: "Replay with another payload" }).click();
  await until("the repaired run", () => sink.webhooks.some(({ body }) => body.payload?.index === "repaired"));
  await page.getByRole("heading", { name: "broken-0" }).waitFor();

  // One is discarded.
  await tabs.go(page, "/dead-letters");
  await broken.getByRole("link", { name: "broken-3" }).click();
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await dialog.getByRole("button", { name: "Discard" }).click();
  await page.getByText("The dead letter of broken-3 is discarded.").waitFor();

  // A group is replayed.
  const before = sink.webhooks.length;
  await teapot.getByRole("button", { name: "Replay these" }).click();
  await dialog.getByText("the 3 dead letters with this error").waitFor();
  await dialog.getByRole("button", { name: "Replay" }).click();
  await page.getByText("3 dead letters replayed").waitFor();
  await until("the replays", () => sink.webhooks.length === before + 3);

  // All that match a filter are discarded.
  await fail(2, { prefix: "gone", status: 410 });
  await fail(1, { prefix: "kept", status: 410 });
  await tabs.go(page, "/dead-letters?tag=gone");
  await page.getByRole("button", { name: "Discard all that match" }).click();
  await dialog.getByText(/all dead letters with Tag: gone: \d+ dead letters?/).waitFor();
  await dialog.getByLabel(/Type “discard”/).fill("discard");
  await dialog.getByRole("button", { name: "Discard" }).click();
  await page.getByText("2 dead letters discarded").last().waitFor();
  await page.getByRole("heading", { name: "No dead letter matches" }).waitFor();
  assert.equal((await call("/v1/dead-letters?tag=kept")).deadLetters.length, 1);

  // All that match another filter are replayed.
  answer = 200;
  const seen = sink.webhooks.length;
  await tabs.go(page, "/dead-letters?tag=kept");
  await page.getByRole("button", { name: "Replay all that match" }).click();
  await dialog.getByText("all dead letters with Tag: kept: 1 dead letter").waitFor();
  await dialog.getByLabel(/Type “replay”/).fill("replay");
  await dialog.getByRole("button", { name: "Replay" }).click();
  await page.getByText("1 dead letter replayed", { exact: true }).waitFor();
  await until("the replay", () => sink.webhooks.length === seen + 1);
});

test("a limit is set, changed and deleted", async () => {
  const page = await tabs.at("/limits");
  await page.getByRole("heading", { name: "No limits" }).waitFor();
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Set a limit" }).click();
  await dialog.getByLabel("Key").fill("stripe");
  await dialog.getByLabel("Runs per second").fill("0.5");
  await dialog.getByRole("button", { name: "Set" }).click();
  await page.getByRole("cell", { name: "stripe", exact: true }).waitFor();
  assert.equal((await call("/v1/limits/stripe")).perSecond, 0.5);
  await page.getByRole("button", { name: "Change stripe" }).click();
  await dialog.getByLabel("Runs at a time").fill("7");
  await dialog.getByRole("button", { name: "Set" }).click();
  await page.getByRole("cell", { name: "7", exact: true }).waitFor();
  assert.equal((await call("/v1/limits/stripe")).concurrency, 7);
  await page.getByRole("button", { name: "Delete stripe" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No limits" }).waitFor();
  await call("/v1/limits/stripe", {}, 404);
});

test("a namespace is created, used, and deleted when it is empty", async () => {
  const page = await tabs.at("/namespaces");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Create a namespace" }).click();
  await dialog.getByLabel("Name").fill("Not a name");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByLabel("Name").fill("shop");
  await dialog.getByLabel("Tasks at most").fill("1000");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("cell", { name: "1,000" }).waitFor();
  await page.getByRole("button", { name: "Change shop" }).click();
  assert.equal(await dialog.getByLabel("Tasks at most").inputValue(), "1000");
  await dialog.getByLabel("Creates per second").fill("250");
  await dialog.getByRole("button", { name: "Change" }).click();
  await page.getByRole("cell", { name: "250" }).waitFor();
  assert.deepEqual((await call("/v1/namespaces")).namespaces.find(({ name }) => name === "shop").quota, { pendingTasks: 1_000, createsPerSecond: 250 });
  await page.getByRole("button", { name: "Switch to shop" }).click();
  await page.getByRole("cell", { name: "shop (this one)" }).waitFor();
  await tabs.go(page, "/create?example=hello");
  await page.getByRole("button", { name: "curl" }).click();
  await page.getByText("Scheduler-Namespace: shop").waitFor();
  await page.getByLabel("Delay in seconds").fill("36000");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "hello" }).waitFor();
  await call("/v1/tasks/hello", {}, 404);
  await call("/v1/tasks/hello", { headers: { "scheduler-namespace": "shop" } });

  await page.getByLabel("Namespace").selectOption("default");
  await tabs.go(page, "/namespaces");
  const remove = async () => {
    await page.getByRole("button", { name: "Delete shop" }).click();
    await dialog.getByLabel("Type “shop” to confirm").fill("shop");
    await dialog.getByRole("button", { name: "Delete" }).click();
  };
  await remove();
  await dialog.getByText("Namespace not empty").waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await call("/v1/tasks/hello", { method: "DELETE", headers: { "scheduler-namespace": "shop" } });
  await remove();
  await page.getByText("The namespace shop is deleted.").waitFor();
});

test("with a key for several namespaces a user chooses among them, and is refused in others", async () => {
  for (const name of ["east", "west"]) await call(`/v1/namespaces/${name}`, { method: "PUT", body: {} }, 201);
  await call("/v1/tasks", { body: { id: "in-west", time: "2099-01-01T00:00:00Z", callback: { type: "handler", name: "log" } }, headers: { "scheduler-namespace": "west" } }, 201);
  const { key } = await call("/v1/keys", { body: { name: "two", scopes: ["read"], namespaces: ["east", "west", "nowhere"] } }, 201);
  const page = await tabs.at("/tasks", { key });
  await page.getByRole("heading", { name: "No task waits or runs" }).waitFor();
  assert.equal(await page.getByLabel("Namespace").inputValue(), "east");
  await page.getByLabel("Namespace").selectOption("west");
  await page.getByRole("link", { name: "in-west" }).waitFor();
  const other = await tabs.blank();
  for (const [namespace, refusal] of [["north", /not for the namespace “north”/], ["nowhere", /Namespace not found/]]) {
    await other.getByLabel("API key").fill(key);
    await other.getByLabel("Namespace (optional)").fill(namespace);
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("alert").getByText(refusal).waitFor();
  }
});

test("a key is created, shown once, limited to its scopes, and revoked", async () => {
  await call("/v1/tasks", { body: { id: "looked-at", everySeconds: 3600, callback: { type: "webhook", url: "https://example.com/", headers: { "x-secret": "hush" } } } }, 201);
  await fail(1, { prefix: "watched", status: 410 });
  const page = await tabs.at("/keys");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Create a key" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("watcher");
  await dialog.getByLabel(/^write/).uncheck();
  await dialog.getByRole("button", { name: "Create" }).click();
  const made = page.getByRole("dialog", { name: "The key “watcher”" });
  const key = (await made.getByLabel("The key").innerText()).trim();
  assert.match(key, /^dsk_[0-9a-f]+_/);
  await made.getByRole("button", { name: "I have stored it" }).click();
  await page.getByRole("cell", { name: /^watcher/ }).waitFor();
  assert.doesNotMatch(await page.content(), new RegExp(key));

  // A key that can only read sees no other actions.
  const watcher = await tabs.at("/", { key });
  const pages = await watcher.getByRole("navigation", { name: "Pages" }).getByRole("link").allInnerTexts();
  assert.deepEqual(pages.map((name) => name.trim()), ["Overview", "Tasks", "Agenda", "Runs", "Dead letters", "Limits", "Calendars"]);
  assert.equal(await watcher.getByRole("link", { name: "Create a task" }).count(), 0);
  await tabs.go(watcher, "/tasks/looked-at");
  await watcher.getByText("Every hour.").waitFor();
  for (const name of ["Pause", "Run now", "Cancel task"]) assert.equal(await watcher.getByRole("button", { name }).count(), 0, name);
  assert.equal(await watcher.getByRole("link", { name: "Edit" }).count(), 0);
  assert.doesNotMatch(await watcher.content(), /hush/);
  await tabs.go(watcher, "/tasks");
  await watcher.getByRole("link", { name: "looked-at" }).waitFor();
  assert.equal(await watcher.getByRole("checkbox", { name: /^Select/ }).count(), 0);
  await tabs.go(watcher, "/dead-letters?tag=watched");
  await watcher.getByText("1 dead letter,").waitFor();
  assert.equal(await watcher.getByRole("button", { name: /Replay|Discard/ }).count(), 0);
  await tabs.go(watcher, "/limits");
  await watcher.getByRole("heading", { name: "No limits" }).waitFor();
  assert.equal(await watcher.getByRole("button", { name: "Set a limit" }).count(), 0);
  await tabs.go(watcher, "/calendars");
  await watcher.getByRole("heading", { name: "No calendars" }).waitFor();
  assert.equal(await watcher.getByRole("button", { name: "Create a calendar" }).count(), 0);
  for (const address of ["/keys", "/create", "/namespaces"]) {
    await tabs.go(watcher, address);
    await watcher.getByText("Your key may not use this page").waitFor();
  }

  await page.getByRole("button", { name: "Revoke watcher" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await page.getByText(/The key watcher is revoked/).waitFor();
  // Within ten seconds the key is refused, and its user is signed out.
  await until("the watcher to be signed out", async () => {
    await tabs.go(watcher, "/tasks").catch(() => {});
    await tabs.go(watcher, "/limits").catch(() => {});
    return (await watcher.getByText("You were signed out").count()) > 0;
  });
});

test("a calendar is created, left out by a new task, changed by two people, and deleted when no task names it", async () => {
  const page = await tabs.at("/help");
  const dialog = page.getByRole("dialog");
  await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await page.getByRole("heading", { name: "No calendars" }).waitFor();
  const create = async (dates) => {
    await page.getByRole("button", { name: "Create a calendar" }).click();
    assert.ok(await dialog.getByRole("button", { name: "Create" }).isDisabled());
    await dialog.getByLabel("Name", { exact: true }).fill("holidays");
    await dialog.getByLabel("Description (optional)").fill("Days off");
    await dialog.getByLabel("Dates").fill(dates);
    await dialog.getByLabel("SUN").check();
    await dialog.getByLabel("Rules").fill("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1");
    await dialog.getByRole("button", { name: "Create" }).click();
  };
  // One that is stored, but cannot be read, is named, and can be created again.
  await page.route("**/v1/calendars", (route) => route.fulfill({ json: { calendars: [], unreadable: ["holidays"] } }));
  await page.reload();
  await page.getByText("The scheduler cannot read the calendar holidays. Tasks keep the items that they have. Create it again.").waitFor();
  assert.deepEqual(await violations(page), []);
  const sent = page.waitForRequest((request) => request.method() === "PUT");
  await create("2099-01-02, 13-01");
  assert.equal((await sent).headers()["if-none-match"], undefined);
  await page.unroute("**/v1/calendars");
  await dialog.getByText('This is "13-01", a date that does not exist').waitFor();
  await dialog.getByText("Nothing was changed: see what is marked above.").waitFor();
  await until("the dates to have the focus", () => dialog.getByLabel("Dates").evaluate((field) => field === document.activeElement));
  assert.deepEqual(await violations(page), []);
  await dialog.getByLabel("Dates").fill("2099-01-02,\n12-24/12-26,");
  await dialog.getByRole("button", { name: "Create" }).click();
  const listed = page.getByRole("row").filter({ hasText: "Days off" });
  await listed.getByText("none", { exact: true }).waitFor();
  const made = await call("/v1/calendars/holidays");
  assert.deepEqual([made.dates, made.weekdays, made.rules, made.description], [["2099-01-02", "12-24/12-26"], ["SUN"], ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"], "Days off"]);
  // A second one of the same name does not replace it.
  await create("01-01");
  await dialog.getByText("There is a calendar holidays already.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  assert.equal((await call("/v1/calendars/holidays")).version, made.version);

  await page.getByRole("link", { name: "holidays" }).click();
  await page.getByRole("list", { name: "Dates" }).getByText("12-24/12-26").waitFor();
  await page.getByRole("link", { name: "Create a task that leaves it out" }).click();
  await page.getByLabel("Id (optional)").fill("off-duty");
  assert.ok(await page.getByLabel("holidays", { exact: true }).isChecked());
  await page.getByText("Bounds and overlap").click();
  await page.getByLabel(/^Not before/).fill("2099-01-02T00:00:00");
  await page.getByLabel(/^Not after/).fill("2099-01-03T12:00:00");
  await page.getByLabel("Time zone").fill("UTC");
  await page.getByRole("list", { name: "Next runs" }).getByText("2099-01-03").first().waitFor();
  await page.getByLabel("Calls").selectOption("handler");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "off-duty" }).waitFor();
  assert.deepEqual((await call("/v1/tasks/off-duty")).exclude, { calendars: ["holidays"] });

  // It is in use although it has never changed.
  await tabs.go(page, "/calendars/holidays");
  await page.getByRole("status").getByText("1 task", { exact: true }).waitFor();
  await page.getByRole("list", { name: "Tasks that name it" }).getByRole("link", { name: "off-duty" }).waitFor();
  await tabs.go(page, "/calendars");
  await listed.getByText("1 task", { exact: true }).waitFor();

  // Somebody else changes it while the dialog is open.
  await page.getByRole("button", { name: "Change holidays" }).click();
  assert.equal(await dialog.getByLabel("Dates").inputValue(), "2099-01-02, 12-24/12-26");
  await dialog.getByLabel("Dates").fill("2099-01-02/2099-01-03");
  await call("/v1/calendars/holidays", { method: "PUT", body: { dates: ["2099-01-02"] } });
  await dialog.getByRole("button", { name: "Change" }).click();
  await dialog.getByText("Somebody has changed holidays since you opened it. It has now: dates 2099-01-02.").waitFor();
  assert.deepEqual((await call("/v1/calendars/holidays")).dates, ["2099-01-02"]);
  await dialog.getByRole("button", { name: "Change" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual((await call("/v1/calendars/holidays")).dates, ["2099-01-02/2099-01-03"]);
  // The new items leave the task no run, so it keeps the former ones, and the page of the calendar says so by itself.
  await page.getByRole("link", { name: "holidays" }).click();
  await page.getByText(/^1 task, which keeps its former items/).waitFor();
  await page.getByRole("list", { name: "Tasks that keep the former items" }).getByRole("link", { name: "off-duty" }).waitFor();
  assert.deepEqual(await violations(page), []);

  await page.getByRole("button", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await dialog.getByText('1 task names the calendar "holidays": "off-duty"').waitFor();
  await call("/v1/tasks/off-duty", { method: "DELETE" });
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByText("The calendar holidays is deleted.").waitFor();
  await page.getByRole("heading", { name: "No calendars" }).waitFor();
  await tabs.go(page, "/calendars/holidays");
  await page.getByRole("heading", { name: "There is no such calendar" }).waitFor();
});

test("long names, descriptions and lists of a calendar leave room for the others", async () => {
  const page = await tabs.at("/calendars");
  const long = "A_very.long-calendar-name_that-fills-all-of-the-64-letters_allow";
  assert.equal(long.length, 64);
  const dates = Array.from({ length: 288 }, (_, index) => `${2030 + Math.floor(index / 28)}-01-${String((index % 28) + 1).padStart(2, "0")}`);
  const description = "The days on which the warehouse is closed, including those between Christmas and New Year, and whenever the forklift is being repaired.";
  for (const [name, body] of [[long, { dates, description }], ["short", { dates: ["12-25"], description: "Hours in which nobody is in the office" }]]) {
    await call(`/v1/calendars/${name}`, { method: "PUT", body }, 201);
  }
  await page.reload();
  await page.getByRole("link", { name: long }).waitFor();
  // The buttons of a row stand beside each other.
  const top = async (name) => (await page.getByRole("button", { name }).boundingBox()).y;
  assert.equal(await top("Change short"), await top("Delete short"));
  const list = page.getByRole("region", { name: "Calendars" });
  const overflow = () => list.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.equal(await overflow(), 0);
  await page.setViewportSize({ width: 390, height: 844 });
  await until("the list to fit", async () => (await overflow()) === 0);
  // Each value begins beside its name, however long it is.
  const lefts = await page.locator("td[data-title] > a").evaluateAll((links) => links.map((link) => link.getClientRects()[0].left));
  assert.equal(lefts.length, 2);
  assert.equal(lefts[0], lefts[1]);

  await page.getByRole("link", { name: long }).click();
  const items = page.getByRole("list", { name: "Dates" }).getByRole("listitem");
  await items.first().waitFor();
  assert.equal(await items.count(), 30);
  await page.getByRole("button", { name: "Show all 288" }).click();
  assert.equal(await items.count(), 288);
  await page.getByRole("button", { name: "Show the first 30" }).click();
  assert.equal(await items.count(), 30);
  assert.deepEqual(await violations(page), []);
  for (const name of [long, "short"]) await call(`/v1/calendars/${name}`, { method: "DELETE" });
  await page.context().close();
});

test("a hidden page does not read, and reads at once when it is visible again", async () => {
  const page = await tabs.at("/");
  await page.getByRole("region", { name: "Health" }).waitFor();
  let requests = 0;
  page.on("request", (request) => request.url().includes("/v1/") && (requests += 1));
  const setVisible = (isVisible) =>
    page.evaluate((visible) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => !visible });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isVisible);
  await until("an automatic reading", () => requests > 0);
  await setVisible(false);
  // A request may have been sent just before. After that, a whole interval must pass without a
  // request.
  const from = requests;
  const seen = Date.now();
  await until("more than an interval", () => Date.now() - seen > 6_000);
  assert.ok(requests <= from + 1, `${requests - from} requests while hidden`);
  const hidden = requests;
  await setVisible(true);
  await until("a reading at once", () => requests > hidden, { timeoutMs: 2_000 });
  await page.getByText(/Every 5 s, about \$/).waitFor();
  await page.getByRole("switch", { name: "Live updates" }).click();
  await page.getByText("Off: no page is read again by itself.").waitFor();
  const off = requests;
  // Nor is it read again when it becomes visible. A request of that moment would be seen before this one has its answer.
  await setVisible(false);
  await setVisible(true);
  await page.evaluate(async () => (await fetch("/healthz")).text());
  assert.equal(requests, off);
  await page.getByRole("switch", { name: "Live updates" }).click();
  await until("a reading once it is on again", () => requests > off, { timeoutMs: 2_000 });
});

test("an open page needs no further script, so charts appear even while the scheduler is unreachable", async () => {
  const page = await tabs.at("/tasks");
  const scripts = [];
  page.on("request", (request) => request.resourceType() === "script" && scripts.push(request.url()));
  await tabs.go(page, "/");
  await page.locator("canvas").first().waitFor();
  assert.deepEqual(scripts, []);
});

test("while the scheduler is unreachable, the page says so and keeps its content, and continues afterwards", async () => {
  const page = await tabs.at("/tasks/looked-at");
  await page.getByText("Every hour.").waitFor();
  const overview = await tabs.at("/");
  await overview.getByRole("region", { name: "Health" }).waitFor();
  const lists = await tabs.at("/help");
  await scheduler.kill();
  await overview.getByText("The present state is not known.").waitFor();
  await tabs.go(lists, "/tasks");
  await lists.getByRole("alert").filter({ hasText: "No answer" }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  const pause = page.getByRole("dialog").getByRole("button", { name: "Pause" });
  await pause.click();
  await page.getByText("The scheduler does not answer. This page shows what it read before.").waitFor();
  assert.ok(await page.getByText("Every hour.").isVisible());
  await scheduler.restart();
  await page.getByText("The scheduler does not answer. This page shows what it read before.").waitFor({ state: "detached" });
  await pause.click();
  await page.getByText("looked-at is paused.").waitFor();
  await overview.getByText("The present state is not known.").waitFor({ state: "detached" });
  // What could not be read is read now.
  await lists.getByRole("link", { name: "looked-at" }).waitFor();
});
