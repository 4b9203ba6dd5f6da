//! Finds attempts in flight by id, and reads the records of their further attempts.

use super::Engine;
use crate::decisions::FlightRef;
use crate::entry_ref::EntryRef;
use crate::envelopes::parse_envelope;
use crate::error::{EngineError, contradiction};
use crate::flights::{FlightReader, Flights, Found, paused};
use crate::reader::Reader;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::EnvelopeSeq;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

impl Engine {
    /// Returns the attempts in flight whose ids have one of these hashes. Passes over the outbox
    /// once.
    pub(super) fn flights_of(&self, hashes: impl Iterator<Item = u64>) -> Flights {
        let mut flights = Flights::default();
        if self.in_flight.is_empty() {
            return flights;
        }
        let wanted: HashSet<u64> =
            hashes.filter(|hash| self.in_flight.contains_key(hash)).collect();
        if wanted.is_empty() {
            return flights;
        }
        for (seq, envelope) in self.outbox.iter().rev() {
            for (index, hash) in
                (0..).zip(&envelope.hashes).filter(|(_, hash)| wanted.contains(*hash))
            {
                flights.by_hash.entry(*hash).or_default().push(FlightRef { seq: *seq, index });
            }
        }
        flights
    }

    /// Returns the first `most` attempts in flight with this id. Those that `is_settled` selects
    /// come last. Reads at least one envelope, and no further one once the request has used up its
    /// budget. Other ids may have the same hash.
    pub(super) fn find_flights(
        &self,
        id: &str,
        flights: &mut Flights,
        most: usize,
        is_settled: impl Fn(FlightRef) -> bool,
        reader: &dyn Reader,
    ) -> Result<Found, EngineError> {
        let mut found = Found::default();
        let Some(mut of_hash) = flights.by_hash.get(&self.id_hash(id)).cloned() else {
            return Ok(found);
        };
        // Among settled attempts, cancelled ones come last, so that an attempt without changes is
        // found before them.
        sort_by_key(&mut of_hash, |flight| {
            (is_settled(*flight), self.decisions.at(*flight).is_cancelled())
        });
        let mut has_read = false;
        for flight in of_hash {
            if found.flights.len() >= most || is_settled(flight) && !found.flights.is_empty() {
                break;
            }
            if !flights.ids.contains_key(&flight.seq) {
                if has_read && flights.is_spent() {
                    found.is_part = true;
                    break;
                }
                self.read_ids(flight.seq, flights, reader)?;
                has_read = true;
            }
            let of = flights.ids.get(&flight.seq).and_then(|ids| ids.get(&flight.index));
            if of.is_some_and(|of| of == id) {
                found.flights.push(flight);
            }
        }
        Ok(found)
    }

    /// Returns whether an attempt with this id is in flight and was not cancelled.
    pub(super) fn has_flight(&self, id: &str, reader: &dyn Reader) -> Result<bool, EngineError> {
        let mut flights = self.flights_of(std::iter::once(self.id_hash(id)));
        let is_cancelled = |flight| self.decisions.at(flight).is_cancelled();
        let found = self.find_flights(id, &mut flights, 1, is_cancelled, reader)?.flights;
        Ok(found.into_iter().any(|flight| !is_cancelled(flight)))
    }

    /// Returns the attempts in flight of the ids whose hash `is_selected` selects. Leaves out
    /// cancelled runs. Attempts with the same id are in order, newest first.
    pub(super) fn flights_of_ids(
        &self,
        ids: &[String],
        is_selected: impl Fn(u64) -> bool,
        reader: &dyn Reader,
    ) -> Result<Vec<FlightRef>, EngineError> {
        let mut found = Vec::new();
        let mut flights = self
            .flights_of(ids.iter().map(|id| self.id_hash(id)).filter(|hash| is_selected(*hash)));
        for id in ids {
            // A request can change nothing of a cancelled run.
            let of_hash = flights.by_hash.get(&self.id_hash(id)).cloned().unwrap_or_default();
            for flight in self.not_cancelled(&of_hash) {
                if !flights.ids.contains_key(&flight.seq) {
                    self.read_ids(flight.seq, &mut flights, reader)?;
                }
                let of = flights.ids.get(&flight.seq).and_then(|ids| ids.get(&flight.index));
                found.extend(of.is_some_and(|of| of == id).then_some(flight));
            }
        }
        Ok(found)
    }

