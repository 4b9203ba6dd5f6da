//! The cursor of a history over several shards.

use crate::events::hash_of_shards;
use crate::format::codec::{take_number, varint};
use crate::format::hex;
use crate::protocol::RunPosition;
use crate::routing::ShardId;

/// A place in the history of several shards: for each shard the run before which to continue, or
/// that it has no more.
///
/// Written in hexadecimal digits: a hash of the shards' names, 4 bytes; then, as varints for each
/// shard, 0 if it has no more, 1 if it was not searched, and otherwise the number of the row plus
/// 1, and the place in the row. This takes about 8 digits per shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsCursor {
    positions: Vec<Option<RunPosition>>,
}

/// The text is not a cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot be read; send the one from the last answer unchanged, or leave it out to begin with the newest"
)]
pub struct RunsCursorError;

const NO_MORE: u64 = 0;
const AT_END: u64 = 1;

impl RunsCursor {
    /// Returns the start of a history of `shards` shards, which is the newest run.
    pub fn start(shards: usize) -> Self {
        Self { positions: vec![Some(RunPosition::END); shards] }
    }

    pub(super) fn new(positions: Vec<Option<RunPosition>>) -> Self {
        Self { positions }
    }

    /// Parses a cursor of the history of these shards.
    ///
    /// # Errors
    /// Returns an error if the text is not a cursor, or is one of other shards, because the shard
    /// map has changed in the meantime.
    pub fn parse(text: &str, shards: &[ShardId]) -> Result<Self, RunsCursorError> {
        Self::read(text, shards).ok_or(RunsCursorError)
    }

    fn read(text: &str, shards: &[ShardId]) -> Option<Self> {
        let bytes = hex::decode_all(text)?;
        let (hash, mut rest) = bytes.split_first_chunk::<4>()?;
        if *hash != hash_of_shards(shards) {
            return None;
        }
        let mut positions = Vec::with_capacity(shards.len());
        for _ in shards {
            positions.push(match varint::take(&mut rest).ok()? {
                NO_MORE => None,
                AT_END => Some(RunPosition::END),
                row => Some(RunPosition { row: row - 1, place: take_number(&mut rest).ok()? }),
            });
        }
        rest.is_empty().then_some(Self { positions })
    }

    /// Returns the text of the cursor.
    pub fn text(&self, shards: &[ShardId]) -> String {
        let mut bytes = hash_of_shards(shards).to_vec();
        for position in &self.positions {
            match position {
                None => varint::put(NO_MORE, &mut bytes),
                Some(RunPosition::END) => varint::put(AT_END, &mut bytes),
                Some(RunPosition { row, place }) => {
                    varint::put(row.saturating_add(1), &mut bytes);
                    varint::put(u64::from(*place), &mut bytes);
                }
            }
        }
        hex::encode(&bytes)
    }

    /// Returns the run before which each shard continues, or `None` for a shard that has no more.
    pub fn positions(&self) -> &[Option<RunPosition>] {
        &self.positions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARDS: [ShardId; 3] = [
        ShardId { epoch: 2, index: 0 },
        ShardId { epoch: 2, index: 1 },
        ShardId { epoch: 1, index: 0 },
    ];

    #[test]
    fn cursors_can_be_parsed_and_other_texts_are_refused() {
        let at = |row, place| Some(RunPosition { row, place });
        for positions in [
            [at(1, 0), None, Some(RunPosition::END)],
            [at(300, u32::MAX), at(1 << 40, 7), None],
            [Some(RunPosition::END); 3],
        ] {
            let cursor = RunsCursor::new(positions.to_vec());
            let text = cursor.text(&SHARDS);
            assert_eq!(RunsCursor::parse(&text, &SHARDS), Ok(cursor));
            for end in 0..text.len() {
                assert_eq!(RunsCursor::parse(&text[..end], &SHARDS), Err(RunsCursorError));
            }
            for other in [&SHARDS[..2], &[SHARDS[0], SHARDS[2], SHARDS[1]]] {
                assert_eq!(RunsCursor::parse(&text, other), Err(RunsCursorError));
            }
            for bad in [format!("{text}00"), format!("+{text}"), "é".to_owned(), "x".repeat(9)] {
                assert_eq!(RunsCursor::parse(&bad, &SHARDS), Err(RunsCursorError), "{bad}");
            }
        }
        assert_eq!(RunsCursor::start(3).positions(), [Some(RunPosition::END); 3]);
    }

    #[test]
    fn a_cursor_of_many_shards_is_short() {
        let shards: Vec<_> = (0..512).map(|index| ShardId { epoch: 1, index }).collect();
        let position = Some(RunPosition { row: 1_000, place: 600 });
        let cursor = RunsCursor::new(vec![position; 512]);
        assert_eq!(cursor.text(&shards).len(), 8 + 512 * 8);
    }
}
