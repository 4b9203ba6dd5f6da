// Tests the dashboard in a real browser against the real runtime.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { readLib } from "./browser/lib.mjs";
import { create, scheduler, tabs, useDashboard } from "./browser/setup.mjs";
import { until } from "./harness.mjs";

useDashboard();

test("the Worker serves the dashboard at / with its policy, and answers all other paths itself", async () => {
  const page = await fetch(`${scheduler.url}/`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /^text\/html/);
  assert.match(page.headers.get("content-security-policy"), /script-src 'self'.*frame-ancestors 'none'/);
  const script = /src="([^"]+)"/.exec(await page.text())[1];
  const loaded = await fetch(`${scheduler.url}${script}`);
  assert.match(loaded.headers.get("content-type"), /javascript/);
  assert.match(loaded.headers.get("cache-control"), /immutable/);
  await loaded.body.cancel();
  for (const [path, status] of [["/tasks", 401], ["/v1/tasks", 401], ["/v2/tasks", 401], ["/assets/none.js", 401], ["/healthz", 200], ["/problems/invalid", 200]]) {
    const answer = await fetch(`${scheduler.url}${path}`, { headers: { "sec-fetch-mode": "navigate" } });
    assert.equal(answer.status, status, path);
    assert.doesNotMatch(answer.headers.get("content-type"), /html/, path);
    await answer.body.cancel();
  }
});

test("the whole dashboard has less than 200 KB after gzip", async () => {
  const page = await (await fetch(`${scheduler.url}/`)).text();
  const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
  assert.ok(files.some((path) => path.endsWith(".js")) && files.some((path) => path.endsWith(".css")), String(files));
  let bytes = gzipSync(page).length;
  for (const path of files) bytes += gzipSync(Buffer.from(await (await fetch(scheduler.url + path)).arrayBuffer())).length;
  assert.ok(bytes > 10_000 && bytes < 200_000, `${bytes} bytes`);
});

test("a namespace without tasks explains what a task is, and offers a first one", async () => {
  const page = await tabs.at("/tasks");
  await page.getByRole("heading", { name: "No task waits or runs" }).waitFor();
  await page.getByRole("link", { name: /fires in five seconds/ }).waitFor();
});

test("a wrong key is refused with the reason, and a valid key signs in for this tab only", async () => {
  const page = await tabs.blank();
  await page.getByLabel("API key").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("the API key is unknown").waitFor();
  await page.getByLabel("API key").fill(scheduler.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(".shell").waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage)), "{}");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test("the link with a key signs in, and the key is removed from the address", async () => {
  const page = await tabs.at("/tasks");
  assert.doesNotMatch(page.url(), new RegExp(scheduler.key));
  // This also works in a tab where the dashboard is already open.
  const other = await tabs.blank();
  await other.goto(`${scheduler.url}/#key=${scheduler.key}`);
  await other.locator(".shell").waitFor();
  assert.doesNotMatch(other.url(), new RegExp(scheduler.key));
});

