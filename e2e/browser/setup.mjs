// What a file of browser tests shares: a scheduler, a browser, a sink, and tabs that are closed after each test.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { Scheduler } from "../harness.mjs";
import { startSink } from "../sink.mjs";
import { startBrowser, Tabs } from "./browser.mjs";

/** These have values while the tests run. Each test file has its own, because it runs in a process of its own. */
export let scheduler;
export let browser;
export let tabs;
export let sink;

/** A callback of a task that succeeds. */
export const LOG = { type: "handler", name: "log" };

/**
 * Starts all of them before the tests of this file, and ends them afterwards. `answer` is what the sink answers (see `startSink`),
 * the other options are those of `Scheduler.start`, with 4 shards by default.
 */
export function useDashboard({ answer, ...options } = {}) {
  before(async () => {
    [scheduler, browser, sink] = await Promise.all([Scheduler.start({ shards: "4", ...options }), startBrowser(), startSink(answer)]);
    tabs = new Tabs(browser, scheduler);
  });
  after(async () => {
    await browser?.close();
    await scheduler?.dispose();
    await sink?.close();
  });
  afterEach(() => tabs.close());
}

/** Creates tasks, which by default log that they have fired. */
export async function create(...tasks) {
  const { status, body } = await scheduler.call("/v1/tasks/batch", { body: tasks.map((task) => ({ callback: LOG, ...task })) });
  assert.equal(status, 200, JSON.stringify(body));
}

/** Returns the dead letters of the tasks whose ids begin with `prefix`. */
export const lettersOf = async (prefix) => (await scheduler.call(`/v1/dead-letters?prefix=${encodeURIComponent(prefix)}`)).body.deadLetters;
