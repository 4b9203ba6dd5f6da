//! Cancels tasks.

use crate::clients::epochs::{self, Answered};
use crate::context::Call;
use crate::handlers::tasks::bulk::{self, Action, Chosen, Done, is_zero};
use crate::handlers::tasks::changed;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::epochs::{CancelledId, Means};
use scheduler_model::protocol::{CancelRequest, Cancelled};
use scheduler_model::task::ChangeInput;
use serde::Serialize;

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct CancelledMany {
    cancelled: u64,
    not_found: u64,
    #[serde(skip_serializing_if = "is_zero")]
    running: u64,
    done: bool,
}

/// `DELETE /v1/tasks/{id}`.
pub(crate) async fn one(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let if_match = call.version_to_match(&id).await?;
    let Answered { outcomes, is_repeat, task } =
        cancel_ids(&call, vec![id.clone()], if_match).await?;
    let is_running = outcomes.first().is_some_and(|of| of.is_running);
    let outcome = outcomes.first().map_or(Cancelled::NotFound, |of| of.outcome);
    // `If-Match` cannot hold for a task that does not exist.
    let is_gone = outcome == Cancelled::NotFound && call.if_match()?.is_some();
    result_of(&id, if is_gone { Cancelled::OtherVersion } else { outcome }, is_repeat)?;
    Ok(changed::cancelled(&id, task.as_ref(), is_running))
}

/// Returns the result of the cancel of one task. If the request to the shard was repeated and finds
/// nothing to cancel, the result is unknown: the first request may have cancelled the task before
/// its answer was lost.
fn result_of(id: &str, outcome: Cancelled, is_repeat: bool) -> Result<(), Problem> {
    match outcome {
        Cancelled::Cancelled => Ok(()),
        _ if is_repeat => Err(Problem::unknown_outcome()),
        Cancelled::OtherVersion => Err(Problem::not_matched()),
        // Shards of earlier versions answer `AlreadyFired` for a task that has fired.
        Cancelled::AlreadyFired | Cancelled::NotFound => Err(Problem::no_task(id)),
    }
}

/// `POST /v1/tasks/cancel`.
pub(crate) async fn many(mut call: Call<'_>) -> Result<Answer, Problem> {
    let text = call.text().await?;
    // The body of a change is the same, except that a reschedule has a time.
    let request = ChangeInput::parse(&text, ChangeInput::SELECTION).map_err(Problem::invalid)?;
    request.check_untimed().map_err(Problem::invalid)?;
    request.check_without_note().map_err(Problem::invalid)?;
    let is_dry_run = request.is_dry_run().map_err(Problem::invalid)?;
    let mut counts = CancelledMany { done: true, ..CancelledMany::default() };
    match Chosen::of(request)? {
        Chosen::Matching(filter) if is_dry_run => {
            return bulk::dry_run(&call, &filter, None, None).await;
        }
        Chosen::Ids(ids) => {
            let Answered { outcomes, .. } = cancel_ids(&call, ids, None).await?;
            for CancelledId { outcome, is_running } in outcomes {
                counts.running += u64::from(is_running);
                match outcome {
                    Cancelled::Cancelled => counts.cancelled += 1,
                    // Shards answer `OtherVersion` only to a request with a condition.
                    Cancelled::NotFound | Cancelled::AlreadyFired | Cancelled::OtherVersion => {
                        counts.not_found += 1
                    }
                }
            }
        }
        Chosen::Matching(filter) => {
            let Done { tasks, running, is_complete, .. } =
                bulk::by_filter(&call.shards, &filter, Action::Cancel(call.key_name())).await?;
            counts = CancelledMany { cancelled: tasks, running, done: is_complete, ..counts };
        }
    }
    Ok(Answer::of(200, &counts))
}

/// Cancels by id, in every epoch.
async fn cancel_ids(
    call: &Call<'_>,
    ids: Vec<String>,
    if_match: Option<u64>,
) -> Result<Answered<CancelledId>, Problem> {
    let by = Some(call.key_name());
    epochs::by_ids(&call.shards, &ids, Means::Everything, None, by, |ids| CancelRequest {
        ids,
        if_match,
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_that_finds_nothing_to_cancel_does_not_say_so() {
        assert_eq!(result_of("a", Cancelled::Cancelled, false), Ok(()));
        assert_eq!(result_of("a", Cancelled::Cancelled, true), Ok(()));
        for (outcome, status) in [
            (Cancelled::NotFound, 404),
            (Cancelled::OtherVersion, 412),
            (Cancelled::AlreadyFired, 404),
        ] {
            assert_eq!(
                result_of("a", outcome, false).map_err(|problem| problem.kind.status()),
                Err(status)
            );
            let unknown = result_of("a", outcome, true).unwrap_err();
            assert_eq!(unknown.kind.status(), 503);
            assert!(unknown.detail.contains("is unknown"), "{}", unknown.detail);
        }
    }
}
