//! Schedules that fire once.

use super::bounds::{add, date, instant_text, local_text};
use super::context::{Built, Local};
use super::time_of_day::{self, TimeOfDay, usual_times};
use super::{Picks, Sentence};
use crate::clause::{Clock, ClockKind, Day, NthMonth};
use crate::clock_text;
use crate::words::DayPart;
use crate::{Reason, Refusal, Schedule, Span, Time, calendar};
use chrono::{Datelike, Days, NaiveDate};

/// Builds the schedule of a sentence that comes once.
pub(super) fn build(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Built, Refusal> {
    let strangers = [
        sentence.from.map(|(_, span)| span),
        sentence.anchor.map(|(_, span)| span),
        sentence.until.map(|(_, span)| span),
        sentence.window.map(|(.., span)| span),
        sentence.within.map(|(_, span)| span),
        sentence.except.as_ref().map(|(_, span)| *span),
        sentence
            .months
            .filter(|_| sentence.nth.is_none() && sentence.month_days.is_none())
            .map(|(_, span)| span),
        sentence.count.filter(|(count, _)| *count > 1).map(|(_, span)| span),
    ];
    if let Some(span) = strangers.into_iter().flatten().next() {
        return local.refuse(
            Reason::Missing,
            span,
            "This belongs to a recurring schedule: say how often, too.",
        );
    }
    let time = time(sentence, local, picks)?;
    let mut built = Built::new(Schedule { time: Some(time), ..Schedule::default() });
    built.unused.extend(sentence.lasting.map(|(_, span)| span));
    Ok(built)
}

fn time(sentence: &Sentence, local: &Local<'_>, picks: &mut Picks) -> Result<Time, Refusal> {
    if let Some((instant, span)) = sentence.instant {
        return if instant > local.context.now && sentence.at.is_none() && sentence.part.is_none() {
            Ok(instant_text(instant))
        } else {
            local.refuse(Reason::Past, span, "This time is past.")
        };
    }
    if let Some((amount, span)) = sentence.delay {
        let out_of_range = || Refusal::new(Reason::Impossible, span, "There is no such day.");
        if amount.months == 0 && amount.days == 0 {
            if let Some(span) =
                sentence.at.as_ref().map(|(_, span)| *span).or(sentence.part.map(|(_, span)| span))
            {
                return local.refuse(
                    Reason::Conflict,
                    span,
                    "Either after a while, or at a time of day.",
                );
            }
            return Ok(instant_text(
                local.context.now.saturating_add(i64::from(amount.seconds) * 1_000),
            ));
        }
        let day = add(local.now, amount).ok_or_else(out_of_range)?;
        let is_clamped = amount.months > 0 && amount.days == 0 && day.day() != local.now.day();
        if is_clamped {
            return local.refuse(Reason::Missing, span, "That month has no such day: give a date.");
        }
        if sentence.at.is_none() && sentence.part.is_none() {
            return Ok(local_text(day));
        }
        if amount.seconds > 0 {
            return local.refuse(
                Reason::Conflict,
                span,
                "Either after a while, or at a time of day.",
            );
        }
        return at(day.date(), sentence, local, picks);
    }
    if let Some((day, span)) = day(sentence) {
        let date = date(day, span, local, picks)?;
        let is_other = |(weekday, _): &(u8, Span)| {
            date.weekday().num_days_from_monday() != u32::from(*weekday)
        };
        if let Some((_, span)) = sentence.day_of_date.filter(is_other) {
            return local.refuse(Reason::Conflict, span, "This date is another day of the week.");
        }
        return at(date, sentence, local, picks);
    }
    without_day(sentence, local, picks)
}

fn day(sentence: &Sentence) -> Option<(Day, Span)> {
    let month = sentence.months.and_then(|(months, _)| months.months().next());
    let of_month = sentence.month_days.as_ref().and_then(|(days, _, span)| {
        let day = match (days.as_slice(), month) {
            ([-1], month) => Day::LastOf { month, year: None },
            ([day], Some(month)) => Day::Date { day: u8::try_from(*day).ok()?, month, year: None },
            (days, _) => Day::OfMonth(u8::try_from(*days.first()?).ok()?),
        };
        Some((day, *span))
    });
    let nth = sentence.nth.as_ref().and_then(|(which, of, _, span)| {
        let month = NthMonth::In { month: month?, year: None };
        Some((Day::Nth { which: *which.first()?, of: *of, month }, *span))
    });
    sentence.day.or(of_month).or(nth)
}

/// Returns the time on a day.
fn at(
    date: NaiveDate,
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Time, Refusal> {
    let is_today = date == local.today();
    let Some((clocks, span)) = &sentence.at else {
        return usual_time(date, sentence, local, picks);
    };
    let [clock] = clocks.as_slice() else {
        return local.refuse(Reason::Unsupported, *span, "A task that fires once has one time.");
    };
    let is_night = sentence.part.is_some_and(|(part, _)| part == DayPart::Night);
    if clock.kind == ClockKind::Midnight {
        return midnight(date, is_today || is_night, *span, picks);
    }
    if is_today && clock.kind == ClockKind::Half && sentence.part.is_none() {
        return still_to_come(*clock, *span, local, picks);
    }
    let is_small_hours =
        is_night && (clock.hour % 12 < 5 && clock.hour < 17) || clock.kind == ClockKind::SmallHours;
    if is_small_hours {
        return local.refuse(
            Reason::NotUnderstood,
            *span,
            "The night has two days: give the date and a time like 02:00.",
        );
    }
    let time = time_of_day::time(*clock, clocks, sentence.part, *span, picks)?;
    let at = date.and_time(time.naive());
    let is_coming_month =
        sentence.day.is_none() && sentence.month_days.is_some() && sentence.months.is_none();
    if at <= local.now && is_coming_month {
        let later = date
            .checked_add_months(chrono::Months::new(1))
            .filter(|later| later.day() == date.day());
        return later
            .map(|date| local_text(date.and_time(time.naive())))
            .ok_or_else(|| Refusal::new(Reason::Missing, *span, "Give the date."));
    }
    let has_no_year =
        matches!(
            sentence.day,
            Some((Day::Date { year: None, .. } | Day::Numeric { year: None, .. }, _))
        ) || sentence.day.is_none() && sentence.months.is_some() && sentence.nth.is_none();
    if at <= local.now && has_no_year {
        // "wednesday, 25 november": in another year, this date is another day of the week.
        if let Some((_, span)) = sentence.day_of_date {
            return local.refuse(Reason::Past, span, "This time is past.");
        }
        let later = date
            .with_year(date.year() + 1)
            .ok_or_else(|| Refusal::new(Reason::Missing, *span, "Give the year."))?;
        return Ok(local_text(later.and_time(time.naive())));
    }
    if calendar::instant(at, local.zone) <= local.context.now {
        return local.refuse(Reason::Past, *span, "This time is past.");
    }
    Ok(local_text(at))
}

/// Returns one of the usual times on a day, for a sentence without a time.
fn usual_time(
    date: NaiveDate,
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Time, Refusal> {
    let (hours, span): (&[u32], Span) = match sentence.part {
        Some((part, span)) => (usual_times(part), span),
        None => (&[9, 12, 18], day(sentence).map_or(local.context.whole, |(_, span)| span)),
    };
    let mut options = Vec::new();
    for hour in hours {
        let time = date.and_time(TimeOfDay(hour * 3_600).naive());
        if time > local.now {
            options.push((local_text(time), format!("at {hour:02}:00")));
        }
    }
    if options.is_empty() {
        let message = "The usual time of this is past: give a time.";
        return local.refuse(Reason::Missing, span, message);
    }
    picks.choose(span, "At what time of day?", options)
}

/// Returns midnight at the end of a day if `is_end`, and otherwise at the end that is chosen.
fn midnight(date: NaiveDate, is_end: bool, span: Span, picks: &mut Picks) -> Result<Time, Refusal> {
    let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
    let start = date.and_time(TimeOfDay(0).naive());
    let end = next.and_time(TimeOfDay(0).naive());
    if is_end {
        return Ok(local_text(end));
    }
    let options = vec![
        (local_text(start), format!("as {date} begins")),
        (local_text(end), format!("as {date} ends")),
    ];
    picks.choose(span, "Midnight at which end of the day?", options)
}

/// Returns the time today of a clock that shows an hour from 1 to 12. In the afternoon, "today at 7"
/// can only mean the evening.
fn still_to_come(
    clock: Clock,
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Time, Refusal> {
    let mut options = Vec::new();
    for hour in [clock.hour % 12, clock.hour % 12 + 12] {
        let time = local.today().and_time(TimeOfDay::of(clock, hour).naive());
        if time > local.now {
            options.push((local_text(time), format!("at {}", clock_text::minute(time.time()))));
        }
    }
    if options.is_empty() {
        return local.refuse(Reason::Past, span, "This time is past.");
    }
    if options.len() == 1 {
        picks.assume(10, "It is the one that is still to come.");
    }
    picks.choose(span, "In the morning or in the afternoon?", options)
}

/// Returns the time of a sentence that names no day.
fn without_day(sentence: &Sentence, local: &Local<'_>, picks: &mut Picks) -> Result<Time, Refusal> {
    let Some((clocks, span)) = &sentence.at else {
        if sentence.part.is_some() {
            return at(local.today(), sentence, local, picks);
        }
        return local.refuse(
            Reason::NothingFound,
            local.context.whole,
            "No time or interval was found, such as \"tomorrow at 9:00\" or \"every monday at 10:00\".",
        );
    };
    let [clock] = clocks.as_slice() else {
        return local.refuse(
            Reason::Missing,
            *span,
            "Say how often: \"every day at 9:00 and 17:00\".",
        );
    };
    if sentence.part.is_some() {
        return at(local.today(), sentence, local, picks);
    }
    picks.assume(5, "It is the next time that the clock shows this.");
    if clock.kind == ClockKind::Half {
        let hours = [clock.hour % 12, clock.hour % 12 + 12];
        let mut options: Vec<_> = hours
            .into_iter()
            .map(|hour| super::bounds::next_at(TimeOfDay::of(*clock, hour), local))
            .collect();
        calendar::sort(&mut options);
        let options = options
            .into_iter()
            .map(|time| {
                (
                    local_text(time),
                    format!("on {} at {}", time.date(), clock_text::minute(time.time())),
                )
            })
            .collect();
        return picks.choose(*span, "In the morning or in the afternoon?", options);
    }
    Ok(local_text(super::bounds::next_at(TimeOfDay::of(*clock, clock.hour), local)))
}
