//! What `parse_schedule` answers.

use super::shapes::NextRun;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Whether a sentence says a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum ParsedOutcome {
    /// It says one.
    Understood,
    /// It can be read in several ways.
    Ambiguous,
    /// It says none, or none that the scheduler has.
    Refused,
}

impl ParsedOutcome {
    /// Returns what a model is to do.
    pub(super) fn next(self) -> &'static str {
        match self {
            Self::Understood => {
                "Call schedule_task with the members of readings[0].schedule as they are, with its description, and with the user's \
                 sentence as words. Tell the user the assumptions, and when it fires first."
            }
            Self::Ambiguous => {
                "Ask the user the questions. Do not choose. Then take the reading that the user means, as for a sentence that is understood."
            }
            Self::Refused => {
                "Ask the user to say it in another way, or whether a sentence of near is meant. If you are sure what is meant, give it to \
                 schedule_task as cron or rrule, and tell the user the next runs."
            }
        }
    }
}

/// What a sentence says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Parsed {
    pub(super) outcome: ParsedOutcome,
    /// One if it is understood, 2 to 8 if it is ambiguous, the more likely ones first, and none if
    /// it is refused.
    pub(super) readings: Vec<Reading>,
    /// What to ask the user. Only if it is ambiguous.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) questions: Vec<String>,
    /// Which words are refused, and why. Only if it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
    /// Sentences that are near it and that are understood. Only if it is refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) near: Vec<String>,
    /// What to do next.
    pub(super) next: &'static str,
}

/// One reading of a sentence.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Reading {
    /// The arguments of schedule_task that say when.
    #[cfg_attr(test, schemars(with = "Arguments"))]
    pub(super) schedule: Box<RawValue>,
    /// The same as one sentence.
    pub(super) sentence: String,
    /// What the ambiguous words mean here. Only if there are several readings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) differs: Vec<String>,
    /// What the task is: the words that do not say when. Absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// 10 to 100, percent.
    pub(super) confidence: u8,
    /// What the sentence leaves open, and this reading decides.
    pub(super) assumptions: Vec<String>,
    /// The words that do not say when.
    pub(super) ignored: Vec<String>,
    /// The next three runs, or as many as there are.
    pub(super) next_runs: Vec<NextRun>,
}

/// The schema of the arguments that say when. Exactly one of time, cron, everySeconds and rrule is
/// there.
#[cfg(test)]
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Arguments {
    time: Option<String>,
    cron: Option<super::shapes::Cron>,
    every_seconds: Option<f64>,
    anchor: Option<String>,
    rrule: Option<String>,
    timezone: Option<String>,
    start_at: Option<String>,
    end_at: Option<String>,
    max_runs: Option<u32>,
    exclude: Option<super::shapes::Exclude>,
}