    pub(super) fn hash_of_flight(&self, flight: FlightRef) -> Option<u64> {
        self.outbox.get(&flight.seq)?.hashes.get(flight.index as usize).copied()
    }

    /// Reads the ids of those tasks of an envelope that have one of the wanted hashes.
    fn read_ids(
        &self,
        seq: EnvelopeSeq,
        flights: &mut Flights,
        reader: &dyn Reader,
    ) -> Result<(), EngineError> {
        #[derive(Deserialize)]
        struct IdOnly {
            id: String,
        }
        let Some(envelope) = self.outbox.get(&seq) else {
            return Err(contradiction("an attempt in flight has no envelope"));
        };
        let text = reader.envelope(seq)?;
        flights.bytes += text.len();
        let mut ids = HashMap::new();
        for ((index, task), hash) in
            (0..).zip(parse_envelope(&text, seq)?.tasks).zip(&envelope.hashes)
        {
            if flights.by_hash.contains_key(hash) {
                let read: IdOnly = serde_json::from_str(task.get()).map_err(|problem| {
                    EngineError::Corrupt(format!("envelope {seq}: {problem}"))
                })?;
                ids.insert(index, read.id);
            }
        }
        flights.ids.insert(seq, ids);
        Ok(())
    }

    /// Returns those of these attempts that were not cancelled. A request can change nothing of the
    /// others.
    pub(super) fn not_cancelled(&self, flights: &[FlightRef]) -> Vec<FlightRef> {
        flights
            .iter()
            .copied()
            .filter(|flight| !self.decisions.at(*flight).is_cancelled())
            .collect()
    }

    /// Returns the record for further attempts of a run in flight, without their attempt number.
    /// The record contains the patch of the run, and `paused` if the run is paused.
    pub(super) fn record_in_flight(
        &self,
        flight: FlightRef,
        reader: &dyn Reader,
    ) -> Result<Vec<u8>, EngineError> {
        self.record_among_flights(flight, &mut FlightReader::default(), reader)
    }

    /// Returns the same as [`Engine::record_in_flight`] for a request that reads several records.
    pub(super) fn record_among_flights(
        &self,
        flight: FlightRef,
        read: &mut FlightReader,
        reader: &dyn Reader,
    ) -> Result<Vec<u8>, EngineError> {
        let decision = self.decisions.at(flight);
        let record = if decision.patched {
            let record = reader.patched(flight.seq, flight.index)?;
            read.bytes += record.len();
            record
        } else {
            read.dispatched(flight, reader)?
        };
        if decision.is_paused() {
            paused(&record, self.decisions.mark_of(flight), flight.seq)
        } else {
            Ok(record)
        }
    }

    /// Counts the tasks among these entries and attempts. The further attempts of a task count as
    /// one task, and only if the task itself is gone.
    pub(super) fn count_tasks(&self, entries: &[EntryRef], flights: &[FlightRef]) -> u64 {
        let (again, tasks): (Vec<&EntryRef>, Vec<&EntryRef>) =
            entries.iter().partition(|at| self.flags_of(**at).has(Flags::RETRY));
        let of_tasks: HashSet<u64> =
            tasks.iter().filter_map(|at| self.tasks.hash_of(**at)).collect();
        let of_flight = |flight: &FlightRef| self.hash_of_flight(*flight);
        let of_rest = again
            .into_iter()
            .filter_map(|at| self.tasks.hash_of(*at))
            .chain(flights.iter().filter_map(of_flight));
        let rest: HashSet<u64> = of_rest.filter(|hash| !of_tasks.contains(hash)).collect();
        (tasks.len() + rest.len()) as u64
    }
}
