// What keeps an object awake, and so is billed, after its work is done: a timer that has not gone off.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";

/** Counts the timers that are set and will go off in a second or more. */
const TIMERS = `
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const open = new Map();
  globalThis.setTimeout = (call, wait, ...given) => {
    const timer = set((...given) => {
      open.delete(timer);
      call(...given);
    }, wait, ...given);
    if (wait >= 1_000) open.set(timer, wait);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    open.delete(timer);
    clear(timer);
  };
  const control = () => [...open.values()];`;

test("a run on its own leaves no timer, and its counts are stored", async (t) => {
  const storage = await folder(t);
  const first = await start(t, storage, { parts: TIMERS });
  const { status } = await first.call("/v1/tasks", { id: "alone", delayInSeconds: 1, callback: { type: "handler", name: "noop" } });
  assert.equal(status, 201);
  await until("the run", async () => (await first.call("/v1/tasks/alone/runs")).body.runs.length === 1);
  // The handlers of the alarm and of the queue end.
  await until("no timer", async () => (await first.control("")).length === 0, { timeoutMs: 3_000 });
  await first.stop();
  const second = await start(t, storage, { parts: TIMERS });
  const { fired, succeeded } = (await second.call("/v1/stats")).body;
  assert.deepEqual([fired, succeeded], [1, 1]);
});
