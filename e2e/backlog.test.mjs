// A queue that delivers nothing for a while: what waits in it is not sent again, and what is sent twice runs once. The outer
// Worker holds the messages back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, start } from "./around.mjs";
import { until } from "./harness.mjs";
import { startSink } from "./sink.mjs";

/** Holds back all messages, until /control/release. If `says` is false, the queue does not say how old its oldest message is. */
const held = (says) => `
  let paused = true, sent = 0;
  const waiting = [];
  const bindings = (env) => ({
    DISPATCH_QUEUE: around(env.DISPATCH_QUEUE, {
      metrics: ${says} ? async () => ({ backlogCount: waiting.length, backlogBytes: 0, oldestMessageTimestamp: waiting[0]?.at }) : undefined,
      sendBatch: async (messages) => {
        messages = [...messages];
        sent += messages.length;
        if (!paused) return env.DISPATCH_QUEUE.sendBatch(messages);
        waiting.push(...messages.map((message) => ({ at: new Date(), message })));
      },
    }),
  });
  async function control(name, env) {
    if (name === "lose") waiting.length = 0;
    if (name === "release") {
      paused = false;
      // One by one, because the platform delivers one message at a time.
      for (const { message } of waiting.splice(0)) await env.DISPATCH_QUEUE.sendBatch([message]);
    }
    return { sent, waiting: waiting.length };
  }
`;

/** Starts a scheduler with such a queue, and creates some tasks. */
async function begin(t, says) {
  const sink = await startSink();
  t.after(() => sink.close());
  const scheduler = await start(t, await folder(t), { parts: held(says), vars: { VISIBILITY_TIMEOUT_SECONDS: "1" } });
  const tasks = Array.from({ length: 30 }, (_, n) => ({ id: `h${n}`, delayInSeconds: 0.5, callback: { type: "webhook", url: `${sink.url}/${n}` } }));
  assert.equal((await scheduler.call("/v1/tasks/batch", tasks)).status, 200);
  await until("the envelope to be in the queue", async () => (await scheduler.control("")).waiting > 0);
  const counters = async () => (await scheduler.call("/v1/stats")).body;
  const finish = async () => {
    await until("all to succeed", async () => (await counters()).succeeded >= tasks.length);
    return sink.webhooks.map(({ path }) => path).sort();
  };
  return { ...scheduler, counters, finish, paths: tasks.map((_, n) => `/${n}`).sort() };
}

test("an envelope that waits in the queue is not sent again, and runs once", async (t) => {
  const { control, counters, finish, paths } = await begin(t, true);
  // The shard would have sent it again after 1 s, 3 s and 7 s.
  await until("the shard to look three times", async () => (await counters()).redelivered >= 3);
  assert.deepEqual(await control(""), { sent: 1, waiting: 1 });
  await control("release");
  assert.deepEqual(await finish(), paths);
});

test("an envelope that the queue has lost is sent again", async (t) => {
  const { control, finish, paths } = await begin(t, true);
  await control("lose");
  await until("it to be sent again", async () => (await control("")).sent === 2);
  await control("release");
  assert.deepEqual(await finish(), paths);
});

test("of the copies in a queue that says nothing, one runs and the others are dropped", async (t) => {
  const { control, finish, paths } = await begin(t, false);
  await until("three copies", async () => (await control("")).waiting >= 3);
  await control("release");
  assert.deepEqual(await finish(), paths);
  // The other copies have been delivered too, once the queue is empty again.
  const later = await until("the queue to be empty", async () => (await control("")).waiting === 0 && finish());
  assert.deepEqual(later, paths);
});
