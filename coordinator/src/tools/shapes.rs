//! The answers of tools. Only tests compile the schemas, which are derived from these types.

use super::answers;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::input::{ShownTime, cut};
use scheduler_model::task::target_of;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

/// The most bytes of an error or of an answer that a tool repeats. The end of a longer text does
/// not help a model.
const MAX_TEXT_BYTES: usize = 600;

/// Returns a time in RFC 3339, in UTC.
pub(super) fn iso(millis: i64) -> String {
    UnixMillis::new(millis).shown()
}

/// Returns a copy of JSON.
pub(super) fn raw(json: Option<&RawValue>) -> Option<Box<RawValue>> {
    json.map(ToOwned::to_owned)
}

fn short(text: &str) -> String {
    cut(text, MAX_TEXT_BYTES).into_owned()
}

/// A task.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    pub(super) id: String,
    /// What it waits for: scheduled, retrying, held, running, paused, dead-lettered, unscheduled,
    /// or cancelled.
    pub(super) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) schedule: Schedule,
    /// When it fires next. Absent if it does not fire by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) due: Option<String>,
    /// A run of it is in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) running: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) tags: Option<Box<RawValue>>,
    /// What it calls, in short, such as webhook:example.com or handler:log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    /// What it calls, in full. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Map<String, serde_json::Value>>"))]
    pub(super) callback: Option<Box<RawValue>>,
    /// What it delivers. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<serde_json::Value>"))]
    pub(super) payload: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) updated_at: Option<String>,
    /// The name of the API key that created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_by: Option<String>,
    /// Of a failure: the id that replay_failures takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letter_id: Option<String>,
    /// Of a failure: when it failed for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) failed_at: Option<String>,
    /// What went wrong in the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// When a task fires, as it is stored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Schedule {
    /// once, cron, every, rrule or no-schedule.
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) time: Option<String>,
    /// One cron expression, or a list of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<Cron>"))]
    pub(super) cron: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) every_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rrule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) start_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) end_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_runs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<Exclude>"))]
    pub(super) exclude: Option<Box<RawValue>>,
    /// The last of a counted number of runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) final_run: Option<String>,
    /// The sentence in which it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) words: Option<String>,
}

/// The schema of cron expressions.
#[cfg(test)]
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Cron {
    One(String),
    Several(Vec<String>),
}

/// The schema of what a schedule leaves out. The arguments of `schedule_task` describe the members.
#[cfg(test)]
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(description = "As `exclude` of schedule_task.")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Exclude {
    dates: Option<Vec<String>>,
    weekdays: Option<Vec<String>>,
    times: Option<Vec<String>>,
    rules: Option<Vec<String>>,
    calendars: Option<Vec<String>>,
    instead: Option<String>,
}

impl Task {
    /// Returns a task as a list shows it.
    pub(super) fn listed(task: &answers::Task<'_>) -> Self {
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let target = task.callback.and_then(|callback| {
            let target = target_of(callback.get())?;
            Some(format!("{}:{}", target.kind.name(), target.name))
        });
        Self {
            id: task.id.clone().into_owned(),
            status: task.status.clone().into_owned(),
            description: text(&task.description),
            schedule: Schedule {
                kind: task.kind.clone().into_owned(),
                time: task.time.map(ShownTime::millis).map(iso),
                cron: raw(task.cron),
                every_seconds: task.every_seconds,
                rrule: text(&task.rrule),
                timezone: text(&task.timezone),
                start_at: task.start_at.map(ShownTime::millis).map(iso),
                end_at: task.end_at.map(ShownTime::millis).map(iso),
                max_runs: task.max_runs,
                exclude: raw(task.exclude),
                final_run: task.final_run.map(iso),
                words: text(&task.words),
            },
            due: task.due.map(iso),
            running: task.running,
            tags: raw(task.tags),
            target,
            callback: None,
            payload: None,
            created_at: task.created_at.map(iso),
            updated_at: task.updated_at.map(iso),
            created_by: text(&task.created_by),
            dead_letter_id: text(&task.dead_letter_id),
            failed_at: task.failed_at.map(iso),
            error: task.error.as_deref().map(short),
        }
    }

    /// Returns a task in full.
    pub(super) fn whole(task: &answers::Task<'_>) -> Self {
        Self { callback: raw(task.callback), payload: raw(task.payload), ..Self::listed(task) }
    }
}

/// A run to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct NextRun {
    /// When it is due, in UTC.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) time: String,
    /// The same on the clock of the time zone.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) local: String,
    pub(super) timezone: String,
    /// When it fires, if its jitter or window puts it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) fires_at: Option<String>,
    /// What a change of the clock does to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) clock_change: Option<String>,
}

