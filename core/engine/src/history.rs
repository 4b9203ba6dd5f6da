//! The rows of the history of a shard. In memory, a row is two numbers.

use crate::budget::MAX_DROPPED_AT_ONCE;
use crate::effects::{Effects, Write};
use crate::snapshot::StoredHistory;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{HISTORY_ROW_BYTES, MAX_HISTORY_AGE_MILLIS, MAX_HISTORY_ROWS};
use scheduler_model::format::history::ChunkBuilder;
use std::collections::BTreeMap;

/// The rows by number. Each has the time at which the newest outcome was reported, and the length
/// of the body in bytes.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) rows: BTreeMap<u64, (UnixMillis, u32)>,
}

impl Log {
    pub(super) fn load(rows: Vec<StoredHistory>) -> Self {
        Self { rows: collected(rows.into_iter().map(|row| (row.row, (row.newest, row.bytes)))) }
    }

    /// Adds a chunk to the newest row, or to a new row if there is no room. A new row drops old
    /// rows.
    pub(super) fn add(&mut self, chunk: ChunkBuilder, now: UnixMillis, effects: &mut Effects) {
        let Some(chunk) = chunk.finish() else { return };
        let len = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        if let Some(mut open) = self.rows.last_entry() {
            let row = *open.key();
            let (newest, bytes) = open.get_mut();
            if *bytes as usize + chunk.len() <= HISTORY_ROW_BYTES {
                // The time does not decrease if the clock has gone back. An empty row has no newer
                // outcome.
                *newest = if *bytes == 0 { now } else { now.max(*newest) };
                *bytes += len;
                effects.writes.push(Write::ExtendHistory { row, newest: *newest, tail: chunk });
                return;
            }
        }
        let row = self.rows.last_key_value().map_or(1, |(last, _)| last + 1);
        self.rows.insert(row, (now, len));
        effects.writes.push(Write::InsertHistory { row, newest: now, body: chunk });
        self.drop_old(now, effects);
    }

    /// Drops surplus and old rows, but never the newest one, because its number must not be used
    /// again.
    fn drop_old(&mut self, now: UnixMillis, effects: &mut Effects) {
        let oldest = oldest_kept(now);
        let mut up_to = None;
        for _ in 0..MAX_DROPPED_AT_ONCE {
            let Some(first) = self.rows.first_entry() else { break };
            let is_old = first.get().0 < oldest;
            let row = *first.key();
            if self.rows.len() <= 1 || !(is_old || self.rows.len() > MAX_HISTORY_ROWS) {
                break;
            }
            self.rows.remove(&row);
            up_to = Some(row);
        }
        effects.writes.extend(up_to.map(|up_to| Write::DropHistory { up_to }));
    }

    /// Drops all rows and adds an empty one, because their numbers must not be used again.
    pub(super) fn purge(&mut self, effects: &mut Effects) {
        let Some((last, (newest, bytes))) = self.rows.last_key_value().map(|(row, of)| (*row, *of))
        else {
            return;
        };
        if self.rows.len() == 1 && bytes == 0 {
            return;
        }
        self.rows = BTreeMap::from([(last + 1, (newest, 0))]);
        effects.writes.push(Write::InsertHistory { row: last + 1, newest, body: Vec::new() });
        effects.writes.push(Write::DropHistory { up_to: last });
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.len() * size_of::<(u64, (UnixMillis, u32))>()
    }
}

/// Returns the time before which outcomes are dropped.
pub(super) fn oldest_kept(now: UnixMillis) -> UnixMillis {
    now.plus(-MAX_HISTORY_AGE_MILLIS)
}
