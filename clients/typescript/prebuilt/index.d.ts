// The Worker that is built from Rust. The build step copies index.js and index_bg.wasm beside this file.

import type { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

/** Holds tasks and fires them. */
export class Shard extends DurableObject {}
/** Holds API keys and namespaces. */
export class Registry extends DurableObject {}
/** Holds limits on concurrency and rate. */
export class Limiter extends DurableObject {}

/** The HTTP API, the dispatcher of fired tasks, and the watchdog. */
export default class extends WorkerEntrypoint {
  override fetch(request: Request): Promise<Response>;
  override queue(batch: MessageBatch): Promise<void>;
  override scheduled(controller: ScheduledController): Promise<void>;
}
