//! What a firing pops, dispatches and drops.

use crate::effects::Destination;
use crate::policy::{Undispatched, Verdict};
use crate::spans::Spans;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::EnvelopeBuilder;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::numbers::{LaneNumber, PageNumber, ScheduleNumber};
use scheduler_model::position::Position;
use std::collections::{HashMap, HashSet};

/// An entry or an occurrence that a firing pops.
pub(super) enum Due {
    Record {
        lane: LaneNumber,
        page: PageNumber,
        entry: Entry,
    },
    Occurrence {
        lane: LaneNumber,
        number: ScheduleNumber,
        hash: u64,
        to_queue: bool,
        priority: u8,
        occurrence: Occurrence,
        verdict: Verdict,
    },
}

/// What a firing dispatches, and what it drops.
pub(super) struct Packed {
    pub(super) envelopes: Vec<(Destination, EnvelopeBuilder, Vec<u64>)>,
    pub(super) dropped: Vec<Undispatched>,
}

/// What a firing pops from the main order and the lanes.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) due: Vec<Due>,
    /// Occurrences of recurring tasks with a limit key for which there is no room. They wait in
    /// their lane.
    pub(super) delayed: Vec<Due>,
    /// The number of these occurrences for each recurring task, by the hash of its id.
    pub(super) delayed_of: HashMap<u64, usize>,
    pub(super) bytes: usize,
    /// The parts of pages to read.
    pub(super) spans: Spans,
    /// How many more tasks may go to the dispatchers.
    pub(super) room: usize,
    /// The last occurrence that is skipped together with an earlier one.
    pub(super) settled: Position,
    /// The recurring tasks with skipped runs, and the time until which their runs are skipped.
    pub(super) skipped_until: Vec<(ScheduleNumber, UnixMillis)>,
    /// Tasks whose runs must not overlap, if this firing contains a run of them.
    pub(super) fired: HashSet<u64>,
    /// Tasks whose runs must not overlap, if a run of them must wait.
    pub(super) held: HashSet<u64>,
}

impl Due {
    pub(super) fn lane(&self) -> LaneNumber {
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

/// Returns the number of delayed runs by the hash of the id.
pub(super) fn waits_of(dropped: &[Undispatched]) -> HashMap<u64, usize> {
    let mut waits = HashMap::new();
    for of in dropped.iter().filter(|of| matches!(of.verdict, Verdict::Wait(_))) {
        *waits.entry(of.hash).or_default() += 1;
    }
    waits
}

/// Counts further attempts and delayed runs by the hash of the id.
pub(super) fn count_repeats(due: &[Due], repeats: &mut HashMap<u64, usize>) {
    for task in due {
        if let Due::Record { entry, .. } = task
            && entry.flags.has(Flags::RETRY)
        {
            *repeats.entry(entry.hash).or_default() += 1;
        }
    }
}
