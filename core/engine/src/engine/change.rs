//! Changing tasks: pause, resume, run, reschedule.

use super::Engine;
use super::walk::Direction;
use crate::changes::{Changes, Moved, Rewritten};
use crate::decisions::{FlightRef, Stop};
use crate::effects::{Effects, Write};
use crate::error::EngineError;
use crate::flights::Found;
use crate::new_schedule::read_schedule;
use crate::pause::pause_start;
use crate::reader::Reader;
use crate::scan::{Seen, Spent, Then};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::Share;
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{
    Among, Change, ChangeMatchingReply, ChangeReply, ChangeRequest, Changed, ListRequest,
    PauseReason, RunRequest,
};
use scheduler_model::record_id::HEAD_BYTES;
use std::collections::HashMap;

impl Engine {
    /// Changes tasks by id, and returns the result for each. If the changes write much, the reply
    /// covers the first ids only, and the caller repeats the request for the rest. If one task
    /// needs more than a commit may write, a part of it changes, and the reply says so.
    ///
    /// # Errors
    /// Returns an error if the shard has no room for the requested runs; then nothing has changed.
    /// If storage fails or is damaged; the caller must then drop the engine.
    pub fn change(
        &mut self,
        request: &ChangeRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeReply, Effects), EngineError> {
        self.change_among(request, Among::All, None, now, reader)
    }

    /// Changes tasks by id among those that `among` selects: see [`Engine::change`]. Charges
    /// requested runs to `share`.
    ///
    /// # Errors
    /// As [`Engine::change`]; and if the share is used up, in which case nothing has changed.
    pub fn change_among(
        &mut self,
        request: &ChangeRequest,
        among: Among,
        share: Option<Share>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeReply, Effects), EngineError> {
        let changes = Changes::saying(request.pause.clone());
        self.change_with(request, changes, among, share, now, reader)
    }

    /// Runs tasks by id among those that `among` selects: see [`Engine::change_among`]. The runs
    /// have the payload of the request. Later runs of the tasks have the task's own payload.
    ///
    /// # Errors
    /// As [`Engine::change_among`].
    pub fn run_among(
        &mut self,
        request: &RunRequest,
        among: Among,
        share: Option<Share>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeReply, Effects), EngineError> {
        let RunRequest { ids, if_match, payload } = request.clone();
        let changes = Changes { payload: Some(payload), ..Changes::default() };
        let request = ChangeRequest { ids, change: Change::Run, if_match, pause: None };
        self.change_with(&request, changes, among, share, now, reader)
    }

