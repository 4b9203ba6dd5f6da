//! Named calendars of a namespace: days and times of day that the schedules of many tasks leave
//! out.
//!
//! A request names calendars in `exclude`. The coordinator reads them from the registry, and the
//! check of a task writes a snapshot of each into the record: its name, its version and
//! its items. So a record alone says when its task fires, and a shard needs no registry. An answer
//! shows the names only.
//!
//! A change of a calendar starts an [`Update`], which the registry stores with the calendar. It
//! looks through the tasks of the namespace for snapshots of another version, and renews them.

mod book;
mod calendar;
mod items;
mod messages;
mod shelf;
mod shown;
mod snapshot;
mod update;

pub use book::Calendars;
pub use calendar::{Calendar, CalendarInput, CalendarName, GivenCalendar};
pub(crate) use items::{Lists, bad_item, texts};
pub use messages::{
    CalendarOf, DeleteCalendar, Deleted, Expects, Put, PutCalendar, Resolve, Resolved, paths,
};
pub use shelf::{delete, put, replace_unreadable};
pub use shown::{ListedCalendar, ShownCalendar};
pub(crate) use snapshot::{Snapshot, Used, items_of};
pub use snapshot::{names_of, with_names, with_snapshots_of};
pub use update::{Failed, Place, Step, Update};
