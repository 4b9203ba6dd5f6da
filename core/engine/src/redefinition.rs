//! What continues when a definition replaces a waiting task.

use crate::entry_ref::EntryRef;
use crate::new_schedule::{NewSchedule, ReadSchedule};
use crate::policy::Verdict;
use crate::same_definition::LeftOpen;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Page;
use scheduler_model::numbers::ScheduleNumber;
use scheduler_model::protocol::{Change, Expected, Terms};
use std::collections::{BTreeMap, HashSet};

/// A recurring task that keeps its place and gets a new record.
pub(super) struct GoingOn {
    pub(super) read: ReadSchedule,
    pub(super) record: Vec<u8>,
    pub(super) number: ScheduleNumber,
    pub(super) next: Option<Occurrence>,
    pub(super) paused_at: Option<UnixMillis>,
    /// Occurrences that are due after this time belong to the task; `None` leaves the stored time
    /// as it is.
    pub(super) since: Option<UnixMillis>,
    /// Occurrences that have lost their place in the order, with the verdict on each.
    pub(super) owed: Vec<(Occurrence, Verdict)>,
    /// Whether the lateness of these occurrences counts from now.
    pub(super) starts_now: bool,
}

impl GoingOn {
    /// Returns whether the task would end without a further run, and without a dead letter of a
    /// missed one.
    pub(super) fn leaves_nothing(&self) -> bool {
        let is_left = |(_, verdict): &(Occurrence, Verdict)| {
            !matches!(verdict, Verdict::Skip(_) | Verdict::Expire(_))
        };
        self.next.is_none() && self.paused_at.is_none() && !self.owed.iter().any(is_left)
    }
}

/// The tasks of a request, sorted by what they keep of the tasks that they replace.
#[derive(Default)]
pub(super) struct Redefined {
    pub(super) pages: Vec<Page>,
    pub(super) schedules: Vec<NewSchedule>,
    pub(super) going_on: Vec<GoingOn>,
    pub(super) replaced: Vec<EntryRef>,
    /// Further attempts that are paused or resumed with their task.
    pub(super) attempts: Vec<(EntryRef, Change)>,
    /// The tasks whose runs in progress continue, by the hash of the id, and how their further
    /// attempts change.
    pub(super) of_attempts: BTreeMap<u64, Option<Change>>,
    /// The number of tasks that continue others, and so are not stored as they were sent.
    pub(super) went_on: u64,
}

/// How to interpret a request.
pub(super) struct Reading {
    pub(super) is_version: bool,
    open_anchors: HashSet<u64>,
    said_paused: HashSet<u64>,
}

impl Reading {
    pub(super) fn new(expected: Option<Expected>, terms: &Terms) -> Self {
        Self {
            is_version: matches!(expected, Some(Expected::Version(_))),
            open_anchors: terms.open_anchors.iter().copied().collect(),
            said_paused: terms.said_paused.iter().copied().collect(),
        }
    }

    /// Returns what the request leaves open for the task with this
    /// [hash](scheduler_model::routing::id_hash) of its id. This hash is not that of the index.
    pub(super) fn left_open(&self, hash: u64) -> LeftOpen {
        LeftOpen {
            anchor: self.open_anchors.contains(&hash),
            pause: !self.said_paused.contains(&hash),
        }
    }
}

/// The task that waits under an id that the request defines again.
pub(super) struct Former {
    pub(super) task: Option<EntryRef>,
    pub(super) attempts: Vec<EntryRef>,
}

impl Redefined {
    /// Pauses or resumes the further attempts together with their task, as the requests `pause` and
    /// `resume` do.
    pub(super) fn change_attempts(
        &mut self,
        hash: u64,
        attempts: Vec<EntryRef>,
        was_paused: bool,
        is_paused: bool,
        open: LeftOpen,
    ) {
        let change = match (was_paused, is_paused) {
            (false, true) => Some(Change::Pause),
            (true, false) => Some(Change::Resume),
            (false, false) if !open.pause => Some(Change::Resume),
            _ => None,
        };
        self.of_attempts.insert(hash, change);
        self.attempts.extend(
            change.into_iter().flat_map(|change| attempts.iter().map(move |at| (*at, change))),
        );
    }
}
