//! Dates and days that come once.

use super::{Parsed, Parser, Rule};
use crate::clause::{Clause, Cycle, Day, Months, Which};
use crate::token::Kind;
use crate::words::{self, Unit};
use crate::{Reason, Refusal};

impl Parser<'_> {
    /// Parses `tomorrow`, `on 3 march 2027`, `next friday`, `the end of the month`, `on christmas
    /// day`.
    pub(super) fn calendar_day(&mut self) -> Parsed<Vec<Clause>> {
        // "on my birthday, 4 may" is the 4th of May, if the date is there.
        self.take_any(&["only on", "only", "on"]);
        if self.take_any(&[
            "my birthday",
            "his birthday",
            "her birthday",
            "our anniversary",
            "my anniversary",
            "their birthday",
        ]) {
            self.take_symbol(",");
            self.take_symbol("(");
            self.take("on");
        }
        let Some(day) = self.day()? else { return Ok(None) };
        let Day::Date { day: first, month, year: None } = day else {
            return Ok(Some(vec![Clause::Day(day)]));
        };
        let more = self.more_dates((first, month))?;
        Ok(Some(vec![if more.len() > 1 { Clause::Dates(more) } else { Clause::Day(day) }]))
    }

    /// Parses `, june 1 and september 1` after a date.
    pub(super) fn more_dates(&mut self, first: (u8, u8)) -> Result<Vec<(u8, u8)>, Refusal> {
        let mut dates = vec![first];
        while dates.len() < crate::limits::MAX_LIST {
            let next = self.attempt(|parser| {
                if !parser.take_separator() {
                    return Ok(None);
                }
                parser.take("on");
                if let Some(date) = parser.attempt(Self::written_date)? {
                    return Ok(match date {
                        Day::Date { day, month, year: None } => Some((day, month)),
                        _ => None,
                    });
                }
                parser.day_of_same_month(first.1)
            })?;
            let Some(next) = next else { break };
            dates.push(next);
        }
        Ok(dates)
    }

    /// Parses the second day of `january 1 and 15`, unless it may be something else.
    fn day_of_same_month(&mut self, month: u8) -> Parsed<(u8, u8)> {
        let before = self.tokens.get(..self.at).unwrap_or_default();
        let mut words = before.iter().rev().filter(|token| token.kind == Kind::Word);
        let follows_month =
            words.find(|word| !matches!(word.text.as_str(), "and" | "st" | "nd" | "rd" | "th"));
        let is_behind = follows_month.is_some_and(|word| words::month(&word.text) == Some(month));
        if !is_behind {
            return Ok(None);
        }
        let start = self.at;
        let Some(day) = self.day_number()? else { return Ok(None) };
        let ends = self.token(0).is_none_or(|next| {
            matches!(
                next.text.as_str(),
                "," | "and" | "&" | "." | ")" | "at" | ";" | "(" | "every" | "each" | "yearly"
            )
        });
        if ends {
            self.date(start, day, month, None)?;
        }
        Ok(ends.then_some((day, month)))
    }

    /// Parses a day that comes once.
    pub(super) fn day(&mut self) -> Parsed<Day> {
        let kinds: [Rule<Self, Day>; 5] = [
            Self::relative_day,
            Self::named_day,
            Self::numeric_date,
            Self::written_date,
            Self::chosen_weekday,
        ];
        for kind in kinds {
            if let Some(day) = self.attempt(kind)? {
                return Ok(Some(day));
            }
        }
        Ok(None)
    }

    fn relative_day(&mut self) -> Parsed<Day> {
        if self.take_any(&["the day after tomorrow", "day after tomorrow", "overmorrow"]) {
            return Ok(Some(Day::In(2)));
        }
        if self.take("today") {
            return Ok(Some(Day::In(0)));
        }
        if self.take("tomorrow") {
            return Ok(Some(Day::In(1)));
        }
        self.days_from_day()
    }

    /// Parses `a week from tomorrow`, `two weeks from friday`, `3 days from today`.
    fn days_from_day(&mut self) -> Parsed<Day> {
        let Some(amount) = self.amount()? else { return Ok(None) };
        if amount.months > 0 || amount.seconds > 0 || !self.take_any(&["from", "after"]) {
            return Ok(None);
        }
        if self.take("today") {
            return Ok(Some(Day::In(amount.days)));
        }
        if self.take("tomorrow") {
            return Ok(Some(Day::In(amount.days + 1)));
        }
        let Some((weekday, false)) = words::weekday(self.word(0)) else { return Ok(None) };
        self.at += 1;
        Ok(Some(Day::FromWeekday { weekday, days: amount.days }))
    }

    /// Parses `next friday`, `this coming monday`, `friday next week`, `next week on friday`.
    fn chosen_weekday(&mut self) -> Parsed<Day> {
        // "next month on the 3rd"
        if self.take_any(&["next month on the", "next month on", "next month the"]) {
            let day = self.ordinal().and_then(|day| u8::try_from(day).ok());
            return Ok(day.map(|day| Day::OfMonthAhead { day, months: 1 }));
        }
        if self.take_any(&["next week on", "next week"]) {
            let day = words::weekday(self.word(0)).filter(|(_, is_plural)| !is_plural);
            self.at += 1;
            return Ok(day.map(|(day, _)| Day::Weekday(day, Which::NextWeek)));
        }
        let which = if self.take_any(&[
            "this coming",
            "the coming",
            "coming",
            "the upcoming",
            "upcoming",
        ]) {
            Which::Coming
        } else if self.take("this") {
            Which::This
        } else if self.take_any(&["the next", "next"]) {
            Which::Next
        } else {
            Which::Coming
        };
        let Some((day, false)) = words::weekday(self.word(0)) else { return Ok(None) };
        self.at += 1;
        let which = if which == Which::Coming && self.take_any(&["next week", "of next week"]) {
            Which::NextWeek
        } else {
            which
        };
        Ok(Some(Day::Weekday(day, which)))
    }

    /// Parses `2027-03-03`, `3/4/2027`, `3.4.2027`, `3/4`.
    pub(super) fn numeric_date(&mut self) -> Parsed<Day> {
        self.take("the");
        let start = self.at;
        let number = |parser: &Self, ahead: usize| {
            parser.token(ahead).filter(|token| token.kind == Kind::Number).cloned()
        };
        let Some(first) = number(self, 0) else { return Ok(None) };
        let separator = self
            .token(1)
            .filter(|token| token.is_glued && matches!(token.text.as_str(), "-" | "/" | "."))
            .map(|token| token.text.clone());
        let (Some(separator), Some(second)) =
            (separator, number(self, 2).filter(|second| second.is_glued))
        else {
            return Ok(None);
        };
        let third = if self.is_symbol(3, &separator) && self.is_glued(3) && self.is_glued(4) {
            number(self, 4)
        } else {
            None
        };
        let small = |token: &crate::token::Token| {
            token
                .value()
                .filter(|_| token.text.len() <= 2)
                .and_then(|value| u8::try_from(value).ok())
        };
        if first.text.len() == 4 {
            let Some(third) = third else { return Ok(None) };
            self.at += 5;
            let parts = first.value().zip(small(&second)).zip(small(&third));
            let Some(((year, month), day)) = parts else { return Err(self.no_date(start)) };
            return Ok(Some(Day::Date { day, month, year: i32::try_from(year).ok() }));
        }
        let (Some(first), Some(second)) = (small(&first), small(&second)) else { return Ok(None) };
        // Two numbers with a dot or a dash are a date only with a year, or as "24.12."
        let is_dotted =
            third.is_none() && separator == "." && self.is_symbol(3, ".") && self.is_glued(3);
        if third.is_none() && separator != "/" && !is_dotted {
            return Ok(None);
        }
        if third.is_none() && (first, second) == (24, 7) {
            return Ok(None);
        }
        let year = third.as_ref().map(|third| {
            third
                .value()
                .filter(|_| third.text.len() == 4)
                .and_then(|year| i32::try_from(year).ok())
        });
        self.at += if third.is_some() { 5 } else { 3 + usize::from(is_dotted) };
        match year {
            Some(None) => Err(self.refusal(
                Reason::Impossible,
                start,
                "Write the year of a date with four digits.",
            )),
            year => {
                let year = year.flatten();
                // With dots the day comes first everywhere.
                let day = if separator == "." || self.habits.has_day_first {
                    Day::Date { day: first, month: second, year }
                } else {
                    Day::Numeric { first, second, year }
                };
                Ok(Some(day))
            }
        }
    }

    fn no_date(&self, start: usize) -> Refusal {
        self.refusal(Reason::Impossible, start, "There is no such date.")
    }

    /// Parses `3 march`, `the 3rd of march, 2027`, `march 3rd 2027`, `next year on 3 march`.
    pub(super) fn written_date(&mut self) -> Parsed<Day> {
        let is_next = self.take_any(&["next year on", "next year in", "next year"]);
        let Some(date) = self.date_of_year()? else { return Ok(None) };
        let Day::Date { day, month, year: None } = date else { return Ok(Some(date)) };
        let is_next = is_next || self.take_any(&["next year", "of next year"]);
        Ok(Some(if is_next { Day::NextYear { day, month } } else { date }))
    }

    pub(super) fn date_of_year(&mut self) -> Parsed<Day> {
        let start = self.at;
        if let Some(month) = words::month(self.word(0)) {
            self.at += 1;
            if self.is_symbol(0, ".") && self.is_glued(0) {
                self.at += 1;
            }
            self.take("the");
            let Some(day) = self.day_number()? else { return Ok(None) };
            let year = self.year()?;
            return self.date(start, day, month, year).map(Some);
        }
        self.take("the");
        let Some(day) = self.day_number()? else { return Ok(None) };
        self.take("of");
        let Some(month) = words::month(self.word(0)) else { return Ok(None) };
        self.at += 1;
        let year = self.year()?;
        self.date(start, day, month, year).map(Some)
    }

    /// Parses the number of a day in a date, unless it is the hour of a time.
    pub(super) fn day_number(&mut self) -> Parsed<u8> {
        let day = match self.attempt(|parser| Ok(parser.ordinal().filter(|day| *day > 0)))? {
            Some(day) => u8::try_from(day).ok(),
            None => {
                let digits = self
                    .token(0)
                    .filter(|token| token.kind == Kind::Number && token.text.len() <= 2);
                let is_time = self.is_glued(1)
                    && (self.is_symbol(1, ":")
                        || self.is_symbol(1, ".")
                            && self
                                .token(2)
                                .is_some_and(|next| next.kind == Kind::Number && next.is_glued));
                let is_half = matches!(self.word(1), "am" | "pm" | "a" | "p");
                let value = digits.filter(|_| !is_time && !is_half).and_then(|token| token.value());
                self.at += usize::from(value.is_some());
                value.and_then(|day| u8::try_from(day).ok())
            }
        };
        Ok(day)
    }

    pub(super) fn date(
        &self,
        start: usize,
        day: u8,
        month: u8,
        year: Option<i32>,
    ) -> Result<Day, Refusal> {
        let exists = chrono::NaiveDate::from_ymd_opt(
            year.unwrap_or(2_024),
            u32::from(month),
            u32::from(day),
        )
        .is_some();
        if exists { Ok(Day::Date { day, month, year }) } else { Err(self.no_date(start)) }
    }

    /// Parses a year, after a comma if there is one.
    pub(super) fn year(&mut self) -> Parsed<i32> {
        let comma = usize::from(self.is_symbol(0, ","));
        let token =
            self.token(comma).filter(|token| token.kind == Kind::Number && token.text.len() == 4);
        let is_time = self.is_symbol(comma + 1, ":") && self.is_glued(comma + 1);
        let year = token
            .filter(|_| !is_time)
            .and_then(|token| token.value())
            .filter(|year| (1_970..10_000).contains(year));
        if year.is_some() {
            self.at += comma + 1;
        }
        Ok(year.and_then(|year| i32::try_from(year).ok()))
    }

    /// Parses what follows "the last day": `of february`, `of next february`, `of this month`.
    pub(super) fn last_of_month(&mut self) -> Parsed<Day> {
        if self.take_any(&["of this month", "of the current month"]) {
            return Ok(Some(Day::LastOf { month: None, year: None }));
        }
        if !self.take_any(&["of", "in"]) {
            return Ok(None);
        }
        let Some(month) = words::month(self.word(0)) else { return Ok(None) };
        self.at += 1;
        let year = self.year()?;
        // "of january and july" are several.
        if (self.is_symbol(0, ",") || self.word(0) == "and") && words::month(self.word(1)).is_some()
        {
            return Ok(None);
        }
        Ok(Some(Day::LastOf { month: Some(month), year }))
    }

    /// Parses `at the end of the month`, `end of this week`, `at the end of every month`, `end of
    /// march`, `at the beginning of each quarter`.
    pub(super) fn end_of_period(&mut self) -> Parsed<Vec<Clause>> {
        self.take_any(&["at", "on"]);
        if let Some(start) = self.attempt(Self::start_of_period)? {
            return Ok(Some(start));
        }
        let Some((day, cycle)) = self.end()? else { return Ok(None) };
        Ok(Some(match cycle {
            None => vec![Clause::Day(day)],
            Some(cycle) => {
                let mut clauses = vec![
                    Clause::MonthDays { days: vec![-1], is_sure: true },
                    Clause::Cycle { cycle, is_adjective: false },
                ];
                if matches!(cycle, Cycle::Years(_)) {
                    clauses.push(Clause::Months { months: Months::one(12) });
                }
                clauses
            }
        }))
    }

    fn end(&mut self) -> Parsed<(Day, Option<Cycle>)> {
        let start = self.at;
        self.take("the");
        if self.take_any(&["last day of every", "end of every", "end of each"]) {
            let cycle = self.unit().and_then(period_cycle);
            return Ok(cycle.map(|cycle| (Day::LastOf { month: None, year: None }, Some(cycle))));
        }
        self.at = start;
        Ok(self.end_point()?.map(|day| (day, None)))
    }

    /// Parses `the beginning of every month`, `the start of each year`, `beginning of the month`.
    fn start_of_period(&mut self) -> Parsed<Vec<Clause>> {
        self.take("the");
        if !self.take_any(&["beginning of", "start of"]) {
            return Ok(None);
        }
        if self.take("the month") {
            return Ok(Some(vec![Clause::MonthDays { days: vec![1], is_sure: false }]));
        }
        if !self.take_any(&["every", "each"]) {
            return Ok(None);
        }
        let Some(cycle) = self.unit().and_then(period_cycle) else { return Ok(None) };
        let mut clauses = vec![
            Clause::MonthDays { days: vec![1], is_sure: true },
            Clause::Cycle { cycle, is_adjective: false },
        ];
        if matches!(cycle, Cycle::Years(_)) {
            clauses.push(Clause::Months { months: Months::one(1) });
        }
        Ok(Some(clauses))
    }

    /// Parses `the end of the month`, `end of the year`, `end of march`.
    pub(super) fn end_point(&mut self) -> Parsed<Day> {
        self.take("the");
        if self.take_any(&["end of the month", "end of this month", "end of month", "eom"]) {
            return Ok(Some(Day::LastOf { month: None, year: None }));
        }
        if self.take_any(&["end of next month", "end of the next month"]) {
            return Ok(Some(Day::LastOfAhead(1)));
        }
        if self.take_any(&["end of the year", "end of this year", "end of year", "eoy"]) {
            return Ok(Some(Day::EndOfYear));
        }
        if self.take_any(&["end of the quarter", "end of quarter", "eoq"]) {
            return Ok(Some(Day::EndOfQuarter { may_recur: true }));
        }
        if self.take("end of this quarter") {
            return Ok(Some(Day::EndOfQuarter { may_recur: false }));
        }
        if self.take_any(&["end of the week", "end of this week", "end of week"]) {
            return Ok(Some(Day::EndOfWeek));
        }
        if self.take("end of")
            && let Some(month) = words::month(self.word(0))
        {
            self.at += 1;
            let year = self.year()?;
            return Ok(Some(Day::LastOf { month: Some(month), year }));
        }
        Ok(None)
    }

    /// Parses a day that only a bound may name: a month, the next week.
    pub(super) fn bounding_day(&mut self) -> Parsed<Day> {
        if let Some(day) = self.attempt(Self::end_point)? {
            return Ok(Some(day));
        }
        if let Some(unit) =
            [("next week", Unit::Week), ("next month", Unit::Month), ("next year", Unit::Year)]
                .into_iter()
                .find(|(words, _)| self.take(words))
        {
            return Ok(Some(Day::StartOfNext(unit.1)));
        }
        if let Some(day) = self.attempt(Self::day)? {
            return Ok(Some(day));
        }
        let start = self.at;
        self.take("the");
        if let Some(day) = self.ordinal().filter(|day| *day > 0) {
            self.take_any(&["of this month", "of the month"]);
            return Ok(u8::try_from(day).ok().map(Day::OfMonth));
        }
        self.at = start;
        if self.take("in") {
            let amount = self.attempt(Self::amount)?;
            if let Some(amount) = amount.filter(|amount| amount.months == 0 && amount.seconds == 0)
            {
                return Ok(Some(Day::In(amount.days)));
            }
        }
        let Some(month) = words::month(self.word(0)) else { return Ok(None) };
        self.at += 1;
        let year = self.year()?;
        Ok(Some(Day::Month { month, year }))
    }
}

/// Returns the cycle of a month, a quarter or a year.
fn period_cycle(unit: Unit) -> Option<Cycle> {
    match unit {
        Unit::Month => Some(Cycle::Months(1)),
        Unit::Quarter => Some(Cycle::Quarterly),
        Unit::Year => Some(Cycle::Years(1)),
        _ => None,
    }
}
