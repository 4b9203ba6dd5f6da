//! Attempts in flight that a request may refer to: how they are found, their ids and their records.

use crate::budget::{MAX_LOOKED_AT_BYTES, MAX_SCANNED_BYTES};
use crate::decisions::FlightRef;
use crate::envelopes::parse_envelope;
use crate::error::EngineError;
use crate::pause_mark::PauseMark;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_PAGE_TASKS;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::position::Position;
use scheduler_model::task::Record;
use std::collections::HashMap;

/// The bit in the page of a [`Position`] that marks an attempt in flight. Pages are numbered from
/// 1, and a shard has too few of them to use this bit.
pub(super) const IN_FLIGHT: u32 = 1 << 31;
/// Bits of the index of such a position that contain the index in the envelope, which has at most
/// [`MAX_PAGE_TASKS`] tasks. The higher bits and the page contain the number of the envelope.
const INDEX_BITS: u32 = 16;

const _: () = assert!(MAX_PAGE_TASKS <= 1 << INDEX_BITS);

/// The attempts in flight that a request may refer to, by the hash of the id. The request reads
/// each envelope that contains one once.
#[derive(Default)]
pub(super) struct Flights {
    pub(super) by_hash: HashMap<u64, Vec<FlightRef>>,
    /// The ids of these attempts, by envelope and index, if they were read.
    pub(super) ids: HashMap<EnvelopeSeq, HashMap<u32, String>>,
    /// The bytes that the request has read of envelopes.
    pub(super) bytes: usize,
    /// The bytes that the request has read of waiting tasks with these ids.
    looked_at: usize,
}

/// The attempts in flight of an id.
#[derive(Default)]
pub(super) struct Found {
    /// Newest first. Contains at most one settled attempt, and only if there are no others.
    pub(super) flights: Vec<FlightRef>,
    /// Whether there may be others, because the request has read as much as it may.
    pub(super) is_part: bool,
}

impl Flights {
    /// Returns whether the request has read as much as it may. The caller sends another request for
    /// the rest.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes >= MAX_SCANNED_BYTES || self.looked_at >= MAX_LOOKED_AT_BYTES
    }

    /// Counts bytes that the request has read of waiting tasks.
    pub(super) fn look_at(&mut self, bytes: usize) {
        self.looked_at += bytes;
    }
}

/// Reads records of attempts in flight for one request, and counts the bytes. It keeps the tasks of
/// the last envelope, because attempts in the same envelope are usually read one after another.
#[derive(Default)]
pub(super) struct FlightReader {
    last: Option<(EnvelopeSeq, Vec<Vec<u8>>)>,
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

/// Returns the place of an attempt in flight in a list: see `engine/list.rs`. Envelopes are
/// numbered from 1 and will not reach 2^47.
pub(super) fn position_of(flight: FlightRef, sent_at: UnixMillis) -> Position {
    let high = (flight.seq.get() >> INDEX_BITS) as u32;
    let low = (flight.seq.get() as u32) << INDEX_BITS;
    Position { due: sent_at, page: IN_FLIGHT | high, index: low | flight.index }
}

/// Returns the attempt in flight with this place in a list, or `None` if the place belongs to a
/// waiting task.
pub(super) fn flight_at(position: Position) -> Option<FlightRef> {
    let high = u64::from(position.page & !IN_FLIGHT) << INDEX_BITS;
    let seq = EnvelopeSeq::new(high | u64::from(position.index >> INDEX_BITS));
    let index = position.index & ((1 << INDEX_BITS) - 1);
    (position.page & IN_FLIGHT != 0).then_some(FlightRef { seq, index })
}

/// Returns a record with `paused`, and with the mark of the pause.
pub(super) fn paused(
    record: &[u8],
    mark: Option<&PauseMark>,
    seq: EnvelopeSeq,
) -> Result<Vec<u8>, EngineError> {
    let record = Record::parse(record)
        .map_err(|problem| EngineError::Corrupt(format!("envelope {seq}: {problem}")))?;
    let record = Record { paused: Some(true), ..record };
    let mut out = Vec::new();
    match mark {
        Some(mark) => mark.on(record).write(&mut out),
        None => record.write(&mut out),
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_in_flight_have_ordered_places_after_those_of_waiting_tasks() {
        let at = UnixMillis::new(5);
        let flights = [(1, 0), (1, 1), (2, 0), (65_535, 2_047), (65_536, 0), ((1 << 47) - 1, 9)];
        let places: Vec<Position> = flights
            .iter()
            .map(|(seq, index)| {
                position_of(FlightRef { seq: EnvelopeSeq::new(*seq), index: *index }, at)
            })
            .collect();
        assert!(places.is_sorted());
        for ((seq, index), place) in flights.iter().zip(&places) {
            assert_eq!(
                flight_at(*place),
                Some(FlightRef { seq: EnvelopeSeq::new(*seq), index: *index })
            );
            assert!(*place > Position { due: at, page: IN_FLIGHT - 1, index: u32::MAX });
            // The place is not after the last place of a time, from which a list over shards
            // continues.
            assert!(*place <= Position { due: at, page: u32::MAX, index: u32::MAX });
        }
        assert_eq!(flight_at(Position { due: at, page: 7, index: 9 }), None);
    }
}
