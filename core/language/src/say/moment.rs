//! The times and the time zone of a schedule, and how sentences write them.

use crate::calendar::{self, Zone};
use crate::clock_text;
use crate::{Schedule, Time};
use chrono::{DateTime, NaiveDateTime};

/// A time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Local(NaiveDateTime),
    /// Milliseconds since 1970.
    Instant(i64),
}

pub(super) fn zone_of(schedule: &Schedule) -> Zone {
    schedule.timezone.as_deref().and_then(calendar::zone).unwrap_or(Zone::UTC)
}

pub(super) fn instant(time: &Time, schedule: &Schedule) -> Option<i64> {
    match moment(time)? {
        Moment::Local(local) => Some(calendar::instant(local, zone_of(schedule))),
        Moment::Instant(instant) => Some(instant),
    }
}

/// Reads a time of a schedule; `None` if only the API can read its form, such as a leap second.
pub(super) fn moment(time: &Time) -> Option<Moment> {
    let text = match time {
        Time::Millis(millis) => return Some(Moment::Instant(*millis)),
        Time::Text(text) => text.trim().replacen(' ', "T", 1),
    };
    // An offset may have no minutes.
    let full =
        if text.len() > 19 && matches!(text.as_bytes().get(text.len() - 3), Some(b'+' | b'-')) {
            format!("{text}:00")
        } else {
            text.clone()
        };
    if let Ok(time) = DateTime::parse_from_rfc3339(&full) {
        return Some(Moment::Instant(time.timestamp_millis()));
    }
    clock_text::read_local(&text).map(Moment::Local)
}

/// Writes a moment in ISO form, which the grammar reads.
pub(super) fn iso(moment: Moment, zone: Zone) -> String {
    match moment {
        Moment::Local(local) if local.and_utc().timestamp_subsec_millis() == 0 => {
            clock_text::local(local)
        }
        Moment::Local(local) => iso(Moment::Instant(calendar::instant(local, zone)), zone),
        Moment::Instant(instant) => calendar::shown(instant),
    }
}
