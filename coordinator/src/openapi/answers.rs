//! The answers of the API, as types that only provide schemas. The answers themselves are written
//! by hand or by private types. The end-to-end tests compare the real answers with these schemas.
#![expect(dead_code, reason = "only their schemas are used")]

use scheduler_model::access::{Quota, ShownKey};
use scheduler_model::bounds::MAX_CANCEL_IDS;
use scheduler_model::input::FieldError;
use scheduler_model::protocol::limiter::LimitShown;
use scheduler_model::protocol::{CircuitStats, Counters, Status, TaskRun};
use scheduler_model::task::{DeadLetterFilter, Record, describe_shown_times};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// The Worker runs.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Health {
    #[schemars(extend("const" = "ok"))]
    status: String,
    /// The release of IANA's time zone database in the Worker, such as `2026f`.
    time_zones: String,
}

/// A stored task.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", transform = describe_shown_times)]
pub(crate) struct Task {
    /// What it waits for.
    #[schemars(transform = with_cancelled)]
    status: Status,
    /// When it fires next, milliseconds since 1970; for an attempt in flight, when its run was due.
    /// Absent if the task does not fire by itself.
    due: Option<i64>,
    /// The kind of schedule. A run of a recurring task has the kind of its task.
    kind: TaskKind,
    /// For a dead letter, its id: the task's id with times before it. See `/v1/dead-letters`.
    dead_letter_id: Option<String>,
    /// Whether a run of the task is in flight. In the answer to a change, that run ends unchanged,
    /// and the change applies to later ones. Absent if there is none.
    running: Option<bool>,
    /// In the answer to a `POST`, `PUT` or `PATCH`: warnings about the task, which is stored all
    /// the same. Absent if there are none.
    warnings: Option<Vec<Warning>>,
    /// In the answer to a `POST`, `PUT` or `PATCH` with a `schedule` in words: what was understood,
    /// with its time zone, as one sentence in the language of the words.
    sentence: Option<String>,
    /// In the answer to a pause, a resume, a run or a reschedule: false if the task was in this
    /// state already.
    changed: Option<bool>,
    /// In the answer to a cancel, which shows the task as it was before.
    #[schemars(extend("const" = true))]
    cancelled: Option<bool>,
    /// What a change of the clock does to the local time of the task: see the preview. Absent on
    /// most tasks.
    #[schemars(extend("enum" = ["gap-moved", "gap-shifted", "first-of-two"]))]
    clock_change: Option<&'static str>,
    /// The change of the clock, explained in words.
    explanation: Option<String>,
    #[schemars(flatten)]
    record: Record<'static>,
}

/// The kind of schedule in a task of an answer.
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

/// A warning about a task that is stored.
#[derive(JsonSchema)]
struct Warning {
    /// The member: `limitKey` if the key has no limit, `callback` if its destination does not
    /// answer.
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
    /// In order of due time; an attempt in flight, by the time of its last send. Then dead letters,
    /// and then what has no due time, in no order of time: what is held, paused or unscheduled, or
    /// waits for room for its limit's key. A page may have fewer tasks than `limit`, or none,
    /// although more follow.
    tasks: Vec<Task>,
    /// The cursor of the next page. Send it as `cursor` until it is null, which means the end of
    /// the list.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
    searched: Searched,
    /// The number of items of the whole list. Only on the first page of a list without a filter.
    total: Option<u64>,
}

/// How far the shards have searched for a page. A page takes a bounded amount of work.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Searched {
    /// The number of tasks, attempts and dead letters that the shards examined for this page.
    records: u64,
    /// If more follow: this page and those before it have covered everything up to this time in the
    /// order of the list, milliseconds since 1970. Absent if the rest of the list has no due time.
    until: Option<i64>,
}

/// A page of the list of dead letters.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct DeadLetterList {
    /// The newest first, by `failedAt`. A page may have fewer than `limit`, or none, although more
    /// follow.
    dead_letters: Vec<Task>,
    /// The cursor of the next page. Send it as `cursor` until it is null, which means the end of
    /// the list.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
    searched: Searched,
}

/// The dead letters of a request: by id, by filter, or all.
#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
pub(crate) enum ManyLetters {
    /// The ids, as `deadLetterId` shows them. A repeated id counts once.
    Ids {
        #[schemars(length(max = MAX_CANCEL_IDS), inner(length(min = 1)))]
        ids: Vec<String>,
    },
    /// Selects the dead letters that match every part of the filter. `from` and `to` are times of
    /// death.
    #[schemars(rename_all = "camelCase")]
    Filter {
        #[schemars(extend("minProperties" = 1))]
        filter: DeadLetterFilter,
        /// Changes nothing. The answer says how many dead letters the request would affect, and
        /// shows the first of them.
        dry_run: Option<bool>,
    },
    /// Selects all dead letters.
    #[schemars(rename_all = "camelCase")]
    All {
        #[schemars(extend("const" = true))]
        all: bool,
        /// Changes nothing. The answer says how many dead letters there are, and shows the first of
        /// them.
        dry_run: Option<bool>,
    },
}

/// The dead letter was discarded.
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
    /// The cursor of the next page; null at the end of the history.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
}

