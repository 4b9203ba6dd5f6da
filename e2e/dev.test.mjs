// Runs `make dev` as a newcomer sees it: what it prints, and in which order.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { freePort, until } from "./harness.mjs";

/** Starts scripts/dev.sh in a group of its own. Returns its output so far, and a function that ends it as Ctrl-C does. */
function start(port, state) {
  const env = { ...process.env, PORT: String(port), STATE: state ?? "", NO_COLOR: "1" };
  const child = spawn("bash", ["scripts/dev.sh"], { cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"], env });
  const ended = once(child, "close");
  const session = { output: "", code: undefined, pid: child.pid };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (session.output += chunk));
  child.on("exit", (code) => (session.code = code));
  session.stop = async () => {
    if (session.code === undefined) process.kill(-child.pid, "SIGINT");
    await ended;
  };
  return session;
}

/** The pattern of the link to the dashboard, with the API key. */
const linkTo = (port) => new RegExp(`http://localhost:${port}/#key=(\\S+)`);

/** Waits until a session is ready. Returns a function that sends it a request. */
async function ready(session, port) {
  await until("the link", () => session.code !== undefined || linkTo(port).test(session.output), { timeoutMs: 90_000 });
  const [, key] = linkTo(port).exec(session.output) ?? assert.fail(`it ended with ${session.code}: ${session.output}`);
  return async (path, body) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, text: await response.text() };
  };
}

/** Runs a session that is refused, and returns what it printed. */
async function refused(port, state) {
  const session = start(port, state);
  await until("it to end", () => session.code !== undefined);
  await session.stop();
  assert.equal(session.code, 1, session.output);
  return session.output;
}

const log = { type: "handler", name: "log" };

test("make dev prints the link to the dashboard last, after the runtime is ready, and names what logs", { timeout: 120_000 }, async () => {
  await mkdir(join(ROOT, ".wrangler/e2e"), { recursive: true });
  const state = await mkdtemp(join(ROOT, ".wrangler/e2e/dev-"));
  const port = await freePort();
  const session = start(port, state);
  try {
    const call = await ready(session, port);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    const lines = session.output.trimEnd().split("\n");
    const place = (pattern) => lines.findLastIndex((line) => pattern.test(line));
    const link = place(linkTo(port));
    assert.ok(link > place(/Ready on http/), session.output);
    // Only the line about the request of this test may come after it.
    assert.ok(lines.length - link <= 2, lines.slice(link).join("\n"));
    const { status, text } = await call("/v1/tasks", { id: "hello", delayInSeconds: 0, callback: log });
    assert.equal(status, 201, text);
    await until("the log of the task", () => /^\[scheduler\] .*"task fired","id":"hello"/m.test(session.output));
    assert.doesNotMatch(session.output, /\[undefined\]/);

    // A second one says what is taken, and how to go on.
    assert.match(await refused(port, state), new RegExp(`^dev: something listens on port ${port} already.*make dev PORT=${port + 1}$`, "m"));
    const shared = await refused(await freePort(), state);
    assert.match(shared, new RegExp(`^dev: the storage ${state} belongs to the scheduler that runs on port ${port} as process ${session.pid}: .*make dev PORT=`));
  } finally {
    await session.stop();
    await rm(state, { recursive: true, force: true, maxRetries: 5 });
  }
});

test("two that run on different ports have storage of their own, and start again with their tasks", { timeout: 180_000 }, async () => {
  const ports = [await freePort(), await freePort()];
  const folders = ports.flatMap((port) => [`.wrangler/state-${port}`, `.wrangler/registry-${port}`]);
  let sessions = [];
  const has = async (call, id) => (await call(`/v1/tasks/${id}`)).status === 200;
  const end = () => Promise.all(sessions.splice(0).map((session) => session.stop()));
  try {
    sessions = ports.map((port) => start(port));
    const calls = await Promise.all(sessions.map((session, n) => ready(session, ports[n])));
    for (const [n, call] of calls.entries()) {
      for (const [id, delayInSeconds] of [[`kept-${n}`, 3_600], [`fired-${n}`, 0]]) {
        const { status, text } = await call("/v1/tasks", { id, delayInSeconds, callback: log });
        assert.equal(status, 201, text);
      }
    }
    const firedIn = (n) => sessions.map(({ output }) => output.includes(`"task fired","id":"fired-${n}"`));
    for (const n of [0, 1]) await until(`fired-${n}`, () => firedIn(n).includes(true));
    assert.deepEqual([firedIn(0), firedIn(1)], [[true, false], [false, true]]);
    for (const [n, call] of calls.entries()) assert.deepEqual([await has(call, `kept-${n}`), await has(call, `kept-${1 - n}`)], [true, false]);
    for (const { output } of sessions) assert.doesNotMatch(output, /SQLITE_BUSY/);

    await end();
    sessions = [start(ports[0])];
    assert.ok(await has(await ready(sessions[0], ports[0]), "kept-0"));
  } finally {
    await end();
    for (const folder of folders) await rm(join(ROOT, folder), { recursive: true, force: true, maxRetries: 5 });
  }
});
