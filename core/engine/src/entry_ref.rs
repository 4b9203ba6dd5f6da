//! The name of a task in memory.

/// Names a task in memory: by its page and its index there, or by page 0 and the number of its
/// schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryRef {
    pub(super) page: u32,
    pub(super) index: u32,
}
