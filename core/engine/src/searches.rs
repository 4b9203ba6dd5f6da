//! The results of the last searches for whole pages.
//!
//! The records of a page lie together in one row, but in the order of a list those of many pages
//! alternate. A search therefore looks through a page once, and remembers which of its records the
//! filter matches, one bit for each. So a search with many pages of answers reads each page of
//! tasks once, in whatever order its records are due. Of a page that it has not looked through, it
//! remembers how much it has read record by record.

use crate::mem_page::MemPage;
use crate::sieve::Sieve;
use scheduler_model::numbers::PageNumber;
use scheduler_model::protocol::Filter;
use std::cell::RefCell;
use std::collections::HashMap;

/// The most searches that a shard remembers.
const MAX_SEARCHES: usize = 4;
/// The most bytes that they take in a shard. One search of a full shard takes about 900,000:
/// 1,000,000 tasks are in up to 9,400 pages, each of which takes 40 bytes, a bit for each of its
/// tasks, and its part of the spare room of the map.
const MAX_SEARCHES_BYTES: usize = 1_200_000;

/// A search, and the pages that it has looked through.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The parts of the filter that need records.
    filter: Filter,
    pub(super) sieve: Sieve,
    pages: HashMap<PageNumber, OfPage>,
    /// The number of records that this request has read one by one and that do not match.
    pub(super) misses: usize,
    /// Whether the search looks through every page, because many records did not match.
    pub(super) is_by_pages: bool,
}

/// What a search knows of a page.
#[derive(Debug)]
enum OfPage {
    /// The bytes that its records have cost that the search has read one by one.
    ReadOneByOne(usize),
    /// Which of its records match.
    LookedThrough {
        /// The revision of the page when the search looked through it.
        revision: u64,
        /// Bit `i % 64` of word `i / 64` is for entry `i`.
        matching: Vec<u64>,
    },
}

impl Search {
    /// Begins a search by a [folded](Filter::folded) filter.
    fn by(filter: Filter) -> Self {
        Self { sieve: Sieve::of(&filter), filter, ..Self::default() }
    }

    /// Returns whether it matches a record of a page; `None` if it has not looked through the
    /// current revision of the page.
    pub(super) fn matches(&self, number: PageNumber, page: &MemPage, index: usize) -> Option<bool> {
        match self.pages.get(&number)? {
            OfPage::LookedThrough { revision, matching } if *revision == page.revision => {
                Some(matching.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1))
            }
            _ => None,
        }
    }

    /// Returns the bytes that the records of a page have cost that the search has read one by one.
    pub(super) fn bytes_one_by_one(&self, number: PageNumber) -> usize {
        match self.pages.get(&number) {
            Some(OfPage::ReadOneByOne(bytes)) => *bytes,
            _ => 0,
        }
    }

    /// Counts a record of a page that is read by itself.
    pub(super) fn read_one(&mut self, number: PageNumber, bytes: usize) {
        let before = self.bytes_one_by_one(number);
        self.pages.insert(number, OfPage::ReadOneByOne(before.saturating_add(bytes)));
    }

    /// Remembers which records of a page match, by their indexes.
    pub(super) fn remember(
        &mut self,
        number: PageNumber,
        page: &MemPage,
        matching: impl Iterator<Item = usize>,
    ) {
        let mut bits = vec![0_u64; page.directory.len().div_ceil(64)];
        for index in matching {
            if let Some(word) = bits.get_mut(index / 64) {
                *word |= 1 << (index % 64);
            }
        }
        let looked = OfPage::LookedThrough { revision: page.revision, matching: bits };
        self.pages.insert(number, looked);
    }

    fn memory_bytes(&self) -> usize {
        let bits = |of: &OfPage| match of {
            OfPage::ReadOneByOne(_) => 0,
            OfPage::LookedThrough { matching, .. } => matching.len() * 8,
        };
        let bits: usize = self.pages.values().map(bits).sum();
        self.pages.capacity() * (size_of::<(PageNumber, OfPage)>() + 1) + bits
    }
}

/// The last searches of a shard, the newest at the end. They are lost with the memory of the shard.
#[derive(Debug, Default)]
pub(super) struct Searches(RefCell<Vec<Search>>);

impl Searches {
    /// Takes the search by a [folded](Filter::folded) filter, or begins one.
    pub(super) fn take(&self, filter: &Filter) -> Search {
        let filter = filter.of_records();
        let mut all = self.0.borrow_mut();
        match all.iter().position(|search| search.filter == filter) {
            Some(at) => Search { misses: 0, ..all.remove(at) },
            None => Search::by(filter),
        }
    }

    /// Keeps a search for the next request, and drops the oldest ones if there are too many.
    pub(super) fn keep(&self, search: Search) {
        if search.pages.is_empty() {
            return;
        }
        let mut all = self.0.borrow_mut();
        // A search that has looked through no page knows little, so it displaces no other.
        if search.pages.values().any(|of| matches!(of, OfPage::LookedThrough { .. })) {
            all.push(search);
        } else {
            all.insert(0, search);
        }
        let bytes = |all: &[Search]| all.iter().map(Search::memory_bytes).sum::<usize>();
        while all.len() > MAX_SEARCHES || bytes(&all) > MAX_SEARCHES_BYTES {
            all.remove(0);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.0.borrow().iter().map(Search::memory_bytes).sum()
    }
}
