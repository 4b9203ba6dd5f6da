// A language model that rewrites refused sentences: a stand-in that answers well, lies, hangs, and answers anything.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../scripts/paths.mjs";
import { startRuntime } from "../scripts/runtime.mjs";
import { Scheduler } from "./harness.mjs";

/** What the stand-in does with a question. A test sets it. */
let answerTo;
/** The questions so far, each with its headers and its body. */
const questions = [];

const chat = (content) => JSON.stringify({ id: "1", object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] });
const says = (content) => (response) => response.setHeader("content-type", "application/json").end(chat(content));

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  questions.push({ path: request.url, headers: request.headers, body: JSON.parse(text) });
  await answerTo(response);
});

let scheduler;
let without;
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/v1/chat/completions`;
  [scheduler, without] = await Promise.all([
    Scheduler.start({ shards: "1", vars: { WORDS_MODEL: "some-model", WORDS_MODEL_URL: url, WORDS_MODEL_KEY: "secret of the model" } }),
    Scheduler.start({ shards: "1" }),
  ]);
});
after(async () => {
  await scheduler?.dispose();
  await without?.dispose();
  server.closeAllConnections();
  server.close();
});

const REFUSED = "ring Ann up around 10 every monday";
const parse = (text, more = { model: true }, of = scheduler) => of.call("/v1/parse", { body: { text, timezone: "Europe/Berlin", from: "2026-11-25T09:15:00Z", ...more } });

test("what the model writes is a proposal that the grammar has read, and the answer stays refused", async () => {
  answerTo = says('"ring Ann up" every Monday at 10:00');
  const { status, body } = await parse(REFUSED);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.outcome, body.model.outcome, body.model.text], ["refused", "proposal", '"ring Ann up" every Monday at 10:00']);
  const { schedule, description, sentence, confidence, assumptions, runs } = body.model.reading;
  assert.deepEqual(schedule, { cron: "0 10 * * MON", timezone: "Europe/Berlin" });
  assert.deepEqual([description, sentence, confidence], ["ring Ann up", "every Monday at 10:00 in Europe/Berlin", 50]);
  assert.deepEqual(assumptions, [{ text: "A language model has written the sentence.", cost: 50 }]);
  assert.equal(runs[0].time, Date.parse("2026-11-30T09:00:00Z"));
  const { path, headers, body: asked } = questions.at(-1);
  assert.deepEqual([path, headers.authorization], ["/v1/chat/completions", "Bearer secret of the model"]);
  assert.equal(asked.model, "some-model");
  assert.deepEqual(asked.messages.map(({ role }) => role), ["system", "user"]);
  assert.equal(asked.messages[1].content, REFUSED);
  // The fields of the reading make a task.
  const made = await scheduler.call("/v1/tasks", { body: { ...schedule, description, callback: { type: "handler", name: "log" } } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
});

test("the model is asked only for a refused sentence, and only if the request says so", async () => {
  answerTo = says("every day at 9:00");
  const before = questions.length;
  const unasked = await parse(REFUSED, {});
  assert.deepEqual([unasked.body.outcome, unasked.body.model], ["refused", { outcome: "available" }]);
  assert.deepEqual((await parse(REFUSED, { model: false })).body.model, { outcome: "available" });
  for (const text of ["every monday at 10:00", "tomorrow at 5", "x ".repeat(400)]) assert.equal((await parse(text)).body.model, undefined, text);
  const task = await scheduler.call("/v1/tasks", { body: { schedule: REFUSED, callback: { type: "handler", name: "log" } } });
  assert.equal(task.status, 422);
  assert.equal(questions.length, before);
});

test("a deployment without a model says so", async () => {
  const { status, body } = await parse(REFUSED, { model: true }, without);
  assert.deepEqual([status, body.field], [422, "model"]);
  assert.match(body.detail, /the deployment has no model \(WORDS_MODEL\)/);
  assert.equal((await parse(REFUSED, {}, without)).body.model, undefined);
  const wrong = await parse(REFUSED, { model: "yes" });
  assert.deepEqual([wrong.status, wrong.body.field], [422, "model"]);
});

test("lies, refusals and garbage give no proposal", async () => {
  for (const content of ["NONE", "", "every full moon", "tomorrow at 5", "I'm sorry, I can't do that.", '{"cron":"* * * * *"}', "x".repeat(600), "\u0000\u001b[31m"]) {
    answerTo = says(content);
    const { status, body } = await parse(REFUSED);
    assert.deepEqual([status, body.outcome, body.model.outcome, body.model.reading], [200, "refused", "none", undefined], content);
    assert.ok(body.model.detail.length > 20, content);
  }
});

test("a model that fails is said to have failed, and nothing of its answer or its key is shown", async () => {
  const reached = [];
  const other = createServer((request, response) => {
    reached.push(request.url);
    says("every day at 9:00")(response);
  });
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const cases = [
    [/HTTP 500/, (response) => response.writeHead(500).end("internal secret")],
    [/HTTP 429/, (response) => response.writeHead(429).end()],
    [/HTTP 307/, (response) => response.writeHead(307, { location: `http://127.0.0.1:${other.address().port}/stolen` }).end()],
    [/does not follow the chat protocol/, (response) => response.end("<html>internal secret</html>")],
    [/does not follow the chat protocol/, (response) => response.end('{"choices":[{"message":{"content":["internal secret"]}}]}')],
    [/does not follow the chat protocol/, (response) => response.end(Buffer.from([0xff, 0xfe, 0x00]))],
    [/exceeds 32000 bytes/, (response) => response.end(chat("y".repeat(2_000_000)))],
    [/was not reached|does not follow the chat protocol/, (response) => response.destroy()],
  ];
  for (const [detail, answers] of cases) {
    answerTo = answers;
    const { status, body } = await parse(REFUSED);
    assert.deepEqual([status, body.outcome, body.model.outcome], [200, "refused", "failed"]);
    assert.match(body.model.detail, detail);
    assert.doesNotMatch(JSON.stringify(body), /secret/);
  }
  assert.deepEqual(reached, []);
  other.close();
});

