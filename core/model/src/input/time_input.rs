//! Times in requests: parses them, and refuses those that nobody can mean.

use super::{FieldError, cut, no_list, quoted, whole_of};
use crate::bounds::MIN_TIME_MILLIS;
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use scheduler_calendar::excerpt::Excerpt;
use scheduler_calendar::local_time::{LocalTime, NotLocal};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A time as it is given: milliseconds since 1970, RFC 3339, or a local time beside a `timezone`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(inline, untagged)]
pub(crate) enum TimeInput<'a> {
    /// Milliseconds since 1970. Lower numbers are refused: they are seconds.
    Millis(#[schemars(range(min = MIN_TIME_MILLIS, max = UnixMillis::LAST.get()))] i64),
    #[schemars(skip)]
    Float(f64),
    /// RFC 3339. With a `timezone`, also a local time like `2026-12-01T09:00`.
    Text(Cow<'a, str>),
}

/// The schema of a time beside which there is no `timezone`.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum InstantInput {
    /// Milliseconds since 1970. Lower numbers are refused: they are seconds.
    Millis(#[schemars(range(min = MIN_TIME_MILLIS, max = UnixMillis::LAST.get()))] i64),
    /// RFC 3339, with an offset.
    Text(String),
}

impl<'de: 'a, 'a> Deserialize<'de> for TimeInput<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimeVisitor;
        impl<'de> Visitor<'de> for TimeVisitor {
            type Value = TimeInput<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time like \"2026-12-24T18:00:00+01:00\" or milliseconds since 1970")
            }
            fn visit_i64<E: Error>(self, millis: i64) -> Result<TimeInput<'de>, E> {
                Ok(TimeInput::Millis(millis))
            }
            fn visit_u64<E: Error>(self, millis: u64) -> Result<TimeInput<'de>, E> {
                Ok(TimeInput::Millis(i64::try_from(millis).unwrap_or(i64::MAX)))
            }
            fn visit_f64<E: Error>(self, millis: f64) -> Result<TimeInput<'de>, E> {
                Ok(TimeInput::Float(millis))
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<TimeInput<'de>, E> {
                Ok(TimeInput::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<TimeInput<'de>, E> {
                Ok(TimeInput::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<TimeInput<'de>, A::Error> {
                Err(no_list(list, &self))
            }
        }
        deserializer.deserialize_any(TimeVisitor)
    }
}

/// The meaning of a time in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenTime {
    /// An instant.
    Instant(UnixMillis),
    /// The time of a local clock, which is an instant only together with a time zone.
    Local(LocalTime),
}

impl TimeInput<'_> {
    /// Parses the time.
    ///
    /// # Errors
    /// Returns an error if the value is not a plausible time. The error names `field` and the
    /// reason, and proposes what was probably meant. `has_zone` says whether the request may have a
    /// time zone.
    pub(crate) fn read(
        &self,
        field: &'static str,
        has_zone: bool,
    ) -> Result<GivenTime, FieldError> {
        let time = match self {
            Self::Millis(millis) => of_number(*millis, has_zone).map(GivenTime::Instant),
            // Some languages write every number as a float.
            Self::Float(number) => {
                let read = whole_of(*number)
                    .map_or_else(|| Err(of_fraction(*number)), |whole| of_number(whole, has_zone));
                read.map(GivenTime::Instant)
            }
            Self::Text(text) => of_text(text, has_zone),
        };
        time.map_err(|problem| FieldError::new(field, problem))
    }

    /// Parses an instant, for a field without a time zone.
    ///
    /// # Errors
    /// Those of [`Self::read`], and an error if the value is a local time.
    pub(crate) fn instant(&self, field: &'static str) -> Result<UnixMillis, FieldError> {
        match self.read(field, false)? {
            GivenTime::Instant(instant) => Ok(instant),
            GivenTime::Local(local) => Err(FieldError::new(
                field,
                format!(
                    "is {local}, a local time without a time zone; add the offset, as {local}Z or {local}+01:00"
                ),
            )),
        }
    }
}

