//! Removal of recurring tasks for which the start-up found no further run.

use super::Engine;
use crate::budget::MAX_REMOVED;
use crate::effects::{Effects, Write};
impl Engine {
    /// Removes some of these tasks. Keeps a task that has changed since the start-up, because it
    /// may have runs again or be another task.
    pub(super) fn remove_ended(&mut self, effects: &mut Effects) {
        for _ in 0..MAX_REMOVED {
            let Some(number) = self.ended.0.pop_first() else { return };
            let schedule = self.tasks.schedule(number);
            if schedule
                .is_some_and(|schedule| schedule.next.is_none() && schedule.paused_at.is_none())
            {
                self.tasks.remove_schedule(number);
                effects.writes.push(Write::DeleteSchedule { number });
                self.unsaved = true;
            }
        }
    }
}
