//! Plans what a change does to one task, attempt or recurring task.

use super::Engine;
use crate::budget::TIME_BYTES;
use crate::changes::{Changes, Rewritten};
use crate::decisions::{FlightRef, Stop};
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::event_buffer::{Happened, event};
use crate::pause_mark::PauseMark;
use crate::reader::Reader;
use crate::requeue::queue_flag;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_RECORD_BYTES;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::ScheduleNumber;
use scheduler_model::protocol::{Change, Changed, EventKind, NewTime};
use scheduler_model::schedule::LocalTimes;
use scheduler_model::task::{Record, write_occurrence};
use serde_json::value::RawValue;
use std::borrow::Cow;

impl Engine {
    /// Plans a change of one run in flight.
    pub(super) fn change_flight(
        &self,
        flight: FlightRef,
        change: Change,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<Changed, EngineError> {
        if let Some(settled) = self.settled_in_flight_by(flight, change, changes) {
            return Ok(settled);
        }
        let record = self.record_among_flights(flight, &mut changes.flights, reader)?;
        Ok(self.plan_for_flight(flight, &parsed(&record, flight)?, change, now, changes))
    }

    /// Plans what a change does to one entry or recurring task. Returns `None` if this commit has
    /// room for a part of it only, and if the shard has no lane for it ([`Changes::lacks_lane`]).
    pub(super) fn plan_change(
        &self,
        at: EntryRef,
        change: Change,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<Option<Changed>, EngineError> {
        if let Some(settled) = self.settled_by(at, change, now, changes) {
            return Ok(Some(settled));
        }
        let text = self.record_of(at, reader)?;
        let record = Record::parse(&text)
            .map_err(|problem| EngineError::Corrupt(format!("{at}: {problem}")))?;
        let event = event_of(change, &record, now);
        changes.looked_at += text.len();
        let payload = changes.payload.clone();
        let record = match payload.as_deref() {
            Some("null") => Record { payload: None, ..record },
            Some(payload) => Record { payload: Some(json_text(payload)?), ..record },
            None => record,
        };
        if payload.is_some() {
            let mut given = Vec::new();
            record.write(&mut given);
            // The stored record contains an error, so it may be larger than a new record.
            if given.len() + TIME_BYTES > MAX_RECORD_BYTES.max(text.len()) {
                return Ok(Some(Changed::TooLarge));
            }
        }
        let mark = (change == Change::Pause).then(|| changes.mark(now));
        let is_noted = |mark: &PauseMark| {
            PauseMark::of(&record).is_some_and(|former| former.reason == mark.reason)
        };
        if mark.as_ref().is_some_and(is_noted) {
            return Ok(Some(Changed::Unchanged));
        }
        let record = match &mark {
            Some(mark) => mark.on(record),
            None => record,
        };
        let outcome = match at {
            EntryRef::Schedule(number) => {
                let Some(outcome) = self.plan_for_schedule(number, record, change, now, changes)?
                else {
                    return Ok(None);
                };
                outcome
            }
            EntryRef::Page(_) => match self.plan_for_entry(at, record, change, now, changes) {
                Some(outcome) => outcome,
                None => return Ok(None),
            },
        };
        if outcome == Changed::Changed {
            changes.written += text.len() + mark.as_ref().map_or(0, PauseMark::stored_bytes);
            changes.events.extend(event);
        }
        Ok(Some(outcome))
    }

    /// Returns `None` if the shard has no lane for the limit key of the task. Then nothing changes.
    fn plan_for_entry(
        &self,
        at: EntryRef,
        record: Record<'_>,
        change: Change,
        now: UnixMillis,
        changes: &mut Changes,
    ) -> Option<Changed> {
        let flags = self.flags_of(at);
        let due = self.due_of(at);
        // The record decides on the queue, because a patch in flight may have given a dead letter
        // another destination than its attempts had.
        let fires_again = matches!(change, Change::Run | Change::Reschedule(_));
        let to_queue = if fires_again { queue_flag(&record) } else { Flags::TASK };
        let is_dead = flags.has(Flags::DEAD_LETTER);
        let is_paused_task = due == UnixMillis::PAUSED && !flags.has(Flags::RETRY);
        // The time for retries does not pass during a pause: it starts again at the end of the
        // pause.
        let ends_pause =
            matches!(change, Change::Resume | Change::Run) && due == UnixMillis::PAUSED;
        let record = match record.first_attempt_at.filter(|_| ends_pause) {
            Some(_) => Record { first_attempt_at: Some(now), ..record },
            None => record,
        };
        let (record, due, flags, stays) = match change {
            // Another note replaces the mark.
            Change::Pause if due == UnixMillis::PAUSED => (record, due, flags, false),
            Change::Pause if due == UnixMillis::NO_LANE => {
                (record, UnixMillis::PAUSED, flags, false)
            }
            // The wait before a further attempt continues during the pause. So does the wait for
            // the run before.
            Change::Pause if flags.has(Flags::RETRY) => (
                Record { not_before: Some(due).filter(|due| *due > now), ..record },
                UnixMillis::PAUSED,
                flags,
                false,
            ),
            Change::Pause => (record, UnixMillis::PAUSED, flags, false),
            Change::Resume if flags.has(Flags::RETRY) => {
                let due = record.not_before.unwrap_or(now).max(now);
                if due == UnixMillis::HELD {
                    changes.held_again.extend(self.tasks.hash_of(at));
                }
                (Record { not_before: None, ..record }, due, flags, false)
            }
            Change::Resume => (record.clone(), due_of_task(&record, now), flags, false),
            Change::Run if is_dead => {
                (replayed(record, now), now, to_queue.and(Flags::RETRY), false)
            }
            // It starts as soon as it may.
            Change::Run if due <= now && changes.payload.is_none() && !starts_over(&record) => {
                return Some(Changed::Unchanged);
            }
            // It starts as soon as there is a lane.
            Change::Run
                if due == UnixMillis::NO_LANE
                    && changes.payload.is_none()
                    && may_start(&record, now) =>
            {
                return Some(Changed::Unchanged);
            }
            // The task itself stays, because it does not fire by itself. A copy fires.
            Change::Run
                if due.is_never() && record.time.is_none() && self.has_most_runs(&record.id) =>
            {
                return Some(Changed::TooManyRuns);
            }
            Change::Run if due.is_never() && record.time.is_none() => {
                (Record { time: Some(now), ..record }, now, to_queue.and(Flags::RETRY), true)
            }
            // A run that is due keeps its place in the order.
            Change::Run if flags.has(Flags::RETRY) && !record.is_conditional() => {
                (Record { not_before: None, ..record }, due.min(now), flags, false)
            }
            // The run counts as requested, whatever delays it from now on.
            Change::Run => {
                let waits = due <= now || due == UnixMillis::NO_LANE;
                let requested_at = record.replayed_at.filter(|_| waits && is_requested(&record));
                let replayed_at = requested_at.or(Some(now));
                let record = Record { replayed_at, not_before: None, ..record };
                (record, due.min(now), flags, false)
            }
            // The time names the run of a follow-up, so it cannot change.
            Change::Reschedule(_) if record.is_recurring() || record.stage.is_some() => {
                return Some(Changed::NotApplicable);
            }
            Change::Reschedule(to)
                if is_at(&record, to) && (due == record.due() || is_paused_task) =>
            {
                return Some(Changed::Unchanged);
            }
            Change::Reschedule(to) => {
                let record = moved(record, to, now);
                let due = if due == UnixMillis::PAUSED { due } else { record.due() };
                (record, due, to_queue, false)
            }
        };
        if !self.lanes.take_for(&record, due, flags, changes) {
            return None;
        }
        if !stays {
            changes.killed.push(at);
        }
        changes.back.push(&record, due, flags);
        Some(Changed::Changed)
    }

    /// Plans what a change does to a run with an attempt in flight. The attempt itself ends as it
    /// was dispatched.
    pub(super) fn plan_for_flight(
        &self,
        flight: FlightRef,
        record: &Record<'_>,
        change: Change,
        now: UnixMillis,
        changes: &mut Changes,
    ) -> Changed {
        let decision = self.decisions.at(flight);
        if let Some(settled) = self.settled_in_flight_by(flight, change, changes) {
            return settled;
        }
        let stop = match change {
            Change::Pause => Some(Stop::Paused),
            Change::Resume => None,
            Change::Run => return Changed::AlreadyFired,
            // The time names a run of a recurring task, and a follow-up, so it cannot change.
            Change::Reschedule(_) if record.is_recurring() || record.stage.is_some() => {
                return Changed::NotApplicable;
            }
            Change::Reschedule(to) if is_at(record, to) => return Changed::Unchanged,
            // Unlike a further attempt, the task waits for its new time.
            Change::Reschedule(to) => {
                let moved = Record { paused: None, ..moved(record.clone(), to, now) };
                let marked = self.decisions.mark_of(flight).map(|mark| mark.on(moved.clone()));
                let moved = marked.unwrap_or(moved);
                let due = if decision.is_paused() { UnixMillis::PAUSED } else { moved.due() };
                if let Some(key) = self.lanes.key_without_lane(&moved, due, queue_flag(&moved)) {
                    changes.new_lanes.insert(key.to_owned());
                }
                changes.back.push(&moved, due, queue_flag(&moved));
                Some(Stop::Cancelled)
            }
        };
        if stop == Some(Stop::Paused) {
            changes.marks.insert(flight, changes.mark(now));
        }
        changes.stop(std::iter::once((flight, decision)), stop);
        changes.events.extend(event_of(change, record, now));
        Changed::Changed
    }

    fn plan_for_schedule(
        &self,
        number: ScheduleNumber,
        record: Record<'_>,
        change: Change,
        now: UnixMillis,
        changes: &mut Changes,
    ) -> Result<Option<Changed>, EngineError> {
        let mut text = Vec::new();
        Ok(Some(match change {
            Change::Pause | Change::Resume => {
                match change {
                    Change::Pause => Record { paused: Some(true), ..record }.write(&mut text),
                    _ => record.unpaused().write(&mut text),
                }
                if change == Change::Resume && !self.catch_up(number, &text, now, changes)? {
                    return Ok(None);
                }
                changes.schedules.push(Rewritten { number, record: text });
                Changed::Changed
            }
            Change::Run if self.has_most_runs(&record.id) => Changed::TooManyRuns,
            Change::Run => {
                let to_queue = queue_flag(&record);
                record.unpaused().write(&mut text);
                let mut occurrence = Vec::new();
                write_occurrence(&text, now, &mut occurrence);
                let record = Record::parse(&occurrence).map_err(|problem| {
                    EngineError::Corrupt(format!("schedule {number}: {problem}"))
                })?;
                // Jitter and window delay runs of the schedule only, so its own due time would be
                // too late.
                let replayed_at = Some(now).filter(|now| record.due() != *now);
                let record = Record { replayed_at, ..record };
                changes.back.push(&record, now, to_queue.and(Flags::RETRY));
                Changed::Changed
            }
            Change::Reschedule(_) => Changed::NotApplicable,
        }))
    }
}

/// Returns the record with which a dead letter starts again.
pub(super) fn replayed(record: Record<'_>, now: UnixMillis) -> Record<'_> {
    Record { replayed_at: Some(now), ..first_attempt(record) }
}

/// Reads JSON text that the sender has checked.
pub(super) fn json_text(text: &str) -> Result<&RawValue, EngineError> {
    serde_json::from_str(text)
        .map_err(|problem| EngineError::BadRequest(format!("a part of a record: {problem}")))
}

/// Returns the record of a task without the traces of earlier attempts.
fn first_attempt(record: Record<'_>) -> Record<'_> {
    let record =
        Record { attempt: None, failed_at: None, error: None, first_attempt_at: None, ..record };
    Record { replayed_at: None, late_since: None, not_before: None, ..record }
}

/// Returns when a one-shot task fires if it is not paused: now if a run was requested, otherwise at
/// its own time.
pub(super) fn due_of_task(record: &Record<'_>, now: UnixMillis) -> UnixMillis {
    match (record.replayed_at, record.time) {
        (Some(_), _) => now,
        (None, Some(_)) => record.due(),
        (None, None) => UnixMillis::NEVER,
    }
}

/// Returns whether a one-shot task already has this time, in the same form.
fn is_at(record: &Record<'_>, to: NewTime) -> bool {
    let local = record.local.and_then(|local| local.time).zip(record.timezone.as_deref());
    record.time == Some(to.at) && local == to.local.map(|(local, zone)| (local, zone.name()))
}

/// Returns whether a run that waits for a lane waits for nothing else, and no policy leaves it out.
fn may_start(record: &Record<'_>, now: UnixMillis) -> bool {
    record.not_before.is_none_or(|at| at <= now)
        && (record.replayed_at.is_some() || !record.is_conditional())
}

/// Returns whether the lateness of a run that is due counts from a request that is made now. The
/// first request for an attempt decides. If each request did, a change by filter that takes several
/// steps would find the run in each step, and would never end.
fn starts_over(record: &Record<'_>) -> bool {
    record.is_conditional() && !is_requested(record)
}

/// Returns whether an attempt was requested.
fn is_requested(record: &Record<'_>) -> bool {
    record.replayed_at.is_some() && record.replayed_at >= record.failed_at
}

/// Returns the record of a one-shot task at a new time, without the traces of earlier attempts. If
/// the time is the same, the record does not change, because the coordinator may send a reschedule
/// twice.
fn moved(record: Record<'_>, to: NewTime, now: UnixMillis) -> Record<'_> {
    let local = to.local.map(|(time, _)| LocalTimes { time: Some(time), ..LocalTimes::default() });
    let timezone = to.local.map(|(_, zone)| Cow::Borrowed(zone.name()));
    let updated_at = if is_at(&record, to) { record.updated_at } else { Some(now) };
    // The words say another time.
    let words = if is_at(&record, to) { record.words.clone() } else { None };
    Record { time: Some(to.at), local, timezone, updated_at, words, ..first_attempt(record) }
}

fn parsed(record: &[u8], flight: FlightRef) -> Result<Record<'_>, EngineError> {
    Record::parse(record)
        .map_err(|problem| EngineError::Corrupt(format!("envelope {}: {problem}", flight.seq)))
}

/// Returns the event for a change of a task with this record. A requested run has its event when it
/// fires.
fn event_of(change: Change, record: &Record<'_>, now: UnixMillis) -> Option<Happened> {
    let kind = match change {
        Change::Pause => EventKind::Paused,
        Change::Resume => EventKind::Resumed,
        Change::Reschedule(to) => {
            let moved = Record { time: Some(to.at), ..record.clone() };
            return Some(event(EventKind::Rescheduled, &moved, "", now));
        }
        Change::Run => return None,
    };
    Some(event(kind, record, "", now))
}

#[cfg(test)]
#[path = "held_tests.rs"]
mod held_tests;
#[cfg(test)]
#[path = "requested_tests.rs"]
mod requested_tests;
