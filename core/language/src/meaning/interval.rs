//! Schedules that recur within a day, at an interval of seconds, minutes or hours.

use super::bounds::{Bound, bounds, instant_text};
use super::context::{Built, Local};
use super::days::DaySpec;
use super::exceptions::{except, leaves_out};
use super::time_of_day::{self, TimeOfDay};
use super::write::{self, TimeFields, number_field};
use super::{Picks, Sentence};
use crate::clause::{Cycle, Day};
use crate::{Cron, Exclude, Reason, Refusal, Schedule, Span};
use std::collections::BTreeSet;

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

/// The shortest interval without a daily start: "every 12 hours starting at 9pm".
const LONG: u32 = 6 * HOUR;

const MISFIT: &str =
    "This does not fit an interval within the day: give hours, as in \"between 9:00 and 17:00\".";

pub(super) fn is_interval(sentence: &Sentence) -> bool {
    sentence.millis.is_some()
        || sentence.past_hour.is_some()
            && sentence
                .cycle
                .is_none_or(|(cycle, _)| matches!(cycle, Cycle::Seconds(_) | Cycle::Days(1)))
        || matches!(sentence.cycle, Some((Cycle::Seconds(_), _)))
}

/// Builds the schedule of an interval within a day.
pub(super) fn build(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Built, Refusal> {
    let span = sentence
        .cycle
        .map(|(_, span)| span)
        .or(sentence.past_hour.as_ref().map(|(_, span)| *span))
        .unwrap_or(local.context.whole);
    let misfits = [
        sentence.at.as_ref().map(|(_, span)| *span),
        sentence.part.filter(|_| sentence.window.is_none()).map(|(_, span)| span),
        sentence.nth.as_ref().map(|(.., span)| *span),
        sentence.month_days.as_ref().map(|(.., span)| *span),
        sentence.dates.as_ref().map(|(_, span)| *span),
    ];
    if let Some(misfit) = misfits.into_iter().flatten().next() {
        return local.refuse(Reason::Conflict, misfit, MISFIT);
    }
    if let Some((day, at)) = sentence.day {
        let message = if matches!(day, Day::Weekday(..)) {
            "Write \"every\" before the day of the week."
        } else {
            "Give a start and an end instead of one day."
        };
        return local.refuse(Reason::Missing, at, message);
    }
    if let Some((count, at)) = sentence.frequency
        && count > 1
    {
        return local.refuse(
            Reason::Missing,
            at,
            "At which minutes? Write, say, \"every 30 minutes\".",
        );
    }
    if sentence.lacks_hour && sentence.cycle.is_none() && sentence.weekdays.is_none() {
        return local.refuse(
            Reason::Missing,
            span,
            "Of every hour? Write, say, \"every hour at :30\".",
        );
    }
    let seconds = match sentence.cycle {
        Some((Cycle::Seconds(seconds), _)) => seconds,
        _ => HOUR,
    };
    let mut spec = DaySpec {
        months: sentence.months.map(|(months, _)| months),
        weekdays: sentence.weekdays.map(|(days, ..)| days),
        ..DaySpec::default()
    };
    // Only an interval that is written as a cron expression has days.
    let has_days = sentence.window.is_some()
        || sentence.past_hour.is_some()
        || clock_fields(seconds).is_some()
            && sentence.millis.is_none()
            && sentence.anchor.is_none()
            && sentence.from.is_none();
    let cycle = has_days.then_some(Cycle::Seconds(seconds));
    let exclude = except(sentence, &mut spec, cycle, local, picks)?;
    let ignores_length = sentence.lasting.is_some_and(|(amount, _)| {
        amount.months == 0 && amount.days == 0 && amount.seconds < seconds
    });
    if let Some((amount, at)) = sentence.lasting.filter(|_| !ignores_length)
        && amount.months == 0
        && amount.days == 0
        && amount.seconds == seconds
    {
        return local.refuse(
            Reason::NotUnderstood,
            at,
            "Is this the length of the task or of the schedule?",
        );
    }
    let mut sentence = sentence.clone();
    let length = sentence.lasting.take_if(|_| ignores_length).map(|(_, span)| span);
    let mut schedule = schedule(&mut sentence, &spec, &exclude, (seconds, span), local, picks)?;
    // An interval without a start counts from now.
    let from_now = schedule.every_seconds.filter(|_| schedule.anchor.is_none()).map(|every| {
        instant_text(local.context.now.saturating_add((every * 1_000.0).round() as i64))
    });
    let assumes_anchor = from_now.is_some();
    schedule.anchor = from_now.or(schedule.anchor);
    schedule.exclude = exclude.unless_empty();
    let mut built = Built { assumes_anchor, ..Built::new(schedule) };
    built.unused.extend(length);
    Ok(built)
}

/// Refuses hours that leave out none of the runs within other hours: in "between 9 and 11, except
/// sundays, and between 14 and 16", both may be hours of the schedule.
fn check_hours(
    sentence: &Sentence,
    times: &[TimeOfDay],
    exclude: &Exclude,
    local: &Local<'_>,
) -> Result<(), Refusal> {
    let Some((_, span)) = &sentence.except else { return Ok(()) };
    let is_of_use = |range: &String| times.iter().any(|time| leaves_out(range, *time));
    if exclude.times.iter().all(is_of_use) {
        return Ok(());
    }
    let message = "The hours of the exception leave out nothing.";
    local.refuse(Reason::Conflict, *span, message)
}

fn schedule(
    sentence: &mut Sentence,
    spec: &DaySpec,
    exclude: &Exclude,
    (seconds, span): (u32, Span),
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Schedule, Refusal> {
    hours_from_bounds(sentence);
    if let Some((first, last, at)) = sentence.window {
        let (start, end) = time_of_day::window(first, last, at, picks)?;
        // "on saturday mornings between 9 and 12"
        let is_outside = |part| !time_of_day::is_window_of(part, (start, end));
        if let Some((_, span)) = sentence.part.filter(|(part, _)| is_outside(*part)) {
            return local.refuse(Reason::Conflict, span, MISFIT);
        }
        let is_plain =
            spec.weekdays.is_none() && spec.month_days.is_empty() && spec.months.is_none();
        if start > end && !is_plain {
            return local.refuse(
                Reason::NotUnderstood,
                at,
                "The hours go past midnight: on which days is the part after it?",
            );
        }
        let minutes = sentence.past_hour.as_ref().map(|(minutes, _)| minutes.as_slice());
        check_hours(sentence, &times_of_day((start, end), seconds, minutes), exclude, local)?;
        let Some(times) = within(start, end, seconds, minutes) else {
            return local.refuse(
                Reason::Unsupported,
                span,
                "No schedule says this interval within these hours.",
            );
        };
        return cron(sentence, spec, &times, span, local, picks);
    }
    if let Some((minutes, at)) = sentence.past_hour.clone() {
        let hours = seconds / HOUR;
        if !seconds.is_multiple_of(HOUR) || 24 % hours.max(1) != 0 || hours == 24 {
            return local.refuse(
                Reason::Conflict,
                at,
                "Minutes past the hour go with hours that divide a day.",
            );
        }
        let minutes = number_field(&minutes.iter().map(|minute| u32::from(*minute)).collect());
        return cron(
            sentence,
            spec,
            &[TimeFields::new("0", minutes, step(hours))],
            span,
            local,
            picks,
        );
    }
    let start_has_time =
        sentence.from.is_some_and(|(point, _)| point.time.is_some() || point.instant.is_some());
    let is_free = spec.is_every_day();
    let fits_clock = clock_fields(seconds).filter(|_| sentence.millis.is_none());
    if let (Some(fields), false) = (&fits_clock, start_has_time || sentence.anchor.is_some()) {
        if seconds > HOUR {
            picks.assume(10, format!("Every {} hours are counted from midnight.", seconds / HOUR));
        }
        return cron(sentence, spec, std::slice::from_ref(fields), span, local, picks);
    }
    if !is_free {
        return local.refuse(
            Reason::Unsupported,
            span,
            "On some days only, an interval needs hours: \"between 9:00 and 17:00\".",
        );
    }
    anchored(sentence, seconds, local, picks)
}

/// "from 9am ... until 5pm" is a window if neither names a day.
fn hours_from_bounds(sentence: &mut Sentence) {
    let time_only = |point: crate::clause::Point| {
        point.time.filter(|_| point.day.is_none() && point.instant.is_none())
    };
    let from = sentence.from.and_then(|(point, span)| Some((time_only(point)?, span)));
    let until = sentence.until.and_then(|(point, span)| Some((time_only(point)?, span)));
    if let (Some((first, span)), Some((last, end)), None) = (from, until, sentence.window) {
        sentence.window = Some((first, last, span.to(end)));
        (sentence.from, sentence.until) = (None, None);
    }
}

fn cron(
    sentence: &Sentence,
    spec: &DaySpec,
    times: &[TimeFields],
    span: Span,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Schedule, Refusal> {
    let bounds = bounds(sentence, local, picks, false)?;
    let Some(expressions) = write::cron(spec, times) else {
        return local.refuse(
            Reason::Unsupported,
            span,
            "No schedule says this interval on these days.",
        );
    };
    let mut schedule = Schedule { cron: Some(Cron::of(expressions)), ..Schedule::default() };
    bounds.put(&mut schedule);
    Ok(schedule)
}

/// Returns an interval in real time, from an anchor on.
fn anchored(
    sentence: &Sentence,
    seconds: u32,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Schedule, Refusal> {
    let bounds = bounds(sentence, local, picks, false)?;
    let millis = sentence.millis.map_or(u64::from(seconds) * 1_000, |(millis, _)| millis);
    let mut schedule =
        Schedule { every_seconds: Some(millis as f64 / 1_000.0), ..Schedule::default() };
    bounds.put(&mut schedule);
    let anchor = match sentence.anchor {
        Some((point, at)) => super::bounds::start_of(point, at, local, picks)?,
        None => None,
    };
    // A start with only a time may be the start of each day.
    let from_time = sentence.from.filter(|(point, _)| {
        point.day.is_none() && point.instant.is_none() && point.time.is_some()
    });
    if let (Some((_, at)), Some(_), None) = (from_time, clock_fields(seconds), anchor) {
        let start = match bounds.start {
            Some(Bound::Local(start)) => start,
            _ => local.now,
        };
        use chrono::Timelike;
        let start = start.time().num_seconds_from_midnight();
        let daily = within(start, DAY, seconds, None)
            .and_then(|times| write::cron(&DaySpec::default(), &times));
        if let Some(daily) = daily {
            let each_day = Schedule {
                cron: Some(Cron::of(daily)),
                ..Schedule { start_at: None, every_seconds: None, ..schedule.clone() }
            };
            let through = with_anchor(schedule, bounds.start, None);
            // Runs with such a distance continue through the night.
            if seconds >= LONG || start < seconds {
                return Ok(through);
            }
            let options = vec![
                (through, "day and night from then on".to_owned()),
                (each_day, "each day from then until midnight".to_owned()),
            ];
            return picks.choose(at, "From when on, and through the night?", options);
        }
    }
    Ok(with_anchor(schedule, bounds.start, anchor))
}

/// Anchors an interval at the point from which it is counted, or else at its start. Without both,
/// it has no anchor yet.
fn with_anchor(mut schedule: Schedule, start: Option<Bound>, anchor: Option<Bound>) -> Schedule {
    if anchor.is_none() && start.is_some() {
        schedule.start_at = None;
    }
    schedule.anchor = anchor.or(start).map(Bound::text);
    schedule
}

fn step(number: u32) -> String {
    if number == 1 { "*".to_owned() } else { format!("*/{number}") }
}

/// Returns the fields of an interval that divides a minute, an hour or a day.
fn clock_fields(seconds: u32) -> Option<TimeFields> {
    match seconds {
        0 => None,
        1..60 => (60 % seconds == 0).then(|| TimeFields::new(&step(seconds), "*", "*")),
        60..HOUR => (seconds.is_multiple_of(60) && 60 % (seconds / 60) == 0)
            .then(|| TimeFields::new("0", step(seconds / 60), "*")),
        HOUR..DAY => (seconds.is_multiple_of(HOUR) && 24 % (seconds / HOUR) == 0)
            .then(|| TimeFields::new("0", "0", step(seconds / HOUR))),
        _ => None,
    }
}

/// Returns the times of day of an interval from `start` to `end`, both included; the first of each
/// minute if it is shorter.
fn times_of_day((start, end): (u32, u32), seconds: u32, minutes: Option<&[u8]>) -> Vec<TimeOfDay> {
    let length = if end > start { end - start } else { end + DAY - start };
    // Midnight at the end of a day belongs to the next.
    let last = if end == DAY { length - 1 } else { length };
    let step = if minutes.is_some() { 60 } else { seconds.max(60) };
    let is_wanted = |time: &TimeOfDay| {
        let minute = time.0 / 60 % 60;
        minutes.is_none_or(|minutes| minutes.iter().any(|wanted| u32::from(*wanted) == minute))
    };
    let times = (0..=last / step).map(|number| TimeOfDay((start + number * step) % DAY));
    times.filter(is_wanted).collect()
}

/// Returns the fields of an interval from `start` to `end` of each day, both included; `None` if
/// cron cannot express it.
fn within(start: u32, end: u32, seconds: u32, minutes: Option<&[u8]>) -> Option<Vec<TimeFields>> {
    let length = if end > start { end - start } else { end + DAY - start };
    let at = |offset: u32| (start + offset) % DAY;
    if minutes.is_some() {
        let times = times_of_day((start, end), seconds, minutes);
        return (seconds == HOUR && !times.is_empty()).then(|| write::time_fields(&times));
    }
    if seconds < 60 {
        let whole_hours =
            start.is_multiple_of(HOUR) && end.is_multiple_of(HOUR) && 60 % seconds == 0;
        if !whole_hours {
            return None;
        }
        let hours: BTreeSet<u32> = (0..length / HOUR).map(|hour| at(hour * HOUR) / HOUR).collect();
        let mut fields = vec![TimeFields::new(&step(seconds), "*", number_field(&hours))];
        if end != DAY {
            fields.push(TimeFields::new("0", "0", (end / HOUR).to_string()));
        }
        return Some(fields);
    }
    if !seconds.is_multiple_of(60) || seconds > length {
        return None;
    }
    Some(write::time_fields(&times_of_day((start, end), seconds, None)))
}
