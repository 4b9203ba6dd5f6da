//! Cancelling tasks.

use super::Engine;
use super::walk::Direction;
use crate::budget::{MAX_CANCELLED_BYTES, MAX_LOOKED_AT_BYTES};
use crate::decisions::FlightRef;
use crate::effects::Effects;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::flights::{FlightReader, Found};
use crate::reader::Reader;
use crate::scan::{Candidate, Seen, Spent, Then};
use scheduler_calendar::ordered::sort;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    Among, CancelMatchingReply, CancelReply, CancelRequest, Cancelled, EventKind, ListRequest,
    Status,
};
use scheduler_model::record_id::{HEAD_BYTES, id_of_record};
use std::collections::BTreeSet;

impl Engine {
    /// Cancels tasks by id: the waiting task, its further attempts and those of runs in flight, or
    /// else a dead letter. **Invariant 5:** after a cancel no attempt starts. An attempt in flight
    /// runs to its end, and the reply says that there is one. If the attempts in flight take much
    /// reading, the reply covers the first ids only, and the caller repeats the request for the
    /// rest.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged; the caller must then drop the engine.
    pub fn cancel(
        &mut self,
        request: &CancelRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(CancelReply, Effects), EngineError> {
        self.cancel_among(request, Among::All, now, reader)
    }

    /// Cancels tasks by id among those that `among` selects: see [`Engine::cancel`].
    ///
    /// # Errors
    /// As [`Engine::cancel`].
    pub fn cancel_among(
        &mut self,
        request: &CancelRequest,
        among: Among,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(CancelReply, Effects), EngineError> {
        self.cancel_by(request, among, None, now, reader)
    }

    /// Cancels tasks by id: see [`Engine::cancel_among`]. If `by` is given, which is the name of an
    /// API key or empty, the history records each cancel.
    ///
    /// # Errors
    /// As [`Engine::cancel`].
    pub fn cancel_by(
        &mut self,
        request: &CancelRequest,
        among: Among,
        by: Option<&str>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(CancelReply, Effects), EngineError> {
        let ids = &request.ids;
        let mut cancelled_ids = CancelledIds::default();
        let mut effects = Effects::default();
        let mut reply =
            CancelReply { outcomes: Vec::with_capacity(ids.len()), ..CancelReply::default() };
        let is_watched = self.events.is_on(now);
        let (mut killed, mut stopped, mut cancelled) = (Vec::new(), Vec::new(), 0);
        let mut flights = self.flights_of(ids.iter().map(|id| self.id_hash(id)));
        for (place, id) in (0..).zip(ids) {
            if (flights.is_spent() || cancelled_ids.is_full()) && place > 0 {
                break;
            }
            let mut found = Vec::new();
            self.find_among(id, among, reader, &mut found)?;
            let mut is_dead = among == Among::Dead;
            let is_cancelled = |flight| self.decisions.at(flight).is_cancelled();
            let Found { flights: in_flight, is_part } = match among {
                Among::Dead => Found::default(),
                _ => self.find_flights(id, &mut flights, usize::MAX, is_cancelled, reader)?,
            };
            let is_nothing = found.is_empty() && in_flight.is_empty();
            if is_nothing
                && (among != Among::All || !self.find_dead_letters(id, reader, &mut found)?)
            {
                reply.outcomes.push(Cancelled::NotFound);
                continue;
            }
            is_dead |= is_nothing;
            let bytes = found.iter().map(|at| self.tasks.record_bytes(*at));
            flights.look_at(
                bytes
                    .map(|bytes| if is_watched { bytes } else { bytes.min(HEAD_BYTES as usize) })
                    .sum(),
            );
            let mut to_stop = self.not_cancelled(&in_flight);
            if let Some(version) = request.if_match
                && self.version_among(&found, to_stop.first().or(in_flight.first()), reader)?
                    != Some(version)
            {
                reply.outcomes.push(Cancelled::OtherVersion);
                continue;
            }
            if is_part {
                // The version is that of the waiting task, or else of the newest attempt. The last
                // part cancels these.
                stopped.extend(to_stop.into_iter().skip(1));
                reply.in_part = true;
                break;
            }
            // Cancelling a run in flight again is not an error and changes nothing.
            let is_new = !found.is_empty() || !to_stop.is_empty();
            cancelled += u64::from(is_new);
            if is_new && !is_dead && by.is_some() {
                cancelled_ids.push(id);
            }
            reply.outcomes.push(Cancelled::Cancelled);
            reply.running.extend((!in_flight.is_empty()).then_some(place));
            killed.append(&mut found);
            stopped.append(&mut to_stop);
        }
        // The request may contain an id twice.
        sort(&mut killed);
        killed.dedup();
        sort(&mut stopped);
        stopped.dedup();
        self.note_cancelled(&killed, &stopped, now, reader)?;
        self.kill(&killed, &mut effects);
        self.cancel_flights(&stopped, &mut effects);
        self.keep_cancelled(&cancelled_ids.ids, by, now, &mut effects);
        self.unsaved = true;
        self.state.counters.cancelled += cancelled;
        Ok((reply, effects))
    }

    fn note_cancelled(
        &mut self,
        killed: &[EntryRef],
        stopped: &[FlightRef],
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(), EngineError> {
        if !self.events.is_on(now) {
            return Ok(());
        }
        let mut bytes = 0;
        for at in killed {
            if bytes >= MAX_LOOKED_AT_BYTES {
                self.events.lose();
                break;
            }
            let record = self.record_of(*at, reader)?;
            bytes += record.len();
            self.events.note_text(EventKind::Cancelled, &record, now);
        }
        // They are in the order of their envelopes, so each envelope is read once.
        let mut read = FlightReader::default();
        for flight in stopped {
            if bytes + read.bytes >= MAX_LOOKED_AT_BYTES {
                self.events.lose();
                break;
            }
            let record = self.record_among_flights(*flight, &mut read, reader)?;
            bytes += record.len();
            self.events.note_text(EventKind::Cancelled, &record, now);
        }
        Ok(())
    }

    /// Cancels the tasks that a filter matches, in the order of a list: those that wait, those in
    /// flight and dead letters, up to the limit of the request and within a bounded amount of work.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged; the caller must then drop the engine.
    pub fn cancel_matching(
        &mut self,
        request: &ListRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(CancelMatchingReply, Effects), EngineError> {
        self.cancel_matching_by(request, None, now, reader)
    }

    /// Cancels the tasks that a filter matches: see [`Engine::cancel_matching`]. If `by` is given,
    /// the history records the cancels of the tasks whose records the filter reads, and of those in
    /// flight. Reading the other records only for the history would cost too much.
    ///
    /// # Errors
    /// As [`Engine::cancel_matching`].
    pub fn cancel_matching_by(
        &mut self,
        request: &ListRequest,
        by: Option<&str>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(CancelMatchingReply, Effects), EngineError> {
        let mut cancelled_ids = CancelledIds::default();
        let reads = self.events.is_on(now);
        let (mut killed, mut stopped, mut spent) =
            (Vec::new(), Vec::new(), Spent::nothing(request));
        let next =
            self.scan(request, Direction::Changing, reads, &mut spent, reader, |spent, seen| {
                spent.matches += 1;
                match seen {
                    Seen::Waiting(candidate, record) => {
                        killed.push(candidate.at);
                        let is_recorded = by.is_some()
                            && candidate.status != Status::Dead
                            && candidate.needs_record(&request.filter);
                        match record.as_deref().map(id_of_record) {
                            _ if !is_recorded => {}
                            Some(id) => id.iter().for_each(|id| cancelled_ids.push(id)),
                            // The search has looked through the whole page.
                            None => cancelled_ids.push(&self.id_of(candidate.at, reader)?),
                        }
                    }
                    Seen::InFlight(of) => {
                        stopped.push(of.flight);
                        if by.is_some() {
                            cancelled_ids.push(&of.record.id);
                        }
                    }
                }
                Ok(Then::if_room(!cancelled_ids.is_full()))
            })?;
        if let Some(next) = next {
            let killed_ids = killed.iter().filter_map(|at| self.tasks.hash_of(*at));
            let stopped_ids = stopped.iter().filter_map(|flight| self.hash_of_flight(*flight));
            let hashes = killed_ids.chain(stopped_ids).collect();
            for candidate in self.held_behind(next, hashes, request, &mut spent, reader)? {
                if by.is_some() && candidate.needs_record(&request.filter) {
                    cancelled_ids.push(&self.id_of(candidate.at, reader)?);
                }
                killed.push(candidate.at);
            }
        }
        let mut effects = Effects::default();
        self.note_cancelled(&killed, &stopped, now, reader)?;
        let hashes: Vec<u64> = killed.iter().filter_map(|at| self.tasks.hash_of(*at)).collect();
        self.kill(&killed, &mut effects);
        self.cancel_flights(&stopped, &mut effects);
        self.release_held(hashes.into_iter(), now, reader, &mut effects)?;
        self.keep_cancelled(&cancelled_ids.ids, by, now, &mut effects);
        self.unsaved = true;
        let (cancelled, running) = ((killed.len() + stopped.len()) as u64, stopped.len() as u64);
        self.state.counters.cancelled += cancelled;
        Ok((CancelMatchingReply { cancelled, running, next }, effects))
    }
}

impl Engine {
    /// Returns the held runs of these ids that a bulk cancel matches, behind the place `next` at
    /// which it goes on.
    ///
    /// Held runs are at the end of a list. A step that goes on ends the wait for them, because it
    /// stops or removes the run before. So they would be due now, where no later step looks, and
    /// would start. The step itself must treat them. An id has one of them, which is about as large
    /// as the run before, so this at most doubles what a step reads.
    fn held_behind(
        &self,
        next: Position,
        hashes: BTreeSet<u64>,
        request: &ListRequest,
        spent: &mut Spent,
        reader: &dyn Reader,
    ) -> Result<Vec<Candidate>, EngineError> {
        let mut found = Vec::new();
        if self.tasks.counts().held == 0 {
            return Ok(found);
        }
        let filter = &request.filter.folded();
        for at in hashes.into_iter().flat_map(|hash| self.held_of(hash)) {
            let candidate = self.candidate(at);
            if candidate.position > next
                && self.look_at(&candidate, filter, spent, reader)?.is_some()
            {
                found.push(candidate);
            }
        }
        Ok(found)
    }
}

/// The ids of cancelled tasks that the history records.
#[derive(Default)]
struct CancelledIds {
    ids: Vec<String>,
    bytes: usize,
}

impl CancelledIds {
    fn push(&mut self, id: &str) {
        self.bytes += id.len();
        self.ids.push(id.to_owned());
    }

    fn is_full(&self) -> bool {
        self.bytes >= MAX_CANCELLED_BYTES
    }
}

#[cfg(test)]
#[path = "cancel_tests.rs"]
mod tests;
