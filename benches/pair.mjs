// Measures the CPU time of the runtime for each task of bulk creates, in two checkouts alternately.
// So it shows the cost of a change even on a machine that others use too. `make bench-pair
// BASE=../other-checkout` (ARGS="--rounds 10"). Each checkout is served by its own scripts from its
// own build; both must be built (`make build`). The storage is a folder below --storage, by default
// below `target`, and is removed at the end. Linux only.

import { rmSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "./server.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "10" }, storage: { type: "string", default: path.resolve("target/bench-pair") } },
});
if (positionals.length !== 2) throw new Error("give two checkouts: node benches/pair.mjs ../base .");
const rounds = Number(values.rounds);

/** Tasks a shape and round. Eleven rounds of three shapes store 6.6 million, and eight shards hold a million each. */
const TASKS = 200_000;
const CONNECTIONS = 4;
const KEY = "bench";
/** Both versions have as many shards, whatever their default is: more shards make a request with ids of its own dearer. */
const SHARDS = "8";
const SHAPES = [
  { name: "1,000 a request, generated ids", perRequest: 1_000, ownIds: false },
  { name: "1,000 a request, own ids over all shards", perRequest: 1_000, ownIds: true },
  { name: "5,000 a request, generated ids", perRequest: 5_000, ownIds: false },
];

async function start(checkout, index) {
  const storage = path.join(values.storage, String(index));
  rmSync(storage, { recursive: true, force: true });
  // Earlier versions do not serve files, and do not know this option.
  return startServer(["--key", KEY, "--persist", storage, "--shards", SHARDS], { checkout, env: { NO_FILES: "1" } });
}

let serial = 0;
function bodies({ perRequest, ownIds }) {
  const tomorrow = Date.now() + 86_400_000;
  const task = (_, n) => ({
    ...(ownIds && { id: `order-${(serial += 1)}-reminder` }),
    time: new Date(tomorrow + n * 10).toISOString(),
    callback: { type: "queue", queue: "FIRED_TASKS" },
    payload: { n },
  });
  return Array.from({ length: TASKS / perRequest }, () => JSON.stringify(Array.from({ length: perRequest }, task)));
}

async function create(url, requests) {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const connection = async () => {
    for (let body = requests.pop(); body; body = requests.pop()) {
      const response = await fetch(`${url}/v1/tasks/batch`, { method: "POST", headers, body });
      const text = await response.text();
      if (!response.ok || !text.includes('"rejected":0')) throw new Error(`${response.status} ${text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
}

const sorted = (numbers) => numbers.toSorted((one, other) => one - other);
const median = (numbers) => sorted(numbers)[numbers.length >> 1];

const servers = await Promise.all(positionals.map(start));
try {
  const used = SHAPES.map(() => servers.map(() => []));
  // The first round does not count, because the runtime compiles the wasm in it.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [shape, of] of SHAPES.entries()) {
      const order = [...servers.keys()];
      for (const server of round % 2 ? order.reverse() : order) {
        const requests = bodies(of);
        const before = servers[server].cpuNanos();
        await create(servers[server].url, requests);
        if (round > 0) used[shape][server].push((servers[server].cpuNanos() - before) / 1_000 / TASKS);
      }
    }
  }
  for (const [shape, of] of SHAPES.entries()) {
    const [base, changed] = used[shape].map((micros) => `${median(micros).toFixed(2)} µs (${sorted(micros)[0].toFixed(2)}-${sorted(micros).at(-1).toFixed(2)})`);
    const ratios = used[shape][1].map((micros, round) => micros / used[shape][0][round]);
    console.log(`${of.name}: ${base} and ${changed} of CPU a task, median of the ratios ${median(ratios).toFixed(3)}`);
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(values.storage, { recursive: true, force: true });
}
process.exit(0);
