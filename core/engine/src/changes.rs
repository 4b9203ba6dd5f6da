//! What a request changes, collected before anything is modified.

use crate::budget::{MAX_FIRING_BYTES, MAX_FIRING_TASKS, MAX_LOOKED_AT_BYTES, TIME_BYTES};
use crate::decisions::{Decision, FlightRef, Stop};
use crate::entry_ref::EntryRef;
use crate::event_buffer::Happened;
use crate::flights::FlightReader;
use crate::pause_mark::PauseMark;
use crate::policy::Verdict;
use crate::requeue::RequeuedRecords;
use crate::runs_aside::RunsAside;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_ENVELOPE_BYTES;
use scheduler_model::numbers::ScheduleNumber;
use scheduler_model::protocol::PauseReason;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a request changes. It is collected before anything is modified, so a request that fails in
/// the middle changes nothing.
#[derive(Default)]
pub(super) struct Changes {
    /// The payload of the requested runs, as JSON text; `None` if they have the payload of their
    /// task.
    pub(super) payload: Option<String>,
    /// Who pauses with this request, and why.
    pub(super) pause: PauseReason,
    pub(super) killed: Vec<EntryRef>,
    pub(super) back: RequeuedRecords,
    pub(super) schedules: Vec<Rewritten>,
    /// Runs that came due in a pause.
    pub(super) aside: RunsAside,
    /// Paused tasks whose pause begins later from now on, because this commit adds the runs that
    /// were missed before that.
    pub(super) made_up_to: Vec<(ScheduleNumber, UnixMillis)>,
    /// The ids of runs that are held again at the end of their pause, by hash.
    pub(super) held_again: BTreeSet<u64>,
    /// The limit keys of tasks among `back` that get a lane with this commit.
    pub(super) new_lanes: BTreeSet<String>,
    /// Whether a task was left as it is, because the shard has no lane for its limit key.
    pub(super) lacks_lane: bool,
    /// Decisions about attempts in flight.
    pub(super) decisions: BTreeMap<FlightRef, Decision>,
    /// The marks of the pauses among these decisions.
    pub(super) marks: BTreeMap<FlightRef, PauseMark>,
    /// Events to publish.
    pub(super) events: Vec<Happened>,
    /// The bytes of the rewritten records.
    pub(super) written: usize,
    /// The bytes of the examined records.
    pub(super) looked_at: usize,
    /// Reads the runs in flight, whose bytes count as examined, too.
    pub(super) flights: FlightReader,
}

/// A recurring task with a new record. Its occurrences after `since` belong to it. If it is paused,
/// those after the start of the pause do.
pub(super) struct Rewritten {
    pub(super) number: ScheduleNumber,
    pub(super) record: Vec<u8>,
}

impl Changes {
    /// Stops attempts in flight, or lets their runs continue if `stop` is `None`. `flights` has
    /// their decisions so far.
    pub(super) fn stop(
        &mut self,
        flights: impl Iterator<Item = (FlightRef, Decision)>,
        stop: Option<Stop>,
    ) {
        self.decisions
            .extend(flights.map(|(flight, decision)| (flight, Decision { stop, ..decision })));
    }

    /// Returns empty changes of a request with this reason for its pauses.
    pub(super) fn saying(pause: Option<PauseReason>) -> Self {
        Self { pause: pause.unwrap_or_default(), ..Self::default() }
    }

    /// Returns the mark of a pause that begins now.
    pub(super) fn mark(&self, now: UnixMillis) -> PauseMark {
        PauseMark { at: now, reason: self.pause.clone() }
    }

    /// Returns whether this commit has no room to examine another task.
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
        (
            MAX_FIRING_TASKS.saturating_sub(records),
            MAX_FIRING_BYTES.saturating_sub(self.aside.bytes + self.written),
        )
    }

    /// Returns how many more runs with records of `record_bytes` this commit may add. It may add at
    /// least one, so that each part makes progress.
    fn room_for_runs(&self, record_bytes: usize) -> usize {
        let (records, bytes) = self.room();
        records.min(bytes / (record_bytes + TIME_BYTES)).max(1)
    }

    /// Cuts the missed runs of a paused task to those that this commit has room for. If it has cut
    /// any, returns where the pause begins afterwards.
    pub(super) fn take_runs(
        &self,
        runs: &mut Vec<(Occurrence, Verdict)>,
        record_bytes: usize,
    ) -> Option<UnixMillis> {
        let most = self.room_for_runs(record_bytes);
        let (next, _) = runs.get(most)?;
        let begins = next.due.plus(-1);
        runs.truncate(most);
        Some(begins)
    }
}

/// What a reschedule by filter moves, by the hash of the id. An entry is `None` if no attempt or
/// dead letter of the id moves.
#[derive(Default)]
pub(super) struct Moved {
    pub(super) entries: HashMap<u64, Option<EntryRef>>,
    pub(super) flights: HashMap<u64, Vec<FlightRef>>,
    /// The bytes that were read for this decision.
    pub(super) bytes: usize,
}
