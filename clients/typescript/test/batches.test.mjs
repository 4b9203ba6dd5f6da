// scheduleTasks: how tasks are divided into batches, and what happens if a batch, or a part of it, is refused.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fakeScheduler, json, problem } from "./fake.mjs";

/** Answers a batch: accepts what `refuse` returns nothing for. */
function answerBatch(refuse = () => undefined) {
  return (request, number) => {
    const tasks = JSON.parse(request.body);
    const results = tasks.map((task) => {
      const error = refuse(task, number);
      return error ? { error } : { id: task.id ?? `generated-${task.payload}` };
    });
    const rejected = results.filter((result) => "error" in result).length;
    const counts = { accepted: tasks.length - rejected, rejected };
    return counts.accepted === 0 ? problem(422, "batch-rejected", { ...counts, field: "[0].x", results }) : json({ ...counts, results });
  };
}

function* tasks(count) {
  for (let n = 0; n < count; n += 1) yield { id: `task-${n}`, delayInSeconds: 60 };
}

const bodies = (requests) => requests.map((request) => JSON.parse(request.body));

test("tasks of any source go in batches, in their order", async () => {
  const sources = [
    [...tasks(5)],
    tasks(5),
    (async function* () {
      yield* tasks(5);
    })(),
    ReadableStream.from(tasks(5)),
    () => tasks(5),
    async function* () {
      yield* tasks(5);
    },
    // A stream of a browser that cannot iterate over it.
    Object.assign(Object.create(null), { getReader: () => ReadableStream.from(tasks(5)).getReader() }),
  ];
  for (const source of sources) {
    const { client, requests } = fakeScheduler(answerBatch());
    const progress = [];
    const ids = [];
    const result = await client.scheduleTasks(source, {
      batchSize: 2,
      onProgress: (now) => progress.push(now),
      onBatch: (accepted) => void ids.push(...accepted.map(({ index, id }) => `${index} ${id}`)),
    });
    assert.deepEqual(result, { accepted: 5, rejected: 0, rejections: [] });
    assert.deepEqual(bodies(requests).map((body) => body.length), [2, 2, 1]);
    assert.deepEqual(bodies(requests).flat(), [...tasks(5)]);
    assert.deepEqual(progress.at(-1), { accepted: 5, rejected: 0, batches: 3 });
    assert.equal(progress.length, 3);
    assert.deepEqual(ids.sort(), ["0 task-0", "1 task-1", "2 task-2", "3 task-3", "4 task-4"]);
  }
});

test("no tasks are no request", async () => {
  const { client, requests } = fakeScheduler(answerBatch());
  assert.deepEqual(await client.scheduleTasks([]), { accepted: 0, rejected: 0, rejections: [] });
  assert.equal(requests.length, 0);
});

/** The longest body that the API accepts, unless the deployment raises it. */
const MAX_BODY_BYTES = JSON.parse(await readFile(new URL("../../../coordinator/openapi.json", import.meta.url), "utf8")).paths["/v1/tasks/batch"].post.requestBody["x-maxBytes"];

test("a batch ends before it is longer than the API takes", async () => {
  const { client, requests } = fakeScheduler(answerBatch());
  const payload = "x".repeat(60_000);
  const result = await client.scheduleTasks(Array.from(tasks(200), (task) => ({ ...task, payload })));
  assert.equal(result.accepted, 200);
  assert.deepEqual(bodies(requests).map((body) => body.length), [44, 44, 44, 44, 24]);
  // A character may take three bytes.
  const wide = fakeScheduler(answerBatch());
  await wide.client.scheduleTasks(Array.from(tasks(200), (task) => ({ ...task, payload: "€".repeat(20_000) })));
  for (const { body } of [...requests, ...wide.requests]) assert.ok(Buffer.byteLength(body) <= MAX_BODY_BYTES);
});

