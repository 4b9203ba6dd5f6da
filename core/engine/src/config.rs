//! The settings of a shard: its times, its bounds, and what its history keeps.

use crate::budget::MISSES_BEFORE_PAGES;
use scheduler_calendar::local_time::Law;
use scheduler_model::bounds::{
    DEFAULT_VISIBILITY_MILLIS, MAX_DEAD_LETTERS_OF_A_TASK, MAX_DISPATCH_TASKS,
    MAX_DISPATCHED_TASKS, MAX_LANES, MAX_PENDING_PER_SHARD, MAX_RUNS_OF_A_TASK,
};
use scheduler_model::protocol::limiter::TOKENS_MILLIS;

/// The longest [`Config::fire_gap_millis`]. With a longer one, the tokens of a rate expire before
/// the shard fires again, so a shard that is busy with other tasks never uses any.
pub const MAX_FIRE_GAP_MILLIS: i64 = TOKENS_MILLIS / 2;

/// The least number of parts in which a shard uses its room at the dispatchers. So less than a tenth
/// of the room is unused.
const PARTS_OF_ROOM: usize = 10;

/// The settings of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// The shard sends an envelope for the dispatchers again if it was not reported within this
    /// time, in milliseconds.
    pub visibility_millis: i64,
    /// The least time between two firings, in milliseconds. Tasks that come due in between share
    /// envelopes and rows. A task that comes due after an idle time is not delayed. A value above
    /// [`MAX_FIRE_GAP_MILLIS`] is reduced to it.
    pub fire_gap_millis: i64,
    /// Which outcomes the history keeps.
    pub history: Keep,
    /// The most tasks that are dispatched and not reported: see [`MAX_DISPATCHED_TASKS`].
    pub max_dispatched: usize,
    /// The most dead letters of one id, at least one: see [`MAX_DEAD_LETTERS_OF_A_TASK`].
    pub max_dead_letters: usize,
    /// The most waiting runs of one id: see [`MAX_RUNS_OF_A_TASK`]. Beyond them, a failed run is
    /// not retried.
    pub max_runs: usize,
    /// The most tasks, further attempts and dead letters: see [`MAX_PENDING_PER_SHARD`].
    pub max_entries: usize,
    /// The most keys of limits with tasks: see [`MAX_LANES`].
    pub max_lanes: usize,
    /// A search looks through every page whole once it has read this many records one by one that
    /// do not match.
    pub misses_before_pages: usize,
    /// The law by which one-shot tasks at a local time are planned.
    pub law: Law,
}

impl Default for Config {
    /// A gap of 100 ms between firings is half of what a person notices. At 1,000 tasks per second,
    /// 100 tasks share each row.
    fn default() -> Self {
        Self {
            visibility_millis: DEFAULT_VISIBILITY_MILLIS,
            fire_gap_millis: 100,
            history: Keep::All,
            max_dispatched: MAX_DISPATCHED_TASKS,
            max_dead_letters: MAX_DEAD_LETTERS_OF_A_TASK,
            max_runs: MAX_RUNS_OF_A_TASK,
            max_entries: MAX_PENDING_PER_SHARD,
            max_lanes: MAX_LANES,
            misses_before_pages: MISSES_BEFORE_PAGES,
            law: Law::default(),
        }
    }
}

impl Config {
    /// Returns how many more tasks may be dispatched while `dispatched` are not reported: whole
    /// envelopes, or whole tenths of a bound that is smaller than ten envelopes. If a shard at its
    /// bound used the room of each report at once, each of its envelopes would be as small as the
    /// one that was reported.
    pub fn dispatch_room(&self, dispatched: usize) -> usize {
        let room = self.max_dispatched.saturating_sub(dispatched);
        room - room % self.dispatch_step()
    }

    fn dispatch_step(&self) -> usize {
        (self.max_dispatched / PARTS_OF_ROOM).clamp(1, MAX_DISPATCH_TASKS)
    }

    /// Returns whether a shard that has used up its room gathers reports until its gap is over. With
    /// a bound of less than ten envelopes, the gap would save few rows, and the dispatchers would
    /// have nothing to do meanwhile.
    pub(super) fn gathers_reports(&self) -> bool {
        self.dispatch_step() == MAX_DISPATCH_TASKS
    }
}

/// Which outcomes of attempts the history keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nothing.
    Off,
    /// Outcomes other than success.
    Failures,
    /// Everything.
    #[default]
    All,
}
