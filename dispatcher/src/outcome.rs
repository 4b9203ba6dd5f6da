//! What became of a task, and the report of an envelope.

use crate::text::{cut, shown_url};
use scheduler_core::wire::{Failure, MAX_ERROR_CHARS, Report};
use std::fmt;

/// Longest text of a network error that is kept, bytes.
const SHOWN_PROBLEM_BYTES: usize = 200;

/// What became of a task.
pub(crate) type Outcome = Result<(), TaskError>;

/// Why a task failed, and whether trying again can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskError {
    message: String,
    permanent: bool,
}

impl TaskError {
    /// A failure that may pass: the task is tried again as its retry policy says. `message` is shown with the task, up to
    /// 500 characters of it.
    pub fn retry(message: impl Into<String>) -> Self {
        Self { message: message.into(), permanent: false }
    }

    /// A failure that trying again cannot mend: the task is kept as a dead letter at once.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), permanent: true }
    }

    /// Whether trying again cannot help.
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TaskError {}

/// What a webhook's answer means.
pub(crate) fn of_status(status: u16, url: &str) -> Outcome {
    let url = shown_url(url);
    match status {
        200..=299 => Ok(()),
        300..=399 => {
            Err(TaskError::retry(format!("HTTP {status} from {url}: redirects are not followed; give the URL that it leads to")))
        }
        // The one status by which a receiver says that it will never be otherwise. The other 4xx are as often a
        // deployment or a key that is about to be mended.
        410 => Err(TaskError::permanent(format!("HTTP 410 from {url}"))),
        _ => Err(TaskError::retry(format!("HTTP {status} from {url}"))),
    }
}

/// A webhook that got no answer.
pub(crate) fn of_network_error(problem: &str, url: &str) -> TaskError {
    TaskError::retry(format!("no answer from {}: {}", shown_url(url), cut(problem, SHOWN_PROBLEM_BYTES)))
}

/// A webhook whose answer did not come in time.
pub(crate) fn of_timeout(seconds: u32, url: &str) -> TaskError {
    TaskError::retry(format!("timed out after {seconds} s: {}", shown_url(url)))
}

/// The outcomes of one envelope, as they come in.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    report: Report,
}

impl Tally {
    /// For the envelope of this number.
    pub(crate) fn new(seq: u64) -> Self {
        Self { report: Report { seq, ..Report::default() } }
    }

    /// Takes in what became of the task at `index`.
    pub(crate) fn add(&mut self, index: u32, outcome: Outcome) {
        if let Err(TaskError { message, permanent }) = outcome {
            let error = message.chars().take(MAX_ERROR_CHARS).collect();
            self.report.failed.push(Failure { index, error, permanent });
        }
    }

    /// Notes that the task at `index` is not going to be started.
    pub(crate) fn add_not_started(&mut self, index: u32) {
        self.report.not_started.push(index);
    }

    /// The report, in the order of the envelope.
    pub(crate) fn into_report(mut self) -> Report {
        self.report.failed.sort_unstable_by_key(|failure| failure.index);
        self.report.not_started.sort_unstable();
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        const URL: &str = "https://a.example/x?key=1";
        for status in [200, 201, 204, 299] {
            assert_eq!(of_status(status, URL), Ok(()));
        }
        for status in [100, 199, 400, 401, 404, 408, 425, 429, 500, 503, 599] {
            assert_eq!(of_status(status, URL), Err(TaskError::retry(format!("HTTP {status} from https://a.example/x"))));
        }
        assert_eq!(of_status(410, URL), Err(TaskError::permanent("HTTP 410 from https://a.example/x")));
        for status in [301, 302, 304, 308] {
            let error = of_status(status, URL).unwrap_err();
            assert!(!error.is_permanent());
            assert!(error.to_string().contains("redirects are not followed"), "{error}");
        }
    }

    #[test]
    fn errors_tell_where_and_hide_the_query() {
        assert_eq!(of_timeout(30, "https://a/x?k=1").to_string(), "timed out after 30 s: https://a/x");
        assert_eq!(
            of_network_error("connection lost", "https://a/x?k=1").to_string(),
            "no answer from https://a/x: connection lost"
        );
    }

    #[test]
    fn a_report_is_in_order_whatever_order_outcomes_come_in() {
        let mut tally = Tally::new(42);
        tally.add(7, Err(TaskError::retry("x".repeat(1_000))));
        tally.add(3, Ok(()));
        tally.add_not_started(9);
        tally.add(1, Err(TaskError::permanent("no")));
        tally.add_not_started(8);
        let report = tally.into_report();
        assert_eq!(report.seq, 42);
        assert_eq!(report.failed.iter().map(|f| (f.index, f.permanent)).collect::<Vec<_>>(), [(1, true), (7, false)]);
        assert_eq!(report.failed[1].error.len(), MAX_ERROR_CHARS);
        assert_eq!(report.not_started, [8, 9]);
    }

    /// Pinned: shards of an older or newer deployment read this.
    #[test]
    fn the_reports_bytes() {
        let mut tally = Tally::new(42);
        tally.add(5, of_status(500, "https://a/x"));
        tally.add_not_started(7);
        assert_eq!(
            serde_json::to_string(&tally.into_report()).unwrap(),
            r#"{"seq":42,"failed":[{"index":5,"error":"HTTP 500 from https://a/x","permanent":false}],"notStarted":[7]}"#
        );
    }
}
