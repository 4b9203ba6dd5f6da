//! Days and points of the calendar, and the start and end of a recurring schedule.

use super::context::Local;
use super::time_of_day::{self, TimeOfDay};
use super::{Picks, Sentence};
use crate::clause::{Amount, Counted, Day, NthMonth, Period, Point, Weekdays, Which};
use crate::clock_text;
use crate::words::Unit;
use crate::{Reason, Refusal, Schedule, Span, Time, calendar};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// For so many days, a date without a year may be meant as the past one.
const RECENT_DAYS: i64 = 31;

/// A bound: a local time or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Local(NaiveDateTime),
    Instant(i64),
}

impl Bound {
    pub(super) fn text(self) -> Time {
        match self {
            Self::Local(time) => local_text(time),
            Self::Instant(instant) => instant_text(instant),
        }
    }

    pub(super) fn instant(self, local: &Local<'_>) -> i64 {
        match self {
            Self::Local(time) => calendar::instant(time, local.zone),
            Self::Instant(instant) => instant,
        }
    }
}

pub(super) fn local_text(time: NaiveDateTime) -> Time {
    Time::Text(clock_text::local(time))
}

pub(super) fn instant_text(instant: i64) -> Time {
    Time::Text(calendar::shown(instant))
}

/// The start and end of a recurring schedule.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    pub(super) start: Option<Bound>,
    pub(super) end: Option<Bound>,
}

impl Bounds {
    pub(super) fn put(self, schedule: &mut Schedule) {
        if let Some(start) = self.start {
            schedule.start_at = Some(start.text());
        }
        schedule.end_at = self.end.map(Bound::text);
    }
}

/// Returns the bounds of a sentence. `ignores_length` is set if the length is that of the task and
/// not of the schedule.
pub(super) fn bounds(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
    ignores_length: bool,
) -> Result<Bounds, Refusal> {
    if let Some((period, span)) = sentence.within {
        return within(period, span, local);
    }
    let start = match sentence.from {
        Some((point, span)) => start_of(point, span, local, picks)?,
        None => None,
    };
    let end = match (sentence.until, sentence.lasting.filter(|_| !ignores_length)) {
        (Some((point, span)), _) => Some(end_of(point, span, local, picks)?),
        (None, Some((amount, span))) => {
            let (base, is_open) = match start {
                Some(Bound::Local(start)) => (start, true),
                Some(Bound::Instant(_)) => {
                    return local.refuse(Reason::Unsupported, span, "Give the end as a time, too.");
                }
                None => (local.now, false),
            };
            let end = add(base, amount).ok_or_else(|| out_of_range(span))?;
            // A number of days that are counted from the start ends before the next day begins.
            Some(Bound::Local(if is_open { end - TimeDelta::seconds(1) } else { end }))
        }
        (None, None) => None,
    };
    Ok(Bounds { start, end })
}

/// Returns the first and the last moment of a period.
fn within(period: Period, span: Span, local: &Local<'_>) -> Result<Bounds, Refusal> {
    let today = local.today();
    let this_week = Days::new(u64::from(today.weekday().num_days_from_monday()));
    let first_of = |year: i32, month: u32| NaiveDate::from_ymd_opt(year, month, 1);
    let months_on = |first: Option<NaiveDate>, months: u32| {
        first.and_then(|first| first.checked_add_months(Months::new(months)))
    };
    let (first, after) = match period {
        Period::Ahead(Unit::Week, weeks) => {
            let ahead = |weeks: u32| {
                today.checked_sub_days(this_week)?.checked_add_days(Days::new(u64::from(weeks) * 7))
            };
            (ahead(weeks), ahead(weeks + 1))
        }
        Period::Ahead(Unit::Month, months) => {
            let this = first_of(today.year(), today.month());
            (months_on(this, months), months_on(this, months + 1))
        }
        Period::Ahead(_, years) => {
            let year = |years: u32| first_of(today.year() + i32::try_from(years).ok()?, 1);
            (year(years), year(years + 1))
        }
        Period::Month { month, year } => {
            let first = first_of(year, u32::from(month));
            (first, months_on(first, 1))
        }
        Period::Year(year) => (first_of(year, 1), first_of(year.saturating_add(1), 1)),
    };
    let (Some(first), Some(after)) = (first, after) else { return Err(out_of_range(span)) };
    let start = first.and_time(NaiveTime::MIN);
    let end = after.and_time(NaiveTime::MIN) - TimeDelta::seconds(1);
    if end < local.now {
        return local.refuse(Reason::Past, span, "This time is past.");
    }
    Ok(Bounds {
        start: (start > local.now).then_some(Bound::Local(start)),
        end: Some(Bound::Local(end)),
    })
}

