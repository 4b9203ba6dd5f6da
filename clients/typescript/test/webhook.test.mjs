// verifyWebhook, by the vectors of Standard Webhooks and of the scheduler's own tests.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { ROOT } from "../../../scripts/paths.mjs";
import { verifyWebhook, WebhookVerificationError } from "../src/consumer/index.ts";

/** As in dispatcher/src/signature.rs: key, id, timestamp, body, signature. */
const VECTORS = [
  ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", '{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
  ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553", '{"email":"test@example.com","username":"test_user"}', "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="],
];
const KEY = VECTORS[0][0];
const OTHER = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const NOW = 1_764_000_000_000;
const now = () => NOW;

/** Signs as the specification says, with nothing of ours. */
function sign(key, id, timestamp, body) {
  const secret = Buffer.from(key.slice("whsec_".length), "base64");
  return `v1,${createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest("base64")}`;
}

function signed(body, { key = KEY, id = "a@5", timestamp = NOW / 1000, signature = sign(key, id, timestamp, body), ...more } = {}) {
  return { headers: { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signature, ...more }, body };
}

async function rejection(promise) {
  const error = await promise.then(() => assert.fail("was accepted"), (thrown) => thrown);
  assert.ok(error instanceof WebhookVerificationError, String(error));
  return error.reason;
}

test("the vectors of the specification are accepted", async () => {
  for (const [key, id, timestamp, body, signature] of VECTORS) {
    const webhook = await verifyWebhook(signed(body, { id, timestamp, signature }), key, { now: () => timestamp * 1000 });
    assert.equal(webhook.id, id);
    assert.equal(webhook.text, body);
    assert.deepEqual(webhook.json(), JSON.parse(body));
    assert.equal(webhook.sentAt.getTime(), timestamp * 1000);
  }
});

test("headers and bodies of any framework are taken", async () => {
  const body = '{"id":"ü"}';
  const { headers } = signed(body, { "scheduler-attempt": "3" });
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  const bytes = new TextEncoder().encode(body);
  for (const request of [
    { headers, body },
    { headers: upper, body: Buffer.from(body) },
    { headers: new Headers(headers), body: bytes },
    { headers, body: bytes.buffer },
    new Request("http://receiver.test/", { method: "POST", headers, body }),
  ]) {
    const webhook = await verifyWebhook(request, KEY, { now });
    assert.equal(webhook.json().id, "ü");
    assert.equal(webhook.attempt, 3);
  }
  await assert.rejects(verifyWebhook({ headers, body: JSON.parse(body) }, KEY, { now }), { name: "TypeError", message: /raw body/ });
  // A GET has no body.
  assert.equal((await verifyWebhook(signed(""), KEY, { now })).text, "");
  assert.equal((await verifyWebhook(new Request("http://receiver.test/", { headers: signed("").headers }), KEY, { now })).text, "");
});

test("the namespace is read from what is signed", async () => {
  const of = async (id) => (await verifyWebhook(signed("{}", { id, "scheduler-namespace": "forged" }), KEY, { now })).namespace;
  assert.equal(await of("a%2Eb@5"), "default");
  assert.equal(await of("shop%3Aa@5"), "shop");
  // Ids of default: the scheduler writes a percent sign as %25.
  assert.equal(await of("shop:a@5"), "default");
  assert.equal(await of("shop%253Aa@5"), "default");
});

test("one signature by one key is enough", async () => {
  const body = "{}";
  const both = `${sign(OTHER, "a@5", NOW / 1000, body)} v1a,unknown v1,!!! ${sign(KEY, "a@5", NOW / 1000, body)}`;
  for (const keys of [KEY, [KEY], [OTHER], [`whsec_${Buffer.alloc(32, 1).toString("base64")}`, KEY]]) {
    await verifyWebhook(signed(body, { signature: both }), keys, { now });
  }
  assert.equal(await rejection(verifyWebhook(signed(body, { signature: both }), `whsec_${Buffer.alloc(32, 1).toString("base64")}`, { now })), "wrong-signature");
});

test("what was changed is refused", async () => {
  const body = '{"amount":1}';
  const good = signed(body);
  const change = (headers, changed = body) => verifyWebhook({ headers: { ...good.headers, ...headers }, body: changed }, KEY, { now });
  await change({});
  assert.equal(await rejection(change({}, '{"amount":2}')), "wrong-signature");
  assert.equal(await rejection(change({ "webhook-id": "b@5" })), "wrong-signature");
  assert.equal(await rejection(change({ "webhook-timestamp": String(NOW / 1000 + 1) })), "wrong-signature");
  for (const signature of ["v1,", "v1,AAAA", "v2,x", good.headers["webhook-signature"].slice(3), good.headers["webhook-signature"].slice(0, -4)]) {
    assert.equal(await rejection(change({ "webhook-signature": signature })), "wrong-signature", signature);
  }
});

