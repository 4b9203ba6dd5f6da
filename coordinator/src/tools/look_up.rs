//! `find_tasks` and `get_task`.

use super::answers::{Page, read};
use super::failure::Failure;
use super::job::{Job, done};
use super::schedule::shown;
use super::shapes::{Task, Tasks};
use crate::mcp::Outcome;
use scheduler_model::address::task_path;
use scheduler_model::tools::{FindTasks, OfTask};

/// Lists the tasks that match a filter.
pub(super) async fn find(job: &Job<'_>) -> Result<Outcome, Failure> {
    let path = FindTasks::parse(job.arguments())?.path();
    let text = job.get(&path).await?;
    let Page { tasks, cursor, total, .. } = read(&text)?;
    let tasks = tasks.into_iter().map(|task| Ok(Task::listed(&read(task.get())?)));
    done(&Tasks { tasks: tasks.collect::<Result<_, Failure>>()?, total, cursor })
}

/// Shows a task.
pub(super) async fn get(job: &Job<'_>) -> Result<Outcome, Failure> {
    let of = OfTask::parse(job.arguments())?;
    let text = job.get(&task_path(of.id())).await?;
    done(&shown(&text, job.call.now)?)
}
