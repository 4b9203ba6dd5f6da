//! What a schedule leaves out.

use super::{Parsed, Parser};
use crate::clause::{Clause, Exception, Months, Weekdays};
use crate::leftover::NO_HOLIDAYS;
use crate::limits::MAX_LIST;
use crate::words;
use crate::{Reason, Refusal};

const EXCEPT: &[&str] = &[
    "with the exception of",
    "except for",
    "except",
    "excluding",
    "but not",
    "other than",
    "apart from",
    "besides",
    "skipping",
    "skip",
    "minus",
    "without",
    "unless it is a",
    "unless it's a",
    "unless it is",
    "unless it's",
    "never on",
];

/// Words after "not" if it leaves something out: "not on sundays".
const BEHIND_NOT: &[&str] = &["on", "in", "during", "between"];

/// Words before an exception.
const PLACES: &[&str] = &["on", "in", "at", "during", "throughout", "of"];

/// Words before "holidays".
const KINDS_OF_HOLIDAYS: &[&str] =
    &["public", "bank", "national", "federal", "school", "legal", "statutory", "all", "any"];

/// What becomes of a run that is left out, and its name in the API.
const INSTEAD: &[(&str, &str)] = &[
    ("moved to the next day", "next"),
    ("moved to the next working day", "next"),
    ("moved to the previous day", "previous"),
    ("moved to the previous working day", "previous"),
];

const UNKNOWN: &str = "This exception is not understood: it may name days of the week, months, days of every month, dates such as \
                       24 December, times such as 12:00 to 13:00, and calendars.";

/// The place of the items in their list.
#[derive(Default)]
struct Place {
    /// Whether a word such as "on" comes before the first item.
    has_word: bool,
    /// Whether the item before is a time of day: "at 12 and 13".
    is_time: bool,
}

