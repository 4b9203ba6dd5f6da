// Runs a real browser on the dashboard of a scheduler.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ROOT } from "../../scripts/paths.mjs";
import { browserEnv, browserPath } from "./unpack.mjs";

const TIMEOUT_MS = 15_000;

/** Starts the browser, whose files stay below the checkout. */
export async function startBrowser() {
  const tmp = join(ROOT, ".wrangler/browser");
  await mkdir(tmp, { recursive: true });
  process.env.TMPDIR = tmp;
  return chromium.launch({
    executablePath: browserPath(),
    headless: true,
    // The tests load only pages of this machine, and run as root where the sandbox is not
    // available.
    args: ["--no-sandbox", "--disable-gpu", "--no-zygote", "--font-render-hinting=none"],
    env: { ...process.env, TMPDIR: tmp, ...browserEnv() },
  });
}

/** Tabs, each with storage of its own, and the problems in them. */
export class Tabs {
  #browser;
  #scheduler;
  #contexts = [];
  /** The errors in the console: of scripts, and of the Content-Security-Policy. */
  errors = [];
  /** Requests to anything but the scheduler. */
  strangers = [];

  constructor(browser, scheduler) {
    this.#browser = browser;
    this.#scheduler = scheduler;
  }

  /**
   * Opens a tab that is not signed in. Options: `theme` (light or dark), `width`, `height`, `zone`, and `prepare`, a function that
   * runs in each document of the tab before the page's own scripts.
   */
  async blank({ theme = "light", width = 1280, height = 800, zone = "Europe/Berlin", address = "/", prepare } = {}) {
    const context = await this.#browser.newContext({ colorScheme: theme, viewport: { width, height }, timezoneId: zone, locale: "en-GB", reducedMotion: "reduce" });
    context.setDefaultTimeout(TIMEOUT_MS);
    this.#contexts.push(context);
    const page = await context.newPage();
    if (prepare) await page.addInitScript(prepare);
    page.on("console", (message) => {
      // The browser also shows an error for every refusal of the API.
      if (message.type() === "error" && !/Failed to load resource/.test(message.text())) this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(this.#scheduler.url)) this.strangers.push(request.url());
    });
    await page.goto(`${this.#scheduler.url}${address}`);
    return page;
  }

  /** Opens a signed-in tab at a page of the dashboard. Options: those of `blank`, `key`, `namespace`. */
  async at(address, { key = this.#scheduler.key, namespace, ...options } = {}) {
    const parameters = new URLSearchParams({ key, ...(namespace ? { namespace } : {}) });
    const page = await this.blank({ ...options, address: `/#${parameters}` });
    await page.locator(".shell").waitFor();
    await this.go(page, address);
    return page;
  }

  /** Goes to a page of the dashboard. */
  async go(page, address) {
    await page.evaluate((to) => {
      for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
      location.hash = to;
    }, address);
    await page.locator("main h1").waitFor();
  }

  /** Closes the tabs, and checks that there were no problems in them. */
  async close() {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    assert.deepEqual(this.errors.splice(0), []);
    assert.deepEqual(this.strangers.splice(0), []);
  }
}
