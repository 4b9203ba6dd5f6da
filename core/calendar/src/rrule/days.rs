//! The allowed days of a rule: month by month as bit sets, and the periods of rules with positions.

use super::{Frequency, RRule, Search};
use crate::cron::fields::next_bit;
use crate::steps::count_steps;
use chrono::{Datelike, NaiveDate};

/// The last searched year. A local clock ahead of UTC reaches it within `UnixMillis::LAST`.
const LAST_YEAR: i32 = 10_000;

/// A month of the calendar, counted from January of the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Month(i32);

impl Month {
    fn of(date: NaiveDate) -> Self {
        Self(date.year() * 12 + date.month0() as i32)
    }

    fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// From 1.
    fn number(self) -> u32 {
        self.0.rem_euclid(12) as u32 + 1
    }

    fn first_day(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year(), self.number(), 1)
    }
}

fn date_of(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?).filter(|date| date.year() <= LAST_YEAR)
}

fn day_of(date: NaiveDate) -> i64 {
    date.to_epoch_days().into()
}

/// Returns the first of `origin`, `origin + step`, ... that is not before `from`.
fn align(from: i64, origin: i64, step: i64) -> i64 {
    if from <= origin { origin } else { origin + (from - origin + step - 1) / step * step }
}

impl RRule {
    fn start_date(&self) -> Option<NaiveDate> {
        date_of(self.start.div_euclid(super::DAY))
    }

    /// Returns the first allowed day at or after `day`, both as days since 1970-01-01.
    pub(super) fn day_at_or_after(&self, day: i64, search: &mut Search) -> Option<i64> {
        let date = date_of(day)?;
        let mut month = Month::of(date);
        // Days of the first month before `day` are excluded.
        let mut open = u32::MAX << date.day();
        loop {
            let next = self.month_at_or_after(month)?;
            if next > month {
                open = u32::MAX;
                month = next;
            }
            let first = month.first_day()?;
            search.step(day_of(first) * super::DAY)?;
            let days = open & self.days_of_month(first);
            if days != 0 {
                return Some(day_of(first) + i64::from(days.trailing_zeros()) - 1);
            }
            month = Month(month.0 + 1);
            open = u32::MAX;
        }
    }

    /// Returns the first month at or after this one that the rule's months, and its interval of
    /// months or years, allow.
    fn month_at_or_after(&self, month: Month) -> Option<Month> {
        let origin = Month::of(self.start_date()?);
        let interval = i64::from(self.interval);
        let mut month = month;
        // Within a dozen steps, an interval of months reaches every month of the year that it can
        // reach.
        for _ in 0..=12 {
            if month.year() > LAST_YEAR {
                return None;
            }
            match self.frequency {
                Frequency::Yearly => {
                    let year =
                        i32::try_from(align(month.year().into(), origin.year().into(), interval))
                            .ok()?;
                    if year > month.year() {
                        month = Month(year.checked_mul(12)?);
                    }
                }
                Frequency::Monthly => {
                    month =
                        Month(i32::try_from(align(month.0.into(), origin.0.into(), interval)).ok()?)
                }
                _ => {}
            }
            if self.months == 0 || self.months >> month.number() & 1 == 1 {
                return Some(month);
            }
            let next = match self.frequency {
                Frequency::Monthly => month.0.checked_add(i32::try_from(interval).ok()?)?,
                _ => next_bit(self.months.into(), month.number() + 1)
                    .map_or((month.year() + 1) * 12, |number| {
                        month.year() * 12 + number as i32 - 1
                    }),
            };
            month = Month(next);
        }
        None
    }

    /// Returns the allowed days of a month, from bit 1; none if the month is not allowed.
    pub(crate) fn allowed_days_of(&self, first: NaiveDate) -> u32 {
        count_steps(1);
        let month = Month::of(first);
        if self.month_at_or_after(month) == Some(month) { self.days_of_month(first) } else { 0 }
    }

    /// Returns the days of a month, from bit 1, that the rule's months and intervals allow.
    fn days_of_month(&self, first: NaiveDate) -> u32 {
        let length = u32::from(first.num_days_in_month());
        let mut days = u32::MAX >> (31 - length) & !1;
        if self.month_days | self.month_days_back != 0 {
            // The last day is bit 1 of one set and bit `length` of the other. Reversing moves bit n
            // to 63 - n, and bit length + 1 - n is needed.
            let from_start = u64::from(self.month_days_back).reverse_bits() >> (62 - length);
            days &= self.month_days | from_start as u32;
        }
        if self.weekdays != 0 || !self.ordinals.is_empty() {
            days &= self.by_weekday(first, length);
        }
        days & self.by_interval(day_of(first), length)
    }

