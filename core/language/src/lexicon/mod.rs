//! Translates the words of a language to terms.
//!
//! The grammar reads terms: the words of plain English that say when, and a few more for which
//! English has no word. A language is a table from its words to terms, so another language is only
//! data. English has a table, too, with its abbreviations and typing errors.

mod correction;
mod detect;
mod english;
mod german;
mod table;

use crate::token::{Kind, Token};
use crate::{Assumption, Language, Span};
use std::borrow::Cow;
use table::{Entry, find, folded};

pub(crate) use detect::language_of;
pub(crate) use table::{Habits, Lexicon};

/// The first character of a word that the table of the phrase's language does not have. No term of
/// the grammar begins with it.
const UNKNOWN: char = '\u{1}';

/// The most tokens that one entry of a table takes.
#[cfg(test)]
const MAX_ENTRY: usize = 6;

/// The length of the shortest number of tens and ones in one word: "einundvierzig".
const SHORTEST_OF_TWO: usize = 13;

/// The phrase as terms.
pub(crate) struct Terms {
    pub(crate) tokens: Vec<Token>,
    /// The assumptions of the translation.
    pub(crate) assumptions: Vec<Assumption>,
}

impl Language {
    pub(crate) fn lexicon(self) -> &'static Lexicon {
        match self {
            Self::English => &english::LEXICON,
            Self::German => &german::LEXICON,
        }
    }
}

/// Returns a word without the mark of words that no table has.
pub(crate) fn own_word(text: &str) -> Option<&str> {
    text.strip_prefix(UNKNOWN)
}

/// An entry that matches at a place of a phrase.
struct Fit {
    terms: &'static str,
    source: &'static str,
    /// The number of tokens that it replaces.
    takes: usize,
    /// The number of tokens that it examines.
    sees: usize,
    /// The token that matches `#`.
    number: Option<usize>,
}

