//! Sorts the parts of a phrase by kind.

use super::Picks;
use crate::clause::{
    Amount, Clause, Clock, Counted, Cycle, Day, Exception, Found, Months, Period, Point, Weekdays,
    Which,
};
use crate::words::DayPart;
use crate::{Reason, Refusal, Span};

/// The parts of a sentence. Each kind occurs at most once, except those that add up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sentence {
    pub(crate) cycle: Option<(Cycle, Span)>,
    /// An interval with a fraction of seconds, in milliseconds.
    pub(crate) millis: Option<(u64, Span)>,
    /// The number of times in a cycle: "twice a day".
    pub(crate) frequency: Option<(u32, Span)>,
    pub(crate) weekdays: Option<(Weekdays, bool, Span)>,
    pub(crate) ordinal_weekday: Option<(u32, Weekdays, Span)>,
    pub(crate) nth: Option<(Vec<i8>, Counted, bool, Span)>,
    pub(crate) month_days: Option<(Vec<i8>, bool, Span)>,
    pub(crate) months: Option<(Months, Span)>,
    pub(crate) day: Option<(Day, Span)>,
    /// Several dates of a year, as day and month.
    pub(crate) dates: Option<(Vec<(u8, u8)>, Span)>,
    /// A day of the week next to a date: "friday, 4 december".
    pub(crate) day_of_date: Option<(u8, Span)>,
    pub(crate) delay: Option<(Amount, Span)>,
    pub(crate) at: Option<(Vec<Clock>, Span)>,
    pub(crate) past_hour: Option<(Vec<u8>, Span)>,
    /// Whether it has minutes without hours: "at :30".
    pub(crate) lacks_hour: bool,
    pub(crate) part: Option<(DayPart, Span)>,
    /// A part of the day in the plural.
    pub(crate) habit: Option<Span>,
    /// The week, month or year of all runs.
    pub(crate) within: Option<(Period, Span)>,
    pub(crate) window: Option<(Clock, Clock, Span)>,
    pub(crate) from: Option<(Point, Span)>,
    pub(crate) anchor: Option<(Point, Span)>,
    pub(crate) until: Option<(Point, Span)>,
    pub(crate) lasting: Option<(Amount, Span)>,
    pub(crate) count: Option<(u32, Span)>,
    pub(crate) except: Option<(Vec<Exception>, Span)>,
    pub(crate) zone: Option<(Clause, Span)>,
    pub(crate) cron: Option<(Vec<String>, Span)>,
    pub(crate) rule: Option<(String, Span)>,
    pub(crate) instant: Option<(i64, Span)>,
    /// Cycles that describe a noun: "the weekly report".
    pub(crate) adjectives: Vec<Span>,
    /// Whether its cycle describes a noun.
    pub(crate) has_cycle_of_noun: bool,
}

pub(super) fn conflict(span: Span) -> Refusal {
    Refusal::new(
        Reason::Conflict,
        span,
        "This does not fit the rest of the sentence, or makes it two schedules. Write one schedule in one sentence.",
    )
}

fn put<T>(slot: &mut Option<T>, value: T, span: Span) -> Result<(), Refusal> {
    if slot.replace(value).is_some() { Err(conflict(span)) } else { Ok(()) }
}

/// A sentence while parts are added.
#[derive(Debug, Default)]
pub(super) struct Growing {
    pub(super) sentence: Sentence,
    adjectives: Vec<(Cycle, Span)>,
    previous: Option<Found>,
}

impl Growing {
    /// Adds a part. `left_over` are the tokens that belong to no part.
    ///
    /// # Errors
    /// Returns an error if it contradicts another part. Then the sentence is of no further use.
    pub(super) fn add(&mut self, part: &Found, left_over: &[usize]) -> Result<(), Refusal> {
        let previous = self.previous.as_ref();
        // A list continues after a comma. The grammar parses "and" within a list.
        let touches = previous.is_some_and(|previous| {
            !(previous.tokens.1..part.tokens.0).any(|between| left_over.contains(&between))
        });
        let has_comma = previous.is_some_and(|previous| previous.tokens.1 + 1 == part.tokens.0);
        let continues = touches
            && has_comma
            && previous.is_some_and(|previous| same_kind(&previous.clause, &part.clause));
        self.sentence.add(part, continues, touches, &mut self.adjectives)?;
        self.previous = Some(part.clone());
        self.sentence.check_company()
    }

