//! From a schedule to its sentence.
//!
//! The usual shapes are written in words ([`natural`]); everything else quotes its expression or
//! rule ([`literal`]). A sentence in words is used only if [`crate::parse`] reads it as the same
//! schedule, so that every sentence does.

mod cron;
mod literal;
mod moment;
mod natural;
mod phrases;
mod rule;

use crate::calendar::{self, Zone};
use crate::{Outcome, Schedule, parse};
use moment::instant;

/// The runs that a sentence in words and its schedule have to share.
const SHARED_RUNS: usize = 100;

/// Writes a schedule as one English sentence, which [`parse`] reads as the same schedule if it has
/// a run after `now`, milliseconds since 1970. The sentence names its time zone.
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
