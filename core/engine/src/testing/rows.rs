//! The rows of the tables of [`super::Memory`].

use crate::{Destination, Sends};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Directory;
use std::sync::Arc;

/// A page.
#[derive(Debug, Clone)]
pub struct PageRow {
    /// The directory of the records.
    pub directory: Directory,
    /// The records.
    pub body: Vec<u8>,
}

/// A recurring task.
#[derive(Debug, Clone)]
pub struct ScheduleRow {
    /// Occurrences after this time belong to it.
    pub since: UnixMillis,
    /// Its record.
    pub record: Vec<u8>,
}

/// A row of the outbox: an envelope, the state, or both.
#[derive(Debug, Clone)]
pub struct EnvelopeRow {
    /// The destination of the envelope, or `None` if it is done and the row only holds the state.
    pub destination: Option<Destination>,
    /// Its text.
    pub text: Arc<Vec<u8>>,
    /// The hash of each task's id, 8 bytes each.
    pub hashes: Vec<u8>,
    /// When it was last sent.
    pub sent_at: UnixMillis,
    /// How often it was sent again after a send that the queue may have accepted.
    pub attempts: u32,
    /// The results of its last sends.
    pub sends: Sends,
    /// The state of the shard after it.
    pub state: Option<Vec<u8>>,
}

impl EnvelopeRow {
    /// Returns the row of an envelope with this text that is in flight to the dispatchers.
    pub fn of(text: Arc<Vec<u8>>) -> Self {
        Self { destination: Some(Destination::Dispatch), text, ..Self::for_state_only() }
    }

    /// Returns a row without an envelope, which holds the state.
    pub fn for_state_only() -> Self {
        Self {
            destination: None,
            text: Arc::default(),
            hashes: Vec::new(),
            sent_at: UnixMillis::ZERO,
            attempts: 0,
            sends: Sends::Sent,
            state: None,
        }
    }

    /// Returns whether the dispatchers have the envelope and have not reported it.
    pub fn is_dispatched(&self) -> bool {
        self.destination.as_ref().is_some_and(Destination::is_reported)
    }
}

/// A row of the history.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// When its newest outcome was reported.
    pub newest: UnixMillis,
    /// Its chunks.
    pub body: Vec<u8>,
}
