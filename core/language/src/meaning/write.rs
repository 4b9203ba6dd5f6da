//! Writes days and times as cron expressions or as a rule of RFC 5545.

use super::days::DaySpec;
use super::names::{CRON_DAYS, ICAL_DAYS, list};
use super::time_of_day::TimeOfDay;
use crate::clause::{Counted, Months, Weekdays};
use crate::limits::MAX_EXPRESSIONS;
use std::collections::BTreeSet;

/// The second, minute and hour fields of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeFields {
    pub(super) second: String,
    pub(super) minute: String,
    pub(super) hour: String,
}

impl TimeFields {
    pub(super) fn new(second: &str, minute: impl Into<String>, hour: impl Into<String>) -> Self {
        Self { second: second.to_owned(), minute: minute.into(), hour: hour.into() }
    }
}

/// Returns the expressions of days and times; `None` if cron cannot express them, or only with too
/// many expressions.
pub(super) fn cron(spec: &DaySpec, times: &[TimeFields]) -> Option<Vec<String>> {
    let days = day_fields(spec)?;
    let mut expressions = Vec::new();
    for time in times {
        for (day, month, weekday) in &days {
            let seconds =
                if time.second == "0" { String::new() } else { format!("{} ", time.second) };
            expressions
                .push(format!("{seconds}{} {} {day} {month} {weekday}", time.minute, time.hour));
        }
    }
    (1..=MAX_EXPRESSIONS).contains(&expressions.len()).then_some(expressions)
}

/// Returns the fields for day of the month, month and day of the week of each expression.
fn day_fields(spec: &DaySpec) -> Option<Vec<(String, String, String)>> {
    let any = || "*".to_owned();
    let months = spec.months.unwrap_or(Months::ALL);
    if let Some((which, counted)) = &spec.nth {
        let Counted::Weekdays(days) = counted else { return None };
        // From the end of the month, cron can count only the last day.
        if which.iter().any(|number| *number < -1) {
            return None;
        }
        let named = |number: &i8, day: u8| {
            let name = CRON_DAYS.get(usize::from(day)).copied().unwrap_or_default();
            if *number < 0 { format!("{name}L") } else { format!("{name}#{number}") }
        };
        let list: Vec<String> = which
            .iter()
            .flat_map(|number| days.days().map(move |day| named(number, day)))
            .collect();
        return Some(vec![(any(), month_field(months), list.join(","))]);
    }
    if spec.month_days.is_empty() {
        let weekdays = spec.weekdays.map_or_else(any, weekday_field);
        return Some(vec![(any(), month_field(months), weekdays)]);
    }
    if spec.weekdays.is_some() {
        return None;
    }
    if spec.month_days.iter().any(|day| *day < -1) {
        return None;
    }
    let longest = spec.month_days.iter().copied().max().unwrap_or(1);
    if !spec.last_if_short || longest < 29 {
        return Some(vec![(month_day_field(&spec.month_days), month_field(months), any())]);
    }
    // The months that have the day, and those that use their last day instead: one expression for
    // each length of month.
    let short = Months(months.0 & if longest == 31 { 0b1010_0101_0100 } else { 0b100 });
    let long = Months(months.0 & !short.0);
    let with_last: Vec<i8> =
        spec.month_days.iter().map(|day| if *day == longest { -1 } else { *day }).collect();
    if longest == 31 {
        let others_fit = spec.month_days.iter().all(|day| *day < 29 || *day == 31);
        return others_fit.then(|| vec![(month_day_field(&with_last), month_field(months), any())]);
    }
    if spec.month_days.iter().filter(|day| **day >= 29).count() > 1 {
        return None;
    }
    let mut fields = Vec::new();
    if long.0 != 0 {
        fields.push((month_day_field(&spec.month_days), month_field(long), any()));
    }
    if short.0 != 0 {
        fields.push((month_day_field(&with_last), month_field(short), any()));
    }
    Some(fields)
}

fn month_day_field(days: &[i8]) -> String {
    let last = days.contains(&-1).then(|| "L".to_owned());
    let numbers: BTreeSet<u32> = days.iter().filter_map(|day| u32::try_from(*day).ok()).collect();
    let numbers = (!numbers.is_empty()).then(|| number_field(&numbers));
    numbers.into_iter().chain(last).collect::<Vec<_>>().join(",")
}

fn month_field(months: Months) -> String {
    if months == Months::ALL {
        "*".to_owned()
    } else {
        number_field(&months.months().map(u32::from).collect())
    }
}

