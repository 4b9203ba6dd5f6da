// A steady load on a scheduler that is being replaced: creates, cancels and readers, and a ledger of what was acknowledged.

import assert from "node:assert/strict";

/** What a reader asks for in turn. */
const QUESTIONS = ["/v1/stats", "/v1/tasks?limit=20", "/v1/tasks?order=desc&limit=5", "/v1/tasks?tag=load&limit=5", "/v1/runs?limit=5", "/v1/stats/series", "/v1/forecast", "/v1/dead-letters", "/v1/tasks/beat-0", "/v1/tasks/beat-0/runs", "/v1/tasks/beat-0/explain", "/v1/limits/load", "/healthz"];
/** Tasks in a batch, and between two requests of a loop, in milliseconds. */
const BATCH = 10;
const PAUSE_MS = 40;
/** A task is due this many milliseconds after its request, and one that is to be cancelled CANCELLED_MS later. */
const DUE_MS = { least: 150, range: 1_500 };
const CANCELLED_MS = 1_000;
/** How long after the last due time of a cancelled task it would have run, in milliseconds. */
const SETTLE_MS = 500;
/** Of this many tasks, one fails once, one is cancelled, one has a limit and one goes to a queue. */
const KINDS = 10;
/** The recurring tasks. Each runs every second. */
const BEATS = 4;

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/**
 * The load. A request without an answer, or with 503, is counted and sent again with the same `Idempotency-Key`, as a client does. Any
 * other answer that is not a success is a fault. A Worker of another build may not know a parameter of a question, and says so.
 */
export class Load {
  #url;
  #sink;
  #queue;
  #isOn = true;
  #loops;
  #batches = 0;
  /** Acknowledged tasks: id to `{time, kind}`; a cancelled one has `cancelledAt`. */
  tasks = new Map();
  /** The number of requests by their outcome. */
  outcomes = {};
  faults = [];

  /** `url` is the scheduler's, and `sink` receives the webhooks. `queue` says whether tasks also go to the example consumer's queue. */
  constructor({ url, sink, queue }) {
    this.#url = url;
    this.#sink = sink;
    this.#queue = queue;
  }

  /** The sink's answer to a webhook: a task that is to fail once does. */
  static answer = ({ path, headers }) => (path === "/fails-once" && headers["scheduler-attempt"] === "1" ? 500 : 200);

  /** Sends a request once. Returns `{status, body}`, or undefined if it has to be sent again. */
  async #once(path, { method = "GET", body, key } = {}) {
    const headers = { authorization: "Bearer key", "content-type": "application/json", ...(key && { "idempotency-key": key }) };
    let status;
    try {
      const response = await fetch(this.#url + path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
      const text = await response.text();
      status = response.status;
      if (status === 503 && response.headers.get("retry-after") === null) this.faults.push(`${method} ${path}: 503 without Retry-After: ${text}`);
      if (status < 300 || status === 404) return { status, body: JSON.parse(text || "null") };
      const isUnknown = process.env.UPGRADE_FROM && method === "GET" && status === 422;
      if (status !== 503 && !isUnknown) this.faults.push(`${method} ${path}: ${status} ${text}`);
    } catch (error) {
      if (!(error instanceof TypeError) && error.name !== "TimeoutError") throw error;
      status = "no answer";
    } finally {
      const name = `${method} ${status}`;
      this.outcomes[name] = (this.outcomes[name] ?? 0) + 1;
    }
    return undefined;
  }

