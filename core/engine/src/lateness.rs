//! How late tasks fire, and how a window has moved them.

use scheduler_calendar::delay::Delay;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Entry;
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;
use std::collections::BTreeSet;

/// The tasks of a firing that a window has moved: the times at which they would have fired without
/// it, and those at which they did. The unit is the least time between two firings.
#[derive(Default)]
pub(super) struct MovedByWindow {
    pub(super) without: BTreeSet<i64>,
    pub(super) with: BTreeSet<i64>,
}

/// Reads the time at the beginning of a record without parsing the rest.
pub(super) fn leading_time(record: &[u8]) -> Option<UnixMillis> {
    let digits = record.strip_prefix(b"{\"time\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok().map(UnixMillis::new)
}

/// Returns the delay of a one-shot task. Parses the record only if the task is due at another time
/// than `asked` and has a field for a delay.
pub(super) fn delay_of(record: &[u8], entry: &Entry, asked: UnixMillis) -> Option<Delay> {
    let names = |field: &[u8]| memchr::memmem::find(record, field).is_some();
    if entry.due == asked || !(names(b"\"jitterSeconds\":") || names(b"\"windowSeconds\":")) {
        return None;
    }
    let record = Record::parse(record).ok()?;
    record.schedule().delay(id_hash(&record.id)).ok().filter(|delay| !delay.is_none())
}