    /// Returns the complete sentence.
    ///
    /// # Errors
    /// Returns an error if two parts contradict each other.
    pub(super) fn finish(mut self) -> Result<Sentence, Refusal> {
        self.sentence.settle_adjectives(&self.adjectives)?;
        self.sentence.check_company()?;
        Ok(self.sentence)
    }
}

impl Sentence {
    fn add(
        &mut self,
        part: &Found,
        continues: bool,
        touches: bool,
        adjectives: &mut Vec<(Cycle, Span)>,
    ) -> Result<(), Refusal> {
        let span = part.span;
        match part.clause.clone() {
            Clause::Cycle { cycle, is_adjective: true } => adjectives.push((cycle, span)),
            Clause::Cycle { cycle, .. } => self.add_cycle(cycle, span)?,
            Clause::Frequency { times, cycle } => {
                put(&mut self.frequency, (times, span), span)?;
                self.add_cycle(cycle, span)?;
            }
            Clause::Millis(millis) => put(&mut self.millis, (millis, span), span)?,
            // "every day, weekends off": only a part that is next to "every day" restricts it.
            Clause::Weekdays { .. }
                if !touches && self.cycle.is_some_and(|(cycle, _)| cycle == Cycle::Days(1)) =>
            {
                return Err(conflict(span));
            }
            // "the second chapter every monday"
            Clause::Weekdays { .. }
                if !touches && self.month_days.as_ref().is_some_and(|(_, is_sure, _)| !is_sure) =>
            {
                return Err(conflict(span));
            }
            Clause::Weekdays { days, is_sure } => match &mut self.weekdays {
                Some((known, sure, at)) if continues => {
                    *known = known.with(days);
                    *sure |= is_sure;
                    *at = at.to(span);
                }
                slot => put(slot, (days, is_sure, span), span)?,
            },
            Clause::OrdinalWeekday { number, days } => {
                put(&mut self.ordinal_weekday, (number, days, span), span)?
            }
            Clause::Nth { which, of, is_sure } => {
                put(&mut self.nth, (which, of, is_sure, span), span)?
            }
            Clause::MonthDays { days, is_sure } => {
                // "friday the 13th" means both, and "monday and the 13th" means either.
                // "mondays, 1st and 3rd" are the first and third of the month.
                let may_count = days.len() > 1 && days.iter().any(|day| *day <= 5);
                if self.weekdays.is_some() && (!touches || may_count) {
                    return Err(conflict(span));
                }
                put(&mut self.month_days, (days, is_sure, span), span)?;
            }
            Clause::Months { months } => put(&mut self.months, (months, span), span)?,
            Clause::Day(day) => self.add_day(day, span, touches)?,
            Clause::Dates(dates) => put(&mut self.dates, (dates, span), span)?,
            Clause::In(amount) => put(&mut self.delay, (amount, span), span)?,
            Clause::At(times) => match &mut self.at {
                Some((known, at)) if continues => {
                    known.extend(times);
                    *at = at.to(span);
                }
                slot => put(slot, (times, span), span)?,
            },
            Clause::PastHour(minutes) => put(&mut self.past_hour, (minutes, span), span)?,
            Clause::Minutes(minutes) => {
                put(&mut self.past_hour, (minutes, span), span)?;
                self.lacks_hour = true;
            }
            Clause::Part(part) => put(&mut self.part, (part, span), span)?,
            Clause::Habit => put(&mut self.habit, span, span)?,
            Clause::Within(period) => put(&mut self.within, (period, span), span)?,
            Clause::Window(first, last) => put(&mut self.window, (first, last, span), span)?,
            Clause::From(point) => put(&mut self.from, (point, span), span)?,
            Clause::Anchor(point) => put(&mut self.anchor, (point, span), span)?,
            Clause::Until(point) => put(&mut self.until, (point, span), span)?,
            Clause::For(amount) => put(&mut self.lasting, (amount, span), span)?,
            Clause::Count(count) => put(&mut self.count, (count, span), span)?,
            Clause::Except(exceptions) => put(&mut self.except, (exceptions, span), span)?,
            clause @ (Clause::Zone(_) | Clause::LocalZone) => {
                put(&mut self.zone, (clause, span), span)?
            }
            Clause::Cron(expressions) => put(&mut self.cron, (expressions, span), span)?,
            Clause::Rule(rule) => put(&mut self.rule, (rule, span), span)?,
            Clause::Instant(instant) => put(&mut self.instant, (instant, span), span)?,
        }
        Ok(())
    }

