//! Dates that a schedule leaves out.

use super::{Parsed, Parser, Rule};
use crate::Reason;
use crate::clause::{Day, Exception, LeftOut, YearlyOrNot};
use crate::words;

/// The first and the last of each range of dates.
type Ranges = Vec<(LeftOut, LeftOut)>;

/// The word that joins the first and the last of several dates.
#[derive(Clone, Copy)]
struct Joint {
    is_between: bool,
    is_from: bool,
    /// Whether "on" comes before the first, as in "on 24 december until 2 january". Its last date
    /// may be the end of the schedule.
    has_on: bool,
}

/// The most months of dates that go past the end of a year, so that "24 december to 20 december
/// 2026" is not a year.
const MAX_MONTHS_PAST_YEAR: u8 = 9;

impl Parser<'_> {
    /// Parses `24 december`, `24, 25 and 26 december`, `december 24 and 25`, `24 december 2026 to 2
    /// january 2027`, `from the 24th to the 26th of december`. `is_every` says that "every" comes
    /// before.
    pub(super) fn excepted_dates(&mut self, is_every: bool) -> Parsed<Vec<Exception>> {
        let start = self.at;
        let has_on = self.word(0) == "on";
        let is_between = self.take("between");
        let joint = Joint { is_between, is_from: !is_between && self.take("from"), has_on };
        let has_joint = joint.is_between || joint.is_from;
        let lists: [fn(&mut Self, Joint) -> Parsed<Ranges>; 2] =
            [Self::days_before_month, Self::days_behind_month];
        for list in lists {
            if let Some(dates) = self.attempt(|parser| list(parser, joint))? {
                let dates = dates
                    .into_iter()
                    .map(|(first, last)| self.excepted_range(first, last, is_every, start))
                    .collect::<Result<Vec<_>, _>>()?;
                return Ok(Some(dates));
            }
        }
        if !has_joint
            && !is_every
            && let Some(numeric) = self.attempt(Self::excepted_numbers)?
        {
            return Ok(Some(vec![numeric]));
        }
        let Some(first) = self.excepted_day()? else { return Ok(None) };
        let last =
            self.attempt(
                |parser| {
                    if parser.take_joint(joint) { parser.excepted_day() } else { Ok(None) }
                },
            )?;
        if last.is_none() && has_joint {
            return Ok(None);
        }
        let dates = self.excepted_range(first, last.unwrap_or(first), is_every, start)?;
        Ok(Some(vec![dates]))
    }

    /// Parses `monday, 30 november` and `friday the 25th of december`: one date.
    pub(super) fn dated_weekday(&mut self) -> Parsed<Exception> {
        self.take_any(&["on the", "on", "the"]);
        let Some((weekday, false)) = words::weekday(self.word(0)) else { return Ok(None) };
        self.at += 1;
        if self.is_symbol(0, ".") && self.is_glued(0) {
            self.at += 1;
        }
        self.take_symbol(",");
        let Some(first) = self.excepted_day()? else { return Ok(None) };
        let goes_on = self.is_symbol(0, "-")
            || matches!(self.word(0), "to" | "bis" | "through" | "thru" | "until" | "till");
        let yearly = if first.year.is_some() { YearlyOrNot::Once } else { YearlyOrNot::Assumed };
        let date = Exception::Dates { first, last: first, yearly, weekday: Some(weekday) };
        Ok((!goes_on).then_some(date))
    }

    fn take_joint(&mut self, joint: Joint) -> bool {
        if joint.is_between {
            self.take("and") || self.take_symbol("-")
        } else if joint.has_on && self.word(0) == "bis" {
            false
        } else {
            self.take_range_word(joint.is_from)
        }
    }

    fn excepted_range(
        &self,
        first: LeftOut,
        last: LeftOut,
        is_every: bool,
        start: usize,
    ) -> Result<Exception, crate::Refusal> {
        let is_before = (first.month, first.day) <= (last.month, last.day);
        let months = (last.month + 12).saturating_sub(first.month);
        let has_year = first.year.is_some();
        let first = match (first.year, last.year) {
            // "24 december to 2 january 2027"
            (None, Some(year)) => {
                LeftOut { year: Some(if is_before { year } else { year - 1 }), ..first }
            }
            _ => first,
        };
        if first.year.is_some() != last.year.is_some() || is_every && first.year.is_some() {
            return Err(self.refusal(Reason::Conflict, start, "In one year, or in every year?"));
        }
        if !has_year && !is_before && months > MAX_MONTHS_PAST_YEAR {
            let message = "Are these the first and the last date? Write the year of both.";
            return Err(self.refusal(Reason::NotUnderstood, start, message));
        }
        let yearly = match (first.year, is_every) {
            (Some(_), _) => YearlyOrNot::Once,
            (None, true) => YearlyOrNot::Every,
            (None, false) => YearlyOrNot::Assumed,
        };
        Ok(Exception::Dates { first, last, yearly, weekday: None })
    }

    /// Parses `24, 25 and 26 december`, `the 24th to the 26th and the 31st of december`: several
    /// days and the month of all of them.
    fn days_before_month(&mut self, joint: Joint) -> Parsed<Ranges> {
        let start = self.at;
        let mut days = Vec::new();
        let mut is_ordinal = None;
        loop {
            self.take_any(&["on the", "on", "the"]);
            let before = self.at;
            let Some(range) = self.range_of_days(joint)? else { return Ok(None) };
            days.push(range);
            // In "the 1st and 24 december", the first may be a day of every month.
            let has_ending = self.tokens.get(before + 1).is_some_and(|next| {
                next.is_glued && matches!(next.text.as_str(), "st" | "nd" | "rd" | "th")
            });
            if *is_ordinal.get_or_insert(has_ending) != has_ending {
                return Ok(None);
            }
            let ahead = usize::from(self.word(0) == "of");
            if words::month(self.word(ahead)).is_some() {
                self.at += ahead;
                break;
            }
            if days.len() == crate::limits::MAX_LIST || !self.take_separator() {
                return Ok(None);
            }
        }
        let Some(month) = words::month(self.word(0)) else { return Ok(None) };
        self.at += 1;
        let is_one = matches!(days.as_slice(), [(first, last)] if first == last);
        if is_one {
            // It may be the first of a range: "24 december to 2 january".
            return Ok(None);
        }
        self.in_month(days, month, start)
    }

    /// Parses `december 24, 25 and 26`, `december 24 to 26`: a month and several of its days.
    fn days_behind_month(&mut self, joint: Joint) -> Parsed<Ranges> {
        let start = self.at;
        self.take("on");
        let Some(month) = words::month(self.word(0)) else { return Ok(None) };
        self.at += 1;
        if self.is_symbol(0, ".") && self.is_glued(0) {
            self.at += 1;
        }
        let days = self.list(|parser, _| {
            parser.take("the");
            let range = parser.range_of_days(joint)?;
            // "december 24, 3 times" has one day, and "december 24 and 1 january" two months.
            let ends = parser.token(0).is_none_or(|next| {
                matches!(next.text.as_str(), "," | "and" | "&" | "." | ")" | "at" | ";" | "(")
            });
            Ok(range.filter(|_| ends))
        })?;
        if days.len() < 2 && days.iter().all(|(first, last)| first == last) {
            return Ok(None);
        }
        self.in_month(days, month, start)
    }

    /// Parses one day of a month, or a range of them.
    fn range_of_days(&mut self, joint: Joint) -> Parsed<(u8, u8)> {
        let Some(first) = self.day_number()? else { return Ok(None) };
        let last = self.attempt(|parser| {
            if !parser.take_joint(joint) {
                return Ok(None);
            }
            parser.take("the");
            Ok(parser.day_number()?.filter(|last| *last > first))
        })?;
        Ok(Some((first, last.unwrap_or(first))))
    }

    /// Returns the dates of these days. The year of all of them may come next.
    fn in_month(&mut self, days: Vec<(u8, u8)>, month: u8, start: usize) -> Parsed<Ranges> {
        let year = self.year()?;
        for (_, day) in &days {
            self.date(start, *day, month, year)?;
        }
        let date = |day| LeftOut { day, month, year };
        Ok(Some(days.into_iter().map(|(first, last)| (date(first), date(last))).collect()))
    }

    /// Parses `12/25/2026`, unless it is the first of a range.
    fn excepted_numbers(&mut self) -> Parsed<Exception> {
        self.take_any(&["on the", "on", "the"]);
        let day = self.numeric_date()?;
        let goes_on = self.is_symbol(0, "-") || matches!(self.word(0), "to" | "bis" | "through");
        Ok(match day {
            Some(Day::Numeric { first, second, year }) if !goes_on => {
                Some(Exception::Numeric { first, second, year })
            }
            _ => None,
        })
    }

    fn excepted_day(&mut self) -> Parsed<LeftOut> {
        self.take_any(&["on the", "on", "the"]);
        let kinds: [Rule<Self, Day>; 3] = [Self::named_day, Self::numeric_date, Self::date_of_year];
        for kind in kinds {
            if let Some(day) = self.attempt(kind)? {
                return Ok(match day {
                    Day::Date { day, month, year } => Some(LeftOut { day, month, year }),
                    _ => None,
                });
            }
        }
        Ok(None)
    }
}
