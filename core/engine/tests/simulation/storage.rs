//! A shard's storage in maps: strict where SQL is strict, and readable by a second, simpler rule
//! than the engine's own.
//!
//! [`Storage::waiting`] is the reference: a live entry is one that is not cancelled and stands
//! after the watermark in the total order. The engine must come to the same by its directories,
//! counts, timers and clamps.

use crate::late::{Due, fate_of_entry, settle, settle_overlaps};
use crate::model::Model;
use crate::stored::Stored;
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{
    Config, Destination, Reader, Sends, Snapshot, StorageError, StoredEnvelope, StoredHistory,
    StoredPage, StoredPatch, StoredSchedule, Write,
};
use scheduler_model::bounds::{
    HISTORY_ROW_BYTES, MAX_DEAD_ROW_BYTES, MAX_DECISIONS_ROW_BYTES, MAX_OUTBOX_ROW_BYTES,
    MAX_PAGE_ROW_BYTES, MAX_PATCH_ROW_BYTES, MAX_PATCHED_BYTES, MAX_REMEMBERED_ROW_BYTES,
    MAX_ROW_BYTES, MAX_SCHEDULE_ROW_BYTES, MAX_SHARD_REQUEST_BYTES, MAX_STATE_BYTES,
    MAX_WAKE_BYTES,
};
use scheduler_model::format::page::{Directory, Entry};
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::{PageNumber, ScheduleNumber};
use scheduler_model::position::Position;
use scheduler_model::routing::id_hash;
use scheduler_model::schedule::Policies;
use serde::Deserialize;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// The key of every shard's index.
pub(crate) const ID_KEY: IdKey = IdKey::new(*b"simulated shards");

#[derive(Debug, Clone)]
pub(crate) struct PageRow {
    pub(crate) directory: Directory,
    pub(crate) body: Vec<u8>,
    /// The entries of the directory with their records, in its order.
    entries: Vec<(Entry, Rc<Stored>)>,
}

impl PageRow {
    fn new(directory: Directory, body: Vec<u8>) -> Self {
        let mut row = Self { directory, body, entries: Vec::new() };
        row.read_entries();
        row
    }

