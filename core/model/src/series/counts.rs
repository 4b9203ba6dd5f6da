//! The counts of each point of a series.

use super::coarse::CoarseHistogram;
use crate::histogram::Histogram;
use crate::meter::Meter;
use crate::protocol::Counters;

/// The counts of a period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// See [`Counters::created`].
    pub created: u64,
    /// See [`Counters::fired`].
    pub fired: u64,
    /// See [`Counters::succeeded`].
    pub succeeded: u64,
    /// See [`Counters::handed_over`].
    pub handed_over: u64,
    /// See [`Counters::failed`].
    pub failed: u64,
    /// See [`Meter::rows_written`].
    pub rows_written: u64,
    /// See [`Meter::queue_operations`].
    pub queue_operations: u64,
    /// The most runs that were late at one time.
    pub backlog: u64,
    /// How long after their due times runs fired.
    pub lateness: CoarseHistogram,
}

impl Counts {
    /// Returns the counts of a shard since it was created. The backlog is 0, because it is not a
    /// sum.
    pub fn of(counters: &Counters, meter: &Meter, lateness: &Histogram) -> Self {
        Self {
            created: counters.created,
            fired: counters.fired,
            succeeded: counters.succeeded,
            handed_over: counters.handed_over,
            failed: counters.failed,
            rows_written: meter.rows_written,
            queue_operations: meter.queue_operations,
            backlog: 0,
            lateness: CoarseHistogram::from(lateness),
        }
    }

    /// Returns the counts since `earlier`. The backlog stays.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            created: self.created.saturating_sub(earlier.created),
            fired: self.fired.saturating_sub(earlier.fired),
            succeeded: self.succeeded.saturating_sub(earlier.succeeded),
            handed_over: self.handed_over.saturating_sub(earlier.handed_over),
            failed: self.failed.saturating_sub(earlier.failed),
            rows_written: self.rows_written.saturating_sub(earlier.rows_written),
            queue_operations: self.queue_operations.saturating_sub(earlier.queue_operations),
            backlog: self.backlog,
            lateness: self.lateness.since(&earlier.lateness),
        }
    }

    fn add_all_but_backlog(&mut self, other: &Self) {
        self.created = self.created.saturating_add(other.created);
        self.fired = self.fired.saturating_add(other.fired);
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.handed_over = self.handed_over.saturating_add(other.handed_over);
        self.failed = self.failed.saturating_add(other.failed);
        self.rows_written = self.rows_written.saturating_add(other.rows_written);
        self.queue_operations = self.queue_operations.saturating_add(other.queue_operations);
        self.lateness.add(&other.lateness);
    }

    /// Adds the counts of the same shard in another period.
    pub fn add_time(&mut self, other: &Self) {
        self.add_all_but_backlog(other);
        self.backlog = self.backlog.max(other.backlog);
    }

    /// Adds the counts of another shard in the same period.
    pub fn add_shard(&mut self, other: &Self) {
        self.add_all_but_backlog(other);
        self.backlog = self.backlog.saturating_add(other.backlog);
    }

    /// Returns whether all counts are 0.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The counts of a shard in one minute or in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The number of the minute or hour: see [`super::Resolution::number`].
    pub number: i64,
    /// The counts.
    pub counts: Counts,
}
