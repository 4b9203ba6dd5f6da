//! Checks that hold for any text given as a phrase. The fuzz target and the ordinary tests share
//! them.

use scheduler_language::limits::{MAX_CHOICES, MAX_STEPS};
use scheduler_language::{Outcome, Reading, Zone, parse, read, runs, sentence, zone};

/// 2026-11-25T09:15:00Z.
const NOW: i64 = 1_795_598_100_000;

/// Runs that a schedule and its sentence have to share.
const RUNS: usize = 30;

/// Input: the phrase, and on a second line the time zone, Berlin if absent.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (phrase, name) = text.split_once('\n').unwrap_or((text, "Europe/Berlin"));
    let zone = zone(name.trim()).unwrap_or(Zone::UTC);
    let (outcome, steps) = read(phrase, NOW, zone, None);
    assert!(steps <= MAX_STEPS + 1, "{steps} steps");
    match outcome {
        Outcome::Understood(reading) => check_reading(&reading, phrase),
        Outcome::Ambiguous(ambiguity) => {
            assert!((2..=MAX_CHOICES).contains(&ambiguity.choices.len()));
            ambiguity.choices.iter().for_each(|choice| check_reading(&choice.reading, phrase));
        }
        Outcome::Refused(refusal) => {
            assert!(phrase.get(refusal.span.start..refusal.span.end).is_some(), "{refusal:?}")
        }
    }
}

fn check_reading(reading: &Reading, phrase: &str) {
    let schedule = &reading.schedule;
    assert!(
        reading.used.iter().all(|part| phrase.get(part.span.start..part.span.end).is_some()),
        "{reading:?}"
    );
    assert!((10..=100).contains(&reading.confidence));
    let expected = runs(schedule, NOW, RUNS);
    assert!(
        expected.as_ref().is_ok_and(|runs| runs.first().is_some_and(|first| *first > NOW)),
        "{schedule:?}: {expected:?}"
    );
    // A quoted rule or expression may hold what only the API reads, such as a second RRULE: line.
    let words = sentence(schedule, NOW);
    let Outcome::Understood(again) = parse(&words, NOW, Zone::UTC) else {
        panic!("{schedule:?} is said as {words:?}")
    };
    assert_eq!(runs(&again.schedule, NOW, RUNS), expected, "{words:?}");
}
