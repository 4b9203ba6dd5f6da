//! Statistics of how late tasks fire.

use super::Engine;
use crate::due::Due;
use crate::lateness::{MovedByWindow, delay_of, leading_time};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;

impl Engine {
    /// Counts how late a task fires relative to its due time, which includes jitter and window.
    /// Records that a window has moved a run.
    pub(super) fn count_lateness(
        &mut self,
        task: &Due,
        record: &[u8],
        now: UnixMillis,
        moved: &mut MovedByWindow,
    ) {
        let gap = self.config.fire_gap_millis.max(1);
        let mut note = |without: UnixMillis, due: UnixMillis| {
            moved.without.insert(without.get() / gap);
            moved.with.insert(due.get() / gap);
        };
        let due = match task {
            Due::Occurrence { number, occurrence, .. } => {
                if let Some(without) = self
                    .tasks
                    .schedule(*number)
                    .and_then(|of| of.schedule.due_without_window(*occurrence))
                {
                    note(without, occurrence.due);
                }
                occurrence.due
            }
            // A further attempt counts from its own due time.
            Due::Record { entry, .. } if entry.flags.has(Flags::RETRY) => entry.due,
            Due::Record { entry, .. } => {
                let asked = leading_time(record).unwrap_or(entry.due);
                match delay_of(record, entry, asked) {
                    Some(delay) => {
                        let due = delay.due(asked, None);
                        if delay.has_window() {
                            note(delay.without_window().due(asked, None), due);
                        }
                        due
                    }
                    // The place in the order may be later than the requested time. The record keeps
                    // the requested time.
                    None => asked,
                }
            }
        };
        self.state.lateness.record(now.since(due), 1);
    }
}
