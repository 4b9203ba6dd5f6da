//! The answers of the API to changes of many tasks or dead letters, as types that only provide
//! schemas: see `answers.rs`.
#![expect(dead_code, reason = "only their schemas are used")]

use super::answers::{ItemError, Task};
use scheduler_model::bounds::DRY_RUN_SHOWN;
use schemars::JsonSchema;

/// A line of the answer to a stream of tasks.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum StreamLine {
    Part(StreamPart),
    End(StreamEnd),
}

/// The result of a part of a stream: of some lines of the body.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct StreamPart {
    /// The number of the first line of the part, from 1. Empty lines count.
    first_line: u64,
    /// The number of its last line.
    last_line: u64,
    /// The number of tasks that were created.
    accepted: u64,
    /// How many of these replaced a task with the same id.
    replaced: u64,
    /// The number of tasks that were refused.
    rejected: u64,
    /// Present if an earlier request with the same `Idempotency-Key` has created the part.
    #[schemars(extend("const" = true))]
    replayed: Option<bool>,
    /// A result for each refused task, or for each task with `results=all`, in the order of the
    /// body.
    results: Vec<StreamItem>,
}

/// The result for one task of a stream.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum StreamItem {
    /// The task was refused: see `error`. The id is present if the task was valid and its shard
    /// failed.
    Rejected {
        /// The number of its line.
        line: u64,
        id: Option<String>,
        error: ItemError,
    },
    /// The task was created.
    #[schemars(rename_all = "camelCase")]
    Accepted {
        /// The number of its line.
        line: u64,
        id: String,
        /// The line of the earlier task in the same part that has the same id and that this one
        /// replaces. Absent if there is none.
        duplicate_of: Option<u64>,
    },
}

/// The last line of the answer to a stream. If `done` is false, it has the members of a problem.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct StreamEnd {
    /// Whether every line of the body was processed.
    done: bool,
    /// The number of lines that were processed. Empty lines count.
    lines: u64,
    /// The number of tasks that were created.
    accepted: u64,
    /// How many of these replaced a task with the same id.
    replaced: u64,
    /// The number of tasks that were refused.
    rejected: u64,
    /// Only if `done` is false: the line with which to continue. Send the lines from here
    /// on in another request, and those whose `error` is `retryable`.
    next_line: Option<u64>,
    /// Only if `done` is false: when the rest may be sent, in seconds from now. Absent if waiting
    /// does not help.
    retry_after_seconds: Option<u32>,
    /// Only if `done` is false: a stable name for programs, as in a problem.
    r#type: Option<String>,
    /// Only if `done` is false: the kind of problem, for people.
    title: Option<String>,
    /// Only if `done` is false: the HTTP status that a batch would have.
    status: Option<u16>,
    /// Only if `done` is false: what is wrong, for people.
    detail: Option<String>,
    /// Only if `done` is false, and only for some problems: the header or member at fault.
    field: Option<String>,
}

/// What a request for many tasks would do. It has changed nothing.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct DryRun {
    #[schemars(extend("const" = true))]
    dry_run: bool,
    /// How many tasks, attempts or dead letters it would change, as far as they were counted.
    count: u64,
    /// How many of these are attempts in flight. Absent if there are none.
    running: Option<u64>,
    /// Whether all were counted. A count takes a bounded number of steps, so if this is false, there
    /// may be more. The shards remember which one-shot tasks match, so a repeated request usually
    /// counts further.
    done: bool,
    /// The first of them, in the order of a list.
    #[schemars(length(max = DRY_RUN_SHOWN))]
    tasks: Vec<Task>,
}

/// The result of a cancel of many tasks, or of its dry run.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum CancelAnswer {
    Done(CancelledMany),
    DryRun(DryRun),
}

/// The result of a change of many tasks, or of its dry run.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum ChangeAnswer {
    Done(ChangedMany),
    DryRun(DryRun),
}

/// The result of a replay of many dead letters, or of its dry run.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum ReplayAnswer {
    Done(ReplayedMany),
    DryRun(DryRun),
}

/// The result of a discard of many dead letters, or of its dry run.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum DiscardAnswer {
    Done(DiscardedMany),
    DryRun(DryRun),
}

/// The result of a replay of many dead letters.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct ReplayedMany {
    /// The number of replayed dead letters. Each waits for its first attempt.
    replayed: u64,
    /// The ids of the request without a dead letter. Absent if the request names no ids.
    not_found: Option<Vec<String>>,
    /// Whether every dead letter was processed. If not, repeat the request.
    done: bool,
}

/// The result of a discard of many dead letters.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct DiscardedMany {
    /// The number of discarded dead letters.
    discarded: u64,
    /// The ids of the request without a dead letter. Absent if the request names no ids.
    not_found: Option<Vec<String>>,
    /// Whether every dead letter was processed. If not, repeat the request.
    done: bool,
}

/// The result of a cancel of many tasks.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct CancelledMany {
    /// The number of cancelled tasks. No further attempt of them starts.
    cancelled: u64,
    /// The number of ids without a task.
    not_found: u64,
    /// How many of `cancelled` have an attempt in flight, which runs to its end. Absent if there
    /// are none.
    running: Option<u64>,
    /// Whether every task was processed. If not, repeat the request.
    done: bool,
}

/// The result of a change of many tasks.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct ChangedMany {
    /// The number of changed tasks.
    changed: u64,
    /// The number of tasks that were in this state already.
    unchanged: u64,
    /// The number of tasks to which the change does not apply. For example, a recurring task has no
    /// time, a task may have been cancelled while its last attempt is in flight, or the most runs
    /// of a task wait already.
    not_applicable: u64,
    /// Only for `run`: the number of tasks for which nothing was started, because an attempt is in
    /// flight and no further one waits.
    already_running: u64,
    /// The number of ids without a task.
    not_found: u64,
    /// How many have an attempt in flight. It runs to its end, and the change applies to later
    /// attempts. Absent if there are none.
    running: Option<u64>,
    /// Whether every task was processed. If not, repeat the request.
    done: bool,
}
