//! When the platform's alarm is set for a wake-up, and what is done when it cannot be set or goes
//! off too early.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_ALARM_AHEAD_MILLIS;

/// Returns the time to set the alarm to, for a shard that wants to be woken at `wanted`: later than
/// `now`, and no further ahead than [`MAX_ALARM_AHEAD_MILLIS`]. An alarm that goes off before
/// anything is due does nothing and is set again.
pub fn alarm_time(wanted: UnixMillis, now: UnixMillis) -> UnixMillis {
    // Exactly now has been seen to stall; a past time means now.
    wanted.clamp(now.plus(1), now.plus(MAX_ALARM_AHEAD_MILLIS))
}

/// After a failure to set the alarm, the first wait before another try, milliseconds; doubled
/// before each further try.
pub const ALARM_RETRY_MILLIS: i64 = 1_000;
/// Tries of the timer after a failure: two minutes in all. The watchdog asks every minute, so it
/// goes on from there.
const TIMED_TRIES: u32 = 7;

/// While the next firing is this near, the alarm's handler waits for it instead of setting an
/// alarm: an alarm is a row written, and a second's waiting is nothing beside the ten that an
/// object stays in memory anyway.
pub const STAY_AWAKE_MILLIS: i64 = 1_000;
/// How long one run of the alarm's handler may go on so. The platform allows 15 minutes; shorter
/// runs lose less should one be cut off.
pub const LONGEST_RUN_MILLIS: i64 = 20_000;

/// Returns how near the next firing must be for the alarm's handler to wait for it, if the alarm
/// was set to go off at `armed` and the platform calls at `now`. If the platform's clock is ahead
/// of the shard's, an alarm that is set again goes off again at once, a row and a request each
/// time: so the handler waits as long as it may.
pub fn stay_awake(armed: Option<UnixMillis>, now: UnixMillis) -> i64 {
    let is_early = armed.is_some_and(|armed| armed.since(now) > STAY_AWAKE_MILLIS);
    if is_early { LONGEST_RUN_MILLIS } else { STAY_AWAKE_MILLIS }
}

/// What is known of an alarm, and the timer that sets it after a failure.
#[derive(Debug, Default)]
pub struct AlarmState {
    /// When it goes off.
    armed: Option<UnixMillis>,
    /// Tries of the timer so far, while it runs.
    timer: Option<u32>,
}

impl AlarmState {
    /// Returns when the alarm goes off, if that is known.
    pub fn armed(&self) -> Option<UnixMillis> {
        self.armed
    }

    /// Notes that it has gone off, or was lost.
    pub fn forget(&mut self) {
        self.armed = None;
    }

    /// Notes that it is being set: a request that comes meanwhile need not set it again.
    pub fn setting(&mut self, at: UnixMillis) {
        self.armed = Some(at);
    }

    /// Notes that it could not be set. Returns whether a timer is to be started that tries again;
    /// there is one at most.
    pub fn failed(&mut self) -> bool {
        self.armed = None;
        let starts = self.timer.is_none();
        self.timer.get_or_insert(0);
        starts
    }

    /// Returns how long the timer waits before its next try; `None` if it has tried often enough,
    /// or has set the alarm.
    pub fn next_wait(&mut self) -> Option<i64> {
        let tries = self.timer.filter(|tries| *tries < TIMED_TRIES);
        self.timer = tries.map(|tries| tries + 1);
        tries.map(|tries| ALARM_RETRY_MILLIS << tries)
    }

    /// Returns what the timer sets the alarm to after a wait, if the shard wants to be woken at
    /// `wanted`. Nothing, and the timer ends, if a request or the watchdog has set the alarm
    /// meanwhile or nothing is wanted.
    pub fn after_wait(&mut self, wanted: Option<UnixMillis>) -> Option<UnixMillis> {
        let at = wanted.filter(|_| self.armed.is_none());
        if at.is_none() {
            self.timer = None;
        }
        at
    }

    /// Ends the timer, which has set the alarm.
    pub fn end_timer(&mut self) {
        self.timer = None;
    }
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

    /// Returns an alarm service that fails until some time, and the timer against it. Returns when
    /// the alarm was set, and how often that was tried.
    fn set_after_failures(back_at: i64, wanted: impl Fn(i64) -> Option<i64>) -> (Option<i64>, u32) {
        let (mut state, mut now, mut tries) = (AlarmState::default(), 0, 1);
        state.setting(UnixMillis::new(5));
        assert!(state.failed() && state.armed().is_none(), "the first failure starts a timer");
        while let Some(wait) = state.next_wait() {
            now += wait;
            let Some(at) = state.after_wait(wanted(now).map(UnixMillis::new)) else {
                return (None, tries);
            };
            tries += 1;
            state.setting(at);
            if now >= back_at {
                state.end_timer();
                assert_eq!(state.next_wait(), None);
                return (Some(now), tries);
            }
            assert!(!state.failed(), "there is one timer");
        }
        assert!(state.failed(), "a failure after the timer has given up starts another");
        (None, tries)
    }

    #[test]
    fn an_alarm_that_could_not_be_set_is_set_by_a_timer() {
        for back_at in 0..=127_000 {
            let (set_at, tries) = set_after_failures(back_at, Some);
            let set_at = set_at.unwrap();
            assert!(
                set_at >= back_at && set_at <= 2 * back_at.max(500) + 1_000,
                "back at {back_at}, set at {set_at}"
            );
            assert!(tries <= 8, "{tries}");
        }
        assert_eq!(set_after_failures(127_001, Some), (None, 8), "then the watchdog goes on");
    }

    #[test]
    fn the_timer_sets_what_is_wanted_by_then() {
        assert_eq!(set_after_failures(0, |_| None), (None, 1), "nothing waits any more");
        let mut state = AlarmState::default();
        assert!(state.failed());
        assert_eq!(state.next_wait(), Some(1_000));
        // A request has set it meanwhile, for whatever was wanted then.
        state.setting(UnixMillis::new(7));
        assert_eq!(state.after_wait(Some(UnixMillis::new(9))), None);
        assert_eq!((state.armed(), state.next_wait()), (Some(UnixMillis::new(7)), None));
        assert!(state.failed(), "the timer has ended, so a failure starts another");
    }

    /// A platform whose clock is ahead calls at once whenever the alarm is set again: that was one
    /// row and one request after the other.
    #[test]
    fn an_alarm_service_ahead_of_the_shard_calls_a_few_times() {
        for ahead in [0, 900, 5_000, 60_000, 600_000] {
            let due = UnixMillis::new(1_764_000_000_000);
            let (mut now, mut armed, mut calls) = (due.plus(-100_000), Some(due), 0);
            while now < due {
                // The platform calls; the handler waits for what is near, for its longest run at
                // most.
                let at = armed.unwrap_or(due);
                now = now.max(at.plus(-ahead));
                calls += 1;
                let stay = stay_awake(armed, now);
                now = if due.since(now) <= stay {
                    due
                } else {
                    now.plus(if stay > STAY_AWAKE_MILLIS { stay } else { 0 })
                };
                armed = Some(due);
                assert!(calls <= 6, "{calls} calls, {ahead} ms ahead");
            }
        }
        let now = UnixMillis::new(5_000);
        for (armed, expected) in
            [(None, 1_000), (Some(4_000), 1_000), (Some(6_000), 1_000), (Some(6_001), 20_000)]
        {
            assert_eq!(stay_awake(armed.map(UnixMillis::new), now), expected, "{armed:?}");
        }
    }
}
