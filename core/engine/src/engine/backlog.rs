//! Runs of recurring tasks that are due but cannot be dispatched yet: the bound on the waiting runs
//! of one task, and the runs that wait for a lane.
//!
//! A recurring task comes due whether or not its runs make progress. Without a bound, a task that
//! comes due faster than its limit permits fills its shard, which then refuses all other tasks.

use super::Engine;
use crate::budget::{MAX_PLACED, MAX_RELEASED_BYTES};
use crate::circuits::destination_of;
use crate::due::{Due, count_repeats};
use crate::effects::Effects;
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::{EngineError, contradiction};
use crate::policy::{Undispatched, no_room_to_defer, no_room_to_wait};
use crate::reader::Reader;
use crate::requeue::RequeuedRecords;
use crate::runs_aside::RunAside;
use crate::spans::ScheduleRecords;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_CATCH_UP_RUNS, MAX_DEFERRED_RUNS};
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::LaneNumber;
use scheduler_model::task::{Record, write_occurrence};
use std::collections::HashMap;

impl Engine {
    /// Returns how many more runs of the recurring task with this hash of its id may wait in `lane`.
    ///
    /// What waits for a slot counts, requested runs and further attempts included. So do paused
    /// runs and runs without a lane, because they wait again later. A further attempt does not count
    /// before its own time, as it does not for a task without a key: [`Config::max_runs`] bounds
    /// these.
    ///
    /// One run may always wait if no other run of the task waits for a slot. The engine asks the
    /// limiter only for runs that wait. Otherwise the task would never run again until its paused
    /// runs were resumed, although its limit has room.
    ///
    /// [`Config::max_runs`]: crate::Config::max_runs
    pub(super) fn room_to_wait(&self, hash: u64, lane: LaneNumber, now: UnixMillis) -> usize {
        // What is added to the lane now is due by then.
        let now = now.max(self.watermark_of(lane).due.plus(1));
        let (mut asking, mut others) = (0, 0);
        for at in self.tasks.find(hash).filter(|at| self.is_stored_run(*at)) {
            let due = self.due_of(at);
            asking += usize::from(due <= now);
            others += usize::from(due == UnixMillis::PAUSED || due == UnixMillis::NO_LANE);
        }
        let room = MAX_CATCH_UP_RUNS.saturating_sub(asking + others);
        let is_first = asking == 0 && others < self.config.max_runs;
        if is_first { room.max(1) } else { room }
    }

    /// Returns whether an entry is a run in addition to its task.
    fn is_stored_run(&self, at: EntryRef) -> bool {
        let flags = self.flags_of(at);
        flags.has(Flags::RETRY) && !flags.has(Flags::DEAD_LETTER)
    }

    /// Returns how many more runs of the recurring task with this hash may wait for the destination
    /// of this record, and its name. Returns `None` if the destination answers.
    fn room_to_defer(&self, hash: u64, record: &[u8]) -> Option<(usize, String)> {
        if !self.circuits.is_any_open() {
            return None;
        }
        let destination = destination_of(&Record::parse(record).ok()?)?;
        let room = || MAX_DEFERRED_RUNS.saturating_sub(self.unfinished_runs(hash));
        self.circuits.is_open(&destination).then(|| (room(), destination))
    }