impl TimeInput<'_> {
    /// Parses a time for a field with an optional time zone. Returns the instant, and the local
    /// time if it is one.
    ///
    /// # Errors
    /// Those of [`Self::read`], when a local time has no zone, and when it is not within the range
    /// of instants.
    pub(crate) fn in_zone(
        &self,
        field: &'static str,
        timezone: Option<Tz>,
    ) -> Result<(UnixMillis, Option<LocalTime>), FieldError> {
        let local = match self.read(field, true)? {
            GivenTime::Instant(instant) => return Ok((instant, None)),
            GivenTime::Local(local) => local,
        };
        let timezone = timezone.ok_or_else(|| {
            let detail = format!(
                "is {local}, a local time; give its timezone beside it, like Europe/London, or add the offset, as {local}Z"
            );
            FieldError::new(field, detail)
        })?;
        let instant =
            local.instant(timezone).ok_or_else(|| FieldError::new(field, OUT_OF_RANGE))?;
        Ok((instant, Some(local)))
    }

    /// Returns what to do about the time zone of a request if this time is an instant.
    pub(crate) fn without_zone(&self) -> &'static str {
        match self {
            Self::Text(text) if text.contains(':') => {
                "leave out the offset of the time, as 2026-12-01T09:00"
            }
            _ => "leave it out, or write the time as a clock there shows it, as 2026-12-01T09:00",
        }
    }
}

/// Parses an instant from a query parameter.
///
/// # Errors
/// Returns an error if the value is not a plausible time. The error names `field` and the reason,
/// and proposes what was probably meant.
pub fn parse_time(field: &'static str, text: &str) -> Result<UnixMillis, FieldError> {
    let text = match text.rsplit_once(' ') {
        // A plus in a query means a space, so the caller has not escaped it. An offset has a sign,
        // so nothing else can be meant.
        Some((time, offset))
            if time.len() > 10 && offset.starts_with(|first: char| first.is_ascii_digit()) =>
        {
            Cow::Owned(format!("{time}+{offset}"))
        }
        _ => Cow::Borrowed(text),
    };
    TimeInput::Text(text).instant(field)
}

const ACCEPTED: &str = "give milliseconds since 1970, which have 13 digits, or RFC 3339 like 2026-12-24T18:00:00+01:00";

/// Returns whether a number is accepted as a time in milliseconds since 1970.
pub(super) fn is_in_millis(number: i64) -> bool {
    (MIN_TIME_MILLIS..=UnixMillis::LAST.get()).contains(&number) && !is_date(number)
}

fn of_number(millis: i64, has_zone: bool) -> Result<UnixMillis, String> {
    if is_in_millis(millis) {
        return Ok(UnixMillis::new(millis));
    }
    Err(match u64::try_from(millis) {
        Ok(number) => not_millis(number, &number.to_string(), has_zone),
        Err(_) => format!("is {millis}, before 1970; {ACCEPTED}"),
    })
}

/// Returns whether a number is a date and a time without separators, such as 209912240930 or
/// 20991224093000. As milliseconds, these would be in 1976 or after 2590.
fn is_date(number: i64) -> bool {
    let (date_and_time, seconds) = match number {
        100_000_000_000..=999_999_999_999 => (number, 0),
        10_000_000_000_000..=99_999_999_999_999 => (number / 100, number % 100),
        _ => return false,
    };
    let part = |divisor: i64| (date_and_time / divisor) % 100;
    (1970..2200).contains(&(date_and_time / 100_000_000))
        && (1..=12).contains(&part(1_000_000))
        && (1..=31).contains(&part(10_000))
        && part(100) < 24
        && part(1) < 60
        && seconds < 60
}

