//! Writes sentences that quote an expression or a rule.

use super::exceptions;
use super::moment::{Moment, instant, iso, moment, zone_of};
use super::phrases::{bounds, in_zone};
use super::voice::{Voice, fill};
use crate::words::Unit;
use crate::{Schedule, Time};

/// Writes any schedule.
pub(super) fn sentence(schedule: &Schedule, now: i64, voice: &Voice) -> String {
    let zone = zone_of(schedule);
    let exclude = schedule.exclude.as_ref();
    let ending = bounds(schedule, true, voice).unwrap_or_default()
        + &exclude.map_or_else(String::new, |exclude| exceptions::quoted(exclude, voice));
    if let Some(time) = &schedule.time {
        return match moment(time) {
            Some(Moment::Instant(instant)) => {
                fill(voice.instant, &[&iso(Moment::Instant(instant), zone)])
            }
            Some(local) => {
                format!("{} {}", fill(voice.instant, &[&iso(local, zone)]), in_zone(zone, voice))
            }
            None => "at a time that is given in another form".to_owned(),
        };
    }
    if let Some(cron) = &schedule.cron {
        let quoted: Vec<String> =
            cron.expressions().iter().map(|expression| format!("\"{expression}\"")).collect();
        let template = if quoted.len() > 1 { voice.expressions } else { voice.expression };
        let words = fill(template, &[&quoted.join(", ")]);
        return format!("{words} {}{ending}", in_zone(zone, voice));
    }
    if let Some(rule) = &schedule.rrule {
        let words = fill(voice.rule, &[&format!("\"{rule}\"")]);
        return format!("{words} {}{ending}", in_zone(zone, voice));
    }
    let Some(seconds) = schedule.every_seconds else { return "never".to_owned() };
    let first = Time::Millis(now.saturating_add((seconds * 1_000.0).round() as i64));
    let anchor = schedule.anchor.as_ref().or(schedule.start_at.as_ref()).unwrap_or(&first);
    let anchor = moment(anchor).or_else(|| instant(anchor, schedule).map(Moment::Instant));
    let counted =
        anchor.map_or_else(String::new, |anchor| fill(voice.counted_from, &[&iso(anchor, zone)]));
    let has_local = [&schedule.anchor, &schedule.start_at, &schedule.end_at]
        .into_iter()
        .flatten()
        .any(|time| matches!(moment(time), Some(Moment::Local(_))))
        || exclude.is_some();
    let place = if has_local { format!(" {}", in_zone(zone, voice)) } else { String::new() };
    format!("{}{counted}{place}{ending}", interval(seconds, voice))
}

/// Writes an interval in the largest unit that divides it.
fn interval(seconds: f64, voice: &Voice) -> String {
    let millis = (seconds * 1_000.0).round() as u64;
    let units = [(3_600_000, Unit::Hour), (60_000, Unit::Minute), (1_000, Unit::Second)];
    let whole = units.into_iter().find(|(length, _)| millis.is_multiple_of(*length));
    match whole.and_then(|(length, unit)| Some((u32::try_from(millis / length).ok()?, unit))) {
        Some((number, unit)) => voice.every(number, unit),
        None => {
            let decimals = format!("{}.{:03}", millis / 1_000, millis % 1_000);
            voice.every(2, Unit::Second).replace('2', &decimals)
        }
    }
}
