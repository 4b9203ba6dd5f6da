//! The name of a task in memory.

/// What names a task in memory: its page and index there, or page 0 and the number of its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryRef {
    pub(super) page: u32,
    pub(super) index: u32,
}
