//! Finding tasks, and cancelling them.

use super::change::MAX_LOOKED_AT_BYTES;
use super::decided::FlightRef;
use super::flights::{FlightReader, Found, is_in_flight};
use super::lateness::leading_time;
use super::new_schedule::read_schedule;
use super::tasks::{EntryRef, MemSchedule};
use super::{Effects, Engine, EngineError, Reader};
use crate::timers::TimerHeap;
use scheduler_calendar::ordered::{sort, sort_by_key};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    Among, CancelMatchingReply, CancelReply, CancelRequest, Cancelled, EventKind, Filter, Kind, ListItem, ListReply, ListRequest,
    Status,
};
use scheduler_model::record_id::HEAD_BYTES;
use scheduler_model::task::{Record, version_of};
use serde_json::value::RawValue;

/// Most records, and bytes of them, that one list request looks into; then it answers with what it has and where to go on. Some 10
/// to 50 milliseconds of a shard's time.
pub(super) const MAX_SCANNED: usize = 20_000;
pub(super) const MAX_SCANNED_BYTES: usize = 4_000_000;

/// What a request has found and looked into so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pub(super) matches: usize,
    pub(super) scanned: usize,
    pub(super) bytes: usize,
}

impl Spent {
    /// Whether a request has found or looked into as much as it may.
    pub(super) fn is_all(&self, request: &ListRequest) -> bool {
        let most_bytes = request.max_bytes.unwrap_or(MAX_SCANNED_BYTES).min(MAX_SCANNED_BYTES);
        self.matches >= request.limit || self.scanned >= MAX_SCANNED || self.bytes >= most_bytes
    }
}

/// What looking at a task costs that is not read, in bytes of the bound above.
const LOOK_BYTES: usize = 200;

/// A task among those that a list may show.
pub(super) struct Candidate {
    pub(super) position: Position,
    pub(super) at: EntryRef,
    status: Status,
    is_attempt: bool,
    /// What is known of its kind without its record.
    kind: Option<Kind>,
}

