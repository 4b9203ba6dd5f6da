//! What a zone's local clock shows, and when it is changed.
//!
//! Local times are seconds since 1970-01-01T00:00:00 as that clock shows it; instants are Unix seconds.

use crate::tz::Tz;

/// What the clock shows at `instant`.
pub(crate) fn clock_at(tz: Tz, instant: i64) -> i64 {
    instant + tz.offset_at(instant)
}

/// The first instant of the new offset, where the clock is changed once within `(before, after]`.
pub(crate) fn change_between(tz: Tz, mut before: i64, mut after: i64) -> i64 {
    let old = tz.offset_at(before);
    // Offsets differ by less than two days, hence at most 18 rounds.
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
