//! Days of the week, months, and days counted within a month.

use super::{Parsed, Parser};
use crate::clause::{Clause, Counted, Cycle, Day, Months, Period, Weekdays, Which};
use crate::{Reason, words};

/// Several days, and whether their words alone mean that they recur.
#[derive(Clone, Copy)]
pub(super) struct DaySet {
    pub(super) days: Weekdays,
    pub(super) recurs: bool,
    /// How many days of the week were named.
    pub(super) is_single: bool,
}

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

/// Parts of a day in the plural. Behind days, they say that the days recur.
const PARTS_OF_DAYS: &[&str] = &["mornings", "afternoons", "evenings", "nights"];

const EACH: &[&str] = &["each", "every", "any", "a"];

impl Parser<'_> {
    /// Parses `mondays`, `on monday and friday`, `weekdays`, `mon-fri`, `in january and july`,
    /// `from april to june`.
    pub(super) fn week_and_months(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        // Without an interval or other days, it may be the coming one.
        if (self.has_interval() || self.has_sure_days())
            && self.take_any(&["on the weekend", "at the weekend"])
        {
            return Ok(Some(vec![Clause::Weekdays { days: Weekdays::WEEKEND, is_sure: true }]));
        }
        let is_from = self.take("from");
        let is_only = !is_from && self.take_any(&["only on", "only"]);
        let has_on = is_only || !is_from && self.take_any(&["on all", "on", "all"]);
        // In "every 2 weeks on monday and every friday", Friday is another schedule.
        let follows_cycle =
            self.found.iter().any(|found| matches!(found.clause, Clause::Cycle { .. }));
        let sets = self.list(|parser, is_first| {
            if !is_first {
                parser.take("on");
                let is_every = parser.take_any(&["every", "each"]);
                if is_every && follows_cycle {
                    return Ok(None);
                }
            }
            Ok(parser.day_set(is_from))
        })?;
        if let Some(all) = union(&sets) {
            let is_only = is_only || self.take("only");
            // After "from", days are a range only if an end follows.
            if is_from && all.is_single {
                return Ok(None);
            }
            if let (true, Some(day)) =
                (all.is_single && !all.recurs && !is_only, all.days.days().next())
            {
                // "friday evenings" are all of them.
                if PARTS_OF_DAYS.contains(&self.word(0)) {
                    return Ok(Some(vec![Clause::Weekdays { days: all.days, is_sure: true }]));
                }
                let which = if self.take_any(&["next week", "of next week"]) {
                    Which::NextWeek
                } else {
                    Which::Coming
                };
                return Ok(Some(vec![Clause::Day(Day::Weekday(day, which))]));
            }
            // "tue/thu 6pm"
            let is_short = self
                .tokens
                .get(start..self.at)
                .is_some_and(|taken| taken.iter().any(|token| token.is_symbol("/")));
            let is_habit = is_short || PARTS_OF_DAYS.contains(&self.word(0));
            return Ok(Some(vec![Clause::Weekdays {
                days: all.days,
                is_sure: all.recurs || is_only || is_habit,
            }]));
        }
        self.at = start;
        if has_on
            || !(is_from && self.take("from")
                || self.take_any(&["only in", "in", "during", "of", "throughout"]))
        {
            return Ok(None);
        }
        let is_from_month = is_from;
        Ok(self.month_list(is_from_month)?.map(|months| vec![Clause::Months { months }]))
    }

    /// Parses `january, april and july` or `april to june`, unless a day or a year belongs to them.
    pub(super) fn month_list(&mut self, needs_range: bool) -> Parsed<Months> {
        let mut has_range = false;
        let ranges = self.list(|parser, _| {
            let Some(first) = words::month(parser.word(0)) else { return Ok(None) };
            parser.at += 1;
            let start = parser.at;
            if parser.take_range_word(needs_range) {
                if let Some(last) = words::month(parser.word(0)) {
                    parser.at += 1;
                    has_range = true;
                    return Ok(Some(Months::range(first, last)));
                }
                parser.at = start;
            }
            Ok(Some(Months::one(first)))
        })?;
        let is_date = self.token(0).is_some_and(|next| next.value().is_some());
        if ranges.is_empty() || is_date || needs_range && !has_range {
            return Ok(None);
        }
        Ok(Some(ranges.into_iter().fold(Months::default(), Months::with)))
    }

    /// Parses one day of the week, a range of them, or a group such as `weekdays`.
    pub(super) fn day_set(&mut self, is_from: bool) -> Option<DaySet> {
        const WORKING: &[&str] = &[
            "weekdays",
            "week days",
            "working days",
            "business days",
            "workdays",
            "work days",
            "workingdays",
        ];
        if self.take_any(WORKING) {
            return Some(DaySet { days: Weekdays::WORKING, recurs: true, is_single: false });
        }
        if self.take_any(&["weekends", "the weekends", "week-ends"]) {
            return Some(DaySet { days: Weekdays::WEEKEND, recurs: true, is_single: false });
        }
        // "weekday mornings"
        let has_parts = PARTS_OF_DAYS.contains(&self.word(1));
        if let Some(days) = if has_parts { self.singular_group() } else { None } {
            return Some(DaySet { days, recurs: true, is_single: false });
        }
        let (first, is_plural) = words::weekday(self.word(0))?;
        self.at += 1;
        self.take_abbreviation_dot();
        let start = self.at;
        if self.take_range_word(is_from) {
            if let Some((last, _)) = words::weekday(self.word(0)).filter(|(last, _)| *last != first)
            {
                self.at += 1;
                self.take_abbreviation_dot();
                return Some(DaySet {
                    days: Weekdays::range(first, last),
                    recurs: true,
                    is_single: false,
                });
            }
            self.at = start;
        }
        Some(DaySet { days: Weekdays::one(first), recurs: is_plural, is_single: true })
    }

    /// Parses the dot of `Mon.` if a word follows.
    fn take_abbreviation_dot(&mut self) {
        if self.is_symbol(0, ".") && self.is_glued(0) && self.token(1).is_some() {
            self.at += 1;
        }
    }

    /// Parses a singular group after "every": `weekday`, `weekend`, `working day`.
    pub(super) fn singular_group(&mut self) -> Option<Weekdays> {
        if self.take_any(&[
            "weekday",
            "week day",
            "working day",
            "business day",
            "workday",
            "work day",
            "weekdays",
            "business days",
            "working days",
        ]) {
            return Some(Weekdays::WORKING);
        }
        self.take_any(&["weekend day", "weekend", "weekends", "day of the weekend"])
            .then_some(Weekdays::WEEKEND)
    }

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

    /// Parses `next week`, `this month`, `in july 2027`, `in 2027`: when all runs are.
    pub(super) fn period(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        let follows = self.found.last().is_some_and(|found| found.tokens.1 == start);
        self.take_symbol(",");
        let has_in = self.take_any(&["in the year", "all of", "of", "in", "during", "throughout"]);
        if has_in {
            self.take("all of");
        }
        // "plan this week every friday" does not say when.
        if (follows || start == 0) && !self.is_symbol(0, ",") {
            let ahead = if self.take_any(&["the next", "next"]) {
                Some(1)
            } else {
                self.take_any(&["this", "the current"]).then_some(0)
            };
            if let Some(ahead) = ahead {
                let unit = self.unit().filter(|unit| {
                    matches!(unit, words::Unit::Week | words::Unit::Month | words::Unit::Year)
                });
                let is_bare = words::weekday(self.word(0)).is_none() && self.word(0) != "on";
                return Ok(unit
                    .filter(|_| is_bare)
                    .map(|unit| vec![Clause::Within(Period::Ahead(unit, ahead))]));
            }
        }
        if !has_in {
            return Ok(None);
        }
        let month = words::month(self.word(0));
        self.at += usize::from(month.is_some());
        Ok(self.year()?.map(|year| {
            let period = match month {
                Some(month) => Period::Month { month, year },
                None => Period::Year(year),
            };
            vec![Clause::Within(period)]
        }))
    }

    /// Returns whether the sentence says "every 5 minutes" before this.
    fn has_interval(&self) -> bool {
        let is_short = |cycle| matches!(cycle, Cycle::Seconds(_));
        self.found
            .iter()
            .any(|found| matches!(found.clause, Clause::Cycle { cycle, .. } if is_short(cycle)))
    }

    /// Returns whether days of the week that recur come before this.
    fn has_sure_days(&self) -> bool {
        self.found
            .iter()
            .any(|found| matches!(found.clause, Clause::Weekdays { is_sure: true, .. }))
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

/// Returns all days of the sets together; `None` if there are none.
pub(super) fn union(sets: &[DaySet]) -> Option<DaySet> {
    let days = sets.iter().fold(Weekdays::default(), |all, set| all.with(set.days));
    let recurs = sets.iter().any(|set| set.recurs);
    (!sets.is_empty()).then_some(DaySet {
        days,
        recurs,
        is_single: sets.len() == 1 && sets.iter().all(|set| set.is_single),
    })
}
