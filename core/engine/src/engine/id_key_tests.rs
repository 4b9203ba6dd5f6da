//! Ids whose unkeyed hashes are equal. Anybody can construct such ids. No lookup reads more records
//! because of them or confuses one with another.

use crate::testing::{Memory, append, record};
use crate::{Config, Engine, EngineError, Snapshot, hashes_of_envelope, key_stored_page};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Directory, Entry, Flags, Page, PageBuilder, PageError};
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::{EnvelopeSeq, PageNumber};
use scheduler_model::protocol::{Append, CancelRequest, Cancelled};
use scheduler_model::routing::id_hash;

#[path = "../../../model/src/routing_collisions.rs"]
mod collisions;
use collisions::colliding_ids;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const KEY: IdKey = IdKey::new(*b"a key of 16 byte");

fn request(ids: &[String], due: UnixMillis) -> Append {
    append(ids.iter().map(|id| (id, due, record(id, NOW, ""))))
}

fn engine() -> Engine {
    Engine::load("1-0", Config::default(), Snapshot { id_key: KEY, ..Snapshot::default() }).unwrap()
}

#[test]
fn a_lookup_reads_one_record_even_if_unkeyed_hashes_collide() {
    let (mut engine, mut stored, ids) = (engine(), Memory::keyed(KEY), colliding_ids(500));
    let (reply, effects) = engine.append(request(&ids, NOW.plus(60_000)), NOW, &stored).unwrap();
    assert_eq!((reply.created, reply.replaced), (500, 0));
    stored.apply(&effects.writes);

    stored.take_reads();
    assert!(engine.get(&ids[250], &stored).unwrap().is_some());
    let reads = stored.take_reads();
    assert!(reads <= 2, "{reads}");

    // In a repeated request, each task replaces itself. That takes 500 reads, not 250,000.
    stored.take_reads();
    let (reply, effects) = engine.append(request(&ids, NOW.plus(60_000)), NOW, &stored).unwrap();
    stored.apply(&effects.writes);
    assert_eq!((reply.created, reply.replaced), (500, 500));
    let reads = stored.take_reads();
    assert!(reads <= 3 * 500, "{reads}");

    stored.take_reads();
    let request = CancelRequest { ids: ids.clone(), if_match: None };
    let (reply, _) = engine.cancel(&request, NOW, &stored).unwrap();
    assert!(reply.outcomes.iter().all(|outcome| *outcome == Cancelled::Cancelled), "{reply:?}");
    let reads = stored.take_reads();
    assert!(reads <= 3 * 500, "{reads}");
}

#[test]
fn an_id_is_not_confused_with_one_in_flight_of_equal_hash() {
    let (mut engine, mut stored, ids) = (engine(), Memory::keyed(KEY), colliding_ids(2));
    let (_, effects) = engine.append(request(&ids[..1], NOW), NOW, &stored).unwrap();
    stored.apply(&effects.writes);
    let effects = engine.wake(NOW.plus(10), &stored).unwrap();
    assert_eq!(effects.sends.len(), 1);
    stored.apply(&effects.writes);
    assert!(engine.is_running(KEY.hash(&ids[0])) && !engine.is_running(KEY.hash(&ids[1])));
    let request = CancelRequest { ids: vec![ids[1].clone()], if_match: None };
    let (reply, _) = engine.cancel(&request, NOW.plus(20), &stored).unwrap();
    assert_eq!((reply.outcomes, reply.running), (vec![Cancelled::NotFound], Vec::new()));
}

#[test]
fn rows_stored_without_a_key_are_keyed_once() {
    let ids = ["first".to_owned(), "second".to_owned()];
    let page = request(&ids, NOW).pages.remove(0);
    let unkeyed = page.directory.bytes().to_vec();
    let keyed = key_stored_page(KEY, unkeyed.clone(), page.body.clone()).unwrap();
    let hashes: Vec<u64> = Directory::decode(keyed.clone(), page.body.len())
        .unwrap()
        .iter()
        .map(|entry| entry.hash)
        .collect();
    assert_eq!(hashes, [KEY.hash("first"), KEY.hash("second")]);
    // A start that was interrupted is repeated, with the same result.
    assert_eq!(key_stored_page(KEY, keyed.clone(), page.body.clone()).unwrap(), keyed);

    let stored = |directory| crate::StoredPage {
        page: PageNumber::new(1),
        directory,
        body_len: page.body.len() as u32,
        dead: Vec::new(),
    };
    let load = |directory| {
        let snapshot =
            Snapshot { id_key: KEY, pages: vec![stored(directory)], ..Snapshot::default() };
        Engine::load("1-0", Config::default(), snapshot)
    };
    assert!(load(keyed).is_ok());
    // A page with unkeyed hashes is refused, because no lookup would find its entries.
    assert!(matches!(load(unkeyed), Err(EngineError::Corrupt(_))));

    // In an envelope of an earlier version, the id may be anywhere in a record.
    let envelope = br#"{"v":1,"shard":"1-0","seq":7,"firedAt":5,"tasks":[{"key":"k","id":"a\u00e9"},{"id":"b"}]}"#;
    let hashes = hashes_of_envelope(KEY, EnvelopeSeq::new(7), envelope).unwrap();
    assert_eq!(hashes, [KEY.hash("aé").to_le_bytes(), KEY.hash("b").to_le_bytes()].concat());
}

#[test]
fn a_record_without_an_id_is_refused() {
    let mut builder = PageBuilder::default();
    assert!(builder.push(1, NOW, Flags::TASK, |out| out.extend_from_slice(b"{}")));
    let mut page = builder.finish().remove(0);
    assert_eq!(KEY.key_page(&mut page), Err(PageError::Entry(0)));
    let entry = Entry { hash: 0, due: NOW, offset: 0, len: 1, flags: Flags::TASK };
    let mut page = Page { directory: Directory::new(vec![entry]), body: Vec::new() };
    assert_eq!(KEY.key_page(&mut page), Err(PageError::Entry(0)));
}
