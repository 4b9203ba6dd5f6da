//! `explain_task`.

use super::answers::{Explanation, Reason, Task, read};
use super::failure::Failure;
use super::job::{Job, done};
use super::shapes::{self, Explained};
use super::upcoming;
use crate::mcp::Outcome;
use crate::problem::ProblemType;
use scheduler_model::address::task_path;
use scheduler_model::tools::OfTask;

/// Explains why a task did or did not fire.
pub(super) async fn explain(job: &Job<'_>) -> Result<Outcome, Failure> {
    let of = OfTask::parse(job.arguments())?;
    let path = task_path(of.id());
    let text = job.get(&format!("{path}/explain")).await?;
    let Explanation { status, sentence, reasons, recent_runs } = read(&text)?;
    let next_runs = match job.get(&path).await {
        Ok(text) => {
            let task: Task<'_> = read(&text)?;
            upcoming::of(&text, &task, job.call.now)
        }
        // Nothing of the task is left, or its last run has ended meanwhile.
        Err(Failure::Refused(problem)) if problem.kind == ProblemType::NoTask => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let reason = |Reason { code, detail }: Reason| shapes::Reason { code, detail };
    done(&Explained {
        id: of.id().to_owned(),
        status,
        sentence,
        reasons: reasons.into_iter().map(reason).collect(),
        next_runs,
        recent_runs: recent_runs.iter().map(shapes::Run::from).collect(),
    })
}
