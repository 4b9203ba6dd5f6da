//! The outcome of a task, and the report of an envelope.

use crate::text::{cut, shown_url};
use scheduler_calendar::ordered::{sort, sort_by_key};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Detail, Done, Failure, MAX_ERROR_CHARS, Report};
use std::fmt;
use std::time::Duration;

/// The longest text of a network error that is kept, in bytes.
const SHOWN_PROBLEM_BYTES: usize = 200;

/// What the platform says if a connection is refused, and also if it is cut. It does not say which
/// of the two happened.
const CONNECTION_LOST: &str = "Network connection lost.";

/// The outcome of a task.
pub(crate) type Outcome = Result<(), TaskError>;

/// Why a task failed, and whether another attempt can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskError {
    message: String,
    permanent: bool,
    wait: Duration,
    /// The time that the target named, if any.
    not_before: Option<UnixMillis>,
    is_silent: bool,
}

impl TaskError {
    /// Returns a failure that may be temporary: the task is retried by its retry policy. The task
    /// shows up to 500 characters of `message`.
    pub fn retry(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            permanent: false,
            wait: Duration::ZERO,
            not_before: None,
            is_silent: false,
        }
    }

    /// Returns a failure that no further attempt can fix: the task becomes a dead letter at once.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { permanent: true, ..Self::retry(message) }
    }

    /// Delays the next attempt by at least `wait`. A longer back-off of the policy wins, and the
    /// policy's `maxDurationSeconds` limits the wait.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Delays the next attempt until `time` at the earliest.
    #[must_use]
    pub(crate) fn not_before(mut self, time: UnixMillis) -> Self {
        self.not_before = Some(time);
        self
    }

    /// Returns whether no further attempt can help.
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// Marks that the target did not answer at all.
    #[must_use]
    pub(crate) fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    /// Adds the target's text, unless it is empty.
    #[must_use]
    pub(crate) fn saying(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.message.push_str(": ");
            self.message.push_str(text);
        }
        self
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TaskError {}

/// Returns the failure of a webhook without an answer.
pub(crate) fn of_network_error(problem: &str, target: &str) -> TaskError {
    let problem = if problem.contains(CONNECTION_LOST) {
        "the connection was refused, or was cut before an answer"
    } else {
        problem
    };
    of_broken_call(problem, target).silent()
}

/// Returns the failure of a call through a binding that threw. The platform throws if the target is
/// missing and if the target throws. Both happen quickly, so this does not count as silence.
pub(crate) fn of_broken_call(problem: &str, target: &str) -> TaskError {
    TaskError::retry(format!(
        "no answer from {}: {}",
        shown_url(target),
        cut(problem, SHOWN_PROBLEM_BYTES)
    ))
}

/// Returns the failure of a target that did not answer within its time.
pub(crate) fn of_timeout(seconds: u32, target: &str) -> TaskError {
    TaskError::retry(format!("timed out after {seconds} s: {}", shown_url(target))).silent()
}

/// An attempt that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) outcome: Outcome,
    /// The HTTP status of the answer, if there was one.
    pub(crate) status: Option<u16>,
    /// The start of the body of a failed answer.
    pub(crate) excerpt: String,
    /// The subrequests that were reserved for it and that it did not make: see
    /// [`crate::subrequests`].
    pub(crate) spare: u32,
}

impl Attempt {
    /// Returns whether the target did not answer.
    pub(crate) fn is_silent(&self) -> bool {
        self.outcome.as_ref().is_err_and(|problem| problem.is_silent)
    }
}

impl From<Outcome> for Attempt {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, status: None, excerpt: String::new(), spare: 0 }
    }
}

/// The outcomes of one envelope so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    report: Report,
    /// The indexes of the tasks that have not ended.
    open: Vec<u32>,
}

impl Tally {
    /// Creates the tally of the envelope `seq`.
    pub(crate) fn new(seq: EnvelopeSeq) -> Self {
        Self { report: Report { seq, ..Report::default() }, open: Vec::new() }
    }

    /// Returns the number of the envelope.
    pub(crate) fn seq(&self) -> EnvelopeSeq {
        self.report.seq
    }

    /// Returns whether both belong to the same envelope of a shard.
    pub(crate) fn is_of_same_firing(&self, other: &Self) -> bool {
        (self.report.seq, self.report.fired_at) == (other.report.seq, other.report.fired_at)
    }

    /// Sets the time at which the envelope was fired.
    pub(crate) fn of_firing(mut self, fired_at: UnixMillis) -> Self {
        self.report.fired_at = Some(fired_at);
        self
    }

    /// Records that the task at `index` is going to run.
    pub(crate) fn open(&mut self, index: u32) {
        self.open.push(index);
    }

    fn close(&mut self, index: u32) {
        self.open.retain(|open| *open != index);
    }

