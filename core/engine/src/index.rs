//! The index of ids. It maps the hash of an id to the places of its entries. Each takes 8 bytes and
//! a control byte.
//!
//! Entries with the same hash follow one another in the table, and each insertion passes over all
//! of them. If there may be many entries of one id ([`Repeats`]), the table holds [`MAX_CHAIN`] of
//! them and a map holds the others. So an insertion passes over a bounded number, however many dead
//! letters of one id an earlier version has kept. A task is the only one with its id, so a bulk
//! create does not count entries.

use crate::entry_ref::{EntryRef, PageEntry};
use hashbrown::HashTable;
use scheduler_model::bounds::MAX_PAGE_TASKS;
use scheduler_model::numbers::{PageNumber, ScheduleNumber};
use std::collections::{BTreeMap, BTreeSet};

/// The place of an entry of a page, and as many bits of its hash as there is room for, so that the
/// table grows without reading directories. Bits 32-63 contain the number of the page, bits 21-31
/// the index in the page, and bits 0-20 the bits of the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PackedEntryRef(u64);

const HASH_BITS: u32 = 21;
const HASH_MASK: u64 = (1 << HASH_BITS) - 1;
const INDEX_MASK: u64 = (1 << (32 - HASH_BITS)) - 1;

/// The most entries with the same bits of their hashes in the table. An id has fewer unless it
/// fails again and again.
const MAX_CHAIN: usize = 32;

const _: () = assert!(MAX_PAGE_TASKS as u64 - 1 <= INDEX_MASK, "an index in a page fits its bits");

/// Returns the kept bits of a hash. These are high bits, because routing uses the hash modulo the
/// number of shards, so the low bits may be equal on one shard.
fn kept(hash: u64) -> u64 {
    hash >> 40 & HASH_MASK
}

/// Spreads the kept bits over 64 bits, because the table uses low bits for buckets and high bits
/// for tags.
fn spread(kept: u64) -> u64 {
    // 2^64 divided by the golden ratio moves neighbors far apart (Knuth, TAOCP 3, section 6.4).
    kept.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Whether there may be many entries with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    /// The entry is a task, and an id has one.
    Never,
    /// The entry is a dead letter, a further attempt, or a run in addition to the task.
    Often,
}

impl PackedEntryRef {
    fn new(hash: u64, at: PageEntry) -> Self {
        Self(
            u64::from(at.page.get()) << 32
                | (u64::from(at.index) & INDEX_MASK) << HASH_BITS
                | kept(hash),
        )
    }

    fn place(self) -> PageEntry {
        PageEntry {
            page: PageNumber::new((self.0 >> 32) as u32),
            index: self.0 as u32 >> HASH_BITS,
        }
    }
}

/// The entries of pages, and the few recurring tasks in a table of their own. The number of a
/// recurring task leaves no room for a hash.
#[derive(Debug, Default)]
pub(super) struct IdIndex {
    entries: HashTable<PackedEntryRef>,
    /// The entries that the table does not contain, by the bits of the hash.
    more: BTreeMap<u64, BTreeSet<PageEntry>>,
    in_more: usize,
    /// The hash and number of each recurring task, by the whole hash.
    schedules: HashTable<(u64, ScheduleNumber)>,
}

impl IdIndex {
    /// Makes room for `more` entries at once.
    pub(super) fn reserve(&mut self, more: usize) {
        self.entries.reserve(more, |packed| spread(packed.0 & HASH_MASK));
    }

    pub(super) fn insert(&mut self, hash: u64, at: EntryRef, repeats: Repeats) {
        match at {
            EntryRef::Schedule(number) => {
                self.schedules.insert_unique(hash.rotate_left(32), (hash, number), |(hash, _)| {
                    hash.rotate_left(32)
                });
            }
            EntryRef::Page(at) if repeats == Repeats::Often && self.has_long_chain(hash) => {
                self.in_more += usize::from(self.more.entry(kept(hash)).or_default().insert(at));
            }
            EntryRef::Page(at) => self.insert_task(hash, at),
        }
    }

    /// Inserts an entry of a page that is the only one with its id.
    #[inline]
    pub(super) fn insert_task(&mut self, hash: u64, at: PageEntry) {
        self.entries.insert_unique(spread(kept(hash)), PackedEntryRef::new(hash, at), |packed| {
            spread(packed.0 & HASH_MASK)
        });
    }

    fn has_long_chain(&self, hash: u64) -> bool {
        let mut left = MAX_CHAIN;
        let counted = self.entries.find(spread(kept(hash)), |packed| {
            left -= usize::from(packed.0 & HASH_MASK == kept(hash));
            left == 0
        });
        counted.is_some()
    }

    /// Removes an entry that the table does not contain. Returns whether it was there.
    fn remove_from_more(&mut self, hash: u64, at: PageEntry) -> bool {
        let Some(alike) = self.more.get_mut(&kept(hash)) else { return false };
        let was_there = alike.remove(&at);
        if alike.is_empty() {
            self.more.remove(&kept(hash));
        }
        self.in_more -= usize::from(was_there);
        was_there
    }

