//! How the last attempt of a task ended, if only the history has it.

use crate::sentences::run_of;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::explain::ReasonCode;
use scheduler_model::format::history::{Outcome, Past};

/// The newest attempt of a task in the history.
pub(super) struct LastAttempt {
    outcome: Outcome,
    /// The run, as the subject of a sentence.
    run: String,
    attempt: u32,
    error: String,
    at: UnixMillis,
}

impl LastAttempt {
    /// Returns what an entry of the history says, or `None` if the entry is a cancel.
    pub(super) fn of(past: &Past<'_>) -> Option<Self> {
        let run = &past.run;
        if run.outcome == Outcome::Cancelled {
            return None;
        }
        let stage = Some(run.stage.as_ref()).filter(|stage| !stage.is_empty());
        Some(Self {
            outcome: run.outcome,
            run: run_of(run.time, stage),
            attempt: run.attempt,
            error: run.error.clone().into_owned(),
            at: past.reported_at,
        })
    }

    /// Explains how a task that is gone has ended. `keeps_all` says whether the history has every
    /// attempt and the shard has kept every dead letter.
    pub(super) fn explain(&self, keeps_all: bool) -> (ReasonCode, String) {
        let Self { run, attempt, error, .. } = self;
        // A receiver may end its error with a full stop, as this sentence does.
        let error = error.strip_suffix('.').unwrap_or(error);
        let at = self.at.shown();
        match self.outcome {
            Outcome::Skipped => {
                (ReasonCode::Skipped, format!("{run} was skipped at {at}: {error}. {REST}"))
            }
            Outcome::Expired => {
                let why = error.strip_prefix("expired: ").unwrap_or(error);
                (ReasonCode::Expired, format!("{run} expired at {at}: {why}. {REST}"))
            }
            Outcome::Succeeded => {
                (ReasonCode::Done, format!("{run} succeeded at {at}, at attempt {attempt}. {REST}"))
            }
            Outcome::HandedOver => {
                (ReasonCode::Done, format!("Your queue accepted {} at {at}. {REST}", lower(run)))
            }
            Outcome::DeadLettered => {
                let then = if keeps_all {
                    "Its dead letter has been discarded."
                } else {
                    "Its dead letter is not kept any more."
                };
                let detail =
                    format!("{run} failed for good at {at}, at attempt {attempt}: {error}. {then}");
                (ReasonCode::Done, detail)
            }
            Outcome::Failed => {
                let detail = format!(
                    "{run} failed at {at}, at attempt {attempt}: {error}. No further attempt follows."
                );
                (ReasonCode::Done, detail)
            }
            Outcome::Cancelled | Outcome::Other(_) => {
                (ReasonCode::Done, format!("{run} ended at {at}. {REST}"))
            }
        }
    }
}

const REST: &str = "Nothing of the task waits or runs.";

/// Returns a subject as it is written within a sentence.
fn lower(subject: &str) -> String {
    subject.replacen("The ", "the ", 1)
}
