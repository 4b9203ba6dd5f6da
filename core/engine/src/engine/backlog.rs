//! Runs of recurring tasks that are due but cannot be dispatched yet: the bound on the waiting runs
//! of one task, and the runs that wait for a lane.
//!
//! A recurring task comes due whether or not its runs make progress. Without a bound, a task that
//! comes due faster than its limit permits fills its shard, which then refuses all other tasks.

use super::Engine;
use crate::budget::{MAX_PLACED, MAX_RELEASED_BYTES};
use crate::effects::Effects;
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::EngineError;
use crate::reader::Reader;
use crate::requeue::RequeuedRecords;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::format::page::Flags;
use scheduler_model::task::Record;

impl Engine {
    /// Returns whether the task with this hash of its id has as many waiting runs as it may have.
    /// `more` is the number of runs that are not stored yet. Delayed runs, requested runs and
    /// further attempts count. Held and paused runs do not, because a task has at most one of them.
    pub(super) fn has_full_backlog(&self, hash: u64, more: usize) -> bool {
        let waits = |flags: Flags, due: UnixMillis| {
            flags.has(Flags::RETRY) && (!due.is_never() || due == UnixMillis::NO_LANE)
        };
        let waiting =
            self.tasks.find(hash).filter(|at| waits(self.flags_of(*at), self.due_of(*at)));
        waiting.take(MAX_CATCH_UP_RUNS).count() + more >= MAX_CATCH_UP_RUNS
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
        if self.lanes.has_without() && !self.lanes.can_place() {
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
#[path = "backlog_tests.rs"]
mod tests;
