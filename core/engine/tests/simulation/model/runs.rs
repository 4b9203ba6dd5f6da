//! What happens to firings: when they are dispatched, how they end, and what follows.

use super::{Firing, Flight, Kept, Model, Schedule, What, recurring_of};
use crate::follow_ups::Stage;
use crate::in_flight::Stop;
use crate::invariants::violated;
use crate::late::{Due, Fate, firing_due};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Keep;
use scheduler_model::format::history::Outcome;
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{Failure, Report};
use scheduler_model::retry::{RetryInput, RetryPolicy};

impl Model {
    /// Applies the committed firing of one task. `is_again` says whether it is a repeated attempt.
    /// A first attempt of the same run may wait beside it if a client has created the task again.
    pub(crate) fn fire(&mut self, firing: Firing, is_again: bool, now: i64) {
        let version = self.version(firing.version).clone();
        let is_early = now < firing.time || now < version.due(firing.time);
        // A run that came due by a clock that was ahead, and was held or not started, fires as soon
        // as it may.
        let came_due = self.clocks_step && self.waiting.contains_key(&(firing, What::Again));
        let is_early = is_early && !came_due;
        if firing.attempt == 1
            && firing.stage == Stage::Run
            && is_early
            && !self.early.contains(&firing)
        {
            violated("nothing-early", format!("{firing:?} of {} fired at {now}", version.id));
        }
        if self.passed.remove(&firing) {
            // Its schedule has advanced already.
        } else if !is_again && self.take(firing, What::First) {
            // A further attempt or a repeated one waits on, although it looks the same.
        } else if self.take(firing, What::Again) {
            let least = self.not_before.get(&firing).copied().unwrap_or_default();
            if now < least {
                violated(
                    "nothing-early",
                    format!("{firing:?} of {} tried again at {now}, before {least}", version.id),
                );
            }
        } else if !self.take(firing, What::First) {
            self.why_not(firing);
        }
        self.gone.insert(firing.version, "has fired");
        *self.dispatched.entry(firing).or_default() += 1;
    }

    /// Records that a recurring version has reached this run, which fires or does not.
    pub(crate) fn pass(&mut self, due: &Due) {
        let firing = firing_due(due);
        if !self.waiting.contains_key(&(recurring_of(firing), What::Recurring)) {
            self.why_not(firing);
        }
        let next = self.next_run.get(&firing.version).copied();
        if next.is_none_or(|(time, ..)| time != firing.time) {
            let schedule = self.version(firing.version).schedule;
            violated(
                "nothing-lost",
                format!("{firing:?} of {schedule:?} is due; next was {next:?}"),
            );
        }
        self.advance(firing);
        due.passed_over.iter().for_each(|time| self.advance(Firing { time: *time, ..firing }));
        if due.fate == Fate::Fires {
            self.passed.insert(firing);
        }
    }

    /// Makes a run of a recurring version wait because it found no slot.
    pub(crate) fn wait_for_slot(&mut self, firing: Firing) {
        if !self.passed.remove(&firing) {
            violated(
                "fires-what-waits",
                format!("{firing:?} of a key did not fire and was not the next run"),
            );
        }
        self.put(firing, What::Again);
    }

    /// Makes a due firing wait until a time, as a further attempt does.
    pub(crate) fn defer(&mut self, firing: Firing, what: Option<What>, until: i64) {
        let is_known = match what {
            None => self.passed.remove(&firing),
            Some(what) => self.take(firing, what),
        };
        if !is_known {
            violated(
                "fires-what-waits",
                format!("{firing:?} was deferred, but does not wait as {what:?}"),
            );
        }
        if !self.waiting.contains_key(&(firing, What::Again)) {
            self.not_before.remove(&firing);
        }
        self.put(firing, What::Again);
        self.put_off(firing, until);
    }

    /// Advances a recurring version to the run after this one.
    pub(crate) fn advance(&mut self, firing: Firing) {
        let version = self.version(firing.version).clone();
        let Schedule::Recurring(recurring) = version.schedule else { return };
        let runs = self.next_run.get(&firing.version).map_or(0, |(_, _, runs)| *runs) + 1;
        let following = recurring
            .following(&version.id, firing.time)
            .filter(|_| recurring.max_runs.is_none_or(|most| runs < most));
        match following {
            Some((time, due)) => drop(self.next_run.insert(firing.version, (time, due, runs))),
            None => {
                self.next_run.remove(&firing.version);
                self.take(recurring_of(firing), What::Recurring);
            }
        }
    }

