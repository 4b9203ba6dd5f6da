//! Changing tasks that wait: pause, resume, run now, reschedule.

use super::decided::{Decision, FlightRef, Stop};
use super::feed::{Happened, event};
use super::fire::{MAX_FIRING_BYTES, MAX_FIRING_TASKS};
use super::flights::{FlightReader, Found, is_in_flight};
use super::go_on::pause_start;
use super::late::RunsAside;
use super::moved::Moved;
use super::new_schedule::read_schedule;
use super::outcome::{PutBack, queue_flag};
use super::query::Spent;
use super::tasks::EntryRef;
use super::{Effects, Engine, EngineError, Reader, Write};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::Share;
use scheduler_model::bounds::MAX_ENVELOPE_BYTES;
use scheduler_model::format::page::Flags;
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    Among, Change, ChangeMatchingReply, ChangeReply, ChangeRequest, Changed, EventKind, ListRequest, NewTime,
};
use scheduler_model::record_id::HEAD_BYTES;
use scheduler_model::schedule::LocalTimes;
use scheduler_model::task::{Record, write_occurrence};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Most bytes of records that one request looks at: many may be as they should be already.
pub(super) const MAX_LOOKED_AT_BYTES: usize = 4 * MAX_FIRING_BYTES;

/// The position of a scan before which nothing stands: page 0 is of the recurring tasks, whose numbers begin at 1.
const FIRST: Position = Position { due: UnixMillis::ZERO, page: 0, index: 0 };

/// What a request changes, gathered before anything is touched: so that one that fails in the middle has changed nothing.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) killed: Vec<EntryRef>,
    pub(super) back: PutBack,
    schedules: Vec<Rewritten>,
    /// Runs that a pause has held up.
    pub(super) aside: RunsAside,
    /// Paused tasks whose pause begins later from now on: the runs before that were made up for.
    pub(super) made_up_to: Vec<(u32, UnixMillis)>,
    /// What is decided about attempts in flight.
    decisions: BTreeMap<FlightRef, Decision>,
    /// What those who watch are told.
    events: Vec<Happened>,
    /// Bytes of the records that are written again, and of those that were looked at.
    pub(super) written: usize,
    pub(super) looked_at: usize,
    /// Reads the runs in flight, whose bytes were looked at as well.
    flights: FlightReader,
}

/// A recurring task with another record. Of what comes after this change, its occurrences are its own; where it is paused, that is
/// where the pause began.
struct Rewritten {
    number: u32,
    record: Vec<u8>,
}

impl Changes {
    /// Decides about attempts in flight, of which this was decided before.
    fn stop(&mut self, flights: impl Iterator<Item = (FlightRef, Decision)>, stop: Option<Stop>) {
        self.decisions.extend(flights.map(|(flight, decision)| (flight, Decision { stop, ..decision })));
    }

    /// Returns whether no further task is looked at in this commit.
    pub(super) fn is_full(&self) -> bool {
        let (records, bytes) = self.room();
        records == 0 || bytes == 0 || self.room_to_look() == 0
    }

    /// Returns how many more envelopes of the largest size this commit may read.
    pub(super) fn room_to_look(&self) -> usize {
        MAX_LOOKED_AT_BYTES.saturating_sub(self.looked_at + self.flights.bytes) / MAX_ENVELOPE_BYTES
    }

    /// Returns how many more records this commit may write, and how many bytes of them.
    pub(super) fn room(&self) -> (usize, usize) {
        let records = self.aside.runs + self.back.len() + self.schedules.len();
        (MAX_FIRING_TASKS.saturating_sub(records), MAX_FIRING_BYTES.saturating_sub(self.aside.bytes + self.written))
    }
}

impl Engine {
    /// Changes tasks by id, and says what became of each; of the first of them, where they make up for much: the rest is to be asked
    /// for again. Of one task that is more than a commit may write, a part is changed, and the reply says so.
    ///
    /// # Errors
    /// When the shard has no room for the runs that are asked for, nothing has changed. When storage fails or is damaged, the
    /// engine must be dropped.
    pub fn change(
        &mut self,
        request: &ChangeRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeReply, Effects), EngineError> {
        self.change_among(request, Among::All, None, now, reader)
    }

