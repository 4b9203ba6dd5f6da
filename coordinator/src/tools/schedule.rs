//! `schedule_task`.

use super::answers::{Task, read};
use super::failure::Failure;
use super::job::{Header, Job, done};
use super::shapes::{self, TaskAndRuns};
use super::upcoming;
use super::zone::{self, Zone};
use crate::conditions::IF_NONE_MATCH;
use crate::mcp::Outcome;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::idempotency;
use scheduler_model::tools::ScheduleTask;
use worker::Method;

/// Creates a task. A task with an id of the caller's choice does not replace another.
pub(super) async fn schedule(job: &Job<'_>) -> Result<Outcome, Failure> {
    let task = ScheduleTask::parse(job.arguments())?;
    let zone = zone::of(job, task.lacks_timezone())?;
    let body = task.body(zone.answered());
    if let Zone::Ask(question) = zone {
        return Ok(question);
    }
    let mut headers: Vec<Header<'_>> = Vec::new();
    if task.has_id() {
        headers.push((IF_NONE_MATCH, "*"));
    }
    if let Some(key) = task.idempotency_key() {
        headers.push((idempotency::HEADER, key));
    }
    let text = job.send(Method::Post, "/v1/tasks", &headers, Some(&body)).await?;
    done(&shown(&text, job.call.now)?)
}

/// Returns a task in full, with its next runs. `text` is the task as the API shows it.
pub(super) fn shown(text: &str, now: UnixMillis) -> Result<TaskAndRuns, Failure> {
    let task: Task<'_> = read(text)?;
    let next_runs = upcoming::of(text, &task, now);
    Ok(TaskAndRuns {
        changed: task.changed,
        next_runs,
        warnings: task.warnings.iter().map(|warning| warning.detail.clone()).collect(),
        task: shapes::Task::whole(&task),
    })
}
