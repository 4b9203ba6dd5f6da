//! Hours of a day: "between 9 and 5".

use super::{Parsed, Parser};
use crate::clause::{Clause, Cycle};
use crate::words::{self, Unit};

impl Parser<'_> {
    /// Parses `between 9 and 5`, `from 9am to 5pm`, `9-17`, and the same for days of the week and
    /// months.
    pub(super) fn windows(&mut self) -> Parsed<Vec<Clause>> {
        if let Some(window) = self.attempt(Self::window_before_interval)? {
            return Ok(Some(window));
        }
        let is_between = self.take("between");
        let is_from = !is_between && self.take("from");
        // "every hour, 9 to 5"
        let follows_interval = !is_between && !is_from && self.follows_interval();
        let is_expected = is_between || is_from || follows_interval;
        let Some(first) = self.clock(is_expected)? else { return Ok(None) };
        let joined = if is_between {
            self.take("and") || self.take_symbol("-")
        } else {
            self.take_range_word(is_from)
        };
        if !joined {
            return Ok(None);
        }
        self.take("at");
        let Some(last) = self.clock(true)? else { return Ok(None) };
        self.take_any(&["every day", "each day"]).then_some(()).map_or_else(
            || Ok(Some(vec![Clause::Window(first, last)])),
            |()| {
                Ok(Some(vec![
                    Clause::Window(first, last),
                    Clause::Cycle { cycle: Cycle::Days(1), is_adjective: false },
                ]))
            },
        )
    }

    /// Parses the hours of `weekdays 9-5 every 30 minutes`.
    fn window_before_interval(&mut self) -> Parsed<Vec<Clause>> {
        let follows_part = self.found.last().is_some_and(|found| found.tokens.1 == self.at);
        let is_range = self.is_symbol(1, "-") || self.is_symbol(3, "-");
        if !follows_part || !is_range {
            return Ok(None);
        }
        // "am 15. 500-600 g Mehl" has no hours, and is no error either.
        let Ok(Some(first)) = self.clock(true) else { return Ok(None) };
        if !self.take_symbol("-") {
            return Ok(None);
        }
        let Ok(Some(last)) = self.clock(true) else { return Ok(None) };
        let is_before_interval = self.word(0) == "hourly"
            || matches!(self.word(0), "every" | "each")
                && (1..=2).any(|ahead| {
                    matches!(words::unit(self.word(ahead)), Some(Unit::Minute | Unit::Hour))
                });
        Ok(is_before_interval.then(|| vec![Clause::Window(first, last)]))
    }

    /// Returns whether "every 5 minutes" comes before this, with at most a comma between them.
    fn follows_interval(&self) -> bool {
        let is_interval = self.found.last().is_some_and(|found| {
            let (_, end) = found.tokens;
            let is_short = matches!(
                found.clause,
                Clause::Cycle { cycle: Cycle::Seconds(_), .. } | Clause::PastHour(_)
            );
            is_short && (end == self.at || end + 1 == self.at)
        });
        let has_comma = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        is_interval && has_comma.is_some_and(|before| before.is_symbol(","))
    }

    /// Parses `to`, `-`, `through`, and after "from" also `until`.
    pub(super) fn take_range_word(&mut self, is_from: bool) -> bool {
        self.take_symbol("-")
            || self.take_any(&["to", "through", "thru", "bis"])
            || is_from && self.take_any(&["until", "till", "til", "up to"])
    }
}
