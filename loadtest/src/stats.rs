//! The part of `GET /v1/stats` that the load tester reads. Fields it does not know are ignored, absent ones are 0, so
//! that it keeps working while the server's answer grows.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Totals over all shards. Counters are cumulative since a shard was made: only differences mean something.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Stats {
    pub(crate) pending: u64,
    pub(crate) in_flight: u64,
    pub(crate) schedules: u64,
    pub(crate) dead_letters: u64,
    pub(crate) overdue: u64,
    pub(crate) fired: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) created: u64,
    pub(crate) lateness_millis: ServerLateness,
    pub(crate) meter: Meter,
    /// One for each shard. Only their number matters here: reading the counters asks each of them.
    #[serde(skip_serializing)]
    pub(crate) shards: Vec<IgnoredAny>,
}

/// Lateness as the shards themselves saw it, over their whole life.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServerLateness {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) count: u64,
}

/// What the platform bills, as counted by the shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meter {
    pub(crate) rows_read: u64,
    pub(crate) rows_written: u64,
    pub(crate) alarms_set: u64,
    pub(crate) shard_requests: u64,
    pub(crate) queue_operations: u64,
}

impl Meter {
    /// What was used between `before` and this reading.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            rows_read: self.rows_read.saturating_sub(before.rows_read),
            rows_written: self.rows_written.saturating_sub(before.rows_written),
            alarms_set: self.alarms_set.saturating_sub(before.alarms_set),
            shard_requests: self.shard_requests.saturating_sub(before.shard_requests),
            queue_operations: self
                .queue_operations
                .saturating_sub(before.queue_operations),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_ignored_and_absent_ones_are_zero() {
        let text = r#"{"pending":3,"somethingNew":{"a":1},"meter":{"rowsWritten":7},"shards":[{"shard":"1-0"}]}"#;
        let stats: Stats = serde_json::from_str(text).unwrap();
        assert_eq!((stats.pending, stats.shards.len()), (3, 1));
        assert_eq!(
            stats.meter,
            Meter {
                rows_written: 7,
                ..Meter::default()
            }
        );
    }

    #[test]
    fn a_restarted_meter_gives_zero_instead_of_a_huge_number() {
        let before = Meter {
            rows_written: 10,
            rows_read: 1,
            ..Meter::default()
        };
        let after = Meter {
            rows_written: 4,
            rows_read: 5,
            ..Meter::default()
        };
        assert_eq!(
            after.since(before),
            Meter {
                rows_read: 4,
                ..Meter::default()
            }
        );
    }
}
