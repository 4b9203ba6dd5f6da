import assert from "node:assert/strict";
import { test } from "node:test";
import { occurrenceKey, parseEnvelope } from "../src/envelope.ts";

// As the scheduler writes it; the format is pinned in the scheduler's own tests.
const message =
  '{"v":1,"shard":"1-3","seq":42,"firedAt":1764000000005,"tasks":[' +
  '{"time":1764000000000,"id":"invoice-7","tags":["billing"],"callback":{"type":"queue","queue":"FIRED_TASKS"},"payload":{"n":7}},' +
  '{"time":1764000000001,"id":"a@b","attempt":2}]}';

test("an envelope is read with all its tasks", () => {
  const envelope = parseEnvelope(message);
  assert.equal(envelope.shard, "1-3");
  assert.equal(envelope.firedAt, 1764000000005);
  assert.deepEqual(envelope.tasks.map((task) => task.id), ["invoice-7", "a@b"]);
  assert.deepEqual(envelope.tasks[0]?.payload, { n: 7 });
});

test("the occurrence key is the same on every attempt", () => {
  const [first, second] = parseEnvelope(message).tasks;
  assert.ok(first && second);
  assert.equal(occurrenceKey(first), "invoice-7@1764000000000");
  assert.equal(occurrenceKey({ ...first, attempt: 5 }), occurrenceKey(first));
  assert.equal(occurrenceKey(second), "a@b@1764000000001");
  assert.equal(occurrenceKey({ ...first, stage: "onFailure" }), "invoice-7@1764000000000/onFailure");
});

test("fields of later versions are let through", () => {
  assert.equal(parseEnvelope(message.replace('"seq"', '"extra":{},"seq"')).seq, 42);
});

const good = JSON.parse(message) as Record<string, unknown>;
const bad: [string, RegExp][] = [
  ["", /JSON/],
  ["[]", /not an object/],
  ["null", /not an object/],
  [JSON.stringify({ ...good, v: 2 }), /v is 2/],
  [JSON.stringify({ ...good, shard: 3 }), /shard/],
  [JSON.stringify({ ...good, seq: 0.5 }), /seq/],
  [JSON.stringify({ ...good, firedAt: "now" }), /firedAt/],
  [JSON.stringify({ ...good, tasks: {} }), /tasks is not an array/],
  [JSON.stringify({ ...good, tasks: [null] }), /tasks\[0\] is not an object/],
  [JSON.stringify({ ...good, tasks: [{ time: 1 }] }), /tasks\[0\]\.id/],
  [JSON.stringify({ ...good, tasks: [{ id: "a", time: "1" }] }), /tasks\[0\]\.time/],
];
for (const [text, reason] of bad) {
  test(`refused, saying why: ${reason.source}`, () => {
    assert.throws(() => parseEnvelope(text), reason);
  });
}
