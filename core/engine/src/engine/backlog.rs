//! Runs of recurring tasks that are due but cannot be dispatched yet: the bound on the waiting runs
//! of one task, and the runs that wait for a lane.
//!
//! A recurring task comes due whether or not its runs make progress. Without a bound, a task that
//! comes due faster than its limit permits fills its shard, which then refuses all other tasks.

use super::Engine;
use crate::effects::Effects;
use crate::error::EngineError;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_CATCH_UP_RUNS, MAX_LANES};
use scheduler_model::format::page::Flags;

impl Engine {
    /// Returns whether the task with this hash of its id has as many waiting runs as it may have.
    /// `more` is the number of runs that are not stored yet. Delayed runs, requested runs and
    /// further attempts count. Held and paused runs do not, because a task has at most one of them.
    pub(super) fn has_full_backlog(&self, hash: u64, more: usize) -> bool {
        let waits = |flags: Flags, due: UnixMillis| flags.has(Flags::RETRY) && !due.is_never();
        let waiting =
            self.tasks.find(hash).filter(|at| waits(self.flags_of(*at), self.due_of(*at)));
        waiting.take(MAX_CATCH_UP_RUNS).count() + more >= MAX_CATCH_UP_RUNS
    }

    /// Returns whether the engine can release runs that it holds because their key had no lane.
    pub(super) fn can_release_for_lanes(&mut self) -> bool {
        if self.lanes.has_held_back() && self.lanes.is_full() {
            self.forget_lanes();
        }
        self.lanes.has_held_back() && !self.lanes.is_full()
    }

    /// Releases runs that the engine holds because their key had no lane, as many as there are free
    /// lanes. Returns whether it released any.
    pub(super) fn release_for_lanes(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<bool, EngineError> {
        if !self.can_release_for_lanes() {
            return Ok(false);
        }
        let hashes = self.lanes.take_held_back(MAX_LANES);
        self.release_held(hashes.into_iter(), now, reader, effects)
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
