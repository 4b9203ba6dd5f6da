//! The platform's alarm: for what time it is set, and what happens if it cannot be set or goes off
//! too early.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_ALARM_AHEAD_MILLIS;

/// Returns the time to which a shard sets its alarm if its next wake-up is at `wanted`: later than
/// `now`, and at most [`MAX_ALARM_AHEAD_MILLIS`] ahead. An alarm that goes off before anything is
/// due does nothing and is set again.
pub fn alarm_time(wanted: UnixMillis, now: UnixMillis) -> UnixMillis {
    // An alarm set to exactly now was seen to stall. A past time means now.
    wanted.clamp(now.plus(1), now.plus(MAX_ALARM_AHEAD_MILLIS))
}

/// The first wait after a failure to set the alarm, in milliseconds. Each further wait is twice as
/// long.
pub const ALARM_RETRY_MILLIS: i64 = 1_000;
/// The number of tries of the timer after a failure. They take two minutes together. Then the
/// watchdog, which asks every five minutes, takes over.
const TIMED_TRIES: u32 = 7;

/// If the next firing is at most this near, in milliseconds, the handler of the alarm waits for it
/// instead of setting an alarm. An alarm costs a written row, and a second adds little to the ten
/// seconds that an object stays in memory anyway.
pub const STAY_AWAKE_MILLIS: i64 = 1_000;
/// How long one run of the alarm's handler may wait in this way, in milliseconds. The platform
/// allows 15 minutes. A shorter run loses less if it is cut off.
pub const LONGEST_RUN_MILLIS: i64 = 20_000;

/// Returns how near the next firing must be for the alarm's handler to wait for it. The alarm was
/// set to go off at `armed`, and the platform calls at `now`. If the platform's clock is ahead of
/// the shard's, an alarm that is set again goes off at once, which costs a row and a request each
/// time. Then the handler waits as long as it may.
pub fn stay_awake(armed: Option<UnixMillis>, now: UnixMillis) -> i64 {
    let is_early = armed.is_some_and(|armed| armed.since(now) > STAY_AWAKE_MILLIS);
    if is_early { LONGEST_RUN_MILLIS } else { STAY_AWAKE_MILLIS }
}

/// What the shell knows of an alarm, and the timer that sets the alarm after a failure.
#[derive(Debug, Default)]
pub struct AlarmState {
    /// When the alarm goes off.
    armed: Option<UnixMillis>,
    /// The tries of the timer so far; `None` if it does not run.
    timer: Option<u32>,
}

impl AlarmState {
    /// Returns when the alarm goes off, if that is known.
    pub fn armed(&self) -> Option<UnixMillis> {
        self.armed
    }

    /// Records that the alarm has gone off or was lost.
    pub fn forget(&mut self) {
        self.armed = None;
    }

    /// Records that the alarm is being set, so that another request does not set it again.
    pub fn setting(&mut self, at: UnixMillis) {
        self.armed = Some(at);
    }

    /// Records that the alarm could not be set. Returns whether the caller must start a timer that
    /// tries again. There is at most one timer.
    pub fn failed(&mut self) -> bool {
        self.armed = None;
        let starts = self.timer.is_none();
        self.timer.get_or_insert(0);
        starts
    }

    /// Returns how long the timer waits before its next try. Returns `None` if it has tried often
    /// enough.
    pub fn next_wait(&mut self) -> Option<i64> {
        let tries = self.timer.filter(|tries| *tries < TIMED_TRIES);
        self.timer = tries.map(|tries| tries + 1);
        tries.map(|tries| ALARM_RETRY_MILLIS << tries)
    }

    /// Returns the time to which the timer sets the alarm after a wait, if the shard's next wake-up
    /// is at `wanted`. Returns `None`, and ends the timer, if a request or the watchdog has set the
    /// alarm or no wake-up is needed.
    pub fn after_wait(&mut self, wanted: Option<UnixMillis>) -> Option<UnixMillis> {
        let at = wanted.filter(|_| self.armed.is_none());
        if at.is_none() {
            self.timer = None;
        }
        at
    }

    /// Ends the timer, because it has set the alarm.
    pub fn end_timer(&mut self) {
        self.timer = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_is_later_than_now_and_within_the_bound_of_the_platform() {
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
    fn a_clock_at_the_end_of_time_does_not_panic() {
        for now in [i64::MIN, i64::MAX] {
            let _ = alarm_time(UnixMillis::ZERO, UnixMillis::new(now));
        }
    }

    /// Runs the timer against an alarm service that fails until `back_at`. Returns when the alarm
    /// was set, and the number of tries.
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
    fn a_timer_sets_an_alarm_that_could_not_be_set() {
        for back_at in 0..=127_000 {
            let (set_at, tries) = set_after_failures(back_at, Some);
            let set_at = set_at.unwrap();
            assert!(
                set_at >= back_at && set_at <= 2 * back_at.max(500) + 1_000,
                "back at {back_at}, set at {set_at}"
            );
            assert!(tries <= 8, "{tries}");
        }
        assert_eq!(set_after_failures(127_001, Some), (None, 8), "the watchdog takes over");
    }

    #[test]
    fn the_timer_sets_the_latest_wanted_time() {
        assert_eq!(set_after_failures(0, |_| None), (None, 1), "nothing waits any more");
        let mut state = AlarmState::default();
        assert!(state.failed());
        assert_eq!(state.next_wait(), Some(1_000));
        // A request has set the alarm in the meantime.
        state.setting(UnixMillis::new(7));
        assert_eq!(state.after_wait(Some(UnixMillis::new(9))), None);
        assert_eq!((state.armed(), state.next_wait()), (Some(UnixMillis::new(7)), None));
        assert!(state.failed(), "the timer has ended, so a failure starts another");
    }

    /// A platform whose clock was ahead called at once whenever the alarm was set again, which cost
    /// a row and a request each time.
    #[test]
    fn an_alarm_service_ahead_of_the_shard_calls_few_times() {
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
