// Made from coordinator/openapi.json by scripts/generate.mjs: do not edit.

/** A time in a request: a `Date`, milliseconds since 1970, or text in RFC 3339. Beside a `timezone`, the text may be a local time such as `2030-12-24T18:00`. */
export type Time = Date | number | string;

/** A page of the runs of all tasks, or of groups of runs with similar errors. */
export interface AllRuns {
  /** The number of attempts that were examined for this page. */
  attempts: number;
  /** The cursor of the next page; null at the end of the history. */
  cursor: string | null;
  /** One entry for all attempts whose errors differ only in numbers and ids. Only with `group`. */
  groups?: ErrorGroup[] | undefined;
  /**
   * If more follow: everything that the pages so far do not show was reported at this time or
   * before, milliseconds since 1970.
   */
  lookedBackTo?: number | undefined;
  /**
   * One entry for each attempt, the newest first by `reportedAt`. A page may have fewer than
   * `limit`, or none, although more follow. Absent with `group`.
   */
  runs?: Run[] | undefined;
}

/** The result of a batch. */
export interface BatchReply {
  /** The number of tasks that were created. */
  accepted: number;
  /** The number of tasks that were refused. */
  rejected: number;
  /** A result for each task, in the order of the request. */
  results: ({
    /** An invalid field of a request: its name, and the problem with the limit or with what to do. */
    error: {
      /** The field, the problem and the limit, for people. */
      detail: string;
      /** The field, as a path: `callback.url`, `tags[3]`; `body` for the whole. */
      field: string;
      /** Whether the same item may be accepted later. Absent if the item itself is invalid. */
      retryable?: boolean | undefined;
    };
    id?: string | undefined;
    /** The number of its line, from 1, if the body has one task on each line. */
    line?: number | undefined;
  } | {
    /**
     * The index of the earlier task in the request that has the same id and that this one
     * replaces. Absent if there is none.
     */
    duplicateOf?: number | undefined;
    id: string;
  })[];
}

/** A calendar. */
export interface Calendar {
  /** When it was created, milliseconds since 1970. */
  createdAt: number;
  /** Dates, dates of every year, and ranges of either. */
  dates?: string[] | undefined;
  /** What it is for. */
  description?: string | undefined;
  /**
   * The tasks of the last update that could not be changed: the first ten. They keep the former
   * items of the calendar. Absent if there are none.
   */
  failures?: FailedUpdate[] | undefined;
  /** Its name, by which tasks use it. */
  name: string;
  /** Whether tasks with former items may be left, because the update is under way. */
  pending: boolean;
  /** Rules of RFC 5545. */
  rules?: string[] | undefined;
  /** After a change of its items: the tasks that use it and cannot have the current items. */
  tasksFailed: number;
  /**
   * After a change of its items: the tasks that use it and have the current items, as far as
   * they have been searched.
   */
  tasksUpdated: number;
  /** Times of day. */
  times?: string[] | undefined;
  /** When it was last changed, milliseconds since 1970. */
  updatedAt: number;
  /** The version of its items. */
  version: string;
  /** Days of the week. */
  weekdays?: string[] | undefined;
}

/** Calendars, in the order of their names. */
export interface CalendarList {
  calendars: ListedCalendar[];
  /**
   * The names of the calendars whose stored form cannot be read. Their tasks keep the items that
   * they have. A `PUT` writes such a calendar again. Absent if there are none.
   */
  unreadable?: string[] | undefined;
}

/** What happens when a task fires. */
export type Callback = WebhookCallback | ServiceRequestCallback | ServiceFunctionCallback | DurableObjectRequestCallback | DurableObjectFunctionCallback | HandlerCallback | QueueCallback;

/** A merge patch: members that are absent stay as they are. */
export interface CallbackPatch {
  /** The name of the binding: one of the deployment's `SERVICE_BINDINGS`. */
  binding?: string | null | undefined;
  /** Sent in place of the task: a text unchanged, any other value as JSON. */
  body?: unknown;
  /** The name of a function that is called by RPC, with the task. */
  function?: string | null | undefined;
  /**
   * Sent in addition to the headers that the dispatcher sets. Headers of the connection, of an
   * edge or of a proxy are refused. `content-type` only with `body`.
   */
  headers?: {
    [key: string]: string | null;
  } | null | undefined;
  /** `GET` and `DELETE` send no body. Default: `"POST"`. */
  method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE" | null | undefined;
  /** The name of the object. */
  name?: string | null | undefined;
  /** Path and query of a request to its `fetch`. */
  path?: string | null | undefined;
  /** The name of the binding. */
  queue?: string | null | undefined;
  /** The most time an attempt may take, including redirects, in seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type?: "webhook" | "service" | "durable-object" | "handler" | "queue" | null | undefined;
  /**
   * http or https, and a public host. It may have a path, a query and a fragment, but no user
   * name or password.
   */
  url?: string | null | undefined;
}

/** The result of a cancel of many tasks. */
export interface CancelledMany {
  /** The number of cancelled tasks. No further attempt of them starts. */
  cancelled: number;
  /** Whether every task was processed. If not, repeat the request. */
  done: boolean;
  /** The number of ids without a task. */
  notFound: number;
  /**
   * How many of `cancelled` have an attempt in flight, which runs to its end. Absent if there
   * are none.
   */
  running?: number | undefined;
}

/** The result of a change of many tasks. */
export interface ChangedMany {
  /**
   * Only for `run`: the number of tasks for which nothing was started, because an attempt is in
   * flight and no further one waits.
   */
  alreadyRunning: number;
  /** The number of changed tasks. */
  changed: number;
  /** Whether every task was processed. If not, repeat the request. */
  done: boolean;
  /**
   * The number of tasks to which the change does not apply. For example, a recurring task has no
   * time, a task may have been cancelled while its last attempt is in flight, or the most runs
   * of a task wait already.
   */
  notApplicable: number;
  /** The number of ids without a task. */
  notFound: number;
  /**
   * How many have an attempt in flight. It runs to its end, and the change applies to later
   * attempts. Absent if there are none.
   */
  running?: number | undefined;
  /** The number of tasks that were in this state already. */
  unchanged: number;
}

/** The circuit of a destination that does not answer. */
export interface Circuit {
  /**
   * A webhook's scheme, host and port; or `service:`, `durable-object:` or `handler:` with a
   * name.
   */
  destination: string;
  /** Attempts in a row without an answer. */
  failures: number;
  /** Since when it is not closed, in milliseconds since 1970; over several shards, the earliest. */
  since: number;
  /**
   * The state. Over several shards, `open` if it is open on one.
   * - `open`: Tasks that are due for the destination wait.
   * - `half-open`: The wait is over. The next run that is due is tried. While it is, the others wait for its
   * outcome.
   */
  state: "open" | "half-open";
  /**
   * When the wait ends, in milliseconds since 1970. The next run that is due then is tried. While
   * one is being tried, no other is tried before this time. Over several shards, the earliest of
   * the circuits in this state.
   */
  until: number;
  /** Runs that wait for it. */
  waiting: number;
}

/** Which dead letters are meant: those that match every given part. At least one part is required; to select every dead letter, send `{"all":true}` alone. */
export interface DeadLetterFilter {
  /** Selects every task. No other part may be given with it. */
  all?: true | null | undefined;
  /** The callback is a webhook to this host. A port is not part of it. */
  callbackHost?: string | null | undefined;
  /**
   * The type of the callback.
   * - `webhook`: A request to a URL.
   * - `service`: A call of another Worker.
   * - `durable-object`: A call of a Durable Object.
   * - `handler`: A function in the Worker itself.
   * - `queue`: A message in one of your queues.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | null | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | null | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; if the task is paused or
   * held, `time`; for a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | null | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It recurs: any of the next three.
   * - `cron`: It recurs by cron expressions.
   * - `every`: It recurs at an interval.
   * - `rrule`: It recurs by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind?: "once" | "recurring" | "cron" | "every" | "rrule" | "no-schedule" | null | undefined;
  /** The id starts with this. */
  prefix?: string | null | undefined;
  /** The tags include this. */
  tag?: string | null | undefined;
  /** The tags include all of these. Not with `tag`. */
  tags?: string[] | null | undefined;
  /** The id or the description contains this. Upper and lower case are equal. */
  text?: string | null | undefined;
  /** The time of the task is before this time. */
  to?: Time | null | undefined;
}

/** A page of the list of dead letters. */
export interface DeadLetterList {
  /**
   * The cursor of the next page. Send it as `cursor` until it is null, which means the end of
   * the list.
   */
  cursor: string | null;
  /**
   * The newest first, by `failedAt`. A page may have fewer than `limit`, or none, although more
   * follow.
   */
  deadLetters: Task[];
  /** How far the shards have searched for a page. A page takes a bounded amount of work. */
  searched: {
    /** The number of tasks, attempts and dead letters that the shards examined for this page. */
    records: number;
    /**
     * If more follow: this page and those before it have covered everything up to this time in the
     * order of the list, milliseconds since 1970. Absent if the rest of the list has no due time.
     */
    until?: number | undefined;
  };
}

/** An API key, a namespace or a limit was deleted. */
export interface Deleted {
  deleted: true;
  /** The id in the path. */
  id: string;
}

/** The dead letter was discarded. */
export interface DeletedDeadLetter {
  deleted: true;
  id: string;
}

/**
 * A task as the body of a webhook: the same on every attempt. `callback`, `onSuccess` and
 * `onFailure` have no `headers`.
 */
export interface DeliveredTask {
  /** The time from which the runs of the interval are computed, milliseconds since 1970. No run is earlier. */
  anchor?: number | undefined;
  /** What happens when it fires. */
  callback: Callback;
  /** When the task was created, milliseconds since 1970. Absent if an earlier release created it. */
  createdAt?: number | undefined;
  /** A cron expression, or a list of them. */
  cron?: string | string[] | undefined;
  /** What the task is, in the user's words. */
  description?: string | undefined;
  /** It does not recur after this time, milliseconds since 1970. */
  endAt?: number | undefined;
  /** The interval at which it fires, in seconds. */
  everySeconds?: number | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | undefined;
  /** The last run, if runs are counted, milliseconds since 1970. */
  finalRun?: number | undefined;
  /** The first run, if runs are counted, milliseconds since 1970. */
  firstRun?: number | undefined;
  /** The task's id. */
  id: string;
  /** The most by which each run is delayed at random, in seconds. */
  jitterSeconds?: number | undefined;
  /** The key of the limit that bounds its runs. */
  limitKey?: string | undefined;
  /** The times that were given as local ones: `timezone` is their zone. */
  local?: LocalTimes | undefined;
  /** The most runs. */
  maxRuns?: number | undefined;
  /** What happens to missed runs. */
  misfire?: Misfire | undefined;
  /** What happens when a run has failed for good. */
  onFailure?: Callback | undefined;
  /** What happens when a run has succeeded. */
  onSuccess?: Callback | undefined;
  /** How the run ended, if it is a follow-up. */
  outcome?: Run | undefined;
  /**
   * What happens to a run that comes due before the previous one has ended.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire.
   */
  overlap?: "allow" | "skip" | "queue-one" | undefined;
  /** The user's data. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. */
  priority?: number | undefined;
  /** When it is tried again after a failure. */
  retry?: Retry | undefined;
  /** The rule of RFC 5545 by which it fires, beginning at `startAt`. */
  rrule?: string | undefined;
  /** `onSuccess` or `onFailure`, if it is a follow-up. Its `callback` is the target that this field named. */
  stage?: string | undefined;
  /** It does not recur before this time, milliseconds since 1970. */
  startAt?: number | undefined;
  /** Labels to find it by. */
  tags?: string[] | undefined;
  /** The requested due time, milliseconds since 1970. */
  time?: number | undefined;
  /** The IANA time zone that `cron` and `rrule` are read in; absent: UTC. */
  timezone?: string | undefined;
  /** The most by which each run may be later, so that several fire together, in seconds. */
  windowSeconds?: number | undefined;
}

