//! Runs of a recurring task that are added outside of its order.

use crate::policy::Undispatched;
use crate::requeue::RequeuedRecords;
use scheduler_model::schedule::Overlap;

/// Runs of a recurring task outside of its order: to be put among the tasks, and dropped.
#[derive(Default)]
pub(super) struct RunsAside {
    pub(super) back: RequeuedRecords,
    pub(super) dropped: Vec<Undispatched>,
    /// How many they are, and the bytes of their records.
    pub(super) runs: usize,
    pub(super) bytes: usize,
}

/// Of which task, and how, runs are added outside of its order.
pub(super) struct Aside<'a> {
    pub(super) record: &'a [u8],
    pub(super) hash: u64,
    pub(super) to_queue: bool,
    pub(super) overlap: Overlap,
    /// Their lateness counts from now.
    pub(super) starts_now: bool,
}
