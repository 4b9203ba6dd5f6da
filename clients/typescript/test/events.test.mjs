// The stream of events: how it is parsed, and how it goes on after it was cut off.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseServerSentEvents } from "../src/client/sse.ts";
import { fakeScheduler, problem, stream } from "./fake.mjs";

const block = (event, id) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n${id === undefined ? "" : `id: ${id}\n`}\n`;
const event = (key, more) => ({ type: "fired", key, at: 1, id: "a", ...more });
const answer = (chunks, end) => () => new Response(stream(chunks, end), { headers: { "content-type": "text/event-stream" } });

/** The fake scheduler clones its answers, and a clone of a stream that stays open would hold back what was read. */
function streams(...answers) {
  return fakeScheduler(answers.map((make) => (typeof make === "function" ? () => Object.assign(make(), { clone() { return this; } }) : make)));
}

/** Reads `count` events, then leaves the loop. */
async function read(events, count) {
  const found = [];
  if (count === 0) return found;
  for await (const event of events) {
    found.push(event);
    if (found.length === count) break;
  }
  return found;
}

async function parse(chunks) {
  const blocks = [];
  for await (const found of parseServerSentEvents(stream(chunks))) blocks.push(found);
  return blocks;
}

test("a stream is parsed however it is divided", async () => {
  const text = ": comment\nretry: 1000\n\nid: 1\n\r\nevent: fired\rdata: {\"a\":1}\r\ndata:  é\r\nid: 2\r\n\r\ndata\n\nid: nul\0\ndata: x\n\ndata: cut off";
  const expected = [
    undefined,
    { id: "", hasId: false, name: "", data: "" },
    { id: "1", hasId: true, name: "", data: "" },
    { id: "2", hasId: true, name: "fired", data: '{"a":1}\n é' },
    { id: "2", hasId: false, name: "", data: "" },
    { id: "2", hasId: false, name: "", data: "x" },
  ];
  assert.deepEqual(await parse([text]), expected);
  assert.deepEqual(await parse([...text]), expected);
  for (const size of [2, 3, 7]) assert.deepEqual(await parse(text.match(new RegExp(`[^]{1,${size}}`, "g"))), expected);
});

test("a character that is cut in two is put together", async () => {
  const bytes = new TextEncoder().encode("data: é€\n\n");
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const blocks = [];
  for await (const found of parseServerSentEvents(body)) blocks.push(found);
  assert.equal(blocks[0].data, "é€");
});

test("events are read with their filter, and the end of the loop ends the request", async () => {
  const { client, requests } = streams(answer(["retry: 1000\n\nid: 0\n\n", block(event("1")), block(event("2"), "2")], "open"));
  const found = await read(client.events({ tag: "x", type: "fired" }), 2);
  assert.deepEqual(found, [event("1"), event("2")]);
  assert.equal(requests[0].path, "/v1/events?tag=x&type=fired");
  assert.equal(requests[0].headers.accept, "text/event-stream");
  assert.equal(requests[0].headers["last-event-id"], undefined);
  assert.equal(requests[0].signal.aborted, true);
});

test("a stream that has ended is continued, and no event comes twice", async () => {
  const { client, requests } = streams(
    answer(["id: 0\n\n", block(event("1"), "1"), block(event("2")), block(event("3"))]),
    answer([block(event("2")), block(event("3")), block(event("4"), "4")], new TypeError("reset")),
    answer([block(event("5"), "5")], "open"),
  );
  const stream = client.events();
  assert.equal(stream.lastEventId, undefined);
  assert.deepEqual((await read(stream, 5)).map(({ key }) => key), ["1", "2", "3", "4", "5"]);
  assert.deepEqual(requests.map((request) => request.headers["last-event-id"]), [undefined, "1", "4"]);
  // The reader left the loop before it was through with the last event.
  assert.equal(stream.lastEventId, "4");
});

test("a stream continues where another process has stopped", async () => {
  const { client, requests } = streams(answer([block(event("8"), "8")], "open"));
  await read(client.events({}, { lastEventId: "7" }), 1);
  assert.equal(requests[0].headers["last-event-id"], "7");
});

test("each gap is reported", async () => {
  const gap = event("cursor", { type: "gap", id: undefined });
  const { client } = streams(answer([block(gap)]), answer([block(gap)]), answer([], "open"));
  assert.deepEqual((await read(client.events(), 2)).map(({ type }) => type), ["gap", "gap"]);
});

test("errors are waited out with back-off, which starts over once the stream works", async () => {
  const lost = new TypeError("fetch failed");
  const readers = problem(429, "too-many-readers", { headers: { "retry-after": "5" } });
  const errors = [];
  const { client, waits } = streams(lost, lost, readers, answer([":\n\n"]), lost, answer([block(event("1"))], "open"));
  const found = await read(client.events({}, { onReconnect: (error) => errors.push(error.type) }), 1);
  assert.deepEqual(found, [event("1")]);
  assert.deepEqual(errors, ["no-answer", "no-answer", "/problems/too-many-readers", "no-answer"]);
  assert.deepEqual(waits, [125, 250, 5500, 125, 125]);
});

test("a refusal for good is thrown", async () => {
  const { client, requests } = streams(problem(401, "unauthorized"));
  await assert.rejects(read(client.events(), 1), { name: "SchedulerError", type: "/problems/unauthorized" });
  assert.equal(requests.length, 1);
});

test("an answer that is no stream of events is thrown, and one without a word is waited out with back-off", async () => {
  const page = () => new Response("<html>\n\nSign in\n\n</html>", { headers: { "content-type": "text/html" } });
  const { client, requests } = streams(page);
  await assert.rejects(read(client.events(), 1), { name: "SchedulerError", type: "not-a-problem", message: /content-type is text\/html/ });
  assert.equal(requests.length, 1);
  const silent = streams(answer([]), answer([]), answer([]), answer([block(event("1"))], "open"));
  assert.deepEqual(await read(silent.client.events(), 1), [event("1")]);
  assert.deepEqual(silent.waits, [125, 250, 500]);
});

test("a signal ends the stream with its reason, also while nothing comes", async () => {
  const aborter = new AbortController();
  // As fetch does: the body fails when the signal is aborted.
  const { client } = streams(() => {
    let fail;
    const body = new ReadableStream({ start: (controller) => (fail = controller) });
    setImmediate(() => {
      aborter.abort(new Error("enough"));
      fail.error(new Error("aborted"));
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  await assert.rejects(read(client.events({}, { signal: aborter.signal }), 1), { message: "enough" });
  await assert.rejects(read(client.events({}, { signal: aborter.signal }), 1), { message: "enough" });
});

test("a reader may take any time for an event", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, requests } = streams(answer([block(event("1"), "1"), block(event("2"), "2")], "open"));
  const errors = [];
  const keys = [];
  for await (const { key } of client.events({}, { onReconnect: (error) => errors.push(error) })) {
    keys.push(key);
    t.mock.timers.tick(120_000);
    if (keys.length === 2) break;
  }
  assert.deepEqual([keys, errors, requests.length], [["1", "2"], [], 1]);
});

test("a connection that is silent for a minute is given up", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, requests } = streams(answer([":\n\n"], "open"), () => new Promise(() => {}), answer([block(event("1"))], "open"));
  const errors = [];
  const reading = read(client.events({}, { onReconnect: (error) => errors.push(error.message) }), 1);
  while (requests.length < 3) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(10_000);
  }
  assert.deepEqual(await reading, [event("1")]);
  assert.deepEqual(errors, Array(2).fill("No answer: no sign of life for 60 seconds (asked: http://scheduler.test)"));
});
