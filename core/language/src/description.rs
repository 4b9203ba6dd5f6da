//! The description of the task: the words of a phrase that do not say when.

mod requests;

use crate::Span;
use crate::lexicon::own_word;
use crate::token::{Kind, Token};
use crate::words;

/// Words at the beginning of a phrase that request a task without describing it, in their order.
#[rustfmt::skip]
const LEADS: &[&[&str]] = &[
    &["please"], &["hey"], &["hi"], &["hello"], &["ok"], &["yo"], &["can", "u"], &["could", "u"], &["can", "you"], &["could", "you"], &["would", "you"], &["will", "you"], &["i", "want", "you", "to"], &["i", "would", "like", "you", "to"], &["i'd", "like", "you", "to"],
    &["set", "a", "reminder", "to"], &["set", "a", "reminder", "for", "me", "to"], &["set", "a", "reminder", "for"], &["set", "a", "reminder"], &["set", "reminder", "to"], &["create", "a", "reminder", "to"], &["add", "a", "reminder", "to"], &["set", "an", "alarm", "for"], &["set", "an", "alarm"],
    &["send", "me", "a", "reminder", "to"], &["reminder", "to"], &["reminder"],
    &["remind", "me", "to"], &["remind", "me", "about"], &["remind", "me", "that"], &["remind", "me", "of"], &["remind", "me"], &["remind", "us", "to"], &["remind", "us", "about"], &["remind", "us"], &["remind", "to"], &["remind", "about"], &["remind", "that"], &["again", "to"], &["mind", "reminding", "me", "to"], &["mind", "reminding", "me"],
    &["ping", "me", "to"], &["nudge", "me", "to"], &["notify", "me", "to"], &["alert", "me", "to"], &["tell", "me", "to"], &["text", "me", "to"], &["message", "me", "to"],
    &["don't", "forget", "to"], &["dont", "forget", "to"], &["dont", "let", "me", "forget", "to"], &["do", "not", "forget", "to"], &["don't", "let", "me", "forget", "to"], &["i", "need", "to"], &["i", "have", "to"], &["i", "must"], &["i", "should"], &["i", "want", "to"], &["be", "reminded", "to"], &["be", "reminded", "of"], &["be", "reminded", "about"], &["be", "reminded"], &["to"], &["that"], &["and"],
];

/// Words without a meaning of their own. A description needs others.
const JOINTS: &[&str] = &[
    "and", "at", "on", "in", "of", "to", "the", "for", "by", "then", "with", "it", "it's", "run",
    "this", "that", "is", "a", "an", "from", "please", "happens", "occurs", "do", "me", "as",
    "also", "remind", "just",
];

/// German words that only join, as far as they are no terms.
const GERMAN_JOINTS: &[&str] =
    &["ab", "an", "auch", "auf", "dann", "doch", "je", "mal", "noch", "um", "zu", "zum", "zur"];

/// Words before a part that says when.
const TRAILING: &[&str] = &[
    "and", "at", "on", "in", "of", "to", "the", "for", "by", "then", "with", "from", "is", "a",
    "an", "that", "happens", "occurs", "reminder", "please",
];

/// Signs behind an amount.
const MONEY: &[&str] = &["€", "$", "£", "¥", "%"];

/// Verbs with "in": "hand the report in".
#[rustfmt::skip]
const VERBS_WITH_IN: &[&str] = &[
    "bring", "check", "clock", "dial", "fill", "get", "hand", "let", "log", "move", "plug", "pull", "punch", "put", "sign", "tune", "weigh",
];

/// Verbs with "on": "turn the alarm on".
const VERBS_WITH_ON: &[&str] = &["carry", "log", "move", "put", "switch", "turn"];

/// The remaining words of the phrase.
#[derive(Debug, Default)]
pub(crate) struct LeftOver {
    pub(crate) description: Option<String>,
    /// The percent by which ignored words lower the confidence.
    pub(crate) cost: u8,
}

