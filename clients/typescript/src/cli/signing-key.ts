// `durable-scheduler signing-key`: the keys with which receivers verify the webhooks of a namespace.

import { createHmac } from "node:crypto";
import { UsageError } from "./project.ts";

const PREFIX = "whsec_";

/**
 * Returns the keys of a namespace, one for each key in `text`, which is the value of the secret `WEBHOOK_SIGNING_KEYS`.
 *
 * Throws a `UsageError` for a key that the scheduler would refuse (dispatcher/src/signature.rs). The error names the key by its place,
 * because the key itself is a secret.
 */
export function namespaceKeys(text: string, namespace: string): string[] {
  if (!/^[a-z0-9-]{1,64}$/.test(namespace)) throw new UsageError(`${namespace} is not the name of a namespace: give 1 to 64 lower-case letters, digits and hyphens`);
  const given = text.split(",").map((part) => part.trim()).filter(Boolean);
  if (given.length === 0) throw new UsageError("WEBHOOK_SIGNING_KEYS: there is no key");
  return given.map((key, at) => PREFIX + derive(decode(key, at + 1), namespace).toString("base64"));
}

/** Decodes a key, with or without padding. */
function decode(key: string, place: number): Buffer {
  const refuse = (problem: string) => new UsageError(`WEBHOOK_SIGNING_KEYS: key ${place} ${problem}`);
  if (!key.startsWith(PREFIX)) throw refuse(`does not begin with ${PREFIX}`);
  const encoded = key.slice(PREFIX.length);
  const digits = encoded.replace(/=+$/, "");
  const bytes = Buffer.from(digits, "base64");
  // Node skips characters that are not base64, and ignores unused bits.
  const isBase64 = bytes.toString("base64").replace(/=+$/, "") === digits && encoded.length - digits.length <= (4 - (digits.length % 4)) % 4;
  if (!isBase64) throw refuse(`is not base64 after ${PREFIX}`);
  if (bytes.length < 24 || bytes.length > 64) throw refuse(`has ${bytes.length} bytes, not 24 to 64`);
  return bytes;
}

/** Derives a key by HKDF of RFC 5869, without salt, with one block. */
function derive(key: Buffer, namespace: string): Buffer {
  const hmac = (secret: Buffer, data: Buffer) => createHmac("sha256", secret).update(data).digest();
  const info = Buffer.from(`durable-scheduler/webhook/namespace/${namespace}`);
  return hmac(hmac(Buffer.alloc(32), key), Buffer.concat([info, Buffer.from([1])]));
}