/// A task and when it fires.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskAndRuns {
    /// Of a change: whether it changed something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changed: Option<bool>,
    pub(super) task: Task,
    /// The next three runs, or as many as there are. Tell the user the first one.
    pub(super) next_runs: Vec<NextRun>,
    /// What the user should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) warnings: Vec<String>,
}

/// A page of tasks.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Tasks {
    /// In order of the time at which they are due.
    pub(super) tasks: Vec<Task>,
    /// How many there are in all. Only of a list without a filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// More follow: call again with this cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
}

/// How an attempt at a run went.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    /// The id of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// For when the run was scheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) time: Option<String>,
    /// Of a follow-up: onSuccess or onFailure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<String>,
    /// Which attempt at the run it was, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    /// succeeded, failed (and is tried again), dead-lettered (failed for good), handed-over,
    /// expired, skipped or cancelled.
    pub(super) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) finished_at: Option<String>,
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) reported_at: String,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// How the answer begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) excerpt: Option<String>,
}

impl From<&answers::Run<'_>> for Run {
    fn from(run: &answers::Run<'_>) -> Self {
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Self {
            id: text(&run.id),
            time: run.time.map(iso),
            stage: text(&run.stage),
            attempt: run.attempt,
            outcome: run.outcome.clone().into_owned(),
            target: text(&run.target),
            started_at: run.started_at.map(iso),
            finished_at: run.finished_at.map(iso),
            reported_at: iso(run.reported_at),
            status: run.status,
            error: run.error.as_deref().map(short),
            excerpt: run.excerpt.as_deref().map(short),
        }
    }
}

/// Failures that are alike.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    /// Their error, with placeholders for numbers and ids.
    pub(super) error: String,
    pub(super) count: u64,
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) first_at: String,
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) last_at: String,
    /// The last of them.
    pub(super) example: Run,
}

impl From<&answers::Group<'_>> for Group {
    fn from(group: &answers::Group<'_>) -> Self {
        Self {
            error: short(&group.error),
            count: group.count,
            first_at: iso(group.first_at),
            last_at: iso(group.last_at),
            example: Run::from(&group.example),
        }
    }
}

/// A page of a history.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Runs {
    /// One entry for each attempt, the newest first. Absent with groupByError.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runs: Option<Vec<Run>>,
    /// One entry for all failures that are alike. Only with groupByError.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<Vec<Group>>,
    /// More follow: call again with this cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
}

/// A part of an explanation.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Reason {
    /// For programs.
    pub(super) code: String,
    pub(super) detail: String,
}

/// Why a task did or did not fire.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Explained {
    pub(super) id: String,
    /// What it waits for. Absent if nothing of it waits or runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    /// Its schedule as one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sentence: Option<String>,
    /// The most important first.
    pub(super) reasons: Vec<Reason>,
    /// The next three runs, or as many as there are.
    pub(super) next_runs: Vec<NextRun>,
    /// How the last attempts went, the newest first.
    pub(super) recent_runs: Vec<Run>,
}

/// What became of many tasks.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Many {
    pub(super) status: ManyStatus,
    /// How many match. Only if the user has to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    /// There are more than `count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_at_least: Option<bool>,
    /// Some of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) examples: Vec<String>,
    /// Send it in the argument of the same name once the user has agreed. It counts for ten
    /// minutes, and for the same arguments only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confirmation: Option<String>,
    /// How many were cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cancelled: Option<u64>,
    /// How many failures were started over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replayed: Option<u64>,
    /// How many of the ids were not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_found: Option<u64>,
    /// How many of the cancelled tasks have a run in progress, which runs to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) running: Option<u64>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// How far a change of many is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
pub(super) enum ManyStatus {
    /// It was made.
    #[default]
    Done,
    /// A part of it was made.
    Unfinished,
    /// Nothing was changed: the user has to agree first.
    ConfirmationRequired,
}

/// The state of the scheduler.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    /// Nothing needs attention.
    pub(super) healthy: bool,
    /// What needs attention, and what to do about it.
    pub(super) findings: Vec<String>,
    /// Tasks that wait for their time. Recurring ones count once.
    pub(super) pending: u64,
    /// Runs in progress.
    pub(super) in_flight: u64,
    /// Recurring tasks.
    pub(super) schedules: u64,
    pub(super) paused: u64,
    /// Runs that failed for good and are kept.
    pub(super) dead_letters: u64,
    /// Tasks whose time has come and that have not fired.
    pub(super) overdue: u64,
    /// Tasks that wait for a limit on concurrency or rate.
    pub(super) waiting_for_limits: u64,
    /// How late half of the runs were dispatched at most, milliseconds.
    pub(super) lateness_millis_p50: u64,
    /// How late 99 of 100 runs were dispatched at most, milliseconds.
    pub(super) lateness_millis_p99: u64,
    /// The same of the latest run, milliseconds.
    pub(super) lateness_millis_max: u64,
}
