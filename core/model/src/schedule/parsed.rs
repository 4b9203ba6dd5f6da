//! The request and the answer of `POST /v1/parse`.

use super::{CronText, ExcludeInput, PreviewRun};
use crate::bounds::MAX_SMALL_BODY_BYTES;
use crate::input::{FieldError, Text, TimeInput, parse_object};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The runs of a schedule that an answer shows.
pub const PARSED_RUNS: usize = 3;

/// A sentence to read. The OpenAPI document shows the comments of the fields.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(description = "A sentence that says when, and perhaps what.")]
pub struct ParseInput<'a> {
    /// The sentence: up to 500 characters outside of double quotes.
    #[serde(borrow)]
    #[schemars(length(max = MAX_SMALL_BODY_BYTES))]
    text: Text<'a>,
    /// The IANA time zone of the caller. Local times are read in it unless the sentence names
    /// another. If absent, UTC.
    #[serde(borrow, default)]
    timezone: Option<Text<'a>>,
    /// The language of the sentence: `en` or `de`. If absent, the words decide.
    #[serde(borrow, default)]
    #[schemars(extend("enum" = ["en", "de", null]))]
    language: Option<Text<'a>>,
    /// The time at which the sentence is said. If absent, now.
    #[serde(borrow, default)]
    from: Option<TimeInput<'a>>,
    /// Whether the deployment's language model may rewrite the sentence if it is refused. What the
    /// model writes is read like any sentence, and is only a proposal. The sentence is sent to the
    /// model. If absent, false.
    #[serde(default)]
    model: Option<bool>,
}

/// A checked [`ParseInput`].
#[derive(Debug)]
pub struct ToParse<'a> {
    /// The sentence.
    pub text: std::borrow::Cow<'a, str>,
    /// The caller's zone, if it is given.
    pub timezone: Option<Tz>,
    /// The code of the language, if it is given.
    pub language: Option<std::borrow::Cow<'a, str>>,
    /// When the sentence is said.
    pub from: UnixMillis,
    /// Whether a model may rewrite it.
    pub model: bool,
}

impl<'a> ParseInput<'a> {
    /// Reads and checks a request. The caller checks whether the language is known.
    ///
    /// # Errors
    /// Returns an error that names the invalid field.
    pub fn parse(body: &'a str, now: UnixMillis) -> Result<ToParse<'a>, FieldError> {
        let input: Self = parse_object(body, "")?;
        let zone = input
            .timezone
            .map(|name| scheduler_calendar::cron::timezone(Some(&name.0)))
            .transpose()
            .map_err(|problem| FieldError::new("timezone", problem.to_string()))?;
        let from = super::input::in_zone("from", &input.from, zone)?.map_or(now, |(at, _)| at);
        let language = input.language.map(|language| language.0);
        let model = input.model.unwrap_or_default();
        Ok(ToParse { text: input.text.0, timezone: zone, language, from, model })
    }
}

/// The meaning of a sentence, or why it has none.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParsedSentence {
    /// `understood`: it gives one schedule. `ambiguous`: it has several readings, and the caller
    /// must choose. `refused`: it gives no schedule, or one that the scheduler does not have.
    #[schemars(extend("enum" = ["understood", "ambiguous", "refused"]))]
    pub outcome: &'static str,
    /// The language in which it was read.
    #[schemars(extend("enum" = ["en", "de"]))]
    pub language: &'static str,
    /// The zone of the caller, in which it was read.
    pub timezone: &'static str,
    /// Its meaning. Only if it is understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<ParsedReading>,
    /// Questions for the user, one sentence for each ambiguity. Only if it is ambiguous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub questions: Option<Vec<String>>,
    /// Its readings, the more likely ones first: 2 to 8. Only if it is ambiguous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<ParsedChoice>>,
    /// Why it is refused. Only if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<ParsedRefusal>,
    /// What the language model of the deployment makes of it. Only if it is refused, and the
    /// deployment has a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ParsedByModel>,
}

