//! Writes sentences in words.

use super::moment::{Moment, moment, zone_of};
use super::phrases::{bounds, in_zone};
use super::voice::{Voice, fill};
use super::{cron, exceptions, rule};
use crate::Schedule;
use crate::clock_text;
use chrono::Timelike;

/// Writes a schedule with a usual form; `None` if it has none.
pub(super) fn sentence(schedule: &Schedule, voice: &Voice) -> Option<String> {
    let zone = in_zone(zone_of(schedule), voice);
    if let Some(time) = &schedule.time {
        let Moment::Local(local) = moment(time)? else { return None };
        let time = local.time();
        let time =
            if time.second() == 0 { clock_text::minute(time) } else { clock_text::second(time) };
        let once = fill(voice.once, &[&time, &voice.date(local.date())]);
        return Some(format!("{once} {zone}"));
    }
    let except = match &schedule.exclude {
        Some(exclude) => {
            exceptions::words(exclude, voice).unwrap_or_else(|| exceptions::quoted(exclude, voice))
        }
        None => String::new(),
    };
    if let Some(expressions) = &schedule.cron {
        let words = cron::words(expressions.expressions(), voice)?;
        return Some(format!("{words} {zone}{}{except}", bounds(schedule, true, voice)?));
    }
    if let Some(text) = &schedule.rrule {
        let Moment::Local(start) = moment(schedule.start_at.as_ref()?)? else { return None };
        let words = rule::words(text, start, voice)?;
        return Some(format!("{words} {zone}{}{except}", bounds(schedule, false, voice)?));
    }
    None
}
