//! Follow-ups: what a task wants to happen once a run of it has ended, its `onSuccess` or its `onFailure`.
//!
//! A follow-up is a page entry as a further attempt is: of the same id, due at once, with attempts of its own by the task's retry
//! policy. It is written in the commit that takes the outcome down and ends the envelope, so there is one for each end of a run. Its
//! record is the task's with the follow-up's target as its callback, and without follow-ups, for nothing follows it in turn, and without
//! what the task says of late runs, for it is never too late to tell, and without its limit's key, which bounds calls of its own target. While it waits or is on its way, its run goes on: so overlaps see it.

use super::Engine;
use crate::ended_run::{Ended, runs_of, shown};
use crate::remains::Remains;
use crate::requeue::queue_flag;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::history::{Outcome, Past, Run};
use scheduler_model::protocol::Report;
use scheduler_model::task::{ON_FAILURE, ON_SUCCESS, Record};
use serde_json::value::RawValue;
use std::borrow::Cow;

impl Engine {
    /// Adds what follows those tasks of an envelope, or of a firing without a report, that have come to their end.
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
        for (record, run) in runs_of(report, tasks) {
            self.push_follow_up(record, run, (fired_at, now), remains);
        }
    }

    /// Adds what follows one run, if anything does.
    fn push_follow_up(
        &mut self,
        record: &Record<'_>,
        run: Run<'_>,
        (fired_at, now): (UnixMillis, UnixMillis),
        remains: &mut Remains,
    ) {
        let Some((stage, callback)) = target(record, run.outcome) else { return };
        let past = Past { run, fired_at, reported_at: now };
        // Numbers and texts always become JSON.
        let Ok(outcome) = serde_json::value::to_raw_value(&shown(&past)) else { return };
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
        // Where its run was paused while it ran, it waits to be resumed.
        let due = if record.is_paused() { UnixMillis::PAUSED } else { now };
        self.keep_follow_up(&follow_up, due, queue_flag(&follow_up), now, remains);
    }
}

/// What follows a run that ended so, and as which stage of it.
fn target<'a>(record: &Record<'a>, outcome: Outcome) -> Option<(&'static str, &'a RawValue)> {
    match outcome {
        Outcome::Succeeded => record.on_success.map(|target| (ON_SUCCESS, target)),
        Outcome::DeadLettered | Outcome::Expired => record.on_failure.map(|target| (ON_FAILURE, target)),
        // A further attempt comes, or nobody knows the end of it, or it was never to run.
        Outcome::Failed | Outcome::HandedOver | Outcome::Skipped | Outcome::Other(_) => None,
    }
}

#[cfg(test)]
#[path = "follow_up_tests.rs"]
mod tests;
