//! Attempts in flight: those that a request may mean, their ids, and their records.

use crate::budget::{MAX_LOOKED_AT_BYTES, MAX_SCANNED_BYTES};
use crate::decisions::FlightRef;
use crate::envelopes::parse_envelope;
use crate::error::EngineError;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::position::Position;
use std::collections::HashMap;

/// Cursors of scans encode an attempt in flight as this due time plus the number of its envelope: after every waiting task.
pub(super) const IN_FLIGHT: i64 = UnixMillis::NEVER.get() + 1;

/// The attempts in flight that a request may mean, by the hash of the id. Each envelope that holds one is read once.
#[derive(Default)]
pub(super) struct Flights {
    pub(super) by_hash: HashMap<u64, Vec<FlightRef>>,
    /// The ids of these attempts, by envelope and index, as far as they were read.
    pub(super) ids: HashMap<u64, HashMap<u32, String>>,
    /// Bytes that were read of envelopes, and of what waits under the ids.
    pub(super) bytes: usize,
    pub(super) looked_at: usize,
}

/// The attempts in flight of an id.
#[derive(Default)]
pub(super) struct Found {
    /// The newest first; of those of which nothing is left to do, one at most, and only if there are no others.
    pub(super) flights: Vec<FlightRef>,
    /// Whether there may be others: the request has read as much as it may.
    pub(super) is_part: bool,
}

impl Flights {
    /// Whether a request has read as much as it may; the rest is for another.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes >= MAX_SCANNED_BYTES || self.looked_at >= MAX_LOOKED_AT_BYTES
    }

    /// Counts what the request has read of what waits.
    pub(super) fn look_at(&mut self, bytes: usize) {
        self.looked_at += bytes;
    }
}

/// Reads records of attempts in flight for one request, and counts the bytes that this takes. It keeps the tasks of the envelope that it
/// read last: those of one envelope come one after another.
#[derive(Default)]
pub(super) struct FlightReader {
    pub(super) last: Option<(u64, Vec<Vec<u8>>)>,
    pub(super) bytes: usize,
}

impl FlightReader {
    /// Returns the record of an attempt as it was handed on.
    pub(super) fn handed_on(&mut self, FlightRef { seq, index }: FlightRef, reader: &dyn Reader) -> Result<Vec<u8>, EngineError> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != seq) {
            let text = reader.envelope(seq)?;
            self.bytes += text.len();
            let tasks = parse_envelope(&text, seq)?.tasks.into_iter().map(|task| task.get().as_bytes().to_vec());
            self.last = Some((seq, tasks.collect()));
        }
        let task = self.last.as_ref().and_then(|(_, tasks)| tasks.get(index as usize));
        task.cloned().ok_or_else(|| EngineError::Corrupt(format!("envelope {seq} has no task {index}")))
    }
}

/// A place among the attempts in flight, as the cursor of a scan.
pub(super) fn position_of(flight: FlightRef) -> Position {
    // Envelopes are counted from 1, and will not reach 2^53.
    let due = UnixMillis::new(IN_FLIGHT.saturating_add(i64::try_from(flight.seq).unwrap_or(i64::MAX)));
    Position { due, page: 0, index: flight.index }
}

/// The attempt behind which a scan goes on, if it has come to those in flight.
pub(super) fn flight_at(position: Position) -> Option<FlightRef> {
    let seq = u64::try_from(position.due.get().checked_sub(IN_FLIGHT)?).ok()?;
    Some(FlightRef { seq, index: position.index })
}

/// Whether a scan goes on among the attempts in flight.
pub(super) fn is_in_flight(after: Option<Position>) -> bool {
    after.is_some_and(|after| flight_at(after).is_some())
}
