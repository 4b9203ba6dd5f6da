//! Times of day, parts of the day, and windows.

use super::{Parsed, Parser};
use crate::clause::{Clause, Clock, ClockKind, Day};
use crate::lexicon::own_word;
use crate::token::Kind;
use crate::words::{self, DayPart};
use crate::{Reason, Refusal};

/// The half of the day that words such as `pm` and `in the morning` name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
    /// "at night": from six in the evening to six in the morning.
    Night,
}

/// Words behind a list of times that do not say what is counted.
#[rustfmt::skip]
const GOES_ON: &[&str] = &[
    "a", "and", "as", "at", "by", "except", "for", "from", "i", "in", "of", "on", "p", "please", "remind", "sharp", "starting", "the", "then", "to", "until", "with",
];

impl Parser<'_> {
    /// Parses `at 9`, `9am and 5pm`, `at noon`, `in the morning`, `at 15 minutes past every hour`.
    pub(super) fn times(&mut self) -> Parsed<Vec<Clause>> {
        if self.take("tonight") {
            return Ok(Some(vec![Clause::Day(Day::In(0)), Clause::Part(DayPart::Night)]));
        }
        if let Some(part) = words::day_part(self.word(1)).filter(|_| self.word(0) == "this") {
            self.at += 2;
            return Ok(Some(vec![Clause::Day(Day::In(0)), Clause::Part(part)]));
        }
        if let Some(part) = self.attempt(Self::part_of_day)? {
            return Ok(Some(part));
        }
        if let Some(minutes) = self.attempt(Self::past_hour)? {
            return Ok(Some(vec![minutes]));
        }
        let start = self.at;
        let has_at = self.take_at();
        let mut is_complete = false;
        let mut times = self.list(|parser, is_first| {
            let again = !is_first && parser.take_at();
            let start = parser.at;
            let clock = parser.clock(has_at || again)?;
            let is_sure = clock.is_some_and(|clock| clock.kind == ClockKind::Sure);
            let counts = is_complete && !again && !is_sure && parser.is_count(start);
            is_complete = is_sure || parser.is_marked(start);
            Ok(clock.filter(|_| !counts))
        })?;
        if times.is_empty() {
            return Ok(None);
        }
        let zoned = if times.len() == 1 {
            self.attempt(|parser| parser.zoned_times(has_at))?
        } else {
            None
        };
        if let Some((more, zone)) = zoned {
            times.extend(more);
            return Ok(Some(std::iter::once(Clause::At(times)).chain(zone).collect()));
        }
        // "6am 2pm 10pm" are times, and "9am 10am" may be a range.
        let (after, listed) = (self.at, times.len());
        while self.follows_half() && times.len() < crate::limits::MAX_LIST {
            let next = self.attempt(|parser| {
                let clock = parser.clock(false)?;
                Ok(clock.filter(|_| parser.follows_half()))
            })?;
            let Some(next) = next else { break };
            times.push(next);
        }
        if times.len() < 3 {
            self.at = after;
            times.truncate(listed);
        }
        let mut times = self.spread_half(times);
        // In "um 9 und 17 Uhr", the last word applies to all times.
        let taken = self.tokens.get(start..self.at).unwrap_or_default();
        if taken.iter().any(|token| token.text == "uhr") {
            for time in times.iter_mut().filter(|time| time.kind == ClockKind::Half) {
                time.kind = self.kind_of_24_hours(time.hour);
            }
        }
        // A half of the day follows: "at 9 in the morning", or for all times: "at 8 and 9 in the
        // evening".
        Ok(Some(vec![Clause::At(times)]))
    }

    /// Returns whether the number since `start` counts what follows: "at 7am, 10 units". After a
    /// complete time, a number alone is a time only if no other word follows.
    fn is_count(&self, start: usize) -> bool {
        let taken = self.tokens.get(start..self.at).unwrap_or_default();
        let is_hours =
            matches!(taken, [_, hours] if hours.text == "h" && !self.habits.has_24_hours);
        if self.is_marked(start) && !is_hours {
            return false;
        }
        let has_comma = start > 0 && self.tokens.get(start - 1).is_some_and(|t| t.text == ",");
        let is_word = taken.first().is_some_and(|first| first.kind == Kind::Word);
        if self.token(0).is_none() {
            return is_hours || has_comma && is_word;
        }
        let word = self.word(usize::from(self.is_symbol(0, ".")));
        let is_unread = own_word(word).is_some()
            || !word.is_empty() && words::suspicion(word).is_none() && !GOES_ON.contains(&word);
        is_hours || is_unread
    }

    /// Returns whether the token before ends a time of day: "am", "uhr".
    fn follows_half(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|before| matches!(before.text.as_str(), "am" | "pm" | "uhr"))
    }

    pub(super) fn take_at(&mut self) -> bool {
        self.take_symbol("@") || self.take_any(&["at exactly", "exactly at", "at precisely", "at"])
    }

    /// Parses a time of day. A number alone is a time only if `is_expected` is set, as after "at".
    pub(super) fn clock(&mut self, is_expected: bool) -> Parsed<Clock> {
        self.attempt(|parser| {
            let start = parser.at;
            let Some(clock) = parser.bare_clock(is_expected)? else { return Ok(None) };
            parser.take_any(&["sharp", "on the dot", "exactly"]);
            let half = parser.half_of_day();
            match half {
                Some(half) => parser.in_half(clock, half, start).map(Some),
                None if clock.kind == ClockKind::Half
                    && !is_expected
                    && !parser.is_marked(start) =>
                {
                    Ok(None)
                }
                None => Ok(Some(clock)),
            }
        })
    }

    /// Returns whether the words since `start` can only be a time of day: `9:30`, `half past nine`,
    /// `five o'clock`.
    fn is_marked(&self, start: usize) -> bool {
        let taken = self.tokens.get(start..self.at).unwrap_or_default();
        taken.iter().any(|token| {
            matches!(
                token.text.as_str(),
                ":" | "past" | "to" | "vor" | "halb" | "o'clock" | "oclock" | "uhr"
            )
        })
    }

    fn bare_clock(&mut self, is_expected: bool) -> Parsed<Clock> {
        let start = self.at;
        let sure = |hour| Clock { hour, minute: 0, second: 0, kind: ClockKind::Sure };
        if self.take_any(&["12 noon", "twelve noon", "noon", "midday", "mid-day"])
            || self.word(0) == "12" && self.take("noon")
        {
            return Ok(Some(sure(12)));
        }
        if self.token(0).and_then(|token| token.value()) == Some(12)
            && matches!(self.word(1), "noon" | "midday" | "midnight")
        {
            let is_noon = self.word(1) != "midnight";
            self.at += 2;
            return Ok(Some(if is_noon {
                sure(12)
            } else {
                Clock { kind: ClockKind::Midnight, ..sure(0) }
            }));
        }
        if self.take("midnight") {
            return Ok(Some(Clock { kind: ClockKind::Midnight, ..sure(0) }));
        }
        if let Some(clock) = self.attempt(Self::spoken_clock)? {
            return Ok(Some(clock));
        }
        let Some(first) = self.token(0) else { return Ok(None) };
        let is_digits = first.kind == Kind::Number;
        let digits = first.text.len();
        let four = first.text.clone();
        if is_digits && (digits > 4 || self.is_part_of_something(1)) {
            return Ok(None);
        }
        let Some(hour) = self.whole_number()? else { return Ok(None) };
        if is_digits && digits == 4 {
            let is_marked = self.take_any(&["hours", "hrs", "uhr"]);
            let (hour, minute) = (hour / 100, hour % 100);
            let is_time = hour < 24 && minute < 60 && (is_marked || is_expected);
            // After "at", a year is not a time: nobody means 20:27 by 2027.
            let is_year = (2020..2100).contains(&(hour * 100 + minute)) && !is_marked;
            let kind = if four.starts_with('0') || hour > 12 || is_marked {
                ClockKind::Of24
            } else {
                half_if_early(hour)
            };
            let clock = Clock { hour: hour as u8, minute: minute as u8, second: 0, kind };
            return Ok((is_time && !is_year).then_some(clock));
        }
        if is_digits
            && is_expected
            && hour < 24
            && self.word(0) == "h"
            && self.is_glued(0)
            && !self.is_glued(1)
        {
            self.at += 1;
            return Ok(Some(Clock {
                hour: hour as u8,
                minute: 0,
                second: 0,
                kind: ClockKind::Of24,
            }));
        }
        let mut clock = Clock { hour: 0, minute: 0, second: 0, kind: ClockKind::Half };
        let separator = is_digits
            && self.is_glued(0)
            && self.is_glued(1)
            && (self.is_symbol(0, ":") || self.is_symbol(0, "."));
        let minutes = self
            .token(1)
            .filter(|token| separator && token.kind == Kind::Number && token.text.len() == 2);
        let has_colon = self.is_symbol(0, ":");
        if let Some(minutes) = minutes.filter(|_| has_colon || is_expected || self.is_half_word(2))
        {
            self.at += 2;
            clock.minute = self.sixty(minutes.value(), start)?;
            if self.is_symbol(0, ":") && self.is_glued(0) && self.is_glued(1) {
                let seconds = self.token(1).and_then(|token| token.value());
                self.at += 2;
                clock.second = self.sixty(seconds, start)?;
            }
        } else if separator && has_colon {
            self.at += 2;
            return Err(self.refusal(
                Reason::Impossible,
                start,
                "This is not a time of day: write the minutes with two digits.",
            ));
        } else if !is_digits {
            // "nine thirty", "seven fifteen"
            let dash = usize::from(self.is_symbol(0, "-"));
            if let Some(minute @ (5 | 10 | 15 | 20 | 25 | 30 | 35 | 40 | 45 | 50 | 55)) =
                words::number(self.word(dash))
            {
                self.at += dash + 1;
                clock.minute = minute as u8;
                if let Some(5) =
                    words::number(self.word(0)).filter(|_| minute % 10 == 0 && minute >= 20)
                {
                    self.at += 1;
                    clock.minute += 5;
                }
            }
        }
        let is_marked = has_colon && separator;
        let has_uhr = self.take("uhr");
        if has_uhr && clock.minute == 0 && !is_marked {
            clock.minute = self.minutes_behind_hour().unwrap_or(0);
        }
        let has_oclock =
            has_uhr || self.take_any(&["o'clock", "oclock"]) || self.take("hours") && is_marked;
        let is_time = is_expected || is_marked || has_oclock || self.is_half_word(0);
        if !is_time || (!is_marked && !has_oclock && self.is_counted_thing()) {
            return Ok(None);
        }
        if hour > 23 {
            let message = if hour == 24 {
                "24:00 is the start of the next day: write 00:00."
            } else {
                "There is no such hour."
            };
            return Err(self.refusal(Reason::Impossible, start, message));
        }
        clock.hour = hour as u8;
        let is_24_hours =
            hour == 0 || hour > 12 || is_digits && digits == 2 && four.starts_with('0');
        clock.kind = match hour {
            _ if is_24_hours => ClockKind::Of24,
            _ if has_uhr || is_marked && self.habits.has_24_hours => {
                self.kind_of_24_hours(clock.hour)
            }
            7.. if is_marked => ClockKind::Plain,
            _ => ClockKind::Half,
        };
        Ok(Some(clock))
    }

    /// Returns whether a number is the beginning of an ordinal, a date, a decimal or a range:
    /// `9th`, `9/4`, `9%`, `9-5`.
    fn is_part_of_something(&self, ahead: usize) -> bool {
        let Some(next) = self.token(ahead).filter(|next| next.is_glued) else { return false };
        match next.kind {
            Kind::Word => !self.is_half_word(ahead) && !matches!(next.text.as_str(), "h" | "uhr"),
            Kind::Symbol => matches!(next.text.as_str(), "/" | "%" | "€" | "$" | "+" | "*" | "#"),
            _ => false,
        }
    }

    /// Returns whether the words after a number make it a quantity and not an hour: "at 9 minutes",
    /// "at 3 percent".
    fn is_counted_thing(&self) -> bool {
        words::unit(self.word(0)).is_some()
            || matches!(self.word(0), "times" | "percent" | "people")
    }

    fn is_half_word(&self, ahead: usize) -> bool {
        match self.word(ahead) {
            "am" | "pm" => true,
            "a" | "p" => {
                let dotted = self.is_symbol(ahead + 1, ".") && self.word(ahead + 2) == "m";
                dotted
                    || self.is_glued(ahead)
                        && !self
                            .token(ahead + 1)
                            .is_some_and(|next| next.is_glued && next.kind != Kind::Symbol)
            }
            _ => false,
        }
    }

    /// Parses `am`, `p.m.`, `in the morning`, `at night`.
    fn half_of_day(&mut self) -> Option<Half> {
        let half = match self.word(0) {
            "am" => Some(Half::Am),
            "pm" => Some(Half::Pm),
            "a" if self.is_half_word(0) => Some(Half::Am),
            "p" if self.is_half_word(0) => Some(Half::Pm),
            _ => None,
        };
        if half.is_some() {
            let is_dotted = self.is_symbol(1, ".") && self.word(2) == "m";
            self.at += if is_dotted { 3 } else { 1 };
            if is_dotted && self.is_symbol(0, ".") {
                self.at += 1;
            }
            // "8am in the morning"
            self.take_any(if half == Some(Half::Am) {
                &["in the morning"]
            } else {
                &["in the afternoon", "in the evening", "at night"]
            });
            return half;
        }
        if self.take_any(&["in the morning", "in the mornings"]) {
            return Some(Half::Am);
        }
        if self.take_any(&[
            "in the afternoon",
            "in the evening",
            "in the afternoons",
            "in the evenings",
        ]) {
            return Some(Half::Pm);
        }
        self.take("at night").then_some(Half::Night)
    }

    fn in_half(&self, clock: Clock, half: Half, start: usize) -> Result<Clock, Refusal> {
        let wrong = || {
            self.refusal(
                Reason::Impossible,
                start,
                "The hour and the part of the day do not fit together.",
            )
        };
        let hour = match (half, clock.hour) {
            (_, hour @ 13..) if half != Half::Am => hour,
            (Half::Am, 1..=11) => clock.hour,
            (Half::Am, 12) => 0,
            (Half::Pm, 1..=11) => clock.hour + 12,
            (Half::Pm, 12) => 12,
            (Half::Night, 1..=4) => clock.hour,
            (Half::Night, 7..=11) => clock.hour + 12,
            (Half::Night, 0 | 12) => 0,
            _ => return Err(wrong()),
        };
        // "13pm" is a mistake, "17:00 in the afternoon" is not.
        let said_pm = self.tokens.get(start..self.at).is_some_and(|taken| {
            taken.iter().any(|token| matches!(token.text.as_str(), "pm" | "p"))
        });
        if clock.hour > 12 && said_pm || clock.kind == ClockKind::Midnight && half != Half::Night {
            return Err(wrong());
        }
        let kind =
            if half == Half::Night && hour < 5 { ClockKind::SmallHours } else { ClockKind::Sure };
        Ok(Clock { hour, kind, ..clock })
    }

    /// Parses the minutes of `10 Uhr 30`, unless they count something.
    fn minutes_behind_hour(&mut self) -> Option<u8> {
        let start = self.at;
        let is_two_digits =
            self.token(0).is_some_and(|next| next.kind == Kind::Number && next.text.len() == 2);
        let minute = self.minute().filter(|minute| is_two_digits || *minute >= 10);
        let counts = self.token(0).is_some_and(|next| next.kind == Kind::Word)
            && (crate::lexicon::own_word(self.word(0)).is_some()
                || self.word(0) == "uhr"
                || words::unit(self.word(0)).is_some());
        let minute = minute.filter(|_| !counts && !self.is_glued(0));
        if minute.is_none() {
            self.at = start;
        }
        minute
    }

    /// Returns how certain an hour is that is written on the 24-hour clock. "um 3 Uhr" may also
    /// mean the afternoon. Jobs run at 3:00.
    fn kind_of_24_hours(&self, hour: u8) -> ClockKind {
        match hour {
            0 | 13.. => ClockKind::Of24,
            1..=5 if self.is_reminder => ClockKind::Half,
            _ => ClockKind::Plain,
        }
    }

    fn sixty(&self, value: Option<u32>, start: usize) -> Result<u8, Refusal> {
        let value = value.filter(|value| *value < 60).and_then(|value| u8::try_from(value).ok());
        value.ok_or_else(|| {
            self.refusal(
                Reason::Impossible,
                start,
                "This is not a time of day: minutes and seconds go from 00 to 59.",
            )
        })
    }

    /// In `9, 10 and 11 am`, the half of the day applies to all hours if they rise within it.
    fn spread_half(&self, mut times: Vec<Clock>) -> Vec<Clock> {
        let Some((last, others)) = times.split_last_mut() else { return times };
        let is_morning = last.hour < 12 && last.kind == ClockKind::Sure && !others.is_empty();
        if is_morning
            && others.iter().all(|time| time.kind == ClockKind::Half && time.hour < last.hour)
        {
            others.iter_mut().for_each(|time| time.kind = ClockKind::Sure);
        }
        times
    }
}

fn half_if_early(hour: u32) -> ClockKind {
    if (1..7).contains(&hour) { ClockKind::Half } else { ClockKind::Sure }
}
