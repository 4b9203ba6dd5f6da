//! What a request changes, collected before anything is modified.

use crate::budget::{MAX_FIRING_BYTES, MAX_FIRING_TASKS, MAX_LOOKED_AT_BYTES, TIME_BYTES};
use crate::decisions::{Decision, FlightRef, Stop};
use crate::entry_ref::EntryRef;
use crate::event_buffer::Happened;
use crate::flights::FlightReader;
use crate::policy::Verdict;
use crate::requeue::RequeuedRecords;
use crate::runs_aside::RunsAside;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_ENVELOPE_BYTES;
use std::collections::{BTreeMap, HashMap};

/// What a request changes, gathered before anything is touched: so that one that fails in the middle has changed nothing.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) killed: Vec<EntryRef>,
    pub(super) back: RequeuedRecords,
    pub(super) schedules: Vec<Rewritten>,
    /// Runs that a pause has held up.
    pub(super) aside: RunsAside,
    /// Paused tasks whose pause begins later from now on: the runs before that were made up for.
    pub(super) made_up_to: Vec<(u32, UnixMillis)>,
    /// What is decided about attempts in flight.
    pub(super) decisions: BTreeMap<FlightRef, Decision>,
    /// What those who watch are told.
    pub(super) events: Vec<Happened>,
    /// Bytes of the records that are written again, and of those that were looked at.
    pub(super) written: usize,
    pub(super) looked_at: usize,
    /// Reads the runs in flight, whose bytes were looked at as well.
    pub(super) flights: FlightReader,
}

/// A recurring task with another record. Of what comes after this change, its occurrences are its own; where it is paused, that is
/// where the pause began.
pub(super) struct Rewritten {
    pub(super) number: u32,
    pub(super) record: Vec<u8>,
}

impl Changes {
    /// Decides about attempts in flight, of which this was decided before.
    pub(super) fn stop(&mut self, flights: impl Iterator<Item = (FlightRef, Decision)>, stop: Option<Stop>) {
        self.decisions.extend(flights.map(|(flight, decision)| (flight, Decision { stop, ..decision })));
    }

    /// Returns whether no further task is looked at in this commit.
    pub(super) fn is_full(&self) -> bool {
        let (records, bytes) = self.room();
        records == 0 || bytes == 0 || self.room_to_look() == 0
    }

    /// Returns how many more envelopes of the largest size this commit may read.
    pub(super) fn room_to_look(&self) -> usize {
        MAX_LOOKED_AT_BYTES.saturating_sub(self.looked_at + self.flights.bytes) / MAX_ENVELOPE_BYTES
    }

    /// Returns how many more records this commit may write, and how many bytes of them.
    pub(super) fn room(&self) -> (usize, usize) {
        let records = self.aside.runs + self.back.len() + self.schedules.len();
        (MAX_FIRING_TASKS.saturating_sub(records), MAX_FIRING_BYTES.saturating_sub(self.aside.bytes + self.written))
    }
}

impl Changes {
    /// Returns how many runs with records of this size this commit may still add: one at least, so that each part comes on.
    pub(super) fn room_for_runs(&self, record_bytes: usize) -> usize {
        let (records, bytes) = self.room();
        records.min(bytes / (record_bytes + TIME_BYTES)).max(1)
    }

    /// Takes as many of the runs that a paused task makes up for as this commit has room for. Returns where the pause begins if not all
    /// of them are made up for.
    pub(super) fn take_runs(&self, runs: &mut Vec<(Occurrence, Verdict)>, record_bytes: usize) -> Option<UnixMillis> {
        let most = self.room_for_runs(record_bytes);
        let (next, _) = runs.get(most)?;
        let begins = next.due.plus(-1);
        runs.truncate(most);
        Some(begins)
    }
}

/// What a request moves of the ids that it has come to, by hash; `None`: nothing that is an attempt or a dead letter.
#[derive(Default)]
pub(super) struct Moved {
    pub(super) entries: HashMap<u64, Option<EntryRef>>,
    pub(super) flights: HashMap<u64, Vec<FlightRef>>,
    /// Bytes that were read to find out.
    pub(super) bytes: usize,
}
