//! Reads exclusions.

use super::clock::Clock;
use super::days::Days;
use super::error::{BadItem, ExcludeError};
use super::{DAY, DayRule, Exclusions, Instead, Items, List};
use crate::excerpt::Excerpt;
use crate::ordered::sort;
use crate::rrule::RRule;
use crate::steps::count_steps;
use crate::time::UnixMillis;
use crate::tz::Tz;
use chrono::{Datelike, NaiveDate};
use std::cmp::Ordering;

/// Sunday comes first, because its bit is the lowest.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A leap year, in which every yearly date exists.
const LEAP_YEAR: i32 = 2000;

/// The lengths of its months.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const MINUTE: u32 = 60_000;

/// The steps (see [`crate::steps`]) of reading a date or a time of day, and of reading a rule.
const STEPS_OF_AN_ITEM: usize = 4;
const STEPS_OF_A_RULE: usize = 50;

/// Returns whether a rule has a part that names times of day. [`Exclusions::parse`] accepts a rule
/// that names midnight and takes it for the whole day, because earlier versions stored such rules.
pub fn names_times(rule: &str) -> bool {
    let of_times = ["BYHOUR=", "BYMINUTE=", "BYSECOND="];
    let rule = rule.to_ascii_uppercase();
    of_times.iter().any(|part| rule.contains(part))
}

impl Exclusions {
    /// Parses exclusions, which are read on the clock of `timezone`. Rules begin on the local day
    /// of `start`, the schedule's `startAt`.
    ///
    /// # Errors
    /// Returns an error if an item is invalid. The error names it.
    pub fn parse<T: AsRef<str>>(
        items: Items<'_, T>,
        instead: Instead,
        timezone: Tz,
        start: Option<UnixMillis>,
    ) -> Result<Self, BadItem> {
        let (dates, times, rules) = (items.dates.len(), items.times.len(), items.rules.len());
        let steps = (dates + times) * STEPS_OF_AN_ITEM + rules * STEPS_OF_A_RULE;
        count_steps(u32::try_from(steps).unwrap_or(u32::MAX));
        let mut days = Days::default();
        let mut dates = Vec::new();
        each(List::Dates, items.dates, |text| read_dates(text, &mut days.yearly, &mut dates))?;
        days.dates = joined(dates, 1).into();
        each(List::Weekdays, items.weekdays, |text| {
            let named = |name: &&str| name.eq_ignore_ascii_case(text);
            let day = WEEKDAYS.iter().position(named);
            days.weekdays |= 1 << day.ok_or_else(|| ExcludeError::Weekday(Excerpt::of(text)))?;
            Ok(())
        })?;
        let mut times = Vec::new();
        each(List::Times, items.times, |text| read_times(text, &mut times))?;
        let mut rules: Vec<DayRule> = Vec::new();
        let clock = Clock::of(timezone);
        let start = start.map(|start| clock.shown(start).div_euclid(DAY));
        each(List::Rules, items.rules, |text| {
            // UNTIL is an instant. A day counts if it begins by then.
            let last_day = |until: i64| clock.day_of(UnixMillis::new(until * 1_000));
            let rule = RRule::of_days(text, start, last_day)?;
            if !rules.contains(&rule) {
                rules.push(rule);
            }
            Ok(())
        })?;
        days.rules = rules.into();
        let times = joined(times, 0);
        let all = |at, problem| Err(BadItem { at, problem });
        if days.weekdays == (1 << WEEKDAYS.len()) - 1 {
            return all(Some((List::Weekdays, None)), ExcludeError::AllDays);
        }
        if times == [(0, DAY as u32)] {
            return all(Some((List::Times, None)), ExcludeError::AllTimes);
        }
        if days.are_none() && times.is_empty() {
            return all(None, ExcludeError::Nothing);
        }
        // Runs move only from excluded days.
        let instead = if days.are_none() { Instead::Skip } else { instead };
        Ok(Self { timezone, instead, days, times: times.into() })
    }
}

fn each<T: AsRef<str>>(
    list: List,
    items: &[T],
    mut read: impl FnMut(&str) -> Result<(), ExcludeError>,
) -> Result<(), BadItem> {
    items.iter().enumerate().try_for_each(|(place, item)| {
        read(item.as_ref()).map_err(|problem| BadItem { at: Some((list, Some(place))), problem })
    })
}

/// A date with or without a year.
#[derive(Clone, Copy)]
enum Date {
    Of(NaiveDate),
    /// A date of every year, in a leap year.
    Yearly(NaiveDate),
}

