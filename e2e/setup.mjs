// What a file of tests shares: a scheduler, and a sink for what it fires.

import { after, before } from "node:test";
import { Scheduler } from "./harness.mjs";
import { startSink } from "./sink.mjs";

/** These have values while the tests run. Each test file has its own, because it runs in a process of its own. */
export let scheduler;
export let sink;

/**
 * Starts both before the tests of this file, and ends them afterwards. `options` are those of `Scheduler.start`; `sink` is added to
 * them, and a test may change them before a restart. `answer` is what the sink answers (see `startSink`).
 */
export function useScheduler(options, answer) {
  before(async () => {
    sink = await startSink(answer);
    options.sink = sink.url;
    scheduler = await Scheduler.start(options);
  });
  after(async () => {
    await scheduler?.dispose();
    await sink?.close();
  });
}
