//! Updates the tasks that use a changed calendar: the work of the registry's alarm.
//!
//! The alarm goes through the recurring tasks of all shards of the namespace, list by list. It
//! replaces the former items in the record of a task by the current ones, on the condition that the
//! task is still as it was read, so it never undoes a change of a user. After each list, the
//! registry stores where the update continues (see [`scheduler_model::calendars::Update`]).

use crate::clients::calendars::{is_task, recurring_tasks};
use crate::clients::deployment;
use crate::clients::shards::Shards;
use crate::problem::Problem;
use scheduler_calendar::steps::steps_taken;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{CALENDAR_DUE_MILLIS, TASKS_PER_UPDATE_LIST, UPDATE_LISTS_PER_ALARM};
use scheduler_model::calendars::{Calendar, Failed, Place, Step};
use scheduler_model::protocol::{Append, Expected, ListReply, Terms};
use scheduler_model::routing::ShardId;
use scheduler_model::task::{Record, Renewal, renewed, version_of};
use scheduler_platform::now;
use scheduler_registry::{AlarmWork, Shell, Work};
use worker::{Env, Result};

/// The most tries of one request to a shard. Each try counts as a subrequest.
const TRIES: u32 = 4;

/// A list ends after this many steps of schedules, which take some 40 milliseconds. Meanwhile the
/// registry answers no other request.
const STEPS_PER_LIST: u64 = 1_000_000;

/// Continues the updates that are due, and sets the alarm for the next one. After a failure, it
/// sets the alarm too, because the platform drops an alarm after six failures of its handler.
pub(crate) async fn run(env: &Env, registry: &Shell) -> Result<()> {
    let alarm = registry.alarm_begins();
    let outcome = match go_on(env, registry, &alarm).await {
        Ok(()) => registry.arm().await,
        Err(problem) => Err(problem),
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(problem) => {
            worker::console_error!("the update of calendars: {problem}; trying again");
            registry.arm_after_failure().await
        }
    }
}

/// Continues the updates that are due. An alarm works for one namespace, because its subrequests
/// are bounded.
async fn go_on(env: &Env, registry: &Shell, alarm: &AlarmWork<'_>) -> Result<()> {
    let settled = deployment::settle(env).await;
    let mut shards: Option<Shards> = None;
    for _ in 0..UPDATE_LISTS_PER_ALARM {
        let Some(work) = registry.next_update()? else { break };
        alarm.extend();
        if shards.as_ref().is_some_and(|of| *of.namespace() != work.namespace) {
            break;
        }
        let opened = match (shards.take(), &settled) {
            (Some(shards), _) => Ok(shards),
            (None, Ok(())) => Shards::of(env, work.namespace.clone()),
            (None, Err(problem)) => Err(problem.clone()),
        };
        let outcome = match opened {
            Ok(of) => {
                let limit = (of.left() / TRIES).saturating_sub(1) as usize;
                if limit == 0 {
                    break;
                }
                let limit = limit.min(TASKS_PER_UPDATE_LIST);
                let of = shards.insert(of);
                update_list(of, &work, limit).await
            }
            Err(problem) => Err(problem),
        };
        if let Err(problem) = &outcome {
            worker::console_error!(
                "the calendar {} of {}: {}; trying again",
                work.calendar.name,
                work.namespace,
                problem.detail
            );
        }
        registry.note_update(&work, outcome.ok())?;
    }
    Ok(())
}

/// Updates the tasks of the next list of an update.
async fn update_list(
    shards: &Shards,
    work: &Work,
    limit: usize,
) -> core::result::Result<Step, Problem> {
    let place = work.update.place();
    let all: Vec<ShardId> = shards.map.all().collect();
    let Some(shard) = all.get(place.shard).copied() else { return Ok(Step::default()) };
    let reply = recurring_tasks(shards, shard, place.after, limit).await?;
    let List { changes, mut step } = decide(reply, work, now());
    if step.next.is_none() && place.shard + 1 < all.len() {
        step.next = Some(Place { shard: place.shard + 1, after: None });
    }
    let append = |Changed { id, version, record }: Changed| async move {
        let mut append = Append {
            schedules: vec![record],
            expected: Some(Expected::Version(version)),
            terms: Terms { tasks_only: true, ..Terms::default() },
            ..Append::default()
        };
        (id, shards.append(shard, &mut append).await)
    };
    for (id, outcome) in shards.each(changes, append).await {
        match outcome {
            Ok(_) => step.found += 1,
            // Another writer has changed the task, or it is gone.
            Err(problem) if problem.is_other_version() => step.left = true,
            Err(problem) => {
                worker::console_error!(
                    "the calendar {}: the task {id} was not changed: {}",
                    work.calendar.name,
                    problem.detail
                );
                step.left = true;
            }
        }
    }
    Ok(step)
}

/// A task to change.
struct Changed {
    id: String,
    /// The version that the task must still have.
    version: u64,
    record: Vec<u8>,
}

/// The changes of the tasks of a list.
struct List {
    changes: Vec<Changed>,
    /// The other results, with the place after the last task that was examined, on the same shard.
    step: Step,
}