    /// Applies that a committed wake-up did not dispatch a due entry.
    pub(crate) fn drop_late(&mut self, shard: usize, due: &Due, now: i64, keep: Keep) {
        let firing = firing_due(due);
        if let Fate::Waits(until) = due.fate {
            return self.wait_for_destination(due, until);
        }
        match due.waiting.entry {
            // Its schedule has advanced already.
            None => drop(self.passed.remove(&firing)),
            Some(entry) => {
                let what = if entry.flags.has(Flags::RETRY) { What::Again } else { What::First };
                if !self.take(firing, what) {
                    violated(
                        "fires-what-waits",
                        format!("{firing:?} was dropped, but does not wait as {what:?}"),
                    );
                }
            }
        }
        self.gone.insert(firing.version, "was dropped");
        self.end_late(shard, firing, due.fate, now, keep);
    }

    /// Applies that a run does not fire, or not yet.
    pub(crate) fn end_late(
        &mut self,
        shard: usize,
        firing: Firing,
        fate: Fate,
        now: i64,
        keep: Keep,
    ) {
        let outcome = match fate {
            Fate::Fires | Fate::Waits(_) => return,
            Fate::Held => return self.put(firing, What::Held),
            Fate::Skipped => Outcome::Skipped,
            Fate::Expired => Outcome::Expired,
            Fate::Dead => {
                self.put(firing, What::Dead);
                Outcome::DeadLettered
            }
        };
        let kept = Kept {
            id: self.version(firing.version).id.clone(),
            due: firing.time,
            attempt: firing.attempt,
            fired_at: now,
            reported_at: now,
            outcome,
            status: None,
            millis: None,
            stage: firing.stage.name().to_owned(),
            was_dispatched: false,
            target: self.target_of(firing),
            tags: self.tags_of(firing),
        };
        self.room.ended.push((firing, kept.clone(), false));
        if keep != Keep::Off {
            self.history.entry(shard).or_default().push(kept);
        }
    }

    /// Applies a committed report, or that a queue has accepted an envelope (with an empty report).
    pub(crate) fn finish(&mut self, shard: usize, report: &Report, now: i64, keep: Keep) {
        self.hear(shard, report, now);
        let Some(flight) = self.in_flight.remove(&(shard, report.seq)) else { return };
        // The dispatched firings end. What follows them has the patches that arrived in the
        // meantime.
        let dispatched = flight.tasks.clone();
        let flight = Flight { tasks: flight.as_patched().collect(), ..flight };
        let mut seen = vec![false; flight.tasks.len()];
        let mut first = |index: u32| {
            seen.get_mut(index as usize).is_some_and(|seen| !std::mem::replace(seen, true))
        };
        let good = if flight.queue { Outcome::HandedOver } else { Outcome::Succeeded };
        let mut outcomes = vec![Some(good); flight.tasks.len()];
        for index in flight.decided.omitted() {
            outcomes[index] = None;
            match flight.decided.stop(index) {
                Some(Stop::Cancelled) => {}
                Some(Stop::Paused) => self.put(flight.tasks[index], What::PausedAgain),
                None => {
                    self.put(flight.tasks[index], What::Again);
                    self.put_off(flight.tasks[index], now);
                }
            }
        }
        for failure in report.failed.iter().filter(|failure| first(failure.index)) {
            let index = failure.index as usize;
            if flight.decided.stop(index) == Some(Stop::Cancelled) {
                // The run ends with this attempt.
                outcomes[index] = Some(Outcome::Failed);
                continue;
            }
            let is_paused = flight.decided.stop(index) == Some(Stop::Paused);
            let began = (flight.replayed[index], flight.late_since[index]);
            let firing = flight.tasks[index];
            let detail = report.details.iter().find(|detail| detail.index == failure.index);
            let started =
                detail.map_or(now, |detail| detail.started_at.get().max(flight.fired_at).min(now));
            let first = flight.first_at[index].unwrap_or(started);
            self.first_attempts.entry(Firing { attempt: 1, ..firing }).or_default().insert(first);
            let dead = self.failed(firing, began, first, failure, is_paused, now);
            outcomes[index] = Some(if dead { Outcome::DeadLettered } else { Outcome::Failed });
        }
        let not_started: Vec<u32> =
            report.not_started.iter().copied().filter(|index| first(*index)).collect();
        for index in &not_started {
            let firing = flight.tasks[*index as usize];
            outcomes[*index as usize] = None;
            match flight.decided.stop(*index as usize) {
                Some(Stop::Cancelled) => {}
                Some(Stop::Paused) => self.put(firing, What::PausedAgain),
                None => {
                    self.put(firing, What::Again);
                    self.put_off(firing, now);
                }
            }
        }
        // An envelope that was sent before may have been started.
        let is_repeat = flight.sent_again;
        let expired: Vec<u32> =
            report.expired.iter().copied().filter(|index| first(*index)).collect();
        for index in &expired {
            let firing = flight.tasks[*index as usize];
            let is_cancelled = flight.decided.stop(*index as usize) == Some(Stop::Cancelled);
            let is_dead = (firing.attempt > 1 || is_repeat) && !is_cancelled;
            outcomes[*index as usize] =
                Some(if is_dead { Outcome::DeadLettered } else { Outcome::Expired });
            if is_dead {
                self.put(firing, What::Dead);
            }
        }
        self.keep(shard, (&flight, &dispatched), &outcomes, report, now, keep);
        self.follow_ended(shard, now, keep);
        let omitted = flight.decided.omitted();
        let is_started = |index: &usize| {
            !not_started.contains(&(*index as u32))
                && !expired.contains(&(*index as u32))
                && !omitted.contains(index)
        };
        for firing in &flight.tasks {
            self.release(&self.version(firing.version).id.clone(), now);
        }
        self.done.extend(
            dispatched
                .iter()
                .enumerate()
                .filter(|(index, _)| is_started(index))
                .map(|(_, firing)| *firing),
        );
    }

