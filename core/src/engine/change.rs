//! Changing tasks that wait: pause, resume, run now, reschedule.

use super::append::read_schedule;
use super::feed::{Happened, event};
use super::fire::{MAX_FIRING_BYTES, MAX_FIRING_TASKS};
use super::go_on::pause_start;
use super::late::{Aside, RunsAside, missed_in_pause};
use super::outcome::PutBack;
use super::tasks::EntryRef;
use super::{Effects, Engine, EngineError, Reader, Write};
use crate::page::Flags;
use crate::routing::id_hash;
use crate::task::{Record, version_of, write_occurrence};
use crate::time::UnixMillis;
use crate::wire::{Change, ChangeMatchingReply, ChangeReply, ChangeRequest, Changed, EventKind, ListRequest};
use std::collections::HashMap;

/// Most bytes of records that one request looks at: many may be as they should be already.
const MAX_LOOKED_AT_BYTES: usize = 4 * MAX_FIRING_BYTES;

/// What a request changes, gathered before anything is touched: so that one that fails in the middle has changed nothing.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) killed: Vec<EntryRef>,
    back: PutBack,
    schedules: Vec<Rewritten>,
    /// Runs that a pause has held up.
    pub(super) aside: RunsAside,
    /// What those who watch are told.
    events: Vec<Happened>,
    /// Bytes of the records that are written again, and of those that were looked at.
    written: usize,
    looked_at: usize,
}

/// A recurring task with another record. Of what comes after this change, its occurrences are its own; where it is paused, that is
/// where the pause began.
struct Rewritten {
    number: u32,
    record: Vec<u8>,
}

impl Changes {
    /// Whether no further task is to be looked at in this commit. One is, whatever it makes up for.
    fn is_full(&self) -> bool {
        self.aside.runs + self.back.len() + self.schedules.len() >= MAX_FIRING_TASKS
            || self.aside.bytes + self.written >= MAX_FIRING_BYTES
            || self.looked_at >= MAX_LOOKED_AT_BYTES
    }
}

impl Engine {
    /// Changes tasks by id, and says what became of each; of the first of them, where they make up for much: the rest is to be asked
    /// for again.
    ///
    /// # Errors
    /// When the shard has no room for the runs that are asked for, nothing has changed. When storage fails or is damaged, the
    /// engine must be dropped.
    pub fn change(
        &mut self,
        request: &ChangeRequest,
        now: UnixMillis,
        reader: &impl Reader,
    ) -> Result<(ChangeReply, Effects), EngineError> {
        let mut changes = Changes::default();
        let mut outcomes: Vec<Changed> = Vec::with_capacity(request.ids.len());
        let mut seen: HashMap<&str, Changed> = HashMap::new();
        for id in &request.ids {
            if changes.is_full() {
                break;
            }
            // An id that stands twice is changed once.
            let outcome = match seen.get(id.as_str()) {
                Some(outcome) => *outcome,
                None => self.change_one(id, request, now, reader, &mut changes)?,
            };
            seen.insert(id, outcome);
            outcomes.push(outcome);
        }
        let mut effects = Effects::default();
        self.have_room_for(&changes)?;
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        Ok((ChangeReply { outcomes }, effects))
    }

    fn change_one(
        &self,
        id: &str,
        request: &ChangeRequest,
        now: UnixMillis,
        reader: &impl Reader,
        changes: &mut Changes,
    ) -> Result<Changed, EngineError> {
        let mut found = Vec::new();
        self.find_live(id, reader, &mut found)?;
        if found.is_empty() {
            if self.in_flight.contains_key(&id_hash(id)) {
                return Ok(Changed::AlreadyFired);
            }
            if !self.find_dead_letters(id, reader, &mut found)? {
                return Ok(Changed::NotFound);
            }
        }
        found.sort_by_key(|at| self.flags_of(*at).has(Flags::RETRY));
        if let Some(expected) = request.if_match
            && let Some(first) = found.first()
            && version_of(&self.record_of(*first, reader)?) != expected
        {
            return Ok(Changed::OtherVersion);
        }
        // To run or to move means the task itself; what is left of earlier occurrences only where it is gone.
        let only_task = matches!(request.change, Change::Run | Change::Reschedule(_))
            && found.first().is_some_and(|at| !self.flags_of(*at).has(Flags::RETRY));
        let mut outcome = Changed::Unchanged;
        for at in found {
            if only_task && self.flags_of(at).has(Flags::RETRY) {
                continue;
            }
            match self.plan_change(at, request.change, now, reader, changes)? {
                Changed::Changed => outcome = Changed::Changed,
                other if outcome == Changed::Unchanged => outcome = other,
                _ => {}
            }
        }
        Ok(outcome)
    }

    /// Changes the tasks that a filter matches, up to the request's limit and within a bounded amount of work.
    ///
    /// # Errors
    /// As [`Engine::change`].
    pub fn change_matching(
        &mut self,
        request: &ListRequest,
        change: Change,
        now: UnixMillis,
        reader: &impl Reader,
    ) -> Result<(ChangeMatchingReply, Effects), EngineError> {
        let (mut changes, mut changed) = (Changes::default(), 0);
        let next = self.scan(request, true, reader, |candidate, _| {
            changed += u64::from(self.plan_change(candidate.at, change, now, reader, &mut changes)? == Changed::Changed);
            Ok(!changes.is_full())
        })?;
        let mut effects = Effects::default();
        self.have_room_for(&changes)?;
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        Ok((ChangeMatchingReply { changed, next }, effects))
    }

