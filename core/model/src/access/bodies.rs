//! How many bytes of large bodies the requests of an instance hold at a time: an isolate's memory is shared by all of them.

use crate::bounds::MAX_TASK_BODY_BYTES;
use std::collections::BTreeMap;

/// Bodies up to this are not counted: of a thousand at once, which the platform hardly sends to one instance, each has a task.
const SMALL_BYTES: usize = MAX_TASK_BODY_BYTES;

/// What one namespace leaves to the others: a fifth.
const PARTS: usize = 5;

/// The large bodies that are held, in bytes by namespace.
#[derive(Debug, Default)]
pub struct Bodies {
    held: BTreeMap<String, usize>,
}

impl Bodies {
    /// Nothing is held.
    pub const NONE: Self = Self { held: BTreeMap::new() };

    /// Returns whether a body of so many bytes is counted.
    pub fn counts(bytes: usize) -> bool {
        bytes > SMALL_BYTES
    }

    /// Counts a body of so many bytes; returns false if there is no room for it beside the others. All bodies together take at most `most`, and
    /// those of one namespace four fifths of it; one alone always has room.
    pub fn take(&mut self, namespace: &str, bytes: usize, most: usize) -> bool {
        let all: usize = self.held.values().sum();
        let own = self.held.get(namespace).copied().unwrap_or_default();
        let has_room = all + bytes <= most && own + bytes <= most - most / PARTS;
        if all > 0 && !has_room {
            return false;
        }
        *self.held.entry(namespace.to_owned()).or_default() += bytes;
        true
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, namespace: &str, bytes: usize) {
        let Some(held) = self.held.get_mut(namespace) else { return };
        *held = held.saturating_sub(bytes);
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
    fn bodies_have_room_together_and_one_namespace_leaves_some() {
        let mut bodies = Bodies::NONE;
        let taken: Vec<_> = (0..3).map(|_| bodies.take("a", 16 * MB, 40 * MB)).collect();
        assert_eq!(taken, [true, true, false]);
        assert!(bodies.take("b", 8 * MB, 40 * MB) && !bodies.take("b", MB, 40 * MB));
        bodies.give_back("a", 16 * MB);
        assert!(bodies.take("a", 16 * MB, 40 * MB));
    }

    #[test]
    fn one_alone_has_room_and_nothing_is_left_of_those_that_have_ended() {
        let mut bodies = Bodies::NONE;
        assert!(bodies.take("a", 16 * MB, MB) && !bodies.take("b", MB, MB));
        bodies.give_back("a", 16 * MB);
        assert!(bodies.held.is_empty());
    }
}