    fn add_cycle(&mut self, cycle: Cycle, span: Span) -> Result<(), Refusal> {
        let merged = match self.cycle {
            None => cycle,
            Some((known, _)) if known == cycle => known,
            // "every two hours every day"
            Some((Cycle::Days(1), _)) if matches!(cycle, Cycle::Seconds(_)) => cycle,
            Some((known @ Cycle::Seconds(_), _)) if cycle == Cycle::Days(1) => known,
            Some(_) => return Err(conflict(span)),
        };
        let span = self.cycle.map_or(span, |(_, known)| known.to(span));
        self.cycle = Some((merged, span));
        Ok(())
    }

    fn add_day(&mut self, day: Day, span: Span, touches: bool) -> Result<(), Refusal> {
        match (self.day, day) {
            (None, _) => self.day = Some((day, span)),
            _ if !touches => return Err(conflict(span)),
            (
                Some((Day::Weekday(weekday, Which::Coming), _)),
                Day::Date { .. } | Day::Numeric { .. } | Day::In(_),
            ) => {
                put(&mut self.day_of_date, (weekday, span), span)?;
                self.day = Some((day, span));
            }
            (
                Some((Day::Date { .. } | Day::Numeric { .. } | Day::In(_), _)),
                Day::Weekday(weekday, Which::Coming),
            ) => {
                put(&mut self.day_of_date, (weekday, span), span)?;
            }
            _ => return Err(conflict(span)),
        }
        Ok(())
    }

    /// A cycle before a noun counts only if no other part gives a cycle.
    fn settle_adjectives(&mut self, adjectives: &[(Cycle, Span)]) -> Result<(), Refusal> {
        let weekday = matches!(self.day, Some((Day::Weekday(_, Which::Coming), _)));
        let says_when =
            self.day.is_some() && !weekday || self.delay.is_some() || self.instant.is_some();
        let is_date = matches!(self.day, Some((Day::Date { year: None, .. }, _)));
        let recurs = self.says_how_often();
        for (cycle, span) in adjectives {
            // "the daily report on monday"
            if weekday && !recurs && *cycle != Cycle::Weeks(1) {
                return Err(conflict(*span));
            }
            // "the yearly review on 15 december"
            let is_yearly = is_date && *cycle == Cycle::Years(1);
            // "weekdays from 9 to 17, hourly report": without the interval, the window has no use.
            let has_window = self.window.is_some() && matches!(cycle, Cycle::Seconds(_));
            let counts = (!recurs || has_window)
                && (!says_when || is_yearly)
                && self.cycle.is_none()
                && (!weekday || *cycle == Cycle::Weeks(1));
            if counts {
                self.cycle = Some((*cycle, *span));
                self.has_cycle_of_noun = true;
            } else {
                self.adjectives.push(*span);
            }
        }
        Ok(())
    }

