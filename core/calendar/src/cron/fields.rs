//! The allowed values of the fields as bit sets, and the search for the next allowed time.
//!
//! This file knows no time zones: local times are seconds since 1970-01-01T00:00:00 on a clock that
//! never jumps.

use crate::steps::count_steps;
use chrono::{Datelike, NaiveDate};

const DAY: i64 = 86_400;

/// The last searched year. A local clock ahead of UTC reaches it within `UnixMillis::LAST`.
const LAST_YEAR: i32 = 10_000;

/// The possible lengths of months in days, and the months that can have them, from bit 1.
pub(super) const LENGTHS: [(u32, u16); 4] =
    [(28, 0b100), (29, 0b100), (30, 0b1010_0101_0000), (31, 0b1_0101_1010_1010)];

/// The allowed values of each field. Bit `n` is the value `n`.
///
/// The parser keeps these invariants: `seconds`, `minutes`, `hours` and `months` are not empty and
/// contain only values of their field, and at least one month can have an allowed day. A day is
/// allowed if any of the day sets contains it. So the parser leaves the sets of an unrestricted day
/// field empty if the other one decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) seconds: u64,
    pub(super) minutes: u64,
    pub(super) hours: u32,
    /// Days of the month, from bit 1.
    pub(super) days: u32,
    /// Days of the month from bit 1; the run moves to the nearest Monday to Friday.
    pub(super) nearest: u32,
    /// From bit 1.
    pub(super) months: u16,
    /// Allowed weekdays, with Sunday at bit 0.
    pub(super) weekdays: u8,
    /// The weekdays whose first, second, ... fifth occurrence in the month is allowed.
    pub(super) nth: [u8; 5],
    /// The weekdays whose last occurrence in the month is allowed.
    pub(super) last_of: u8,
    /// Days of the month, counted back from the last day, which is bit 0.
    pub(super) from_last: u32,
    /// Whether the last Monday to Friday of the month is allowed.
    pub(super) last_workday: bool,
}

/// The allowed days of the month in which a search has found the last day.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Month {
    /// The first day of the month, counted from 1970-01-01.
    first: i64,
    /// The allowed days from bit 1. Zero before the first search.
    days: u32,
}

impl Month {
    /// Returns the first allowed day at or after `day` if both are in the month.
    fn day_at_or_after(self, day: i64) -> Option<i64> {
        let passed = u32::try_from(day - self.first).ok()?;
        next_bit(self.days.into(), passed + 1).map(|next| self.first + i64::from(next) - 1)
    }
}

impl Fields {
    /// Returns the first allowed local time at or after `from`, or `None` if there is none up to
    /// the last year. `month` comes from an earlier search, and this search updates it.
    pub(super) fn next_at_or_after(&self, from: i64, month: &mut Month) -> Option<i64> {
        let today = from.div_euclid(DAY);
        if let Some(time) = self.time_at_or_after(from.rem_euclid(DAY)) {
            let day = self.day_at_or_after(today, month)?;
            let time = if day == today { time } else { self.first_time() };
            return Some(day * DAY + time);
        }
        Some(self.day_at_or_after(today + 1, month)? * DAY + self.first_time())
    }

    /// Returns whether any month of any year has an allowed day.
    pub(super) fn can_fire(&self) -> bool {
        // Within 400 years, every month begins on every weekday, in both of its lengths.
        let lengths = LENGTHS.iter().filter(|(_, months)| self.months & months != 0);
        lengths
            .flat_map(|(length, _)| (0..7).map(|first| (first, *length)))
            .any(|(first, length)| self.days_of_month(first, length) != 0)
    }

    /// Returns whether runs fire whenever the clock shows one of their times, through its changes.
    /// This is the case if the hours, the minutes or the seconds are evenly spaced. It follows from
    /// the sets alone, so two spellings of the same times never differ.
    pub(super) fn repeat_on_the_clock(&self) -> bool {
        are_evenly_spaced(self.hours, self.minutes, self.seconds)
    }

