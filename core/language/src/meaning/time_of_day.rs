//! Converts written times to times of the day.

use super::context::Local;
use super::{Picks, Sentence};
use crate::clause::{Clock, ClockKind, Point, Weekdays};
use crate::clock_text;
use crate::words::DayPart;
use crate::{Reason, Refusal, Span, calendar};
use chrono::NaiveTime;

/// A time of day in seconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimeOfDay(pub(super) u32);

impl TimeOfDay {
    pub(super) fn of(clock: Clock, hour: u8) -> Self {
        Self(u32::from(hour) * 3_600 + u32::from(clock.minute) * 60 + u32::from(clock.second))
    }

    pub(super) fn naive(self) -> NaiveTime {
        NaiveTime::from_num_seconds_from_midnight_opt(self.0 % 86_400, 0).unwrap_or_default()
    }

    pub(super) fn shown(self) -> String {
        clock_text::minute(self.naive())
    }
}

const NO_TIME: &str = "At what time of day?";

/// Returns the times of each day, in order; `None` if the sentence has none and midnight is
/// assumed.
pub(super) fn times(
    sentence: &Sentence,
    local: &Local<'_>,
    picks: &mut Picks,
) -> Result<Option<Vec<TimeOfDay>>, Refusal> {
    let part = sentence.part;
    // "every day until friday at 9" has the time of each day in its bound.
    let of_bound = |bound: Option<(Point, Span)>| {
        bound.and_then(|(point, span)| Some((vec![point.time?], span)))
    };
    let of_bounds = of_bound(sentence.from).or_else(|| of_bound(sentence.until));
    let Some((clocks, span)) = sentence.at.clone().or(of_bounds) else {
        if let Some((part, span)) = part {
            if part == DayPart::Midday {
                picks.assume(10, "Midday is 12:00.");
            }
            let options = usual_times(part)
                .iter()
                .map(|hour| (TimeOfDay(hour * 3_600), format!("at {hour:02}:00")))
                .collect();
            return picks.choose(span, NO_TIME, options).map(|time| Some(vec![time]));
        }
        if local.context.is_reminder {
            let options = [9, 12, 18]
                .into_iter()
                .map(|hour| (TimeOfDay(hour * 3_600), format!("at {hour:02}:00")))
                .collect();
            return picks
                .choose(local.context.whole, NO_TIME, options)
                .map(|time| Some(vec![time]));
        }
        return Ok(None);
    };
    let mut times = Vec::with_capacity(clocks.len());
    for clock in &clocks {
        times.push(time(*clock, &clocks, part, span, picks)?);
    }
    if clocks.iter().any(|clock| clock.kind == ClockKind::Midnight) {
        let is_daily = sentence.weekdays.is_none_or(|(days, ..)| days == Weekdays::ALL)
            && sentence.nth.is_none()
            && sentence.month_days.is_none();
        if !is_daily {
            picks.assume(20, "Midnight is the start of the day, 00:00.");
        }
    }
    let is_daily = sentence.weekdays.is_none()
        && sentence.nth.is_none()
        && sentence.month_days.is_none()
        && sentence.day.is_none();
    let is_night = part.is_some_and(|(part, _)| part == DayPart::Night)
        || clocks.iter().any(|clock| clock.kind == ClockKind::SmallHours);
    if is_night && !is_daily && times.iter().any(|time| time.0 < 5 * 3_600) {
        return local.refuse(
            Reason::NotUnderstood,
            span,
            "The night has two days: name the day on which this time is, as in \"every saturday at 02:00\".",
        );
    }
    calendar::sort(&mut times);
    times.dedup();
    if times.len() != clocks.len() {
        return local.refuse(Reason::Conflict, span, "One time is given twice.");
    }
    Ok(Some(times))
}

/// Returns the hours that people mean by a part of the day.
pub(super) fn usual_times(part: DayPart) -> &'static [u32] {
    match part {
        DayPart::Morning => &[9, 8],
        DayPart::Midday => &[12],
        DayPart::Afternoon => &[14, 15],
        DayPart::Evening => &[18, 19, 20],
        DayPart::Night => &[20, 21, 22],
    }
}

