// Tests that the dashboard never shows a blank page: in browsers with odd settings, and after errors of its own.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { violations } from "./browser/axe.mjs";
import { scheduler, tabs, useDashboard } from "./browser/setup.mjs";

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
