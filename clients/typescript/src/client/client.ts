import type {
  AllRuns,
  CancelledMany,
  ChangedMany,
  DryRun,
  ErrorGroup,
  Explanation,
  Filter,
  Forecast,
  ForecastQuery,
  ListAllRunsQuery,
  ListRunsQuery,
  ListTasksQuery,
  NewTask,
  ParsedSentence,
  ParseInput,
  Preview,
  PreviewRequest,
  Reschedule,
  Run,
  RunList,
  Series,
  Stats,
  StatsSeriesQuery,
  Task,
  TaskList,
  TaskPatch,
  WatchEventsQuery,
} from "../generated/openapi.ts";
import { checkKey, type ScheduledTasks, scheduleTasks, type ScheduleTasksOptions, type TaskSource } from "./batches.ts";
import { DeadLetters } from "./dead-letters.ts";
import { SchedulerError } from "./errors.ts";
import { EventStream, type EventsOptions } from "./events.ts";
import type { CallOptions, ChangeOptions, CreateOptions, SchedulerClientOptions } from "./options.ts";
import { type Page, Pages } from "./pages.ts";
import { pathOf } from "./paths.ts";
import { type ApiAnswer, type ApiRequest, Requests } from "./requests.ts";
import { chunks, type PerhapsUncertain, sumAnswers } from "./selection.ts";
import { ApiKeys, Calendars, Limits, Namespaces } from "./settings.ts";
import { conditions, isConditional, versioned } from "./versions.ts";

/**
 * A task as the client returns it, with its version. `etag` is not enumerable, so a copy of the task has no `etag`, and
 * you can send the copy in a request.
 */
export type VersionedTask = Task & {
  /** The version of the task: give it as `ifMatch` of a change. */
  readonly etag: string;
};

/**
 * What a cancel returns. If `uncertain` is true, the answer to the first request was lost, and the second one has found no task: the
 * first may have cancelled it, or it was gone before. Nothing but the id is known then. `runs` says whether the task has run.
 */
export type CancelledTask =
  | (VersionedTask & { readonly uncertain?: undefined })
  | ({ readonly id: string; readonly uncertain: true } & { readonly [Name in Exclude<keyof VersionedTask, "id">]?: undefined });

/** The tasks of a change of many: those with these ids, or those that match every part of a filter. `{ all: true }` selects every task. */
export type TaskSelection = readonly string[] | Filter;

/** The parameters of `query`: those of the API's list of tasks. */
export type TaskQuery = Omit<ListTasksQuery, "tag"> & {
  /** The tags include this, or both of these. */
  tag?: string | readonly string[] | undefined;
};

/** The options of a pause of many tasks. */
export type PauseManyOptions = CallOptions & {
  /** Why they are paused, up to 500 bytes on one line. */
  note?: string | undefined;
};

/** The options of a pause of one task. */
export type PauseOptions = ChangeOptions & PauseManyOptions;

/** How an attempt ended. */
export type Outcome = NonNullable<ListAllRunsQuery["outcome"]>[number];

/** The parameters of `runs` of all tasks. */
export type RunsQuery = Omit<ListAllRunsQuery, "group" | "order" | "outcome" | "tag"> & {
  /** Their task has this tag, or both of these. */
  tag?: string | readonly string[] | undefined;
  /** The attempts ended with this outcome, or with one of these. */
  outcome?: Outcome | readonly Outcome[] | undefined;
};

/** The parameters of `errorGroups`. */
export type ErrorGroupsQuery = RunsQuery & Pick<ListAllRunsQuery, "order">;

/** Settings of a call of `run`. */
export interface RunOptions extends ChangeOptions {
  /** The payload of this run only, any JSON. If absent, the payload of the task. */
  payload?: unknown;
}

