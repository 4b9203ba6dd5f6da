import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import PrebuiltWorker from "../../prebuilt/index.js";
import { SchedulerClient } from "../client/client.ts";
import type { CancelledTask, PauseOptions, RunOptions, RunsQuery, TaskSelection, VersionedTask } from "../client/client.ts";
import type { DeadLetterSelection } from "../client/dead-letters.ts";
import { refusal } from "../client/errors.ts";
import { toQuery } from "../client/json.ts";
import type { CallOptions, ChangeOptions } from "../client/options.ts";
import type { VersionedCalendar } from "../client/settings.ts";
import type { ScheduledTasks } from "../client/batches.ts";
import type {
  CancelledMany,
  ChangedMany,
  Deleted,
  DeletedDeadLetter,
  DiscardedMany,
  DryRun,
  ErrorGroup,
  Explanation,
  Filter,
  Forecast,
  Key,
  ListedCalendar,
  ListRunsQuery,
  MadeKey,
  Namespace,
  OwnKey,
  ParsedSentence,
  Preview,
  ReplayedMany,
  ReplayInput,
  Reschedule,
  Run,
  Series,
  ShownLimit,
  Stats,
  Task,
  WatchEventsQuery,
} from "../generated/openapi.ts";
import type { Page, Pages } from "../client/pages.ts";
import type { PerhapsUncertain } from "../client/selection.ts";
import type { OverRpc } from "../rpc.ts";
import { answerOwnKey, hideHeaders, notTheScheduler, refuse, type SchedulerProps } from "./access.ts";

import { whyNoTaskRuns } from "./holder.ts";
import { forwardRun, withRuns } from "./runs.ts";

export type { SchedulerProps, Scope } from "./access.ts";

/** A key that only this isolate knows. With it, the entry point calls the scheduler in its own Worker. */
let ownKey: string | undefined;

/** The arguments of a method. */
type Arguments<Method> = Method extends (...args: infer Given) => unknown ? Given : never;

/**
 * The scheduler for other Workers, over a service binding: by RPC, or by requests to the HTTP API. It needs no API key.
 * The `props` of the binding say which namespace the caller is in and what it may do.
 *
 * The methods are those of `SchedulerClient`. Lists return one page, with the `cursor` to give for the next one, because
 * an iterator does not cross a binding. For the iterators, use `new SchedulerClient({ binding: env.SCHEDULER })`.
 *
 * Errors have the message of the client's `SchedulerError`. The platform does not carry over their other members.
 *
 * @example
 * // wrangler.jsonc: "services": [{ "binding": "SCHEDULER", "service": "scheduler", "entrypoint": "SchedulerEntrypoint", "props": { "namespace": "shop" } }]
 * await env.SCHEDULER.scheduleTask({ delayInSeconds: 60, callback: { type: "webhook", url } });
 */
export class SchedulerEntrypoint<Env = unknown> extends WorkerEntrypoint<Env, SchedulerProps> {
  /** Sends a request to the HTTP API. The answer is 403 if the `props` of the binding do not allow it. */
  override async fetch(request: Request): Promise<Response> {
    const { props = {} } = this.ctx as { props?: SchedulerProps & { runs?: boolean } };
    if (props.runs === true) return forwardRun(request, this.env as Record<string, unknown>);
    const answer = refuse(request, props) ?? answerOwnKey(request, props);
    if (answer !== undefined) return answer;
    const why = await whyNoTaskRuns(this.ctx as { exports?: unknown });
    if (why !== undefined) return notTheScheduler(why);
    const key = (ownKey ??= newKey());
    const authorized = new Request(request);
    authorized.headers.set("authorization", `Bearer ${key}`);
    if (!authorized.headers.has("scheduler-namespace")) authorized.headers.set("scheduler-namespace", props.namespace ?? "default");
    const worker = new PrebuiltWorker(this.ctx as ExecutionContext, { ...withRuns(this.env, this.ctx), API_KEYS: key } as unknown as Cloudflare.Env);
    const response = await worker.fetch(authorized);
    const scopes = props.scopes ?? ["read", "write"];
    return scopes.includes("write") ? response : hideHeaders(response);
  }

