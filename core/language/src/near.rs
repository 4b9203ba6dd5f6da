//! Suggestions for a refused sentence.

use crate::calendar::Zone;
use crate::{Language, Outcome, Reason, Refusal, read, sentence_in};

/// Usual meanings of words that no schedule matches exactly.
const NEAR: &[(&[&str], &[&str])] = &[
    (&["moon"], &["every 4 weeks on monday at 20:00"]),
    (&["sunrise", "dawn"], &["every day at 06:00"]),
    (&["sunset", "dusk"], &["every day at 20:00"]),
    (&["sometimes", "occasionally", "rarely", "seldom"], &["every monday at 09:00"]),
    (
        &["often", "frequently", "regularly", "periodically", "constantly", "continuously"],
        &["every hour", "every day at 09:00"],
    ),
    (&["few", "couple", "several"], &["every 2 hours", "every 3 days at 09:00"]),
    (&["lunchtime", "lunch"], &["every day at 12:00"]),
    (&["dinnertime", "dinner"], &["every day at 18:00"]),
    (&["bedtime"], &["every day at 22:00"]),
    (&["payday"], &["on the last working day of every month at 09:00"]),
    (&["thanksgiving"], &["on the fourth thursday of november every year at 12:00"]),
    (&["birthday", "anniversary"], &["every year on 4 may at 09:00"]),
    (&["biweekly"], &["every 2 weeks on monday at 09:00", "every monday and thursday at 09:00"]),
    (
        &["bimonthly", "semimonthly"],
        &["every 2 months on the 1st at 09:00", "on the 1st and 15th of every month at 09:00"],
    ),
    (&["weekly", "week", "weeks"], &["every monday at 09:00"]),
    (&["twice", "times"], &["every day at 08:00 and 20:00", "every monday and thursday at 09:00"]),
    (&["between"], &["every hour between 09:00 and 17:00"]),
];

/// Returns sentences that are similar to a refused phrase, in its language, and that are
/// understood: usual meanings of the words that no schedule matches, or else the phrase without the
/// refused words. There may be none. For a phrase that is too long to read, there are none.
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
    let said = |phrase: &str, of: Language| match read(phrase, now, zone, Some(of)).0 {
        Outcome::Understood(reading) => Some(sentence_in(language, &reading.schedule, now)),
        _ => None,
    };
    let terms = language.lexicon().terms(crate::token::tokens(phrase)).tokens;
    let is_meant = |words: &[&str]| terms.iter().any(|term| words.contains(&term.text.as_str()));
    if let Some((_, sentences)) = NEAR.iter().find(|(words, _)| is_meant(words)) {
        return sentences.iter().filter_map(|sentence| said(sentence, Language::English)).collect();
    }
    let parts = phrase.get(..refusal.span.start).zip(phrase.get(refusal.span.end..));
    let rest = parts.filter(|(before, after)| !(before.is_empty() && after.is_empty()));
    rest.and_then(|(before, after)| said(&format!("{before} {after}"), language))
        .into_iter()
        .collect()
}
