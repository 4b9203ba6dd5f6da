//! Follow-ups: calls that a task requests for the end of a run, `onSuccess` and `onFailure`.
//!
//! A follow-up is a page entry with the id of its task. It is due at once, and the retry policy of
//! the task applies to its attempts. The commit that records the outcome and ends the envelope
//! writes it, so there is one follow-up for each end of a run. Its record is the task's record with
//! these differences: its callback is the target of the follow-up. It has no follow-ups. It has no
//! policies for late runs, because a follow-up is never too late. It has no limit key, because the
//! key limits calls of the task's own target. While a follow-up waits or is in flight, its run is
//! in progress, so the overlap policy takes it into account.

use super::Engine;
use crate::ended_run::{Ended, runs_of, shown};
use crate::envelopes::Dispatched;
use crate::remains::Remains;
use crate::requeue::queue_flag;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::history::{Outcome, Past, Run};
use scheduler_model::protocol::Report;
use scheduler_model::task::{ON_FAILURE, ON_SUCCESS, Record};
use serde_json::value::RawValue;
use std::borrow::Cow;

impl Engine {
    /// Adds follow-ups for the ended runs of an envelope, or of a firing that ended runs without a
    /// report.
    pub(super) fn follow_up(
        &mut self,
        fired_at: UnixMillis,
        report: Option<&Report>,
        tasks: &[(Record<'_>, Ended<'_>)],
        now: UnixMillis,
        remains: &mut Remains,
    ) {
        if !tasks.iter().any(|(record, _)| record.has_follow_ups()) {
            return;
        }
        for (record, run) in runs_of(report, tasks, &Dispatched::new()) {
            self.push_follow_up(record, run, (fired_at, now), remains);
        }
    }

    /// Adds the follow-up of one run if its task names one.
    fn push_follow_up(
        &mut self,
        record: &Record<'_>,
        run: Run<'_>,
        (fired_at, now): (UnixMillis, UnixMillis),
        remains: &mut Remains,
    ) {
        let Some((stage, callback)) = target(record, run.outcome) else { return };
        let past = Past { run, fired_at, reported_at: now };
        let Ok(outcome) = serde_json::value::to_raw_value(&shown(&past)) else {
            return self.contradicts("the outcome of a run cannot be encoded");
        };
        let follow_up = Record {
            callback,
            on_success: None,
            on_failure: None,
            misfire: None,
            overlap: None,
            expire_after_seconds: None,
            limit_key: None,
            stage: Some(Cow::Borrowed(stage)),
            outcome: Some(&outcome),
            attempt: None,
            failed_at: None,
            error: None,
            first_attempt_at: None,
            replayed_at: None,
            late_since: None,
            not_before: None,
            paused: None,
            ..record.clone()
        };
        // If the run was paused while it was in flight, the follow-up waits until the task is
        // resumed.
        let due = if record.is_paused() { UnixMillis::PAUSED } else { now };
        self.keep_follow_up(&follow_up, due, queue_flag(&follow_up), now, remains);
    }
}

/// Returns the stage and the target of the follow-up for this outcome, if any.
fn target<'a>(record: &Record<'a>, outcome: Outcome) -> Option<(&'static str, &'a RawValue)> {
    match outcome {
        Outcome::Succeeded => record.on_success.map(|target| (ON_SUCCESS, target)),
        Outcome::DeadLettered | Outcome::Expired => {
            record.on_failure.map(|target| (ON_FAILURE, target))
        }
        // A further attempt follows, the end is unknown, or the run was skipped.
        Outcome::Failed
        | Outcome::HandedOver
        | Outcome::Skipped
        | Outcome::Cancelled
        | Outcome::Other(_) => None,
    }
}

#[cfg(test)]
#[path = "follow_up_tests.rs"]
mod tests;
