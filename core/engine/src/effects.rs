//! The effects of an input, which the shell carries out: rows to write, messages to send, requests
//! to limiters.

use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber, PageNumber, ScheduleNumber};
use scheduler_model::protocol::limiter::LeaseRequest;
use std::sync::Arc;

/// A change of the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new page.
    InsertPage {
        /// The number of the page.
        page: PageNumber,
        /// See [`scheduler_model::format::page`].
        directory: Vec<u8>,
        /// The records.
        body: Vec<u8>,
    },
    /// The open page gets a new directory and more body.
    ExtendPage {
        /// The number of the page.
        page: PageNumber,
        /// The whole new directory.
        directory: Vec<u8>,
        /// The bytes to append to the body.
        tail: Vec<u8>,
    },
    /// Deletes a page without live entries, together with its dead bits.
    DeletePage {
        /// Its number.
        page: PageNumber,
        /// Whether storage has dead bits of the page.
        has_dead: bool,
    },
    /// The cancelled entries of a page: bit `i` of the little-endian words stands for entry `i`.
    SetDead {
        /// The page's number.
        page: PageNumber,
        /// The bits.
        bits: Vec<u8>,
    },
    /// A new recurring task.
    InsertSchedule {
        /// Its number.
        number: ScheduleNumber,
        /// Occurrences after this time belong to the task.
        since: UnixMillis,
        /// Its record.
        record: Vec<u8>,
    },
    /// A recurring task gets a new record.
    SetSchedule {
        /// Its number.
        number: ScheduleNumber,
        /// Occurrences after this time belong to the task; `None` leaves the stored time as it is.
        since: Option<UnixMillis>,
        /// Its record.
        record: Vec<u8>,
    },
    /// A recurring task begins later. Its record stays.
    SetSince {
        /// Its number.
        number: ScheduleNumber,
        /// Occurrences after this time belong to the task.
        since: UnixMillis,
    },
    /// Deletes a recurring task.
    DeleteSchedule {
        /// Its number.
        number: ScheduleNumber,
    },
    /// Stores the answer to a request under its idempotency key, in the commit that carries it out.
    Remember {
        /// The period of the key.
        period: i64,
        /// The key's hash.
        key: [u8; 16],
        /// The stored answer.
        value: Vec<u8>,
    },
    /// Deletes some keys of a period.
    Forget {
        /// The period.
        period: i64,
        /// The number of keys to delete. The period has at least as many.
        count: u64,
    },
    /// A new envelope, with the state after it. **Invariant 2:** watermark and outbox change in one
    /// commit.
    InsertEnvelope {
        /// Its number.
        seq: EnvelopeSeq,
        /// Where it goes.
        destination: Destination,
        /// Its text.
        text: Arc<Vec<u8>>,
        /// The hash of each task's id, 8 bytes each, little-endian.
        hashes: Vec<u8>,
        /// When it is sent.
        sent_at: UnixMillis,
        /// The state of the shard from now on, if this is the last envelope of its firing.
        state: Option<Vec<u8>>,
    },
    /// Deletes the text of the newest envelope, which is done. The row stays, because it holds the
    /// state.
    ClearEnvelope {
        /// Its number.
        seq: EnvelopeSeq,
        /// The state from now on.
        state: Vec<u8>,
    },
    /// Stores the state alone, in the newest row of the outbox. A shard that has not fired yet gets
    /// a row 0.
    SaveState {
        /// The number of the newest row.
        seq: EnvelopeSeq,
        /// The state.
        state: Vec<u8>,
    },
    /// Deletes an envelope that is done.
    DeleteEnvelope {
        /// Its number.
        seq: EnvelopeSeq,
    },
    /// Replaces the decisions about the tasks of an envelope in flight.
    Decide {
        /// The number of the envelope.
        seq: EnvelopeSeq,
        /// The decisions, by index.
        decisions: Vec<u8>,
    },
    /// Stores the record for the further attempts of a task in flight.
    Patch {
        /// The envelope's number.
        seq: EnvelopeSeq,
        /// The index of the task in the envelope.
        index: u32,
        /// The record.
        record: Vec<u8>,
    },
    /// Deletes the decisions and patches of an envelope, because it is done.
    ForgetDecisions {
        /// The number of the envelope.
        seq: EnvelopeSeq,
    },
    /// A new row of the history: see [`scheduler_model::format::history`].
    InsertHistory {
        /// Its number.
        row: u64,
        /// When its newest outcome was reported.
        newest: UnixMillis,
        /// Its chunks.
        body: Vec<u8>,
    },
    /// Appends to the newest row of the history.
    ExtendHistory {
        /// Its number.
        row: u64,
        /// When its newest outcome was reported.
        newest: UnixMillis,
        /// The bytes to append to the body.
        tail: Vec<u8>,
    },
    /// Deletes the rows of the history up to and including this one.
    DropHistory {
        /// The last row to delete.
        up_to: u64,
    },
    /// Records that an envelope is sent again.
    Resent {
        /// Its number.
        seq: EnvelopeSeq,
        /// The time of this send.
        sent_at: UnixMillis,
        /// How often the envelope was sent again after a send that the queue may have accepted.
        attempts: u32,
        /// The results of the last sends.
        sends: Sends,
    },
    /// Records that a queue has refused an envelope, has not answered, or has accepted it after one
    /// of these.
    SendEnded {
        /// Its number.
        seq: EnvelopeSeq,
        /// The time of the refusal or of the missing answer. It replaces the time of the send.
        at: Option<UnixMillis>,
        /// The results of the last sends.
        sends: Sends,
    },
}

/// Where an envelope goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// To the dispatchers. The envelope is done when they report it.
    Dispatch,
    /// To the dispatchers, from this lane: see `lanes.rs`.
    Lane(LaneNumber),
    /// To the user's own consumer, through this producer binding. The envelope is done when the
    /// queue has accepted it.
    Queue(String),
}

/// An envelope to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number.
    pub seq: EnvelopeSeq,
    /// Where it goes.
    pub destination: Destination,
    /// Its text.
    pub text: Arc<Vec<u8>>,
}

impl Destination {
    /// Returns whether the envelope goes to the dispatchers, who report it.
    pub fn is_reported(&self) -> bool {
        !matches!(self, Self::Queue(_))
    }
}

/// A request to the limiter of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedLeaseRequest {
    /// The key.
    pub key: String,
    /// The request.
    pub request: LeaseRequest,
}

/// What the shell must do, in this order: all writes in one transaction, then the sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// The changes of the storage.
    pub writes: Vec<Write>,
    /// Messages. For each, the shell then calls [`crate::Engine::sent`],
    /// [`crate::Engine::send_failed`] or [`crate::Engine::send_unanswered`].
    pub sends: Vec<Outgoing>,
    /// The requests to limiters. For each, the shell then calls [`crate::Engine::limit_answered`]
    /// or [`crate::Engine::limit_failed`]. Only a wake-up has any.
    pub asks: Vec<KeyedLeaseRequest>,
}