fn of_fraction(number: f64) -> String {
    let millis = (number * 1_000.0).round();
    if (MIN_TIME_MILLIS as f64..=UnixMillis::LAST.get() as f64).contains(&millis)
        && number < MIN_TIME_MILLIS as f64
    {
        return format!("is {number}, which looks like seconds; {}", in_millis(millis as i64));
    }
    format!("is {number}, which has a fraction or is too large; {ACCEPTED}")
}

fn of_text(text: &str, has_zone: bool) -> Result<GivenTime, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number with more digits is out of every range.
        let number = text.parse::<u64>().unwrap_or(u64::MAX);
        let millis = i64::try_from(number).ok().filter(|_| text.len() == MILLIS_DIGITS);
        return match millis.map(|whole| of_number(whole, has_zone)) {
            Some(time) => time.map(GivenTime::Instant),
            None => Err(not_millis(number, &cut(text, 64), has_zone)),
        };
    }
    // Most times end in `Z`. They are parsed without the general parser of RFC 3339, which takes
    // three times as long.
    if let Some(utc) =
        text.strip_suffix('Z').and_then(|local| local.parse::<LocalTime>().ok()?.at_offset(0))
    {
        return Ok(GivenTime::Instant(utc));
    }
    if let Ok(local) = text.parse() {
        return Ok(GivenTime::Local(local));
    }
    let time = match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) if is_leap(&time) && !is_leap_second(&time) => {
            return Err(NO_LEAP_SECOND.to_owned());
        }
        // A leap second is one instant, and no part of it is after the start of the next minute.
        Ok(time) if is_leap(&time) => UnixMillis::new((time.timestamp() + 1) * 1_000),
        Ok(time) => UnixMillis::new(time.timestamp_millis()),
        Err(_) => match with_offset(text) {
            Some(time) => time.ok_or(OUT_OF_RANGE)?,
            None => return Err(why_not_read(text, &quoted(text, 64), has_zone)),
        },
    };
    let is_within = (UnixMillis::ZERO..=UnixMillis::LAST).contains(&time);
    if is_within { Ok(GivenTime::Instant(time)) } else { Err(OUT_OF_RANGE.to_owned()) }
}

const OUT_OF_RANGE: &str =
    "is out of range: must be 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z";

const NO_LEAP_SECOND: &str = "has 60 seconds; only a leap second has, at 23:59:60Z on the last day of a month: write the next minute instead";

/// Returns whether the second is written as 60.
fn is_leap(time: &DateTime<FixedOffset>) -> bool {
    time.nanosecond() >= 1_000_000_000
}

/// Returns whether a leap second is possible at this time: at the end of a month, in UTC.
fn is_leap_second(time: &DateTime<FixedOffset>) -> bool {
    let utc = time.to_utc();
    (utc.hour(), utc.minute()) == (23, 59) && utc.day() == u32::from(utc.num_days_in_month())
}

/// Parses a date and time with an offset that is almost RFC 3339 and can mean only one instant:
/// without seconds, with an offset like `+01` or `+0100`, or with a space before the offset.
/// Returns `None` for any other text, and `Some(None)` if the instant is out of range.
fn with_offset(text: &str) -> Option<Option<UnixMillis>> {
    let (local, offset) = split_offset(text)?;
    let local: LocalTime = local.parse().ok()?;
    let digits = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok())?
    };
    let (sign, rest) = offset.split_at_checked(1)?;
    let (hours, minutes) = match (sign, rest.len()) {
        ("Z" | "z", 0) => ("0", "0"),
        ("+" | "-", 2) => (rest, "0"),
        ("+" | "-", 4) => rest.split_at_checked(2)?,
        ("+" | "-", 5) => rest.split_once(':').filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3_600 + minutes * 60;
    Some(local.at_offset(if sign == "-" { -seconds } else { seconds }))
}

/// Splits a date and time from its offset.
fn split_offset(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind(['Z', 'z', '+', '-']).filter(|at| *at > 10)?;
    text.split_at_checked(at).map(|(local, offset)| (local.trim_end_matches(' '), offset))
}

