// An app that reminds people: each person is a Durable Object with a page, and each reminder is a task of this object.

import { SchedulerWorker } from "durable-scheduler/worker";
import type { Env } from "./person.ts";

export { Limiter, Registry, SchedulerEntrypoint, Shard } from "durable-scheduler/worker";
export { Person } from "./person.ts";

/** The key of a person, which the page makes: whoever has it sees the reminders. */
const PERSON = /^\/people\/([\w-]{22,64})\//;

/** `/people/<key>/…` is the API of the page, and the scheduler's own API is below `/v1`. */
export default class extends SchedulerWorker<Env> {
  override async fetch(request: Request): Promise<Response> {
    const key = PERSON.exec(new URL(request.url).pathname)?.[1];
    return key === undefined ? super.fetch(request) : this.env.PEOPLE.getByName(key).fetch(request);
  }
}