    fn change_with(
        &mut self,
        request: &ChangeRequest,
        mut changes: Changes,
        among: Among,
        share: Option<Share>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeReply, Effects), EngineError> {
        self.forget_lanes();
        let mut reply = ChangeReply {
            outcomes: Vec::with_capacity(request.ids.len()),
            ..ChangeReply::default()
        };
        let mut seen: HashMap<&str, (Changed, bool)> = HashMap::new();
        let mut flights = self.flights_of(request.ids.iter().map(|id| self.id_hash(id)));
        for (place, id) in (0..).zip(&request.ids) {
            if changes.is_full() || flights.is_spent() && place > 0 {
                break;
            }
            // An id that the request contains twice is changed once.
            let (outcome, is_running) = match seen.get(id.as_str()) {
                Some(outcome) => *outcome,
                None => {
                    let is_settled = |flight| {
                        self.decisions.at(flight).is_cancelled()
                            || self.settled_in_flight_by(flight, request.change, &changes).is_some()
                    };
                    let in_flight = match among {
                        Among::Dead => Found::default(),
                        _ => self.find_flights(id, &mut flights, usize::MAX, is_settled, reader)?,
                    };
                    let Some(outcome) = self.change_one(
                        id,
                        (request, among),
                        &in_flight,
                        now,
                        reader,
                        &mut changes,
                    )?
                    else {
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
        if changes.lacks_lane {
            return Err(self.lanes.no_room());
        }
        let mut effects = Effects::default();
        self.have_room_for(&changes)?;
        self.charge(share, runs_asked_for(request.change, &changes), now)?;
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        Ok((reply, effects))
    }

    /// Plans a change of everything with one id. Returns `None` if this commit has room for a part
    /// of it only.
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
        // A cancelled run cannot be changed.
        let flights = self.not_cancelled(in_flight);
        let is_nothing = found.is_empty() && flights.is_empty();
        if is_nothing && (among != Among::All || !self.find_dead_letters(id, reader, &mut found)?) {
            return Ok(Some(if in_flight.is_empty() {
                Changed::NotFound
            } else {
                Changed::AlreadyFired
            }));
        }
        // If there are several, the version is that of the one that a read shows.
        if let Some(expected) = request.if_match
            && self.version_among(&found, flights.first(), reader)? != Some(expected)
        {
            return Ok(Some(Changed::OtherVersion));
        }
        let is_of_task = is_of_task(request.change);
        if *is_part && (!is_of_task || found.is_empty()) {
            // The version belongs to the waiting task, or else to the newest attempt. The last part
            // changes these.
            self.change_others(
                flights.get(1..).unwrap_or_default(),
                request.change,
                now,
                reader,
                changes,
            )?;
            return Ok(None);
        }
        // Their heads are read twice: to find them and to sort them.
        changes.looked_at += found
            .iter()
            .map(|at| 2 * self.tasks.record_bytes(*at).min(HEAD_BYTES as usize))
            .sum::<usize>();
        self.sort_by_run(&mut found, reader)?;
        // A run or a reschedule changes the task itself. It changes further attempts only if there
        // is no task.
        let only_task =
            is_of_task && found.first().is_some_and(|at| !self.flags_of(*at).has(Flags::RETRY));
        // If there are several attempts or dead letters, one becomes the task.
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
        let Some(planned) = self.plan_together(&found, request.change, now, reader, changes)?
        else {
            return Ok(None);
        };
        planned.into_iter().for_each(&mut note);
        let flights = if is_of_task && !found.is_empty() { &[] } else { flights.as_slice() };
        match flights {
            // If several runs are in flight, the newest one is rescheduled.
            [newest, others @ ..] if is_of_task => {
                let moved = self.change_flight(*newest, request.change, now, reader, changes)?;
                if moved == Changed::Changed {
                    changes.stop(
                        others.iter().map(|flight| (*flight, self.decisions.at(*flight))),
                        Some(Stop::Cancelled),
                    );
                }
                note(moved);
            }
            _ => {
                for flight in flights {
                    let is_settled =
                        self.settled_in_flight_by(*flight, request.change, changes).is_some();
                    if !is_settled && changes.room_to_look() == 0 {
                        return Ok(None);
                    }
                    note(self.change_flight(*flight, request.change, now, reader, changes)?);
                }
            }
        }
        Ok(Some(outcome))
    }

    /// Plans what a change does to the attempts in flight other than the newest, as far as this
    /// commit has room for it.
    fn change_others(
        &self,
        others: &[FlightRef],
        change: Change,
        now: UnixMillis,
        reader: &dyn Reader,
        changes: &mut Changes,
    ) -> Result<(), EngineError> {
        if is_of_task(change) {
            changes.stop(
                others.iter().map(|flight| (*flight, self.decisions.at(*flight))),
                Some(Stop::Cancelled),
            );
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

    /// Changes the tasks that a filter matches, in the order of a list: those that wait, those in
    /// flight and dead letters, up to the limit of the request and within a bounded amount of work.
    /// Leaves tasks as they are whose limit keys have no lane. Charges requested runs to `share`.
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
        self.change_matching_with(request, change, Changes::default(), share, now, reader)
    }

    /// Pauses the tasks that a filter matches, for this reason: see [`Engine::change_matching`].
    ///
    /// # Errors
    /// As [`Engine::change_among`].
    pub fn pause_matching(
        &mut self,
        request: &ListRequest,
        pause: PauseReason,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeMatchingReply, Effects), EngineError> {
        let changes = Changes::saying(Some(pause));
        self.change_matching_with(request, Change::Pause, changes, None, now, reader)
    }

    fn change_matching_with(
        &mut self,
        request: &ListRequest,
        change: Change,
        mut changes: Changes,
        share: Option<Share>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(ChangeMatchingReply, Effects), EngineError> {
        self.forget_lanes();
        let mut spent = Spent::nothing(request);
        let (mut changed, mut running) = (0, 0);
        let (is_reschedule, mut moved) =
            (matches!(change, Change::Reschedule(_)), Moved::default());
        let next =
            self.scan(request, Direction::Changing, true, &mut spent, reader, |spent, seen| {
                spent.matches += 1;
                match seen {
                    Seen::Waiting(candidate, _) => {
                        if is_reschedule && !self.is_moved(candidate.at, &mut moved, reader)? {
                            changes.looked_at += std::mem::take(&mut moved.bytes);
                            return Ok(Then::if_room(!changes.is_full()));
                        }
                        let lacked = std::mem::take(&mut changes.lacks_lane);
                        let outcome =
                            self.plan_change(candidate.at, change, now, reader, &mut changes)?;
                        if outcome.is_none() && !changes.lacks_lane {
                            // The task was changed in part.
                            changes.lacks_lane = lacked;
                            return Ok(Then::StopBefore);
                        }
                        changes.lacks_lane |= lacked;
                        changed += u64::from(outcome == Some(Changed::Changed));
                    }
                    Seen::InFlight(of) => {
                        let others = if is_reschedule {
                            self.moved_flight(of.flight, &of.record.id, &mut moved, reader)?
                        } else {
                            Some(Vec::new())
                        };
                        let Some(others) = others else {
                            return Ok(Then::if_room(!changes.is_full()));
                        };
                        if self.plan_for_flight(of.flight, &of.record, change, now, &mut changes)
                            == Changed::Changed
                        {
                            running += 1;
                            changes.stop(
                                others.iter().map(|other| (*other, self.decisions.at(*other))),
                                Some(Stop::Cancelled),
                            );
                        }
                    }
                }
                Ok(Then::if_room(!changes.is_full()))
            })?;
        let mut effects = Effects::default();
        let left = changes.lacks_lane;
        self.have_room_for(&changes)?;
        self.charge(share, runs_asked_for(change, &changes), now)?;
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        Ok((ChangeMatchingReply { changed: changed + running, running, next, left }, effects))
    }

    /// Checks that the shard has room for the entries that changes add.
    pub(super) fn have_room_for(&self, changes: &Changes) -> Result<(), EngineError> {
        let added = changes.back.len() + changes.aside.runs;
        self.has_room(added.saturating_sub(changes.killed.len()), 0)?;
        self.lanes.have_room_for(changes.new_lanes.iter().map(String::as_str))
    }

    /// Applies collected changes.
    pub(super) fn carry_out_changes(
        &mut self,
        changes: Changes,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        if self.events.is_on(now) {
            changes.events.into_iter().for_each(|event| self.events.push(event));
        }
        let since = now.max(self.state.watermark.due);
        for Rewritten { number, record } in changes.schedules {
            let read = read_schedule(&record).map_err(EngineError::Corrupt)?;
            let was_paused =
                self.tasks.schedule(number).is_some_and(|schedule| schedule.paused_at.is_some());
            if was_paused && read.paused {
                // Another note replaces the mark, and the pause continues.
                self.tasks.set_record_bytes(number, record.len());
                effects.writes.push(Write::SetSchedule { number, since: None, record });
                continue;
            }
            // If the clock was ahead when a pause began, the pause ends where it began at the
            // earliest: what was due before has fired.
            let paused_at = self.tasks.schedule(number).and_then(|schedule| schedule.paused_at);
            let since = paused_at.map_or(since, |paused_at| paused_at.max(since));
            let next = if read.paused { None } else { read.schedule.next_after(since) };
            if next.is_none() && !read.paused {
                // Its last run would have been during the pause. So it is removed like a task whose
                // last run has fired.
                self.tasks.remove_schedule(number);
                effects.writes.push(Write::DeleteSchedule { number });
                continue;
            }
            let due = self
                .tasks
                .schedule(number)
                .and_then(|schedule| schedule.next)
                .filter(|_| read.paused);
            let since = pause_start(&read.schedule, due, read.policies.catches_up, since);
            self.tasks.set_next(number, next, read.paused.then_some(since));
            self.tasks.set_record_bytes(number, record.len());
            effects.writes.push(Write::SetSchedule { number, since: Some(since), record });
        }
        for (number, since) in changes.made_up_to {
            self.tasks.set_next(number, None, Some(since));
            effects.writes.push(Write::SetSince { number, since });
        }
        // Runs that are started again may wait for a lane, and tasks may not.
        for key in &changes.new_lanes {
            self.lanes.reserve(key);
        }
        self.kill(&changes.killed, effects);
        self.decide(changes.decisions, changes.marks, effects);
        self.insert_requeued(changes.back, effects);
        self.put_aside(changes.aside, now, reader, effects)?;
        self.release_again(changes.held_again, now, reader, effects)?;
        self.unsaved |= !effects.writes.is_empty();
        Ok(())
    }
}

/// Returns the number of requested runs that a change adds in addition to its tasks. Missed runs
/// that a resume fires do not count, because they were due anyway.
fn runs_asked_for(change: Change, changes: &Changes) -> usize {
    match change {
        Change::Run => changes.back.len().saturating_sub(changes.killed.len()),
        Change::Pause | Change::Resume | Change::Reschedule(_) => 0,
    }
}

/// Returns whether a change applies to the task itself, or to the newest of its runs if there is no
/// task.
fn is_of_task(change: Change) -> bool {
    matches!(change, Change::Run | Change::Reschedule(_))
}
