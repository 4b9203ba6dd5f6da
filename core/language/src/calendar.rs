//! The only module that uses the core: time zones, local times, the runs of a schedule, and the
//! schedule of a stored task.

use crate::{Cron, Exclude, Schedule, Time};
use chrono::{DateTime, NaiveDateTime};
use scheduler_calendar::local_clock;
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Reading;
use scheduler_model::calendars::with_names;
use scheduler_model::schedule::preview;
use scheduler_model::task::Record;

pub(crate) use scheduler_calendar::ordered::{collected, sort};
pub use scheduler_calendar::tz::Tz as Zone;

/// Writes an instant, milliseconds since 1970, in RFC 3339.
pub(crate) fn shown(instant: i64) -> String {
    UnixMillis::new(instant).shown()
}

/// Returns the zone of this name, in its exact spelling.
pub fn zone(name: &str) -> Option<Zone> {
    name.parse().ok()
}

/// Returns the zone with this name in upper or lower case, or the zone with this city:
/// `europe/berlin`, `berlin`, `new york`.
pub(crate) fn zone_like(name: &str) -> Option<Zone> {
    let mut of_city = None;
    for zone in Zone::all() {
        let full = zone.name().as_bytes();
        let Some(before) = full.len().checked_sub(name.len()) else { continue };
        if before == 0 {
            if same(full, name) {
                return Some(zone);
            }
        } else if full.get(before - 1) == Some(&b'/')
            && of_city.is_none()
            && full.get(before..).is_some_and(|city| same(city, name))
            && !name.contains('/')
            && !full.starts_with(b"Etc/")
        {
            of_city = Some(zone);
        }
    }
    of_city
}

/// Returns whether a name consists of these words, which are as long.
fn same(name: &[u8], words: &str) -> bool {
    name.iter()
        .zip(words.bytes())
        .all(|(a, b)| a.eq_ignore_ascii_case(&b) || (*a == b'_' && b == b' '))
}

/// Returns what a clock in `zone` shows at an instant, milliseconds since 1970.
pub(crate) fn local(instant: i64, zone: Zone) -> Option<NaiveDateTime> {
    let offset = zone.offset_at(instant.div_euclid(1_000));
    DateTime::from_timestamp_millis(instant.checked_add(offset.checked_mul(1_000)?)?)
        .map(|time| time.naive_utc())
}

/// Returns the instant at which a clock in `zone` shows `local`, milliseconds since 1970: the first
/// of two, or the end of a gap.
pub(crate) fn instant(local: NaiveDateTime, zone: Zone) -> i64 {
    let millis = local.and_utc().timestamp_millis();
    match zone.read(millis.div_euclid(1_000)) {
        Reading::Once(second) | Reading::Twice { first: second, .. } => {
            second * 1_000 + millis.rem_euclid(1_000)
        }
        Reading::Gap { end } => end * 1_000,
    }
}

/// Returns the first `count` runs after `now`, milliseconds since 1970. Nothing here knows the
/// items of calendars, so the runs that only a calendar leaves out are among them.
///
/// # Errors
/// Returns an error that says why the scheduler would refuse the schedule.
pub fn runs(schedule: &Schedule, now: i64, count: usize) -> Result<Vec<i64>, String> {
    let request = match &schedule.exclude {
        Some(exclude) if !exclude.calendars.is_empty() => {
            let exclude = Some(exclude.without_calendars());
            serde_json::to_string(&Schedule { exclude, ..schedule.clone() })
        }
        _ => serde_json::to_string(schedule),
    };
    let mut request = request.map_err(|problem| problem.to_string())?;
    request.truncate(request.len().saturating_sub(1));
    request.push_str(&format!(",\"count\":{count}}}"));
    let preview = preview(&request, UnixMillis::new(now)).map_err(|problem| problem.to_string())?;
    Ok(preview.runs.iter().map(|run| run.time.get()).collect())
}

/// Reads the expressions of a record.
fn cron_of(json: &str) -> Option<Cron> {
    match serde_json::from_str::<String>(json) {
        Ok(one) => Some(Cron::One(one)),
        Err(_) => serde_json::from_str::<Vec<String>>(json).ok().map(Cron::Several),
    }
}

/// Reads what a record leaves out. It has the names of its calendars, without their items.
fn exclude_of(json: &str) -> Option<Exclude> {
    let exclude: Exclude = serde_json::from_str(&with_names(json)).ok()?;
    // Skipping runs is the default.
    let instead = exclude.instead.filter(|instead| instead != "skip");
    Some(Exclude { instead, ..exclude })
}

/// Returns the schedule of a record; `None` if it has none.
pub fn schedule_of(record: &Record<'_>) -> Option<Schedule> {
    let local = record.local.unwrap_or_default();
    let its_zone = record.timezone.as_deref().and_then(self::zone);
    let text = |time: LocalTime| Time::Text(time.to_string());
    let time = |local: Option<_>, instant: Option<UnixMillis>| {
        local.map(text).or_else(|| instant.map(|instant| Time::Millis(instant.get())))
    };
    let start_at = match (record.rrule.is_some(), local.start_at, record.start_at) {
        // A rule that begins at an instant is written with the local time of that instant.
        (true, None, Some(start)) if start.get() % 1_000 == 0 => {
            let shown = local_clock::rfc3339(start, its_zone.unwrap_or(Zone::UTC));
            Some(Time::Text(shown.get(..19).unwrap_or(&shown).to_owned()))
        }
        (_, local, instant) => time(local, instant),
    };
    let schedule = Schedule {
        time: if record.is_recurring() { None } else { time(local.time, record.time) },
        cron: record.cron.and_then(|cron| cron_of(cron.get())),
        every_seconds: record.every_seconds,
        anchor: time(local.anchor, record.anchor),
        rrule: record.rrule.as_deref().map(str::to_owned),
        timezone: record.timezone.as_deref().map(str::to_owned),
        start_at,
        end_at: time(local.end_at, record.end_at),
        max_runs: record.max_runs,
        exclude: match record.exclude {
            Some(exclude) => Some(exclude_of(exclude.get())?),
            None => None,
        },
    };
    let says_when = schedule.time.is_some()
        || schedule.cron.is_some()
        || schedule.every_seconds.is_some()
        || schedule.rrule.is_some();
    says_when.then_some(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_name_or_city() {
        for (words, name) in [
            ("europe/berlin", Some("Europe/Berlin")),
            ("Berlin", Some("Europe/Berlin")),
            ("new york", Some("America/New_York")),
            ("buenos aires", Some("America/Argentina/Buenos_Aires")),
            ("utc", Some("UTC")),
            ("etc/gmt+5", Some("Etc/GMT+5")),
            ("gmt+5", None),
            ("argentina/buenos_aires", None),
            ("york", None),
            ("", None),
        ] {
            assert_eq!(zone_like(words).map(Zone::name), name, "{words}");
        }
    }
}
