// consume: which tasks of a batch run, and what becomes of their messages.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as example from "../../../examples/consumer/src/envelope.ts";
import { consume, MemorySeenStore, namespaceOf, occurrenceKey, parseEnvelope } from "../src/consumer/index.ts";

const envelope = (tasks, more) => JSON.stringify({ v: 1, shard: "1-3", seq: 42, firedAt: 1_764_000_000_005, tasks, ...more });
const task = (id, more) => ({ id, time: 1_764_000_000_000, payload: { id }, callback: { type: "queue", queue: "FIRED_TASKS" }, ...more });

/** A message that notes what becomes of it. */
function message(body, attempts = 1) {
  return {
    id: "message-1",
    body,
    attempts,
    end: undefined,
    ack() {
      this.end = "ack";
    },
    retry(options) {
      this.end = ["retry", options?.delaySeconds];
    },
  };
}

/** Runs a batch, and returns what ran and what became of it. */
async function run(bodies, handle = () => {}, options = {}) {
  const messages = bodies.map((body) => message(body));
  const ran = [];
  const errors = [];
  const counts = await consume(
    { messages },
    async (task, delivery) => {
      ran.push(task.id);
      await handle(task, delivery);
    },
    { seen: new MemorySeenStore(), onError: (error, { task }) => errors.push([task?.id, error.message]), ...options },
  );
  return { counts, ran, errors, ends: messages.map(({ end }) => end) };
}

describe("an envelope", () => {
  test("is read with all its tasks, and members of later versions", () => {
    const read = parseEnvelope(envelope([task("a"), task("b", { attempt: 2 })], { later: {} }));
    assert.deepEqual(read.tasks.map(({ id }) => id), ["a", "b"]);
    assert.deepEqual(parseEnvelope(JSON.parse(envelope([task("a")]))).tasks[0], task("a"));
    assert.equal(occurrenceKey(read.tasks[0]), "a@1764000000000");
    assert.equal(occurrenceKey({ ...read.tasks[0], stage: "onFailure" }), "a@1764000000000/onFailure");
    assert.deepEqual([{ shard: "1-3" }, { shard: "shop:1-3" }].map(namespaceOf), ["default", "shop"]);
  });

  test("is read as the example reads it", () => {
    const good = JSON.parse(envelope([task("a")]));
    const texts = [
      good, [], null, { ...good, v: 2 }, { ...good, shard: 3 }, { ...good, seq: 0.5 }, { ...good, firedAt: "now" }, { ...good, tasks: {} },
      { ...good, tasks: [null] }, { ...good, tasks: [{ time: 1 }] }, { ...good, tasks: [{ id: "a", time: "1" }] },
    ].map((value) => JSON.stringify(value));
    const result = (parse, text) => {
      try {
        return parse(text);
      } catch (error) {
        return error.message;
      }
    };
    for (const text of ["", ...texts]) assert.deepEqual(result(parseEnvelope, text), result(example.parseEnvelope, text));
    assert.equal(occurrenceKey(task("a", { stage: "onSuccess" })), example.occurrenceKey(task("a", { stage: "onSuccess" })));
  });
});

