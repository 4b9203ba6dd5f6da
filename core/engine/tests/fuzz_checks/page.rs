//! Checks that hold for any bytes given as a page's directory or as an append. The fuzz target and
//! the ordinary tests share them.

use scheduler_calendar::local_time::{Law, LocalTime};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing::Memory;
use scheduler_engine::{Config, Engine, Snapshot, StoredPage};
use scheduler_model::format::page::{Directory, Entry, Flags};
use scheduler_model::numbers::{LaneNumber, PageNumber};
use scheduler_model::protocol::{Append, ListRequest, Terms};
use scheduler_model::task::Record;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Checks the entries that are neither due nor cancelled.
fn check_planned(memory: &Memory, law: &Law) {
    for (page, row) in &memory.pages {
        assert!(row.directory.is_keyed());
        let dead = memory.dead.get(page).map_or(&[][..], Vec::as_slice);
        let is_dead =
            |index: usize| dead.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        for (index, entry) in row.directory.iter().enumerate() {
            let is_local =
                entry.flags.has(Flags::LOCAL) && !is_dead(index) && entry.due > NOW.plus(10);
            let text = row
                .body
                .get(entry.offset as usize..(entry.offset + entry.len) as usize)
                .expect("the record is within the body");
            let Some(record) = Record::parse(text).ok().filter(|_| is_local) else { continue };
            if entry.due == record.due() {
                assert_eq!(record.moved_by(law), None, "{}", String::from_utf8_lossy(text));
            }
        }
    }
}

/// A law by which every local time is one hour later.
const OTHER_LAW: Law = Law {
    release: "another",
    instant: |local: LocalTime, zone: &str| {
        let instant = (Law::default().instant)(local, zone)?.plus(3_600_000);
        (instant <= UnixMillis::LAST).then_some(instant)
    },
};

/// Checks that an accepted append survives a restart: its entries have keyed hashes, and every
/// local time in it is planned by the current law.
fn check_restarts(append: &Append) {
    let mut memory = Memory::default();
    for (start, law) in [OTHER_LAW, Law::default(), OTHER_LAW].into_iter().enumerate() {
        let config = Config { law, ..Config::default() };
        let mut engine = memory.load("1-0", config);
        engine.observe(NOW);
        if start == 0 {
            let Ok((_, effects)) = engine.append(append.clone(), NOW, &memory) else { return };
            memory.apply(&effects.writes);
        }
        // Tasks are planned first. Then those that are due fire.
        for wake in 0..4 {
            let Ok(effects) = engine.wake(NOW.plus(wake), &memory) else { return };
            memory.apply(&effects.writes);
        }
        check_planned(&memory, &law);
    }
}

/// Input: the bytes of an append, or the length of a body as 4 bytes and the bytes of a directory.
pub(crate) fn check(data: &[u8]) {
    if let Ok(append) = Append::decode(data) {
        // The terms are JSON, which has many notations. Everything else must be equal.
        let written = append.encode();
        assert_eq!(Append::decode(&written).as_ref(), Ok(&append));
        if append.terms == Terms::default() {
            assert!(data.len() > written.len() || written == data);
        }
        append.pages.iter().for_each(|page| check_directory(&page.directory, page.body.len()));
        check_restarts(&append);
        let mut engine = Engine::load("1-0", Config::default(), Snapshot::default())
            .expect("an empty shard can be loaded");
        if engine.append(append, NOW, &Memory::default()).is_ok() {
            check_engine(engine);
        }
    }
    if let Some((len, bytes)) = data.split_first_chunk::<4>() {
        let body_len = u32::from_le_bytes(*len);
        if let Ok(directory) = Directory::decode(bytes.to_vec(), body_len as usize) {
            assert_eq!(directory.bytes(), bytes);
            check_directory(&directory, body_len as usize);
            // A page of a lane can only be loaded with a state that knows the lane.
            if directory.lane() != LaneNumber::MAIN {
                return;
            }
            // A shard stores only keyed directories.
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
                    .expect("a valid directory can be loaded"),
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

/// Checks that an engine answers without a panic, whatever it holds.
fn check_engine(mut engine: Engine) {
    let stats = engine.stats(NOW);
    assert!(engine.next_wakeup().is_some() || stats.pending == 0);
    let _ = engine.list(&ListRequest { limit: 10, ..ListRequest::default() }, &Memory::default());
    let _ = engine.wake(UnixMillis::LAST, &Memory::default());
}
