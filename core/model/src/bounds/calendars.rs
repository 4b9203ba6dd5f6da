//! The bounds of named calendars.

use super::{
    DEFAULT_REQUEST_BYTES, MAX_DESCRIPTION_BYTES, MAX_EXCLUDE_TEXT_BYTES, MAX_NAMESPACES,
    MAX_ROW_BYTES,
};

/// The longest name of a calendar. It is part of the record of each task that uses the calendar.
pub const MAX_CALENDAR_NAME_BYTES: usize = 64;
/// The most calendars of a namespace: one for each country with its own holidays that a product
/// serves, and some for its teams.
pub const MAX_CALENDARS_PER_NAMESPACE: usize = 100;
/// The longest items of a calendar as JSON text. The `exclude` of a task has room for one such
/// calendar, with its name and its version.
pub const MAX_CALENDAR_ITEMS_BYTES: usize = 16_000;
/// The largest body that defines a calendar: its items with a space after each, its description
/// with escapes, and what an answer shows besides.
pub const MAX_CALENDAR_BODY_BYTES: usize = 48 * 1024;
/// The bytes that the registry stores of a calendar besides its items and its description: its
/// name, times, version, and the progress of an update with the tasks that it could not change.
const CALENDAR_OVERHEAD_BYTES: usize = 16_000;

/// The most calendars that a task names in its `exclude`.
pub const MAX_EXCLUDED_CALENDARS: usize = 8;
/// The most different texts of `exclude` with calendars in one request. The tasks of a batch
/// usually share a few.
pub const MAX_CALENDAR_EXCLUDES: usize = 500;
/// The most bytes that the calendars of a request's tasks add to their records. The body names a
/// calendar in a few bytes, and each record holds its items. With the largest calendars, these are
/// five hundred tasks; they take no more memory than tasks that list the same days in the body.
pub const MAX_SNAPSHOT_BYTES_OF_REQUEST: usize = DEFAULT_REQUEST_BYTES;
/// The most names of calendars in an error.
pub const MAX_NAMED_CALENDARS: usize = 10;

/// The most tasks that the progress of an update names because it could not change them.
pub const MAX_UPDATE_FAILURES: usize = 10;
/// A request that has read a calendar before a change of it stores its task within this time, in
/// milliseconds: the tries of its shard take less. So the last search for tasks of a changed
/// calendar begins no earlier.
pub const CALENDAR_SETTLE_MILLIS: i64 = 30_000;
/// How long an update waits after a failure of a shard, in milliseconds. The wait grows with each
/// search, up to [`MAX_CALENDAR_RETRY_MILLIS`].
pub const CALENDAR_RETRY_MILLIS: i64 = 10_000;
/// The longest wait after a failure, in milliseconds.
pub const MAX_CALENDAR_RETRY_MILLIS: i64 = 300_000;
/// An update leaves a task that is due within this time to a later search, in milliseconds, because
/// a run that is due is lost when its schedule changes.
pub const CALENDAR_DUE_MILLIS: i64 = 1_000;
/// The searches of an update that leave due tasks. A later one changes them in any case, because a
/// task of each second is always due.
pub const PATIENT_SEARCHES: u32 = 4;
/// The most tasks of one list of an update. Their records fit the most bytes of a list.
pub const TASKS_PER_UPDATE_LIST: usize = 200;
/// The most lists of one alarm of the registry. With the changes of their tasks, they take some
/// minutes at most.
pub const UPDATE_LISTS_PER_ALARM: usize = 50;

// A calendar is one row of the registry.
const _: () = assert!(
    MAX_CALENDAR_ITEMS_BYTES + 2 * MAX_DESCRIPTION_BYTES + CALENDAR_OVERHEAD_BYTES < MAX_ROW_BYTES
);
// The calendars of all namespaces take a tenth of the 10 GB that an object stores.
const _: () = assert!(
    (MAX_NAMESPACES + 1)
        * MAX_CALENDARS_PER_NAMESPACE
        * (MAX_CALENDAR_ITEMS_BYTES + 2 * MAX_DESCRIPTION_BYTES + CALENDAR_OVERHEAD_BYTES)
        < 1_000_000_000
);
const _: () =
    assert!(MAX_CALENDAR_ITEMS_BYTES + 2 * MAX_CALENDAR_NAME_BYTES + 100 < MAX_EXCLUDE_TEXT_BYTES);
