// A scheduler in a process of its own that a test may kill -9 and start again on the same storage.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../scripts/paths.mjs";

const START_DEADLINE_MS = 60_000;

/**
 * Calls `probe` until it returns something truthy, and returns that. A deadline, never a fixed wait:
 * on a busy machine a test gets slower, not wrong. An error thrown by the probe counts as "not yet" and
 * is shown if the deadline passes.
 */
export async function until(what, probe, { timeoutMs = 30_000, everyMs = 50 } = {}) {
  const deadline = Date.now() + timeoutMs;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`gave up after ${timeoutMs} ms waiting for ${what}; last: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

export class Scheduler {
  #child;
  #options;
  #folder;
  #output = [];
  url;
  key;

  constructor(options, folder) {
    this.#options = options;
    this.#folder = folder;
  }

  /**
   * Options: `root` (another checkout, which is built), `shards` (a shard map, "16"), `visibilitySeconds`, `sink` (URL), `bench` (true: parse only),
   * `vars` (other variables), `port`, `verbose`, `seed` (an async function that is given the storage's folder, to put there what
   * the scheduler is to find). Storage is a new folder, removed by `dispose`.
   */
  static async start(options = {}) {
    const parent = join(ROOT, ".wrangler/e2e");
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, "run-"));
    const scheduler = new Scheduler(options, folder);
    try {
      await options.seed?.(join(folder, "storage"));
      await scheduler.restart();
    } catch (error) {
      await scheduler.dispose();
      throw error;
    }
    return scheduler;
  }

  /** Starts it (again) on the same storage, key and port, and waits until it answers. */
  async restart() {
    if (this.#child) throw new Error("still running: kill or stop it first");
    const { root = ROOT, shards, visibilitySeconds, sink, bench, verbose, vars = {} } = this.#options;
    const port = this.url ? new URL(this.url).port : (this.#options.port ?? 0);
    const args = [join(root, "scripts/serve.mjs"), "--with-parent", "--port", port, "--persist", join(this.#folder, "storage")];
    if (this.key) args.push(`--key=${this.key}`);
    if (shards) args.push("--shards", shards);
    if (visibilitySeconds) args.push("--visibility", visibilitySeconds);
    if (sink) args.push("--sink", sink);
    if (bench) args.push("--bench");
    if (verbose) args.push("--verbose");
    for (const [name, value] of Object.entries(vars)) args.push("--var", `${name}=${value}`);

    // The runtime's scratch files go into our folder too: after a kill -9 it cannot remove them itself.
    const tmp = join(this.#folder, "tmp");
    await mkdir(tmp, { recursive: true });
    const child = spawn(process.execPath, args.map(String), {
      // Its own process group: killing the group takes workerd along, and nothing else.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: tmp },
    });
    this.#child = child;
    const gone = once(child, "exit");
    child.stderr.setEncoding("utf8").on("data", (text) => this.#keep(text));

    const lines = createInterface(child.stdout);
    // Wrangler's configuration reader may print notes of its own before our line of JSON.
    const ready = new Promise((resolve) => lines.on("line", (line) => line.startsWith("{") && resolve(JSON.parse(line))));
    const dead = gone.then(([code, signal]) => {
      throw new Error(`the scheduler ended while starting (${signal ?? code}):\n${this.log()}`);
    });
    dead.catch(() => {});
    const { url, key } = await Promise.race([ready, dead]);
    this.url = url;
    this.key = key;
    await until("the scheduler to answer", () => fetch(`${url}/healthz`).then((r) => r.ok), { timeoutMs: START_DEADLINE_MS });
  }

  #keep(text) {
    this.#output.push(text);
    if (this.#output.length > 2_000) this.#output.splice(0, 1_000);
    if (this.#options.verbose) process.stderr.write(text);
  }

  /** The process that the runtime runs below. */
  get pid() {
    return this.#child?.pid;
  }

  /** The end of what the workers and the runtime have printed. */
  log() {
    return this.#output.join("").slice(-20_000);
  }

  /** A request with the API key. `body`: a string as it is, anything else as JSON. */
  async fetch(path, { method, body, headers = {}, ...rest } = {}) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    return fetch(`${this.url}${path}`, {
      method: method ?? (text === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${this.key}`, ...(text === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: text,
      ...rest,
    });
  }

  /** The same, returning `{status, body}` with the parsed JSON. */
  async call(path, options) {
    const response = await this.fetch(path, options);
    const text = await response.text();
    try {
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
    } catch {
      return { status: response.status, body: text };
    }
  }

  /** Runs the watchdog, which locally no clock does. */
  async watchdog() {
    const response = await fetch(`${this.url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent("* * * * *")}`);
    if (!response.ok) throw new Error(`watchdog: ${response.status} ${await response.text()}`);
  }

  /** kill -9 of the runtime: of this process and of workerd, at once. */
  async kill() {
    await this.#end("SIGKILL");
  }

  /** An orderly end. */
  async stop() {
    await this.#end("SIGTERM");
  }

  async #end(signal) {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      try {
        // Orderly: only to the parent, which ends workerd itself.
        process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
      await gone;
    }
    child.stdin.destroy();
    // workerd is not our child: wait for its end by its port, which a restart wants to have.
    if (this.url) await until("workerd to be gone", () => fetch(`${this.url}/healthz`).then(() => false, () => true));
  }

  /** Ends it, and removes its storage. */
  async dispose() {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
