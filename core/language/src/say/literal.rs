//! Sentences that quote an expression or a rule as it is.

use super::moment::{Moment, in_zone, instant, iso, moment, zone_of};
use super::phrases::bounds;
use crate::{Schedule, Time};

/// Writes any schedule.
pub(super) fn sentence(schedule: &Schedule, now: i64) -> String {
    let zone = zone_of(schedule);
    let ending = bounds(schedule, true).unwrap_or_default();
    if let Some(time) = &schedule.time {
        return match moment(time) {
            Some(Moment::Instant(instant)) => format!("at {}", iso(Moment::Instant(instant), zone)),
            Some(local) => format!("at {} {}", iso(local, zone), in_zone(zone)),
            None => "at a time that is given in another form".to_owned(),
        };
    }
    if let Some(cron) = &schedule.cron {
        let quoted: Vec<String> =
            cron.expressions().iter().map(|expression| format!("\"{expression}\"")).collect();
        let plural = if quoted.len() > 1 { "s" } else { "" };
        return format!(
            "by the cron expression{plural} {} {}{ending}",
            quoted.join(", "),
            in_zone(zone)
        );
    }
    if let Some(rule) = &schedule.rrule {
        return format!("by the rule \"{rule}\" {}{ending}", in_zone(zone));
    }
    let Some(seconds) = schedule.every_seconds else { return "never".to_owned() };
    let first = Time::Millis(now.saturating_add((seconds * 1_000.0).round() as i64));
    let anchor = schedule.anchor.as_ref().or(schedule.start_at.as_ref()).unwrap_or(&first);
    let anchor = moment(anchor).or_else(|| instant(anchor, schedule).map(Moment::Instant));
    let counted =
        anchor.map_or_else(String::new, |anchor| format!(" counted from {}", iso(anchor, zone)));
    let has_local = [&schedule.anchor, &schedule.start_at, &schedule.end_at]
        .into_iter()
        .flatten()
        .any(|time| matches!(moment(time), Some(Moment::Local(_))));
    let place = if has_local { format!(" {}", in_zone(zone)) } else { String::new() };
    format!("every {}{counted}{place}{ending}", interval(seconds))
}

/// Writes an interval in the largest unit that divides it.
fn interval(seconds: f64) -> String {
    let millis = (seconds * 1_000.0).round() as u64;
    let whole = |unit: u64, name: &str| {
        let is_one = millis == unit;
        millis
            .is_multiple_of(unit)
            .then(|| if is_one { name.to_owned() } else { format!("{} {name}s", millis / unit) })
    };
    let units = [(3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];
    units
        .into_iter()
        .find_map(|(unit, name)| whole(unit, name))
        .unwrap_or_else(|| format!("{}.{:03} seconds", millis / 1_000, millis % 1_000))
}