test("tasks are listed, and a filter is kept in the address", async () => {
  await create({ id: "list-1", time: "2099-01-01T00:00:00Z", tags: ["blue"] }, { id: "list-2", cron: "0 9 * * MON-FRI", timezone: "Europe/London" });
  const page = await tabs.at("/tasks");
  const list = page.getByRole("table", { name: "Tasks" });
  await list.getByRole("link", { name: "list-1" }).waitFor();
  await list.getByText("Every weekday at 09:00, Europe/London").waitFor();
  await page.getByLabel("Tag", { exact: true }).fill("blue");
  await page.waitForURL(/#\/tasks\?tag=blue$/);
  await list.getByRole("link", { name: "list-2" }).waitFor({ state: "detached" });
  await list.getByRole("link", { name: "list-1" }).waitFor();
  await page.reload();
  assert.equal(await page.getByLabel("Tag", { exact: true }).inputValue(), "blue");
  await list.getByRole("link", { name: "list-1" }).waitFor();
});

test("the content of tasks is shown as text, and only the page's own scripts run", async () => {
  const hostile = `<img src=x onerror="globalThis.isBroken = true"><script>globalThis.isBroken = true</script>`;
  await create({ id: hostile, time: "2097-01-01T00:00:00Z", description: hostile, tags: ["<b>bold</b>"], payload: { html: hostile } });
  const page = await tabs.at("/tasks?tag=%3Cb%3Ebold%3C%2Fb%3E");
  await page.getByRole("link", { name: hostile, exact: true }).click();
  await page.getByRole("heading", { name: hostile }).waitFor();
  await page.getByLabel("Payload").getByText(JSON.stringify(hostile).slice(1, 40)).waitFor();
  assert.equal(await page.evaluate(() => globalThis.isBroken), undefined);
  // The policy refuses every way to insert a script into the document.
  const refused = await page.evaluate(() => {
    const errorOf = (attempt) => {
      try {
        attempt();
        return "allowed";
      } catch (error) {
        return String(error);
      }
    };
    return [errorOf(() => (document.body.innerHTML = "<b>x</b>")), errorOf(() => document.createElement("img").setAttribute("onerror", "globalThis.isBroken = true"))];
  });
  for (const text of refused) assert.match(text, /Trusted/);
  assert.equal(await page.evaluate(() => globalThis.isBroken), undefined);
  assert.ok(tabs.errors.splice(0).every((text) => /Trusted/.test(text)));
});

test("a long list keeps few rows in the document, reads more at its end, and shows the first rows again", async () => {
  await create(...Array.from({ length: 1_500 }, (_, index) => ({ id: `long-${String(index).padStart(4, "0")}`, time: Date.UTC(2098, 0) + index * 1_000, tags: ["long"] })));
  const page = await tabs.at("/tasks?tag=long");
  const list = page.getByRole("table", { name: "Tasks" });
  await list.getByRole("link", { name: "long-0000" }).waitFor();
  const body = page.locator(".grid-body");
  await until("the last row", async () => {
    await body.evaluate((element) => (element.scrollTop = element.scrollHeight));
    return (await list.getByRole("link", { name: "long-1499" }).count()) > 0;
  });
  await page.getByText("1,500 tasks: all of them").waitFor();
  assert.ok((await list.getByRole("row").count()) < 80);
  await body.evaluate((element) => (element.scrollTop = 0));
  await list.getByRole("link", { name: "long-0000" }).waitFor();
  // A selected row stays selected while it is not visible.
  await page.getByLabel("Select long-0001").check();
  await body.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await list.getByRole("link", { name: "long-1499" }).waitFor();
  await page.getByText("1 selected:").waitFor();
});

test("a key that can only write begins with the form, which names what the key cannot see", async () => {
  const { body } = await scheduler.call("/v1/keys", { body: { name: "writer", scopes: ["write"], namespaces: ["default"] } });
  const page = await tabs.at("/", { key: body.key });
  await page.getByRole("heading", { name: "Create a task" }).waitFor();
  await page.getByText("Your key cannot show the next runs").waitFor();
  await page.getByLabel("Id (optional)").fill("written");
  await page.getByLabel("URL").fill("https://example.com/");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("written is created.").waitFor();
});

test("tags in a text are read as they are written, with any letters, and unfinished ones are kept", async () => {
  const lib = await readLib("tags");
  for (const tags of [["a", "b"], ["a,b"], ['say "hi"', "x"], [" y "], ['"', '","'], ["a\\,b"]]) assert.deepEqual(lib.readTags(lib.writeTags(tags)), tags);
  for (const [text, tags] of [["", [""]], ["a,", ["a", ""]], [" a , b", ["a", "b"]], ['"a', ['"a']], ['"a, b', ['"a', "b"]], ['"a"b, c', ['"a"b', "c"]]]) assert.deepEqual(lib.readTags(text), tags, text);
});

test("a calendar has the tasks that name it, once each, and what is not known of them is said", async () => {
  const lib = await readLib("calendars");
  const of = lib.withUsers(new Map([["x", ["a"]]]), [{ id: "a", status: "running", exclude: { calendars: ["x"] } }, { id: "b", status: "paused", exclude: { calendars: ["x", "y"] } }, { id: "c", status: "dead-lettered", exclude: { calendars: ["x"] } }, { id: "d", status: "scheduled" }]);
  assert.deepEqual([...of], [["x", ["a", "b"]], ["y", ["b"]]]);
  const text = (name, more, users) => lib.usageOf({ name, tasksUpdated: 0, tasksFailed: 0, pending: false, ...more }, users).text;
  assert.equal(text("x", {}, undefined), "counting…");
  assert.deepEqual(["x", "y", "z"].map((name) => text(name, {}, { of, isWhole: true })), ["2 tasks", "1 task", "none"]);
  assert.deepEqual(["x", "z"].map((name) => text(name, {}, { of, isWhole: false })), ["at least 2 tasks", "none of the next recurring tasks"]);
  assert.equal(text("x", { pending: true, tasksUpdated: 1, tasksFailed: 1 }, { of, isWhole: true }), "2 tasks, 1 of which keeps its former items; being updated: 1 task so far");
  for (const [name, tasksFailed, expected] of [
    ["x", 2, "2 tasks, all of which keep their former items"],
    ["x", 3, "2 tasks; 3 tasks keep their former items"],
    ["y", 1, "1 task, which keeps its former items"],
    ["z", 1, "none; 1 task keeps its former items"],
  ])
    assert.equal(text(name, { tasksFailed }, { of, isWhole: true }), expected);
});
