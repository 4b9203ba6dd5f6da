//! Asks the user for a time zone.

use super::failure::Failure;
use super::job::Job;
use crate::mcp::{Outcome, Question};
use scheduler_model::mcp::Action;
use scheduler_model::tools::TIMEZONE;
use serde_json::json;

/// The most characters of an answer. Every name of a time zone is shorter.
const MAX_ZONE_CHARS: usize = 64;

/// What is known about the time zone of a call.
pub(super) enum Zone {
    /// The call needs none, or its arguments name it.
    Given,
    /// The user's answer to a question.
    Answered(String),
    /// The user must be asked.
    Ask(Outcome),
}

impl Zone {
    /// Returns the zone that the user has named in the answer to a question.
    pub(super) fn answered(&self) -> Option<&str> {
        match self {
            Self::Answered(zone) => Some(zone),
            Self::Given | Self::Ask(_) => None,
        }
    }
}

/// Returns what is known about the time zone of a call. `is_missing` means that the call has local
/// times and names no zone.
///
/// # Errors
/// Returns an error if the zone is missing and the user does not name it, or cannot be asked.
pub(super) fn of(job: &Job<'_>, is_missing: bool) -> Result<Zone, Failure> {
    if !is_missing {
        return Ok(Zone::Given);
    }
    if let Some(answer) = job.asked.answer(TIMEZONE)? {
        if answer.action != Action::Accept {
            return Err(Failure::Said(
                "The user named no time zone, so nothing was scheduled or changed.\nNext: ask what the user wants instead."
                    .to_owned(),
            ));
        }
        if let Some(zone) = answer.text(TIMEZONE).filter(|zone| !zone.trim().is_empty()) {
            return Ok(Zone::Answered(zone.trim().to_owned()));
        }
    }
    if !job.asked.can_ask {
        return Err(Failure::Said(format!(
            "timezone is missing: the schedule has times as a clock shows them, and it is not said where.\nNext: ask the user for the \
             time zone and call {} again with timezone, such as Europe/Berlin. Do not guess it. Write UTC only if the user means UTC.",
            job.asked.name()
        )));
    }
    Ok(Zone::Ask(Outcome::Ask(Question {
        name: TIMEZONE,
        message: "In which time zone is this meant? The schedule has times as a clock shows them."
            .to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                TIMEZONE: {
                    "type": "string",
                    "title": "Time zone",
                    "description": "A name of the IANA database, such as Europe/Berlin or America/New_York.",
                    "minLength": 1,
                    "maxLength": MAX_ZONE_CHARS,
                },
            },
            "required": [TIMEZONE],
        }),
        // A forged answer has no effect that an argument with the zone would not have.
        state: None,
    })))
}
