// Takes screenshots of every page into screenshots/, in both themes and on a narrow screen: `make
// screenshots`. The arguments name single pages.

import { mkdir } from "node:fs/promises";
import { argv } from "node:process";
import { join } from "node:path";
import { ROOT } from "../../scripts/paths.mjs";
import { startBrowser, Tabs } from "./browser.mjs";
import { PAGES } from "./pages.mjs";
import { startSample } from "./sample.mjs";
import { until } from "../harness.mjs";

const LOOKS = [
  { name: "light", theme: "light", width: 1280, height: 800 },
  { name: "dark", theme: "dark", width: 1280, height: 800 },
  { name: "narrow", theme: "light", width: 390, height: 844 },
];

/** More than the attempts from which on the overview shows the price of a million. */
const FIRED = 4_000;

/** Lets tasks fire for some minutes before the overview is opened, so that there is something to draw: more in the middle of them. */
async function minutes(scheduler) {
  const callback = { type: "handler", name: "log" };
  const tasks = Array.from({ length: FIRED }, (_, index) => ({ id: `minutes-${index}`, delayInSeconds: 5 + 70 * (1 + Math.sin((index * Math.PI) / FIRED - Math.PI / 2)), callback }));
  const { status } = await scheduler.call("/v1/tasks/batch", { body: tasks });
  if (status !== 200) throw new Error(`batch: ${status}`);
  await until("all of them to have fired", async () => (await scheduler.call("/v1/stats")).body.succeeded >= FIRED, { timeoutMs: 240_000, everyMs: 1_000 });
}

const folder = join(ROOT, "screenshots");
await mkdir(folder, { recursive: true });
const wanted = argv.slice(2);
const [{ scheduler, close }, browser] = await Promise.all([startSample(), startBrowser()]);
const tabs = new Tabs(browser, scheduler);

async function take({ name, address, ready, isSignedOut }, { name: look, ...options }) {
  const page = isSignedOut ? await tabs.blank(options) : await tabs.at(address, options);
  await ready(page);
  // This takes the whole page, not only the visible part, because the part that scrolls is not the
  // document.
  const height = await page.evaluate(() => document.querySelector("main").scrollHeight);
  await page.setViewportSize({ width: options.width, height: Math.min(Math.max(options.height, height + (options.width < 800 ? 60 : 0)), 2_400) });
  await page.screenshot({ path: join(folder, `${name}-${look}.png`) });
  await page.context().close();
}

try {
  const chosen = PAGES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  // The overview is last, because the tasks that fire for it would appear in the lists.
  for (const look of LOOKS) for (const entry of chosen.filter(({ name }) => name !== "overview")) await take(entry, look);
  const overview = chosen.find(({ name }) => name === "overview");
  if (overview) {
    await minutes(scheduler);
    for (const look of LOOKS) await take(overview, look);
  }
  await tabs.close();
} finally {
  await browser.close();
  await close();
}
