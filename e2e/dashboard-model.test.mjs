// The button of the create form that asks a language model to rewrite a sentence, with a stand-in for the model.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { violations } from "./browser/axe.mjs";
import { startBrowser, Tabs } from "./browser/browser.mjs";
import { Scheduler, until } from "./harness.mjs";

/** What the stand-in does with a question. A test sets it. */
let answerTo;
/** The sentences that it was asked about. */
const asked = [];

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  asked.push(JSON.parse(text).messages.at(-1).content);
  await answerTo(response);
});
const says = (content) => (response) => response.setHeader("content-type", "application/json").end(JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] }));

let scheduler;
let browser;
let tabs;

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/v1/chat/completions`;
  [scheduler, browser] = await Promise.all([Scheduler.start({ shards: "1", vars: { WORDS_MODEL: "some-model", WORDS_MODEL_URL: url } }), startBrowser()]);
  tabs = new Tabs(browser, scheduler);
});
after(async () => {
  await browser?.close();
  await scheduler?.dispose();
  server.closeAllConnections();
  server.close();
});
afterEach(() => tabs.close());

const REFUSED = "ring Ann up around 10 every monday";

/** Opens the create form with a sentence that the grammar refuses. */
async function formWith(sentence) {
  const page = await tabs.at("/create");
  await page.getByLabel("Calls").selectOption("handler");
  await page.getByRole("button", { name: "In words", exact: true }).click();
  await page.getByRole("textbox", { name: "In words" }).fill(sentence);
  await page.getByText(/^Not understood/).waitFor();
  return page;
}

test("the model is asked only by its button, and its sentence is used only after the user has taken it", async () => {
  answerTo = says('"ring Ann up" every Monday at 10:00');
  const page = await formWith(REFUSED);
  const words = page.getByRole("textbox", { name: "In words" });
  const ask = page.getByRole("button", { name: "Ask the language model" });
  await ask.waitFor();
  assert.deepEqual(asked, []);
  await ask.click();
  await page.getByText(/^The model proposes: every Monday at 10:00 in Europe\/Berlin with the description “ring Ann up”/).waitFor();
  assert.deepEqual(asked, [REFUSED]);
  // The form still has what the user typed.
  assert.equal(await words.inputValue(), REFUSED);
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("Understood: every Monday at 10:00 in Europe/Berlin").waitFor();
  assert.equal(await page.getByLabel("Description (optional)").inputValue(), "ring Ann up");
  await page.getByLabel("Id (optional)").fill("ring-ann");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "ring-ann" }).waitFor();
  const { body } = await scheduler.call("/v1/tasks/ring-ann");
  assert.deepEqual([body.cron, body.timezone, body.description], ["0 10 * * MON", "Europe/Berlin", "ring Ann up"]);
  assert.equal(asked.length, 1);
});

test("a model that proposes nothing, or fails, says so, and can be asked again", async () => {
  const page = await formWith(REFUSED);
  const ask = page.getByRole("button", { name: "Ask the language model" });
  for (const [answer, shown] of [[says("NONE"), /model/], [(response) => response.writeHead(500).end("internal secret"), /HTTP 500/]]) {
    answerTo = answer;
    const before = asked.length;
    await ask.click();
    await until("the model to be asked", () => asked.length === before + 1);
    await page.locator("p.warn").nth(1).filter({ hasText: shown }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Use it" }).count(), 0);
    assert.doesNotMatch(await page.locator("main").innerText(), /internal secret/);
  }
  // While it is asked, it is not asked again.
  let answer;
  answerTo = (response) => {
    answer = () => says("every day at 9:00")(response);
  };
  await ask.click();
  const asking = page.getByRole("button", { name: /^The model is reading it/ });
  await asking.waitFor();
  assert.ok(await asking.isDisabled());
  await until("the question to arrive", () => answer);
  answer();
  await page.getByText(/^The model proposes: every day at 9:00|^The model proposes: every day at 09:00/).waitFor();
  // What it has said belongs to the sentence, and goes with it.
  await page.getByRole("textbox", { name: "In words" }).fill("every few hours");
  await page.getByText(/^The model proposes/).waitFor({ state: "detached" });
});
