//! The start and end of a schedule, the days that it leaves out, and delays from now.

use super::{Parsed, Parser, Rule};
use crate::Reason;
use crate::clause::{Amount, Clause, Day, Point, Weekdays, Which};
use crate::words;

const STARTING: &[&str] = &[
    "starting from",
    "starting on",
    "starting at",
    "starting",
    "beginning on",
    "beginning at",
    "beginning from",
    "beginning",
    "commencing on",
    "commencing",
    "effective from",
    "effective",
    "as of",
    "start on",
    "start at",
    "start from",
    "starts on",
    "starts at",
    "begin on",
    "starts",
    "start",
    "from",
];
const ENDING: &[&str] = &[
    "up until",
    "until",
    "till",
    "til",
    "ending on",
    "ending at",
    "ending",
    "bis",
    "through to",
    "through",
    "thru",
    "and ends on",
    "ends on",
    "and stop on",
    "to",
];
impl Parser<'_> {
    /// Parses `starting 1 may`, `until friday`, `for ten days`, `except sundays`.
    pub(super) fn bounds(&mut self) -> Parsed<Vec<Clause>> {
        let kinds: [Rule<Self, Vec<Clause>>; 6] = [
            Self::exceptions,
            Self::day_range,
            Self::date_range,
            Self::start,
            Self::end_bound,
            Self::lasting,
        ];
        for kind in kinds {
            if let Some(clauses) = self.attempt(kind)? {
                return Ok(Some(clauses));
            }
        }
        Ok(None)
    }

    fn start(&mut self) -> Parsed<Vec<Clause>> {
        if self.take_any(&[
            "starting now",
            "starting immediately",
            "from now on",
            "starting right now",
            "beginning now",
        ]) {
            return Ok(Some(vec![Clause::From(Point::default())]));
        }
        if self.take("counted from") {
            return Ok(self.point()?.map(|point| vec![Clause::Anchor(point)]));
        }
        let is_from = self.word(0) == "from";
        if !self.take_any(STARTING) {
            return Ok(None);
        }
        let first = self.at;
        let is_date = is_from && self.attempt(Self::date_of_range)?.is_some();
        self.at = first;
        // "from 9 to 5" and "from monday to friday" are not bounds.
        if is_from && !is_date {
            let start = self.at - 1;
            self.at = start;
            let other = self.attempt(Self::windows)?.is_some()
                || self.attempt(Self::week_and_months)?.is_some();
            self.at = start;
            if other {
                return Ok(None);
            }
            self.at += 1;
        }
        let Some(mut from) = self.point()? else { return Ok(None) };
        // "from the 1st to the 15th of may"
        if let Some(Day::OfMonth(day)) = from.day {
            from.day = Some(self.in_month_of_end(day)?);
        }
        // "from 9am" is not clear without "until".
        let is_hour = from.day.is_none() && from.instant.is_none();
        if is_from
            && is_hour
            && !matches!(self.word(0), "until" | "till" | "til" | "onwards" | "on" | "onward")
        {
            return Ok(None);
        }
        self.take_any(&["onwards", "onward", "on", "forward"].map(|word| {
            if word == "on" && words::weekday(self.word(1)).is_some() { "onwards" } else { word }
        }));
        Ok(Some(vec![Clause::From(from)]))
    }

    /// Returns the start on the day `day` of the month of the end, if the end comes next.
    fn in_month_of_end(&mut self, day: u8) -> Result<Day, crate::Refusal> {
        let start = self.at;
        let end =
            if self.take_any(&["to", "bis", "until", "till", "through"]) || self.take_symbol("-") {
                self.attempt(Self::day)?
            } else {
                None
            };
        self.at = start;
        Ok(match end {
            Some(Day::Date { month, year, .. }) => Day::Date { day, month, year },
            _ => Day::OfMonth(day),
        })
    }

    fn end_bound(&mut self) -> Parsed<Vec<Clause>> {
        if self.take_any(&[
            "for the rest of the",
            "for the remainder of the",
            "for the rest of this",
        ]) {
            let day = match self.unit() {
                Some(words::Unit::Week) => Day::EndOfWeek,
                Some(words::Unit::Month) => Day::LastOf { month: None, year: None },
                Some(words::Unit::Year) => Day::EndOfYear,
                _ => return Ok(None),
            };
            let point = Point { day: Some(day), ..Point::default() };
            return Ok(Some(vec![Clause::Until(point)]));
        }
        let start = self.at;
        let is_to = self.word(0) == "to";
        let follows_start = self.found.last().is_some_and(|found| {
            matches!(found.clause, Clause::From(_)) && found.tokens.1 == self.at
        });
        if is_to && !follows_start || !self.take_any(ENDING) {
            return Ok(None);
        }
        self.take("and including");
        let Some(point) = self.point()? else { return Ok(None) };
        // "on the 1st until the 5th"
        let follows_days = self.found.last().is_some_and(|found| {
            matches!(found.clause, Clause::MonthDays { .. }) && found.tokens.1 == start
        });
        if follows_days && matches!(point.day, Some(Day::OfMonth(_))) {
            let message =
                "Are these days a range? Write, say, \"from the 1st to the 5th of every month\".";
            return Err(self.refusal(Reason::NotUnderstood, start, message));
        }
        Ok(Some(vec![Clause::Until(point)]))
    }

    /// Parses `the next 3 mondays`.
    fn next_weekdays(&mut self) -> Parsed<Vec<Clause>> {
        self.take("on");
        if !self.take_any(&["for the next", "the next"]) {
            return Ok(None);
        }
        let Some(weeks) = self.whole_number()?.filter(|weeks| (1..=520).contains(weeks)) else {
            return Ok(None);
        };
        let Some((day, true)) = words::weekday(self.word(0)) else { return Ok(None) };
        self.at += 1;
        let amount = Amount { days: weeks * 7, ..Amount::default() };
        let days = Clause::Weekdays { days: Weekdays::one(day), is_sure: true };
        Ok(Some(vec![days, Clause::For(amount)]))
    }

    fn lasting(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        if let Some(clauses) = self.attempt(Self::next_weekdays)? {
            return Ok(Some(clauses));
        }
        let is_next = self.take_any(&[
            "for the next",
            "for the following",
            "over the next",
            "during the next",
            "for another",
        ]);
        let is_timer = self.at.checked_sub(1).is_some_and(|before| self.is_timer(before));
        if !is_next && !self.take_any(&["for a total of", "for"]) {
            return Ok(None);
        }
        // "for the next month"
        let one = if is_next && words::unit(self.word(0)).is_some() {
            self.one_unit()?
        } else {
            self.amount()?
        };
        let Some(amount) = one else { return Ok(None) };
        if amount == Amount::default() {
            return Err(self.refusal(
                Reason::Impossible,
                start,
                "A schedule cannot last for no time.",
            ));
        }
        // "set a timer for 5 minutes"
        if is_timer && self.found.is_empty() {
            return Ok(Some(vec![Clause::In(amount)]));
        }
        self.take_any(&["from now", "starting now", "in a row", "straight"]);
        Ok(Some(vec![Clause::For(amount)]))
    }

    /// Parses a point: `1 may`, `next monday at 9`, `9am tomorrow`, `2027-01-01T09:00:00Z`, `the
    /// end of the year`.
    fn point(&mut self) -> Parsed<Point> {
        if let Some(instant) = self.attempt(Self::instant)? {
            return Ok(Some(Point { instant: Some(instant), ..Point::default() }));
        }
        self.take_any(&["on", "at"]);
        if let Some(day) = self.attempt(Self::bounding_day)? {
            // "monday, 21 september"
            let (day, weekday) = match day {
                Day::Weekday(weekday, Which::Coming) => {
                    let date = self.attempt(|parser| {
                        parser.take_symbol(",");
                        let date = parser.day()?;
                        Ok(date
                            .filter(|date| matches!(date, Day::Date { .. } | Day::Numeric { .. })))
                    })?;
                    (date.unwrap_or(day), date.map(|_| weekday))
                }
                day => (day, None),
            };
            let time = self.attempt(|parser| {
                let has_at = parser.take("at") || parser.take_symbol("@");
                // "T" of an ISO time
                let has_t = !has_at && parser.word(0) == "t" && parser.is_glued(0);
                parser.at += usize::from(has_t);
                parser.clock(has_at || has_t)
            })?;
            return Ok(Some(Point { day: Some(day), weekday, time, instant: None }));
        }
        let Some(time) = self.clock(true)? else { return Ok(None) };
        let day = self.attempt(|parser| {
            parser.take("on");
            parser.bounding_day()
        })?;
        Ok(Some(Point { day, time: Some(time), ..Point::default() }))
    }

    /// Returns whether this token is a clock that runs once, as in "set a 5 minute timer".
    fn is_timer(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| matches!(token.text.as_str(), "timer" | "countdown"))
    }

    /// Parses `in 20 minutes`, `two hours from now`, `after 5 minutes`, `5 minute timer`.
    pub(super) fn delay(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at.wrapping_sub(1);
        let has_in = self.take_any(&["in", "after"]);
        let Some(amount) = self.amount()? else { return Ok(None) };
        let from_now = self.take_any(&["from now", "from this moment", "later"]);
        let is_timer = self.found.is_empty() && (self.is_timer(start) || self.is_timer(self.at));
        if !has_in && !from_now && !is_timer {
            return Ok(None);
        }
        self.take("time");
        Ok(Some(vec![Clause::In(amount)]))
    }
}
