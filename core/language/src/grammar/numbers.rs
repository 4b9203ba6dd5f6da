//! Numbers, ordinals, units and lengths of time.

use super::{Parsed, Parser};
use crate::clause::{Amount, Cycle};
use crate::limits::MAX_NUMBER;
use crate::token::Kind;
use crate::words::{self, Unit};
use crate::{Reason, Refusal};

/// A number with thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thousandths(pub(super) u64);

impl Thousandths {
    fn whole(number: u32) -> Self {
        Self(u64::from(number) * 1_000)
    }

    /// Returns the product with `factor` if it is whole.
    pub(super) fn times(self, factor: u32) -> Option<u32> {
        let product = self.0.checked_mul(u64::from(factor))?;
        (product % 1_000 == 0)
            .then_some(product / 1_000)
            .and_then(|whole| u32::try_from(whole).ok())
    }
}

impl Parser<'_> {
    /// Parses a whole number: `15`, `fifteen`, `twenty-five`.
    pub(super) fn whole_number(&mut self) -> Parsed<u32> {
        let start = self.at;
        let Some(token) = self.token(0) else { return Ok(None) };
        if token.kind == Kind::Number {
            self.at += 1;
            let value = token.value().filter(|value| *value <= MAX_NUMBER);
            return value.map(Some).ok_or_else(|| {
                self.refusal(Reason::Impossible, start, "The number is too large.")
            });
        }
        let Some(first) = words::number(self.word(0)) else { return Ok(None) };
        self.at += 1;
        if first < 20 || first % 10 != 0 {
            return Ok(Some(first));
        }
        let dash = usize::from(self.is_symbol(0, "-"));
        match words::number(self.word(dash)) {
            Some(ones @ 1..=9) => {
                self.at += dash + 1;
                Ok(Some(first + ones))
            }
            _ => Ok(Some(first)),
        }
    }

    /// Parses a number that may have a fraction: `1.5`, `two and a half`, `half a`, `an`.
    pub(super) fn quantity(&mut self) -> Parsed<Thousandths> {
        if self.take_any(&["half an", "half a", "half"]) {
            return Ok(Some(Thousandths(500)));
        }
        if self.take_any(&["three quarters of an", "three quarters of a"]) {
            return Ok(Some(Thousandths(750)));
        }
        if self.take_any(&["a quarter of an", "quarter of an", "a quarter of a", "quarter of a"]) {
            return Ok(Some(Thousandths(250)));
        }
        // "in a half hour"
        if self.take_any(&["a half", "another half"]) {
            return Ok(Some(Thousandths(500)));
        }
        if self.take_any(&["a", "an", "another"]) {
            return Ok(Some(Thousandths::whole(1)));
        }
        let start = self.at;
        let Some(number) = self.whole_number()? else { return Ok(None) };
        let is_point =
            self.is_symbol(0, ".") || self.habits.has_decimal_comma && self.is_symbol(0, ",");
        if is_point
            && self.is_glued(0)
            && self.is_glued(1)
            && let Some(decimals) = self.token(1).filter(|token| token.kind == Kind::Number)
        {
            self.at += 2;
            let thousandths = format!("{:0<3}", decimals.text)
                .parse::<u64>()
                .ok()
                .filter(|_| decimals.text.len() <= 3);
            let fraction = thousandths.ok_or_else(|| {
                self.refusal(Reason::Impossible, start, "Use at most three decimals.")
            })?;
            return Ok(Some(Thousandths(u64::from(number) * 1_000 + fraction)));
        }
        let half = self.take("and a half");
        Ok(Some(Thousandths(u64::from(number) * 1_000 + if half { 500 } else { 0 })))
    }

    /// Parses a unit. `m` is a minute only directly after a number: `90m`.
    pub(super) fn unit(&mut self) -> Option<Unit> {
        let unit = match self.word(0) {
            "m" if self.is_glued(0) => Unit::Minute,
            "d" if self.is_glued(0) => Unit::Day,
            "w" if self.is_glued(0) => Unit::Week,
            word => words::unit(word)?,
        };
        self.at += 1;
        // "15 min." at the end of a sentence or before another word.
        Some(unit)
    }

    /// Parses a length of time: `2 hours`, `an hour and a half`, `1h30m`, `2 days and 3 hours`.
    pub(super) fn amount(&mut self) -> Parsed<Amount> {
        let start = self.at;
        let mut sum = Amount::default();
        let mut count = 0;
        loop {
            let before = self.at;
            if count > 0 {
                self.take_separator();
            }
            let part = self.attempt(|parser| {
                let Some(number) = parser.quantity()? else { return Ok(None) };
                Ok(parser.unit().map(|unit| (number, unit)))
            })?;
            let Some((mut number, unit)) = part else {
                self.at = before;
                break;
            };
            if self.take("and a half") {
                number.0 += 500;
            }
            if self.take("and a quarter") {
                number.0 += 250;
            }
            sum = self.add(sum, number, unit, start)?;
            count += 1;
        }
        Ok((count > 0).then_some(sum))
    }

    /// Parses a unit without a number.
    pub(super) fn one_unit(&mut self) -> Parsed<Amount> {
        let start = self.at;
        let Some(unit) = self.unit() else { return Ok(None) };
        self.add(Amount::default(), Thousandths::whole(1), unit, start).map(Some)
    }

    fn add(
        &self,
        sum: Amount,
        number: Thousandths,
        unit: Unit,
        start: usize,
    ) -> Result<Amount, Refusal> {
        let part = match unit {
            Unit::Second => number.times(1).map(|seconds| Amount { seconds, ..Amount::default() }),
            Unit::Minute => number.times(60).map(|seconds| Amount { seconds, ..Amount::default() }),
            Unit::Hour => {
                number.times(3_600).map(|seconds| Amount { seconds, ..Amount::default() })
            }
            Unit::Day => number.times(1).map(|days| Amount { days, ..Amount::default() }),
            Unit::Week => number
                .times(1)
                .and_then(|weeks| weeks.checked_mul(7))
                .map(|days| Amount { days, ..Amount::default() }),
            Unit::Month => number.times(1).map(|months| Amount { months, ..Amount::default() }),
            Unit::Quarter => number.times(3).map(|months| Amount { months, ..Amount::default() }),
            Unit::Year => number.times(12).map(|months| Amount { months, ..Amount::default() }),
        };
        let added = part.and_then(|part| {
            Some(Amount {
                months: sum.months.checked_add(part.months)?,
                days: sum.days.checked_add(part.days)?,
                seconds: sum.seconds.checked_add(part.seconds)?,
            })
        });
        // A schedule never begins more than a hundred years ahead.
        let fits = added.filter(|sum| {
            sum.months <= 1_200 && sum.days <= 36_525 && sum.seconds <= 3_155_760_000
        });
        fits.ok_or_else(|| {
            self.refusal(
                Reason::Impossible,
                start,
                "This is not a length of time that a schedule can have.",
            )
        })
    }

    /// Parses an ordinal: `1st`, `first`, `twenty-third`, `last` (-1).
    pub(super) fn ordinal(&mut self) -> Option<i8> {
        let start = self.at;
        if let Some(number) = self.counted_back() {
            return Some(number);
        }
        self.at = start;
        let number = self.ordinal_number();
        let found = number.and_then(|number| i8::try_from(number).ok());
        if found.is_none() {
            self.at = start;
        }
        found.or_else(|| self.last_ones())
    }

    /// Parses `last` (-1), `penultimate` (-2).
    fn last_ones(&mut self) -> Option<i8> {
        if self.take_any(&["penultimate", "next to last"]) {
            return Some(-2);
        }
        if self.take("antepenultimate") {
            return Some(-3);
        }
        self.take("last").then_some(-1)
    }

    /// Parses `second to last`, `third-last`.
    fn counted_back(&mut self) -> Option<i8> {
        // A number is an ordinal only if it has the ending of one.
        let number = self.ordinal_number().filter(|number| (2..=4).contains(number))?;
        let number = -i8::try_from(number).ok()?;
        self.take_symbol("-");
        if self.take("to") {
            self.take_symbol("-");
        }
        self.take("last").then_some(number)
    }

    fn ordinal_number(&mut self) -> Option<u32> {
        if let Some(number) = self.token(0).and_then(|token| token.value()) {
            let has_ending = matches!(self.word(1), "st" | "nd" | "rd" | "th") && self.is_glued(1);
            self.at += 2;
            return has_ending.then_some(number);
        }
        let word = self.word(0);
        if let Some(number) = words::ordinal(word) {
            self.at += 1;
            return Some(number);
        }
        let tens = words::number(word).filter(|tens| matches!(tens, 20 | 30))?;
        let dash = usize::from(self.is_symbol(1, "-"));
        let ones = words::ordinal(self.word(1 + dash)).filter(|ones| *ones < 10)?;
        self.at += 2 + dash;
        Some(tens + ones)
    }
}

/// Returns the cycle of this many units, if it is one.
pub(super) fn cycle(number: Thousandths, unit: Unit) -> Option<Cycle> {
    let cycle = match unit {
        Unit::Second => Cycle::Seconds(number.times(1)?),
        Unit::Minute => Cycle::Seconds(number.times(60)?),
        Unit::Hour => Cycle::Seconds(number.times(3_600)?),
        Unit::Day => Cycle::Days(number.times(1)?),
        Unit::Week => Cycle::Weeks(number.times(1)?),
        Unit::Month => Cycle::Months(number.times(1)?),
        Unit::Quarter if number.0 == 1_000 => Cycle::Quarterly,
        Unit::Quarter => Cycle::Months(number.times(3)?),
        Unit::Year if number.0 == 500 => Cycle::Months(6),
        Unit::Year => Cycle::Years(number.times(1)?),
    };
    Some(cycle)
}
