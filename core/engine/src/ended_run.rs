//! How a run ended, and how the history and the API show it.

use crate::envelopes::Dispatched;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::history::{Outcome, Past, Ran, Run};
use scheduler_model::protocol::{MAX_ERROR_CHARS, MAX_EXCERPT_BYTES, Report, TaskRun};
use scheduler_model::task::{Record, target_of};
use std::borrow::Cow;
use std::collections::HashMap;

/// How one task of an envelope ended.
#[derive(Debug, Clone, Default)]
pub(super) enum Ended<'a> {
    /// The task was not started. It is dispatched again.
    NotStarted,
    /// The task succeeded, or the user's queue has accepted it.
    #[default]
    Well,
    /// It was skipped for this reason.
    Skipped(&'a str),
    /// It expired for this reason.
    Expired(&'a str),
    /// It failed.
    Failed {
        /// Whether it becomes a dead letter.
        dead: bool,
        /// The error of the attempt.
        error: Cow<'a, str>,
    },
}

/// Results and times of the attempts of a report, by their index in the envelope.
struct Timings<'a> {
    report: &'a Report,
    done: HashMap<u32, (Option<u16>, Ran)>,
    failed: HashMap<u32, (Option<u16>, Ran, &'a str)>,
}

impl<'a> Timings<'a> {
    fn of(report: &'a Report) -> Self {
        let done = report.done.iter().map(|done| {
            let ran = Ran { started_at: done.started_at, millis: done.millis };
            (done.index, (done.status, ran))
        });
        let failed = report.details.iter().map(|detail| {
            let ran = Ran { started_at: detail.started_at, millis: detail.millis };
            (detail.index, (detail.status, ran, detail.excerpt.as_str()))
        });
        Self { report, done: done.collect(), failed: failed.collect() }
    }

    /// Returns the status, the times and the excerpt of an attempt.
    fn at(&self, index: u32, ended: &Ended<'_>) -> (Option<u16>, Option<Ran>, &'a str) {
        if matches!(ended, Ended::Failed { .. }) {
            return match self.failed.get(&index) {
                Some((status, ran, excerpt)) => {
                    (*status, Some(*ran), cut(excerpt, MAX_EXCERPT_BYTES))
                }
                None => (None, None, ""),
            };
        }
        if matches!(ended, Ended::Skipped(_) | Ended::Expired(_)) {
            return (None, None, "");
        }
        match self.done.get(&index) {
            Some((status, ran)) => (*status, Some(*ran), ""),
            None => {
                (None, self.report.quick_at.map(|started_at| Ran { started_at, millis: 0 }), "")
            }
        }
    }
}

/// Cuts a text to at most `bytes` bytes, at the end of a character.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Returns how each task of an envelope ended, except those that were not started. Without a
/// report, a queue has accepted the envelope.
pub(super) fn runs_of<'a>(
    report: Option<&'a Report>,
    tasks: &'a [(Record<'_>, Ended<'_>)],
    dispatched: &'a Dispatched<'_>,
) -> impl Iterator<Item = (&'a Record<'a>, Run<'a>)> {
    let timings = report.map(Timings::of);
    (0_u32..).zip(tasks).filter_map(move |(index, (record, ended))| {
        let (outcome, error) = match ended {
            Ended::NotStarted => return None,
            Ended::Skipped(reason) => (Outcome::Skipped, Cow::Borrowed(*reason)),
            Ended::Expired(reason) => (Outcome::Expired, Cow::Borrowed(*reason)),
            Ended::Well if report.is_none() => (Outcome::HandedOver, Cow::Borrowed("")),
            Ended::Well => (Outcome::Succeeded, Cow::Borrowed("")),
            Ended::Failed { dead, error } => {
                let outcome = if *dead { Outcome::DeadLettered } else { Outcome::Failed };
                (outcome, error.chars().take(MAX_ERROR_CHARS).collect())
            }
        };
        let (status, ran, excerpt) =
            timings.as_ref().map_or((None, None, ""), |timings| timings.at(index, ended));
        // Without a report, the tasks were dispatched only if a queue has accepted them.
        let was_dispatched =
            outcome == Outcome::HandedOver || report.is_some() && outcome.has_run();
        let run = Run {
            id: Cow::Borrowed(record.id.as_ref()),
            time: record.time,
            attempt: record.attempt_number(),
            outcome,
            was_dispatched,
            ran,
            status,
            error,
            excerpt: Cow::Borrowed(excerpt),
            stage: Cow::Borrowed(record.stage.as_deref().unwrap_or_default()),
            target: target_of(dispatched.get(&index).unwrap_or(&record.callback).get()),
            tags: record.tag_list(),
            by: Cow::Borrowed(""),
        };
        Some((record, run))
    })
}

/// Returns a run as the API shows it.
pub(super) fn shown<'a>(past: &'a Past<'_>) -> TaskRun<'a> {
    let run = &past.run;
    let text = |text: &'a str| (!text.is_empty()).then_some(Cow::Borrowed(text));
    TaskRun {
        time: run.time.map(UnixMillis::get),
        stage: text(&run.stage),
        attempt: Some(run.attempt).filter(|attempt| *attempt > 0),
        fired_at: run.was_dispatched.then_some(past.fired_at.get()),
        started_at: run.ran.map(|ran| ran.started_at.get()),
        finished_at: run.ran.map(|ran| ran.started_at.plus(i64::from(ran.millis)).get()),
        reported_at: past.reported_at.get(),
        outcome: run.outcome.name(),
        status: run.status,
        error: text(&run.error),
        excerpt: text(&run.excerpt),
        by: text(&run.by),
        ..TaskRun::default()
    }
}

/// Returns a run as the list of its task shows it: with its target.
pub(super) fn of_task<'a>(past: &'a Past<'_>) -> TaskRun<'a> {
    let target = past.run.target.as_ref().map(|target| match target.name.as_ref() {
        "" => Cow::Borrowed(target.kind.name()),
        name => Cow::Owned(format!("{}:{name}", target.kind.name())),
    });
    TaskRun { target, ..shown(past) }
}

/// Returns a run as a list of all tasks shows it: with the id and the tags of its task.
pub(super) fn of_all<'a>(past: &'a Past<'_>) -> TaskRun<'a> {
    let tags = past.run.tags.iter().map(|tag| Cow::Borrowed(tag.as_ref())).collect();
    TaskRun { id: Some(Cow::Borrowed(&past.run.id)), tags, ..of_task(past) }
}