/**
 * A client of a scheduler. One interface over HTTP, over a service binding, and in the scheduler's own Worker.
 *
 * Every time in an argument may be a `Date`, milliseconds since 1970, or text in RFC 3339. Every time in a result is a
 * number of milliseconds since 1970. Every duration is a number of seconds, unless its name says otherwise.
 *
 * Each method throws a {@link SchedulerError} if the scheduler refuses the call or cannot be reached. Before that, the
 * client repeats a request if that is safe and may help: after a network error, 408, 429, 503, 507 and other 5xx of
 * something in between, with exponential back-off and full jitter, and not before `Retry-After`.
 *
 * @example
 * const scheduler = new SchedulerClient({ url: "https://scheduler.example.workers.dev", apiKey });
 * await scheduler.scheduleTask({ id: "order-7", time: new Date("2030-12-24T18:00:00Z"), callback: { type: "webhook", url } });
 */
export class SchedulerClient {
  readonly #requests: Requests;
  /** Dead letters, which are the runs that failed for good. */
  readonly deadLetters: DeadLetters;
  /** Limits on the concurrency and rate of the tasks that name a key. */
  readonly limits: Limits;
  /** Calendars, whose days tasks leave out by name. */
  readonly calendars: Calendars;
  /** API keys, and what the key of this client may do. */
  readonly keys: ApiKeys;
  /** Namespaces and their quotas. Needs a key with the scope `admin`. */
  readonly namespaces: Namespaces;

