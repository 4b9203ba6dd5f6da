//! The order in which a shard fires.

use scheduler_calendar::time::UnixMillis;

/// A place in the one total order in which a shard fires: by due time, then by page, then by index
/// in the page.
///
/// **Invariant 1.** The heap, the pages' directories and the watermark use this same order. A
/// shard's progress is one position, its watermark: everything at or before it was dispatched. Page
/// 0 means the recurring tasks, whose index is the number of their schedule.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Position {
    /// When it fires.
    pub due: UnixMillis,
    /// The number of the page, from 1; 0 for recurring tasks.
    pub page: u32,
    /// The index in the page, or the number of the schedule.
    pub index: u32,
}

impl Position {
    /// Converts a position to its place in descending order, and such a place back to the position.
    #[must_use]
    pub const fn from_the_end(self) -> Self {
        let Self { due, page, index } = self;
        let due = UnixMillis::new(UnixMillis::NEVER.get() - due.get());
        Self { due, page: u32::MAX - page, index: u32::MAX - index }
    }

    /// Converts the position of a dead letter to its place in the order of the newest first, and
    /// such a place back to the position. The dead letters that earlier versions stored are due
    /// never. They come last, in no order of time.
    #[must_use]
    pub const fn newest_first(self) -> Self {
        let Self { due, page, index } = self;
        // What is never due is its own mirror image: the others lie between the two ends.
        let due = if due.get() == UnixMillis::NEVER.get() {
            due
        } else {
            UnixMillis::new(UnixMillis::NEVER.get() - 1 - due.get())
        };
        Self { due, page: u32::MAX - page, index: u32::MAX - index }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_image_of_a_mirror_image_is_the_position_itself() {
        let of = |due, page, index| Position { due, page, index };
        let ends = [of(UnixMillis::ZERO, 0, 0), of(UnixMillis::NEVER, u32::MAX, u32::MAX)];
        let positions = [
            ends[0],
            of(UnixMillis::new(5), 7, 9),
            of(UnixMillis::new(6), 0, 3),
            of(UnixMillis::new(7).as_death(), 2, 1),
            of(UnixMillis::PAUSED, 1, 1),
            ends[1],
        ];
        assert!(positions.is_sorted());
        for position in positions {
            assert_eq!(position.from_the_end().from_the_end(), position);
            assert_eq!(position.newest_first().newest_first(), position);
        }
        assert!(positions.map(Position::from_the_end).iter().rev().is_sorted());
        assert_eq!(ends[0].from_the_end(), ends[1]);
        assert_eq!(of(UnixMillis::NEVER, 1, 1).newest_first().due, UnixMillis::NEVER);
    }
}
