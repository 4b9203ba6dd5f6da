//! Pages: many records in one stored row.
//!
//! A page has a **body**, which contains the texts of its records one after another, and a
//! **directory** with an entry for each, in firing order. A shard keeps directories in memory and
//! reads bodies when it needs them. The bytes of a directory:
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version: 1, or 2 if an entry has [`Flags::LOCAL`], with unkeyed hashes, as requests have; 3 and 4 the same with keyed ones, as a shard stores |
//! | 1 | lane: 0, or the number of the limit's key in the shard (see `engine::lanes`); in a request, the place of the key in its list, from 1 |
//! | 2-3 | number of entries, little-endian as everything here |
//! | then 20 an entry | |
//! | 0-7 | hash of the task's id: xxh64, or by the shard's key ([`crate::id_key::IdKey`]) |
//! | 8-13 | due time in Unix milliseconds, 48 bits |
//! | 14-19 | 48 bits: offset in the body (20), length (19), [`Flags::LOCAL`] (1, in version 2), other flags (4), priority (4, as its distance from 5 upwards, modulo 10) |

use crate::bounds::{MAX_PAGE_BODY_BYTES, MAX_PAGE_TASKS, MAX_RECORD_BYTES, PAGE_TARGET_BYTES};
use crate::numbers::LaneNumber;
use crate::task::{DEFAULT_PRIORITY, MAX_PRIORITY};
use scheduler_calendar::time::UnixMillis;

const VERSION: u8 = 1;
/// The version of a directory with an entry that has [`Flags::LOCAL`]. So a start-up can see from
/// one byte whether a page has such entries.
const VERSION_WITH_LOCAL: u8 = 2;
/// Added to either version if the hashes are keyed.
const KEYED: u8 = 2;
const LAST_VERSION: u8 = VERSION_WITH_LOCAL + KEYED;
const HEADER_BYTES: usize = 4;
const ENTRY_BYTES: usize = 20;
const BITS_20: u64 = (1 << 20) - 1;
const BITS_19: u64 = (1 << 19) - 1;
const BITS_48: u64 = (1 << 48) - 1;

// The widths of the format hold every value within the limits.
const _: () =
    assert!(MAX_PAGE_BODY_BYTES <= BITS_19 as usize && MAX_PAGE_TASKS <= u16::MAX as usize);

/// The most bytes that [`PageBuilder::reserve_like_the_last`] makes room for, because the length of
/// further records is a guess.
const MAX_RESERVED_BYTES: usize = 4 * PAGE_TARGET_BYTES;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(u16);

impl Flags {
    /// A task on its first attempt, for the dispatchers.
    pub const TASK: Self = Self(0);
    /// The record goes to the user's own consumer.
    pub const TO_QUEUE: Self = Self(1);
    /// A further attempt of an occurrence that fired before.
    pub const RETRY: Self = Self(2);
    /// An occurrence that failed for good; it never fires by itself.
    pub const DEAD_LETTER: Self = Self(4);
    /// The record decides whether the entry fires, by how late it is (see
    /// [`crate::schedule::Policies`]).
    pub const CONDITIONAL: Self = Self(8);
    /// The time was given as a local time, and the task has not fired. A new law of its time zone
    /// moves it (see `engine::law`).
    pub const LOCAL: Self = Self(256);
    const ALL: u16 = 15 | Self::LOCAL.0;
    /// The bits of the priority.
    const PRIORITY_SHIFT: u16 = 4;
    const PRIORITY_BITS: u16 = 15 << Self::PRIORITY_SHIFT;
    const PRIORITIES: u8 = MAX_PRIORITY + 1;

    /// Returns the flags with a priority from 0 to 9. Tasks without a priority have
    /// [`DEFAULT_PRIORITY`]. It is written as 0, as before there were priorities.
    #[must_use]
    pub const fn with_priority(self, priority: u8) -> Self {
        let distance = (priority + Self::PRIORITIES - DEFAULT_PRIORITY) % Self::PRIORITIES;
        Self(self.0 & Self::ALL | (distance as u16) << Self::PRIORITY_SHIFT)
    }

    /// Returns the priority. Of entries that are due together, those with a higher priority fire
    /// first.
    pub const fn priority(self) -> u8 {
        (self.distance() + DEFAULT_PRIORITY) % Self::PRIORITIES
    }

    const fn distance(self) -> u8 {
        ((self.0 & Self::PRIORITY_BITS) >> Self::PRIORITY_SHIFT) as u8
    }

    const fn is_known(self) -> bool {
        self.distance() < Self::PRIORITIES
    }

