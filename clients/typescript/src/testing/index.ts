/**
 * A scheduler with a virtual clock, for tests in Node with any runner.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SchedulerClient } from "../client/index.ts";
import type { Task } from "../generated/openapi.ts";
import { type Duration, toMillis } from "./duration.ts";
import { type Miniflare, startRuntime } from "./runtime.ts";

export type { Duration } from "./duration.ts";

/** The options of a test scheduler. */
export interface TestSchedulerOptions {
  /** The wrangler configuration of the Worker under test. Default: the one in the current folder. */
  config?: string | undefined;
  /** The first time of the virtual clock. Default: the current time. */
  now?: Date | number | string | undefined;
  /** Variables and secrets that replace those of the configuration. */
  vars?: Record<string, string> | undefined;
  /** Answers the requests that the Worker sends to the web, including webhooks. Default: they are sent. */
  outbound?: ((request: Request) => Response | Promise<Response>) | undefined;
  /** The most time that the tasks of one moment may take, in milliseconds of real time. Default: 30,000. */
  timeoutMillis?: number | undefined;
}

/** A Worker with a scheduler on the local runtime. A test moves its clock. */
export class TestScheduler<Env = Record<string, unknown>> {
  readonly #runtime: Miniflare;
  readonly #timeoutMillis: number;
  #offset = 0;
  /** A client of the scheduler, with a key that may do everything. */
  readonly client: SchedulerClient;
  /** The address at which the Worker listens on this machine, for example for a browser. */
  readonly url: string;

  /** Use {@link startScheduler}. */
  constructor(runtime: Miniflare, url: string, apiKey: string, timeoutMillis: number) {
    this.#runtime = runtime;
    this.url = url;
    this.#timeoutMillis = timeoutMillis;
    const send = (request: Request) => this.fetch(request.url, request as RequestInit);
    this.client = new SchedulerClient({ fetch: send, apiKey });
  }

  /** The current time of the virtual clock. Between two calls of `advance`, it runs as fast as the real one. */
  get now(): Date {
    return new Date(Date.now() + this.#offset);
  }

  /** Sends a request to the Worker. A path is enough. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#runtime.dispatchFetch(new URL(path, "http://localhost").href, init);
  }

  /** Returns the bindings of the Worker: Durable Objects and services can be called by RPC. `Bindings` is their type, which `startScheduler` may have as well. */
  bindings<Bindings = Env>(): Promise<Bindings> {
    return this.#runtime.getBindings<Bindings>();
  }

  /**
   * Moves the clock forward, and resolves when every task that came due has run, including retries. The clock stops at the due time of each
   * task, so none is late.
   *
   * Throws an `Error` if the tasks of one moment do not end within `timeoutMillis`.
   */
  async advance(duration: Duration): Promise<void> {
    await this.advanceTo(this.now.getTime() + toMillis(duration));
  }

  /** Moves the clock to a time, as `advance` does. Throws a `RangeError` if the time has passed. */
  async advanceTo(time: Date | number | string): Promise<void> {
    const end = new Date(time).getTime();
    if (!(end >= this.now.getTime() - 1_000)) throw new RangeError(`${String(time)} is not a time after ${this.now.toISOString()}`);
    for (;;) {
      await this.settle();
      const next = await this.#nextDue();
      if (next === undefined || next > end) break;
      await this.#setClock(next);
    }
    await this.#setClock(end);
    await this.settle();
  }

  /** Resolves when no task is due and none is running. Throws an `Error` if that does not happen within `timeoutMillis`. */
  async settle(): Promise<void> {
    const deadline = performance.now() + this.#timeoutMillis;
    for (;;) {
      const busy = (await this.client.query({ to: new Date(this.now.getTime() + 1) }).toArray()).filter(isBusy);
      if (busy.length === 0) return;
      if (performance.now() > deadline) throw new Error(`these tasks are still due or running: ${busy.map(({ id, status }) => `${id} (${status})`).join(", ")}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  /** Ends the runtime. Its storage is lost. */
  stop(): Promise<void> {
    return this.#runtime.dispose();
  }

  async #nextDue(): Promise<number | undefined> {
    for await (const task of this.client.query({ from: new Date(this.now.getTime()) })) {
      if (isBusy(task) && task.due !== undefined) return task.due;
    }
    return undefined;
  }

  /** Sets the clock, unless it has passed the time already. */
  async #setClock(time: number): Promise<void> {
    this.#offset = Math.max(this.#offset, time - Date.now());
    await (await this.fetch(CLOCK_PATH, { method: "POST", body: String(this.#offset) })).text();
  }

  /** Sets the first time of the clock. */
  async start(now: number): Promise<void> {
    this.#offset = now - Date.now();
    await this.#setClock(now);
  }
}

/** The same value as in virtual-time.ts, which only the runtime can load. */
const CLOCK_PATH = "/durable-scheduler/clock";

/** Whether a task fires by itself, or is in flight. */
function isBusy({ status }: Task): boolean {
  return status === "scheduled" || status === "retrying" || status === "running" || status === "held";
}

/**
 * Starts the Worker of a wrangler configuration on the local runtime, with its storage in memory and a virtual clock. The
 * default export must be a class that extends `SchedulerWorker`, or `SchedulerWorker` itself. `Date` shows the virtual time
 * in the whole Worker. The alarms of your own Durable Objects follow the real clock.
 *
 * Needs wrangler in the project. Throws a `TypeError` if `now` is no time, and an `Error` if there is no configuration, if its
 * `compatibility_date` is too old for the scheduler, or if the Worker does not start.
 *
 * @example
 * const scheduler = await startScheduler({ now: "2030-01-01T00:00:00Z" });
 * await scheduler.client.scheduleTask({ id: "x", cron: "0 9 * * *", callback });
 * await scheduler.advance("3 days");
 * await scheduler.stop();
 */
export async function startScheduler<Env = Record<string, unknown>>(options: TestSchedulerOptions = {}): Promise<TestScheduler<Env>> {
  const { now = Date.now(), timeoutMillis = 30_000 } = options;
  const start = new Date(now).getTime();
  if (Number.isNaN(start)) throw new TypeError(`now is ${String(now)}, which is not a time`);
  const path = options.config ?? ["wrangler.json", "wrangler.jsonc", "wrangler.toml"].find((name) => existsSync(name));
  if (path === undefined || !existsSync(path)) throw new Error(`there is no wrangler configuration ${path ?? "here"}: give its path as config`);
  const apiKey = crypto.randomUUID() + crypto.randomUUID();
  const runtime = await startRuntime(resolve(path), options.outbound, { ...options.vars, API_KEYS: apiKey });
  const { origin } = await runtime.ready;
  const scheduler = new TestScheduler<Env>(runtime, origin, apiKey, timeoutMillis);
  try {
    await scheduler.start(start);
  } catch (error) {
    await scheduler.stop();
    throw error;
  }
  return scheduler;
}
