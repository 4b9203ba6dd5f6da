//! Reports of dispatchers: the outcome of an envelope.

use crate::numbers::EnvelopeSeq;
use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// A dispatcher's report of an envelope. The tasks that it does not name have succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The number of the envelope.
    pub seq: EnvelopeSeq,
    /// When the envelope was fired. A shard that was restored to an earlier state assigns numbers
    /// again, and a report with another time refers to an earlier envelope. Absent from a
    /// dispatcher of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<UnixMillis>,
    /// The failed tasks.
    #[serde(default)]
    pub failed: Vec<Failure>,
    /// Indexes of the tasks that the dispatcher did not start.
    #[serde(default)]
    pub not_started: Vec<u32>,
    /// Indexes of the tasks that had expired when the dispatcher reached them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<u32>,
    /// Indexes of the failed tasks whose target gave no answer: see `engine::circuit`. A shard that
    /// does not know this field treats them like any other failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_answer: Vec<u32>,
    /// Details of the failed attempts; at most one for each of `failed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    /// Details of the successful attempts. An attempt without an entry had no HTTP status, began at
    /// `quick_at`, and took less than a millisecond.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<Done>,
    /// When the successful attempts without an entry began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quick_at: Option<UnixMillis>,
}

/// Asks whether an envelope is still in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRequest {
    /// The number of the envelope.
    pub seq: EnvelopeSeq,
}

/// Details of a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// The index in the envelope.
    pub index: u32,
    /// The HTTP status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took, in milliseconds.
    pub millis: u32,
    /// The beginning of the answer's body: at most [`MAX_EXCERPT_BYTES`], on one line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
}

/// Details of a successful attempt. Nearly every webhook has one, so it is written as a list:
/// index, HTTP status (0 if there was none), start, duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u16, UnixMillis, u32)", into = "(u32, u16, UnixMillis, u32)")]
pub struct Done {
    /// The index in the envelope.
    pub index: u32,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

impl From<(u32, u16, UnixMillis, u32)> for Done {
    fn from((index, status, started_at, millis): (u32, u16, UnixMillis, u32)) -> Self {
        Self { index, status: (status != 0).then_some(status), started_at, millis }
    }
}

impl From<Done> for (u32, u16, UnixMillis, u32) {
    fn from(done: Done) -> Self {
        (done.index, done.status.unwrap_or(0), done.started_at, done.millis)
    }
}

/// The failed attempt of one task.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The index in the envelope.
    pub index: u32,
    /// The error, for people. It is cut to [`MAX_ERROR_CHARS`].
    pub error: String,
    /// Whether no further attempt can help.
    #[serde(default)]
    pub permanent: bool,
    /// The target requests no call before this time (`Retry-After` with a date). Together with
    /// `wait_millis`, it is the same wait by the dispatcher's clock, for shards of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixMillis>,
    /// How long the target wants no call, in milliseconds from the report on. The shard counts this
    /// by its own clock, which may differ from the dispatcher's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_millis: Option<i64>,
}

impl Failure {
    /// Returns the earliest time of the next attempt that the target requests, by the clock of the
    /// shard that gets the report at `now`.
    pub fn earliest(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.wait_millis.map(|wait| now.plus(wait.max(0))).or(self.not_before)
    }
}

/// The characters of an error that are kept.
pub const MAX_ERROR_CHARS: usize = 500;
/// The bytes of a failed answer's body that are kept: enough for a message, and few compared with a
/// record.
pub const MAX_EXCERPT_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// These bytes never change, because dispatcher and shard may briefly be of different
    /// deployments.
    #[test]
    fn golden_bytes() {
        let started_at = UnixMillis::new(1_764_000_000_000);
        let report = Report {
            seq: EnvelopeSeq::new(42),
            fired_at: None,
            failed: vec![
                Failure {
                    index: 1,
                    error: "no".to_owned(),
                    not_before: Some(started_at.plus(9)),
                    ..Failure::default()
                },
                Failure {
                    index: 5,
                    error: "no".to_owned(),
                    wait_millis: Some(9),
                    ..Failure::default()
                },
            ],
            not_started: vec![2],
            expired: vec![4],
            no_answer: vec![1],
            details: vec![Detail {
                index: 1,
                status: Some(503),
                started_at,
                millis: 7,
                excerpt: "busy".to_owned(),
            }],
            done: vec![
                Done { index: 0, status: Some(204), started_at, millis: 12 },
                Done { index: 3, status: None, started_at, millis: 5 },
            ],
            quick_at: Some(started_at),
        };
        let text = r#"{"seq":42,"failed":[{"index":1,"error":"no","permanent":false,"notBefore":1764000000009},{"index":5,"error":"no","permanent":false,"waitMillis":9}],"notStarted":[2],"expired":[4],"noAnswer":[1],"details":[{"index":1,"status":503,"startedAt":1764000000000,"millis":7,"excerpt":"busy"}],"done":[[0,204,1764000000000,12],[3,0,1764000000000,5]],"quickAt":1764000000000}"#;
        assert_eq!(serde_json::to_string(&report).unwrap(), text);
        assert_eq!(serde_json::from_str::<Report>(text).unwrap(), report);
        let of_firing =
            Report { seq: EnvelopeSeq::new(42), fired_at: Some(started_at), ..Report::default() };
        let text = r#"{"seq":42,"firedAt":1764000000000,"failed":[],"notStarted":[]}"#;
        assert_eq!(serde_json::to_string(&of_firing).unwrap(), text);
        // A report of the first version.
        let text = r#"{"seq":42,"failed":[{"index":5,"error":"no"}]}"#;
        let report = serde_json::from_str::<Report>(text).unwrap();
        assert_eq!(
            report.failed,
            [Failure { index: 5, error: "no".to_owned(), ..Failure::default() }]
        );
    }
}
