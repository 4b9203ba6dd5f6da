//! Computes percentiles of all values. No value is dropped, so the maximum is exact.

use serde::Serialize;

/// The summary of latenesses or durations, in milliseconds. A negative value is before the due
/// time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) min: i64,
    pub(crate) p50: i64,
    pub(crate) p90: i64,
    pub(crate) p99: i64,
    pub(crate) max: i64,
}

/// Sorts `values` and summarizes them. The summary of no values is zero.
pub(crate) fn summarize(values: &mut [i64]) -> Summary {
    values.sort_unstable();
    Summary {
        count: values.len(),
        min: values.first().copied().unwrap_or(0),
        p50: percentile(values, 50),
        p90: percentile(values, 90),
        p99: percentile(values, 99),
        max: values.last().copied().unwrap_or(0),
    }
}

/// Returns the nearest-rank percentile of sorted values: the smallest value that is not less than
/// `percent` % of all values.
pub(crate) fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// Returns the median of rates or ratios, or 0 if there are none. The median of an even number is
/// the mean of the middle two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    if sorted.len() % 2 == 1 || sorted.is_empty() {
        return upper;
    }
    let lower = sorted.get(sorted.len() / 2 - 1).copied().unwrap_or(upper);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let sorted: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&sorted, 50), 50);
        assert_eq!(percentile(&sorted, 99), 99);
        assert_eq!(percentile(&sorted, 100), 100);
        assert_eq!(percentile(&[7], 1), 7);
        assert_eq!(percentile(&[7, 9], 50), 7);
        assert_eq!(percentile(&[7, 9], 51), 9);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn a_summary_sorts_and_keeps_the_extremes() {
        let summary = summarize(&mut [30, -5, 10, 20]);
        assert_eq!(summary, Summary { count: 4, min: -5, p50: 10, p90: 30, p99: 30, max: 30 });
        assert_eq!(summarize(&mut []), Summary::default());
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert!((median(&[3.0, 1.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[5.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }
}
