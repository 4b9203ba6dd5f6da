//! Numbers that belong to no part: those of the task, and those that may say when.

use super::Rest;
use crate::Refusal;
use crate::clause::{Clause, Cycle, Found};
use crate::names;
use crate::token::Kind;

const UNREAD: &str =
    "This number is not understood. Put text that says nothing about time in double quotes.";

/// Signs of money, next to an amount.
const MONEY: &[&str] = &["#", "$", "€", "£", "¥"];

/// Units of amounts. A number before one says nothing about time.
#[rustfmt::skip]
const MEASURES: &[&str] = &[
    "bucks", "calories", "cl", "cm", "dl", "dollars", "eur", "euro", "euros", "gb", "gbp", "grams", "kcal", "kg", "kilometers", "kilos", "km", "kwh", "lbs", "liters", "litres", "mb", "mcg",
    "meters", "mg", "miles", "ml", "mm", "oz", "percent", "pounds", "tb", "usd",
    "franken", "gramm", "kilometer", "kilo", "liter", "meter", "prozent",
];

/// Words before a number that may say when.
const BEFORE_NUMBERS: &[&str] = &[
    "at", "by", "on", "in", "for", "to", "until", "between", "than", "@", "around", "about", "-",
    "/", ":", ".", "+", "&", "of", "from",
];

/// Words between which and a number is "than": "older than 30 days".
#[rustfmt::skip]
const COMPARED: &[&str] = &["bigger", "fewer", "higher", "larger", "longer", "lower", "more", "newer", "older", "smaller", "größer", "kleiner", "länger", "älter"];

/// What may follow a number of a name that is no amount.
const BEHIND_NAMES: &[&str] = &["", "!", ")", ",", ".", "?", "at", "each", "every"];

