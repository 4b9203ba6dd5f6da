//! The timers of a shard: a min-heap in the one total order of firing.

use crate::time::UnixMillis;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A place in the one total order in which a shard fires: by due time, then page, then index in the page.
///
/// **Invariant 1.** The heap, the pages' directories and the watermark use this same order. A shard's progress is one
/// position, its watermark: everything at or before it has been handed on. Page 0 stands for the recurring tasks, whose index is the
/// number of their schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// When it fires.
    pub due: UnixMillis,
    /// The number of its page, from 1; 0 for recurring tasks.
    pub page: u32,
    /// Its index in the page, or the number of its schedule.
    pub index: u32,
}

/// A min-heap of positions. Entries are never removed from its middle: who pops one checks whether it still stands.
#[derive(Debug, Default, Clone)]
pub struct TimerHeap {
    heap: BinaryHeap<Reverse<Position>>,
}

impl TimerHeap {
    /// Room for `capacity` positions.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(capacity) }
    }

    /// Builds the heap in O(n), with one allocation for `most` positions.
    pub fn of_at_most(most: usize, positions: impl Iterator<Item = Position>) -> Self {
        let mut heap = Vec::with_capacity(most);
        heap.extend(positions.map(Reverse));
        Self { heap: heap.into() }
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Position>()
    }

    /// Adds a position. O(log n), mostly O(1) for one that is later than most.
    pub fn push(&mut self, position: Position) {
        self.heap.push(Reverse(position));
    }

    /// The earliest position.
    pub fn peek(&self) -> Option<Position> {
        self.heap.peek().map(|Reverse(position)| *position)
    }

    /// Takes the earliest position.
    pub fn pop(&mut self) -> Option<Position> {
        self.heap.pop().map(|Reverse(position)| position)
    }

    /// How many positions it holds, those that no longer stand included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl FromIterator<Position> for TimerHeap {
    /// Builds the heap in O(n).
    fn from_iter<I: IntoIterator<Item = Position>>(positions: I) -> Self {
        Self { heap: positions.into_iter().map(Reverse).collect() }
    }
}
