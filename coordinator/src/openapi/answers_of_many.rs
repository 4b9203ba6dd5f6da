//! What the API answers to changes of many tasks or dead letters, as types of which only the schemas
//! are used: see `answers.rs`.
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
    /// How many of these are attempts in flight. Absent for 0.
    running: Option<u64>,
    /// Whether all were counted. A count takes a bounded amount of work: where it is false, there
    /// may be more. The same request again counts further if the filter reads tasks.
    done: bool,
    /// The first of them, in the order of a list.
    #[schemars(length(max = DRY_RUN_SHOWN))]
    tasks: Vec<Task>,
}

/// What a cancel of many tasks has done, or would do.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum CancelAnswer {
    Done(CancelledMany),
    DryRun(DryRun),
}

/// What a change of many tasks has done, or would do.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum ChangeAnswer {
    Done(ChangedMany),
    DryRun(DryRun),
}

/// What a replay of many dead letters has done, or would do.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum ReplayAnswer {
    Done(ReplayedMany),
    DryRun(DryRun),
}

/// What a discard of many dead letters has done, or would do.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum DiscardAnswer {
    Done(DiscardedMany),
    DryRun(DryRun),
}

/// What became of the dead letters to replay.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct ReplayedMany {
    /// Each of them waits for its first attempt.
    replayed: u64,
    /// The ids of the request for which there is no dead letter (any more). Absent if the request
    /// names no ids.
    not_found: Option<Vec<String>>,
    /// Whether every dead letter was looked at; where not, send the request again.
    done: bool,
}

/// What became of the dead letters to discard.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct DiscardedMany {
    /// They are gone.
    discarded: u64,
    /// The ids of the request for which there is no dead letter (any more). Absent if the request
    /// names no ids.
    not_found: Option<Vec<String>>,
    /// Whether every dead letter was looked at; where not, send the request again.
    done: bool,
}

/// What became of the tasks to cancel.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct CancelledMany {
    /// No attempt of them starts any more.
    cancelled: u64,
    /// There are no such tasks (any more).
    not_found: u64,
    /// How many of `cancelled` have an attempt in flight, which runs to its end. Absent for 0.
    running: Option<u64>,
    /// Whether every task was looked at; where not, send the request again.
    done: bool,
}

/// What became of the tasks to change.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct ChangedMany {
    /// They were changed.
    changed: u64,
    /// They were so already.
    unchanged: u64,
    /// They cannot be changed so, such as the time of a recurring task, or they were cancelled and
    /// their last attempt is in flight, or as many runs of them wait as may.
    not_applicable: u64,
    /// Only of `run`: it started nothing, because an attempt is in flight and no further one waits.
    already_running: u64,
    /// There are no such tasks (any more).
    not_found: u64,
    /// How many have an attempt in flight, which runs to its end; the change holds for later
    /// attempts. Absent for 0.
    running: Option<u64>,
    /// Whether every task was looked at; where not, send the request again.
    done: bool,
}
