//! Finding tasks by id and by filter.

use super::Engine;
use crate::budget::LOOK_BYTES;
use crate::decisions::FlightRef;
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::EngineError;
use crate::flights::flight_at;
use crate::lateness::leading_time;
use crate::mem_page::MemPage;
use crate::mem_schedule::MemSchedule;
use crate::reader::Reader;
use crate::scan::{
    Candidate, Seen, Spent, item_of, matches_record, needs_death, next_due, status_of,
};
use crate::timers::TimerHeap;
use scheduler_calendar::ordered::{sort, sort_by_key};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::PageNumber;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Among, Filter, Kind, ListItem, ListRequest, Status};
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

    /// Calls `found` for each task, further attempt, attempt in flight and dead letter that the
    /// request matches, in the order of the list, until it returns false. `found` counts its
    /// matches. `reads` says that it reads the record of what waits. Returns the cursor for the
    /// rest.
    pub(super) fn scan(
        &self,
        request: &ListRequest,
        reads: bool,
        spent: &mut Spent,
        reader: &dyn Reader,
        mut found: impl FnMut(&mut Spent, Seen<'_>) -> Result<bool, EngineError>,
    ) -> Result<Option<Position>, EngineError> {
        let filter = &request.filter.folded();
        let mut last = request.after;
        let mut merge = self.merge_from(request.after, filter);
        while let Some(position) = merge.pop() {
            if spent.is_all(request) {
                return Ok(last);
            }
            last = Some(position);
            spent.scanned += 1;
            let goes_on = if let Some(flight) = flight_at(position) {
                self.push_next_flight(flight, filter.status, &mut merge);
                self.look_at_flight(flight, position, filter, spent, reader, &mut found)?
            } else {
                self.push_following(position, filter, &mut merge);
                let candidate = self.candidate(EntryRef::of(position));
                let Some(record) = self.look_at(&candidate, filter, spent, reader)? else {
                    continue;
                };
                if reads && record.is_none() {
                    spent.bytes += self.tasks.record_bytes(candidate.at);
                }
                found(spent, Seen::Waiting(candidate, record))?
            };
            if !goes_on {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Examines what waits, and counts the bytes that it reads. Returns `None` if the
    /// [folded](Filter::folded) filter does not match it, and else its record if that was read.
    pub(super) fn look_at(
        &self,
        candidate: &Candidate,
        filter: &Filter,
        spent: &mut Spent,
        reader: &dyn Reader,
    ) -> Result<Option<Option<Vec<u8>>>, EngineError> {
        let is_known = filter.status.is_none_or(|status| status == candidate.status)
            && match (filter.kind, candidate.kind) {
                (Some(wanted), Some(kind)) => wanted.includes(kind),
                _ => true,
            };
        if !is_known {
            return Ok(None);
        }
        let is_timed = filter.from.is_some() || filter.to.is_some();
        let needs_record = filter.reads_records()
            || (filter.kind.is_some() && candidate.kind.is_none())
            || needs_death(filter, candidate.status, candidate.position.due);
        let text = if needs_record { Some(self.record_of(candidate.at, reader)?) } else { None };
        spent.bytes += text.as_ref().map_or(LOOK_BYTES, Vec::len);
        if is_timed {
            let time = self.time_of(candidate, text.as_deref(), spent, reader)?;
            let is_within = time.is_some_and(|time| {
                filter.from.is_none_or(|from| time >= from) && filter.to.is_none_or(|to| time < to)
            });
            if !is_within {
                return Ok(None);
            }
        }
        let is_meant = match &text {
            Some(text) => Record::parse(text).is_ok_and(|record| matches_record(filter, &record)),
            None => true,
        };
        Ok(is_meant.then_some(text))
    }

    /// Returns a heap with the first position after `after` of each page, schedule and envelope in
    /// flight, of those that the filter may match.
    ///
    /// Its size follows from the bound of a shard's memory: a page of one task takes six times as
    /// much there as its 16 bytes here, so a request to a full shard (40 MB) takes 7 MB for a
    /// moment. It passes each cancelled entry once, which takes some nanoseconds.
    fn merge_from(&self, after: Option<Position>, filter: &Filter) -> TimerHeap {
        // Of what is in pages, nothing that recurs is `scheduled`.
        let recurring_only = filter
            .kind
            .is_some_and(|kind| Kind::Recurring.includes(kind) || kind == Kind::Recurring)
            && filter.status == Some(Status::Scheduled);
        let running_only = filter.status == Some(Status::Running);
        let from = filter.from.unwrap_or(UnixMillis::ZERO);
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
        let of_pages = self.tasks.pages().filter(|_| !recurring_only && !running_only).filter_map(
            |(number, page)| {
                let (due, least) = start(number);
                let first = page.directory.before(due).max(page.fired()).max(least);
                let mut live = (first..page.directory.len()).filter(|index| page.is_live(*index));
                let first = live.find(|index| {
                    let entry = page.directory.get(*index);
                    entry.is_some_and(|entry| {
                        is_after(&EntryRef::page(number, *index).position(entry.due))
                    })
                })?;
                next_in_page(number, page, first, filter)
            },
        );
        let of_schedules = self
            .tasks
            .all_schedules()
            .filter(|_| !running_only)
            .map(|(number, schedule)| EntryRef::Schedule(number).position(schedule.due()))
            .filter(|position| {
                is_after(position) && next_due(filter, position.due) == Some(position.due)
            });
        let most =
            self.tasks.pages().count() + self.tasks.all_schedules().count() + self.outbox.len();
        let of_flights = self.first_flights(after, filter.status);
        TimerHeap::of_at_most(most, of_pages.chain(of_schedules).chain(of_flights))
    }

    fn push_following(&self, position: Position, filter: &Filter, merge: &mut TimerHeap) {
        let EntryRef::Page(PageEntry { page: number, index }) = EntryRef::of(position) else {
            return;
        };
        let Some(page) = self.tasks.page(number) else { return };
        if let Some(next) = next_in_page(number, page, index as usize + 1, filter) {
            merge.push(next);
        }
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

/// Returns the position of the first live entry of a page, from this index on, that a filter may
/// match by its due time.
fn next_in_page(
    number: PageNumber,
    page: &MemPage,
    from: usize,
    filter: &Filter,
) -> Option<Position> {
    let mut from = from;
    loop {
        let index = (from..page.directory.len()).find(|index| page.is_live(*index))?;
        let due = page.directory.get(index)?.due;
        let wanted = next_due(filter, due)?;
        if wanted == due {
            return Some(EntryRef::page(number, index).position(due));
        }
        from = page.directory.before(wanted).max(index + 1);
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