/// Returns the description from the remaining words. `ignored` are parts that the schedule does not
/// use.
pub(crate) fn description(
    phrase: &str,
    tokens: &[Token],
    left: &[usize],
    unused: &[Span],
) -> LeftOver {
    let is_unused = |token: &Token| {
        unused.iter().any(|span| span.start <= token.span.start && token.span.end <= span.end)
    };
    let mut words: Vec<&Token> = tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| left.contains(at) || is_unused(token))
        .map(|(_, token)| token)
        .collect();
    let total = words.len();
    let all = words.clone();
    let mut has_lead = false;
    let mut follows_to = false;
    let is_before_colon =
        |token: &Token| phrase.get(token.span.end..).is_some_and(|rest| rest.starts_with(':'));
    loop {
        let request = requests::request(&words, is_before_colon);
        let lead = LEADS.iter().find(|lead| starts_with(&words, lead));
        let count = request.max(lead.map_or(0, |lead| lead.len()));
        // "every sunday at 21:30 to set my alarm"
        if count == 0 || follows_to && count == words.len() {
            break;
        }
        follows_to = count == 1 && lead.is_some_and(|lead| *lead == ["to"]);
        has_lead |= count > 1 || lead.is_some_and(|lead| lead.first() == Some(&"reminder"));
        words.drain(..count);
    }
    // "every morning at 8 set a timer for 5 minutes"
    let is_length = |word: &&Token| {
        word.kind == Kind::Number
            || words::unit(&word.text).is_some()
            || words::number(&word.text).is_some()
    };
    if words.iter().any(is_length) && words.iter().all(is_length) {
        words = all;
    }
    requests::drop_thanks(phrase, &mut words);
    trim(phrase, tokens, &mut words);
    let is_joint = |word: &str| match own_word(word) {
        Some(own) => GERMAN_JOINTS.contains(&own),
        None => JOINTS.contains(&word),
    };
    // "mon wed fri 7am run"
    let is_end = tokens.last().map(|token| token.span);
    let is_a_run =
        matches!(words.as_slice(), [only] if only.text == "run" && Some(only.span) == is_end);
    let only_joints = words.iter().all(|word| is_joint(&word.text));
    if only_joints && !is_a_run {
        return LeftOver {
            description: None,
            cost: u8::try_from(total.saturating_sub(2).min(5)).unwrap_or(5) * u8::from(!has_lead),
        };
    }
    // Words that were next to each other keep the text between them.
    let mut text = String::new();
    let mut end = None;
    // One word of the phrase may be several terms.
    words.dedup_by_key(|word| word.span);
    for word in &words {
        let between = end.and_then(|end| phrase.get(end..word.span.start));
        match between {
            Some(between)
                if between.trim().is_empty()
                    || between.chars().count() <= 2
                        && !between.chars().any(char::is_alphanumeric) =>
            {
                text.push_str(between)
            }
            Some(_) => text.push(' '),
            None => {}
        }
        text.push_str(if word.kind == Kind::Quoted {
            &word.text
        } else {
            phrase.get(word.span.start..word.span.end).unwrap_or_default()
        });
        end = Some(word.span.end);
    }
    let cost = if has_lead || words.iter().all(|word| word.kind == Kind::Quoted) {
        0
    } else {
        u8::try_from((total * 2).min(20)).unwrap_or(20)
    };
    let start = words.first().map_or(0, |word| word.span.start);
    let text = requests::close_brackets(phrase, &text, start, end.unwrap_or(start));
    LeftOver { description: Some(text.trim().to_owned()).filter(|text| !text.is_empty()), cost }
}

/// Removes the words at both ends that only join the description to other parts.
fn trim(phrase: &str, tokens: &[Token], words: &mut Vec<&Token>) {
    let says_what = |token: &Token| token.kind != Kind::Symbol && token.text != "please";
    let end = tokens.iter().rfind(|token| says_what(token)).map(|token| token.span);
    while words.last().is_some_and(|last| {
        TRAILING.contains(&last.text.as_str())
            || last.kind == Kind::Symbol && !MONEY.contains(&last.text.as_str())
    }) && !ends_with_particle(phrase, words, end)
    {
        words.pop();
    }
    while words.first().is_some_and(|first| {
        matches!(first.text.as_str(), "and" | "at" | "on" | "to" | "of" | "-" | "then" | "by")
    }) {
        words.remove(0);
    }
    // "an Heiligabend"
    let is_followed = |word: &Token| {
        words
            .iter()
            .any(|next| next.span.start > word.span.end && next.span.start <= word.span.end + 1)
    };
    if words.first().is_some_and(|first| own_word(&first.text) == Some("an") && !is_followed(first))
    {
        words.remove(0);
    }
}

/// Returns whether a word before a part belongs to a verb before it: "log on tomorrow".
pub(crate) fn is_particle(before: &[Token], word: &str) -> bool {
    let verbs = match word {
        "in" => VERBS_WITH_IN,
        "on" => VERBS_WITH_ON,
        _ => return false,
    };
    before.iter().any(|token| verbs.contains(&token.text.as_str()))
}

/// Returns whether the last word belongs to a verb and not to a part that says when: "turn the alarm
/// on". `end` is the last word of the phrase.
fn ends_with_particle(phrase: &str, words: &[&Token], end: Option<Span>) -> bool {
    let Some((last, [_, ..])) = words.split_last() else { return false };
    let has = |of: &[&str]| words.iter().any(|word| of.contains(&word.text.as_str()));
    let is_end = end == Some(last.span);
    match last.text.as_str() {
        "in" => is_end || has(VERBS_WITH_IN),
        "on" => is_end || has(VERBS_WITH_ON),
        "for" => is_end || has(&["what", "who"]),
        "with" => true,
        "to" => is_end,
        // "ein" of "einkaufen"
        "a" => is_end && phrase.get(last.span.start..last.span.end) == Some("ein"),
        _ => false,
    }
}

fn starts_with(words: &[&Token], lead: &[&str]) -> bool {
    words.len() >= lead.len()
        && lead
            .iter()
            .zip(words)
            .all(|(word, token)| token.kind == Kind::Word && token.text == *word)
}
