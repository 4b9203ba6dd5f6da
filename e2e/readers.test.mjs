// Tests many readers of events on the real local runtime: their number, their cost, and the places
// of readers that have disconnected.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { measured, runtimeOf } from "./attacks.mjs";
import { Scheduler, until } from "./harness.mjs";

/** The milliseconds for which idle readers are measured. */
const WINDOW_MILLIS = 3_000;
/** The same as `MAX_READERS_OF_A_KEY` in core/model/src/bounds/shard.rs. */
const OF_A_KEY = 64;

let scheduler;
const aborts = [];

before(async () => {
  scheduler = await Scheduler.start({ shards: "4" });
});
after(async () => {
  for (const abort of aborts) abort.abort();
  await scheduler?.dispose();
});

/** Begins to read, and continues in the background. */
async function follow(headers) {
  const abort = new AbortController();
  aborts.push(abort);
  const response = await scheduler.fetch("/v1/events", { headers, signal: abort.signal });
  const reader = { status: response.status, response, text: "", close: () => abort.abort() };
  if (response.status === 200) {
    const read = async () => {
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) reader.text += chunk;
    };
    reader.ended = read().catch(() => undefined);
  }
  return reader;
}

test("readers share the places of their key, and an idle reader costs almost nothing", async (t) => {
  const of = async (name) => {
    const { status, body } = await scheduler.call("/v1/keys", { body: { name, scopes: ["read"], namespaces: ["default"] } });
    assert.equal(status, 201);
    return { authorization: `Bearer ${body.key}` };
  };
  const [one, other] = [await of("one"), await of("other")];
  const readers = [];
  // A key is the same key in any spelling of the scheme.
  const spelt = (n) => ({ authorization: n % 2 ? one.authorization : one.authorization.replace("Bearer ", "bEARER  ") });
  for (let n = 0; n < OF_A_KEY; n += 1) readers.push(await follow(spelt(n)));
  assert.deepEqual(new Set(readers.map((reader) => reader.status)), new Set([200]));

  const refused = await follow(one);
  assert.equal(refused.status, 429);
  assert.equal(refused.response.headers.get("retry-after"), "10");
  const problem = await refused.response.json();
  assert.equal(problem.type, "/problems/too-many-readers");
  assert.match(problem.detail, /at most 128 readers of events, and at most 64 with one API key/);
  const served = await follow(other);
  assert.equal(served.status, 200);
  assert.equal((await scheduler.call("/v1/stats", { headers: one })).status, 200);

  if (process.platform === "linux") {
    const { cpu } = await measured(runtimeOf(scheduler), () => setTimeout(WINDOW_MILLIS));
    t.diagnostic(`${OF_A_KEY + 1} idle readers of 4 shards: ${cpu} ms of CPU in ${WINDOW_MILLIS} ms`);
    assert.ok(cpu < WINDOW_MILLIS / 4, `idle readers took ${cpu} ms of CPU`);
  }

  // All of them receive the next event.
  const { body: task } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } } });
  await until("every reader to receive it", () => [...readers, served].every((reader) => reader.text.includes(`"id":"${task.id}"`)));

  // Readers that disconnect free their places.
  for (const reader of readers) reader.close();
  await until("a place to be free", async () => (await follow(one)).status === 200);

  // Many simultaneous readers take no more places than there are, and each served reader receives
  // the next event.
  const burst = await of("burst");
  const opened = await Promise.all(Array.from({ length: OF_A_KEY + 16 }, () => follow(burst)));
  const taken = opened.filter((reader) => reader.status === 200);
  assert.ok(taken.length > 0 && taken.length <= OF_A_KEY, `${taken.length} readers`);
  const { body: next } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } } });
  await until("every reader to receive it", () => taken.every((reader) => reader.text.includes(`"id":"${next.id}"`)));
});
