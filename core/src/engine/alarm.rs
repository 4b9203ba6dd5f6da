//! When the platform's alarm is set for a wake-up.

use crate::limits::MAX_ALARM_AHEAD_MILLIS;
use crate::time::UnixMillis;

/// The time to set the alarm to, for a shard that wants to be woken at `wanted`: later than `now`, and no further ahead than
/// [`MAX_ALARM_AHEAD_MILLIS`]. An alarm that goes off before anything is due does nothing and is set again.
pub fn alarm_time(wanted: UnixMillis, now: UnixMillis) -> UnixMillis {
    // Exactly now has been seen to stall; a past time means now.
    wanted.clamp(now.plus(1), now.plus(MAX_ALARM_AHEAD_MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_now_and_within_what_the_platform_takes() {
        let now = UnixMillis::new(1_764_000_000_000);
        let last = now.plus(MAX_ALARM_AHEAD_MILLIS);
        for (wanted, expected) in [
            (UnixMillis::new(i64::MIN), now.plus(1)),
            (UnixMillis::ZERO, now.plus(1)),
            (now, now.plus(1)),
            (now.plus(5), now.plus(5)),
            (last.plus(1), last),
            (UnixMillis::LAST, last),
            (UnixMillis::NEVER, last),
            (UnixMillis::new(i64::MAX), last),
        ] {
            assert_eq!(alarm_time(wanted, now), expected, "{wanted}");
        }
    }

    #[test]
    fn a_clock_at_the_end_of_time_is_no_panic() {
        for now in [i64::MIN, i64::MAX] {
            let _ = alarm_time(UnixMillis::ZERO, UnixMillis::new(now));
        }
    }
}
