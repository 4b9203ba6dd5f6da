//! The grammar: recursive descent over tokens.
//!
//! A phrase is a sequence of parts in any order, with other words between them. At each token, the
//! parser tries every kind of part. A token at which no part begins is left over. Each method
//! either parses a part and returns it, or leaves the tokens as they are and returns `None`. It
//! returns an error only if the words cannot have a meaning: "every 0 minutes", "at 25:00".

mod bounds;
mod clock;
mod counted_days;
mod dates;
mod day_ranges;
mod days;
mod every;
mod excepted_dates;
mod exceptions;
mod literals;
mod named_days;
mod numbers;
mod parts_of_day;
mod spoken;
mod windows;
mod zones;

pub(crate) use parts_of_day::is_event;

use crate::clause::{Clause, Found};
use crate::description::is_particle;
use crate::lexicon::{Habits, own_word};
use crate::limits::MAX_STEPS;
use crate::names::{self, Name};
use crate::token::{Kind, Token};
use crate::words;
use crate::{Reason, Refusal, Span};
use std::cell::Cell;

type Parsed<T> = Result<Option<T>, Refusal>;

/// The parser of one kind of part.
type Rule<P, T> = fn(&mut P) -> Parsed<T>;

/// The parts of a phrase, and the tokens that belong to no part.
pub(crate) struct Parts {
    pub(crate) found: Vec<Found>,
    /// Numbers of tokens, in order.
    pub(crate) left_over: Vec<usize>,
    pub(crate) names: Vec<Name>,
}

/// Returns the parts of a phrase and the number of steps, or the reason why a part is impossible.
/// `is_reminder` is set if the phrase speaks to a person.
pub(crate) fn parts(
    tokens: &[Token],
    habits: Habits,
    is_reminder: bool,
) -> (Result<Parts, Refusal>, u32) {
    let mut parser =
        Parser { tokens, at: 0, steps: Cell::new(0), found: Vec::new(), habits, is_reminder };
    let names = names::names(tokens);
    let left_over = parser.all(&names);
    let steps = parser.steps.get();
    (left_over.map(|left_over| Parts { found: parser.found, left_over, names }), steps)
}

/// Returns the span of all tokens.
pub(crate) fn whole(tokens: &[Token]) -> Span {
    span_of(tokens, 0, tokens.len())
}

/// Returns the span of the tokens from `start` up to `end`.
pub(crate) fn span_of(tokens: &[Token], start: usize, end: usize) -> Span {
    let first = tokens.get(start).map_or(Span { start: 0, end: 0 }, |token| token.span);
    let last = tokens.get(end.saturating_sub(1).max(start)).map_or(first, |token| token.span);
    first.to(last)
}

pub(crate) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    steps: Cell<u32>,
    found: Vec<Found>,
    habits: Habits,
    is_reminder: bool,
}

impl<'a> Parser<'a> {
    /// Returns the clauses of the part that begins here, or none if no part does.
    fn clauses(&mut self) -> Result<Vec<Clause>, Refusal> {
        let kinds: [Rule<Self, Vec<Clause>>; 12] = [
            Self::literal,
            Self::bounds,
            Self::every,
            Self::frequency,
            Self::windows,
            Self::counted_days,
            Self::delay,
            Self::week_and_months,
            Self::period,
            Self::calendar_day,
            Self::times,
            Self::zone,
        ];
        let start = self.at;
        let word = self.word(0);
        // "turn the alarm on every night"
        if matches!(self.word(1), "every" | "each" | "daily" | "today" | "tomorrow")
            && is_particle(self.tokens.get(..start).unwrap_or_default(), word)
        {
            return Ok(Vec::new());
        }
        for kind in kinds {
            if let Some(clauses) = kind(self)? {
                return Ok(clauses);
            }
            self.at = start;
        }
        Ok(Vec::new())
    }

    /// Parses all parts, and returns the numbers of the tokens between them.
    fn all(&mut self, names: &[Name]) -> Result<Vec<usize>, Refusal> {
        let mut left_over = Vec::new();
        while self.at < self.tokens.len() {
            let start = self.at;
            if let Some(name) = names.iter().find(|name| name.start == start) {
                left_over.extend(start..name.end);
                self.at = name.end;
                continue;
            }
            let mut clauses = if self.may_begin_part() { self.clauses()? } else { Vec::new() };
            if self.is_in_word(start, self.at) {
                clauses.clear();
            }
            if self.steps.get() > MAX_STEPS {
                return Err(Refusal::new(
                    Reason::TooLong,
                    whole(self.tokens),
                    "The sentence takes too long to read: write a shorter one.",
                ));
            }
            if clauses.is_empty() {
                self.at = start;
                self.skip_comma_or(|at| left_over.push(at));
                continue;
            }
            let (span, tokens) = (span_of(self.tokens, start, self.at), (start, self.at));
            self.found.extend(clauses.into_iter().map(|clause| Found { clause, span, tokens }));
        }
        Ok(left_over)
    }

