// What a page of a search over a million tasks takes: `make bench-search` (ARGS="--tasks N --shards N").
//
// The tasks of a batch are due one after the other in the first half, and at random times in the second: then each page of a
// shard spans all of time, and a search in the order of due times reads a little of many pages.

import { parseArgs } from "node:util";
import { Scheduler } from "../e2e/harness.mjs";

const { values } = parseArgs({ options: { tasks: { type: "string", default: "1000000" }, shards: { type: "string", default: "16" }, pages: { type: "string", default: "30" } } });
const [tasks, most] = [Number(values.tasks), Number(values.pages)];
const BATCH = 20_000;
const FROM = Date.UTC(2099, 0);

/** Random numbers that are the same in each run. */
let state = 1;
const random = (below) => (state = (state * 48_271) % 2_147_483_647) % below;

const scheduler = await Scheduler.start({ shards: values.shards, vars: { ISOLATE_MEMORY_MB: 2_000 } });
try {
  const made = Date.now();
  for (let first = 0; first < tasks; first += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, tasks - first) }, (_, index) => {
      const n = first + index;
      const seconds = n < tasks / 2 ? n : tasks / 2 + random(tasks / 2);
      return { id: `order-${n}`, time: FROM + seconds * 1_000, description: `Remind of the open order ${n % 1_000}`, tags: ["orders"], callback: { type: "handler", name: "log" }, payload: { order: n, note: "x".repeat(60) } };
    });
    const { status } = await scheduler.call("/v1/tasks/batch", { body: lines });
    if (status !== 200) throw new Error(`batch: ${status}`);
  }
  console.log(`${tasks} tasks made in ${Date.now() - made} ms`);
  const halves = [["in order", `&to=${FROM + (tasks / 2) * 1_000}`], ["at random", `&from=${FROM + (tasks / 2) * 1_000}`]];
  for (const [name, query] of [["no filter", "limit=100"], ["no filter, 1,000 a page", "limit=1000"], ["text, no match", "text=nowhere"], ["text, one in a thousand", "text=order%20777"], ["prefix, no match", "prefix=nobody"], ["tag of all", "tag=orders"], ["status, no match", "status=retrying"]]) {
    for (const [half, filter] of halves) {
      const times = [];
      let [cursor, found, read, ended] = ["", 0, 0, false];
      while (times.length < most && !ended) {
        const began = performance.now();
        const { status, body } = await scheduler.call(`/v1/tasks?${query}${filter}${cursor}`);
        times.push(performance.now() - began);
        if (status !== 200) throw new Error(JSON.stringify(body));
        found += body.tasks.length;
        read += body.searched?.records ?? 0;
        ended = body.cursor === null;
        cursor = `&cursor=${body.cursor}`;
      }
      const sorted = [...times].sort((one, other) => one - other);
      console.log(`${name}, ${half}: ${times.length} pages${ended ? ", all" : ""}; first ${times[0].toFixed(0)} ms, median ${sorted[sorted.length >> 1].toFixed(0)}, longest ${sorted.at(-1).toFixed(0)}; ${found} found, ${read} read`);
    }
  }
} finally {
  await scheduler.dispose();
}