    /// Returns the flags with or without [`Flags::LOCAL`].
    #[must_use]
    pub const fn with_local(self, is_local: bool) -> Self {
        if is_local { Self(self.0 | Self::LOCAL.0) } else { Self(self.0 & !Self::LOCAL.0) }
    }

    /// Returns the flags of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether all flags of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The place of one record in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The hash of the task's id: [`crate::routing::id_hash`], or the shard's own hash in a
    /// [keyed](Directory::is_keyed) directory.
    pub hash: u64,
    /// When it fires, or [`UnixMillis::NEVER`] if it does not fire by itself. For a dead letter,
    /// [`UnixMillis::as_death`] of the time of death; earlier versions stored `NEVER`.
    pub due: UnixMillis,
    /// Where the record starts in the body.
    pub offset: u32,
    /// The record's length in bytes.
    pub len: u32,
    /// The flags.
    pub flags: Flags,
}

impl Entry {
    // This function and `from_bytes` are inlined, because both run several times for each task of a
    // bulk request, and the crate is built for size.
    #[inline]
    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let due = u64::try_from(self.due.get()).unwrap_or(0) & BITS_48;
        let flags = u64::from(self.flags.0);
        let place = u64::from(self.offset) & BITS_20
            | (u64::from(self.len) & BITS_19) << 20
            | (flags >> 8 & 1) << 39
            | (flags & 255) << 40;
        let [h0, h1, h2, h3, h4, h5, h6, h7] = self.hash.to_le_bytes();
        let [d0, d1, d2, d3, d4, d5, ..] = due.to_le_bytes();
        let [p0, p1, p2, p3, p4, p5, ..] = place.to_le_bytes();
        [h0, h1, h2, h3, h4, h5, h6, h7, d0, d1, d2, d3, d4, d5, p0, p1, p2, p3, p4, p5]
    }

    #[inline]
    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let [h0, h1, h2, h3, h4, h5, h6, h7, d0, d1, d2, d3, d4, d5, p0, p1, p2, p3, p4, p5] =
            *bytes;
        let place = u64::from_le_bytes([p0, p1, p2, p3, p4, p5, 0, 0]);
        Self {
            hash: u64::from_le_bytes([h0, h1, h2, h3, h4, h5, h6, h7]),
            due: UnixMillis::new(u64::from_le_bytes([d0, d1, d2, d3, d4, d5, 0, 0]) as i64),
            offset: (place & BITS_20) as u32,
            len: (place >> 20 & BITS_19) as u32,
            flags: Flags((place >> 40 & 255 | (place >> 39 & 1) << 8) as u16),
        }
    }
}

/// Why bytes are not a directory, or do not fit their body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The bytes are shorter than a header, or their length does not match the count.
    #[error("the page directory is {0} bytes long, which does not fit its count")]
    Length(usize),
    /// The version is unknown.
    #[error("the page directory has version {0}; this reader knows {VERSION} to {LAST_VERSION}")]
    Version(u8),
    /// An entry is out of order, out of the body, of length zero, or has unknown flags.
    #[error("entry {0} of the page directory is not valid")]
    Entry(usize),
}

/// The directory of a page: its entries in order of due time, as the stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    bytes: Vec<u8>,
}

impl Default for Directory {
    fn default() -> Self {
        Self { bytes: vec![VERSION, 0, 0, 0] }
    }
}

/// Sorts entries by due time. Entries with the same due time keep their order.
fn sort_by_due(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| entry.due);
}

