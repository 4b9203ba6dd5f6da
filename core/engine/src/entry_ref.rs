//! References to entries of pages and to recurring tasks in memory.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::{PageNumber, ScheduleNumber};
use scheduler_model::position::Position;
use std::fmt;

/// Names an entry of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PageEntry {
    pub(super) page: PageNumber,
    pub(super) index: u32,
}

/// Names a task in memory: a recurring task or an entry of a page. Recurring tasks sort first, as
/// they do among [positions](Position) with the same due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EntryRef {
    /// The recurring task with this number.
    Schedule(ScheduleNumber),
    /// An entry of a page.
    Page(PageEntry),
}

impl EntryRef {
    /// Returns a reference to an entry of a page.
    pub(super) fn page(page: PageNumber, index: usize) -> Self {
        Self::Page(PageEntry { page, index: index as u32 })
    }

    /// Returns the reference to what has this position. In a position, page 0 stands for recurring
    /// tasks.
    pub(super) fn of(position: Position) -> Self {
        match position {
            Position { page: 0, index: number, .. } => Self::Schedule(ScheduleNumber::new(number)),
            Position { page, index, .. } => {
                Self::Page(PageEntry { page: PageNumber::new(page), index })
            }
        }
    }

    /// Returns the position of the entry or task if it is due at this time.
    pub(super) fn position(self, due: UnixMillis) -> Position {
        match self {
            Self::Schedule(number) => Position { due, page: 0, index: number.get() },
            Self::Page(PageEntry { page, index }) => Position { due, page: page.get(), index },
        }
    }

    /// Returns the number of a recurring task; `None` for an entry of a page.
    pub(super) fn schedule(self) -> Option<ScheduleNumber> {
        match self {
            Self::Schedule(number) => Some(number),
            Self::Page(_) => None,
        }
    }
}

impl fmt::Display for PageEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} of page {}", self.index, self.page)
    }
}

impl fmt::Display for EntryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schedule(number) => write!(f, "schedule {number}"),
            Self::Page(at) => at.fmt(f),
        }
    }
}