fn out_of_range(span: Span) -> Refusal {
    Refusal::new(Reason::Impossible, span, "This is beyond the calendar of the scheduler.")
}

pub(super) fn start_of(
    point: Point,
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Option<Bound>, Refusal> {
    if let Some(instant) = point.instant {
        return Ok(Some(Bound::Instant(instant)));
    }
    let Some(day) = point.day else {
        let Some(clock) = point.time else { return Ok(None) };
        // "starting at 9am": the next time that the clock shows nine.
        let time = time_of_day::time(clock, &[], None, span, picks)?;
        return Ok(Some(Bound::Local(next_at(time, local))));
    };
    let date = date(day, span, local, picks)?;
    check_weekday(point, date, span)?;
    check_recent(day, date, span, local)?;
    let time =
        point.time.map(|clock| time_of_day::time(clock, &[], None, span, picks)).transpose()?;
    Ok(Some(Bound::Local(date.and_time(time.map_or(NaiveTime::MIN, TimeOfDay::naive)))))
}

/// Refuses "monday, 22 september" if that is a Tuesday.
fn check_weekday(point: Point, date: NaiveDate, span: Span) -> Result<(), Refusal> {
    let named = point.weekday.map(u32::from);
    if named.is_some_and(|named| named != date.weekday().num_days_from_monday()) {
        return Err(Refusal::new(Reason::Conflict, span, "This date is another day of the week."));
    }
    Ok(())
}

/// Refuses a date without a year that has just passed: "until 24 november" on the day after is hardly
/// that of the next year.
fn check_recent(day: Day, date: NaiveDate, span: Span, local: &Local<'_>) -> Result<(), Refusal> {
    let has_no_year = matches!(day, Day::Date { year: None, .. } | Day::Numeric { year: None, .. });
    let last = date.with_year(date.year() - 1).filter(|last| has_no_year && *last < local.today());
    if last.is_some_and(|last| (local.today() - last).num_days() <= RECENT_DAYS) {
        return local.refuse(Reason::Past, span, "This date has just passed: give the year.");
    }
    Ok(())
}

pub(super) fn end_of(
    point: Point,
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Bound, Refusal> {
    if let Some(instant) = point.instant {
        return Ok(Bound::Instant(instant));
    }
    let Some(day) = point.day else {
        return local.refuse(
            Reason::Missing,
            span,
            "Name the day of the end as well, or write \"between 9:00 and 17:00\" for each day.",
        );
    };
    let last_second = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
    let time =
        point.time.map(|clock| time_of_day::time(clock, &[], None, span, picks)).transpose()?;
    let first = date(day, span, local, picks)?;
    check_weekday(point, first, span)?;
    check_recent(day, first, span, local)?;
    if time.is_some() && matches!(day, Day::Month { .. } | Day::StartOfNext(_)) {
        return local.refuse(Reason::NotUnderstood, span, "Name the day of the end.");
    }
    let end = match (day, time) {
        (_, Some(time)) => first.and_time(time.naive()),
        (Day::Month { .. }, None) => {
            let before = first.pred_opt().ok_or_else(|| out_of_range(span))?;
            let last = last_of_month(first).ok_or_else(|| out_of_range(span))?;
            let options =
                vec![(last, format!("through {last}")), (before, format!("up to {before}"))];
            picks
                .choose(span, "Does the month of the end belong to it?", options)?
                .and_time(last_second)
        }
        (Day::StartOfNext(unit), None) => {
            let before = first.pred_opt().ok_or_else(|| out_of_range(span))?;
            let length = match unit {
                Unit::Week => Amount { days: 7, ..Amount::default() },
                Unit::Month => Amount { months: 1, ..Amount::default() },
                _ => Amount { months: 12, ..Amount::default() },
            };
            let last =
                add(before.and_time(last_second), length).ok_or_else(|| out_of_range(span))?.date();
            let options =
                vec![(last, format!("through {last}")), (before, format!("up to {before}"))];
            picks
                .choose(span, "Does the period of the end belong to it?", options)?
                .and_time(last_second)
        }
        (Day::In(1), None) => {
            let today = local.today();
            let options = vec![
                (first, format!("through {first}")),
                (today, format!("up to the end of {today}")),
            ];
            picks.choose(span, "Does tomorrow belong to it?", options)?.and_time(last_second)
        }
        (
            Day::LastOf { .. }
            | Day::LastOfAhead(_)
            | Day::EndOfWeek
            | Day::EndOfQuarter { .. }
            | Day::EndOfYear
            | Day::In(0),
            None,
        ) => first.and_time(last_second),
        _ => {
            picks.assume(5, format!("The last day, {first}, belongs to it."));
            first.and_time(last_second)
        }
    };
    if end < local.now {
        return local.refuse(Reason::Past, span, "The end is past.");
    }
    Ok(Bound::Local(end))
}

/// Returns the next local time at which the clock shows `time`.
pub(super) fn next_at(time: TimeOfDay, local: &Local<'_>) -> NaiveDateTime {
    let today = local.today().and_time(time.naive());
    if today > local.now { today } else { today + TimeDelta::days(1) }
}

/// Returns a date.
pub(super) fn date(
    day: Day,
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<NaiveDate, Refusal> {
    let today = local.today();
    let found = match day {
        Day::In(days) => today.checked_add_days(Days::new(u64::from(days))),
        Day::Date { day, month, year } => return dated(day, month, year, span, local),
        Day::Numeric { first, second, year } => {
            let (day, month) = day_and_month(first, second, span, picks)?;
            return dated(day, month, year, span, local);
        }
        Day::FromWeekday { weekday, days } => {
            let base = chosen_weekday(weekday, Which::Coming, span, local, picks)?;
            base.checked_add_days(Days::new(u64::from(days)))
        }
        Day::NextYear { day, month } => {
            NaiveDate::from_ymd_opt(today.year() + 1, u32::from(month), u32::from(day))
        }
        Day::OfMonthAhead { day, months } => today
            .with_day(1)
            .and_then(|first| first.checked_add_months(Months::new(months)))
            .and_then(|month| month.with_day(u32::from(day))),
        Day::Weekday(weekday, which) => return chosen_weekday(weekday, which, span, local, picks),
        Day::OfMonth(day) => (0..24).find_map(|ahead| {
            let month = today.with_day(1)?.checked_add_months(Months::new(ahead))?;
            month.with_day(u32::from(day)).filter(|date| *date >= today)
        }),
        Day::Nth { which, of, month } => nth(which, of, month, today),
        Day::LastOfAhead(months) => today
            .with_day(1)
            .and_then(|first| first.checked_add_months(Months::new(months)))
            .and_then(last_of_month),
        Day::LastOf { month: None, .. } => last_of_month(today),
        Day::LastOf { month: Some(month), year } => {
            let first = dated_or_coming(1, month, year, today);
            // The first day of this month has passed, but its last has not.
            let this = NaiveDate::from_ymd_opt(today.year(), u32::from(month), 1)
                .filter(|_| year.is_none() && u32::from(month) == today.month());
            this.or(first).and_then(last_of_month)
        }
        Day::Month { month, year } => dated_or_coming(1, month, year, today),
        Day::EndOfWeek => {
            today.checked_add_days(Days::new(6 - u64::from(today.weekday().num_days_from_monday())))
        }
        Day::EndOfQuarter { .. } => {
            let last = today.month().div_ceil(3) * 3;
            NaiveDate::from_ymd_opt(today.year(), last, 1).and_then(last_of_month)
        }
        Day::EndOfYear => NaiveDate::from_ymd_opt(today.year(), 12, 31),
        Day::StartOfNext(Unit::Week) => {
            today.checked_add_days(Days::new(7 - u64::from(today.weekday().num_days_from_monday())))
        }
        Day::StartOfNext(Unit::Month) => {
            today.with_day(1).and_then(|first| first.checked_add_months(Months::new(1)))
        }
        Day::StartOfNext(_) => NaiveDate::from_ymd_opt(today.year() + 1, 1, 1),
    };
    found.ok_or_else(|| Refusal::new(Reason::Impossible, span, "There is no such date."))
}

/// Returns the day and month of a date in figures. Asks if there are two ways to read it.
pub(super) fn day_and_month(
    first: u8,
    second: u8,
    span: Span,
    picks: &mut Picks,
) -> Result<(u8, u8), Refusal> {
    let mut options = Vec::new();
    for (day, month) in [(first, second), (second, first)] {
        if NaiveDate::from_ymd_opt(2_024, u32::from(month), u32::from(day)).is_some()
            && !options.iter().any(|(known, _)| *known == (day, month))
        {
            let name = NaiveDate::from_ymd_opt(2_024, u32::from(month), u32::from(day))
                .map(clock_text::day_and_month);
            options.push(((day, month), name.unwrap_or_default()));
        }
    }
    if options.is_empty() {
        return Err(Refusal::new(Reason::Impossible, span, "There is no such date."));
    }
    picks.choose(span, "Which number is the day, and which the month?", options)
}

fn dated(
    day: u8,
    month: u8,
    year: Option<i32>,
    span: Span,
    local: &Local<'_>,
) -> Result<NaiveDate, Refusal> {
    let date = dated_or_coming(day, month, year, local.today());
    let date =
        date.ok_or_else(|| Refusal::new(Reason::Impossible, span, "There is no such date."))?;
    Ok(date)
}

fn dated_or_coming(day: u8, month: u8, year: Option<i32>, today: NaiveDate) -> Option<NaiveDate> {
    let in_year = |year| NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day));
    match year {
        Some(year) => in_year(year),
        // A leap day is at most eight years away.
        None => {
            (0..=8).find_map(|ahead| in_year(today.year() + ahead).filter(|date| *date >= today))
        }
    }
}

/// Returns a day that is counted within a month, such as its second Friday.
fn nth(which: i8, of: Counted, month: NthMonth, today: NaiveDate) -> Option<NaiveDate> {
    let counts = |day: &NaiveDate| {
        let weekday = day.weekday().num_days_from_monday() as u8;
        let days = match of {
            Counted::Weekdays(days) => days,
            Counted::WorkingDay => Weekdays::WORKING,
        };
        days.without(Weekdays::one(weekday)) != days
    };
    let within = |first: NaiveDate| {
        let all = first.iter_days().take_while(|day| day.month() == first.month());
        let days: Vec<NaiveDate> = all.filter(counts).collect();
        let at = usize::from(which.unsigned_abs()).checked_sub(1)?;
        if which > 0 { days.get(at) } else { days.iter().rev().nth(at) }.copied()
    };
    match month {
        NthMonth::Ahead(months) => {
            within(today.with_day(1)?.checked_add_months(Months::new(months))?)
        }
        NthMonth::In { month, year } => {
            let years = year.map_or(today.year()..=today.year() + 1, |year| year..=year);
            let mut days = years
                .filter_map(|year| within(NaiveDate::from_ymd_opt(year, u32::from(month), 1)?));
            days.find(|day| year.is_some() || *day >= today)
        }
    }
}

pub(super) fn last_of_month(date: NaiveDate) -> Option<NaiveDate> {
    date.with_day(1)?.checked_add_months(Months::new(1))?.pred_opt()
}

fn chosen_weekday(
    weekday: u8,
    which: Which,
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<NaiveDate, Refusal> {
    let today = local.today();
    let now = u64::from(today.weekday().num_days_from_monday());
    let weekday = u64::from(weekday);
    let after =
        |days: u64| today.checked_add_days(Days::new(days)).ok_or_else(|| out_of_range(span));
    let coming = (weekday + 7 - now) % 7;
    let in_next_week = weekday + 7 - now;
    let ahead: Vec<u64> = match which {
        Which::NextWeek => vec![in_next_week],
        Which::This if weekday < now => {
            return local.refuse(Reason::Past, span, "This day of the week is past.");
        }
        Which::This => vec![weekday - now],
        Which::Coming if coming == 0 => vec![0, 7],
        Which::Coming => vec![coming],
        Which::Next => {
            // The coming one; the one of the next week from Monday; the one of the next week from
            // Sunday.
            let from_sunday = (weekday + 1) % 7 + 7 - (now + 1) % 7;
            let mut all = vec![if coming == 0 { 7 } else { coming }, in_next_week, from_sunday];
            calendar::sort(&mut all);
            all.dedup();
            all
        }
    };
    let mut options = Vec::new();
    for days in ahead {
        let date = after(days)?;
        options.push((date, clock_text::day_and_date(date)));
    }
    picks.choose(span, "Which day do you mean?", options)
}

/// Returns `time` plus an amount; `None` if the month has no such day, or out of range.
pub(super) fn add(time: NaiveDateTime, amount: Amount) -> Option<NaiveDateTime> {
    time.checked_add_months(Months::new(amount.months))?
        .checked_add_days(Days::new(u64::from(amount.days)))?
        .checked_add_signed(TimeDelta::seconds(i64::from(amount.seconds)))
}