impl Directory {
    /// Makes a directory from entries in any order.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        if !entries.is_sorted_by_key(|entry| entry.due) {
            sort_by_due(&mut entries);
        }
        Self::of_sorted(entries.into_iter())
    }

    /// Makes a directory from entries in order of due time.
    fn of_sorted(entries: impl ExactSizeIterator<Item = Entry>) -> Self {
        let mut directory = Self::default();
        directory.bytes.reserve_exact(entries.len() * ENTRY_BYTES);
        for entry in entries {
            directory.bytes.extend_from_slice(&entry.to_bytes());
            directory.note_local(entry.flags);
        }
        directory.write_count();
        directory
    }

    /// Decodes stored bytes, and checks that every entry is within a body of `body_len` bytes.
    ///
    /// # Errors
    /// Returns an error if [`Self::bytes`] could not have returned the bytes.
    pub fn decode(bytes: Vec<u8>, body_len: usize) -> Result<Self, PageError> {
        let Some(&[version, _lane, low, high]) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(PageError::Length(bytes.len()));
        };
        if !(VERSION..=LAST_VERSION).contains(&version) {
            return Err(PageError::Version(version));
        }
        let count = usize::from(u16::from_le_bytes([low, high]));
        if bytes.len() != HEADER_BYTES + count * ENTRY_BYTES || count > MAX_PAGE_TASKS {
            return Err(PageError::Length(bytes.len()));
        }
        let directory = Self { bytes };
        let mut previous = UnixMillis::ZERO;
        let mut has_local = false;
        for (at, entry) in directory.iter().enumerate() {
            let end = entry.offset as usize + entry.len as usize;
            if entry.due < previous || entry.len == 0 || end > body_len || !entry.flags.is_known() {
                return Err(PageError::Entry(at));
            }
            previous = entry.due;
            has_local |= entry.flags.has(Flags::LOCAL);
        }
        if has_local != directory.has_local() {
            return Err(PageError::Version(version));
        }
        Ok(directory)
    }

    /// Returns the bytes to store.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the lane of the entries.
    pub fn lane(&self) -> LaneNumber {
        self.bytes.get(1).copied().map_or(LaneNumber::MAIN, LaneNumber::new)
    }

    /// Moves the entries into a lane.
    pub fn set_lane(&mut self, lane: LaneNumber) {
        if let Some(byte) = self.bytes.get_mut(1) {
            *byte = lane.get();
        }
    }

    /// Returns whether any entry has [`Flags::LOCAL`].
    pub fn has_local(&self) -> bool {
        self.bytes.first().is_some_and(|version| version % 2 == 0)
    }

    fn note_local(&mut self, flags: Flags) {
        if flags.has(Flags::LOCAL)
            && !self.has_local()
            && let Some(version) = self.bytes.first_mut()
        {
            *version += VERSION_WITH_LOCAL - VERSION;
        }
    }

    /// Returns whether the hashes are keyed.
    pub fn is_keyed(&self) -> bool {
        self.bytes.first().is_some_and(|version| *version > KEYED)
    }

    /// Marks the hashes as keyed.
    pub fn set_keyed(&mut self) {
        if !self.is_keyed()
            && let Some(version) = self.bytes.first_mut()
        {
            *version += KEYED;
        }
    }

    /// Replaces every hash by the keyed hash that `hash` returns.
    ///
    /// # Errors
    /// Returns [`PageError::Entry`] for the first entry for which `hash` returns `None`.
    pub fn key(&mut self, hash: impl Fn(Entry) -> Option<u64>) -> Result<(), PageError> {
        for (at, bytes) in
            self.bytes[HEADER_BYTES..].as_chunks_mut::<ENTRY_BYTES>().0.iter_mut().enumerate()
        {
            let keyed = hash(Entry::from_bytes(bytes)).ok_or(PageError::Entry(at))?;
            bytes[..8].copy_from_slice(&keyed.to_le_bytes());
        }
        self.set_keyed();
        Ok(())
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        (self.bytes.len() - HEADER_BYTES) / ENTRY_BYTES
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the entry at `index`.
    pub fn get(&self, index: usize) -> Option<Entry> {
        let start = index.checked_mul(ENTRY_BYTES)?.checked_add(HEADER_BYTES)?;
        self.bytes.get(start..)?.first_chunk().map(Entry::from_bytes)
    }

    /// Returns the entries, earliest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Entry> + ExactSizeIterator + '_ {
        self.bytes[HEADER_BYTES..].as_chunks::<ENTRY_BYTES>().0.iter().map(Entry::from_bytes)
    }

    /// Returns how many entries are due before `due`.
    pub fn before(&self, due: UnixMillis) -> usize {
        self.bytes[HEADER_BYTES..]
            .as_chunks::<ENTRY_BYTES>()
            .0
            .partition_point(|bytes| Entry::from_bytes(bytes).due < due)
    }

    /// Adds an entry after those that are due at the same time or earlier. Returns its index.
    pub fn insert(&mut self, entry: Entry) -> usize {
        let index = self.before(entry.due.plus(1));
        let at = HEADER_BYTES + index * ENTRY_BYTES;
        self.bytes.splice(at..at, entry.to_bytes());
        self.note_local(entry.flags);
        self.write_count();
        index
    }

    /// Moves every entry that is due before `floor` to `floor`. The order stays the same.
    pub fn raise_to(&mut self, floor: UnixMillis) {
        for bytes in self.bytes[HEADER_BYTES..].as_chunks_mut::<ENTRY_BYTES>().0 {
            let mut entry = Entry::from_bytes(bytes);
            if entry.due >= floor {
                break;
            }
            entry.due = floor;
            *bytes = entry.to_bytes();
        }
    }

    fn write_count(&mut self) {
        // `PageBuilder` and the engine keep every page within MAX_PAGE_TASKS, which has 16 bits.
        debug_assert!(u16::try_from(self.len()).is_ok(), "{} entries in a page", self.len());
        let count = u16::try_from(self.len()).unwrap_or(u16::MAX);
        self.bytes[2..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
    }
}

