//! What the API answers, as types of which only the schemas are used: the answers themselves are
//! written by hand or by private types. The end-to-end tests hold the real answers against these.
#![expect(dead_code, reason = "only their schemas are used")]

use scheduler_model::access::{Quota, ShownKey};
use scheduler_model::bounds::MAX_CANCEL_IDS;
use scheduler_model::input::FieldError;
use scheduler_model::protocol::limiter::LimitShown;
use scheduler_model::protocol::{CircuitStats, Counters, Status, TaskRun};
use scheduler_model::task::{DeadLetterFilter, Record};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// That the Worker runs.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Health {
    #[schemars(extend("const" = "ok"))]
    status: String,
    /// The release of IANA's time zone database that is built in, such as `2026f`.
    time_zones: String,
}

/// A task as it is stored.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Task {
    /// What it waits for.
    #[schemars(transform = with_cancelled)]
    status: Status,
    /// When it fires next, milliseconds since 1970; of an attempt in flight, when the run was due.
    /// Absent if the task does not fire by itself.
    due: Option<i64>,
    /// The kind of schedule. A run of a recurring task has the kind of its task.
    kind: TaskKind,
    /// Of a dead letter: its id, which is that of its task with times before it. See
    /// `/v1/dead-letters`.
    dead_letter_id: Option<String>,
    /// A run of the task is in flight. In the answer to a change, it ends, and the change holds for
    /// those after it. Absent if there is none.
    running: Option<bool>,
    /// In the answer to a `POST`, `PUT` or `PATCH`: what the caller should know of a task that was
    /// stored all the same. Absent where there is nothing.
    warnings: Option<Vec<Warning>>,
    /// In the answer to a pause, a resume, a run or a reschedule: false if the task was so already.
    changed: Option<bool>,
    /// In the answer to a cancel, which shows the task as it was.
    #[schemars(extend("const" = true))]
    cancelled: Option<bool>,
    /// What a change of the clock does to the local time that it was given; absent on most. See the
    /// preview.
    #[schemars(extend("enum" = ["gap-moved", "gap-shifted", "first-of-two"]))]
    clock_change: Option<&'static str>,
    /// The same in words.
    explanation: Option<String>,
    #[schemars(flatten)]
    record: Record<'static>,
}

/// A kind of schedule, as a task shows it.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
enum TaskKind {
    /// It fires once.
    Once,
    /// It fires by cron expressions.
    Cron,
    /// It fires at an interval.
    Every,
    /// It fires by a rule of RFC 5545.
    Rrule,
    /// It does not fire by itself.
    NoSchedule,
}

/// A warning of a task that was stored.
#[derive(JsonSchema)]
struct Warning {
    /// The member at fault: `limitKey` if the key has no limit, `callback` if its destination does
    /// not answer.
    field: String,
    /// What is wrong, and what to do.
    detail: String,
}

/// Adds the status that only the answer to a cancel shows.
fn with_cancelled(schema: &mut Schema) {
    if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.push(json!({
            "type": "string", "const": "cancelled", "description": "It is cancelled: only in the answer to the cancel."
        }));
    }
}

/// A page of the list.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct TaskList {
    /// In order of due time; attempts in flight, by when they were sent. A page may hold fewer
    /// tasks than `limit`, or none, although more follow.
    tasks: Vec<Task>,
    /// Where the next page begins: send it as `cursor` until it is null, which is the end of the
    /// list.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
    searched: Searched,
    /// The number of items of the whole list. Only on the first page of a list without a filter.
    total: Option<u64>,
}

/// How far the shards have looked for a page. A page takes a bounded amount of work.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Searched {
    /// The number of tasks, attempts and dead letters that the shards looked at for this page.
    records: u64,
    /// If more follow: this page and those before it have looked at everything up to this time in
    /// the order of the list, milliseconds since 1970. Absent where the rest of the list has no due
    /// time.
    until: Option<i64>,
}

/// A page of the list of dead letters.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct DeadLetterList {
    /// The newest first: by `failedAt`. A page may hold fewer than `limit`, or none, although more
    /// follow.
    dead_letters: Vec<Task>,
    /// Where the next page begins: send it as `cursor` until it is null, which is the end of the
    /// list.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
    searched: Searched,
}