    /// Changes tasks by id among what the request means: see [`Engine::change`]. Runs that are asked for are charged to `share`.
    ///
    /// # Errors
    /// As [`Engine::change`]; and when the share is used up, nothing has changed.
    pub fn change_among(
        &mut self,
        request: &ChangeRequest,
        among: Among,
        share: Option<Share>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeReply, Effects), EngineError> {
        let mut changes = Changes::default();
        let mut reply = ChangeReply { outcomes: Vec::with_capacity(request.ids.len()), ..ChangeReply::default() };
        let mut seen: HashMap<&str, (Changed, bool)> = HashMap::new();
        let mut flights = self.flights_of(request.ids.iter().map(|id| self.id_hash(id)));
        for (place, id) in (0..).zip(&request.ids) {
            if changes.is_full() || flights.is_spent() && place > 0 {
                break;
            }
            // An id that stands twice is changed once.
            let (outcome, is_running) = match seen.get(id.as_str()) {
                Some(outcome) => *outcome,
                None => {
                    let is_settled = |flight| {
                        self.decided.at(flight).is_cancelled() || self.settled_in_flight(flight, request.change).is_some()
                    };
                    let in_flight = match among {
                        Among::Dead => Found::default(),
                        _ => self.find_flights(id, &mut flights, usize::MAX, is_settled, reader)?,
                    };
                    let Some(outcome) = self.change_one(id, (request, among), &in_flight, now, reader, &mut changes)? else {
                        reply.in_part = true;
                        break;
                    };
                    let is_good = matches!(outcome, Changed::Changed | Changed::Unchanged);
                    (outcome, is_good && !in_flight.flights.is_empty())
                }
            };
            seen.insert(id, (outcome, is_running));
            reply.outcomes.push(outcome);
            reply.running.extend(is_running.then_some(place));
        }
        let mut effects = Effects::default();
        self.have_room_for(&changes)?;
        self.charge(share, runs_asked_for(request.change, &changes), now)?;
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        Ok((reply, effects))
    }