/// A page that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Its entries.
    pub directory: Directory,
    /// Its records.
    pub body: Vec<u8>,
}

/// Collects records in any order and cuts them into pages in order of due time, so that records
/// that fire together are stored together.
#[derive(Debug, Default)]
pub struct PageBuilder {
    entries: Vec<Entry>,
    body: Vec<u8>,
}

impl PageBuilder {
    /// Makes room for `more` records that are about as long as the last one.
    pub(crate) fn reserve_like_the_last(&mut self, more: usize) {
        let bytes = self.entries.last().map_or(0, |entry| entry.len as usize);
        self.entries.reserve(more);
        self.body.reserve(more.saturating_mul(bytes).min(MAX_RESERVED_BYTES));
    }

    /// Adds the record that `write` appends to its buffer. Returns whether the record was added: an
    /// empty record, or one longer than [`MAX_RECORD_BYTES`], is not.
    #[must_use]
    pub fn push(
        &mut self,
        hash: u64,
        due: UnixMillis,
        flags: Flags,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let start = self.body.len();
        write(&mut self.body);
        let len = self.body.len() - start;
        if len == 0 || len > MAX_RECORD_BYTES {
            self.body.truncate(start);
            return false;
        }
        // The offset is relative to this buffer, which may be longer than a page. `finish` computes
        // the final offset.
        self.entries.push(Entry { hash, due, offset: start as u32, len: len as u32, flags });
        true
    }

    /// Removes the record that was pushed as number `index`.
    pub fn remove(&mut self, index: usize) {
        if let Some(entry) = self.entries.get_mut(index) {
            // A pushed record is never empty, and `finish` skips empty ones.
            entry.len = 0;
        }
    }

    /// Returns the number of pushed records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether no record was pushed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Cuts the records into pages. Each is within [`MAX_PAGE_TASKS`], and within
    /// [`PAGE_TARGET_BYTES`] unless it has a single record.
    pub fn finish(mut self) -> Vec<Page> {
        self.entries.retain(|entry| entry.len > 0);
        sort_by_due(&mut self.entries);
        let mut pages = Vec::new();
        let mut rest = self.entries.as_slice();
        while !rest.is_empty() {
            let (entries, after) = rest.split_at(entries_of_page(rest));
            rest = after;
            pages.push(Page { directory: moved_together(entries), body: self.body_of(entries) });
        }
        pages
    }

    /// Returns the records of entries, one after another.
    fn body_of(&self, entries: &[Entry]) -> Vec<u8> {
        let range = |entry: &Entry| {
            let start = entry.offset as usize;
            start..start + entry.len as usize
        };
        // The tasks of a request are often in order of due time. Then their records are together
        // already.
        let is_together =
            entries.windows(2).all(|pair| matches!(pair, [a, b] if a.offset + a.len == b.offset));
        let body = match (entries.first(), entries.last()) {
            (Some(first), Some(last)) if is_together => {
                self.body.get(range(first).start..range(last).end).unwrap_or_default().to_vec()
            }
            _ => {
                let mut body = Vec::with_capacity(bytes_of(entries));
                for entry in entries {
                    body.extend_from_slice(self.body.get(range(entry)).unwrap_or_default());
                }
                body
            }
        };
        debug_assert_eq!(body.len(), bytes_of(entries), "the records are within the buffer");
        body
    }
}

/// Returns how many of these entries, at least one, the first page takes.
fn entries_of_page(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fit = entries.iter().take(MAX_PAGE_TASKS).take_while(|entry| {
        bytes += entry.len as usize;
        bytes <= PAGE_TARGET_BYTES
    });
    fit.count().clamp(1, entries.len())
}

/// Returns the bytes of the records of entries.
fn bytes_of(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.len as usize).sum()
}

/// Returns the directory of entries whose records are moved together.
fn moved_together(entries: &[Entry]) -> Directory {
    let mut end = 0;
    Directory::of_sorted(entries.iter().map(|entry| {
        let offset = end;
        end += entry.len;
        Entry { offset, ..*entry }
    }))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
