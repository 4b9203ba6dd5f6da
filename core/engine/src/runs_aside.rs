//! Runs of a recurring task that are added outside of its order.

use crate::policy::Undispatched;
use crate::requeue::RequeuedRecords;
use scheduler_model::schedule::Overlap;

/// Runs of a recurring task that are added outside of its order: those to requeue, and those that
/// are not dispatched.
#[derive(Default)]
pub(super) struct RunsAside {
    pub(super) back: RequeuedRecords,
    pub(super) dropped: Vec<Undispatched>,
    /// The number of runs to requeue.
    pub(super) runs: usize,
    /// The bytes of their records.
    pub(super) bytes: usize,
}

/// The task whose runs are added outside of its order, and how to add them.
pub(super) struct Aside<'a> {
    pub(super) record: &'a [u8],
    pub(super) hash: u64,
    pub(super) to_queue: bool,
    pub(super) overlap: Overlap,
    /// Whether their lateness counts from now.
    pub(super) starts_now: bool,
}
