//! What a sentence leaves out.
//!
//! Days of the week, months and days of every month change the days of the schedule, if those can
//! express it. Everything else becomes the field `exclude`.

use super::bounds::{Bound, add, day_and_month, end_of};
use super::context::Local;
use super::days::DaySpec;
use super::names::{CRON_DAYS, ICAL_DAYS, list};
use super::time_of_day::{TimeOfDay, time, window};
use super::{Context, Picks, Sentence};
use crate::clause::{Cycle, Ending, Exception, LeftOut, Months, Weekdays, YearlyOrNot};
use crate::{Exclude, Reason, Refusal, Span};
use chrono::{DateTime, Datelike, NaiveDate};

const YEARLY: &str = "The dates without a year are left out in every year.";

/// Removes from `spec` the days that the sentence leaves out, and returns the rest. Without a
/// `cycle`, the days of the schedule cannot express anything.
pub(super) fn except(
    sentence: &Sentence,
    spec: &mut DaySpec,
    cycle: Option<Cycle>,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Exclude, Refusal> {
    let mut exclude = Exclude::default();
    let Some((exceptions, span)) = &sentence.except else { return Ok(exclude) };
    let span = *span;
    let moves = exceptions.iter().any(|exception| matches!(exception, Exception::Instead(_)));
    let cycle = cycle.filter(|_| !moves);
    let mut exceptions = spread_months(exceptions, span, picks)?;
    name_months(&mut exceptions, span, picks)?;
    let (all_days, all_months) =
        (spec.weekdays.unwrap_or(Weekdays::ALL), spec.months.unwrap_or(Months::ALL));
    for exception in &exceptions {
        if is_idle(exception, all_days, all_months) {
            return all_or_none(local, span, "One of the exceptions leaves out nothing.");
        }
        if !restrict(exception, spec, cycle, span, local)? {
            leave_out(exception, &mut exclude, sentence, span, local, picks)?;
        }
    }
    Ok(exclude)
}

/// Returns whether an exception names a day of the week or a month that the schedule does not have.
/// It may belong to something else.
fn is_idle(exception: &Exception, all_days: Weekdays, all_months: Months) -> bool {
    let lacks_days = |days: Weekdays| !days.without(all_days).is_empty();
    let lacks_months = |months: Months| months.0 & !all_months.0 != 0;
    match exception {
        Exception::Weekdays(days) | Exception::WeekdaysUntil(days, _) => lacks_days(*days),
        Exception::WeekdaysIn(days, months) => lacks_days(*days) || lacks_months(*months),
        Exception::Months(months) => lacks_months(*months),
        Exception::Nth { weekday, .. } => weekday.is_some_and(|day| lacks_days(Weekdays::one(day))),
        _ => false,
    }
}

/// Removes the days of an exception from `spec`, and returns whether `spec` can express the rest.
fn restrict(
    exception: &Exception,
    spec: &mut DaySpec,
    cycle: Option<Cycle>,
    span: Span,
    local: &Local<'_>,
) -> Result<bool, Refusal> {
    match exception {
        Exception::Weekdays(days)
            if matches!(cycle, Some(Cycle::Seconds(_) | Cycle::Days(1) | Cycle::Weeks(1)))
                && spec.month_days.is_empty() =>
        {
            let all = spec.weekdays.unwrap_or(Weekdays::ALL);
            let rest = all.without(*days);
            if rest.is_empty() || rest == all {
                return all_or_none(local, span, "The exception leaves out all days, or none.");
            }
            spec.weekdays = Some(rest);
        }
        Exception::Months(months)
            if matches!(
                cycle,
                Some(Cycle::Seconds(_) | Cycle::Days(1) | Cycle::Weeks(1) | Cycle::Months(1))
            ) =>
        {
            let all = spec.months.unwrap_or(Months::ALL);
            let rest = Months(all.0 & !months.0);
            if rest.0 == 0 || rest == all {
                return all_or_none(local, span, "The exception leaves out all months, or none.");
            }
            spec.months = Some(rest);
        }
        Exception::MonthDay { day, .. }
            if matches!(cycle, Some(Cycle::Seconds(_) | Cycle::Days(1)))
                && spec.weekdays.is_none() =>
        {
            if spec.month_days.is_empty() {
                spec.month_days = (1..=31).collect();
            }
            spec.month_days.retain(|kept| u8::try_from(*kept) != Ok(*day));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Adds an exception to the field `exclude`.
fn leave_out(
    exception: &Exception,
    exclude: &mut Exclude,
    sentence: &Sentence,
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<(), Refusal> {
    match exception {
        Exception::Weekdays(days) => {
            let names = days.days().filter_map(|day| CRON_DAYS.get(usize::from(day)));
            exclude.weekdays.extend(names.map(|name| (*name).to_owned()));
        }
        Exception::Months(months) => exclude.dates.extend(months.months().map(whole_month)),
        Exception::WeekdaysUntil(days, ending) => {
            let last = last_moment(*ending, span, local, picks)?;
            let last = DateTime::from_timestamp_millis(last).unwrap_or_default();
            exclude.rules.push(format!(
                "FREQ=WEEKLY;BYDAY={};UNTIL={}",
                list(days.days().filter_map(ical_day)),
                last.format("%Y%m%dT%H%M%SZ")
            ));
        }
        Exception::WeekdaysIn(days, months) => exclude.rules.push(format!(
            "FREQ=YEARLY;BYMONTH={};BYDAY={}",
            list(months.months()),
            list(days.days().filter_map(ical_day))
        )),
        Exception::MonthDay { day, .. } => {
            exclude.rules.push(format!("FREQ=MONTHLY;BYMONTHDAY={day}"));
        }
        Exception::Nth { which, weekday, months } => {
            exclude.rules.push(rule_of_nth(which, *weekday, *months));
        }
        Exception::Dates { first, weekday: Some(weekday), .. } => {
            exclude.dates.push(date(year_of(*first, *weekday, span, local)?));
        }
        Exception::Dates { first, last, yearly, weekday: None } => {
            if *yearly == YearlyOrNot::Assumed {
                picks.assume(5, YEARLY);
            }
            let dates = if first == last {
                date(*first)
            } else {
                format!("{}/{}", date(*first), date(*last))
            };
            exclude.dates.push(dates);
        }
        Exception::Numeric { first, second, year } => {
            let (day, month) = day_and_month(*first, *second, span, picks)?;
            let day = LeftOut { day, month, year: *year };
            if year.is_none() {
                picks.assume(5, YEARLY);
            }
            exclude.dates.push(date(day));
        }
        Exception::Times(first, last) => {
            let (begin, end) = window(*first, *last, span, picks)?;
            if begin % 60 != 0 || end % 60 != 0 {
                let message = "Times that are left out have no seconds.";
                return local.refuse(Reason::Unsupported, span, message);
            }
            exclude.times.push(format!("{}-{}", minute(begin), minute(end)));
        }
        Exception::At(clock) => {
            let at = time(*clock, &[], None, span, picks)?.0;
            let every = match sentence.cycle {
                Some((Cycle::Seconds(seconds), _)) if is_whole(sentence, seconds) => seconds,
                _ => 0,
            };
            if every == 0 || at % every != 0 {
                let message =
                    "Give times that are left out as a range, such as \"between 12:00 and 13:00\".";
                return local.refuse(Reason::Unsupported, span, message);
            }
            exclude.times.push(format!("{}-{}", minute(at), minute(at + 60)));
        }
        Exception::Calendar(name) => exclude.calendars.push(name.clone()),
        Exception::Quoted(items) => quoted(items, exclude),
        Exception::Instead(instead) => exclude.instead = Some((*instead).to_owned()),
    }
    Ok(())
}

/// Returns all days of a month, in every year.
fn whole_month(month: u8) -> String {
    match month {
        2 => "02-01/02-29".to_owned(),
        4 | 6 | 9 | 11 => format!("{month:02}-01/{month:02}-30"),
        _ => format!("{month:02}-01/{month:02}-31"),
    }
}

/// Returns the rule of the counted days of a month: of all days, or of a day of the week.
fn rule_of_nth(which: &[i8], weekday: Option<u8>, months: Option<Months>) -> String {
    let months =
        months.map_or_else(String::new, |months| format!(";BYMONTH={}", list(months.months())));
    let days = match weekday.and_then(ical_day) {
        Some(day) => {
            let counted = which.iter().map(|number| format!("{number}{day}"));
            format!("BYDAY={}", list(counted))
        }
        None => format!("BYMONTHDAY={}", list(which)),
    };
    format!("FREQ=MONTHLY{months};{days}")
}

/// In "except mondays until 20 december", the schedule may end then, or only the exception. Returns
/// the sentence without its end in the second case.
pub(super) fn with_end(
    sentence: &Sentence,
    context: &Context,
    picks: &mut Picks,
) -> Result<Option<Sentence>, Refusal> {
    let until = sentence.until.map(|(point, span)| (Ending::Until(point), span));
    let end = until.or(sentence.lasting.map(|(amount, span)| (Ending::For(amount), span)));
    let Some((ending, span)) = end.filter(|(_, span)| Some(*span) == context.open_end) else {
        return Ok(None);
    };
    let options =
        vec![(false, "the schedule ends".to_owned()), (true, "only the exception ends".to_owned())];
    if !picks.choose(span, "Does the schedule end then, or only the exception?", options)? {
        return Ok(None);
    }
    let mut sentence = Sentence { until: None, lasting: None, ..sentence.clone() };
    for exception in sentence.except.iter_mut().flat_map(|(items, _)| items) {
        if let Exception::Weekdays(days) = *exception {
            *exception = Exception::WeekdaysUntil(days, ending);
        }
    }
    Ok(Some(sentence))
}

/// Returns the last moment of an exception.
fn last_moment(
    ending: Ending,
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<i64, Refusal> {
    let end = match ending {
        Ending::Until(point) => end_of(point, span, local, picks)?,
        Ending::For(amount) => Bound::Local(
            add(local.now, amount)
                .ok_or_else(|| Refusal::new(Reason::Impossible, span, "There is no such day."))?,
        ),
    };
    Ok(end.instant(local))
}

/// Returns the year of a date next to the name of its day of the week: that of the next such date.
fn year_of(date: LeftOut, weekday: u8, span: Span, local: &Local<'_>) -> Result<LeftOut, Refusal> {
    let on = |year| NaiveDate::from_ymd_opt(year, u32::from(date.month), u32::from(date.day));
    let years =
        date.year.map_or(local.today().year()..=local.today().year() + 1, |year| year..=year);
    let next = years.filter_map(on).find(|day| date.year.is_some() || *day >= local.today());
    match next.filter(|day| day.weekday().num_days_from_monday() == u32::from(weekday)) {
        Some(day) => Ok(LeftOut { year: Some(day.year()), ..date }),
        None => local.refuse(Reason::Conflict, span, "This date is another day of the week."),
    }
}

/// In "except mondays and fridays in december", the months may be those of all days before them.
/// Returns the exceptions with the months that are chosen.
fn spread_months(
    exceptions: &[Exception],
    span: Span,
    picks: &mut Picks,
) -> Result<Vec<Exception>, Refusal> {
    let mut exceptions = exceptions.to_vec();
    let is_open =
        |pair: &[Exception]| matches!(pair, [Exception::Weekdays(_), Exception::WeekdaysIn(..)]);
    let mut open =
        (0..exceptions.len()).filter(|at| exceptions.get(*at..at + 2).is_some_and(is_open));
    let (at, several) = (open.next(), open.next().is_some());
    if several {
        let message = "Which days are left out in which months? Write the months of each day.";
        return Err(Refusal::new(Reason::NotUnderstood, span, message));
    }
    let next = at.and_then(|at| Some((at, exceptions.get(at + 1)?.clone())));
    let Some((at, Exception::WeekdaysIn(_, months))) = next else {
        return Ok(exceptions);
    };
    let options = vec![
        (true, "all of these days in these months only".to_owned()),
        (false, "the last of these days in these months, and the others always".to_owned()),
    ];
    if picks.choose(span, "Which days are left out in these months only?", options)? {
        for exception in exceptions.iter_mut().take(at + 1).rev() {
            let Exception::Weekdays(days) = *exception else { break };
            *exception = Exception::WeekdaysIn(days, months);
        }
    }
    Ok(exceptions)
}

/// In "except 24 december and the 26th", the second day may be in December or in every month. Gives
/// it the month if that is chosen.
fn name_months(exceptions: &mut [Exception], span: Span, picks: &mut Picks) -> Result<(), Refusal> {
    let date = exceptions.iter().find_map(|exception| match exception {
        Exception::Dates { last, yearly, .. } => Some((*last, *yearly)),
        _ => None,
    });
    let is_open = |exception: &&mut Exception| {
        matches!(exception, Exception::MonthDay { has_month: false, .. })
    };
    let mut open = exceptions.iter_mut().filter(is_open).peekable();
    let (Some((of, yearly)), true) = (date, open.peek().is_some()) else { return Ok(()) };
    let options = vec![
        (true, "in the month of the date next to it".to_owned()),
        (false, "in every month".to_owned()),
    ];
    if picks.choose(span, "In which month is the day without a month?", options)? {
        for exception in open {
            if let Exception::MonthDay { day, .. } = *exception {
                let day = LeftOut { day, ..of };
                *exception = Exception::Dates { first: day, last: day, yearly, weekday: None };
            }
        }
    }
    Ok(())
}

/// Refuses hours that leave out none of these times of day, because they may be meant otherwise, or
/// all of them, because the search for a run is long.
///
/// # Errors
/// Returns an error that names the exception.
pub(super) fn check_times(
    sentence: &Sentence,
    exclude: &Exclude,
    times: &[TimeOfDay],
    local: &Local<'_>,
) -> Result<(), Refusal> {
    let Some((items, span)) = &sentence.except else { return Ok(()) };
    // Items in the notation of the API are not checked.
    if items.iter().any(|item| matches!(item, Exception::Quoted(_))) {
        return Ok(());
    }
    let ranges = &exclude.times;
    let is_of_use = ranges.iter().all(|range| times.iter().any(|time| leaves_out(range, *time)));
    let leaves_some = times.iter().any(|time| !ranges.iter().any(|range| leaves_out(range, *time)));
    if is_of_use && leaves_some {
        return Ok(());
    }
    all_or_none(local, *span, "The hours of the exception leave out all times, or none.")
}

/// Returns whether a range in the notation of the API has this time of day.
pub(super) fn leaves_out(range: &str, time: TimeOfDay) -> bool {
    let (begin, end) = range.split_once('-').unwrap_or_default();
    let time = minute(time.0);
    let (time, is_over_midnight) = (time.as_str(), begin > end);
    if is_over_midnight { time >= begin || time < end } else { begin <= time && time < end }
}

/// Returns whether an interval of seconds has its runs at multiples of itself on every day.
fn is_whole(sentence: &Sentence, seconds: u32) -> bool {
    let has_other_phase = sentence.window.is_some()
        || sentence.past_hour.is_some()
        || sentence.from.is_some()
        || sentence.anchor.is_some();
    seconds.is_multiple_of(60) && 86_400_u32.is_multiple_of(seconds) && !has_other_phase
}

/// Writes seconds since midnight as hour and minute.
fn minute(seconds: u32) -> String {
    format!("{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

fn ical_day(day: u8) -> Option<&'static str> {
    ICAL_DAYS.get(usize::from(day)).copied()
}

fn all_or_none<T>(local: &Local<'_>, span: Span, message: &str) -> Result<T, Refusal> {
    local.refuse(Reason::Conflict, span, message)
}

fn date(date: LeftOut) -> String {
    let year = date.year.map(|year| format!("{year:04}-")).unwrap_or_default();
    format!("{year}{:02}-{:02}", date.month, date.day)
}

/// Adds items in the notation of the API. Quotes around a rule may hold nothing else.
fn quoted(items: &str, exclude: &mut Exclude) {
    if items.contains('=') {
        exclude.rules.push(items.to_owned());
        return;
    }
    for item in items.split(',').map(str::trim) {
        let list = if item.contains(':') {
            &mut exclude.times
        } else if item.bytes().any(|byte| byte.is_ascii_digit()) {
            &mut exclude.dates
        } else {
            &mut exclude.weekdays
        };
        list.push(item.to_owned());
    }
}
