//! What a phrase is read as.

use crate::Schedule;
use serde::Serialize;

/// A part of the phrase, in bytes: from `start` up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

impl Span {
    /// Returns the span from the start of this one to the end of `other`.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// The answer to a phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    /// It says one schedule.
    Understood(Box<Reading>),
    /// It can be read in several ways, and the caller has to choose.
    Ambiguous(Ambiguity),
    /// It says no schedule, or none that the scheduler has.
    Refused(Refusal),
}

/// One reading of a phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// When.
    pub schedule: Schedule,
    /// What: the words that say nothing about time, without `remind me to` and the like.
    pub description: Option<String>,
    /// The parts of the phrase that say when, in order.
    pub used: Vec<Part>,
    /// The rest of the phrase, in order.
    pub ignored: Vec<Span>,
    /// What the phrase left open and the reading decided.
    pub assumptions: Vec<Assumption>,
    /// 10 to 100, percent: 100 less the cost of each assumption and of ignored words.
    pub confidence: u8,
    /// Whether the phrase names no start of its interval, so that the anchor of the schedule is one
    /// interval after the time at which the phrase was read.
    pub assumes_anchor: bool,
}

/// A part of the phrase that says something about time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Where it is.
    pub span: Span,
    /// What it says: `days`, `time`, `start`, and so on.
    pub says: &'static str,
}

/// Something that the phrase leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// What was decided, as a sentence for the user.
    pub text: String,
    /// The percent by which it lowers the confidence.
    pub cost: u8,
}

/// Several readings of one phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ambiguity {
    /// What to ask the user, a sentence for each open question.
    pub questions: Vec<String>,
    /// Two or more, the more likely first.
    pub choices: Vec<Choice>,
}

/// One way to read an ambiguous phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The full reading.
    pub reading: Reading,
    /// The words on whose meaning it depends, each with what they mean in this reading.
    pub differs: Vec<Difference>,
}

/// What some words mean in one choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The ambiguous words.
    pub span: Span,
    /// Their meaning here.
    pub means: String,
}

/// Why a phrase has no reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The kind of reason.
    pub reason: Reason,
    /// What was not understood.
    pub span: Span,
    /// The reason as a sentence for the user, often with what to write instead.
    pub message: String,
}

/// Kinds of reasons to refuse a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// It exceeds a limit of [`crate::limits`].
    TooLong,
    /// It has no part that says when.
    NothingFound,
    /// A part looks as if it said when, and is not understood.
    NotUnderstood,
    /// A part names a date, a time or a number that does not exist.
    Impossible,
    /// The time is past.
    Past,
    /// Something is missing that has no default.
    Missing,
    /// Two parts contradict each other, or do not fit together.
    Conflict,
    /// It is understood, but no schedule of the scheduler says it exactly.
    Unsupported,
    /// It has more than [`crate::limits::MAX_CHOICES`] readings.
    TooAmbiguous,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, span: Span, message: impl Into<String>) -> Self {
        Self { reason, span, message: message.into() }
    }
}
