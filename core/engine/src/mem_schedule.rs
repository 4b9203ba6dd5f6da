//! A recurring task in memory.

use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::LaneNumber;
use scheduler_model::schedule::Policies;

/// Says which missed runs are not skipped: at `now`, no further missed run that is due by `to` is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CaughtUp {
    pub(super) now: UnixMillis,
    pub(super) to: UnixMillis,
}

/// A recurring task in memory.
#[derive(Debug)]
pub(super) struct MemSchedule {
    pub(super) hash: u64,
    /// The next occurrence, or `None` if there is none.
    pub(super) next: Option<Occurrence>,
    pub(super) schedule: Box<Schedule>,
    pub(super) to_queue: bool,
    /// When the pause began, if the task is paused. The runs after this time belong to the pause.
    pub(super) paused_at: Option<UnixMillis>,
    pub(super) priority: u8,
    pub(super) policies: Policies,
    /// Which missed runs the current wake-up does not skip.
    pub(super) caught_up: CaughtUp,
    /// The lane of the runs; 0 if the task has no limit key.
    pub(super) lane: LaneNumber,
    /// The length of the record in bytes.
    pub(super) record_bytes: u32,
}

impl MemSchedule {
    /// Returns when the task fires next, or [`UnixMillis::NEVER`] if it does not.
    pub(super) fn due(&self) -> UnixMillis {
        self.next.map_or(UnixMillis::NEVER, |next| next.due)
    }
}