    /// Returns the earliest start of a further attempt that is resumed at `now`. The wait before it
    /// continues while it is paused. A first attempt has no such wait, but keeps the time at which
    /// it began to wait, by a clock that may have gone back since.
    pub(crate) fn start_of_resumed(&self, firing: Firing, now: i64) -> i64 {
        if firing.attempt == 1 && self.clocks_step {
            return now;
        }
        self.not_before.get(&firing).map_or(now, |until| now.max(*until))
    }

    /// Adds what the history must contain, and what must follow. A run is recorded with the target
    /// that its attempt has called, whatever patch arrived since.
    fn keep(
        &mut self,
        shard: usize,
        (flight, dispatched): (&Flight, &[Firing]),
        outcomes: &[Option<Outcome>],
        report: &Report,
        now: i64,
        keep: Keep,
    ) {
        for (index, (firing, outcome)) in flight.tasks.iter().zip(outcomes).enumerate() {
            let Some(outcome) = *outcome else { continue };
            let is_good = matches!(outcome, Outcome::Succeeded | Outcome::HandedOver);
            let done = report.done.iter().find(|done| is_good && done.index as usize == index);
            let detail =
                report.details.iter().find(|detail| !is_good && detail.index as usize == index);
            let kept = Kept {
                id: self.version(firing.version).id.clone(),
                due: firing.time,
                attempt: firing.attempt,
                fired_at: flight.fired_at,
                reported_at: now,
                outcome,
                status: done
                    .and_then(|done| done.status)
                    .or(detail.and_then(|detail| detail.status)),
                millis: done.map(|done| done.millis).or(detail.map(|detail| detail.millis)),
                stage: firing.stage.name().to_owned(),
                was_dispatched: outcome.has_run(),
                target: self.target_of(dispatched[index]),
                tags: self.tags_of(*firing),
            };
            match flight.decided.stop(index) {
                Some(Stop::Cancelled) => {}
                stop => self.room.ended.push((*firing, kept.clone(), stop.is_some())),
            }
            if keep == Keep::All || keep == Keep::Failures && !is_good {
                self.history.entry(shard).or_default().push(kept);
            }
        }
    }

    /// Returns whether the run is dead. `began` is when its run was requested, or when the run that
    /// it follows ended. `first` is when its first attempt began.
    fn failed(
        &mut self,
        firing: Firing,
        (requested, late_since): (Option<i64>, Option<i64>),
        first: i64,
        failure: &Failure,
        is_paused: bool,
        now: i64,
    ) -> bool {
        let version = self.version(firing.version);
        let input: RetryInput = serde_json::from_str(version.retry).unwrap();
        let policy = RetryPolicy::try_from(input).unwrap();
        let stage = if firing.stage == Stage::Run { "" } else { "/" };
        let key = format!("{}@{}{stage}{}", version.id, firing.time, firing.stage.name());
        let due = version.due(firing.time);
        let start = UnixMillis::new(late_since.unwrap_or(i64::MIN).max(requested.unwrap_or(due)));
        let first = UnixMillis::new(first);
        let next = policy.next_attempt(
            &key,
            firing.attempt,
            first,
            UnixMillis::new(now),
            failure.not_before,
        );
        let end = version
            .late
            .expire
            .filter(|_| firing.stage == Stage::Run)
            .map(|millis| start.plus(millis));
        let next = next.filter(|next| !failure.permanent && end.is_none_or(|end| *next <= end));
        match next.filter(|_| self.has_room_to_wait(firing)) {
            Some(at) => {
                let again = Firing { attempt: firing.attempt + 1, ..firing };
                self.put(again, if is_paused { What::PausedAgain } else { What::Again });
                self.put_off(again, at.get());
                false
            }
            None => {
                self.put(firing, What::Dead);
                true
            }
        }
    }
}