    /// Adds the outcome of the task at `index`, which ran from `started_at` to `now`.
    pub(crate) fn add(
        &mut self,
        index: u32,
        attempt: Attempt,
        started_at: UnixMillis,
        now: UnixMillis,
    ) {
        self.close(index);
        let Attempt { outcome, status, excerpt, spare: _ } = attempt;
        let millis = u32::try_from(now.since(started_at).max(0)).unwrap_or(u32::MAX);
        match outcome {
            // Most handlers wait for nothing. The clock does not advance meanwhile, so the report
            // has one common time for all of them.
            Ok(())
                if status.is_none()
                    && millis == 0
                    && *self.report.quick_at.get_or_insert(started_at) == started_at => {}
            Ok(()) => self.report.done.push(Done { index, status, started_at, millis }),
            Err(problem) => {
                self.add_failure(index, &problem, now);
                if problem.is_silent {
                    self.report.no_answer.push(index);
                }
                self.report.details.push(Detail { index, status, started_at, millis, excerpt });
            }
        }
    }

    /// Records that the task at `index` cannot be run.
    pub(crate) fn add_unreadable(&mut self, index: u32, problem: &TaskError) {
        // The time matters only for a retry, and this failure is permanent.
        self.add_failure(index, problem, UnixMillis::ZERO);
    }

    fn add_failure(&mut self, index: u32, problem: &TaskError, now: UnixMillis) {
        let error = problem.message.chars().take(MAX_ERROR_CHARS).collect();
        let wait = i64::try_from(problem.wait.as_millis()).unwrap_or(i64::MAX);
        let (mut not_before, mut wait_millis) =
            (problem.not_before.filter(|_| !problem.permanent), None);
        if wait > 0 && !problem.permanent {
            // The wait lasts until the report is sent, which states the rest of it.
            (not_before, wait_millis) = (Some(now.plus(wait)), Some(wait));
        }
        self.report.failed.push(Failure {
            index,
            error,
            permanent: problem.permanent,
            not_before,
            wait_millis,
        });
    }

    /// Records that the task at `index` is not going to be started.
    pub(crate) fn add_not_started(&mut self, index: u32) {
        self.close(index);
        self.report.not_started.push(index);
    }

    /// Records that the task at `index` expired before it was started.
    pub(crate) fn add_expired(&mut self, index: u32) {
        self.close(index);
        self.report.expired.push(index);
    }

    /// Records that the task at `index` has ended a program. `problem` describes how.
    pub(crate) fn add_fatal(&mut self, index: u32, problem: &TaskError) {
        self.close(index);
        // The time matters only for a wait that the target has named. There is none.
        self.add_failure(index, problem, UnixMillis::ZERO);
    }

    /// Returns the report of a program that the task at `index` has ended. `problem` describes how.
    /// The tasks that had not ended are reported as not started, so some of them may run twice.
    pub(crate) fn into_last_report(mut self, index: u32, problem: &TaskError) -> Report {
        self.add_fatal(index, problem);
        self.report.not_started.append(&mut self.open);
        self.into_report(UnixMillis::ZERO)
    }

