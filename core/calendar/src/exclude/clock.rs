//! The local clock on which exclusions are read, in milliseconds.

use super::DAY;
use crate::local_clock::change_between;
use crate::time::UnixMillis;
use crate::tz::{Reading, Steady, Tz};
use std::cell::Cell;

/// A clock during one search. A search mostly stays in one [steady](Steady) time of the clock, in
/// which it does not need the table of the zone.
pub(super) struct Clock {
    timezone: Tz,
    steady: Cell<Option<Steady>>,
}

impl Clock {
    pub(super) fn of(timezone: Tz) -> Self {
        Self { timezone, steady: Cell::new(None) }
    }

    /// Returns the steady time that contains an instant, if there is one.
    fn steady_at(&self, second: i64) -> Option<Steady> {
        let known = self.steady.get().filter(|steady| steady.contains(second));
        let steady = known.or_else(|| self.timezone.steady_at(second))?;
        self.steady.set(Some(steady));
        Some(steady)
    }

    /// Returns the last instant of the steady time that contains an instant.
    pub(super) fn end_of_steady(&self, at: UnixMillis) -> Option<UnixMillis> {
        let steady = self.steady_at(at.get().div_euclid(1_000))?;
        Some(UnixMillis::new(steady.end.saturating_mul(1_000)).plus(-1).min(UnixMillis::LAST))
    }

    /// Returns what the clock shows.
    pub(super) fn shown(&self, at: UnixMillis) -> i64 {
        let second = at.get().div_euclid(1_000);
        let steady = self.steady_at(second);
        let offset = steady.map_or_else(|| self.timezone.offset_at(second), |steady| steady.offset);
        at.get() + 1_000 * offset
    }

    /// Returns the instant of a local time: the first of two, or the end of a gap.
    pub(super) fn instant(&self, local: i64) -> UnixMillis {
        let (second, millis) = (local.div_euclid(1_000), local.rem_euclid(1_000));
        let in_steady = |steady: &Steady| steady.contains(second - steady.offset);
        if let Some(steady) = self.steady.get().filter(in_steady) {
            return UnixMillis::new(local - 1_000 * steady.offset);
        }
        UnixMillis::new(match self.timezone.read(second) {
            Reading::Once(second) | Reading::Twice { first: second, .. } => second * 1_000 + millis,
            Reading::Gap { end } => end * 1_000,
        })
    }

    /// Returns when a day begins.
    pub(super) fn begin_of(&self, day: i64) -> UnixMillis {
        self.instant(day.saturating_mul(DAY))
    }

    /// Returns the last instant before a day.
    pub(super) fn end_before(&self, day: i64) -> UnixMillis {
        self.begin_of(day).plus(-1)
    }

    /// Returns the day that contains an instant.
    pub(super) fn day_of(&self, at: UnixMillis) -> i64 {
        let day = self.shown(at).div_euclid(DAY);
        // If the clock goes back over midnight, it shows the end of a day again after the next day
        // has begun.
        if self.timezone != Tz::UTC && at >= self.begin_of(day + 1) { day + 1 } else { day }
    }

    /// Returns whether a clock ever shows the day. A zone that is moved over the date line skips
    /// one.
    pub(super) fn has_day(&self, day: i64) -> bool {
        self.timezone == Tz::UTC || self.begin_of(day) < self.begin_of(day + 1)
    }

    /// Returns what the clock shows at an instant, as a time of the given day.
    pub(super) fn time_on(&self, day: i64, at: UnixMillis) -> i64 {
        (self.shown(at) - day * DAY).max(0)
    }

    /// Returns the first time of a day whose instant is after `after`, or the length of the day.
    pub(super) fn time_after(&self, day: i64, after: UnixMillis) -> i64 {
        // Instants rise with local times or stay the same.
        let is_after = |time: i64| self.instant(day * DAY + time) > after;
        let guess = (self.shown(after) + 1 - day * DAY).clamp(0, DAY);
        if (guess == DAY || is_after(guess)) && (guess == 0 || !is_after(guess - 1)) {
            return guess;
        }
        let (mut low, mut high) = (0, DAY);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_after(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Returns the parts of a day in which the clock does not change: where each begins, and the
    /// first instant after it. Assumes that the clock changes at most once a day.
    pub(super) fn parts_of(&self, day: i64) -> [(UnixMillis, UnixMillis); 2] {
        let (begin, end) = (self.begin_of(day), self.begin_of(day + 1));
        match self.change_between(begin, end.plus(-1)).filter(|_| begin < end) {
            Some(change) => [(begin, change), (change, end)],
            None => [(begin, end), (end, end)],
        }
    }

    /// Returns when the clock leaves the time of day that it shows at `at`, and that ends `left`
    /// milliseconds later unless the clock changes before.
    pub(super) fn end_of_time(&self, at: UnixMillis, left: i64) -> UnixMillis {
        self.change_between(at, at.plus(left)).unwrap_or_else(|| at.plus(left))
    }

    /// Returns the first instant with another offset. Assumes that the clock changes at most once
    /// between the two instants.
    fn change_between(&self, first: UnixMillis, last: UnixMillis) -> Option<UnixMillis> {
        let (first, last) = (first.get().div_euclid(1_000), last.get().div_euclid(1_000));
        let is_steady = |steady: Steady| steady.contains(first) && steady.contains(last);
        if self.timezone == Tz::UTC || self.steady.get().is_some_and(is_steady) {
            return None;
        }
        if self.timezone.offset_at(first) == self.timezone.offset_at(last) {
            return None;
        }
        Some(UnixMillis::new(1_000 * change_between(self.timezone, first, last)))
    }
}
