//! Changes single fields of a task: `PATCH /v1/tasks/{id}`, a JSON merge patch (RFC 7396).
//!
//! The task is read and the patch applied to it. The result is checked like a new task. It replaces
//! the task only if the task has not changed since the read.

use crate::clients::epochs::find;
use crate::conditions::Condition;
use crate::context::Call;
use crate::handlers::tasks::change::{Changing, change_id};
use crate::handlers::tasks::create;
use crate::handlers::tasks::warnings::Warning;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::address::task_path;
use scheduler_model::calendars::Calendars;
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::protocol::{Change, Expected, ListItem, Status};
use scheduler_model::task::{
    Record, changes_exclude, changes_only_exclude, changes_schedule, lost_timezone, merge_patch,
    only_pauses, parse_one, removes_anchor, version_of,
};

/// The most times that a patch is applied again after another writer has changed the task.
const MAX_TRIES: usize = 5;

/// `PATCH /v1/tasks/{id}`.
pub(crate) async fn patch(mut call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let (if_match, seen) = (call.if_match()?, call.if_none_match()?);
    let patch = call.text().await?;
    // Without a condition on the version, a change by another writer in between does not matter.
    let takes_any = if_match.as_ref().is_none_or(|condition| *condition == Condition::Any);
    let mut tries = 1;
    loop {
        let found = find(&call.shards, &id).await?;
        let (shard, item) = found.ok_or_else(|| match &if_match {
            Some(_) => Problem::not_matched(),
            None => Problem::no_task(&id),
        })?;
        if item.is_cancelled {
            return Err(Problem::task_cancelled(&id));
        }
        // A pause also applies to an attempt. All other fields are those of a task.
        let is_patchable = is_patchable(&item);
        let pauses = only_pauses(&patch).filter(|_| !is_patchable && item.status != Status::Dead);
        if !is_patchable && pauses.is_none() {
            return Err(Problem::not_patchable(&id, &why_not(&item, &task_path(&id))));
        }
        let version = version_of(item.record.get().as_bytes());
        if if_match.as_ref().is_some_and(|condition| !condition.allows(version)) {
            return Err(Problem::other_version("the task was changed meanwhile; read it again"));
        }
        if seen.as_ref().is_some_and(|condition| condition.names(version)) {
            return Err(Problem::seen_already());
        }
        if let Some(pauses) = pauses {
            let change = if pauses { Change::Pause } else { Change::Resume };
            let Changing { is_running, task, .. } =
                change_id(&call, &id, change, None, if_match.as_ref().map(|_| version)).await?;
            return Ok(create::shown(&task.unwrap_or(item), is_running));
        }
        let record = record_of(&item);
        let is_paused =
            item.status == Status::Paused || record.is_some_and(|record| record.is_paused());
        let text = merge_patch(item.record.get(), is_paused, &patch).map_err(Problem::invalid)?;
        let mut task = parse_one(&text).map_err(Problem::invalid)?;
        task.set_id(&id).map_err(Problem::invalid)?;
        // A patch of other fields keeps what the calendars had.
        let exclude = record_of(&item).and_then(|record| record.exclude);
        call.calendars = match exclude.filter(|_| !changes_exclude(&patch)) {
            Some(exclude) => Calendars::of_record(exclude.get()),
            None => Calendars::default(),
        };
        if changes_exclude(&patch) {
            call.load_calendars(&task).await?;
        }
        if removes_anchor(&patch) {
            task.settle_anchor();
        }
        // Unless the patch changes the schedule, the schedule is not checked again. So runs stay
        // counted, and none may be left.
        let record = record_of(&item);
        if let Some(record) =
            record.as_ref().filter(|record| record.is_recurring() && !changes_schedule(&patch))
        {
            task.go_on(record.final_run);
        }
        if let Some(record) =
            record.as_ref().filter(|record| record.is_recurring() && changes_only_exclude(&patch))
        {
            task.continue_from(record.schedule());
        }
        let warn = |after: &Record<'_>| {
            lost_timezone(&patch, record.as_ref()?, after).map(Warning::lost_timezone)
        };
        // The write goes to the shard that has the task, which may be one of an older epoch, so
        // that it is one step.
        let written =
            create::replace_on(&call, shard, task, Expected::Version(version), true, warn).await;
        match written {
            Err(problem) if problem.is_other_version() && takes_any && tries < MAX_TRIES => {
                tries += 1
            }
            written => return written,
        }
    }
}

fn record_of(item: &ListItem) -> Option<Record<'_>> {
    Record::parse(item.record.get().as_bytes()).ok()
}

/// Returns whether a patch can change fields other than `paused`. A waiting attempt cannot be
/// patched, because it would lose its back-off and its number. A task in flight keeps both: the
/// patch changes the attempts after the current one.
fn is_patchable(item: &ListItem) -> bool {
    match item.status {
        Status::Running => !is_run(item),
        Status::Dead | Status::Retrying | Status::Held => false,
        Status::Scheduled | Status::Paused | Status::Unscheduled => !item.is_attempt,
    }
}

/// Returns why a task cannot be patched, and what to do instead.
fn why_not(item: &ListItem, path: &str) -> String {
    let record = Record::parse(item.record.get().as_bytes()).ok();
    if item.status == Status::Dead {
        let letter = record.map(|record| DeadLetterId::of(&record).path()).unwrap_or_default();
        return format!("it is a dead letter; POST {letter}/replay starts it again, with changes");
    }
    let stage = record.as_ref().and_then(|record| record.stage.as_deref());
    if let Some(stage) = stage {
        return format!(
            "only the follow-up {stage} of one of its runs is left; wait until it has ended, or cancel it with DELETE {path}"
        );
    }
    if record.is_some_and(|record| record.is_recurring()) {
        return format!(
            "only one run is left of a recurring task that has ended; create the task again with PUT {path}"
        );
    }
    format!(
        "it has fired, and waits for another attempt, which keeps the fields of the first; replace the task with PUT {path}, or move it \
         with POST {path}/reschedule and patch it then"
    )
}

/// Returns whether an attempt in flight belongs to a recurring task that is gone, or to a
/// follow-up.
fn is_run(item: &ListItem) -> bool {
    Record::parse(item.record.get().as_bytes())
        .is_ok_and(|record| record.is_recurring() || record.stage.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;
    use scheduler_model::position::Position;
    use serde_json::value::RawValue;

    #[test]
    fn a_refused_patch_says_what_is_there_and_what_to_do() {
        for (status, more, words) in [
            (
                Status::Dead,
                r#","failedAt":9"#,
                "it is a dead letter; POST /v1/dead-letters/9-5r-a%2Fb/replay",
            ),
            (
                Status::Retrying,
                r#","stage":"onSuccess""#,
                "the follow-up onSuccess of one of its runs is left; wait",
            ),
            (Status::Held, r#","everySeconds":60"#, "left of a recurring task that has ended"),
            (Status::Retrying, r#","attempt":2"#, "waits for another attempt"),
        ] {
            let record = format!(r#"{{"time":5,"id":"a/b","callback":{{}}{more}}}"#);
            let item = ListItem {
                position: Position { due: UnixMillis::new(9), page: 1, index: 0 },
                due: None,
                status,
                is_running: false,
                is_attempt: true,
                is_cancelled: false,
                record: RawValue::from_string(record).unwrap(),
            };
            assert!(!is_patchable(&item));
            let why = why_not(&item, &task_path("a/b"));
            assert!(why.contains(words) && why.contains("a%2Fb"), "{why}");
        }
    }
}