    /// Returns the report, in the order of the envelope. The waits count from `now`.
    pub(crate) fn into_report(mut self, now: UnixMillis) -> Report {
        for failure in self.report.failed.iter_mut().filter(|failure| failure.wait_millis.is_some())
        {
            // Both times are from the same clock. If the clock steps back between them, the wait
            // does not get longer.
            let left = failure.not_before.map_or(0, |end| end.since(now));
            failure.wait_millis = failure.wait_millis.map(|wait| left.clamp(0, wait));
        }
        sort_by_key(&mut self.report.failed, |failure| failure.index);
        sort(&mut self.report.not_started);
        sort(&mut self.report.no_answer);
        sort_by_key(&mut self.report.details, |detail| detail.index);
        sort_by_key(&mut self.report.done, |done| done.index);
        self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn failed(problem: TaskError) -> Attempt {
        Attempt::from(Err(problem))
    }

    #[test]
    fn errors_show_the_url_without_its_query() {
        assert_eq!(
            of_timeout(30, "https://a/x?k=1").to_string(),
            "timed out after 30 s: https://a/x"
        );
        assert_eq!(
            of_network_error("connection lost", "https://a/x?k=1").to_string(),
            "no answer from https://a/x: connection lost"
        );
        assert_eq!(
            of_network_error("Error: Network connection lost.", "https://a/x?k=1").to_string(),
            "no answer from https://a/x: the connection was refused, or was cut before an answer"
        );
    }

    #[test]
    fn a_report_is_in_the_order_of_the_envelope() {
        let mut tally = Tally::new(EnvelopeSeq::new(42));
        tally.add(7, failed(TaskError::retry("x".repeat(1_000)).silent()), NOW, NOW.plus(5));
        tally.add(4, Attempt { status: Some(200), ..Attempt::from(Ok(())) }, NOW, NOW);
        tally.add(3, Ok(()).into(), NOW, NOW.plus(1));
        tally.add(2, Ok(()).into(), NOW, NOW);
        tally.add(5, Ok(()).into(), NOW, NOW);
        tally.add(6, Ok(()).into(), NOW.plus(1), NOW.plus(1));
        tally.add_not_started(9);
        tally.add(1, failed(TaskError::permanent("no")), NOW, NOW.plus(-5));
        tally.add_not_started(8);
        let report = tally.into_report(NOW);
        assert_eq!((report.seq.get(), report.quick_at), (42, Some(NOW)));
        assert_eq!(
            report.failed.iter().map(|f| (f.index, f.permanent)).collect::<Vec<_>>(),
            [(1, true), (7, false)]
        );
        assert_eq!(report.failed[1].error.len(), MAX_ERROR_CHARS);
        assert_eq!((report.not_started, report.no_answer), (vec![8, 9], vec![7]));
        assert_eq!(
            report.details.iter().map(|d| (d.index, d.millis)).collect::<Vec<_>>(),
            [(1, 0), (7, 5)]
        );
        assert_eq!(
            report.done.iter().map(|d| (d.index, d.status, d.millis)).collect::<Vec<_>>(),
            [(3, None, 1), (4, Some(200), 0), (6, None, 0)]
        );
    }

    #[test]
    fn a_wait_counts_from_the_end_of_the_attempt_and_only_before_another() {
        let wait = Duration::from_millis(1_500);
        let mut tally = Tally::new(EnvelopeSeq::new(1));
        tally.add(0, failed(TaskError::retry("").after(wait)), NOW, NOW.plus(100));
        tally.add(1, failed(TaskError::permanent("").after(wait)), NOW, NOW);
        tally.add(2, failed(TaskError::retry("")), NOW, NOW);
        tally.add(3, failed(TaskError::retry("").after(Duration::MAX)), NOW, NOW);
        tally.add(4, failed(TaskError::retry("").not_before(NOW.plus(7))), NOW, NOW);
        tally.add(5, failed(TaskError::permanent("").not_before(NOW.plus(7))), NOW, NOW);
        let end = |tally: Tally, at: i64| -> Vec<_> {
            tally
                .into_report(NOW.plus(at))
                .failed
                .iter()
                .map(|failure| (failure.not_before, failure.wait_millis))
                .collect()
        };
        let last = Some(UnixMillis::new(i64::MAX));
        let of_date = (Some(NOW.plus(7)), None);
        let reported = |left| [(Some(NOW.plus(1_600)), Some(left)), (None, None), (None, None)];
        assert_eq!(end(tally.clone(), 100)[..3], reported(1_500));
        assert_eq!(
            end(tally.clone(), 600)[..3],
            reported(1_000),
            "the wait passes until the report"
        );
        assert_eq!(end(tally.clone(), 5_000)[..3], reported(0));
        assert_eq!(
            end(tally.clone(), -5_000)[..3],
            reported(1_500),
            "a clock that steps back does not lengthen the wait"
        );
        let rest = end(tally, 100);
        assert_eq!((rest[3].0, rest[4], rest[5]), (last, of_date, (None, None)));
        assert!(rest[3].1.is_some_and(|wait| wait > 1 << 50));
    }

    /// These bytes are pinned, because shards of an older or newer deployment read them.
    #[test]
    fn the_reports_bytes() {
        let mut tally = Tally::new(EnvelopeSeq::new(42));
        tally.add_unreadable(5, &TaskError::retry("HTTP 500 from https://a/x"));
        tally.add_not_started(7);
        assert_eq!(
            serde_json::to_string(&tally.into_report(NOW)).unwrap(),
            r#"{"seq":42,"failed":[{"index":5,"error":"HTTP 500 from https://a/x","permanent":false}],"notStarted":[7]}"#
        );
    }

    /// An envelope holds at most a hundred tasks, and its report is small in comparison.
    #[test]
    fn a_report_is_bounded() {
        let mut tally = Tally::new(EnvelopeSeq::new(u64::MAX));
        for index in 0..100 {
            let excerpt = "x".repeat(scheduler_model::protocol::MAX_EXCERPT_BYTES);
            let problem =
                TaskError::retry("\u{ffff}".repeat(1_000)).after(Duration::MAX).saying(&excerpt);
            tally.add(
                index,
                Attempt { outcome: Err(problem), status: Some(599), excerpt, spare: 0 },
                NOW,
                UnixMillis::LAST,
            );
        }
        let bytes = serde_json::to_vec(&tally.into_report(NOW)).unwrap().len();
        assert!(bytes < 200_000, "{bytes}");
    }
}
