// Measures full shards in one isolate: their own count of memory, the memory of the runtime, and
// when creates are refused. The local runtime has all shards in one isolate, without the platform's
// 128 MB. `make bench-isolate` (ARGS="--shards 8 --tasks 1000000 --megabytes 2000"). Linux only.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runtimeOf } from "../e2e/attacks.mjs";
import { Scheduler } from "../e2e/harness.mjs";

const { values } = parseArgs({
  options: { shards: { type: "string", default: "8" }, tasks: { type: "string", default: "1000000" }, megabytes: { type: "string", default: "2000" } },
});
const [shards, perShard] = [Number(values.shards), Number(values.tasks)];
const PER_REQUEST = 10_000;

const scheduler = await Scheduler.start({ shards: String(shards), vars: { ISOLATE_MEMORY_MB: values.megabytes } });
const resident = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${runtimeOf(scheduler)}/status`, "utf8"))[1]) / 1_000;
const show = async (what) => {
  const { body } = await scheduler.call("/v1/stats");
  const counted = body.memoryBytes / 1_000_000;
  console.log(`${what}: ${body.pending} tasks, ${counted.toFixed(1)} MB by the shards' count, the runtime has ${resident().toFixed(0)} MB resident`);
};

try {
  await show("empty");
  const due = Date.now() + 86_400_000;
  let refused;
  for (let from = 0; from < shards * perShard && !refused; from += PER_REQUEST) {
    const items = Array.from({ length: PER_REQUEST }, (_, n) => ({
      id: `t-${from + n}`,
      time: due + (((from + n) * 2_654_435_761) % 2_592_000_000),
      callback: { type: "queue", queue: "FIRED_TASKS" },
    }));
    const answer = await scheduler.call("/v1/tasks/batch", { body: items });
    if (answer.status !== 200) refused = answer;
    else if ((from + PER_REQUEST) % (shards * perShard * 0.25) === 0) await show("filling");
  }
  await show(refused ? "refused" : "full");
  if (refused) console.log(`${refused.status}: ${refused.body.detail}`);
  const asked = performance.now();
  await scheduler.call("/v1/tasks/t-7");
  console.log(`a task is read in ${(performance.now() - asked).toFixed(0)} ms`);
} finally {
  await scheduler.dispose();
}