/// Which dead letters: by id, by filter, or all.
#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
pub(crate) enum ManyLetters {
    /// By the ids that `deadLetterId` shows; a repeated id counts once.
    Ids {
        #[schemars(length(max = MAX_CANCEL_IDS), inner(length(min = 1)))]
        ids: Vec<String>,
    },
    /// All that match every part of the filter. `from` and `to` are times of death.
    #[schemars(rename_all = "camelCase")]
    Filter {
        #[schemars(extend("minProperties" = 1))]
        filter: DeadLetterFilter,
        /// Changes nothing, and answers how many dead letters the request would affect, and the
        /// first of them.
        dry_run: Option<bool>,
    },
    /// All of them.
    #[schemars(rename_all = "camelCase")]
    All {
        #[schemars(extend("const" = true))]
        all: bool,
        /// Changes nothing, and answers how many there are, and the first of them.
        dry_run: Option<bool>,
    },
}

/// The dead letter is discarded.
#[derive(JsonSchema)]
pub(crate) struct DeletedDeadLetter {
    id: String,
    #[schemars(extend("const" = true))]
    deleted: bool,
}

/// A page of a task's history.
#[derive(JsonSchema)]
pub(crate) struct RunList {
    /// The newest first.
    runs: Vec<TaskRun<'static>>,
    /// Where the next page begins; null at the end of what is kept.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
}

/// A page of the runs of all tasks, or of groups of those with like errors.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct AllRuns {
    /// One entry for each attempt: by `reportedAt`, the newest first. A page may hold fewer than
    /// `limit`, or none, although more follow. Absent with `group`.
    runs: Option<Vec<TaskRun<'static>>>,
    /// One entry for all attempts whose errors differ only in numbers and ids. Only with `group`.
    groups: Option<Vec<ErrorGroup>>,
    /// How many attempts were looked at for this page.
    attempts: u64,
    /// If more follow: what the pages so far do not show was reported at this time or before,
    /// milliseconds since 1970.
    looked_back_to: Option<i64>,
    /// Where the next page begins; null at the end of what is kept.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
}

/// Attempts with like errors.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct ErrorGroup {
    /// Their error, in which `<n>` stands in place of each number and `<id>` in place of each id.
    error: String,
    /// The number of these attempts on this page. Older pages may have more of them.
    count: u64,
    /// When the first of them was reported, milliseconds since 1970.
    first_at: i64,
    /// When the last of them was reported, milliseconds since 1970.
    last_at: i64,
    /// The last of them.
    example: TaskRun<'static>,
}

/// What became of a batch.
#[derive(JsonSchema)]
pub(crate) struct BatchReply {
    /// Tasks taken in.
    accepted: u64,
    /// Tasks refused.
    rejected: u64,
    /// One for each task, in the order of the request.
    results: Vec<BatchItem>,
}

/// What became of one task of a batch.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum BatchItem {
    /// Refused: see `error`. The id is given if the task was valid and its shard failed.
    Rejected {
        id: Option<String>,
        /// The number of its line, from 1, if the body has a task a line.
        line: Option<u64>,
        error: ItemError,
    },
    /// Taken in.
    #[schemars(rename_all = "camelCase")]
    Accepted {
        id: String,
        /// The index of the task before it in the request that has the same id, and that it
        /// replaces. Absent if there is none.
        duplicate_of: Option<u64>,
    },
}

#[derive(JsonSchema)]
#[schemars(inline)]
struct ItemError {
    #[schemars(flatten)]
    error: FieldError,
    /// Says whether the same item may be accepted later. Absent if the item itself is invalid.
    retryable: Option<bool>,
}

/// The scheduler in numbers. Counters count since the shards were made: take differences.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Stats {
    #[schemars(flatten)]
    total: Numbers,
    /// The release of IANA's time zone database that is built in, such as `2026f`.
    time_zones: String,
    shards: Vec<ShardStats>,
}

