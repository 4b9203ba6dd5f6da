//! Messages that read one task or a list of tasks.

use super::Filter;
use crate::names::{self, Named};
use crate::position::Position;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A request for one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRequest {
    /// The task's id.
    pub id: String,
}

/// What a task waits for.
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
    /// An attempt is in flight: it is dispatched, and its outcome is not reported yet.
    Running,
    /// It is paused, and waits until it is resumed.
    Paused,
    /// It failed for good. It is kept until you replay or discard it.
    #[serde(rename = "dead-lettered")]
    Dead,
    /// It has no schedule and waits for nothing.
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

/// A request for a part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListRequest {
    /// The filter of the tasks.
    pub filter: Filter,
    /// Only tasks after this position.
    pub after: Option<Position>,
    /// The most items of the page.
    pub limit: usize,
    /// The most bytes of the records, except that the first one is always included. If absent, the
    /// shard uses its own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<usize>,
    /// The most bytes of rows that the shard reads to find the tasks; it reads at least one row.
    /// Each row counts as at least [`crate::bounds::SEARCHED_ROW_BYTES`]. If absent, the shard uses
    /// its own limit. Shards of earlier versions do not know this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_read: Option<usize>,
}

/// An item of a list of tasks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListItem {
    /// Its place in the list.
    pub position: Position,
    /// When it is due, if its place does not say so. The place of an attempt in flight has the time
    /// of its last send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<UnixMillis>,
    /// What it waits for.
    pub status: Status,
    /// Whether a run of this task is in flight while the task waits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_running: bool,
    /// Whether it is an attempt at a run or at a follow-up, and not a task. The status does not
    /// determine this.
    #[serde(default)]
    pub is_attempt: bool,
    /// Whether it is in flight and was cancelled: this attempt runs to its end, and nothing is left
    /// to change.
    #[serde(default)]
    pub is_cancelled: bool,
    /// The stored record.
    pub record: Box<RawValue>,
}

impl ListItem {
    /// Returns when it is due. This is [`UnixMillis::NO_LANE`] or later if it does not fire by
    /// itself.
    pub fn due(&self) -> UnixMillis {
        self.due.unwrap_or(self.position.due)
    }
}

/// A part of the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListReply {
    /// The items, in the order of their places.
    pub items: Vec<ListItem>,
    /// Everything up to here was examined; `None` if nothing comes after it.
    pub next: Option<Position>,
    /// The number of items of the whole list; only in the first part of a list without a filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The number of tasks that the shard examined for this part; absent from shards of earlier
    /// versions.
    #[serde(default)]
    pub searched: u64,
}
