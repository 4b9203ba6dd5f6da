//! The days that exclusions contain.

use super::DayRule;
use crate::steps::{are_left, count_steps};
use crate::time::UnixMillis;
use chrono::{Datelike, NaiveDate};
use std::cell::Cell;
use std::mem::size_of_val;

/// The last day that a search looks at. A local clock ahead of UTC reaches it within
/// [`UnixMillis::LAST`].
const LAST_DAY: i64 = UnixMillis::LAST.get() / super::DAY + 1;

/// The months that a search remembers. Runs move by a quarter of a year at most, so it looks at as
/// many around a day.
const KNOWN_MONTHS: usize = 8;

/// Days as numbers since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Days {
    /// Sunday is bit 0.
    pub(super) weekdays: u8,
    /// The days of each month that are excluded in every year, from bit 1.
    pub(super) yearly: [u32; 12],
    /// Ranges with both ends included. They are sorted, and neither overlap nor touch.
    pub(super) dates: Box<[(i32, i32)]>,
    /// Rules whose days are excluded, each once.
    pub(super) rules: Box<[DayRule]>,
}

impl Days {
    /// Returns whether no day is excluded.
    pub(super) fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether the items are those of `other`. The order of rules does not matter.
    pub(super) fn are_those_of(&self, other: &Self) -> bool {
        (self.weekdays, &self.yearly, &self.dates) == (other.weekdays, &other.yearly, &other.dates)
            && self.rules.len() == other.rules.len()
            && self.rules.iter().all(|rule| other.rules.contains(rule))
    }

    /// Returns the bytes of memory that the days take on the heap.
    pub(super) fn bytes_on_heap(&self) -> usize {
        size_of_val::<[(i32, i32)]>(&self.dates)
            + self.rules.iter().map(DayRule::memory_bytes).sum::<usize>()
    }

    /// Returns the range of dates that contains a day.
    fn range_of(&self, day: i64) -> Option<(i64, i64)> {
        let number = i32::try_from(day).ok()?;
        let at = self.dates.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let (first, last) = self.dates.get(at).copied().filter(|(_, last)| number <= *last)?;
        Some((first.into(), last.into()))
    }

    /// Returns the excluded days of a month, from bit 1. `first` is the first day of the month.
    fn of_month(&self, first: NaiveDate) -> u32 {
        count_steps(1);
        let (begin, length) = (first.to_epoch_days(), i32::from(first.num_days_in_month()));
        let mut days = self.yearly.get(first.month0() as usize).copied().unwrap_or_default();
        let weekday = first.weekday().num_days_from_sunday();
        for excluded in (0..7).filter(|day| self.weekdays >> day & 1 == 1) {
            days |= 0b1_0000001_0000001_0000001_0000001 << (1 + (7 + excluded - weekday) % 7);
        }
        let from = self.dates.partition_point(|(_, last)| *last < begin);
        let ranges = self.dates.get(from..).unwrap_or_default();
        for (first, last) in ranges.iter().take_while(|(first, _)| *first < begin + length) {
            let first = (first - begin).max(0) + 1;
            let last = (last - begin).min(length - 1) + 1;
            days |= u32::MAX << first & u32::MAX >> (31 - last);
        }
        self.rules.iter().fold(days, |days, rule| days | rule.days_named_in(first))
    }
}

/// The excluded days, month by month, during one search.
pub(super) struct Months<'d> {
    days: &'d Days,
    /// Months, counted from January of the year 0, with their excluded days from bit 1.
    known: [Cell<(i32, u32)>; KNOWN_MONTHS],
}

impl<'d> Months<'d> {
    pub(super) fn of(days: &'d Days) -> Self {
        Self { days, known: [const { Cell::new((i32::MIN, 0)) }; KNOWN_MONTHS] }
    }

    /// Returns the date of a day, and the excluded days of its month from bit 1.
    fn month_of(&self, day: i64) -> Option<(NaiveDate, u32)> {
        let date = NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?;
        let month = date.year() * 12 + date.month0() as i32;
        let slot = self.known.get(month.rem_euclid(KNOWN_MONTHS as i32) as usize)?;
        if slot.get().0 != month {
            slot.set((month, self.days.of_month(date.with_day(1)?)));
        }
        Some((date, slot.get().1))
    }

    /// Returns whether a day is excluded.
    pub(super) fn exclude(&self, day: i64) -> bool {
        let month = self.month_of(day);
        month.is_some_and(|(date, excluded)| excluded >> date.day() & 1 == 1)
    }

    /// Returns the first day from `day` to `last` that is not excluded. Also returns `None` if no
    /// step is left.
    pub(super) fn next_open(&self, day: i64, last: i64) -> Option<i64> {
        self.next_open_of(day, last, &|_| u32::MAX)
    }

    /// Does the same for days that are among those that `wanted` returns for their month, from bit
    /// 1.
    pub(super) fn next_open_of(
        &self,
        mut day: i64,
        last: i64,
        wanted: &dyn Fn(NaiveDate) -> u32,
    ) -> Option<i64> {
        let last = last.min(LAST_DAY);
        while day <= last && are_left() {
            if let Some((_, end)) = self.days.range_of(day) {
                day = end + 1;
                continue;
            }
            let (date, excluded) = self.month_of(day)?;
            let length = u32::from(date.num_days_in_month());
            let open = !excluded & u32::MAX << date.day() & u32::MAX >> (31 - length);
            let open = if open == 0 { 0 } else { open & wanted(date.with_day(1)?) };
            if open != 0 {
                let open = day + i64::from(open.trailing_zeros() - date.day());
                return (open <= last).then_some(open);
            }
            day += i64::from(length - date.day() + 1);
        }
        None
    }

    /// Returns the last day from `day` back to `least` that is not excluded. Also returns `None` if
    /// no step is left.
    pub(super) fn previous_open(&self, mut day: i64, least: i64) -> Option<i64> {
        while day >= least && are_left() {
            if let Some((first, _)) = self.days.range_of(day) {
                day = first - 1;
                continue;
            }
            let (date, excluded) = self.month_of(day)?;
            let open = !excluded & u32::MAX >> (31 - date.day()) & !1;
            if open != 0 {
                let open = day - i64::from(date.day() + open.leading_zeros() - 31);
                return (open >= least).then_some(open);
            }
            day -= i64::from(date.day());
        }
        None
    }

    /// Returns the first day from `day` to `last` that is excluded. Also returns `None` if no step
    /// is left.
    pub(super) fn next_excluded(&self, mut day: i64, last: i64) -> Option<i64> {
        let last = if self.days.are_none() { i64::MIN } else { last.min(LAST_DAY) };
        while day <= last && are_left() {
            let (date, excluded) = self.month_of(day)?;
            let excluded = excluded & u32::MAX << date.day();
            if excluded != 0 {
                let found = day + i64::from(excluded.trailing_zeros() - date.day());
                return (found <= last).then_some(found);
            }
            day += i64::from(u32::from(date.num_days_in_month()) - date.day() + 1);
        }
        None
    }
}
