//! What a start-up reads from storage.

use crate::effects::Destination;
use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::{EnvelopeSeq, PageNumber, ScheduleNumber};

/// A stored page without its body.
#[derive(Debug, Clone)]
pub struct StoredPage {
    /// Its number.
    pub page: PageNumber,
    /// The directory's bytes.
    pub directory: Vec<u8>,
    /// The length of its body, bytes.
    pub body_len: u32,
    /// The bits of the cancelled entries. Empty if there are none.
    pub dead: Vec<u8>,
}

/// A stored recurring task.
#[derive(Debug, Clone)]
pub struct StoredSchedule {
    /// Its number.
    pub number: ScheduleNumber,
    /// Occurrences after this time belong to it.
    pub since: UnixMillis,
    /// Its record.
    pub record: Vec<u8>,
}

/// A stored envelope without its text.
#[derive(Debug, Clone)]
pub struct StoredEnvelope {
    /// Its number.
    pub seq: EnvelopeSeq,
    /// The destination, or `None` if the envelope is done and its row only holds the state.
    pub destination: Option<Destination>,
    /// The hash of each task's id, 8 bytes each.
    pub hashes: Vec<u8>,
    /// When it was last sent.
    pub sent_at: UnixMillis,
    /// How often it was sent again after a send that the queue may have accepted.
    pub attempts: u32,
    /// The results of its last sends.
    pub sends: Sends,
}

/// The patched record of a task in flight, without its text.
#[derive(Debug, Clone, Copy)]
pub struct StoredPatch {
    /// The envelope's number.
    pub seq: EnvelopeSeq,
    /// The task's index in it.
    pub index: u32,
    /// The size of the record.
    pub bytes: u32,
}

/// A stored row of the history without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHistory {
    /// Its number.
    pub row: u64,
    /// When its newest outcome was reported.
    pub newest: UnixMillis,
    /// The length of its body.
    pub bytes: u32,
}

/// Everything that a start-up reads.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The key of the index of ids, which is the key of all hashes of pages and envelopes.
    pub id_key: IdKey,
    /// Every page.
    pub pages: Vec<StoredPage>,
    /// The recurring tasks. The shell may leave this empty and pass them one by one to
    /// [`crate::Engine::load_schedule`], because their records may be large.
    pub schedules: Vec<StoredSchedule>,
    /// Every row of the outbox.
    pub envelopes: Vec<StoredEnvelope>,
    /// The decisions about envelopes in flight, by their number: see [`crate::Write::Decide`].
    pub decisions: Vec<(EnvelopeSeq, Vec<u8>)>,
    /// The sizes of the patched records of tasks in flight: see [`crate::Write::Patch`].
    pub patches: Vec<StoredPatch>,
    /// Every row of the history.
    pub history: Vec<StoredHistory>,
    /// The state, from the newest row of the outbox that has one.
    pub state: Option<Vec<u8>>,
    /// The number of stored idempotency keys by period.
    pub remembered: Vec<(i64, u64)>,
}
