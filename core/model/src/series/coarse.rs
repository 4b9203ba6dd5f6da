//! A histogram with few buckets, for each point of a series.

use crate::histogram::Histogram;

/// Durations below this are in the first bucket, in milliseconds.
const FIRST_MILLIS: u64 = 16;

/// Counts of durations in milliseconds. Durations below 16 are in one bucket. Above, each doubling
/// has two buckets, which begin at 1 and at 1.5 times its start. So a percentile is at most half
/// too high and at most a third too low. Every bucket consists of whole buckets of [`Histogram`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoarseHistogram {
    /// The counts by bucket; the last one is not 0.
    counts: Vec<u64>,
}

/// The number of buckets: the first, and two for each of the remaining 60 doublings of 64 bits.
const COARSE_BUCKETS: usize = 1 + 60 * 2;

fn bucket(millis: u64) -> usize {
    if millis < FIRST_MILLIS {
        return 0;
    }
    let doubling = millis.ilog2() as usize; // at least 4
    1 + (doubling - 4) * 2 + (millis >> (doubling - 1) & 1) as usize
}

/// Returns the smallest and the largest duration of a bucket.
fn bounds(bucket: usize) -> (u64, u64) {
    let Some(above) = bucket.checked_sub(1) else { return (0, FIRST_MILLIS - 1) };
    let half = 1_u64 << (above / 2 + 3).min(62);
    let lowest = half * (2 + above as u64 % 2);
    (lowest, lowest + (half - 1))
}

impl From<&Histogram> for CoarseHistogram {
    fn from(fine: &Histogram) -> Self {
        let mut coarse = Self::default();
        for (lowest, count) in fine.counts() {
            coarse.count_in(bucket(lowest), count);
        }
        coarse
    }
}

impl CoarseHistogram {
    /// Adds `count` durations to a bucket. A bucket that does not exist counts as the last.
    pub fn count_in(&mut self, bucket: usize, count: u64) {
        if count == 0 {
            return;
        }
        let bucket = bucket.min(COARSE_BUCKETS - 1);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        if let Some(of) = self.counts.get_mut(bucket) {
            *of = of.saturating_add(count);
        }
    }

    /// Returns the buckets with a count, in order, with their counts.
    pub fn counts(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }

    /// Adds another histogram's counts.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in other.counts() {
            self.count_in(bucket, count);
        }
    }

    /// Returns the counts since `earlier`, a former state of this histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = Self::default();
        for (bucket, count) in self.counts() {
            let before = earlier.counts.get(bucket).copied().unwrap_or(0);
            since.count_in(bucket, count.saturating_sub(before));
        }
        since
    }

    /// Returns the number of counted durations.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns the duration that a share (0 to 1) of all durations do not exceed, estimated as if
    /// the durations of a bucket were spread evenly. Returns `None` if there are none.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        let wanted = ((self.total() as f64 * share).ceil() as u64).max(1);
        let mut before = 0_u64;
        for (bucket, count) in self.counts() {
            let through = before.saturating_add(count);
            if through >= wanted {
                let (lowest, largest) = bounds(bucket);
                let part = (wanted - before) as f64 / count as f64;
                let above = ((largest - lowest) as f64 * part) as u64;
                return Some(lowest.saturating_add(above).min(largest));
            }
            before = through;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_meet_without_gap_or_overlap() {
        let mut next = 0_u64;
        for at in 0..COARSE_BUCKETS {
            let (lowest, largest) = bounds(at);
            assert_eq!(lowest, next, "bucket {at}");
            assert_eq!((bucket(lowest), bucket(largest)), (at, at), "bucket {at}");
            assert!(at == 0 || largest - lowest <= lowest / 2, "bucket {at}");
            next = largest.wrapping_add(1);
        }
        assert_eq!(next, 0, "the last bucket ends at the last u64");
    }

    /// Checks that each bucket of the fine histogram lies within one bucket of the coarse one.
    #[test]
    fn it_counts_what_the_fine_histogram_counts() {
        let (mut fine, mut coarse) = (Histogram::default(), CoarseHistogram::default());
        let durations = (0..400).chain((0..4_000).map(|n| n * n * 37)).chain([i64::MAX, 1 << 50]);
        for millis in durations {
            fine.record(millis, 3);
            coarse.count_in(bucket(millis as u64), 3);
            assert_eq!(CoarseHistogram::from(&fine), coarse, "{millis}");
        }
        assert_eq!(coarse.total(), fine.count());
    }

    #[test]
    fn what_was_counted_since_is_the_rest() {
        let mut early = CoarseHistogram::default();
        early.count_in(0, 5);
        early.count_in(9, 2);
        let mut more = CoarseHistogram::default();
        more.count_in(3, 7);
        more.count_in(9, 1);
        let mut late = early.clone();
        late.add(&more);
        assert_eq!(late.since(&early), more);
        assert_eq!(late.since(&late), CoarseHistogram::default());
        assert_eq!(late.total(), 15);
    }

    #[test]
    fn percentiles_are_within_half_of_the_exact_ones() {
        for most in [100_u64, 5_000, 1_000_000] {
            let (mut fine, exact) = (Histogram::default(), |share: f64| most as f64 * share);
            (1..=most).for_each(|millis| fine.record(millis as i64, 1));
            let coarse = CoarseHistogram::from(&fine);
            for share in [0.5, 0.9, 0.99, 1.0] {
                let found = coarse.percentile(share).unwrap() as f64;
                let (low, high) = (exact(share) / 1.5 - 1.0, exact(share) * 1.5);
                assert!((low..=high).contains(&found), "{share} of {most}: {found}");
            }
        }
        let mut one = CoarseHistogram::default();
        assert_eq!(one.percentile(0.5), None);
        one.count_in(bucket(100), 1);
        assert_eq!(one.percentile(0.5), Some(127), "the end of its bucket");
        one.count_in(COARSE_BUCKETS - 1, u64::MAX);
        assert_eq!(one.percentile(1.0), Some(u64::MAX));
    }
}
