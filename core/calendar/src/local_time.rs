//! A date and a time of day as a local clock shows them. Together with a time zone they determine
//! an instant.

use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

const DAY: i64 = 86_400;

/// Milliseconds since 1970-01-01T00:00:00 as a local clock shows them, within the years 1970 to
/// 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(i64);

/// The text is not a date and a time of day without an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotLocal {
    /// The text does not have this form.
    #[error("not a local time like 2026-12-24T18:00")]
    Form,
    /// The date does not exist.
    #[error("a date that does not exist")]
    Date,
    /// The year is before 1970.
    #[error("before 1970")]
    Early,
    /// The hour does not exist.
    #[error("whose hour is not 00 to 23; midnight at the end of a day is 00:00 of the next day")]
    Hour,
    /// The minute does not exist.
    #[error("whose minute is not 00 to 59")]
    Minute,
    /// The second does not exist.
    #[error("whose second is not 00 to 59")]
    Second,
}

impl LocalTime {
    /// Returns the instant at which a clock in `timezone` shows this time. If the clock jumps over
    /// the time, returns the first instant after the gap. If the clock shows it twice, returns the
    /// first instant. This is the rule of cron at fixed times. Returns `None` outside of the range
    /// of a task's instants.
    pub fn instant(self, timezone: Tz) -> Option<UnixMillis> {
        within_range(match timezone.read(self.seconds()) {
            Reading::Once(second) | Reading::Twice { first: second, .. } => {
                second * 1_000 + self.millis()
            }
            Reading::Gap { end } => end * 1_000,
        })
    }

    /// Returns the same as [`Self::instant`] except in a gap. A time in a gap is read with the
    /// offset before the gap, so it is delayed by the width of the gap. This is the rule of RFC
    /// 5545.
    pub fn instant_after_gap(self, timezone: Tz) -> Option<UnixMillis> {
        let Reading::Gap { end } = timezone.read(self.seconds()) else {
            return self.instant(timezone);
        };
        within_range(self.0 - timezone.offset_at(end - 1) * 1_000)
    }

    /// Returns the width, in milliseconds, of the gap that contains this time, or 0 if the clock
    /// shows the time.
    pub(crate) fn width_of_gap(self, timezone: Tz) -> i64 {
        match timezone.read(self.seconds()) {
            Reading::Gap { end } => (timezone.offset_at(end) - timezone.offset_at(end - 1)) * 1_000,
            Reading::Once(_) | Reading::Twice { .. } => 0,
        }
    }

    /// Returns the midnight at which a day begins, as days since 1970-01-01.
    pub(crate) fn of_day(day: i64) -> Self {
        Self(day.saturating_mul(DAY * 1_000))
    }

    /// Returns the time that is `millis` after 1970-01-01T00:00:00 on the clock.
    pub(crate) fn of_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Returns the milliseconds of the second.
    pub(crate) fn millis(self) -> i64 {
        self.0.rem_euclid(1_000)
    }

    /// Returns the instant at which a clock that is `offset` seconds ahead of UTC shows this time.
    /// Returns `None` outside of the range of a task's instants.
    pub fn at_offset(self, offset: i64) -> Option<UnixMillis> {
        within_range(self.0 - offset * 1_000)
    }
}

fn within_range(millis: i64) -> Option<UnixMillis> {
    let instant = UnixMillis::new(millis);
    (UnixMillis::ZERO..=UnixMillis::LAST).contains(&instant).then_some(instant)
}

/// The law by which local times are read: a release of IANA's time zone database.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// The name of the release.
    pub release: &'static str,
    /// Returns the instant at which the clock of the zone with this name shows a local time, or
    /// `None` if there is no such zone or instant.
    pub instant: fn(LocalTime, &str) -> Option<UnixMillis>,
}

impl Default for Law {
    /// Returns the law of the tables that this build contains.
    fn default() -> Self {
        Self {
            release: crate::tz::release(),
            instant: |local, zone| local.instant(zone.parse().ok()?),
        }
    }
}

impl PartialEq for Law {
    fn eq(&self, other: &Self) -> bool {
        self.release == other.release
    }
}

impl Eq for Law {}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <Cow<'_, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for LocalTime {
    type Err = NotLocal;

    /// Parses `YYYY-MM-DDTHH:MM` or `YYYY-MM-DDTHH:MM:SS`, optionally with a fraction of a second.
    /// Digits beyond milliseconds are ignored. A space may replace the `T`.
    fn from_str(text: &str) -> Result<Self, NotLocal> {
        read(text.as_bytes())
    }
}

/// Parses the text of a local time. Every task of a bulk request may have one, so each byte is
/// examined once.
fn read(text: &[u8]) -> Result<LocalTime, NotLocal> {
    let pair = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        if tens <= 9 && ones <= 9 {
            Ok(u32::from(tens) * 10 + u32::from(ones))
        } else {
            Err(NotLocal::Form)
        }
    };
    let Some((
        &[c1, c0, y1, y0, b'-', m1, m0, b'-', d1, d0, b'T' | b't' | b' ', h1, h0, b':', n1, n0],
        rest,
    )) = text.split_first_chunk::<16>()
    else {
        return Err(NotLocal::Form);
    };
    let (second, fraction) = match rest {
        [] => (0, None),
        [b':', s1, s0] => (pair(*s1, *s0)?, None),
        [b':', s1, s0, b'.', fraction @ ..] => (pair(*s1, *s0)?, Some(fraction)),
        _ => return Err(NotLocal::Form),
    };
    let millis = fraction.map_or(Ok(0), millis_of)?;
    let (year, month, day) = (pair(c1, c0)? * 100 + pair(y1, y0)?, pair(m1, m0)?, pair(d1, d0)?);
    let (hour, minute) = (pair(h1, h0)?, pair(n1, n0)?);
    let problem = if day == 0 || day > days_of_month(year, month) {
        NotLocal::Date
    } else if year < 1970 {
        NotLocal::Early
    } else if hour > 23 {
        NotLocal::Hour
    } else if minute > 59 {
        NotLocal::Minute
    } else if second > 59 {
        NotLocal::Second
    } else {
        let seconds = i64::from(epoch_day(year, month, day)) * DAY
            + i64::from(hour * 3_600 + minute * 60 + second);
        return Ok(LocalTime(seconds * 1_000 + i64::from(millis)));
    };
    Err(problem)
}

