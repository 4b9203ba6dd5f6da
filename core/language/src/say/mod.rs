//! Writes a schedule as a sentence.
//!
//! Usual forms are written in words ([`natural`]). Any other schedule quotes its expression or rule
//! ([`literal`]). A sentence in words is used only if [`crate::parse`] reads it as the same
//! schedule. So every sentence is read as its schedule.

mod cron;
mod exceptions;
mod literal;
mod moment;
mod natural;
mod phrases;
mod rule;
mod voice;

use crate::calendar::{self, Zone};
use crate::{Language, Outcome, Schedule, read};
use moment::instant;

/// The number of equal runs that a sentence in words and its schedule must have.
const SHARED_RUNS: usize = 100;

/// Writes a schedule as one English sentence, which [`crate::parse`] reads as the same schedule if
/// it has a run after `now`, milliseconds since 1970. The sentence names its time zone.
pub fn sentence(schedule: &Schedule, now: i64) -> String {
    sentence_in(Language::English, schedule, now)
}

/// Writes a schedule as one sentence of this language, as [`sentence`] does.
pub fn sentence_in(language: Language, schedule: &Schedule, now: i64) -> String {
    let voice = language.voice();
    let literal = || literal::sentence(schedule, now, voice);
    natural::sentence(schedule, voice)
        .filter(|words| means(words, schedule, now, language))
        .unwrap_or_else(literal)
}

/// Returns whether a sentence is read as this schedule.
fn means(words: &str, schedule: &Schedule, now: i64, language: Language) -> bool {
    // No schedule has this zone by chance, so the sentence must name its own.
    let zone = calendar::zone("Pacific/Kiritimati").unwrap_or(Zone::UTC);
    let Outcome::Understood(reading) = read(words, now, zone, Some(language)).0 else {
        return false;
    };
    let runs = |schedule: &Schedule| calendar::runs(schedule, now, SHARED_RUNS);
    let end = |schedule: &Schedule| {
        (schedule.max_runs, schedule.end_at.as_ref().and_then(|end| instant(end, schedule)))
    };
    end(&reading.schedule) == end(schedule)
        && reading.schedule.exclude == schedule.exclude
        && reading.ignored.is_empty()
        && runs(&reading.schedule).is_ok_and(|found| runs(schedule) == Ok(found))
}
