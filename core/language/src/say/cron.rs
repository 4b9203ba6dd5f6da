//! Writes cron expressions in words.

use super::voice::{Voice, fill};
use crate::words::Unit;
use std::collections::BTreeSet;

const CRON_DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// The most times of a day that are listed.
const MAX_TIMES: usize = 8;

/// The fewest times at equal distances that are written as an interval.
const MIN_STEPS: usize = 4;

/// Writes expressions; `None` if they have no usual form.
pub(super) fn words(expressions: &[String], voice: &Voice) -> Option<String> {
    // Expressions with the same days are one phrase.
    let mut groups: Vec<Vec<Vec<&str>>> = Vec::new();
    for expression in expressions {
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let days = fields.get(fields.len().checked_sub(3)?..)?;
        let same = groups.iter_mut().find(|group| {
            group.first().is_some_and(|known| known.get(known.len() - 3..) == Some(days))
        });
        match same {
            Some(group) => group.push(fields),
            None => groups.push(vec![fields]),
        }
    }
    let phrases: Option<Vec<String>> =
        groups.iter().map(|group| with_same_days(group, voice)).collect();
    Some(voice.join(&phrases?))
}

fn with_same_days(fields: &[Vec<&str>], voice: &Voice) -> Option<String> {
    let first = fields.first()?;
    let days = first.get(first.len().checked_sub(3)?..)?;
    if !fields
        .iter()
        .all(|fields| fields.len() >= 5 && fields.get(fields.len() - 3..) == Some(days))
    {
        return None;
    }
    let [day, month, weekday] = days else { return None };
    if let [fields] = fields
        && let Some(interval) = interval(fields, voice)
    {
        return Some(interval + &days_behind(day, month, weekday, voice)?);
    }
    let mut times = BTreeSet::new();
    for fields in fields {
        let [minute, hour, ..] = fields.as_slice() else { return None };
        if fields.len() != 5 {
            return None;
        }
        let minutes = numbers(minute, 59)?;
        for hour in numbers(hour, 23)? {
            times.extend(minutes.iter().map(|minute| hour * 60 + minute));
        }
    }
    let times: Vec<u32> = times.into_iter().collect();
    if let Some(window) = window(&times, voice) {
        return Some(window + &days_behind(day, month, weekday, voice)?);
    }
    if times.len() > MAX_TIMES {
        return None;
    }
    let times: Vec<String> = times.into_iter().map(clock).collect();
    let days = days_in_words(day, month, weekday, voice)?;
    Some(days + &fill(voice.at, &[&voice.join(&times)]))
}

/// Writes minutes since midnight.
fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Writes times at equal distances as an interval between the first and the last.
fn window(times: &[u32], voice: &Voice) -> Option<String> {
    let [first, second, ..] = times else { return None };
    let (last, step) = (times.last()?, second - first);
    let is_even = times.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step));
    if !is_even || times.len() < MIN_STEPS {
        return None;
    }
    let every = if step.is_multiple_of(60) {
        voice.every(step / 60, Unit::Hour)
    } else {
        voice.every(step, Unit::Minute)
    };
    Some(fill(voice.between, &[&every, &clock(*first), &clock(*last)]))
}

/// Writes the days after an interval; empty for every day.
fn days_behind(day: &str, month: &str, weekday: &str, voice: &Voice) -> Option<String> {
    let days = days_in_words(day, month, weekday, voice)?;
    let daily = voice.every(1, Unit::Day);
    Some(match days.strip_prefix(&daily) {
        Some(months) => months.to_owned(),
        None => format!(" {days}"),
    })
}

