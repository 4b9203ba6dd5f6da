//! Suggestions for a refused sentence.

use crate::calendar::Zone;
use crate::token::Token;
use crate::{Language, Outcome, Reason, Refusal, Schedule, read, sentence_in, words};

/// The name of the calendar in suggestions for sentences about holidays. The caller, who knows
/// which calendars exist, may replace it.
pub const HOLIDAYS: &str = "holidays";

/// What is near to a word that no schedule matches exactly.
struct Near {
    words: &'static [&'static str],
    /// What may replace the refused words, in English and in German.
    instead: Option<[&'static str; 2]>,
    /// Schedules that recur.
    again: &'static [&'static str],
    /// Schedules that fire once.
    once: &'static [&'static str],
}

/// Returns an entry for a time of day without an exact time.
const fn time(
    words: &'static [&'static str],
    time: &'static str,
    again: &'static [&'static str],
    once: &'static [&'static str],
) -> Near {
    Near { words, instead: Some([time, time]), again, once }
}

/// Returns an entry for words whose place nothing else can take.
const fn other(
    words: &'static [&'static str],
    again: &'static [&'static str],
    once: &'static [&'static str],
) -> Near {
    Near { words, instead: None, again, once }
}

const NEAR: &[Near] = &[
    other(&["moon"], &["every 4 weeks on monday at 20:00"], &["tomorrow at 20:00"]),
    time(&["sunrise", "dawn"], "06:00", &["every day at 06:00"], &["tomorrow at 06:00"]),
    time(&["sunset", "dusk"], "20:00", &["every day at 20:00"], &["tomorrow at 20:00"]),
    other(&["sometimes", "occasionally", "rarely", "seldom"], &["every monday at 09:00"], &[]),
    other(
        &["often", "frequently", "regularly", "periodically", "constantly", "continuously"],
        &["every hour", "every day at 09:00"],
        &[],
    ),
    other(
        &["few", "couple", "several"],
        &["every 2 hours", "every 3 days at 09:00"],
        &["in 2 hours", "in 3 days"],
    ),
    time(&["lunchtime", "lunch"], "12:00", &["every day at 12:00"], &["tomorrow at 12:00"]),
    time(&["dinnertime", "dinner"], "18:00", &["every day at 18:00"], &["tomorrow at 18:00"]),
    time(&["bedtime"], "22:00", &["every day at 22:00"], &["tomorrow at 22:00"]),
    other(&["payday"], &["on the last working day of every month at 09:00"], &[]),
    other(&["thanksgiving"], &["on the fourth thursday of november every year at 12:00"], &[]),
    other(&["birthday", "anniversary"], &["every year on 4 may at 09:00"], &["on 4 may at 09:00"]),
    Near {
        words: &["holiday", "holidays", "easter"],
        instead: Some(["except calendar \"holidays\"", "außer Kalender \"holidays\""]),
        again: &[],
        once: &[],
    },
    other(
        &["biweekly"],
        &["every 2 weeks on monday at 09:00", "every monday and thursday at 09:00"],
        &[],
    ),
    other(
        &["bimonthly", "semimonthly"],
        &["every 2 months on the 1st at 09:00", "on the 1st and 15th of every month at 09:00"],
        &[],
    ),
    other(&["weekly", "week", "weeks"], &["every monday at 09:00"], &["monday next week at 09:00"]),
    other(
        &["twice", "times"],
        &["every day at 08:00 and 20:00", "every monday and thursday at 09:00"],
        &[],
    ),
    other(&["between"], &["every hour between 09:00 and 17:00"], &[]),
];

/// Words that say how often, inexactly.
const FREQUENCIES: &[&str] = &[
    "every",
    "each",
    "always",
    "sometimes",
    "occasionally",
    "rarely",
    "seldom",
    "often",
    "frequently",
    "regularly",
    "periodically",
    "constantly",
    "continuously",
    "biweekly",
    "bimonthly",
    "semimonthly",
    "twice",
    "times",
    "weekdays",
    "weekends",
    "payday",
];

/// Returns sentences that are similar to a refused phrase, in its language, and that are
/// understood: the phrase with an unclear part in another place, or with something exact in place
/// of the refused words, or else usual meanings of these words, or else the phrase without them. To
/// a phrase that does not recur, only what fires once is similar. There may be none. For a phrase
/// that is too long to read, there are none.
pub fn near(
    phrase: &str,
    refusal: &Refusal,
    now: i64,
    zone: Zone,
    language: Language,
) -> Vec<String> {
    if refusal.reason == Reason::TooLong {
        return Vec::new();
    }
    let terms = language.lexicon().terms(crate::token::tokens(phrase)).tokens;
    let recurs = recurs(&terms);
    let said = |phrase: &str, of: Language| match read(phrase, now, zone, Some(of)).0 {
        Outcome::Understood(reading) if recurs || is_once(&reading.schedule) => {
            Some(sentence_in(language, &reading.schedule, now))
        }
        _ => None,
    };
    let (start, end) = (refusal.span.start, refusal.span.end);
    let (before, after) = (phrase.get(..start), phrase.get(end..));
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    if let Some(place) = refusal.belongs_at {
        let part = phrase.get(start..end).unwrap_or_default();
        let moved = before.get(..place).zip(before.get(place..));
        let moved = moved.map(|(first, rest)| format!("{first}{part} {rest} {after}"));
        return moved.and_then(|phrase| said(&phrase, language)).into_iter().collect();
    }
    let is_meant = |near: &&Near| terms.iter().any(|term| near.words.contains(&term.text.as_str()));
    let entry = NEAR.iter().find(is_meant);
    if let Some([english, german]) = entry.and_then(|near| near.instead) {
        let instead = if language == Language::German { german } else { english };
        if let Some(sentence) = said(&format!("{before} {instead} {after}"), language) {
            return vec![sentence];
        }
    }
    if let Some(near) = entry {
        let sentences = if recurs { near.again } else { near.once };
        let usual: Vec<String> =
            sentences.iter().filter_map(|phrase| said(phrase, Language::English)).collect();
        if !usual.is_empty() || !near.again.is_empty() {
            return usual;
        }
    }
    let has_rest = !(before.is_empty() && after.is_empty());
    let rest = has_rest.then(|| said(&format!("{before} {after}"), language));
    rest.flatten().into_iter().collect()
}

/// Returns whether a phrase says that something recurs.
fn recurs(terms: &[Token]) -> bool {
    terms.iter().any(|term| {
        let word = term.text.as_str();
        FREQUENCIES.contains(&word)
            || words::cycle(word).is_some()
            || matches!(words::weekday(word), Some((_, true)))
    })
}

fn is_once(schedule: &Schedule) -> bool {
    schedule.time.is_some()
}
