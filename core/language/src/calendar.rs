//! The only door to the scheduler's calendar: time zones, local times, and the runs of a schedule.

use crate::Schedule;
use chrono::{DateTime, NaiveDateTime};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Reading;
use scheduler_model::schedule::preview;

pub use scheduler_calendar::tz::Tz as Zone;

/// Returns the zone of this name, in its exact spelling.
pub fn zone(name: &str) -> Option<Zone> {
    name.parse().ok()
}

/// Returns the zone of this name in any case, or the one whose city it is: `europe/berlin`,
/// `berlin`, `new york`.
pub(crate) fn zone_like(name: &str) -> Option<Zone> {
    let is_it = |zone: &Zone| {
        let full = zone.name();
        let city = full.rsplit_once('/').map_or(full, |(_, city)| city);
        same(full, name) || (full.contains('/') && !full.starts_with("Etc/") && same(city, name))
    };
    Zone::all().find(|zone| same(zone.name(), name)).or_else(|| Zone::all().find(is_it))
}

fn same(name: &str, words: &str) -> bool {
    name.len() == words.len()
        && name
            .bytes()
            .zip(words.bytes())
            .all(|(a, b)| a.eq_ignore_ascii_case(&b) || (a == b'_' && b == b' '))
}

/// Returns what a clock in `zone` shows at an instant, milliseconds since 1970.
pub(crate) fn local(instant: i64, zone: Zone) -> Option<NaiveDateTime> {
    let offset = zone.offset_at(instant.div_euclid(1_000));
    DateTime::from_timestamp_millis(instant.checked_add(offset.checked_mul(1_000)?)?)
        .map(|time| time.naive_utc())
}

/// Returns the instant at which a clock in `zone` shows `local`, milliseconds since 1970: the first
/// of two, and the end of a gap.
pub(crate) fn instant(local: NaiveDateTime, zone: Zone) -> i64 {
    let millis = local.and_utc().timestamp_millis();
    match zone.read(millis.div_euclid(1_000)) {
        Reading::Once(second) | Reading::Twice { first: second, .. } => {
            second * 1_000 + millis.rem_euclid(1_000)
        }
        Reading::Gap { end } => end * 1_000,
    }
}

/// Returns the first `count` runs after `now`, milliseconds since 1970.
///
/// # Errors
/// Says why the scheduler would refuse the schedule.
pub fn runs(schedule: &Schedule, now: i64, count: usize) -> Result<Vec<i64>, String> {
    let mut request = serde_json::to_value(schedule).map_err(|problem| problem.to_string())?;
    if let Some(fields) = request.as_object_mut() {
        fields.insert("count".to_owned(), count.into());
    }
    let preview = preview(&request.to_string(), UnixMillis::new(now))
        .map_err(|problem| problem.to_string())?;
    Ok(preview.runs.iter().map(|run| run.time.get()).collect())
}
