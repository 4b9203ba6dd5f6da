//! What a sentence leaves out.
//!
//! Days of the week, months and days of every month change the days of the schedule, if those can
//! express it. Everything else becomes the field `exclude`.

use super::context::Local;
use super::days::DaySpec;
use super::time_of_day::window;
use super::{Picks, Sentence};
use crate::clause::{Cycle, Exception, LeftOut, Months, Weekdays, YearlyOrNot};
use crate::{Exclude, Reason, Refusal, Span};

const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

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
    for exception in exceptions {
        match exception {
            Exception::Weekdays(days)
                if matches!(cycle, Some(Cycle::Seconds(_) | Cycle::Days(1) | Cycle::Weeks(1)))
                    && spec.month_days.is_empty() =>
            {
                let rest = spec.weekdays.unwrap_or(Weekdays::ALL).without(*days);
                if rest.is_empty() || rest == spec.weekdays.unwrap_or(Weekdays::ALL) {
                    return all_or_none(local, span, "The exception leaves out all days, or none.");
                }
                spec.weekdays = Some(rest);
            }
            Exception::Weekdays(days) => {
                let names = days.days().filter_map(|day| DAYS.get(usize::from(day)));
                exclude.weekdays.extend(names.map(|name| (*name).to_owned()));
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
                    let message = "The exception leaves out all months, or none.";
                    return all_or_none(local, span, message);
                }
                spec.months = Some(rest);
            }
            Exception::Months(months) => {
                let whole = |month: u8| match month {
                    2 => "02-01/02-29".to_owned(),
                    4 | 6 | 9 | 11 => format!("{month:02}-01/{month:02}-30"),
                    _ => format!("{month:02}-01/{month:02}-31"),
                };
                exclude.dates.extend(months.months().map(whole));
            }
            Exception::MonthDay(day)
                if matches!(cycle, Some(Cycle::Seconds(_) | Cycle::Days(1)))
                    && spec.weekdays.is_none() =>
            {
                if spec.month_days.is_empty() {
                    spec.month_days = (1..=31).collect();
                }
                spec.month_days.retain(|kept| u8::try_from(*kept) != Ok(*day));
            }
            Exception::MonthDay(day) => {
                exclude.rules.push(format!("FREQ=MONTHLY;BYMONTHDAY={day}"));
            }
            Exception::Dates { first, last, yearly } => {
                if *yearly == YearlyOrNot::Assumed {
                    picks.assume(5, "The dates without a year are left out in every year.");
                }
                let dates = if first == last {
                    date(*first)
                } else {
                    format!("{}/{}", date(*first), date(*last))
                };
                exclude.dates.push(dates);
            }
            Exception::Times(first, last) => {
                let (begin, end) = window(*first, *last, span, picks)?;
                if begin % 60 != 0 || end % 60 != 0 {
                    return local.refuse(
                        Reason::Unsupported,
                        span,
                        "Times that are left out have no seconds.",
                    );
                }
                let time = |time: u32| format!("{:02}:{:02}", time / 3_600, time / 60 % 60);
                exclude.times.push(format!("{}-{}", time(begin), time(end)));
            }
            Exception::Quoted(items) => quoted(items, &mut exclude),
            Exception::Instead(instead) => exclude.instead = Some((*instead).to_owned()),
        }
    }
    Ok(exclude)
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
