//! The phrases that sentences in words share with sentences that quote.

use super::moment::{Moment, iso, moment, zone_of};
use crate::Schedule;

/// Joins words: "a, b and c".
pub(super) fn and(words: &[String]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// Writes where a schedule starts and ends, and how often it runs at most.
pub(super) fn bounds(schedule: &Schedule, with_start: bool) -> Option<String> {
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