impl Lexicon {
    /// Writes the tokens of a phrase as terms.
    pub(crate) fn terms(&self, tokens: Vec<Token>) -> Terms {
        let words: Vec<Cow<'_, str>> = tokens
            .iter()
            .map(|token| match token.kind {
                Kind::Quoted => Cow::Borrowed(""),
                _ => folded(&token.text),
            })
            .collect();
        let mut terms =
            Terms { tokens: Vec::with_capacity(tokens.len() + 8), assumptions: Vec::new() };
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Some(fit) = self.fit(&words, at) {
                self.note(fit.source, &mut terms);
                self.put(&fit, &tokens, at, &mut terms.tokens);
                at += fit.takes;
                continue;
            }
            at += 1;
            match token.kind {
                Kind::Word if is_in_path(&tokens, at - 1) => terms.tokens.push(token.clone()),
                Kind::Word => self.put_word(token, word_at(&words, at - 1), &mut terms),
                Kind::Symbol if self.is_ordinal_dot(&tokens, &words, at - 1, &terms.tokens) => {
                    terms.tokens.push(Token {
                        kind: Kind::Word,
                        text: "th".to_owned(),
                        span: token.span,
                        is_glued: true,
                    });
                }
                _ => terms.tokens.push(token.clone()),
            }
        }
        terms
    }

    /// Returns the entry that replaces the most tokens from `at` on.
    fn fit(&self, words: &[Cow<'_, str>], at: usize) -> Option<Fit> {
        let word = words.get(at).filter(|word| !word.is_empty())?;
        let mut best: Option<Fit> = None;
        let mut consider = |key: &str| {
            for (source, terms) in self.starting_with(key) {
                let Some(fit) = self.matches(source, terms, words, at) else { continue };
                if best.as_ref().is_none_or(|best| (fit.takes, fit.sees) > (best.takes, best.sees))
                {
                    best = Some(fit);
                }
            }
        };
        consider(word);
        if self.is_number(word) {
            consider("#");
        }
        for ending in self.endings {
            if let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() > 2) {
                consider(&[stem, "~"].concat());
            }
        }
        best
    }

    /// Returns the entries whose first word is this one.
    fn starting_with(&self, word: &str) -> &'static [Entry] {
        // A space comes before every other character of a word, so entries with the same first word
        // are next to each other, and the shortest is the first.
        let start = self.entries.partition_point(|(source, _)| *source < word);
        let rest = self.entries.get(start..).unwrap_or_default();
        let is_first = |(source, _): &&Entry| {
            source.strip_prefix(word).is_some_and(|more| more.is_empty() || more.starts_with(' '))
        };
        rest.get(..rest.iter().take_while(is_first).count()).unwrap_or_default()
    }

    fn matches(
        &self,
        source: &'static str,
        terms: &'static str,
        words: &[Cow<'_, str>],
        at: usize,
    ) -> Option<Fit> {
        let (mut rest, mut takes, mut number) = (source, 0, None);
        while !rest.is_empty() {
            let (pattern, others) = split_first(rest);
            let word = words.get(at + takes)?;
            rest = others;
            if pattern == "|" {
                while !rest.is_empty() {
                    let (next, others) = split_first(rest);
                    if self.is_word(next, word) {
                        return Some(Fit { terms, source, takes, sees: takes + 1, number });
                    }
                    rest = others;
                }
                return None;
            }
            self.is_word(pattern, word).then_some(())?;
            if pattern == "#" {
                number = Some(at + takes);
            }
            takes += 1;
        }
        Some(Fit { terms, source, takes, sees: takes, number })
    }

    /// Returns whether a word matches a word of an entry.
    fn is_word(&self, pattern: &str, word: &str) -> bool {
        match pattern {
            "#" => self.is_number(word),
            "@" => self.is_weekday(word),
            _ => match pattern.strip_suffix('~') {
                Some(stem) => {
                    word.strip_prefix(stem).is_some_and(|ending| self.endings.contains(&ending))
                }
                None => pattern == word,
            },
        }
    }

    fn is_number(&self, word: &str) -> bool {
        word.bytes().next().is_some_and(|first| first.is_ascii_digit())
            || self.number(word).is_some()
    }

    /// Returns the terms of a number in one word: one term, or tens and ones.
    fn number(&self, word: &str) -> Option<(&'static str, Option<&'static str>)> {
        if let Some(term) = find(self.numbers, word) {
            return Some((term, None));
        }
        let joint = self.number_joint.filter(|_| word.len() >= SHORTEST_OF_TWO)?;
        let (ones, tens) = word.split_once(joint)?;
        let tens = find(self.numbers, tens).filter(|tens| tens.ends_with("ty"))?;
        let ones = if ones == "ein" { "one" } else { find(self.numbers, ones)? };
        Some((tens, Some(ones)))
    }

    fn is_weekday(&self, word: &str) -> bool {
        let terms = self
            .starting_with(word)
            .iter()
            .find(|(source, _)| *source == word)
            .map_or(word, |(_, terms)| *terms);
        crate::words::weekday(terms).is_some()
    }

    fn note(&self, source: &str, terms: &mut Terms) {
        let (first, _) = split_first(source);
        let is_of = |(key, _): &&(&str, &str)| *key == first || *key == source;
        if let Some((_, text)) = self.notes.iter().find(is_of) {
            terms.assumptions.push(Assumption { text: (*text).to_owned(), cost: 5 });
        }
    }

    /// Appends the terms of an entry.
    fn put(&self, fit: &Fit, tokens: &[Token], at: usize, terms: &mut Vec<Token>) {
        let taken = tokens.get(at..at + fit.takes).unwrap_or_default();
        let Some((first, last)) = taken.first().zip(taken.last()) else { return };
        let whole = first.span.to(last.span);
        let count = fit.terms.split(' ').count();
        for (number, term) in fit.terms.split(' ').enumerate() {
            // Term by term if there are as many terms as tokens.
            let span = match taken.get(number) {
                Some(token) if count == taken.len() => token.span,
                _ => whole,
            };
            let is_glued = match taken.get(number) {
                Some(token) if count == taken.len() => token.is_glued,
                _ => number == 0 && first.is_glued,
            };
            if term == "#" {
                if let Some(token) = fit.number.and_then(|number| tokens.get(number)) {
                    self.put_number(token, is_glued, terms);
                }
            } else {
                terms.push(term_token(term, span, is_glued));
            }
        }
    }

    fn put_number(&self, token: &Token, is_glued: bool, terms: &mut Vec<Token>) {
        match self.number(&folded(&token.text)) {
            Some((first, second)) => {
                terms.push(term_token(first, token.span, is_glued));
                terms.extend(second.map(|ones| term_token(ones, token.span, false)));
            }
            None => terms.push(Token { is_glued, ..token.clone() }),
        }
    }

    /// Appends a word that matches no entry.
    fn put_word(&self, token: &Token, word: &str, terms: &mut Terms) {
        if self.number(word).is_some() {
            return self.put_number(token, token.is_glued, &mut terms.tokens);
        }
        if let Some((day, part)) = self.weekday_and_part(word) {
            let all = day.split(' ').chain(part.split(' '));
            terms.tokens.extend(
                all.enumerate()
                    .map(|(n, term)| term_token(term, token.span, n == 0 && token.is_glued)),
            );
            return;
        }
        if let Some(known) = self.corrected(word) {
            let terms_of =
                if self.is_of_terms { known } else { find(self.entries, known).unwrap_or(known) };
            terms.assumptions.push(Assumption {
                text: format!("\"{}\" is read as \"{known}\".", token.text),
                cost: 10,
            });
            let all = terms_of.split(' ').enumerate();
            terms.tokens.extend(
                all.map(|(n, term)| term_token(term, token.span, n == 0 && token.is_glued)),
            );
            return;
        }
        if self.is_of_terms {
            terms.tokens.push(token.clone());
            return;
        }
        let text = format!("{UNKNOWN}{}", token.text);
        terms.tokens.push(Token { text, ..token.clone() });
    }

    /// Splits "montagabend".
    fn weekday_and_part(&self, word: &str) -> Option<(&'static str, &'static str)> {
        self.behind_weekday.iter().find_map(|(part, terms)| {
            let day = word.strip_suffix(part).filter(|day| !day.is_empty())?;
            let (_, day) = self.starting_with(day).iter().find(|(source, _)| *source == day)?;
            crate::words::weekday(day).is_some().then_some((*day, *terms))
        })
    }

    /// Returns whether the full stop at `at` makes the number before it an ordinal: `am 3. März`,
    /// `am 1. und 15.`
    fn is_ordinal_dot(
        &self,
        tokens: &[Token],
        words: &[Cow<'_, str>],
        at: usize,
        terms: &[Token],
    ) -> bool {
        let is_small = |token: &Token| token.kind == Kind::Number && token.text.len() <= 2;
        let is_dot = self.has_dotted_ordinals
            && tokens.get(at).is_some_and(|token| token.is_symbol(".") && token.is_glued)
            && at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(is_small)
            && !tokens.get(at + 1).is_some_and(|next| next.is_glued && next.kind == Kind::Number);
        if !is_dot {
            return false;
        }
        let next = word_at(words, at + 1);
        let names_month = self
            .starting_with(next)
            .iter()
            .any(|(source, terms)| *source == next && crate::words::month(terms).is_some());
        let before = at.checked_sub(2).map_or("", |at| word_at(words, at));
        let continues = matches!(before, "und" | "," | "bis" | "-" | "+" | "oder" | "/" | "&");
        // In "am 1. und 15.", the number before it is an ordinal, too.
        let follows_ordinal = continues
            && terms.iter().rev().nth(2).is_some_and(|token| token.text == "th" && token.is_glued);
        names_month || follows_ordinal || is_before_ordinal(before)
    }

    /// Returns whether the table has the word, alone or as the first of several.
    fn has(&self, word: &str) -> bool {
        let folded = folded(word);
        let is_entry = |key: &str| {
            self.starting_with(key)
                .iter()
                .any(|(source, _)| !source.bytes().any(|byte| byte == b'|'))
        };
        is_entry(&folded)
            || self.number(&folded).is_some()
            || self.weekday_and_part(&folded).is_some()
            || self.endings.iter().any(|ending| {
                folded
                    .strip_suffix(ending)
                    .is_some_and(|stem| stem.len() > 2 && is_entry(&[stem, "~"].concat()))
            })
    }

    /// Returns whether a word that is in no table, but is a term, is not about time here.
    pub(crate) fn is_ordinary(&self, word: &str) -> bool {
        self.ordinary.binary_search(&word).is_ok()
    }
}

/// Returns the first word of an entry, and the others.
fn split_first(source: &str) -> (&str, &str) {
    let first = source.bytes().position(|byte| byte == b' ').unwrap_or(source.len());
    let others = source.get(first + 1..).unwrap_or_default();
    (source.get(..first).unwrap_or_default(), others)
}

/// Returns the word at a place; empty if there is none.
fn word_at<'w>(words: &'w [Cow<'_, str>], at: usize) -> &'w str {
    words.get(at).map_or("", |word| word)
}

/// Returns whether a word is next to a slash, as in the name of a time zone.
fn is_in_path(tokens: &[Token], at: usize) -> bool {
    let is_slash =
        |at: usize| tokens.get(at).is_some_and(|token| token.is_symbol("/") && token.is_glued);
    is_slash(at + 1) && tokens.get(at + 2).is_some_and(|next| next.is_glued)
        || at > 0 && is_slash(at - 1) && tokens.get(at).is_some_and(|token| token.is_glued)
}

fn is_before_ordinal(word: &str) -> bool {
    matches!(
        word,
        "am" | "der"
            | "den"
            | "dem"
            | "des"
            | "zum"
            | "vom"
            | "ab"
            | "jeden"
            | "jeder"
            | "jedem"
            | "jedes"
            | "ausser"
            | "bis"
    )
}

fn term_token(term: &str, span: Span, is_glued: bool) -> Token {
    let first = term.chars().next().unwrap_or_default();
    let kind = if first.is_ascii_digit() {
        Kind::Number
    } else if first.is_alphabetic() {
        Kind::Word
    } else {
        Kind::Symbol
    };
    Token { kind, text: term.to_owned(), span, is_glued }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables are searched by bisection.
    #[test]
    fn tables_are_in_order_and_folded() {
        for lexicon in [Language::English.lexicon(), Language::German.lexicon()] {
            for pair in lexicon.ordinary.windows(2) {
                assert!(pair[0] < pair[1], "{:?} before {:?}", pair[0], pair[1]);
            }
            for word in lexicon.corrected {
                assert!(lexicon.is_of_terms || find(lexicon.entries, word).is_some(), "{word}");
            }
            for table in [lexicon.entries, lexicon.numbers] {
                for pair in table.windows(2) {
                    assert!(pair[0].0 < pair[1].0, "{:?} before {:?}", pair[0], pair[1]);
                }
                for (source, terms) in table {
                    assert_eq!(*source, folded(&source.to_lowercase()), "{source}");
                    assert!(!terms.is_empty() && source.split(' ').all(|word| !word.is_empty()));
                    let taken = source.split(" | ").next().unwrap_or_default();
                    assert!(taken.split(' ').count() <= MAX_ENTRY, "{source}");
                    assert_eq!(taken.contains('#'), terms.contains('#'), "{source}");
                }
            }
        }
    }

    #[test]
    fn words_become_terms() {
        let of = |phrase: &str, language: Language| {
            let terms = language.lexicon().terms(crate::token::tokens(phrase));
            terms
                .tokens
                .iter()
                .map(|token| token.text.replace(UNKNOWN, "?"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (phrase, terms) in [
            ("jeden Montagabend um halb drei", "every monday evening at halb three"),
            ("am 1. und 15. jedes Monats", "on 1 th and 15 th of every month"),
            ("Übermorgen um 10 Uhr", "the day after tomorrow at 10 uhr"),
            ("ruf die Kinder an", "?ruf the ?kinder ?an"),
        ] {
            assert_eq!(of(phrase, Language::German), terms);
        }
        assert_eq!(of("evry tuesdy at 9", Language::English), "every tuesday at 9");
        for (word, language, is_suspect) in [
            ("ecxept", Language::English, true),
            ("mouth", Language::English, false),
            ("auser", Language::German, true),
            ("dienstagnachmitag", Language::German, true),
            ("häuser", Language::German, false),
            ("süsser", Language::German, false),
        ] {
            assert_eq!(language.lexicon().misspelt(word).is_some(), is_suspect, "{word}");
        }
    }
}
