//! A recurring task in memory.

use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::schedule::Policies;

/// Says that, of the runs that were missed at `now`, no further one that is due by `to` is skipped.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CaughtUp {
    pub(super) now: UnixMillis,
    pub(super) to: UnixMillis,
}

/// A recurring task in memory.
#[derive(Debug)]
pub(super) struct MemSchedule {
    pub(super) hash: u64,
    /// Its next occurrence; `None` if there is none.
    pub(super) next: Option<Occurrence>,
    pub(super) schedule: Box<Schedule>,
    pub(super) to_queue: bool,
    /// Where its pause begins, if it is paused. The runs after this time belong to the pause.
    pub(super) paused_at: Option<UnixMillis>,
    pub(super) priority: u8,
    pub(super) policies: Policies,
    /// Which of its missed runs the current wake-up does not skip.
    pub(super) caught_up: CaughtUp,
    /// The lane of its runs; 0 if it has no limit key.
    pub(super) lane: u8,
    /// The length of its record, bytes.
    pub(super) record_bytes: u32,
}

impl MemSchedule {
    /// Returns when it fires next; [`UnixMillis::NEVER`] if it does not.
    pub(super) fn due(&self) -> UnixMillis {
        self.next.map_or(UnixMillis::NEVER, |next| next.due)
    }
}
