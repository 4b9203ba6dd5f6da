//! What must hold for any bytes given as a page's directory or as an append. Shared by the fuzz
//! target and the ordinary tests.

use scheduler_calendar::local_time::{Law, LocalTime};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{
    Config, Effects, Engine, Reader, Snapshot, StorageError, StoredEnvelope, StoredPage,
    StoredSchedule, Write,
};
use scheduler_model::format::page::{Directory, Entry, Flags};
use scheduler_model::numbers::{PageNumber, ScheduleNumber};
use scheduler_model::protocol::{Append, ListRequest, Terms};
use scheduler_model::task::Record;
use std::collections::BTreeMap;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Storage that has nothing to read.
struct Nothing;

impl Reader for Nothing {
    fn body(&self, _: PageNumber, _: u32, _: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
    }
    fn schedule(&self, _: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
    }
    fn envelope(&self, _: u64) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
    }

    fn history(&self, _: u64) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
    }
}

/// A page's directory, its body, and which of its entries are dead.
type PageRow = (Vec<u8>, Vec<u8>, Vec<u8>);

/// What an append has written, for a start under another law and what follows.
#[derive(Default)]
struct Memory {
    pages: BTreeMap<PageNumber, PageRow>,
    schedules: BTreeMap<ScheduleNumber, (UnixMillis, Vec<u8>)>,
    envelopes: BTreeMap<u64, StoredEnvelope>,
    state: Option<Vec<u8>>,
}

impl Memory {
    fn apply(&mut self, effects: Effects) {
        for write in effects.writes {
            match write {
                Write::InsertPage { page, directory, body } => {
                    drop(self.pages.insert(page, (directory, body, Vec::new())))
                }
                Write::ExtendPage { page, directory, tail } => {
                    let row = self.pages.get_mut(&page).expect("an extended page is stored");
                    row.0 = directory;
                    row.1.extend_from_slice(&tail);
                }
                Write::SetDead { page, bits } => {
                    self.pages.get_mut(&page).expect("a page with dead entries is stored").2 = bits
                }
                Write::DeletePage { page, .. } => drop(self.pages.remove(&page)),
                Write::InsertSchedule { number, since, record } => {
                    drop(self.schedules.insert(number, (since, record)))
                }
                Write::DeleteSchedule { number } => drop(self.schedules.remove(&number)),
                Write::SaveState { state, .. } | Write::ClearEnvelope { state, .. } => {
                    self.state = Some(state)
                }
                Write::InsertEnvelope { seq, destination, hashes, sent_at, state, .. } => {
                    let sends = scheduler_engine::Sends::default();
                    let row = StoredEnvelope {
                        seq,
                        destination: Some(destination),
                        hashes,
                        sent_at,
                        attempts: 0,
                        sends,
                    };
                    self.envelopes.insert(seq, row);
                    self.state = state.or(self.state.take());
                }
                _ => {}
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        let pages = self.pages.iter().map(|(page, (directory, body, dead))| StoredPage {
            page: *page,
            directory: directory.clone(),
            body_len: body.len() as u32,
            dead: dead.clone(),
        });
        let schedules = self.schedules.iter();
        let schedules = schedules.map(|(number, (since, record))| StoredSchedule {
            number: *number,
            since: *since,
            record: record.clone(),
        });
        Snapshot {
            pages: pages.collect(),
            schedules: schedules.collect(),
            envelopes: self.envelopes.values().cloned().collect(),
            state: self.state.clone(),
            ..Snapshot::default()
        }
    }
}

impl Memory {
    /// Checks the entries that are neither due nor cancelled.
    fn check_planned(&self, law: &Law) {
        for (directory, body, dead) in self.pages.values() {
            let directory = Directory::decode(directory.clone(), body.len())
                .expect("what is stored reads back");
            assert!(directory.is_keyed());
            let is_dead =
                |index: usize| dead.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
            for (index, entry) in directory.iter().enumerate() {
                let is_local =
                    entry.flags.has(Flags::LOCAL) && !is_dead(index) && entry.due > NOW.plus(10);
                let text = body
                    .get(entry.offset as usize..(entry.offset + entry.len) as usize)
                    .expect("it lies in the body");
                let Some(record) = Record::parse(text).ok().filter(|_| is_local) else { continue };
                if entry.due == record.due() {
                    assert_eq!(record.moved_by(law), None, "{}", String::from_utf8_lossy(text));
                }
            }
        }
    }
}

impl Reader for Memory {
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        let body = self
            .pages
            .get(&page)
            .and_then(|row| row.1.get(offset as usize..offset as usize + len as usize));
        body.map(<[u8]>::to_vec).ok_or_else(|| StorageError("no such body".to_owned()))
    }
    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        self.schedules
            .get(&number)
            .map(|row| row.1.clone())
            .ok_or_else(|| StorageError("no such schedule".to_owned()))
    }
    fn envelope(&self, _: u64) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing is sent again here".to_owned()))
    }
    fn history(&self, _: u64) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing has run here".to_owned()))
    }
}

