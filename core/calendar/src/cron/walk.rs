//! Runs one after the other: what the search for one has found out serves the next.
//!
//! Most runs lie in a [steady](Steady) time of the clock, where fixed times and those that repeat
//! are the same. There the next run takes the calendar only, and of that, in most months, one look
//! into a bit set.

use super::fields::Month;
use super::{CronSchedule, LAST_SECOND};
use crate::steps::count_steps;
use crate::tz::{Reading, Steady, Tz};

/// The steady time of a clock that a search is in, if it is in one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock(Option<Steady>);

impl Clock {
    /// Returns the steady time that an instant lies in.
    fn steady_at(&mut self, tz: Tz, instant: i64) -> Option<Steady> {
        if !self.0.is_some_and(|steady| steady.contains(instant)) {
            self.0 = tz.steady_at(instant);
        }
        self.0
    }
}

impl CronSchedule {
    /// Returns the first instant after `after` that is a run whether its time repeats or is fixed,
    /// where no change of the clock can make a difference; `None` where one can, or where there is
    /// no further run.
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

    /// Returns the first instant after `after` at which the clock shows a time that it names, or
    /// has jumped over one; and whether it is a run whether that time repeats or is fixed.
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

    /// Returns the runs strictly after `after`, Unix seconds.
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
