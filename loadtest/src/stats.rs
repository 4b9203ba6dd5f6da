//! The part of `GET /v1/stats` that the load tester reads. Fields it does not know are ignored,
//! absent ones are 0, so that it keeps working while the server's answer grows.

use serde::{Deserialize, Serialize};

/// Totals over all shards. Counters are cumulative since a shard was made: only differences mean
/// something.
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

/// The counters of one shard, as far as they show whether they can be relied on.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct ShardCounters {
    pub(crate) shard: String,
    pub(crate) created: u64,
    pub(crate) fired: u64,
    pub(crate) meter: Meter,
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
    /// Returns what was used between `before` and this reading; none when a counter went back.
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

/// Returns what the meter counted between two readings, if it can be believed.
///
/// A shard that lost counters (with its memory, say) would make a run look cheaper than it was, so
/// a difference is given only when no shard's counters went back, and when they account for the
/// `created` tasks and `fired` occurrences that this tool knows of itself. Losses within the rest
/// cannot be seen from outside.
///
/// # Errors
/// Says which counter is wrong.
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
    fn a_meter_that_accounts_for_the_run_gives_the_difference() {
        let meter = used(&stats(5, 5, 10), &stats(8, 7, 14), 3, 2).unwrap();
        assert_eq!(meter, Meter { rows_written: 4, ..Meter::default() });
    }

    #[test]
    fn a_meter_that_lost_something_gives_nothing() {
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
    fn another_shard_losing_its_counters_is_not_hidden_by_the_sum() {
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
