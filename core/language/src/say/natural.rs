//! Sentences in words.

use super::moment::{Moment, in_zone, moment, zone_of};
use super::phrases::bounds;
use super::{cron, rule};
use crate::Schedule;

/// Writes a schedule of a usual shape; `None` if it has none.
pub(super) fn sentence(schedule: &Schedule) -> Option<String> {
    let zone = in_zone(zone_of(schedule));
    if let Some(time) = &schedule.time {
        let Moment::Local(local) = moment(time)? else { return None };
        let has_seconds = local.format("%S").to_string() != "00";
        let time = local.format(if has_seconds { "%H:%M:%S" } else { "%H:%M" });
        return Some(format!("at {time} on {} {zone}", local.format("%-d %B %Y")));
    }
    if let Some(expressions) = &schedule.cron {
        let words = cron::words(expressions.expressions())?;
        return Some(format!("{words} {zone}{}", bounds(schedule, true)?));
    }
    if let Some(text) = &schedule.rrule {
        let Moment::Local(start) = moment(schedule.start_at.as_ref()?)? else { return None };
        let words = rule::words(text, start)?;
        return Some(format!("{words} {zone}{}", bounds(schedule, false)?));
    }
    None
}
