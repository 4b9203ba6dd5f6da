// Heavy and hostile requests. Each has the ordinary request of its route for comparison, and
// `e2e/hostile.test.mjs` checks each against a bound. `scripts/run node e2e/attacks.mjs` prints
// what each takes of the runtime, so that two builds can be compared.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { pathToFileURL } from "node:url";
import { Scheduler } from "./harness.mjs";

const MB = 1_000_000;
const ndjson = { "content-type": "application/x-ndjson" };
const list = (item, bytes) => `[${`${item},`.repeat(bytes / (item.length + 1))}${item}]`;
const members = (bytes) => `{${Array.from({ length: bytes / 11 }, (_, n) => `"${String(n).padStart(6, "0")}":0`).join(",")}}`;
const letters = (bytes) => "\u{e000}".repeat(bytes / 3);
const noop = { type: "handler", name: "noop" };
const tasks = (count, fields) => JSON.stringify(Array.from({ length: count }, (_, n) => ({ delayInSeconds: 86_400, callback: noop, ...fields(n) })));

const batch = { path: "/v1/tasks/batch", ordinary: () => tasks(1_000, () => ({ payload: "x".repeat(200) })) };
const stream = { path: "/v1/tasks/stream", headers: ndjson, ordinary: () => `${JSON.stringify({ delayInSeconds: 86_400, callback: noop, payload: "x".repeat(200) })}\n`.repeat(1_000) };
const one = { path: "/v1/tasks", ordinary: () => JSON.stringify({ delayInSeconds: 86_400, callback: noop }) };
const cancel = { path: "/v1/tasks/cancel", ordinary: () => JSON.stringify({ ids: Array.from({ length: 1_000 }, (_, n) => `none-${n}`) }) };
const preview = { path: "/v1/preview", ordinary: () => JSON.stringify({ cron: "0 9 * * 1-5" }) };
const parse = { path: "/v1/parse", ordinary: () => JSON.stringify({ text: "every monday at 10:00", timezone: "Europe/Berlin" }) };
const key = { path: "/v1/keys", ordinary: () => JSON.stringify({ name: "a", scopes: ["read"], namespaces: ["a"] }) };
const mcp = { path: "/mcp", ordinary: () => JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }) };
const tool = (name, args) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`;
const patch = { path: "/v1/tasks/patched", method: "PATCH", ordinary: () => JSON.stringify({ description: "b" }) };

/**
 * Each body is sent as it is. `expect` lists the accepted statuses. `chunked` sends the body
 * without a Content-Length, repeatedly up to this many bytes. Some bodies are as long as the route
 * accepts, others are longer. `answer` is the most bytes of an answer that is written in pieces,
 * for which there is no common bound: here, the longest errors of the most refused tasks.
 */
export const ATTACKS = [
  { name: "ten million tasks of two bytes", ...batch, body: () => list("{}", 30 * MB), expect: [413] },
  { name: "tasks of two bytes, as many as fit", ...batch, body: () => list("{}", 8 * MB), expect: [422] },
  { name: "numbers for tasks", ...batch, body: () => list("1", 8 * MB), expect: [422] },
  { name: "numbers a line", ...batch, headers: ndjson, body: () => "1\n".repeat(4 * MB), expect: [422] },
  { name: "a hundred megabytes of numbers a line", ...stream, chunked: 100 * MB, body: () => "1\n".repeat(MB / 2), expect: [200] },
  { name: "a line of a hundred megabytes", ...stream, chunked: 100 * MB, body: () => "x".repeat(MB), expect: [200] },
  { name: "a hundred megabytes of empty lines", ...stream, chunked: 100 * MB, body: () => "\n".repeat(MB), expect: [200] },
  { name: "lines with long names in a stream", ...stream, body: () => `${JSON.stringify({ ["y".repeat(400)]: 1 })}\n`.repeat(60_000), expect: [200], answer: 20 * MB },
  { name: "a task with eight megabytes of name", ...batch, body: () => `[{"${letters(8 * MB)}":1}]`, expect: [422] },
  { name: "a text for tasks", ...batch, body: () => `"${letters(8 * MB)}"`, expect: [422] },
  { name: "eight megabytes of tags", ...batch, body: () => `[{"delayInSeconds":1,"tags":${list('""', 8 * MB)}}]`, expect: [422] },
  { name: "bad tasks with long names", ...batch, body: () => JSON.stringify(Array.from({ length: 20_000 }, () => ({ ["y".repeat(400)]: 1 }))), expect: [422] },
  { name: "millions of ids", ...cancel, body: () => `{"ids":${list('""', 8 * MB)}}`, expect: [422] },
  { name: "thirty megabytes of ids", ...cancel, body: () => `{"ids":${list('""', 30 * MB)}}`, expect: [413] },
  { name: "thirty megabytes of cron expressions", ...preview, body: () => `{"cron":${list('""', 30 * MB)}}`, expect: [413] },
  { name: "thirty megabytes of headers", ...one, body: () => `{"delayInSeconds":1,"callback":{"type":"webhook","url":"https://a.example","headers":${members(30 * MB)}}}`, expect: [413] },
  { name: "thirty megabytes of statuses", ...one, body: () => `{"delayInSeconds":1,"retry":{"permanentStatuses":${list("404", 30 * MB)}}}`, expect: [413] },
  { name: "thirty megabytes of members of a patch", ...patch, body: () => members(30 * MB), expect: [413] },
  { name: "thirty megabytes of scopes", ...key, body: () => `{"name":"a","namespaces":["a"],"scopes":${list('"read"', 30 * MB)}}`, expect: [413] },
  { name: "thirty megabytes of arguments of a tool", ...mcp, body: () => tool("schedule_task", members(30 * MB)), expect: [413] },
  { name: "as many arguments of a tool as fit", ...mcp, body: () => tool("schedule_task", members(250_000)), expect: [200] },
  { name: "arguments of a tool, one in the other", ...mcp, body: () => tool("find_tasks", `${"[".repeat(125_000)}${"]".repeat(125_000)}`), expect: [200] },
  { name: "three hundred megabytes without a length", ...preview, chunked: 300 * MB, body: () => "x".repeat(MB), expect: [413] },
  { name: "the same as a batch", ...batch, chunked: 300 * MB, body: () => " ".repeat(MB), expect: [413] },
  { name: "sixteen expressions that name every second, and many counted runs", ...preview, body: () => JSON.stringify({ cron: Array.from({ length: 16 }, (_, n) => `0-${59 - n} * * * * *`), timezone: "Europe/Berlin", maxRuns: 100_000 }), expect: [200] },
  { name: "sixteen expressions and many counted runs", ...preview, body: () => JSON.stringify({ cron: Array.from({ length: 16 }, (_, n) => `${n} 0 29 2 *`), maxRuns: 100_000 }), expect: [200, 422] },
  { name: "a sentence of as many tokens as a body holds", ...parse, body: () => JSON.stringify({ text: "a1".repeat(7_000) }), expect: [200] },
  { name: "a sentence of many parts", ...parse, body: () => JSON.stringify({ text: "at 9 and every ".repeat(33) }), expect: [200] },
  { name: "a sentence of a sparse rule with many counted runs", ...parse, body: () => JSON.stringify({ text: 'by the rule "FREQ=MONTHLY;INTERVAL=11;BYMONTHDAY=31;BYDAY=MO;COUNT=1000" in UTC, 1000 times' }), expect: [200] },
  {
    name: "a thousand sentences of sparse rules",
    ...batch,
    // Tasks without ids go to one shard. The next attack fills one with recurring tasks.
    namespace: "sentences",
    body: () => JSON.stringify(Array.from({ length: 1_100 }, () => ({ schedule: 'by the rule "FREQ=MONTHLY;INTERVAL=11;BYMONTHDAY=31;BYDAY=MO;COUNT=900" in UTC', callback: noop }))),
    expect: [200],
  },
  {
    name: "twenty thousand sparse rules with jitter",
    ...batch,
    ordinary: () => tasks(20_000, () => ({})),
    body: () => JSON.stringify(Array.from({ length: 20_000 }, () => ({ rrule: "FREQ=MONTHLY;INTERVAL=11;BYMONTHDAY=31;BYDAY=MO", startAt: "2026-01-01T00:00:00Z", jitterSeconds: 86_400, callback: noop, type: "rrule" }))),
    expect: [200],
  },
];

/** Returns the runtime's process, a descendant of the process that started it. */
export function runtimeOf(scheduler) {
  const children = (pid) =>
    readdirSync("/proc").filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /, "").split(" ")[1] === String(pid);
      } catch {
        return false;
      }
    });
  const named = (pid) => (readFileSync(`/proc/${pid}/comm`, "utf8").includes("workerd") ? [pid] : children(pid).flatMap(named));
  return named(scheduler.pid)[0];
}

function status(pid, name) {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1_024;
}

/** Returns the bytes of memory that a process has now. */
export const rssOf = (pid) => status(pid, "VmRSS");

function cpuMillis(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Returns the most memory that the runtime has added, and the CPU time that it has used, while `work` ran. */
export async function measured(pid, work) {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const [rss, cpu] = [status(pid, "VmRSS"), cpuMillis(pid)];
  const outcome = await work();
  return { outcome, bytes: Math.max(0, status(pid, "VmHWM") - rss), cpu: cpuMillis(pid) - cpu };
}

/** Sends a request, optionally in chunks without a length. `fetch` fails if the answer arrives before the end of the body. */
export function send(scheduler, { path, method = "POST", headers = {}, chunked, namespace = "hostile" }, text) {
  return new Promise((resolve, reject) => {
    const url = new URL(path, scheduler.url);
    const length = chunked ? {} : { "content-length": Buffer.byteLength(text) };
    const all = { authorization: `Bearer ${scheduler.key}`, "scheduler-namespace": namespace, "content-type": "application/json", ...length, ...headers };
    let answered = false;
    const sent = request(url, { method, headers: all }, (response) => {
      answered = true;
      let size = 0;
      // The first part of the answer, for a failure.
      let start = "";
      response.on("data", (chunk) => {
        size += chunk.length;
        if (start === "") start = String(chunk).slice(0, 500);
      });
      const end = () => resolve({ status: response.statusCode, bytes: size, start });
      response.on("end", end);
      response.on("error", end);
    });
    // The server may close the connection while the rest of the body is being sent.
    sent.on("error", (error) => (answered ? undefined : reject(error)));
    if (!chunked) return sent.end(text);
    let left = chunked;
    const more = () => {
      while (left > 0 && !answered && !sent.destroyed) {
        left -= text.length;
        if (!sent.write(text)) return sent.once("drain", more);
      }
      sent.end();
    };
    more();
  });
}

/** Runs an attack. Returns what it takes, and what an ordinary request of its route takes. */
export async function run(scheduler, pid, attack) {
  const ordinary = await measured(pid, () => send(scheduler, { ...attack, chunked: undefined, headers: attack.path === stream.path ? ndjson : {} }, attack.ordinary()));
  const text = attack.body();
  const hostile = await measured(pid, () => send(scheduler, attack, text).catch((error) => ({ status: String(error.code ?? error), bytes: 0 })));
  return { ordinary, hostile };
}

/** Starts a scheduler with the attacks' namespace, a task in it, and a task of another tenant. `options` as for `Scheduler.start`. */
export async function prepared(options = {}) {
  const scheduler = await Scheduler.start({ shards: "4", ...options });
  for (const name of ["hostile", "neighbor", "sentences"]) await scheduler.call(`/v1/namespaces/${name}`, { method: "PUT", body: {} });
  await scheduler.call("/v1/tasks/patched", { method: "PUT", body: { delayInSeconds: 86_400, callback: noop }, headers: { "scheduler-namespace": "hostile" } });
  return scheduler;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const mb = (bytes) => `${(bytes / MB).toFixed(0).padStart(5)} MB`;
  for (const attack of ATTACKS.filter(({ name }) => name.includes(process.argv[2] ?? ""))) {
    // Each attack has a runtime of its own, because the memory of wasm does not shrink.
    const scheduler = await prepared();
    try {
      const { ordinary, hostile } = await run(scheduler, runtimeOf(scheduler), attack);
      const { status, bytes } = hostile.outcome;
      console.log(`${attack.name.padEnd(44)} ${status}  ${mb(hostile.bytes)} (ordinary ${mb(ordinary.bytes)})  ${hostile.cpu} ms (ordinary ${ordinary.cpu} ms)  answer ${mb(bytes)}`);
    } finally {
      await scheduler.dispose();
    }
  }
}
