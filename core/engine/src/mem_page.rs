//! A page in memory.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Directory;

/// A page in memory.
#[derive(Debug)]
pub(super) struct MemPage {
    pub(super) directory: Directory,
    /// The length of the body in bytes.
    pub(super) body_len: u32,
    /// Entries before this index have fired.
    pub(super) fired: u32,
    /// Entries that have neither fired nor been cancelled.
    pub(super) live: u32,
    /// Bit `i` of word `i / 64` says that entry `i` is cancelled. Empty if no entry is cancelled.
    pub(super) cancelled: Vec<u64>,
}

impl MemPage {
    pub(super) fn is_cancelled(&self, index: usize) -> bool {
        self.cancelled.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(super) fn set_cancelled(&mut self, index: usize) {
        if self.cancelled.is_empty() {
            self.cancelled = vec![0; self.directory.len().div_ceil(64)];
        }
        if let Some(word) = self.cancelled.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(super) fn is_live(&self, index: usize) -> bool {
        index >= self.fired as usize && index < self.directory.len() && !self.is_cancelled(index)
    }

    pub(super) fn fired(&self) -> usize {
        self.fired as usize
    }

    pub(super) fn live(&self) -> u32 {
        self.live
    }

    pub(super) fn has_cancelled(&self) -> bool {
        !self.cancelled.is_empty()
    }

    pub(super) fn cancelled_bits(&self) -> Vec<u8> {
        self.cancelled.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Returns the number of live entries that are due before `time`.
    pub(super) fn live_before(&self, time: UnixMillis) -> usize {
        let range = self.fired()..self.directory.before(time);
        if self.has_cancelled() {
            range.filter(|index| !self.is_cancelled(*index)).count()
        } else {
            range.len()
        }
    }

    /// Marks fired entries that are due after `time` as cancelled. Returns whether there were any.
    pub(super) fn cancel_fired(&mut self, time: UnixMillis) -> bool {
        let fired = self.directory.before(time.plus(1))..self.fired();
        let mut found = false;
        for index in fired {
            if !self.is_cancelled(index) {
                self.set_cancelled(index);
                found = true;
            }
        }
        found
    }

    pub(super) fn head(&self) -> Option<(usize, UnixMillis)> {
        let index =
            (self.fired as usize..self.directory.len()).find(|index| !self.is_cancelled(*index))?;
        Some((index, self.directory.get(index)?.due))
    }
}
