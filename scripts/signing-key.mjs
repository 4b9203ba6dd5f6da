// Prints the key that the webhooks of a namespace are signed with, for its receivers: `scripts/run node scripts/signing-key.mjs shop`. The
// deployment's keys are read from the variable WEBHOOK_SIGNING_KEYS, or from the standard input; one line is printed for each.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const PREFIX = "whsec_";
const namespace = process.argv[2];
if (!/^[a-z0-9-]{1,64}$/.test(namespace ?? "")) {
  console.error("usage: scripts/run node scripts/signing-key.mjs NAMESPACE, with WEBHOOK_SIGNING_KEYS in the environment or the standard input");
  process.exit(2);
}

const text = process.env.WEBHOOK_SIGNING_KEYS ?? readFileSync(0, "utf8");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
for (const key of text.split(",").map((part) => part.trim()).filter(Boolean)) {
  if (!key.startsWith(PREFIX)) throw new Error(`a key begins with ${PREFIX}`);
  // HKDF of RFC 5869, without salt, one block.
  const extracted = hmac(Buffer.alloc(32), Buffer.from(key.slice(PREFIX.length), "base64"));
  const derived = hmac(extracted, Buffer.concat([Buffer.from(`durable-scheduler/webhook/namespace/${namespace}`), Buffer.from([1])]));
  console.log(PREFIX + derived.toString("base64"));
}
