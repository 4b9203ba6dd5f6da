//! Recurring tasks of which a start finds no run to come: a new law of their time zone has put the last one behind the watermark. They are gone,
//! as tasks are whose last run has fired.

use super::Engine;
use crate::budget::MAX_REMOVED;
use crate::effects::{Effects, Write};
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