    /// Returns whether a day, counted from 1970-01-01, is allowed.
    pub(super) fn allows_day(&self, day: i64) -> bool {
        let date = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days);
        date.is_some_and(|date| {
            let first_weekday = (date.weekday().num_days_from_sunday() + 35 - date.day0()) % 7;
            self.months >> date.month() & 1 == 1
                && self.days_of_month(first_weekday, date.num_days_in_month().into()) >> date.day()
                    & 1
                    == 1
        })
    }

    /// Returns the first allowed day at or after `day`, as a count of days since 1970-01-01.
    fn day_at_or_after(&self, day: i64, known: &mut Month) -> Option<i64> {
        if let Some(found) = known.day_at_or_after(day) {
            return Some(found);
        }
        let date = NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?;
        let mut year = date.year();
        let mut month = date.month();
        // Days of the first month before `day` are excluded.
        let mut open = u32::MAX << date.day();
        let mut months = 0;
        while year <= LAST_YEAR {
            months += 1;
            if let Some(next) = next_bit(self.months.into(), month) {
                if next != month {
                    open = u32::MAX;
                }
                month = next;
                let first = NaiveDate::from_ymd_opt(year, month, 1)?;
                let days = self.days_of_month(
                    first.weekday().num_days_from_sunday(),
                    first.num_days_in_month().into(),
                );
                if days & open != 0 {
                    *known = Month { first: first.to_epoch_days().into(), days };
                    count_steps(months);
                    return Some(known.first + i64::from((days & open).trailing_zeros()) - 1);
                }
                month += 1;
            } else {
                year += 1;
                month = 1;
            }
            open = u32::MAX;
        }
        count_steps(months);
        None
    }

    /// Returns the allowed days, from bit 1, of a month of `length` days that begins on the weekday
    /// `first` (0 = Sunday).
    pub(super) fn days_of_month(&self, first: u32, length: u32) -> u32 {
        let within = u32::MAX >> (31 - length) & !1;
        let weekday_of = |day: u32| (first + day - 1) % 7;
        let first_of = |weekday: u32| 1 + (7 + weekday - first) % 7;
        let mut days = self.days;
        let by_weekday =
            self.nth.into_iter().fold(self.weekdays | self.last_of, |all, weekdays| all | weekdays);
        for weekday in (0..7).filter(|weekday| by_weekday >> weekday & 1 == 1) {
            let day = first_of(weekday);
            if self.weekdays >> weekday & 1 == 1 {
                days |= 0b1_0000001_0000001_0000001_0000001 << day;
            }
            for (weeks, weekdays) in (0..).zip(self.nth) {
                if weekdays >> weekday & 1 == 1 {
                    // The shift is at most 7 + 4 x 7 = 35, which may be past the end of the set.
                    days |= 1_u32.checked_shl(day + 7 * weeks).unwrap_or(0);
                }
            }
            if self.last_of >> weekday & 1 == 1 {
                days |= 1 << (day + (length - day) / 7 * 7);
            }
        }
        // Bit `n` stands for the day `length - n`. A day that the month does not have drops out, or
        // becomes bit 0, which is no day.
        days |= self.from_last.reverse_bits() >> (31 - length);
        if self.last_workday {
            days |= 1 << nearest_workday(length, weekday_of(length), length);
        }
        for day in (1..=length).filter(|day| self.nearest >> day & 1 == 1) {
            days |= 1 << nearest_workday(day, weekday_of(day), length);
        }
        days & within
    }

    fn time_at_or_after(&self, second: i64) -> Option<i64> {
        next_time(self.hours, self.minutes, self.seconds, second)
    }

    fn first_time(&self) -> i64 {
        first_time_of(self.hours.trailing_zeros(), self.minutes, self.seconds)
    }
}

/// Returns the first time of day at or after `second` of the day with an hour, a minute and a
/// second in these sets. Assumes that none of the sets is empty.
pub(crate) fn next_time(hours: u32, minutes: u64, seconds: u64, second: i64) -> Option<i64> {
    let (hour, minute, second) = (
        u32::try_from(second / 3600).ok()?,
        u32::try_from(second / 60 % 60).ok()?,
        u32::try_from(second % 60).ok()?,
    );
    let next_hour = next_bit(hours.into(), hour)?;
    if next_hour == hour {
        if let Some(next_minute) = next_bit(minutes, minute) {
            if next_minute > minute {
                return Some(time(hour, next_minute, seconds.trailing_zeros()));
            }
            if let Some(next_second) = next_bit(seconds, second) {
                return Some(time(hour, minute, next_second));
            }
            if let Some(next_minute) = next_bit(minutes, minute + 1) {
                return Some(time(hour, next_minute, seconds.trailing_zeros()));
            }
        }
        let next_hour = next_bit(hours.into(), hour + 1)?;
        return Some(first_time_of(next_hour, minutes, seconds));
    }
    Some(first_time_of(next_hour, minutes, seconds))
}

fn first_time_of(hour: u32, minutes: u64, seconds: u64) -> i64 {
    time(hour, minutes.trailing_zeros(), seconds.trailing_zeros())
}

fn time(hour: u32, minute: u32, second: u32) -> i64 {
    i64::from(hour * 3600 + minute * 60 + second)
}

/// Returns whether the hours, the minutes or the seconds are evenly spaced.
pub(crate) fn are_evenly_spaced(hours: u32, minutes: u64, seconds: u64) -> bool {
    is_evenly_spaced(hours.into(), 24)
        || is_evenly_spaced(minutes, 60)
        || is_evenly_spaced(seconds, 60)
}

/// Returns whether the set of values below `size` has two or more values that `*/n` yields, or
/// three or more at equal distances. Any other two values are just two times.
fn is_evenly_spaced(set: u64, size: u32) -> bool {
    let first = set.trailing_zeros();
    let Some(second) = next_bit(set, first + 1) else { return false };
    let step = second - first;
    let last = 63 - set.leading_zeros();
    let progression =
        (first..=last).step_by(step as usize).fold(0, |bits, value| bits | 1_u64 << value);
    set == progression && (set.count_ones() > 2 || first == 0 && second + step >= size)
}

/// Returns the lowest set bit at or above `from`.
pub(crate) fn next_bit(set: u64, from: u32) -> Option<u32> {
    let rest = set.checked_shr(from)?;
    (rest != 0).then(|| from + rest.trailing_zeros())
}

/// Returns the Monday to Friday nearest to `day`, whose weekday is `weekday`, within its month of
/// `length` days.
fn nearest_workday(day: u32, weekday: u32, length: u32) -> u32 {
    match weekday {
        0 if day < length => day + 1,
        0 => day - 2,
        6 if day > 1 => day - 1,
        6 => day + 2,
        _ => day,
    }
}
