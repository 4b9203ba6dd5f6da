//! Writes rules of RFC 5545 in words.

use super::voice::{Voice, fill};
use crate::calendar::collected;
use crate::clock_text;
use crate::words::Unit;
use chrono::{Datelike, NaiveDateTime, Timelike};
use std::collections::BTreeMap;

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// Writes a rule that starts at `start`; `None` if it has no usual form.
pub(super) fn words(rule: &str, start: NaiveDateTime, voice: &Voice) -> Option<String> {
    let mut parts: BTreeMap<&str, &str> =
        collected(rule.split(';').map(|part| part.split_once('=').unwrap_or((part, ""))));
    let frequency = parts.remove("FREQ")?;
    let interval: u32 = parts.remove("INTERVAL").unwrap_or("1").parse().ok()?;
    let days = parts.remove("BYDAY");
    let month_days = parts.remove("BYMONTHDAY");
    let position = parts.remove("BYSETPOS");
    let hours = parts.remove("BYHOUR");
    let minutes = parts.remove("BYMINUTE");
    if !parts.is_empty() || start.second() != 0 || start.nanosecond() != 0 {
        return None;
    }
    let every = |unit| voice.every(interval, unit);
    let days = match (frequency, days, month_days, position) {
        ("DAILY", None, None, None) => every(Unit::Day),
        ("WEEKLY", days, None, None) => {
            let days = match days {
                Some(days) => weekdays(days, voice)?,
                None => {
                    vec![voice.day(start.weekday().num_days_from_monday() as usize)?.to_owned()]
                }
            };
            every(Unit::Week) + &fill(voice.on, &[&voice.join(&days)])
        }
        ("MONTHLY", Some("MO,TU,WE,TH,FR"), None, Some(position)) if interval == 1 => {
            let which = if position == "-1" { voice.last } else { voice.ordinal(position)? };
            fill(voice.of_every_month, &[&format!("{which} {}", voice.working_day)])
        }
        ("MONTHLY", None, day, None) => {
            let day = match day {
                Some(day) => day.parse().ok()?,
                None => start.day(),
            };
            every(Unit::Month) + &fill(voice.on_the, &[&voice.day_of_month(day)])
        }
        ("YEARLY", None, None, None) => {
            let date = voice.date(start.date());
            // Without the year.
            let date = date.rsplit_once(' ').map_or(date.as_str(), |(date, _)| date);
            every(Unit::Year) + &fill(voice.on, &[date])
        }
        _ => return None,
    };
    let times = match (hours, minutes) {
        (None, None) => clock_text::minute(start.time()),
        (Some(hours), Some(minutes)) => times(hours, minutes, voice)?,
        _ => return None,
    };
    // The start affects the rule only if the rule has a phase.
    let starting = fill(voice.starting, &[&voice.date(start.date())]);
    Some(format!("{days}{}{starting}", fill(voice.at, &[&times])))
}

fn weekdays(days: &str, voice: &Voice) -> Option<Vec<String>> {
    let name = |day: &str| {
        let number = DAYS.iter().position(|known| *known == day)?;
        voice.day(number).map(str::to_owned)
    };
    days.split(',').map(name).collect()
}

fn times(hours: &str, minutes: &str, voice: &Voice) -> Option<String> {
    let numbers = |list: &str| {
        list.split(',').map(|number| number.parse::<u32>().ok()).collect::<Option<Vec<_>>>()
    };
    let minutes = numbers(minutes)?;
    let all: Vec<String> = numbers(hours)?
        .into_iter()
        .flat_map(|hour| minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}")))
        .collect();
    (all.len() <= 8).then(|| voice.join(&all))
}
