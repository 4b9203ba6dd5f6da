//! Days of a month by their numbers: ranges, lists, and the month of a day that comes once.

use super::{Parsed, Parser, Rule};
use crate::clause::{Clause, Cycle, Day, NthMonth, Point};
use crate::words;

const EACH_MONTH: &[&str] =
    &["of each month", "of every month", "of any month", "of a month", "each month", "every month"];

impl Parser<'_> {
    /// Parses `from the 1st to the 5th of every month`, `1st-5th of the month`, `between the 10th
    /// and the 20th of each month`. A range without a month is a start and an end.
    pub(super) fn day_range(&mut self) -> Parsed<Vec<Clause>> {
        let is_number = self.token(0).is_some_and(|token| token.value().is_some());
        let may_begin = matches!(self.word(0), "on" | "between" | "from" | "the" | "days");
        if !is_number && !may_begin && words::ordinal(self.word(0)).is_none() {
            return Ok(None);
        }
        let follows_months = self.follows_months();
        self.take("on");
        let is_between = self.take("between");
        let is_from = !is_between && self.take("from");
        self.take_any(&["the days", "days", "the"]);
        let Some(first) = self.ordinal() else { return Ok(None) };
        let is_until = matches!(self.word(0), "until" | "till" | "til");
        let is_range = if is_between {
            self.take("and")
        } else {
            self.take_symbol("-")
                || self.take_any(&["to", "through", "thru", "bis", "until", "till", "til"])
        };
        self.take("the");
        let Some(last) = self.ordinal().filter(|last| is_range && (1..*last).contains(&first))
        else {
            return Ok(None);
        };
        let is_each = self.take_any(EACH_MONTH);
        let is_month = is_each || self.take_any(&["of the month", "in the month"]);
        // "monthly on the 1st until the 5th" may end on the 5th.
        if last > 31 || !is_month && (!follows_months || is_until && !is_from) {
            return Ok(None);
        }
        let has_cycle = self.found.iter().any(|found| matches!(found.clause, Clause::Cycle { .. }));
        let cycle = Clause::Cycle { cycle: Cycle::Months(1), is_adjective: false };
        let days = Clause::MonthDays { days: (first..=last).collect(), is_sure: true };
        Ok(Some(std::iter::once(days).chain((is_each && !has_cycle).then_some(cycle)).collect()))
    }

    /// Parses `from 24 to 31 december`, `from december 24 to 31`, `between 24 december and 2
    /// january`, `vom 24.12. bis 2.1.`: the first and the last date of a schedule.
    pub(super) fn date_range(&mut self) -> Parsed<Vec<Clause>> {
        let is_between = self.take("between");
        if !is_between && !self.take("from") {
            return Ok(None);
        }
        let start = self.at;
        let takes_joint = |parser: &mut Self| {
            if is_between { parser.take("and") } else { parser.take_range_word(true) }
        };
        if let Some(first) = self.attempt(Self::date_of_range)? {
            if !takes_joint(self) {
                return Ok(None);
            }
            let last = match self.attempt(Self::date_of_range)? {
                Some(last) => last,
                None => match self.day_of_same_range(first)? {
                    Some(last) => last,
                    None => return Ok(None),
                },
            };
            // A time may be that of the end.
            let has_time = self.word(0) == "at" || self.is_symbol(0, "@");
            return Ok((is_between || !has_time).then(|| from_to(first, last)));
        }
        self.take("the");
        let Some(day) = self.day_number()?.filter(|_| takes_joint(self)) else { return Ok(None) };
        Ok(match self.attempt(Self::date_of_range)? {
            Some(Day::Date { day: last, month, year }) if day < last => {
                let first = self.date(start, day, month, year)?;
                Some(from_to(first, Day::Date { day: last, month, year }))
            }
            _ => None,
        })
    }

    /// Parses the last day of `from december 24 to 31`.
    fn day_of_same_range(&mut self, first: Day) -> Parsed<Day> {
        let Day::Date { day, month, year } = first else { return Ok(None) };
        let start = self.at;
        let behind = self.tokens.get(..start.saturating_sub(1)).unwrap_or_default();
        // "from 24 december to 31" may lack a month.
        let is_behind_month = behind
            .iter()
            .rev()
            .find(|token| !matches!(token.text.as_str(), "st" | "nd" | "rd" | "th" | ","))
            .is_some_and(|token| words::month(&token.text).is_none());
        self.take("the");
        let Some(last) = self.day_number()?.filter(|last| is_behind_month && day < *last) else {
            return Ok(None);
        };
        let ends = self.token(0).is_none_or(|next| {
            next.is_symbol(",") || next.is_symbol(".") || words::is_about_time(&next.text)
        });
        if !ends || words::month(self.word(0)).is_some() || words::unit(self.word(0)).is_some() {
            return Ok(None);
        }
        let year = if year.is_some() { year } else { self.year()? };
        self.date(start, last, month, year).map(Some)
    }

    /// Parses a date of a range: `24 december`, `24.12.`, `christmas eve`.
    pub(super) fn date_of_range(&mut self) -> Parsed<Day> {
        self.take_any(&["the", "on"]);
        let kinds: [Rule<Self, Day>; 3] = [Self::named_day, Self::numeric_date, Self::date_of_year];
        for kind in kinds {
            if let Some(day) = self.attempt(kind)? {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }

    /// Parses `on day 5 of the month`, `on day 1 and 15 of every month`.
    pub(super) fn day_numbers(&mut self) -> Parsed<Vec<Clause>> {
        self.take("on");
        if !self.take_any(&["days", "day"]) {
            return Ok(None);
        }
        let days = self
            .list(|parser, _| Ok(parser.whole_number()?.and_then(|day| i8::try_from(day).ok())))?;
        let has_month = self.take_any(&["of the month", "of each month", "of every month"])
            || self.follows_months();
        if days.is_empty() || !has_month || days.iter().any(|day| !(1..=31).contains(day)) {
            return Ok(None);
        }
        Ok(Some(vec![Clause::MonthDays { days, is_sure: true }]))
    }

    /// Parses `of this month` (0), `of next month` (1).
    pub(super) fn month_ahead(&mut self) -> Option<u32> {
        if self.take_any(&["of this month", "this month"]) {
            return Some(0);
        }
        self.take_any(&["of next month", "next month", "of the next month"]).then_some(1)
    }

    /// Parses the one month in which a day is counted once: `of next month`, `in january 2027`.
    pub(super) fn one_month(&mut self) -> Parsed<NthMonth> {
        if let Some(months) = self.month_ahead() {
            return Ok(Some(NthMonth::Ahead(months)));
        }
        self.attempt(|parser| {
            if !parser.take_any(&["of", "in"]) {
                return Ok(None);
            }
            let Some(month) = words::month(parser.word(0)) else { return Ok(None) };
            parser.at += 1;
            parser.take("of");
            Ok(parser.year()?.map(|year| NthMonth::In { month, year: Some(year) }))
        })
    }
}

/// Returns the start and the end of a schedule. The year of the last date is also that of the first,
/// or the one after it.
fn from_to(first: Day, last: Day) -> Vec<Clause> {
    let first = match (first, last) {
        (
            Day::Date { day, month, year: None },
            Day::Date { day: last_day, month: last_month, year: Some(year) },
        ) => {
            let is_before = (month, day) <= (last_month, last_day);
            Day::Date { day, month, year: Some(if is_before { year } else { year - 1 }) }
        }
        _ => first,
    };
    let point = |day| Point { day: Some(day), ..Point::default() };
    vec![Clause::From(point(first)), Clause::Until(point(last))]
}