impl Rest<'_> {
    /// Refuses a number unless it belongs to the task: "take 2 pills", "zoom call with team 4".
    pub(super) fn check_number(&self, at: usize) -> Result<(), Refusal> {
        let before = at.checked_sub(1).map_or("", |before| self.text(before));
        let next = self.own(at + 1);
        let is_glued_next = self.is_glued(at + 1);
        let is_vitamin =
            matches!(before, "b" | "d" | "k") && at > 1 && self.text(at - 2) == "vitamin";
        let is_in_word = at > 0 && self.is_in_word(at - 1);
        if is_in_word {
            return Ok(());
        }
        let is_name = (is_vitamin || MONEY.contains(&before)) && self.is_glued(at);
        if is_name || MONEY.contains(&next) && next != "#" || self.is_amount(at) {
            return Ok(());
        }
        // "2nd" that belongs to no part, and units such as "5d".
        let is_short = is_glued_next
            && self.tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Word)
            && (matches!(next, "st" | "nd" | "rd" | "th") || next.chars().count() == 1);
        if is_short {
            let is_plain = names::is_letter(next)
                && !BEFORE_NUMBERS.contains(&before)
                && (at == 0 || !self.is_left(at - 1) || self.suspicion(at - 1).is_none());
            return if is_plain { Ok(()) } else { Err(self.refuse(at, UNREAD)) };
        }
        let is_glued_sign = self.tokens.get(at + 1).is_some_and(|token| {
            token.is_glued && token.kind != Kind::Word && !matches!(next, "," | "." | "%" | ")")
        });
        let is_counting = self.is_ordinary(at + 1)
            && !BEFORE_NUMBERS.contains(&before)
            && !is_glued_sign
            && (before != "and" || !self.begins_nothing(at));
        if is_counting && (!self.ends_part(at) || self.counts_behind_time(at))
            || self.is_of_range(at)
            || self.is_target(at)
            || self.is_compared(at)
            || !is_glued_sign && self.names_something(at)
        {
            return Ok(());
        }
        Err(self.refuse(at, UNREAD))
    }

    fn begins_nothing(&self, at: usize) -> bool {
        at >= 2 && self.ends_part(at - 1)
    }

    /// Returns whether a number is an amount: "for 20 euros", "um 8 Uhr 10 km laufen".
    fn is_amount(&self, at: usize) -> bool {
        let next = self.own(at + 1);
        let is_left = self.is_left(at + 1);
        is_left && MEASURES.contains(&next)
    }

    /// Returns whether a number directly behind a time counts something: "every day at 8am 2
    /// reports". In "um 8 Uhr 30 Brote kaufen", it may be the minutes.
    fn counts_behind_time(&self, at: usize) -> bool {
        let last = at.checked_sub(1).map_or("", |last| self.text(last));
        let is_time = |found: &Found| found.tokens.1 == at && matches!(found.clause, Clause::At(_));
        let digits = self.text(at);
        let next = self.own(at + 1);
        let is_plural = next.ends_with('s') && !next.ends_with("ss");
        self.found.iter().any(is_time)
            && match last {
                "uhr" if at > 2 && self.text(at - 3) == ":" => true,
                "uhr" => digits.len() == 1 && digits != "1",
                _ => matches!(last, "am" | "pm") && is_plural && digits != "1",
            }
    }

    /// Returns whether a number is the second of "6 out of 49".
    fn is_of_range(&self, at: usize) -> bool {
        let is_number =
            |at: usize| self.tokens.get(at).is_some_and(|token| token.kind == Kind::Number);
        let back = |back: usize| at.checked_sub(back);
        let is_out_of = back(3).is_some_and(is_number)
            && self.text(at - 2) == "out"
            && self.text(at - 1) == "of";
        let is_aus = back(2).is_some_and(is_number) && self.own(at - 1) == "aus";
        (is_out_of || is_aus) && self.is_left(at) && self.ends_name(at + 1)
    }

    /// Returns whether a number is what the task sets: "scale workers to 10", "heat to 21 degrees".
    fn is_target(&self, at: usize) -> bool {
        let follows_word = at > 1 && self.text(at - 1) == "to" && self.is_ordinary(at - 2);
        follows_word
            && !self.has_interval()
            && names::may_be_numbered(self.text(at - 2))
            && self.ends_name(at + 1)
            && self.is_complete()
    }

    /// Returns whether a number is a limit of the task: "delete logs older than 30 days".
    pub(super) fn is_compared(&self, at: usize) -> bool {
        at > 1
            && matches!(self.own(at - 1), "than" | "als")
            && COMPARED.contains(&self.own(at - 2))
            && self.is_left(at - 2)
            && !self.has_part_before(at)
            && self.has_time()
    }

    fn has_interval(&self) -> bool {
        let is_short = |cycle: &Cycle| matches!(cycle, Cycle::Seconds(_));
        self.found
            .iter()
            .any(|found| matches!(&found.clause, Clause::Cycle { cycle, .. } if is_short(cycle)))
    }

    /// Returns whether "from" says from where in a sentence that cannot have hours: "pick up the
    /// kids from school every weekday at 15:10".
    pub(super) fn is_from_place(&self, at: usize) -> bool {
        let has_article = matches!(self.text(at + 1), "the" | "my" | "a");
        let place = if has_article { at + 2 } else { at + 1 };
        let is_plain = |at: usize| self.is_ordinary(at) && names::may_be_numbered(self.text(at));
        at > 0
            && is_plain(at - 1)
            && is_plain(place)
            && self.ends_name(place + 1)
            && !matches!(self.own(place + 1), "ab" | "an" | "onward" | "onwards")
            && (self.language == crate::Language::German || !self.has_part_before(at))
            && !self.has_interval()
            && self.is_complete()
    }

    /// Returns whether what follows a number leaves it to the noun before it.
    fn ends_name(&self, end: usize) -> bool {
        BEHIND_NAMES.contains(&self.text(end)) || self.is_ordinary(end)
    }

    /// Returns whether a number can only name what the word before it says: "zoom call with team
    /// 4", "take bus 142". A small number can only do so if the sentence says when without it.
    fn names_something(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        let Some(number) = self.tokens.get(at).filter(|token| token.kind == Kind::Number) else {
            return false;
        };
        if !self.is_ordinary(before) || !names::may_be_numbered(self.text(before)) {
            return false;
        }
        let digits = number.text.as_str();
        let is_year = digits.len() == 4 && digits.starts_with("20");
        let is_large = digits.len() > 2 || number.value().is_some_and(|value| value > 31);
        match is_large && !names::may_be_time(digits) {
            true => !is_year && (self.ends_name(at + 1) || self.begins_part(at + 1)),
            false => {
                !is_year && !digits.starts_with('0') && self.ends_name(at + 1) && self.is_complete()
            }
        }
    }

    /// Returns whether the sentence gives one time of day and one kind of days, or an interval
    /// within the day without hours.
    pub(super) fn is_complete(&self) -> bool {
        let is_interval =
            |found: &Found| matches!(found.clause, Clause::Cycle { cycle: Cycle::Seconds(_), .. });
        let mut times = self.found.iter().filter_map(|found| match &found.clause {
            Clause::At(times) => Some(times.len()),
            _ => None,
        });
        let has_one = times.next() == Some(1) && times.next().is_none();
        let days = self.found.iter().filter(|found| says_day(&found.clause)).count();
        let has_bounds = self.found.iter().any(|found| {
            matches!(found.clause, Clause::Window(..) | Clause::From(_) | Clause::Until(_))
        });
        // "pills 8 every day and at 8pm"
        let is_listed = |at: &usize| self.text(*at) == "and" && self.begins_part(at + 1);
        !self.left.iter().any(is_listed) && days == 1 && has_one
            || !has_bounds && self.found.iter().any(is_interval)
    }

    /// Returns whether a part gives a time of day, or an interval within the day.
    pub(super) fn has_time(&self) -> bool {
        self.found.iter().any(|found| {
            matches!(
                found.clause,
                Clause::At(_) | Clause::Window(..) | Clause::Cycle { cycle: Cycle::Seconds(_), .. }
            )
        })
    }

    /// Returns whether the sentence says "every month" or "every year", and not on which day.
    fn lacks_day(&self) -> bool {
        let is_long = |found: &Found| {
            matches!(
                found.clause,
                Clause::Cycle { cycle: Cycle::Months(_) | Cycle::Quarterly | Cycle::Years(_), .. }
            )
        };
        self.found.iter().any(is_long) && !self.found.iter().any(|found| says_day(&found.clause))
    }

    fn is_glued(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_glued)
    }

    /// Returns whether a token belongs to a name with a number, and is thus no part of the schedule.
    ///
    /// # Errors
    /// Returns an error if the number may be the time that the phrase lacks.
    pub(super) fn check_name(&self, at: usize) -> Result<bool, Refusal> {
        let Some(name) = self.names.iter().find(|name| name.start <= at && at < name.end) else {
            return Ok(false);
        };
        if name.may_be_time && (!self.has_time() || self.lacks_day()) {
            return Err(self.refuse(name.end - 1, UNREAD));
        }
        Ok(true)
    }
}

/// Returns whether a part says on which days the task runs.
pub(super) fn says_day(clause: &Clause) -> bool {
    match clause {
        Clause::Cycle { cycle, .. } => matches!(cycle, Cycle::Days(_)),
        Clause::Weekdays { .. }
        | Clause::Day(_)
        | Clause::Dates(_)
        | Clause::MonthDays { .. }
        | Clause::OrdinalWeekday { .. }
        | Clause::Nth { .. } => true,
        _ => false,
    }
}
