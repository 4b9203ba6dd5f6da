// Prints the key that signs the webhooks of a namespace, for its receivers: `scripts/run node
// scripts/signing-key.mjs shop`. It reads the deployment's keys from the variable
// WEBHOOK_SIGNING_KEYS or from the standard input, and prints one line for each. It refuses the
// same keys as the Worker (dispatcher/src/signature.rs).

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const PREFIX = "whsec_";
const namespace = process.argv[2];
if (!/^[a-z0-9-]{1,64}$/.test(namespace ?? "")) {
  console.error("usage: scripts/run node scripts/signing-key.mjs NAMESPACE, with WEBHOOK_SIGNING_KEYS in the environment or the standard input");
  process.exit(2);
}

/** Ends with one line that does not repeat the key, which is a secret. */
function refuse(problem) {
  console.error(`WEBHOOK_SIGNING_KEYS: ${problem}`);
  process.exit(1);
}

/** Decodes a key, with or without padding. */
function decoded(key, place) {
  if (!key.startsWith(PREFIX)) refuse(`key ${place} does not begin with ${PREFIX}`);
  const encoded = key.slice(PREFIX.length);
  const digits = encoded.replace(/=+$/, "");
  const bytes = Buffer.from(digits, "base64");
  // Node skips characters that are not base64, and ignores unused bits.
  const isBase64 = bytes.toString("base64").replace(/=+$/, "") === digits && encoded.length - digits.length <= (4 - (digits.length % 4)) % 4;
  if (!isBase64) refuse(`key ${place} is not base64 after ${PREFIX}`);
  if (bytes.length < 24 || bytes.length > 64) refuse(`key ${place} has ${bytes.length} bytes, not 24 to 64`);
  return bytes;
}

const text = process.env.WEBHOOK_SIGNING_KEYS ?? readFileSync(0, "utf8");
const given = text.split(",").map((part) => part.trim()).filter(Boolean);
if (given.length === 0) refuse("there is no key");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
// All keys are checked before the first result is printed.
for (const key of given.map((key, at) => decoded(key, at + 1))) {
  // HKDF of RFC 5869, without salt, with one block.
  const extracted = hmac(Buffer.alloc(32), key);
  const derived = hmac(extracted, Buffer.concat([Buffer.from(`durable-scheduler/webhook/namespace/${namespace}`), Buffer.from([1])]));
  console.log(PREFIX + derived.toString("base64"));
}