describe("a batch", () => {
  test("runs every task, with what is known of its delivery", async () => {
    const deliveries = [];
    const { counts, ran, ends } = await run([envelope([task("a"), task("b")]), envelope([task("a")], { shard: "shop:1-3" })], (_, { ack, retry, ...about }) => void deliveries.push(about));
    assert.deepEqual(ran, ["a", "b", "a"]);
    assert.deepEqual(ends, ["ack", "ack"]);
    assert.deepEqual(counts, { acked: 3, retried: 0, repeated: 0, invalid: 0 });
    assert.deepEqual(deliveries[0], { key: "default:a@1764000000000", namespace: "default", attempts: 1, firedAt: 1_764_000_000_005 });
    // Two namespaces may have tasks with the same id.
    assert.equal(deliveries[2].key, "shop:a@1764000000000");
  });

  test("delivers again what failed, and only that", async () => {
    const seen = new MemorySeenStore();
    const body = envelope([task("a"), task("bad"), task("c")]);
    let isFixed = false;
    const handle = ({ id }) => {
      if (id === "bad" && !isFixed) throw new Error("broken");
    };
    const first = await run([body, envelope([task("d")])], handle, { seen });
    assert.deepEqual(first.ends, [["retry", undefined], "ack"]);
    assert.deepEqual(first.errors, [["bad", "broken"]]);
    assert.deepEqual(first.counts, { acked: 3, retried: 1, repeated: 0, invalid: 0 });
    isFixed = true;
    const second = await run([body], handle, { seen });
    assert.deepEqual(second.ran, ["bad"]);
    assert.deepEqual(second.ends, ["ack"]);
    assert.deepEqual(second.counts, { acked: 1, retried: 0, repeated: 2, invalid: 0 });
  });

  test("does what the handler says, whether it returns or throws", async () => {
    const { ends, counts, errors } = await run(
      [envelope([task("later"), task("much-later"), task("fine")]), envelope([task("acked")]), envelope([task("both")])],
      ({ id }, delivery) => {
        if (id === "later") delivery.retry({ delaySeconds: 10 });
        if (id === "much-later") {
          delivery.retry({ delaySeconds: 60 });
          throw new Error("not yet");
        }
        if (id === "acked") {
          delivery.ack();
          throw new Error("afterwards");
        }
        if (id === "both") {
          delivery.ack();
          delivery.retry();
        }
      },
    );
    // None comes before its delay. The last word counts.
    assert.deepEqual(ends, [["retry", 60], "ack", ["retry", undefined]]);
    assert.deepEqual(counts, { acked: 2, retried: 3, repeated: 0, invalid: 0 });
    assert.deepEqual(errors, [["much-later", "not yet"], ["acked", "afterwards"]]);
  });

  test("runs the same run once, however often the batch holds it", async () => {
    const body = envelope([task("a"), task("a"), task("a", { stage: "onSuccess" })]);
    const { ran, ends, counts } = await run([body, body]);
    assert.deepEqual(ran, ["a", "a"]);
    assert.deepEqual(ends, ["ack", "ack"]);
    assert.deepEqual(counts, { acked: 2, retried: 0, repeated: 4, invalid: 0 });

    const fails = await run([body, body], ({ stage }) => {
      if (stage === undefined) throw new Error("broken");
    });
    assert.deepEqual(fails.ran, ["a", "a"]);
    assert.deepEqual(fails.ends, [["retry", undefined], ["retry", undefined]]);
  });

  test("retries what is not an envelope, until the queue moves it to its dead letters", async () => {
    const { ends, counts, errors, ran } = await run(["{", envelope([task("a")], { v: 2 }), envelope([task("a")])]);
    assert.deepEqual(ends, [["retry", undefined], ["retry", undefined], "ack"]);
    assert.deepEqual(counts, { acked: 1, retried: 0, repeated: 0, invalid: 2 });
    assert.match(errors[1][1], /v is 2/);
    assert.deepEqual(ran, ["a"]);
  });

  test("retries a message if the store fails, and the others go on", async () => {
    const memory = new MemorySeenStore();
    const unreadable = { find: (keys) => (keys[0].includes(":a@") ? Promise.reject(new Error("down")) : memory.find(keys)), add: (keys) => memory.add(keys) };
    const one = await run([envelope([task("a")]), envelope([task("b")])], undefined, { seen: unreadable });
    assert.deepEqual(one.ends, [["retry", undefined], "ack"]);
    assert.deepEqual(one.ran, ["b"]);
    const unwritable = { find: () => [], add: () => Promise.reject(new Error("full")) };
    const two = await run([envelope([task("a")])], undefined, { seen: unwritable });
    assert.deepEqual(two.ends, [["retry", undefined]]);
    assert.deepEqual(two.errors, [[undefined, "full"]]);
  });

  test("runs no more tasks at one time than allowed", async () => {
    let now = 0;
    let most = 0;
    const handle = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    };
    const tasks = Array.from({ length: 20 }, (_, n) => task(`t${n}`));
    const { ran } = await run([envelope(tasks.slice(0, 10)), envelope(tasks.slice(10))], handle, { concurrency: 3 });
    assert.equal(most, 3);
    assert.equal(new Set(ran).size, 20);
  });

  test("remembers what is done while other tasks of the message go on", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const seen = new MemorySeenStore();
    const added = [];
    let isDown = true;
    const store = {
      find: (keys) => seen.find(keys),
      add(keys) {
        added.push(keys);
        if (isDown) throw new Error("down");
        seen.add(keys);
      },
    };
    let finish;
    const running = run([envelope([task("slow"), task("a"), task("b")])], ({ id }) => (id === "slow" ? new Promise((resolve) => (finish = resolve)) : undefined), { seen: store });
    const pass = async (millis) => {
      await new Promise((resolve) => setImmediate(resolve));
      t.mock.timers.tick(millis);
      await new Promise((resolve) => setImmediate(resolve));
    };
    await pass(999);
    assert.deepEqual(added, []);
    await pass(1);
    const both = ["default:a@1764000000000", "default:b@1764000000000"];
    assert.deepEqual(added, [both]);
    // What could not be written comes again at the end.
    isDown = false;
    finish();
    const { counts, ends } = await running;
    assert.deepEqual(added[1], [...both, "default:slow@1764000000000"]);
    assert.deepEqual([counts.acked, ends], [3, ["ack"]]);
    await pass(10_000);
    assert.equal(added.length, 2);
  });

  test("has delays that a queue takes", async () => {
    const { ends } = await run([-5, 0.2, 90_000].map((delaySeconds) => envelope([task(`t${delaySeconds}`)])), ({ id }, delivery) => delivery.retry({ delaySeconds: Number(id.slice(1)) }));
    assert.deepEqual(ends, [["retry", 0], ["retry", 1], ["retry", 43_200]]);
    const wrong = await run([envelope([task("a")])], (_, delivery) => delivery.retry({ delaySeconds: NaN }));
    assert.deepEqual([wrong.ends, wrong.errors], [[["retry", undefined]], [["a", "delaySeconds is NaN: give a number from 0 to 43200"]]]);
  });

  test("is brought to its end even if onError throws", async () => {
    const messages = [message(envelope([task("bad")])), message("{"), message(envelope([task("slow")]))];
    const handle = async ({ id }) => {
      if (id === "bad") throw new Error("broken");
      await new Promise((resolve) => setImmediate(resolve));
    };
    const onError = () => {
      throw new Error("of onError");
    };
    await assert.rejects(consume({ messages }, handle, { seen: new MemorySeenStore(), onError }), { message: "of onError" });
    assert.deepEqual(messages.map(({ end }) => end), [["retry", undefined], ["retry", undefined], "ack"]);
  });

  test("is not run with a concurrency that runs nothing", async () => {
    for (const concurrency of [0, -1, NaN]) await assert.rejects(run([envelope([task("a")])], undefined, { concurrency }), { name: "RangeError" });
  });

  test("is remembered by the instance if no store is given", async () => {
    const body = envelope([task("shared")]);
    assert.equal((await run([body], undefined, { seen: undefined })).counts.acked, 1);
    assert.equal((await run([body], undefined, { seen: undefined })).counts.repeated, 1);
  });
});

test("a store in memory forgets the oldest", () => {
  const store = new MemorySeenStore(2);
  store.add(["a", "b"]);
  store.add(["b", "c"]);
  assert.deepEqual(store.find(["a", "b", "c"]), ["b", "c"]);
});