/// Returns the milliseconds of a fraction of a second. `digits` are the digits after the point, at
/// least one.
fn millis_of(digits: &[u8]) -> Result<u32, NotLocal> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotLocal::Form);
    }
    let digit = |at: usize| digits.get(at).map_or(0, |digit| u32::from(digit - b'0'));
    Ok(digit(0) * 100 + digit(1) * 10 + digit(2))
}

/// Returns the number of days of a month, or 0 if there is no such month.
fn days_of_month(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// Returns the days from 1970-01-01 to a later date.
fn epoch_day(year: u32, month: u32, day: u32) -> u32 {
    // If years begin in March, the leap day is their last day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_years = year * 365 + year / 4 - year / 100 + year / 400;
    of_years + (month * 153 + 2) / 5 + day - 1 - 719_468
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = (self.seconds().div_euclid(DAY), self.seconds().rem_euclid(DAY));
        let date = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).unwrap_or_default();
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}",
            date.year(),
            date.month(),
            date.day()
        )?;
        match self.millis() {
            0 => Ok(()),
            millis => write!(f, ".{millis:03}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> LocalTime {
        text.parse().unwrap()
    }

    #[test]
    fn texts_are_read_and_written() {
        assert_eq!(local("2026-12-01T09:00"), LocalTime(1_796_115_600_000));
        for (text, shown) in [
            ("2026-12-01T09:00", "2026-12-01T09:00:00"),
            ("1970-01-01t00:00:00", "1970-01-01T00:00:00"),
            ("9999-12-31T23:59:59", "9999-12-31T23:59:59"),
            ("2026-12-01 09:00", "2026-12-01T09:00:00"),
            ("2026-12-01 09:00:01.5", "2026-12-01T09:00:01.500"),
            ("2026-12-01T09:00:00.000", "2026-12-01T09:00:00"),
            ("2026-12-01T09:00:00.123456789", "2026-12-01T09:00:00.123"),
            ("9999-12-31T23:59:59.99999999999999999999", "9999-12-31T23:59:59.999"),
        ] {
            assert_eq!(local(text).to_string(), shown);
            assert_eq!(local(shown).to_string(), shown);
        }
        for bad in [
            "",
            "2026-12-01",
            "2026-12-01T09",
            "2026-12-01T09:00Z",
            "2026-12-01T09:00:00Z",
            "2026-12-01T09:00+01:00",
            "2026-12-01T09:00:00.",
            "2026-12-01T09:00.5",
            "2026-12-01T09:00:00,5",
            "2026-12-01T09:00:00.5x",
            "2026-12-01T09:00:00.0000000001x",
            "2026-12-01  09:00",
            "2026-12-01_09:00",
            "2026-12-01T24:00",
            "2026-12-01T09:60",
            "2026-12-01T09:00:60",
            "2026-02-29T09:00",
            "1969-12-31T09:00",
            "2026-1-01T009:00",
            "2026-12-01T+9:00",
            "２026-12-01T09:0",
        ] {
            assert!(bad.parse::<LocalTime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_date_has_its_day_number() {
        for (day, date) in
            NaiveDate::default().iter_days().take_while(|date| date.year() < 10_000).enumerate()
        {
            assert_eq!(
                epoch_day(date.year().unsigned_abs(), date.month(), date.day()),
                day as u32,
                "{date}"
            );
        }
        for (year, month) in (0..=9_999).flat_map(|year| (0..=99).map(move |month| (year, month))) {
            let days = NaiveDate::from_ymd_opt(year, month, 1)
                .map_or(0, |first| u32::from(first.num_days_in_month()));
            assert_eq!(days_of_month(year.unsigned_abs(), month), days, "{year}-{month}");
        }
    }

    #[test]
    fn a_time_in_a_gap_moves_to_its_end_and_in_an_overlap_the_first_pass_counts() {
        let london: Tz = "Europe/London".parse().unwrap();
        for (text, instant) in [
            ("2026-03-29T01:30", 1_774_746_000_000),
            ("2026-10-25T01:30", 1_792_888_200_000),
            ("2026-07-01T12:00", 1_782_903_600_000),
            ("2026-07-01T12:00:00.25", 1_782_903_600_250),
            ("2026-03-29T01:30:00.5", 1_774_746_000_000),
            ("2026-10-25T01:30:00.5", 1_792_888_200_500),
        ] {
            assert_eq!(local(text).instant(london), Some(UnixMillis::new(instant)), "{text}");
        }
        let in_gap = local("2026-03-29T01:30:00.5");
        assert_eq!(in_gap.instant_after_gap(london), Some(UnixMillis::new(1_774_747_800_500)));
        assert_eq!(
            (in_gap.width_of_gap(london), local("2026-07-01T12:00").width_of_gap(london)),
            (3_600_000, 0)
        );
        assert_eq!(local("1970-01-01T00:00").instant("Asia/Tokyo".parse().unwrap()), None);
        assert_eq!(local("9999-12-31T23:59").instant("America/New_York".parse().unwrap()), None);
    }
}
