//! The messages between coordinator, dispatcher and shard. They are the contract of the shard's
//! Durable Object.
//!
//! An append is binary, because it contains pages as they will be stored. Everything else is small
//! and JSON.

mod append;
mod change;
mod dead_letters;
mod events;
mod filter;
mod forecast;
mod history;
pub mod limiter;
mod list;
mod report;
mod series;
mod stats;

pub use append::{Append, AppendError, AppendReply, Expected, GoOnReply, Terms};
pub use change::{
    Among, AmongRequest, CancelMatchingReply, CancelMatchingRequest, CancelReply, CancelRequest,
    Cancelled, Change, ChangeMatchingReply, ChangeMatchingRequest, ChangeReply, ChangeRequest,
    Changed, CountReply, CountRequest, NewTime, PauseReason, RunRequest,
};
pub use dead_letters::{ChangedLetter, DeadLettersReply, DeadLettersRequest, LetterOutcome};
pub use events::{EventKind, EventsReply, EventsRequest, FeedPosition, SeenEvent};
pub use filter::{CallbackType, Filter, Kind, LastOutcome};
pub use forecast::ForecastReply;
pub use history::{
    ErrorGroup, GroupsReply, Looked, RunFilter, RunItem, RunPosition, RunsReply, RunsRequest,
    TaskRun,
};
pub use list::{GetRequest, ListItem, ListReply, ListRequest, Status};
pub use report::{
    Detail, Done, Failure, MAX_ERROR_CHARS, MAX_EXCERPT_BYTES, OutboxRequest, Report,
};
pub use series::{SeriesReply, SeriesRequest};
pub use stats::{
    CircuitState, CircuitStats, Counters, PurgeReply, PurgeRequest, ShardStats, WatchReply,
    WatchRequest,
};

use serde::{Deserialize, Serialize};

/// The binding of the shards' Durable Object namespace.
pub const SHARDS_BINDING: &str = "SHARDS";
/// The binding of the queue to the dispatchers.
pub const DISPATCH_QUEUE_BINDING: &str = "DISPATCH_QUEUE";
/// All of the scheduler's own bindings. No task may name one, whatever the settings list. A task
/// that could call a shard could report for others or delete them. One that could call the registry
/// could create keys. One that could send to the dispatchers' queue could make them run unchecked
/// tasks.
pub const INTERNAL_BINDINGS: [&str; 4] = [
    SHARDS_BINDING,
    DISPATCH_QUEUE_BINDING,
    crate::access::REGISTRY_BINDING,
    limiter::LIMITERS_BINDING,
];

/// The requests to a shard, as paths of POSTs.
pub mod paths {
    /// Body [`super::Append`]; answer [`super::AppendReply`].
    pub const APPEND: &str = "/append";
    /// Body [`super::Append::encode`]; answer [`super::GoOnReply`].
    pub const GO_ON: &str = "/go-on";
    /// Body [`super::GetRequest`]; answer [`super::ListItem`] or null.
    pub const GET: &str = "/get";
    /// Body [`super::AmongRequest`] of a [`super::CancelRequest`]; answer [`super::CancelReply`].
    pub const CANCEL: &str = "/cancel";
    /// Body [`super::ListRequest`]; answer [`super::ListReply`].
    pub const LIST: &str = "/list";
    /// Body [`super::ListRequest`]; answer [`super::ListReply`], from the last to the first: places
    /// are those of [`crate::position::Position::from_the_end`].
    pub const LIST_FROM_THE_END: &str = "/list-from-the-end";
    /// Body [`super::CancelMatchingRequest`]; answer [`super::CancelMatchingReply`].
    pub const CANCEL_MATCHING: &str = "/cancel-matching";
    /// Body [`super::AmongRequest`] of a [`super::ChangeRequest`]; answer [`super::ChangeReply`].
    pub const CHANGE: &str = "/change";
    /// Body [`super::ChangeMatchingRequest`]; answer [`super::ChangeMatchingReply`].
    pub const CHANGE_MATCHING: &str = "/change-matching";
    /// Body [`super::CountRequest`]; answer [`super::CountReply`].
    pub const COUNT: &str = "/count";
    /// Body [`super::AmongRequest`] of a [`super::RunRequest`]; answer [`super::ChangeReply`].
    pub const RUN: &str = "/run";
    /// Body [`super::ListRequest`]; answer [`super::ListReply`], the newest first: places are those
    /// of [`crate::position::Position::newest_first`].
    pub const DEAD_LETTERS: &str = "/dead-letters";
    /// Body [`crate::dead_letter::DeadLetterId`]; answer [`super::ListItem`] or null.
    pub const DEAD_LETTER: &str = "/dead-letter";
    /// Body [`super::DeadLettersRequest`]; answer [`super::DeadLettersReply`].
    pub const REPLAY: &str = "/replay";
    /// Body [`super::DeadLettersRequest`]; answer [`super::DeadLettersReply`].
    pub const DISCARD: &str = "/discard";
    /// Body [`super::RunsRequest`]; answer [`super::RunsReply`].
    pub const RUNS: &str = "/runs";
    /// Body [`super::RunsRequest`], whose limit is of groups; answer [`super::GroupsReply`].
    pub const ERRORS: &str = "/errors";
    /// Body [`super::GetRequest`]; answer [`crate::explain::Explanation`].
    pub const EXPLAIN: &str = "/explain";
    /// Body [`super::EventsRequest`]; answer [`super::EventsReply`].
    pub const EVENTS: &str = "/events";
    /// Body [`super::Report`]; answer null.
    pub const REPORT: &str = "/report";
    /// Body [`super::OutboxRequest`]; answer whether the envelope is in the outbox.
    pub const OUTBOX: &str = "/outbox";
    /// No body; answer [`super::ShardStats`].
    pub const STATS: &str = "/stats";
    /// Body [`super::SeriesRequest`]; answer [`super::SeriesReply`].
    pub const SERIES: &str = "/series";
    /// Body [`crate::forecast::Buckets`]; answer [`super::ForecastReply`].
    pub const FORECAST: &str = "/forecast";
    /// Body [`super::PurgeRequest`], or none from a coordinator of an earlier version; answer
    /// [`super::PurgeReply`].
    pub const PURGE: &str = "/purge";
    /// Body [`super::WatchRequest`], or none from a coordinator of an earlier version; answer
    /// [`super::WatchReply`].
    pub const WATCH: &str = "/watch";
}

/// A shard's refusal, as the body of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardError {
    /// Who caused the error, and whether a retry helps.
    pub kind: ShardErrorKind,
    /// The problem, the limit, and what to do.
    pub detail: String,
    /// After how many seconds a retry makes sense, if the kind does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

/// Who caused an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShardErrorKind {
    /// The shard holds as many tasks as it may. HTTP 507.
    Full,
    /// A quota is used up, so the caller must wait. HTTP 429.
    Quota,
    /// The most readers of events are waiting. HTTP 429.
    Readers,
    /// The `Idempotency-Key` of the request was used for another request. HTTP 409.
    KeyReused,
    /// The request is invalid, because of a mistake of the sender. HTTP 400.
    Request,
    /// The stored task is not what the request expects. HTTP 412.
    Conflict,
    /// The stored task cannot be changed in this way. HTTP 409.
    NotApplicable,
    /// The platform has failed. A retry may help. HTTP 500.
    Storage,
    /// A part of the request is done. The sender repeats it without a wait. HTTP 503.
    Unfinished,
}
