//! Words about time that describe the task: "send birthday wishes", "night shift", "trash day",
//! "switch to winter tires". They say nothing about when if the sentence says it without them.

use super::numbers::says_day;
use super::{ARTICLES, Rest};
use crate::Language;
use crate::clause::{Clause, Clock, ClockKind, Cycle, Found};
use crate::lexicon::own_word;
use crate::words::{self, DayPart};

/// Days and seasons whose names describe the noun behind them.
#[rustfmt::skip]
const DESCRIBING: &[&str] = &[
    "advent", "anniversary", "autumn", "birthday", "christmas", "easter", "halloween", "holiday", "ramadan", "spring", "summer", "thanksgiving", "weekend", "winter", "xmas",
];

/// Times of the day that describe the noun behind them.
const TIMES: &[&str] = &["bedtime", "dinnertime", "lunchtime", "midnight", "teatime"];

/// Days that a person looks at: "check birthdays".
const LISTED: &[&str] = &["anniversaries", "anniversary", "birthday", "birthdays", "deadlines"];

/// Words before such a word that make it a time.
#[rustfmt::skip]
const BEFORE_TIMES: &[&str] = &[
    "about", "across", "all", "any", "around", "as", "at", "avoid", "avoiding", "both", "by", "exclude", "following", "for", "full", "ignore", "ignoring", "in", "into", "it's", "its", "leaving", "like", "minus", "most", "of",
    "omit", "on", "one", "outside", "over", "per", "plus", "sans", "some", "than", "that", "these", "this", "those", "toward", "towards", "under", "upon", "via", "whole", "with",
];

/// Prepositions of the task before a noun and the word that describes it: "prepare for the night
/// shift".
const BEFORE_NOUNS: &[&str] = &["about", "for", "of", "with"];

/// Words behind such a word that are no nouns.
#[rustfmt::skip]
const NO_NOUNS: &[&str] = &[
    "a", "also", "an", "and", "as", "away", "be", "call", "closed", "do", "excluded", "exempt", "free", "go", "i", "included", "instead", "is", "just", "me", "mode", "my", "of", "off", "please", "remind", "take",
    "that", "the", "then", "too", "us", "we", "you", "your",
];

/// Words before "day" that make it a kind of task.
#[rustfmt::skip]
const KINDS_OF_DAYS: &[&str] = &[
    "arm", "bath", "bin", "bins", "casual", "cheat", "chest", "cleaning", "field", "game", "garbage", "gym", "laundry", "leg", "market", "pizza", "recycling", "release", "rest", "rubbish", "shopping", "spa", "sports", "swim",
    "trash", "wash",
];

impl Rest<'_> {
    /// Returns whether a word about time describes a noun of the task, or is one.
    pub(super) fn is_thing(&self, at: usize, word: &str) -> bool {
        if self.language == Language::German {
            return self.is_german_object(at, word);
        }
        if word == "day" {
            let before = at.checked_sub(1).map_or("", |before| self.text(before));
            return KINDS_OF_DAYS.contains(&before)
                && self.is_left(at - 1)
                && !self.is_noun(at + 1)
                && self.names_days();
        }
        if word == "upcoming" {
            let is_listed = LISTED.contains(&self.text(at + 1)) && self.is_left(at + 1);
            return self.is_object(at) && (is_listed || self.is_noun(at + 1));
        }
        if LISTED.contains(&word) && !self.is_noun(at + 1) {
            let is_upcoming = at > 1 && self.text(at - 1) == "upcoming";
            let verb = if is_upcoming { at - 1 } else { at };
            return self.names_days() && self.is_object(verb) && !self.is_left(at + 1);
        }
        if !self.is_noun(at + 1) || !self.is_free(at) {
            return false;
        }
        if let Some(part) = words::day_part(word).filter(|_| !word.ends_with('s')) {
            return self.fits(part);
        }
        DESCRIBING.contains(&word) && self.names_days() && !self.ends_part(at)
            || TIMES.contains(&word) && self.names_days() && self.has_sure_time()
    }

    /// Returns whether a unit of time directly behind a time of day is what a verb acts on: "um 16
    /// Uhr Stunden eintragen".
    fn is_german_object(&self, at: usize, word: &str) -> bool {
        let is_time = |found: &Found| found.tokens.1 == at && matches!(found.clause, Clause::At(_));
        words::unit(word).is_some()
            && self.found.iter().any(is_time)
            && own_word(self.text(at + 1)).is_some()
            && self.is_ordinary(at + 1)
    }

    /// Returns whether a noun of the task is at this place.
    fn is_noun(&self, at: usize) -> bool {
        let is_word = self.is_ordinary(at) && !NO_NOUNS.contains(&self.text(at));
        is_word && self.text(at).len() > 1
    }

    /// Returns whether a verb of the task is directly before this place, or before an article.
    fn is_object(&self, at: usize) -> bool {
        let before = self.behind_articles(at);
        before.checked_sub(1).is_some_and(|verb| {
            self.is_ordinary(verb)
                && !BEFORE_TIMES.contains(&self.text(verb))
                && !NO_NOUNS.contains(&self.text(verb))
        })
    }

    /// Returns the place of the articles before `at`, or `at` without any.
    fn behind_articles(&self, at: usize) -> usize {
        match at.checked_sub(1) {
            Some(before) if ARTICLES.contains(&self.text(before)) => before,
            _ => at,
        }
    }

    /// Returns whether no word before this one makes it a time.
    fn is_free(&self, at: usize) -> bool {
        let start = self.behind_articles(at);
        let Some(before) = start.checked_sub(1) else { return true };
        let word = self.text(before);
        if self.ends_part(start) || word == "," {
            return start < at || words::day_part(self.text(at)).is_none();
        }
        self.is_left(before)
            && self.suspicion(before).is_none()
            && !matches!(word, "this" | "that")
            && (!BEFORE_TIMES.contains(&word)
                || BEFORE_NOUNS.contains(&word)
                || before > 0
                    && matches!(
                        (self.text(before - 1), word),
                        ("hand" | "take", "over") | ("put", "on")
                    ))
            || word == "start" && self.is_left(before)
            || matches!(word, ":" | "(" | "-" | "&")
    }

    /// Returns whether the sentence says on which days without this word: more than "every month" or
    /// "every year".
    fn names_days(&self) -> bool {
        let is_interval =
            |found: &Found| matches!(found.clause, Clause::Cycle { cycle: Cycle::Seconds(_), .. });
        self.found.iter().any(|found| says_day(&found.clause) || is_interval(found))
    }

    fn clocks(&self) -> impl Iterator<Item = Clock> + '_ {
        self.found
            .iter()
            .flat_map(|found| match &found.clause {
                Clause::At(times) => times.as_slice(),
                _ => &[],
            })
            .copied()
    }

    fn has_sure_time(&self) -> bool {
        let is_sure = |clock: Clock| matches!(clock.kind, ClockKind::Sure | ClockKind::Of24);
        self.clocks().next().is_some() && self.clocks().all(is_sure)
    }

    /// Returns whether the times of the sentence are sure, or can only be those of this part of the
    /// day: "morning routine every day at 7".
    fn fits(&self, part: DayPart) -> bool {
        let is_morning = part == DayPart::Morning
            && self.clocks().next().is_some()
            && self.clocks().all(|clock| (4..12).contains(&clock.hour));
        is_morning || self.has_sure_time()
    }
}
