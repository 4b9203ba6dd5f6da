//! Reading tasks: one, and lists.

use super::Filter;
use crate::names::{self, Named};
use crate::position::Position;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// One task is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRequest {
    /// The task's id.
    pub id: String,
}

/// What a task is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Status {
    /// It waits for its time.
    Scheduled,
    /// It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
    Retrying,
    /// It waits for the previous run to end.
    Held,
    /// An attempt is in flight: it was dispatched, and its outcome is not reported yet.
    Running,
    /// It waits to be resumed.
    Paused,
    /// It failed for good, and is kept until you replay or discard it.
    #[serde(rename = "dead-lettered")]
    Dead,
    /// It has no schedule, and waits for nothing.
    Unscheduled,
}

impl Named for Status {
    const NAMES: &'static [&'static str] =
        &["scheduled", "retrying", "held", "running", "paused", "dead-lettered", "unscheduled"];
    const VALUES: &'static [Self] = &[
        Self::Scheduled,
        Self::Retrying,
        Self::Held,
        Self::Running,
        Self::Paused,
        Self::Dead,
        Self::Unscheduled,
    ];
    const FORMER: &'static [(&'static str, Self)] =
        &[("fired", Self::Running), ("dead", Self::Dead)];
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        names::stored(deserializer)
    }
}

/// A part of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListRequest {
    /// Which tasks.
    pub filter: Filter,
    /// Those after this position only.
    pub after: Option<Position>,
    /// The largest number of items on the page.
    pub limit: usize,
    /// Records of no more bytes than this together, or one; absent: what a shard looks at in one
    /// request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<usize>,
    /// The most bytes of rows that the shard reads to find the tasks; it reads at least one row.
    /// Each row counts as at least [`crate::bounds::SEARCHED_ROW_BYTES`]. If absent, the shard uses
    /// its own limit. Shards of earlier versions do not know this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_read: Option<usize>,
}

/// A task as a list shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListItem {
    /// Its place in the list.
    pub position: Position,
    /// When it is due, if its place does not say so: an attempt in flight is listed by the time at
    /// which it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<UnixMillis>,
    /// What it waits for.
    pub status: Status,
    /// Whether a run of this task is in flight beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_running: bool,
    /// Whether it is an attempt of a run, or of a follow-up, and not a task: whatever its status
    /// says.
    #[serde(default)]
    pub is_attempt: bool,
    /// Whether it is in flight, and was cancelled: this attempt ends, and nothing is left to
    /// change.
    #[serde(default)]
    pub is_cancelled: bool,
    /// The stored record.
    pub record: Box<RawValue>,
}

impl ListItem {
    /// Returns when it is due; not before [`UnixMillis::HELD`] if it does not fire by itself.
    pub fn due(&self) -> UnixMillis {
        self.due.unwrap_or(self.position.due)
    }
}

/// A part of the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListReply {
    /// In the order of their places.
    pub items: Vec<ListItem>,
    /// Everything up to here has been looked at; `None` when there is nothing beyond.
    pub next: Option<Position>,
    /// The number of items of the whole list. Only with the first part of a list without a filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The number of tasks that the shard looked at for this part; absent from shards of earlier
    /// versions.
    #[serde(default)]
    pub searched: u64,
}
