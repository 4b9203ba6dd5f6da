// Made from coordinator/openapi.json by scripts/generate.mjs: do not edit.

/** A time in a request: a `Date`, milliseconds since 1970, or text in RFC 3339. Beside a `timezone`, the text may be a local time such as `2030-12-24T18:00`. */
export type Time = Date | number | string;

/** A page of the runs of all tasks, or of groups of those with like errors. */
export interface AllRuns {
  /** How many attempts were looked at for this page. */
  attempts: number;
  /** Where the next page begins; null at the end of what is kept. */
  cursor: string | null;
  /** One entry for all attempts whose errors differ only in numbers and ids. Only with `group`. */
  groups?: ErrorGroup[] | undefined;
  /**
   * If more follow: what the pages so far do not show was reported at this time or before,
   * milliseconds since 1970.
   */
  lookedBackTo?: number | undefined;
  /**
   * One entry for each attempt: by `reportedAt`, the newest first. A page may hold fewer than
   * `limit`, or none, although more follow. Absent with `group`.
   */
  runs?: Run[] | undefined;
}

/** What became of a batch. */
export interface BatchReply {
  /** Tasks taken in. */
  accepted: number;
  /** Tasks refused. */
  rejected: number;
  /** One for each task, in the order of the request. */
  results: ({
    /** An invalid field of a request: its name, and the problem with the limit or with what to do. */
    error: {
      /** The field, the problem and the limit, for people. */
      detail: string;
      /** The field, as a path: `callback.url`, `tags[3]`; `body` for the whole. */
      field: string;
      /** Says whether the same item may be accepted later. Absent if the item itself is invalid. */
      retryable?: boolean | undefined;
    };
    id?: string | undefined;
    /** The number of its line, from 1, if the body has a task a line. */
    line?: number | undefined;
  } | {
    /**
     * The index of the task before it in the request that has the same id, and that it
     * replaces. Absent if there is none.
     */
    duplicateOf?: number | undefined;
    id: string;
  })[];
}

/** What happens when a task fires. */
export type Callback = WebhookCallback | ServiceRequestCallback | ServiceFunctionCallback | DurableObjectRequestCallback | DurableObjectFunctionCallback | HandlerCallback | QueueCallback;

/** A merge patch: members that are absent stay as they are. */
export interface CallbackPatch {
  /** The name of the binding: one of the deployment's `SERVICE_BINDINGS`. */
  binding?: string | null | undefined;
  /** Sent in the task's place: a text as it is, any other value as JSON. */
  body?: unknown;
  /** The name of a function that is called by RPC, with the task. */
  function?: string | null | undefined;
  /**
   * Sent beside those that the dispatcher sets; none that the connection, an edge or a proxy
   * sets. `content-type` together with `body` only.
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
  /** How long an attempt may take, redirects and all, seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type?: "webhook" | "service" | "durable-object" | "handler" | "queue" | null | undefined;
  /**
   * http or https, and a public host. A path, query and fragment as usual; no user name or
   * password.
   */
  url?: string | null | undefined;
}

/** What became of the tasks to cancel. */
export interface CancelledMany {
  /** No attempt of them starts any more. */
  cancelled: number;
  /** Whether every task was looked at; where not, send the request again. */
  done: boolean;
  /** There are no such tasks (any more). */
  notFound: number;
  /** How many of `cancelled` have an attempt in flight, which runs to its end. Absent for 0. */
  running?: number | undefined;
}

/** What became of the tasks to change. */
export interface ChangedMany {
  /** Only of `run`: it started nothing, because an attempt is in flight and no further one waits. */
  alreadyRunning: number;
  /** They were changed. */
  changed: number;
  /** Whether every task was looked at; where not, send the request again. */
  done: boolean;
  /**
   * They cannot be changed so, such as the time of a recurring task, or they were cancelled and
   * their last attempt is in flight, or as many runs of them wait as may.
   */
  notApplicable: number;
  /** There are no such tasks (any more). */
  notFound: number;
  /**
   * How many have an attempt in flight, which runs to its end; the change holds for later
   * attempts. Absent for 0.
   */
  running?: number | undefined;
  /** They were so already. */
  unchanged: number;
}

/** The circuit of a destination that does not answer. */
export interface Circuit {
  /**
   * A webhook's scheme, host and port; or `service:`, `durable-object:` or `handler:` with a
   * name.
   */
  destination: string;
  /** Attempts in a row that got no answer. */
  failures: number;
  /** Since when it is not closed, milliseconds since 1970; of several shards, the first. */
  since: number;
  /**
   * What it does; of several shards, `open` if it is open on one.
   * - `open`: What is due for it waits.
   * - `half-open`: One run was let through, and the others wait for its outcome.
   */
  state: "open" | "half-open";
  /**
   * When the next run is let through if it does not close before, milliseconds since 1970; of
   * several shards, the first.
   */
  until: number;
  /** Runs that wait for it. */
  waiting: number;
}

/** Which dead letters are meant: those that fulfil every part that is given. At least one part is required; to select every dead letter, send `{"all":true}` alone. */
export interface DeadLetterFilter {
  /** Every task, with no other part beside it. */
  all?: true | null | undefined;
  /** The callback is a webhook to this host. A port is not part of it. */
  callbackHost?: string | null | undefined;
  /**
   * The type of the callback.
   * - `webhook`: A request to a URL.
   * - `service`: A call of another Worker.
   * - `durable-object`: A call of a Durable Object.
   * - `handler`: A function that is built into the Worker.
   * - `queue`: A message in a queue of yours.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | null | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | null | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; of a task that is paused or
   * held, `time`; of a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | null | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It fires again and again: any of the next three.
   * - `cron`: It fires again and again, by cron expressions.
   * - `every`: It fires again and again, at an interval.
   * - `rrule`: It fires again and again, by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind?: "once" | "recurring" | "cron" | "every" | "rrule" | "no-schedule" | null | undefined;
  /** The id starts with this. */
  prefix?: string | null | undefined;
  /** The tags include this. */
  tag?: string | null | undefined;
  /** The tags include all of these. Not beside `tag`. */
  tags?: string[] | null | undefined;
  /** The id or the description contains this. Upper and lower case are equal. */
  text?: string | null | undefined;
  /** The time of the task is before this time. */
  to?: Time | null | undefined;
}

/** A page of the list of dead letters. */
export interface DeadLetterList {
  /**
   * Where the next page begins: send it as `cursor` until it is null, which is the end of the
   * list.
   */
  cursor: string | null;
  /**
   * The newest first: by `failedAt`. A page may hold fewer than `limit`, or none, although more
   * follow.
   */
  deadLetters: Task[];
  /** How far the shards have looked for a page. A page takes a bounded amount of work. */
  searched: {
    /** The number of tasks, attempts and dead letters that the shards looked at for this page. */
    records: number;
    /**
     * If more follow: this page and those before it have looked at everything up to this time in
     * the order of the list, milliseconds since 1970. Absent where the rest of the list has no due
     * time.
     */
    until?: number | undefined;
  };
}

/** It is deleted: an API key, a namespace or a limit. */
export interface Deleted {
  deleted: true;
  /** The id of the path. */
  id: string;
}

/** The dead letter is discarded. */
export interface DeletedDeadLetter {
  deleted: true;
  id: string;
}

/**
 * A task as the body of a webhook: the same on every attempt. `callback`, `onSuccess` and
 * `onFailure` have no `headers`.
 */
export interface DeliveredTask {
  /** A run of the interval, before which there is none, milliseconds since 1970. */
  anchor?: number | undefined;
  /** What happens when it fires. */
  callback: Callback;
  /** When the task was created, milliseconds since 1970. Absent if an earlier release created it. */
  createdAt?: number | undefined;
  /** When it fires, again and again. */
  cron?: string | string[] | undefined;
  /** What the task is, in the user's words. */
  description?: string | undefined;
  /** It does not recur after this time, milliseconds since 1970. */
  endAt?: number | undefined;
  /** The interval at which it fires, seconds. */
  everySeconds?: number | undefined;
  /** A run does not start later than so long after it was due, seconds. */
  expireAfterSeconds?: number | undefined;
  /** The time of the last run, where runs are counted, milliseconds since 1970. */
  finalRun?: number | undefined;
  /** The first run, where runs are counted, milliseconds since 1970. */
  firstRun?: number | undefined;
  /** The task's id. */
  id: string;
  /** By how much each run is put off at most, seconds. */
  jitterSeconds?: number | undefined;
  /** The key of the limit that bounds its runs. */
  limitKey?: string | undefined;
  /** The times that were given as local ones: `timezone` is their zone. */
  local?: LocalTimes | undefined;
  /** How often it recurs at most. */
  maxRuns?: number | undefined;
  /** What becomes of runs that were missed. */
  misfire?: Misfire | undefined;
  /** What happens once a run has failed for good. */
  onFailure?: Callback | undefined;
  /** What happens once a run has succeeded. */
  onSuccess?: Callback | undefined;
  /** How the run ended, if it is a follow-up. */
  outcome?: Run | undefined;
  /**
   * What becomes of a run that comes before the end of the one before.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire.
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
  /** The due time that was asked for, milliseconds since 1970. */
  time?: number | undefined;
  /** The IANA time zone that `cron` and `rrule` are read in; absent: UTC. */
  timezone?: string | undefined;
  /** By how much later each run may be, seconds. */
  windowSeconds?: number | undefined;
}

