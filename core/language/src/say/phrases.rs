//! The phrases that sentences in words and sentences with quotes have in common.

use super::moment::{Moment, iso, moment, zone_of};
use super::voice::{Voice, fill};
use crate::Schedule;
use crate::calendar::Zone;
use chrono::NaiveTime;

/// Writes the start, the end and the most runs of a schedule.
pub(super) fn bounds(schedule: &Schedule, with_start: bool, voice: &Voice) -> Option<String> {
    let zone = zone_of(schedule);
    let mut parts = String::new();
    if let Some(start) = schedule.start_at.as_ref().filter(|_| with_start) {
        let start = match moment(start)? {
            Moment::Local(start) if start.time() == NaiveTime::MIN => voice.date(start.date()),
            start => iso(start, zone),
        };
        parts.push_str(&fill(voice.starting, &[&start]));
    }
    if let Some(end) = &schedule.end_at {
        let end = match moment(end)? {
            Moment::Local(end) if Some(end.time()) == NaiveTime::from_hms_opt(23, 59, 59) => {
                voice.date(end.date())
            }
            end => iso(end, zone),
        };
        parts.push_str(&fill(voice.until, &[&end]));
    }
    if let Some(runs) = schedule.max_runs {
        parts.push_str(&fill(voice.times, &[&runs.to_string()]));
    }
    Some(parts)
}

/// Writes "in Europe/Berlin". A zone whose name is not a region is quoted.
pub(super) fn in_zone(zone: Zone, voice: &Voice) -> String {
    let name = zone.name();
    let template = if name.contains('/') || name == "UTC" { voice.zone } else { voice.quoted_zone };
    fill(template, &[name])
}
