//! A shard's storage, and an independent reading of it by a simpler rule than the engine's.
//!
//! The rows are those of [`Memory`]. [`Storage::waiting`] is the reference: an entry is live if it
//! is not cancelled and comes after the watermark in the total order. The engine must find the same
//! by its directories, counts, timers and clamps.

mod reference;

pub(crate) use reference::{Waiting, send_back_off};
pub(crate) use scheduler_engine::testing::EnvelopeRow;

use crate::stored::Stored;
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_engine::testing::{Memory, PageRow, ScheduleRow};
use scheduler_engine::{Reader, StorageError, Write};
use scheduler_model::bounds::{MAX_SHARD_REQUEST_BYTES, MAX_WAKE_BYTES};
use scheduler_model::format::page::Entry;
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber, PageNumber, ScheduleNumber};
use scheduler_model::position::Position;
use scheduler_model::routing::id_hash;
use scheduler_model::schedule::Policies;
use serde::Deserialize;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// The key of every shard's index of ids.
pub(crate) const ID_KEY: IdKey = IdKey::new(*b"simulated shards");

/// The entries of a page with their records, in the order of its directory.
type Entries = Vec<(Entry, Rc<Stored>)>;

/// A recurring task, as its record defines it.
#[derive(Debug)]
struct Definition {
    record: Rc<Stored>,
    schedule: Schedule,
    policies: Policies,
    paused: bool,
    /// An occurrence of its own. All occurrences that have not passed come after it.
    passed: Cell<Option<Occurrence>>,
}

impl Definition {
    fn of(row: &ScheduleRow) -> Self {
        let record = Stored::new(row.record.clone());
        let read = record.parse();
        Self {
            schedule: read.schedule().schedule(id_hash(&read.id)).unwrap(),
            policies: read.policies(),
            paused: read.is_paused(),
            passed: Cell::new(None),
            record: Rc::clone(&record),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Storage {
    memory: Memory,
    /// The contents of the pages, by number.
    entries: BTreeMap<u32, Entries>,
    /// The recurring tasks, by number.
    definitions: BTreeMap<u32, Definition>,
    pub(crate) watermark: Position,
    lanes: Vec<LaneText>,
    /// The state from which `watermark` and `lanes` were read.
    state_text: Vec<u8>,
    /// The number of reads after which one fails.
    pub(crate) fail_read_in: Cell<Option<u32>>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            memory: Memory::keyed(ID_KEY),
            entries: BTreeMap::new(),
            definitions: BTreeMap::new(),
            watermark: Position::default(),
            lanes: Vec::new(),
            state_text: Vec::new(),
            fail_read_in: Cell::new(None),
        }
    }
}

impl Deref for Storage {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.memory
    }
}

/// A test that changes pages or recurring tasks in this way must call [`Storage::read_again`] next.
impl DerefMut for Storage {
    fn deref_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }
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
    number: LaneNumber,
    key: String,
    watermark: Position,
}

/// Returns the entries of a page. `known` contains entries whose records were already read.
fn entries_of(row: &PageRow, known: Entries) -> Entries {
    let known: HashMap<u32, Rc<Stored>> =
        known.into_iter().map(|(entry, record)| (entry.offset, record)).collect();
    let read = |entry: Entry| {
        let of_entry = |record: &&Rc<Stored>| record.len() == entry.len as usize;
        let record = known.get(&entry.offset).filter(of_entry).cloned();
        let (start, end) = (entry.offset as usize, entry.offset as usize + entry.len as usize);
        (entry, record.unwrap_or_else(|| Stored::new(row.body[start..end].to_vec())))
    };
    row.directory.iter().map(read).collect()
}

impl Storage {
    /// Applies all writes of one input. Panics if SQL would refuse a write, or if a write would
    /// change no row.
    pub(crate) fn apply(&mut self, writes: &[Write]) {
        self.memory.apply(writes);
        for write in writes {
            match write {
                Write::InsertPage { page, .. } | Write::ExtendPage { page, .. } => {
                    let page = page.get();
                    let known = self.entries.remove(&page).unwrap_or_default();
                    // A later write of the same input may have deleted the page.
                    if let Some(row) = self.memory.pages.get(&page) {
                        self.entries.insert(page, entries_of(row, known));
                    }
                }
                Write::DeletePage { page, .. } => drop(self.entries.remove(&page.get())),
                Write::InsertSchedule { number, .. } | Write::SetSchedule { number, .. } => {
                    if let Some(row) = self.memory.schedules.get(&number.get()) {
                        self.definitions.insert(number.get(), Definition::of(row));
                    }
                }
                Write::SetSince { number, .. } => {
                    if let Some(definition) = self.definitions.get(&number.get()) {
                        definition.passed.set(None);
                    }
                }
                Write::DeleteSchedule { number } => drop(self.definitions.remove(&number.get())),
                _ => {}
            }
        }
        let text = self.memory.state();
        if let Some(text) = text.filter(|text| **text != self.state_text) {
            let state = serde_json::from_slice::<StateText>(text).unwrap();
            self.state_text.clone_from(text);
            if state.watermark < self.watermark {
                self.definitions.values().for_each(|definition| definition.passed.set(None));
            }
            (self.watermark, self.lanes) = (state.watermark, state.lanes);
        }
    }

    /// Reads the pages and the recurring tasks again.
    pub(crate) fn read_again(&mut self) {
        let pages = self.memory.pages.iter();
        self.entries = pages.map(|(page, row)| (*page, entries_of(row, Vec::new()))).collect();
        let schedules = self.memory.schedules.iter();
        self.definitions = schedules.map(|(number, row)| (*number, Definition::of(row))).collect();
    }

    /// Checks what an input has read and is about to write against the bound of its kind.
    pub(crate) fn check_budget(&self, writes: &[Write], is_wake: bool) {
        let most = if is_wake { MAX_WAKE_BYTES } else { MAX_SHARD_REQUEST_BYTES };
        let (read, written) =
            (self.take_read_bytes(), writes.iter().map(Write::bytes).sum::<usize>());
        assert!(
            read <= most && written <= most,
            "an input reads {read} and writes {written} bytes; its bound is {most}"
        );
    }

    /// Reads, unless the simulation makes this read fail. If a row is missing, the engine has made
    /// a mistake.
    fn read<T>(&self, read: impl FnOnce() -> Result<T, StorageError>) -> Result<T, StorageError> {
        if let Some(left) = self.fail_read_in.get() {
            self.fail_read_in.set(left.checked_sub(1));
            if left == 0 {
                return Err(StorageError("a read that the simulation makes fail".to_owned()));
            }
        }
        Ok(read().unwrap_or_else(|error| panic!("the engine reads a missing row: {error}")))
    }
}

impl Reader for Storage {
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        self.read(|| self.memory.body(page, offset, len))
    }

    fn schedule_head(&self, number: ScheduleNumber, len: u32) -> Result<Vec<u8>, StorageError> {
        self.read(|| self.memory.schedule_head(number, len))
    }

    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        self.read(|| self.memory.schedule(number))
    }

    fn envelope(&self, seq: EnvelopeSeq) -> Result<Vec<u8>, StorageError> {
        self.read(|| self.memory.envelope(seq))
    }

    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        self.read(|| self.memory.remembered(key, periods))
    }

    fn patched(&self, seq: EnvelopeSeq, index: u32) -> Result<Vec<u8>, StorageError> {
        self.read(|| self.memory.patched(seq, index))
    }

    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        self.read(|| self.memory.history(row))
    }
}
