//! Messages about events.

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
    /// A new definition replaced a task that waited or ran.
    Updated,
    /// It was cancelled.
    Cancelled,
    /// It was paused.
    Paused,
    /// It was resumed.
    Resumed,
    /// It was moved to another time.
    Rescheduled,
    /// It was dispatched.
    Fired,
    /// An attempt succeeded.
    Succeeded,
    /// An attempt failed, and there will be another.
    Failed,
    /// It failed for good.
    DeadLettered,
    /// One of its dead letters was discarded. This does not affect the task.
    Discarded,
    /// Your queue has taken it.
    HandedOver,
    /// A run did not fire: it was missed, or the previous run had not ended.
    Skipped,
    /// A run came too late to start.
    Expired,
    /// A destination does not answer. Its due tasks wait.
    CircuitOpened,
    /// One run was dispatched to a destination that did not answer, to try it.
    CircuitHalfOpen,
    /// A destination answers again, or nothing was due for it for a long time.
    CircuitClosed,
}

/// A position among a shard's events: the incarnation of its memory, and the number of the next
/// event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPosition {
    /// When the shard began to record events.
    #[serde(rename = "life")]
    pub incarnation: UnixMillis,
    /// The number of events before the position in this incarnation.
    pub next: u64,
}

/// A request for events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsRequest {
    /// The position to read from; `None` means from now on.
    pub from: Option<FeedPosition>,
    /// Only events of the task with this id.
    pub id: Option<String>,
    /// Only events of tasks with this tag.
    pub tag: Option<String>,
    /// Only events of this type.
    pub kind: Option<EventKind>,
    /// The most events of the reply.
    pub limit: usize,
    /// The most bytes of the events' texts, except that the first event is always included. At most
    /// [`MAX_EVENTS_BYTES`].
    #[serde(default = "most_bytes")]
    pub max_bytes: usize,
    /// How long to wait for events if there are none, in milliseconds. At most
    /// [`crate::bounds::MAX_EVENTS_WAIT_MILLIS`].
    pub wait_millis: u32,
    /// Identifies the API key of the reader, because readers are limited by key.
    #[serde(default)]
    pub key: u64,
    /// Identifies the reader, who keeps a place between requests.
    #[serde(default)]
    pub reader: u64,
}

fn most_bytes() -> usize {
    MAX_EVENTS_BYTES
}

/// An event in a shard's reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenEvent {
    /// The number of the event in the incarnation of the reply's position.
    pub number: u64,
    /// What happened.
    pub kind: EventKind,
    /// When it happened.
    pub at: UnixMillis,
    /// The task's id.
    pub id: String,
    /// The task's tags.
    pub tags: Vec<String>,
    /// The requested time of the run. `None` for an event of a recurring task itself.
    #[serde(alias = "due")]
    pub time: Option<UnixMillis>,
    /// The stage, for an event of a follow-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The number of the attempt.
    pub attempt: u32,
    /// The error or the reason.
    pub error: String,
    /// The destination, for an event of a circuit. Such an event has no task and an empty id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
}

/// The reply with events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsReply {
    /// The events, in the order in which they happened.
    pub events: Vec<SeenEvent>,
    /// The position at which the next request continues.
    pub next: FeedPosition,
    /// Whether events may be missing between the requested position and these.
    pub is_gap: bool,
    /// Whether there are more events for which the reply had no room.
    #[serde(default)]
    pub has_more: bool,
}