    /// What a change does to one entry or schedule.
    pub(super) fn plan_change(
        &self,
        at: EntryRef,
        change: Change,
        now: UnixMillis,
        reader: &impl Reader,
        changes: &mut Changes,
    ) -> Result<Changed, EngineError> {
        let text = self.record_of(at, reader)?;
        let record = Record::parse(&text)
            .map_err(|problem| EngineError::Corrupt(format!("record {} of page {}: {problem}", at.index, at.page)))?;
        let event = told_as(change).map(|kind| event(kind, &record, "", now));
        let outcome = if at.page == 0 {
            self.plan_for_schedule(at.index, record, change, now, changes)
        } else {
            self.plan_for_entry(at, record, change, now, changes)
        };
        changes.looked_at += text.len();
        if outcome == Changed::Changed {
            changes.written += text.len();
            changes.events.extend(event);
        }
        Ok(outcome)
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
        let to_queue = if flags.has(Flags::TO_QUEUE) { Flags::TO_QUEUE } else { Flags::TASK };
        let is_dead = flags.has(Flags::DEAD_LETTER);
        let is_paused_task = due == UnixMillis::PAUSED && !flags.has(Flags::RETRY);
        let first_attempt = |record| Record { attempt: None, failed_at: None, error: None, replayed_at: None, ..record };
        let (record, due, flags, stays) = match change {
            Change::Pause if due.is_never() => {
                return if due == UnixMillis::PAUSED { Changed::Unchanged } else { Changed::NotApplicable };
            }
            Change::Pause => (record, UnixMillis::PAUSED, flags, false),
            Change::Resume if due != UnixMillis::PAUSED => return Changed::Unchanged,
            Change::Resume if flags.has(Flags::RETRY) => (record, now, flags, false),
            Change::Resume => {
                let due = if record.time.is_some() { record.due() } else { UnixMillis::NEVER };
                (record, due, flags, false)
            }
            Change::Run if !due.is_never() && due <= now => return Changed::Unchanged,
            Change::Run if is_dead => {
                let record = Record { replayed_at: Some(now), ..first_attempt(record) };
                (record, now, to_queue.and(Flags::RETRY), false)
            }
            // Kept, for it does not fire by itself: what fires is a copy.
            Change::Run if due.is_never() && record.time.is_none() => {
                (Record { time: Some(now), ..record }, now, to_queue.and(Flags::RETRY), true)
            }
            Change::Run if record.is_conditional() => (Record { replayed_at: Some(now), ..record }, now, flags, false),
            Change::Run => (record, now, flags, false),
            // A follow-up is named by the time of its run.
            Change::Reschedule(_) if record.is_recurring() || record.stage.is_some() => return Changed::NotApplicable,
            Change::Reschedule(time) if record.time == Some(time) && (due == record.due() || is_paused_task) => {
                return Changed::Unchanged;
            }
            Change::Reschedule(time) => {
                let record = Record { time: Some(time), ..first_attempt(record) };
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
        reader: &impl Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        if self.feed.is_on(now) {
            changes.events.into_iter().for_each(|event| self.feed.push(event));
        }
        let since = now.max(self.state.watermark.due);
        for Rewritten { number, record } in changes.schedules {
            let read = read_schedule(&record).map_err(EngineError::Corrupt)?;
            let next = if read.paused { None } else { read.schedule.next_after(since) };
            if next.is_none() && !read.paused {
                // Its last run would have been in the pause: it is gone, as one is whose last run has fired.
                self.tasks.remove_schedule(number);
                effects.writes.push(Write::DeleteSchedule { number });
                continue;
            }
            let due = self.tasks.schedule(number).and_then(|schedule| schedule.next).filter(|_| read.paused);
            let since = pause_start(due, read.policies.catches_up, since);
            self.tasks.set_next(number, next, read.paused.then_some(since));
            self.tasks.set_record_bytes(number, record.len());
            effects.writes.push(Write::SetSchedule { number, since: Some(since), record });
        }
        self.kill(&changes.killed, effects);
        self.put_in(changes.back, effects);
        self.put_aside(changes.aside, now, reader, effects)?;
        self.unsaved |= !effects.writes.is_empty();
        Ok(())
    }
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
    ) -> Changed {
        let is_paused = record.is_paused();
        let mut text = Vec::new();
        match change {
            Change::Pause | Change::Resume if is_paused == (change == Change::Pause) => Changed::Unchanged,
            Change::Pause | Change::Resume => {
                let paused = (change == Change::Pause).then_some(true);
                Record { paused, ..record }.write(&mut text);
                if change == Change::Resume {
                    self.catch_up(number, &text, now, changes);
                }
                changes.schedules.push(Rewritten { number, record: text });
                Changed::Changed
            }
            Change::Run => {
                let to_queue = record.goes_to_queue();
                Record { paused: None, ..record }.write(&mut text);
                let mut occurrence = Vec::new();
                write_occurrence(&text, now, &mut occurrence);
                let Ok(record) = Record::parse(&occurrence) else { return Changed::NotApplicable };
                changes.back.push(&record, now, if to_queue { Flags::TO_QUEUE.and(Flags::RETRY) } else { Flags::RETRY });
                Changed::Changed
            }
            Change::Reschedule(_) => Changed::NotApplicable,
        }
    }

    /// What a pause has held up fires now, is kept as dead letters or is left out, as the task's misfire policy says. A task without one
    /// makes up for nothing.
    fn catch_up(&self, number: u32, record: &[u8], now: UnixMillis, changes: &mut Changes) {
        let Some(schedule) = self.tasks.schedule(number) else { return };
        let Some(paused_at) = schedule.paused_at else { return };
        let (hash, to_queue, overlap) = (schedule.hash, schedule.to_queue, schedule.policies.overlap);
        let runs = missed_in_pause(&schedule.schedule, schedule.policies, paused_at, now);
        self.run_aside(&Aside { record, hash, to_queue, overlap, starts_now: false }, runs, now, &mut changes.aside);
    }
}
