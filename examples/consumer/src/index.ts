// A consumer of your own for fired tasks: start from `handle`.

import { type FiredTask, occurrenceKey, parseEnvelope } from "./envelope.ts";
import type { Env } from "./env.ts";

export { Counter, Example } from "./targets.ts";

/**
 * What you want done when a task fires. Throw, and the whole message is delivered again later.
 *
 * Delivery is at least once, so make this idempotent by `key`: for instance a unique column in the
 * same database transaction as the work itself. A memory of keys in this Worker would not do, as the
 * repeat may arrive at another instance.
 */
async function handle(task: FiredTask, key: string): Promise<void> {
  const late = Date.now() - task.time;
  console.log(`fired ${key}, ${late} ms after its time: ${JSON.stringify(task.payload ?? null)}`);
}

async function handleMessage(message: Message<string>): Promise<void> {
  try {
    const { tasks } = parseEnvelope(message.body);
    // All of them, whatever becomes of one: a bad task does not hold back its neighbors.
    const outcomes = await Promise.allSettled(tasks.map((task) => handle(task, occurrenceKey(task))));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed) throw failed.reason;
    message.ack();
  } catch (error) {
    // After max_retries the queue moves it to the dead-letter queue: nothing is lost unseen.
    console.error(`message ${message.id}, attempt ${message.attempts}: ${error}`);
    message.retry();
  }
}

async function forward(batch: MessageBatch<string>, sink: string): Promise<void> {
  const response = await fetch(`${sink}/envelopes`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", "x-received-at": String(Date.now()) },
    body: batch.messages.map((message) => message.body).join("\n"),
  });
  if (!response.ok) throw new Error(`the sink answered ${response.status}`);
}

export default {
  async queue(batch, env): Promise<void> {
    if (!env.SINK_URL) {
      await Promise.all(batch.messages.map(handleMessage));
      return;
    }
    try {
      await forward(batch, env.SINK_URL);
      batch.ackAll();
    } catch (error) {
      console.error(`forwarding ${batch.messages.length} envelopes: ${error}`);
      batch.retryAll();
    }
  },
} satisfies ExportedHandler<Env, string>;
