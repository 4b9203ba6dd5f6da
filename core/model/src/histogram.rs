//! A histogram of lateness. It takes a fixed few hundred bytes, and histograms can be added.

use serde::{Deserialize, Serialize};

/// Counts of durations in milliseconds. Values up to 16 are exact. Above, each doubling has 8
/// buckets, so a percentile is at most 12.5 % too high and never too low.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Histogram {
    /// The counts by bucket, up to the highest used bucket.
    buckets: Vec<u64>,
    max: u64,
}

/// The number of buckets: 16 exact ones, and 8 for each of the remaining 60 doublings of 64 bits.
const MAX_BUCKETS: usize = 16 + 60 * 8;

fn bucket(value: u64) -> usize {
    if value < 16 {
        return value as usize;
    }
    let doubling = value.ilog2() as usize; // at least 4
    let eighth = (value >> (doubling - 3)) as usize & 7;
    16 + (doubling - 4) * 8 + eighth
}

/// Returns the largest value of a bucket.
fn upper_bound(bucket: usize) -> u64 {
    if bucket < 16 {
        return bucket as u64;
    }
    let (doubling, eighth) = ((bucket - 16) / 8 + 4, (bucket - 16) % 8);
    let width = 1_u64 << (doubling - 3);
    (1_u64 << doubling) + (eighth as u64 + 1).wrapping_mul(width).wrapping_sub(1)
}

impl Histogram {
    /// Counts `count` durations of `millis`. A negative duration counts as 0.
    pub fn record(&mut self, millis: i64, count: u64) {
        let value = u64::try_from(millis).unwrap_or(0);
        let at = bucket(value);
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        if let Some(bucket) = self.buckets.get_mut(at) {
            *bucket = bucket.saturating_add(count);
        }
        self.max = self.max.max(value);
    }

    /// Adds the counts of another histogram. Drops counts beyond the last possible bucket, which
    /// this type never writes.
    pub fn add(&mut self, other: &Self) {
        let len = self.buckets.len().max(other.buckets.len()).min(MAX_BUCKETS);
        self.buckets.resize(len, 0);
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = mine.saturating_add(*theirs);
        }
        self.max = self.max.max(other.max);
    }

    /// Returns the number of counted durations.
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns the smallest duration that at least `share` (0 to 1) of all durations do not exceed,
    /// rounded up to the end of its bucket. Returns 0 if there are none.
    pub fn percentile(&self, share: f64) -> u64 {
        let wanted = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut seen = 0_u64;
        for (at, count) in self.buckets.iter().enumerate() {
            seen = seen.saturating_add(*count);
            if seen >= wanted {
                return upper_bound(at.min(MAX_BUCKETS - 1)).min(self.max);
            }
        }
        self.max
    }

    /// Returns the longest duration, which is exact.
    pub fn max(&self) -> u64 {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_meet_without_gap_or_overlap() {
        let mut next = 0_u64;
        for at in 0..MAX_BUCKETS {
            assert_eq!(bucket(next), at, "first of bucket {at}");
            assert_eq!(bucket(upper_bound(at)), at, "last of bucket {at}");
            next = upper_bound(at).wrapping_add(1);
        }
        assert_eq!(next, 0, "the last bucket ends at the last u64");
    }

    #[test]
    fn percentiles_are_never_too_low_and_at_most_slightly_too_high() {
        let mut histogram = Histogram::default();
        (1..=10_000).for_each(|millis| histogram.record(millis, 1));
        for (share, exact) in [(0.5, 5_000), (0.9, 9_000), (0.99, 9_900), (1.0, 10_000)] {
            let found = histogram.percentile(share);
            assert!(found >= exact && found as f64 <= exact as f64 * 1.125, "{share}: {found}");
        }
        assert_eq!((histogram.count(), histogram.max()), (10_000, 10_000));
        assert_eq!(Histogram::default().percentile(0.99), 0);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut histogram = Histogram::default();
        histogram.record(-5, 1);
        histogram.record(i64::MAX, u64::MAX);
        let mut sum = histogram.clone();
        sum.add(&histogram);
        assert_eq!(sum.count(), u64::MAX);
        assert_eq!(sum.percentile(1.0), i64::MAX as u64);
    }

    #[test]
    fn a_sum_equals_a_single_histogram() {
        let (mut left, mut right, mut both) =
            (Histogram::default(), Histogram::default(), Histogram::default());
        for millis in [0, 3, 17, 900] {
            left.record(millis, 2);
            both.record(millis, 2);
        }
        for millis in [3, 70_000] {
            right.record(millis, 1);
            both.record(millis, 1);
        }
        left.add(&right);
        assert_eq!(left, both);
    }
}
