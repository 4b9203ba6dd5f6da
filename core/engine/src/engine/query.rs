//! Finding tasks by id and by filter.

use super::Engine;
use crate::budget::LOOK_BYTES;
use crate::decisions::FlightRef;
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::EngineError;
use crate::lateness::leading_time;
use crate::mem_schedule::MemSchedule;
use crate::reader::Reader;
use crate::scan::{
    Candidate, Spent, item_of, matches_death, matches_record, needs_death, next_due, status_of,
};
use crate::timers::TimerHeap;
use scheduler_calendar::ordered::{sort, sort_by_key};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::PageNumber;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Among, Kind, ListItem, ListReply, ListRequest, Status};
use scheduler_model::task::{Record, version_of};
use serde_json::value::RawValue;

impl Engine {
    /// Returns the task with this id: the waiting one, or else one in flight, or else the newest
    /// dead letter.
    ///
    /// # Errors
    /// If storage fails or is damaged.
    pub fn get(&self, id: &str, reader: &dyn Reader) -> Result<Option<ListItem>, EngineError> {
        // The task itself before its further attempts, of which there may be many.
        let mut of_hash: Vec<EntryRef> =
            self.tasks.find(self.id_hash(id)).filter(|at| !self.is_dead_letter(*at)).collect();
        sort_by_key(&mut of_hash, |at| self.flags_of(*at).has(Flags::RETRY));
        for at in of_hash {
            if self.id_of(at, reader)? == id {
                return self.item(self.candidate(at), reader).map(Some);
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
        let due = Record::parse(&record).map_err(|problem| corrupt(problem.to_string()))?.due();
        let record = String::from_utf8(record).map_err(|problem| corrupt(problem.to_string()))?;
        let record =
            RawValue::from_string(record).map_err(|problem| corrupt(problem.to_string()))?;
        let position = Position { due, page: 0, index: 0 };
        let is_cancelled = is_cancelled(flight);
        Ok(Some(ListItem {
            position,
            status: Status::Fired,
            is_attempt: true,
            is_cancelled,
            record,
        }))
    }

    /// Returns the version of the first of these entries, a task before its further attempts.
    /// Without entries, returns that of `in_flight`.
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

    /// Adds what waits with this id to `found`, or its dead letters if `among` selects these.
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

    /// Sorts what waits with one id: the task before its attempts, and these in the order of their
    /// runs. So a decision about them does not depend on where they are stored.
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

    /// Returns a page of the tasks that a filter matches, in the order of firing.
    ///
    /// # Errors
    /// If storage fails or is damaged.
    pub fn list(
        &self,
        request: &ListRequest,
        reader: &dyn Reader,
    ) -> Result<ListReply, EngineError> {
        let (mut items, mut spent) = (Vec::new(), Spent::default());
        let next = self.scan(request, true, &mut spent, reader, |candidate, record| {
            let item = match record {
                Some(record) => item_of(candidate, record)?,
                None => self.item(candidate, reader)?,
            };
            items.push(item);
            Ok(true)
        })?;
        Ok(ListReply { items, next })
    }

    /// Calls `found` for each task that the request matches, with its record if that was read,
    /// until it returns false. `reads` says that `found` reads the record of each task. Returns the
    /// cursor for the rest.
    pub(super) fn scan(
        &self,
        request: &ListRequest,
        reads: bool,
        spent: &mut Spent,
        reader: &dyn Reader,
        mut found: impl FnMut(Candidate, Option<Vec<u8>>) -> Result<bool, EngineError>,
    ) -> Result<Option<Position>, EngineError> {
        let filter = &request.filter.folded();
        let mut last = None;
        // Such tasks are in no page, so pages are not examined.
        let recurring_only =
            filter.kind == Some(Kind::Cron) && filter.status == Some(Status::Scheduled);
        let Some(first) = next_due(filter, UnixMillis::ZERO) else { return Ok(None) };
        let mut merge = self.merge_from(request.after, Some(first), recurring_only);
        while let Some(position) = merge.pop() {
            let Some(due) = next_due(filter, position.due) else { return Ok(None) };
            if due > position.due {
                merge = self.merge_from(None, Some(due), recurring_only);
                continue;
            }
            if spent.is_all(request) {
                return Ok(last);
            }
            last = Some(position);
            self.push_following(position, &mut merge);
            spent.scanned += 1;
            let candidate = self.candidate(EntryRef::of(position));
            let known = filter.status.is_none_or(|status| status == candidate.status)
                && match (filter.kind, candidate.kind) {
                    (Some(wanted), Some(kind)) => wanted.includes(kind),
                    _ => true,
                };
            // Others that are due never have no time that a filter with an end could match.
            let has_time = position.due < UnixMillis::NEVER || filter.to.is_none();
            if !known || !has_time && candidate.status != Status::Dead {
                continue;
            }
            let needs_death = needs_death(filter, candidate.status, position.due);
            let needs_record = needs_death
                || filter.reads_records()
                || (filter.kind.is_some() && candidate.kind.is_none());
            let record =
                if needs_record { Some(self.record_of(candidate.at, reader)?) } else { None };
            spent.bytes += record.as_ref().map_or(LOOK_BYTES, Vec::len);
            let is_match = record.as_ref().is_none_or(|record| {
                matches_record(filter, record) && (!needs_death || matches_death(filter, record))
            });
            if is_match {
                if reads && record.is_none() {
                    spent.bytes += self.tasks.record_bytes(candidate.at);
                }
                if !found(candidate, record)? {
                    return Ok(last);
                }
                spent.matches += 1;
            }
        }
        Ok(None)
    }

    /// Returns a heap with the first live position after `after` (and at or after `from`) of each
    /// page and schedule, or of schedules only.
    ///
    /// Its size follows from the bound of a shard's memory: a page of one task takes six times as
    /// much there as its 16 bytes here, so a request to a full shard (40 MB) takes 7 MB for a
    /// moment. It passes each cancelled entry once, which takes some nanoseconds.
    fn merge_from(
        &self,
        after: Option<Position>,
        from: Option<UnixMillis>,
        recurring_only: bool,
    ) -> TimerHeap {
        let from = from.unwrap_or(UnixMillis::ZERO);
        let start = |page: PageNumber| -> (UnixMillis, usize) {
            // Within a page positions rise with the index: those up to `after` end either before
            // its due time, or within it.
            match after {
                Some(after) if after.due >= from => {
                    (after.due, if after.page == page.get() { after.index as usize + 1 } else { 0 })
                }
                _ => (from, 0),
            }
        };
        let is_after = |position: &Position| {
            position.due >= from && after.is_none_or(|after| *position > after)
        };
        let of_pages =
            self.tasks.pages().filter(|_| !recurring_only).filter_map(|(number, page)| {
                let (due, least) = start(number);
                let first = page.directory.before(due).max(page.fired()).max(least);
                (first..page.directory.len())
                    .filter(|index| page.is_live(*index))
                    .filter_map(|index| {
                        let due = page.directory.get(index)?.due;
                        Some(EntryRef::page(number, index).position(due))
                    })
                    .find(is_after)
            });
        let of_schedules = self
            .tasks
            .all_schedules()
            .map(|(number, schedule)| EntryRef::Schedule(number).position(schedule.due()))
            .filter(is_after);
        let most = self.tasks.pages().count() + self.tasks.all_schedules().count();
        TimerHeap::of_at_most(most, of_pages.chain(of_schedules))
    }

    fn push_following(&self, position: Position, merge: &mut TimerHeap) {
        let EntryRef::Page(PageEntry { page: number, index }) = EntryRef::of(position) else {
            return;
        };
        let Some(page) = self.tasks.page(number) else { return };
        let next = (index as usize + 1..page.directory.len()).find(|index| page.is_live(*index));
        if let Some((index, entry)) =
            next.and_then(|index| Some((index, page.directory.get(index)?)))
        {
            merge.push(EntryRef::page(number, index).position(entry.due));
        }
    }

    fn candidate(&self, at: EntryRef) -> Candidate {
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

    fn item(&self, candidate: Candidate, reader: &dyn Reader) -> Result<ListItem, EngineError> {
        let record = self.record_of(candidate.at, reader)?;
        item_of(candidate, record)
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
