//! The order in which a shard fires.

use scheduler_calendar::time::UnixMillis;

/// A place in the one total order in which a shard fires: by due time, then by page, then by index
/// in the page.
///
/// **Invariant 1.** The heap, the pages' directories and the watermark use this same order. A
/// shard's progress is one position, its watermark: everything at or before it was dispatched. Page
/// 0 means the recurring tasks, whose index is the number of their schedule.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Position {
    /// When it fires.
    pub due: UnixMillis,
    /// The number of the page, from 1; 0 for recurring tasks.
    pub page: u32,
    /// The index in the page, or the number of the schedule.
    pub index: u32,
}
