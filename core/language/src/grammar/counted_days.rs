//! Days counted within a month: "the first monday of the month", "the 1st and 15th".

use super::{Parsed, Parser};
use crate::clause::{Clause, Counted, Cycle, Day, Months, Weekdays};
use crate::{Reason, words};

/// The months in which a day is counted.
enum Scope {
    /// "of the month"
    TheMonth,
    /// "of each month"
    EachMonth,
    Quarter,
    Year {
        is_each: bool,
    },
    Named(Months),
    /// Nothing follows.
    Open,
}

impl Scope {
    /// Returns whether its words say that the days recur.
    fn recurs(&self) -> bool {
        !matches!(self, Self::Named(_) | Self::Open | Self::Year { is_each: false })
    }
}

const EACH: &[&str] = &["each", "every", "any", "a"];

impl Parser<'_> {
    /// Parses `the first monday of the month`, `on the 1st and 15th`, `the last working day of each
    /// month`, `the last day of february`.
    pub(super) fn counted_days(&mut self) -> Parsed<Vec<Clause>> {
        if let Some(end) = self.attempt(Self::end_of_period)? {
            return Ok(Some(end));
        }
        if let Some(days) = self.attempt(Self::day_numbers)? {
            return Ok(Some(days));
        }
        let has_on = self.take("on");
        let has_the = self.take("the");
        let ordinals = self.ordinals()?;
        if ordinals.is_empty() {
            return Ok(None);
        }
        self.counted(ordinals, has_on || has_the, false)
    }

    pub(super) fn ordinals(&mut self) -> Result<Vec<i8>, crate::Refusal> {
        self.list(|parser, is_first| {
            if !is_first {
                parser.take("on");
                parser.take("the");
            }
            Ok(parser.ordinal())
        })
    }

    /// Parses the words after `ordinals`: what is counted, and in which months. `is_each` is set
    /// after "every".
    pub(super) fn counted(
        &mut self,
        which: Vec<i8>,
        is_marked: bool,
        is_each: bool,
    ) -> Parsed<Vec<Clause>> {
        let start = self.at;
        if which.iter().any(|number| !(-5..=31).contains(number) || *number == 0) {
            return Err(self.refusal(
                Reason::Impossible,
                start.saturating_sub(1),
                "A month has no such day.",
            ));
        }
        if let Some(of) = self.counted_noun() {
            return self.counted_in_month(which, of, is_each, start);
        }
        let is_day = self.take_any(&["days", "day"]);
        let is_single = which.len() == 1 && !self.several_months_follow()?;
        if is_day
            && which == [-1]
            && let Some(months) = self.month_ahead()
        {
            return Ok(Some(vec![Clause::Day(Day::LastOfAhead(months))]));
        }
        // "4th of may", "4th may": a date, for `calendar_day`.
        let has_last = which.iter().any(|number| *number < 0);
        if let [number @ 1..=31] = which.as_slice()
            && let Some(months) = self.month_ahead()
        {
            let day = number.unsigned_abs();
            return Ok(Some(vec![Clause::Day(Day::OfMonthAhead { day, months })]));
        }
        if !is_day
            && (has_last
                || is_single
                    && (words::month(self.word(0)).is_some()
                        || self.word(0) == "of" && self.names_month(1)))
        {
            return Ok(None);
        }
        if has_last
            && is_single
            && !is_each
            && which == [-1]
            && let Some(last) = self.attempt(Self::last_of_month)?
        {
            return Ok(Some(vec![Clause::Day(last)]));
        }
        // "1st and 15th january"
        let scope = match which.len() > 1 && !is_day && self.names_month(0) {
            true => self.month_list(false)?.map_or(Scope::Open, Scope::Named),
            false => self.scope()?,
        };
        if let (Scope::Named(months), false) = (&scope, is_each)
            && let (Some(month), 1) = (months.months().next(), months.months().count())
            && which.len() > 1
            && which.iter().all(|day| *day > 0)
        {
            let dates = which.iter().map(|day| (day.unsigned_abs(), month)).collect();
            return Ok(Some(vec![Clause::Dates(dates)]));
        }
        let Some((months, mut clauses)) = self.months_of(&scope, &which) else { return Ok(None) };
        let is_open = matches!(scope, Scope::Open);
        // "the second chapter"
        if is_open && !is_day && self.counts_a_noun() {
            return Ok(None);
        }
        if is_open && !self.follows_months() && (is_day || !is_marked && !is_each) {
            return Ok(None);
        }
        let is_sure = is_each || scope.recurs();
        clauses.insert(0, Clause::MonthDays { days: which, is_sure });
        clauses.extend(months.map(|months| Clause::Months { months }));
        Ok(Some(clauses))
    }

    /// Parses the month of `which` days of the week or working days, which begin at `start`.
    fn counted_in_month(
        &mut self,
        which: Vec<i8>,
        of: Counted,
        is_each: bool,
        start: usize,
    ) -> Parsed<Vec<Clause>> {
        if let [which] = which.as_slice()
            && let Some(month) = self.one_month()?
        {
            return Ok(Some(vec![Clause::Day(Day::Nth { which: *which, of, month })]));
        }
        let scope = self.scope()?;
        if which.iter().any(|number| *number > 5) {
            return Err(self.refusal(
                Reason::Impossible,
                start,
                "A month has at most five of each day of the week.",
            ));
        }
        // The fifth monday of a quarter may be in its second month.
        let is_long = matches!(scope, Scope::Quarter | Scope::Year { .. });
        if is_long && of != Counted::WorkingDay && which.iter().any(|number| number.abs() > 4) {
            return Err(self.refusal(
                Reason::Unsupported,
                start,
                "In which month? Write, say, \"on the fifth monday of january and july every year\".",
            ));
        }
        // "the 1st and 3rd monday" are those of each month.
        let are_several = which.len() > 1
            && of != Counted::WorkingDay
            && !matches!(self.word(0), "of" | "in" | "from");
        let is_open = matches!(scope, Scope::Open);
        let counted = if is_open && are_several { &Scope::TheMonth } else { &scope };
        let Some((months, mut clauses)) = self.months_of(counted, &which) else {
            return Ok(None);
        };
        let is_sure = is_each || self.follows_months() || scope.recurs();
        // "every third business day" is not a day of the month.
        let is_stepped = of == Counted::WorkingDay && which.iter().any(|number| *number > 1);
        let has_period = is_each || are_several || self.follows_months();
        if is_open && (!has_period || is_stepped) {
            // "the second tuesday" has no period, and "last friday" is in the past.
            return Ok(None);
        }
        clauses.insert(0, Clause::Nth { which, of, is_sure });
        clauses.extend(months.map(|months| Clause::Months { months }));
        Ok(Some(clauses))
    }

    /// Returns whether the sentence says "every month" before this.
    fn follows_each_month(&self) -> bool {
        self.found
            .iter()
            .any(|found| matches!(found.clause, Clause::Cycle { cycle: Cycle::Months(1), .. }))
    }

    /// Returns whether the sentence says "every month" or "quarterly" before this.
    pub(super) fn follows_months(&self) -> bool {
        let is_monthly = |cycle| matches!(cycle, Cycle::Months(_) | Cycle::Quarterly);
        self.found
            .iter()
            .any(|found| matches!(found.clause, Clause::Cycle { cycle, .. } if is_monthly(cycle)))
    }

    /// Returns whether `of january and july` comes next.
    pub(super) fn several_months_follow(&mut self) -> Result<bool, crate::Refusal> {
        let start = self.at;
        let months = if self.take("of") { self.month_list(false)? } else { None };
        self.at = start;
        Ok(months.is_some_and(|months| months.months().count() > 1))
    }

    /// Returns whether an ordinal that is a word comes before a noun.
    fn counts_a_noun(&self) -> bool {
        const BEHIND: &[&str] = &[
            "at", "on", "in", "and", "every", "each", "until", "till", "from", "for", "of", "to",
            "except", "by", "please", "remind",
        ];
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let is_word = before.is_some_and(|before| words::ordinal(&before.text).is_some());
        let next = self.word(0);
        is_word && !next.is_empty() && !words::is_about_time(next) && !BEHIND.contains(&next)
    }

    fn names_month(&self, ahead: usize) -> bool {
        words::month(self.word(ahead)).is_some()
    }

    fn counted_noun(&mut self) -> Option<Counted> {
        if self.take_any(&[
            "working day",
            "business day",
            "weekday",
            "workday",
            "work day",
            "working days",
            "business days",
            "weekdays",
        ]) {
            return Some(Counted::WorkingDay);
        }
        let (day, _) = words::weekday(self.word(0))?;
        self.at += 1;
        Some(Counted::Weekdays(Weekdays::one(day)))
    }

    fn scope(&mut self) -> Result<Scope, crate::Refusal> {
        let start = self.at;
        let has_of = self.take_any(&["of", "in"]);
        let is_each = self.take_any(EACH);
        let has_the = !is_each && has_of && self.take("the");
        if is_each || has_the || has_of {
            if self.take("month") || !has_the && self.take("months") {
                return Ok(if is_each || !has_the { Scope::EachMonth } else { Scope::TheMonth });
            }
            if self.take("quarter") {
                return Ok(Scope::Quarter);
            }
            if self.take("year") {
                return Ok(Scope::Year { is_each });
            }
        }
        if has_of
            && !has_the
            && let Some(months) = self.month_list(false)?
        {
            return Ok(Scope::Named(months));
        }
        self.at = start;
        Ok(Scope::Open)
    }

    /// Returns the months of a scope, and the cycle that its words mean.
    fn months_of(&self, scope: &Scope, which: &[i8]) -> Option<(Option<Months>, Vec<Clause>)> {
        let cycle = |cycle, is_each: bool| {
            if is_each { vec![Clause::Cycle { cycle, is_adjective: false }] } else { Vec::new() }
        };
        let is_last = which.iter().all(|number| *number < 0);
        let is_mixed = !is_last && which.iter().any(|number| *number < 0);
        let are_months = match scope {
            Scope::TheMonth | Scope::EachMonth | Scope::Named(_) => true,
            Scope::Open => self.follows_each_month(),
            Scope::Quarter | Scope::Year { .. } => false,
        };
        if is_mixed && !are_months {
            return None;
        }
        Some(match scope {
            Scope::TheMonth | Scope::Open => (None, Vec::new()),
            Scope::EachMonth => (None, cycle(Cycle::Months(1), true)),
            Scope::Quarter if is_last => (Some(Months(Months::QUARTERLY.0 << 2)), Vec::new()),
            Scope::Quarter => (Some(Months::QUARTERLY), Vec::new()),
            Scope::Year { is_each } => {
                (Some(Months::one(if is_last { 12 } else { 1 })), cycle(Cycle::Years(1), *is_each))
            }
            Scope::Named(months) => (Some(*months), Vec::new()),
        })
    }
}
