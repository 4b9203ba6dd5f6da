//! Recurring tasks of which a start finds no run to come: a new law of their time zone has put the last one behind the watermark. They are gone,
//! as tasks are whose last run has fired.

use super::{Effects, Engine, Write};
use scheduler_calendar::time::UnixMillis;
use std::collections::BTreeSet;

/// Tasks that one wake-up removes.
const MAX_REMOVED: usize = 1_000;

/// The numbers of such tasks.
#[derive(Debug, Default)]
pub(super) struct Ended(BTreeSet<u32>);

impl Ended {
    pub(super) fn note(&mut self, number: u32) {
        self.0.insert(number);
    }

    /// Returns when the next of them are to be removed; `None` if there is none.
    pub(super) fn wants_to_wake_at(&self) -> Option<UnixMillis> {
        (!self.0.is_empty()).then_some(UnixMillis::ZERO)
    }
}

impl Engine {
    /// Removes some of them. One that was changed meanwhile may have got runs, or may be another task.
    pub(super) fn remove_ended(&mut self, effects: &mut Effects) {
        for _ in 0..MAX_REMOVED {
            let Some(number) = self.ended.0.pop_first() else { return };
            let schedule = self.tasks.schedule(number);
            if schedule.is_some_and(|schedule| schedule.next.is_none() && schedule.paused_at.is_none()) {
                self.tasks.remove_schedule(number);
                effects.writes.push(Write::DeleteSchedule { number });
                self.unsaved = true;
            }
        }
    }
}
