//! What an input asks of the shell: rows to write, messages to send, questions to ask.

use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::{PageNumber, ScheduleNumber};
use scheduler_model::protocol::limiter::LeaseRequest;
use std::sync::Arc;

/// A change of what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new page.
    InsertPage {
        /// Its number.
        page: PageNumber,
        /// See [`scheduler_model::format::page`].
        directory: Vec<u8>,
        /// Its records.
        body: Vec<u8>,
    },
    /// The open page gets a new directory and more body.
    ExtendPage {
        /// Its number.
        page: PageNumber,
        /// The whole new directory.
        directory: Vec<u8>,
        /// To be added behind the body.
        tail: Vec<u8>,
    },
    /// A page of which nothing is alive goes, and its dead bits with it.
    DeletePage {
        /// Its number.
        page: PageNumber,
        /// Whether dead bits of it are stored.
        has_dead: bool,
    },
    /// Which entries of a page are cancelled: bit `i` of the little-endian words, for entry `i`.
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
        /// Occurrences after this time are its own.
        since: UnixMillis,
        /// Its record.
        record: Vec<u8>,
    },
    /// A recurring task gets another record.
    SetSchedule {
        /// Its number.
        number: ScheduleNumber,
        /// Occurrences after this time are its own; `None` leaves that as it is.
        since: Option<UnixMillis>,
        /// Its record.
        record: Vec<u8>,
    },
    /// A recurring task begins later: its record stays.
    SetSince {
        /// Its number.
        number: ScheduleNumber,
        /// Occurrences after this time are its own.
        since: UnixMillis,
    },
    /// A recurring task goes.
    DeleteSchedule {
        /// Its number.
        number: ScheduleNumber,
    },
    /// A request that was carried out under a key. Written in the commit that carries it out.
    Remember {
        /// The period it is filed under.
        period: i64,
        /// The key's hash.
        key: [u8; 16],
        /// What to know of it.
        value: Vec<u8>,
    },
    /// Some keys of a period go.
    Forget {
        /// The period.
        period: i64,
        /// How many; the period has at least as many.
        count: u64,
    },
    /// An envelope on its way, with the state that it leads to. **Invariant 2:** watermark and
    /// outbox change together.
    InsertEnvelope {
        /// Its number.
        seq: u64,
        /// Where it goes.
        destination: Destination,
        /// Its text.
        text: Arc<Vec<u8>>,
        /// The hash of each task's id, 8 bytes each, little-endian.
        hashes: Vec<u8>,
        /// When it is sent.
        sent_at: UnixMillis,
        /// The shard's state from here on, if this is the last envelope of its firing.
        state: Option<Vec<u8>>,
    },
    /// The newest envelope is done: its text goes, its state stays.
    ClearEnvelope {
        /// Its number.
        seq: u64,
        /// The state from here on.
        state: Vec<u8>,
    },
    /// The state alone, in the newest row of the outbox; a shard that has not fired yet gets a row
    /// 0 for it.
    SaveState {
        /// The newest row's number.
        seq: u64,
        /// The state.
        state: Vec<u8>,
    },
    /// An envelope is done.
    DeleteEnvelope {
        /// Its number.
        seq: u64,
    },
    /// What was decided about the tasks of an envelope in flight, in place of what was decided
    /// before.
    Decide {
        /// Its number.
        seq: u64,
        /// The decisions, by index.
        decisions: Vec<u8>,
    },
    /// The further attempts of a task in flight have this record.
    Patch {
        /// The envelope's number.
        seq: u64,
        /// The task's index in it.
        index: u32,
        /// The record.
        record: Vec<u8>,
    },
    /// Decisions and patches of an envelope go: it is done.
    ForgetDecisions {
        /// Its number.
        seq: u64,
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
    /// The newest row of the history grows.
    ExtendHistory {
        /// Its number.
        row: u64,
        /// When its newest outcome was reported.
        newest: UnixMillis,
        /// To be added behind the body.
        tail: Vec<u8>,
    },
    /// The rows of the history up to this one go.
    DropHistory {
        /// The last of them.
        up_to: u64,
    },
    /// An envelope is sent again.
    Resent {
        /// Its number.
        seq: u64,
        /// When.
        sent_at: UnixMillis,
        /// How often it has been sent again after a send that the queue may have taken.
        attempts: u32,
        /// What is known of its last sends.
        sends: Sends,
    },
    /// A queue has refused an envelope, has not answered, or has taken it after one of these.
    SendEnded {
        /// Its number.
        seq: u64,
        /// When it was not taken, which takes the place of when it was sent.
        at: Option<UnixMillis>,
        /// What is known of its last sends.
        sends: Sends,
    },
}

/// Where an envelope goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// To the dispatchers; done when they report it.
    Dispatch,
    /// To the dispatchers, out of this lane: see `lanes.rs`.
    Lane(u8),
    /// Through this producer binding to the user's own consumer; done when the queue has taken it.
    Queue(String),
}

/// An envelope to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number.
    pub seq: u64,
    /// Where it goes.
    pub destination: Destination,
    /// Its text.
    pub text: Arc<Vec<u8>>,
}

impl Destination {
    /// Returns whether it is for the dispatchers, who report it.
    pub fn is_reported(&self) -> bool {
        !matches!(self, Self::Queue(_))
    }
}

/// A question to the limiter of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitAsk {
    /// The key.
    pub key: String,
    /// What is asked.
    pub ask: LeaseRequest,
}

/// What the shell has to do, in this order: all writes in one transaction, then the sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// Changes of storage.
    pub writes: Vec<Write>,
    /// Messages. For each, the shell then calls [`crate::Engine::sent`],
    /// [`crate::Engine::send_failed`] or [`crate::Engine::send_unanswered`].
    pub sends: Vec<Outgoing>,
    /// Questions to limiters. For each, the shell then calls [`crate::Engine::limit_answered`] or
    /// [`crate::Engine::limit_failed`]. Only a wake-up has any.
    pub asks: Vec<LimitAsk>,
}
