//! `change_task`.

use super::answers::{Task, read};
use super::failure::Failure;
use super::job::{Job, done};
use super::schedule::shown;
use super::zone::{self, Zone};
use crate::mcp::Outcome;
use scheduler_model::address::task_path;
use scheduler_model::tools::{ChangeTask, Step};
use worker::Method;

/// Changes one task.
pub(super) async fn change(job: &Job<'_>) -> Result<Outcome, Failure> {
    let change = ChangeTask::parse(job.arguments())?;
    let mut is_missing = change.lacks_timezone();
    if is_missing && change.keeps_timezone() {
        let text = job.get(&task_path(change.id())).await?;
        is_missing = read::<Task<'_>>(&text)?.timezone.is_none();
    }
    let zone = zone::of(job, is_missing)?;
    let body = change.body(zone.answered());
    if let Zone::Ask(question) = zone {
        return Ok(question);
    }
    let method = if change.action() == Step::Update { Method::Patch } else { Method::Post };
    let body = Some(body.as_str()).filter(|body| !body.is_empty());
    let text = job.send(method, &change.path(), &[], body).await?;
    done(&shown(&text, job.call.now)?)
}
