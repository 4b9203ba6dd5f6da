//! What a firing takes, dispatches and drops.

use crate::effects::Destination;
use crate::policy::{Undispatched, Verdict};
use crate::spans::Spans;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::EnvelopeBuilder;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::position::Position;
use std::collections::{HashMap, HashSet};

/// What fires, in order.
pub(super) enum Due {
    Record { lane: u8, page: u32, entry: Entry },
    Occurrence { lane: u8, number: u32, hash: u64, to_queue: bool, priority: u8, occurrence: Occurrence, verdict: Verdict },
}

/// What a firing hands on, and what it does not.
pub(super) struct Packed {
    pub(super) envelopes: Vec<(Destination, EnvelopeBuilder, Vec<u64>)>,
    pub(super) dropped: Vec<Undispatched>,
}

/// What a firing takes out of the main order and the lanes.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) due: Vec<Due>,
    /// Occurrences of recurring tasks with a limit's key that find no room: they wait in their lane.
    pub(super) put_off: Vec<Due>,
    /// How many they are of each recurring task, by the hash of its id.
    pub(super) put_off_of: HashMap<u64, usize>,
    pub(super) bytes: usize,
    /// What is to be read of pages.
    pub(super) spans: Spans,
    /// How many more may go to the dispatchers.
    pub(super) room: usize,
    /// The last occurrence that is settled with one before it.
    pub(super) settled: Position,
    /// The recurring tasks of which runs are left out, and up to when.
    pub(super) left_out: Vec<(u32, UnixMillis)>,
    /// Of tasks whose runs must not overlap, those of which a run is in this firing, and those of which one is to wait.
    pub(super) fired: HashSet<u64>,
    pub(super) held: HashSet<u64>,
}

impl Due {
    pub(super) fn lane(&self) -> u8 {
        match self {
            Self::Record { lane, .. } | Self::Occurrence { lane, .. } => *lane,
        }
    }

    pub(super) fn priority(&self) -> u8 {
        match self {
            Self::Record { entry, .. } => entry.flags.priority(),
            Self::Occurrence { priority, .. } => *priority,
        }
    }
}

/// Returns how many runs of each id are put off.
pub(super) fn waits_of(dropped: &[Undispatched]) -> HashMap<u64, usize> {
    let mut waits = HashMap::new();
    for of in dropped.iter().filter(|of| matches!(of.verdict, Verdict::Wait(_))) {
        *waits.entry(of.hash).or_default() += 1;
    }
    waits
}

/// Adds how many further attempts, and runs that were put off, there are of each id.
pub(super) fn count_repeats(due: &[Due], repeats: &mut HashMap<u64, usize>) {
    for task in due {
        if let Due::Record { entry, .. } = task
            && entry.flags.has(Flags::RETRY)
        {
            *repeats.entry(entry.hash).or_default() += 1;
        }
    }
}