/// Writes `*/15 * ...` as an interval.
fn interval(fields: &[&str], voice: &Voice) -> Option<String> {
    let every = |field: &str, unit: Unit| {
        if field == "*" {
            return Some(voice.every(1, unit));
        }
        let step = field.strip_prefix("*/").and_then(|step| step.parse::<u32>().ok())?;
        Some(voice.every(step, unit))
    };
    match fields {
        [second, "*", "*", _, _, _] => every(second, Unit::Second),
        [minute, "*", _, _, _] => match minute.parse::<u32>() {
            Ok(0) => Some(voice.every(1, Unit::Hour)),
            Ok(minute) => {
                let at = fill(voice.at_minute, &[&format!("{minute:02}")]);
                Some(voice.every(1, Unit::Hour) + &at)
            }
            Err(_) => every(minute, Unit::Minute),
        },
        ["0", hour, _, _, _] if hour.starts_with("*/") => every(hour, Unit::Hour),
        _ => None,
    }
}

fn days_in_words(day: &str, month: &str, weekday: &str, voice: &Voice) -> Option<String> {
    let months: Vec<String> = if month == "*" {
        Vec::new()
    } else {
        numbers(month, 12)?
            .into_iter()
            .filter_map(|month| voice.month(month))
            .map(str::to_owned)
            .collect()
    };
    let in_months = voice.in_months(&months);
    if day == "*" && weekday == "*" {
        return Some(voice.every(1, Unit::Day) + &in_months);
    }
    if day == "*" {
        if weekday.contains('#') || weekday.ends_with('L') {
            let counted = counted(weekday, voice)?;
            return Some(if months.is_empty() {
                fill(voice.of_every_month, &[&counted])
            } else {
                fill(voice.of_months, &[&counted, &voice.join(&months)])
            });
        }
        let days: Vec<u32> = weekdays(weekday)?.into_iter().collect();
        let words = if days == [0, 1, 2, 3, 4] {
            voice.every_weekday.to_owned()
        } else {
            let named: Vec<String> =
                days.iter().filter_map(|day| voice.day(*day as usize)).map(str::to_owned).collect();
            fill(voice.every_of_days, &[&voice.join(&named)])
        };
        return Some(words + &in_months);
    }
    if weekday != "*" {
        return None;
    }
    let days: Vec<String> = if day == "L" {
        vec![voice.last_day.to_owned()]
    } else {
        numbers(day, 31)?.into_iter().map(|day| voice.day_of_month(day)).collect()
    };
    Some(match (days.as_slice(), months.as_slice()) {
        ([only], [month]) if day != "L" => fill(voice.every_year_on, &[only, month]),
        (_, []) => fill(voice.of_every_month, &[&voice.join(&days)]),
        (_, months) => fill(voice.days_of_months, &[&voice.join(&days), &voice.join(months)]),
    })
}

/// Writes `TUE#2,TUE#4` as `second and fourth Tuesday`.
fn counted(field: &str, voice: &Voice) -> Option<String> {
    let mut numbers = Vec::new();
    let mut name = None;
    for part in field.split(',') {
        let (day, number) = match part.split_once('#') {
            Some((day, number)) => (day, voice.ordinal(number)?),
            None => (part.strip_suffix('L')?, voice.last),
        };
        if name.is_some_and(|known| known != day) {
            return None;
        }
        name = Some(day);
        numbers.push(number.to_owned());
    }
    let day = CRON_DAYS.iter().position(|known| Some(*known) == name)?;
    Some(format!("{} {}", voice.join(&numbers), voice.day(day)?))
}

/// Reads a list of numbers and ranges.
fn numbers(field: &str, most: u32) -> Option<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    for part in field.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        if last > most {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

/// Reads a list of days of the week and ranges of them, from Monday, 0.
fn weekdays(field: &str) -> Option<BTreeSet<u32>> {
    let day = |name: &str| {
        let number = CRON_DAYS
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))
            .and_then(|day| u32::try_from(day).ok());
        number.or_else(|| name.parse::<u32>().ok().filter(|day| *day <= 7).map(|day| (day + 6) % 7))
    };
    let mut days = BTreeSet::new();
    for part in field.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        // Cron's week begins with Sunday.
        let length = (last + 7 - first) % 7;
        days.extend((0..=length).map(|step| (first + step) % 7));
    }
    Some(days)
}
