use super::*;
use crate::{Config, Snapshot};
use scheduler_model::format::page::{Directory, Entry, Flags};

/// Pages of one task are the most places to look at that a shard can be made to have.
#[test]
fn a_scan_of_many_small_pages_takes_a_part_of_what_the_shard_takes() {
    let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
    // One more than a power of two, so that a list that doubles has most to spare.
    let pages = 4_097;
    for number in 1..=pages {
        let due = UnixMillis::new(1_764_000_000_000 + i64::from(number));
        let entry =
            Entry { hash: u64::from(number), due, offset: 0, len: 100, flags: Flags::default() };
        let number = PageNumber::new(number);
        engine.tasks.insert_page(number, Directory::new(vec![entry]), 100, 0, Vec::new());
    }
    let merge = engine.merge_from(None, &Filter::default());
    assert_eq!(merge.len(), pages as usize);
    let (scan, shard) = (merge.memory_bytes(), engine.memory_bytes());
    assert!(6 * scan <= shard, "{scan} bytes beside {shard}");
}
