// The agent after its move, on the local runtime, with a clock that the tests move.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startScheduler } from "durable-scheduler/testing";

/** How the watched page answers, the next one first. Then it answers 200. */
const answers = [];
const outbound = () => new Response("", { status: answers.shift() ?? 200 });

const config = fileURLToPath(new URL("../wrangler.jsonc", import.meta.url));
// A Friday. On Sunday, the clocks of Berlin go forward.
const scheduler = await startScheduler({ config, outbound, now: "2030-03-29T05:00:00Z" });
after(() => scheduler.stop());

/** Sends a request to the agent of a team. */
async function call(method, path) {
  return (await scheduler.fetch(`/agents/watchers/team/${path}`, { method })).json();
}
const idOf = async (callback) => (await call("GET", "")).schedules.find((schedule) => schedule.callback === callback).id;

test("the page is checked every minute, and changes are posted", async () => {
  await call("PUT", "page?text=https://example.com/");
  answers.push(200, 404, 200);
  await scheduler.advance("3 minutes");
  const { checks, messages } = await call("GET", "");
  assert.equal(checks, 3);
  assert.deepEqual(messages, ["https://example.com/ is down", "https://example.com/ is up"]);
});

test("a check that fails is tried again, and the history shows it", async () => {
  answers.push(503, 503);
  // The next check, and what it waits between its attempts.
  await scheduler.advance("1.5 minutes");
  const [last, ...before] = await call("GET", `history?text=${await idOf("check")}`);
  assert.deepEqual([last.outcome, ...before.slice(0, 2).map(({ outcome }) => outcome)], ["succeeded", "failed", "failed"]);
  assert.match(before[0].error, /is busy/);
});

test("the summary comes at eight in Berlin on working days, whatever the clocks do", async () => {
  const { WATCHERS } = await scheduler.bindings();
  // Otherwise there would be thousands of checks until then.
  assert.equal(await WATCHERS.getByName("team").pauseSchedule(await idOf("check")), true);
  const summaries = async () => (await call("GET", "")).messages.filter((message) => message.endsWith("checks"));
  await scheduler.advanceTo("2030-03-29T06:59:00Z");
  assert.deepEqual(await summaries(), []);
  await scheduler.advanceTo("2030-03-29T07:00:00Z");
  assert.deepEqual(await summaries(), ["4 checks"]);
  await scheduler.advanceTo("2030-04-01T05:59:00Z");
  assert.equal((await summaries()).length, 1);
  await scheduler.advanceTo("2030-04-01T06:00:00Z");
  assert.deepEqual(await summaries(), ["4 checks", "0 checks"]);
});

test("reminders come once, and can be cancelled", async () => {
  const made = await call("POST", "reminder?seconds=60&text=Release");
  assert.deepEqual(made.schedules.map(({ callback }) => callback).sort(), ["check", "post", "sumUp"]);
  await call("POST", "reminder?seconds=90&text=Lunch");
  const lunch = (await call("GET", "")).schedules.find(({ payload }) => payload === "Lunch");
  await call("DELETE", `reminder?text=${lunch.id}`);
  await scheduler.advance("2 minutes");
  assert.deepEqual((await call("GET", "")).messages.slice(-1), ["Release"]);
});