  constructor(options: SchedulerClientOptions) {
    this.#requests = new Requests(options);
    this.deadLetters = new DeadLetters(this.#requests);
    this.limits = new Limits(this.#requests);
    this.calendars = new Calendars(this.#requests);
    this.keys = new ApiKeys(this.#requests);
    this.namespaces = new Namespaces(this.#requests);
  }

  /**
   * Creates a task, or overwrites the task with its id, and returns it. After that it fires, whichever part crashes.
   *
   * Fails with `/problems/invalid` if a member is invalid, and with `/problems/quota` or `/problems/shard-full` if there
   * is no room.
   */
  async scheduleTask(task: NewTask, options: CreateOptions = {}): Promise<VersionedTask> {
    const headers = conditions(options);
    checkKey(options.idempotencyKey);
    const isSameTwice = !isConditional(headers) && keepsWhenRepeated(task);
    const key = options.idempotencyKey ?? (isSameTwice ? false : crypto.randomUUID());
    return this.#one({
      method: "POST",
      path: "/v1/tasks",
      body: task,
      headers: { ...headers, "idempotency-key": key === false ? undefined : key },
      ifUncertain: key !== false || isSameTwice ? "repeat" : "ask",
      options,
    });
  }

  /**
   * Creates any number of tasks, in batches, and returns how many were accepted and which were not.
   *
   * A task that is invalid does not keep out the others. If a batch cannot be sent for another reason, such as a wrong
   * key, the call throws, and the tasks of earlier batches stay: repeat it with the same `idempotencyKey` to go on.
   *
   * @example
   * const { accepted, rejections } = await scheduler.scheduleTasks(readTasks(), { onProgress: console.log });
   */
  async scheduleTasks(tasks: TaskSource, options: ScheduleTasksOptions = {}): Promise<ScheduledTasks> {
    return scheduleTasks(this.#requests, tasks, options);
  }

  /**
   * Lists the tasks that meet every part of a query, in due order: what waits, what is in flight, and dead letters; last, what has no due time, such as paused tasks.
   *
   * A page takes a bounded amount of work, so a search of many tasks has pages that are empty. The iteration goes on by itself.
   * `pages()` gives each page with how far it has looked.
   */
  query(query: TaskQuery = {}, options: CallOptions = {}): Pages<Task> {
    return this.#list<TaskList, Task>("/v1/tasks", query, options, ({ tasks, cursor, total, searched }) => ({ items: tasks, cursor, total, searched }));
  }

  /**
   * Returns how many tasks a change of many would change, and the first of them. Changes nothing.
   *
   * The count takes a bounded amount of work. If `done` is false, there may be more tasks than `count`.
   *
   * @example
   * const { count, done, tasks } = await scheduler.dryRun("cancel", { tag: "orders", lastOutcome: "failed" });
   */
  dryRun(action: "cancel" | "pause" | "resume" | "run", selection: Filter, options?: CallOptions): Promise<DryRun>;
  /** Returns how many tasks a reschedule would move, and the first of them. */
  dryRun(action: "reschedule", selection: Filter, when: Reschedule, options?: CallOptions): Promise<DryRun>;
  async dryRun(action: string, filter: Filter, second: Reschedule | CallOptions = {}, third: CallOptions = {}): Promise<DryRun> {
    const [when, options] = action === "reschedule" ? [second as Reschedule, third] : [{}, second as CallOptions];
    return this.#body({ method: "POST", path: `/v1/tasks/${action}`, body: { filter, ...when, dryRun: true }, ifUncertain: "read", options });
  }

  /** Returns a task, or undefined if no task has this id now. A task is gone once its last run has ended. */
  async getTask(id: string, options: CallOptions = {}): Promise<VersionedTask | undefined> {
    return unlessGone(this.#one({ method: "GET", path: pathOf("tasks", id), options }));
  }

  /**
   * Cancels a task, and returns it as it was, or undefined if no task has this id. No attempt starts after that. An attempt
   * in flight runs to its end: the result then has `running: true`.
   *
   * If the answer is lost, the client sends the request again. If that one finds no task, the first may have cancelled it: the result is
   * then `{ id, uncertain: true }`.
   */
  cancelTask(id: string, options?: ChangeOptions): Promise<CancelledTask | undefined>;
  /** Cancels many tasks, and returns how many. Ids without a task are not an error. */
  cancelTask(selection: TaskSelection, options?: CallOptions): Promise<CancelledMany & PerhapsUncertain>;
  async cancelTask(which: string | TaskSelection, options: ChangeOptions = {}): Promise<CancelledTask | (CancelledMany & PerhapsUncertain) | undefined> {
    if (typeof which !== "string") return this.#many<CancelledMany>("cancel", which, {}, options);
    try {
      return await this.#change("DELETE", which, undefined, undefined, options);
    } catch (error) {
      if (!isGone(error)) throw error;
      return error.uncertain ? { id: which, uncertain: true } : undefined;
    }
  }

  /**
   * Changes single members of a task, and returns the changed task. `patch` is a JSON merge patch: null removes a member,
   * and an absent one stays as it is. A new `time`, `delayInSeconds`, `cron`, `everySeconds`, `rrule` or `schedule` replaces the whole
   * schedule.
   *
   * Fails with `/problems/no-task` if there is no such task, and with `/problems/other-version` if it is not `ifMatch`.
   */
  async changeTask(id: string, patch: TaskPatch, options: ChangeOptions = {}): Promise<VersionedTask> {
    return this.#change("PATCH", id, undefined, patch, options);
  }

  /**
   * Keeps a task from firing until it is resumed, and returns it. If the task is paused, only another `note` changes it:
   * `changed` says whether the request changed anything. The task shows when and by which key it was paused, and the note.
   */
  pause(id: string, options?: PauseOptions): Promise<VersionedTask>;
  /** Pauses many tasks, and returns how many. */
  pause(selection: TaskSelection, options?: PauseManyOptions): Promise<ChangedMany & PerhapsUncertain>;
  async pause(which: string | TaskSelection, options: PauseOptions = {}): Promise<VersionedTask | (ChangedMany & PerhapsUncertain)> {
    const { note } = options;
    const body = note === undefined ? undefined : { note };
    if (typeof which !== "string") return this.#many<ChangedMany>("pause", which, body ?? {}, options);
    return this.#change("POST", which, "pause", body, options);
  }

  /**
   * Ends the pause of a task, and returns it. A one-shot task whose time has passed fires at once. A recurring task does not
   * make up for the runs that it missed, unless it has a `misfire` policy.
   */
  resume(id: string, options?: ChangeOptions): Promise<VersionedTask>;
  /** Resumes many tasks, and returns how many. */
  resume(selection: TaskSelection, options?: CallOptions): Promise<ChangedMany & PerhapsUncertain>;
  async resume(which: string | TaskSelection, options: ChangeOptions = {}): Promise<VersionedTask | (ChangedMany & PerhapsUncertain)> {
    if (typeof which !== "string") return this.#many<ChangedMany>("resume", which, {}, options);
    return this.#change("POST", which, "resume", undefined, options);
  }

  /**
   * Fires a task now, and returns it. A recurring task fires in addition to its schedule. A dead letter starts over.
   *
   * Two calls are two runs. So if the answer is lost, the client does not repeat the request: it throws, and the task may
   * have fired. Fails with `/problems/already-running` if a one-shot task is in flight.
   */
  run(id: string, options?: RunOptions): Promise<VersionedTask>;
  /** Fires many tasks now, and returns how many. If `done` is false, tasks are left: the client does not go on by itself. */
  run(selection: TaskSelection, options?: CallOptions): Promise<ChangedMany>;
  async run(which: string | TaskSelection, options: RunOptions = {}): Promise<VersionedTask | ChangedMany> {
    if (typeof which !== "string") return this.#many<ChangedMany>("run", which, {}, options);
    const { payload } = options;
    return this.#change("POST", which, "run", payload === undefined ? undefined : { payload }, options, false);
  }

  /**
   * Moves a one-shot task to another time, or to a delay from now, and returns it. The new time gives the run another key.
   *
   * Fails with `/problems/not-applicable` if the task recurs.
   */
  reschedule(id: string, when: Reschedule, options?: ChangeOptions): Promise<VersionedTask>;
  /** Moves many tasks to the same time, and returns how many. */
  reschedule(selection: TaskSelection, when: Reschedule, options?: CallOptions): Promise<ChangedMany & PerhapsUncertain>;
  async reschedule(which: string | TaskSelection, when: Reschedule, options: ChangeOptions = {}): Promise<VersionedTask | (ChangedMany & PerhapsUncertain)> {
    // A delay counts from the arrival of the request, so a repeat may fire the task again.
    const isSafe = when.delayInSeconds === undefined || when.delayInSeconds === null;
    if (typeof which !== "string") return this.#many<ChangedMany>("reschedule", which, when, options, isSafe);
    return this.#change("POST", which, "reschedule", when, options, isSafe);
  }

  /** Returns the next runs of a schedule, with local times and the effect of clock changes. Creates nothing. */
  async preview(request: PreviewRequest, options: CallOptions = {}): Promise<Preview> {
    return this.#body({ method: "POST", path: "/v1/preview", body: request, ifUncertain: "read", options });
  }

  /**
   * Reads a sentence in English or German as a schedule. Returns its fields, the same schedule as a sentence, its next runs, and what the
   * sentence leaves open. Returns choices if the sentence is ambiguous, and similar sentences if it is refused. Creates nothing.
   */
  async parse(request: ParseInput, options: CallOptions = {}): Promise<ParsedSentence> {
    return this.#body({ method: "POST", path: "/v1/parse", body: request, ifUncertain: "read", options });
  }

  /** Explains why a task did or did not fire, and when it will. Knows tasks that are gone, as long as the history has them. */
  async explain(id: string, options: CallOptions = {}): Promise<Explanation> {
    return this.#body({ method: "GET", path: pathOf("tasks", id, "explain"), options });
  }

  /** Lists the attempts at one task, the newest first, even after the task is gone. */
  runs(id: string, query?: ListRunsQuery, options?: CallOptions): Pages<Run>;
  /** Lists the attempts at all tasks that meet every part of a query, the newest first. */
  runs(query?: RunsQuery, options?: CallOptions): Pages<Run>;
  runs(which: string | RunsQuery = {}, second: ListRunsQuery | CallOptions = {}, third: CallOptions = {}): Pages<Run> {
    if (typeof which === "string") {
      return this.#list<RunList, Run>(pathOf("tasks", which, "runs"), second as ListRunsQuery, third, ({ runs, cursor }) => ({ items: runs, cursor }));
    }
    const options = second as CallOptions;
    return this.#list<AllRuns, Run>("/v1/runs", withCommas(which), options, ({ runs = [], cursor }) => ({ items: runs, cursor }));
  }

  /** Lists groups of attempts with similar errors. Two pages may each have a part of the same group. */
  errorGroups(query: ErrorGroupsQuery = {}, options: CallOptions = {}): Pages<ErrorGroup> {
    const grouped = { ...withCommas(query), group: "error" };
    return this.#list<AllRuns, ErrorGroup>("/v1/runs", grouped, options, ({ groups = [], cursor }) => ({ items: groups, cursor }));
  }

  /** Streams what happens to tasks that meet every part of a query, from now on, or from `lastEventId`. */
  events(query: WatchEventsQuery = {}, options: EventsOptions = {}): EventStream {
    return new EventStream(this.#requests, query, options);
  }

  /**
   * Counts the runs that come due in each part of a coming period: of the next day in 24 parts, unless the query says otherwise. If
   * `countedUntil` is less than `to`, the counts from there on are too low: request a shorter period.
   */
  async forecast(query: ForecastQuery = {}, options: CallOptions = {}): Promise<Forecast> {
    return this.#body({ method: "GET", path: "/v1/forecast", query: { ...query }, options });
  }

  /** Returns counts, lateness and billed operations, in total and for each shard. */
  async stats(options: CallOptions = {}): Promise<Stats> {
    return this.#body({ method: "GET", path: "/v1/stats", options });
  }

  /** Returns what happened in each minute of the last two hours, or in each hour of the last seven days. */
  async statsSeries(query: StatsSeriesQuery = {}, options: CallOptions = {}): Promise<Series> {
    return this.#body({ method: "GET", path: "/v1/stats/series", query: { ...query }, options });
  }

  async #body<Body>(request: ApiRequest): Promise<Body> {
    return (await this.#requests.send<Body>(request)).body;
  }

  async #one(request: ApiRequest): Promise<VersionedTask> {
    return versioned(await this.#requests.send<Task>(request));
  }

  #change(method: "POST" | "PATCH" | "DELETE", id: string, action: string | undefined, body: unknown, options: ChangeOptions, isSafe = true): Promise<VersionedTask> {
    const headers = conditions(options);
    // Under a condition, a repeat would fail because the first request has succeeded.
    const ifUncertain = isSafe && !isConditional(headers) ? "repeat" : "ask";
    return this.#one({ method, path: pathOf("tasks", id, action), body, headers, ifUncertain, options });
  }

  /** Changes many tasks. Sends the request again until everything is done, except a `run`, which would fire tasks twice. */
  async #many<Reply extends CancelledMany | ChangedMany>(action: string, which: TaskSelection, body: object, options: CallOptions, isSafe = action !== "run"): Promise<Reply & PerhapsUncertain> {
    const answers: ApiAnswer<Reply>[] = [];
    for (const selection of chunks(which)) {
      let answer: ApiAnswer<Reply>;
      do {
        answer = await this.#requests.send<Reply>({ method: "POST", path: `/v1/tasks/${action}`, body: { ...selection, ...body }, ifUncertain: isSafe ? "repeat" : "ask", options });
        answers.push(answer);
      } while (!answer.body.done && isSafe);
    }
    return sumAnswers(answers);
  }

  #list<Body, Item>(path: string, { cursor: from, ...query }: { cursor?: string | undefined }, options: CallOptions, pageOf: (body: Body) => Page<Item>): Pages<Item> {
    return new Pages(async (cursor) => pageOf(await this.#body<Body>({ method: "GET", path, query: { ...(query as ApiRequest["query"]), cursor }, options })), from);
  }
}

/**
 * Returns whether a repeat of a definition means the same task to the scheduler. This is so for a task with an id that does not fire once.
 * A sentence may mean a task that fires once, and another time a moment later.
 */
function keepsWhenRepeated({ id, time, delayInSeconds, schedule }: NewTask): boolean {
  return typeof id === "string" && (time ?? delayInSeconds ?? schedule) === undefined;
}

/** Resolves with undefined if the error says that there is no such task. */
async function unlessGone<Result>(result: Promise<Result>): Promise<Result | undefined> {
  try {
    return await result;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): error is SchedulerError {
  return error instanceof SchedulerError && error.type === "/problems/no-task";
}

/** Returns a query whose outcomes are one parameter, as the API accepts them. */
function withCommas({ outcome, ...query }: RunsQuery): Omit<RunsQuery, "outcome"> & { outcome: string | undefined } {
  return { ...query, outcome: typeof outcome === "object" ? outcome.join() : outcome };
}