    pub(super) fn says_how_often(&self) -> bool {
        self.cycle.is_some()
            || self.millis.is_some()
            || self.ordinal_weekday.is_some()
            || self.past_hour.is_some()
            || self.cron.is_some()
            || self.rule.is_some()
            || self.weekdays.is_some_and(|(_, is_sure, _)| is_sure)
            || self.nth.as_ref().is_some_and(|(.., is_sure, _)| *is_sure)
            || self.month_days.as_ref().is_some_and(|(days, is_sure, _)| *is_sure || days.len() > 1)
    }

    /// Returns whether the schedule recurs. Asks if it may or may not.
    pub(super) fn recurs(&self, picks: &mut Picks) -> Result<bool, Refusal> {
        if self.says_how_often() {
            return Ok(true);
        }
        let question = "Once, or again and again?";
        let once = (false, "once".to_owned());
        if self.dates.is_some() {
            return Ok(true);
        }
        if let Some((Day::EndOfQuarter { may_recur: true }, span)) = self.day {
            return picks.choose(span, question, vec![(true, "every quarter".to_owned()), once]);
        }
        // "Freitag abends" is one Friday, or each.
        if let (Some(span), Some((Day::Weekday(_, Which::Coming), _))) = (self.habit, self.day) {
            return picks.choose(span, question, vec![(true, "every week".to_owned()), once]);
        }
        if let Some(span) = self.habit.filter(|_| {
            self.day.is_none()
                && self.delay.is_none()
                && self.weekdays.is_none()
                && self.nth.is_none()
                && self.month_days.is_none()
        }) {
            return picks.choose(span, question, vec![(true, "every day".to_owned()), once]);
        }
        if let Some((which, .., span)) = &self.nth {
            // Several come at least several times: `recurring` asks.
            if which.len() > 1 || self.months.is_none_or(|(months, _)| months.months().count() > 1)
            {
                return Ok(true);
            }
            return picks.choose(*span, question, vec![once, (true, "every year".to_owned())]);
        }
        if let Some((.., span)) = &self.month_days {
            // In several months, it comes at least several times: `recurring` asks.
            return if self.months.is_some_and(|(months, _)| months.months().count() > 1) {
                Ok(true)
            } else if self.months.is_some() {
                picks.choose(*span, question, vec![once, (true, "every year".to_owned())])
            } else {
                picks.choose(*span, question, vec![once, (true, "every month".to_owned())])
            };
        }
        // Several days without "every" recur, or come once each: `recurring` asks.
        Ok(self.weekdays.is_some())
    }

    /// Refuses combinations of parts that no schedule has.
    fn check_company(&self) -> Result<(), Refusal> {
        let days = [
            self.weekdays.map(|(.., span)| span),
            self.ordinal_weekday.map(|(.., span)| span),
            self.nth.as_ref().map(|(.., span)| *span),
            self.month_days.as_ref().map(|(.., span)| *span).filter(|_| self.weekdays.is_none()),
            self.day.map(|(_, span)| span),
            self.dates.as_ref().map(|(_, span)| *span),
            self.delay.map(|(_, span)| span),
            self.instant.map(|(_, span)| span),
            self.cron.as_ref().map(|(_, span)| *span),
            self.rule.as_ref().map(|(_, span)| *span),
        ];
        let mut given = days.into_iter().flatten();
        if let (Some(_), Some(second)) = (given.next(), given.next()) {
            return Err(conflict(second));
        }
        let ends = [
            self.until.map(|(_, span)| span),
            self.lasting
                .map(|(_, span)| span)
                .filter(|_| self.until.is_some() || self.within.is_some()),
            self.within.map(|(_, span)| span),
            self.from.map(|(_, span)| span).filter(|_| self.within.is_some()),
        ];
        let mut ends = ends.into_iter().flatten();
        match (ends.next(), ends.next()) {
            (Some(_), Some(second)) => Err(conflict(second)),
            _ => Ok(()),
        }
    }
}

fn same_kind(one: &Clause, other: &Clause) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
