//! The answers of the API to changes of many tasks or dead letters, as types that only provide
//! schemas: see `answers.rs`.
#![expect(dead_code, reason = "only their schemas are used")]

use super::answers::Task;
use scheduler_model::bounds::DRY_RUN_SHOWN;
use schemars::JsonSchema;

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
    /// Whether all were counted. A count takes a bounded amount of work, so if this is false, there
    /// may be more. If the filter reads tasks, the same request counts further when it is repeated.
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
