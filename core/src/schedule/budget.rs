//! What the schedules of one request may take together.

use crate::input::FieldError;
use crate::limits::{MAX_COUNTED_RUNS, MAX_SCHEDULE_STEPS};
use std::cell::Cell;

thread_local! {
    /// Steps that searches have taken so far. Only differences of it count, so what is worked out depends on nothing but its input.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Counts the steps of a search: months, days or places in time that it has looked at.
pub(crate) fn count_steps(steps: u32) {
    TAKEN.set(TAKEN.get().wrapping_add(u64::from(steps)));
}

/// Returns the steps that this thread's searches have taken: for differences.
pub(crate) fn steps_taken() -> u64 {
    TAKEN.get()
}

/// What is left of it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    steps: u64,
    /// Runs that were counted off so far.
    counted: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: MAX_SCHEDULE_STEPS, counted: 0 }
    }
}

impl Budget {
    /// Does a part of the request's work, of the schedule in `field`. It may take more steps than are left, up to what bounds one schedule; the
    /// next part is refused then.
    ///
    /// # Errors
    /// When nothing is left, and those of the work.
    pub(crate) fn draw<T>(
        &mut self,
        field: &'static str,
        work: impl FnOnce(&mut Self) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        if self.steps == 0 {
            let detail = format!(
                "comes after schedules that took {MAX_SCHEDULE_STEPS} steps to work out, which is the limit of a request: send several \
                 requests, or rules that fire more often"
            );
            return Err(FieldError::new(field, detail));
        }
        let before = steps_taken();
        let outcome = work(self);
        self.steps = self.steps.saturating_sub(steps_taken().wrapping_sub(before));
        outcome
    }

    /// Counts runs that are to be counted off.
    ///
    /// # Errors
    /// When the request has more of them than it may.
    pub(crate) fn count_runs(&mut self, field: &'static str, what: &str, runs: u32) -> Result<(), FieldError> {
        self.counted = self.counted.saturating_add(runs);
        if self.counted > MAX_COUNTED_RUNS {
            let detail = format!(
                "brings the runs that this request has counted off, for {what} of cron and rrule, to {}; the limit is \
                 {MAX_COUNTED_RUNS}: send several requests, or give endAt instead",
                self.counted
            );
            return Err(FieldError::new(field, detail));
        }
        Ok(())
    }
}
