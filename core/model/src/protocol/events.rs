//! What happens, for those who watch.

use crate::bounds::MAX_EVENTS_BYTES;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can happen to a task, for those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum EventKind {
    /// The task was created.
    Created,
    /// A new definition took the place of a task that waited or ran.
    Updated,
    /// It was cancelled.
    Cancelled,
    /// It waits to be resumed.
    Paused,
    /// It goes on.
    Resumed,
    /// It fires at another time.
    Rescheduled,
    /// It was dispatched.
    Fired,
    /// An attempt succeeded.
    Succeeded,
    /// An attempt failed, and there will be another.
    Failed,
    /// It failed for good.
    DeadLettered,
    /// A dead letter of it was discarded. The task itself goes on as before.
    Discarded,
    /// Your queue has taken it.
    HandedOver,
    /// A run did not fire: it was missed, or the one before had not ended.
    Skipped,
    /// A run came too late to start.
    Expired,
    /// A destination does not answer: what is due for it waits.
    CircuitOpened,
    /// One run was let through to a destination that does not answer.
    CircuitHalfOpen,
    /// A destination answers again, or nothing was due for it for long.
    CircuitClosed,
}

/// A position among a shard's events: the incarnation of its memory, and the number of the next
/// event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPosition {
    /// When the shard began to note events.
    #[serde(rename = "life")]
    pub incarnation: UnixMillis,
    /// The number of events before the position, since then.
    pub next: u64,
}

/// Events are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsRequest {
    /// From here on; `None`: from now on.
    pub from: Option<FeedPosition>,
    /// Of this task only.
    pub id: Option<String>,
    /// Only events of tasks with this tag.
    pub tag: Option<String>,
    /// Only events of this type.
    pub kind: Option<EventKind>,
    /// The largest number of items on the page.
    pub limit: usize,
    /// Most bytes of their texts, beside the first event, and at most [`MAX_EVENTS_BYTES`].
    #[serde(default = "most_bytes")]
    pub max_bytes: usize,
    /// While there are none, how long to wait for some, milliseconds; at most
    /// [`crate::bounds::MAX_EVENTS_WAIT_MILLIS`].
    pub wait_millis: u32,
    /// Identifies the API key of the reader, because the number of readers is limited by key.
    #[serde(default)]
    pub key: u64,
    /// Identifies the reader, who keeps a place between requests.
    #[serde(default)]
    pub reader: u64,
}

fn most_bytes() -> usize {
    MAX_EVENTS_BYTES
}

/// An event as a shard tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenEvent {
    /// Its number in the incarnation of the answer's position.
    pub number: u64,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: UnixMillis,
    /// The task's id.
    pub id: String,
    /// The task's tags.
    pub tags: Vec<String>,
    /// The requested time of the run; of a recurring task itself there is none.
    #[serde(alias = "due")]
    pub time: Option<UnixMillis>,
    /// Of a follow-up, which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Which attempt it is about.
    pub attempt: u32,
    /// What went wrong.
    pub error: String,
    /// Of a circuit's events, the destination; these have no task, and an empty id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
}

/// A shard's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsReply {
    /// In the order in which they happened.
    pub events: Vec<SeenEvent>,
    /// Where to go on.
    pub next: FeedPosition,
    /// Whether there may have been others between the position that was asked for and these.
    pub is_gap: bool,
    /// Whether there are more, for which the answer had no room.
    #[serde(default)]
    pub has_more: bool,
}
