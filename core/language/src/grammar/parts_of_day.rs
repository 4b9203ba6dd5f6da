//! Parts of the day.

use super::{Parsed, Parser};
use crate::clause::Clause;
use crate::words;

/// Words before a part of the day that make it an event at that time: "game night every friday".
#[rustfmt::skip]
const EVENTS: &[&str] = &[
    "bath", "bingo", "board", "book", "bowling", "burger", "card", "chess", "cinema", "club", "comedy", "community", "craft", "curry", "dance", "date", "dating", "family", "film", "game", "games", "gaming", "girls", "karaoke",
    "ladies", "laundry", "magic", "meeting", "mic", "movie", "music", "open", "parents", "pasta", "pizza", "poetry", "poker", "prayer", "pub", "quiz", "raid", "salsa", "sauna", "spa", "sushi", "taco", "tv",
    "theater", "theatre", "training", "trivia", "wine", "worship",
];

/// Returns whether a word before a part of the day makes it an event.
pub(crate) fn is_event(word: &str) -> bool {
    EVENTS.contains(&word)
}

impl Parser<'_> {
    /// Returns whether a part of the day comes next that belongs to an event: the "night" of "game
    /// night".
    fn is_event(&self) -> bool {
        let before = self.at.checked_sub(1);
        let is_left = self.found.last().is_none_or(|found| found.tokens.1 < self.at);
        let word = before.and_then(|before| self.tokens.get(before));
        is_left && word.is_some_and(|word| is_event(&word.text))
    }

    /// Parses `in the morning`, `at night`, `mornings`.
    pub(super) fn part_of_day(&mut self) -> Parsed<Vec<Clause>> {
        let is_plural = |word: &str| word.ends_with('s');
        let is_event = self.is_event();
        if (self.take_any(&["in the", "at", "every", "each", "during the"])
            || !self.found.is_empty()
            || is_event
            || is_plural(self.word(0)))
            && let Some(part) = words::day_part(self.word(0))
        {
            let is_habit = is_plural(self.word(0));
            self.at += 1;
            let habit = is_habit.then_some(Clause::Habit);
            return Ok(Some(std::iter::once(Clause::Part(part)).chain(habit).collect()));
        }
        Ok(None)
    }
}