/// What a language model makes of a sentence that is refused.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ParsedByModel {
    /// `available`: the request did not ask it. `proposal`: it has written another sentence, which
    /// is understood. Ask the user whether it is meant. `none`: it has written none. `failed`: it
    /// did not answer.
    #[schemars(extend("enum" = ["available", "proposal", "none", "failed"]))]
    pub outcome: &'static str,
    /// The sentence that it has written. Only of a proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The meaning of that sentence. Only of a proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<ParsedReading>,
    /// Why there is no proposal. Only if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One reading of a sentence.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParsedReading {
    /// The fields of a task that say when. You can send them unchanged. They are exact: a delay
    /// such as `in 20 minutes` has become a time.
    #[schemars(with = "ParsedSchedule")]
    pub schedule: Box<RawValue>,
    /// The schedule as one sentence in the language of the request. It is read as the same
    /// schedule.
    pub sentence: String,
    /// What the task is: the words that do not say when, without `remind me to` and the like.
    /// Absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// 10 to 100 percent: 100 minus the costs of the assumptions and of the ignored words.
    pub confidence: u8,
    /// What the sentence leaves open, and how it was read.
    pub assumptions: Vec<ParsedAssumption>,
    /// The parts that say when, in order.
    pub used: Vec<ParsedPart>,
    /// The other parts, in order.
    pub ignored: Vec<ParsedPart>,
    /// The next runs, up to three.
    pub runs: Vec<ParsedRun>,
    /// Whether there are more runs.
    pub more: bool,
}

/// The fields of a task that say when. It has exactly one of `time`, `cron`, `everySeconds` and
/// `rrule`.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ParsedSchedule {
    /// The time of a task that fires once: RFC 3339, or a local time in `timezone`.
    time: Option<String>,
    /// A cron expression, or a list of them.
    cron: Option<CronText>,
    /// The interval at which it fires, in seconds.
    every_seconds: Option<f64>,
    /// The time from which the runs of the interval are computed: RFC 3339, or a local time in
    /// `timezone`.
    anchor: Option<String>,
    /// A rule of RFC 5545, which begins at `startAt`.
    rrule: Option<String>,
    /// The IANA time zone of `cron`, `rrule` and local times.
    timezone: Option<String>,
    /// No run is before this time.
    start_at: Option<String>,
    /// No run is after this time.
    end_at: Option<String>,
    /// The number of runs after which it ends.
    max_runs: Option<u32>,
    /// The days and the times of day at which it does not fire.
    exclude: Option<ExcludeInput<'static>>,
}

/// A detail that a sentence leaves open.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ParsedAssumption {
    /// The assumption, as a sentence.
    pub text: String,
    /// The percent by which it lowers the confidence.
    pub cost: u8,
}

/// A part of a sentence.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ParsedPart {
    /// The position of its first character, in units of UTF-16, as JavaScript counts.
    pub start: usize,
    /// The position after its last character.
    pub end: usize,
    /// Its text.
    pub text: String,
    /// What it says: `cycle`, `days`, `months`, `day`, `time`, `window`, `delay`, `start`, `end`,
    /// `period`, `runs`, `exception`, `zone`, `callerZone`, `cron`, `rrule` or `instant`.
    /// `callerZone` is `my time` and the like, which names no zone. Absent if it does not say
    /// when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<&'static str>,
}

/// A run of a schedule, in two time zones.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParsedRun {
    /// The run, in the time zone of the schedule.
    #[serde(flatten)]
    pub run: PreviewRun,
    /// Its time in the caller's time zone, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub caller_local: String,
}

/// One reading of an ambiguous sentence.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ParsedChoice {
    /// The ambiguous words, each with its meaning in this reading.
    pub differs: Vec<ParsedDifference>,
    /// The whole reading.
    pub reading: ParsedReading,
}

/// The meaning of some words in one reading.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ParsedDifference {
    /// The ambiguous words.
    pub part: ParsedPart,
    /// Their meaning in this reading.
    pub means: String,
}

/// Why a sentence is refused.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ParsedRefusal {
    /// The kind of reason. `tooLong`: the sentence exceeds a limit. `nothingFound`: no part says
    /// when. `notUnderstood`: a part seems to say when but is not understood. `impossible`: a date,
    /// a time or a number does not exist. `past`: the time has passed. `missing`: something without
    /// a default is missing. `conflict`: two parts contradict each other. `unsupported`: no
    /// schedule matches it exactly. `tooAmbiguous`: it has more than eight readings.
    #[schemars(extend("enum" = ["tooLong", "nothingFound", "notUnderstood", "impossible", "past", "missing", "conflict", "unsupported", "tooAmbiguous"]))]
    pub reason: &'static str,
    /// What was not understood.
    pub part: ParsedPart,
    /// The reason as a sentence, often with what to write instead.
    pub message: String,
    /// Similar sentences that are understood.
    pub near: Vec<String>,
}
