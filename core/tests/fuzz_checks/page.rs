//! What must hold for any bytes given as a page's directory or as an append. Shared by the fuzz target and the ordinary tests.

use scheduler_core::engine::{Config, Engine, Reader, Snapshot, StorageError, StoredPage};
use scheduler_core::page::{Directory, Entry};
use scheduler_core::time::UnixMillis;
use scheduler_core::wire::{Append, ListRequest, Terms};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Storage that has nothing to read.
struct Nothing;

impl Reader for Nothing {
    fn body(&self, _: u32, _: u32, _: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
    }
    fn schedule(&self, _: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
    }
    fn envelope(&self, _: u64) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
    }

    fn history(&self, _: u64) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing here".to_owned()))
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
        let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).expect("nothing can be loaded");
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
            let page = StoredPage { page: 1, directory: keyed.bytes().to_vec(), body_len, dead: bytes.to_vec() };
            let snapshot = Snapshot { pages: vec![page], ..Snapshot::default() };
            check_engine(Engine::load("1-0", Config::default(), snapshot).expect("a good directory can be loaded"));
        }
    }
}

fn check_directory(directory: &Directory, body_len: usize) {
    let entries: Vec<Entry> = directory.iter().collect();
    assert_eq!(entries.len(), directory.len());
    assert!(entries.is_sorted_by_key(|entry| entry.due));
    assert!(entries.iter().all(|entry| entry.len > 0 && (entry.offset + entry.len) as usize <= body_len));
    let mut written = Directory::new(entries.clone());
    written.set_lane(directory.lane());
    if directory.is_keyed() {
        written.set_keyed();
    }
    assert_eq!(written.bytes(), directory.bytes());
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(directory.get(index), Some(*entry));
        assert!(directory.before(entry.due) <= index && directory.before(entry.due.plus(1)) > index);
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
