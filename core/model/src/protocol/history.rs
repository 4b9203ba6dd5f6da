//! How attempts went.

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

/// A part of a task's history is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsRequest {
    /// The task's id.
    pub id: String,
    /// Those before this position only.
    pub before: Option<RunPosition>,
    /// The largest number of items on the page.
    pub limit: usize,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Run")]
pub struct TaskRun<'a> {
    /// The requested time of the run. With the id of the task it names the run; the attempts at a
    /// run and at its follow-ups have the same one.
    pub time: i64,
    /// `onSuccess` or `onFailure`, if it is an attempt at a follow-up of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Cow<'a, str>>,
    /// Which attempt at it this was, from 1.
    pub attempt: u32,
    /// When it was dispatched; absent if the run was skipped or expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<i64>,
    /// When it began; absent where that is not known, as of what goes to a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// When it ended; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// When its outcome was taken down.
    pub reported_at: i64,
    /// How it ended: `succeeded`, `failed` (and is tried again), `dead-lettered` (failed for good),
    /// `handed-over` (to your queue), `expired` or `skipped` (not started). Expect others: later
    /// versions may add some.
    pub outcome: Cow<'a, str>,
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

/// A part of a task's history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunsReply {
    /// The newest first.
    pub items: Vec<RunItem>,
    /// Everything from here on has been looked at; `None` when there is nothing before.
    pub next: Option<RunPosition>,
}
