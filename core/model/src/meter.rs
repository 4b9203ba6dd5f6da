//! Counts the operations that the platform bills.

use serde::{Deserialize, Serialize};

/// The billed operations since the shard was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meter {
    /// Rows read, as SQLite reports them.
    pub rows_read: u64,
    /// Rows written, as SQLite reports them, and one for each alarm that is set, because the
    /// platform bills it as a row.
    pub rows_written: u64,
    /// Alarms set. Their rows are included in `rows_written`.
    pub alarms_set: u64,
    /// Requests to the shard, including alarms that went off.
    pub shard_requests: u64,
    /// Queue operations: each message costs a write, a read and a delete for each started 64 KB.
    pub queue_operations: u64,
    /// The least number of firings that windows have saved; each firing costs some rows and often
    /// an alarm. It is the number of additional instants at which the tasks that a window has moved
    /// would have fired without it.
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

/// Returns the queue operations of a message of `bytes`: it is written, read and deleted, for each
/// started 64 KB.
pub fn message_operations(bytes: usize) -> u64 {
    3 * bytes.div_ceil(QUEUE_UNIT_BYTES).max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_billed_by_started_64_kilobytes() {
        assert_eq!([0, 1, 64_000, 64_001, 128_000].map(message_operations), [3, 3, 3, 6, 6]);
    }
}
