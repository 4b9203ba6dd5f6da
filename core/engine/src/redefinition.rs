//! A definition that replaces a waiting task: what of the task goes on.

use crate::entry_ref::EntryRef;
use crate::new_schedule::{NewSchedule, ReadSchedule};
use crate::policy::Verdict;
use crate::same_definition::LeftOpen;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Page;
use scheduler_model::protocol::{Change, Expected, Terms};
use std::collections::{BTreeMap, HashSet};

/// A recurring task with another record, in its old place.
pub(super) struct GoingOn {
    pub(super) read: ReadSchedule,
    pub(super) record: Vec<u8>,
    pub(super) number: u32,
    pub(super) next: Option<Occurrence>,
    pub(super) paused_at: Option<UnixMillis>,
    /// Its occurrences due after this are its own; `None` leaves that as it was.
    pub(super) since: Option<UnixMillis>,
    /// Occurrences that have lost their place in the order, and what becomes of each.
    pub(super) owed: Vec<(Occurrence, Verdict)>,
    /// Whether the lateness of those counts from now.
    pub(super) starts_now: bool,
}

/// What a request replaces, sorted by what becomes of it.
#[derive(Default)]
pub(super) struct Redefined {
    pub(super) pages: Vec<Page>,
    pub(super) schedules: Vec<NewSchedule>,
    pub(super) going_on: Vec<GoingOn>,
    pub(super) replaced: Vec<EntryRef>,
    /// Further attempts that are paused or resumed with their task.
    pub(super) attempts: Vec<(EntryRef, Change)>,
    /// By the hash of the id, whose runs under way go on, and what becomes of their further attempts.
    pub(super) of_attempts: BTreeMap<u64, Option<Change>>,
    /// Tasks that are stored otherwise than they were sent.
    pub(super) went_on: u64,
}

/// How a request is to be read.
pub(super) struct Reading {
    pub(super) is_version: bool,
    pub(super) open_anchors: HashSet<u64>,
    pub(super) said_paused: HashSet<u64>,
}

impl Reading {
    pub(super) fn new(expected: Option<Expected>, terms: &Terms) -> Self {
        Self {
            is_version: matches!(expected, Some(Expected::Version(_))),
            open_anchors: terms.open_anchors.iter().copied().collect(),
            said_paused: terms.said_paused.iter().copied().collect(),
        }
    }

    /// Returns what the request leaves open for the task whose id has this [hash](id_hash), which is not the one of the index.
    pub(super) fn left_open(&self, hash: u64) -> LeftOpen {
        LeftOpen { anchor: self.open_anchors.contains(&hash), pause: !self.said_paused.contains(&hash) }
    }
}

/// What waits under one id.
pub(super) struct Former {
    pub(super) task: Option<EntryRef>,
    pub(super) attempts: Vec<EntryRef>,
}

impl Redefined {
    /// Pauses or resumes the further attempts as their task is: by a definition as by `pause` and `resume`.
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
        self.attempts.extend(change.into_iter().flat_map(|change| attempts.iter().map(move |at| (*at, change))));
    }
}
