// Trials that end: one task of the scheduler for each trial, which calls a webhook at the end.

/** How many tasks one request may create. */
const BATCH = 20_000;

export class Trials {
  #url;
  #key;
  #webhook;

  /** `url`: of the scheduler. `key`: an API key. `webhook`: the URL that is called when a trial ends. */
  constructor({ url, key, webhook }) {
    this.#url = url;
    this.#key = key;
    this.#webhook = webhook;
  }

  /**
   * Starts trials, each `{customer, endsAt}`: `endsAt` is a Date. Returns the trials that were refused, with the reason.
   * A trial that is started again gets the new end.
   */
  async start(trials) {
    const refused = [];
    for (let at = 0; at < trials.length; at += BATCH) {
      const part = trials.slice(at, at + BATCH);
      // One line for each task. An invalid one does not keep the others from being created.
      const lines = part.map((trial) => JSON.stringify(this.#task(trial))).join("\n");
      const reply = await this.#call("POST", "/v1/tasks/batch", lines, "application/x-ndjson");
      reply.results.forEach(({ error }, index) => error && refused.push({ ...part[index], error }));
    }
    return refused;
  }

  #task({ customer, endsAt }) {
    return {
      id: `trial-end:${customer}`,
      time: endsAt.toISOString(),
      tags: ["trial-end"],
      callback: { type: "webhook", url: this.#webhook, timeoutSeconds: 10 },
      payload: { customer },
      // Three attempts. 404 says that the customer is unknown: trying again does not help.
      retry: { maxAttempts: 3, minBackoffSeconds: 1, factor: 2, permanentStatuses: [404] },
    };
  }

  /** The customer has bought, or has left: the trial does not end by itself. Returns whether there was one. */
  async stop(customer) {
    return (await this.#call("DELETE", `/v1/tasks/${encodeURIComponent(`trial-end:${customer}`)}`, undefined, undefined, 404)) !== undefined;
  }

  /** Gives the customer more time. */
  async extend(customer, endsAt) {
    await this.#call("POST", `/v1/tasks/${encodeURIComponent(`trial-end:${customer}`)}/reschedule`, { time: endsAt.toISOString() });
  }

  /** Returns whether an end is still to come, of one of the customers whose names begin with a text. */
  async areOpen(customers) {
    let cursor = "";
    do {
      const query = { prefix: `trial-end:${customers}`, limit: 100, ...(cursor && { cursor }) };
      const page = await this.#call("GET", `/v1/tasks?${new URLSearchParams(query)}`);
      // What has failed for good stays in the list.
      if (page.tasks.some(({ status }) => status !== "dead-lettered")) return true;
      cursor = page.cursor;
    } while (cursor);
    return false;
  }

  /** The ends that have failed for good, the newest first. `error`: only those whose error contains it. */
  async failed(error) {
    const found = [];
    let cursor = "";
    do {
      const query = { tag: "trial-end", limit: 1000, ...(error && { error }), ...(cursor && { cursor }) };
      const page = await this.#call("GET", `/v1/dead-letters?${new URLSearchParams(query)}`);
      for (const { deadLetterId, payload, failedAt, error } of page.deadLetters) {
        found.push({ id: deadLetterId, customer: payload.customer, failedAt: new Date(failedAt), error });
      }
      cursor = page.cursor;
    } while (cursor !== null);
    return found;
  }

  /** The review: the errors, each with the number of its ends, the most frequent first. */
  async review() {
    const byError = new Map();
    for (const { error, customer } of await this.failed()) byError.set(error, [...(byError.get(error) ?? []), customer]);
    return [...byError]
      .map(([error, customers]) => ({ error, count: customers.length, customers: customers.slice(0, 3) }))
      .sort((a, b) => b.count - a.count);
  }

  /** The receiver is repaired: tries the ends again whose error contains a text. Returns how many there are. */
  async replay(error) {
    return this.#all("/v1/dead-letters/replay", error, "replayed");
  }

  /** Gives up the ends whose error contains a text. Returns how many there were. */
  async discard(error) {
    return this.#all("/v1/dead-letters/discard", error, "discarded");
  }

  async #all(path, error, counted) {
    let count = 0;
    for (;;) {
      const reply = await this.#call("POST", path, { filter: { tag: "trial-end", error } });
      count += reply[counted];
      // A request does a bounded amount of work, and says whether it was all.
      if (reply.done) return count;
    }
  }

  async #call(method, path, body, type = "application/json", allowed) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(this.#url + path, {
        method,
        headers: { authorization: `Bearer ${this.#key}`, ...(text !== undefined && { "content-type": type }) },
        body: text,
      });
      const answer = await response.json();
      // A batch of which nothing was accepted is an error, with the same results.
      if (response.ok || answer.results !== undefined) return answer;
      if (response.status === allowed) return undefined;
      const wait = response.headers.get("retry-after");
      // The scheduler says whether the same request may succeed later. All of ours may be sent twice.
      if (wait === null || attempt === 5) throw Object.assign(new Error(answer.detail), { status: answer.status, field: answer.field });
      await new Promise((resolve) => setTimeout(resolve, Number(wait) * 1_000));
    }
  }
}
