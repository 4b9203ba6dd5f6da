import type { DeadLetterList, DeletedDeadLetter, DiscardedMany, DryRun, Filter, ListDeadLettersQuery, ReplayedMany, ReplayInput, Task } from "../generated/openapi.ts";
import type { CallOptions } from "./options.ts";
import { Pages } from "./pages.ts";
import { pathOf } from "./paths.ts";
import type { ApiAnswer, Requests } from "./requests.ts";
import { chunks, type PerhapsUncertain, sumAnswers } from "./selection.ts";

/** The dead letters of a request: those with these ids, or those that match every part of a filter. `{ all: true }` selects all of them. */
export type DeadLetterSelection = readonly string[] | DeadLetterFilter;

/** A filter of dead letters. It has no `status`, because all have the same one. `from` and `to` are times of death. */
export type DeadLetterFilter = Omit<Filter, "status" | "paused" | "lastOutcome">;

/** Parameters of a list of dead letters. `from` and `to` are times of death. */
export type DeadLetterQuery = Omit<ListDeadLettersQuery, "tag"> & {
  /** The tags include this, or both of these. */
  tag?: string | readonly string[] | undefined;
};

/** Dead letters, which are the runs that failed for good. An id here is a `deadLetterId`, not the id of a task. */
export class DeadLetters {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Lists the dead letters that meet every part of a query, the newest first. */
  list({ cursor: from, ...query }: DeadLetterQuery = {}, options: CallOptions = {}): Pages<Task> {
    return new Pages(async (cursor) => {
      const { body } = await this.#requests.send<DeadLetterList>({ method: "GET", path: "/v1/dead-letters", query: { ...query, cursor }, options });
      return { items: body.deadLetters, cursor: body.cursor, searched: body.searched };
    }, from);
  }

  /** Returns a dead letter. Fails with `/problems/no-dead-letter` if it was replayed, discarded or displaced. */
  async get(id: string, options: CallOptions = {}): Promise<Task> {
    return (await this.#requests.send<Task>({ method: "GET", path: pathOf("dead-letters", id), options })).body;
  }

  /**
   * Starts a dead letter again with its first attempt, and returns the task. `changes` are merge patches of its callback and payload.
   *
   * Fails with `/problems/no-dead-letter` if there is none with this id. If the answer to the first request was lost, that request may have
   * replayed it, and the error is `uncertain`.
   */
  replay(id: string, changes?: ReplayInput, options?: CallOptions): Promise<Task>;
  /** Starts many dead letters again, unchanged, and returns how many. */
  replay(selection: DeadLetterSelection, options?: CallOptions): Promise<ReplayedMany & PerhapsUncertain>;
  async replay(which: string | DeadLetterSelection, second: ReplayInput | CallOptions = {}, third: CallOptions = {}): Promise<Task | (ReplayedMany & PerhapsUncertain)> {
    if (typeof which !== "string") return this.#many<ReplayedMany>("replay", which, second as CallOptions);
    const changes = second as ReplayInput;
    const body = Object.keys(changes).length === 0 ? undefined : changes;
    return (await this.#requests.send<Task>({ method: "POST", path: pathOf("dead-letters", which, "replay"), body, ifUncertain: "repeat", options: third })).body;
  }

  /**
   * Deletes a dead letter.
   *
   * Fails with `/problems/no-dead-letter` if there is none with this id. If the answer to the first request was lost, that request may have
   * deleted it, and the error is `uncertain`.
   */
  discard(id: string, options?: CallOptions): Promise<DeletedDeadLetter>;
  /** Deletes many dead letters, and returns how many. */
  discard(selection: DeadLetterSelection, options?: CallOptions): Promise<DiscardedMany & PerhapsUncertain>;
  async discard(which: string | DeadLetterSelection, options: CallOptions = {}): Promise<DeletedDeadLetter | (DiscardedMany & PerhapsUncertain)> {
    if (typeof which !== "string") return this.#many<DiscardedMany>("discard", which, options);
    return (await this.#requests.send<DeletedDeadLetter>({ method: "DELETE", path: pathOf("dead-letters", which), options })).body;
  }

  /** Returns how many dead letters a replay or a discard of many would affect, and the first of them. Changes nothing. */
  async dryRun(action: "replay" | "discard", filter: DeadLetterFilter, options: CallOptions = {}): Promise<DryRun> {
    const body = { filter, dryRun: true };
    return (await this.#requests.send<DryRun>({ method: "POST", path: `/v1/dead-letters/${action}`, body, ifUncertain: "read", options })).body;
  }

  async #many<Reply extends { done: boolean }>(action: string, which: DeadLetterSelection, options: CallOptions): Promise<Reply & PerhapsUncertain> {
    const answers: ApiAnswer<Reply>[] = [];
    for (const selection of chunks(which)) {
      let answer: ApiAnswer<Reply>;
      do {
        answer = await this.#requests.send<Reply>({ method: "POST", path: `/v1/dead-letters/${action}`, body: selection, ifUncertain: "repeat", options });
        answers.push(answer);
      } while (!answer.body.done);
    }
    return sumAnswers(answers);
  }
}
