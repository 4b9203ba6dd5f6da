//! What a start-up reads from storage.

use crate::effects::Destination;
use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::id_key::IdKey;

/// What is stored of a page, without its body.
#[derive(Debug, Clone)]
pub struct StoredPage {
    /// Its number.
    pub page: u32,
    /// The directory's bytes.
    pub directory: Vec<u8>,
    /// The length of its body, bytes.
    pub body_len: u32,
    /// The bits of its cancelled entries; empty when there are none.
    pub dead: Vec<u8>,
}

/// What is stored of a recurring task.
#[derive(Debug, Clone)]
pub struct StoredSchedule {
    /// Its number.
    pub number: u32,
    /// Occurrences after this time are its own.
    pub since: UnixMillis,
    /// Its record.
    pub record: Vec<u8>,
}

/// What is stored of an envelope, without its text.
#[derive(Debug, Clone)]
pub struct StoredEnvelope {
    /// Its number.
    pub seq: u64,
    /// Where it goes; `None` when it is done and only its state is kept.
    pub destination: Option<Destination>,
    /// 8 bytes for each task.
    pub hashes: Vec<u8>,
    /// When it was sent last.
    pub sent_at: UnixMillis,
    /// How often it has been sent again after a send that the queue may have taken.
    pub attempts: u32,
    /// What is known of its last sends.
    pub sends: Sends,
}

/// What a start-up reads of the patched record of a task in flight.
#[derive(Debug, Clone, Copy)]
pub struct StoredPatch {
    /// The envelope's number.
    pub seq: u64,
    /// The task's index in it.
    pub index: u32,
    /// The size of the record.
    pub bytes: u32,
}

/// What is stored of a row of the history, without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHistory {
    /// Its number.
    pub row: u64,
    /// When its newest outcome was reported.
    pub newest: UnixMillis,
    /// The length of its body.
    pub bytes: u32,
}

/// All that a start-up reads.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The key of the index of ids, by which all hashes of pages and envelopes are made.
    pub id_key: IdKey,
    /// Every page.
    pub pages: Vec<StoredPage>,
    /// The recurring tasks, or none: their records may be large, and may be given one by one to [`Engine::load_schedule`].
    pub schedules: Vec<StoredSchedule>,
    /// Every row of the outbox.
    pub envelopes: Vec<StoredEnvelope>,
    /// What was decided about envelopes in flight, by their number: see [`super::Write::Decide`].
    pub decisions: Vec<(u64, Vec<u8>)>,
    /// The sizes of the patched records of tasks in flight: see [`super::Write::Patch`].
    pub patches: Vec<StoredPatch>,
    /// Every row of the history.
    pub history: Vec<StoredHistory>,
    /// The state in the newest row of the outbox that has one.
    pub state: Option<Vec<u8>>,
    /// How many keys are remembered of each period.
    pub remembered: Vec<(i64, u64)>,
}
