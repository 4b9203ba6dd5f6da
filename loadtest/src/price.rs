//! Dollars per million tasks, from the differences of the shards' meter and a price table.

use serde::Serialize;

use crate::stats::Meter;

/// Dollars per million units on the paid plan, beyond what is included.
///
/// Source: Cloudflare's published prices for Workers, Durable Objects (SQLite storage) and Queues,
/// read in 2026. Left out because no meter counts them: Durable Object duration (12.50 per million
/// GB-s) and stored bytes (0.20 per GB-month).
pub(crate) mod dollars_per_million {
    /// Worker requests, queue consumer invocations among them.
    pub(crate) const WORKER_REQUESTS: f64 = 0.30;
    /// Durable Object requests; an alarm that runs is one.
    pub(crate) const DURABLE_OBJECT_REQUESTS: f64 = 0.15;
    /// Rows written in a Durable Object's SQLite; setting an alarm is one.
    pub(crate) const ROWS_WRITTEN: f64 = 1.00;
    /// Rows read in a Durable Object's SQLite.
    pub(crate) const ROWS_READ: f64 = 0.001;
    /// Queue operations: one for each 64 KB written, read or deleted.
    pub(crate) const QUEUE_OPERATIONS: f64 = 0.40;
}

/// Operations a queue message of up to 64 KB costs in its life: write, read, delete.
const OPERATIONS_PER_MESSAGE: f64 = 3.0;

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// Units used in the whole run.
    pub(crate) used: f64,
    /// Units per task.
    pub(crate) per_task: f64,
    /// Price of a million units.
    pub(crate) unit_dollars_per_million: f64,
    /// What these units cost for a million tasks.
    pub(crate) dollars_per_million_tasks: f64,
}

/// The bill of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bill {
    /// Tasks the costs are divided by.
    pub(crate) tasks: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) dollars_per_million_tasks: f64,
}

/// Returns the bill for `tasks` tasks, from what the meter counted meanwhile and the `api_requests`
/// the client made.
///
/// Queue consumers are not metered by the shards; each message is taken as one invocation of its
/// consumer, which is the most it can be (a batch of several messages is one).
pub(crate) fn bill(used: Meter, api_requests: u64, tasks: u64) -> Bill {
    use dollars_per_million as price;
    let consumer_invocations = count(used.queue_operations) / OPERATIONS_PER_MESSAGE;
    let lines: Vec<Line> = [
        ("Worker requests", count(api_requests) + consumer_invocations, price::WORKER_REQUESTS),
        // The meter has the alarms that went off among the requests, and the alarms set among the
        // rows written.
        ("Durable Object requests", count(used.shard_requests), price::DURABLE_OBJECT_REQUESTS),
        ("rows written", count(used.rows_written), price::ROWS_WRITTEN),
        ("rows read", count(used.rows_read), price::ROWS_READ),
        ("queue operations", count(used.queue_operations), price::QUEUE_OPERATIONS),
    ]
    .into_iter()
    .map(|(name, used, unit)| {
        let per_task = used / count(tasks.max(1));
        Line {
            name,
            used,
            per_task,
            unit_dollars_per_million: unit,
            dollars_per_million_tasks: per_task * unit,
        }
    })
    .collect();
    Bill {
        tasks,
        dollars_per_million_tasks: lines.iter().map(|line| line.dollars_per_million_tasks).sum(),
        lines,
    }
}

/// Returns a counter as a float; counters here stay far below 2^53.
fn count(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_multiplies_each_meter_by_its_price() {
        let used = Meter {
            rows_read: 2_000_000,
            rows_written: 50_000,
            alarms_set: 10_000,
            shard_requests: 30_000,
            queue_operations: 15_000,
        };
        let bill = bill(used, 1_000, 1_000_000);
        let dollars: Vec<f64> =
            bill.lines.iter().map(|line| line.dollars_per_million_tasks).collect();
        let expected = [6_000.0 * 0.30e-6, 30_000.0 * 0.15e-6, 0.05, 0.002, 0.006];
        for (got, want) in dollars.iter().zip(expected) {
            assert!((got - want).abs() < 1e-9, "{dollars:?}");
        }
        assert!((bill.dollars_per_million_tasks - expected.iter().sum::<f64>()).abs() < 1e-9);
    }

    #[test]
    fn no_tasks_is_not_a_division_by_zero() {
        let bill = bill(Meter::default(), 0, 0);
        assert!(bill.dollars_per_million_tasks.abs() < 1e-12);
    }
}