  /** Sends a request until it has an answer. */
  async #send(path, options) {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const answer = await this.#once(path, options);
      if (answer) return answer;
      if (Date.now() > deadline) throw new Error(`${path}: no answer for 20 s; ${JSON.stringify(this.outcomes)}`);
      await sleep(100);
    }
  }

  async #repeat(step) {
    for (let n = 0; this.#isOn; n++) {
      await step(n);
      await sleep(PAUSE_MS);
    }
  }

  #callback(kind) {
    if (kind === "queue") return { type: "queue", queue: "FIRED_TASKS" };
    return { type: "webhook", url: `${this.#sink.url}/${kind}` };
  }

  async #create() {
    const batch = this.#batches++;
    const now = Date.now();
    const kinds = ["fails-once", "cancelled", "limited", ...(this.#queue ? ["queue"] : [])];
    const items = Array.from({ length: BATCH }, (_, at) => {
      const n = batch * BATCH + at;
      const kind = kinds[n % KINDS] ?? "plain";
      const time = now + DUE_MS.least + ((n * 997) % DUE_MS.range) + (kind === "cancelled" ? CANCELLED_MS : 0);
      const more = { "fails-once": { retry: { minBackoffSeconds: 0.1 } }, limited: { limitKey: "load" } };
      return { id: `load-${n}`, time, tags: ["load"], callback: this.#callback(kind), ...more[kind] };
    });
    const { body } = await this.#send("/v1/tasks/batch", { method: "POST", body: items, key: `batch-${batch}` });
    assert.equal(body.accepted, BATCH, JSON.stringify(body));
    for (const [at, { id, time }] of items.entries()) this.tasks.set(id, { time, kind: kinds[(batch * BATCH + at) % KINDS] ?? "plain" });
  }

  async #cancel() {
    const next = [...this.tasks].find(([, task]) => task.kind === "cancelled" && task.cancelledAt === undefined && !task.isTried);
    if (!next) return;
    const [id, task] = next;
    task.isTried = true;
    const { status } = await this.#send(`/v1/tasks/${id}`, { method: "DELETE" });
    if (status === 200) task.cancelledAt = Date.now();
    // An earlier try has cancelled it, or it has run.
    else task.isUnclear = true;
  }

  async start() {
    await this.#send("/v1/limits/load", { method: "PUT", body: { concurrency: 20 } });
    const beats = Array.from({ length: BEATS }, (_, n) => ({ id: `beat-${n}`, everySeconds: 1, callback: this.#callback("beat") }));
    await this.#send("/v1/tasks/batch", { method: "POST", body: beats, key: "beats" });
    this.#loops = Promise.all([
      this.#repeat(() => this.#create()),
      this.#repeat(() => this.#cancel()),
      // A reader does not ask again.
      this.#repeat((n) => this.#once(QUESTIONS[n % QUESTIONS.length])),
    ]);
    // A test that fails first ends the load without waiting for it.
    this.#loops.catch(() => (this.#isOn = false));
  }

  /** Ends the load and the recurring tasks. Returns when the last cancelled task would have run. */
  async stop() {
    this.#isOn = false;
    await this.#loops;
    const ids = Array.from({ length: BEATS }, (_, n) => `beat-${n}`);
    await this.#send("/v1/tasks/cancel", { method: "POST", body: { ids } });
    await sleep(Math.max(0, ...[...this.tasks.values()].map(({ time, cancelledAt }) => (cancelledAt ? time + SETTLE_MS - Date.now() : 0))));
  }

  /** Returns what has arrived: by id, the runs as `{time, at, key, attempt}`. */
  #arrived() {
    const arrived = new Map();
    const add = (id, run) => arrived.set(id, [...(arrived.get(id) ?? []), run]);
    for (const { body, headers, receivedAt } of this.#sink.webhooks) {
      add(body.id, { time: body.time, at: receivedAt, key: headers["idempotency-key"], attempt: headers["scheduler-attempt"] });
    }
    for (const { firedAt, tasks } of this.#sink.envelopes) {
      for (const { id, time, attempt } of tasks) add(id, { time, at: firedAt, key: `${id}@${time}`, attempt: String(attempt ?? 1) });
    }
    return arrived;
  }

  /** Returns the ids of acknowledged tasks that have yet to run. */
  missing() {
    const arrived = this.#arrived();
    const isDone = (id, kind) => (arrived.get(id) ?? []).some(({ attempt }) => kind !== "fails-once" || attempt !== "1");
    return [...this.tasks].filter(([id, { kind, isUnclear, cancelledAt }]) => cancelledAt === undefined && !isUnclear && !isDone(id, kind)).map(([id]) => id);
  }

  /** Checks what has arrived against what was acknowledged. Returns how many runs were repeats. */
  check() {
    assert.deepEqual(this.faults, []);
    assert.deepEqual(this.missing(), [], "acknowledged tasks that have not run");
    const arrived = this.#arrived();
    let repeats = 0;
    for (const [id, runs] of arrived) {
      const seen = new Set();
      for (const { time, at, key, attempt } of runs) {
        assert.ok(at >= time, `${id} ran ${time - at} ms early`);
        assert.equal(key, `${id}@${time}`);
        repeats += seen.has(`${key} ${attempt}`);
        seen.add(`${key} ${attempt}`);
      }
      const task = this.tasks.get(id);
      if (task) assert.deepEqual([...new Set(runs.map(({ time }) => time))], [task.time], id);
      if (task?.cancelledAt !== undefined) assert.fail(`${id} ran at ${runs[0].at}, and was cancelled at ${task.cancelledAt}, due at ${task.time}`);
    }
    return repeats;
  }

  /** Returns the gaps in the runs of the recurring tasks, in milliseconds, that are longer than their interval. */
  gaps() {
    const arrived = this.#arrived();
    return Array.from({ length: BEATS }, (_, n) => `beat-${n}`).flatMap((id) => {
      const times = [...new Set((arrived.get(id) ?? []).map(({ time }) => time))].sort((a, b) => a - b);
      assert.ok(times.length > 2, `${id} ran ${times.length} times`);
      return times.slice(1).map((time, at) => time - times[at]).filter((gap) => gap !== 1_000);
    });
  }
}