    /// Removes an entry, if it is there.
    pub(super) fn remove(&mut self, hash: u64, at: EntryRef) {
        match at {
            EntryRef::Schedule(wanted) => {
                if let Ok(found) =
                    self.schedules.find_entry(hash.rotate_left(32), |(_, number)| *number == wanted)
                {
                    found.remove();
                }
            }
            EntryRef::Page(at) => {
                let wanted = PackedEntryRef::new(hash, at);
                if let Ok(found) =
                    self.entries.find_entry(spread(kept(hash)), |packed| *packed == wanted)
                {
                    found.remove();
                } else {
                    self.remove_from_more(hash, at);
                }
            }
        }
    }

    /// Moves an entry of a page to the next index.
    pub(super) fn move_up(&mut self, hash: u64, was: PageEntry) {
        let wanted = PackedEntryRef::new(hash, was);
        let at = PageEntry { index: was.index + 1, ..was };
        if let Some(packed) = self.entries.find_mut(spread(kept(hash)), |packed| *packed == wanted)
        {
            *packed = PackedEntryRef::new(hash, at);
        } else if self.remove_from_more(hash, was) {
            self.in_more += usize::from(self.more.entry(kept(hash)).or_default().insert(at));
        }
    }

    /// Returns all entries with this hash, and perhaps a few with another hash.
    pub(super) fn find(&self, hash: u64) -> impl Iterator<Item = EntryRef> + '_ {
        // The table compares seven bits of the hash. Comparing the others here saves reading the
        // directory of a page.
        let alike = self
            .entries
            .iter_hash(spread(kept(hash)))
            .filter(move |packed| packed.0 & HASH_MASK == kept(hash));
        let entries = alike.map(|packed| packed.place());
        let schedules = self
            .schedules
            .iter_hash(hash.rotate_left(32))
            .map(|(_, number)| EntryRef::Schedule(*number));
        let more = self.more.get(&kept(hash)).into_iter().flatten().copied();
        entries.chain(more).map(EntryRef::Page).chain(schedules)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.in_more + self.schedules.len()
    }

    /// Returns the allocated bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        let more = self.more.len() * size_of::<(u64, BTreeSet<PageEntry>)>()
            + self.in_more * size_of::<PageEntry>();
        // Nodes of a B-tree are at least half full.
        self.entries.allocation_size() + self.schedules.allocation_size() + 2 * more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_until_it_is_removed() {
        let mut index = IdIndex::default();
        // All ids are on one of 16 shards, so their low bits are equal.
        let hash = |n: u32| scheduler_model::routing::id_hash(&n.to_string()) & !0xf;
        let place = |n: u32| PageEntry { page: PageNumber::new(n / 2_048), index: n % 2_048 };
        for n in 2_048..50_000 {
            index.insert(hash(n), EntryRef::Page(place(n)), Repeats::Never);
        }
        for number in 1..100 {
            index.insert(
                hash(number),
                EntryRef::Schedule(ScheduleNumber::new(number * 40_000_000)),
                Repeats::Never,
            );
        }
        assert_eq!(index.len(), 50_000 - 2_048 + 99);
        for n in (2_048..50_000).step_by(7) {
            let at = EntryRef::Page(place(n));
            assert!(index.find(hash(n)).any(|found| found == at));
            index.remove(hash(n), at);
            assert!(index.find(hash(n)).all(|found| found != at));
        }
        index.move_up(hash(2_049), place(2_049));
        assert!(index.find(hash(2_049)).any(|at| at == EntryRef::Page(place(2_050))));
        let number = ScheduleNumber::new(99 * 40_000_000);
        assert!(index.find(hash(99)).any(|at| at == EntryRef::Schedule(number)));
        index.remove(hash(99), EntryRef::Schedule(number));
        assert_eq!(index.find(hash(99)).count(), 0);
    }

    #[test]
    fn the_index_takes_any_number_of_entries_with_one_hash() {
        let mut index = IdIndex::default();
        let place = |n: u32| PageEntry { page: PageNumber::new(1 + n / 1_000), index: n % 1_000 };
        let entry = |n: u32| EntryRef::Page(place(n));
        let found = |index: &IdIndex| index.find(7 << 40).collect::<BTreeSet<_>>();
        (0..500).for_each(|n| index.insert(7 << 40, entry(n), Repeats::Often));
        index.insert(8 << 40, entry(600), Repeats::Often);
        assert_eq!((index.len(), found(&index).len(), index.more.len()), (501, 500, 1));
        // The last entry moves first, as when a page is extended.
        (0..500).rev().for_each(|n| index.move_up(7 << 40, place(n)));
        assert_eq!(found(&index), (1..=500).map(entry).collect());
        (1..=500).step_by(2).for_each(|n| index.remove(7 << 40, entry(n)));
        assert_eq!(found(&index), (2..=500).step_by(2).map(entry).collect());
        (2..=500).step_by(2).for_each(|n| index.remove(7 << 40, entry(n)));
        assert_eq!((index.len(), found(&index).len(), index.more.len()), (1, 0, 0));
    }

    #[test]
    fn few_entries_with_other_hashes_are_found() {
        let mut index = IdIndex::default();
        for n in 0..500_000_u32 {
            index.insert(
                scheduler_model::routing::id_hash(&n.to_string()),
                EntryRef::page(PageNumber::new(1 + n / 2_048), n as usize % 2_048),
                Repeats::Never,
            );
        }
        let found: usize = (0..1_000_u32)
            .map(|n| index.find(scheduler_model::routing::id_hash(&format!("other {n}"))).count())
            .sum();
        // 500,000 entries over 2^21 values: on average, a lookup finds a quarter of another entry.
        assert!(found < 600, "{found}");
    }
}
