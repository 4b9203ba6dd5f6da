//! Expressions in the notation of the API: cron expressions, rules, and ISO times.

use super::{Parsed, Parser};
use crate::clause::{Clause, Clock, ClockKind, Day};
use crate::clock_text;
use crate::token::{Kind, Token};
use crate::{Reason, Refusal};
use chrono::{DateTime, NaiveDateTime};

impl Parser<'_> {
    /// Parses `cron "0 9 * * 1"`, `rule "FREQ=DAILY"`, `2027-03-03T09:30:00Z`, `2027-03-03T09:30`.
    pub(super) fn literal(&mut self) -> Parsed<Vec<Clause>> {
        if self.take_any(&[
            "by the cron expressions",
            "by the cron expression",
            "on the cron expression",
            "cron expression",
            "cron",
        ]) {
            let expressions = self.list(|parser, _| Ok(parser.quoted()))?;
            return Ok((!expressions.is_empty()).then_some(vec![Clause::Cron(expressions)]));
        }
        if self.take_any(&["by the rule", "by the recurrence rule", "rrule"]) {
            return Ok(self.quoted().map(|rule| vec![Clause::Rule(rule)]));
        }
        self.take_any(&["at", "on"]);
        if let Some(instant) = self.attempt(Self::instant)? {
            return Ok(Some(vec![Clause::Instant(instant)]));
        }
        Ok(self
            .attempt(Self::local_time)?
            .map(|(day, time)| vec![Clause::Day(day), Clause::At(vec![time])]))
    }

    pub(super) fn quoted(&mut self) -> Option<String> {
        let text = self
            .token(0)
            .filter(|token| token.kind == Kind::Quoted)
            .map(|token| token.text.clone())?;
        self.at += 1;
        Some(text)
    }

    /// Parses the run of glued tokens that begins here if it is an instant of RFC 3339.
    pub(super) fn instant(&mut self) -> Parsed<i64> {
        let start = self.at;
        let Some(text) = self.iso_text() else { return Ok(None) };
        let Ok(time) = DateTime::parse_from_rfc3339(&text) else {
            self.at = start;
            return Ok(None);
        };
        let millis = time.timestamp_millis();
        if millis < 0 {
            Err(self.refusal(Reason::Past, start, "This time is past."))
        } else {
            Ok(Some(millis))
        }
    }

    fn local_time(&mut self) -> Parsed<(Day, Clock)> {
        let start = self.at;
        let Some(text) = self.iso_text() else { return Ok(None) };
        match clock_text::read_local(&text) {
            Some(time) => Ok(Some(day_and_time(time))),
            None => Err(self.no_time(start)),
        }
    }

    fn no_time(&self, start: usize) -> Refusal {
        self.refusal(
            Reason::Impossible,
            start,
            "This is not a time: write one like 2027-03-03T09:30 or 2027-03-03T09:30:00Z.",
        )
    }

    /// Parses the glued tokens of `YYYY-MM-DDT…`.
    fn iso_text(&mut self) -> Option<String> {
        let first =
            self.token(0).filter(|token| token.kind == Kind::Number && token.text.len() == 4)?;
        let mut text = first.text.to_ascii_uppercase();
        let mut ahead = 1;
        while let Some(token) = self
            .token(ahead)
            .filter(|token| token.is_glued && belongs_to_iso(token, self.token(ahead + 1)))
        {
            text.push_str(&token.text.to_ascii_uppercase());
            ahead += 1;
        }
        let has_time = text.contains('T') && text.contains(':');
        if has_time {
            self.at += ahead;
        }
        has_time.then_some(text)
    }
}

fn belongs_to_iso(token: &Token, next: Option<&Token>) -> bool {
    match token.kind {
        Kind::Number => true,
        Kind::Word => matches!(token.text.as_str(), "t" | "z"),
        // A full stop at the end of a sentence is not a part of it.
        Kind::Symbol => match token.text.as_str() {
            "-" | ":" | "+" => true,
            "." => next.is_some_and(|next| next.is_glued && next.kind == Kind::Number),
            _ => false,
        },
        Kind::Quoted => false,
    }
}

fn day_and_time(time: NaiveDateTime) -> (Day, Clock) {
    use chrono::{Datelike, Timelike};
    let day =
        Day::Date { day: time.day() as u8, month: time.month() as u8, year: Some(time.year()) };
    (
        day,
        Clock {
            hour: time.hour() as u8,
            minute: time.minute() as u8,
            second: time.second() as u8,
            kind: ClockKind::Sure,
        },
    )
}