/** What became of the dead letters to discard. */
export interface DiscardedMany {
  /** They are gone. */
  discarded: number;
  /** Whether every dead letter was looked at; where not, send the request again. */
  done: boolean;
  /**
   * The ids of the request for which there is no dead letter (any more). Absent if the request
   * names no ids.
   */
  notFound?: string[] | undefined;
}

/** What a request for many tasks would do. It has changed nothing. */
export interface DryRun {
  /** How many tasks, attempts or dead letters it would change, as far as they were counted. */
  count: number;
  /**
   * Whether all were counted. A count takes a bounded amount of work: where it is false, there
   * may be more. The same request again counts further if the filter reads tasks.
   */
  done: boolean;
  dryRun: true;
  /** How many of these are attempts in flight. Absent for 0. */
  running?: number | undefined;
  /** The first of them, in the order of a list. */
  tasks: Task[];
}

/** A call of a Durable Object through a namespace's binding. */
export interface DurableObjectFunctionCallback {
  /** The name of the binding: one of the deployment's `DURABLE_OBJECT_BINDINGS`. */
  binding: string;
  /**
   * Sent in the task's place, or the function's argument in its place: a text as it is, any
   * other value as JSON.
   */
  body?: unknown;
  /** The name of a function that is called by RPC, with the task. */
  function: string;
  headers?: null | undefined;
  method?: null | undefined;
  /** The name of the object. */
  name: string;
  path?: null | undefined;
  /** How long an attempt may take, seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "durable-object";
}

/** A call of a Durable Object through a namespace's binding. */
export interface DurableObjectRequestCallback {
  /** The name of the binding: one of the deployment's `DURABLE_OBJECT_BINDINGS`. */
  binding: string;
  /**
   * Sent in the task's place, or the function's argument in its place: a text as it is, any
   * other value as JSON.
   */
  body?: unknown;
  function?: null | undefined;
  /**
   * Of a request; sent beside those that the dispatcher sets. `content-type` together with
   * `body` only.
   */
  headers?: {
    [key: string]: string;
  } | null | undefined;
  /** Of a request. `GET` and `DELETE` send no body. Default: `"POST"`. */
  method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE" | null | undefined;
  /** The name of the object. */
  name: string;
  /** Path and query of a request to its `fetch`. */
  path: string;
  /** How long an attempt may take, seconds. Default: `30`. */
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

/** Attempts with like errors. */
export interface ErrorGroup {
  /** The number of these attempts on this page. Older pages may have more of them. */
  count: number;
  /** Their error, in which `<n>` stands in place of each number and `<id>` in place of each id. */
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
  /** When it fires next, where that is known. */
  nextRun?: NextRun | undefined;
  /** Why it was paused. */
  pauseNote?: string | undefined;
  /** When the task was paused, milliseconds since 1970. */
  pausedAt?: number | undefined;
  /** The name of the API key that paused it. */
  pausedBy?: string | undefined;
  /** The most important first. */
  reasons: Reason[];
  /** How attempts went, the newest first: the last few that `/runs` lists. */
  recentRuns: Run[];
  /**
   * The schedule of the task as a sentence in English, which `/v1/parse` reads as the same
   * schedule. Absent if the task has no schedule, or nothing of it waits.
   */
  sentence?: string | undefined;
  /**
   * What it waits for; absent where nothing of it waits or runs.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it was dispatched, and its outcome is not reported yet.
   * - `paused`: It waits to be resumed.
   * - `dead-lettered`: It failed for good, and is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule, and waits for nothing.
   */
  status?: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | undefined;
  /** When its definition was last changed, milliseconds since 1970, as the task says. */
  updatedAt?: number | undefined;
}

/** Which tasks are meant: those that fulfil every part that is given. At least one part is required; to select every task, send `{"all":true}` alone. */
export interface Filter {
  /** Every task, with no other part beside it. */
  all?: true | null | undefined;
  /** The callback is a webhook to this host. A port is not part of it. */
  callbackHost?: string | null | undefined;
  /**
   * The type of the callback.
   * - `webhook`: A request to a URL.
   * - `service`: A call of another Worker.
   * - `durable-object`: A call of a Durable Object.
   * - `handler`: A function that is built into the Worker.
   * - `queue`: A message in a queue of yours.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | null | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | null | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; of a task that is paused or
   * held, `time`; of a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | null | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It fires again and again: any of the next three.
   * - `cron`: It fires again and again, by cron expressions.
   * - `every`: It fires again and again, at an interval.
   * - `rrule`: It fires again and again, by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind?: "once" | "recurring" | "cron" | "every" | "rrule" | "no-schedule" | null | undefined;
  /**
   * How the last attempt ended, as far as the task keeps it.
   * - `none`: Nothing is known of an attempt: it is the first one, or the task recurs or has no schedule.
   * - `failed`: It failed, and a further attempt waits, is paused or is in flight.
   * - `dead-lettered`: It failed for good: a dead letter.
   * - `succeeded`: The run succeeded, and its follow-up waits, is paused or is in flight.
   * - `expired`: The run expired, and its follow-up waits, is paused or is in flight.
   */
  lastOutcome?: "none" | "failed" | "dead-lettered" | "succeeded" | "expired" | null | undefined;
  /** Whether it waits to be resumed, or will when its attempt in flight has ended. */
  paused?: boolean | null | undefined;
  /** The id starts with this. */
  prefix?: string | null | undefined;
  /**
   * The status.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it was dispatched, and its outcome is not reported yet.
   * - `paused`: It waits to be resumed.
   * - `dead-lettered`: It failed for good, and is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule, and waits for nothing.
   */
  status?: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | null | undefined;
  /** The tags include this. */
  tag?: string | null | undefined;
  /** The tags include all of these. Not beside `tag`. */
  tags?: readonly string[] | null | undefined;
  /** The id or the description contains this. Upper and lower case are equal. */
  text?: string | null | undefined;
  /** The time of the task is before this time. */
  to?: Time | null | undefined;
}

/** An attempt that was dispatched and not reported. Times are milliseconds since 1970. */
export interface Flight {
  /** Which attempt at it this is, from 1. */
  attempt: number;
  /**
   * What was decided about its run since. This attempt runs to its end in any case.
   * - `cancelled`: It was cancelled, or another task has taken its place.
   * - `paused`: It was paused: a further attempt waits to be resumed.
   */
  decided?: "cancelled" | "paused" | undefined;
  /** When it was dispatched. */
  firedAt: number;
  /** How often it has been sent again. */
  sentAgain: number;
  /** When it is sent again, if no report comes. */
  sentAgainAt: number;
  /** The occurrence. */
  time: number;
}

/** How many runs come due in each part of the time ahead. */
export interface Forecast {
  /** The length of a bucket, milliseconds. The last one may be shorter. */
  bucketMillis: number;
  /** In order, without a gap. */
  buckets: ForecastBucket[];
  /**
   * Every run that is due before this time is counted, milliseconds since 1970. It is `to`, or
   * the beginning of a bucket if the shards stopped at the bound of their work: the counts of
   * the buckets from there on are then too low.
   */
  countedUntil: number;
  /** Where the first bucket begins, milliseconds since 1970. */
  from: number;
  /**
   * How many shards could not answer, because they still run an earlier version. Their runs are
   * missing in every bucket, and `countedUntil` is `from`. Absent if there is none.
   */
  missingShards?: number | undefined;
  /** Where the last bucket ends, milliseconds since 1970: what is due then is not counted. */
  to: number;
}

/** How many runs come due in a part of the time. */
export interface ForecastBucket {
  /** When it begins, milliseconds since 1970. */
  at: number;
  /**
   * What waits with a due time of its own: one-shot tasks, further attempts, and runs that wait
   * for a limit or a destination.
   */
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

/** That the Worker runs. */
export interface Health {
  status: "ok";
  /** The release of IANA's time zone database that is built in, such as `2026f`. */
  timeZones: string;
}

/** A key, without its secret. */
export interface Key {
  /** When it was made. */
  createdAt: number;
  /** When the key expires. Absent if it never expires. */
  expiresAt?: number | undefined;
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
 * Percentiles in milliseconds, estimated from buckets of which each ends at most half above its
 * beginning.
 */
export interface Lateness {
  /** Half of what fired was not later. */
  p50: number;
  /** 99 of 100 that fired were not later. */
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

/** The times that were given as local ones, as they were given; `timezone` is their zone. */
export interface LocalTimes {
  /** A run of the interval. */
  anchor?: string | null | undefined;
  /** It does not recur after. */
  endAt?: string | null | undefined;
  /** It does not recur before. */
  startAt?: string | null | undefined;
  /** When it fires. */
  time?: string | null | undefined;
}

/** A new key. */
export interface MadeKey {
  /** When it was made. */
  createdAt: number;
  /** When the key expires. Absent if it never expires. */
  expiresAt?: number | undefined;
  /** Its name in this API; also the middle part of the key itself. */
  id: string;
  /**
   * The key itself: to be sent as a bearer token. It is shown this once, and only its hash is
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

/** Which dead letters: by id, by filter, or all. */
export type ManyLetters = {
  ids: readonly string[];
} | {
  /**
   * Changes nothing, and answers how many dead letters the request would affect, and the
   * first of them.
   */
  dryRun?: boolean | null | undefined;
  filter: DeadLetterFilter;
} | {
  all: true;
  /** Changes nothing, and answers how many there are, and the first of them. */
  dryRun?: boolean | null | undefined;
};

/** The answer to a request of the Model Context Protocol. */
export type McpAnswer = {
  /** That of the request. */
  id: string | number;
  jsonrpc: "2.0";
  result: {
    [key: string]: unknown;
  };
} | McpError;

/** The refusal of a message of the Model Context Protocol. */
export interface McpError {
  /** Why a message is refused. */
  error: {
    /** The code, as JSON-RPC or the protocol defines it. */
    code: number;
    /** What a program may need, such as the revisions that are spoken. */
    data?: {
      [key: string]: unknown;
    } | undefined;
    message: string;
  };
  /** That of the request. Absent if it could not be read. */
  id?: string | number | undefined;
  jsonrpc: "2.0";
}

/** A message of JSON-RPC 2.0, as a client of the Model Context Protocol posts it. */
export interface McpMessage {
  /**
   * Names the request, and the answer repeats it: at most 1,024 bytes of JSON. A notification has
   * none.
   */
  id?: string | number | null | undefined;
  /** The version of JSON-RPC. */
  jsonrpc: "2.0";
  /** What is asked for, such as `tools/list` or `tools/call`. */
  method: string;
  /** The parameters of the method, and in `_meta` what is said of the request. */
  params?: {
    [key: string]: unknown;
  } | null | undefined;
}

/** What the platform bills. */
export interface Meter {
  /** Alarms set. */
  alarmsSet: number;
  /**
   * Firings that windows have spared, at the least: each would have cost some rows, and often an
   * alarm.
   */
  firingsSaved: number;
  /** Queue operations. */
  queueOperations: number;
  /** Rows read. */
  rowsRead: number;
  /** Rows written, one for each alarm included. */
  rowsWritten: number;
  /** Requests to shards, alarms that went off included. */
  shardRequests: number;
}

/** What happens to a run that was missed: one that would fire later than it may, after an outage, a pause or a restore. */
export interface Misfire {
  /** How late a run may fire that was not missed, seconds. Default: `60.0`. */
  graceSeconds?: number | null | undefined;
  /**
   * `fire`: it fires, of a recurring task all that were missed, at most the last 100.
   * `fire-once`: of a recurring task, only the last that was missed fires. `skip`: it does not
   * fire. `dead-letter`: it does not fire, and is kept as a dead letter.
   * - `fire`: The run fires, however late. Of a recurring task all missed runs fire, at most the last 100.
   * - `fire-once`: It fires, but of a recurring task only the last that was missed.
   * - `skip`: It does not fire.
   * - `dead-letter`: It does not fire, and is kept as a dead letter.
   */
  policy: "fire" | "fire-once" | "skip" | "dead-letter";
}

/** A merge patch: members that are absent stay as they are. */
export interface MisfirePatch {
  /** How late a run may fire that was not missed, seconds. Default: `60.0`. */
  graceSeconds?: number | null | undefined;
  /**
   * `fire`: it fires, of a recurring task all that were missed, at most the last 100.
   * `fire-once`: of a recurring task, only the last that was missed fires. `skip`: it does not
   * fire. `dead-letter`: it does not fire, and is kept as a dead letter.
   * - `fire`: The run fires, however late. Of a recurring task all missed runs fire, at most the last 100.
   * - `fire-once`: It fires, but of a recurring task only the last that was missed.
   * - `skip`: It does not fire.
   * - `dead-letter`: It does not fire, and is kept as a dead letter.
   */
  policy?: "fire" | "fire-once" | "skip" | "dead-letter" | null | undefined;
}

/** A namespace: ids, lists and counts of its own. */
export interface Namespace {
  /** When it was made; absent for `default`, which is always there. */
  createdAt?: number | undefined;
  name: string;
  quota: Quota;
}

/** Namespaces: `default`, then the others in order of their names. */
export interface NamespaceList {
  namespaces: Namespace[];
}

/** A task that recurs by cron expressions. */
export interface NewCronTask {
  anchor?: null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: Callback | null | undefined;
  /** When it fires, again and again. */
  cron: string | readonly string[];
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Overwrites the task of this id; one is generated without. No control characters, neither `.`
   * nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
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
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type?: "cron" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task that recurs at an interval. */
export interface NewIntervalTask {
  /**
   * A run of the interval, before which there is none. Without it: `startAt`, else one interval
   * from now.
   */
  anchor?: Time | null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  /** Fires at this interval, without drift, seconds; rounded to milliseconds. */
  everySeconds: number;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Overwrites the task of this id; one is generated without. No control characters, neither `.`
   * nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
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
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type?: "every" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A key to make. */
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

/** What a namespace should have; without a body, no quota. */
export interface NewNamespace {
  /** Replaces the quota that there was. */
  quota?: Quota | null | undefined;
}

/** A task that recurs by a rule of RFC 5545. */
export interface NewRuleTask {
  anchor?: null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Overwrites the task of this id; one is generated without. No control characters, neither `.`
   * nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  /** Fires by this rule of RFC 5545, which begins at `startAt`. */
  rrule: string;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt: Time;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type?: "rrule" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task to take in: what to run, and exactly one of `time`, `delayInSeconds`, `cron`, `everySeconds`, `rrule`, `schedule` and `"type":"no-schedule"`. Members that are marked as read-only are ignored: an answer shows them, and the scheduler sets them. */
export type NewTask = NewTaskAtTime | NewTaskAfterDelay | NewCronTask | NewIntervalTask | NewRuleTask | NewTaskInWords | NewUnscheduledTask;

/** A task that fires once, after a delay. */
export interface NewTaskAfterDelay {
  anchor?: null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  /** How long from now it fires, once, seconds. */
  delayInSeconds: number;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Overwrites the task of this id; one is generated without. No control characters, neither `.`
   * nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: Callback | null | undefined;
  overlap?: null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type?: "delayed" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task that fires once, at a time. */
export interface NewTaskAtTime {
  anchor?: null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Overwrites the task of this id; one is generated without. No control characters, neither `.`
   * nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: Callback | null | undefined;
  overlap?: null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  /** When it fires, once. One that is past fires at once. */
  time: Time;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type?: "scheduled" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A task whose schedule is a sentence in English or German. */
export interface NewTaskInWords {
  anchor?: null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Overwrites the task of this id; one is generated without. No control characters, neither `.`
   * nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
   */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: Callback | null | undefined;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  /**
   * When it fires, in English or German: `every monday at 10:00`. It replaces the fields that say
   * when. The task gets the fields that it means, and keeps the sentence in `words`. Local times
   * are of `timezone`, unless the sentence names a zone. The limit is in bytes of UTF-8.
   */
  schedule: string;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type?: "words" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  words?: null | undefined;
}

/** A task that does not fire by itself. */
export interface NewUnscheduledTask {
  anchor?: null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: Callback | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  expireAfterSeconds?: null | undefined;
  /**
   * Overwrites the task of this id; one is generated without. No control characters, neither `.`
   * nor `..`, and not starting with `handler:`. The limit is in bytes of UTF-8.
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
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  misfire?: null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: Callback | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: Callback | null | undefined;
  overlap?: null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type: "no-schedule";
  windowSeconds?: null | undefined;
  words?: null | undefined;
}

/** When a task fires next. Milliseconds since 1970. */
export interface NextRun {
  /** When it fires. */
  due: number;
  /** Its nominal time, which names the run. */
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
  /** The sentence is read as if it were said at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The language of the sentence: `en` or `de`. Without it, the words decide. */
  language?: "en" | "de" | null | undefined;
  /** The sentence: up to 500 characters outside of double quotes. */
  text: string;
  /**
   * The IANA time zone of the caller, in which local times are read unless the sentence names
   * another one. Without it, UTC.
   */
  timezone?: string | null | undefined;
}

/** Something that a sentence leaves open. */
export interface ParsedAssumption {
  /** The percent by which it lowers the confidence. */
  cost: number;
  /** What was decided, as a sentence. */
  text: string;
}

/** One way to read an ambiguous sentence. */
export interface ParsedChoice {
  /** The words on whose meaning it depends, each with what they mean here. */
  differs: ParsedDifference[];
  /** The whole reading. */
  reading: ParsedReading;
}

/** What some words mean in one choice. */
export interface ParsedDifference {
  /** Their meaning here. */
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
  /** What the sentence leaves open, and the reading has decided. */
  assumptions: ParsedAssumption[];
  /** 10 to 100, percent: 100 less the cost of each assumption and of the ignored words. */
  confidence: number;
  /**
   * What the task is: the words that do not say when, without `remind me to` and the like.
   * Absent if there are none.
   */
  description?: string | undefined;
  /** The other parts, in order. */
  ignored: ParsedPart[];
  /** Whether there are further ones. */
  more: boolean;
  /** The next runs, up to three. */
  runs: ParsedRun[];
  /**
   * The fields of a task that say when. You can send them without a change. They are exact: a
   * delay such as `in 20 minutes` has become a time.
   */
  schedule: ParsedSchedule;
  /** The schedule as one sentence in this language. It is read as the same schedule. */
  sentence: string;
  /** The parts that say when, in order. */
  used: ParsedPart[];
}

/** Why a sentence is refused. */
export interface ParsedRefusal {
  /** The reason as a sentence, often with what to write instead. */
  message: string;
  /** Sentences that are near it and that are understood. */
  near: string[];
  /** What was not understood. */
  part: ParsedPart;
  /**
   * The kind of reason. `tooLong`: the sentence exceeds a limit. `nothingFound`: nothing says
   * when. `notUnderstood`: a part looks as if it said when. `impossible`: a date, a time or a
   * number does not exist. `past`: the time is past. `missing`: something has no default.
   * `conflict`: two parts do not fit together. `unsupported`: no schedule says it exactly.
   * `tooAmbiguous`: it has more than eight readings.
   */
  reason: "tooLong" | "nothingFound" | "notUnderstood" | "impossible" | "past" | "missing" | "conflict" | "unsupported" | "tooAmbiguous";
}

/** A run of a schedule, on two clocks. */
export interface ParsedRun {
  /** Its time on the clock of the caller, RFC 3339. */
  callerLocal: string;
  /** What a change of the clock does to it; absent on most. */
  clockChange?: "gap-moved" | "gap-shifted" | "gap-absent" | "first-of-two" | "first-pass" | "second-pass" | undefined;
  /** When it fires, milliseconds since 1970: later than its time by jitter and window. */
  due: number;
  /** The same in words. */
  explanation?: string | undefined;
  /** The same on the local clock, RFC 3339. */
  local: string;
  /** Its nominal time, which the task is fired with, milliseconds since 1970. */
  time: number;
}

/**
 * The fields of a task that say when. Exactly one of `time`, `cron`, `everySeconds` and `rrule` is
 * there.
 */
export interface ParsedSchedule {
  /** A run of the interval: RFC 3339, or a local time of `timezone`. */
  anchor?: string | undefined;
  /** When it fires, again and again. */
  cron?: string | string[] | undefined;
  /** No run is after this time. */
  endAt?: string | undefined;
  /** The interval at which it fires, seconds. */
  everySeconds?: number | undefined;
  /** The number of runs after which it ends. */
  maxRuns?: number | undefined;
  /** A rule of RFC 5545, which begins at `startAt`. */
  rrule?: string | undefined;
  /** No run is before this time. */
  startAt?: string | undefined;
  /** When it fires, once: RFC 3339, or a local time of `timezone`. */
  time?: string | undefined;
  /** The IANA time zone of `cron`, `rrule` and local times. */
  timezone?: string | undefined;
}

/** The meaning of a sentence, or why it has none. */
export interface ParsedSentence {
  /** The ways to read it, the more likely ones first: 2 to 8. Only if it is ambiguous. */
  choices?: ParsedChoice[] | undefined;
  /** The language in which it was read. */
  language: "en" | "de";
  /**
   * `understood`: it says one schedule. `ambiguous`: it can be read in several ways, and the
   * caller has to choose. `refused`: it says no schedule, or none that the scheduler has.
   */
  outcome: "understood" | "ambiguous" | "refused";
  /** What to ask the user, a sentence for each open question. Only if it is ambiguous. */
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
   * Why they are paused, for a pause only. A pause with a note replaces the note of a paused
   * task.
   */
  note?: string | null | undefined;
}

/** Which tasks, by id, by a filter, or all, and why. */
export type PauseMany = {
  all?: null | undefined;
  dryRun?: null | undefined;
  filter?: null | undefined;
  /** By id; a repeated id counts once. Not where the path names the task. */
  ids: string[];
  /**
   * Why they are paused, for a pause only. A pause with a note replaces the note of a paused
   * task.
   */
  note?: string | null | undefined;
} | {
  all?: null | undefined;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** All that fulfil every part of the filter. Not where the path names the task. */
  filter: Filter;
  ids?: null | undefined;
  /**
   * Why they are paused, for a pause only. A pause with a note replaces the note of a paused
   * task.
   */
  note?: string | null | undefined;
} | {
  /** Every task, in place of ids and filter. Not where the path names the task. */
  all: true;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
  /**
   * Why they are paused, for a pause only. A pause with a note replaces the note of a paused
   * task.
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

/** The runs of a schedule. */
export interface Preview {
  /** Whether there are further ones. */
  more: boolean;
  /** In order. */
  runs: PreviewRun[];
  /**
   * The schedule as a sentence in English, which `/v1/parse` reads as the same schedule. Absent
   * if its runs take long to work out.
   */
  sentence?: string | undefined;
  /** The zone that local times are shown in: that of the schedule. */
  timezone: string;
}

/** A schedule to look at: the fields of a task that say when, and how many of its runs to show. The body of a whole task is taken, too. Members that are marked as read-only are ignored: an answer shows them, and the scheduler sets them. */
export type PreviewRequest = {
  anchor?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  callback?: unknown;
  /** How many runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  description?: unknown;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** Runs are shown as if the task were created at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The task's id, which decides its jitter. */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onSuccess?: unknown;
  overlap?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  paused?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  payload?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  priority?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  tags?: unknown;
  /** When it fires, once. One that is past fires at once. */
  time: Time;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "scheduled" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  callback?: unknown;
  /** How many runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  /** How long from then it fires, once, seconds. */
  delayInSeconds: number;
  /** Ignored: a member of the task that says nothing of its schedule. */
  description?: unknown;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** Runs are shown as if the task were created at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The task's id, which decides its jitter. */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onSuccess?: unknown;
  overlap?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  paused?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  payload?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  priority?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "delayed" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  callback?: unknown;
  /** How many runs to show. Default: `10`. */
  count?: number | null | undefined;
  /** When it fires, again and again. */
  cron: string | readonly string[];
  delayInSeconds?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** Runs are shown as if the task were created at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The task's id, which decides its jitter. */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onSuccess?: unknown;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  paused?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  payload?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  priority?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "cron" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  /**
   * A run of the interval, before which there is none. Without it: `startAt`, else one interval
   * from now.
   */
  anchor?: Time | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  callback?: unknown;
  /** How many runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  /** Fires at this interval, without drift, seconds; rounded to milliseconds. */
  everySeconds: number;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** Runs are shown as if the task were created at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The task's id, which decides its jitter. */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onSuccess?: unknown;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  paused?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  payload?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  priority?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "every" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  callback?: unknown;
  /** How many runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** Runs are shown as if the task were created at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The task's id, which decides its jitter. */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onSuccess?: unknown;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  paused?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  payload?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  priority?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  retry?: unknown;
  /** Fires by this rule of RFC 5545, which begins at `startAt`. */
  rrule: string;
  schedule?: null | undefined;
  /** Does not recur before this time. */
  startAt: Time;
  /** Ignored: a member of the task that says nothing of its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "rrule" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  callback?: unknown;
  /** How many runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  description?: unknown;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  everySeconds?: null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /** Runs are shown as if the task were created at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The task's id, which decides its jitter. */
  id?: string | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: Misfire | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onSuccess?: unknown;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  paused?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  payload?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  priority?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  /**
   * When it fires, in English or German: `every monday at 10:00`. It replaces the fields that say
   * when. The task gets the fields that it means, and keeps the sentence in `words`. Local times
   * are of `timezone`, unless the sentence names a zone. The limit is in bytes of UTF-8.
   */
  schedule: string;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type?: "words" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  words?: null | undefined;
} | {
  anchor?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  callback?: unknown;
  /** How many runs to show. Default: `10`. */
  count?: number | null | undefined;
  cron?: null | undefined;
  delayInSeconds?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  description?: unknown;
  endAt?: null | undefined;
  everySeconds?: null | undefined;
  expireAfterSeconds?: null | undefined;
  /** Runs are shown as if the task were created at this time. Without it, now. */
  from?: Time | null | undefined;
  /** The task's id, which decides its jitter. */
  id?: string | null | undefined;
  jitterSeconds?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  limitKey?: unknown;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  maxRuns?: null | undefined;
  misfire?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onFailure?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  onSuccess?: unknown;
  overlap?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  paused?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  payload?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  priority?: unknown;
  /** Ignored: a member of the task that says nothing of its schedule. */
  retry?: unknown;
  rrule?: null | undefined;
  schedule?: null | undefined;
  startAt?: null | undefined;
  /** Ignored: a member of the task that says nothing of its schedule. */
  tags?: unknown;
  time?: null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out; must agree with the field that says when. */
  type: "no-schedule";
  windowSeconds?: null | undefined;
  words?: null | undefined;
};

/** A run of a schedule. */
export interface PreviewRun {
  /** What a change of the clock does to it; absent on most. */
  clockChange?: "gap-moved" | "gap-shifted" | "gap-absent" | "first-of-two" | "first-pass" | "second-pass" | undefined;
  /** When it fires, milliseconds since 1970: later than its time by jitter and window. */
  due: number;
  /** The same in words. */
  explanation?: string | undefined;
  /** The same on the local clock, RFC 3339. */
  local: string;
  /** Its nominal time, which the task is fired with, milliseconds since 1970. */
  time: number;
}

/** A refusal, as RFC 9457 writes it. */
export interface Problem {
  /** Of `/problems/batch-rejected` only: 0. */
  accepted?: number | undefined;
  /** This problem, for people: the field, the limit, and what to do. */
  detail: string;
  /** The field at fault, as a path: `callback.url`, `tags[3]`; `body` for the whole. */
  field?: string | undefined;
  /** Of `/problems/batch-rejected` only: the number of tasks. */
  rejected?: number | undefined;
  /** Of `/problems/batch-rejected` only: the error of each task, in the order of the request. */
  results?: ({
    /** An invalid field of a request: its name, and the problem with the limit or with what to do. */
    error: {
      /** The field, the problem and the limit, for people. */
      detail: string;
      /** The field, as a path: `callback.url`, `tags[3]`; `body` for the whole. */
      field: string;
      /** Says whether the same item may be accepted later. Absent if the item itself is invalid. */
      retryable?: boolean | undefined;
    };
    id?: string | undefined;
    /** The number of its line, from 1, if the body has a task a line. */
    line?: number | undefined;
  } | {
    /**
     * The index of the task before it in the request that has the same id, and that it
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

/** The record goes to the user's own consumer, through this producer binding. */
export interface QueueCallback {
  /** The name of the binding. */
  queue: string;
  type: "queue";
}

/** A task in a message: `onSuccess` and `onFailure` have no `headers`. */
export interface QueuedTask {
  /** A run of the interval, before which there is none, milliseconds since 1970. */
  anchor?: number | undefined;
  /** Which attempt this is; absent on the first. */
  attempt?: number | undefined;
  /** What happens when it fires. */
  callback: Callback;
  /** When the task was created, milliseconds since 1970. Absent if an earlier release created it. */
  createdAt?: number | undefined;
  /** When it fires, again and again. */
  cron?: string | string[] | undefined;
  /** What the task is, in the user's words. */
  description?: string | undefined;
  /** It does not recur after this time, milliseconds since 1970. */
  endAt?: number | undefined;
  /** Why the last attempt failed. */
  error?: string | undefined;
  /** The interval at which it fires, seconds. */
  everySeconds?: number | undefined;
  /** A run does not start later than so long after it was due, seconds. */
  expireAfterSeconds?: number | undefined;
  /** When the last attempt failed, milliseconds since 1970. */
  failedAt?: number | undefined;
  /** The time of the last run, where runs are counted, milliseconds since 1970. */
  finalRun?: number | undefined;
  /** When the first attempt began, milliseconds since 1970. `retry.maxDurationSeconds` counts from here. */
  firstAttemptAt?: number | undefined;
  /** The first run, where runs are counted, milliseconds since 1970. */
  firstRun?: number | undefined;
  /** The task's id. */
  id: string;
  /** By how much each run is put off at most, seconds. */
  jitterSeconds?: number | undefined;
  /** If a new law of its time zone, or a shorter delay, has moved its due time into the past, the time from which its lateness counts, milliseconds since 1970. */
  lateSince?: number | undefined;
  /** The key of the limit that bounds its runs. */
  limitKey?: string | undefined;
  /** The times that were given as local ones: `timezone` is their zone. */
  local?: LocalTimes | undefined;
  /** How often it recurs at most. */
  maxRuns?: number | undefined;
  /** What becomes of runs that were missed. */
  misfire?: Misfire | undefined;
  /** Of a paused further attempt, the earliest time at which it starts, milliseconds since 1970. */
  notBefore?: number | undefined;
  /** What happens once a run has failed for good. */
  onFailure?: Callback | undefined;
  /** What happens once a run has succeeded. */
  onSuccess?: Callback | undefined;
  /** How the run ended, if it is a follow-up. */
  outcome?: Run | undefined;
  /**
   * What becomes of a run that comes before the end of the one before.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire.
   */
  overlap?: "allow" | "skip" | "queue-one" | undefined;
  /** Why it was paused: the `note` of the request. */
  pauseNote?: string | undefined;
  /** That a recurring task waits to be resumed. Of others, their place in the order says it. */
  paused?: boolean | undefined;
  /** When the task was paused, milliseconds since 1970. Absent if it is not paused, if it was created so, or if an earlier release paused it. */
  pausedAt?: number | undefined;
  /** The name of the API key that paused it. Absent for a key of the deployment's secret, which has no name. */
  pausedBy?: string | undefined;
  /** The user's data. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. */
  priority?: number | undefined;
  /** When a run of the dead letter, or of the task before its time, was requested, milliseconds since 1970. */
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
  /** The due time that was asked for, milliseconds since 1970. */
  time?: number | undefined;
  /** The IANA time zone that `cron` and `rrule` are read in; absent: UTC. */
  timezone?: string | undefined;
  /** When its definition was last changed, milliseconds since 1970. Absent if it was not. */
  updatedAt?: number | undefined;
  /** By how much later each run may be, seconds. */
  windowSeconds?: number | undefined;
}

/** What a namespace may have; what is absent is not limited. */
export interface Quota {
  /** Tasks created in a second, over the long run. */
  createsPerSecond?: number | null | undefined;
  /**
   * Tasks that wait: for their time, for a further attempt, to be resumed, or, without a
   * schedule, for nothing. Recurring ones count once.
   */
  pendingTasks?: number | null | undefined;
}

/** A part of an explanation. */
export interface Reason {
  /**
   * For programs.
   * - `scheduled`: It waits for its time. If its time has come, it waits for its turn.
   * - `put-off`: It fires later than its time.
   * - `overdue`: Its time has come, and it has not fired.
   * - `limited`: Its time has come, and it waits until the limit of its key has room for it.
   * - `circuit-open`: The destination that it is for does not answer: what is due for it waits.
   * - `paused`: It waits to be resumed.
   * - `unscheduled`: It has no schedule.
   * - `held`: It waits for the end of the run before.
   * - `retrying`: It waits for a further attempt, or was asked for; or a follow-up does.
   * - `in-flight`: An attempt was dispatched and has not been reported.
   * - `dead-lettered`: A run of it has failed for good, and is kept until you replay or discard it.
   * - `cancelled`: It was cancelled, and nothing of it waits.
   * - `done`: Its last run has ended, and nothing of it waits.
   * - `skipped`: Its last run was skipped, and nothing of it waits.
   * - `expired`: Its last run expired, and nothing of it waits.
   * - `overlap`: The run before has not ended, and runs may not overlap.
   * - `misfire`: What would become of it if it were late.
   * - `expiry`: Until when it may start.
   */
  code: "scheduled" | "put-off" | "overdue" | "limited" | "circuit-open" | "paused" | "unscheduled" | "held" | "retrying" | "in-flight" | "dead-lettered" | "cancelled" | "done" | "skipped" | "expired" | "overlap" | "misfire" | "expiry";
  /** For people. */
  detail: string;
}

/** What a replay changes of the dead letter. Each member is a JSON merge patch (RFC 7396). */
export interface ReplayInput {
  /**
   * Changes of the callback: members that are absent stay, and members that are null go. A
   * callback of another type replaces the former one. A task needs one, so it is not null.
   */
  callback?: {
    [key: string]: unknown;
  } | undefined;
  /**
   * Changes of the payload, if it is an object and so is the payload. Anything else replaces the
   * payload, and null removes it.
   */
  payload?: unknown;
}

/** What became of the dead letters to replay. */
export interface ReplayedMany {
  /** Whether every dead letter was looked at; where not, send the request again. */
  done: boolean;
  /**
   * The ids of the request for which there is no dead letter (any more). Absent if the request
   * names no ids.
   */
  notFound?: string[] | undefined;
  /** Each of them waits for its first attempt. */
  replayed: number;
}

/** The new time of a task, or a delay. */
export type Reschedule = {
  delayInSeconds?: null | undefined;
  /** When they fire instead, of a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`, of a reschedule only. */
  timezone?: string | null | undefined;
} | {
  /** How long from now they fire instead, seconds, of a reschedule only. */
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
  /** By id; a repeated id counts once. Not where the path names the task. */
  ids: readonly string[];
  /** When they fire instead, of a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`, of a reschedule only. */
  timezone?: string | null | undefined;
} | {
  all?: null | undefined;
  /** How long from now they fire instead, seconds, of a reschedule only. */
  delayInSeconds: number;
  dryRun?: null | undefined;
  filter?: null | undefined;
  /** By id; a repeated id counts once. Not where the path names the task. */
  ids: readonly string[];
  time?: null | undefined;
  timezone?: null | undefined;
} | {
  all?: null | undefined;
  delayInSeconds?: null | undefined;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** All that fulfil every part of the filter. Not where the path names the task. */
  filter: Filter;
  ids?: null | undefined;
  /** When they fire instead, of a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`, of a reschedule only. */
  timezone?: string | null | undefined;
} | {
  all?: null | undefined;
  /** How long from now they fire instead, seconds, of a reschedule only. */
  delayInSeconds: number;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** All that fulfil every part of the filter. Not where the path names the task. */
  filter: Filter;
  ids?: null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
} | {
  /** Every task, in place of ids and filter. Not where the path names the task. */
  all: true;
  delayInSeconds?: null | undefined;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
  /** When they fire instead, of a reschedule only. */
  time: Time;
  /** The IANA time zone of a local `time`, of a reschedule only. */
  timezone?: string | null | undefined;
} | {
  /** Every task, in place of ids and filter. Not where the path names the task. */
  all: true;
  /** How long from now they fire instead, seconds, of a reschedule only. */
  delayInSeconds: number;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
  time?: null | undefined;
  timezone?: null | undefined;
};

/** When a failed task is tried again: exponential back-off with jitter. Every field may be left out. */
export interface Retry {
  /** By how much each wait is longer than the one before. */
  factor?: number | null | undefined;
  /**
   * The share by which a wait is longer or shorter at random. No wait is longer than
   * `maxBackoffSeconds`.
   */
  jitter?: number | null | undefined;
  /** Attempts in all, the first included. */
  maxAttempts?: number | null | undefined;
  /** The longest wait, seconds, jitter included; not less than `minBackoffSeconds`. */
  maxBackoffSeconds?: number | null | undefined;
  /** From the start of the first attempt to the last attempt at most, seconds. */
  maxDurationSeconds?: number | null | undefined;
  /** The wait before the second attempt, seconds. Jitter may make it shorter. */
  minBackoffSeconds?: number | null | undefined;
  /**
   * HTTP statuses after which it is not tried again: numbers, and the classes `3xx`, `4xx` and
   * `5xx`. `4xx` leaves out 408, 425 and 429, which say "not now"; 410 is never tried again.
   */
  permanentStatuses?: (number | ("3xx" | "4xx" | "5xx"))[] | null | undefined;
}

/** How an attempt went, as the API shows it. Times are milliseconds since 1970. */
export interface Run {
  /** Which attempt at it this was, from 1. Absent if the task was cancelled. */
  attempt?: number | undefined;
  /** The name of the API key that cancelled it. */
  by?: string | undefined;
  /** What went wrong. */
  error?: string | undefined;
  /** How the body of the answer begins, on one line. */
  excerpt?: string | undefined;
  /** When it ended; absent where that is not known. */
  finishedAt?: number | undefined;
  /**
   * When it was dispatched; absent if the run was skipped, expired or cancelled, or was a dead
   * letter before it could start.
   */
  firedAt?: number | undefined;
  /** The id of the task; only in a list of the runs of all tasks. */
  id?: string | undefined;
  /**
   * How it ended: `succeeded`, `failed` (and is tried again), `dead-lettered` (failed for good),
   * `handed-over` (to your queue), `expired` or `skipped` (not started), `cancelled`. Expect
   * others: later versions may add some.
   */
  outcome: string;
  /** When its outcome was recorded. */
  reportedAt: number;
  /** `onSuccess` or `onFailure`, if it is an attempt at a follow-up of the run. */
  stage?: string | undefined;
  /** When it began; absent where that is not known, as of what goes to a queue. */
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
   * The requested time of the run. With the id it names the run; the attempts at a run and at
   * its follow-ups have the same one. Absent if the task was cancelled.
   */
  time?: number | undefined;
}

/** What the run has in place of what its task has. */
export interface RunInput {
  /** The payload of this run only. Later runs have the payload of the task. */
  payload?: unknown;
}

/** A page of a task's history. */
export interface RunList {
  /** Where the next page begins; null at the end of what is kept. */
  cursor: string | null;
  /** The newest first. */
  runs: Run[];
}

/** Which tasks, by id, by a filter, or all. */
export type Selection = {
  all?: null | undefined;
  dryRun?: null | undefined;
  filter?: null | undefined;
  /** By id; a repeated id counts once. Not where the path names the task. */
  ids: readonly string[];
} | {
  all?: null | undefined;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  /** All that fulfil every part of the filter. Not where the path names the task. */
  filter: Filter;
  ids?: null | undefined;
} | {
  /** Every task, in place of ids and filter. Not where the path names the task. */
  all: true;
  /**
   * Changes nothing, and answers how many tasks the request would change, and the first of them.
   * Not beside `ids`, and not where the path names the task.
   */
  dryRun?: boolean | null | undefined;
  filter?: null | undefined;
  ids?: null | undefined;
};

/** What happened in each minute of the last two hours, or in each hour of the last seven days. */
export interface Series {
  /** The length of a bucket, milliseconds. */
  bucketMillis: number;
  /** In order, without a gap. */
  buckets: SeriesBucket[];
  /** When the first bucket begins, milliseconds since 1970. */
  from: number;
  /**
   * How many shards could not answer, because they still run an earlier version. Their counts
   * are missing in every bucket. Absent if there is none.
   */
  missingShards?: number | undefined;
  /**
   * Present if a shard kept no series before this time, milliseconds since 1970: the counts of
   * earlier buckets are too low.
   */
  since?: number | undefined;
  /** When this was answered, milliseconds since 1970. The last bucket goes on. */
  to: number;
}

/** What happened in a minute or in an hour. */
export interface SeriesBucket {
  /** When it begins, milliseconds since 1970. */
  at: number;
  /**
   * The most runs that were overdue by more than a second at one time, as each shard saw it;
   * those that waited for their limits included.
   */
  backlog: number;
  /** Tasks taken in. */
  created: number;
  /** Attempts at runs that failed. */
  failed: number;
  /** Attempts that were dispatched, at runs and at follow-ups. A redelivery does not count. */
  fired: number;
  /** Runs that your own queue has taken. What its consumer did with them is not known. */
  handedOver: number;
  /** From the due times of what fired to its firing. Absent if nothing fired. */
  latenessMillis?: Lateness | undefined;
  /** Queue operations. */
  queueOperations: number;
  /** Rows written, one for each alarm included. */
  rowsWritten: number;
  /** Runs that succeeded. Follow-ups, and what went to your own queue, do not count. */
  succeeded: number;
}

/** A call of another Worker through a service binding. */
export interface ServiceFunctionCallback {
  /** The name of the binding: one of the deployment's `SERVICE_BINDINGS`. */
  binding: string;
  /**
   * Sent in the task's place, or the function's argument in its place: a text as it is, any
   * other value as JSON.
   */
  body?: unknown;
  /** The name of a function that is called by RPC, with the task. */
  function: string;
  headers?: null | undefined;
  method?: null | undefined;
  path?: null | undefined;
  /** How long an attempt may take, seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "service";
}

/** A call of another Worker through a service binding. */
export interface ServiceRequestCallback {
  /** The name of the binding: one of the deployment's `SERVICE_BINDINGS`. */
  binding: string;
  /**
   * Sent in the task's place, or the function's argument in its place: a text as it is, any
   * other value as JSON.
   */
  body?: unknown;
  function?: null | undefined;
  /**
   * Of a request; sent beside those that the dispatcher sets. `content-type` together with
   * `body` only.
   */
  headers?: {
    [key: string]: string;
  } | null | undefined;
  /** Of a request. `GET` and `DELETE` send no body. Default: `"POST"`. */
  method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE" | null | undefined;
  /** Path and query of a request to its `fetch`. */
  path: string;
  /** How long an attempt may take, seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "service";
}

/** One shard in numbers. */
export interface ShardStats {
  /** Tasks cancelled. */
  cancelled: number;
  /** Destinations that do not answer: their circuits, as far as these are not closed. */
  circuits: Circuit[];
  /** Tasks taken in. */
  created: number;
  /** Runs and follow-ups that failed for good. */
  deadLettered: number;
  /** Occurrences that failed for good and are kept. */
  deadLetters: number;
  /** Dead letters that are not kept any more, because others came, or because there was no room. */
  deadLettersDisplaced: number;
  /** Runs that came too late to start; many that were missed together count once. */
  expired: number;
  /** Attempts at runs that failed. */
  failed: number;
  /** Attempts that were dispatched, at runs and at follow-ups. A redelivery does not count. */
  fired: number;
  /** Attempts at follow-ups that failed. */
  followUpsFailed: number;
  /** Follow-ups that succeeded, or that your own queue has taken. */
  followUpsSucceeded: number;
  /** Runs that your own queue has taken. What its consumer did with them is not known. */
  handedOver: number;
  /** Tasks that were dispatched and whose outcome is not known. */
  inFlight: number;
  /** From a task's time to its firing. */
  latenessMillis: Percentiles;
  /** Bytes of memory that pending tasks take. */
  memoryBytes: number;
  meter: Meter;
  /** Pending tasks whose time is past. */
  overdue: number;
  /** Tasks that wait to be resumed. */
  paused: number;
  /** Tasks that wait for their time or a further attempt; recurring ones count once. */
  pending: number;
  /** Envelopes sent again. */
  redelivered: number;
  /** Alarms that the watchdog found missing. */
  repairs: number;
  /** How many of these replaced another task. */
  replaced: number;
  /** Recurring tasks. */
  schedules: number;
  /** Epoch and index. */
  shard: string;
  /**
   * Runs that did not fire: missed, or the one before had not ended. Many that were missed
   * together count once.
   */
  skipped: number;
  /** Runs that succeeded. Follow-ups, and what went to your own queue, count elsewhere. */
  succeeded: number;
  /** Tasks without a schedule. */
  unscheduled: number;
  /** Tasks with a limit's key whose time is past, and that wait for their turn. */
  waitingForLimits: number;
}

/** A limit, and what is known of the runs of its key. */
export interface ShownLimit {
  /** Most runs in flight at a time. */
  concurrency?: number | undefined;
  /**
   * Whether the shards together have no more slots than `concurrency`: not for a moment after it
   * was set or lowered, until the runs end that are in flight by then.
   */
  inEffect: boolean;
  /**
   * Runs that were dispatched and not reported, by the last messages of the shards. While tasks
   * wait, these are at most a second old.
   */
  inFlight: number;
  /** The key that tasks name as `limitKey`. */
  key: string;
  /** The most runs that are dispatched per second. */
  perSecond?: number | undefined;
  /** The shards that have slots or wait for some. */
  shards: {
    /** Runs that were dispatched and not reported, by its last message. */
    inFlight: number;
    /** The shard's name. */
    shard: string;
    /** Its slots. Absent if the shard does not know of the limit yet, and so has no bound. */
    slots?: number | undefined;
    /** Tasks that were due and waited, by its last message. */
    waiting: number;
  }[];
  /** Tasks that were due and waited, by the last messages of the shards. */
  waiting: number;
}

/** The scheduler in numbers. Counters count since the shards were made: take differences. */
export interface Stats {
  /** Tasks cancelled. */
  cancelled: number;
  /** Destinations that do not answer: their circuits, as far as these are not closed. */
  circuits: Circuit[];
  /** Tasks taken in. */
  created: number;
  /** Runs and follow-ups that failed for good. */
  deadLettered: number;
  /** Occurrences that failed for good and are kept. */
  deadLetters: number;
  /** Dead letters that are not kept any more, because others came, or because there was no room. */
  deadLettersDisplaced: number;
  /** Runs that came too late to start; many that were missed together count once. */
  expired: number;
  /** Attempts at runs that failed. */
  failed: number;
  /** Attempts that were dispatched, at runs and at follow-ups. A redelivery does not count. */
  fired: number;
  /** Attempts at follow-ups that failed. */
  followUpsFailed: number;
  /** Follow-ups that succeeded, or that your own queue has taken. */
  followUpsSucceeded: number;
  /** Runs that your own queue has taken. What its consumer did with them is not known. */
  handedOver: number;
  /** Tasks that were dispatched and whose outcome is not known. */
  inFlight: number;
  /** From a task's time to its firing. */
  latenessMillis: Percentiles;
  /** Bytes of memory that pending tasks take. */
  memoryBytes: number;
  meter: Meter;
  /** Pending tasks whose time is past. */
  overdue: number;
  /** Tasks that wait to be resumed. */
  paused: number;
  /** Tasks that wait for their time or a further attempt; recurring ones count once. */
  pending: number;
  /** Envelopes sent again. */
  redelivered: number;
  /** Alarms that the watchdog found missing. */
  repairs: number;
  /** How many of these replaced another task. */
  replaced: number;
  /** Recurring tasks. */
  schedules: number;
  shards: ShardStats[];
  /**
   * Runs that did not fire: missed, or the one before had not ended. Many that were missed
   * together count once.
   */
  skipped: number;
  /** Runs that succeeded. Follow-ups, and what went to your own queue, count elsewhere. */
  succeeded: number;
  /** The release of IANA's time zone database that is built in, such as `2026f`. */
  timeZones: string;
  /** Tasks without a schedule. */
  unscheduled: number;
  /** Tasks with a limit's key whose time is past, and that wait for their turn. */
  waitingForLimits: number;
}

/** A task as it is stored. */
export interface Task {
  /** A run of the interval, before which there is none, milliseconds since 1970. */
  anchor?: number | undefined;
  /** Which attempt this is; absent on the first. */
  attempt?: number | undefined;
  /** What happens when it fires. */
  callback: Callback;
  /** In the answer to a cancel, which shows the task as it was. */
  cancelled?: true | undefined;
  /** In the answer to a pause, a resume, a run or a reschedule: false if the task was so already. */
  changed?: boolean | undefined;
  /**
   * What a change of the clock does to the local time that it was given; absent on most. See the
   * preview.
   */
  clockChange?: "gap-moved" | "gap-shifted" | "first-of-two" | undefined;
  /** When the task was created, milliseconds since 1970. Absent if an earlier release created it. */
  createdAt?: number | undefined;
  /** The name of the API key that created it. Absent for a key of the deployment's secret, which has no name. */
  createdBy?: string | undefined;
  /** When it fires, again and again. */
  cron?: string | string[] | undefined;
  /**
   * Of a dead letter: its id, which is that of its task with times before it. See
   * `/v1/dead-letters`.
   */
  deadLetterId?: string | undefined;
  /** What the task is, in the user's words. */
  description?: string | undefined;
  /**
   * When it fires next, milliseconds since 1970; of an attempt in flight, when the run was due.
   * Absent if the task does not fire by itself.
   */
  due?: number | undefined;
  /** It does not recur after this time, milliseconds since 1970. */
  endAt?: number | undefined;
  /** Why the last attempt failed. */
  error?: string | undefined;
  /** The interval at which it fires, seconds. */
  everySeconds?: number | undefined;
  /** A run does not start later than so long after it was due, seconds. */
  expireAfterSeconds?: number | undefined;
  /** The same in words. */
  explanation?: string | undefined;
  /** When the last attempt failed, milliseconds since 1970. */
  failedAt?: number | undefined;
  /** The time of the last run, where runs are counted, milliseconds since 1970. */
  finalRun?: number | undefined;
  /** When the first attempt began, milliseconds since 1970. `retry.maxDurationSeconds` counts from here. */
  firstAttemptAt?: number | undefined;
  /** The first run, where runs are counted, milliseconds since 1970. */
  firstRun?: number | undefined;
  /** The task's id. */
  id: string;
  /** By how much each run is put off at most, seconds. */
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
  /** How often it recurs at most. */
  maxRuns?: number | undefined;
  /** What becomes of runs that were missed. */
  misfire?: Misfire | undefined;
  /** Of a paused further attempt, the earliest time at which it starts, milliseconds since 1970. */
  notBefore?: number | undefined;
  /** What happens once a run has failed for good. */
  onFailure?: Callback | undefined;
  /** What happens once a run has succeeded. */
  onSuccess?: Callback | undefined;
  /** How the run ended, if it is a follow-up. */
  outcome?: Run | undefined;
  /**
   * What becomes of a run that comes before the end of the one before.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire.
   */
  overlap?: "allow" | "skip" | "queue-one" | undefined;
  /** Why it was paused: the `note` of the request. */
  pauseNote?: string | undefined;
  /** That a recurring task waits to be resumed. Of others, their place in the order says it. */
  paused?: boolean | undefined;
  /** When the task was paused, milliseconds since 1970. Absent if it is not paused, if it was created so, or if an earlier release paused it. */
  pausedAt?: number | undefined;
  /** The name of the API key that paused it. Absent for a key of the deployment's secret, which has no name. */
  pausedBy?: string | undefined;
  /** The user's data. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. */
  priority?: number | undefined;
  /** When a run of the dead letter, or of the task before its time, was requested, milliseconds since 1970. */
  replayedAt?: number | undefined;
  /** When it is tried again after a failure. */
  retry?: Retry | undefined;
  /** The rule of RFC 5545 by which it fires, beginning at `startAt`. */
  rrule?: string | undefined;
  /**
   * A run of the task is in flight. In the answer to a change, it ends, and the change holds for
   * those after it. Absent if there is none.
   */
  running?: boolean | undefined;
  /** `onSuccess` or `onFailure`, if it is a follow-up. Its `callback` is the target that this field named. */
  stage?: string | undefined;
  /** It does not recur before this time, milliseconds since 1970. */
  startAt?: number | undefined;
  /**
   * What it waits for.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it was dispatched, and its outcome is not reported yet.
   * - `paused`: It waits to be resumed.
   * - `dead-lettered`: It failed for good, and is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule, and waits for nothing.
   * - `cancelled`: It is cancelled: only in the answer to the cancel.
   */
  status: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | "cancelled";
  /** Labels to find it by. */
  tags?: string[] | undefined;
  /** The due time that was asked for, milliseconds since 1970. */
  time?: number | undefined;
  /** The IANA time zone that `cron` and `rrule` are read in; absent: UTC. */
  timezone?: string | undefined;
  /** When its definition was last changed, milliseconds since 1970. Absent if it was not. */
  updatedAt?: number | undefined;
  /**
   * In the answer to a `POST`, `PUT` or `PATCH`: what the caller should know of a task that was
   * stored all the same. Absent where there is nothing.
   */
  warnings?: Warning[] | undefined;
  /** By how much later each run may be, seconds. */
  windowSeconds?: number | undefined;
  /** The sentence that the schedule was given in. */
  words?: string | undefined;
}

/** A page of the list. */
export interface TaskList {
  /**
   * Where the next page begins: send it as `cursor` until it is null, which is the end of the
   * list.
   */
  cursor: string | null;
  /** How far the shards have looked for a page. A page takes a bounded amount of work. */
  searched: {
    /** The number of tasks, attempts and dead letters that the shards looked at for this page. */
    records: number;
    /**
     * If more follow: this page and those before it have looked at everything up to this time in
     * the order of the list, milliseconds since 1970. Absent where the rest of the list has no due
     * time.
     */
    until?: number | undefined;
  };
  /**
   * In order of due time; attempts in flight, by when they were sent. A page may hold fewer
   * tasks than `limit`, or none, although more follow.
   */
  tasks: Task[];
  /** The number of items of the whole list. Only on the first page of a list without a filter. */
  total?: number | undefined;
}

/** A JSON merge patch of a task. Members that are absent stay as they are, unless they do not belong to the new kind of schedule. Null removes a member, objects are merged, lists are replaced as a whole, and so is a callback by one of another type. */
export interface TaskPatch {
  /**
   * A run of the interval, before which there is none. Without it: `startAt`, else one interval
   * from now.
   */
  anchor?: Time | null | undefined;
  /**
   * What happens when it fires. Without it, the deployment's `DEFAULT_CALLBACK`; where that is
   * not set, it goes to the first queue of `QUEUE_BINDINGS`.
   */
  callback?: CallbackPatch | null | undefined;
  /** When it fires, again and again. */
  cron?: string | readonly string[] | null | undefined;
  /** How long from now it fires, once, seconds. */
  delayInSeconds?: number | null | undefined;
  /** What the task is, in the caller's words. The limit is in bytes of UTF-8. */
  description?: string | null | undefined;
  /** Does not recur after this time. */
  endAt?: Time | null | undefined;
  /** Fires at this interval, without drift, seconds; rounded to milliseconds. */
  everySeconds?: number | null | undefined;
  /** A run that has not started so long after it was due does not start any more, seconds. */
  expireAfterSeconds?: number | null | undefined;
  /**
   * Puts each run off by a random amount of up to so much, seconds; the same amount each time it
   * is asked for.
   */
  jitterSeconds?: number | null | undefined;
  /**
   * The key of a limit, `/v1/limits/{limitKey}`, that bounds the runs of all tasks that name it.
   * Not with a `queue` callback, whose consumer sets its own pace. The limit is in bytes of
   * UTF-8.
   */
  limitKey?: string | null | undefined;
  /**
   * The local times of the task as an answer shows them. Beside each, the member of the same name
   * has its instant. If both still say the same instant, the local time counts. If you have
   * changed the other member, that counts.
   */
  local?: LocalTimes | null | undefined;
  /**
   * Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
   * `rrule`.
   */
  maxRuns?: number | null | undefined;
  /**
   * What becomes of runs that were missed. Without it they fire; those of a recurring task that
   * a pause held up do not.
   */
  misfire?: MisfirePatch | null | undefined;
  /** The same once a run has failed for good. */
  onFailure?: CallbackPatch | null | undefined;
  /**
   * What happens once a run has succeeded: the task again, with `stage` and `outcome`. Not
   * beside a `queue` callback, whose end is not known.
   */
  onSuccess?: CallbackPatch | null | undefined;
  /**
   * What becomes of a run of a recurring task that comes due while the one before has not been
   * reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
   * the end of the one before, and further ones do not fire.
   * - `allow`: It fires beside it.
   * - `skip`: It does not fire.
   * - `queue-one`: It waits for the end of the one before; further ones do not fire. Default: `"allow"`.
   */
  overlap?: "allow" | "skip" | "queue-one" | null | undefined;
  /** Creates the task paused: it waits to be resumed. */
  paused?: boolean | null | undefined;
  /** Any JSON, delivered as it is given. */
  payload?: unknown;
  /** Of tasks that are due together, those with a higher priority fire first. Default: `5`. */
  priority?: number | null | undefined;
  /**
   * When it is tried again after a failure. Without it, as the handler that it names says for
   * itself; else the defaults. Not with a `queue` callback, whose consumer retries.
   */
  retry?: Retry | null | undefined;
  /** Fires by this rule of RFC 5545, which begins at `startAt`. */
  rrule?: string | null | undefined;
  /**
   * When it fires, in English or German: `every monday at 10:00`. It replaces the fields that say
   * when. The task gets the fields that it means, and keeps the sentence in `words`. Local times
   * are of `timezone`, unless the sentence names a zone. The limit is in bytes of UTF-8.
   */
  schedule?: string | null | undefined;
  /** Does not recur before this time. */
  startAt?: Time | null | undefined;
  /** Labels to find it by. The limits are in bytes of UTF-8. */
  tags?: readonly string[] | null | undefined;
  /** When it fires, once. One that is past fires at once. */
  time?: Time | null | undefined;
  /**
   * The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
   * local times.
   */
  timezone?: string | null | undefined;
  /** May be left out but for `no-schedule`; must agree with the field that says when. */
  type?: ("scheduled" | "delayed" | "cron" | "every" | "rrule" | "no-schedule") | "words" | undefined;
  /** Lets each run be up to so much later, seconds, to share firings with others. */
  windowSeconds?: number | null | undefined;
  /**
   * The sentence in which the schedule was given. It is shown, and has no other effect. The limit
   * is in bytes of UTF-8.
   */
  words?: string | null | undefined;
}

/** A warning of a task that was stored. */
export interface Warning {
  /** What is wrong, and what to do. */
  detail: string;
  /**
   * The member at fault: `limitKey` if the key has no limit, `callback` if its destination does
   * not answer.
   */
  field: string;
}

/** A request to a URL. */
export interface WebhookCallback {
  /** Sent in the task's place: a text as it is, any other value as JSON. */
  body?: unknown;
  /**
   * Sent beside those that the dispatcher sets; none that the connection, an edge or a proxy
   * sets. `content-type` together with `body` only.
   */
  headers?: {
    [key: string]: string;
  } | null | undefined;
  /** `GET` and `DELETE` send no body. Default: `"POST"`. */
  method?: "POST" | "PUT" | "PATCH" | "GET" | "DELETE" | null | undefined;
  /** How long an attempt may take, redirects and all, seconds. Default: `30`. */
  timeoutSeconds?: number | null | undefined;
  type: "webhook";
  /**
   * http or https, and a public host. A path, query and fragment as usual; no user name or
   * password.
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
   * - `handler`: A function that is built into the Worker.
   * - `queue`: A message in a queue of yours.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; of a task that is paused or
   * held, `time`; of a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It fires again and again: any of the next three.
   * - `cron`: It fires again and again, by cron expressions.
   * - `every`: It fires again and again, at an interval.
   * - `rrule`: It fires again and again, by a rule of RFC 5545.
   * - `no-schedule`: It does not fire by itself.
   */
  kind?: "once" | "recurring" | "cron" | "every" | "rrule" | "no-schedule" | undefined;
  /**
   * How the last attempt ended, as far as the task keeps it.
   * - `none`: Nothing is known of an attempt: it is the first one, or the task recurs or has no schedule.
   * - `failed`: It failed, and a further attempt waits, is paused or is in flight.
   * - `dead-lettered`: It failed for good: a dead letter.
   * - `succeeded`: The run succeeded, and its follow-up waits, is paused or is in flight.
   * - `expired`: The run expired, and its follow-up waits, is paused or is in flight.
   */
  lastOutcome?: "none" | "failed" | "dead-lettered" | "succeeded" | "expired" | undefined;
  /** Whether it waits to be resumed, or will when its attempt in flight has ended. */
  paused?: boolean | undefined;
  /** The id starts with this. */
  prefix?: string | undefined;
  /**
   * The status.
   * - `scheduled`: It waits for its time.
   * - `retrying`: It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
   * - `held`: It waits for the previous run to end.
   * - `running`: An attempt is in flight: it was dispatched, and its outcome is not reported yet.
   * - `paused`: It waits to be resumed.
   * - `dead-lettered`: It failed for good, and is kept until you replay or discard it.
   * - `unscheduled`: It has no schedule, and waits for nothing.
   */
  status?: "scheduled" | "retrying" | "held" | "running" | "paused" | "dead-lettered" | "unscheduled" | undefined;
  /** The tags include this. Give it twice to require two tags. */
  tag?: readonly string[] | undefined;
  /** The id or the description contains this. Upper and lower case are equal. */
  text?: string | undefined;
  /** The time of the task is before this time. */
  to?: Time | undefined;
  /** From the first due time to the last, or from the end of the list to its beginning. A list that is read from its end misses a task that fires or fails meanwhile. */
  order?: "asc" | "desc" | undefined;
  /** The largest number of items on the page. */
  limit?: number | undefined;
  /** The cursor from the answer before, unchanged, with the same filter and order. */
  cursor?: string | undefined;
}

/** Parameters of a list of the attempts at one task. */
export interface ListRunsQuery {
  /** The largest number of items on the page. */
  limit?: number | undefined;
  /** The cursor from the answer before, unchanged, with the same filter and order. */
  cursor?: string | undefined;
}

/** Parameters of a list of the attempts at all tasks. An attempt must meet all of them. */
export interface ListAllRunsQuery {
  /** They ended with this outcome, or with one of several that have commas between them. */
  outcome?: readonly ("succeeded" | "failed" | "dead-lettered" | "handed-over" | "expired" | "skipped" | "cancelled")[] | undefined;
  /** They called this: a type of callback, such as `handler`, or a type, a colon and the host or the name, such as `webhook:example.com`. */
  target?: string | undefined;
  /** They called a webhook of this host. The same as `target=webhook:HOST`. */
  callbackHost?: string | undefined;
  /** Their task has this tag, or both if the parameter is given twice. */
  tag?: readonly string[] | undefined;
  /** The id of their task starts with this. */
  prefix?: string | undefined;
  /** Their error contains this, upper and lower case alike. */
  error?: string | undefined;
  /** They were reported at this time or later. */
  from?: Time | undefined;
  /** They were reported before this time. */
  to?: Time | undefined;
  /** Answer groups of attempts with like errors. */
  group?: "error" | undefined;
  /** With `group`: the group with the newest attempt first, or the largest. */
  order?: "newest" | "count" | undefined;
  /** The most attempts on the page. With `group`, the most groups that each shard adds to the page, so there may be more groups than this. */
  limit?: number | undefined;
  /** The cursor from the answer before, unchanged, with the same filter. */
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
   * - `handler`: A function that is built into the Worker.
   * - `queue`: A message in a queue of yours.
   */
  callbackType?: "webhook" | "service" | "durable-object" | "handler" | "queue" | undefined;
  /** The error of the last attempt contains this. Upper and lower case are equal. */
  error?: string | undefined;
  /**
   * The time of the task is this time or later. Its time is `due`; of a task that is paused or
   * held, `time`; of a dead letter, `failedAt`. A task without this time is not selected.
   */
  from?: Time | undefined;
  /**
   * The kind of schedule.
   * - `once`: It fires once.
   * - `recurring`: It fires again and again: any of the next three.
   * - `cron`: It fires again and again, by cron expressions.
   * - `every`: It fires again and again, at an interval.
   * - `rrule`: It fires again and again, by a rule of RFC 5545.
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
  /** The cursor from the answer before, unchanged, with the same filter and order. */
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
   * How many parts to divide this time into. There are fewer if whole milliseconds do not come out even.
   * @example 48
   */
  buckets?: number | undefined;
}

/** Parameters of statistics over time. */
export interface StatsSeriesQuery {
  /**
   * The length of a bucket: 120 of a minute, or 168 of an hour.
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
  | "/problems/condition-refused"
  | "/problems/forbidden"
  | "/problems/guessing"
  | "/problems/idempotency-key-reused"
  | "/problems/invalid"
  | "/problems/malformed-path"
  | "/problems/misconfigured"
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