/// A page of the runs of all tasks, or of groups of runs with similar errors.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct AllRuns {
    /// One entry for each attempt, the newest first by `reportedAt`. A page may have fewer than
    /// `limit`, or none, although more follow. Absent with `group`.
    runs: Option<Vec<TaskRun<'static>>>,
    /// One entry for all attempts whose errors differ only in numbers and ids. Only with `group`.
    groups: Option<Vec<ErrorGroup>>,
    /// The number of attempts that were examined for this page.
    attempts: u64,
    /// If more follow: everything that the pages so far do not show was reported at this time or
    /// before, milliseconds since 1970.
    looked_back_to: Option<i64>,
    /// The cursor of the next page; null at the end of the history.
    #[schemars(with = "String", extend("type" = ["string", "null"]))]
    cursor: String,
}

/// Attempts with similar errors.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct ErrorGroup {
    /// Their error, with `<n>` in place of each number and `<id>` in place of each id.
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

/// The result of a batch.
#[derive(JsonSchema)]
pub(crate) struct BatchReply {
    /// The number of tasks that were created.
    accepted: u64,
    /// The number of tasks that were refused.
    rejected: u64,
    /// A result for each task, in the order of the request.
    results: Vec<BatchItem>,
}

/// The result for one task of a batch.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum BatchItem {
    /// The task was refused: see `error`. The id is present if the task was valid and its shard
    /// failed.
    Rejected {
        id: Option<String>,
        /// The number of its line, from 1, if the body has one task on each line.
        line: Option<u64>,
        error: ItemError,
    },
    /// The task was created.
    #[schemars(rename_all = "camelCase")]
    Accepted {
        id: String,
        /// The index of the earlier task in the request that has the same id and that this one
        /// replaces. Absent if there is none.
        duplicate_of: Option<u64>,
    },
}

#[derive(JsonSchema)]
#[schemars(inline)]
pub(super) struct ItemError {
    #[schemars(flatten)]
    error: FieldError,
    /// Whether the same item may be accepted later. Absent if the item itself is invalid.
    retryable: Option<bool>,
}

/// The statistics of the scheduler. Counters count since the shards were created, so use
/// differences.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Stats {
    #[schemars(flatten)]
    total: Numbers,
    /// The release of IANA's time zone database in the Worker, such as `2026f`.
    time_zones: String,
    shards: Vec<ShardStats>,
}

/// The statistics of one shard.
#[derive(JsonSchema)]
pub(crate) struct ShardStats {
    /// The epoch and the index of the shard.
    shard: String,
    #[schemars(flatten)]
    numbers: Numbers,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline, transform = every_field_is_there)]
pub(crate) struct Numbers {
    /// Tasks that wait for their time or for a further attempt. A recurring task counts once.
    pending: u64,
    /// Tasks that are dispatched and whose outcome is not known yet.
    in_flight: u64,
    /// Recurring tasks.
    schedules: u64,
    /// Tasks without a schedule.
    unscheduled: u64,
    /// Tasks that are paused.
    paused: u64,
    /// Runs and follow-ups that failed for good and are kept.
    dead_letters: u64,
    /// Pending tasks without a limit key whose time has passed.
    overdue: u64,
    /// Tasks with a limit key whose time has passed and that wait for their turn.
    waiting_for_limits: u64,
    /// Bytes of memory that pending tasks take.
    memory_bytes: u64,
    #[schemars(flatten)]
    counters: Counters,
    /// How long after their due times tasks fired.
    lateness_millis: Percentiles,
    meter: Meter,
    /// The circuits of destinations that do not answer.
    circuits: Vec<CircuitStats>,
}

/// In the answers of shards, the counters may be absent. In this answer, they are always present.
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
    /// Rows written, including one for each alarm.
    rows_written: u64,
    /// Alarms set.
    alarms_set: u64,
    /// Requests to shards, including alarms that went off.
    shard_requests: u64,
    /// Queue operations.
    queue_operations: u64,
    /// The least number of firings that windows have saved. Each would have cost some rows, and
    /// often an alarm.
    firings_saved: u64,
}

/// A new key.
#[derive(JsonSchema)]
pub(crate) struct MadeKey {
    #[schemars(flatten)]
    shown: ShownKey<'static>,
    /// The key itself, to be sent as a bearer token. It is shown only once, and only its hash is
    /// kept.
    key: String,
}

/// Keys, in order of their ids.
#[derive(JsonSchema)]
pub(crate) struct KeyList {
    keys: Vec<ShownKey<'static>>,
}

/// An API key, a namespace or a limit was deleted.
#[derive(JsonSchema)]
pub(crate) struct Deleted {
    /// The id in the path.
    id: String,
    #[schemars(extend("const" = true))]
    deleted: bool,
}

/// The settings of a namespace. Without a body, it has no quota.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct NewNamespace {
    /// Replaces the former quota.
    quota: Option<Quota>,
}

/// A namespace, which has its own ids, lists and counts.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Namespace {
    name: String,
    quota: Quota,
    /// When it was created. Absent for `default`, which always exists.
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

/// A problem in the form of RFC 9457.
#[derive(JsonSchema)]
pub(crate) struct Problem {
    /// A stable name for programs.
    r#type: String,
    /// The kind of problem, for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong with this request, for people: the field, the limit, and what to do.
    detail: String,
    /// The path of the invalid field, such as `callback.url` or `tags[3]`; `body` for the whole
    /// body.
    field: Option<String>,
    /// Only for `/problems/batch-rejected`: 0.
    accepted: Option<u64>,
    /// Only for `/problems/batch-rejected`: the number of tasks.
    rejected: Option<u64>,
    /// Only for `/problems/batch-rejected`: the error of each task, in the order of the request.
    results: Option<Vec<BatchItem>>,
}