fn weekday_field(days: Weekdays) -> String {
    if days == Weekdays::ALL {
        return "*".to_owned();
    }
    let name = |day: u8| CRON_DAYS.get(usize::from(day)).copied().unwrap_or_default();
    let mut list: Vec<String> = Vec::new();
    // No range ends with Sunday, because cron's week begins with it.
    let mut days = days.days().peekable();
    while let Some(first) = days.next() {
        let mut last = first;
        while let Some(next) = days.next_if(|next| *next == last + 1 && *next < 6) {
            last = next;
        }
        match last - first {
            0 => list.push(name(first).to_owned()),
            1 => list.extend([name(first).to_owned(), name(last).to_owned()]),
            _ => list.push(format!("{}-{}", name(first), name(last))),
        }
    }
    list.join(",")
}

/// Returns a field of numbers. Three or more in a row are a range.
pub(super) fn number_field(numbers: &BTreeSet<u32>) -> String {
    let mut list: Vec<String> = Vec::new();
    let mut numbers = numbers.iter().copied().peekable();
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if(|next| *next == last + 1) {
            last = next;
        }
        match last - first {
            0 => list.push(first.to_string()),
            1 => list.extend([first.to_string(), last.to_string()]),
            _ => list.push(format!("{first}-{last}")),
        }
    }
    list.join(",")
}

/// Returns the fields of these times: one for each set of hours with the same minutes.
pub(super) fn time_fields(times: &[TimeOfDay]) -> Vec<TimeFields> {
    let mut groups: Vec<(u32, BTreeSet<u32>, BTreeSet<u32>)> = Vec::new();
    let starts: BTreeSet<(u32, u32)> =
        times.iter().map(|time| (time.0 % 60, time.0 / 60 % 60)).collect();
    for (second, minute) in starts {
        let hours: BTreeSet<u32> = times
            .iter()
            .filter(|time| (time.0 % 60, time.0 / 60 % 60) == (second, minute))
            .map(|time| time.0 / 3_600)
            .collect();
        match groups.iter_mut().find(|(known, _, shared)| *known == second && *shared == hours) {
            Some((_, minutes, _)) => {
                minutes.insert(minute);
            }
            None => groups.push((second, BTreeSet::from([minute]), hours)),
        }
    }
    groups
        .iter()
        .map(|(second, minutes, hours)| {
            TimeFields::new(&second.to_string(), number_field(minutes), number_field(hours))
        })
        .collect()
}

/// The frequency of a rule and its interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Every {
    pub(super) name: &'static str,
    pub(super) interval: u32,
}

/// Returns the rule of days and times, which takes its seconds from `startAt`; `None` if a rule
/// cannot express them.
pub(super) fn rule(spec: &DaySpec, every: Every, times: &[TimeOfDay]) -> Option<String> {
    let mut parts = vec![format!("FREQ={}", every.name)];
    if every.interval > 1 {
        parts.push(format!("INTERVAL={}", every.interval));
    }
    if let Some(months) = spec.months.filter(|months| *months != Months::ALL) {
        parts.push(format!("BYMONTH={}", list(months.months())));
    }
    if !spec.month_days.is_empty() {
        let longest = spec.month_days.iter().copied().max().unwrap_or(1);
        if spec.last_if_short && longest >= 29 {
            let [_] = spec.month_days.as_slice() else { return None };
            parts.push(format!("BYMONTHDAY={};BYSETPOS=-1", list(28..=longest)));
        } else {
            parts.push(format!("BYMONTHDAY={}", list(&spec.month_days)));
        }
    }
    let names = |days: Weekdays| {
        days.days().filter_map(|day| ICAL_DAYS.get(usize::from(day)).copied()).collect::<Vec<_>>()
    };
    if let Some((which, counted)) = &spec.nth {
        match counted {
            Counted::WorkingDay => parts.push(format!(
                "BYDAY={};BYSETPOS={}",
                names(Weekdays::WORKING).join(","),
                list(which)
            )),
            Counted::Weekdays(days) => {
                let all: Vec<String> = which
                    .iter()
                    .flat_map(|number| {
                        names(*days).into_iter().map(move |name| format!("{number}{name}"))
                    })
                    .collect();
                parts.push(format!("BYDAY={}", all.join(",")));
            }
        }
    } else if let Some(days) = spec.weekdays {
        parts.push(format!("BYDAY={}", names(days).join(",")));
    }
    if times.len() > 1 {
        // A rule has every combination of its hours and minutes.
        if time_fields(times).len() > 1 {
            return None;
        }
        let hours: BTreeSet<u32> = times.iter().map(|time| time.0 / 3_600).collect();
        let minutes: BTreeSet<u32> = times.iter().map(|time| time.0 / 60 % 60).collect();
        // BYSETPOS would count runs, not days.
        if spec.last_if_short || matches!(spec.nth, Some((_, Counted::WorkingDay))) {
            return None;
        }
        parts.push(format!("BYHOUR={};BYMINUTE={}", list(hours), list(minutes)));
    }
    Some(parts.join(";"))
}
