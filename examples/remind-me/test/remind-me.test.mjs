// The app on the local runtime, with a clock that the tests move.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startScheduler } from "durable-scheduler/testing";

const config = fileURLToPath(new URL("../wrangler.jsonc", import.meta.url));
// On the 31st, the clocks of Berlin go forward, from 02:00 to 03:00.
const scheduler = await startScheduler({ config, now: "2030-03-29T08:00:00Z" });
after(() => scheduler.stop());

/** A person, by a key that is filled up to its length. */
function person(name) {
  const send = async (method, path, body) => {
    const response = await scheduler.fetch(`/people/${name.padEnd(24, "_")}/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const answer = await response.json().catch(() => undefined);
    return { status: response.status, body: answer };
  };
  const show = async () => (await send("GET", "")).body;
  return {
    send,
    show,
    add: async (text, at, repeat) => (await send("POST", "reminders", { text, at, repeat })).body,
    arrived: async () => (await show()).arrived.map(({ text, time }) => [text, new Date(time).toISOString()]).reverse(),
  };
}

test("a reminder comes at its local time, and not before", async () => {
  const kim = person("kim");
  assert.equal((await kim.show()).timezone, undefined);
  await kim.send("PUT", "timezone", { timezone: "Europe/Berlin" });
  const { next, note } = await kim.add("Tea", "2030-03-29T18:00");
  assert.deepEqual([new Date(next).toISOString(), note], ["2030-03-29T17:00:00.000Z", undefined]);
  await scheduler.advanceTo("2030-03-29T16:59:00Z");
  assert.deepEqual(await kim.arrived(), []);
  await scheduler.advanceTo("2030-03-29T17:00:00Z");
  assert.deepEqual(await kim.arrived(), [["Tea", "2030-03-29T17:00:00.000Z"]]);
  assert.deepEqual((await kim.show()).reminders, []);
});

test("a reminder that comes again keeps its local time when the clocks change", async () => {
  const sue = person("sue");
  await sue.send("PUT", "timezone", { timezone: "Europe/Berlin" });
  await sue.add("Run", "2030-03-30T07:00", "daily");
  const { note } = await sue.add("Night", "2030-03-31T02:30");
  assert.match(note, /02:30/);
  await scheduler.advanceTo("2030-04-01T06:00:00Z");
  const arrived = await sue.arrived();
  assert.deepEqual(arrived.filter(([text]) => text === "Run").map(([, time]) => time), ["2030-03-30T06:00:00.000Z", "2030-03-31T05:00:00.000Z", "2030-04-01T05:00:00.000Z"]);
  assert.deepEqual(arrived.find(([text]) => text === "Night"), ["Night", "2030-03-31T01:00:00.000Z"]);
});

test("a person who moves is reminded by the clocks there", async () => {
  const ann = person("ann");
  await ann.send("PUT", "timezone", { timezone: "Europe/Berlin" });
  await ann.add("Call", "2030-04-05T09:00");
  const { body } = await ann.send("PUT", "timezone", { timezone: "America/New_York" });
  assert.equal(body.timezone, "America/New_York");
  assert.equal(new Date(body.reminders[0].next).toISOString(), "2030-04-05T13:00:00.000Z");
});

test("reminders are listed in their order, changed and cancelled", async () => {
  const bob = person("bob");
  const milk = await bob.add("Milk", "2030-04-08T09:00");
  const bread = await bob.add("Bread", "2030-04-07T09:00", "weekly");
  assert.deepEqual((await bob.show()).reminders.map(({ text, repeat }) => `${text} ${repeat}`), ["Bread weekly", "Milk never"]);
  const { status, body } = await bob.send("PUT", `reminders/${milk.id}`, { text: "Oat milk", at: "2030-04-06T09:00" });
  assert.deepEqual([status, body.id, body.text], [200, milk.id, "Oat milk"]);
  assert.deepEqual((await bob.show()).reminders.map(({ text }) => text), ["Oat milk", "Bread"]);
  assert.equal((await bob.send("DELETE", `reminders/${bread.id}`)).status, 204);
  assert.deepEqual((await bob.show()).reminders.map(({ text }) => text), ["Oat milk"]);
  assert.equal((await bob.send("DELETE", `reminders/${bread.id}`)).status, 404);
  assert.equal((await bob.send("PUT", `reminders/${bread.id}`, { text: "Bread", at: "2030-04-07T09:00" })).status, 404);
  // Nobody else has them.
  assert.equal((await person("eve").send("DELETE", `reminders/${milk.id}`)).status, 404);
  await scheduler.advanceTo("2030-04-09T00:00:00Z");
  assert.deepEqual((await bob.arrived()).map(([text]) => text), ["Oat milk"]);
});

test("what is wrong is refused, with the member at fault", async () => {
  const dan = person("dan");
  for (const [path, body, field] of [
    ["reminders", { text: "", at: "2030-05-01T09:00" }, "text"],
    ["reminders", { text: "x", at: "tomorrow" }, "at"],
    ["reminders", { text: "x", at: "2030-02-30T09:00" }, "time"],
    ["reminders", { text: "x", at: "2030-01-01T09:00" }, "at"],
    ["reminders", { text: "x", at: "2030-05-01T09:00", repeat: "often" }, "repeat"],
    ["reminders", "x", "text"],
    ["timezone", { timezone: "Europe/Berln" }, "timezone"],
    ["timezone", {}, "timezone"],
  ]) {
    const { status, body: refusal } = await dan.send(path === "timezone" ? "PUT" : "POST", path, body);
    assert.deepEqual([status, refusal.field], [422, field], JSON.stringify(body));
    assert.ok(refusal.detail.length > 0);
  }
  assert.deepEqual(await dan.show(), { reminders: [], arrived: [] });
  // A key that can be guessed is none: the request is one to the scheduler itself.
  assert.equal((await scheduler.fetch("/people/kim/")).status, 401);
});

test("an open page gets a reminder at once", async () => {
  const zoe = person("zoe");
  await zoe.add("Stretch", "2030-04-09T12:00");
  const { webSocket } = await scheduler.fetch(`/people/${"zoe".padEnd(24, "_")}/live`, { headers: { upgrade: "websocket" } });
  const received = new Promise((resolve) => webSocket.addEventListener("message", ({ data }) => resolve(JSON.parse(data))));
  webSocket.accept();
  await scheduler.advanceTo("2030-04-09T12:00:00Z");
  assert.deepEqual(await received, { text: "Stretch", time: Date.UTC(2030, 3, 9, 12) });
  webSocket.close();
});

test("the page is served", async () => {
  const page = await scheduler.fetch("/");
  assert.match(page.headers.get("content-security-policy"), /default-src 'self'/);
  assert.match(await page.text(), /<h1>Remind me<\/h1>/);
  assert.equal((await scheduler.fetch("/app.js")).status, 200);
});