test("each batch has a key of its own, which its repeats have too", async () => {
  const { client, requests } = fakeScheduler([new TypeError("fetch failed"), answerBatch()]);
  await client.scheduleTasks(tasks(4), { batchSize: 2, concurrency: 1 });
  const keys = requests.map((request) => request.headers["idempotency-key"]);
  assert.equal(keys.length, 3);
  assert.equal(keys[0], keys[1]);
  assert.match(keys[0], /^[0-9a-f-]{36}:0$/);
  assert.equal(keys[2], keys[0].replace(/0$/, "1"));

  const again = fakeScheduler(answerBatch());
  await again.client.scheduleTasks(tasks(4), { batchSize: 2, idempotencyKey: "import-7" });
  assert.deepEqual(again.requests.map((request) => request.headers["idempotency-key"]), ["import-7:0", "import-7:1"]);
});

test("a refused task does not keep out the others", async () => {
  const refuse = ({ id }) => (["task-1", "task-4"].includes(id) ? { field: "cron", detail: "has 3 fields" } : undefined);
  const { client, requests } = fakeScheduler(answerBatch(refuse));
  const result = await client.scheduleTasks(tasks(5), { batchSize: 3 });
  assert.equal(result.accepted, 3);
  assert.equal(result.rejected, 2);
  assert.deepEqual(result.rejections.sort((a, b) => a.index - b.index), [
    { index: 1, task: { id: "task-1", delayInSeconds: 60 }, field: "cron", detail: "has 3 fields", retryable: false },
    { index: 4, task: { id: "task-4", delayInSeconds: 60 }, field: "cron", detail: "has 3 fields", retryable: false },
  ]);
  assert.equal(requests.length, 2);
});

test("a batch without a valid task is a result, not an error", async () => {
  const { client } = fakeScheduler(answerBatch(() => ({ field: "cron", detail: "has 3 fields" })));
  const result = await client.scheduleTasks(tasks(3000), { batchSize: 1500 });
  assert.equal(result.rejected, 3000);
  assert.equal(result.rejections.length, 1000);
});

test("a batch is sent again under its key after one shard has refused its part", async () => {
  const full = { field: "body", detail: "the shard is full", retryable: true };
  const refuse = ({ id }, number) => (number < 2 && id === "task-1" ? full : undefined);
  const { client, requests, waits } = fakeScheduler(answerBatch(refuse));
  const seen = [];
  const result = await client.scheduleTasks(tasks(3), { onBatch: (accepted, rejected) => void seen.push([accepted.length, rejected.length]) });
  assert.deepEqual(result, { accepted: 3, rejected: 0, rejections: [] });
  assert.equal(new Set(requests.map((request) => request.headers["idempotency-key"] + request.body)).size, 1);
  assert.equal(waits.length, 2);
  assert.deepEqual(seen, [[3, 0]]);

  const stays = fakeScheduler(answerBatch(({ id }) => (id === "task-1" ? full : undefined)), { retry: { maxAttempts: 3 } });
  const { rejections } = await stays.client.scheduleTasks(tasks(3));
  assert.deepEqual(rejections.map(({ index, retryable }) => [index, retryable]), [[1, true]]);
  assert.equal(stays.requests.length, 3);
});

test("no more batches are in flight than allowed, and no more tasks are read than these need", async () => {
  let inFlight = 0;
  let most = 0;
  let read = 0;
  const { client } = fakeScheduler(async (request, number) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    // The batch being filled is read ahead.
    assert.ok(read <= 2 * (number + 4), `${read} tasks read at batch ${number}`);
    await new Promise((resolve) => setImmediate(resolve));
    inFlight -= 1;
    return answerBatch()(request, number);
  });
  const source = (function* () {
    for (const task of tasks(20)) {
      read += 1;
      yield task;
    }
  })();
  await client.scheduleTasks(source, { batchSize: 2, concurrency: 3 });
  assert.equal(most, 3);
});

