//! Memory of an isolate that all namespaces share. Each may take a part of the free memory, so that
//! some is left for others.

use std::collections::BTreeMap;

/// A namespace may take more only if it then holds at most this many times the free memory. So a
/// single namespace may hold four fifths of all memory. If several take and return memory, as
/// requests do, all tend to equal shares, and a quarter of a share stays free: with two namespaces,
/// each gets four ninths.
const TIMES_OF_FREE: usize = 4;

/// The bytes that each namespace holds.
#[derive(Debug, Default)]
pub struct FairMemory {
    held: BTreeMap<String, usize>,
    all: usize,
}

/// What a namespace and all namespaces hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryUse {
    /// The bytes that all namespaces hold together.
    pub all: usize,
    /// The bytes that this namespace holds, included in `all`.
    pub own: usize,
    /// The bytes that all namespaces may hold together.
    pub most: usize,
}

impl MemoryUse {
    /// Returns whether the namespace may not take more.
    pub fn is_full(self) -> bool {
        self.all >= self.most || self.own > (self.most - self.all).saturating_mul(TIMES_OF_FREE)
    }
}

impl FairMemory {
    /// Nobody holds anything.
    pub const NONE: Self = Self { held: BTreeMap::new(), all: 0 };

    /// Returns what a namespace and all namespaces hold, with the bound `most`.
    pub fn of(&self, namespace: &str, most: usize) -> MemoryUse {
        MemoryUse {
            all: self.all,
            own: self.held.get(namespace).copied().unwrap_or_default(),
            most,
        }
    }

    /// Counts `bytes` for a namespace. Returns false, and counts nothing, if it would then hold
    /// more than it may with the bound `most`. A single namespace always has room.
    pub fn take(&mut self, namespace: &str, bytes: usize, most: usize) -> bool {
        let MemoryUse { all, own, .. } = self.of(namespace, most);
        let then = MemoryUse { all: all + bytes, own: own + bytes, most };
        // A namespace may fill its part to the last byte, so equality is allowed.
        let has_room =
            then.all <= most && then.own <= (most - then.all).saturating_mul(TIMES_OF_FREE);
        if all > 0 && !has_room {
            return false;
        }
        self.add(namespace, bytes);
        true
    }

    /// Counts `bytes` that a namespace holds already.
    pub fn add(&mut self, namespace: &str, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.all += bytes;
        match self.held.get_mut(namespace) {
            Some(held) => *held += bytes,
            None => drop(self.held.insert(namespace.to_owned(), bytes)),
        }
    }

    /// Returns counted bytes.
    pub fn give_back(&mut self, namespace: &str, bytes: usize) {
        let Some(held) = self.held.get_mut(namespace) else { return };
        let bytes = bytes.min(*held);
        *held -= bytes;
        self.all -= bytes;
        if *held == 0 {
            self.held.remove(namespace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: usize = 1_000_000;

    #[test]
    fn one_namespace_leaves_a_fifth_to_the_others() {
        let mut memory = FairMemory::NONE;
        let taken: Vec<_> = (0..3).map(|_| memory.take("a", 16 * MB, 40 * MB)).collect();
        assert_eq!(taken, [true, true, false]);
        assert!(memory.take("b", 6 * MB, 40 * MB) && !memory.take("b", MB, 40 * MB));
        memory.give_back("a", 16 * MB);
        assert!(!memory.take("a", 16 * MB, 40 * MB), "it would leave two megabytes to the others");
        memory.give_back("b", 6 * MB);
        assert!(memory.take("a", 16 * MB, 40 * MB));
    }

    /// Without this, two active namespaces would keep all memory, and every other one would be
    /// refused.
    #[test]
    fn active_namespaces_tend_to_equal_shares_and_leave_some() {
        for count in [2, 5, 20] {
            let mut memory = FairMemory::NONE;
            let names: Vec<String> = (0..count).map(|n| n.to_string()).collect();
            for _ in 0..500 {
                for name in &names {
                    memory.give_back(name, usize::MAX);
                    while memory.take(name, MB / 50, 40 * MB) {}
                }
            }
            let share = 40 * MB * TIMES_OF_FREE / (TIMES_OF_FREE * count + 1);
            for name in &names {
                let own = memory.of(name, 40 * MB).own;
                assert!(
                    (share * 9 / 10..share * 11 / 10).contains(&own),
                    "{own} of {share} with {count}"
                );
            }
            let free = 40 * MB - memory.all;
            assert!(
                free >= share / 5 && memory.take("another", free * 3 / 4, 40 * MB),
                "{free} of {share} are free"
            );
        }
    }

    #[test]
    fn a_single_namespace_has_room_and_ended_ones_leave_nothing() {
        let mut memory = FairMemory::NONE;
        assert!(memory.take("a", 16 * MB, MB) && !memory.take("b", MB, MB));
        memory.give_back("a", 16 * MB);
        assert_eq!((memory.held.len(), memory.all), (0, 0));
    }

    #[test]
    fn held_bytes_count_whatever_the_bound() {
        let mut memory = FairMemory::NONE;
        memory.add("a", 50 * MB);
        memory.add("b", 0);
        assert!(memory.of("a", 40 * MB).is_full() && memory.of("b", 40 * MB).is_full());
        memory.give_back("a", 19 * MB);
        assert!(!memory.of("a", 40 * MB).is_full() && !memory.of("b", 40 * MB).is_full());
        memory.add("a", 2 * MB);
        assert!(memory.of("a", 40 * MB).is_full() && !memory.of("b", 40 * MB).is_full());
    }
}