    /// Reads the entries; those that were there are read already.
    fn read_entries(&mut self) {
        let known: HashMap<u32, Rc<Stored>> =
            self.entries.drain(..).map(|(entry, record)| (entry.offset, record)).collect();
        let body = &self.body;
        self.entries.extend(self.directory.iter().map(|entry| {
            let of_entry = |record: &&Rc<Stored>| record.len() == entry.len as usize;
            let record = known.get(&entry.offset).filter(of_entry).cloned();
            let (start, end) = (entry.offset as usize, entry.offset as usize + entry.len as usize);
            (entry, record.unwrap_or_else(|| Stored::new(body[start..end].to_vec())))
        }));
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ScheduleRow {
    pub(crate) since: UnixMillis,
    pub(crate) record: Rc<Stored>,
    schedule: Schedule,
    policies: Policies,
    paused: bool,
    /// An occurrence of its own, behind which all are that have not passed.
    passed: Cell<Option<Occurrence>>,
}

#[derive(Debug, Clone)]
pub(crate) struct EnvelopeRow {
    pub(crate) destination: Option<Destination>,
    pub(crate) text: Arc<Vec<u8>>,
    pub(crate) hashes: Vec<u8>,
    pub(crate) sent_at: UnixMillis,
    pub(crate) attempts: u32,
    pub(crate) sends: Sends,
    pub(crate) state: Option<Vec<u8>>,
}

impl EnvelopeRow {
    fn is_dispatched(&self) -> bool {
        self.destination.as_ref().is_some_and(Destination::is_reported)
    }

    /// One that is on its way with this text.
    pub(crate) fn of(text: Arc<Vec<u8>>) -> Self {
        Self { destination: Some(Destination::Dispatch), text, ..Self::for_state_only() }
    }

    fn for_state_only() -> Self {
        Self {
            destination: None,
            text: Arc::default(),
            hashes: Vec::new(),
            sent_at: UnixMillis::ZERO,
            attempts: 0,
            sends: Sends::Sent,
            state: None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct HistoryRow {
    pub(crate) newest: UnixMillis,
    pub(crate) body: Vec<u8>,
}

/// A task that waits, by the reference.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) position: Position,
    /// Of a page's entry; `None` for a recurring task.
    pub(crate) entry: Option<Entry>,
    /// As stored; of a recurring task without a time.
    pub(crate) record: Rc<Stored>,
}

#[derive(Debug, Default)]
pub(crate) struct Storage {
    pub(crate) pages: BTreeMap<u32, PageRow>,
    pub(crate) dead: BTreeMap<u32, Vec<u8>>,
    pub(crate) schedules: BTreeMap<u32, ScheduleRow>,
    pub(crate) outbox: BTreeMap<u64, EnvelopeRow>,
    pub(crate) remembered: BTreeMap<(i64, [u8; 16]), Vec<u8>>,
    pub(crate) history: BTreeMap<u64, HistoryRow>,
    /// What was decided about envelopes in flight, and the records of their further attempts.
    pub(crate) decisions: BTreeMap<u64, Vec<u8>>,
    pub(crate) patches: BTreeMap<(u64, u32), Vec<u8>>,
    pub(crate) watermark: Position,
    lanes: Vec<LaneText>,
    /// The state that `watermark` and `lanes` were read from.
    state_text: Vec<u8>,
    /// After how many more reads one fails.
    pub(crate) fail_read_in: Cell<Option<u32>>,
    /// Bytes that were read since this was last asked.
    read_bytes: Cell<usize>,
}

/// As a column keeps it.
fn through_storage(sends: Sends) -> Sends {
    Sends::from_stored(sends.stored())
}

/// Returns how long an envelope waits that a queue has refused this many times in a row: a second,
/// doubled each time up to the visibility timeout.
pub(crate) fn send_back_off(times: u32, config: Config) -> i64 {
    (1..times)
        .fold(1_000, |wait: i64, _| (wait * 2).min(config.visibility_millis))
        .min(config.visibility_millis)
}

/// The part of the engine's stored state that the reference reads.
#[derive(Deserialize)]
struct StateText {
    watermark: Position,
    #[serde(default)]
    lanes: Vec<LaneText>,
}

#[derive(Debug, Deserialize)]
struct LaneText {
    number: u8,
    key: String,
    watermark: Position,
}

impl Storage {
    /// Carries out all writes of one input. What SQL would refuse, or what would silently touch
    /// nothing, ends the run.
    pub(crate) fn apply(&mut self, writes: &[Write]) {
        for write in writes {
            self.write(write);
            self.check_sizes(write);
        }
        let text = self.outbox.values().rev().find_map(|row| row.state.as_ref());
        if let Some(text) = text.filter(|text| **text != self.state_text) {
            let state = serde_json::from_slice::<StateText>(text).unwrap();
            self.state_text.clone_from(text);
            if state.watermark < self.watermark {
                self.schedules.values().for_each(|row| row.passed.set(None));
            }
            (self.watermark, self.lanes) = (state.watermark, state.lanes);
        }
    }

    /// Checks that the rows that a write has made are no larger than the platform's largest, and
    /// than the bound of their table.
    fn check_sizes(&self, write: &Write) {
        let (what, bytes, most) = match write {
            Write::InsertPage { page, .. } | Write::ExtendPage { page, .. } => {
                let row = &self.pages[&page.get()];
                ("page", row.directory.bytes().len() + row.body.len(), MAX_PAGE_ROW_BYTES)
            }
            Write::SetDead { bits, .. } => ("row of dead bits", bits.len(), MAX_DEAD_ROW_BYTES),
            Write::InsertSchedule { record, .. } | Write::SetSchedule { record, .. } => {
                ("recurring task", record.len(), MAX_SCHEDULE_ROW_BYTES)
            }
            Write::InsertEnvelope { seq, .. }
            | Write::ClearEnvelope { seq, .. }
            | Write::SaveState { seq, .. } => {
                let row = &self.outbox[seq];
                let state = row.state.as_ref().map_or(0, Vec::len);
                assert!(state <= MAX_STATE_BYTES, "a state of {state} bytes");
                (
                    "row of the outbox",
                    row.text.len() + row.hashes.len() + state,
                    MAX_OUTBOX_ROW_BYTES,
                )
            }
            Write::Remember { value, .. } => {
                ("remembered key", value.len() + 24, MAX_REMEMBERED_ROW_BYTES)
            }
            Write::InsertHistory { row, .. } | Write::ExtendHistory { row, .. } => {
                ("row of the history", self.history[row].body.len(), HISTORY_ROW_BYTES)
            }
            Write::Decide { decisions, .. } => {
                ("row of decisions", decisions.len(), MAX_DECISIONS_ROW_BYTES)
            }
            Write::Patch { record, .. } => {
                ("record of a further attempt", record.len(), MAX_PATCH_ROW_BYTES)
            }
            // Each by name, so that a new write states the bound of its row.
            Write::DeletePage { .. }
            | Write::DeleteSchedule { .. }
            | Write::Forget { .. }
            | Write::DeleteEnvelope { .. }
            | Write::ForgetDecisions { .. }
            | Write::DropHistory { .. }
            | Write::Resent { .. }
            | Write::SendEnded { .. }
            | Write::SetSince { .. } => return,
        };
        assert!(bytes <= MAX_ROW_BYTES, "the platform refuses a {what} of {bytes} bytes");
        assert!(bytes <= most, "a {what} of {bytes} bytes; its bound is {most}");
    }

    fn write(&mut self, write: &Write) {
        match write.clone() {
            Write::InsertPage { page, directory, body } => {
                let page = page.get();
                let directory = Directory::decode(directory, body.len()).unwrap();
                assert!(page > 0, "page 0 stands for the recurring tasks");
                assert!(
                    self.pages.insert(page, PageRow::new(directory, body)).is_none(),
                    "page {page} is there already"
                );
                assert!(!self.dead.contains_key(&page), "page {page} inherits dead bits");
            }
            Write::ExtendPage { page, directory, tail } => {
                let row = self.pages.get_mut(&page.get()).expect("the extended page is stored");
                row.body.extend_from_slice(&tail);
                row.directory = Directory::decode(directory, row.body.len()).unwrap();
                row.read_entries();
            }
            Write::DeletePage { page, has_dead } => {
                let page = page.get();
                assert!(self.pages.remove(&page).is_some(), "deleted page {page} is not stored");
                // As SQL does: without the flag the row of dead bits is not looked for.
                if has_dead {
                    self.dead.remove(&page);
                }
            }
            Write::SetDead { page, bits } => {
                let page = page.get();
                assert!(
                    self.pages.contains_key(&page),
                    "dead bits for page {page}, which is not stored"
                );
                self.dead.insert(page, bits);
            }
            Write::InsertSchedule { number, since, record } => {
                let record = Stored::new(record);
                let read = record.parse();
                let schedule = read.schedule().schedule(id_hash(&read.id)).unwrap();
                let paused = read.is_paused();
                let policies = read.policies();
                let row = ScheduleRow {
                    since,
                    record: Rc::clone(&record),
                    schedule,
                    policies,
                    paused,
                    passed: Cell::new(None),
                };
                assert!(
                    self.schedules.insert(number.get(), row).is_none(),
                    "schedule {number} is there already"
                );
            }
            Write::SetSchedule { number, since, record } => {
                let row =
                    self.schedules.get_mut(&number.get()).expect("the changed schedule is stored");
                row.since = since.unwrap_or(row.since);
                let record = Stored::new(record);
                let read = record.parse();
                row.schedule = read.schedule().schedule(id_hash(&read.id)).unwrap();
                (row.paused, row.policies) = (read.is_paused(), read.policies());
                row.record = Rc::clone(&record);
                row.passed = Cell::new(None);
            }
            Write::SetSince { number, since } => {
                let row = self
                    .schedules
                    .get_mut(&number.get())
                    .expect("the schedule that begins later is stored");
                row.since = since;
                row.passed = Cell::new(None);
            }
            Write::DeleteSchedule { number } => {
                assert!(
                    self.schedules.remove(&number.get()).is_some(),
                    "deleted schedule {number} is not stored"
                );
            }
            Write::InsertEnvelope { seq, destination, text, hashes, sent_at, state } => {
                let row = EnvelopeRow {
                    destination: Some(destination),
                    text,
                    hashes,
                    sent_at,
                    attempts: 0,
                    sends: Sends::Sent,
                    state,
                };
                assert!(self.outbox.insert(seq, row).is_none(), "envelope {seq} is there already");
            }
            Write::ClearEnvelope { seq, state } => {
                let row = self.outbox.get_mut(&seq).expect("the cleared envelope is stored");
                row.destination = None;
                row.text = Arc::default();
                row.hashes = Vec::new();
                row.state = Some(state);
            }
            Write::SaveState { seq, state } => {
                let newest = self.outbox.last_key_value().map_or(0, |(seq, _)| *seq);
                assert_eq!(seq, newest, "the state belongs into the newest row");
                self.outbox.entry(seq).or_insert_with(EnvelopeRow::for_state_only).state =
                    Some(state);
            }
            Write::DeleteEnvelope { seq } => {
                assert!(self.outbox.remove(&seq).is_some(), "deleted envelope {seq} is not stored");
            }
            Write::Remember { period, key, value } => {
                assert!(
                    self.remembered.insert((period, key), value).is_none(),
                    "a key is remembered twice"
                );
            }
            Write::Forget { period, count } => {
                let keys: Vec<_> = self
                    .remembered
                    .keys()
                    .filter(|(of, _)| *of == period)
                    .take(count as usize)
                    .copied()
                    .collect();
                assert_eq!(keys.len() as u64, count, "as many keys are forgotten as there are");
                keys.iter().for_each(|key| drop(self.remembered.remove(key)));
            }
            Write::Decide { seq, decisions } => {
                let is_in_flight =
                    self.outbox.get(&seq).is_some_and(|row| row.destination.is_some());
                assert!(is_in_flight, "decisions about envelope {seq}, which is not in flight");
                self.decisions.insert(seq, decisions);
            }
            Write::Patch { seq, index, record } => {
                assert!(
                    self.decisions.contains_key(&seq),
                    "a patch of envelope {seq}, about which nothing was decided"
                );
                self.patches.insert((seq, index), record);
                let bytes: usize = self
                    .patches
                    .range((seq, 0)..=(seq, u32::MAX))
                    .map(|(_, record)| record.len())
                    .sum();
                assert!(
                    bytes <= MAX_PATCHED_BYTES,
                    "the patched records of envelope {seq} have {bytes} bytes"
                );
            }
            Write::ForgetDecisions { seq } => {
                assert!(
                    self.decisions.remove(&seq).is_some(),
                    "nothing was decided about envelope {seq}"
                );
                self.patches.retain(|(of, _), _| *of != seq);
            }
            Write::InsertHistory { row, newest, body } => {
                let last = self.history.last_key_value().map_or(0, |(row, _)| *row);
                assert!(row > last, "row {row} of the history comes after {last}");
                self.history.insert(row, HistoryRow { newest, body });
            }
            Write::ExtendHistory { row, newest, tail } => {
                let row =
                    self.history.get_mut(&row).expect("the extended row of the history is stored");
                row.newest = newest;
                row.body.extend_from_slice(&tail);
            }
            Write::DropHistory { up_to } => self.history.retain(|row, _| *row > up_to),
            Write::Resent { seq, sent_at, attempts, sends } => {
                let row = self.outbox.get_mut(&seq).expect("the envelope sent again is stored");
                (row.sent_at, row.attempts, row.sends) =
                    (sent_at, attempts, through_storage(sends));
            }
            Write::SendEnded { seq, at, sends } => {
                let row = self
                    .outbox
                    .get_mut(&seq)
                    .expect("the envelope that was answered for is stored");
                row.sent_at = at.unwrap_or(row.sent_at);
                row.sends = through_storage(sends);
            }
        }
    }

    /// Returns the bytes that were read since this was last asked.
    pub(crate) fn take_read_bytes(&self) -> usize {
        self.read_bytes.take()
    }

    /// Checks what an input has read and is about to write against the bound of its kind.
    pub(crate) fn check_budget(&self, writes: &[Write], is_wake: bool) {
        let most = if is_wake { MAX_WAKE_BYTES } else { MAX_SHARD_REQUEST_BYTES };
        let (read, written) =
            (self.read_bytes.take(), writes.iter().map(Write::bytes).sum::<usize>());
        assert!(
            read <= most && written <= most,
            "an input reads {read} and writes {written} bytes; its bound is {most}"
        );
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            id_key: ID_KEY,
            pages: self
                .pages
                .iter()
                .map(|(page, row)| StoredPage {
                    page: PageNumber::new(*page),
                    directory: row.directory.bytes().to_vec(),
                    body_len: row.body.len() as u32,
                    dead: self.dead.get(page).cloned().unwrap_or_default(),
                })
                .collect(),
            schedules: self
                .schedules
                .iter()
                .map(|(number, row)| StoredSchedule {
                    number: ScheduleNumber::new(*number),
                    since: row.since,
                    record: row.record.to_vec(),
                })
                .collect(),
            envelopes: self
                .outbox
                .iter()
                .map(|(seq, row)| StoredEnvelope {
                    seq: *seq,
                    destination: row.destination.clone(),
                    hashes: row.hashes.clone(),
                    sent_at: row.sent_at,
                    attempts: row.attempts,
                    sends: row.sends,
                })
                .collect(),
            history: self
                .history
                .iter()
                .map(|(row, stored)| StoredHistory {
                    row: *row,
                    newest: stored.newest,
                    bytes: stored.body.len() as u32,
                })
                .collect(),
            patches: self
                .patches
                .iter()
                .map(|((seq, index), record)| StoredPatch {
                    seq: *seq,
                    index: *index,
                    bytes: record.len() as u32,
                })
                .collect(),
            decisions: self
                .decisions
                .iter()
                .map(|(seq, decisions)| (*seq, decisions.clone()))
                .collect(),
            state: self.outbox.values().rev().find_map(|row| row.state.clone()),
            remembered: self
                .remembered
                .keys()
                .fold(BTreeMap::new(), |mut counts: BTreeMap<i64, u64>, (period, _)| {
                    *counts.entry(*period).or_default() += 1;
                    counts
                })
                .into_iter()
                .collect(),
        }
    }

    fn lane(&self, number: u8) -> &LaneText {
        self.lanes
            .iter()
            .find(|lane| lane.number == number)
            .expect("a lane with something in it is stored")
    }

    pub(crate) fn key_of_lane(&self, number: u8) -> &str {
        &self.lane(number).key
    }

    fn watermark_of(&self, row: &PageRow) -> Position {
        match row.directory.lane() {
            0 => self.watermark,
            lane => self.lane(lane).watermark,
        }
    }

    /// Up to when what is in the order of a page has been handed on.
    pub(crate) fn handed_on(&self, page: u32) -> UnixMillis {
        self.watermark_of(&self.pages[&page]).due
    }

    /// Returns whether a page is of a limit's key.
    pub(crate) fn is_in_lane(&self, page: u32) -> bool {
        self.pages.get(&page).is_some_and(|row| row.directory.lane() > 0)
    }

    pub(crate) fn has_lanes(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Tasks of a limit's key that are handed on.
    pub(crate) fn in_flight_of(&self, key: &str) -> usize {
        let of_lane = |destination: &Option<Destination>| match destination {
            Some(Destination::Lane(lane)) => self.key_of_lane(*lane) == key,
            _ => false,
        };
        self.outbox
            .values()
            .filter(|row| of_lane(&row.destination))
            .map(|row| row.hashes.len() / 8)
            .sum()
    }

    /// Returns whether something of a key was due at `time` and waits in its lane.
    pub(crate) fn waits_in_lane(&self, key: &str, time: UnixMillis) -> bool {
        let Some(lane) = self.lanes.iter().find(|lane| lane.key == key) else { return false };
        let of_lane = self.pages.iter().filter(|(_, row)| row.directory.lane() == lane.number);
        of_lane.into_iter().any(|(page, row)| {
            let is_dead = |index: usize| {
                self.dead.get(page).is_some_and(|bits| {
                    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
                })
            };
            row.entries.iter().enumerate().take_while(|(_, (entry, _))| entry.due <= time).any(
                |(index, (entry, _))| {
                    !is_dead(index)
                        && Position { due: entry.due, page: *page, index: index as u32 }
                            > lane.watermark
                },
            )
        })
    }

    pub(crate) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Returns every live entry and recurring task, in the total order.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        self.waiting_until(UnixMillis::new(i64::MAX))
    }

    /// Returns those of them that are due by then.
    fn waiting_until(&self, until: UnixMillis) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for (page, row) in &self.pages {
            let watermark = self.watermark_of(row);
            let dead = self.dead.get(page);
            // A directory is in order of due times.
            for (index, (entry, record)) in
                row.entries.iter().enumerate().take_while(|(_, (entry, _))| entry.due <= until)
            {
                let is_dead = dead.is_some_and(|bits| {
                    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
                });
                let position = Position { due: entry.due, page: *page, index: index as u32 };
                if !is_dead && position > watermark {
                    waiting.push(Waiting {
                        position,
                        entry: Some(*entry),
                        record: Rc::clone(record),
                    });
                }
            }
        }
        for (number, row) in &self.schedules {
            let due = self.next_occurrence(*number, row).map_or(UnixMillis::NEVER, |next| next.due);
            if due > until {
                continue;
            }
            let position = Position { due, page: 0, index: *number };
            waiting.push(Waiting { position, entry: None, record: Rc::clone(&row.record) });
        }
        waiting.sort_by_key(|waiting| waiting.position);
        waiting
    }

    /// Returns the first occurrence after the row's own start that stands after the watermark.
    fn next_occurrence(&self, number: u32, row: &ScheduleRow) -> Option<Occurrence> {
        if row.paused {
            return None;
        }
        loop {
            let next = match row.passed.get() {
                None => row.schedule.next_after(row.since)?,
                Some(passed) => row.schedule.following(passed.time)?,
            };
            if (Position { due: next.due, page: 0, index: number }) > self.watermark {
                return Some(next);
            }
            row.passed.set(Some(next));
        }
    }

    /// Returns where the main order has come to once these writes are carried out.
    pub(crate) fn watermark_after(&self, writes: &[Write]) -> Position {
        let state = writes.iter().rev().find_map(|write| match write {
            Write::InsertEnvelope { state, .. } => state.as_ref(),
            Write::ClearEnvelope { state, .. } | Write::SaveState { state, .. } => Some(state),
            _ => None,
        });
        state.map_or(self.watermark, |state| {
            serde_json::from_slice::<StateText>(state).unwrap().watermark
        })
    }

    /// Returns what a wake-up at `now` that has come to `reached` in the main order must settle, in
    /// the total order, and what becomes of it; and what of the main order is due behind that.
    pub(crate) fn due(
        &self,
        model: &Model,
        now: UnixMillis,
        reached: Position,
    ) -> (Vec<Due>, Vec<Due>) {
        let mut due = Vec::new();
        for waiting in self.waiting_until(now) {
            if waiting.entry.is_some() {
                let fate = fate_of_entry(model, &waiting, now);
                due.push(Due::new(waiting, fate, Vec::new()));
                continue;
            }
            let row = &self.schedules[&waiting.position.index];
            let next = self.next_occurrence(waiting.position.index, row);
            for (at, fate, passed_over) in settle(&row.schedule, row.policies, next, now) {
                let record = row.record.occurrence(at.time);
                let waiting = Waiting {
                    position: Position { due: at.due, ..waiting.position },
                    entry: None,
                    record,
                };
                due.push(Due::new(waiting, fate, passed_over));
            }
        }
        due.sort_by_key(|due| due.waiting.position);
        let is_settled = |due: &Due| {
            due.waiting.position <= reached || self.is_in_lane(due.waiting.position.page)
        };
        let (mut due, behind): (Vec<Due>, Vec<Due>) = due.into_iter().partition(is_settled);
        settle_overlaps(model, &mut due);
        (due, behind)
    }

    /// Tasks that the dispatchers have, and have not reported.
    pub(crate) fn dispatched(&self) -> usize {
        self.outbox.values().filter(|row| row.is_dispatched()).map(|row| row.hashes.len() / 8).sum()
    }

    /// Returns the same with what these writes dispatch.
    pub(crate) fn dispatched_with(&self, writes: &[Write]) -> usize {
        let tasks = |write: &Write| match write {
            Write::InsertEnvelope { destination, hashes, .. } if destination.is_reported() => {
                hashes.len() / 8
            }
            _ => 0,
        };
        self.dispatched() + writes.iter().map(tasks).sum::<usize>()
    }

    /// Returns whether the main order goes on with this: what the dispatchers have no room for
    /// keeps all behind it.
    pub(crate) fn may_go_out(&self, head: &Waiting, config: Config) -> bool {
        self.dispatched() < config.max_dispatched || head.record.parse().goes_to_queue()
    }

    /// Returns when an engine that was loaded just now must want to be woken.
    pub(crate) fn next_wakeup(&self, config: Config) -> Option<UnixMillis> {
        let head =
            self.waiting().into_iter().find(|waiting| !self.is_in_lane(waiting.position.page));
        let head =
            head.filter(|head| !head.position.due.is_never() && self.may_go_out(head, config));
        let fire = head.map(|waiting| waiting.position.due);
        let resend =
            self.outbox.values().filter_map(|row| match (row.sends, row.destination.as_ref()?) {
                (Sends::Refused(times) | Sends::SentAfter(times), _) => {
                    Some(row.sent_at.plus(send_back_off(times, config)))
                }
                (Sends::Sent | Sends::Unanswered, Destination::Queue(_)) => Some(row.sent_at),
                (Sends::Unanswered, Destination::Dispatch | Destination::Lane(_)) => {
                    Some(row.sent_at.plus(config.visibility_millis))
                }
                (Sends::Sent, Destination::Dispatch | Destination::Lane(_)) => {
                    Some(row.sent_at.plus(config.visibility_millis << row.attempts.min(4)))
                }
            });
        fire.into_iter().chain(resend).min()
    }

    fn count_read(&self, bytes: usize) {
        self.read_bytes.set(self.read_bytes.get() + bytes);
    }

    fn read<T>(&self, found: Option<T>, what: impl FnOnce() -> String) -> Result<T, StorageError> {
        if let Some(left) = self.fail_read_in.get() {
            self.fail_read_in.set(left.checked_sub(1));
            if left == 0 {
                return Err(StorageError("a read that the simulation lets fail".to_owned()));
            }
        }
        // A row that is not there is the engine's mistake, not a fault.
        Ok(found.unwrap_or_else(|| panic!("the engine reads {}, which is not stored", what())))
    }
}

impl Reader for Storage {
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        self.count_read(len as usize);
        let part = self
            .pages
            .get(&page.get())
            .and_then(|row| row.body.get(offset as usize..(offset + len) as usize));
        self.read(part.map(<[u8]>::to_vec), || format!("{len} bytes from {offset} of page {page}"))
    }

    fn schedule_head(&self, number: ScheduleNumber, len: u32) -> Result<Vec<u8>, StorageError> {
        let before = self.read_bytes.get();
        let mut record = self.schedule(number)?;
        record.truncate(len as usize);
        self.read_bytes.set(before + record.len());
        Ok(record)
    }

    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        self.count_read(self.schedules.get(&number.get()).map_or(0, |row| row.record.len()));
        self.read(self.schedules.get(&number.get()).map(|row| row.record.to_vec()), || {
            format!("schedule {number}")
        })
    }

    fn envelope(&self, seq: u64) -> Result<Vec<u8>, StorageError> {
        let text = self
            .outbox
            .get(&seq)
            .filter(|row| row.destination.is_some())
            .map(|row| row.text.to_vec());
        self.count_read(text.as_ref().map_or(0, Vec::len));
        self.read(text, || format!("envelope {seq}"))
    }

    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        let found = periods.iter().find_map(|period| self.remembered.get(&(*period, *key)));
        self.read(Some(found.cloned()), || "a key".to_owned())
    }

    fn patched(&self, seq: u64, index: u32) -> Result<Vec<u8>, StorageError> {
        self.count_read(self.patches.get(&(seq, index)).map_or(0, Vec::len));
        self.read(self.patches.get(&(seq, index)).cloned(), || {
            format!("the patch of task {index} of envelope {seq}")
        })
    }

    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        self.count_read(self.history.get(&row).map_or(0, |row| row.body.len()));
        self.read(self.history.get(&row).map(|row| row.body.clone()), || {
            format!("row {row} of the history")
        })
    }
}
