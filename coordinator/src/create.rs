//! Taking tasks in.

use crate::answer::{Answer, Problem};
use crate::routes::Call;
use crate::settings;
use crate::shards::Shards;
use crate::tasks;
use scheduler_core::batch::{Plan, ShardAppend, plan};
use scheduler_core::ids::TaskId;
use scheduler_core::listing::write_task;
use scheduler_core::routing::ShardId;
use scheduler_core::task::{FieldError, NewTask, Validator, parse_batch, parse_one, version_of, write_text};
use scheduler_core::time::UnixMillis;
use scheduler_core::wire::{Append, AppendReply, CancelReply, CancelRequest, Expected, Status, paths};
use scheduler_platform::random_bytes;

/// `POST /v1/tasks` and `PUT /v1/tasks/{id}`.
pub(crate) async fn one(mut call: Call<'_>, id: Option<String>) -> Result<Answer, Problem> {
    let expected = call.expected()?;
    let text = call.text().await?;
    let mut task = parse_one(&text).map_err(Problem::invalid)?;
    if let Some(id) = &id {
        task.set_id(id).map_err(Problem::invalid)?;
    }
    if let (Some(expected), Some(id)) = (expected, &id) {
        let shard = match tasks::find(&call.shards, id).await? {
            Some((shard, _)) => shard,
            None => call.shards.map.home(id),
        };
        return replace_on(&call, shard, task, expected).await;
    }
    let (id, part) = planned_one(&call, task)?;
    let shown = shown_task(&part);
    let moved = drop_from_older_epochs(&call.shards, std::iter::once(id.as_str()));
    let reply = append(&call.shards, part.shard, part.append).await?;
    let replaced = reply.replaced > 0 || moved.await? > 0;
    Ok(shown.into_answer(if replaced { 200 } else { 201 }))
}

/// Takes a task in on this shard, if what is expected stands there: in one step.
pub(crate) async fn replace_on(
    call: &Call<'_>,
    shard: ShardId,
    task: NewTask<'_>,
    expected: Expected,
) -> Result<Answer, Problem> {
    let (_, part) = planned_one(call, task)?;
    let shown = shown_task(&part);
    let reply = append(&call.shards, shard, Append { expected: Some(expected), fresh: false, ..part.append }).await?;
    Ok(shown.into_answer(if reply.replaced > 0 { 200 } else { 201 }))
}

fn planned_one<'a>(call: &'a Call<'_>, task: NewTask<'a>) -> Result<(TaskId<'a>, ShardAppend), Problem> {
    let mut plan = planned(call, vec![Ok(task)])?;
    match (plan.items.pop(), plan.appends.pop()) {
        (Some(Ok(id)), Some(part)) => Ok((id, part)),
        (Some(Err(problem)), _) => Err(Problem::invalid(problem)),
        _ => Err(Problem::invalid(FieldError::new("body", "has no task"))),
    }
}

/// `POST /v1/tasks/batch`.
pub(crate) async fn batch(mut call: Call<'_>) -> Result<Answer, Problem> {
    let content_type = call.request.headers().get("content-type").ok().flatten().unwrap_or_default();
    let is_lines = content_type.to_ascii_lowercase().contains("ndjson");
    let text = call.text().await?;
    let tasks = parse_batch(&text, is_lines).map_err(Problem::invalid)?;
    if settings::is_bench(call.env) && call.request.url().is_ok_and(|url| url.query() == Some("mode=parse")) {
        return Ok(Answer::json(200, format!("{{\"parsed\":{}}}", tasks.len()).into_bytes()));
    }
    let Plan { items, appends } = planned(&call, tasks)?;
    let given = |part: &ShardAppend| !part.append.fresh;
    let may_have_moved: Vec<&str> = if call.shards.map.is_single() {
        Vec::new()
    } else {
        let parts = appends.iter().filter(|part| given(part)).flat_map(|part| part.items.iter());
        parts.filter_map(|item| items.get(*item as usize)?.as_ref().ok().map(TaskId::as_str)).collect()
    };
    let outcomes = call
        .shards
        .each(appends, |part| {
            let shards = &call.shards;
            async move {
                let ShardAppend { shard, append, items, .. } = part;
                (items, self::append(shards, shard, append).await.err())
            }
        })
        .await;
    drop_from_older_epochs(&call.shards, may_have_moved.into_iter()).await?;
    answer_batch(&items, outcomes)
}

