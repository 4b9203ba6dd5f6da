//! A recurring task that continues with other items of its calendars.

use super::Engine;
use crate::error::EngineError;
use crate::new_items::{Unsettled, note_final_run};
use crate::new_schedule::read_schedule;
use crate::pause::{missed_in_pause, pause_start};
use crate::policy::Verdict;
use crate::redefinition::GoingOn;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::ScheduleNumber;

impl Engine {
    /// Plans a new record for a schedule with other items of its calendars. The new items decide
    /// about the runs that the task has not come to, also about those that it missed in a pause.
    /// Returns `None` if they leave out all of them.
    pub(super) fn plan_with_new_items(
        &self,
        number: ScheduleNumber,
        record: Vec<u8>,
        since: UnixMillis,
        now: UnixMillis,
    ) -> Result<Option<GoingOn>, EngineError> {
        let former = self.known_schedule(number)?;
        let (was, paused_at) = (former.next, former.paused_at);
        let former = former.schedule.as_ref();
        let unsettled = match paused_at {
            Some(paused_at) => Unsettled::of_paused(former, paused_at),
            None => Unsettled::of_scheduled(former, was, since),
        };
        let record = note_final_run(record, former, &unsettled).map_err(EngineError::Corrupt)?;
        let read = read_schedule(&record).map_err(EngineError::Corrupt)?;
        let policies = read.policies;
        let Some(left_after) = unsettled.since(former, &read.schedule) else { return Ok(None) };
        let kept = GoingOn {
            read,
            record,
            number,
            next: None,
            paused_at: None,
            since: None,
            owed: Vec::new(),
            starts_now: false,
        };
        let schedule = kept.read.schedule.as_ref();
        let next = schedule.next_after(left_after);
        Ok(Some(match (paused_at, kept.read.paused) {
            (Some(_), true) => {
                GoingOn { paused_at: Some(left_after), since: Some(left_after), ..kept }
            }
            (Some(_), false) => {
                let owed = missed_in_pause(schedule, policies, left_after, now);
                let since = since.max(left_after);
                let next = schedule.next_after(since);
                GoingOn { next, since: Some(since), owed, ..kept }
            }
            (None, true) => {
                let since = pause_start(schedule, next, policies.catches_up, since);
                GoingOn { paused_at: Some(since), since: Some(since), ..kept }
            }
            (None, false) => {
                let Some(first) = next else { return Ok(None) };
                let is_behind = first.due <= self.state.watermark.due && next != was;
                let is_made_due = first.due <= since
                    && was.is_none_or(|was| was.time == first.time && was.due > since);
                if is_behind || is_made_due {
                    let since = self.state.watermark.due.max(first.due);
                    let next = schedule.next_after(since);
                    let owed = vec![(first, Verdict::Fire)];
                    GoingOn { next, since: Some(since), owed, starts_now: true, ..kept }
                } else {
                    GoingOn { next, since: Some(first.due.plus(-1)), ..kept }
                }
            }
        }))
    }
}

#[cfg(test)]
#[path = "renew_tests.rs"]
mod tests;
