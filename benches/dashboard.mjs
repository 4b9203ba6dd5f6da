// Measures the cost of a list of a million tasks in the browser: `make bench-dashboard`
// (ARGS="--tasks N --rows N").

import { parseArgs } from "node:util";
import { startBrowser, Tabs } from "../e2e/browser/browser.mjs";
import { Scheduler, until } from "../e2e/harness.mjs";

const { values } = parseArgs({ options: { tasks: { type: "string", default: "1000000" }, rows: { type: "string", default: "200000" } } });
const [tasks, rows] = [Number(values.tasks), Number(values.rows)];
const BATCH = 20_000;
const HEAP_MB = (metrics) => (metrics.find(({ name }) => name === "JSHeapUsedSize").value / 1e6).toFixed(1);

const [scheduler, browser] = await Promise.all([Scheduler.start({ shards: "16" }), startBrowser()]);
const tabs = new Tabs(browser, scheduler);
try {
  const from = Date.UTC(2099, 0);
  for (let made = 0; made < tasks; made += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, tasks - made) }, (_, index) => ({ id: `order-${made + index}`, time: from + (made + index) * 1_000, description: "Remind of the open order", tags: ["orders"], callback: { type: "handler", name: "log" } }));
    const { status } = await scheduler.call("/v1/tasks/batch", { body: lines });
    if (status !== 200) throw new Error(`batch: ${status}`);
  }

  const page = await tabs.blank();
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return HEAP_MB((await session.send("Performance.getMetrics")).metrics);
  };
  const started = Date.now();
  await page.goto(`${scheduler.url}/#${new URLSearchParams({ key: scheduler.key })}`);
  await page.locator(".shell").waitFor();
  const signedIn = Date.now();
  await tabs.go(page, "/tasks");
  await page.locator(".grid-body .badge").first().waitFor();
  console.log(`signed in after ${signedIn - started} ms, first rows after a further ${Date.now() - signedIn} ms, heap ${await heap()} MB`);

  /** Scrolls down by a screen in each frame, and returns the lengths of the frames in milliseconds. */
  const scroll = (wanted, deadlineMs) =>
    page.evaluate(
      ([enough, within]) =>
        new Promise((resolve) => {
          const body = document.querySelector(".grid-body");
          const frames = [];
          const end = performance.now() + within;
          let before = performance.now();
          const frame = (at) => {
            frames.push(at - before);
            before = at;
            body.scrollTop += body.clientHeight;
            const length = Number(document.querySelector(".grid-table").getAttribute("aria-rowcount")) - 1;
            if (length >= enough || performance.now() > end) resolve({ frames, length });
            else requestAnimationFrame(frame);
          };
          requestAnimationFrame(frame);
        }),
      [wanted, deadlineMs],
    );
  for (const wanted of [10_000, 50_000, 100_000, rows].filter((count, index, all) => count <= rows && all.indexOf(count) === index)) {
    const { frames, length } = await scroll(wanted, 300_000);
    frames.sort((one, other) => one - other);
    const at = (part) => frames[Math.min(frames.length - 1, Math.floor(frames.length * part))].toFixed(0);
    const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
    console.log(`${length} rows read: frames p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; heap ${await heap()} MB, ${nodes} elements`);
  }
  const back = Date.now();
  await page.evaluate(() => (document.querySelector(".grid-body").scrollTop = 0));
  await page.locator(".grid-body [data-index='0'] .badge").waitFor();
  console.log(`back at the first row after ${Date.now() - back} ms`);

  const searched = Date.now();
  await page.getByLabel("Id begins with").fill(`order-${tasks - 1}`);
  await until("the last task", async () => (await page.getByRole("link", { name: `order-${tasks - 1}`, exact: true }).count()) > 0 || ((await page.getByRole("button", { name: "Search further" }).count()) > 0 && (await page.getByRole("button", { name: "Search further" }).click(), false)), { timeoutMs: 120_000 });
  console.log(`found the last of ${tasks} tasks by its id after ${Date.now() - searched} ms`);
} finally {
  await browser.close();
  await scheduler.dispose();
}
