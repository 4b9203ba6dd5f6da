//! How late tasks fire, and what a window has moved.

use super::Engine;
use super::fire::Due;
use scheduler_calendar::delay::Delay;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;
use std::collections::BTreeSet;

/// The tasks of a firing that a window has moved: when they would have fired without it, and when they did, in units of the
/// least time between two firings.
#[derive(Default)]
pub(super) struct Moved {
    pub(super) without: BTreeSet<i64>,
    pub(super) with: BTreeSet<i64>,
}

impl Engine {
    /// Counts how late a task fires, measured against when it was due, jitter and window included; and notes what a window has
    /// moved.
    pub(super) fn count_lateness(&mut self, task: &Due, record: &[u8], now: UnixMillis, moved: &mut Moved) {
        let gap = self.config.fire_gap_millis.max(1);
        let mut note = |without: UnixMillis, due: UnixMillis| {
            moved.without.insert(without.get() / gap);
            moved.with.insert(due.get() / gap);
        };
        let due = match task {
            Due::Occurrence { number, occurrence, .. } => {
                if let Some(without) = self.tasks.schedule(*number).and_then(|of| of.schedule.due_without_window(*occurrence)) {
                    note(without, occurrence.due);
                }
                occurrence.due
            }
            // A further attempt is measured against the time it was put off to, not against the first.
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
                    // The place in the order may be later than what was asked for; the record keeps that.
                    None => asked,
                }
            }
        };
        self.state.lateness.record(now.since(due), 1);
    }
}

/// The time that a record begins with, read without the rest.
pub(super) fn leading_time(record: &[u8]) -> Option<UnixMillis> {
    let digits = record.strip_prefix(b"{\"time\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok().map(UnixMillis::new)
}

/// How a one-shot task is put off. Most stand where they asked to be, or have no field that says so: these are not read.
fn delay_of(record: &[u8], entry: &Entry, asked: UnixMillis) -> Option<Delay> {
    let names = |field: &[u8]| memchr::memmem::find(record, field).is_some();
    if entry.due == asked || !(names(b"\"jitterSeconds\":") || names(b"\"windowSeconds\":")) {
        return None;
    }
    let record = Record::parse(record).ok()?;
    record.schedule().delay(id_hash(&record.id)).ok().filter(|delay| !delay.is_none())
}
