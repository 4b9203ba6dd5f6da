//! Changes waiting tasks: pause, resume, run now, reschedule. A request names one task by its id,
//! or many by ids or by a filter.

use crate::clients::epochs::{self, Answered};
use crate::context::Call;
use crate::handlers::tasks::bulk::{self, Action, Chosen, Done, is_zero};
use crate::handlers::tasks::changed;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::epochs::{ChangedId, Means};
use scheduler_model::protocol::{
    Change, ChangeRequest, Changed, ListItem, PauseReason, RunRequest,
};
use scheduler_model::task::{ChangeInput, RunInput};
use serde::Serialize;

/// The change that a route makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Pause,
    Resume,
    Run,
    Reschedule,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct ChangedMany {
    changed: u64,
    unchanged: u64,
    not_applicable: u64,
    already_running: u64,
    not_found: u64,
    #[serde(skip_serializing_if = "is_zero")]
    running: u64,
    done: bool,
}

impl Verb {
    /// Returns the change. The time of a reschedule is read from the body.
    fn change(self, input: &ChangeInput<'_>, call: &Call<'_>) -> Result<Change, Problem> {
        if self != Self::Reschedule {
            input.check_untimed().map_err(Problem::invalid)?;
        }
        Ok(match self {
            Self::Pause => Change::Pause,
            Self::Resume => Change::Resume,
            Self::Run => Change::Run,
            Self::Reschedule => {
                Change::Reschedule(input.new_time(call.now).map_err(Problem::invalid)?)
            }
        })
    }

    /// Returns the note of a pause. Refuses a note of any other change.
    fn note(self, input: &ChangeInput<'_>) -> Result<Option<String>, Problem> {
        if self == Self::Pause {
            return input.note().map_err(Problem::invalid);
        }
        input.check_without_note().map(|()| None).map_err(Problem::invalid)
    }
}

/// `POST /v1/tasks/{id}/pause`, and the same path with `resume` or `reschedule`.
pub(crate) async fn one(mut call: Call<'_>, id: String, verb: Verb) -> Result<Answer, Problem> {
    let if_match = call.version_to_match(&id).await?;
    let text = call.text().await?;
    let takes = match verb {
        Verb::Reschedule => ChangeInput::RESCHEDULE,
        Verb::Pause => ChangeInput::PAUSE,
        Verb::Resume | Verb::Run => ChangeInput::NOTHING,
    };
    let input = ChangeInput::parse(&text, takes).map_err(Problem::invalid)?;
    input.check_single().map_err(Problem::invalid)?;
    let (change, note) = (verb.change(&input, &call)?, verb.note(&input)?);
    let Changing { changed, is_running, task } =
        change_id(&call, &id, change, note, if_match).await?;
    Ok(changed::changed(&id, task.as_ref(), changed, is_running))
}

/// `POST /v1/tasks/{id}/run`.
pub(crate) async fn run(mut call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let if_match = call.version_to_match(&id).await?;
    let text = call.text().await?;
    let Changing { changed, is_running, task } = match RunInput::payload_of(&text) {
        Err(problem) => return Err(Problem::invalid(problem)),
        Ok(None) => change_id(&call, &id, Change::Run, None, if_match).await?,
        Ok(Some(payload)) => {
            let request = |ids| RunRequest { ids, if_match, payload: payload.get().to_owned() };
            let (ids, means) = ([id.clone()], Means::of(Change::Run));
            let done = epochs::by_ids(&call.shards, &ids, means, call.share, None, request).await?;
            changing(&call, &id, Change::Run, done)?
        }
    };
    Ok(changed::changed(&id, task.as_ref(), changed, is_running))
}

/// The result of a change of one task.
pub(crate) struct Changing {
    pub(crate) changed: bool,
    /// Whether an attempt of the task is in flight.
    pub(crate) is_running: bool,
    /// The task after the change.
    pub(crate) task: Option<ListItem>,
}

/// Changes one task, if it has the required version. `note` is the note of a pause.
pub(crate) async fn change_id(
    call: &Call<'_>,
    id: &str,
    change: Change,
    note: Option<String>,
    if_match: Option<u64>,
) -> Result<Changing, Problem> {
    let done = change_ids(call, vec![id.to_owned()], change, note, if_match).await?;
    changing(call, id, change, done)
}

/// Returns the result of a change of one task from the answers of the shards about its id.
fn changing(
    call: &Call<'_>,
    id: &str,
    change: Change,
    Answered { outcomes, is_repeat, task }: Answered<ChangedId>,
) -> Result<Changing, Problem> {
    let is_running = outcomes.first().is_some_and(|of| of.is_running);
    let outcome = outcomes.first().map_or(Changed::NotFound, |of| of.outcome);
    // `If-Match` cannot hold for a task that does not exist.
    let is_gone = outcome == Changed::NotFound && call.if_match()?.is_some();
    let is_cancelled = task.as_ref().is_some_and(|task| task.is_cancelled);
    if outcome == Changed::AlreadyFired && is_cancelled && !is_repeat {
        return Err(Problem::task_cancelled(id));
    }
    let changed =
        result_of(id, if is_gone { Changed::OtherVersion } else { outcome }, &change, is_repeat)?;
    Ok(Changing { changed, is_running, task })
}

