//! What a schedule leaves out.

use super::{Parsed, Parser, Rule};
use crate::Reason;
use crate::clause::{Clause, Day, Exception, LeftOut, Months, YearlyOrNot};
use crate::words;

const EXCEPT: &[&str] = &[
    "with the exception of",
    "except for",
    "except on",
    "except in",
    "except",
    "excluding",
    "but not on",
    "but not in",
    "but not",
    "other than",
    "apart from",
    "besides",
    "skipping",
    "skip",
    "not on",
    "minus",
    "without",
];

/// What becomes of a run that is left out, and its name in the API.
const INSTEAD: &[(&str, &str)] = &[
    ("moved to the next day", "next"),
    ("moved to the next working day", "next"),
    ("moved to the previous day", "previous"),
    ("moved to the previous working day", "previous"),
];

impl Parser<'_> {
    /// Parses `except sundays`, `except the 24th of december`, `except between 12:00 and 13:00`,
    /// `except "12-24, SAT" moved to the next day`.
    pub(super) fn exceptions(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        self.take_symbol("(");
        let is_skip = matches!(self.word(0), "skip" | "without" | "besides" | "minus")
            || self.word(0) == "but" && self.word(1) != "not";
        // "every day but sunday"
        if !self.take_any(EXCEPT) && !self.take("but") {
            return Ok(None);
        }
        let mut items = self.list(|parser, _| parser.exception())?;
        name_months(&mut items);
        let goes_on = matches!(
            self.word(0),
            "in" | "of"
                | "next"
                | "this"
                | "the"
                | "during"
                | "when"
                | "if"
                | "run"
                | "one"
                | "week"
        ) && !self.is_month_tail();
        let is_date = goes_on
            || items.iter().any(|item| matches!(item, Exception::MonthDay(_)))
                && (self.word(0) == "of" || words::month(self.word(0)).is_some());
        if items.is_empty() && is_skip {
            return Ok(None);
        }
        if items.is_empty()
            || is_date && !self.take_any(&["of the month", "of each month", "of every month"])
        {
            self.at += 1;
            let message = "This exception is not understood: it may name days of the week, months, days of every month, dates such as \
                           24 December, and times such as 12:00 to 13:00.";
            return Err(self.refusal(Reason::Unsupported, start, message));
        }
        let comma = usize::from(self.is_symbol(0, ","));
        self.at += comma;
        match INSTEAD.iter().find(|(words, _)| self.take(words)) {
            Some((_, instead)) => items.push(Exception::Instead(instead)),
            None => self.at -= comma,
        }
        Ok(Some(vec![Clause::Except(items)]))
    }

    fn is_month_tail(&self) -> bool {
        self.word(0) == "of" && self.word(2) == "month"
    }

    fn exception(&mut self) -> Parsed<Exception> {
        if let Some(items) = self.quoted() {
            return Ok(Some(Exception::Quoted(items)));
        }
        let start = self.at;
        let is_every = self.take_any(&["every", "each"]);
        self.take_any(&["the", "any"]);
        if let Some(dates) = self.attempt(|parser| parser.excepted_dates(is_every))? {
            return Ok(Some(dates));
        }
        if !is_every && let Some(hours) = self.attempt(Self::windows)? {
            return Ok(match hours.as_slice() {
                [Clause::Window(first, last)] => Some(Exception::Times(*first, *last)),
                _ => None,
            });
        }
        if is_every && self.word(0) == "the" {
            self.at = start;
            return Ok(None);
        }
        if let Some(days) = self.singular_group() {
            return Ok(Some(Exception::Weekdays(days)));
        }
        if let Some(set) = self.day_set(false) {
            // "except monday the 3rd", "except friday next week"
            return Ok(Some(Exception::Weekdays(set.days)));
        }
        if let Some(month) = words::month(self.word(0))
            .filter(|_| self.token(1).is_none_or(|next| next.value().is_none()))
        {
            self.at += 1;
            return Ok(Some(Exception::Months(Months::one(month))));
        }
        // "the first" may mean anything.
        let is_number = self.token(0).is_some_and(|token| token.value().is_some());
        let day = self.ordinal().filter(|day| is_number && (1..=31).contains(day));
        Ok(day.and_then(|day| u8::try_from(day).ok()).map(Exception::MonthDay))
    }

    /// Parses `24 december`, `24 december 2026 to 2 january 2027`, `from the 24th to the 26th of
    /// december`. `is_every` says that "every" comes before.
    fn excepted_dates(&mut self, is_every: bool) -> Parsed<Exception> {
        let start = self.at;
        let is_between = self.take("between");
        let is_from = !is_between && self.take("from");
        let joint = |parser: &mut Self| {
            if is_between {
                parser.take("and") || parser.take_symbol("-")
            } else {
                parser.take_range_word(is_from)
            }
        };
        // "24 to 26 december"
        let days = self.attempt(|parser| {
            parser.take("the");
            let Some(first) = parser.day_number()? else { return Ok(None) };
            if !joint(parser) {
                return Ok(None);
            }
            Ok(parser.excepted_day()?.map(|last| (LeftOut { day: first, ..last }, last)))
        })?;
        let (first, last) = match days {
            Some(days) => days,
            None => {
                let Some(first) = self.excepted_day()? else { return Ok(None) };
                let last =
                    self.attempt(
                        |parser| {
                            if joint(parser) { parser.excepted_day() } else { Ok(None) }
                        },
                    )?;
                if last.is_none() && (is_between || is_from) {
                    return Ok(None);
                }
                (first, last.unwrap_or(first))
            }
        };
        let first = match (first.year, last.year) {
            // "24 december to 2 january 2027"
            (None, Some(year)) => {
                let is_before = (first.month, first.day) <= (last.month, last.day);
                LeftOut { year: Some(if is_before { year } else { year - 1 }), ..first }
            }
            _ => first,
        };
        if first.year.is_some() != last.year.is_some() || is_every && first.year.is_some() {
            return Err(self.refusal(Reason::Conflict, start, "In one year, or in every year?"));
        }
        let yearly = match (first.year, is_every) {
            (Some(_), _) => YearlyOrNot::Once,
            (None, true) => YearlyOrNot::Every,
            (None, false) => YearlyOrNot::Assumed,
        };
        Ok(Some(Exception::Dates { first, last, yearly }))
    }

    fn excepted_day(&mut self) -> Parsed<LeftOut> {
        self.take_any(&["on the", "on", "the"]);
        let kinds: [Rule<Self, Day>; 3] = [Self::named_day, Self::numeric_date, Self::date_of_year];
        for kind in kinds {
            if let Some(day) = self.attempt(kind)? {
                return Ok(match day {
                    Day::Date { day, month, year } => Some(LeftOut { day, month, year }),
                    _ => None,
                });
            }
        }
        Ok(None)
    }
}

/// Gives days of a month the month of a date next to them: "the 24th and 25th of december".
fn name_months(items: &mut [Exception]) {
    let date = items.iter().find_map(|item| match item {
        Exception::Dates { first, yearly, .. } => Some((*first, *yearly)),
        _ => None,
    });
    let Some((of, yearly)) = date else { return };
    for item in items {
        if let Exception::MonthDay(day) = *item {
            let day = LeftOut { day, ..of };
            *item = Exception::Dates { first: day, last: day, yearly };
        }
    }
}