fn read_dates(
    text: &str,
    yearly: &mut [u32; 12],
    dates: &mut Vec<(i32, i32)>,
) -> Result<(), ExcludeError> {
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    match (date(first, text)?, date(last, text)?) {
        (Date::Of(first), Date::Of(last)) if first <= last => {
            dates.push((first.to_epoch_days(), last.to_epoch_days()));
        }
        (Date::Of(_), Date::Of(_)) => return Err(ExcludeError::Reversed(Excerpt::of(text))),
        (Date::Yearly(first), Date::Yearly(last)) if first <= last => add(yearly, first, last),
        (Date::Yearly(first), Date::Yearly(last)) => {
            // It goes past the end of the year.
            add(yearly, first, NaiveDate::MAX);
            add(yearly, NaiveDate::MIN, last);
        }
        _ => return Err(ExcludeError::Date(Excerpt::of(text))),
    }
    Ok(())
}

/// Adds the days of a range within a year. The years of the dates do not matter.
fn add(yearly: &mut [u32; 12], first: NaiveDate, last: NaiveDate) {
    let (first, last) = ((first.month(), first.day()), (last.month(), last.day()));
    for ((month, days), length) in (1..).zip(yearly).zip(LENGTHS) {
        let begin = match month.cmp(&first.0) {
            Ordering::Less => continue,
            Ordering::Equal => first.1,
            Ordering::Greater => 1,
        };
        let end = match month.cmp(&last.0) {
            Ordering::Less => length,
            Ordering::Equal => last.1.min(length),
            Ordering::Greater => continue,
        };
        *days |= u32::MAX << begin & u32::MAX >> (31 - end);
    }
}

/// Reads `2026-12-24` or `12-24`. `whole` is the text that an error repeats.
fn date(text: &str, whole: &str) -> Result<Date, ExcludeError> {
    let number = |text: &str, digits: usize| {
        let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u32>().ok()).flatten()
    };
    let mut parts = text.split('-').rev();
    let (day, month, year) = (parts.next(), parts.next(), parts.next());
    let read = || {
        let (day, month) = (number(day?, 2)?, number(month?, 2)?);
        let year = match year {
            Some(year) => Some(number(year, 4)?),
            None => None,
        };
        Some((day, month, year))
    };
    let (day, month, year) = read()
        .filter(|_| parts.next().is_none())
        .ok_or_else(|| ExcludeError::Date(Excerpt::of(whole)))?;
    let date = NaiveDate::from_ymd_opt(
        year.map_or(LEAP_YEAR, |year| i32::try_from(year).unwrap_or_default()),
        month,
        day,
    );
    match (date, year) {
        (Some(date), None) => Ok(Date::Yearly(date)),
        (Some(date), Some(1970..)) => Ok(Date::Of(date)),
        _ => Err(ExcludeError::NoSuchDate(Excerpt::of(whole))),
    }
}

fn read_times(text: &str, times: &mut Vec<(u32, u32)>) -> Result<(), ExcludeError> {
    let read = || {
        let (begin, end) = text.split_once('-')?;
        Some((time(begin)?, time(end)?))
    };
    let (begin, end) = read().ok_or_else(|| ExcludeError::Times(Excerpt::of(text)))?;
    let of_day = DAY as u32;
    if begin == of_day {
        return Err(ExcludeError::Times(Excerpt::of(text)));
    }
    match begin.cmp(&end) {
        Ordering::Equal => return Err(ExcludeError::NoTime(Excerpt::of(text))),
        Ordering::Less => times.push((begin, end)),
        // It goes past midnight.
        Ordering::Greater => {
            times.push((begin, of_day));
            times.extend((end > 0).then_some((0, end)));
        }
    }
    Ok(())
}

/// Reads `12:30` as milliseconds of the day.
fn time(text: &str) -> Option<u32> {
    let [h1, h0, b':', m1, m0] = *text.as_bytes() else { return None };
    let digits = [h1, h0, m1, m0];
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let [h1, h0, m1, m0] = digits.map(|digit| u32::from(digit - b'0'));
    let (hour, minute) = (h1 * 10 + h0, m1 * 10 + m0);
    let is_time = hour < 24 && minute < 60 || (hour, minute) == (24, 0);
    is_time.then_some((hour * 60 + minute) * MINUTE)
}

/// Sorts ranges, and joins those that overlap or touch. `step` is what lies between the end of a
/// range and the begin of the next one that touches it.
fn joined<T>(mut ranges: Vec<(T, T)>, step: T) -> Vec<(T, T)>
where
    T: Ord + Copy + std::ops::Add<Output = T>,
{
    sort(&mut ranges);
    let mut joined: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= *end + step => *end = (*end).max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}
