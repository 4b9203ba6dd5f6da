//! How attempts went.

use crate::bounds::MAX_LIST_BYTES;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A place in a shard's history, the later the higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunPosition {
    /// The row.
    pub row: u64,
    /// Its place in the row.
    pub place: u32,
}

impl RunPosition {
    /// After every run that there is.
    pub const END: Self = Self { row: u64::MAX, place: u32::MAX };
}

/// Which attempts are meant: those that fulfil every part that is given. Attempts that earlier
/// versions recorded have no target and no tags.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunFilter {
    /// They ended with one of these outcomes: a bit for the code of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<u64>,
    /// They called this: a type of callback, or a type, a colon and the host or the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The tags of their task include all of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The id of their task starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// They were reported at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<UnixMillis>,
    /// They were reported before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<UnixMillis>,
    /// Their error contains this, upper and lower case alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl RunFilter {
    /// Returns whether it means every attempt.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// A part of a history is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunsRequest {
    /// Only attempts at the task with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only those before this position.
    pub before: Option<RunPosition>,
    /// The largest number of items on the page.
    pub limit: usize,
    /// Only those that this means.
    #[serde(default, skip_serializing_if = "RunFilter::is_all")]
    pub filter: RunFilter,
    /// Most bytes of the items, beside the first one.
    #[serde(default = "most_bytes")]
    pub max_bytes: usize,
    /// Most rows to look into; a shard has a bound of its own.
    #[serde(default = "every")]
    pub max_rows: usize,
}

impl RunsRequest {
    /// Returns a request for the newest attempts at a task.
    pub fn of_task(id: &str, before: Option<RunPosition>, limit: usize) -> Self {
        Self { id: Some(id.to_owned()), before, ..Self::of_all(RunFilter::default(), limit) }
    }

    /// Returns a request for the newest attempts that a filter means.
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

/// A run as the API shows it, and its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunItem {
    /// Its place.
    pub position: RunPosition,
    /// When the shard learned of its end, which the runs are in order of.
    pub reported_at: UnixMillis,
    /// A [`TaskRun`]; its text goes through unread, so that a newer shard may say more.
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
    /// The requested time of the run. With the id it names the run; the attempts at a run and at
    /// its follow-ups have the same one. Absent if the task was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// `onSuccess` or `onFailure`, if it is an attempt at a follow-up of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Cow<'a, str>>,
    /// Which attempt at it this was, from 1. Absent if the task was cancelled.
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
    /// When it was dispatched; absent if the run was skipped, expired or cancelled, or was a dead
    /// letter before it could start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<i64>,
    /// When it began; absent where that is not known, as of what goes to a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// When it ended; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// When its outcome was recorded.
    pub reported_at: i64,
    /// How it ended: `succeeded`, `failed` (and is tried again), `dead-lettered` (failed for good),
    /// `handed-over` (to your queue), `expired` or `skipped` (not started), `cancelled`. Expect
    /// others: later versions may add some.
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
    /// How the body of the answer begins, on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Cow<'a, str>>,
}

/// How far a shard has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Looked {
    /// Everything from here on has been looked at; `None` when there is nothing before.
    pub next: Option<RunPosition>,
    /// Where it began: behind the newest run that it has looked at.
    pub start: Option<RunPosition>,
    /// If there may be more before `next`, none of it was reported later than this, unless the
    /// clock of the shard has gone back.
    pub back_to: Option<UnixMillis>,
    /// How many attempts it has looked at.
    pub attempts: u64,
}

/// A part of a history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunsReply {
    /// The newest first.
    pub items: Vec<RunItem>,
    /// How far the shard has looked.
    #[serde(flatten)]
    pub looked: Looked,
}

/// Failures with like errors, as a shard found them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorGroup {
    /// Their error without its numbers and ids: see [`crate::runs::pattern_of`].
    pub pattern: String,
    /// How many they are.
    pub count: u64,
    /// When the first of them was reported.
    pub first: UnixMillis,
    /// When the last of them was reported.
    pub last: UnixMillis,
    /// The last of them.
    pub example: Box<RawValue>,
}

/// Attempts with like errors, of a part of a history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupsReply {
    /// Those with the newest attempt first.
    pub groups: Vec<ErrorGroup>,
    /// How far the shard has looked.
    #[serde(flatten)]
    pub looked: Looked,
}
