//! Parses rules.

use super::bounds::{MAX_COUNTED_RUNS, MAX_INTERVAL, MAX_RULE_BYTES};
use super::error::RRuleError;
use super::{DAY, Frequency, RRule, Start};
use crate::cron::timezone;
use crate::excerpt::Excerpt;
use crate::local_clock;
use crate::local_time::LocalTime;
use crate::ordered::sort;
use chrono::{Datelike, NaiveDate};

/// The supported parts, in the order of the RFC.
const PARTS: [&str; 12] = [
    "FREQ",
    "UNTIL",
    "COUNT",
    "INTERVAL",
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
];

/// The unsupported parts of the RFC.
const UNSUPPORTED: [&str; 2] = ["BYYEARDAY", "BYWEEKNO"];

/// Sunday comes first, because its bit is the lowest.
const WEEKDAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

const MONDAY: u8 = 1;

/// The value of each part of [`PARTS`], if it is given.
type Values<'a> = [Option<&'a str>; PARTS.len()];

pub(super) fn rule(text: &str, start: Start, zone: Option<&str>) -> Result<RRule, RRuleError> {
    let timezone = timezone(zone).map_err(RRuleError::Timezone)?;
    if text.len() > MAX_RULE_BYTES {
        return Err(RRuleError::TooLong(text.len()));
    }
    if start.at.get() % 1_000 != 0 || start.local.is_some_and(|local| local.millis() != 0) {
        return Err(RRuleError::StartFraction);
    }
    let values = split(text)?;
    let given = |part: &str| {
        PARTS.iter().position(|name| *name == part).and_then(|at| values.get(at).copied().flatten())
    };
    let frequency = frequency(given("FREQ").ok_or(RRuleError::NoFrequency)?)?;
    let (count, until) = (given("COUNT"), given("UNTIL"));
    if count.is_some() && until.is_some() {
        return Err(RRuleError::TwoEnds);
    }
    let (weekdays, ordinals) = weekdays(given("BYDAY"))?;
    if !ordinals.is_empty() && !matches!(frequency, Frequency::Monthly | Frequency::Yearly) {
        return Err(RRuleError::Ordinal);
    }
    let (month_days, month_days_back) = month_days(given("BYMONTHDAY"))?;
    if given("BYMONTHDAY").is_some() && frequency == Frequency::Weekly {
        return Err(RRuleError::MonthDayOfWeek);
    }
    let set_positions = positions(given("BYSETPOS"))?;
    let chooses_from = ["BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND"];
    if !set_positions.is_empty() && chooses_from.iter().all(|part| given(part).is_none()) {
        return Err(RRuleError::PositionOfNothing);
    }
    let mut rule = RRule {
        frequency,
        interval: given("INTERVAL")
            .map_or(Ok(1), |value| ranged("INTERVAL", value, 1, MAX_INTERVAL))?,
        count: count.map(|value| ranged("COUNT", value, 1, MAX_COUNTED_RUNS)).transpose()?,
        until: until.map(instant).transpose()?,
        start: start.local.map_or_else(
            || local_clock::clock_at(timezone, start.at.get() / 1_000),
            LocalTime::seconds,
        ),
        start_at: start.at.get() / 1_000,
        repeats: false,
        timezone,
        months: bits("BYMONTH", given("BYMONTH"), 1, 12)? as u16,
        month_days,
        month_days_back,
        weekdays,
        ordinals: ordinals.into(),
        hours: bits("BYHOUR", given("BYHOUR"), 0, 23)? as u32,
        minutes: bits("BYMINUTE", given("BYMINUTE"), 0, 59)?,
        seconds: bits("BYSECOND", given("BYSECOND"), 0, 59)?,
        set_positions: set_positions.into(),
        week_start: given("WKST").map_or(Ok(MONDAY), |value| weekday("WKST", value))?,
    };
    rule.fill_from_start();
    rule.repeats = rule.repeats_on_the_clock();
    Ok(rule)
}

