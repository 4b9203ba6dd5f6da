//! Records that are requeued as entries of pages, and the flags of these entries.

use crate::decisions::{Decision, Stop};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Directory, Entry, Flags, Page, PageBuilder};
use scheduler_model::task::Record;
use std::collections::BTreeMap;

/// Records that are requeued into pages.
#[derive(Default)]
pub(super) struct RequeuedRecords {
    /// The records by limit key. Records that do not fire by themselves have no key here: see
    /// [`crate::lanes`].
    parts: BTreeMap<Option<String>, Part>,
}

#[derive(Default)]
struct Part {
    builder: PageBuilder,
    /// Records that are larger than a new record may be, because of their attempt and error. Each
    /// gets a page of its own, because an accepted task is not lost because of its size.
    grown: Vec<Page>,
}

impl RequeuedRecords {
    pub(super) fn len(&self) -> usize {
        self.parts.values().map(|part| part.builder.len() + part.grown.len()).sum()
    }

    /// Returns the limit keys of the records.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().filter_map(Option::as_deref)
    }

    /// Returns the pages, each with the limit key of its records.
    pub(super) fn into_pages(self) -> impl Iterator<Item = (Option<String>, Page)> {
        self.parts.into_iter().flat_map(|(key, part)| {
            let pages = part.builder.finish().into_iter().chain(part.grown);
            pages.map(move |page| (key.clone(), page))
        })
    }

    /// Adds a run that was not started, with the same attempt number, unless it was cancelled in
    /// the meantime.
    pub(super) fn push_unstarted(
        &mut self,
        record: &Record<'_>,
        decision: Decision,
        now: UnixMillis,
    ) {
        if let Some(due) = due_unstarted(decision, now) {
            self.push(record, due, again(record));
        }
    }

    /// Adds a record that is due at `due`, with `flags` and those that follow from the record.
    pub(super) fn push(&mut self, record: &Record<'_>, due: UnixMillis, flags: Flags) {
        let mut text = Vec::new();
        record.write(&mut text);
        let key = record.limit_key.as_deref().filter(|_| !due.is_never()).map(str::to_owned);
        self.push_text(key, due, flags_of_record(record, flags), &text);
    }

    /// Adds the text of a record with all of its flags.
    pub(super) fn push_text(
        &mut self,
        key: Option<String>,
        due: UnixMillis,
        flags: Flags,
        text: &[u8],
    ) {
        debug_assert!(!text.is_empty(), "a record is never empty");
        // `Engine::insert_requeued` gives the page its keyed hashes.
        let hash = 0;
        let part = self.parts.entry(key).or_default();
        if !part.builder.push(hash, due, flags, |out| out.extend_from_slice(text)) {
            let entry = Entry { hash, due, offset: 0, len: text.len() as u32, flags };
            part.grown.push(Page { directory: Directory::new(vec![entry]), body: text.to_vec() });
        }
    }
}

/// Adds the flags that follow from a record to `flags`.
pub(super) fn flags_of_record(record: &Record<'_>, flags: Flags) -> Flags {
    let flags = if record.is_conditional() { flags.and(Flags::CONDITIONAL) } else { flags };
    let has_fired = flags.has(Flags::RETRY) || flags.has(Flags::DEAD_LETTER);
    flags.with_priority(record.priority()).with_local(record.is_at_local_time() && !has_fired)
}

/// Returns when a run that was not started is due, or `None` if it was cancelled in the meantime.
pub(super) fn due_unstarted(decision: Decision, now: UnixMillis) -> Option<UnixMillis> {
    match decision.stop {
        Some(Stop::Cancelled) => None,
        Some(Stop::Paused) => Some(UnixMillis::PAUSED),
        None => Some(now),
    }
}

/// Returns the flags of a requeued run. A patch may have given it another destination.
pub(super) fn again(record: &Record<'_>) -> Flags {
    queue_flag(record).and(Flags::RETRY)
}

/// Returns the flag that says whether a task goes to the user's own consumer, by its record.
pub(super) fn queue_flag(record: &Record<'_>) -> Flags {
    if record.goes_to_queue() { Flags::TO_QUEUE } else { Flags::TASK }
}
