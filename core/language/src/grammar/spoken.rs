//! Minutes past an hour, and spoken times of day.

use super::{Parsed, Parser};
use crate::clause::{Clause, Clock, ClockKind, Cycle, Found};
use crate::token::Kind;
use crate::{Reason, words};

/// The words for the hour after "minutes past".
const HOURS: &[&str] = &["every hour", "each hour", "the hour", "hour"];

impl Parser<'_> {
    /// Parses `at 15 minutes past the hour`, `on the hour`, `at :30`, `at half past every hour`.
    pub(super) fn past_hour(&mut self) -> Parsed<Clause> {
        if self.take_any(&[
            "on the hour",
            "at the top of the hour",
            "at the top of every hour",
            "at the top of each hour",
            "the top of every hour",
            "at the start of every hour",
            "at the start of each hour",
            "at the beginning of every hour",
            "at the beginning of each hour",
        ]) {
            return Ok(Some(Clause::PastHour(vec![0])));
        }
        if self.take_any(&["on the half hour", "at the bottom of the hour"]) {
            return Ok(Some(Clause::PastHour(vec![30])));
        }
        self.take("at");
        if self.is_symbol(0, ":") && self.is_glued(1) {
            let minutes = self
                .list(|parser, _| Ok(parser.take_symbol(":").then(|| parser.minute()).flatten()))?;
            if minutes.is_empty() {
                return Ok(None);
            }
            // ":05 past every hour"
            let is_past = self.attempt(|parser| {
                let is_past = parser.take_any(&["past", "after"]) && parser.take_any(HOURS);
                Ok(is_past.then_some(()))
            })?;
            return Ok(Some(match is_past {
                Some(()) => Clause::PastHour(minutes),
                None => Clause::Minutes(minutes),
            }));
        }
        if self.take("minute") {
            let minute = self.minute();
            let is_of_hour = self.take("of") && self.take_any(HOURS);
            let clause = |minute| {
                if is_of_hour {
                    Clause::PastHour(vec![minute])
                } else {
                    Clause::Minutes(vec![minute])
                }
            };
            return Ok(minute.map(clause));
        }
        if self.take("half past") {
            return Ok(self.take_hours().then_some(Clause::PastHour(vec![30])));
        }
        if self.take_any(&["quarter past", "a quarter past"]) {
            return Ok(self.take_hours().then_some(Clause::PastHour(vec![15])));
        }
        if self.take_any(&["quarter to", "a quarter to"]) {
            return Ok(self.take_hours().then_some(Clause::PastHour(vec![45])));
        }
        let minutes = self.list(|parser, _| Ok(parser.minute()))?;
        if minutes.is_empty() {
            return Ok(None);
        }
        self.take_any(&["minutes", "minute", "mins", "min"]);
        let is_past = self.take_any(&["past", "after"]);
        if !is_past && !self.take_any(&["to", "before"]) {
            return Ok(None);
        }
        let of_hour = |minute: u8| {
            if is_past { minute } else { 60_u8.saturating_sub(minute) % 60 }
        };
        let minutes = minutes.into_iter().map(of_hour).collect();
        Ok(self.take_hours().then_some(Clause::PastHour(minutes)))
    }

    /// Parses `the hour`. Parses nothing if the sentence is about every hour already: "every hour
    /// at 10 past".
    fn take_hours(&mut self) -> bool {
        if self.take_any(HOURS) {
            return true;
        }
        let is_hourly = |found: &Found| {
            matches!(found.clause, Clause::Cycle { cycle: Cycle::Seconds(3_600), .. })
        };
        self.found.last().is_some_and(is_hourly)
            && self.token(0).is_none_or(|next| next.kind != Kind::Number)
            && words::number(self.word(0)).is_none()
    }

    pub(super) fn minute(&mut self) -> Option<u8> {
        let minute = self.whole_number().ok().flatten()?;
        u8::try_from(minute).ok().filter(|minute| *minute < 60)
    }

    /// Parses `half past nine`, `quarter to 5`, `ten past six`.
    pub(super) fn spoken_clock(&mut self) -> Parsed<Clock> {
        let start = self.at;
        let minute = if self.take("half past") {
            30
        } else if self.take_any(&[
            "a quarter past",
            "quarter past",
            "a quarter after",
            "quarter after",
        ]) {
            15
        } else if self.take_any(&[
            "a quarter to",
            "quarter to",
            "a quarter till",
            "quarter of",
            "dreiviertel",
        ]) {
            -15
        } else if self.word(0) == "halb" {
            0
        } else {
            // "10 to 11" may be a range. "ten to six" and "10 minutes to 6" are times.
            let is_digits = self.token(0).is_some_and(|token| token.kind == Kind::Number);
            let Some(minute) = self.minute() else { return Ok(None) };
            let has_unit = self.take_any(&["minutes", "minute", "mins", "min"]);
            let is_to = |parser: &mut Self| {
                (has_unit || !is_digits) && parser.take("to") && minute % 5 == 0 && minute < 30
            };
            if self.take("past") {
                i16::from(minute)
            } else if self.take("vor") || is_to(self) {
                -i16::from(minute)
            } else {
                return Ok(None);
            }
        };
        // "halb drei" is half past two.
        let minute = if self.take("halb") { minute - 30 } else { minute };
        let noon = self.take_any(&["noon", "midday"]);
        let midnight = !noon && self.take("midnight");
        let hour = if noon {
            Some(12)
        } else if midnight {
            Some(0)
        } else {
            self.whole_number()?
        };
        let Some(hour) = hour.filter(|hour| (u32::from(!midnight)..=12).contains(hour)) else {
            return Ok(None);
        };
        if self.is_symbol(0, ":") && self.is_glued(0) {
            return Ok(None);
        }
        self.take_any(&["o'clock", "oclock", "uhr"]);
        if midnight {
            return Err(self.refusal(
                Reason::NotUnderstood,
                start,
                "Write a time like 00:15 and its day.",
            ));
        }
        let minutes = i16::try_from(hour).unwrap_or(0) * 60 + minute;
        let (hour, minute) = (minutes.div_euclid(60), minutes.rem_euclid(60));
        let kind = if noon { ClockKind::Sure } else { ClockKind::Half };
        // A quarter to one is in the twelfth hour.
        let hour = if hour == 0 { 12 } else { hour };
        Ok(Some(Clock { hour: hour as u8, minute: minute as u8, second: 0, kind }))
    }
}
