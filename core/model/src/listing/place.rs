//! Places in lists over all shards.

use crate::format::hex;
use crate::position::Position;
use crate::protocol::paths;
use crate::routing::ShardId;
use scheduler_calendar::time::UnixMillis;
use std::fmt;
use std::str::FromStr;

/// A place in a list over all shards. Places are ordered by time, then by shard, then by the place
/// on the shard. The time is the due time, or the time of the last send for an attempt in flight.
/// As text, a cursor has 36 hexadecimal digits, however many shards there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub(super) due: UnixMillis,
    shard: ShardId,
    page: u32,
    index: u32,
}

impl Cursor {
    pub(super) fn new(shard: ShardId, position: Position) -> Self {
        Self { due: position.due, shard, page: position.page, index: position.index }
    }

    /// Returns the position after which `shard` lists its tasks.
    pub fn after(self, shard: ShardId) -> Position {
        let end_of = |due| Position { due, page: u32::MAX, index: u32::MAX };
        match shard.cmp(&self.shard) {
            std::cmp::Ordering::Less => end_of(self.due),
            std::cmp::Ordering::Equal => {
                Position { due: self.due, page: self.page, index: self.index }
            }
            std::cmp::Ordering::Greater => end_of(self.due.plus(-1)),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { due, shard, page, index } = self;
        write!(f, "{:012x}{:04x}{:04x}{page:08x}{index:08x}", due.get(), shard.epoch, shard.index)
    }
}

/// The text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot be read; send the one from the last answer unchanged, or leave it out to begin with the first page"
)]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        if text.len() != 36 {
            return Err(CursorError);
        }
        let part =
            |from: usize, to: usize| text.get(from..to).and_then(hex::number).ok_or(CursorError);
        Ok(Self {
            due: UnixMillis::new(part(0, 12)? as i64),
            shard: ShardId { epoch: part(12, 16)? as u16, index: part(16, 20)? as u16 },
            page: part(20, 28)? as u32,
            index: part(28, 36)? as u32,
        })
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By due time.
    #[default]
    Ascending,
    /// By due time, the latest first.
    Descending,
    /// By the time of death, the newest first; for dead letters.
    NewestFirst,
}

impl Order {
    /// Returns the path of the request to a shard.
    pub fn path(self) -> &'static str {
        match self {
            Self::Ascending => paths::LIST,
            Self::Descending => paths::LIST_FROM_THE_END,
            Self::NewestFirst => paths::DEAD_LETTERS,
        }
    }

    /// Returns the time of a place in the list: a due time, the time of a dispatch, or a time of
    /// death. Returns `None` if the entry there has no time.
    pub fn time_at(self, place: &Cursor) -> Option<UnixMillis> {
        let position = Position { due: place.due, page: 0, index: 0 };
        let due = match self {
            Self::Ascending => position.due,
            Self::Descending => position.from_the_end().due,
            Self::NewestFirst => position.newest_first().due,
        };
        due.death().or(Some(due).filter(|due| !due.is_never()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ShardId = ShardId { epoch: 1, index: 0 };
    const B: ShardId = ShardId { epoch: 1, index: 1 };

    #[test]
    fn cursors_read_back_and_ask_each_shard_for_what_is_behind() {
        let cursor = Cursor::new(B, Position { due: UnixMillis::new(50), page: 7, index: 9 });
        assert_eq!(cursor.to_string(), "000000000032000100010000000700000009");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!(cursor.after(A) > Position { due: UnixMillis::new(50), page: 99, index: 99 });
        assert_eq!(cursor.after(B), Position { due: UnixMillis::new(50), page: 7, index: 9 });
        let third = ShardId { epoch: 2, index: 0 };
        assert!(cursor.after(third) < Position { due: UnixMillis::new(50), page: 0, index: 0 });
        for bad in ["", "x", "00000000003200010001000000070000000g", &"é".repeat(18)] {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError));
        }
    }

    #[test]
    fn a_place_has_the_time_of_what_is_there() {
        let at = |position: Position| Cursor::new(A, position);
        let due = |due| Position { due, page: 7, index: 9 };
        let (five, died) = (UnixMillis::new(5), UnixMillis::new(6).as_death());
        for (position, time) in [
            (due(five), Some(five)),
            (due(died), Some(UnixMillis::new(6))),
            (due(UnixMillis::PAUSED), None),
            (due(UnixMillis::NEVER), None),
        ] {
            assert_eq!(Order::Ascending.time_at(&at(position)), time);
            assert_eq!(Order::Descending.time_at(&at(position.from_the_end())), time);
            assert_eq!(Order::NewestFirst.time_at(&at(position.newest_first())), time);
        }
    }
}
