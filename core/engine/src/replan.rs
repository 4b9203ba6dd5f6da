//! Plans tasks at a local time again after the law of their zone has changed.

use scheduler_calendar::local_time::Law;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::PageNumber;
use scheduler_model::task::Record;
use std::collections::BTreeSet;

/// The pages that are not planned by the current law yet.
#[derive(Debug, Default)]
pub(super) struct ToReplan {
    pub(super) pages: BTreeSet<PageNumber>,
    pub(super) resumes_at: UnixMillis,
    /// Whether storage contains that tasks may be planned by several laws.
    pub(super) is_noted: bool,
    /// Whether the entries that are being added are planned already.
    pub(super) is_at_work: bool,
}

impl ToReplan {
    pub(super) fn is_any(&self) -> bool {
        !self.pages.is_empty()
    }

    /// Returns when to plan the next part, or `None` if there is none.
    pub(super) fn resumes_at(&self) -> Option<UnixMillis> {
        self.is_any().then_some(self.resumes_at)
    }
}

/// A task as planned by the law.
pub(super) struct Replanned {
    pub(super) due: UnixMillis,
    pub(super) record: Vec<u8>,
}

/// Plans a waiting task that has this due time by a law. Returns `None` if nothing about the task
/// changes.
pub(super) fn replanned(
    record: &Record<'_>,
    due: UnixMillis,
    law: &Law,
    now: UnixMillis,
) -> Option<Replanned> {
    // A task that is not due at its own time was requested by `run`, or was late when it arrived.
    // Its run keeps its name.
    if record.replayed_at.is_some() || due != record.due() && due != UnixMillis::PAUSED {
        return None;
    }
    let moved = Record { time: Some(record.moved_by(law)?), ..record.clone() };
    let new_due = moved.due();
    // A task does not count as late because the law has moved its time into the past.
    let was_due = record.due().min(now);
    let is_late_by_law = due != UnixMillis::PAUSED && new_due < was_due && record.is_conditional();
    let late_since =
        if is_late_by_law { record.late_since.max(Some(was_due)) } else { record.late_since };
    let mut text = Vec::new();
    Record { late_since, ..moved }.write(&mut text);
    Some(Replanned { due: if due == UnixMillis::PAUSED { due } else { new_due }, record: text })
}