    /// Plans a change of all that an id names; `None` if this commit has room for a part of it only.
    fn change_one(
        &self,
        id: &str,
        (request, among): (&ChangeRequest, Among),
        Found { flights: in_flight, is_part }: &Found,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<Option<Changed>, EngineError> {
        let mut found = Vec::new();
        self.find_among(id, among, reader, &mut found)?;
        // Of a run that was cancelled nothing is left to change.
        let flights = self.not_cancelled(in_flight);
        let is_nothing = found.is_empty() && flights.is_empty();
        if is_nothing && (among != Among::All || !self.find_dead_letters(id, reader, &mut found)?) {
            return Ok(Some(if in_flight.is_empty() { Changed::NotFound } else { Changed::AlreadyFired }));
        }
        // Of several, that of the one that a read shows.
        if let Some(expected) = request.if_match
            && self.version_among(&found, flights.first(), reader)? != Some(expected)
        {
            return Ok(Some(Changed::OtherVersion));
        }
        let is_of_task = is_of_task(request.change);
        if *is_part && (!is_of_task || found.is_empty()) {
            // The version is of what waits, else of the newest: these come in the last part.
            self.change_others(flights.get(1..).unwrap_or_default(), request.change, now, reader, changes)?;
            return Ok(None);
        }
        // Their heads are read to find them, and to sort them.
        changes.looked_at += found.iter().map(|at| 2 * self.tasks.record_bytes(*at).min(HEAD_BYTES as usize)).sum::<usize>();
        self.sort_by_run(&mut found, reader)?;
        // To run or to move means the task itself; what is left of earlier occurrences only where it is gone.
        let only_task = is_of_task && found.first().is_some_and(|at| !self.flags_of(*at).has(Flags::RETRY));
        // Of several attempts, or dead letters, one becomes the task.
        if matches!(request.change, Change::Reschedule(_))
            && !found.iter().any(|at| self.is_task(*at))
            && let Some(newest) = self.newest_movable(&found, &mut changes.looked_at, reader)?
        {
            found = vec![newest];
        }
        let mut outcome = Changed::Unchanged;
        let mut note = |of: Changed| match of {
            Changed::Changed => outcome = Changed::Changed,
            other if outcome == Changed::Unchanged => outcome = other,
            _ => {}
        };
        found.retain(|at| !only_task || !self.flags_of(*at).has(Flags::RETRY));
        let Some(planned) = self.plan_together(&found, request.change, now, reader, changes)? else { return Ok(None) };
        planned.into_iter().for_each(&mut note);
        let flights = if is_of_task && !found.is_empty() { &[] } else { flights.as_slice() };
        match flights {
            // Where several runs are in flight, the newest is the one that is moved.
            [newest, others @ ..] if is_of_task => {
                let moved = self.change_flight(*newest, request.change, now, reader, changes)?;
                if moved == Changed::Changed {
                    changes.stop(others.iter().map(|flight| (*flight, self.decided.at(*flight))), Some(Stop::Cancelled));
                }
                note(moved);
            }
            _ => {
                for flight in flights {
                    let is_settled = self.settled_in_flight(*flight, request.change).is_some();
                    if !is_settled && changes.room_to_look() == 0 {
                        return Ok(None);
                    }
                    note(self.change_flight(*flight, request.change, now, reader, changes)?);
                }
            }
        }
        Ok(Some(outcome))
    }

    /// Plans what a change does to attempts in flight beside the newest, as far as this commit has room for them.
    fn change_others(
        &self,
        others: &[FlightRef],
        change: Change,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        if is_of_task(change) {
            changes.stop(others.iter().map(|flight| (*flight, self.decided.at(*flight))), Some(Stop::Cancelled));
            return Ok(());
        }
        for flight in others {
            if changes.room_to_look() == 0 {
                break;
            }
            self.change_flight(*flight, change, now, reader, changes)?;
        }
        Ok(())
    }

    /// Changes the tasks that a filter matches, those in flight after those that wait, up to the request's limit and within a bounded
    /// amount of work. Runs that are asked for are charged to `share`.
    ///
    /// # Errors
    /// As [`Engine::change_among`].
    pub fn change_matching(
        &mut self,
        request: &ListRequest,
        change: Change,
        share: Option<Share>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeMatchingReply, Effects), EngineError> {
        let (mut changes, mut spent) = (Changes::default(), Spent::default());
        let (mut changed, mut running) = (0, 0);
        let mut next = None;
        let (is_reschedule, mut moved) = (matches!(change, Change::Reschedule(_)), Moved::default());
        if !is_in_flight(request.after) {
            // Behind which a task is looked at again that was changed in part.
            let (mut before, mut in_part) = (request.after.unwrap_or(FIRST), None);
            next = self.scan(request, true, &mut spent, reader, |candidate, _| {
                if is_reschedule && !self.is_moved(candidate.at, &mut moved, reader)? {
                    changes.looked_at += std::mem::take(&mut moved.bytes);
                    before = candidate.position;
                    return Ok(!changes.is_full());
                }
                let Some(outcome) = self.plan_change(candidate.at, change, now, reader, &mut changes)? else {
                    in_part = Some(before);
                    return Ok(false);
                };
                before = candidate.position;
                changed += u64::from(outcome == Changed::Changed);
                Ok(!changes.is_full())
            })?;
            next = in_part.or(next);
        }
        if next.is_none() {
            next = self.scan_flights(request, &mut spent, reader, |flight, record| {
                let others =
                    if is_reschedule { self.moved_flight(flight, &record.id, &mut moved, reader)? } else { Some(Vec::new()) };
                let Some(others) = others else { return Ok(!changes.is_full()) };
                if self.plan_for_flight(flight, record, change, now, &mut changes) == Changed::Changed {
                    running += 1;
                    changes.stop(others.iter().map(|other| (*other, self.decided.at(*other))), Some(Stop::Cancelled));
                }
                Ok(!changes.is_full())
            })?;
        }
        let mut effects = Effects::default();
        self.have_room_for(&changes)?;
        self.charge(share, runs_asked_for(change, &changes), now)?;
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        Ok((ChangeMatchingReply { changed: changed + running, running, next }, effects))
    }

    /// Plans a change of one run in flight.
    pub(super) fn change_flight(
        &self,
        flight: FlightRef,
        change: Change,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<Changed, EngineError> {
        if let Some(settled) = self.settled_in_flight(flight, change) {
            return Ok(settled);
        }
        let record = self.record_among_flights(flight, &mut changes.flights, reader)?;
        Ok(self.plan_for_flight(flight, &parsed(&record, flight)?, change, now, changes))
    }

    /// Plans what a change does to one entry or schedule; `None` if this commit has room for a part of it only.
    pub(super) fn plan_change(
        &self,
        at: EntryRef,
        change: Change,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<Option<Changed>, EngineError> {
        if let Some(settled) = self.settled(at, change, now) {
            return Ok(Some(settled));
        }
        let text = self.record_of(at, reader)?;
        let record = Record::parse(&text)
            .map_err(|problem| EngineError::Corrupt(format!("record {} of page {}: {problem}", at.index, at.page)))?;
        let event = told_as(change).map(|kind| event(kind, &record, "", now));
        changes.looked_at += text.len();
        let outcome = if at.page == 0 {
            let Some(outcome) = self.plan_for_schedule(at.index, record, change, now, changes) else { return Ok(None) };
            outcome
        } else {
            self.plan_for_entry(at, record, change, now, changes)
        };
        if outcome == Changed::Changed {
            changes.written += text.len();
            changes.events.extend(event);
        }
        Ok(Some(outcome))
    }

    fn plan_for_entry(
        &self,
        at: EntryRef,
        record: Record<'_>,
        change: Change,
        now: UnixMillis,
        changes: &mut Changes,
    ) -> Changed {
        let flags = self.flags_of(at);
        let due = self.due_of(at);
        // By the record: a patch in flight may have given a dead letter another destination than its attempts had.
        let fires_anew = matches!(change, Change::Run | Change::Reschedule(_));
        let to_queue = if fires_anew { queue_flag(&record) } else { Flags::TASK };
        let is_dead = flags.has(Flags::DEAD_LETTER);
        let is_paused_task = due == UnixMillis::PAUSED && !flags.has(Flags::RETRY);
        // A pause does not use up the time that the retries may take: it counts again from the pause's end.
        let ends_pause = matches!(change, Change::Resume | Change::Run) && due == UnixMillis::PAUSED;
        let record = match record.first_attempt_at.filter(|_| ends_pause) {
            Some(_) => Record { first_attempt_at: Some(now), ..record },
            None => record,
        };
        let (record, due, flags, stays) = match change {
            // The wait before a further attempt goes on while it is paused.
            Change::Pause if flags.has(Flags::RETRY) => {
                (Record { not_before: Some(due).filter(|due| *due > now), ..record }, UnixMillis::PAUSED, flags, false)
            }
            Change::Pause => (record, UnixMillis::PAUSED, flags, false),
            Change::Resume if flags.has(Flags::RETRY) => {
                let due = record.not_before.unwrap_or(now).max(now);
                (Record { not_before: None, ..record }, due, flags, false)
            }
            Change::Resume => (record.clone(), due_of_task(&record, now), flags, false),
            Change::Run if is_dead => {
                let record = Record { replayed_at: Some(now), ..first_attempt(record) };
                (record, now, to_queue.and(Flags::RETRY), false)
            }
            // Kept, for it does not fire by itself: what fires is a copy.
            Change::Run if due.is_never() && record.time.is_none() && self.has_most_runs(&record.id) => {
                return Changed::TooManyRuns;
            }
            Change::Run if due.is_never() && record.time.is_none() => {
                (Record { time: Some(now), ..record }, now, to_queue.and(Flags::RETRY), true)
            }
            Change::Run if flags.has(Flags::RETRY) && !record.is_conditional() => {
                (Record { not_before: None, ..record }, now, flags, false)
            }
            // It stays one that was asked for, whatever holds it up from now on.
            Change::Run => (Record { replayed_at: Some(now), not_before: None, ..record }, now, flags, false),
            // A follow-up is named by the time of its run.
            Change::Reschedule(_) if record.is_recurring() || record.stage.is_some() => return Changed::NotApplicable,
            Change::Reschedule(to) if is_at(&record, to) && (due == record.due() || is_paused_task) => {
                return Changed::Unchanged;
            }
            Change::Reschedule(to) => {
                let record = moved(record, to);
                let due = if due == UnixMillis::PAUSED { due } else { record.due() };
                (record, due, to_queue, false)
            }
        };
        if !stays {
            changes.killed.push(at);
        }
        changes.back.push(&record, due, flags);
        Changed::Changed
    }

    /// Plans what a change does to a run of which an attempt is in flight. The attempt ends; what comes after it changes.
    fn plan_for_flight(
        &self,
        flight: FlightRef,
        record: &Record<'_>,
        change: Change,
        now: UnixMillis,
        changes: &mut Changes,
    ) -> Changed {
        let decision = self.decided.at(flight);
        if let Some(settled) = self.settled_in_flight(flight, change) {
            return settled;
        }
        let stop = match change {
            Change::Pause => Some(Stop::Paused),
            Change::Resume => None,
            Change::Run => return Changed::AlreadyFired,
            // A run of a recurring task, and a follow-up, are named by their time.
            Change::Reschedule(_) if record.is_recurring() || record.stage.is_some() => return Changed::NotApplicable,
            Change::Reschedule(to) if is_at(record, to) => return Changed::Unchanged,
            // It waits for its new time, as what has failed and is tried again does not.
            Change::Reschedule(to) => {
                let moved = Record { paused: None, ..moved(record.clone(), to) };
                let due = if decision.is_paused() { UnixMillis::PAUSED } else { moved.due() };
                changes.back.push(&moved, due, queue_flag(&moved));
                Some(Stop::Cancelled)
            }
        };
        changes.stop(std::iter::once((flight, decision)), stop);
        changes.events.extend(told_as(change).map(|kind| event(kind, record, "", now)));
        Changed::Changed
    }

    pub(super) fn due_of(&self, at: EntryRef) -> UnixMillis {
        let entry = self.tasks.page(at.page).and_then(|page| page.directory.get(at.index as usize));
        entry.map_or(UnixMillis::NEVER, |entry| entry.due)
    }

    /// Checks that the shard has room for what changes add.
    fn have_room_for(&self, changes: &Changes) -> Result<(), EngineError> {
        let added = changes.back.len() + changes.aside.runs;
        self.has_room(added.saturating_sub(changes.killed.len()), 0)?;
        self.lanes.have_room_for(changes.back.keys().chain(changes.aside.back.keys()))
    }

    /// Carries out what was gathered.
    pub(super) fn carry_out_changes(
        &mut self,
        changes: Changes,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        if self.feed.is_on(now) {
            changes.events.into_iter().for_each(|event| self.feed.push(event));
        }
        let since = now.max(self.state.watermark.due);
        for Rewritten { number, record } in changes.schedules {
            let read = read_schedule(&record).map_err(EngineError::Corrupt)?;
            // A pause that began while the clock was ahead ends where it began, at the earliest: what was due before has fired.
            let paused_at = self.tasks.schedule(number).and_then(|schedule| schedule.paused_at);
            let since = paused_at.map_or(since, |paused_at| paused_at.max(since));
            let next = if read.paused { None } else { read.schedule.next_after(since) };
            if next.is_none() && !read.paused {
                // Its last run would have been in the pause: it is gone, as one is whose last run has fired.
                self.tasks.remove_schedule(number);
                effects.writes.push(Write::DeleteSchedule { number });
                continue;
            }
            let due = self.tasks.schedule(number).and_then(|schedule| schedule.next).filter(|_| read.paused);
            let since = pause_start(&read.schedule, due, read.policies.catches_up, since);
            self.tasks.set_next(number, next, read.paused.then_some(since));
            self.tasks.set_record_bytes(number, record.len());
            effects.writes.push(Write::SetSchedule { number, since: Some(since), record });
        }
        for (number, since) in changes.made_up_to {
            self.tasks.set_next(number, None, Some(since));
            effects.writes.push(Write::SetSince { number, since });
        }
        self.kill(&changes.killed, effects);
        self.decide(changes.decisions, effects);
        self.put_in(changes.back, effects);
        self.put_aside(changes.aside, now, reader, effects)?;
        self.unsaved |= !effects.writes.is_empty();
        Ok(())
    }
}

/// Returns how many entries a change adds that callers have asked for: runs of tasks that stay. What a resume makes up for was due anyway.
fn runs_asked_for(change: Change, changes: &Changes) -> usize {
    match change {
        Change::Run => changes.back.len().saturating_sub(changes.killed.len()),
        Change::Pause | Change::Resume | Change::Reschedule(_) => 0,
    }
}

/// Whether a change means the task itself, or the newest of its runs.
fn is_of_task(change: Change) -> bool {
    matches!(change, Change::Run | Change::Reschedule(_))
}

/// The record of a task as if it had never been tried.
fn first_attempt(record: Record<'_>) -> Record<'_> {
    let record = Record { attempt: None, failed_at: None, error: None, first_attempt_at: None, ..record };
    Record { replayed_at: None, late_since: None, not_before: None, ..record }
}

/// Returns when a task that does not recur fires, if it is not paused: at once if a run of it was requested, else at its own time.
pub(super) fn due_of_task(record: &Record<'_>, now: UnixMillis) -> UnixMillis {
    match (record.replayed_at, record.time) {
        (Some(_), _) => now,
        (None, Some(_)) => record.due(),
        (None, None) => UnixMillis::NEVER,
    }
}

/// Whether a one-shot task is at this time, given as this one is.
fn is_at(record: &Record<'_>, to: NewTime) -> bool {
    let local = record.local.and_then(|local| local.time).zip(record.timezone.as_deref());
    record.time == Some(to.at) && local == to.local.map(|(local, zone)| (local, zone.name()))
}

/// The record of a one-shot task at another time, as if it had never been tried.
fn moved(record: Record<'_>, to: NewTime) -> Record<'_> {
    let local = to.local.map(|(time, _)| LocalTimes { time: Some(time), ..LocalTimes::default() });
    let timezone = to.local.map(|(_, zone)| Cow::Borrowed(zone.name()));
    Record { time: Some(to.at), local, timezone, ..first_attempt(record) }
}

fn parsed(record: &[u8], flight: FlightRef) -> Result<Record<'_>, EngineError> {
    Record::parse(record).map_err(|problem| EngineError::Corrupt(format!("envelope {}: {problem}", flight.seq)))
}

/// What those who watch are told. A run is told when it fires.
fn told_as(change: Change) -> Option<EventKind> {
    match change {
        Change::Pause => Some(EventKind::Paused),
        Change::Resume => Some(EventKind::Resumed),
        Change::Reschedule(_) => Some(EventKind::Rescheduled),
        Change::Run => None,
    }
}

impl Engine {
    fn plan_for_schedule(
        &self,
        number: u32,
        record: Record<'_>,
        change: Change,
        now: UnixMillis,
        changes: &mut Changes,
    ) -> Option<Changed> {
        let mut text = Vec::new();
        Some(match change {
            Change::Pause | Change::Resume => {
                let paused = (change == Change::Pause).then_some(true);
                Record { paused, ..record }.write(&mut text);
                if change == Change::Resume && !self.catch_up(number, &text, now, changes) {
                    return None;
                }
                changes.schedules.push(Rewritten { number, record: text });
                Changed::Changed
            }
            Change::Run if self.has_most_runs(&record.id) => Changed::TooManyRuns,
            Change::Run => {
                let to_queue = queue_flag(&record);
                Record { paused: None, ..record }.write(&mut text);
                let mut occurrence = Vec::new();
                write_occurrence(&text, now, &mut occurrence);
                let Ok(record) = Record::parse(&occurrence) else { return Some(Changed::NotApplicable) };
                changes.back.push(&record, now, to_queue.and(Flags::RETRY));
                Changed::Changed
            }
            Change::Reschedule(_) => Changed::NotApplicable,
        })
    }
}
