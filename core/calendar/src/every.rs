//! An interval from an anchor.

use crate::local_time::LocalTime;
use crate::steps::count_steps;
use crate::time::UnixMillis;
use crate::tz::Tz;
use chrono::NaiveDate;

const DAY_MILLIS: i64 = 86_400_000;

/// Runs at an anchor and at every whole interval after it. Each run is computed from the anchor, so
/// there is no drift. Takes 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    anchor: UnixMillis,
    /// The instant from which the runs after the anchor are computed: the anchor, or up to a day
    /// before it.
    origin: UnixMillis,
    /// Positive.
    interval_millis: i64,
}

impl Every {
    /// Makes an interval from the instant of its anchor and its length in milliseconds, at least 1.
    pub fn new(anchor: UnixMillis, interval_millis: i64) -> Self {
        Self { anchor, origin: anchor, interval_millis: interval_millis.max(1) }
    }

    /// Makes an interval from an anchor on a local clock. If the clock jumps over the anchor, the
    /// first run is delayed by the width of the gap. Later runs of an interval of whole days are at
    /// the requested time of day. Returns `None` if the anchor is out of range.
    pub fn from_local(anchor: LocalTime, timezone: Tz, interval_millis: i64) -> Option<Self> {
        let every = Self::new(anchor.instant_after_gap(timezone)?, interval_millis);
        let is_of_days = every.interval_millis % DAY_MILLIS == 0;
        let moved_by = if is_of_days { anchor.width_of_gap(timezone) } else { 0 };
        Some(Self { origin: every.anchor.plus(-moved_by), ..every })
    }

    /// Returns the first run strictly after `after`.
    pub fn next_after(self, after: UnixMillis) -> Option<UnixMillis> {
        if after < self.anchor {
            return Some(self.anchor);
        }
        let runs = after.since(self.origin) / self.interval_millis + 1;
        let next = self.origin.get().checked_add(runs.checked_mul(self.interval_millis)?)?;
        (next <= UnixMillis::LAST.get()).then(|| UnixMillis::new(next))
    }

    /// Returns whether the interval is shorter than a day.
    pub(crate) fn is_finer_than_a_day(self) -> bool {
        self.interval_millis < DAY_MILLIS
    }

    /// Returns whether the interval is shorter than a day and has other times of day on each day.
    pub(crate) fn drifts(self) -> bool {
        self.is_finer_than_a_day() && DAY_MILLIS % self.interval_millis != 0
    }

    /// Returns the days of a month, from bit 1, on which runs may be while the clock does not
    /// change. `first` is the first day of the month, and `known` is a day with a run, as a number
    /// since 1970-01-01.
    pub(crate) fn days_of(self, first: NaiveDate, known: i64) -> u32 {
        count_steps(1);
        let days = self.interval_millis / DAY_MILLIS;
        if days < 2 || self.interval_millis % DAY_MILLIS != 0 {
            return u32::MAX;
        }
        let ahead = (known - i64::from(first.to_epoch_days())).rem_euclid(days);
        (1 + ahead..32)
            .step_by(usize::try_from(days).unwrap_or(32))
            .fold(0, |set, day| set | 1 << day)
    }

    /// Returns the first time of day at or after `from`, both in milliseconds, at which a run may
    /// be while the clock does not change. `known` is the time of day of a run.
    pub(crate) fn time_from(self, from: i64, known: i64) -> i64 {
        // The times of day differ by multiples of what the interval and a day have in common.
        let (mut common, mut rest) = (self.interval_millis, DAY_MILLIS);
        while rest != 0 {
            (common, rest) = (rest, common % rest);
        }
        from + (known - from).rem_euclid(common)
    }

    /// Returns how many runs there are after `after`, up to and with `until`. Assumes that neither
    /// is before the anchor.
    pub fn runs_between(self, after: UnixMillis, until: UnixMillis) -> u64 {
        let intervals = |time: UnixMillis| time.since(self.origin).div_euclid(self.interval_millis);
        u64::try_from(intervals(until) - intervals(after)).unwrap_or(0)
    }

    /// Returns the run that is `further` runs after the one at `time`.
    pub fn later(self, time: UnixMillis, further: u32) -> Option<UnixMillis> {
        let from = if time == self.anchor && further > 0 { self.origin } else { time };
        let later =
            from.get().checked_add(i64::from(further).checked_mul(self.interval_millis)?)?;
        (later <= UnixMillis::LAST.get()).then(|| UnixMillis::new(later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The count is the number of runs that a walk finds, even if the clock jumps over the anchor.
    #[test]
    fn runs_between_two_times_are_counted() {
        let time = UnixMillis::new;
        let anchor = "2026-03-29T02:30".parse().unwrap();
        let zone = "Europe/Berlin".parse().unwrap();
        let local = Every::from_local(anchor, zone, 2 * DAY_MILLIS).unwrap();
        assert_ne!(local.anchor, local.origin);
        for every in [Every::new(time(1_000), 7), Every::new(time(-3), 5), local] {
            let first = every.anchor;
            let runs: Vec<UnixMillis> =
                std::iter::successors(Some(first), |run| every.next_after(*run)).take(20).collect();
            let quarter = (every.interval_millis / 4).max(1);
            for after in (0..30).map(|step| first.plus(step * quarter)) {
                for until in (0..30).map(|step| first.plus(step * quarter)) {
                    let between = runs.iter().filter(|run| **run > after && **run <= until);
                    let counted = every.runs_between(after, until);
                    assert_eq!(counted, between.count() as u64, "{every:?}: {after} to {until}");
                }
            }
        }
    }
}
