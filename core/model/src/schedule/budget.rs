//! The bound on the work for all schedules of one request.

use crate::bounds::{MAX_SCHEDULE_STEPS, MAX_SENTENCES, MAX_SNAPSHOT_BYTES_OF_REQUEST};
use crate::input::FieldError;
use scheduler_calendar::rrule::MAX_COUNTED_RUNS;
use scheduler_calendar::steps::{TooManySteps, steps_taken, within};

/// The rest of the budget.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    steps: u64,
    /// The runs that were counted so far.
    counted: u32,
    /// The schedules in words that were read so far.
    sentences: usize,
    /// The bytes of the texts of `exclude` with calendars so far.
    calendars: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: MAX_SCHEDULE_STEPS, counted: 0, sentences: 0, calendars: 0 }
    }
}

impl Budget {
    /// Does a part of the request's work, for the schedule in `field`. If it takes more steps than
    /// are left, it ends early, and its result is dropped.
    ///
    /// # Errors
    /// Returns an error if not enough steps are left, or if the work fails.
    pub(crate) fn draw<T>(
        &mut self,
        field: &'static str,
        work: impl FnOnce(&mut Self) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        let before = steps_taken();
        let left = self.steps;
        let outcome = within(left, || work(self));
        self.steps = left.saturating_sub(steps_taken().wrapping_sub(before));
        let detail = match outcome {
            Ok(outcome) => return outcome,
            Err(TooManySteps) if left == MAX_SCHEDULE_STEPS => format!(
                "takes more than {MAX_SCHEDULE_STEPS} steps to compute, which is the limit of a request: ask for fewer runs, leave out less, \
                 or give a rule that fires more often"
            ),
            Err(TooManySteps) => format!(
                "comes after schedules that took {MAX_SCHEDULE_STEPS} steps to compute, which is the limit of a request: send several \
                 requests, or rules that fire more often"
            ),
        };
        Err(FieldError::new(field, detail))
    }

    /// Adds a schedule in words.
    ///
    /// # Errors
    /// Returns an error if the request has more of them than it may.
    pub(crate) fn count_sentence(&mut self) -> Result<(), FieldError> {
        if self.sentences == MAX_SENTENCES {
            let detail = format!(
                "comes after {MAX_SENTENCES} other schedules in words, which is the limit of a request: send several requests, or the \
                 fields that POST /v1/parse answers"
            );
            return Err(FieldError::new("schedule", detail));
        }
        self.sentences += 1;
        Ok(())
    }

    /// Adds an `exclude` of this many bytes with its calendars, which `field` names.
    ///
    /// # Errors
    /// Returns an error if those of the request take more bytes than they may.
    pub(crate) fn count_calendars(
        &mut self,
        field: &'static str,
        bytes: usize,
    ) -> Result<(), FieldError> {
        self.calendars = self.calendars.saturating_add(bytes);
        if self.calendars > MAX_SNAPSHOT_BYTES_OF_REQUEST {
            let detail = format!(
                "brings the tasks of this request with their calendars to {} bytes; the limit is {MAX_SNAPSHOT_BYTES_OF_REQUEST}: send \
                 several requests",
                self.calendars
            );
            return Err(FieldError::new(field, detail));
        }
        Ok(())
    }

    /// Adds to the runs that must be counted.
    ///
    /// # Errors
    /// Returns an error if the request has more of them than it may.
    pub(crate) fn count_runs(
        &mut self,
        field: &'static str,
        what: &str,
        runs: u32,
    ) -> Result<(), FieldError> {
        self.counted = self.counted.saturating_add(runs);
        if self.counted > MAX_COUNTED_RUNS {
            let detail = format!(
                "brings the number of runs that this request counts, for {what} of cron and rrule, to {}; the limit is \
                 {MAX_COUNTED_RUNS}: send several requests, or give endAt instead",
                self.counted
            );
            return Err(FieldError::new(field, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::preview;
    use scheduler_calendar::time::UnixMillis;

    /// A request may have 20,000 schedules, and its budget is 12,500,000 steps.
    #[test]
    fn a_usual_schedule_takes_few_steps() {
        let mut all = 0;
        let bodies = [
            r#"{"cron":"0 9 * * MON-FRI","timezone":"Europe/Berlin","count":1}"#,
            r#"{"cron":"*/5 * * * *","count":1}"#,
            r#"{"cron":["0 9 * * *","30 17 * * *"],"timezone":"America/New_York","count":1}"#,
            r#"{"cron":"0 3 1 * *","timezone":"Australia/Sydney","count":1}"#,
        ];
        for body in bodies {
            let before = steps_taken();
            assert_eq!(
                preview(body, UnixMillis::new(1_780_000_000_000)).expect(body).runs.len(),
                1
            );
            all += steps_taken() - before;
        }
        assert!(all <= 4 * 40, "{all} steps");
    }
}