    /// Returns the days of a month on the named weekdays.
    fn by_weekday(&self, first: NaiveDate, length: u32) -> u32 {
        let first_weekday = first.weekday().num_days_from_sunday();
        let mut days = 0;
        for weekday in (0..7).filter(|weekday| self.weekdays >> weekday & 1 == 1) {
            days |= 0b1_0000001_0000001_0000001_0000001 << (1 + (7 + weekday - first_weekday) % 7);
        }
        // Ordinals count within the month, or within the year if a yearly rule names no months.
        let of_year = self.frequency == Frequency::Yearly && self.months == 0;
        let (from, to) = if of_year {
            let begin = first.ordinal0() as i32;
            let year_days = if first.leap_year() { 366 } else { 365 };
            (-begin, year_days - begin)
        } else {
            (0, length as i32)
        };
        for (ordinal, weekday) in &self.ordinals {
            let ordinal = i32::from(*ordinal);
            // Days are counted from the first of this month, which is 0. `from` and `to` bound the
            // period in which the ordinal counts.
            let weekday_of = |day: i32| (first_weekday as i32 + day).rem_euclid(7);
            let wanted = i32::from(*weekday);
            let day = if ordinal > 0 {
                from + (wanted - weekday_of(from)).rem_euclid(7) + 7 * (ordinal - 1)
            } else {
                to - 1 - (weekday_of(to - 1) - wanted).rem_euclid(7) + 7 * (ordinal + 1)
            };
            if (0..length as i32).contains(&day) && (from..to).contains(&day) {
                days |= 1 << (day + 1);
            }
        }
        days
    }

    /// Returns the days of a month, beginning on `first`, that an interval of days or weeks allows.
    /// For other rules, returns all days.
    fn by_interval(&self, first: i64, length: u32) -> u32 {
        let interval = i64::from(self.interval);
        if interval == 1 || !matches!(self.frequency, Frequency::Daily | Frequency::Weekly) {
            return u32::MAX;
        }
        let start = self.start.div_euclid(super::DAY);
        let end = first + i64::from(length);
        let mut days = 0;
        if self.frequency == Frequency::Daily {
            let mut day = align(first, start, interval);
            while day < end {
                days |= 1 << (day - first + 1);
                day += interval;
            }
        } else {
            // The first week may begin in the month before.
            let mut week = align(first - 6, self.week_of(start), 7 * interval);
            while week < end {
                for day in (week..week + 7).filter(|day| (first..end).contains(day)) {
                    days |= 1 << (day - first + 1);
                }
                week += 7 * interval;
            }
        }
        days
    }

    /// Returns the first day of the week that contains `day`.
    fn week_of(&self, day: i64) -> i64 {
        // 1970-01-01 was a Thursday, which is 4 from Sunday.
        day - (day + 4 - i64::from(self.week_start)).rem_euclid(7)
    }

    /// Returns the period (year, month, week or day) of positions that contains `day`: its first
    /// day, and the first day after it.
    pub(super) fn period_of(&self, day: i64) -> Option<(i64, i64)> {
        let date = date_of(day)?;
        let month = |month: Month| month.first_day().map(day_of);
        Some(match self.frequency {
            Frequency::Yearly => {
                (month(Month(date.year() * 12))?, month(Month(date.year() * 12 + 12))?)
            }
            Frequency::Monthly => (month(Month::of(date))?, month(Month(Month::of(date).0 + 1))?),
            Frequency::Weekly => (self.week_of(day), self.week_of(day) + 7),
            _ => (day, day + 1),
        })
    }

    /// Returns the allowed days from `from` until before `to`, in order.
    pub(super) fn days_between(&self, from: i64, to: i64, search: &mut Search) -> Option<Vec<i64>> {
        let mut days = Vec::new();
        let mut month = Month::of(date_of(from)?);
        loop {
            let first = month.first_day()?;
            let begin = day_of(first);
            if begin >= to {
                return Some(days);
            }
            // Positions count over a whole period, also beyond the end of the search.
            search.count()?;
            if self.months == 0 || self.months >> month.number() & 1 == 1 {
                let mut set = self.days_of_month(first);
                while set != 0 {
                    let day = begin + i64::from(set.trailing_zeros()) - 1;
                    if (from..to).contains(&day) {
                        days.push(day);
                    }
                    set &= set - 1;
                }
            }
            month = Month(month.0 + 1);
        }
    }
}
