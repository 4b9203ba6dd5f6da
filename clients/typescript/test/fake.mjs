// A scheduler for unit tests: it answers what the test says, at once and without a network.

import assert from "node:assert/strict";
import { SchedulerClient, SchedulerError } from "../src/client/index.ts";

/** A task as the API shows it, and one to create. */
export const TASK = { id: "a", status: "scheduled", kind: "once", due: 1, time: 1, callback: { type: "handler", name: "log" } };
export const NEW = { id: "a", delayInSeconds: 60 };
export const ETAG = { headers: { etag: '"1.2"' } };

/** Returns an answer with JSON. */
export const json = (body, { status = 200, headers = {} } = {}) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

/** Returns a refusal as the API sends it. */
export function problem(status, name, { headers = {}, ...members } = {}) {
  const body = { type: `/problems/${name}`, title: `Title of ${name}`, status, detail: `detail of ${name}`, ...members };
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json", "x-request-id": "request-1", ...headers } });
}

/**
 * Returns a client, what it has sent and how long it has waited. `answers` are the answers in turn, the last one again and
 * again: a response, an error to throw, or a function of the request and its number that returns one of these.
 * The random number is 0.5 unless `options` has another.
 */
export function fakeScheduler(answers, options = {}) {
  const requests = [];
  const waits = [];
  const list = Array.isArray(answers) ? answers : [answers];
  const fetch = async (request) => {
    const number = requests.length;
    requests.push({
      method: request.method,
      path: new URL(request.url).pathname + new URL(request.url).search,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
      signal: request.signal,
    });
    const given = list[Math.min(number, list.length - 1)];
    const answer = typeof given === "function" ? await given(requests[number], number) : given;
    if (answer instanceof Error) throw answer;
    return answer.clone();
  };
  const clock = {
    now: () => 1_764_000_000_000,
    async wait(milliseconds, signal) {
      signal?.throwIfAborted();
      waits.push(milliseconds);
    },
  };
  const client = new SchedulerClient({ url: "http://scheduler.test", fetch, apiKey: "secret", clock, random: () => 0.5, ...options });
  return { client, requests, waits, fetch };
}

/** Returns a body that yields each text as a chunk, and then ends, fails with an error, or stays open. */
export function stream(chunks, end = "end") {
  const encoder = new TextEncoder();
  const rest = [...chunks];
  return new ReadableStream({
    pull(controller) {
      if (rest.length > 0) return controller.enqueue(encoder.encode(rest.shift()));
      if (end === "end") return controller.close();
      if (end instanceof Error) return controller.error(end);
      return new Promise(() => {});
    },
  });
}

/** Returns the error of a network without an answer. */
export const network = () => new TypeError("fetch failed");

/** Returns the error that a call throws. */
export async function failure(promise) {
  const error = await promise.then(
    () => assert.fail("did not fail"),
    (thrown) => thrown,
  );
  assert.ok(error instanceof SchedulerError, String(error));
  return error;
}
