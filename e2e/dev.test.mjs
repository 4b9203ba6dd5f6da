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
  const child = spawn("bash", ["scripts/dev.sh"], { cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, PORT: String(port), STATE: state, NO_COLOR: "1" } });
  const ended = once(child, "close");
  const session = { output: "", code: undefined };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (session.output += chunk));
  child.on("exit", (code) => (session.code = code));
  session.stop = async () => {
    if (session.code === undefined) process.kill(-child.pid, "SIGINT");
    await ended;
  };
  return session;
}

test("make dev prints the link to the dashboard last, after the runtime is ready, and names what logs", { timeout: 120_000 }, async () => {
  await mkdir(join(ROOT, ".wrangler/e2e"), { recursive: true });
  const state = await mkdtemp(join(ROOT, ".wrangler/e2e/dev-"));
  const port = await freePort();
  const session = start(port, state);
  try {
    const link = new RegExp(`http://localhost:${port}/#key=(\\S+)`);
    const [, key] = await until("the link", () => link.exec(session.output), { timeoutMs: 90_000 });
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    const lines = session.output.trimEnd().split("\n");
    const place = (pattern) => lines.findLastIndex((line) => pattern.test(line));
    assert.ok(place(link) > place(/Ready on http/), session.output);
    // Only the line about the request of this test may come after it.
    assert.ok(lines.length - place(link) <= 2, lines.slice(place(link)).join("\n"));
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(`http://127.0.0.1:${port}/v1/tasks`, { method: "POST", headers, body: JSON.stringify({ id: "hello", delayInSeconds: 0, callback: { type: "handler", name: "log" } }) });
    assert.equal(response.status, 201, await response.text());
    await until("the log of the task", () => /^\[scheduler\] .*"task fired","id":"hello"/m.test(session.output));
    assert.doesNotMatch(session.output, /\[undefined\]/);

    // A second one says that the port is taken, and how to go on.
    const second = start(port, state);
    await until("the second to end", () => second.code !== undefined);
    await second.stop();
    assert.equal(second.code, 1);
    assert.match(second.output, new RegExp(`^dev: something listens on port ${port} already.*make dev PORT=`));
  } finally {
    await session.stop();
    await rm(state, { recursive: true, force: true, maxRetries: 5 });
  }
});
