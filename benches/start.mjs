// Measures the start of a full shard in the runtime. It gives one shard a million pending tasks,
// restarts the runtime on the same storage, and measures the first request to the shard. `make
// bench-start` (ARGS="--tasks 1000000 --rounds 5").
//
// A request to /healthz has compiled the wasm before, so only the object is measured: its
// construction, the read of every directory, and the answer. The time of a second, warm request is
// subtracted.

import { parseArgs } from "node:util";
import { Scheduler } from "../e2e/harness.mjs";

const { values } = parseArgs({ options: { tasks: { type: "string", default: "1000000" }, rounds: { type: "string", default: "5" } } });
const [tasks, rounds] = [Number(values.tasks), Number(values.rounds)];
const PER_REQUEST = 10_000;

const scheduler = await Scheduler.start({ shards: "1" });
const stats = async () => {
  const from = performance.now();
  const { body } = await scheduler.call("/v1/stats");
  return { millis: performance.now() - from, body };
};

try {
  // The tasks are due over a month from tomorrow on. They are scattered, so that every page spans
  // the whole month.
  const due = Date.now() + 86_400_000;
  for (let from = 0; from < tasks; from += PER_REQUEST) {
    const items = Array.from({ length: PER_REQUEST }, (_, n) => ({
      time: due + (((from + n) * 2_654_435_761) % 2_592_000_000),
      callback: { type: "queue", queue: "FIRED_TASKS" },
      payload: { n: from + n },
    }));
    const { status, body } = await scheduler.call("/v1/tasks/batch", { body: items });
    if (status !== 200 || body.accepted !== PER_REQUEST) throw new Error(`batch at ${from}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  }
  const results = [];
  for (let round = 0; round < rounds; round += 1) {
    await scheduler.stop();
    await scheduler.restart();
    const cold = await stats();
    if (cold.body.pending !== tasks) throw new Error(`${cold.body.pending} of ${tasks} tasks are pending after the start`);
    const warm = await stats();
    results.push(cold.millis - warm.millis);
    console.log(`start ${(cold.millis - warm.millis).toFixed(0)} ms (first request ${cold.millis.toFixed(0)} ms, second ${warm.millis.toFixed(0)} ms), ` +
      `${(cold.body.memoryBytes / tasks).toFixed(1)} bytes a task, ${cold.body.meter.rowsRead} rows read in its life`);
  }
  results.sort((a, b) => a - b);
  console.log(`start of a shard with ${tasks} pending tasks: median ${results[rounds >> 1].toFixed(0)} ms (${results[0].toFixed(0)}-${results.at(-1).toFixed(0)})`);
} finally {
  await scheduler.dispose();
}
