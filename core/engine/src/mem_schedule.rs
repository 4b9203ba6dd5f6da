//! A recurring task in memory.

use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::schedule::Policies;

/// Of the runs that were missed at `now`, none that is due by `to` is left out any more.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CaughtUp {
    pub(super) now: UnixMillis,
    pub(super) to: UnixMillis,
}

/// A recurring task in memory.
#[derive(Debug)]
pub(super) struct MemSchedule {
    pub(super) hash: u64,
    /// Its next occurrence; `None` when there is none left.
    pub(super) next: Option<Occurrence>,
    pub(super) schedule: Box<Schedule>,
    pub(super) to_queue: bool,
    /// Since when it is paused; what a pause has held up lies after this.
    pub(super) paused_at: Option<UnixMillis>,
    pub(super) priority: u8,
    pub(super) policies: Policies,
    /// Which of its missed runs are not left out, as the current wake-up has found.
    pub(super) caught_up: CaughtUp,
    /// The lane that its runs go to; 0 without a limit's key.
    pub(super) lane: u8,
    /// The length of its record.
    pub(super) record_bytes: u32,
}

impl MemSchedule {
    /// When it fires next.
    pub(super) fn due(&self) -> UnixMillis {
        self.next.map_or(UnixMillis::NEVER, |next| next.due)
    }
}
