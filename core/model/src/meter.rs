//! What the platform will bill, counted where it happens.

use serde::{Deserialize, Serialize};

/// Billed operations since the shard was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meter {
    /// Rows read, as SQLite reports them.
    pub rows_read: u64,
    /// Rows written, as SQLite reports them, and one for each alarm that is set (as the platform
    /// bills it).
    pub rows_written: u64,
    /// Alarms set; their rows are in `rows_written` too.
    pub alarms_set: u64,
    /// Requests to the shard, alarms that went off included.
    pub shard_requests: u64,
    /// Queue operations: for each message a write, a read and a delete per 64 KB begun.
    pub queue_operations: u64,
    /// Firings that windows have spared at the least, each some rows and often an alarm: at how
    /// many more instants the tasks of a firing that a window has moved would have fired without.
    pub firings_saved: u64,
}

impl Meter {
    /// Adds another meter's counts.
    pub fn add(&mut self, other: &Self) {
        self.rows_read += other.rows_read;
        self.rows_written += other.rows_written;
        self.alarms_set += other.alarms_set;
        self.shard_requests += other.shard_requests;
        self.queue_operations += other.queue_operations;
        self.firings_saved += other.firings_saved;
    }

    /// Counts a queue message of `bytes`.
    pub fn count_message(&mut self, bytes: usize) {
        self.queue_operations += message_operations(bytes);
    }
}

/// Bytes of a message per billed queue operation.
const QUEUE_UNIT_BYTES: usize = 64_000;

/// Queue operations that a message of `bytes` costs in its life: written, read and deleted, per 64
/// KB begun.
pub fn message_operations(bytes: usize) -> u64 {
    3 * bytes.div_ceil(QUEUE_UNIT_BYTES).max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_billed_by_64_kilobytes_begun() {
        assert_eq!([0, 1, 64_000, 64_001, 128_000].map(message_operations), [3, 3, 3, 6, 6]);
    }
}