  get #client(): SchedulerClient {
    return new SchedulerClient({ fetch: (request) => this.fetch(request) });
  }

  /** Creates a task, or overwrites the task with its id. */
  async scheduleTask(...args: Arguments<SchedulerClient["scheduleTask"]>): Promise<OverRpc<VersionedTask>> {
    return plain(await this.#client.scheduleTask(...args));
  }

  /** Creates many tasks, in batches. */
  async scheduleTasks(...args: Arguments<SchedulerClient["scheduleTasks"]>): Promise<OverRpc<ScheduledTasks>> {
    return plain(await this.#client.scheduleTasks(...args));
  }

  /** Lists a page of the tasks that meet every part of a query, in due order, and last those without a due time, such as paused ones. */
  async query(...args: Arguments<SchedulerClient["query"]>): Promise<OverRpc<Page<Task>>> {
    return firstPage(this.#client.query(...args));
  }

  /** Returns a task, or undefined if no task has this id now. */
  async getTask(...args: Arguments<SchedulerClient["getTask"]>): Promise<OverRpc<VersionedTask | undefined>> {
    return plain(await this.#client.getTask(...args));
  }

  /** Cancels a task, or many. Returns undefined if no task has the id. */
  async cancelTask(which: string | TaskSelection, options?: ChangeOptions): Promise<OverRpc<CancelledTask | (CancelledMany & PerhapsUncertain) | undefined>> {
    return plain(await this.#client.cancelTask(which as string, options));
  }

  /** Changes single members of a task. */
  async changeTask(...args: Arguments<SchedulerClient["changeTask"]>): Promise<OverRpc<VersionedTask>> {
    return plain(await this.#client.changeTask(...args));
  }

  /** Keeps a task, or many, from firing until resumed. */
  async pause(which: string | TaskSelection, options?: PauseOptions): Promise<OverRpc<VersionedTask | (ChangedMany & PerhapsUncertain)>> {
    return plain(await this.#client.pause(which as string, options));
  }

  /** Ends the pause of a task, or of many. */
  async resume(which: string | TaskSelection, options?: ChangeOptions): Promise<OverRpc<VersionedTask | (ChangedMany & PerhapsUncertain)>> {
    return plain(await this.#client.resume(which as string, options));
  }

  /** Fires a task, or many, now. */
  async run(which: string | TaskSelection, options?: RunOptions): Promise<OverRpc<VersionedTask | ChangedMany>> {
    return plain(await this.#client.run(which as string, options));
  }

  /** Moves a one-shot task, or many, to another time. */
  async reschedule(which: string | TaskSelection, when: Reschedule, options?: ChangeOptions): Promise<OverRpc<VersionedTask | (ChangedMany & PerhapsUncertain)>> {
    return plain(await this.#client.reschedule(which as string, when, options));
  }

  /** Returns how many tasks a change of many would change, and the first of them. Changes nothing. */
  async dryRun(action: "cancel" | "pause" | "resume" | "run" | "reschedule", selection: Filter, when?: Reschedule | CallOptions, options?: CallOptions): Promise<OverRpc<DryRun>> {
    return plain(await this.#client.dryRun(action as "reschedule", selection, when as Reschedule, options));
  }

  /** Returns the next runs of a schedule. Creates nothing. */
  async preview(...args: Arguments<SchedulerClient["preview"]>): Promise<OverRpc<Preview>> {
    return plain(await this.#client.preview(...args));
  }

  /** Reads a sentence in English or German as a schedule. Creates nothing. */
  async parse(...args: Arguments<SchedulerClient["parse"]>): Promise<OverRpc<ParsedSentence>> {
    return plain(await this.#client.parse(...args));
  }

  /** Explains why a task did or did not fire, and when it will. */
  async explain(...args: Arguments<SchedulerClient["explain"]>): Promise<OverRpc<Explanation>> {
    return plain(await this.#client.explain(...args));
  }

  /** Lists a page of the attempts at one task, or at all, the newest first. */
  async runs(which?: string | RunsQuery, query?: ListRunsQuery | CallOptions, options?: CallOptions): Promise<OverRpc<Page<Run>>> {
    return firstPage(this.#client.runs(which as string, query as ListRunsQuery, options));
  }

  /** Lists a page of groups of attempts with similar errors. */
  async errorGroups(...args: Arguments<SchedulerClient["errorGroups"]>): Promise<OverRpc<Page<ErrorGroup>>> {
    return firstPage(this.#client.errorGroups(...args));
  }

  /** Streams what happens to tasks, as server-sent events, from now on or from `lastEventId`. For a stream that connects again, use the client. */
  async events(query: WatchEventsQuery = {}, { namespace, lastEventId }: { namespace?: string; lastEventId?: string } = {}): Promise<ReadableStream<Uint8Array>> {
    const headers = new Headers();
    if (namespace !== undefined) headers.set("scheduler-namespace", namespace);
    if (lastEventId !== undefined) headers.set("last-event-id", lastEventId);
    const response = await this.fetch(new Request(`https://scheduler.internal/v1/events${toQuery({ ...query })}`, { headers }));
    if (!response.ok || response.body === null) throw await refusal(response, { number: 1, hasKey: true, now: Date.now() });
    return response.body;
  }

  /** Counts the runs that come due in each part of a coming period. */
  async forecast(...args: Arguments<SchedulerClient["forecast"]>): Promise<OverRpc<Forecast>> {
    return plain(await this.#client.forecast(...args));
  }

  /** Returns counts, lateness and billed operations. */
  async stats(...args: Arguments<SchedulerClient["stats"]>): Promise<OverRpc<Stats>> {
    return plain(await this.#client.stats(...args));
  }

  /** Returns the counts of each minute of the last two hours, or of each hour of the last seven days. */
  async statsSeries(...args: Arguments<SchedulerClient["statsSeries"]>): Promise<OverRpc<Series>> {
    return plain(await this.#client.statsSeries(...args));
  }

  /** Dead letters, which are the runs that failed for good. */
  get deadLetters(): DeadLettersTarget {
    return new DeadLettersTarget(this.#client);
  }

  /** Limits on concurrency and rate. */
  get limits(): LimitsTarget {
    return new LimitsTarget(this.#client);
  }

  /** Calendars, whose days tasks leave out by name. */
  get calendars(): CalendarsTarget {
    return new CalendarsTarget(this.#client);
  }

  /** API keys. Each method but `own` needs the scope `admin`. */
  get keys(): KeysTarget {
    return new KeysTarget(this.#client);
  }

  /** Namespaces and their quotas. Needs the scope `admin`. */
  get namespaces(): NamespacesTarget {
    return new NamespacesTarget(this.#client);
  }
}

/** The part of the client that a target offers by RPC. */
class Target extends RpcTarget {
  readonly #client: SchedulerClient;
  constructor(client: SchedulerClient) {
    super();
    this.#client = client;
  }
  protected static clientOf(target: Target): SchedulerClient {
    return target.#client;
  }
}

/** Dead letters, by RPC. */
export class DeadLettersTarget extends Target {
  /** Lists a page of dead letters. */
  async list(...args: Arguments<SchedulerClient["deadLetters"]["list"]>): Promise<OverRpc<Page<Task>>> {
    return firstPage(Target.clientOf(this).deadLetters.list(...args));
  }
  /** Returns a dead letter. */
  async get(...args: Arguments<SchedulerClient["deadLetters"]["get"]>): Promise<OverRpc<Task>> {
    return plain(await Target.clientOf(this).deadLetters.get(...args));
  }
  /** Runs a dead letter, or many, again. */
  async replay(which: string | DeadLetterSelection, changes?: ReplayInput | CallOptions, options?: CallOptions): Promise<OverRpc<Task | (ReplayedMany & PerhapsUncertain)>> {
    return plain(await Target.clientOf(this).deadLetters.replay(which as string, changes as ReplayInput, options));
  }
  /** Returns how many dead letters a replay or a discard of many would affect, and the first of them. Changes nothing. */
  async dryRun(...args: Arguments<SchedulerClient["deadLetters"]["dryRun"]>): Promise<OverRpc<DryRun>> {
    return plain(await Target.clientOf(this).deadLetters.dryRun(...args));
  }
  /** Deletes a dead letter, or many. */
  async discard(which: string | DeadLetterSelection, options?: CallOptions): Promise<OverRpc<DeletedDeadLetter | (DiscardedMany & PerhapsUncertain)>> {
    return plain(await Target.clientOf(this).deadLetters.discard(which as string, options));
  }
}

/** Limits, by RPC. */
export class LimitsTarget extends Target {
  /** Lists all limits. */
  async list(...args: Arguments<SchedulerClient["limits"]["list"]>): Promise<OverRpc<ShownLimit[]>> {
    return plain(await Target.clientOf(this).limits.list(...args));
  }
  /** Returns a limit. */
  async get(...args: Arguments<SchedulerClient["limits"]["get"]>): Promise<OverRpc<ShownLimit>> {
    return plain(await Target.clientOf(this).limits.get(...args));
  }
  /** Creates or replaces a limit. */
  async set(...args: Arguments<SchedulerClient["limits"]["set"]>): Promise<OverRpc<ShownLimit>> {
    return plain(await Target.clientOf(this).limits.set(...args));
  }
  /** Deletes a limit. */
  async delete(...args: Arguments<SchedulerClient["limits"]["delete"]>): Promise<OverRpc<Deleted>> {
    return plain(await Target.clientOf(this).limits.delete(...args));
  }
}

/** Calendars, by RPC. */
export class CalendarsTarget extends Target {
  /** Lists all calendars, without their items. */
  async list(...args: Arguments<SchedulerClient["calendars"]["list"]>): Promise<OverRpc<ListedCalendar[]>> {
    return plain(await Target.clientOf(this).calendars.list(...args));
  }
  /** Returns the names of the calendars that cannot be read. */
  async unreadable(...args: Arguments<SchedulerClient["calendars"]["unreadable"]>): Promise<OverRpc<string[]>> {
    return plain(await Target.clientOf(this).calendars.unreadable(...args));
  }
  /** Returns a calendar. */
  async get(...args: Arguments<SchedulerClient["calendars"]["get"]>): Promise<OverRpc<VersionedCalendar>> {
    return plain(await Target.clientOf(this).calendars.get(...args));
  }
  /** Creates or replaces a calendar. */
  async set(...args: Arguments<SchedulerClient["calendars"]["set"]>): Promise<OverRpc<VersionedCalendar>> {
    return plain(await Target.clientOf(this).calendars.set(...args));
  }
  /** Deletes a calendar that no task names. */
  async delete(...args: Arguments<SchedulerClient["calendars"]["delete"]>): Promise<OverRpc<Deleted>> {
    return plain(await Target.clientOf(this).calendars.delete(...args));
  }
}

/** API keys, by RPC. */
export class KeysTarget extends Target {
  /** Returns what the caller may do, as the `props` of its binding say. */
  async own(): Promise<OverRpc<OwnKey>> {
    return plain(await Target.clientOf(this).keys.own());
  }
  /** Creates a key. */
  async create(...args: Arguments<SchedulerClient["keys"]["create"]>): Promise<OverRpc<MadeKey>> {
    return plain(await Target.clientOf(this).keys.create(...args));
  }
  /** Lists all keys, without their secrets. */
  async list(): Promise<OverRpc<Key[]>> {
    return plain(await Target.clientOf(this).keys.list());
  }
  /** Returns a key, without its secret. */
  async get(...args: Arguments<SchedulerClient["keys"]["get"]>): Promise<OverRpc<Key>> {
    return plain(await Target.clientOf(this).keys.get(...args));
  }
  /** Revokes a key. */
  async revoke(...args: Arguments<SchedulerClient["keys"]["revoke"]>): Promise<OverRpc<Deleted>> {
    return plain(await Target.clientOf(this).keys.revoke(...args));
  }
}

/** Namespaces, by RPC. */
export class NamespacesTarget extends Target {
  /** Lists all namespaces. */
  async list(): Promise<OverRpc<Namespace[]>> {
    return plain(await Target.clientOf(this).namespaces.list());
  }
  /** Returns a namespace. */
  async get(...args: Arguments<SchedulerClient["namespaces"]["get"]>): Promise<OverRpc<Namespace>> {
    return plain(await Target.clientOf(this).namespaces.get(...args));
  }
  /** Creates a namespace, or replaces its settings. */
  async set(...args: Arguments<SchedulerClient["namespaces"]["set"]>): Promise<OverRpc<Namespace>> {
    return plain(await Target.clientOf(this).namespaces.set(...args));
  }
  /** Deletes an empty namespace. */
  async delete(...args: Arguments<SchedulerClient["namespaces"]["delete"]>): Promise<OverRpc<Deleted>> {
    return plain(await Target.clientOf(this).namespaces.delete(...args));
  }
}

/** Returns a result. A task has its version as a member that crosses a binding. */
function plain<Result>(result: Result): OverRpc<Result> {
  const etag = (result as Partial<VersionedTask> | undefined)?.etag;
  return (etag === undefined ? result : { ...result, etag }) as OverRpc<Result>;
}

async function firstPage<Item>(list: Pages<Item>): Promise<OverRpc<Page<Item>>> {
  for await (const page of list.pages()) return plain(page);
  return { items: [], cursor: null } as OverRpc<Page<Item>>;
}

function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
