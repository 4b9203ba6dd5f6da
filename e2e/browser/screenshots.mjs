// Takes screenshots of every page into screenshots/, in both themes and on a narrow screen: `make
// screenshots`. The arguments name single pages.

import { mkdir } from "node:fs/promises";
import { argv } from "node:process";
import { join } from "node:path";
import { ROOT } from "../../scripts/paths.mjs";
import { startBrowser, Tabs } from "./browser.mjs";
import { PAGES } from "./pages.mjs";
import { startSample } from "./sample.mjs";

const LOOKS = [
  { name: "light", theme: "light", width: 1280, height: 800 },
  { name: "dark", theme: "dark", width: 1280, height: 800 },
  { name: "narrow", theme: "light", width: 390, height: 844 },
];

/** Lets tasks fire while the overview is open, so that there is something to draw. */
async function burst(scheduler) {
  const tasks = Array.from({ length: 150 }, (_, index) => ({ id: `burst-${index}`, delayInSeconds: (index % 75) / 5, callback: { type: "handler", name: "log" } }));
  const { status } = await scheduler.call("/v1/tasks/batch", { body: tasks });
  if (status !== 200) throw new Error(`batch: ${status}`);
}

const folder = join(ROOT, "screenshots");
await mkdir(folder, { recursive: true });
const wanted = argv.slice(2);
const [{ scheduler, close }, browser] = await Promise.all([startSample(), startBrowser()]);
const tabs = new Tabs(browser, scheduler);

async function take({ name, address, ready, isSignedOut }, { name: look, ...options }) {
  if (name === "overview") await burst(scheduler);
  const page = isSignedOut ? await tabs.blank(options) : await tabs.at(address, options);
  await ready(page);
  if (name === "overview") await page.getByText(/: [1-9]\d\d succeeded/).waitFor();
  // This takes the whole page, not only the visible part, because the part that scrolls is not the
  // document.
  const height = await page.evaluate(() => document.querySelector("main").scrollHeight);
  await page.setViewportSize({ width: options.width, height: Math.min(Math.max(options.height, height + (options.width < 800 ? 60 : 0)), 2_400) });
  await page.screenshot({ path: join(folder, `${name}-${look}.png`) });
  await page.context().close();
}

try {
  const chosen = PAGES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  // The overview is last, because the tasks that fire there would appear in the lists.
  for (const part of [chosen.filter(({ name }) => name !== "overview"), chosen.filter(({ name }) => name === "overview")]) {
    for (const look of LOOKS) for (const entry of part) await take(entry, look);
  }
  await tabs.close();
} finally {
  await browser.close();
  await close();
}
