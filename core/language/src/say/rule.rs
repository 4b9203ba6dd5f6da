//! Rules of RFC 5545 in words.

use super::cron::{MONTHS, ORDINALS, ordinal};
use super::phrases::and;
use chrono::{Datelike, NaiveDateTime};
use std::collections::BTreeMap;

const DAYS: [(&str, &str); 7] = [
    ("MO", "Monday"),
    ("TU", "Tuesday"),
    ("WE", "Wednesday"),
    ("TH", "Thursday"),
    ("FR", "Friday"),
    ("SA", "Saturday"),
    ("SU", "Sunday"),
];

/// Writes a rule that starts at `start`; `None` if it has no usual shape.
pub(super) fn words(rule: &str, start: NaiveDateTime) -> Option<String> {
    let mut parts: BTreeMap<&str, &str> =
        rule.split(';').map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
    let frequency = parts.remove("FREQ")?;
    let interval: u32 = parts.remove("INTERVAL").unwrap_or("1").parse().ok()?;
    let days = parts.remove("BYDAY");
    let month_days = parts.remove("BYMONTHDAY");
    let position = parts.remove("BYSETPOS");
    let hours = parts.remove("BYHOUR");
    let minutes = parts.remove("BYMINUTE");
    if !parts.is_empty() || start.format("%S%.f").to_string() != "00" {
        return None;
    }
    let every = |unit: &str| {
        if interval == 1 { format!("every {unit}") } else { format!("every {interval} {unit}s") }
    };
    let days = match (frequency, days, month_days, position) {
        ("DAILY", None, None, None) => every("day"),
        ("WEEKLY", Some(days), None, None) => {
            format!("{} on {}", every("week"), and(&weekdays(days)?))
        }
        ("WEEKLY", None, None, None) => format!("{} on {}", every("week"), start.format("%A")),
        ("MONTHLY", Some("MO,TU,WE,TH,FR"), None, Some(position)) if interval == 1 => {
            let which = if position == "-1" {
                "last"
            } else {
                ORDINALS.get(position.parse::<usize>().ok()?.checked_sub(1)?)?
            };
            format!("on the {which} working day of every month")
        }
        ("MONTHLY", None, Some(day), None) => {
            format!("{} on the {}", every("month"), ordinal(day.parse().ok()?))
        }
        ("MONTHLY", None, None, None) => {
            format!("{} on the {}", every("month"), ordinal(start.day()))
        }
        ("YEARLY", None, None, None) => {
            format!("{} on {} {}", every("year"), start.day(), MONTHS.get(start.month0() as usize)?)
        }
        _ => return None,
    };
    let times = match (hours, minutes) {
        (None, None) => start.format("%H:%M").to_string(),
        (Some(hours), Some(minutes)) => times(hours, minutes)?,
        _ => return None,
    };
    // Only a phase makes the start a part of the rule.
    Some(format!("{days} at {times} starting {}", start.format("%-d %B %Y")))
}

fn weekdays(days: &str) -> Option<Vec<String>> {
    days.split(',')
        .map(|day| DAYS.iter().find(|(short, _)| *short == day).map(|(_, name)| (*name).to_owned()))
        .collect()
}

fn times(hours: &str, minutes: &str) -> Option<String> {
    let numbers = |list: &str| {
        list.split(',').map(|number| number.parse::<u32>().ok()).collect::<Option<Vec<_>>>()
    };
    let minutes = numbers(minutes)?;
    let all: Vec<String> = numbers(hours)?
        .into_iter()
        .flat_map(|hour| minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}")))
        .collect();
    (all.len() <= 8).then(|| and(&all))
}