/// A law by which every local time is an hour later.
const OTHER_LAW: Law = Law {
    release: "another",
    instant: |local: LocalTime, zone: &str| {
        let instant = (Law::default().instant)(local, zone)?.plus(3_600_000);
        (instant <= UnixMillis::LAST).then_some(instant)
    },
};

/// An append that was taken in is there after a start, keyed, and every local time in it is planned
/// by the law of the day.
fn check_restarts(append: &Append) {
    let mut memory = Memory::default();
    for (start, law) in [OTHER_LAW, Law::default(), OTHER_LAW].into_iter().enumerate() {
        let config = Config { law, ..Config::default() };
        let mut engine =
            Engine::load("1-0", config, memory.snapshot()).expect("what was stored can be loaded");
        engine.observe(NOW);
        if start == 0 {
            let Ok((_, effects)) = engine.append(append.clone(), NOW, &memory) else { return };
            memory.apply(effects);
        }
        // Planned first; what is due by then fires.
        for wake in 0..4 {
            let Ok(effects) = engine.wake(NOW.plus(wake), &memory) else { return };
            memory.apply(effects);
        }
        memory.check_planned(&law);
    }
}

/// Input: an append's bytes; or the length of a body as 4 bytes and a directory's bytes.
pub(crate) fn check(data: &[u8]) {
    if let Ok(append) = Append::decode(data) {
        // Its terms are JSON, which can be written in many ways; all else is as it was.
        let written = append.encode();
        assert_eq!(Append::decode(&written).as_ref(), Ok(&append));
        if append.terms == Terms::default() {
            assert!(data.len() > written.len() || written == data);
        }
        append.pages.iter().for_each(|page| check_directory(&page.directory, page.body.len()));
        check_restarts(&append);
        let mut engine = Engine::load("1-0", Config::default(), Snapshot::default())
            .expect("nothing can be loaded");
        if engine.append(append, NOW, &Nothing).is_ok() {
            check_engine(engine);
        }
    }
    if let Some((len, bytes)) = data.split_first_chunk::<4>() {
        let body_len = u32::from_le_bytes(*len);
        if let Ok(directory) = Directory::decode(bytes.to_vec(), body_len as usize) {
            assert_eq!(directory.bytes(), bytes);
            check_directory(&directory, body_len as usize);
            // A page of a lane is loaded with the state that knows the lane only.
            if directory.lane() > 0 {
                return;
            }
            // A shard stores keyed directories only.
            let mut keyed = directory.clone();
            keyed.set_keyed();
            let page = StoredPage {
                page: PageNumber::new(1),
                directory: keyed.bytes().to_vec(),
                body_len,
                dead: bytes.to_vec(),
            };
            let snapshot = Snapshot { pages: vec![page], ..Snapshot::default() };
            check_engine(
                Engine::load("1-0", Config::default(), snapshot)
                    .expect("a good directory can be loaded"),
            );
        }
    }
}

fn check_directory(directory: &Directory, body_len: usize) {
    let entries: Vec<Entry> = directory.iter().collect();
    assert_eq!(entries.len(), directory.len());
    assert!(entries.is_sorted_by_key(|entry| entry.due));
    assert!(
        entries
            .iter()
            .all(|entry| entry.len > 0 && (entry.offset + entry.len) as usize <= body_len)
    );
    let mut written = Directory::new(entries.clone());
    written.set_lane(directory.lane());
    if directory.is_keyed() {
        written.set_keyed();
    }
    assert_eq!(written.bytes(), directory.bytes());
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(directory.get(index), Some(*entry));
        assert!(
            directory.before(entry.due) <= index && directory.before(entry.due.plus(1)) > index
        );
    }
    assert_eq!(directory.get(entries.len()), None);
}

/// Whatever an engine holds, it answers without a panic.
fn check_engine(mut engine: Engine) {
    let stats = engine.stats(NOW);
    assert!(engine.next_wakeup().is_some() || stats.pending == 0);
    let _ = engine.list(&ListRequest { limit: 10, ..ListRequest::default() }, &Nothing);
    let _ = engine.wake(UnixMillis::LAST, &Nothing);
}
