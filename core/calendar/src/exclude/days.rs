//! The days that exclusions contain.

use super::DayRule;
use crate::steps::count_steps;
use chrono::{Datelike, NaiveDate};
use std::mem::size_of_val;

/// Days as numbers since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Days {
    /// Sunday is bit 0.
    pub(super) weekdays: u8,
    /// The days of each month that are excluded in every year, from bit 1.
    pub(super) yearly: [u32; 12],
    /// Ranges with both ends included. They are sorted, and neither overlap nor touch.
    pub(super) dates: Box<[(i32, i32)]>,
    pub(super) rules: Box<[DayRule]>,
}

impl Days {
    /// Returns the bytes of memory that the days take on the heap.
    pub(super) fn bytes_on_heap(&self) -> usize {
        size_of_val::<[(i32, i32)]>(&self.dates)
            + self.rules.iter().map(DayRule::memory_bytes).sum::<usize>()
    }

    /// Returns the last day of the excluded range that contains `day`, or `day` itself if another
    /// item excludes it. Returns `None` if the day is not excluded.
    pub(super) fn excluded_until(&self, day: i64) -> Option<i64> {
        match self.range_of(day) {
            Some((_, last)) => Some(last.into()),
            None => self.excludes_singly(day).then_some(day),
        }
    }

    /// Returns the first day of the excluded range that contains `day`, or `day` itself if another
    /// item excludes it. Returns `None` if the day is not excluded.
    pub(super) fn excluded_since(&self, day: i64) -> Option<i64> {
        match self.range_of(day) {
            Some((first, _)) => Some(first.into()),
            None => self.excludes_singly(day).then_some(day),
        }
    }

    fn range_of(&self, day: i64) -> Option<(i32, i32)> {
        count_steps(1);
        let day = i32::try_from(day).ok()?;
        let at = self.dates.partition_point(|(first, _)| *first <= day).checked_sub(1)?;
        self.dates.get(at).copied().filter(|(_, last)| day <= *last)
    }

    fn excludes_singly(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        if self.weekdays >> (day + 4).rem_euclid(7) & 1 == 1 {
            return true;
        }
        let is_of_year = self.yearly != [0; 12]
            && i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).is_some_and(|date| {
                let month = self.yearly.get(date.month0() as usize).copied().unwrap_or_default();
                month >> date.day() & 1 == 1
            });
        is_of_year || self.rules.iter().any(|rule| rule.has_day(day))
    }
}
