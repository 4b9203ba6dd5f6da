//! Messages about the history.

use crate::bounds::MAX_LIST_BYTES;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A place in a shard's history. Later runs have higher places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunPosition {
    /// The row.
    pub row: u64,
    /// The place in the row.
    pub place: u32,
}

impl RunPosition {
    /// The place after the last run.
    pub const END: Self = Self { row: u64::MAX, place: u32::MAX };
}

/// A filter of attempts. An attempt must match every given part. Attempts that earlier versions
/// recorded have no target and no tags.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunFilter {
    /// The attempt has one of these outcomes. Bit n stands for the outcome with code n.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<u64>,
    /// The attempt called this: a type of callback, or a type, a colon and the host or the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The tags of the task include all of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The id of the task starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The attempt was reported at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<UnixMillis>,
    /// The attempt was reported before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<UnixMillis>,
    /// The error contains this text, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl RunFilter {
    /// Returns whether the filter matches every attempt.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// A request for a part of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunsRequest {
    /// Only attempts of the task with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only attempts before this position.
    pub before: Option<RunPosition>,
    /// The most items of the page.
    pub limit: usize,
    /// Only attempts that match this filter.
    #[serde(default, skip_serializing_if = "RunFilter::is_all")]
    pub filter: RunFilter,
    /// The most bytes of the items, except that the first item is always included.
    #[serde(default = "most_bytes")]
    pub max_bytes: usize,
    /// The most rows to read. A shard has a bound of its own, too.
    #[serde(default = "every")]
    pub max_rows: usize,
}

impl RunsRequest {
    /// Returns a request for the newest attempts of a task.
    pub fn of_task(id: &str, before: Option<RunPosition>, limit: usize) -> Self {
        Self { id: Some(id.to_owned()), before, ..Self::of_all(RunFilter::default(), limit) }
    }

    /// Returns a request for the newest attempts that match a filter.
    pub fn of_all(filter: RunFilter, limit: usize) -> Self {
        let (max_bytes, max_rows) = (most_bytes(), every());
        Self { id: None, before: None, limit, filter, max_bytes, max_rows }
    }
}

fn most_bytes() -> usize {
    MAX_LIST_BYTES
}

fn every() -> usize {
    usize::MAX
}

/// A run as the API shows it, with its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunItem {
    /// The place in the history.
    pub position: RunPosition,
    /// When the shard learned of the outcome. Runs are ordered by this time.
    pub reported_at: UnixMillis,
    /// A [`TaskRun`]. The text is passed on without parsing, so a newer shard may add members.
    pub run: Box<RawValue>,
}

/// How an attempt went, as the API shows it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Run")]
pub struct TaskRun<'a> {
    /// The id of the task; only in a list of the runs of all tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
    /// The requested time of the run. With the id it identifies the run. All attempts at a run and
    /// at its follow-ups have the same one. Absent if the task was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// `onSuccess` or `onFailure`, if it is an attempt at a follow-up of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Cow<'a, str>>,
    /// The number of the attempt, from 1. Absent if the task was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What it called: the type of the callback, a colon, and the host of the webhook or the name
    /// of the binding, handler or queue. Absent in the `outcome` of a follow-up, of a cancelled
    /// task, and of attempts that an earlier version recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Cow<'a, str>>,
    /// The tags of the task; only in a list of the runs of all tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    pub tags: Vec<Cow<'a, str>>,
    /// When it was dispatched. Absent if the run was skipped, expired or cancelled, or became a
    /// dead letter before it could start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<i64>,
    /// When it began. Absent if that is not known, such as for a message in a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// When it ended. Absent if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// When its outcome was recorded.
    pub reported_at: i64,
    /// How it ended: `succeeded`, `failed` (and is tried again), `dead-lettered` (failed for good),
    /// `handed-over` (to your queue), `expired` or `skipped` (not started), `cancelled`. Later
    /// versions may add more.
    pub outcome: Cow<'a, str>,
    /// The name of the API key that cancelled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// The beginning of the answer's body, on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Cow<'a, str>>,
}

/// How far a shard has searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Looked {
    /// Everything from this position on was searched; `None` if there is nothing before it.
    pub next: Option<RunPosition>,
    /// Where the search began: after the newest run that was examined.
    pub start: Option<RunPosition>,
    /// If there may be more before `next`, none of it was reported later than this, unless the
    /// shard's clock has gone back.
    pub back_to: Option<UnixMillis>,
    /// The number of examined attempts.
    pub attempts: u64,
}

/// The reply with a part of a history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunsReply {
    /// The runs, newest first.
    pub items: Vec<RunItem>,
    /// How far the shard has searched.
    #[serde(flatten)]
    pub looked: Looked,
}

/// Failures with similar errors on one shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorGroup {
    /// The error without its numbers and ids: see [`crate::runs::pattern_of`].
    pub pattern: String,
    /// The number of failures.
    pub count: u64,
    /// When the first failure was reported.
    pub first: UnixMillis,
    /// When the last failure was reported.
    pub last: UnixMillis,
    /// The last failure.
    pub example: Box<RawValue>,
}

/// The reply with groups of similar errors in a part of a history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupsReply {
    /// The groups. The group with the newest attempt is first.
    pub groups: Vec<ErrorGroup>,
    /// How far the shard has searched.
    #[serde(flatten)]
    pub looked: Looked,
}
