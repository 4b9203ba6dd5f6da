//! The part of `GET /v1/stats` that the load tester reads. Unknown fields are ignored and absent
//! ones are 0, so that it still works after the server's answer has grown.

use serde::{Deserialize, Serialize};

/// The totals over all shards. Counters count since a shard was created, so only differences have a
/// meaning.
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
    pub(crate) shards: Vec<ShardCounters>,
}

/// The counters of one shard that show whether its meter is reliable.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct ShardCounters {
    pub(crate) shard: String,
    pub(crate) created: u64,
    pub(crate) fired: u64,
    pub(crate) meter: Meter,
}

/// The lateness in the counts of the shards, over their whole life.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServerLateness {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) count: u64,
}

/// The operations that the platform bills, as the shards count them.
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
    /// Returns the difference from `before` to this reading, or `None` if a counter has decreased.
    fn since(self, before: Self) -> Option<Self> {
        Some(Self {
            rows_read: self.rows_read.checked_sub(before.rows_read)?,
            rows_written: self.rows_written.checked_sub(before.rows_written)?,
            alarms_set: self.alarms_set.checked_sub(before.alarms_set)?,
            shard_requests: self.shard_requests.checked_sub(before.shard_requests)?,
            queue_operations: self.queue_operations.checked_sub(before.queue_operations)?,
        })
    }
}

/// Returns what the meter counted between two readings, if it is reliable.
///
/// A shard that lost counters, such as with its memory, would make a run look too cheap. So there
/// is a difference only if no shard's counter has decreased, and if the counters include the
/// `created` tasks and the `fired` occurrences that this tool knows of. Smaller losses are not
/// visible from outside.
///
/// # Errors
/// Returns the counter that is wrong.
pub(crate) fn used(
    before: &Stats,
    after: &Stats,
    created: u64,
    fired: u64,
) -> Result<Meter, String> {
    for shard in &before.shards {
        let found = after.shards.iter().find(|later| later.shard == shard.shard);
        let grew = found.is_some_and(|later| {
            later.created >= shard.created
                && later.fired >= shard.fired
                && later.meter.since(shard.meter).is_some()
        });
        if !grew {
            return Err(format!("the counters of shard {} went back during the run", shard.shard));
        }
    }
    for (name, before, after, known) in [
        ("created", before.created, after.created, created),
        ("fired", before.fired, after.fired, fired),
    ] {
        let counted = after.saturating_sub(before);
        if counted < known {
            return Err(format!(
                "the server counted {counted} tasks {name} where there were {known}"
            ));
        }
    }
    after.meter.since(before.meter).ok_or_else(|| "the meter went back during the run".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_ignored_and_absent_ones_are_zero() {
        let text = r#"{"pending":3,"somethingNew":{"a":1},"meter":{"rowsWritten":7},"shards":[{"shard":"1-0"}]}"#;
        let stats: Stats = serde_json::from_str(text).unwrap();
        assert_eq!((stats.pending, stats.shards.len()), (3, 1));
        assert_eq!(stats.meter, Meter { rows_written: 7, ..Meter::default() });
    }

    fn stats(created: u64, fired: u64, rows_written: u64) -> Stats {
        let meter = Meter { rows_written, ..Meter::default() };
        let shard = ShardCounters { shard: "1-0".to_owned(), created, fired, meter };
        Stats { created, fired, meter, shards: vec![shard], ..Stats::default() }
    }

    #[test]
    fn a_reliable_meter_gives_the_difference() {
        let meter = used(&stats(5, 5, 10), &stats(8, 7, 14), 3, 2).unwrap();
        assert_eq!(meter, Meter { rows_written: 4, ..Meter::default() });
    }

    #[test]
    fn a_meter_with_lost_counts_gives_nothing() {
        let before = stats(5, 5, 10);
        for (after, says) in [
            (stats(8, 7, 9), "shard 1-0"),
            (stats(4, 7, 14), "shard 1-0"),
            (stats(7, 7, 14), "2 tasks created where there were 3"),
            (stats(8, 6, 14), "1 tasks fired where there were 2"),
            (Stats { shards: Vec::new(), ..stats(8, 7, 14) }, "shard 1-0"),
            (Stats { meter: Meter::default(), ..stats(8, 7, 14) }, "the meter"),
        ] {
            let problem = used(&before, &after, 3, 2).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
    }

    #[test]
    fn lost_counters_of_one_shard_are_not_hidden_by_the_sum() {
        let with = |one: u64, other: u64| {
            let shard = |name: &str, created| ShardCounters {
                shard: name.to_owned(),
                created,
                ..ShardCounters::default()
            };
            Stats {
                created: one + other,
                shards: vec![shard("1-0", one), shard("1-1", other)],
                ..Stats::default()
            }
        };
        assert!(used(&with(100, 100), &with(0, 900), 500, 0).is_err());
    }
}
