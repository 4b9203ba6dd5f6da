//! How a shard behaves in time, and what it keeps.

use scheduler_calendar::local_time::Law;
use scheduler_model::bounds::{
    DEFAULT_VISIBILITY_MILLIS, MAX_DEAD_LETTERS_OF_A_TASK, MAX_DISPATCHED_TASKS, MAX_PENDING_PER_SHARD, MAX_RUNS_OF_A_TASK,
};
use scheduler_model::protocol::limiter::TOKENS_MILLIS;

/// The longest [`Config::fire_gap_millis`]: with a longer one the tokens of a rate end before the shard fires again, so a shard that is kept
/// busy by other tasks never uses any.
pub const MAX_FIRE_GAP_MILLIS: i64 = TOKENS_MILLIS / 2;

/// How a shard behaves in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// An envelope for the dispatchers that was not reported for so long is sent again, milliseconds.
    pub visibility_millis: i64,
    /// Least time between two firings, milliseconds: what comes due meanwhile shares envelopes and rows. A task that
    /// comes due after a pause is not held up. Cut to [`MAX_FIRE_GAP_MILLIS`].
    pub fire_gap_millis: i64,
    /// What is kept of how attempts end.
    pub history: Keep,
    /// Most tasks that the shard has handed to the dispatchers and not had reported: see [`MAX_DISPATCHED_TASKS`].
    pub max_dispatched: usize,
    /// Most dead letters that are kept of one id, at least one: see [`MAX_DEAD_LETTERS_OF_A_TASK`].
    pub max_dead_letters: usize,
    /// Most runs of one id that wait, after which one more is no longer tried again: see [`MAX_RUNS_OF_A_TASK`].
    pub max_runs: usize,
    /// Most tasks, further attempts and dead letters: see [`MAX_PENDING_PER_SHARD`].
    pub max_entries: usize,
    /// By which one-shot tasks at a local time are planned.
    pub law: Law,
}

impl Default for Config {
    /// 100 ms between firings: half of what a person notices, and at 1,000 tasks a second it makes 100 tasks share each row.
    fn default() -> Self {
        Self {
            visibility_millis: DEFAULT_VISIBILITY_MILLIS,
            fire_gap_millis: 100,
            history: Keep::All,
            max_dispatched: MAX_DISPATCHED_TASKS,
            max_dead_letters: MAX_DEAD_LETTERS_OF_A_TASK,
            max_runs: MAX_RUNS_OF_A_TASK,
            max_entries: MAX_PENDING_PER_SHARD,
            law: Law::default(),
        }
    }
}

/// What is kept of how attempts end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nothing.
    Off,
    /// What did not go as it should.
    Failures,
    /// Everything.
    #[default]
    All,
}
