//! What the requests of clients change in the oracle.

use super::{Firing, Model, Schedule, What};
use crate::changes::Step;
use crate::definitions::{Going, Moment, Owed};
use crate::follow_ups::Stage;
use crate::in_flight::Stop;
use crate::invariants::violated;
use crate::schedules::PutOff;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::Cancelled;
use scheduler_model::task::Record;
use std::collections::BTreeSet;

impl Model {
    /// Applies a committed append. Returns how many tasks were replaced, how many of their attempts
    /// were in flight and now have no successor, and which runs are owed.
    pub(crate) fn append(
        &mut self,
        shard: usize,
        versions: &[u64],
        (fresh, is_version): (bool, bool),
        moment: Moment,
    ) -> (u64, u64, Vec<Owed>) {
        let (mut replaced, mut running, mut owed, mut kept) = (0, 0, Vec::new(), BTreeSet::new());
        for n in versions {
            let id = self.version(*n).id.clone();
            if fresh {
                continue;
            }
            match self.go_on(*n, is_version, moment) {
                Going::On(owes) => {
                    replaced += 1;
                    owed.extend(owes);
                    kept.insert(*n);
                    continue;
                }
                Going::Replaced => {
                    replaced += 1;
                    continue;
                }
                Going::No => {}
            }
            let (mut tasks, mut is_left) = (0, false);
            for ((firing, what), count) in self.waiting_of(&id) {
                if what != What::Dead {
                    self.waiting.remove(&(firing, what));
                    self.gone.insert(firing.version, "was overwritten");
                    is_left = true;
                    tasks += if matches!(what, What::Again | What::PausedAgain | What::Held) {
                        0
                    } else {
                        u64::from(count)
                    };
                }
            }
            for flight in self.flights_of(shard, &id) {
                self.decide(shard, flight, Some(Stop::Cancelled));
                is_left = true;
                running += 1;
            }
            // What is left of a task that has fired counts as that task.
            replaced += if is_left { tasks.max(1) } else { 0 };
        }
        for n in versions {
            let version = self.version(*n).clone();
            let known = self.by_id.entry(version.id).or_default();
            if !known.contains(n) {
                known.push(*n);
            }
            if kept.contains(n) {
                continue;
            }
            self.gone.remove(n);
            self.final_runs.remove(n);
            let firing = |time, attempt| Firing { version: *n, time, attempt, stage: Stage::Run };
            match version.schedule {
                Schedule::Once(time, _) if version.says_paused == Some(true) => {
                    self.put(firing(time, 1), What::Paused)
                }
                Schedule::Once(time, _) => self.put(firing(time, 1), What::First),
                Schedule::None => self.put(firing(0, 1), What::Unscheduled),
                Schedule::Recurring(recurring) => {
                    match recurring.first(&self.version(*n).id, moment.start) {
                        Some((time, due)) => {
                            self.next_run.insert(*n, (time, due, 0));
                            let is_paused = version.says_paused == Some(true);
                            self.put(
                                firing(0, 1),
                                if is_paused { What::PausedRecurring } else { What::Recurring },
                            );
                        }
                        // The end of the schedule has passed.
                        None => drop(self.gone.insert(*n, "has fired")),
                    }
                }
            }
        }
        (replaced, running, owed)
    }

    /// Returns what a cancel by ids must answer, and which of the ids have an attempt in flight.
    pub(crate) fn cancel_outcomes(&self, ids: &[String]) -> (Vec<Cancelled>, Vec<u32>) {
        let is_running = |id: &String| !self.in_flight_of(id).is_empty();
        let is_there = |id: &String| is_running(id) || !self.waiting_of(id).is_empty();
        let outcome = |id| if is_there(id) { Cancelled::Cancelled } else { Cancelled::NotFound };
        let running = (0..).zip(ids).filter(|(_, id)| is_running(id)).map(|(place, _)| place);
        (ids.iter().map(outcome).collect(), running.collect())
    }

    /// Applies a committed cancel, as it was answered.
    pub(crate) fn cancel(&mut self, shard: usize, ids: &[String], outcomes: &[Cancelled]) {
        // An id that occurs twice is examined each time as it was before the request.
        let mut seen = BTreeSet::new();
        for (id, outcome) in ids.iter().zip(outcomes) {
            if *outcome != Cancelled::Cancelled || !seen.insert(id) {
                continue;
            }
            let waiting = self.waiting_of(id);
            let only_dead = waiting.iter().all(|((_, what), _)| *what == What::Dead)
                && self.in_flight_of(id).is_empty();
            for (key, _) in
                waiting.into_iter().filter(|((_, what), _)| only_dead || *what != What::Dead)
            {
                self.waiting.remove(&key);
                self.gone.insert(key.0.version, "was cancelled");
            }
            for flight in self.flights_of(shard, id) {
                self.decide(shard, flight, Some(Stop::Cancelled));
            }
        }
    }