/** The result of a discard of many dead letters. */
export interface DiscardedMany {
  /** The number of discarded dead letters. */
  discarded: number;
  /** Whether every dead letter was processed. If not, repeat the request. */
  done: boolean;
  /** The ids of the request without a dead letter. Absent if the request names no ids. */
  notFound?: string[] | undefined;
}

/** What a request for many tasks would do. It has changed nothing. */
export interface DryRun {
  /** How many tasks, attempts or dead letters it would change, as far as they were counted. */
  count: number;
  /**
   * Whether all were counted. A count takes a bounded number of steps, so if this is false, there
   * may be more. The shards remember which one-shot tasks match, so a repeated request usually
   * counts further.
   */
  done: boolean;
  dryRun: true;
  /** How many of these are attempts in flight. Absent if there are none. */
  running?: number | undefined;
  /** The first of them, in the order of a list. */
  tasks: Task[];
}

/** A call of a Durable Object through a namespace's binding. */
export interface DurableObjectFunctionCallback {
  /** The name of the binding: one of the deployment's `DURABLE_OBJECT_BINDINGS`. */
  binding: string;
  /**
   * Sent, or given to the function, in place of the task: a text unchanged, any other value as
   * JSON.
   */
  body?: unknown;
  /** The name of a function that is called by RPC, with the task. */
  function: string;
  headers?: null | undefined;
  method?: null | undefined;
  /** The name of the object. */
  name: string;
  path?: null | undefined;
  /** The most time an attempt may take, in seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "durable-object";
}

/** A call of a Durable Object through a namespace's binding. */
export interface DurableObjectRequestCallback {
  /** The name of the binding: one of the deployment's `DURABLE_OBJECT_BINDINGS`. */
  binding: string;
  /**
   * Sent, or given to the function, in place of the task: a text unchanged, any other value as
   * JSON.
   */
  body?: unknown;
  function?: null | undefined;
  /**
   * For a request: sent in addition to the headers that the dispatcher sets. `content-type` only
   * with `body`.
   */
  headers?: {
    [key: string]: string;
  } | null | undefined;
  /** For a request. `GET` and `DELETE` send no body. Default: `"POST"`. */
  method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE" | null | undefined;
  /** The name of the object. */
  name: string;
  /** Path and query of a request to its `fetch`. */
  path: string;
  /** The most time an attempt may take, in seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "durable-object";
}

/** A message in a queue of your own: tasks that fired together. It is JSON text. */
export interface Envelope {
  /** When the shard fired the tasks, milliseconds since 1970. */
  firedAt: number;
  /** The number of the message in its shard. A message that is sent again has the same number. */
  seq: number;
  /** The shard that sent the message: epoch and index. */
  shard: string;
  /** The tasks, in the order in which they fired. */
  tasks: QueuedTask[];
  /** The version of this format. Refuse a message of another version. */
  v: 1;
}

/** Attempts with similar errors. */
export interface ErrorGroup {
  /** The number of these attempts on this page. Older pages may have more of them. */
  count: number;
  /** Their error, with `<n>` in place of each number and `<id>` in place of each id. */
  error: string;
  /** The last of them. */
  example: Run;
  /** When the first of them was reported, milliseconds since 1970. */
  firstAt: number;
  /** When the last of them was reported, milliseconds since 1970. */
  lastAt: number;
}

/** What an event's `data` holds. */
export interface Event {
  /** When it happened, milliseconds since 1970. */
  at: number;
  /** The number of the attempt, from 1. Gaps and events of circuits have none. */
  attempt?: number | undefined;
  /** The destination, in events of circuits. */
  destination?: string | undefined;
  /** What went wrong, or why a circuit has changed. */
  error?: string | undefined;
  /** The task's id. Gaps and events of circuits have none. */
  id?: string | undefined;
  /** The event's own name. An event that is repeated after a reader was cut off has the same one. */
  key: string;
  /** `onSuccess` or `onFailure`, if the event is about a follow-up. */
  stage?: string | undefined;
  /** The task's tags. */
  tags?: string[] | undefined;
  /** The requested time, milliseconds since 1970. Events of a recurring task itself have none. */
  time?: number | undefined;
  /** What happened, the same as the event's name. */
  type: string;
}

/** The days and the times of day at which a recurring task does not fire, on the clock of its `timezone`. At least one of `dates`, `weekdays`, `times`, `rules` and `calendars`. */
export interface Exclude {
  /** Names of calendars, whose items are added. */
  calendars?: string[] | null | undefined;
  /**
   * Dates (`2026-12-24`), dates of every year (`12-24`), and ranges of either with both ends
   * included (`2026-12-24/2027-01-02`, `12-24/01-02`).
   */
  dates?: string[] | null | undefined;
  /**
   * What becomes of a run on a day that is left out. `skip`: it does not fire. `next` and
   * `previous`: it moves to the next or previous day that is not left out, at the same local
   * time, within 92 days. Only `skip` below a day or over 24 runs a day. Default: `"skip"`.
   */
  instead?: "skip" | "next" | "previous" | null | undefined;
  /** Rules of RFC 5545 for whole days, from the day of `startAt`. */
  rules?: string[] | null | undefined;
  /**
   * Times of day, as `12:00-13:00`. The end is not a part of it. `22:00-06:00` goes past
   * midnight, and `24:00` is the end of the day. A run at such a time never fires.
   */
  times?: string[] | null | undefined;
  /** Days of the week, as `MON` to `SUN`. */
  weekdays?: string[] | null | undefined;
}

/** A run of the rule that `exclude` leaves out or moves. */
export interface ExcludedRun {
  /** The calendars that leave it out. Absent if it is left out by the schedule's own items only. */
  calendars?: string[] | undefined;
  /** The same in the time zone of the schedule, RFC 3339. */
  local: string;
  /** Its time by the rule, milliseconds since 1970. */
  time: number;
}

/** Why a task has the status that it has. */
export interface Explanation {
  /** When the task was created, milliseconds since 1970, as the task says. */
  createdAt?: number | undefined;
  /** The name of the API key that created it, as the task says. */
  createdBy?: string | undefined;
  /** Some of the attempts that were dispatched and not reported, newest first. */
  inFlight: Flight[];
  /**
   * The last attempt of a run that was dispatched and has ended: neither a follow-up nor a run
   * that was skipped, expired or cancelled.
   */
  lastRun?: Run | undefined;
  /** When it fires next, if that is known. */
  nextRun?: NextRun | undefined;
  /** Why it was paused. */
  pauseNote?: string | undefined;
  /** When the task was paused, milliseconds since 1970. */
  pausedAt?: number | undefined;
  /** The name of the API key that paused it. */
  pausedBy?: string | undefined;
  /** The reasons, the most important first. */
  reasons: Reason[];
  /** The last attempts, newest first: some of those that `/runs` lists. */
  recentRuns: Run[];
  /**
   * The schedule of the task as a sentence in English, which `/v1/parse` reads as the same
   * schedule. Absent if the task has no schedule, or nothing of it waits.
   */
  sentence?: string | undefined;
  /**
   * What it waits for. Absent if nothing of it waits or is in flight.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it is dispatched, and its outcome is not reported yet.
   * - `paused`: It is paused, and waits until it is resumed.
   * - `dead-lettered`: It failed for good. It is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule and waits for nothing.
   */
  status?: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | undefined;
  /** When its definition was last changed, milliseconds since 1970, as the task says. */
  updatedAt?: number | undefined;
}

/** A task that could not be changed. It keeps the former items of the calendar. */
export interface FailedUpdate {
  /** The field, the problem and the limit, for people. */
  detail: string;
  /** The task's id. */
  id: string;
}

/** Which tasks are meant: those that match every given part. At least one part is required; to select every task, send `{"all":true}` alone. */
export interface Filter {
  /** Selects every task. No other part may be given with it. */
  all?: true | null | undefined;
  /** The callback is a webhook to this host. A port is not part of it. */
  callbackHost?: string | null | undefined;
  /**
   * The type of the callback.
   * - `webhook`: A request to a URL.
   * - `service`: A call of another Worker.
   * - `durable-object`: A call of a Durable Object.
   * - `handler`: A function in the Worker itself.
   * - `queue`: A message in one of your queues.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | null | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | null | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; if the task is paused or
   * held, `time`; for a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | null | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It recurs: any of the next three.
   * - `cron`: It recurs by cron expressions.
   * - `every`: It recurs at an interval.
   * - `rrule`: It recurs by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind?: "once" | "recurring" | "cron" | "every" | "rrule" | "no-schedule" | null | undefined;
  /**
   * How the last attempt ended, as far as the task keeps it.
   * - `none`: No attempt is known: it is the first one, or the task recurs or has no schedule.
   * - `failed`: It failed, and a further attempt waits, is paused or is in flight.
   * - `dead-lettered`: It failed for good: a dead letter.
   * - `succeeded`: The run succeeded, and its follow-up waits, is paused or is in flight.
   * - `expired`: The run expired, and its follow-up waits, is paused or is in flight.
   */
  lastOutcome?: "none" | "failed" | "dead-lettered" | "succeeded" | "expired" | null | undefined;
  /** Whether it is paused, or will be when its attempt in flight has ended. */
  paused?: boolean | null | undefined;
  /** The id starts with this. */
  prefix?: string | null | undefined;
  /**
   * The status.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it is dispatched, and its outcome is not reported yet.
   * - `paused`: It is paused, and waits until it is resumed.
   * - `dead-lettered`: It failed for good. It is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule and waits for nothing.
   */
  status?: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | null | undefined;
  /** The tags include this. */
  tag?: string | null | undefined;
  /** The tags include all of these. Not with `tag`. */
  tags?: readonly string[] | null | undefined;
  /** The id or the description contains this. Upper and lower case are equal. */
  text?: string | null | undefined;
  /** The time of the task is before this time. */
  to?: Time | null | undefined;
}

/** An attempt that is dispatched and not reported. Times are milliseconds since 1970. */
export interface Flight {
  /** The number of the attempt, from 1. */
  attempt: number;
  /**
   * What was decided about its run after the dispatch. This attempt runs to its end in any case.
   * - `cancelled`: It was cancelled, or another task has replaced it.
   * - `paused`: It was paused: further attempts wait until it is resumed.
   */
  decided?: "cancelled" | "paused" | undefined;
  /** When it was dispatched. */
  firedAt: number;
  /** How often its envelope was sent again. */
  sentAgain: number;
  /** When its envelope is sent again if no report arrives. */
  sentAgainAt: number;
  /** The nominal time of the run. */
  time: number;
}

/** The number of runs that come due in each part of a coming period. */
export interface Forecast {
  /** The length of a bucket, in milliseconds. The last one may be shorter. */
  bucketMillis: number;
  /** The buckets, in order and without a gap. */
  buckets: ForecastBucket[];
  /**
   * Every run that is due before this time is counted, milliseconds since 1970. It is `to`, or
   * the beginning of a bucket if the shards stopped at the bound of their work. Then the counts
   * of this bucket and of later ones are too low.
   */
  countedUntil: number;
  /** The beginning of the first bucket, milliseconds since 1970. */
  from: number;
  /**
   * How many shards could not answer, because they still run an earlier version. Their runs are
   * missing in every bucket, and `countedUntil` is `from`. Absent if there are none.
   */
  missingShards?: number | undefined;
  /**
   * The end of the last bucket, milliseconds since 1970. Runs that are due at this time are not
   * counted.
   */
  to: number;
}

/** The number of runs that come due in a part of the period. */
export interface ForecastBucket {
  /** When it begins, milliseconds since 1970. */
  at: number;
  /** One-shot tasks, further attempts, and runs that wait for a limit or a destination. */
  oneShot: number;
  /** Runs of recurring tasks. */
  recurring: number;
}

/** A Rust function that was registered under this name when the Worker was built. */
export interface HandlerCallback {
  /** The registered name. */
  name: string;
  type: "handler";
}

/** The Worker runs. */
export interface Health {
  status: "ok";
  /** The release of IANA's time zone database in the Worker, such as `2026f`. */
  timeZones: string;
}

/** A key, without its secret. */
export interface Key {
  /** When it was made. */
  createdAt: number;
  /**
   * When the key expires: milliseconds since 1970, or RFC 3339 if a request would refuse the
   * number, because it reads as a date. Absent if it never expires.
   */
  expiresAt?: number | string | undefined;
  /** Its name in this API; also the middle part of the key itself. */
  id: string;
  /** When the key was last used, up to an hour behind. Absent if it was never used. */
  lastUsedAt?: number | undefined;
  /** What it is for. */
  name: string;
  /** Where; `["*"]` for every namespace. */
  namespaces: string[];
  /** What it may do. */
  scopes: ("read" | "write" | "admin")[];
}

/** Keys, in order of their ids. */
export interface KeyList {
  keys: Key[];
}

/**
 * Percentiles in milliseconds. They are estimated from buckets that end at most half above their
 * beginning.
 */
export interface Lateness {
  /** Half of the runs were not later than this. */
  p50: number;
  /** 99 of 100 runs were not later than this. */
  p99: number;
}

/** A limit on the runs of the tasks that name its key; at least one of the two. */
export type Limit = {
  /** The most runs in flight at a time: dispatched and not reported. */
  concurrency: number;
  /**
   * The most runs that are dispatched per second. In any `t` seconds, these are at most
   * `perSecond * (t + 1) + 1`.
   */
  perSecond?: number | null | undefined;
} | {
  /** The most runs in flight at a time: dispatched and not reported. */
  concurrency?: number | null | undefined;
  /**
   * The most runs that are dispatched per second. In any `t` seconds, these are at most
   * `perSecond * (t + 1) + 1`.
   */
  perSecond: number;
};

/** Limits, by key. */
export interface LimitList {
  limits: ShownLimit[];
}

/** A calendar in a list, without its items. */
export interface ListedCalendar {
  /** When it was created, milliseconds since 1970. */
  createdAt: number;
  /** What it is for. */
  description?: string | undefined;
  /** Its name, by which tasks use it. */
  name: string;
  /** Whether tasks with former items may be left, because the update is under way. */
  pending: boolean;
  /** After a change of its items: the tasks that use it and cannot have the current items. */
  tasksFailed: number;
  /**
   * After a change of its items: the tasks that use it and have the current items, as far as
   * they have been searched.
   */
  tasksUpdated: number;
  /** When it was last changed, milliseconds since 1970. */
  updatedAt: number;
  /** The version of its items. */
  version: string;
}

/** The times that were given as local times. `timezone` is their zone. */
export interface LocalTimes {
  /** The anchor of the interval. */
  anchor?: string | null | undefined;
  /** It does not recur after this time. */
  endAt?: string | null | undefined;
  /** It does not recur before this time. */
  startAt?: string | null | undefined;
  /** When it fires. */
  time?: string | null | undefined;
}

/** A new key. */
export interface MadeKey {
  /** When it was made. */
  createdAt: number;
  /**
   * When the key expires: milliseconds since 1970, or RFC 3339 if a request would refuse the
   * number, because it reads as a date. Absent if it never expires.
   */
  expiresAt?: number | string | undefined;
  /** Its name in this API; also the middle part of the key itself. */
  id: string;
  /**
   * The key itself, to be sent as a bearer token. It is shown only once, and only its hash is
   * kept.
   */
  key: string;
  /** When the key was last used, up to an hour behind. Absent if it was never used. */
  lastUsedAt?: number | undefined;
  /** What it is for. */
  name: string;
  /** Where; `["*"]` for every namespace. */
  namespaces: string[];
  /** What it may do. */
  scopes: ("read" | "write" | "admin")[];
}

/** The dead letters of a request: by id, by filter, or all. */
export type ManyLetters = {
  ids: readonly string[];
} | {
  /**
   * Changes nothing. The answer says how many dead letters the request would affect, and
   * shows the first of them.
   */
  dryRun?: boolean | null | undefined;
  filter: DeadLetterFilter;
} | {
  all: true;
  /**
   * Changes nothing. The answer says how many dead letters there are, and shows the first of
   * them.
   */
  dryRun?: boolean | null | undefined;
};

/** The answer to a request of the Model Context Protocol. */
export type McpAnswer = {
  /** The id of the request. */
  id: string | number;
  jsonrpc: "2.0";
  result: {
    [key: string]: unknown;
  };
} | McpError;

/** The refusal of a message of the Model Context Protocol. */
export interface McpError {
  /** Why a message was refused. */
  error: {
    /** The code, as JSON-RPC or the protocol defines it. */
    code: number;
    /** Details for programs, such as the supported revisions. */
    data?: {
      [key: string]: unknown;
    } | undefined;
    message: string;
  };
  /** The id of the request. Absent if it could not be read. */
  id?: string | number | undefined;
  jsonrpc: "2.0";
}

/** A message of JSON-RPC 2.0, as a client of the Model Context Protocol posts it. */
export interface McpMessage {
  /**
   * Names the request, and the answer repeats it: at most 1,024 bytes of JSON. A notification
   * has none.
   */
  id?: string | number | null | undefined;
  /** The version of JSON-RPC. */
  jsonrpc: "2.0";
  /** What is asked for, such as `tools/list` or `tools/call`. */
  method: string;
  /** The parameters of the method. Their member `_meta` is about the request itself. */
  params?: {
    [key: string]: unknown;
  } | null | undefined;
}

/** What the platform bills. */
export interface Meter {
  /** Alarms set. */
  alarmsSet: number;
  /**
   * The least number of firings that windows have saved. Each would have cost some rows, and
   * often an alarm.
   */
  firingsSaved: number;
  /** Queue operations. */
  queueOperations: number;
  /** Rows read. */
  rowsRead: number;
  /** Rows written, including one for each alarm. */
  rowsWritten: number;
  /** Requests to shards, including alarms that went off. */
  shardRequests: number;
}

/** What happens to a missed run. A run is missed if it would fire later than it may, after an outage, a pause or a restore. */
export interface Misfire {
  /** How late a run may fire without counting as missed, in seconds. Default: `60.0`. */
  graceSeconds?: number | null | undefined;
  /**
   * `fire`: missed runs fire; of a recurring task, at most the last 100. `fire-once`: of a
   * recurring task, only the last missed run fires. `skip`: missed runs do not fire.
   * `dead-letter`: they do not fire, and are kept as dead letters.
   * - `fire`: The run fires, however late. All missed runs of a recurring task fire, at most the last 100.
   * - `fire-once`: The run fires. Of a recurring task, only the last missed run fires.
   * - `skip`: It does not fire.
   * - `dead-letter`: It does not fire, and is kept as a dead letter.
   */
  policy: "fire" | "fire-once" | "skip" | "dead-letter";
}

/** A merge patch: members that are absent stay as they are. */
export interface MisfirePatch {
  /** How late a run may fire without counting as missed, in seconds. Default: `60.0`. */
  graceSeconds?: number | null | undefined;
  /**
   * `fire`: missed runs fire; of a recurring task, at most the last 100. `fire-once`: of a
   * recurring task, only the last missed run fires. `skip`: missed runs do not fire.
   * `dead-letter`: they do not fire, and are kept as dead letters.
   * - `fire`: The run fires, however late. All missed runs of a recurring task fire, at most the last 100.
   * - `fire-once`: The run fires. Of a recurring task, only the last missed run fires.
   * - `skip`: It does not fire.
   * - `dead-letter`: It does not fire, and is kept as a dead letter.
   */
  policy?: "fire" | "fire-once" | "skip" | "dead-letter" | null | undefined;
}

/** A namespace, which has its own ids, lists and counts. */
export interface Namespace {
  /** When it was created. Absent for `default`, which always exists. */
  createdAt?: number | undefined;
  name: string;
  quota: Quota;
}

/** Namespaces: `default`, then the others in order of their names. */
export interface NamespaceList {
  namespaces: Namespace[];
}

/** Days and times of day that tasks leave out by the name of the calendar, each read on the clock of the task's `timezone`. At least one of `dates`, `weekdays`, `times` and `rules`. What only answers show is ignored. */
export interface NewCalendar {
  /** As `dates` of `exclude`. */
  dates?: readonly string[] | null | undefined;
  /** What the calendar is for, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /**
   * As `rules` of `exclude`. A rule names its days itself, and has no `INTERVAL`, because a
   * calendar has no `startAt`.
   */
  rules?: readonly string[] | null | undefined;
  /** As `times` of `exclude`. */
  times?: readonly string[] | null | undefined;
  /** As `weekdays` of `exclude`. */
  weekdays?: readonly string[] | null | undefined;
}

/** A task that recurs by cron expressions. */
export interface NewCronTask {
  anchor?: null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: Callback | null | undefined;
  /** Recurs by a cron expression, or by several. */
  cron: string | readonly string[];
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
   * no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
   * limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type?: "cron" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task that recurs at an interval. */
export interface NewIntervalTask {
  /**
   * The time from which the runs of the interval are computed. No run is earlier. If absent,
   * `startAt`, or one interval from now.
   */
  anchor?: Time | null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  /** Recurs at this interval without drift, in seconds, rounded to milliseconds. */
  everySeconds: number;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
   * no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
   * limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type?: "every" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A key to create. */
export interface NewKey {
  /** When the key expires. Without it, the key never expires; null is refused. */
  expiresAt?: Time | undefined;
  /** What it is for, in the caller's words. The limit is in bytes of UTF-8. */
  name: string;
  /** Where: names, or `["*"]` for every namespace. Those named need not exist yet. */
  namespaces: readonly string[];
  /** What it may do. */
  scopes: readonly ("read" | "write" | "admin")[];
}

/** The settings of a namespace. Without a body, it has no quota. */
export interface NewNamespace {
  /** Replaces the former quota. */
  quota?: Quota | null | undefined;
}

/** A task that recurs by a rule of RFC 5545. */
export interface NewRuleTask {
  anchor?: null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
   * no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
   * limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  /** Recurs by this rule of RFC 5545, which begins at `startAt`. */
  rrule: string;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt: Time;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type?: "rrule" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task to create: what to run, and exactly one of `time`, `delayInSeconds`, `cron`, `everySeconds`, `rrule`, `schedule` and `"type":"no-schedule"`. Members that are marked as read-only are ignored: an answer shows them, and the scheduler sets them. */
export type NewTask = NewTaskAtTime | NewTaskAfterDelay | NewCronTask | NewIntervalTask | NewRuleTask | NewTaskInWords | NewUnscheduledTask;

/** A task that fires once, after a delay. */
export interface NewTaskAfterDelay {
  anchor?: null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  /** The delay after which it fires once, in seconds from now. */
  delayInSeconds: number;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  exclude?: null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
   * no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
   * limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: Callback | null | undefined;
  overlap?: null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type?: "delayed" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task that fires once, at a time. */
export interface NewTaskAtTime {
  anchor?: null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  exclude?: null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
   * no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
   * limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: Callback | null | undefined;
  overlap?: null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  /** The time at which it fires once. If it has passed, the task fires at once. */
  time: Time;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type?: "scheduled" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task whose schedule is a sentence in English or German. */
export interface NewTaskInWords {
  anchor?: null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
   * no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
   * limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  /**
   * When it fires, in English or German, such as `every monday at 10:00`. It replaces the fields
   * that say when. The task gets the fields that the sentence means, and keeps the sentence in
   * `words`. Local times are in `timezone`, unless the sentence names a zone. The limit is in
   * bytes of UTF-8.
   */
  schedule: string;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type?: "words" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  words?: null | undefined;
}

/** A task that does not fire by itself. */
export interface NewUnscheduledTask {
  anchor?: null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  exclude?: null | undefined;
  expireAfterSeconds?: null | undefined;
  /**
   * The task's id; generated if absent. If a task has this id, the new one overwrites it. It has
   * no control characters, is neither `.` nor `..`, and does not start with `handler:`. The
   * limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  jitterSeconds?: null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  misfire?: null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: Callback | null | undefined;
  overlap?: null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type: "no-schedule";
  windowSeconds?: null | undefined;
  words?: null | undefined;
}

/** When a task fires next. Milliseconds since 1970. */
export interface NextRun {
  /** When it fires. */
  due: number;
  /** Its nominal time, which identifies the run. */
  time: number;
}

/** What the key of the request may do. */
export interface OwnKey {
  /** What it is for. Absent for a key of the secret `API_KEYS`, which has no name. */
  name?: string | undefined;
  /** Where; `["*"]` for every namespace. */
  namespaces: string[];
  /** What it may do. */
  scopes: ("read" | "write" | "admin")[];
}

/** A sentence that says when, and perhaps what. */
export interface ParseInput {
  /** The time at which the sentence is said. If absent, now. */
  from?: Time | null | undefined;
  /** The language of the sentence: `en` or `de`. If absent, the words decide. */
  language?: "en" | "de" | null | undefined;
  /**
   * Whether the deployment's language model may rewrite the sentence if it is refused. What the
   * model writes is read like any sentence, and is only a proposal. The sentence is sent to the
   * model. If absent, false.
   */
  model?: boolean | null | undefined;
  /** The sentence: up to 500 characters outside of double quotes. */
  text: string;
  /**
   * The IANA time zone of the caller. Local times are read in it unless the sentence names
   * another. If absent, UTC.
   */
  timezone?: string | null | undefined;
}

/** A detail that a sentence leaves open. */
export interface ParsedAssumption {
  /** The percent by which it lowers the confidence. */
  cost: number;
  /** The assumption, as a sentence. */
  text: string;
}

/** What a language model makes of a sentence that is refused. */
export interface ParsedByModel {
  /** Why there is no proposal. Only if there is none. */
  detail?: string | undefined;
  /**
   * `available`: the request did not ask it. `proposal`: it has written another sentence, which
   * is understood. Ask the user whether it is meant. `none`: it has written none. `failed`: it
   * did not answer.
   */
  outcome: "available" | "proposal" | "none" | "failed";
  /** The meaning of that sentence. Only of a proposal. */
  reading?: ParsedReading | undefined;
  /** The sentence that it has written. Only of a proposal. */
  text?: string | undefined;
}

/** One reading of an ambiguous sentence. */
export interface ParsedChoice {
  /** The ambiguous words, each with its meaning in this reading. */
  differs: ParsedDifference[];
  /** The whole reading. */
  reading: ParsedReading;
}

/** The meaning of some words in one reading. */
export interface ParsedDifference {
  /** Their meaning in this reading. */
  means: string;
  /** The ambiguous words. */
  part: ParsedPart;
}

/** A part of a sentence. */
export interface ParsedPart {
  /** The position after its last character. */
  end: number;
  /**
   * What it says: `cycle`, `days`, `months`, `day`, `time`, `window`, `delay`, `start`, `end`,
   * `period`, `runs`, `exception`, `zone`, `callerZone`, `cron`, `rrule` or `instant`.
   * `callerZone` is `my time` and the like, which names no zone. Absent if it does not say
   * when.
   */
  says?: string | undefined;
  /** The position of its first character, in units of UTF-16, as JavaScript counts. */
  start: number;
  /** Its text. */
  text: string;
}

/** One reading of a sentence. */
export interface ParsedReading {
  /** What the sentence leaves open, and how it was read. */
  assumptions: ParsedAssumption[];
  /** 10 to 100 percent: 100 minus the costs of the assumptions and of the ignored words. */
  confidence: number;
  /**
   * What the task is: the words that do not say when, without `remind me to` and the like.
   * Absent if there are none.
   */
  description?: string | undefined;
  /** The other parts, in order. */
  ignored: ParsedPart[];
  /** Whether there are more runs. */
  more: boolean;
  /** The next runs, up to three. */
  runs: ParsedRun[];
  /**
   * The fields of a task that say when. You can send them unchanged. They are exact: a delay
   * such as `in 20 minutes` has become a time.
   */
  schedule: ParsedSchedule;
  /**
   * The schedule as one sentence in the language of the request. It is read as the same
   * schedule.
   */
  sentence: string;
  /** The parts that say when, in order. */
  used: ParsedPart[];
}

/** Why a sentence is refused. */
export interface ParsedRefusal {
  /** The reason as a sentence, often with what to write instead. */
  message: string;
  /** Similar sentences that are understood. */
  near: string[];
  /** What was not understood. */
  part: ParsedPart;
  /**
   * The kind of reason. `tooLong`: the sentence exceeds a limit. `nothingFound`: no part says
   * when. `notUnderstood`: a part seems to say when but is not understood. `impossible`: a date,
   * a time or a number does not exist. `past`: the time has passed. `missing`: something without
   * a default is missing. `conflict`: two parts contradict each other. `unsupported`: no
   * schedule matches it exactly. `tooAmbiguous`: it has more than eight readings.
   */
  reason: "tooLong" | "nothingFound" | "notUnderstood" | "impossible" | "past" | "missing" | "conflict" | "unsupported" | "tooAmbiguous";
}

/** A run of a schedule, in two time zones. */
export interface ParsedRun {
  /** Its time in the caller's time zone, RFC 3339. */
  callerLocal: string;
  /** What a change of the clock does to it. Absent on most runs. */
  clockChange?: "gap-moved" | "gap-shifted" | "gap-absent" | "first-of-two" | "first-pass" | "second-pass" | undefined;
  /** When it fires, milliseconds since 1970: the nominal time plus jitter and window. */
  due: number;
  /** The change of the clock, explained in words. */
  explanation?: string | undefined;
  /** The nominal time in the time zone of the schedule, RFC 3339. */
  local: string;
  /**
   * The time, milliseconds since 1970, from which `exclude` has moved it. Absent if it has not
   * moved.
   */
  movedFrom?: number | undefined;
  /** Its nominal time, milliseconds since 1970. It identifies the run. */
  time: number;
}

/**
 * The fields of a task that say when. It has exactly one of `time`, `cron`, `everySeconds` and
 * `rrule`.
 */
export interface ParsedSchedule {
  /**
   * The time from which the runs of the interval are computed: RFC 3339, or a local time in
   * `timezone`.
   */
  anchor?: string | undefined;
  /** A cron expression, or a list of them. */
  cron?: string | string[] | undefined;
  /** No run is after this time. */
  endAt?: string | undefined;
  /** The interval at which it fires, in seconds. */
  everySeconds?: number | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | undefined;
  /** The number of runs after which it ends. */
  maxRuns?: number | undefined;
  /** A rule of RFC 5545, which begins at `startAt`. */
  rrule?: string | undefined;
  /** No run is before this time. */
  startAt?: string | undefined;
  /** The time of a task that fires once: RFC 3339, or a local time in `timezone`. */
  time?: string | undefined;
  /** The IANA time zone of `cron`, `rrule` and local times. */
  timezone?: string | undefined;
}

/** The meaning of a sentence, or why it has none. */
export interface ParsedSentence {
  /** Its readings, the more likely ones first: 2 to 8. Only if it is ambiguous. */
  choices?: ParsedChoice[] | undefined;
  /** The language in which it was read. */
  language: "en" | "de";
  /**
   * What the language model of the deployment makes of it. Only if it is refused, and the
   * deployment has a model.
   */
  model?: ParsedByModel | undefined;
  /**
   * `understood`: it gives one schedule. `ambiguous`: it has several readings, and the caller
   * must choose. `refused`: it gives no schedule, or one that the scheduler does not have.
   */
  outcome: "understood" | "ambiguous" | "refused";
  /** Questions for the user, one sentence for each ambiguity. Only if it is ambiguous. */
  questions?: string[] | undefined;
  /** Its meaning. Only if it is understood. */
  reading?: ParsedReading | undefined;
  /** Why it is refused. Only if it is. */
  refusal?: ParsedRefusal | undefined;
  /** The zone of the caller, in which it was read. */
  timezone: string;
}

/** Why a task is paused. */
export interface Pause {
  /**
   * Why they are paused; for a pause only. If a paused task is paused again with a note, the new
   * note replaces the former one.
   */
  note?: string | null | undefined;
}

/** Which tasks, by id, by a filter, or all, and why. */
export type PauseMany = {
  all?: null | undefined;
  dryRun?: null | undefined;
  filter?: null | undefined;
  /** The ids of the tasks; a repeated id counts once. Absent if the path names the task. */
  ids: string[];
  /**
   * Why they are paused; for a pause only. If a paused task is paused again with a note, the new
   * note replaces the former one.
   */
  note?: string | null | undefined;
} | {
  all?: null | undefined;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** Selects the tasks that match every part of the filter. Absent if the path names the task. */
  filter: Filter;
  ids?: null | undefined;
  /**
   * Why they are paused; for a pause only. If a paused task is paused again with a note, the new
   * note replaces the former one.
   */
  note?: string | null | undefined;
} | {
  /** Selects every task, in place of `ids` and `filter`. Absent if the path names the task. */
  all: true;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
  /**
   * Why they are paused; for a pause only. If a paused task is paused again with a note, the new
   * note replaces the former one.
   */
  note?: string | null | undefined;
};

/** Percentiles in milliseconds. */
export interface Percentiles {
  count: number;
  max: number;
  p50: number;
  p90: number;
  p99: number;
}

/** The next runs of a schedule. */
export interface Preview {
  /**
   * The runs that `exclude` leaves out or moves, before the last run shown: the first of them,
   * up to the number of runs to show. Absent if there are none.
   */
  excluded?: ExcludedRun[] | undefined;
  /** Whether there are more runs. */
  more: boolean;
  /** The runs, in order. */
  runs: PreviewRun[];
  /**
   * The schedule as a sentence in English, which `/v1/parse` reads as the same schedule. Absent
   * if its runs take long to compute.
   */
  sentence?: string | undefined;
  /** The zone of the local times: that of the schedule. */
  timezone: string;
}

/** A schedule to preview: the fields of a task that say when, and the number of runs to show. The other members of a task are accepted and ignored. Members that are marked as read-only are ignored: an answer shows them, and the scheduler sets them. */
export type PreviewRequest = {
  anchor?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  callback?: unknown;
  /** The number of runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  description?: unknown;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  exclude?: null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** The time at which the task would be created. If absent, now. */
  from?: Time | null | undefined;
  /** The task's id, which determines its jitter. */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  onSuccess?: unknown;
  overlap?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  paused?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  payload?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  priority?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  tags?: unknown;
  /** When it fires, once. One that is past fires at once. */
  time: Time;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "scheduled" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  callback?: unknown;
  /** The number of runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  /** How long from then it fires, once, seconds. */
  delayInSeconds: number;
  /** Ignored: a member of a task that does not affect its schedule. */
  description?: unknown;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  exclude?: null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** The time at which the task would be created. If absent, now. */
  from?: Time | null | undefined;
  /** The task's id, which determines its jitter. */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  onSuccess?: unknown;
  overlap?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  paused?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  payload?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  priority?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "delayed" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  callback?: unknown;
  /** The number of runs to show. Default: `10`. */
  count?: number | null | undefined;
  /** Recurs by a cron expression, or by several. */
  cron: string | readonly string[];
  delayInSeconds?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** The time at which the task would be created. If absent, now. */
  from?: Time | null | undefined;
  /** The task's id, which determines its jitter. */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  onSuccess?: unknown;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  paused?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  payload?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  priority?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "cron" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  /**
   * The time from which the runs of the interval are computed. No run is earlier. If absent,
   * `startAt`, or one interval from now.
   */
  anchor?: Time | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  callback?: unknown;
  /** The number of runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  /** Recurs at this interval without drift, in seconds, rounded to milliseconds. */
  everySeconds: number;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** The time at which the task would be created. If absent, now. */
  from?: Time | null | undefined;
  /** The task's id, which determines its jitter. */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  onSuccess?: unknown;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  paused?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  payload?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  priority?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "every" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  callback?: unknown;
  /** The number of runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** The time at which the task would be created. If absent, now. */
  from?: Time | null | undefined;
  /** The task's id, which determines its jitter. */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  onSuccess?: unknown;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  paused?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  payload?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  priority?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  retry?: unknown;
  /** Recurs by this rule of RFC 5545, which begins at `startAt`. */
  rrule: string;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt: Time;
  /** Ignored: a member of a task that does not affect its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "rrule" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  callback?: unknown;
  /** The number of runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** The time at which the task would be created. If absent, now. */
  from?: Time | null | undefined;
  /** The task's id, which determines its jitter. */
  id?: string | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  onSuccess?: unknown;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  paused?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  payload?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  priority?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  /**
   * When it fires, in English or German, such as `every monday at 10:00`. It replaces the fields
   * that say when. The task gets the fields that the sentence means, and keeps the sentence in
   * `words`. Local times are in `timezone`, unless the sentence names a zone. The limit is in
   * bytes of UTF-8.
   */
  schedule: string;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "words" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  words?: null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  callback?: unknown;
  /** The number of runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  description?: unknown;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  exclude?: null | undefined;
  expireAfterSeconds?: null | undefined;
  /** The time at which the task would be created. If absent, now. */
  from?: Time | null | undefined;
  /** The task's id, which determines its jitter. */
  id?: string | null | undefined;
  jitterSeconds?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  misfire?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  onSuccess?: unknown;
  overlap?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  paused?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  payload?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  priority?: unknown;
  /** Ignored: a member of a task that does not affect its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Ignored: a member of a task that does not affect its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type: "no-schedule";
  windowSeconds?: null | undefined;
  words?: null | undefined;
};

/** A run of a schedule. */
export interface PreviewRun {
  /** What a change of the clock does to it. Absent on most runs. */
  clockChange?: "gap-moved" | "gap-shifted" | "gap-absent" | "first-of-two" | "first-pass" | "second-pass" | undefined;
  /** When it fires, milliseconds since 1970: the nominal time plus jitter and window. */
  due: number;
  /** The change of the clock, explained in words. */
  explanation?: string | undefined;
  /** The nominal time in the time zone of the schedule, RFC 3339. */
  local: string;
  /**
   * The time, milliseconds since 1970, from which `exclude` has moved it. Absent if it has not
   * moved.
   */
  movedFrom?: number | undefined;
  /** Its nominal time, milliseconds since 1970. It identifies the run. */
  time: number;
}

/** A problem in the form of RFC 9457. */
export interface Problem {
  /** Only for `/problems/batch-rejected`: 0. */
  accepted?: number | undefined;
  /** What is wrong with this request, for people: the field, the limit, and what to do. */
  detail: string;
  /**
   * The path of the invalid field, such as `callback.url` or `tags[3]`; `body` for the whole
   * body.
   */
  field?: string | undefined;
  /** Only for `/problems/batch-rejected`: the number of tasks. */
  rejected?: number | undefined;
  /** Only for `/problems/batch-rejected`: the error of each task, in the order of the request. */
  results?: ({
    /** An invalid field of a request: its name, and the problem with the limit or with what to do. */
    error: {
      /** The field, the problem and the limit, for people. */
      detail: string;
      /** The field, as a path: `callback.url`, `tags[3]`; `body` for the whole. */
      field: string;
      /** Whether the same item may be accepted later. Absent if the item itself is invalid. */
      retryable?: boolean | undefined;
    };
    id?: string | undefined;
    /** The number of its line, from 1, if the body has one task on each line. */
    line?: number | undefined;
  } | {
    /**
     * The index of the earlier task in the request that has the same id and that this one
     * replaces. Absent if there is none.
     */
    duplicateOf?: number | undefined;
    id: string;
  })[] | undefined;
  /** The HTTP status. */
  status: number;
  /** The kind of problem, for people. */
  title: string;
  /** A stable name for programs. */
  type: string;
}

/** A message in a queue: the user's own consumer gets the record through this producer binding. */
export interface QueueCallback {
  /** The name of the binding. */
  queue: string;
  type: "queue";
}

/** A task in a message: `onSuccess` and `onFailure` have no `headers`. */
export interface QueuedTask {
  /** The time from which the runs of the interval are computed, milliseconds since 1970. No run is earlier. */
  anchor?: number | undefined;
  /** The number of the attempt; absent for the first. */
  attempt?: number | undefined;
  /** What happens when it fires. */
  callback: Callback;
  /** When the task was created, milliseconds since 1970. Absent if an earlier release created it. */
  createdAt?: number | undefined;
  /** A cron expression, or a list of them. */
  cron?: string | string[] | undefined;
  /** What the task is, in the user's words. */
  description?: string | undefined;
  /** It does not recur after this time, milliseconds since 1970. */
  endAt?: number | undefined;
  /** Why the last attempt failed. */
  error?: string | undefined;
  /** The interval at which it fires, in seconds. */
  everySeconds?: number | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | undefined;
  /** When the last attempt failed, milliseconds since 1970. */
  failedAt?: number | undefined;
  /** The last run, if runs are counted, milliseconds since 1970. */
  finalRun?: number | undefined;
  /** When the first attempt began, milliseconds since 1970. `retry.maxDurationSeconds` counts from here. */
  firstAttemptAt?: number | undefined;
  /** The first run, if runs are counted, milliseconds since 1970. */
  firstRun?: number | undefined;
  /** The task's id. */
  id: string;
  /** The most by which each run is delayed at random, in seconds. */
  jitterSeconds?: number | undefined;
  /** If a new law of its time zone, or a shorter delay, has moved its due time into the past, the time from which its lateness counts, milliseconds since 1970. */
  lateSince?: number | undefined;
  /** The key of the limit that bounds its runs. */
  limitKey?: string | undefined;
  /** The times that were given as local ones: `timezone` is their zone. */
  local?: LocalTimes | undefined;
  /** The most runs. */
  maxRuns?: number | undefined;
  /** What happens to missed runs. */
  misfire?: Misfire | undefined;
  /** For a paused further attempt, the earliest time at which it starts, milliseconds since 1970. */
  notBefore?: number | undefined;
  /** What happens when a run has failed for good. */
  onFailure?: Callback | undefined;
  /** What happens when a run has succeeded. */
  onSuccess?: Callback | undefined;
  /** How the run ended, if it is a follow-up. */
  outcome?: Run | undefined;
  /**
   * What happens to a run that comes due before the previous one has ended.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire.
   */
  overlap?: "allow" | "skip" | "queue-one" | undefined;
  /** Why it was paused: the `note` of the request. */
  pauseNote?: string | undefined;
  /** Whether a recurring task is paused. For any other task, its place in the order says so. */
  paused?: boolean | undefined;
  /** When the task was paused, milliseconds since 1970. Absent if it is not paused, if it was created paused, or if an earlier release paused it. */
  pausedAt?: number | undefined;
  /** The name of the API key that paused it. Absent for a key of the deployment's secret, which has no name. */
  pausedBy?: string | undefined;
  /** The user's data. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. */
  priority?: number | undefined;
  /** When the run was requested, milliseconds since 1970: for a replay of a dead letter, a run before the task's time, or a run that was due and waited. */
  replayedAt?: number | undefined;
  /** When it is tried again after a failure. */
  retry?: Retry | undefined;
  /** The rule of RFC 5545 by which it fires, beginning at `startAt`. */
  rrule?: string | undefined;
  /** `onSuccess` or `onFailure`, if it is a follow-up. Its `callback` is the target that this field named. */
  stage?: string | undefined;
  /** It does not recur before this time, milliseconds since 1970. */
  startAt?: number | undefined;
  /** Labels to find it by. */
  tags?: string[] | undefined;
  /** The requested due time, milliseconds since 1970. */
  time?: number | undefined;
  /** The IANA time zone that `cron` and `rrule` are read in; absent: UTC. */
  timezone?: string | undefined;
  /** When its definition was last changed, milliseconds since 1970. Absent if it was not. */
  updatedAt?: number | undefined;
  /** The most by which each run may be later, so that several fire together, in seconds. */
  windowSeconds?: number | undefined;
}

/** The limits of a namespace. An absent member sets no limit. */
export interface Quota {
  /** The most tasks that may be created per second in the long run. */
  createsPerSecond?: number | null | undefined;
  /**
   * The most waiting tasks: those that wait for their time, for a further attempt or to be
   * resumed, and those without a schedule. A recurring task counts once.
   */
  pendingTasks?: number | null | undefined;
}

/** A part of an explanation. */
export interface Reason {
  /**
   * The code, for programs.
   * - `scheduled`: It waits for its time. If that has passed, it waits for its turn.
   * - `put-off`: It fires later than its requested time.
   * - `excluded`: `exclude` leaves out a run before the next one, or has moved the next one.
   * - `overdue`: Its time has passed, and it has not fired.
   * - `limited`: Its time has passed, and it waits until the limit of its key has room for it.
   * - `circuit-open`: Its destination does not answer, so its due runs wait.
   * - `paused`: It is paused.
   * - `unscheduled`: It has no schedule.
   * - `held`: It waits for the end of the previous run.
   * - `retrying`: A further attempt, a requested run or a follow-up of it waits.
   * - `in-flight`: An attempt is dispatched and not reported.
   * - `dead-lettered`: A run of it has failed for good, and is kept until you replay or discard it.
   * - `cancelled`: It was cancelled, and nothing of it waits.
   * - `done`: Its last run has ended, and nothing of it waits.
   * - `skipped`: Its last run was skipped, and nothing of it waits.
   * - `expired`: Its last run expired, and nothing of it waits.
   * - `overlap`: The previous run has not ended, and runs may not overlap.
   * - `misfire`: What would happen to it if it were late.
   * - `expiry`: The latest time at which it may start.
   */
  code: "scheduled" | "put-off" | "excluded" | "overdue" | "limited" | "circuit-open" | "paused" | "unscheduled" | "held" | "retrying" | "in-flight" | "dead-lettered" | "cancelled" | "done" | "skipped" | "expired" | "overlap" | "misfire" | "expiry";
  /** The text, for people. */
  detail: string;
}

/** The changes that a replay makes to a dead letter. Each member is a JSON merge patch (RFC 7396). */
export interface ReplayInput {
  /**
   * Changes of the callback. Absent members stay, and null removes a member. A callback of
   * another type replaces the former one. Null is refused, because a run needs a callback.
   */
  callback?: {
    [key: string]: unknown;
  } | undefined;
  /**
   * Changes of the payload, if both this and the payload are objects. Any other value replaces
   * the payload, and null removes it.
   */
  payload?: unknown;
}

/** The result of a replay of many dead letters. */
export interface ReplayedMany {
  /** Whether every dead letter was processed. If not, repeat the request. */
  done: boolean;
  /** The ids of the request without a dead letter. Absent if the request names no ids. */
  notFound?: string[] | undefined;
  /** The number of replayed dead letters. Each waits for its first attempt. */
  replayed: number;
}

/** The new time of a task, or a delay. */
export type Reschedule = {
  delayInSeconds?: null | undefined;
  /** The new time; for a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`; for a reschedule only. */
  timezone?: string | null | undefined;
} | {
  /** The new delay, in seconds from now; for a reschedule only. */
  delayInSeconds: number;
  time?: null | undefined;
  timezone?: null | undefined;
};

/** Which tasks, by id, by a filter, or all, and their new time, or a delay. */
export type RescheduleMany = {
  all?: null | undefined;
  delayInSeconds?: null | undefined;
  dryRun?: null | undefined;
  filter?: null | undefined;
  /** The ids of the tasks; a repeated id counts once. Absent if the path names the task. */
  ids: readonly string[];
  /** The new time; for a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`; for a reschedule only. */
  timezone?: string | null | undefined;
} | {
  all?: null | undefined;
  /** The new delay, in seconds from now; for a reschedule only. */
  delayInSeconds: number;
  dryRun?: null | undefined;
  filter?: null | undefined;
  /** The ids of the tasks; a repeated id counts once. Absent if the path names the task. */
  ids: readonly string[];
  time?: null | undefined;
  timezone?: null | undefined;
} | {
  all?: null | undefined;
  delayInSeconds?: null | undefined;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** Selects the tasks that match every part of the filter. Absent if the path names the task. */
  filter: Filter;
  ids?: null | undefined;
  /** The new time; for a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`; for a reschedule only. */
  timezone?: string | null | undefined;
} | {
  all?: null | undefined;
  /** The new delay, in seconds from now; for a reschedule only. */
  delayInSeconds: number;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** Selects the tasks that match every part of the filter. Absent if the path names the task. */
  filter: Filter;
  ids?: null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
} | {
  /** Selects every task, in place of `ids` and `filter`. Absent if the path names the task. */
  all: true;
  delayInSeconds?: null | undefined;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
  /** The new time; for a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`; for a reschedule only. */
  timezone?: string | null | undefined;
} | {
  /** Selects every task, in place of `ids` and `filter`. Absent if the path names the task. */
  all: true;
  /** The new delay, in seconds from now; for a reschedule only. */
  delayInSeconds: number;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
};

/** When a failed task is tried again: exponential back-off with jitter. Every field may be left out. */
export interface Retry {
  /** The factor by which each wait is longer than the previous one. */
  factor?: number | null | undefined;
  /**
   * The share by which a wait is longer or shorter at random. No wait is longer than
   * `maxBackoffSeconds`.
   */
  jitter?: number | null | undefined;
  /** The most attempts, including the first. */
  maxAttempts?: number | null | undefined;
  /** The longest wait including jitter, in seconds. Not less than `minBackoffSeconds`. */
  maxBackoffSeconds?: number | null | undefined;
  /** The most time from the start of the first attempt to the last attempt, in seconds. */
  maxDurationSeconds?: number | null | undefined;
  /** The wait before the second attempt, in seconds. Jitter may make it shorter. */
  minBackoffSeconds?: number | null | undefined;
  /**
   * HTTP statuses after which there is no further attempt: numbers, and the classes `3xx`, `4xx`
   * and `5xx`. `4xx` excludes 408, 425 and 429, which mean "not now". After 410 there is never a
   * further attempt.
   */
  permanentStatuses?: (number | ("3xx" | "4xx" | "5xx"))[] | null | undefined;
}

/** How an attempt went, as the API shows it. Times are milliseconds since 1970. */
export interface Run {
  /** The number of the attempt, from 1. Absent if the task was cancelled. */
  attempt?: number | undefined;
  /** The name of the API key that cancelled it. */
  by?: string | undefined;
  /** What went wrong. */
  error?: string | undefined;
  /** The beginning of the answer's body, on one line. */
  excerpt?: string | undefined;
  /** When it ended. Absent if that is not known. */
  finishedAt?: number | undefined;
  /**
   * When it was dispatched. Absent if the run was skipped, expired or cancelled, or became a
   * dead letter before it could start.
   */
  firedAt?: number | undefined;
  /** The id of the task; only in a list of the runs of all tasks. */
  id?: string | undefined;
  /**
   * How it ended: `succeeded`, `failed` (and is tried again), `dead-lettered` (failed for good),
   * `handed-over` (to your queue), `expired` or `skipped` (not started), `cancelled`. Later
   * versions may add more.
   */
  outcome: string;
  /** When its outcome was recorded. */
  reportedAt: number;
  /** `onSuccess` or `onFailure`, if it is an attempt at a follow-up of the run. */
  stage?: string | undefined;
  /** When it began. Absent if that is not known, such as for a message in a queue. */
  startedAt?: number | undefined;
  /** The HTTP status of the answer. */
  status?: number | undefined;
  /** The tags of the task; only in a list of the runs of all tasks. */
  tags?: string[] | undefined;
  /**
   * What it called: the type of the callback, a colon, and the host of the webhook or the name
   * of the binding, handler or queue. Absent in the `outcome` of a follow-up, of a cancelled
   * task, and of attempts that an earlier version recorded.
   */
  target?: string | undefined;
  /**
   * The requested time of the run. With the id it identifies the run. All attempts at a run and
   * at its follow-ups have the same one. Absent if the task was cancelled.
   */
  time?: number | undefined;
}

/** What a requested run uses in place of the task's own members. */
export interface RunInput {
  /** The payload of this run only. Later runs have the payload of the task. */
  payload?: unknown;
}

/** A page of a task's history. */
export interface RunList {
  /** The cursor of the next page; null at the end of the history. */
  cursor: string | null;
  /** The newest first. */
  runs: Run[];
}

/** Which tasks, by id, by a filter, or all. */
export type Selection = {
  all?: null | undefined;
  dryRun?: null | undefined;
  filter?: null | undefined;
  /** The ids of the tasks; a repeated id counts once. Absent if the path names the task. */
  ids: readonly string[];
} | {
  all?: null | undefined;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** Selects the tasks that match every part of the filter. Absent if the path names the task. */
  filter: Filter;
  ids?: null | undefined;
} | {
  /** Selects every task, in place of `ids` and `filter`. Absent if the path names the task. */
  all: true;
  /**
   * Changes nothing. The answer says how many tasks the request would change, and shows the
   * first of them. Not with `ids`, and not if the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
};

/** The counts of each minute of the last two hours, or of each hour of the last seven days. */
export interface Series {
  /** The length of a bucket, milliseconds. */
  bucketMillis: number;
  /** The buckets, in order and without a gap. */
  buckets: SeriesBucket[];
  /** When the first bucket begins, milliseconds since 1970. */
  from: number;
  /**
   * How many shards could not answer, because they still run an earlier version. Their counts
   * are missing in every bucket. Absent if there are none.
   */
  missingShards?: number | undefined;
  /**
   * Present if a shard has no series before this time, milliseconds since 1970. Then the counts
   * of earlier buckets are too low.
   */
  since?: number | undefined;
  /** The time of the answer, milliseconds since 1970. The last bucket is not complete. */
  to: number;
}

/** The counts of a minute or of an hour. */
export interface SeriesBucket {
  /** When it begins, milliseconds since 1970. */
  at: number;
  /**
   * The most runs that were overdue by more than a second at one time, on each shard, including
   * runs that waited for their limits.
   */
  backlog: number;
  /** Tasks that were created. */
  created: number;
  /** Attempts at runs that failed. */
  failed: number;
  /**
   * Attempts that were dispatched, at runs and at follow-ups. Sending an envelope again does not
   * count.
   */
  fired: number;
  /** Runs that your own queue has accepted. What its consumer did with them is not known. */
  handedOver: number;
  /** How long after their due times runs fired. Absent if nothing fired. */
  latenessMillis?: Lateness | undefined;
  /** Queue operations. */
  queueOperations: number;
  /** Rows written, including one for each alarm. */
  rowsWritten: number;
  /**
   * Runs that succeeded. Follow-ups, and runs that went to your own queue, are counted
   * separately.
   */
  succeeded: number;
}

/** A call of another Worker through a service binding. */
export interface ServiceFunctionCallback {
  /** The name of the binding: one of the deployment's `SERVICE_BINDINGS`. */
  binding: string;
  /**
   * Sent, or given to the function, in place of the task: a text unchanged, any other value as
   * JSON.
   */
  body?: unknown;
  /** The name of a function that is called by RPC, with the task. */
  function: string;
  headers?: null | undefined;
  method?: null | undefined;
  path?: null | undefined;
  /** The most time an attempt may take, in seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "service";
}

/** A call of another Worker through a service binding. */
export interface ServiceRequestCallback {
  /** The name of the binding: one of the deployment's `SERVICE_BINDINGS`. */
  binding: string;
  /**
   * Sent, or given to the function, in place of the task: a text unchanged, any other value as
   * JSON.
   */
  body?: unknown;
  function?: null | undefined;
  /**
   * For a request: sent in addition to the headers that the dispatcher sets. `content-type` only
   * with `body`.
   */
  headers?: {
    [key: string]: string;
  } | null | undefined;
  /** For a request. `GET` and `DELETE` send no body. Default: `"POST"`. */
  method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE" | null | undefined;
  /** Path and query of a request to its `fetch`. */
  path: string;
  /** The most time an attempt may take, in seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "service";
}

/** The statistics of one shard. */
export interface ShardStats {
  /** Tasks that were cancelled. */
  cancelled: number;
  /** The circuits of destinations that do not answer. */
  circuits: Circuit[];
  /** Tasks that were created. */
  created: number;
  /** Runs and follow-ups that failed for good. */
  deadLettered: number;
  /** Runs and follow-ups that failed for good and are kept. */
  deadLetters: number;
  /** Dead letters that were dropped, because newer ones came or because there was no room. */
  deadLettersDisplaced: number;
  /** Runs that came too late to start. Runs that were missed together count once. */
  expired: number;
  /** Attempts at runs that failed. */
  failed: number;
  /**
   * Attempts that were dispatched, at runs and at follow-ups. Sending an envelope again does not
   * count.
   */
  fired: number;
  /** Attempts at follow-ups that failed. */
  followUpsFailed: number;
  /** Follow-ups that succeeded, or that your own queue has accepted. */
  followUpsSucceeded: number;
  /** Runs that your own queue has accepted. What its consumer did with them is not known. */
  handedOver: number;
  /** Tasks that are dispatched and whose outcome is not known yet. */
  inFlight: number;
  /** How long after their due times tasks fired. */
  latenessMillis: Percentiles;
  /** Bytes of memory that pending tasks take. */
  memoryBytes: number;
  meter: Meter;
  /** Pending tasks without a limit key whose time has passed. */
  overdue: number;
  /** Tasks that are paused. */
  paused: number;
  /** Tasks that wait for their time or for a further attempt. A recurring task counts once. */
  pending: number;
  /** Envelopes that were sent again. */
  redelivered: number;
  /** Alarms that the watchdog found missing. */
  repairs: number;
  /** Of these, tasks that replaced another task. */
  replaced: number;
  /** Recurring tasks. */
  schedules: number;
  /** The epoch and the index of the shard. */
  shard: string;
  /**
   * Runs that did not fire, because they were missed or the previous run had not ended. Runs
   * that were missed together count once.
   */
  skipped: number;
  /**
   * Runs that succeeded. Follow-ups, and runs that went to your own queue, are counted
   * separately.
   */
  succeeded: number;
  /** Tasks without a schedule. */
  unscheduled: number;
  /** Tasks with a limit key whose time has passed and that wait for their turn. */
  waitingForLimits: number;
}

/** A limit, and what is known about the runs of its key. */
export interface ShownLimit {
  /** The most runs in flight at a time. */
  concurrency?: number | undefined;
  /**
   * Whether the shards together have no more slots than `concurrency`. After the limit is set or
   * lowered, this is false until enough of the runs in flight have ended.
   */
  inEffect: boolean;
  /**
   * Runs that are dispatched and not reported, by the last messages of the shards. While tasks
   * wait, these messages are at most a second old.
   */
  inFlight: number;
  /** The key that tasks name as `limitKey`. */
  key: string;
  /** The most runs that are dispatched per second. */
  perSecond?: number | undefined;
  /** The shards that have slots or wait for some. */
  shards: {
    /** Runs that are dispatched and not reported, by its last message. */
    inFlight: number;
    /** The shard's name. */
    shard: string;
    /** Its slots. Absent if the shard does not know the limit yet, so that nothing bounds it. */
    slots?: number | undefined;
    /** Tasks that are due and wait, by its last message. */
    waiting: number;
  }[];
  /** Tasks that are due and wait, by the last messages of the shards. */
  waiting: number;
}

/**
 * The statistics of the scheduler. Counters count since the shards were created, so use
 * differences.
 */
export interface Stats {
  /** Tasks that were cancelled. */
  cancelled: number;
  /** The circuits of destinations that do not answer. */
  circuits: Circuit[];
  /** Tasks that were created. */
  created: number;
  /** Runs and follow-ups that failed for good. */
  deadLettered: number;
  /** Runs and follow-ups that failed for good and are kept. */
  deadLetters: number;
  /** Dead letters that were dropped, because newer ones came or because there was no room. */
  deadLettersDisplaced: number;
  /** Runs that came too late to start. Runs that were missed together count once. */
  expired: number;
  /** Attempts at runs that failed. */
  failed: number;
  /**
   * Attempts that were dispatched, at runs and at follow-ups. Sending an envelope again does not
   * count.
   */
  fired: number;
  /** Attempts at follow-ups that failed. */
  followUpsFailed: number;
  /** Follow-ups that succeeded, or that your own queue has accepted. */
  followUpsSucceeded: number;
  /** Runs that your own queue has accepted. What its consumer did with them is not known. */
  handedOver: number;
  /** Tasks that are dispatched and whose outcome is not known yet. */
  inFlight: number;
  /** How long after their due times tasks fired. */
  latenessMillis: Percentiles;
  /** Bytes of memory that pending tasks take. */
  memoryBytes: number;
  meter: Meter;
  /** Pending tasks without a limit key whose time has passed. */
  overdue: number;
  /** Tasks that are paused. */
  paused: number;
  /** Tasks that wait for their time or for a further attempt. A recurring task counts once. */
  pending: number;
  /** Envelopes that were sent again. */
  redelivered: number;
  /** Alarms that the watchdog found missing. */
  repairs: number;
  /** Of these, tasks that replaced another task. */
  replaced: number;
  /** Recurring tasks. */
  schedules: number;
  shards: ShardStats[];
  /**
   * Runs that did not fire, because they were missed or the previous run had not ended. Runs
   * that were missed together count once.
   */
  skipped: number;
  /**
   * Runs that succeeded. Follow-ups, and runs that went to your own queue, are counted
   * separately.
   */
  succeeded: number;
  /** The release of IANA's time zone database in the Worker, such as `2026f`. */
  timeZones: string;
  /** Tasks without a schedule. */
  unscheduled: number;
  /** Tasks with a limit key whose time has passed and that wait for their turn. */
  waitingForLimits: number;
}

/** The last line of the answer to a stream. If `done` is false, it has the members of a problem. */
export interface StreamEnd {
  /** The number of tasks that were created. */
  accepted: number;
  /** Only if `done` is false: what is wrong, for people. */
  detail?: string | undefined;
  /** Whether every line of the body was processed. */
  done: boolean;
  /** Only if `done` is false, and only for some problems: the header or member at fault. */
  field?: string | undefined;
  /** The number of lines that were processed. Empty lines count. */
  lines: number;
  /**
   * Only if `done` is false: the line with which to continue. Send the lines from here
   * on in another request, and those whose `error` is `retryable`.
   */
  nextLine?: number | undefined;
  /** The number of tasks that were refused. */
  rejected: number;
  /** How many of these replaced a task with the same id. */
  replaced: number;
  /**
   * Only if `done` is false: when the rest may be sent, in seconds from now. Absent if waiting
   * does not help.
   */
  retryAfterSeconds?: number | undefined;
  /** Only if `done` is false: the HTTP status that a batch would have. */
  status?: number | undefined;
  /** Only if `done` is false: the kind of problem, for people. */
  title?: string | undefined;
  /** Only if `done` is false: a stable name for programs, as in a problem. */
  type?: string | undefined;
}

/** The result of a part of a stream: of some lines of the body. */
export interface StreamPart {
  /** The number of tasks that were created. */
  accepted: number;
  /** The number of the first line of the part, from 1. Empty lines count. */
  firstLine: number;
  /** The number of its last line. */
  lastLine: number;
  /** The number of tasks that were refused. */
  rejected: number;
  /** How many of these replaced a task with the same id. */
  replaced: number;
  /** Present if an earlier request with the same `Idempotency-Key` has created the part. */
  replayed?: true | undefined;
  /**
   * A result for each refused task, or for each task with `results=all`, in the order of the
   * body.
   */
  results: ({
    /** An invalid field of a request: its name, and the problem with the limit or with what to do. */
    error: {
      /** The field, the problem and the limit, for people. */
      detail: string;
      /** The field, as a path: `callback.url`, `tags[3]`; `body` for the whole. */
      field: string;
      /** Whether the same item may be accepted later. Absent if the item itself is invalid. */
      retryable?: boolean | undefined;
    };
    id?: string | undefined;
    /** The number of its line. */
    line: number;
  } | {
    /**
     * The line of the earlier task in the same part that has the same id and that this one
     * replaces. Absent if there is none.
     */
    duplicateOf?: number | undefined;
    id: string;
    /** The number of its line. */
    line: number;
  })[];
}

/** A stored task. */
export interface Task {
  /** The time from which the runs of the interval are computed, milliseconds since 1970. No run is earlier. RFC 3339 if a request would refuse the number: before 1973-03-03, and if the number reads as a date. */
  anchor?: number | string | undefined;
  /** The number of the attempt; absent for the first. */
  attempt?: number | undefined;
  /** What happens when it fires. */
  callback: Callback;
  /** In the answer to a cancel, which shows the task as it was before. */
  cancelled?: true | undefined;
  /**
   * In the answer to a pause, a resume, a run or a reschedule: false if the task was in this
   * state already.
   */
  changed?: boolean | undefined;
  /**
   * What a change of the clock does to the local time of the task: see the preview. Absent on
   * most tasks.
   */
  clockChange?: "gap-moved" | "gap-shifted" | "first-of-two" | undefined;
  /** When the task was created, milliseconds since 1970. Absent if an earlier release created it. */
  createdAt?: number | undefined;
  /** The name of the API key that created it. Absent for a key of the deployment's secret, which has no name. */
  createdBy?: string | undefined;
  /** A cron expression, or a list of them. */
  cron?: string | string[] | undefined;
  /** For a dead letter, its id: the task's id with times before it. See `/v1/dead-letters`. */
  deadLetterId?: string | undefined;
  /** What the task is, in the user's words. */
  description?: string | undefined;
  /**
   * When it fires next, milliseconds since 1970; for an attempt in flight, when its run was due.
   * Absent if the task does not fire by itself.
   */
  due?: number | undefined;
  /** It does not recur after this time, milliseconds since 1970. RFC 3339 if a request would refuse the number: before 1973-03-03, and if the number reads as a date. */
  endAt?: number | string | undefined;
  /** Why the last attempt failed. */
  error?: string | undefined;
  /** The interval at which it fires, in seconds. */
  everySeconds?: number | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | undefined;
  /** The change of the clock, explained in words. */
  explanation?: string | undefined;
  /** When the last attempt failed, milliseconds since 1970. */
  failedAt?: number | undefined;
  /** The last run, if runs are counted, milliseconds since 1970. */
  finalRun?: number | undefined;
  /** When the first attempt began, milliseconds since 1970. `retry.maxDurationSeconds` counts from here. */
  firstAttemptAt?: number | undefined;
  /** The first run, if runs are counted, milliseconds since 1970. */
  firstRun?: number | undefined;
  /** The task's id. */
  id: string;
  /** The most by which each run is delayed at random, in seconds. */
  jitterSeconds?: number | undefined;
  /**
   * The kind of schedule. A run of a recurring task has the kind of its task.
   * - `once`: It fires once.
   * - `cron`: It fires by cron expressions.
   * - `every`: It fires at an interval.
   * - `rrule`: It fires by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind: "once" | "cron" | "every" | "rrule" | "no-schedule";
  /** If a new law of its time zone, or a shorter delay, has moved its due time into the past, the time from which its lateness counts, milliseconds since 1970. */
  lateSince?: number | undefined;
  /** The key of the limit that bounds its runs. */
  limitKey?: string | undefined;
  /** The times that were given as local ones: `timezone` is their zone. */
  local?: LocalTimes | undefined;
  /** The most runs. */
  maxRuns?: number | undefined;
  /** What happens to missed runs. */
  misfire?: Misfire | undefined;
  /** For a paused further attempt, the earliest time at which it starts, milliseconds since 1970. */
  notBefore?: number | undefined;
  /** What happens when a run has failed for good. */
  onFailure?: Callback | undefined;
  /** What happens when a run has succeeded. */
  onSuccess?: Callback | undefined;
  /** How the run ended, if it is a follow-up. */
  outcome?: Run | undefined;
  /**
   * What happens to a run that comes due before the previous one has ended.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire.
   */
  overlap?: "allow" | "skip" | "queue-one" | undefined;
  /** Why it was paused: the `note` of the request. */
  pauseNote?: string | undefined;
  /** Whether a recurring task is paused. For any other task, its place in the order says so. */
  paused?: boolean | undefined;
  /** When the task was paused, milliseconds since 1970. Absent if it is not paused, if it was created paused, or if an earlier release paused it. */
  pausedAt?: number | undefined;
  /** The name of the API key that paused it. Absent for a key of the deployment's secret, which has no name. */
  pausedBy?: string | undefined;
  /** The user's data. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. */
  priority?: number | undefined;
  /** When the run was requested, milliseconds since 1970: for a replay of a dead letter, a run before the task's time, or a run that was due and waited. */
  replayedAt?: number | undefined;
  /** When it is tried again after a failure. */
  retry?: Retry | undefined;
  /** The rule of RFC 5545 by which it fires, beginning at `startAt`. */
  rrule?: string | undefined;
  /**
   * Whether a run of the task is in flight. In the answer to a change, that run ends unchanged,
   * and the change applies to later ones. Absent if there is none.
   */
  running?: boolean | undefined;
  /**
   * In the answer to a `POST`, `PUT` or `PATCH` with a `schedule` in words: what was understood,
   * with its time zone, as one sentence in the language of the words.
   */
  sentence?: string | undefined;
  /** `onSuccess` or `onFailure`, if it is a follow-up. Its `callback` is the target that this field named. */
  stage?: string | undefined;
  /** It does not recur before this time, milliseconds since 1970. RFC 3339 if a request would refuse the number: before 1973-03-03, and if the number reads as a date. */
  startAt?: number | string | undefined;
  /**
   * What it waits for.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it is dispatched, and its outcome is not reported yet.
   * - `paused`: It is paused, and waits until it is resumed.
   * - `dead-lettered`: It failed for good. It is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule and waits for nothing.
   * - `cancelled`: It is cancelled: only in the answer to the cancel.
   */
  status: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | "cancelled";
  /** Labels to find it by. */
  tags?: string[] | undefined;
  /** The requested due time, milliseconds since 1970. RFC 3339 if a request would refuse the number: before 1973-03-03, and if the number reads as a date. */
  time?: number | string | undefined;
  /** The IANA time zone that `cron` and `rrule` are read in; absent: UTC. */
  timezone?: string | undefined;
  /** When its definition was last changed, milliseconds since 1970. Absent if it was not. */
  updatedAt?: number | undefined;
  /**
   * In the answer to a `POST`, `PUT` or `PATCH`: warnings about the task, which is stored all
   * the same. Absent if there are none.
   */
  warnings?: Warning[] | undefined;
  /** The most by which each run may be later, so that several fire together, in seconds. */
  windowSeconds?: number | undefined;
  /** The sentence that the schedule was given in. */
  words?: string | undefined;
}

/** A page of the list. */
export interface TaskList {
  /**
   * The cursor of the next page. Send it as `cursor` until it is null, which means the end of
   * the list.
   */
  cursor: string | null;
  /** How far the shards have searched for a page. A page takes a bounded amount of work. */
  searched: {
    /** The number of tasks, attempts and dead letters that the shards examined for this page. */
    records: number;
    /**
     * If more follow: this page and those before it have covered everything up to this time in the
     * order of the list, milliseconds since 1970. Absent if the rest of the list has no due time.
     */
    until?: number | undefined;
  };
  /**
   * In order of due time; an attempt in flight, by the time of its last send. Then dead letters,
   * and then what has no due time, in no order of time: what is held, paused or unscheduled, or
   * waits for room for its limit's key. A page may have fewer tasks than `limit`, or none,
   * although more follow.
   */
  tasks: Task[];
  /** The number of items of the whole list. Only on the first page of a list without a filter. */
  total?: number | undefined;
}

/** A JSON merge patch of a task. Members that are absent stay as they are, unless they do not belong to the new kind of schedule. Null removes a member, objects are merged, lists are replaced as a whole, and so is a callback by one of another type. */
export interface TaskPatch {
  /**
   * The time from which the runs of the interval are computed. No run is earlier. If absent,
   * `startAt`, or one interval from now.
   */
  anchor?: Time | null | undefined;
  /**
   * What happens when it fires. If absent, the deployment's `DEFAULT_CALLBACK`, or the first
   * queue of `QUEUE_BINDINGS` if there is no default.
   */
  callback?: CallbackPatch | null | undefined;
  /** Recurs by a cron expression, or by several. */
  cron?: string | readonly string[] | null | undefined;
  /** The delay after which it fires once, in seconds from now. */
  delayInSeconds?: number | null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  /** Recurs at this interval without drift, in seconds, rounded to milliseconds. */
  everySeconds?: number | null | undefined;
  /** The days and the times of day at which it does not fire. */
  exclude?: Exclude | null | undefined;
  /** How long after its due time a run may still start, in seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Delays each run by a random amount up to this, in seconds. The amount of a run never
   * changes.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. For each, the member of the same name
   * has the instant. If both name the same instant, the local time counts. If you change the
   * other member, that one counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
   * tasks with `exclude`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What happens to missed runs. If absent, they fire, except runs of a recurring task that were
   * missed because of a pause.
   */
  misfire?: MisfirePatch | null | undefined;
  /** What happens when a run has failed for good. The rest is as for `onSuccess`. */
  onFailure?: CallbackPatch | null | undefined;
  /**
   * What happens when a run has succeeded: the task is sent to this callback, with `stage` and
   * `outcome`. Not with a `queue` callback, whose outcome is not known.
   */
  onSuccess?: CallbackPatch | null | undefined;
  /**
   * What happens to a run of a recurring task that comes due before the previous run is
   * reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
   * waits for the end of the previous run, and further runs do not fire.
   * - `allow`: Both run at the same time.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the previous run. Further runs do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits until it is resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON. It is delivered unchanged. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When a failed attempt is tried again. If absent, the policy of the handler that the task
   * names, or the defaults if it has none. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  /** Recurs by this rule of RFC 5545, which begins at `startAt`. */
  rrule?: string | null | undefined;
  /**
   * When it fires, in English or German, such as `every monday at 10:00`. It replaces the fields
   * that say when. The task gets the fields that the sentence means, and keeps the sentence in
   * `words`. Local times are in `timezone`, unless the sentence names a zone. The limit is in
   * bytes of UTF-8.
   */
  schedule?: string | null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  /** The time at which it fires once. If it has passed, the task fires at once. */
  time?: Time | null | undefined;
  /**
   * The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
   * time may be a local time.
   */
  timezone?: string | null | undefined;
  /**
   * The kind of schedule. Required for `no-schedule` only. If given, it must agree with the
   * field that says when.
   */
  type?: ("scheduled" | "delayed" | "cron" | "every" | "rrule" | "no-schedule") | "words" | undefined;
  /**
   * Allows each run to be up to this much later, in seconds, so that several tasks fire
   * together.
   */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is only shown and has no other effect. The
   * limit is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A warning about a task that is stored. */
export interface Warning {
  /** What is wrong, and what to do. */
  detail: string;
  /**
   * The member: `limitKey` if the key has no limit, `callback` if its destination does not
   * answer.
   */
  field: string;
}

/** A request to a URL. */
export interface WebhookCallback {
  /** Sent in place of the task: a text unchanged, any other value as JSON. */
  body?: unknown;
  /**
   * Sent in addition to the headers that the dispatcher sets. Headers of the connection, of an
   * edge or of a proxy are refused. `content-type` only with `body`.
   */
  headers?: {
    [key: string]: string;
  } | null | undefined;
  /** `GET` and `DELETE` send no body. Default: `"POST"`. */
  method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE" | null | undefined;
  /** The most time an attempt may take, including redirects, in seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "webhook";
  /**
   * http or https, and a public host. It may have a path, a query and a fragment, but no user
   * name or password.
   */
  url: string;
}

/** Parameters of a list of tasks. A task must meet all of them. */
export interface ListTasksQuery {
  /** The callback is a webhook to this host. A port is not part of it. */
  callbackHost?: string | undefined;
  /**
   * The type of the callback.
   * - `webhook`: A request to a URL.
   * - `service`: A call of another Worker.
   * - `durable-object`: A call of a Durable Object.
   * - `handler`: A function in the Worker itself.
   * - `queue`: A message in one of your queues.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; if the task is paused or
   * held, `time`; for a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It recurs: any of the next three.
   * - `cron`: It recurs by cron expressions.
   * - `every`: It recurs at an interval.
   * - `rrule`: It recurs by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind?: "once" | "recurring" | "cron" | "every" | "rrule" | "no-schedule" | undefined;
  /**
   * How the last attempt ended, as far as the task keeps it.
   * - `none`: No attempt is known: it is the first one, or the task recurs or has no schedule.
   * - `failed`: It failed, and a further attempt waits, is paused or is in flight.
   * - `dead-lettered`: It failed for good: a dead letter.
   * - `succeeded`: The run succeeded, and its follow-up waits, is paused or is in flight.
   * - `expired`: The run expired, and its follow-up waits, is paused or is in flight.
   */
  lastOutcome?: "none" | "failed" | "dead-lettered" | "succeeded" | "expired" | undefined;
  /** Whether it is paused, or will be when its attempt in flight has ended. */
  paused?: boolean | undefined;
  /** The id starts with this. */
  prefix?: string | undefined;
  /**
   * The status.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it is dispatched, and its outcome is not reported yet.
   * - `paused`: It is paused, and waits until it is resumed.
   * - `dead-lettered`: It failed for good. It is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule and waits for nothing.
   */
  status?: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | undefined;
  /** The tags include this. Give it twice to require two tags. */
  tag?: readonly string[] | undefined;
  /** The id or the description contains this. Upper and lower case are equal. */
  text?: string | undefined;
  /** The time of the task is before this time. */
  to?: Time | undefined;
  /** `asc` lists from the first due time to the last, and then what has no due time. `desc` lists the same from its end, and misses a task that fires or fails meanwhile. */
  order?: "asc" | "desc" | undefined;
  /** The largest number of items on the page. */
  limit?: number | undefined;
  /** The cursor from the previous answer, unchanged, with the same filter and order. */
  cursor?: string | undefined;
}

/** Parameters of a list of the attempts at one task. */
export interface ListRunsQuery {
  /** The largest number of items on the page. */
  limit?: number | undefined;
  /** The cursor from the previous answer, unchanged, with the same filter and order. */
  cursor?: string | undefined;
}

/** Parameters of a list of the attempts at all tasks. An attempt must meet all of them. */
export interface ListAllRunsQuery {
  /** Only attempts with this outcome, or with one of several that are separated by commas. */
  outcome?: readonly ("succeeded" | "failed" | "dead-lettered" | "handed-over" | "expired" | "skipped" | "cancelled")[] | undefined;
  /** Only attempts that called this: a type of callback, such as `handler`, or a type, a colon and the host or the name, such as `webhook:example.com`. */
  target?: string | undefined;
  /** Only attempts that called a webhook of this host. The same as `target=webhook:HOST`. */
  callbackHost?: string | undefined;
  /** Only attempts of tasks with this tag, or with both if the parameter is given twice. */
  tag?: readonly string[] | undefined;
  /** Only attempts of tasks whose id starts with this. */
  prefix?: string | undefined;
  /** Only attempts whose error contains this. Upper and lower case do not differ. */
  error?: string | undefined;
  /** Only attempts that were reported at this time or later. */
  from?: Time | undefined;
  /** Only attempts that were reported before this time. */
  to?: Time | undefined;
  /** Answers with groups of attempts whose errors are similar. */
  group?: "error" | undefined;
  /** With `group`: whether the group with the newest attempt is first, or the largest group. */
  order?: "newest" | "count" | undefined;
  /** The most attempts on the page. With `group`, the most groups that each shard adds to the page, so there may be more groups than this. */
  limit?: number | undefined;
  /** The cursor from the previous answer, unchanged, with the same filter. */
  cursor?: string | undefined;
}

/** Parameters of a list of dead letters. A dead letter must meet all of them. */
export interface ListDeadLettersQuery {
  /** The callback is a webhook to this host. A port is not part of it. */
  callbackHost?: string | undefined;
  /**
   * The type of the callback.
   * - `webhook`: A request to a URL.
   * - `service`: A call of another Worker.
   * - `durable-object`: A call of a Durable Object.
   * - `handler`: A function in the Worker itself.
   * - `queue`: A message in one of your queues.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; if the task is paused or
   * held, `time`; for a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It recurs: any of the next three.
   * - `cron`: It recurs by cron expressions.
   * - `every`: It recurs at an interval.
   * - `rrule`: It recurs by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind?: "once" | "recurring" | "cron" | "every" | "rrule" | "no-schedule" | undefined;
  /** The id starts with this. */
  prefix?: string | undefined;
  /** The tags include this. Give it twice to require two tags. */
  tag?: readonly string[] | undefined;
  /** The id or the description contains this. Upper and lower case are equal. */
  text?: string | undefined;
  /** The time of the task is before this time. */
  to?: Time | undefined;
  /** The largest number of items on the page. */
  limit?: number | undefined;
  /** The cursor from the previous answer, unchanged, with the same filter and order. */
  cursor?: string | undefined;
}

/** Parameters of a forecast: a time, and into how many parts to divide it. */
export interface ForecastQuery {
  /**
   * Count what is due at this time or later. Default: now.
   * @example 2030-12-24T00:00:00Z
   */
  from?: Time | undefined;
  /**
   * Count what is due before this time: at most 366 days after `from`. Default: a day after `from`.
   * @example 2030-12-25T00:00:00Z
   */
  to?: Time | undefined;
  /**
   * How many parts to divide this time into. There are fewer if the time cannot be divided into that many parts of whole milliseconds.
   * @example 48
   */
  buckets?: number | undefined;
}

/** Parameters of statistics over time. */
export interface StatsSeriesQuery {
  /**
   * The length of a bucket. The answer has 120 buckets of a minute, or 168 of an hour.
   * @example hour
   */
  by?: "minute" | "hour" | undefined;
}

/** Parameters of a stream of events. An event must meet all of them. */
export interface WatchEventsQuery {
  /** Only events of the task with this id. */
  id?: string | undefined;
  /** Only events of tasks with this tag. */
  tag?: string | undefined;
  /** Only events of this type. */
  type?: "created" | "updated" | "cancelled" | "paused" | "resumed" | "rescheduled" | "fired" | "succeeded" | "failed" | "dead-lettered" | "discarded" | "handed-over" | "skipped" | "expired" | "circuit-opened" | "circuit-half-open" | "circuit-closed" | undefined;
}

/** Every type of problem: see `GET /problems/{id}` for what it means and what to do. */
export type KnownProblemType =
  | "/problems/already-running"
  | "/problems/batch-rejected"
  | "/problems/calendar-in-use"
  | "/problems/condition-refused"
  | "/problems/forbidden"
  | "/problems/guessing"
  | "/problems/idempotency-key-reused"
  | "/problems/invalid"
  | "/problems/loop"
  | "/problems/malformed-path"
  | "/problems/media-type"
  | "/problems/misconfigured"
  | "/problems/no-calendar"
  | "/problems/no-dead-letter"
  | "/problems/no-key"
  | "/problems/no-limit"
  | "/problems/no-namespace"
  | "/problems/no-route"
  | "/problems/no-task"
  | "/problems/not-applicable"
  | "/problems/not-empty"
  | "/problems/other-version"
  | "/problems/overloaded"
  | "/problems/quota"
  | "/problems/shard-full"
  | "/problems/slow-body"
  | "/problems/task-cancelled"
  | "/problems/too-large"
  | "/problems/too-many"
  | "/problems/too-many-readers"
  | "/problems/too-many-runs"
  | "/problems/unauthorized"
  | "/problems/unavailable";