/// Returns why a text is not a time, and what was probably meant.
fn why_not_read(text: &str, shown: &Excerpt, has_zone: bool) -> String {
    if format!("{text}T00:00").parse::<LocalTime>().is_ok() {
        let or_local = if has_zone {
            format!(", or {text}T00:00 with timezone beside it")
        } else {
            String::new()
        };
        return format!(
            "is {text}, a date without a time of day; write {text}T00:00:00Z{or_local}"
        );
    }
    let (local, offset) = split_offset(text).unwrap_or((text, ""));
    match local.parse::<LocalTime>() {
        Err(NotLocal::Second) if local.get(16..19) == Some(":60") => NO_LEAP_SECOND.to_owned(),
        Err(problem @ (NotLocal::Date | NotLocal::Hour | NotLocal::Minute | NotLocal::Second)) => {
            format!("is {shown}, {problem}")
        }
        Err(NotLocal::Early) => OUT_OF_RANGE.to_owned(),
        Ok(_) if !offset.is_empty() => {
            format!(
                "is {shown}, whose offset cannot be read; write Z, or hours and minutes up to 23:59, as +01:00"
            )
        }
        _ => {
            let or_local = if has_zone { "2026-12-24T18:00 with timezone beside it, " } else { "" };
            format!(
                "is {shown}, which is not RFC 3339; write 2026-12-24T18:00:00+01:00, {or_local}or milliseconds since 1970"
            )
        }
    }
}

/// The digits of the milliseconds from 2001 to 2286.
const MILLIS_DIGITS: usize = 13;

/// Returns what a number that is not in milliseconds probably means. `text` is its written form,
/// for the error.
fn not_millis(number: u64, text: &str, has_zone: bool) -> String {
    let guess = |unit: &str, millis: u64| {
        format!("is {text}, which looks like {unit}; {}", in_millis(millis.cast_signed()))
    };
    let last = UnixMillis::LAST.get().unsigned_abs();
    match text.len() {
        9..=11 => guess("seconds", number * 1_000),
        15..=17 if number / 1_000 <= last => guess("microseconds", number / 1_000),
        18..=20 if number / 1_000_000 <= last && number != u64::MAX => {
            guess("nanoseconds", number / 1_000_000)
        }
        _ => match as_date(text) {
            Some(date) => {
                let or_local = if has_zone {
                    format!(", or {date} with timezone beside it")
                } else {
                    String::new()
                };
                format!("is {text}, which looks like a date; write {date}Z{or_local}")
            }
            None => {
                format!("is {text}, which is not a time in milliseconds since 1970; {ACCEPTED}")
            }
        },
    }
}

fn in_millis(millis: i64) -> String {
    format!("in milliseconds that is {millis}, {}", UnixMillis::new(millis).shown())
}

/// Parses digits as a year, a date, or a date with a time of day, into a local time.
fn as_date(digits: &str) -> Option<LocalTime> {
    let of = |from: usize, to: usize| digits.get(from..to);
    let month_and_day =
        |from: usize| Some(format!("{}-{}", of(from, from + 2)?, of(from + 2, from + 4)?));
    let local = match digits.len() {
        4 => format!("{digits}-01-01T00:00"),
        8 => format!("{}-{}T00:00", of(0, 4)?, month_and_day(4)?),
        12 => format!("{}-{}T{}:{}", of(0, 4)?, month_and_day(4)?, of(8, 10)?, of(10, 12)?),
        14 => format!(
            "{}-{}T{}:{}:{}",
            of(0, 4)?,
            month_and_day(4)?,
            of(8, 10)?,
            of(10, 12)?,
            of(12, 14)?
        ),
        _ => return None,
    };
    local.parse().ok()
}

#[cfg(test)]
#[path = "time_input_tests.rs"]
mod tests;
