//! A shard's storage in maps.

use super::{EnvelopeRow, HistoryRow, PageRow, ScheduleRow};
use crate::{
    Config, Engine, Reader, Sends, Snapshot, StorageError, StoredEnvelope, StoredHistory,
    StoredPage, StoredPatch, StoredSchedule, Write,
};
use scheduler_model::bounds::{
    HISTORY_ROW_BYTES, MAX_DEAD_ROW_BYTES, MAX_DECISIONS_ROW_BYTES, MAX_OUTBOX_ROW_BYTES,
    MAX_PAGE_ROW_BYTES, MAX_PATCH_ROW_BYTES, MAX_PATCHED_BYTES, MAX_REMEMBERED_ROW_BYTES,
    MAX_ROW_BYTES, MAX_SCHEDULE_ROW_BYTES, MAX_STATE_BYTES,
};
use scheduler_model::format::page::Directory;
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::{EnvelopeSeq, PageNumber, ScheduleNumber};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Storage that is at least as strict as SQL. A write panics if SQL would refuse it, if it would
/// change no row, or if it makes a row larger than its bound. A read of a missing row is an error.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The key of the shard's index.
    pub id_key: IdKey,
    /// The pages by number.
    pub pages: BTreeMap<u32, PageRow>,
    /// The bits of cancelled entries, by the page's number.
    pub dead: BTreeMap<u32, Vec<u8>>,
    /// The recurring tasks by number.
    pub schedules: BTreeMap<u32, ScheduleRow>,
    /// The outbox by the envelope's number.
    pub outbox: BTreeMap<EnvelopeSeq, EnvelopeRow>,
    /// The stored idempotency keys, by period and hash.
    pub remembered: BTreeMap<(i64, [u8; 16]), Vec<u8>>,
    /// The history by the row's number.
    pub history: BTreeMap<u64, HistoryRow>,
    /// The decisions about envelopes in flight, by the envelope's number.
    pub decisions: BTreeMap<EnvelopeSeq, Vec<u8>>,
    /// The records of further attempts of tasks in flight, by envelope and index.
    pub patches: BTreeMap<(EnvelopeSeq, u32), Vec<u8>>,
    /// The number of writes so far.
    pub writes: usize,
    reads: Cell<usize>,
    read_bytes: Cell<usize>,
}

/// Returns what a column contains after this value was written to it.
fn through_storage(sends: Sends) -> Sends {
    Sends::from_stored(sends.stored())
}

impl Memory {
    /// Returns the empty storage of a shard whose index has this key.
    pub fn keyed(id_key: IdKey) -> Self {
        Self { id_key, ..Self::default() }
    }

    /// Applies all writes of one input.
    ///
    /// # Panics
    /// If a write contradicts the stored rows, or makes a row too large.
    pub fn apply(&mut self, writes: &[Write]) {
        for write in writes {
            self.write(write.clone());
            self.check_size(write);
        }
        self.writes += writes.len();
    }

    /// Returns an engine that starts from this storage. `shard` is its name.
    ///
    /// # Panics
    /// If the engine refuses the stored rows.
    pub fn load(&self, shard: &str, config: Config) -> Engine {
        Engine::load(shard, config, self.snapshot()).expect("the engine loads its stored rows")
    }

    /// Returns the state, from the newest row of the outbox that has one.
    pub fn state(&self) -> Option<&Vec<u8>> {
        self.outbox.values().rev().find_map(|row| row.state.as_ref())
    }

    /// Returns the number of rows that were read since the last call.
    pub fn take_reads(&self) -> usize {
        self.reads.take()
    }

    /// Returns the number of bytes that were read since the last call, without those of idempotency
    /// keys.
    pub fn take_read_bytes(&self) -> usize {
        self.read_bytes.take()
    }

    /// Returns the snapshot that a start-up reads.
    pub fn snapshot(&self) -> Snapshot {
        let pages = self.pages.iter().map(|(page, row)| StoredPage {
            page: PageNumber::new(*page),
            directory: row.directory.bytes().to_vec(),
            body_len: row.body.len() as u32,
            dead: self.dead.get(page).cloned().unwrap_or_default(),
        });
        let schedules = self.schedules.iter().map(|(number, row)| StoredSchedule {
            number: ScheduleNumber::new(*number),
            since: row.since,
            record: row.record.clone(),
        });
        let envelopes = self.outbox.iter().map(|(seq, row)| StoredEnvelope {
            seq: *seq,
            destination: row.destination.clone(),
            hashes: row.hashes.clone(),
            sent_at: row.sent_at,
            attempts: row.attempts,
            sends: row.sends,
        });
        let history = self.history.iter().map(|(row, stored)| StoredHistory {
            row: *row,
            newest: stored.newest,
            bytes: stored.body.len() as u32,
        });
        let patches = self.patches.iter().map(|((seq, index), record)| StoredPatch {
            seq: *seq,
            index: *index,
            bytes: record.len() as u32,
        });
        let mut remembered = BTreeMap::<i64, u64>::new();
        for (period, _) in self.remembered.keys() {
            *remembered.entry(*period).or_default() += 1;
        }
        Snapshot {
            id_key: self.id_key,
            pages: pages.collect(),
            schedules: schedules.collect(),
            envelopes: envelopes.collect(),
            history: history.collect(),
            patches: patches.collect(),
            decisions: self.decisions.iter().map(|(seq, of)| (*seq, of.clone())).collect(),
            state: self.state().cloned(),
            remembered: remembered.into_iter().collect(),
        }
    }

