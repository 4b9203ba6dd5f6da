//! Days of the week, and months.

use super::{Parsed, Parser};
use crate::clause::{Clause, Cycle, Day, Months, Period, Weekdays, Which};
use crate::words;

/// Several days, and whether their words alone mean that they recur.
#[derive(Clone, Copy)]
pub(super) struct DaySet {
    pub(super) days: Weekdays,
    pub(super) recurs: bool,
    /// How many days of the week were named.
    pub(super) is_single: bool,
}

/// Parts of a day in the plural. Behind days, they say that the days recur.
const PARTS_OF_DAYS: &[&str] = &["mornings", "afternoons", "evenings", "nights"];

impl Parser<'_> {
    /// Parses `mondays`, `on monday and friday`, `weekdays`, `mon-fri`, `in january and july`,
    /// `from april to june`.
    pub(super) fn week_and_months(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        // Without an interval or other days, it may be the coming one.
        let is_sure = self.has_interval() || self.has_sure_days();
        if is_sure && self.take_any(&["on weekend", "the weekend", "weekend"])
            || self.take_any(&["on the weekend", "at the weekend"])
        {
            return Ok(Some(vec![Clause::Weekdays { days: Weekdays::WEEKEND, is_sure }]));
        }
        if self.word(0) == "during"
            && matches!(self.word(1), "weekdays" | "weekends" | "workdays" | "business" | "working")
        {
            self.take("during");
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
            // "only friday" is the coming one, or each. "every hour, only friday" is each.
            let is_only = is_only || self.take("only");
            // "At 10:15 AM, only on Sunday" is how cron expressions are described.
            let is_described =
                start > 0 && self.tokens.get(start - 1).is_some_and(|before| before.is_symbol(","));
            let is_sure_only = is_only && (!all.is_single || follows_cycle || is_described);
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
                is_sure: all.recurs || is_sure_only || is_habit,
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
