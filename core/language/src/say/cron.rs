//! Cron expressions in words.

use super::phrases::and;
use std::collections::BTreeSet;

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const CRON_DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

/// The most times of a day that are listed.
const MAX_TIMES: usize = 8;

/// Writes expressions that share their days; `None` if they have no usual shape.
pub(super) fn words(expressions: &[String]) -> Option<String> {
    let fields: Vec<Vec<&str>> =
        expressions.iter().map(|expression| expression.split_whitespace().collect()).collect();
    let first = fields.first()?;
    let days = first.get(first.len().checked_sub(3)?..)?;
    if !fields
        .iter()
        .all(|fields| fields.len() >= 5 && fields.get(fields.len() - 3..) == Some(days))
    {
        return None;
    }
    let [day, month, weekday] = days else { return None };
    let days = days_in_words(day, month, weekday)?;
    if let [fields] = fields.as_slice()
        && let Some(interval) = interval(fields)
    {
        return Some(if days == "every day" {
            interval
        } else {
            format!("{interval} {}", days.replacen("every day ", "", 1))
        });
    }
    let mut times = BTreeSet::new();
    for fields in &fields {
        let [minute, hour, ..] = fields.as_slice() else { return None };
        if fields.len() != 5 {
            return None;
        }
        for hour in numbers(hour, 23)? {
            times.extend(numbers(minute, 59)?.into_iter().map(|minute| (hour, minute)));
        }
    }
    if times.len() > MAX_TIMES {
        return None;
    }
    let times: Vec<String> =
        times.iter().map(|(hour, minute)| format!("{hour:02}:{minute:02}")).collect();
    Some(format!("{days} at {}", and(&times)))
}

/// Writes `*/15 * ...` as an interval.
fn interval(fields: &[&str]) -> Option<String> {
    let every = |field: &str, unit: &str| {
        if field == "*" {
            return Some(format!("every {unit}"));
        }
        field
            .strip_prefix("*/")
            .and_then(|step| step.parse::<u32>().ok())
            .map(|step| format!("every {step} {unit}s"))
    };
    match fields {
        [second, "*", "*", _, _, _] => every(second, "second"),
        [minute, "*", _, _, _] => match minute.parse::<u32>() {
            Ok(0) => Some("every hour".to_owned()),
            Ok(minute) => Some(format!("every hour at :{minute:02}")),
            Err(_) => every(minute, "minute"),
        },
        ["0", hour, _, _, _] if hour.starts_with("*/") => every(hour, "hour"),
        ["0", hour, _, _, _] => {
            let (first, last) = hour.split_once('-')?;
            let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
            Some(format!("every hour between {first:02}:00 and {last:02}:00"))
        }
        _ => None,
    }
}

fn days_in_words(day: &str, month: &str, weekday: &str) -> Option<String> {
    let months: Vec<String> = if month == "*" {
        Vec::new()
    } else {
        numbers(month, 12)?.into_iter().filter_map(month_name).collect()
    };
    let in_months = if months.is_empty() { String::new() } else { format!(" in {}", and(&months)) };
    if day == "*" && weekday == "*" {
        return Some(format!("every day{in_months}"));
    }
    if day == "*" {
        if weekday.contains('#') || weekday.ends_with('L') {
            let counted = counted(weekday)?;
            let of = if months.is_empty() {
                "of every month".to_owned()
            } else {
                format!("of {} every year", and(&months))
            };
            return Some(format!("on the {counted} {of}"));
        }
        let days = weekdays(weekday)?;
        let named: Vec<String> = days
            .iter()
            .filter_map(|day| DAYS.get(*day as usize))
            .map(|day| (*day).to_owned())
            .collect();
        let words = match days.iter().copied().collect::<Vec<_>>().as_slice() {
            [0, 1, 2, 3, 4] => "every weekday".to_owned(),
            _ => format!("every {}", and(&named)),
        };
        return Some(words + &in_months);
    }
    if weekday != "*" {
        return None;
    }
    let days: Vec<String> = if day == "L" {
        vec!["last day".to_owned()]
    } else {
        numbers(day, 31)?.into_iter().map(ordinal).collect()
    };
    match (days.as_slice(), months.as_slice()) {
        ([day], [month]) if day != "last day" => {
            Some(format!("every year on the {day} of {month}"))
        }
        (_, []) => Some(format!("on the {} of every month", and(&days))),
        (_, months) => Some(format!("on the {} of {} every year", and(&days), and(months))),
    }
}

fn month_name(month: u32) -> Option<String> {
    MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?).map(|name| (*name).to_owned())
}

/// Writes `TUE#2,TUE#4` as `second and fourth Tuesday`.
fn counted(field: &str) -> Option<String> {
    let mut numbers = Vec::new();
    let mut name = None;
    for part in field.split(',') {
        let (day, number) = match part.split_once('#') {
            Some((day, number)) => {
                (day, (*ORDINALS.get(number.parse::<usize>().ok()?.checked_sub(1)?)?).to_owned())
            }
            None => (part.strip_suffix('L')?, "last".to_owned()),
        };
        if name.is_some_and(|known| known != day) {
            return None;
        }
        name = Some(day);
        numbers.push(number);
    }
    let day = CRON_DAYS.iter().position(|known| Some(*known) == name)?;
    Some(format!("{} {}", and(&numbers), DAYS.get(day)?))
}

/// Writes a number with its ending: `1st`.
pub(super) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
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
        // Sunday begins cron's week.
        let length = (last + 7 - first) % 7;
        days.extend((0..=length).map(|step| (first + step) % 7));
    }
    Some(days)
}