/// One shard in numbers.
#[derive(JsonSchema)]
pub(crate) struct ShardStats {
    /// Epoch and index.
    shard: String,
    #[schemars(flatten)]
    numbers: Numbers,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline, transform = every_field_is_there)]
pub(crate) struct Numbers {
    /// Tasks that wait for their time or a further attempt; recurring ones count once.
    pending: u64,
    /// Tasks that were dispatched and whose outcome is not known.
    in_flight: u64,
    /// Recurring tasks.
    schedules: u64,
    /// Tasks without a schedule.
    unscheduled: u64,
    /// Tasks that wait to be resumed.
    paused: u64,
    /// Occurrences that failed for good and are kept.
    dead_letters: u64,
    /// Pending tasks whose time is past.
    overdue: u64,
    /// Tasks with a limit's key whose time is past, and that wait for their turn.
    waiting_for_limits: u64,
    /// Bytes of memory that pending tasks take.
    memory_bytes: u64,
    #[schemars(flatten)]
    counters: Counters,
    /// From a task's time to its firing.
    lateness_millis: Percentiles,
    meter: Meter,
    /// Destinations that do not answer: their circuits, as far as these are not closed.
    circuits: Vec<CircuitStats>,
}

/// The counters may be absent where a shard's own answer is read, but not here.
fn every_field_is_there(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        property.remove("default");
    }
    let names = properties.keys().cloned().collect();
    schema.insert("required".to_owned(), names);
}

/// Percentiles in milliseconds.
#[derive(JsonSchema)]
pub(crate) struct Percentiles {
    p50: u64,
    p90: u64,
    p99: u64,
    max: u64,
    count: u64,
}

/// What the platform bills.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Meter {
    /// Rows read.
    rows_read: u64,
    /// Rows written, one for each alarm included.
    rows_written: u64,
    /// Alarms set.
    alarms_set: u64,
    /// Requests to shards, alarms that went off included.
    shard_requests: u64,
    /// Queue operations.
    queue_operations: u64,
    /// Firings that windows have spared, at the least: each would have cost some rows, and often an
    /// alarm.
    firings_saved: u64,
}

/// A new key.
#[derive(JsonSchema)]
pub(crate) struct MadeKey {
    #[schemars(flatten)]
    shown: ShownKey<'static>,
    /// The key itself: to be sent as a bearer token. It is shown this once, and only its hash is
    /// kept.
    key: String,
}

/// Keys, in order of their ids.
#[derive(JsonSchema)]
pub(crate) struct KeyList {
    keys: Vec<ShownKey<'static>>,
}

/// It is deleted: an API key, a namespace or a limit.
#[derive(JsonSchema)]
pub(crate) struct Deleted {
    /// The id of the path.
    id: String,
    #[schemars(extend("const" = true))]
    deleted: bool,
}

/// What a namespace should have; without a body, no quota.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct NewNamespace {
    /// Replaces the quota that there was.
    quota: Option<Quota>,
}

/// A namespace: ids, lists and counts of its own.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Namespace {
    name: String,
    quota: Quota,
    /// When it was made; absent for `default`, which is always there.
    created_at: Option<i64>,
}

/// Namespaces: `default`, then the others in order of their names.
#[derive(JsonSchema)]
pub(crate) struct NamespaceList {
    namespaces: Vec<Namespace>,
}

/// Limits, by key.
#[derive(JsonSchema)]
pub(crate) struct LimitList {
    limits: Vec<LimitShown>,
}

/// A refusal, as RFC 9457 writes it.
#[derive(JsonSchema)]
pub(crate) struct Problem {
    /// A stable name for programs.
    r#type: String,
    /// The kind of problem, for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// This problem, for people: the field, the limit, and what to do.
    detail: String,
    /// The field at fault, as a path: `callback.url`, `tags[3]`; `body` for the whole.
    field: Option<String>,
    /// Of `/problems/batch-rejected` only: 0.
    accepted: Option<u64>,
    /// Of `/problems/batch-rejected` only: the number of tasks.
    rejected: Option<u64>,
    /// Of `/problems/batch-rejected` only: the error of each task, in the order of the request.
    results: Option<Vec<BatchItem>>,
}
