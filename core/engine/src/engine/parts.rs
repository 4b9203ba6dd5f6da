//! Changes in parts: changes of one task, or by one definition, that write more than one commit
//! may.
//!
//! A pause or a resume rewrites all further attempts of a task. A resume also adds the runs that
//! came due in the pause: up to a hundred records of the largest size. One commit writes a part of
//! this, and the caller repeats the request for the rest. A part of a resume leaves the task paused
//! and moves the start of the pause. So each part starts where the previous one ended, even after a
//! crash between them, and no missed run is added twice. If a definition ends the pause, its first
//! part stores the definition, still paused, so that all parts count the runs by the same calendars
//! and delays. The last part changes the version of the task.

use super::Engine;
use crate::budget::TIME_BYTES;
use crate::changes::Changes;
use crate::checked::Checked;
use crate::decisions::FlightRef;
use crate::effects::Effects;
use crate::entry_ref::EntryRef;
use crate::error::{EngineError, contradiction};
use crate::new_schedule::read_schedule;
use crate::pause::missed_in_pause;
use crate::pause_mark::PauseMark;
use crate::reader::Reader;
use crate::redefinition::GoingOn;
use crate::runs_aside::Aside;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::{EnvelopeSeq, ScheduleNumber};
use scheduler_model::protocol::{Change, Changed};
use scheduler_model::task::{Record, version_of};
use std::collections::HashSet;

impl Engine {
    /// Returns what a change does to a task or an attempt, if the engine can decide that without
    /// reading the record.
    pub(super) fn settled(&self, at: EntryRef, change: Change, now: UnixMillis) -> Option<Changed> {
        if let EntryRef::Schedule(number) = at {
            let is_paused =
                self.tasks.schedule(number).is_some_and(|schedule| schedule.paused_at.is_some());
            return match change {
                Change::Pause if is_paused => Some(Changed::Unchanged),
                Change::Resume if !is_paused => Some(Changed::Unchanged),
                _ => None,
            };
        }
        let due = self.due_of(at);
        match change {
            Change::Pause if due == UnixMillis::PAUSED => Some(Changed::Unchanged),
            // A held run follows the pause of its recurring task. If that has ended, the run is
            // paused by itself.
            Change::Pause if due == UnixMillis::HELD && !self.is_of_schedule(at) => None,
            Change::Pause if due.is_never() && due != UnixMillis::NO_LANE => {
                Some(Changed::NotApplicable)
            }
            Change::Resume if due != UnixMillis::PAUSED => Some(Changed::Unchanged),
            // A policy may leave a run out while it waits, so the time of a request for it counts.
            Change::Run if self.is_due(at, now) && !self.flags_of(at).has(Flags::CONDITIONAL) => {
                Some(Changed::Unchanged)
            }
            _ => None,
        }
    }

    /// Returns whether an entry of a page is due, and waits for a slot of its limit or for room.
    pub(super) fn is_due(&self, at: EntryRef, now: UnixMillis) -> bool {
        let due = self.due_of(at);
        !due.is_never() && due <= now
    }

    /// Returns the same as [`Engine::settled`] for the request of these changes. A requested run
    /// with a payload of its own also changes a task that is due, and a pause with a note also
    /// changes one that is paused.
    pub(super) fn settled_by(
        &self,
        at: EntryRef,
        change: Change,
        now: UnixMillis,
        changes: &Changes,
    ) -> Option<Changed> {
        let settled = self.settled(at, change, now)?;
        let is_noted = change == Change::Pause && changes.pause.note.is_some();
        let may_change = changes.payload.is_some() || is_noted && settled == Changed::Unchanged;
        (!may_change).then_some(settled)
    }

    /// Returns the same as [`Engine::settled_in_flight`] for the request of these changes: see
    /// [`Engine::settled_by`].
    pub(super) fn settled_in_flight_by(
        &self,
        flight: FlightRef,
        change: Change,
        changes: &Changes,
    ) -> Option<Changed> {
        let settled = self.settled_in_flight(flight, change)?;
        let former = self.decisions.mark_of(flight).map(|mark| &mark.reason);
        let is_noted = change == Change::Pause && changes.pause.note.is_some();
        let may_change = is_noted && former != Some(&changes.pause);
        (!may_change).then_some(settled)
    }

