//! Checks of append requests.

use super::Engine;
use crate::checked::{Checked, given};
use crate::decisions::FlightRef;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::new_schedule::NewSchedule;
use crate::reader::Reader;
use crate::redefinition::{Reading, Redefined};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Flags, Page};
use scheduler_model::protocol::{Append, Expected, Terms};

impl Engine {
    pub(super) fn check(
        &self,
        mut request: Append,
        terms: &Terms,
        since: UnixMillis,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Checked, EngineError> {
        let read = |record: Vec<u8>| {
            NewSchedule::new(record, since, terms.again).map_err(EngineError::BadRequest)
        };
        let schedules =
            request.schedules.into_iter().map(read).collect::<Result<Vec<_>, EngineError>>()?;
        for page in &mut request.pages {
            let keyed = self.id_key.key_page(page);
            keyed.map_err(|problem| EngineError::BadRequest(format!("a page: {problem}")))?;
        }
        let found = if request.fresh {
            Vec::new()
        } else {
            self.find_replaced(&request.pages, &schedules, reader)?
        };
        let in_flight = if request.fresh {
            Vec::new()
        } else {
            self.ids_in_flight(&request.pages, &schedules)?
        };
        // Waiting tasks are looked up first. If there are none, attempts in flight are examined
        // instead.
        let mut flights = if found.is_empty() {
            self.flights_of_ids(&in_flight, |_| true, reader)?
        } else {
            Vec::new()
        };
        if let Some(expected) = request.expected {
            self.check_expected(expected, terms.tasks_only, &found, &flights, reader)?;
        }
        let (given, moved) = self.by_law(request.pages, now);
        let mut outcome = if found.is_empty() {
            Redefined { pages: given, schedules, ..Redefined::default() }
        } else {
            self.go_on(
                given,
                schedules,
                &found,
                &Reading::new(request.expected, terms),
                (since, now),
                reader,
            )?
        };
        let (mut patch, mut flight_changes) = (None, Vec::new());
        if !found.is_empty() {
            let attempts = std::mem::take(&mut outcome.of_attempts);
            // If the runs of a task continue, its attempts in flight continue, too, and are paused
            // and resumed with the waiting runs.
            for flight in
                self.flights_of_ids(&in_flight, |hash| attempts.get(&hash) != Some(&None), reader)?
            {
                match self
                    .hash_of_flight(flight)
                    .and_then(|hash| attempts.get(&hash).copied())
                    .flatten()
                {
                    Some(change) => flight_changes.push((flight, change)),
                    None => flights.push(flight),
                }
            }
        } else if let (Some(newest), Some(Expected::Version(_))) =
            (flights.first(), request.expected)
        {
            patch = self.patch_of(*newest, &outcome.pages, reader)?;
            if patch.is_some() {
                // The patch applies to the attempt in flight, so no new task waits.
                flights.clear();
                outcome.pages.clear();
            } else {
                self.continue_flight(*newest, &mut outcome, reader)?;
            }
        }
        let Redefined { pages, schedules, going_on, replaced, attempts, went_on, .. } = outcome;
        let later = schedules.iter().filter(|schedule| schedule.begins_later).count();
        let went_on = went_on + moved + later as u64;
        Ok(Checked {
            pages,
            schedules,
            going_on,
            replaced,
            attempts,
            flight_changes,
            flights,
            patch,
            went_on,
        })
    }

    fn check_expected(
        &self,
        expected: Expected,
        tasks_only: bool,
        found: &[EntryRef],
        flights: &[FlightRef],
        reader: &dyn Reader,
    ) -> Result<(), EngineError> {
        let version = self.version_among(found, flights.first(), reader)?;
        let is_attempt =
            !found.is_empty() && found.iter().all(|at| self.flags_of(*at).has(Flags::RETRY));
        match (expected, version) {
            (Expected::Absent, Some(_)) if found.is_empty() => {
                Err(EngineError::Conflict("an attempt of a task of this id is in flight"))
            }
            (Expected::Absent, Some(_)) => {
                Err(EngineError::Conflict("a task waits under this id already"))
            }
            (Expected::Absent, None) => Ok(()),
            (Expected::Version(_), None) => {
                Err(EngineError::Conflict("no task waits under this id (any more)"))
            }
            (Expected::Version(_), Some(_)) if tasks_only && is_attempt => {
                Err(EngineError::Conflict(
                    "what waits under this id is an attempt of a run, and no task",
                ))
            }
            (Expected::Version(wanted), Some(version)) if version == wanted => Ok(()),
            (Expected::Version(_), Some(_)) => {
                Err(EngineError::Conflict("the task was changed meanwhile; read it again"))
            }
        }
    }

    /// Returns the waiting tasks whose ids are in the request. Finds entries by hash, then compares
    /// their ids.
    fn find_replaced(
        &self,
        pages: &[Page],
        schedules: &[NewSchedule],
        reader: &dyn Reader,
    ) -> Result<Vec<EntryRef>, EngineError> {
        let mut replaced = Vec::new();
        for page in pages {
            for entry in page.directory.iter() {
                if self.tasks.find(entry.hash).next().is_some() {
                    self.find_live(&given(page, entry)?.id, reader, &mut replaced)?;
                }
            }
        }
        for schedule in schedules {
            self.find_live(&schedule.read.id, reader, &mut replaced)?;
        }
        Ok(replaced)
    }

    /// Returns the ids of the request that may have attempts in flight.
    fn ids_in_flight(
        &self,
        pages: &[Page],
        schedules: &[NewSchedule],
    ) -> Result<Vec<String>, EngineError> {
        let mut ids = Vec::new();
        if self.in_flight.is_empty() {
            return Ok(ids);
        }
        for page in pages {
            for entry in
                page.directory.iter().filter(|entry| self.in_flight.contains_key(&entry.hash))
            {
                ids.push(given(page, entry)?.id.into_owned());
            }
        }
        let of_schedules = schedules.iter().map(|schedule| &schedule.read.id);
        ids.extend(
            of_schedules.filter(|id| self.in_flight.contains_key(&self.id_hash(id))).cloned(),
        );
        Ok(ids)
    }
}