test("a model that hangs, before its head or within its body, is given up, and more questions than four are refused", async () => {
  const open = [];
  answerTo = (response) => {
    open.push(response);
    if (open.length % 2 === 0) response.writeHead(200, { "content-type": "application/json" }).write('{"choices":');
  };
  const began = Date.now();
  const answers = await Promise.all(Array.from({ length: 6 }, () => parse(REFUSED)));
  const details = answers.map(({ body }) => body.model.detail).sort();
  assert.deepEqual(details, [...Array(2).fill("4 sentences are already with the model: try again in a few seconds."), ...Array(4).fill("The model did not answer within 10 s.")]);
  assert.ok(Date.now() - began >= 9_000);
  // They make room again, and other requests were not held up.
  answerTo = says("every day at 9:00");
  assert.equal((await parse(REFUSED)).body.model.outcome, "proposal");
  for (const response of open) response.destroy();
});

test("the platform's binding answers as well", async (t) => {
  await mkdir(join(ROOT, ".wrangler/e2e"), { recursive: true });
  const storage = await mkdtemp(join(ROOT, ".wrangler/e2e/model-"));
  const main = `
    import Base from "./index.js";
    export * from "./index.js";
    const AI = {
      async run(model, { messages, temperature }) {
        if (this !== AI) throw new TypeError("Illegal invocation");
        if (messages[1].content.startsWith("break")) throw new Error("3040: out of capacity");
        return { response: messages[1].content.includes("noon") ? "every day at 12:00" : [model, temperature].join(), usage: {} };
      },
    };
    export default class extends Base {
      constructor(context, env) {
        super(context, new Proxy(env, { get: (of, name) => (name === "AI" && of.HAS_AI === "1" ? AI : Reflect.get(of, name)) }));
      }
    }`;
  for (const has of ["1", "0"]) {
    const runtime = await startRuntime({ storage, main, vars: { SHARD_MAP: "1", API_KEYS: "key", WORDS_MODEL: "@cf/some/model", HAS_AI: has } });
    try {
      const ask = async (text) => {
        const headers = { authorization: "Bearer key", "content-type": "application/json" };
        const response = await fetch(`${runtime.url}/v1/parse`, { method: "POST", headers, body: JSON.stringify({ text, model: true }) });
        return (await response.json()).model;
      };
      if (has === "1") {
        assert.equal((await ask("around noon every day")).reading.schedule.cron, "0 12 * * *");
        assert.equal((await ask("sometimes")).outcome, "none");
        assert.match((await ask("break me sometimes")).detail, /^The model failed: .*out of capacity/);
      } else {
        assert.deepEqual(await ask("sometimes"), { outcome: "failed", detail: "The deployment has no binding AI, and WORDS_MODEL_URL is empty." });
      }
    } finally {
      await runtime.stop();
    }
  }
  t.after(() => rm(storage, { recursive: true, force: true, maxRetries: 5 }));
});