/// The answer to a batch: the items in order, each with its id or what is wrong with it.
fn answer_batch(items: &[Result<TaskId<'_>, FieldError>], outcomes: Vec<(Vec<u32>, Option<Problem>)>) -> Result<Answer, Problem> {
    // When no shard took anything, the request as a whole has failed, and may be sent again as it is.
    if !outcomes.is_empty()
        && outcomes.iter().all(|(_, problem)| problem.is_some())
        && let Some(problem) = outcomes.iter().find_map(|(_, problem)| problem.clone())
    {
        return Err(problem);
    }
    let mut failed: Vec<Option<&Problem>> = vec![None; items.len()];
    for (part, problem) in &outcomes {
        let Some(problem) = problem else { continue };
        for item in part {
            if let Some(slot) = failed.get_mut(*item as usize) {
                *slot = Some(problem);
            }
        }
    }
    let accepted = items.iter().zip(&failed).filter(|(item, failed)| item.is_ok() && failed.is_none()).count();
    let mut out = Vec::with_capacity(items.len() * 48 + 64);
    out.extend_from_slice(format!("{{\"accepted\":{accepted},\"rejected\":{},\"results\":[", items.len() - accepted).as_bytes());
    for (at, (item, failed)) in items.iter().zip(failed).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        // Writing to a Vec does not fail, here and below.
        match (item, failed) {
            (Ok(id), None) => {
                out.extend_from_slice(b"{\"id\":");
                write_text(id.as_str(), &mut out);
                out.push(b'}');
            }
            (Ok(id), Some(problem)) => {
                let error = serde_json::json!({
                    "id": id.as_str(),
                    "error": { "field": "id", "detail": problem.detail, "retryable": problem.is_retryable() }
                });
                let _ = serde_json::to_writer(&mut out, &error);
            }
            (Err(error), _) => {
                let _ = serde_json::to_writer(&mut out, &serde_json::json!({ "error": error }));
            }
        }
    }
    out.extend_from_slice(b"]}");
    Ok(Answer::json(200, out))
}

fn planned<'a>(call: &'a Call<'_>, tasks: Vec<Result<NewTask<'a>, FieldError>>) -> Result<Plan<'a>, Problem> {
    let random = random_bytes().map_err(|_| Problem::unavailable("the platform gave no random numbers"))?;
    let mut validator = Validator::new(call.now, random, call.targets()).with_handler_retries(&call.handler_retries);
    Ok(plan(tasks, &mut validator, &call.shards.map))
}

async fn append(shards: &Shards, shard: ShardId, mut append: Append) -> Result<AppendReply, Problem> {
    let mut tries = 0;
    let expects = append.expected.is_some();
    let reply = shards
        .send(shard, paths::APPEND, |first| {
            tries += 1;
            // A request that is sent again may meet its own tasks.
            append.fresh &= first;
            append.encode()
        })
        .await;
    match reply {
        Err(problem) if expects && tries > 1 && problem.is_other_version() => Err(Problem::unavailable(
            "it is not known whether the change was made, for the answer of the first try was lost; read the task",
        )),
        reply => reply,
    }
}

/// Cancels what stands under these ids on the shards of older epochs, and says how many did.
async fn drop_from_older_epochs(shards: &Shards, ids: impl Iterator<Item = &str>) -> Result<u64, Problem> {
    let mut by_shard = std::collections::BTreeMap::<_, Vec<String>>::new();
    for id in ids {
        for shard in shards.map.homes(id).skip(1) {
            by_shard.entry(shard).or_default().push(id.to_owned());
        }
    }
    let replies = shards
        .each(by_shard, |(shard, ids)| async move {
            shards.ask::<_, CancelReply>(shard, paths::CANCEL, &CancelRequest { ids, if_match: None }).await
        })
        .await;
    let mut dropped = 0;
    for reply in replies {
        let outcomes = reply?.outcomes;
        dropped += outcomes.iter().filter(|outcome| **outcome == scheduler_core::wire::Cancelled::Cancelled).count() as u64;
    }
    Ok(dropped)
}

/// A task as the API shows it.
struct Shown {
    text: Vec<u8>,
    version: u64,
}

impl Shown {
    fn into_answer(self, status: u16) -> Answer {
        Answer::json(status, self.text).with_version(self.version)
    }
}

/// The one task of a part.
fn shown_task(part: &ShardAppend) -> Shown {
    let mut text = Vec::new();
    let (status, due, record) = if let Some(page) = part.append.pages.first() {
        let due = page.directory.get(0).map_or(UnixMillis::NEVER, |entry| entry.due);
        let status = match due {
            UnixMillis::PAUSED => Status::Paused,
            UnixMillis::NEVER => Status::Unscheduled,
            _ => Status::Scheduled,
        };
        (status, due, page.body.as_slice())
    } else {
        (Status::Scheduled, part.first_due, part.append.schedules.first().map(Vec::as_slice).unwrap_or_default())
    };
    let status = if part.first_due == UnixMillis::PAUSED { Status::Paused } else { status };
    write_task(status, due, &String::from_utf8_lossy(record), &mut text);
    Shown { text, version: version_of(record) }
}
