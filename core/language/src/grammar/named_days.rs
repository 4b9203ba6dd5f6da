//! Days with a name and a fixed date.

use super::{Parsed, Parser};
use crate::clause::Day;
use crate::lexicon::own_word;
use crate::words;

/// Words before the name of a holiday that make it a day.
const BEFORE_HOLIDAYS: &[&str] = &["at", "by", "each", "every", "next", "on", "this"];

/// Words behind the name of a holiday that are no nouns.
#[rustfmt::skip]
const NO_NOUNS: &[&str] = &[
    "a", "and", "as", "at", "by", "call", "day", "eve", "for", "i", "in", "me", "of", "on", "or", "please", "remind", "send", "the", "to", "with",
];

impl Parser<'_> {
    /// Parses `christmas`, `new year's eve`, unless the name describes a noun of the task.
    pub(super) fn named_day(&mut self) -> Parsed<Day> {
        for (name, (month, day)) in words::fixed_days() {
            let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
            if self.take(name) {
                // "buy christmas presents on 1 december"
                let has_word =
                    before.is_some_and(|before| BEFORE_HOLIDAYS.contains(&before.text.as_str()));
                if !name.contains(' ') && !has_word && self.is_before_noun() {
                    return Ok(None);
                }
                let year = self.year()?;
                return Ok(Some(Day::Date { day, month, year }));
            }
        }
        Ok(None)
    }

    /// Returns whether an ordinary word comes next.
    fn is_before_noun(&self) -> bool {
        let next = self.word(0);
        !next.is_empty()
            && own_word(next).is_none()
            && words::suspicion(next).is_none()
            && words::number(next).is_none()
            && !NO_NOUNS.contains(&next)
    }
}