    /// Returns whether a hyphen joins the tokens from `start` up to `end` to a word: "read-only",
    /// "sunday-school".
    fn is_in_word(&self, start: usize, end: usize) -> bool {
        let is_glued = |at: usize| self.tokens.get(at).is_some_and(|token| token.is_glued);
        let is_hyphen = |at: usize| {
            is_glued(at) && self.tokens.get(at).is_some_and(|token| token.is_symbol("-"))
        };
        let is_own = |at: usize| {
            self.tokens.get(at).is_some_and(|token| {
                token.kind == Kind::Word
                    && words::suspicion(&token.text).is_none()
                    && words::number(&token.text).is_none()
                    && !matches!(token.text.as_str(), "am" | "pm" | "a" | "p" | "uhr")
            })
        };
        let is_behind = start > 1
            && is_hyphen(start - 1)
            && is_glued(start)
            && is_own(start - 2)
            && self.found.last().is_none_or(|found| found.tokens.1 < start);
        let is_before = end > start && is_hyphen(end) && is_glued(end + 1) && is_own(end + 1);
        let is_word = self.tokens.get(start).is_some_and(|token| token.kind == Kind::Word);
        (is_behind || is_before) && is_word
    }

    /// Returns whether a part can begin with the next token. Of the symbols, only these can begin
    /// one, and no word does that the table of the language does not have.
    fn may_begin_part(&self) -> bool {
        self.token(0).is_some_and(|token| match token.kind {
            Kind::Symbol => matches!(token.text.as_str(), "@" | ":" | "(" | ","),
            Kind::Word => own_word(&token.text).is_none(),
            _ => true,
        })
    }

    /// Returns the token at this distance from the next one.
    fn token(&self, ahead: usize) -> Option<&'a Token> {
        // After the limit there are no more tokens, so every loop ends.
        if self.steps.get() > MAX_STEPS {
            return None;
        }
        self.steps.set(self.steps.get() + 1);
        self.tokens.get(self.at + ahead)
    }

    /// Returns the word at this distance from the next token; empty if that is not a word.
    fn word(&self, ahead: usize) -> &'a str {
        self.token(ahead).filter(|token| token.kind == Kind::Word).map_or("", |token| &token.text)
    }

    fn is_symbol(&self, ahead: usize, symbol: &str) -> bool {
        self.token(ahead).is_some_and(|token| token.is_symbol(symbol))
    }

    fn is_glued(&self, ahead: usize) -> bool {
        self.token(ahead).is_some_and(|token| token.is_glued)
    }

    /// Consumes these words, separated by spaces, if they come next. Returns whether they do.
    fn take(&mut self, words: &str) -> bool {
        let (mut rest, mut count) = (words, 0);
        loop {
            let word = self.word(count);
            if !may_begin(rest, word) {
                return false;
            }
            let Some(after) = rest.strip_prefix(word) else { return false };
            count += 1;
            if after.is_empty() {
                self.at += count;
                return true;
            }
            let Some(next) = after.strip_prefix(" ") else { return false };
            rest = next;
        }
    }

    /// Consumes the first of these that comes next. Returns whether any does.
    fn take_any(&mut self, options: &[&str]) -> bool {
        let first = self.word(0);
        // A word that is compared with many counts for each of them.
        let steps = self.steps.get() + options.len().saturating_sub(1) as u32;
        self.steps.set(steps.min(MAX_STEPS + 1));
        options.iter().any(|words| may_begin(words, first) && self.take(words))
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let is_here = self.is_symbol(0, symbol);
        self.at += usize::from(is_here);
        is_here
    }

    /// Parses with `part`. If it returns nothing, the tokens stay as they were.
    fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let start = self.at;
        let parsed = part(self)?;
        if parsed.is_none() {
            self.at = start;
        }
        Ok(parsed)
    }

    /// Parses `item, item and item`.
    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self, bool) -> Parsed<T>,
    ) -> Result<Vec<T>, Refusal> {
        let mut items = Vec::new();
        loop {
            let start = self.at;
            if !items.is_empty() && !self.take_separator() && !self.is_between_days() {
                break;
            }
            let is_first = items.is_empty();
            match item(self, is_first)? {
                Some(found) if items.len() < crate::limits::MAX_LIST => items.push(found),
                _ => {
                    self.at = start;
                    break;
                }
            }
        }
        Ok(items)
    }

    /// Returns whether days of the week are next to each other: "mon wed fri".
    fn is_between_days(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|before| {
            before.kind == Kind::Word && words::weekday(&before.text).is_some()
        }) && words::weekday(self.word(0)).is_some()
    }

    fn take_separator(&mut self) -> bool {
        // "mon/wed/fri"
        if self.is_symbol(0, "/") && words::weekday(self.word(1)).is_some() {
            return self.take_symbol("/");
        }
        let comma = self.take_symbol(",");
        let and = self.take("and") || self.take_symbol("&") || self.take_symbol("+");
        comma || and
    }

    /// Skips one token at which no part begins.
    fn skip_comma_or(&mut self, mut left_over: impl FnMut(usize)) {
        let is_mark = self.token(0).is_some_and(|token| {
            let is_mark = matches!(
                token.text.as_str(),
                "," | "." | ";" | ":" | "!" | "?" | "(" | ")" | "'" | "\"" | "…"
            );
            token.kind == Kind::Symbol && is_mark
        });
        if !is_mark {
            left_over(self.at);
        }
        self.at += 1;
    }

    /// Returns the refusal of the words from `start` up to here.
    fn refusal(&self, reason: Reason, start: usize, message: impl Into<String>) -> Refusal {
        Refusal::new(reason, span_of(self.tokens, start, self.at.max(start + 1)), message)
    }
}

/// Returns whether both begin with the same byte. Most words differ in it.
fn may_begin(words: &str, word: &str) -> bool {
    matches!((words.as_bytes(), word.as_bytes()), ([one, ..], [other, ..]) if one == other)
}