    /// Applies a committed cancel of one waiting firing.
    pub(crate) fn cancel_one(&mut self, key: (Firing, What)) {
        if !self.take(key.0, key.1) {
            violated(
                "list-and-cancel",
                format!("{key:?} was cancelled by a filter, but does not wait"),
            );
        }
        self.gone.insert(key.0.version, "was cancelled");
    }

    /// Applies a committed change of one waiting firing.
    pub(crate) fn step(&mut self, step: &Step) {
        if let Some((firing, what)) = step.take
            && !self.take(firing, what)
        {
            violated(
                "change-answers",
                format!("{firing:?} was changed, but does not wait as {what:?}"),
            );
        }
        let Some((firing, what)) = step.put else { return };
        self.put(firing, what);
        *self.asked.entry(Firing { attempt: 1, ..firing }).or_default() += 1;
        if let Some(until) = step.not_before {
            // The firing now waits for this time, even if it waited for a later one before. One of
            // several runs with the same name may wait for an earlier time, after the clock has
            // gone back.
            if self.waiting.get(&(firing, what)).is_none_or(|count| *count <= 1) {
                self.not_before.remove(&firing);
            }
            self.put_off(firing, until);
        }
        if let Some(now) = step.replays {
            self.replayed.insert(Firing { attempt: 1, ..firing }, now);
        }
        if let Some(now) = step.resumes {
            self.first_attempts.entry(Firing { attempt: 1, ..firing }).or_default().insert(now);
        }
        if step.early {
            self.early.insert(Firing { attempt: 1, ..firing });
        }
        if matches!(what, What::First | What::Paused)
            && let Some(version) = self.versions.get_mut(firing.version as usize)
            && !matches!(version.schedule, Schedule::Once(time, _) if time == firing.time)
        {
            let put_off = if let Schedule::Once(_, put_off) = version.schedule {
                put_off
            } else {
                PutOff::default()
            };
            version.schedule = Schedule::Once(firing.time, put_off);
            let given = version.record.clone();
            version.record.clear();
            Record { time: Some(UnixMillis::new(firing.time)), ..Record::parse(&given).unwrap() }
                .write(&mut version.record);
        }
    }

    /// Continues a recurring version after a pause. Runs that are due by `start` were missed.
    pub(crate) fn restart(&mut self, n: u64, start: i64) {
        self.miss(n, start);
        if !self.next_run.contains_key(&n) {
            self.take(
                Firing { version: n, time: 0, attempt: 1, stage: Stage::Run },
                What::Recurring,
            );
            self.gone.insert(n, "has fired");
        }
    }

    /// Skips the runs of a recurring version that are due by `until`. They count.
    fn miss(&mut self, n: u64, until: i64) {
        let version = self.version(n).clone();
        let Schedule::Recurring(recurring) = version.schedule else { return };
        while let Some((time, _, runs)) = self.next_run.get(&n).copied() {
            let due = recurring.due(&version.id, time);
            if due > until {
                self.next_run.insert(n, (time, due, runs));
                return;
            }
            let following = recurring
                .following(&version.id, time)
                .filter(|_| recurring.max_runs.is_none_or(|most| runs + 1 < most));
            match following {
                Some((time, due)) => drop(self.next_run.insert(n, (time, due, runs + 1))),
                None => drop(self.next_run.remove(&n)),
            }
        }
    }

    /// Pauses a recurring version. A run that is due by then and has not fired belongs to the pause
    /// if its policy fires missed runs. Otherwise it was missed.
    pub(crate) fn pause(&mut self, n: u64, at: i64) {
        let makes_up = Record::parse(&self.version(n).record).unwrap().policies().catches_up;
        if !makes_up {
            self.miss(n, at);
        }
    }

    /// Returns whether a run of this id is in progress.
    pub(crate) fn is_running(&self, id: &str) -> bool {
        let again = |what| matches!(what, What::Again | What::PausedAgain);
        !self.in_flight_of(id).is_empty()
            || self.waiting_of(id).iter().any(|((_, what), _)| again(*what))
    }

    /// Releases the held run of this id if no run of the id is in progress.
    pub(crate) fn release(&mut self, id: &str, now: i64) {
        if self.is_running(id) {
            return;
        }
        let held = self.waiting_of(id).into_iter().find(|((_, what), _)| *what == What::Held);
        if let Some(((firing, what), _)) = held {
            self.take(firing, what);
            let is_paused =
                self.waiting_of(id).iter().any(|((_, what), _)| *what == What::PausedRecurring);
            if is_paused {
                return self.put(firing, What::PausedAgain);
            }
            self.put(firing, What::Again);
            self.put_off(firing, now);
        }
    }

    pub(crate) fn put_off(&mut self, firing: Firing, until: i64) {
        // The same firing may wait twice after a repeated request. Then the earlier time counts.
        self.not_before
            .entry(firing)
            .and_modify(|least| *least = until.min(*least))
            .or_insert(until);
    }
}