/// Returns whether the change has changed the task. If the request to the shard was repeated and
/// the task is gone or has another version, the result is unknown: the first request, whose answer
/// was lost, may have caused that. A reschedule gives a task another version and may let it fire.
fn result_of(
    id: &str,
    outcome: Changed,
    change: &Change,
    is_repeat: bool,
) -> Result<bool, Problem> {
    match outcome {
        Changed::Changed => Ok(true),
        Changed::Unchanged => Ok(false),
        Changed::NotApplicable => Err(Problem::not_applicable(id, change)),
        Changed::TooManyRuns => Err(Problem::too_many_runs(id)),
        Changed::TooLarge => Err(Problem::too_large_payload()),
        Changed::OtherVersion | Changed::AlreadyFired | Changed::NotFound if is_repeat => {
            Err(Problem::unknown_outcome())
        }
        Changed::OtherVersion => Err(Problem::not_matched()),
        Changed::AlreadyFired if *change == Change::Run => Err(Problem::already_running(id)),
        Changed::AlreadyFired => Err(Problem::task_cancelled(id)),
        Changed::NotFound => Err(Problem::no_task(id)),
    }
}

/// `POST /v1/tasks/pause`, and the same path with any other change.
pub(crate) async fn many(mut call: Call<'_>, verb: Verb) -> Result<Answer, Problem> {
    let text = call.text().await?;
    let takes = match verb {
        Verb::Reschedule => ChangeInput::RESCHEDULE_MANY,
        Verb::Pause => ChangeInput::PAUSE_MANY,
        Verb::Resume | Verb::Run => ChangeInput::SELECTION,
    };
    let input = ChangeInput::parse(&text, takes).map_err(Problem::invalid)?;
    let (change, note) = (verb.change(&input, &call)?, verb.note(&input)?);
    let is_dry_run = input.is_dry_run().map_err(Problem::invalid)?;
    let mut counts = ChangedMany { done: true, ..ChangedMany::default() };
    match Chosen::of(input)? {
        Chosen::Matching(filter) if is_dry_run => {
            let pause = (change == Change::Pause).then(|| reason(&call, note));
            return bulk::dry_run(&call, &filter, Some(change), pause).await;
        }
        Chosen::Ids(ids) => {
            let Answered { outcomes, .. } = change_ids(&call, ids, change, note, None).await?;
            for ChangedId { outcome, is_running } in outcomes {
                counts.running += u64::from(is_running);
                *match outcome {
                    Changed::Changed => &mut counts.changed,
                    Changed::Unchanged => &mut counts.unchanged,
                    Changed::NotApplicable
                    | Changed::TooManyRuns
                    | Changed::TooLarge
                    | Changed::OtherVersion => &mut counts.not_applicable,
                    // For any other change, the run was cancelled earlier.
                    Changed::AlreadyFired if change == Change::Run => &mut counts.already_running,
                    Changed::AlreadyFired => &mut counts.not_applicable,
                    Changed::NotFound => &mut counts.not_found,
                } += 1;
            }
        }
        Chosen::Matching(filter) => {
            let reason = reason(&call, note);
            let action = match change {
                Change::Pause => Action::Pause(&reason),
                change => Action::Change(change, call.share),
            };
            let Done { tasks, running, is_complete, .. } =
                bulk::by_filter(&call.shards, &filter, action).await?;
            counts = ChangedMany { changed: tasks, running, done: is_complete, ..counts };
        }
    }
    Ok(Answer::of(200, &counts))
}

/// Returns the caller and the note of a pause.
fn reason(call: &Call<'_>, note: Option<String>) -> PauseReason {
    let by = Some(call.key_name()).filter(|by| !by.is_empty());
    PauseReason { by: by.map(str::to_owned), note }
}

/// Changes by id, in every epoch.
async fn change_ids(
    call: &Call<'_>,
    ids: Vec<String>,
    change: Change,
    note: Option<String>,
    if_match: Option<u64>,
) -> Result<Answered<ChangedId>, Problem> {
    let pause = (change == Change::Pause).then(|| reason(call, note));
    let request = |ids| ChangeRequest { ids, change, if_match, pause: pause.clone() };
    epochs::by_ids(&call.shards, &ids, Means::of(change), call.share, None, request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;

    #[test]
    fn a_refused_change_says_why_that_change_is_refused() {
        let detail =
            |change| result_of("a", Changed::NotApplicable, &change, false).unwrap_err().detail;
        let moved = detail(Change::Reschedule(UnixMillis::new(5).into()));
        assert!(
            moved.contains("change its schedule with PATCH") && !moved.contains("pause"),
            "{moved}"
        );
        let paused = detail(Change::Pause);
        assert!(
            paused.contains("cannot be paused") && !paused.contains("time to move"),
            "{paused}"
        );
    }

    #[test]
    fn a_repeat_that_meets_another_task_or_none_does_not_say_so() {
        for is_repeat in [false, true] {
            assert_eq!(result_of("a", Changed::Changed, &Change::Run, is_repeat), Ok(true));
            assert_eq!(result_of("a", Changed::Unchanged, &Change::Run, is_repeat), Ok(false));
            for refused in [Changed::NotApplicable, Changed::TooManyRuns] {
                assert_eq!(
                    result_of("a", refused, &Change::Pause, is_repeat)
                        .map_err(|problem| problem.kind.status()),
                    Err(409)
                );
            }
        }
        for (outcome, status) in
            [(Changed::NotFound, 404), (Changed::OtherVersion, 412), (Changed::AlreadyFired, 409)]
        {
            assert_eq!(
                result_of("a", outcome, &Change::Run, false)
                    .map_err(|problem| problem.kind.status()),
                Err(status)
            );
            assert_eq!(
                result_of("a", outcome, &Change::Run, true),
                Err(Problem::unknown_outcome())
            );
        }
    }
}
