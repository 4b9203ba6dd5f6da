//! Detects the language of a phrase.

use super::Lexicon;
use super::table::folded;
use crate::Language;
use crate::token::{Kind, Token};
use crate::words;

/// English words that are not about time, and that other languages do not have.
const ENGLISH: &[&str] = &[
    "about", "and", "at", "every", "each", "for", "from", "me", "my", "of", "on", "please",
    "remind", "run", "the", "to", "with", "you", "your", "call", "send",
];

/// Words that both languages have.
const SHARED: &[&str] = &[
    "am",
    "an",
    "april",
    "august",
    "die",
    "do",
    "fr",
    "h",
    "im",
    "in",
    "jan",
    "mai",
    "mi",
    "min",
    "mo",
    "m",
    "november",
    "per",
    "sa",
    "september",
    "so",
    "spring",
    "start",
    "t",
    "um",
    "s",
    "sec",
    "std",
    "dec",
    "feb",
    "apr",
    "aug",
    "sep",
    "okt",
    "nov",
    "cron",
    "utc",
    "fall",
    "war",
    "warm",
    "mit",
    "was",
    "not",
    "tag",
    "note",
    "timer",
];

/// Terms that are German words.
const GERMAN: &[&str] = &["uhr", "halb", "vor", "dreiviertel", "bis", "gegen"];

/// Returns the language with more words in the phrase; English if both have the same number.
pub(crate) fn language_of(tokens: &[Token]) -> Language {
    let german = Language::German.lexicon();
    let (mut english_words, mut german_words) = (0, 0);
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word) {
        let word = token.text.as_str();
        let is_before_number = tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Number);
        if GERMAN.contains(&word) || word == "um" && is_before_number {
            german_words += 1;
            continue;
        }
        if SHARED.contains(&word) {
            continue;
        }
        let is_english =
            ENGLISH.contains(&word) || words::is_about_time(word) || words::number(word).is_some();
        let is_german = has_umlaut(word) || german.has(word);
        english_words += usize::from(is_english && !is_german);
        german_words += usize::from(is_german && !is_english);
    }
    german_words += usize::from(english_words == 0 && has_german_days(tokens));
    if german_words > english_words
        || german_words > 0 && german_words == english_words && begins_in(german, tokens)
    {
        Language::German
    } else {
        Language::English
    }
}

/// Abbreviations of German days that English does not have.
const GERMAN_DAYS: &[&str] = &["mo", "di", "mi", "do", "fr", "sa", "so"];

/// Returns whether the phrase has `Mo-Fr 8:00`, `Mi 9:00` or `Di, Do 18:00`: days before a number
/// or another day. One of two letters that is an English word counts only next to another.
fn has_german_days(tokens: &[Token]) -> bool {
    let is_day = |token: &&Token| GERMAN_DAYS.contains(&token.text.as_str());
    let is_joint =
        |token: &&Token| matches!(token.text.as_str(), "-" | "–" | "," | "/" | "+" | "&");
    let is_clear = |token: &Token| matches!(token.text.as_str(), "mo" | "di" | "mi" | "fr");
    tokens.iter().enumerate().any(|(at, token)| {
        let (next, third) = (tokens.get(at + 1), tokens.get(at + 2));
        let is_pair = next.filter(is_joint).is_some() && third.filter(is_day).is_some();
        let is_before_number = next.is_some_and(|next| next.kind == Kind::Number);
        // "do 50 pushups" is English, and "Do 18:00" is not.
        let is_before_time = is_before_number && third.is_some_and(|third| third.is_symbol(":"));
        let is_counted = at > 0 && tokens.get(at - 1).is_some_and(|last| last.kind == Kind::Number);
        is_day(&token)
            && (is_pair || (is_before_time || is_clear(token) && is_before_number) && !is_counted)
    })
}

/// Returns whether the first word is one of the table.
fn begins_in(lexicon: &Lexicon, tokens: &[Token]) -> bool {
    tokens
        .iter()
        .find(|token| token.kind == Kind::Word)
        .is_some_and(|token| lexicon.has(&token.text))
}

fn has_umlaut(word: &str) -> bool {
    folded(word) != word
}
