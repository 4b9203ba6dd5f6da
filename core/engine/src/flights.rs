//! Attempts in flight: those that a request may mean, their ids, and their records.

use crate::budget::{MAX_LOOKED_AT_BYTES, MAX_SCANNED_BYTES};
use crate::decisions::FlightRef;
use crate::envelopes::parse_envelope;
use crate::error::EngineError;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::position::Position;
use std::collections::HashMap;

/// A cursor of a scan encodes an attempt in flight as this due time plus the number of its
/// envelope, so it follows every waiting task.
const IN_FLIGHT: i64 = UnixMillis::NEVER.get() + 1;

/// The attempts in flight that a request may mean, by the hash of the id. Each envelope that holds
/// one is read once.
#[derive(Default)]
pub(super) struct Flights {
    pub(super) by_hash: HashMap<u64, Vec<FlightRef>>,
    /// The ids of these attempts, by envelope and index, if they were read.
    pub(super) ids: HashMap<u64, HashMap<u32, String>>,
    /// Bytes that were read of envelopes.
    pub(super) bytes: usize,
    /// Bytes that were read of waiting tasks with these ids.
    looked_at: usize,
}

/// The attempts in flight of an id.
#[derive(Default)]
pub(super) struct Found {
    /// The newest first. Of attempts with nothing left to do there is at most one, and only if
    /// there are no others.
    pub(super) flights: Vec<FlightRef>,
    /// Whether there may be others, because the request has read its maximum.
    pub(super) is_part: bool,
}

impl Flights {
    /// Returns whether a request has read its maximum. The caller sends another one for the rest.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes >= MAX_SCANNED_BYTES || self.looked_at >= MAX_LOOKED_AT_BYTES
    }

    /// Counts bytes that the request has read of waiting tasks.
    pub(super) fn look_at(&mut self, bytes: usize) {
        self.looked_at += bytes;
    }
}

/// Reads records of attempts in flight for one request, and counts the bytes that it reads. It
/// keeps the tasks of the last envelope, because attempts of the same envelope follow one another.
#[derive(Default)]
pub(super) struct FlightReader {
    last: Option<(u64, Vec<Vec<u8>>)>,
    pub(super) bytes: usize,
}

impl FlightReader {
    /// Returns the record of an attempt as it was dispatched.
    pub(super) fn dispatched(
        &mut self,
        FlightRef { seq, index }: FlightRef,
        reader: &dyn Reader,
    ) -> Result<Vec<u8>, EngineError> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != seq) {
            let text = reader.envelope(seq)?;
            self.bytes += text.len();
            let tasks = parse_envelope(&text, seq)?
                .tasks
                .into_iter()
                .map(|task| task.get().as_bytes().to_vec());
            self.last = Some((seq, tasks.collect()));
        }
        let task = self.last.as_ref().and_then(|(_, tasks)| tasks.get(index as usize));
        task.cloned()
            .ok_or_else(|| EngineError::Corrupt(format!("envelope {seq} has no task {index}")))
    }
}

/// Returns the position of an attempt in flight for the cursor of a scan.
pub(super) fn position_of(flight: FlightRef) -> Position {
    // Envelopes are counted from 1, and will not reach 2^53.
    let due =
        UnixMillis::new(IN_FLIGHT.saturating_add(i64::try_from(flight.seq).unwrap_or(i64::MAX)));
    Position { due, page: 0, index: flight.index }
}

/// Returns the attempt after which a scan continues, if it has reached those in flight.
pub(super) fn flight_at(position: Position) -> Option<FlightRef> {
    let seq = u64::try_from(position.due.get().checked_sub(IN_FLIGHT)?).ok()?;
    Some(FlightRef { seq, index: position.index })
}

/// Returns whether a scan continues among the attempts in flight.
pub(super) fn is_in_flight(after: Option<Position>) -> bool {
    after.is_some_and(|after| flight_at(after).is_some())
}