impl RRule {
    /// Fills what the rule leaves open from its start: the day as the frequency requires, and each
    /// part of the time that is finer than the frequency. The other parts stay unrestricted.
    fn fill_from_start(&mut self) {
        let date = i32::try_from(self.start.div_euclid(DAY))
            .ok()
            .and_then(NaiveDate::from_epoch_days)
            .unwrap_or_default();
        let time = self.start.rem_euclid(DAY);
        let names_days = self.month_days | self.month_days_back != 0
            || self.weekdays != 0
            || !self.ordinals.is_empty();
        match self.frequency {
            Frequency::Yearly if !names_days => {
                if self.months == 0 {
                    self.months = 1 << date.month();
                }
                self.month_days = 1 << date.day();
            }
            Frequency::Monthly if !names_days => self.month_days = 1 << date.day(),
            Frequency::Weekly if !names_days => {
                self.weekdays = 1 << date.weekday().num_days_from_sunday()
            }
            _ => {}
        }
        if self.hours == 0 {
            self.hours = if self.frequency > Frequency::Hourly {
                1 << (time / 3_600)
            } else {
                (1 << 24) - 1
            };
        }
        if self.minutes == 0 {
            self.minutes = if self.frequency > Frequency::Minutely {
                1 << (time / 60 % 60)
            } else {
                (1 << 60) - 1
            };
        }
        if self.seconds == 0 {
            self.seconds =
                if self.frequency > Frequency::Secondly { 1 << (time % 60) } else { (1 << 60) - 1 };
        }
    }
}

/// Properties of iCalendar that add or remove runs of a rule.
const NOT_THERE_YET: [&str; 3] = ["EXDATE", "RDATE", "EXRULE"];

fn split(text: &str) -> Result<Values<'_>, RRuleError> {
    let text = text.trim_ascii();
    // These are searched first, because a property on a line of its own would be read as the end of
    // a part's value. No rule contains such a name.
    let upper = text.to_ascii_uppercase();
    if let Some(name) = NOT_THERE_YET.iter().find(|name| upper.contains(**name)) {
        return Err(RRuleError::NotThereYet(name));
    }
    if let Some((_, line)) = text.split_once(['\r', '\n']) {
        return Err(RRuleError::NotTheRule(Excerpt::of(if upper.starts_with("DTSTART") {
            text
        } else {
            line.trim_ascii()
        })));
    }
    let text = match text.get(..6) {
        Some(head) if head.eq_ignore_ascii_case("RRULE:") => text.get(6..).unwrap_or_default(),
        _ => text,
    };
    let mut values: Values<'_> = [None; PARTS.len()];
    for part in text.split(';') {
        let Some((name, value)) =
            part.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty())
        else {
            return Err(RRuleError::NotAPart(Excerpt::of(part)));
        };
        if let Some((known, slot)) =
            PARTS.iter().zip(&mut values).find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            if slot.replace(value).is_some() {
                return Err(RRuleError::Twice(known));
            }
        } else if let Some(known) =
            UNSUPPORTED.iter().find(|known| known.eq_ignore_ascii_case(name))
        {
            return Err(RRuleError::Unsupported(known));
        } else if part.contains([':', '\n']) {
            return Err(RRuleError::NotTheRule(Excerpt::of(part)));
        } else {
            return Err(RRuleError::Unknown(Excerpt::of(name)));
        }
    }
    Ok(values)
}

fn frequency(text: &str) -> Result<Frequency, RRuleError> {
    let names = [
        ("YEARLY", Frequency::Yearly),
        ("MONTHLY", Frequency::Monthly),
        ("WEEKLY", Frequency::Weekly),
        ("DAILY", Frequency::Daily),
        ("HOURLY", Frequency::Hourly),
        ("MINUTELY", Frequency::Minutely),
        ("SECONDLY", Frequency::Secondly),
    ];
    let found = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, frequency)| *frequency).ok_or_else(|| refused("FREQ", text))
}

