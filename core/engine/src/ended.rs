//! Recurring tasks for which a start-up finds no further run, because a new law of their time zone
//! has moved the last run to before the watermark. The engine removes them like tasks whose last
//! run has fired.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::ScheduleNumber;
use std::collections::BTreeSet;

/// The numbers of these tasks.
#[derive(Debug, Default)]
pub(super) struct EndedSchedules(pub(super) BTreeSet<ScheduleNumber>);

impl EndedSchedules {
    pub(super) fn note(&mut self, number: ScheduleNumber) {
        self.0.insert(number);
    }

    /// Returns when to remove the next of them, or `None` if there is none.
    pub(super) fn wants_to_wake_at(&self) -> Option<UnixMillis> {
        (!self.0.is_empty()).then_some(UnixMillis::ZERO)
    }
}
