import type { DeliveredTask } from "../generated/openapi.ts";

/** Headers of any framework: an object of the Fetch API, or one with a member for each header, such as Node's `request.headers`. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request of any framework. */
export interface WebhookRequest {
  /** All headers, whatever the case of their names. */
  headers: WebhookHeaders;
  /** The body as it arrived, byte by byte. A framework may write a parsed body differently. */
  body: string | Uint8Array | ArrayBuffer;
}

/** Settings of `verifyWebhook`. */
export interface VerifyOptions {
  /** The most by which the time of the webhook may differ from now, in both directions, in seconds. Default: 300. */
  toleranceSeconds?: number | undefined;
  /** Returns the current time, milliseconds since 1970. Default: `Date.now`. */
  now?: (() => number) | undefined;
}

/** A webhook that comes from the scheduler. */
export interface VerifiedWebhook {
  /** `webhook-id`. Identifies the run over all attempts and in all namespaces, so a receiver can recognize repeats. */
  readonly id: string;
  /** The namespace of the task, which is signed. */
  readonly namespace: string;
  /** When the attempt was made. */
  readonly sentAt: Date;
  /** The number of the attempt, from 1. It is not signed. */
  readonly attempt: number;
  /** The body. Empty for GET and DELETE. */
  readonly text: string;
  /** Parses the body, which is the task, unless its callback has a `body` of its own. Throws a `SyntaxError` if it is not JSON. */
  json<Body = DeliveredTask>(): Body;
}

/** Why a webhook was not accepted. */
export type WebhookRejection =
  /** A header is absent or malformed: the webhook is not signed. */
  | "not-signed"
  /** The time of the webhook differs from now by more than the tolerance. It may have been recorded and sent again. */
  | "wrong-time"
  /** No signature is by one of the keys: the webhook is forged or changed, or signed with another key. */
  | "wrong-signature";

/** The webhook does not come from the scheduler. Answer it with 401. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  /** What is wrong. */
  readonly reason: WebhookRejection;

  constructor(reason: WebhookRejection, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Checks that a webhook comes from the scheduler, as Standard Webhooks specifies it, and returns it. Uses WebCrypto only,
 * so it runs in every runtime. It compares signatures in constant time.
 *
 * `keys`: the keys of the namespace, each `whsec_` and base64. While you change a key, give the old one and the new one. A
 * webhook is accepted if one of its signatures is by one of the keys.
 *
 * Throws a {@link WebhookVerificationError}, or a `TypeError` if a key is invalid or the body was parsed already.
 *
 * @example
 * const webhook = await verifyWebhook(request, [env.WEBHOOK_KEY]);
 * await remind(webhook.json().payload);
 */
export async function verifyWebhook(request: Request | WebhookRequest, keys: string | readonly string[], options: VerifyOptions = {}): Promise<VerifiedWebhook> {
  const { toleranceSeconds = 300, now = Date.now } = options;
  // The types of some projects accept a variable that is not set.
  const given = (typeof keys === "string" ? [keys] : [...((keys as readonly string[] | undefined) ?? [undefined])]) as (string | undefined)[];
  const secrets = await Promise.all(given.map(importKey));
  if (secrets.length === 0) throw new TypeError("give at least one key");

  const id = header(request.headers, "webhook-id");
  const timestamp = header(request.headers, "webhook-timestamp");
  const signatureHeader = header(request.headers, "webhook-signature");
  // Dots separate the signed parts. With a dot in the id, a part of the body could be taken for the time.
  if (id.includes(".")) throw new WebhookVerificationError("not-signed", "webhook-id has a dot, which the scheduler never sends");
  if (!/^[0-9]{1,12}$/.test(timestamp)) throw new WebhookVerificationError("not-signed", "webhook-timestamp is not a number of seconds");
  const sentAt = Number(timestamp) * 1000;
  const differs = Math.abs(now() - sentAt) / 1000;
  // This also refuses every time if the tolerance is not a number.
  if (!(differs <= toleranceSeconds)) throw new WebhookVerificationError("wrong-time", `webhook-timestamp differs by ${Math.round(differs)} seconds from now`);

  const body = await rawBody(request);
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  const signatures = signatureHeader.split(" ").flatMap((signature) => (signature.startsWith("v1,") ? [decodeBase64(signature.slice(3))] : []));
  // Every pair is checked, so the time does not say which key it was.
  const checks = secrets.flatMap((key) => signatures.map((signature) => signature !== undefined && crypto.subtle.verify("HMAC", key, signature, signed)));
  if (!(await Promise.all(checks)).includes(true)) throw new WebhookVerificationError("wrong-signature", "no signature was made with a known key: give the key of the namespace, which npx durable-scheduler signing-key prints, and not WEBHOOK_SIGNING_KEYS itself");

  const text = new TextDecoder().decode(body);
  return {
    id,
    namespace: /^([a-z0-9-]+)%3A/.exec(id)?.[1] ?? "default",
    sentAt: new Date(sentAt),
    attempt: Number(find(request.headers, "scheduler-attempt") ?? 1),
    text,
    json: <Body>() => JSON.parse(text) as Body,
  };
}

async function importKey(text: string | undefined, at: number): Promise<CryptoKey> {
  if (text === undefined || text === "") throw new TypeError(`key ${at + 1} is ${text === undefined ? "undefined" : "empty"}: set the variable that you pass`);
  const bytes = decodeBase64(text.replace(/^whsec_/, ""));
  // The text of a key is a secret.
  if (bytes === undefined) throw new TypeError(`key ${at + 1} is not base64 after whsec_`);
  if (bytes.length < 24 || bytes.length > 64) throw new TypeError(`key ${at + 1} has ${bytes.length} bytes, not 24 to 64`);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/** Returns the bytes of base64 with or without padding, or undefined. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

async function rawBody(request: Request | WebhookRequest): Promise<Uint8Array> {
  // `instanceof` does not work here, because some frameworks have a `Request` class of their own.
  if ("arrayBuffer" in request) return new Uint8Array(await request.arrayBuffer());
  const body: unknown = request.body;
  if (typeof body === "string") return new TextEncoder().encode(body);
  // `instanceof` does not work here, because some test runners have globals of their own.
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (Object.prototype.toString.call(body) === "[object ArrayBuffer]") return new Uint8Array(body as ArrayBuffer);
  throw new TypeError("body is not text or bytes: give the raw body, before a framework parses it");
}

function concat(one: Uint8Array, two: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  return both;
}

function header(headers: WebhookHeaders, name: string): string {
  const value = find(headers, name);
  if (value === undefined || value === "") throw new WebhookVerificationError("not-signed", `there is no header ${name}: the scheduler signs webhooks only if its secret WEBHOOK_SIGNING_KEYS is set`);
  return value;
}

function find(headers: WebhookHeaders, name: string): string | undefined {
  if (typeof headers.get === "function") return headers.get(name) ?? undefined;
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name) return typeof value === "string" ? value : value?.join(" ");
  }
  return undefined;
}
