//! Whether somebody is to be woken in the morning: "wake me up at 6".

use crate::lexicon::own_word;
use crate::token::Token;

/// Verbs with which somebody wakes up.
const WAKING: &[&str] = &["aufstehen", "aufwachen", "wakeup"];

/// Verbs with which somebody is woken.
const WAKE: &[&str] = &["wake", "waking", "weck", "wecke"];

/// Words behind such a verb.
#[rustfmt::skip]
const WOKEN: &[&str] = &[
    "dad", "everybody", "everyone", "her", "him", "mom", "mum", "me", "my", "our", "the", "them", "up", "us",
    "bitte", "das", "den", "die", "ihn", "meine", "meinen", "mich", "papa", "mama", "sie", "uns", "unsere",
];

/// Words that say that somebody wakes up at another time of the day.
#[rustfmt::skip]
const NOT_IN_THE_MORNING: &[&str] = &[
    "dinner", "evening", "nap", "naps", "night", "nightshift", "shift", "siesta", "supper",
    "abend", "abendessen", "mittagsschlaf", "nachtdienst", "nachtschicht", "schicht", "schläfchen", "spätdienst", "spätschicht",
];

/// Returns whether the phrase asks to wake somebody in the morning.
pub(crate) fn is_waking(tokens: &[Token]) -> bool {
    let own = |token: &Token| own_word(&token.text).unwrap_or(&token.text).to_owned();
    let has = |words: &[&str]| tokens.iter().any(|token| words.contains(&own(token).as_str()));
    let is_woken = tokens.windows(2).any(|pair| match pair {
        [verb, object] => {
            WAKE.contains(&own(verb).as_str()) && WOKEN.contains(&own(object).as_str())
        }
        _ => false,
    });
    (is_woken || has(WAKING)) && !has(NOT_IN_THE_MORNING)
}