/// Returns one time. `all` are the times of the same list.
pub(super) fn time(
    clock: Clock,
    all: &[Clock],
    part: Option<(DayPart, Span)>,
    span: Span,
    picks: &mut Picks,
) -> Result<TimeOfDay, Refusal> {
    let known = |hour| Ok(TimeOfDay::of(clock, hour));
    if let Some((part, at)) = part {
        return known(within(clock, part, at)?);
    }
    if clock.kind != ClockKind::Half {
        return known(clock.hour);
    }
    if all.iter().any(|other| other.kind == ClockKind::Of24) {
        return known(clock.hour);
    }
    let noon_based = clock.hour % 12;
    let later = all
        .iter()
        .filter(|other| other.kind == ClockKind::Sure && other.hour >= 12)
        .map(|other| other.hour % 12)
        .max();
    let is_close_to_pm = later.is_some_and(|later| noon_based < later || later == 0);
    match clock.hour {
        7..=11 if !is_close_to_pm => {
            picks.assume(
                10,
                format!("{}:{:02} without am or pm is in the morning.", clock.hour, clock.minute),
            );
            known(clock.hour)
        }
        12 => {
            picks.assume(10, "12 without am or pm is noon.");
            known(12)
        }
        _ => {
            let options = [noon_based + 12, noon_based].map(|hour| {
                let time = TimeOfDay::of(clock, hour);
                (time, format!("at {}", time.shown()))
            });
            picks.choose(span, "In the morning or in the afternoon?", options.into())
        }
    }
}

/// Returns whether people count an hour to a part of the day.
fn is_hour_of(part: DayPart, hour: u8) -> bool {
    match part {
        DayPart::Morning => (3..12).contains(&hour),
        DayPart::Midday => (11..15).contains(&hour),
        DayPart::Afternoon => (12..19).contains(&hour),
        DayPart::Evening => (16..24).contains(&hour),
        DayPart::Night => hour >= 18 || hour <= 4,
    }
}

/// Returns whether a window, in seconds of the day, is within a part of the day.
pub(super) fn is_window_of(part: DayPart, (start, end): (u32, u32)) -> bool {
    let hour_of = |time: u32| u8::try_from(time / 3_600).unwrap_or(u8::MAX);
    let last = end.saturating_sub(1);
    start < end && is_hour_of(part, hour_of(start)) && is_hour_of(part, hour_of(last))
}

/// Returns the hour of a time within a part of the day.
fn within(clock: Clock, part: DayPart, span: Span) -> Result<u8, Refusal> {
    let hours: &[u8] = match clock.kind {
        ClockKind::Half | ClockKind::Plain => &[clock.hour % 12, clock.hour % 12 + 12],
        _ => &[clock.hour],
    };
    let found = hours.iter().copied().find(|hour| is_hour_of(part, *hour));
    found.ok_or_else(|| {
        Refusal::new(
            Reason::Conflict,
            span,
            "The time and the part of the day do not fit together.",
        )
    })
}

/// Returns the first and the last time of a window, seconds since midnight; the last may be 24:00.
pub(super) fn window(
    first: Clock,
    last: Clock,
    span: Span,
    picks: &mut Picks,
) -> Result<(u32, u32), Refusal> {
    let hours = |clock: Clock| match clock.kind {
        ClockKind::Half => vec![clock.hour % 12, clock.hour % 12 + 12],
        _ => vec![clock.hour],
    };
    let of = |clock: Clock| {
        hours(clock).into_iter().map(|hour| TimeOfDay::of(clock, hour).0).collect::<Vec<_>>()
    };
    let ends = if last.kind == ClockKind::Midnight { vec![86_400] } else { of(last) };
    let start = match (first.kind, last.kind) {
        (ClockKind::Half, ClockKind::Of24) => TimeOfDay::of(first, first.hour).0,
        (ClockKind::Half, ClockKind::Half) => time(first, &[], None, span, picks)?.0,
        // "9 to 5pm" begins at nine in the morning, "2 to 5pm" at two in the afternoon.
        (ClockKind::Half, _) => of(first)
            .into_iter()
            .filter(|start| ends.iter().any(|end| start < end))
            .max()
            .unwrap_or(0),
        _ => TimeOfDay::of(first, first.hour).0,
    };
    let end = ends
        .iter()
        .copied()
        .filter(|end| *end > start)
        .min()
        .or_else(|| ends.first().copied())
        .unwrap_or(0);
    if start == end {
        return Err(Refusal::new(
            Reason::Conflict,
            span,
            "The window begins and ends at the same time.",
        ));
    }
    Ok((start, end))
}
