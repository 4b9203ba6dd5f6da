//! What a zone's local clock shows, and when it changes.
//!
//! Local times are seconds since 1970-01-01T00:00:00 as that clock shows it; instants are Unix
//! seconds.

use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};
use chrono::{Datelike, NaiveDate};

/// Returns what the clock shows at `instant`.
pub(crate) fn clock_at(tz: Tz, instant: i64) -> i64 {
    instant + tz.offset_at(instant)
}

/// Returns the first instant with the new offset. Assumes that the clock changes once within
/// `(before, after]`.
pub(crate) fn change_between(tz: Tz, mut before: i64, mut after: i64) -> i64 {
    let old = tz.offset_at(before);
    // Offsets differ by less than two days, so there are at most 18 rounds.
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if tz.offset_at(middle) == old {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

/// Returns the first local time that the clock shows after `after` and has not shown before.
pub(crate) fn first_ahead(tz: Tz, after: i64) -> i64 {
    let now = clock_at(tz, after);
    match tz.read(now) {
        // In the second pass: until the overlap ends, the clock shows the same times as in the
        // first pass.
        Reading::Twice { first, second } if after >= second => {
            let back = change_between(tz, first, second);
            (now + 1).max(back + tz.offset_at(first))
        }
        _ => now + 1,
    }
}

/// Returns the first instant after `after` at which the clock shows a time that a schedule names.
/// In an overlap the clock shows such a time twice, and in a gap never. `next_local` returns the
/// first local time that the schedule names, at or after its argument.
pub(crate) fn next_shown(
    tz: Tz,
    after: i64,
    mut next_local: impl FnMut(i64) -> Option<i64>,
) -> Option<i64> {
    let now = clock_at(tz, after);
    let ahead = first_shown(tz, now + 1, after, &mut next_local);
    let Reading::Twice { first, second } = tz.read(now) else {
        return ahead;
    };
    if after >= second {
        return ahead;
    }
    // In the first pass: the clock will go back and show times before `now` again.
    let back = change_between(tz, first, second);
    let again = first_shown(tz, clock_at(tz, back), back - 1, &mut next_local);
    match (ahead, again) {
        (Some(ahead), Some(again)) => Some(ahead.min(again)),
        (ahead, again) => ahead.or(again),
    }
}

/// Returns the instant after `after` at which the clock shows the first named time from `from` on.
/// Skips gaps.
fn first_shown(
    tz: Tz,
    mut from: i64,
    after: i64,
    next_local: &mut impl FnMut(i64) -> Option<i64>,
) -> Option<i64> {
    loop {
        let local = next_local(from)?;
        match tz.read(local) {
            Reading::Once(instant) => return Some(instant),
            Reading::Twice { first, .. } if first > after => return Some(first),
            Reading::Twice { second, .. } => return Some(second),
            // `max` keeps the search going forward whatever a zone's table holds.
            Reading::Gap { end } => from = clock_at(tz, end).max(local + 1),
        }
    }
}

/// Writes an instant as the clock shows it, in RFC 3339. RFC 3339 has offsets of whole minutes. So
/// the seconds of some offsets before 1972 are cut off in the written offset, but not in the time.
pub fn rfc3339(time: UnixMillis, timezone: Tz) -> String {
    let (second, millis) = (time.get().div_euclid(1_000), time.get().rem_euclid(1_000));
    let offset = timezone.offset_at(second);
    let fraction = if millis > 0 { format!(".{millis:03}") } else { String::new() };
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
    let (date, clock) = (date(second + offset), self::time(second + offset));
    format!("{date}T{clock}{fraction}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Formats the date of a local time: `2026-10-25`.
pub(crate) fn date(local: i64) -> String {
    let day = i32::try_from(local.div_euclid(86_400))
        .ok()
        .and_then(NaiveDate::from_epoch_days)
        .unwrap_or_default();
    format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

/// Formats the time of day of a local time: `01:30:00`.
pub(crate) fn time(local: i64) -> String {
    let second = local.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}
