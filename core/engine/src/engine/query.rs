//! Finding tasks by id.

use super::Engine;
use crate::decisions::FlightRef;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::lateness::leading_time;
use crate::mem_schedule::MemSchedule;
use crate::reader::Reader;
use crate::scan::{Candidate, item_of, status_of};
use scheduler_calendar::ordered::{sort, sort_by_key};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Among, ListItem, Status};
use scheduler_model::task::{Record, version_of};
use serde_json::value::RawValue;

impl Engine {
    /// Returns the task with this id: the waiting one, or else one in flight, or else the newest
    /// dead letter.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn get(&self, id: &str, reader: &dyn Reader) -> Result<Option<ListItem>, EngineError> {
        // The task comes before its further attempts, because there may be many of them.
        let mut of_hash: Vec<EntryRef> =
            self.tasks.find(self.id_hash(id)).filter(|at| !self.is_dead_letter(*at)).collect();
        sort_by_key(&mut of_hash, |at| self.flags_of(*at).has(Flags::RETRY));
        for at in of_hash {
            if self.id_of(at, reader)? == id {
                let item = self.item(self.candidate(at), reader)?;
                let is_running = self.is_task(at) && self.has_flight_of_hash(self.id_hash(id));
                return Ok(Some(ListItem { is_running, ..item }));
            }
        }
        if let Some(item) = self.find_in_flight(id, reader)? {
            return Ok(Some(item));
        }
        for at in self.dead_letters_of(self.id_hash(id)) {
            let item = self.item(self.candidate(at), reader)?;
            if Record::parse(item.record.get().as_bytes()).is_ok_and(|record| record.id == id) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Returns the newest attempt in flight with this id. Attempts of cancelled runs come last.
    fn find_in_flight(
        &self,
        id: &str,
        reader: &dyn Reader,
    ) -> Result<Option<ListItem>, EngineError> {
        let is_cancelled = |flight| self.decisions.at(flight).is_cancelled();
        let mut flights = self.flights_of(std::iter::once(self.id_hash(id)));
        let found = self.find_flights(id, &mut flights, 1, is_cancelled, reader)?;
        let Some(flight) = found.flights.first().copied() else { return Ok(None) };
        let record = self.record_in_flight(flight, reader)?;
        let corrupt =
            |problem: String| EngineError::Corrupt(format!("envelope {}: {problem}", flight.seq));
        let read = Record::parse(&record).map_err(|problem| corrupt(problem.to_string()))?;
        let due = read.due_in_flight();
        let record = String::from_utf8(record).map_err(|problem| corrupt(problem.to_string()))?;
        let record =
            RawValue::from_string(record).map_err(|problem| corrupt(problem.to_string()))?;
        let position = Position { due, page: 0, index: 0 };
        let is_cancelled = is_cancelled(flight);
        Ok(Some(ListItem {
            position,
            due: None,
            status: Status::Running,
            is_running: false,
            is_attempt: true,
            is_cancelled,
            record,
        }))
    }

    /// Returns the version of the first of these entries; a task comes before its further attempts.
    /// Without entries, returns the version of `in_flight`.
    pub(super) fn version_among(
        &self,
        found: &[EntryRef],
        in_flight: Option<&FlightRef>,
        reader: &dyn Reader,
    ) -> Result<Option<u64>, EngineError> {
        let first = found.iter().min_by_key(|at| self.flags_of(**at).has(Flags::RETRY));
        let record = match (first, in_flight) {
            (Some(at), _) => self.record_of(*at, reader)?,
            (None, Some(flight)) => self.record_in_flight(*flight, reader)?,
            (None, None) => return Ok(None),
        };
        Ok(Some(version_of(&record)))
    }

    /// Adds to `found` the entries that wait with this id, or its dead letters if `among` selects
    /// these.
    pub(super) fn find_among(
        &self,
        id: &str,
        among: Among,
        reader: &dyn Reader,
        found: &mut Vec<EntryRef>,
    ) -> Result<(), EngineError> {
        if among == Among::Dead {
            return self.find_dead_letters(id, reader, found).map(drop);
        }
        self.find_live(id, reader, found)
    }

    /// Sorts the entries that wait with one id: the task before its attempts, and these in the
    /// order of their runs. So a decision about them does not depend on where they are stored.
    pub(super) fn sort_by_run(
        &self,
        found: &mut [EntryRef],
        reader: &dyn Reader,
    ) -> Result<(), EngineError> {
        if found.len() < 2 {
            return Ok(());
        }
        let mut keyed = Vec::with_capacity(found.len());
        for at in found.iter() {
            let is_attempt = self.flags_of(*at).has(Flags::RETRY);
            let time = if is_attempt { leading_time(&self.head_of(*at, reader)?) } else { None };
            keyed.push((is_attempt, time, *at));
        }
        sort(&mut keyed);
        for (slot, (_, _, at)) in found.iter_mut().zip(keyed) {
            *slot = at;
        }
        Ok(())
    }

    pub(super) fn find_dead_letters(
        &self,
        id: &str,
        reader: &dyn Reader,
        found: &mut Vec<EntryRef>,
    ) -> Result<bool, EngineError> {
        for at in self.tasks.find(self.id_hash(id)).filter(|at| self.is_dead_letter(*at)) {
            if self.id_of(at, reader)? == id {
                found.push(at);
            }
        }
        Ok(!found.is_empty())
    }

    pub(super) fn candidate(&self, at: EntryRef) -> Candidate {
        match at {
            EntryRef::Schedule(number) => {
                let schedule = self.tasks.schedule(number);
                let position = at.position(schedule.map_or(UnixMillis::NEVER, MemSchedule::due));
                let is_paused = schedule.is_some_and(|schedule| schedule.paused_at.is_some());
                let status = if is_paused { Status::Paused } else { Status::Scheduled };
                let kind = schedule.map(|schedule| schedule.schedule.kind().into());
                Candidate { position, at, status, is_attempt: false, kind }
            }
            EntryRef::Page(entry) => {
                let entry = self.tasks.entry(entry);
                let (status, kind) = entry.as_ref().map_or((Status::Scheduled, None), status_of);
                let position = at.position(entry.map_or(UnixMillis::NEVER, |entry| entry.due));
                let is_attempt = entry.is_some_and(|entry| entry.flags.has(Flags::RETRY));
                Candidate { position, at, status, is_attempt, kind }
            }
        }
    }

    pub(super) fn item(
        &self,
        candidate: Candidate,
        reader: &dyn Reader,
    ) -> Result<ListItem, EngineError> {
        let record = self.record_of(candidate.at, reader)?;
        item_of(candidate, record)
    }
}
