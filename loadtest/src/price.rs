//! Computes dollars per million tasks from the differences of the shards' meter and a price table.

use serde::Serialize;

use crate::stats::Meter;

/// Dollars per million units on the paid plan, beyond the included amounts.
///
/// Source: Cloudflare's published prices for Workers, Durable Objects (SQLite storage) and Queues,
/// read in 2026. Two prices are omitted because no meter counts their units: the duration of
/// Durable Objects (12.50 per million GB-s) and stored bytes (0.20 per GB-month).
pub(crate) mod dollars_per_million {
    /// Worker requests, including invocations of queue consumers.
    pub(crate) const WORKER_REQUESTS: f64 = 0.30;
    /// Durable Object requests; an alarm that goes off is one.
    pub(crate) const DURABLE_OBJECT_REQUESTS: f64 = 0.15;
    /// Rows written in a Durable Object's SQLite; setting an alarm is one.
    pub(crate) const ROWS_WRITTEN: f64 = 1.00;
    /// Rows read in a Durable Object's SQLite.
    pub(crate) const ROWS_READ: f64 = 0.001;
    /// Queue operations: one for each 64 KB written, read or deleted.
    pub(crate) const QUEUE_OPERATIONS: f64 = 0.40;
}

/// The operations of a queue message of up to 64 KB: write, read, delete.
const OPERATIONS_PER_MESSAGE: f64 = 3.0;

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// The units used in the whole run.
    pub(crate) used: f64,
    /// The units per task.
    pub(crate) per_task: f64,
    /// The price of a million units.
    pub(crate) unit_dollars_per_million: f64,
    /// The price of these units for a million tasks.
    pub(crate) dollars_per_million_tasks: f64,
}

/// The bill of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bill {
    /// The number of tasks that the costs are divided by.
    pub(crate) tasks: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) dollars_per_million_tasks: f64,
}

/// Returns the bill for `tasks` tasks, from the difference of the meter and from the `api_requests`
/// of the client.
///
/// The shards do not meter queue consumers. The bill counts one invocation for each message, which
/// is an upper bound, because a batch of several messages is one invocation.
pub(crate) fn bill(used: Meter, api_requests: u64, tasks: u64) -> Bill {
    use dollars_per_million as price;
    let consumer_invocations = count(used.queue_operations) / OPERATIONS_PER_MESSAGE;
    let lines: Vec<Line> = [
        ("Worker requests", count(api_requests) + consumer_invocations, price::WORKER_REQUESTS),
        // In the meter, alarms that went off are requests, and alarms that were set are rows
        // written.
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

/// Returns a counter as a float. Counters here are far below 2^53.
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
    fn a_bill_for_no_tasks_does_not_divide_by_zero() {
        let bill = bill(Meter::default(), 0, 0);
        assert!(bill.dollars_per_million_tasks.abs() < 1e-12);
    }
}