impl Engine {
    /// The task of this id as it stands: one that waits, else one that is in flight, else a dead letter.
    ///
    /// # Errors
    /// When storage fails or is damaged.
    pub fn get(&self, id: &str, reader: &dyn Reader) -> Result<Option<ListItem>, EngineError> {
        // The task itself before its further attempts, of which there may be many.
        let mut of_hash: Vec<EntryRef> = self.tasks.find(self.id_hash(id)).filter(|at| !self.is_dead_letter(*at)).collect();
        sort_by_key(&mut of_hash, |at| self.flags_of(*at).has(Flags::RETRY));
        for at in of_hash {
            if self.id_of(at, reader)? == id {
                return self.item(self.candidate(at), reader).map(Some);
            }
        }
        if let Some(item) = self.find_in_flight(id, reader)? {
            return Ok(Some(item));
        }
        for at in self.tasks.find(self.id_hash(id)) {
            let item = self.item(self.candidate(at), reader)?;
            if Record::parse(item.record.get().as_bytes()).is_ok_and(|record| record.id == id) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// The newest attempt of this id that is in flight: one whose run was cancelled gives way to others.
    fn find_in_flight(&self, id: &str, reader: &dyn Reader) -> Result<Option<ListItem>, EngineError> {
        let is_cancelled = |flight| self.decided.at(flight).is_cancelled();
        let mut flights = self.flights_of(std::iter::once(self.id_hash(id)));
        let found = self.find_flights(id, &mut flights, 1, is_cancelled, reader)?;
        let Some(flight) = found.flights.first().copied() else { return Ok(None) };
        let record = self.record_in_flight(flight, reader)?;
        let corrupt = |problem: String| EngineError::Corrupt(format!("envelope {}: {problem}", flight.seq));
        let due = Record::parse(&record).map_err(|problem| corrupt(problem.to_string()))?.due();
        let record = String::from_utf8(record).map_err(|problem| corrupt(problem.to_string()))?;
        let record = RawValue::from_string(record).map_err(|problem| corrupt(problem.to_string()))?;
        let position = Position { due, page: 0, index: 0 };
        let is_cancelled = is_cancelled(flight);
        Ok(Some(ListItem { position, status: Status::Fired, is_attempt: true, is_cancelled, record }))
    }

    /// Cancels tasks by id: the waiting one, its further attempts and those of runs in flight, else a dead letter. **Invariant 5:**
    /// after a cancel no attempt starts; one that is in flight ends, and the reply says that there is one. Answers for the first of the
    /// ids where their attempts in flight take much reading; the rest is to be asked for again.
    ///
    /// # Errors
    /// When storage fails or is damaged; the engine must then be dropped.
    pub fn cancel(
        &mut self,
        request: &CancelRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(CancelReply, Effects), EngineError> {
        self.cancel_among(request, Among::All, now, reader)
    }

    /// Cancels tasks by id among what the request means: see [`Engine::cancel`].
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
        let ids = &request.ids;
        let mut effects = Effects::default();
        let mut reply = CancelReply { outcomes: Vec::with_capacity(ids.len()), ..CancelReply::default() };
        let is_watched = self.feed.is_on(now);
        let (mut killed, mut stopped, mut cancelled) = (Vec::new(), Vec::new(), 0);
        let mut flights = self.flights_of(ids.iter().map(|id| self.id_hash(id)));
        for (place, id) in (0..).zip(ids) {
            if flights.is_spent() && place > 0 {
                break;
            }
            let mut found = Vec::new();
            self.find_among(id, among, reader, &mut found)?;
            let is_cancelled = |flight| self.decided.at(flight).is_cancelled();
            let Found { flights: in_flight, is_part } = match among {
                Among::Dead => Found::default(),
                _ => self.find_flights(id, &mut flights, usize::MAX, is_cancelled, reader)?,
            };
            let is_nothing = found.is_empty() && in_flight.is_empty();
            if is_nothing && (among != Among::All || !self.find_dead_letters(id, reader, &mut found)?) {
                reply.outcomes.push(Cancelled::NotFound);
                continue;
            }
            let bytes = found.iter().map(|at| self.tasks.record_bytes(*at));
            flights.look_at(bytes.map(|bytes| if is_watched { bytes } else { bytes.min(HEAD_BYTES as usize) }).sum());
            let mut to_stop = self.not_cancelled(&in_flight);
            if let Some(version) = request.if_match
                && self.version_among(&found, to_stop.first().or(in_flight.first()), reader)? != Some(version)
            {
                reply.outcomes.push(Cancelled::OtherVersion);
                continue;
            }
            if is_part {
                // The version is of what waits, else of the newest: these come in the last part.
                stopped.extend(to_stop.into_iter().skip(1));
                reply.in_part = true;
                break;
            }
            // To cancel once more what was cancelled while it ran is no error, and changes nothing.
            cancelled += u64::from(!found.is_empty() || !to_stop.is_empty());
            reply.outcomes.push(Cancelled::Cancelled);
            reply.running.extend((!in_flight.is_empty()).then_some(place));
            killed.append(&mut found);
            stopped.append(&mut to_stop);
        }
        // An id may stand twice in the request.
        sort(&mut killed);
        killed.dedup();
        sort(&mut stopped);
        stopped.dedup();
        self.note_cancelled(&killed, &stopped, now, reader)?;
        self.kill(&killed, &mut effects);
        self.cancel_flights(&stopped, &mut effects);
        self.unsaved = true;
        self.state.counters.cancelled += cancelled;
        Ok((reply, effects))
    }

    /// Returns the version of the first of these entries, a task before what is left of its runs; without entries, of what is in flight.
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

    fn note_cancelled(
        &mut self,
        killed: &[EntryRef],
        stopped: &[FlightRef],
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(), EngineError> {
        if !self.feed.is_on(now) {
            return Ok(());
        }
        let mut bytes = 0;
        for at in killed {
            if bytes >= MAX_LOOKED_AT_BYTES {
                self.feed.lose();
                break;
            }
            let record = self.record_of(*at, reader)?;
            bytes += record.len();
            self.feed.note_text(EventKind::Cancelled, &record, now);
        }
        // They are in the order of their envelopes, each of which is read once.
        let mut read = FlightReader::default();
        for flight in stopped {
            if bytes + read.bytes >= MAX_LOOKED_AT_BYTES {
                self.feed.lose();
                break;
            }
            let record = self.record_among_flights(*flight, &mut read, reader)?;
            bytes += record.len();
            self.feed.note_text(EventKind::Cancelled, &record, now);
        }
        Ok(())
    }

    /// Adds what waits under `id` to `found`; its dead letters instead where only those are meant.
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

    /// Sorts what waits under one id: the task before its attempts, and those in the order of their runs. What is decided about them together
    /// then comes out the same, wherever they are stored.
    pub(super) fn sort_by_run(&self, found: &mut [EntryRef], reader: &dyn Reader) -> Result<(), EngineError> {
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

    /// Cancels the tasks that a filter matches, those in flight after those that wait, up to the request's limit and within a bounded
    /// amount of work.
    ///
    /// # Errors
    /// When storage fails or is damaged; the engine must then be dropped.
    pub fn cancel_matching(
        &mut self,
        request: &ListRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(CancelMatchingReply, Effects), EngineError> {
        let reads = self.feed.is_on(now);
        let (mut killed, mut stopped, mut spent) = (Vec::new(), Vec::new(), Spent::default());
        let mut next = None;
        if !is_in_flight(request.after) {
            next = self.scan(request, reads, &mut spent, reader, |candidate, _| {
                killed.push(candidate.at);
                Ok(true)
            })?;
        }
        if next.is_none() {
            next = self.scan_flights(request, &mut spent, reader, |flight, _| {
                stopped.push(flight);
                Ok(true)
            })?;
        }
        let mut effects = Effects::default();
        self.note_cancelled(&killed, &stopped, now, reader)?;
        let hashes: Vec<u64> = killed.iter().filter_map(|at| self.tasks.hash_of(*at)).collect();
        self.kill(&killed, &mut effects);
        self.cancel_flights(&stopped, &mut effects);
        self.release_held(hashes.into_iter(), now, reader, &mut effects)?;
        self.unsaved = true;
        let (cancelled, running) = ((killed.len() + stopped.len()) as u64, stopped.len() as u64);
        self.state.counters.cancelled += cancelled;
        Ok((CancelMatchingReply { cancelled, running, next }, effects))
    }

    /// A part of the tasks that a filter matches, in the order of firing.
    ///
    /// # Errors
    /// When storage fails or is damaged.
    pub fn list(&self, request: &ListRequest, reader: &dyn Reader) -> Result<ListReply, EngineError> {
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

    /// Calls `found` for each task that the request means, with its record where that had to be read; it says whether to go on. `reads`
    /// says that `found` reads the records of all that it is given. Returns where to go on another time.
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
        // Such tasks stand at page 0: the others need not be looked at.
        let recurring_only = filter.kind == Some(Kind::Cron) && filter.status == Some(Status::Scheduled);
        let mut merge = self.merge_from(request.after, filter.from, recurring_only);
        while let Some(position) = merge.pop() {
            if filter.to.is_some_and(|to| position.due >= to) {
                return Ok(None);
            }
            if spent.is_all(request) {
                return Ok(last);
            }
            last = Some(position);
            self.push_following(position, &mut merge);
            spent.scanned += 1;
            let candidate = self.candidate(EntryRef { page: position.page, index: position.index });
            let known = filter.status.is_none_or(|status| status == candidate.status)
                && match (filter.kind, candidate.kind) {
                    (Some(wanted), Some(kind)) => wanted.includes(kind),
                    _ => true,
                };
            if !known {
                continue;
            }
            let needs_record = filter.reads_records() || (filter.kind.is_some() && candidate.kind.is_none());
            let record = if needs_record { Some(self.record_of(candidate.at, reader)?) } else { None };
            spent.bytes += record.as_ref().map_or(LOOK_BYTES, Vec::len);
            if record.as_ref().is_none_or(|record| matches_record(filter, record)) {
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

    /// A heap with the first live position after `after` (and at or after `from`) of each page and schedule, or of schedules only.
    ///
    /// No bound counts it, for it follows from that of a shard's memory: a page of one task takes six times as much there as its 16 bytes here,
    /// so that a request for a full shard (40 MB) takes 7 MB for a moment. It passes each cancelled entry once, some nanoseconds each.
    fn merge_from(&self, after: Option<Position>, from: Option<UnixMillis>, recurring_only: bool) -> TimerHeap {
        let from = from.unwrap_or(UnixMillis::ZERO);
        let start = |page: u32| -> (UnixMillis, usize) {
            // Within a page positions rise with the index: those up to `after` end either before its due time, or within it.
            match after {
                Some(after) if after.due >= from => (after.due, if after.page == page { after.index as usize + 1 } else { 0 }),
                _ => (from, 0),
            }
        };
        let is_after = |position: &Position| position.due >= from && after.is_none_or(|after| *position > after);
        let of_pages = self.tasks.pages().filter(|_| !recurring_only).filter_map(|(number, page)| {
            let (due, least) = start(number);
            let first = page.directory.before(due).max(page.fired()).max(least);
            (first..page.directory.len())
                .filter(|index| page.is_live(*index))
                .filter_map(|index| Some(Position { due: page.directory.get(index)?.due, page: number, index: index as u32 }))
                .find(is_after)
        });
        let of_schedules = self
            .tasks
            .all_schedules()
            .map(|(number, schedule)| Position { due: schedule.due(), page: 0, index: number })
            .filter(is_after);
        let most = self.tasks.pages().count() + self.tasks.all_schedules().count();
        TimerHeap::of_at_most(most, of_pages.chain(of_schedules))
    }

    fn push_following(&self, position: Position, merge: &mut TimerHeap) {
        let Some(page) = self.tasks.page(position.page) else { return };
        let next = (position.index as usize + 1..page.directory.len()).find(|index| page.is_live(*index));
        if let Some((index, entry)) = next.and_then(|index| Some((index, page.directory.get(index)?))) {
            merge.push(Position { due: entry.due, page: position.page, index: index as u32 });
        }
    }

    fn candidate(&self, at: EntryRef) -> Candidate {
        if at.page == 0 {
            let schedule = self.tasks.schedule(at.index);
            let due = schedule.map_or(UnixMillis::NEVER, MemSchedule::due);
            let position = Position { due, page: 0, index: at.index };
            let is_paused = schedule.is_some_and(|schedule| schedule.paused_at.is_some());
            let status = if is_paused { Status::Paused } else { Status::Scheduled };
            let kind = schedule.map(|schedule| schedule.schedule.kind().into());
            return Candidate { position, at, status, is_attempt: false, kind };
        }
        let entry = self.tasks.page(at.page).and_then(|page| page.directory.get(at.index as usize));
        let (status, kind) = entry.as_ref().map_or((Status::Scheduled, None), status_of);
        let due = entry.map_or(UnixMillis::NEVER, |entry| entry.due);
        let is_attempt = entry.is_some_and(|entry| entry.flags.has(Flags::RETRY));
        Candidate { position: Position { due, page: at.page, index: at.index }, at, status, is_attempt, kind }
    }

    fn item(&self, candidate: Candidate, reader: &dyn Reader) -> Result<ListItem, EngineError> {
        let record = self.record_of(candidate.at, reader)?;
        item_of(candidate, record)
    }
}

/// A further attempt or a dead letter may be of a one-shot or of a recurring task: only the record tells.
fn status_of(entry: &Entry) -> (Status, Option<Kind>) {
    if entry.flags.has(Flags::DEAD_LETTER) {
        (Status::Dead, None)
    } else if entry.due == UnixMillis::HELD {
        (Status::Held, None)
    } else if entry.due == UnixMillis::PAUSED {
        (Status::Paused, None)
    } else if entry.flags.has(Flags::RETRY) {
        (Status::Retrying, None)
    } else if entry.due == UnixMillis::NEVER {
        (Status::Unscheduled, Some(Kind::NoSchedule))
    } else {
        (Status::Scheduled, Some(Kind::Once))
    }
}

fn item_of(candidate: Candidate, record: Vec<u8>) -> Result<ListItem, EngineError> {
    let corrupt =
        |problem: String| EngineError::Corrupt(format!("record {} of page {}: {problem}", candidate.at.index, candidate.at.page));
    let record = String::from_utf8(record).map_err(|problem| corrupt(problem.to_string()))?;
    let record = RawValue::from_string(record).map_err(|problem| corrupt(problem.to_string()))?;
    let Candidate { position, status, is_attempt, .. } = candidate;
    Ok(ListItem { position, status, is_attempt, is_cancelled: false, record })
}

/// Whether a record is one that a [folded](Filter::folded) filter means.
pub(super) fn matches_record(filter: &Filter, record: &[u8]) -> bool {
    let Ok(record) = Record::parse(record) else { return false };
    let kind = match record.time {
        _ if record.cron.is_some() => Kind::Cron,
        _ if record.every_seconds.is_some() => Kind::Every,
        _ if record.rrule.is_some() => Kind::Rrule,
        Some(_) => Kind::Once,
        None => Kind::NoSchedule,
    };
    filter.kind.is_none_or(|wanted| wanted.includes(kind))
        && filter.prefix.as_ref().is_none_or(|prefix| record.id.starts_with(prefix.as_str()))
        && filter.text.as_ref().is_none_or(|text| {
            record.description.as_ref().is_some_and(|description| description.to_lowercase().contains(text.as_str()))
        })
        && filter.tag.as_ref().is_none_or(|tag| {
            record
                .tags
                .and_then(|tags| serde_json::from_str::<Vec<String>>(tags.get()).ok())
                .is_some_and(|tags| tags.contains(tag))
        })
}

/// Checks that a stored recurring task can be read, for start-up.
pub(super) fn check_schedule(record: &[u8]) -> Result<super::new_schedule::ReadSchedule, EngineError> {
    read_schedule(record).map_err(EngineError::Corrupt)
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