/// Compares the tasks of a list with the calendar. If that takes long, it stops before the end.
fn decide(reply: ListReply, work: &Work, now: UnixMillis) -> List {
    let (calendar, update): (&Calendar, _) = (&work.calendar, &work.update);
    let before = steps_taken();
    let mut list = List { changes: Vec::new(), step: Step::default() };
    let mut after = reply.next;
    let mut last = None;
    for item in reply.items {
        if last.is_some() && steps_taken().wrapping_sub(before) > STEPS_PER_LIST {
            after = last;
            break;
        }
        last = Some(item.position);
        if !is_task(&item) {
            continue;
        }
        let record = item.record.get();
        let (id, updated_at) = match Record::parse(record.as_bytes()) {
            Ok(read) => (read.id.into_owned(), read.updated_at),
            Err(_) => continue,
        };
        match renewed(record, calendar, now) {
            Ok(Renewal::NotUsed) => {}
            // This search has already counted a task that it changed. It finds the task again if
            // the task has moved forward in the list.
            Ok(Renewal::Current) if updated_at.is_some_and(|at| at >= update.began_at()) => {}
            Ok(Renewal::Current) => list.step.found += 1,
            Ok(Renewal::Changed(_))
                if update.leaves_due_tasks() && item.due() <= now.plus(CALENDAR_DUE_MILLIS) =>
            {
                list.step.left = true;
            }
            Ok(Renewal::Changed(new)) => {
                let version = version_of(record.as_bytes());
                list.changes.push(Changed { id, version, record: new });
            }
            Err(problem) => {
                list.step.refused.push(Failed { id, detail: problem.to_string() });
            }
        }
    }
    let shard = update.place().shard;
    list.step.next = after.map(|after| Place { shard, after: Some(after) });
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::calendars::{CalendarInput, CalendarOf, Put, PutCalendar, put};
    use scheduler_model::namespace::Namespace;
    use scheduler_model::position::Position;
    use scheduler_model::protocol::{ListItem, Status};
    use serde_json::value::RawValue;

    /// 2026-12-20T00:00:00Z.
    const NOW: UnixMillis = UnixMillis::new(1_797_724_800_000);

    fn stored(former: Option<Calendar>, items: &str) -> Calendar {
        let items = CalendarInput::parse(items).unwrap().items;
        let of = CalendarOf { namespace: Namespace::DEFAULT, name: "de".parse().unwrap() };
        let request = PutCalendar { of, description: None, items, expects: None };
        match put(former, 0, request, NOW).unwrap() {
            Put::Done { calendar, .. } => *calendar,
            Put::Other => panic!("nothing is expected"),
        }
    }

    fn item(n: u32, exclude: &str, more: &str, due: UnixMillis, status: Status) -> ListItem {
        let record = format!(
            r#"{{"id":"t{n}","cron":"0 9 * * *","exclude":{exclude}{more},"callback":{{"type":"handler","name":"log"}},"createdAt":5}}"#
        );
        ListItem {
            position: Position { due, page: 0, index: n },
            due: None,
            status,
            is_running: false,
            is_attempt: status == Status::Retrying,
            is_cancelled: false,
            record: RawValue::from_string(record).unwrap(),
        }
    }

    #[test]
    fn a_list_is_compared_with_the_calendar() {
        let former = stored(None, r#"{"dates":["12-24"]}"#);
        let (old, calendar) =
            (former.snapshot(), stored(Some(former), r#"{"times":["08:00-10:00"]}"#));
        let snapshot = calendar.snapshot();
        let update = calendar.update.clone().unwrap();
        let work = Work { namespace: Namespace::DEFAULT, calendar, update };
        let later = NOW.plus(60_000);
        let of = |calendars: &str| format!(r#"{{"dates":["12-31"],"calendars":[{calendars}]}}"#);
        let updated = format!(r#","updatedAt":{NOW}"#);
        let items = vec![
            item(1, r#"{"dates":["12-24"]}"#, "", later, Status::Scheduled),
            item(2, &of(&old), r#","timezone":"Asia/Tokyo""#, later, Status::Scheduled),
            item(3, &of(&snapshot), "", later, Status::Scheduled),
            item(4, &of(&snapshot), &updated, later, Status::Paused),
            item(5, &of(&old), "", later, Status::Retrying),
            item(6, &of(&old), "", later, Status::Running),
        ];
        let next = Some(Position { due: later, page: 0, index: 9 });
        let reply = ListReply { items, next, ..ListReply::default() };
        // Nine o'clock is left out now, which leaves the second task no run.
        let List { changes, step } = decide(reply, &work, NOW);
        assert!(changes.is_empty());
        assert_eq!((step.found, step.left), (1, false));
        assert_eq!(step.refused.iter().map(|of| of.id.as_str()).collect::<Vec<_>>(), ["t2"]);
        assert!(step.refused[0].detail.contains("exclude leaves no run"), "{:?}", step.refused);
        assert_eq!(step.next, Some(Place { shard: 0, after: next }));
    }

    #[test]
    fn a_due_task_is_left_to_a_later_search() {
        let former = stored(None, r#"{"dates":["12-24"]}"#);
        let (old, calendar) = (former.snapshot(), stored(Some(former), r#"{"dates":["12-25"]}"#));
        let update = calendar.update.clone().unwrap();
        let work = Work { namespace: Namespace::DEFAULT, calendar, update };
        let exclude = format!(r#"{{"calendars":[{old}]}}"#);
        for (due, is_left) in
            [(NOW.plus(-5), true), (NOW.plus(1_000), true), (NOW.plus(1_001), false)]
        {
            let items = vec![item(1, &exclude, "", due, Status::Scheduled)];
            let version = version_of(items[0].record.get().as_bytes());
            let List { changes, step } =
                decide(ListReply { items, ..ListReply::default() }, &work, NOW);
            assert_eq!((step.left, changes.len()), (is_left, usize::from(!is_left)));
            assert!(changes.iter().all(|change| change.version == version && change.id == "t1"));
            assert_eq!(step.next, None);
        }
    }
}
