//! The days on which a schedule runs.

use super::bounds::{date, day_and_month};
use super::context::Local;
use super::exceptions::except;
use super::{Picks, Sentence};
use crate::clause::{Counted, Cycle, Day, Months, Point, Weekdays, Which};
use crate::{Exclude, Reason, Refusal, Span};
use chrono::{Datelike, NaiveDate};

/// Days within weeks, months and years. If all fields are empty, every day.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DaySpec {
    pub(super) weekdays: Option<Weekdays>,
    /// The days of the month. Negative numbers count from the end.
    pub(super) month_days: Vec<i8>,
    pub(super) nth: Option<(Vec<i8>, Counted)>,
    pub(super) months: Option<Months>,
    /// Whether a month without the day uses its last day.
    pub(super) last_if_short: bool,
}

impl DaySpec {
    pub(super) fn is_every_day(&self) -> bool {
        *self == Self::default()
    }
}

/// The days, the number of periods between them, whether the day is an assumption, and what is left
/// out.
pub(super) struct DayCycle {
    pub(super) spec: DaySpec,
    pub(super) cycle: Cycle,
    pub(super) is_assumed: bool,
    /// What the days do not say.
    pub(super) exclude: Exclude,
}

/// Returns the days of a sentence that recurs daily or less often.
pub(super) fn day_cycle(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<DayCycle, Refusal> {
    let mut spec =
        DaySpec { months: sentence.months.map(|(months, _)| months), ..DaySpec::default() };
    let (cycle, span) = implied_cycle(sentence, local, picks)?;
    let mut cycle = match cycle {
        // "every 14 days on friday"
        Cycle::Days(days) if days % 7 == 0 && sentence.weekdays.is_some() => Cycle::Weeks(days / 7),
        cycle => cycle,
    };
    let mut is_assumed = false;
    match cycle {
        Cycle::Days(number) => daily((number, span), sentence, &mut spec, local)?,
        Cycle::Weeks(_) => {
            if let Some(span) = sentence.nth.as_ref().map(|(.., span)| *span).or_else(|| {
                sentence
                    .month_days
                    .as_ref()
                    .filter(|_| sentence.weekdays.is_none())
                    .map(|(.., span)| *span)
            }) {
                return local.refuse(
                    Reason::Conflict,
                    span,
                    "Every week, or on this day of the month?",
                );
            }
            spec.weekdays = Some(week_days(sentence, local, span, picks)?);
            if let Some((days, ..)) = &sentence.month_days {
                spec.month_days.clone_from(days);
            }
        }
        // "every six months on 15 march"
        Cycle::Months(number @ 2..=6)
            if 12 % number == 0
                && matches!(sentence.day, Some((Day::Date { year: None, .. }, _))) =>
        {
            if let Some((Day::Date { day, month, .. }, _)) = sentence.day {
                let months = (0..12 / number).fold(Months::default(), |all, step| {
                    all.with(Months::one(((u32::from(month) - 1 + step * number) % 12 + 1) as u8))
                });
                (spec.month_days, spec.months) =
                    (vec![i8::try_from(day).unwrap_or(1)], Some(months));
            }
            cycle = Cycle::Months(1);
        }
        Cycle::Quarterly if matches!(sentence.day, Some((Day::EndOfQuarter { .. }, _))) => {
            spec.month_days = vec![-1];
            quarterly(&mut spec, span, local)?;
            cycle = Cycle::Months(1);
        }
        Cycle::Months(_) | Cycle::Quarterly => {
            is_assumed = !month_days(sentence, &mut spec, local, picks)?;
            if cycle == Cycle::Quarterly {
                quarterly(&mut spec, span, local)?;
                cycle = Cycle::Months(1);
            }
        }
        Cycle::Years(_) => is_assumed = year_days(sentence, &mut spec, local, span, picks)?,
        Cycle::Seconds(_) => {
            return local.refuse(
                Reason::Conflict,
                span,
                "This does not fit the rest of the sentence.",
            );
        }
    }
    if is_assumed {
        picks.assume(25, "No day is given: the first day of the period.");
    }
    let exclude = except(sentence, &mut spec, Some(cycle), local, picks)?;
    short_months(sentence, &mut spec, cycle, picks)?;
    Ok(DayCycle { spec, cycle, is_assumed, exclude })
}

/// Sets the days of a sentence that recurs every `number` days, as the words at `span` say.
fn daily(
    (number, span): (u32, Span),
    sentence: &Sentence,
    spec: &mut DaySpec,
    local: &Local<'_>,
) -> Result<(), Refusal> {
    if let Some((days, _, span)) = sentence.weekdays {
        // "every day from monday to thursday". In "every day at 9 and at 17 on weekends", only the
        // second time may be on weekends.
        let has_times = sentence
            .at
            .as_ref()
            .is_some_and(|(times, at)| times.len() > 1 && at.start < span.start);
        if number > 1 || days.len() < 2 || has_times {
            return local.refuse(Reason::Conflict, span, "Every day, or on these days only?");
        }
        spec.weekdays = Some(days);
    }
    // "every day from the 1st to the 5th of the month"
    let range = sentence
        .month_days
        .as_ref()
        .filter(|(days, ..)| number == 1 && sentence.weekdays.is_none() && is_range(days));
    if let Some((days, ..)) = range {
        spec.month_days.clone_from(days);
    } else if let Some(span) = day_within(sentence) {
        return local.refuse(Reason::Conflict, span, "Every day, or on this day only?");
    }
    if number > 1 && spec.months.is_some() {
        return local.refuse(
            Reason::Unsupported,
            span,
            "Days cannot be counted within some months only.",
        );
    }
    Ok(())
}

/// Sets the months of a sentence that recurs every quarter.
fn quarterly(spec: &mut DaySpec, span: Span, local: &Local<'_>) -> Result<(), Refusal> {
    if spec.months.is_some() {
        return local.refuse(Reason::Conflict, span, "Every quarter, or in these months?");
    }
    let counts = spec.month_days.iter().chain(spec.nth.iter().flat_map(|(which, _)| which));
    let last = counts.clone().filter(|number| **number < 0).count();
    if last > 0 && last < counts.count() {
        return local.refuse(
            Reason::Unsupported,
            span,
            "The first and the last day of a quarter are two schedules.",
        );
    }
    spec.months = Some(if last > 0 { Months(Months::QUARTERLY.0 << 2) } else { Months::QUARTERLY });
    Ok(())
}

/// Returns whether these are three days of the month or more, one after the other.
fn is_range(days: &[i8]) -> bool {
    days.len() > 2 && days.windows(2).all(|pair| matches!(pair, [a, b] if a + 1 == *b))
}

fn implied_cycle(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<(Cycle, Span), Refusal> {
    if let Some((cycle, span)) = sentence.cycle {
        // "every week on the first monday of the month" and the like are refused below.
        return Ok((cycle, span));
    }
    if let Some((.., span)) = sentence.weekdays {
        return Ok((Cycle::Weeks(1), span));
    }
    if let Some(span) = sentence.habit {
        // "Freitag abends"
        let is_weekly = matches!(sentence.day, Some((Day::Weekday(_, Which::Coming), _)));
        return Ok((if is_weekly { Cycle::Weeks(1) } else { Cycle::Days(1) }, span));
    }
    if let Some((Day::EndOfQuarter { .. }, span)) = sentence.day {
        return Ok((Cycle::Quarterly, span));
    }
    let counted = sentence
        .nth
        .as_ref()
        .map(|(.., span)| *span)
        .or(sentence.month_days.as_ref().map(|(.., span)| *span));
    match counted {
        Some(span) => {
            let recurs = match sentence.months {
                None => "It recurs every month.",
                Some(_) => "It recurs every year, in these months.",
            };
            picks.assume(10, recurs);
            Ok((Cycle::Months(1), span))
        }
        None => local.refuse(
            Reason::Missing,
            local.context.whole,
            "Say how often: every day, every monday, on the 1st of each month.",
        ),
    }
}

/// Returns the part that names a day within a week or a month.
fn day_within(sentence: &Sentence) -> Option<Span> {
    let counted = sentence
        .nth
        .as_ref()
        .map(|(.., span)| *span)
        .or(sentence.month_days.as_ref().map(|(.., span)| *span));
    counted.or(sentence.day.map(|(_, span)| span))
}

fn week_days(
    sentence: &Sentence,
    local: &Local<'_>,
    span: Span,
    picks: &mut Picks,
) -> Result<Weekdays, Refusal> {
    if let Some((days, is_sure, at)) = sentence.weekdays {
        // "every week on monday and friday" certainly recurs, because of its cycle.
        if !is_sure && sentence.cycle.is_none() {
            return local.refuse(
                Reason::Missing,
                at,
                "Write \"every\" before the days, or name one day.",
            );
        }
        return Ok(days);
    }
    match sentence.day {
        Some((Day::Weekday(day, Which::Coming), _)) => Ok(Weekdays::one(day)),
        Some((_, at)) => local.refuse(Reason::Conflict, at, "Every week, or on this day only?"),
        None if sentence.from.is_some_and(|(point, _)| names_day(point)) => {
            let start = day_of_start(sentence, local, picks)?;
            Ok(Weekdays::one(start.map_or(0, |start| start.weekday().num_days_from_monday() as u8)))
        }
        None => local.refuse(
            Reason::Missing,
            span,
            "On which days of the week? Write, say, \"every monday and thursday at 9:00\".",
        ),
    }
}

/// Returns whether a start names a day rather than a week or a month.
fn names_day(point: Point) -> bool {
    point.day.is_some_and(|day| !matches!(day, Day::Month { .. } | Day::StartOfNext(_)))
}

/// Returns the day on which the sentence starts: "monthly starting 15 may" is on each 15th.
fn day_of_start(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Option<NaiveDate>, Refusal> {
    let Some((point, span)) = sentence.from.filter(|(point, _)| names_day(*point)) else {
        return Ok(None);
    };
    let Some(day) = point.day else { return Ok(None) };
    let start = date(day, span, local, picks)?;
    picks.assume(10, format!("It recurs on the day of the start, {start}."));
    Ok(Some(start))
}

/// Sets the days within a month. Returns whether the sentence names them.
fn month_days(
    sentence: &Sentence,
    spec: &mut DaySpec,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<bool, Refusal> {
    if let Some((_, _, span)) = sentence.weekdays {
        return local.refuse(
            Reason::Missing,
            span,
            "Which one of the month? Write, say, \"the first monday of every month\".",
        );
    }
    if let Some((which, of, ..)) = &sentence.nth {
        spec.nth = Some((which.clone(), *of));
    } else if let Some((days, ..)) = &sentence.month_days {
        spec.month_days.clone_from(days);
    } else {
        match sentence.day {
            Some((Day::LastOf { month: None, .. }, _)) => spec.month_days = vec![-1],
            Some((Day::OfMonth(day), _)) => spec.month_days = vec![i8::try_from(day).unwrap_or(1)],
            Some((_, span)) => {
                return local.refuse(Reason::Conflict, span, "Every month, or on this day only?");
            }
            None => {
                let start = day_of_start(sentence, local, picks)?;
                spec.month_days = vec![start.map_or(1, |start| start.day() as i8)];
                return Ok(start.is_some());
            }
        }
    }
    Ok(true)
}

/// Sets the days within a year. Returns whether they are assumed.
fn year_days(
    sentence: &Sentence,
    spec: &mut DaySpec,
    local: &Local<'_>,
    span: Span,
    picks: &mut Picks,
) -> Result<bool, Refusal> {
    match sentence.day {
        Some((Day::Date { day, month, year: None }, _)) => {
            (spec.month_days, spec.months) =
                (vec![i8::try_from(day).unwrap_or(1)], Some(Months::one(month)));
        }
        Some((Day::Numeric { first, second, year: None }, span)) => {
            let (day, month) = day_and_month(first, second, span, picks)?;
            (spec.month_days, spec.months) =
                (vec![i8::try_from(day).unwrap_or(1)], Some(Months::one(month)));
        }
        Some((Day::LastOf { month: Some(month), year: None }, _)) => {
            (spec.month_days, spec.months) = (vec![-1], Some(Months::one(month)))
        }
        Some((Day::EndOfYear, _)) => {
            (spec.month_days, spec.months) = (vec![31], Some(Months::one(12)))
        }
        Some((_, span)) => {
            return local.refuse(Reason::Conflict, span, "Every year, or on this day only?");
        }
        None if spec.months.is_some() && day_within(sentence).is_some() => {
            month_days(sentence, spec, local, picks)?;
        }
        None if spec.months.is_some() && sentence.weekdays.is_none() => {
            return local.refuse(Reason::Missing, span, "On which day of the month?");
        }
        None if day_within(sentence).is_some() || sentence.weekdays.is_some() => {
            return local.refuse(Reason::Missing, span, "In which month of the year?");
        }
        None => {
            let start = day_of_start(sentence, local, picks)?;
            let (day, month) =
                start.map_or((1, 1), |start| (start.day() as i8, start.month() as u8));
            (spec.month_days, spec.months) = (vec![day], Some(Months::one(month)));
            return Ok(start.is_none());
        }
    }
    Ok(false)
}

/// Asks what happens in months that do not have the day.
fn short_months(
    sentence: &Sentence,
    spec: &mut DaySpec,
    cycle: Cycle,
    picks: &mut Picks,
) -> Result<(), Refusal> {
    if !matches!(cycle, Cycle::Months(_) | Cycle::Years(_)) {
        return Ok(());
    }
    let months = spec.months.unwrap_or(Months::ALL);
    let longest = |month: u8| match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_short = |day: i8| months.months().any(|month| day > longest(month));
    let Some(day) = spec.month_days.iter().copied().find(|day| is_short(*day)) else {
        return Ok(());
    };
    let span =
        sentence.month_days.as_ref().map(|(.., span)| *span).or(sentence.day.map(|(_, span)| span));
    let Some(span) = span else { return Ok(()) };
    let options = vec![
        (true, format!("on the last day of a month without day {day}")),
        (false, format!("not in months without day {day}")),
    ];
    spec.last_if_short = picks.choose(span, "What becomes of shorter months?", options)?;
    Ok(())
}