    /// Checks that the rows that a write has changed are no larger than the platform's limit and
    /// the bound of their table.
    fn check_size(&self, write: &Write) {
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
            // The arms name each write, so that whoever adds a write must state the bound of its
            // row.
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

    fn write(&mut self, write: Write) {
        match write {
            Write::InsertPage { page, directory, body } => {
                let page = page.get();
                let directory = Directory::decode(directory, body.len()).unwrap();
                assert!(page > 0, "page 0 means the recurring tasks");
                assert!(
                    self.pages.insert(page, PageRow { directory, body }).is_none(),
                    "page {page} is there already"
                );
                assert!(!self.dead.contains_key(&page), "page {page} inherits dead bits");
            }
            Write::ExtendPage { page, directory, tail } => {
                let page = page.get();
                let row = self.pages.get_mut(&page).expect("the extended page is stored");
                row.body.extend_from_slice(&tail);
                row.directory = Directory::decode(directory, row.body.len()).unwrap();
            }
            Write::DeletePage { page, has_dead } => {
                let page = page.get();
                assert!(self.pages.remove(&page).is_some(), "deleted page {page} is not stored");
                // As in SQL, the row of dead bits is deleted only if the flag is set.
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
                let number = number.get();
                assert!(
                    self.schedules.insert(number, ScheduleRow { since, record }).is_none(),
                    "schedule {number} is there already"
                );
            }
            Write::SetSchedule { number, since, record } => {
                let number = number.get();
                let row = self.schedules.get_mut(&number).expect("the changed schedule is stored");
                row.since = since.unwrap_or(row.since);
                row.record = record;
            }
            Write::SetSince { number, since } => {
                let number = number.get();
                let row = self
                    .schedules
                    .get_mut(&number)
                    .expect("the schedule that begins later is stored");
                row.since = since;
            }
            Write::DeleteSchedule { number } => {
                let number = number.get();
                assert!(
                    self.schedules.remove(&number).is_some(),
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
                let newest =
                    self.outbox.last_key_value().map_or(EnvelopeSeq::default(), |(seq, _)| *seq);
                assert_eq!(seq, newest, "the state belongs in the newest row");
                self.outbox.entry(seq).or_insert_with(EnvelopeRow::for_state_only).state =
                    Some(state);
            }
            Write::DeleteEnvelope { seq } => {
                assert!(self.outbox.remove(&seq).is_some(), "deleted envelope {seq} is not stored");
            }
            Write::Remember { period, key, value } => {
                assert!(
                    self.remembered.insert((period, key), value).is_none(),
                    "a key is stored twice"
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
                assert_eq!(keys.len() as u64, count, "the period has as many keys as are deleted");
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
                let row =
                    self.outbox.get_mut(&seq).expect("the envelope whose send ended is stored");
                row.sent_at = at.unwrap_or(row.sent_at);
                row.sends = through_storage(sends);
            }
        }
    }

    fn read<T>(
        &self,
        found: Option<T>,
        bytes: impl FnOnce(&T) -> usize,
        what: impl FnOnce() -> String,
    ) -> Result<T, StorageError> {
        let found = found.ok_or_else(|| StorageError(format!("{} is not stored", what())))?;
        self.reads.set(self.reads.get() + 1);
        self.read_bytes.set(self.read_bytes.get() + bytes(&found));
        Ok(found)
    }
}

impl Reader for Memory {
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        let part = self
            .pages
            .get(&page.get())
            .and_then(|row| row.body.get(offset as usize..offset.checked_add(len)? as usize));
        self.read(part.map(<[u8]>::to_vec), Vec::len, || {
            format!("{len} bytes from {offset} of page {page}")
        })
    }

    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        let record = self.schedules.get(&number.get()).map(|row| row.record.clone());
        self.read(record, Vec::len, || format!("schedule {number}"))
    }

    fn schedule_head(&self, number: ScheduleNumber, len: u32) -> Result<Vec<u8>, StorageError> {
        let head = self
            .schedules
            .get(&number.get())
            .map(|row| row.record.get(..len as usize).unwrap_or(&row.record).to_vec());
        self.read(head, Vec::len, || format!("schedule {number}"))
    }

    fn envelope(&self, seq: EnvelopeSeq) -> Result<Vec<u8>, StorageError> {
        let row = self.outbox.get(&seq).filter(|row| row.destination.is_some());
        self.read(row.map(|row| row.text.to_vec()), Vec::len, || format!("envelope {seq}"))
    }

    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        let found = periods.iter().find_map(|period| self.remembered.get(&(*period, *key)));
        self.read(Some(found.cloned()), |_| 0, || "a key".to_owned())
    }

    fn patched(&self, seq: EnvelopeSeq, index: u32) -> Result<Vec<u8>, StorageError> {
        self.read(self.patches.get(&(seq, index)).cloned(), Vec::len, || {
            format!("the patch of task {index} of envelope {seq}")
        })
    }

    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        let body = self.history.get(&row).map(|row| row.body.clone());
        self.read(body, Vec::len, || format!("row {row} of the history"))
    }
}
