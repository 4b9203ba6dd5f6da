//! The result of reading a phrase.

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

/// The result of reading a phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    /// It gives one schedule.
    Understood(Box<Reading>),
    /// It has several readings, and the caller must choose.
    Ambiguous(Ambiguity),
    /// It gives no schedule, or one that the scheduler does not have.
    Refused(Refusal),
}

/// One reading of a phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// The schedule.
    pub schedule: Schedule,
    /// The description: the words that do not say when, without `remind me to` and the like.
    pub description: Option<String>,
    /// The parts of the phrase that say when, in order.
    pub used: Vec<Part>,
    /// The rest of the phrase, in order.
    pub ignored: Vec<Span>,
    /// The details that the phrase leaves open, and how it was read.
    pub assumptions: Vec<Assumption>,
    /// 10 to 100 percent: 100 minus the costs of the assumptions and of the ignored words.
    pub confidence: u8,
    /// Whether the phrase names no start of its interval. Then the anchor is one interval after the
    /// time at which the phrase was read.
    pub assumes_anchor: bool,
}

impl Reading {
    /// Notes that the phrase has other meanings, and that none of them is a schedule.
    pub(crate) fn assume_only(&mut self) {
        const COST: u8 = 10;
        let text = "The words have another meaning, which gives no schedule.".to_owned();
        self.assumptions.push(Assumption { text, cost: COST });
        self.confidence = self.confidence.saturating_sub(COST).max(10);
    }
}

/// A part of the phrase that says something about time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its place.
    pub span: Span,
    /// The kind of the part: `days`, `time`, `start`, and so on.
    pub says: &'static str,
}

/// A detail that the phrase leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// The assumption, as a sentence for the user.
    pub text: String,
    /// The percent by which it lowers the confidence.
    pub cost: u8,
}

/// Several readings of one phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ambiguity {
    /// Questions for the user, one sentence for each ambiguity.
    pub questions: Vec<String>,
    /// Two or more, the more likely first.
    pub choices: Vec<Choice>,
}

/// One reading of an ambiguous phrase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The full reading.
    pub reading: Reading,
    /// The ambiguous words, each with its meaning in this reading.
    pub differs: Vec<Difference>,
}

/// The meaning of some words in one reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The ambiguous words.
    pub span: Span,
    /// Their meaning in this reading.
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
    /// Where the refused words would be clear, in bytes of the phrase, if that is known.
    #[serde(skip)]
    pub(crate) belongs_at: Option<usize>,
}

/// Kinds of reasons to refuse a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// It exceeds a limit of [`crate::limits`].
    TooLong,
    /// It has no part that says when.
    NothingFound,
    /// A part seems to say when, but is not understood.
    NotUnderstood,
    /// A part names a date, a time or a number that does not exist.
    Impossible,
    /// The time has passed.
    Past,
    /// Something without a default is missing.
    Missing,
    /// Two parts contradict each other, or do not fit together.
    Conflict,
    /// It is understood, but no schedule of the scheduler matches it exactly.
    Unsupported,
    /// It has more than [`crate::limits::MAX_CHOICES`] readings.
    TooAmbiguous,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, span: Span, message: impl Into<String>) -> Self {
        Self { reason, span, message: message.into(), belongs_at: None }
    }
}