    /// Requeues occurrences into their lanes, in the commit in which the watermark passes them.
    /// Returns those that would wait for their destination next, if the most runs of their task wait
    /// already. `due` is what this firing pops, and `deferred` counts the runs that it defers.
    pub(super) fn requeue_delayed(
        &mut self,
        delayed: &[Due],
        (due, deferred): (&[Due], &HashMap<u64, usize>),
        records: &mut ScheduleRecords,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<Vec<Undispatched>, EngineError> {
        let mut skipped = Vec::new();
        if delayed.is_empty() {
            return Ok(skipped);
        }
        let mut taken = deferred.clone();
        count_repeats(due, &mut taken);
        let mut back = RequeuedRecords::default();
        for task in delayed {
            let Due::Occurrence { number, hash, occurrence, .. } = task else {
                return Err(contradiction("only occurrences are delayed"));
            };
            let mut text = Vec::new();
            write_occurrence(records.get(*number, reader)?, occurrence.time, &mut text);
            let here = taken.entry(*hash).or_default();
            let silent = self.room_to_defer(*hash, &text).filter(|(room, _)| *here >= *room);
            if let Some((_, destination)) = silent {
                let verdict = no_room_to_defer(&destination, *occurrence, *occurrence);
                let flags = Flags::TASK;
                skipped.push(Undispatched { record: text, hash: *hash, flags, verdict });
                continue;
            }
            *here += 1;
            let record = Record::parse(&text)
                .map_err(|problem| EngineError::Corrupt(format!("schedule {number}: {problem}")))?;
            back.push(&record, occurrence.due, Flags::RETRY);
        }
        self.insert_requeued(back, effects);
        Ok(skipped)
    }

    /// Requeues runs that are added outside of their order, as far as they may wait. Returns the
    /// others, with one item for those of a task.
    ///
    /// The runs of a task without a key wait for nothing if its destination answers. So nothing
    /// bounds them but the room of the shard.
    pub(super) fn requeue_aside(
        &mut self,
        runs: Vec<RunAside>,
        now: UnixMillis,
        effects: &mut Effects,
    ) -> Result<Vec<Undispatched>, EngineError> {
        let mut back = RequeuedRecords::default();
        let mut skipped: Vec<(RunAside, Occurrence)> = Vec::new();
        let mut rooms: HashMap<u64, (usize, Option<String>)> = HashMap::new();
        for run in runs {
            let (room, _) = rooms.entry(run.hash).or_insert_with(|| self.room_aside(&run, now));
            if *room > 0 {
                *room -= 1;
                let record = Record::parse(&run.text).map_err(|problem| {
                    EngineError::Corrupt(format!("a run of a recurring task: {problem}"))
                })?;
                let record = Record { replayed_at: run.replayed_at, ..record };
                back.push(&record, now, run.flags.and(Flags::RETRY));
                continue;
            }
            match skipped.last_mut().filter(|(first, _)| first.hash == run.hash) {
                Some((_, last)) => *last = run.occurrence,
                None => {
                    let last = run.occurrence;
                    skipped.push((run, last));
                }
            }
        }
        self.insert_requeued(back, effects);
        let skipped = skipped.into_iter().map(|(first, last)| {
            let RunAside { text: record, hash, flags, occurrence, .. } = first;
            let verdict = match rooms.get(&hash) {
                Some((_, Some(destination))) => no_room_to_defer(destination, occurrence, last),
                _ => no_room_to_wait(occurrence, last),
            };
            Undispatched { record, hash, flags, verdict }
        });
        Ok(skipped.collect())
    }

    /// Returns how many runs may be added outside of their order to the task of this run, and their
    /// destination if it does not answer.
    fn room_aside(&self, run: &RunAside, now: UnixMillis) -> (usize, Option<String>) {
        if let Some((room, destination)) = self.room_to_defer(run.hash, &run.text) {
            return (room, Some(destination));
        }
        let Some(key) = &run.limit_key else { return (usize::MAX, None) };
        let lane = self.lanes.number_of(key).unwrap_or(LaneNumber::MAIN);
        (self.room_to_wait(run.hash, lane, now), None)
    }

    /// Returns whether runs that wait for a lane of their key may have one now.
    pub(super) fn can_place(&mut self) -> bool {
        let held = self.tasks.counts().held;
        if held == 0 || self.lanes.noted() > 2 * held + MAX_PLACED {
            // Runs that were noted are gone.
            self.lanes.forget_waits();
            if held > 0 {
                self.find_without_lane();
            }
        }
        // Also if the keys of the runs are unknown, because a wake-up that finds no lane for them would
        // do nothing.
        if self.lanes.has_without() && self.lanes.is_full() {
            self.forget_lanes();
        }
        self.lanes.can_place()
    }

    /// Moves runs that wait for a lane of their key into one, as far as there are lanes, and up to
    /// the bytes that one event releases. The next wake-up moves the rest. Returns whether it moved
    /// any.
    pub(super) fn place_in_lanes(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<bool, EngineError> {
        if !self.can_place() {
            return Ok(false);
        }
        self.forget_ended_waits();
        let (mut placed, mut back, mut bytes) = (Vec::new(), RequeuedRecords::default(), 0);
        let hashes = self.lanes.take_placeable(MAX_PLACED);
        for (hash, mut after) in hashes {
            let mut waiting: Vec<PageEntry> = self.without_lane_of(hash).collect();
            waiting.sort_unstable();
            waiting.retain(|at| after.is_none_or(|after| *at > after));
            for place in waiting {
                if bytes >= MAX_RELEASED_BYTES {
                    self.lanes.wait_for_lanes(hash, after);
                    break;
                }
                after = Some(place);
                let at = EntryRef::Page(place);
                bytes += self.tasks.record_bytes(at);
                let text = self.record_of(at, reader)?;
                let record = Record::parse(&text).map_err(|problem| {
                    EngineError::Corrupt(format!("{at}, which waits for a lane: {problem}"))
                })?;
                if let Some(key) = record.limit_key.as_deref()
                    && self.lanes.have_room_for(back.keys().chain(std::iter::once(key))).is_err()
                {
                    self.lanes.wait_for_lane(key, hash);
                    continue;
                }
                let due = record.not_before.map_or(now, |at| at.max(now));
                back.push(&Record { not_before: None, ..record }, due, self.flags_of(at));
                placed.push(at);
            }
        }
        self.kill(&placed, effects);
        self.insert_requeued(back, effects);
        Ok(!placed.is_empty())
    }

    /// Forgets the keys whose noted runs no longer wait. Otherwise they would take the turns of
    /// others, and one wake-up after the other would do nothing.
    fn forget_ended_waits(&mut self) {
        let waits = |hash: &u64| self.without_lane_of(*hash).next().is_some();
        let ended: Vec<String> = self
            .lanes
            .waits()
            .filter(|(_, hashes)| !hashes.iter().any(waits))
            .map(|(key, _)| key.to_owned())
            .collect();
        ended.iter().for_each(|key| self.lanes.forget_waits_of(key));
    }

    /// Returns the runs of the id with this hash that wait for a lane.
    fn without_lane_of(&self, hash: u64) -> impl Iterator<Item = PageEntry> + '_ {
        let waits = |at: EntryRef| {
            let flags = self.flags_of(at);
            self.due_of(at) == UnixMillis::NO_LANE
                && flags.has(Flags::RETRY)
                && !flags.has(Flags::DEAD_LETTER)
        };
        let of_pages = self.tasks.find(hash).filter(move |at| waits(*at));
        of_pages.filter_map(|at| match at {
            EntryRef::Page(place) => Some(place),
            EntryRef::Schedule(_) => None,
        })
    }

    /// Records the ids with runs that wait for a lane.
    pub(super) fn find_without_lane(&mut self) {
        for hash in self.tasks.hashes_due(UnixMillis::NO_LANE) {
            self.lanes.wait_for_lanes(hash, None);
        }
    }
}

#[cfg(test)]
#[path = "backlog_bound_tests.rs"]
mod bound_tests;
#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
