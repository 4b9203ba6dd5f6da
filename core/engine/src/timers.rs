//! The timers of a shard: a min-heap in the one total order of firing.

use scheduler_model::position::Position;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A min-heap of positions. Entries are never removed from its middle. The caller that pops a
/// position checks whether it is still current.
#[derive(Debug, Default, Clone)]
pub struct TimerHeap {
    heap: BinaryHeap<Reverse<Position>>,
}

impl TimerHeap {
    /// Returns an empty heap with room for `capacity` positions.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(capacity) }
    }

    /// Builds the heap in O(n), with one allocation for `most` positions.
    pub fn of_at_most(most: usize, positions: impl Iterator<Item = Position>) -> Self {
        let mut heap = Vec::with_capacity(most);
        heap.extend(positions.map(Reverse));
        Self { heap: heap.into() }
    }

    /// Returns the bytes of memory that the heap takes.
    pub fn memory_bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Position>()
    }

    /// Adds a position in O(log n). For a position that is later than most others, this is usually
    /// O(1).
    pub fn push(&mut self, position: Position) {
        self.heap.push(Reverse(position));
    }

    /// Returns the earliest position.
    pub fn peek(&self) -> Option<Position> {
        self.heap.peek().map(|Reverse(position)| *position)
    }

    /// Removes and returns the earliest position.
    pub fn pop(&mut self) -> Option<Position> {
        self.heap.pop().map(|Reverse(position)| position)
    }

    /// Returns the number of positions, outdated ones included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Returns whether the heap has no position.
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
