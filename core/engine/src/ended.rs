//! Recurring tasks of which a start finds no run to come: a new law of their time zone has put the last one behind the watermark. They are gone,
//! as tasks are whose last run has fired.

use scheduler_calendar::time::UnixMillis;
use std::collections::BTreeSet;

/// The numbers of such tasks.
#[derive(Debug, Default)]
pub(super) struct EndedSchedules(pub(super) BTreeSet<u32>);

impl EndedSchedules {
    pub(super) fn note(&mut self, number: u32) {
        self.0.insert(number);
    }

    /// Returns when the next of them are to be removed; `None` if there is none.
    pub(super) fn wants_to_wake_at(&self) -> Option<UnixMillis> {
        (!self.0.is_empty()).then_some(UnixMillis::ZERO)
    }
}
