// Sends requests to the platform's REST API. No message contains the token.

import { setTimeout as sleep } from "node:timers/promises";

const DEFAULT_BASE = "https://api.cloudflare.com/client/v4";
/** The tries of a request that may be repeated, and the wait before the second, which doubles. Milliseconds. */
const TRIES = 4;
const FIRST_WAIT_MILLIS = 1_000;
/** The time limit of one try, in milliseconds. An upload has some megabytes. */
const TRY_MILLIS = 60_000;

/** A request that the platform did not carry out. `status` is absent if it did not answer. */
export class ApiError extends Error {
  constructor(request, status, reason) {
    super(`${request}: ${status ?? "no answer"}${reason === "" ? "" : `, ${reason}`}`);
    this.name = "ApiError";
    this.status = status;
  }
}

export class Api {
  #base;
  #token;
  #account;
  #firstWaitMillis;
  /** Whether a request has had no answer, or one that does not say whether it was carried out. */
  isUnclear = false;

  /** `base` is the address of the API, by default Cloudflare's. */
  constructor({ token, account, base = DEFAULT_BASE, firstWaitMillis = FIRST_WAIT_MILLIS }) {
    this.#base = base.replace(/\/$/, "");
    this.#token = token;
    this.#account = account;
    this.#firstWaitMillis = firstWaitMillis;
  }

  /** Sends a request to a path below the account, and returns `result` of the answer. `form` is sent as multipart, `body` as JSON. */
  async call(method, path, { body, form, signal } = {}) {
    return (await this.#send(method, `/accounts/${this.#account}${path}`, { body, form, signal })).result;
  }

  /** Returns all pages of a list below the account. */
  async list(path, { signal } = {}) {
    const all = [];
    for (let page = 1; ; page++) {
      const { result, result_info: info } = await this.#send("GET", `/accounts/${this.#account}${path}?page=${page}&per_page=100`, { signal });
      all.push(...result);
      if (result.length === 0 || page >= (info?.total_pages ?? 1)) return all;
    }
  }

  /** Asks the analytics API. `query` has the variable `$account`. Returns the account's part of the answer. */
  async analytics(query, variables, { signal } = {}) {
    const body = { query, variables: { account: this.#account, ...variables } };
    const { data, errors } = await this.#send("POST", "/graphql", { body, signal, mayRepeat: true });
    if (errors?.length > 0) throw new ApiError("POST /graphql", 200, this.#clean(errors.map(({ message }) => message).join("; ")));
    return data.viewer.accounts[0] ?? {};
  }

  /** Removes the token and the account from a text that comes from outside. */
  #clean(text) {
    return text.replaceAll(this.#token, "…").replaceAll(this.#account, "{account}");
  }

  async #send(method, path, { body, form, signal, mayRepeat = method !== "POST" }) {
    const request = `${method} ${this.#clean(path)}`;
    const headers = { authorization: `Bearer ${this.#token}`, ...(body !== undefined && { "content-type": "application/json" }) };
    const tries = mayRepeat ? TRIES : 1;
    for (let n = 1; ; n++) {
      let problem;
      try {
        const limits = [AbortSignal.timeout(TRY_MILLIS), ...(signal ? [signal] : [])];
        const response = await fetch(this.#base + path, { method, headers, body: form ?? (body && JSON.stringify(body)), signal: AbortSignal.any(limits) });
        const text = await response.text();
        const answer = parsed(text);
        if (response.ok && answer !== undefined && answer.success !== false) return answer;
        const reasons = (answer?.errors ?? []).map(({ code, message }) => `${message}${code === undefined ? "" : ` (code ${code})`}`);
        problem = new ApiError(request, response.status, this.#clean(reasons.join("; ") || text.slice(0, 200)));
      } catch (error) {
        this.isUnclear = true;
        signal?.throwIfAborted();
        problem = new ApiError(request, undefined, this.#clean(error.cause?.message ?? error.message));
      }
      this.isUnclear ||= problem.status >= 500;
      const mayPass = problem.status === undefined || problem.status === 429 || problem.status >= 500;
      if (!mayPass || n === tries) throw problem;
      await sleep(this.#firstWaitMillis * 2 ** (n - 1), undefined, { signal });
    }
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
