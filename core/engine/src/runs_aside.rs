//! Runs of a recurring task that are added outside of its order.

use crate::policy::Undispatched;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::schedule::Overlap;

/// Runs of recurring tasks that are added outside of their order: those to requeue, and those that
/// are not dispatched.
#[derive(Default)]
pub(super) struct RunsAside {
    /// The runs of a task follow one another, the earliest first. The end of the commit decides how
    /// many of them may wait, because it also changes what waits already.
    pub(super) fires: Vec<RunAside>,
    pub(super) dropped: Vec<Undispatched>,
    /// The number of runs of both kinds.
    pub(super) runs: usize,
    /// The bytes of their records.
    pub(super) bytes: usize,
}

/// A run of a recurring task to requeue.
pub(super) struct RunAside {
    pub(super) text: Vec<u8>,
    pub(super) hash: u64,
    pub(super) flags: Flags,
    pub(super) occurrence: Occurrence,
    pub(super) limit_key: Option<String>,
    /// The time from which its lateness counts, if that is not its due time.
    pub(super) replayed_at: Option<UnixMillis>,
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
