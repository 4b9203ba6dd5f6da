//! Walks from run to run. The search for each run reuses what the search before it has found.
//!
//! Most runs are in a [steady](Steady) time of the clock, in which fixed and repeating times are
//! the same. There the next run needs only the calendar, and in most months a single look into a
//! bit set.

use super::fields::Month;
use super::{CronSchedule, LAST_SECOND};
use crate::steps::count_steps;
use crate::tz::{Reading, Steady, Tz};

/// The steady time of a clock that contains the current position of a search, if there is one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock(Option<Steady>);

impl Clock {
    /// Returns the steady time that contains an instant.
    fn steady_at(&mut self, tz: Tz, instant: i64) -> Option<Steady> {
        if !self.0.is_some_and(|steady| steady.contains(instant)) {
            self.0 = tz.steady_at(instant);
        }
        self.0
    }
}

impl CronSchedule {
    /// Returns the first instant after `after` that is a run both for repeating and for fixed
    /// times, because no clock change is near. Returns `None` if a change may matter, or if there
    /// is no further run.
    fn next_certain(&self, after: i64, clock: &mut Clock, month: &mut Month) -> Option<i64> {
        let steady = clock.steady_at(self.timezone, after)?;
        let local = self.fields.next_at_or_after(after + steady.offset + 1, month)?;
        let instant = local - steady.offset;
        if steady.contains(instant) {
            return Some(instant);
        }
        match self.timezone.read(local) {
            Reading::Once(instant) => Some(instant),
            Reading::Twice { .. } | Reading::Gap { .. } => None,
        }
    }

    /// Returns the first instant after `after` at which the clock shows a named time or has jumped
    /// over one. Also returns whether it is a run both for repeating and for fixed times.
    pub(super) fn next_possible(
        &self,
        after: i64,
        clock: &mut Clock,
        month: &mut Month,
    ) -> Option<(i64, bool)> {
        count_steps(1);
        if let Some(certain) = self.next_certain(after, clock, month) {
            return Some((certain, true));
        }
        match (self.next_fixed(after, month), self.next_repeat(after, month)) {
            (Some(fixed), Some(shown)) => Some((fixed.min(shown), fixed == shown)),
            (fixed, shown) => Some((fixed.or(shown)?, false)),
        }
    }

    /// Returns the runs strictly after `after`, in Unix seconds.
    pub(super) fn walk(&self, after: i64) -> impl Iterator<Item = i64> + '_ {
        let (mut clock, mut month, mut after) = (Clock::default(), Month::default(), after);
        std::iter::from_fn(move || {
            count_steps(1);
            let next = self
                .next_certain(after, &mut clock, &mut month)
                .or_else(|| self.next_run(after, &mut month));
            after = next.filter(|next| *next <= LAST_SECOND)?;
            Some(after)
        })
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