    /// Returns what a change does to a run in flight, if the engine can decide that without reading
    /// the record.
    pub(super) fn settled_in_flight(&self, flight: FlightRef, change: Change) -> Option<Changed> {
        let is_paused = self.decisions.at(flight).is_paused();
        match change {
            Change::Pause if is_paused => Some(Changed::Unchanged),
            Change::Resume if !is_paused => Some(Changed::Unchanged),
            Change::Run => Some(Changed::AlreadyFired),
            _ => None,
        }
    }

    /// Returns the row with the record of a run in flight. A patched record has a row of its own,
    /// which has the index of the run.
    fn row_in_flight(&self, flight: FlightRef) -> (EnvelopeSeq, Option<u32>) {
        (flight.seq, self.decisions.at(flight).patched.then_some(flight.index))
    }

    /// Plans a change of the entries of one id, in their order. If this commit has room for a part
    /// of them only, plans the last ones and returns `None`. The first entry has the version of the
    /// task, so it comes in the last part.
    pub(super) fn plan_together(
        &self,
        found: &[EntryRef],
        change: Change,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<Option<Vec<Changed>>, EngineError> {
        // Another note replaces that of the first entry only. Otherwise each part would read the
        // others again, and get no further.
        let settled = |(place, at): (usize, &EntryRef)| match place {
            0 => self.settled_by(*at, change, now, changes),
            _ if changes.payload.is_some() => None,
            _ => self.settled(*at, change, now),
        };
        let mut outcomes: Vec<Changed> = found.iter().enumerate().filter_map(settled).collect();
        let is_open = |of: &(usize, &EntryRef)| settled(*of).is_none();
        let open = found.iter().enumerate().filter(is_open).map(|(_, at)| *at);
        // Runs that are due stay due, so each part would find them again. The last part changes as
        // many of them as it has room for.
        let is_due = |at: &EntryRef| change == Change::Run && self.is_due(*at, now);
        let (due, open): (Vec<EntryRef>, Vec<EntryRef>) = open.partition(is_due);
        let last = self.last_that_fit(&open, changes);
        for at in last {
            match self.plan_change(*at, change, now, reader, changes)? {
                Some(outcome) => outcomes.push(outcome),
                None => return Ok(None),
            }
        }
        let leaves_due = !due.is_empty() && !last.is_empty() && changes.is_full();
        if last.len() < open.len() || leaves_due {
            return Ok(None);
        }
        for at in due {
            if changes.is_full() {
                break;
            }
            outcomes.extend(self.plan_change(at, change, now, reader, changes)?);
        }
        Ok(Some(outcomes))
    }

    /// Returns the last of these entries that this commit has room for, but at least one.
    fn last_that_fit<'a>(&self, open: &'a [EntryRef], changes: &Changes) -> &'a [EntryRef] {
        let (records, room) = changes.room();
        let mut bytes = 0;
        let fit = open.iter().rev().take(records).take_while(|at| {
            bytes += self.tasks.record_bytes(**at);
            bytes <= room
        });
        let fit = fit.count().max(1);
        open.get(open.len().saturating_sub(fit)..).unwrap_or_default()
    }

    /// Plans the runs that came due in a pause. By the misfire policy of the task, each of them
    /// fires now, becomes a dead letter or is skipped. A task without such a policy drops them.
    /// Returns whether it has planned all of them; the next part plans the rest.
    pub(super) fn catch_up(
        &self,
        number: ScheduleNumber,
        record: &[u8],
        now: UnixMillis,
        changes: &mut Changes,
    ) -> Result<bool, EngineError> {
        let Some(schedule) = self.tasks.schedule(number) else {
            return Err(contradiction("a recurring task that is resumed does not exist"));
        };
        let Some(paused_at) = schedule.paused_at else { return Ok(true) };
        let (hash, to_queue, overlap) =
            (schedule.hash, schedule.to_queue, schedule.policies.overlap);
        let mut runs = missed_in_pause(&schedule.schedule, schedule.policies, paused_at, now);
        let begins = changes.take_runs(&mut runs, record.len());
        changes.made_up_to.extend(begins.map(|begins| (number, begins)));
        self.run_aside(
            &Aside { record, hash, to_queue, overlap, starts_now: false },
            runs,
            now,
            &mut changes.aside,
        );
        Ok(begins.is_none())
    }

    /// Returns the number of runs that a request adds in addition to its tasks, and whether this
    /// commit has room for everything that the request writes in addition to them.
    pub(super) fn fits(&self, checked: &Checked, changes: &Changes) -> (usize, bool) {
        let runs: usize = checked.going_on.iter().map(|going| going.owed.len()).sum();
        if runs == 0 && checked.attempts.is_empty() && checked.flight_changes.is_empty() {
            return (0, true);
        }
        let of_going = |going: &GoingOn| going.owed.len() * (going.record.len() + TIME_BYTES);
        let is_open = |(at, change): &&(EntryRef, Change)| {
            self.settled(*at, *change, UnixMillis::ZERO).is_none()
        };
        let attempts = checked.attempts.iter().filter(is_open);
        let bytes = checked.going_on.iter().map(of_going).sum::<usize>()
            + attempts.clone().map(|(at, _)| self.tasks.record_bytes(*at)).sum::<usize>();
        let (records, room) = changes.room();
        let flights = checked
            .flight_changes
            .iter()
            .filter(|(flight, change)| self.settled_in_flight(*flight, *change).is_none());
        let envelopes: HashSet<(EnvelopeSeq, Option<u32>)> =
            flights.map(|(flight, _)| self.row_in_flight(*flight)).collect();
        let has_room_to_look = envelopes.len() <= changes.room_to_look();
        (runs, runs + attempts.count() <= records && bytes <= room && has_room_to_look)
    }

    /// Does a part of what a request changes in addition to its own tasks: it pauses and resumes
    /// attempts, and adds missed runs of paused tasks, which stay paused. The request then fails as
    /// unfinished, and its sender repeats it.
    pub(super) fn do_part(
        &mut self,
        checked: Checked,
        is_version: bool,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let open: Vec<(EntryRef, Change)> = checked
            .attempts
            .into_iter()
            .filter(|(at, change)| self.settled(*at, *change, now).is_none())
            .collect();
        let places: Vec<EntryRef> = open.iter().map(|(at, _)| *at).collect();
        let fit = self.last_that_fit(&places, changes).len();
        for (at, change) in open.into_iter().skip(places.len() - fit) {
            self.plan_change(at, change, now, reader, changes)?;
        }
        for (flight, change) in checked.flight_changes {
            if changes.room_to_look() == 0 {
                break;
            }
            self.change_flight(flight, change, now, reader, changes)?;
        }
        for mut going in checked.going_on.into_iter().filter(|going| !going.owed.is_empty()) {
            if changes.is_full() {
                break;
            }
            let paused = self
                .tasks
                .schedule(going.number)
                .is_some_and(|schedule| schedule.paused_at.is_some());
            if paused {
                let begins = changes.take_runs(&mut going.owed, going.record.len()).or(going.since);
                let (hash, overlap) = (self.id_hash(&going.read.id), going.read.policies.overlap);
                let of = Aside {
                    record: &going.record,
                    hash,
                    to_queue: going.read.to_queue,
                    overlap,
                    starts_now: false,
                };
                let owed = std::mem::take(&mut going.owed);
                self.run_aside(&of, owed, now, &mut changes.aside);
                let stored = reader.schedule(going.number)?;
                let record = still_paused(&going.record, &stored)?;
                changes.written += record.len();
                let read = read_schedule(&record).map_err(EngineError::Corrupt)?;
                let part =
                    GoingOn { read, record, next: None, paused_at: begins, since: begins, ..going };
                self.carry_on(part, now, &mut changes.aside, effects);
            } else if !is_version {
                // The task continues by its new definition. If the request is repeated, the same
                // definition changes nothing more.
                self.carry_on(going, now, &mut changes.aside, effects);
            }
        }
        // Entries are removed after the runs that must not overlap these attempts are planned, and
        // before anything is added, because adding moves entries.
        self.kill(&std::mem::take(&mut changes.killed), effects);
        Ok(())
    }
}

/// Returns the record of a definition that is done in part. The task stays paused and keeps its
/// version until the last part. `stored` is its record before this part.
fn still_paused(given: &[u8], stored: &[u8]) -> Result<Vec<u8>, EngineError> {
    let parse = |text| {
        Record::parse(text).map_err(|problem| {
            EngineError::Corrupt(format!("the record of a recurring task: {problem}"))
        })
    };
    let (given, former) = (parse(given)?, parse(stored)?);
    let mark = PauseMark::of(&former);
    let paused = Record {
        paused: Some(true),
        unfinished_version: Some(version_of(stored)),
        updated_at: former.updated_at,
        ..given
    };
    let mut text = Vec::with_capacity(stored.len() + 64);
    match &mark {
        Some(mark) => mark.on(paused).write(&mut text),
        None => paused.write(&mut text),
    }
    Ok(text)
}
