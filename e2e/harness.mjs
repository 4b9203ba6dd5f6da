// Runs a scheduler in its own process, which a test may kill (kill -9) and restart on the same
// storage.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../scripts/paths.mjs";

const START_DEADLINE_MS = 60_000;

/** The ports of a slot of the test runner: this many, from the first one on. */
const [FIRST_PORT, PORTS] = [20_000, 6_000];

/** The milliseconds between two rounds of the watchdog. */
const ROUND_MS = 300_000;

/**
 * Returns the path that runs a round of the watchdog. Rounds have numbers by their scheduled time. Here, the number is counted
 * from one in which all turns begin, as long as there are at most 240 rounds in a full turn. With as many shards as fit a
 * round, the rounds 0, 3, 6 and so on load the shards.
 */
export function roundOfWatchdog(round) {
  const period = 720 * ROUND_MS;
  const time = Math.floor(Date.now() / period) * period + round * ROUND_MS;
  return `/cdn-cgi/local/scheduled?cron=${encodeURIComponent("*/5 * * * *")}&time=${time}`;
}

/**
 * Calls `probe` until it returns something truthy, and returns that. It has a deadline instead of a
 * fixed wait, so on a busy machine a test gets slower but does not fail. An error of the probe
 * counts as "not yet", and is shown after the deadline.
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

/**
 * Returns a port of this machine that is free at the moment. It lies below those that a system gives to connections and to whoever
 * asks for port 0, and files of tests that run at once have ranges of their own (TEST_SLOT, see scripts/test.mjs). So a test that
 * starts something again on its port finds it free.
 */
export async function freePort() {
  const from = FIRST_PORT + PORTS * Number(process.env.TEST_SLOT ?? 0);
  for (;;) {
    const port = from + Math.floor(Math.random() * PORTS);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch (error) {
      if (error.code === "EADDRINUSE") continue;
      throw error;
    }
    server.close();
    await once(server, "close");
    return port;
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
   * The options are `root` (another checkout, which is built), `shards` (a shard map, "16"),
   * `visibilitySeconds`, `sink` (URL), `bench` (true: parse only), `vars` (other variables),
   * `port`, `verbose`, and `seed` (an async function that prepares the storage in the given
   * folder). The storage is a new folder, which `dispose` removes.
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

  /** Starts or restarts it on the same storage, key and port, and waits until it answers. */
  async restart() {
    if (this.#child) throw new Error("still running: kill or stop it first");
    const { root = ROOT, shards, visibilitySeconds, sink, bench, verbose, vars = {} } = this.#options;
    const port = this.url ? new URL(this.url).port : (this.#options.port ?? (await freePort()));
    const args = [join(root, "scripts/serve.mjs"), "--with-parent", "--port", port, "--persist", this.storage];
    if (this.key) args.push(`--key=${this.key}`);
    if (shards) args.push("--shards", shards);
    if (visibilitySeconds) args.push("--visibility", visibilitySeconds);
    if (sink) args.push("--sink", sink);
    if (bench) args.push("--bench");
    if (verbose) args.push("--verbose");
    for (const [name, value] of Object.entries(vars)) args.push("--var", `${name}=${value}`);

    // The runtime's temporary files are in our folder too, because after a kill -9 it cannot remove
    // them.
    const tmp = join(this.#folder, "tmp");
    await mkdir(tmp, { recursive: true });
    const child = spawn(process.execPath, args.map(String), {
      // It has its own process group. A kill of the group ends workerd too, and nothing else.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: tmp },
    });
    this.#child = child;
    const gone = once(child, "exit");
    child.stderr.setEncoding("utf8").on("data", (text) => this.#keep(text));

    const lines = createInterface(child.stdout);
    // Wrangler's configuration reader may print notes before our line of JSON.
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

  /** The parent process of the runtime. */
  get pid() {
    return this.#child?.pid;
  }

  /** The folder of the storage. */
  get storage() {
    return join(this.#folder, "storage");
  }

  /** Returns the end of the output of the workers and the runtime. */
  log() {
    return this.#output.join("").slice(-20_000);
  }

  /** Sends a request with the API key. A `body` that is not a string is sent as JSON. */
  async fetch(path, { method, body, headers = {}, ...rest } = {}) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    return fetch(`${this.url}${path}`, {
      method: method ?? (text === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${this.key}`, ...(text === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: text,
      ...rest,
    });
  }

  /** Sends a request, and returns `{status, body}` with the parsed JSON. */
  async call(path, options) {
    const response = await this.fetch(path, options);
    const text = await response.text();
    try {
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
    } catch {
      return { status: response.status, body: text };
    }
  }

  /** Runs a round of the watchdog, because locally no clock does. See `roundOfWatchdog`. */
  async watchdog(round = 0) {
    const response = await fetch(this.url + roundOfWatchdog(round));
    if (!response.ok) throw new Error(`watchdog: ${response.status} ${await response.text()}`);
  }

  /** Kills the runtime (kill -9): its process and workerd at once. */
  async kill() {
    await this.#end("SIGKILL");
  }

  /** Stops it in an orderly way. */
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
        // The signal of an orderly stop goes only to the parent, which ends workerd itself.
        process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
      await gone;
    }
    child.stdin.destroy();
    // workerd is not our child, so this waits until its port is free for a restart.
    if (this.url) await until("workerd to be gone", () => fetch(`${this.url}/healthz`).then(() => false, () => true));
  }

  /** Stops it, and removes its storage. */
  async dispose() {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