/// Parses `20261224T180000Z` into Unix seconds.
fn instant(text: &str) -> Result<i64, RRuleError> {
    let digits = |from: usize, to: usize| text.get(from..to).and_then(number);
    let read = || {
        let is_framed = text.len() == 16 && text.get(8..9) == Some("T") && text.ends_with('Z');
        let date = NaiveDate::from_ymd_opt(
            i32::try_from(digits(0, 4)?).ok()?,
            digits(4, 6)?,
            digits(6, 8)?,
        )?;
        let time = date.and_hms_opt(digits(9, 11)?, digits(11, 13)?, digits(13, 15)?)?;
        is_framed.then(|| time.and_utc().timestamp())
    };
    read().ok_or_else(|| refused("UNTIL", text))
}

fn ranged(part: &'static str, text: &str, least: u32, most: u32) -> Result<u32, RRuleError> {
    number(text).filter(|number| (least..=most).contains(number)).ok_or_else(|| refused(part, text))
}

/// Returns a set of numbers, which is empty if the part is not given.
fn bits(part: &'static str, list: Option<&str>, least: u32, most: u32) -> Result<u64, RRuleError> {
    let mut set = 0;
    for item in list.into_iter().flat_map(|list| list.split(',')) {
        set |= 1 << ranged(part, item, least, most)?;
    }
    Ok(set)
}

/// Returns the days of the month counted from its start, and those counted from its end.
fn month_days(list: Option<&str>) -> Result<(u32, u32), RRuleError> {
    let (mut days, mut back) = (0, 0);
    for item in list.into_iter().flat_map(|list| list.split(',')) {
        match signed(item) {
            Some(day @ 1..=31) => days |= 1 << day,
            Some(day @ -31..=-1) => back |= 1 << -day,
            _ => return Err(refused("BYMONTHDAY", item)),
        }
    }
    Ok((days, back))
}

/// Returns the plain weekdays as a set, and those with an ordinal.
fn weekdays(list: Option<&str>) -> Result<(u8, Vec<(i8, u8)>), RRuleError> {
    let (mut plain, mut ordinals) = (0, Vec::new());
    for item in list.into_iter().flat_map(|list| list.split(',')) {
        let at = item.len().saturating_sub(2);
        let (ordinal, day) = item.split_at_checked(at).ok_or_else(|| refused("BYDAY", item))?;
        let day = weekday("BYDAY", day).map_err(|_| refused("BYDAY", item))?;
        if ordinal.is_empty() {
            plain |= 1 << day;
            continue;
        }
        match signed(ordinal).and_then(|ordinal| i8::try_from(ordinal).ok()) {
            Some(ordinal @ (1..=53 | -53..=-1)) => ordinals.push((ordinal, day)),
            _ => return Err(refused("BYDAY", item)),
        }
    }
    // Neither their order nor repetitions matter.
    sort(&mut ordinals);
    ordinals.dedup();
    Ok((plain, ordinals))
}

fn weekday(part: &'static str, text: &str) -> Result<u8, RRuleError> {
    (0..)
        .zip(WEEKDAYS)
        .find(|(_, name)| name.eq_ignore_ascii_case(text))
        .map(|(at, _)| at)
        .ok_or_else(|| refused(part, text))
}

fn positions(list: Option<&str>) -> Result<Vec<i16>, RRuleError> {
    let position = |item: &str| match signed(item) {
        Some(position @ (1..=366 | -366..=-1)) => Ok(position as i16),
        _ => Err(refused("BYSETPOS", item)),
    };
    let mut positions = list
        .into_iter()
        .flat_map(|list| list.split(','))
        .map(position)
        .collect::<Result<Vec<_>, _>>()?;
    sort(&mut positions);
    positions.dedup();
    Ok(positions)
}

/// Parses a number with or without a sign.
fn signed(text: &str) -> Option<i32> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    Some(sign * i32::try_from(number(digits)?).ok()?)
}

/// Parses digits only.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn refused(part: &'static str, value: &str) -> RRuleError {
    RRuleError::Value { part, value: Excerpt::of(value) }
}
