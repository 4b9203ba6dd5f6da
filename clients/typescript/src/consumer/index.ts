/**
 * For the receivers of tasks that have fired: consumers of a queue, and receivers of webhooks.
 *
 * @module
 */

export { consume } from "./consume.ts";
export type { Consumed, ConsumeOptions, Delivery, QueueBatch, QueueMessage } from "./consume.ts";
export { namespaceOf, occurrenceKey, parseEnvelope } from "./envelope.ts";
export type { Envelope, FiredTask } from "./envelope.ts";
export { D1SeenStore, DurableObjectSeenStore, MemorySeenStore } from "./seen.ts";
export type { D1DatabaseLike, D1StatementLike, SeenStore, SqlStorageLike } from "./seen.ts";
export { verifyWebhook, WebhookVerificationError } from "./webhook.ts";
export type { VerifiedWebhook, VerifyOptions, WebhookHeaders, WebhookRejection, WebhookRequest } from "./webhook.ts";
