//! Places that may be meant as time zones: "at 9am HST", "every monday in Sydney".

use super::Rest;
use crate::calendar::zone_like;
use crate::clause::Clause;
use crate::lexicon::own_word;
use crate::{Language, Refusal, words};

/// Names that are written like those of places, but are none.
#[rustfmt::skip]
const NO_PLACES: &[&str] = &[
    "bearbeitung", "discord", "excel", "github", "gitlab", "jira", "kraft", "notion", "ordnung", "outlook", "person", "ruhe", "slack", "sharepoint", "teams",
    "trello", "zoom", "zukunft",
];

/// Articles before the name of a place.
const ARTICLES: &[&str] = &["the", "a", "my"];

impl Rest<'_> {
    /// Refuses a word that may be a time zone: one behind a time, as in "at 9am HST", or one behind
    /// "in" that is next to a part, as in "every day in Sydney at 9am" and "in Sydney every day".
    pub(super) fn check_place(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let is_behind_time = self.is_behind_time(at)
            || at > 0
                && matches!(self.text(at - 1), "in" | "(" | "[" | ",")
                && self.is_behind_time(at - 1);
        let before = self.before_articles(at).filter(|before| self.is_next_to_part(*before, at));
        let is_in = before.is_some_and(|before| self.text(before) == "in");
        if (is_behind_time || before.is_some()) && self.is_place(at, word)
            || is_in && self.is_name(at)
            || is_behind_time && self.is_zone(at, word)
        {
            return Err(self.refuse(
                at,
                "Is this a time zone? Write, say, \"Berlin time\" or \"Europe/Berlin\", or put the place in double quotes.",
            ));
        }
        Ok(())
    }

    /// Returns whether a word is the name of a place with a time zone.
    pub(super) fn is_city(&self, at: usize) -> bool {
        let word = self.own(at);
        let is_zone = words::region(word).is_some() || zone_like(word).is_some();
        self.is_left(at) && is_zone && !words::is_ordinary_city(word)
    }

    fn is_behind_time(&self, at: usize) -> bool {
        self.found.iter().any(|found| {
            found.tokens.1 == at && matches!(found.clause, Clause::At(_) | Clause::Window(..))
        })
    }

    /// Returns the place of the preposition before this word, if only an article is between them.
    fn before_articles(&self, at: usize) -> Option<usize> {
        let last = at.checked_sub(1)?;
        let before = if ARTICLES.contains(&self.text(last)) { last.checked_sub(1)? } else { last };
        let preposition = self.text(before);
        let is_auf = own_word(preposition) == Some("auf");
        (is_auf || matches!(preposition, "in" | "on" | "of")).then_some(before)
    }

    /// Returns whether the preposition at `before` follows a part, or begins the phrase and a part
    /// follows the word at `at`.
    fn is_next_to_part(&self, before: usize, at: usize) -> bool {
        let mut behind = before;
        while behind > 0 && matches!(self.text(behind - 1), "," | "(" | "over") {
            behind -= 1;
        }
        let follows = |at: usize| {
            (1..4).any(|ahead| {
                self.begins_part(at + ahead)
                    && (1..ahead).all(|next| self.text(at + next) == "," || self.is_name(at + next))
            })
        };
        self.ends_part(behind) || behind == 0 && follows(at)
    }

    /// Returns how a word is written in the phrase.
    pub(super) fn written(&self, at: usize) -> &str {
        let span = self.tokens.get(at).map(|token| token.span);
        span.and_then(|span| self.phrase.get(span.start..span.end)).unwrap_or_default()
    }

    /// Returns whether a word is written like a name. In German every noun is, but only names come
    /// behind "in" without an article.
    fn is_name(&self, at: usize) -> bool {
        let is_capital = self.written(at).chars().next().is_some_and(char::is_uppercase);
        let before = at.checked_sub(1).map_or("", |before| self.written(before));
        let has_article = self.language == Language::German && !before.eq_ignore_ascii_case("in");
        let word = self.text(at);
        is_capital
            && !has_article
            && !self.is_shouted()
            && self.is_ordinary(at)
            && !NO_PLACES.contains(&own_word(word).unwrap_or(word).to_lowercase().as_str())
    }

    /// Returns whether this is a place: a known one, or a zone.
    fn is_place(&self, at: usize, word: &str) -> bool {
        let next = self.text(at + 1);
        let (word, next) = (own_word(word).unwrap_or(word), own_word(next).unwrap_or(next));
        let is_dashed = next == "-" && self.tokens.get(at + 1).is_some_and(|next| next.is_glued);
        let third = self.text(at + 2);
        let next = if is_dashed { own_word(third).unwrap_or(third) } else { next };
        // "every morning at 6 wake up"
        let is_task = words::is_ordinary_city(word)
            && self.written(at).chars().all(char::is_lowercase)
            && self.is_ordinary(at + 1)
            && !matches!(next, "island" | "time" | "zeit");
        if is_task {
            return false;
        }
        let two = format!("{word} {next}");
        [word, &two].into_iter().any(|name| {
            words::is_place(name) || words::region(name).is_some() || zone_like(name).is_some()
        }) || matches!(self.written(at), "US" | "UK" | "UAE" | "VAE")
    }

    /// Returns whether a word behind a time is like the name of a zone.
    fn is_zone(&self, at: usize, word: &str) -> bool {
        let written = self.written(at);
        let is_abbreviation = (2..=5).contains(&written.len())
            && written.chars().all(|c| c.is_ascii_uppercase())
            && !self.is_shouted();
        let next = self.text(at + 1);
        let (word, next) = (own_word(word).unwrap_or(word), own_word(next).unwrap_or(next));
        let is_glued = self.tokens.get(at + 1).is_some_and(|next| next.is_glued);
        let is_elsewhere = matches!(word, "there" | "where" | "dort" | "drüben");
        // "at 9am (Anytown)"
        let is_in_parentheses = at > 0 && self.text(at - 1) == "(" && self.text(at + 1) == ")";
        is_abbreviation
            || next == "/" && is_glued
            || matches!(next, "time" | "zeit")
            || word.strip_suffix("er").and_then(zone_like).is_some()
            || word == "z"
            || is_elsewhere
            || is_in_parentheses && self.is_name(at)
            || words::is_kind_of_time(word)
    }

    /// Returns whether the whole phrase is in capitals.
    fn is_shouted(&self) -> bool {
        !self.phrase.chars().any(char::is_lowercase)
    }
}
