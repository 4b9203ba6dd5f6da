//! `list_runs`.

use super::answers::{self, read};
use super::failure::Failure;
use super::job::{Job, done};
use super::shapes::{Group, Run, Runs};
use crate::mcp::Outcome;
use scheduler_model::tools::ListRuns;

/// Lists attempts, or counts similar failures.
pub(super) async fn list(job: &Job<'_>) -> Result<Outcome, Failure> {
    let path = ListRuns::parse(job.arguments())?.path();
    let text = job.get(&path).await?;
    let answers::Runs { runs, groups, cursor } = read(&text)?;
    done(&Runs {
        runs: runs.map(|runs| runs.iter().map(Run::from).collect()),
        groups: groups.map(|groups| groups.iter().map(Group::from).collect()),
        cursor,
    })
}
