// Sends requests to the two deployed Workers.

import { setTimeout as sleep } from "node:timers/promises";

/** The address of a deployed Worker. `{name}` and `{subdomain}` are replaced. */
const ADDRESS = "https://{name}.{subdomain}.workers.dev";
/** The time limit of a request, and how long a Worker may take after its upload to answer everywhere. Milliseconds. */
const TRY_MILLIS = 60_000;
const READY_MILLIS = 180_000;
/** The number of answers in a row after which a deployment counts as ready, because a new address is not known everywhere at once. */
const READY_ANSWERS = 5;

export const addressOf = (name, subdomain, address = ADDRESS) => address.replace("{name}", name).replace("{subdomain}", subdomain);

/** A deployed Worker that takes a key. */
export class Deployment {
  constructor({ url, key, signal }) {
    Object.assign(this, { url, key, signal });
  }

  /** Sends a request. Returns `{status, headers, text}`. */
  async send(path, { method = "GET", body, headers = {}, signal = this.signal, tryMillis = TRY_MILLIS } = {}) {
    const limits = AbortSignal.any([signal, AbortSignal.timeout(tryMillis)]);
    const response = await fetch(this.url + path, { method, headers: { authorization: `Bearer ${this.key}`, ...headers }, body, signal: limits });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Sends a request, and returns the parsed body of an answer with a status below 300. `tryMillis` is its time limit. */
  async call(path, body, { tryMillis } = {}) {
    const json = body !== undefined && { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const { status, text } = await this.send(path, { ...json, tryMillis });
    if (status >= 300) throw new Error(`${json ? "POST" : "GET"} ${path} of the deployed Worker: ${status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }

  /** Waits until the Worker has answered several times in a row. */
  async ready(everyMillis = 500) {
    const deadline = Date.now() + READY_MILLIS;
    let answers = 0;
    let last;
    while (answers < READY_ANSWERS) {
      last = await this.send("/healthz").then(({ status }) => status, (error) => (this.signal.throwIfAborted(), error.cause?.message ?? error.message));
      answers = last === 200 ? answers + 1 : 0;
      if (answers === 0) {
        if (Date.now() > deadline) throw new Error(`${this.url}/healthz did not answer with 200 within ${READY_MILLIS / 1_000} s; last: ${last}`);
        await sleep(everyMillis, undefined, { signal: this.signal });
      }
    }
  }
}
