//! The calendars that a schedule names.

use super::exclude::{EXCLUDE, exclusions};
use super::fields::{count_of, too_long};
use super::{Budget, Recurrence, ScheduleFields, ScheduleInput};
use crate::bounds::MAX_EXCLUDE_TEXT_BYTES;
use crate::calendars::{Calendars, items_of, names_of};
use crate::input::{FieldError, at_most};
use scheduler_calendar::exclude::MAX_EXCLUSION_STEPS;
use scheduler_calendar::excluding::Excluding;
use scheduler_calendar::rrule::{MAX_COUNTED_RUNS, TooLong};
use scheduler_calendar::schedule::{Rule, Schedule};
use scheduler_calendar::steps::within;
use scheduler_calendar::time::UnixMillis;

impl Recurrence<'_> {
    /// Returns the names of the calendars in `exclude` and in words, which are not checked yet.
    pub(crate) fn calendars(&self, in_words: impl Fn(&str) -> Vec<String>) -> Vec<String> {
        let mut names = self.exclude.map_or_else(Vec::new, |exclude| names_of(exclude.get()));
        names.extend(self.sentence.iter().flat_map(|sentence| in_words(&sentence.0)));
        names
    }
}

impl<'a> ScheduleInput<'a> {
    /// Replaces the names of calendars in `exclude` by their snapshots. `budget` is the rest of the
    /// budget for the request's schedules.
    ///
    /// # Errors
    /// Returns an error if a calendar does not exist or cannot be looked up, or if a limit is
    /// exceeded.
    pub(crate) fn resolve_calendars(
        &mut self,
        calendars: Option<&'a Calendars>,
        budget: &mut Budget,
    ) -> Result<(), FieldError> {
        let Some(rest) = self.recurrence.as_mut() else { return Ok(()) };
        let Some(exclude) = rest.exclude else { return Ok(()) };
        at_most(EXCLUDE, exclude.get().len(), MAX_EXCLUDE_TEXT_BYTES)?;
        if let Some(resolved) = Calendars::resolve(calendars, exclude, EXCLUDE)? {
            budget.count_calendars(EXCLUDE, resolved.get().len())?;
            rest.exclude = Some(resolved);
        }
        Ok(())
    }
}

impl ScheduleFields<'_> {
    /// Computes where the schedule ends, which continues the schedule `former` with other
    /// exclusions after `now`, and stores the end in the fields. If runs are counted, as many are
    /// left as of `former`. Returns false if `former` has no further run, so that nothing is left
    /// to continue.
    ///
    /// # Errors
    /// Returns an error if a field is invalid, or if there is no run any more. The error names it.
    pub fn continue_from(
        &mut self,
        former: &ScheduleFields<'_>,
        id_hash: u64,
        now: UnixMillis,
    ) -> Result<bool, FieldError> {
        let before = former.schedule(id_hash)?;
        let Some(next) = before.next_after(now) else { return Ok(false) };
        // Without a first run, the last one stays as it is stored: see the reader of new tasks in
        // the shard.
        (self.first_run, self.final_run) = (None, None);
        let mut schedule = self.schedule(id_hash)?;
        let most = u64::from(MAX_EXCLUSION_STEPS);
        let Ok(Some(first)) = within(most, || schedule.next_after(now)) else {
            let detail = "leaves no run with the current items of its calendars";
            return Err(FieldError::new(EXCLUDE, detail));
        };
        if self.max_runs.is_some() {
            let left = before.count_due(next, UnixMillis::LAST, MAX_COUNTED_RUNS.into()).runs;
            let left = u32::try_from(left).unwrap_or(MAX_COUNTED_RUNS);
            let counted = schedule.end_with_run(first.time, left);
            counted.map_err(|TooLong| too_long("maxRuns"))?;
        }
        if self.max_runs.is_some() || count_of(schedule.rule()).is_some() {
            self.final_run = Some(schedule.last_time(first.time));
        }
        Ok(true)
    }
}

/// What each calendar of a schedule leaves out by itself.
pub struct CalendarExclusions(Vec<(String, Schedule)>);

impl CalendarExclusions {
    /// Returns those of a schedule; none if it has no calendars or is not valid.
    pub fn of(fields: &ScheduleFields<'_>) -> Self {
        let items = fields.exclude.map_or_else(Vec::new, |exclude| items_of(exclude.get()));
        let of_one = |(name, items): (String, String)| {
            let rule = fields.rule().ok()?;
            let timezone = fields.timezone.as_deref().unwrap_or("UTC").parse().ok()?;
            let (first, last) = (UnixMillis::ZERO, UnixMillis::LAST);
            let excluded = exclusions(&items, timezone, fields.bounds().0).ok()?;
            let rule = Rule::Excluding(Box::new(Excluding::new(rule, first, last, excluded)));
            Some((name, Schedule::new(rule, first, last, fields.delay(0).ok()?)))
        };
        Self(items.into_iter().filter_map(of_one).collect())
    }

    /// Returns the names of the calendars that leave out the run at `time`, as the rule has it.
    pub fn at(&self, time: UnixMillis) -> Vec<String> {
        let leaves_out =
            |schedule: &Schedule| schedule.next_excluded(time.plus(-1), time).is_some();
        let names = self.0.iter().filter(|(_, schedule)| leaves_out(schedule));
        names.map(|(name, _)| name.clone()).collect()
    }
}
