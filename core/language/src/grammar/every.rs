//! The cycle: `every`, adverbs, and `twice a day`.

use super::days::union;
use super::numbers::{Thousandths, cycle};
use super::{Parsed, Parser, Rule};
use crate::clause::{Clause, Clock, ClockKind, Cycle, Day, Weekdays};
use crate::limits::MAX_RUNS;
use crate::words::{self, DayPart, Unit};
use crate::{Reason, Refusal};

fn again(cycle: Cycle) -> Clause {
    Clause::Cycle { cycle, is_adjective: false }
}

impl Parser<'_> {
    /// Parses `every 15 minutes`, `every other friday`, `each monday and thursday`, `daily`.
    pub(super) fn every(&mut self) -> Parsed<Vec<Clause>> {
        if let Some(clauses) = self.attempt(Self::adverb)? {
            return Ok(Some(clauses));
        }
        let start = self.at;
        self.take_any(&["once in", "once", "on", "in", "at"]);
        if self.take("alternate") {
            return Ok(self.every_other());
        }
        if !self.take_any(&[
            "every single",
            "each and every",
            "every",
            "each",
            "evry",
            "evrey",
            "eveyr",
        ]) {
            return Ok(None);
        }
        if self.take_any(&["other", "alternate"]) {
            return Ok(self.every_other());
        }
        let kinds: [Rule<Self, Vec<Clause>>; 5] = [
            Self::every_date,
            Self::every_ordinal,
            Self::every_amount,
            Self::every_days,
            Self::every_part,
        ];
        for kind in kinds {
            if let Some(clauses) = self.attempt(kind)? {
                return Ok(Some(clauses));
            }
        }
        if self.is_symbol(0, "-") && self.token(1).is_some_and(|next| next.value().is_some()) {
            self.at += 2;
            return Err(self.refusal(Reason::Impossible, start, "An interval cannot be negative."));
        }
        Ok(None)
    }

    /// Parses what follows "every other".
    fn every_other(&mut self) -> Option<Vec<Clause>> {
        if let Some(unit) = self.unit() {
            return cycle(Thousandths(2_000), unit).map(|cycle| vec![again(cycle)]);
        }
        let sets = self.list(|parser, _| Ok(parser.day_set(false))).ok()?;
        let all = union(&sets)?;
        // "every other weekdays" has no clear meaning.
        sets.iter().all(|set| set.is_single).then(|| {
            vec![again(Cycle::Weeks(2)), Clause::Weekdays { days: all.days, is_sure: true }]
        })
    }

    /// Parses what follows "every": `4 may`, `may 4th`, `24th of december`, `christmas day`,
    /// `january and july`.
    fn every_date(&mut self) -> Parsed<Vec<Clause>> {
        for (name, (month, day)) in words::fixed_days() {
            if self.take(name) {
                return Ok(Some(vec![
                    Clause::Day(Day::Date { day, month, year: None }),
                    again(Cycle::Years(1)),
                ]));
            }
        }
        if self.is_day_of_months()? {
            return Ok(None);
        }
        if let Some(day) = self.attempt(Self::written_date)? {
            let dates = match day {
                Day::Date { day, month, year: None } => self.more_dates((day, month))?,
                _ => Vec::new(),
            };
            let day = if dates.len() > 1 { Clause::Dates(dates) } else { Clause::Day(day) };
            return Ok(Some(vec![day, again(Cycle::Years(1))]));
        }
        Ok(self
            .month_list(false)?
            .map(|months| vec![Clause::Months { months }, again(Cycle::Years(1))]))
    }

    /// Returns whether `1st of january and july` comes next, which is a day of two months and not a
    /// date and a month.
    fn is_day_of_months(&mut self) -> Result<bool, Refusal> {
        let start = self.at;
        let is_it = self.ordinal().is_some() && self.several_months_follow()?;
        self.at = start;
        Ok(is_it)
    }

    /// Parses what follows "every": `first monday of the month`, `third day`, `2nd tuesday`, `1st
    /// and 15th`.
    fn every_ordinal(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        // "every second" is a cycle unless it counts something.
        if self.word(0) == "second"
            && words::unit(self.word(1)).is_none()
            && words::weekday(self.word(1)).is_none()
            && !matches!(self.word(1), "to" | "last")
            && !self.is_symbol(1, "-")
            && !self.counts_something(1)
        {
            return Ok(None);
        }
        let ordinals = self.ordinals()?;
        if ordinals.is_empty() {
            return Ok(None);
        }
        if let ([number @ 2..=i8::MAX], Some(unit)) = (ordinals.as_slice(), self.peek_unit()) {
            let number = u64::from(number.unsigned_abs());
            let is_counted_day =
                unit == Unit::Day && (self.word(1) == "of" || self.word(1) == "in");
            if !is_counted_day {
                self.at += 1;
                return Ok(cycle(Thousandths(number * 1_000), unit).map(|cycle| vec![again(cycle)]));
            }
        }
        if let ([number @ 2..=i8::MAX], Some((day, _))) =
            (ordinals.as_slice(), words::weekday(self.word(0)))
        {
            let has_month = self.attempt(|parser| parser.counted(ordinals.clone(), true, false))?;
            if let Some(clauses) = has_month {
                return Ok(Some(with_each(clauses)));
            }
            self.at += 1;
            return Ok(Some(vec![Clause::OrdinalWeekday {
                number: u32::from(number.unsigned_abs()),
                days: Weekdays::one(day),
            }]));
        }
        let counted = self.counted(ordinals, true, true)?;
        if counted.is_none() {
            self.at = start;
        }
        Ok(counted)
    }

    fn counts_something(&self, ahead: usize) -> bool {
        matches!(self.word(ahead), "working" | "business" | "weekday" | "workday" | "and")
            || self.is_symbol(ahead, ",")
    }

    fn peek_unit(&self) -> Option<Unit> {
        words::unit(self.word(0))
    }

    /// Parses what follows "every": `15 minutes`, `two weeks`, `hour and a half`, `day of the
    /// week`.
    fn every_amount(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        if self.take_any(&["quarter hour", "quarter of an hour"]) {
            return Ok(Some(vec![again(Cycle::Seconds(900))]));
        }
        if self.take_any(&["half hour", "half-hour", "half an hour"])
            || self.word(0) == "half" && self.is_symbol(1, "-") && self.word(2) == "hour"
        {
            if self.word(0) == "half" {
                self.at += 3;
            }
            return Ok(Some(vec![again(Cycle::Seconds(1_800))]));
        }
        if self.take_any(&["fortnight", "two weeks"]) {
            return Ok(Some(vec![again(Cycle::Weeks(2))]));
        }
        let number = self.attempt(Self::quantity)?;
        let mut number = match (number, self.word(0)) {
            (Some(number), _) => number,
            (None, _) => Thousandths(1_000),
        };
        self.take_symbol("-");
        let Some(unit) = self.unit() else { return Ok(None) };
        if self.take("and a half") {
            number.0 += 500;
        }
        if number.0 == 0 {
            return Err(self.refusal(
                Reason::Impossible,
                start,
                "An interval must be longer than zero.",
            ));
        }
        let mut found = match cycle(number, unit) {
            Some(cycle) => cycle,
            None if unit == Unit::Second => return Ok(Some(vec![Clause::Millis(number.0)])),
            None => {
                return Err(self.refusal(
                    Reason::Impossible,
                    start,
                    "This interval has no whole number of units: use smaller ones.",
                ));
            }
        };
        // "every hour and 15 minutes", "every 2 hours 30 minutes", "every 1h30m"
        if let Cycle::Seconds(seconds) = found {
            let more = self.attempt(|parser| {
                parser.take("and");
                let more = parser.amount()?;
                // "every hour 10 minutes past"
                let is_past = matches!(parser.word(0), "past" | "after" | "before" | "to");
                Ok(more.filter(|_| !is_past))
            })?;
            if let Some(more) = more {
                if more.months > 0 || more.days > 0 {
                    return Ok(None);
                }
                found = Cycle::Seconds(seconds.saturating_add(more.seconds));
            }
        }
        if found == Cycle::Seconds(60) {
            self.take_any(&["of every hour", "of each hour", "of the hour"]);
        }
        // "every second of the month" is a day.
        if number.0 == 1_000 && unit != Unit::Second {
            self.take_any(&[
                "of the week",
                "of every week",
                "of the day",
                "of every day",
                "of the month",
                "of the year",
                "of each day",
            ]);
        }
        self.check_size(found, start)?;
        Ok(Some(vec![again(found)]))
    }

    fn check_size(&self, cycle: Cycle, start: usize) -> Result<(), Refusal> {
        let fits = match cycle {
            Cycle::Seconds(seconds) => seconds <= 3_155_760_000,
            Cycle::Days(days) => days <= 36_525,
            Cycle::Weeks(weeks) => weeks <= 5_217,
            Cycle::Months(months) => months <= 1_200,
            Cycle::Years(years) => years <= 100,
            Cycle::Quarterly => true,
        };
        if fits {
            Ok(())
        } else {
            Err(self.refusal(Reason::Impossible, start, "The longest interval is a hundred years."))
        }
    }

    /// Parses what follows "every": `monday and thursday`, `weekday`, `mon-fri`.
    fn every_days(&mut self) -> Parsed<Vec<Clause>> {
        if let Some(days) = self.singular_group() {
            // "every weekday and saturday"
            let more = self.attempt(|parser| {
                if !parser.take_separator() {
                    return Ok(None);
                }
                parser.take_any(&["every", "on"]);
                Ok(parser.day_set(false))
            })?;
            let days = more.map_or(days, |more| days.with(more.days));
            return Ok(Some(vec![Clause::Weekdays { days, is_sure: true }]));
        }
        let sets = self.list(|parser, is_first| {
            if !is_first {
                parser.take_any(&["every", "each", "on"]);
            }
            Ok(parser.day_set(false))
        })?;
        let Some(all) = union(&sets) else { return Ok(None) };
        Ok(Some(vec![Clause::Weekdays { days: all.days, is_sure: true }]))
    }

    /// Parses what follows "every": `morning`, `noon`, `midnight`.
    fn every_part(&mut self) -> Parsed<Vec<Clause>> {
        let daily = again(Cycle::Days(1));
        if let Some(part) = words::day_part(self.word(0)) {
            self.at += 1;
            return Ok(Some(vec![daily, Clause::Part(part)]));
        }
        let time = |hour, kind| Clause::At(vec![Clock { hour, minute: 0, second: 0, kind }]);
        if self.take_any(&["noon", "midday"]) {
            return Ok(Some(vec![daily, time(12, ClockKind::Sure)]));
        }
        Ok(self.take("midnight").then(|| vec![daily, time(0, ClockKind::Midnight)]))
    }

    /// Parses `daily`, `weekly`, `nightly`; refuses `biweekly`.
    fn adverb(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        self.take("on a");
        if matches!(self.word(0), "bi" | "semi" | "tri")
            && (self.is_symbol(1, "-") || words::cycle(self.word(1)).is_some())
        {
            let is_two = self.word(0) == "bi";
            self.at += if self.is_symbol(1, "-") { 3 } else { 2 };
            return if is_two && self.words_end_with("weekly") {
                self.biweekly(start)
            } else {
                Err(self.unclear(start))
            };
        }
        let word = self.word(0);
        if [
            "biweekly",
            "bimonthly",
            "semiweekly",
            "semimonthly",
            "biannually",
            "biannual",
            "triweekly",
            "bihourly",
        ]
        .contains(&word)
        {
            self.at += 1;
            return if word == "biweekly" {
                self.biweekly(start)
            } else {
                Err(self.unclear(start))
            };
        }
        let Some((number, unit)) = words::cycle(word) else { return Ok(None) };
        if word == "annual" && self.word(1) == "leave" {
            return Ok(None);
        }
        self.at += 1;
        self.take("basis");
        let Some(found) = cycle(Thousandths(u64::from(number) * 1_000), unit) else {
            return Ok(None);
        };
        let next = self.word(0);
        let follows = [
            "at", "on", "in", "from", "until", "till", "for", "and", "to", "by", "except",
            "starting", "remind", "please", "as", "i", "between", "with", "at",
        ];
        let is_adjective = !next.is_empty()
            && !follows.contains(&next)
            && words::suspicion(next).is_none()
            && words::number(next).is_none();
        let mut clauses = vec![Clause::Cycle { cycle: found, is_adjective }];
        if word == "nightly" && !is_adjective {
            clauses.push(Clause::Part(DayPart::Night));
        }
        Ok(Some(clauses))
    }

    fn words_end_with(&self, word: &str) -> bool {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .is_some_and(|token| token.text == word)
    }

    /// After "biweekly": on one day of the week, it can only be every two weeks.
    fn biweekly(&mut self, start: usize) -> Parsed<Vec<Clause>> {
        let end = self.at;
        self.take("on");
        let sets = self.list(|parser, _| Ok(parser.day_set(false)))?;
        self.at = end;
        let is_one = |days: Weekdays| days.len() == 1;
        let is_before = self
            .found
            .iter()
            .any(|found| matches!(found.clause, Clause::Weekdays { days, .. } if is_one(days)));
        if is_before || union(&sets).is_some_and(|all| is_one(all.days)) {
            return Ok(Some(vec![again(Cycle::Weeks(2))]));
        }
        Err(self.unclear(start))
    }

    fn unclear(&self, start: usize) -> Refusal {
        self.refusal(
            Reason::Missing,
            start,
            "This word has two meanings: say \"every two weeks\" or \"twice a week on monday and thursday\".",
        )
    }

    /// Parses `twice a day`, `3 times per week`, `once daily`, and without a unit `5 times`.
    pub(super) fn frequency(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        let is_limit = self.take_any(&[
            "for",
            "up to",
            "at most",
            "a maximum of",
            "a total of",
            "only",
            "just",
            "exactly",
        ]);
        let (times, is_word) = if self.take("once") {
            (1, true)
        } else if self.take("twice") {
            (2, true)
        } else if self.take("thrice") {
            (3, true)
        } else {
            let Some(times) = self.whole_number()? else { return Ok(None) };
            if !self.take_any(&[
                "times",
                "time",
                "x",
                "runs",
                "occurrences",
                "repetitions",
                "occasions",
                "iterations",
            ]) {
                return Ok(None);
            }
            (times, false)
        };
        if times == 0 || times > MAX_RUNS {
            return Err(self.refusal(
                Reason::Impossible,
                start,
                format!("A schedule runs 1 to {MAX_RUNS} times."),
            ));
        }
        let unit = self.attempt(|parser| {
            if let Some((1, unit)) = words::cycle(parser.word(0)) {
                parser.at += 1;
                return Ok(Some(unit));
            }
            let is_per = parser.take_any(&["a", "an", "per", "every", "each", "in a"])
                || parser.take_symbol("/");
            Ok(if is_per { parser.unit() } else { None })
        })?;
        match unit.and_then(|unit| cycle(Thousandths(1_000), unit)) {
            Some(cycle) if !is_limit => Ok(Some(vec![Clause::Frequency { times, cycle }])),
            Some(_) => Ok(None),
            // "twice" needs a period.
            None if is_word && times > 1 => Ok(None),
            None => {
                self.take_any(&["in total", "altogether", "total", "only"]);
                Ok(Some(vec![Clause::Count(times)]))
            }
        }
    }
}

/// Counted days after "every" recur.
fn with_each(mut clauses: Vec<Clause>) -> Vec<Clause> {
    for clause in &mut clauses {
        if let Clause::Nth { is_sure, .. } | Clause::MonthDays { is_sure, .. } = clause {
            *is_sure = true;
        }
    }
    clauses
}
