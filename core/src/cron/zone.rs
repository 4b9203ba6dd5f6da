//! A zone's local clock: which instants show a time, and what it shows at an instant.
//!
//! Local times are seconds since 1970-01-01T00:00:00 as that clock shows it; instants are Unix seconds.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone, offset::MappedLocalTime};
use chrono_tz::{GapInfo, Tz, TzOffset};

/// When a local clock shows some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// At one instant.
    Once(i64),
    /// At two instants, because the clock goes back between them.
    Twice { first: i64, second: i64 },
    /// Never: the clock jumps forward over it. `end` is the first instant after the jump.
    Gap { end: i64 },
}

/// The instants at which the clock shows `local`.
pub(crate) fn read(tz: Tz, local: i64) -> Reading {
    let naive = naive(local);
    match tz.offset_from_local_datetime(&naive) {
        MappedLocalTime::Single(offset) => Reading::Once(local - seconds(&offset)),
        MappedLocalTime::Ambiguous(first, second) => {
            Reading::Twice { first: local - seconds(&first), second: local - seconds(&second) }
        }
        MappedLocalTime::None => match GapInfo::new(&naive, &tz).and_then(|gap| gap.begin) {
            // The instant at which the clock, going on as before, would show the gap's begin.
            Some((begin, offset)) => Reading::Gap { end: begin.and_utc().timestamp() - seconds(&offset) },
            // A gap lies between two offsets, so there is one before it; else the nearest answer.
            None => Reading::Once(local - offset_at(tz, local)),
        },
    }
}

/// What the clock shows at `instant`.
pub(crate) fn clock_at(tz: Tz, instant: i64) -> i64 {
    instant + offset_at(tz, instant)
}

/// Seconds by which the clock is ahead of UTC at `instant`.
pub(crate) fn offset_at(tz: Tz, instant: i64) -> i64 {
    seconds(&tz.offset_from_utc_datetime(&naive(instant)))
}

/// The first instant of the new offset, where the clock is changed once within `(before, after]`.
pub(crate) fn change_between(tz: Tz, mut before: i64, mut after: i64) -> i64 {
    let old = offset_at(tz, before);
    // Offsets differ by less than two days, hence at most 18 rounds.
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset_at(tz, middle) == old {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

fn seconds(offset: &TzOffset) -> i64 {
    offset.fix().local_minus_utc().into()
}

/// Times here lie within the years 0 to 10,000, which chrono holds; any other is the epoch.
fn naive(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}