test("an error ends the call and the source, after what is in flight has ended", async () => {
  let isClosed = false;
  const source = (function* () {
    try {
      yield* tasks(1000);
    } finally {
      isClosed = true;
    }
  })();
  let isAnswered = false;
  const { client, requests } = fakeScheduler(async (request, number) => {
    if (number === 0) {
      while (requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
      return problem(401, "unauthorized");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    isAnswered = true;
    return answerBatch()(request, number);
  });
  await assert.rejects(client.scheduleTasks(source, { batchSize: 10 }), { name: "SchedulerError", type: "/problems/unauthorized" });
  assert.equal(isClosed, true);
  assert.equal(isAnswered, true);
  assert.ok(requests.length <= 3);
});

test("a task that JSON cannot hold is refused by its place, and does not keep out the others", async () => {
  const circle = {};
  circle.payload = circle;
  const wrong = [{ time: new Date(NaN) }, circle, { payload: 1n }, undefined, () => {}];
  const { client, requests } = fakeScheduler(answerBatch(({ id }) => (id === "task-3" ? { field: "cron", detail: "has 3 fields" } : undefined)));
  const ids = [];
  const all = [...tasks(2), ...wrong, ...tasks(5)];
  const { accepted, rejected, rejections } = await client.scheduleTasks(all, { batchSize: 4, onBatch: (accepted) => void ids.push(...accepted.map(({ index, id }) => `${index} ${id}`)) });
  assert.deepEqual([accepted, rejected], [6, 6]);
  rejections.sort((one, two) => one.index - two.index);
  assert.deepEqual(rejections.map(({ index, field }) => [index, field]), [...[2, 3, 4, 5, 6].map((index) => [index, "body"]), [10, "cron"]]);
  for (const { index, task } of rejections) assert.equal(task, all[index]);
  assert.deepEqual([rejections[0].detail, rejections[3].detail, rejections[4].detail], ["time is an invalid Date", "undefined is no task", "function is no task"]);
  assert.match(rejections[1].detail, /circular/);
  assert.deepEqual(ids.sort(), ["0 task-0", "1 task-1", "11 task-4", "7 task-0", "8 task-1", "9 task-2"]);
  assert.deepEqual(bodies(requests).map((body) => body.length), [2, 1, 4]);
  // Nothing is left to send.
  assert.equal((await client.scheduleTasks(wrong)).rejected, 5);
  assert.equal(requests.length, 3);
});

/** A source that yields some tasks and then never another one. */
async function* stuck(count) {
  yield* tasks(count);
  await new Promise(() => {});
}

test("a signal ends the call, also while the source has nothing and while the caller is busy with a batch", async () => {
  for (const [source, options] of [
    [() => stuck(3), {}],
    [() => new ReadableStream({}), {}],
    [() => tasks(3), { onBatch: () => new Promise(() => {}) }],
  ]) {
    const aborter = new AbortController();
    const { client } = fakeScheduler(answerBatch());
    setImmediate(() => aborter.abort(new Error("enough")));
    await assert.rejects(client.scheduleTasks(source(), { signal: aborter.signal, batchSize: 2, ...options }), { message: "enough" });
  }
});

test("an error of a batch ends the call, also while the source has nothing", async () => {
  const { client } = fakeScheduler(problem(401, "unauthorized"));
  await assert.rejects(client.scheduleTasks(stuck(2), { batchSize: 2 }), { type: "/problems/unauthorized" });
});

test("an error of the source ends the call, after what is in flight has ended", async () => {
  let answered = 0;
  const { client } = fakeScheduler(async (request, number) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    answered += 1;
    return answerBatch()(request, number);
  });
  const source = (function* () {
    yield* tasks(4);
    throw new Error("cut off");
  })();
  await assert.rejects(client.scheduleTasks(source, { batchSize: 2, concurrency: 3 }), { message: "cut off" });
  assert.equal(answered, 2);
});

test("an answer that does not say what became of each task is an error", async () => {
  for (const body of [{}, { accepted: 2, rejected: 0, results: [{ id: "task-0" }] }]) {
    const { client } = fakeScheduler(json(body));
    await assert.rejects(client.scheduleTasks(tasks(2)), { name: "SchedulerError", type: "not-a-problem" });
  }
});

test("sizes that the API does not take are refused", async () => {
  const { client } = fakeScheduler(answerBatch());
  for (const batchSize of [0, 1.5, 20_001]) await assert.rejects(client.scheduleTasks([], { batchSize }), RangeError);
  await assert.rejects(client.scheduleTasks([], { concurrency: 0 }), RangeError);
  await assert.rejects(client.scheduleTasks([], { idempotencyKey: "" }), { name: "TypeError", message: /^idempotencyKey is empty/ });
  for (const source of [{}, Promise.resolve([]), 7]) await assert.rejects(client.scheduleTasks(source), { name: "TypeError", message: /neither an array/ });
});