test("what is not signed is refused", async () => {
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
    for (const value of [undefined, ""]) {
      const { headers, body } = signed("{}");
      assert.equal(await rejection(verifyWebhook({ headers: { ...headers, [name]: value }, body }, KEY, { now })), "not-signed", name);
    }
  }
  for (const timestamp of ["1e9", "-1", "now", "1764000000.5"]) {
    assert.equal(await rejection(verifyWebhook(signed("{}", { timestamp }), KEY, { now })), "not-signed", timestamp);
  }
});

test("no part of a body can be taken for the time", async () => {
  // The same signed text, divided elsewhere: the attacker moves the time of a recorded webhook.
  const recorded = signed('1764000100."x"', { id: "a@5" });
  const moved = { headers: { ...recorded.headers, "webhook-id": `a@5.${NOW / 1000}`, "webhook-timestamp": "1764000100" }, body: '"x"' };
  assert.equal(await rejection(verifyWebhook(moved, KEY, { now: () => 1_764_000_100_000 })), "not-signed");
});

test("bytes of another realm, and several headers, are taken", async () => {
  const { headers } = signed("{}");
  for (const body of ["new Uint8Array([123, 125])", "new Uint8Array([123, 125]).buffer", "new DataView(new Uint8Array([123, 125]).buffer)", "new Uint8Array([0, 123, 125, 0]).subarray(1, 3)"]) {
    assert.equal((await verifyWebhook({ headers, body: runInNewContext(body) }, KEY, { now })).text, "{}");
  }
  await verifyWebhook({ headers: { ...headers, "webhook-signature": [sign(OTHER, "a@5", NOW / 1000, "{}"), headers["webhook-signature"]] }, body: "{}" }, KEY, { now });
});

test("what is older or newer than the tolerance is refused", async () => {
  const at = (seconds, options) => verifyWebhook(signed("{}", { timestamp: NOW / 1000 + seconds }), KEY, { now, ...options });
  await at(-300);
  await at(300);
  assert.equal(await rejection(at(-301)), "wrong-time");
  assert.equal(await rejection(at(301)), "wrong-time");
  await at(-3600, { toleranceSeconds: 3600 });
  assert.equal(await rejection(at(-1, { toleranceSeconds: 0 })), "wrong-time");
  // Such as of a variable that is not set.
  assert.equal(await rejection(at(-3600, { toleranceSeconds: Number(undefined) })), "wrong-time");
  assert.equal(await rejection(at(0, { now: () => NaN })), "wrong-time");
  // By the clock of the system.
  assert.equal(await rejection(verifyWebhook(signed("{}"), KEY)), "wrong-time");
});

test("a key that the scheduler would refuse is refused, without its text", async () => {
  for (const key of ["whsec_!", "whsec_", `whsec_${Buffer.alloc(23).toString("base64")}`, `whsec_${Buffer.alloc(65).toString("base64")}`]) {
    const error = await verifyWebhook(signed("{}"), [KEY, key], { now }).catch((thrown) => thrown);
    assert.ok(error instanceof TypeError, key);
    assert.match(error.message, /^key 2 /);
    assert.ok(key.length < 8 || !error.message.includes(key.slice(6)));
  }
  await assert.rejects(verifyWebhook(signed("{}"), [], { now }), TypeError);
  // Padding may be left out.
  const padded = `whsec_${Buffer.alloc(25, 1).toString("base64")}`;
  await verifyWebhook(signed("{}", { key: padded }), padded.replace(/=+$/, ""), { now });
});

test("the key that the operator prints for a namespace is taken", async () => {
  const printed = execFileSync(process.execPath, [join(ROOT, "scripts/signing-key.mjs"), "shop"], { env: { WEBHOOK_SIGNING_KEYS: KEY }, encoding: "utf8" }).trim();
  const webhook = await verifyWebhook(signed("{}", { key: printed, id: "shop%3Aa@5" }), printed, { now });
  assert.equal(webhook.namespace, "shop");
  assert.equal(await rejection(verifyWebhook(signed("{}", { key: printed }), KEY, { now })), "wrong-signature");
});

test("a request of Node's own server is taken", async () => {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const webhook = await verifyWebhook({ headers: request.headers, body: Buffer.concat(chunks) }, KEY, { now });
    response.end(webhook.id);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { headers, body } = signed('{"a":1}');
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { method: "POST", headers, body });
  assert.equal(await answer.text(), "a@5");
  server.close();
});