impl Parser<'_> {
    /// Parses `except sundays`, `except the 24th of december`, `except between 12:00 and 13:00`,
    /// `except fridays in december and on christmas day`, `except "12-24, SAT" moved to the next
    /// day`.
    pub(super) fn exceptions(&mut self) -> Parsed<Vec<Clause>> {
        let start = self.at;
        self.take_symbol("(");
        let next = self.word(1);
        let is_plural = matches!(words::weekday(next), Some((_, true)))
            || matches!(next, "weekends" | "weekdays" | "holidays");
        let is_not = self.word(0) == "not" && (is_plural || BEHIND_NOT.contains(&next));
        let is_no = self.word(0) == "no" && is_plural;
        // The words may belong to the description.
        let is_loose =
            matches!(self.word(0), "skip" | "without" | "besides" | "minus" | "unless" | "never")
                || self.word(0) == "but" && self.word(1) != "not"
                || is_not
                || is_no;
        // "every day but sunday"
        let is_it = (is_not || is_no) && self.take_any(&["not", "no"])
            || self.take_any(EXCEPT)
            || self.take("but");
        if !is_it {
            return Ok(None);
        }
        let mut items = self.excepted_list(start)?;
        if items.is_empty() && is_loose {
            return Ok(None);
        }
        let goes_on = matches!(
            self.word(0),
            "in" | "of"
                | "next"
                | "this"
                | "the"
                | "during"
                | "when"
                | "if"
                | "run"
                | "one"
                | "week"
        ) && !self.is_zone_next()?;
        let lacks_month = matches!(items.last(), Some(Exception::MonthDay { .. }))
            && words::month(self.word(0)).is_some();
        if items.is_empty() || goes_on || lacks_month {
            self.at += 1;
            return Err(self.refusal(Reason::Unsupported, start, UNKNOWN));
        }
        let comma = usize::from(self.is_symbol(0, ","));
        self.at += comma;
        match INSTEAD.iter().find(|(words, _)| self.take(words)) {
            Some((_, instead)) => items.push(Exception::Instead(instead)),
            None => self.at -= comma,
        }
        Ok(Some(vec![Clause::Except(items)]))
    }

    fn is_zone_next(&mut self) -> Result<bool, Refusal> {
        let start = self.at;
        let is_zone = self.zone()?.is_some();
        self.at = start;
        Ok(is_zone)
    }

    /// Parses the items of an exception that begins at `start`.
    fn excepted_list(&mut self, start: usize) -> Result<Vec<Exception>, Refusal> {
        let mut items: Vec<Exception> = Vec::new();
        let mut place = Place::default();
        // In "except weekends, from 9 to 5", the hours may be those of the schedule, and in "except
        // weekends, from 9 to 5 and on christmas day", they are not: the first token and the item.
        let mut open: Option<(usize, Exception)> = None;
        while items.len() < MAX_LIST {
            let before = self.at;
            let comma = !items.is_empty() && self.take_symbol(",");
            let and = !items.is_empty()
                && (self.take("and") || self.take_symbol("&") || self.take_symbol("+"));
            if !items.is_empty() && !comma && !and {
                break;
            }
            let begins_range = matches!(self.word(0), "from" | "between");
            let found = self.exception(start, &mut place, items.is_empty())?;
            // In "every weekday, except friday, at 9am", the time is that of the schedule.
            let is_time = |first: &&Exception| {
                !and && matches!(first, Exception::At(_))
                    && items.last().is_some_and(|last| !first.is_like(last))
            };
            let Some(first) = found.first().filter(|first| !is_time(first)) else {
                self.at = before;
                break;
            };
            // "fridays in december and in january"
            let is_more = matches!(first, Exception::Months(_))
                && matches!(items.last(), Some(Exception::WeekdaysIn(..)));
            if is_more {
                let message = "Are these whole months, or the months of the days before them?";
                return Err(self.refusal(Reason::NotUnderstood, before + 1, message));
            }
            self.check_day_of_date(items.last(), first, before, and)?;
            if and && open.as_ref().is_some_and(|(_, of)| !first.is_like(of)) {
                open = None;
            }
            if !and
                && items.last().is_some_and(|last| !first.is_like(last))
                && (begins_range || may_be_schedule(first))
            {
                open = Some((before + 1, first.clone()));
            }
            items.extend(found);
        }
        let Some((at, _)) = open else { return Ok(items) };
        let message = "Is this left out as well? If it is, write \"and\" before it. If it is not, write it before \"except\".";
        let refusal = self.refusal(Reason::NotUnderstood, at, message);
        let belongs_at = self.tokens.get(start).map(|token| token.span.start);
        Err(Refusal { belongs_at, ..refusal })
    }

    /// Parses one item, which may be several dates of one month; nothing if there is none.
    fn exception(
        &mut self,
        start: usize,
        place: &mut Place,
        is_first: bool,
    ) -> Result<Vec<Exception>, Refusal> {
        let before = self.at;
        let found = self.placed_exception(start, place, is_first)?;
        if found.is_empty() {
            self.at = before;
        }
        place.is_time = matches!(found.last(), Some(Exception::At(_)));
        Ok(found)
    }

    fn placed_exception(
        &mut self,
        start: usize,
        place: &mut Place,
        is_first: bool,
    ) -> Result<Vec<Exception>, Refusal> {
        if let Some(items) = self.quoted() {
            return Ok(vec![Exception::Quoted(items)]);
        }
        if let Some(calendars) = self.attempt(Self::calendars)? {
            place.has_word = true;
            return Ok(calendars);
        }
        let first = self.word(0);
        if is_first {
            place.has_word = PLACES.contains(&first) || matches!(first, "from" | "between");
        }
        if let Some(date) = self.attempt(Self::dated_weekday)? {
            return Ok(vec![date]);
        }
        // These parse the words before them.
        let is_every = matches!(first, "every" | "each");
        self.at += usize::from(is_every);
        let dates = self.attempt(|parser| parser.excepted_dates(is_every))?;
        if let Some(dates) = dates {
            return Ok(dates);
        }
        if !is_every {
            if let Some(months) = self.attempt(Self::excepted_months)? {
                return Ok(vec![Exception::Months(months)]);
            }
            let window = self.attempt(Self::windows)?;
            if let Some([Clause::Window(first, last)]) = window.as_deref() {
                return Ok(vec![Exception::Times(*first, *last)]);
            }
        }
        let has_at = self.word(0) == "at";
        let is_second = !is_every && self.take_any(PLACES) && !is_first && !place.has_word;
        let has_every = is_every || self.take_any(&["every", "each"]);
        if has_every && self.word(0) == "the" {
            return Ok(Vec::new());
        }
        self.take_any(&["the", "any", "all"]);
        self.check_holidays(start)?;
        if let Some(nth) = self.attempt(Self::excepted_count)? {
            return Ok(vec![nth]);
        }
        let days = match self.singular_group() {
            Some(days) => Some(days),
            None => self.day_set(false).map(|set| set.days),
        };
        if let Some(days) = days {
            // In "every day except monday and on tuesday", Tuesday may be a day of the schedule.
            // "außer montags und am Wochenende" is clear.
            let is_group = self.habits.has_day_first && days == Weekdays::WEEKEND;
            if is_second && !is_group || has_every && !is_first {
                return Ok(Vec::new());
            }
            return Ok(vec![self.in_months(days)?]);
        }
        if let Some(clock) = self.attempt(|parser| parser.clock(has_at || place.is_time))? {
            // A range of hours begins here: "12 to 13".
            let goes_on = self.is_symbol(0, "-") || self.word(0) == "to";
            return Ok(if goes_on { Vec::new() } else { vec![Exception::At(clock)] });
        }
        Ok(self.month_day().into_iter().collect())
    }

    /// Refuses "except monday, 7 and 8 december": the day of the week may belong to the dates.
    fn check_day_of_date(
        &self,
        last: Option<&Exception>,
        next: &Exception,
        joint: usize,
        has_and: bool,
    ) -> Result<(), Refusal> {
        let is_singular = |at: usize| {
            let word = self.tokens.get(at).map_or("", |token| token.text.as_str());
            matches!(words::weekday(word), Some((_, false)))
        };
        let is_date =
            |item: &Exception| matches!(item, Exception::Dates { .. } | Exception::Numeric { .. });
        let is_open = match (last, next) {
            (Some(Exception::Weekdays(_)), date) if is_date(date) => {
                joint.checked_sub(1).is_some_and(is_singular)
            }
            (Some(date), Exception::Weekdays(_)) if is_date(date) => {
                self.at.checked_sub(1).is_some_and(is_singular)
            }
            _ => false,
        };
        if has_and || !is_open {
            return Ok(());
        }
        let message = "Is this the day of the week of the date, or is every such day left out? Write \"mondays\" if it is.";
        Err(self.refusal(Reason::NotUnderstood, joint, message))
    }

    /// Parses `calendar "de-holidays"`, `in the calendars "de-holidays" and "office"`.
    fn calendars(&mut self) -> Parsed<Vec<Exception>> {
        self.take_any(&["on days of", "on", "in"]);
        self.take("the");
        let start = self.at;
        let is_plural = self.take("calendars");
        if !is_plural && !self.take("calendar") {
            return Ok(None);
        }
        let names = self.list(|parser, is_first| {
            Ok(if is_first || is_plural { parser.quoted() } else { None })
        })?;
        if names.is_empty() {
            let message =
                "Write the name of the calendar in double quotes, as in calendar \"de-holidays\".";
            return Err(self.refusal(Reason::NotUnderstood, start, message));
        }
        Ok(Some(names.into_iter().map(Exception::Calendar).collect()))
    }

    /// Refuses `public holidays`.
    fn check_holidays(&mut self, start: usize) -> Result<(), Refusal> {
        let before = self.at;
        self.take_any(KINDS_OF_HOLIDAYS);
        if self.take_any(&["holidays", "holiday", "easter", "thanksgiving"]) {
            return Err(self.refusal(Reason::Unsupported, start, NO_HOLIDAYS));
        }
        self.at = before;
        Ok(())
    }

    /// Parses the months after days of the week: `fridays in december`.
    fn in_months(&mut self, days: Weekdays) -> Result<Exception, Refusal> {
        let months = self.attempt(|parser| {
            if !parser.take_any(&["in", "of", "during", "throughout"]) {
                return Ok(None);
            }
            parser.month_list(false)
        })?;
        Ok(months.map_or(Exception::Weekdays(days), |months| Exception::WeekdaysIn(days, months)))
    }

    /// Parses `in august`, `from june to august`, `november through january`.
    fn excepted_months(&mut self) -> Parsed<Months> {
        let is_between = self.take("between");
        let is_from = !is_between && self.take("from");
        if !is_between && !is_from {
            self.take_any(&["in", "during", "throughout", "for"]);
            self.take_any(&["all of", "the month of"]);
        }
        let Some(first) = words::month(self.word(0)) else { return Ok(None) };
        self.at += 1;
        let joint = self.at;
        let is_range = if is_between { self.take("and") } else { self.take_range_word(is_from) };
        let last = words::month(self.word(0)).filter(|_| is_range);
        match last {
            Some(_) => self.at += 1,
            None if is_between || is_from => return Ok(None),
            None => self.at = joint,
        }
        let is_date = self.token(0).is_some_and(|next| next.value().is_some());
        let months = last.map_or(Months::one(first), |last| Months::range(first, last));
        Ok((!is_date).then_some(months))
    }

    /// Parses `first and third friday of the month`, `last day of march`.
    fn excepted_count(&mut self) -> Parsed<Exception> {
        let which = self.ordinals()?;
        let weekday = words::weekday(self.word(0)).map(|(day, _)| day);
        if which.is_empty() || weekday.is_none() && !matches!(self.word(0), "day" | "days") {
            return Ok(None);
        }
        self.at += 1;
        let most = if weekday.is_some() { 5 } else { 31 };
        let is_every = self.take_any(&[
            "of the month",
            "of each month",
            "of every month",
            "of a month",
            "in the month",
            "each month",
            "every month",
        ]);
        let months = if is_every {
            None
        } else {
            if !self.take_any(&["of", "in"]) {
                return Ok(None);
            }
            let Some(months) = self.month_list(false)? else { return Ok(None) };
            Some(months)
        };
        let exists = which.iter().all(|number| (-5..=most).contains(number));
        Ok(exists.then_some(Exception::Nth { which, weekday, months }))
    }

    /// Parses a day of every month: `1st`, `1st of the month`.
    fn month_day(&mut self) -> Option<Exception> {
        // "the first" may mean anything.
        let is_number = self.token(0).is_some_and(|token| token.value().is_some());
        let day = self.ordinal().filter(|day| is_number && (1..=31).contains(day))?;
        let has_month = self.take_any(&["of the month", "of each month", "of every month"]);
        Some(Exception::MonthDay { day: day.unsigned_abs(), has_month })
    }
}

/// Returns whether an item may also be a part of a schedule.
fn may_be_schedule(item: &Exception) -> bool {
    !matches!(
        item,
        Exception::Dates { .. }
            | Exception::Numeric { .. }
            | Exception::Quoted(_)
            | Exception::Calendar(_)
    )
}
