// CPU time of the runtime for each firing of a shard, with series of seven busy days in its state and with none: what it costs to write
// them with each firing. `make bench-series` (ARGS="--rounds 5 --firings 200 --tasks 6"). Two servers of the same build run side by side.
// Storage is a folder below --storage, by default below `target`, and is removed at the end. Linux only.

import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { startServer } from "./server.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    firings: { type: "string", default: "200" },
    tasks: { type: "string", default: "6" },
    storage: { type: "string", default: path.resolve("target/bench-series") },
  },
});
const [rounds, firings, tasks] = [values.rounds, values.firings, values.tasks].map(Number);
const KEY = "bench";
const GAP_MS = 100;

const start = (storage) => startServer(["--key", KEY, "--shards", "1", "--persist", storage]);

async function call({ url }, at, body) {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const response = await fetch(url + at, { method: body ? "POST" : "GET", headers, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${at}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Lets tasks fire, some at each firing, and waits until all have ended. Returns the firings that there were, by the queue's operations. */
async function fire(server) {
  const before = await call(server, "/v1/stats");
  const from = Date.now() + 1_000;
  const all = Array.from({ length: firings * tasks }, (_, n) => ({ time: from + Math.floor(n / tasks) * GAP_MS, callback: { type: "handler", name: "noop" } }));
  await call(server, "/v1/tasks/batch", all);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await call(server, "/v1/stats");
    if (now.succeeded - before.succeeded === all.length) return (now.meter.queueOperations - before.meter.queueOperations) / 3;
  }
}

const text = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
const varint = (value) => (value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]);

/** Points as core/model/src/format/series.rs describes them, up to but without `end`. */
function points(count, end, scale) {
  const counts = [3_750, 3_800, 3_700, 20, 100, 2_100, 3_600, 70].map((value) => value * scale);
  const lateness = [600, 300, 300, 500, 700, 1_000, 400].map((value) => value * scale);
  const encoded = counts.flatMap((value, at) => [...varint(value), ...(at === 1 ? [lateness.length, ...lateness.flatMap((of) => varint(of * 2))] : [])]);
  return Array.from({ length: count }, (_, at) => [...varint(at === 0 ? (end - count) * 2 : 1), 0xff, ...encoded]).flat();
}

/** Puts seven busy days into the state of the only shard. Returns the bytes of the text. */
function fill(storage) {
  const minutes = points(119, Math.floor(Date.now() / 60_000) - 1, 1);
  const hours = points(167, Math.floor(Date.now() / 3_600_000) - 1, 60);
  const closed = text([1, 0, ...varint(minutes.length), ...minutes, ...varint(hours.length), ...hours]);
  const folder = path.join(storage, "do/durable-scheduler-Shard");
  for (const file of readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name))) {
    const database = new DatabaseSync(path.join(folder, file));
    const row = database.prepare("SELECT seq, state FROM outbox WHERE state IS NOT NULL ORDER BY seq DESC LIMIT 1").get();
    const state = JSON.parse(Buffer.from(row.state).toString());
    state.series = { closed, open: text([1, 0, 0, 0]) };
    database.prepare("UPDATE outbox SET state = ? WHERE seq = ?").run(Buffer.from(JSON.stringify(state)), row.seq);
    database.close();
  }
  return closed.length;
}

/** The bytes of the state that a storage has. */
function stateBytes(storage) {
  const folder = path.join(storage, "do/durable-scheduler-Shard");
  const [file] = readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name));
  const database = new DatabaseSync(path.join(folder, file), { readOnly: true });
  const { bytes } = database.prepare("SELECT length(state) AS bytes FROM outbox WHERE state IS NOT NULL ORDER BY seq DESC LIMIT 1").get();
  database.close();
  return bytes;
}

const sorted = (numbers) => numbers.toSorted((one, other) => one - other);
const median = (numbers) => sorted(numbers)[numbers.length >> 1];

const storages = ["empty", "full"].map((name) => path.join(values.storage, name));
rmSync(values.storage, { recursive: true, force: true });
let servers = [];
try {
  // Each shard gets a state, and one of them series.
  for (const storage of storages) {
    const server = await start(storage);
    await call(server, "/v1/tasks/batch", [{ delayInSeconds: 0, callback: { type: "handler", name: "noop" } }]);
    while ((await call(server, "/v1/stats")).succeeded === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    await server.stop();
  }
  console.log(`series of seven busy days: ${fill(storages[1])} bytes of text`);
  servers = await Promise.all(storages.map(start));
  const { buckets } = await call(servers[1], "/v1/stats/series?by=hour");
  if (!buckets.slice(1, -2).every(({ fired }) => fired === 228_000)) throw new Error("the series that were put in are not there");
  const used = servers.map(() => []);
  // The first round, in which the runtime compiles the wasm, does not count.
  for (let round = 0; round <= rounds; round += 1) {
    const before = servers.map((server) => server.cpuNanos());
    const counts = await Promise.all(servers.map(fire));
    servers.forEach((server, at) => round > 0 && used[at].push((server.cpuNanos() - before[at]) / 1_000 / counts[at]));
  }
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
  const [empty, full] = used.map((micros) => `${median(micros).toFixed(0)} µs (${sorted(micros)[0].toFixed(0)}-${sorted(micros).at(-1).toFixed(0)})`);
  const ratios = used[1].map((micros, round) => micros / used[0][round]);
  console.log(`${tasks} tasks a firing: ${empty} of CPU for a firing with its reports, ${full} with full series, median of the ratios ${median(ratios).toFixed(3)}`);
  console.log(`states: ${storages.map(stateBytes).join(" and ")} bytes`);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(values.storage, { recursive: true, force: true });
}
process.exit(0);
