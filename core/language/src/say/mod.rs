//! From a schedule to its sentence.
//!
//! The usual shapes are written in words ([`natural`]); everything else quotes its expression or
//! rule ([`literal`]). A sentence in words is used only if [`crate::parse`] reads it as the same
//! schedule, so that every sentence does.

mod cron;
mod literal;
mod natural;
mod rule;

use crate::calendar::{self, Zone};
use crate::{Outcome, Schedule, Time, parse};
use chrono::{DateTime, NaiveDateTime};

/// The runs that a sentence in words and its schedule have to share.
const SHARED_RUNS: usize = 100;

/// Writes a schedule as one English sentence, which [`parse`] reads as the same schedule if it has
/// a run after `now`, milliseconds since
/// 1970. The sentence names its time zone.
pub fn sentence(schedule: &Schedule, now: i64) -> String {
    let literal = || literal::sentence(schedule, now);
    natural::sentence(schedule).filter(|words| means(words, schedule, now)).unwrap_or_else(literal)
}

/// Returns whether a sentence is read as this schedule.
fn means(words: &str, schedule: &Schedule, now: i64) -> bool {
    // A zone that no schedule has by chance: the sentence has to name its own.
    let Outcome::Understood(reading) =
        parse(words, now, calendar::zone("Pacific/Kiritimati").unwrap_or(Zone::UTC))
    else {
        return false;
    };
    let runs = |schedule: &Schedule| calendar::runs(schedule, now, SHARED_RUNS);
    let end = |schedule: &Schedule| {
        (schedule.max_runs, schedule.end_at.as_ref().and_then(|end| instant(end, schedule)))
    };
    end(&reading.schedule) == end(schedule)
        && reading.ignored.is_empty()
        && runs(&reading.schedule).is_ok_and(|found| runs(schedule) == Ok(found))
}

/// A time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Local(NaiveDateTime),
    /// Milliseconds since 1970.
    Instant(i64),
}

fn zone_of(schedule: &Schedule) -> Zone {
    schedule.timezone.as_deref().and_then(calendar::zone).unwrap_or(Zone::UTC)
}

fn instant(time: &Time, schedule: &Schedule) -> Option<i64> {
    match moment(time)? {
        Moment::Local(local) => Some(calendar::instant(local, zone_of(schedule))),
        Moment::Instant(instant) => Some(instant),
    }
}

/// Reads a time of a schedule; `None` if it is in a form that only the API reads, such as a leap
/// second.
fn moment(time: &Time) -> Option<Moment> {
    let text = match time {
        Time::Millis(millis) => return Some(Moment::Instant(*millis)),
        Time::Text(text) => text.trim().replacen(' ', "T", 1),
    };
    // An offset may lack its minutes.
    let full =
        if text.len() > 19 && matches!(text.as_bytes().get(text.len() - 3), Some(b'+' | b'-')) {
            format!("{text}:00")
        } else {
            text.clone()
        };
    if let Ok(time) = DateTime::parse_from_rfc3339(&full) {
        return Some(Moment::Instant(time.timestamp_millis()));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
        .map(Moment::Local)
}

/// Writes a moment as the grammar reads it: in ISO form.
fn iso(moment: Moment, zone: Zone) -> String {
    match moment {
        Moment::Local(local) if local.and_utc().timestamp_subsec_millis() == 0 => {
            local.format("%Y-%m-%dT%H:%M:%S").to_string()
        }
        Moment::Local(local) => iso(Moment::Instant(calendar::instant(local, zone)), zone),
        Moment::Instant(instant) => {
            let text = DateTime::from_timestamp_millis(instant)
                .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
            text.unwrap_or_else(|| instant.to_string())
        }
    }
}

/// Writes "in Europe/Berlin"; zones whose names are no region are quoted.
fn in_zone(zone: Zone) -> String {
    let name = zone.name();
    if name.contains('/') || name == "UTC" {
        format!("in {name}")
    } else {
        format!("in the time zone \"{name}\"")
    }
}

/// Joins words: "a, b and c".
fn and(words: &[String]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// Writes where a schedule starts and ends, and how often it runs at most.
fn bounds(schedule: &Schedule, with_start: bool) -> Option<String> {
    let zone = zone_of(schedule);
    let mut parts = String::new();
    if let Some(start) = schedule.start_at.as_ref().filter(|_| with_start) {
        parts.push_str(&match moment(start)? {
            Moment::Local(start) if start.time() == chrono::NaiveTime::MIN => {
                format!(" starting {}", start.format("%-d %B %Y"))
            }
            start => format!(" starting {}", iso(start, zone)),
        });
    }
    if let Some(end) = &schedule.end_at {
        parts.push_str(&match moment(end)? {
            Moment::Local(end) if end.format("%T%.f").to_string() == "23:59:59" => {
                format!(" until {}", end.format("%-d %B %Y"))
            }
            end => format!(" until {}", iso(end, zone)),
        });
    }
    if let Some(runs) = schedule.max_runs {
        parts.push_str(&format!(", {runs} times"));
    }
    Some(parts)
}
