//! A shard with far more dead letters of one id than it keeps today, as earlier versions stored
//! them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption ends the test"
)]

use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Engine, Snapshot, StoredPage};
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::PageNumber;
use std::time::{Duration, Instant};

/// Returns pages with dead letters of as many ids as `id_of` names.
fn pages(count: u32, id_of: impl Fn(u32) -> String) -> Vec<StoredPage> {
    let mut builder = PageBuilder::default();
    for n in 0..count {
        let hash = IdKey::default().hash(&id_of(n));
        assert!(
            builder.push(hash, UnixMillis::NEVER, Flags::DEAD_LETTER, |out| out
                .extend_from_slice(b"{}"))
        );
    }
    let stored = |(number, mut page): (u32, scheduler_model::format::page::Page)| {
        page.directory.set_keyed();
        let body_len = page.body.len() as u32;
        StoredPage {
            page: PageNumber::new(number),
            directory: page.directory.bytes().to_vec(),
            body_len,
            dead: Vec::new(),
        }
    };
    (1..).zip(builder.finish()).map(stored).collect()
}

#[allow(clippy::disallowed_methods, reason = "a measurement on the host")]
fn load_time(pages: Vec<StoredPage>, count: u32) -> Duration {
    let snapshot = Snapshot { pages, ..Snapshot::default() };
    let begin = Instant::now();
    let engine = Engine::load("1-0", Config::default(), snapshot).unwrap();
    let took = begin.elapsed();
    assert_eq!(engine.entries(), count as usize);
    took
}

/// A start-up takes time in proportion to the stored rows, whatever the ids are. With many dead
/// letters of one id, it took 200 times as long.
#[test]
fn many_dead_letters_of_one_id_do_not_slow_a_start() {
    const COUNT: u32 = 100_000;
    let of_many = load_time(pages(COUNT, |n| format!("task-{n}")), COUNT);
    let of_one = load_time(pages(COUNT, |_| "task".to_owned()), COUNT);
    assert!(
        of_one < of_many * 20 + Duration::from_millis(50),
        "{of_one:?} of one id, {of_many:?} of as many ids"
    );
}

/// Prints the figures: `cargo test --release -p scheduler-engine --test dead_letters -- --ignored
/// --nocapture`.
#[test]
#[ignore = "a measurement"]
fn load_time_of_half_a_million() {
    const COUNT: u32 = 500_000;
    println!("of as many ids: {:?}", load_time(pages(COUNT, |n| format!("task-{n}")), COUNT));
    println!("of one id: {:?}", load_time(pages(COUNT, |_| "task".to_owned()), COUNT));
}
