// Tests server-sent events on the real local runtime: which events a reader receives, and how it
// reconnects.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Scheduler, until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

let scheduler;
let sink;
let fails = false;
const readers = [];

before(async () => {
  sink = await startSink(() => (fails ? 500 : 200));
  scheduler = await Scheduler.start({ sink: sink.url, shards: "4", vars: { WEBHOOK_ALLOWED_HOSTS: "127.0.0.1" } });
});
after(async () => {
  await Promise.all(readers.map((reader) => reader.close()));
  await scheduler?.dispose();
  await sink?.close();
});

/** Starts a reader by the specification, which reads events and the last id in the background after the answer has begun. */
async function read(query = "", lastEventId) {
  const abort = new AbortController();
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const response = await scheduler.fetch(`/v1/events${query}`, { headers, signal: abort.signal });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = { events: [], lastEventId, retry: undefined, error: undefined };
  const ended = (async () => {
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) take(reader, block);
    }
  })().catch((error) => {
    if (!abort.signal.aborted) reader.error = error;
  });
  reader.close = async () => {
    abort.abort();
    await ended;
  };
  readers.push(reader);
  // The first block with an id is sent after every shard has replied.
  await until("the stream to begin", () => reader.lastEventId !== undefined && reader.retry !== undefined);
  return reader;
}

function take(reader, block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w*): ?(.*)$/.exec(line);
    if (name !== "") fields[name] = value;
  }
  if (fields.id !== undefined) reader.lastEventId = fields.id;
  if (fields.retry !== undefined) reader.retry = Number(fields.retry);
  if (fields.data === undefined) return;
  const data = JSON.parse(fields.data);
  assert.equal(data.type, fields.event);
  reader.events.push(data);
}

const types = (reader, id) => reader.events.filter((event) => id === undefined || event.id === id).map((event) => event.type);
const create = async (task) => {
  const { status, body } = await scheduler.call("/v1/tasks", { body: { delayInSeconds: 0, callback: { type: "handler", name: "noop" }, ...task } });
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
};
const post = (path) => scheduler.call(`/v1/tasks/${path}`, { method: "POST" });

test("a reader sees a task's life from the moment its stream begins, in order", async () => {
  const all = await read();
  assert.equal(all.retry, 1_000);
  const { due } = await create({ id: "a", tags: ["x", "y"] });
  await until("the end of a", () => types(all, "a").includes("succeeded"));
  assert.deepEqual(types(all, "a"), ["created", "fired", "succeeded"]);
  for (const event of all.events) assert.deepEqual([event.time, event.attempt, event.tags], [due, 1, ["x", "y"]]);
  await create({ id: "q", callback: { type: "queue", queue: "FIRED_TASKS" } });
  await create({ id: "p", delayInSeconds: 3_600 });
  await create({ id: "p", delayInSeconds: 3_600, priority: 9 });
  await scheduler.call("/v1/tasks/p", { method: "PATCH", body: { priority: 1 } });
  await post("p/pause");
  await post("p/resume");
  await scheduler.call("/v1/tasks/p/reschedule", { body: { delayInSeconds: 7_200 } });
  await scheduler.call("/v1/tasks/p", { method: "DELETE" });
  fails = true;
  const callback = { type: "webhook", url: `${sink.url}/x` };
  await create({ id: "f", retry: { maxAttempts: 2, minBackoffSeconds: 0.1 }, callback });
  await until("all", () => types(all, "f").includes("dead-lettered") && types(all, "q").length === 3 && types(all, "p").length === 7);
  assert.deepEqual(types(all, "q"), ["created", "fired", "handed-over"]);
  assert.deepEqual(types(all, "p"), ["created", "updated", "updated", "paused", "resumed", "rescheduled", "cancelled"]);
  assert.deepEqual(types(all, "f"), ["created", "fired", "failed", "fired", "dead-lettered"]);
  assert.match(all.events.find((event) => event.type === "failed").error, /^HTTP 500/);
  assert.equal(new Set(all.events.map((event) => event.key)).size, all.events.length);
  await all.close();
  assert.equal(all.error, undefined);
});

test("a reader sees only the events that it selects", async () => {
  const [tag, id, type] = [await read("?tag=mine"), await read("?id=b"), await read("?type=created")];
  await create({ id: "b" });
  await create({ id: "c", tags: ["mine"] });
  await create({ id: "d", tags: ["mine", "other"] });
  await until("all", () => types(tag).length === 6 && types(id).length === 3 && types(type).length === 3);
  assert.deepEqual(new Set(tag.events.map((event) => event.id)), new Set(["c", "d"]));
  assert.deepEqual(new Set(id.events.map((event) => event.id)), new Set(["b"]));
  assert.deepEqual(new Set(type.events.map((event) => event.id)), new Set(["b", "c", "d"]));
  await Promise.all([tag, id, type].map((reader) => reader.close()));
  const { status, body } = await scheduler.call("/v1/events?type=gone");
  assert.deepEqual([status, body.field], [422, "type"]);
});

test("a disconnected reader continues where it stopped, or gets a gap if it cannot", async () => {
  const first = await read("?tag=cut");
  await create({ id: "e", tags: ["cut"] });
  await until("the first", () => types(first).length === 3);
  await until("its cursor", () => first.lastEventId);
  await first.close();
  await create({ id: "g", tags: ["cut"] });
  const second = await read("?tag=cut", first.lastEventId);
  await until("what was missed", () => types(second, "g").length === 3);
  const keys = new Set(first.events.map((event) => event.key));
  const fresh = second.events.filter((event) => !keys.has(event.key));
  assert.deepEqual(fresh.map((event) => [event.id, event.type]), [["g", "created"], ["g", "fired"], ["g", "succeeded"]]);
  await second.close();

  // Shards that were restarted have lost earlier events.
  await scheduler.kill();
  await scheduler.restart();
  const third = await read("?tag=cut", second.lastEventId);
  await until("every shard's gap", () => types(third).filter((type) => type === "gap").length === 4);
  await create({ id: "h", tags: ["cut"] });
  await until("what happens then", () => types(third, "h").length === 3);
  await third.close();
  // The cursor is invalid.
  const fourth = await read("", "nonsense");
  assert.deepEqual(types(fourth), ["gap"]);
  await fourth.close();
});

test("a reader that does not read delays nothing, and gets a gap", async () => {
  const abort = new AbortController();
  const idle = await scheduler.fetch("/v1/events", { signal: abort.signal });
  const early = await read("?type=cancelled");
  const start = early.lastEventId;
  await early.close();
  const batch = (n) => Array.from({ length: 10_000 }, (_, at) => ({ id: `{one}-${n}-${at}`, delayInSeconds: 3_600, callback: { type: "handler", name: "noop" } }));
  for (let n = 0; n < 2; n++) {
    const { body } = await scheduler.call("/v1/tasks/batch", { body: batch(n) });
    assert.equal(body.accepted, 10_000);
  }
  // One shard has all of these events, which are more than it keeps.
  const late = await read("?type=cancelled", start);
  assert.deepEqual(types(late), ["gap"]);
  await late.close();
  abort.abort();
  await idle.body.cancel().catch(() => {});
});
