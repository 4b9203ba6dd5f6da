//! Taking tasks in.

use crate::answer::{Answer, Problem};
use crate::once::{self, Done};
use crate::routes::Call;
use crate::settings;
use crate::shards::Shards;
use scheduler_core::batch::{Plan, ShardAppend, plan};
use scheduler_core::ids::TaskId;
use scheduler_core::once::Once;
use scheduler_core::routing::ShardId;
use scheduler_core::task::{FieldError, NewTask, Targets, Validator, parse_batch, parse_one, write_text};
use scheduler_core::wire::{Append, AppendReply, CancelReply, CancelRequest, paths};
use scheduler_platform::random_bytes;

/// `POST /v1/tasks` and `PUT /v1/tasks/{id}`.
pub(crate) async fn one(mut call: Call<'_>, id: Option<String>) -> Result<Answer, Problem> {
    let text = call.text().await?;
    let once = once::asked(&call, "one", &text)?;
    let plan_one = |once: Option<&Once>| {
        let mut task = parse_one(&text).map_err(Problem::invalid)?;
        if let Some(id) = &id {
            task.set_id(id).map_err(Problem::invalid)?;
        }
        let plan = planned(&call, vec![Ok(task)], once)?;
        match plan.items.first() {
            Some(Err(problem)) => Err(Problem::invalid(problem.clone())),
            _ => Ok(plan),
        }
    };
    let nothing = || Problem::invalid(FieldError::new("body", "has no task"));
    let (shown, id, reply, is_replay) = match &once {
        None => {
            let mut plan = plan_one(None)?;
            let (Some(Ok(id)), Some(mut part)) = (plan.items.pop(), plan.appends.pop()) else { return Err(nothing()) };
            let reply = append(&call.shards, part.shard, &mut part.append).await?;
            (shown_task(&part), id, reply, false)
        }
        Some(once) => {
            let Done { mut items, parts, is_replay } = once::carry_out(&call, once, |once| plan_one(Some(once))).await?;
            let part = parts.into_iter().find(|(part, _)| !part.items.is_empty());
            let (Some(Ok(id)), Some((part, reply))) = (items.pop(), part) else { return Err(nothing()) };
            (shown_task(&part), id, reply?, is_replay)
        }
    };
    let moved = drop_from_older_epochs(&call.shards, std::iter::once(id.as_str())).await?;
    let replaced = reply.replaced > 0 || moved > 0;
    Ok(Answer::json(if replaced { 200 } else { 201 }, shown).replayed(is_replay))
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
    let (items, outcomes, is_replay) = match once::asked(&call, if is_lines { "lines" } else { "array" }, &text)? {
        None => {
            let Plan { items, appends } = planned(&call, tasks, None)?;
            let shards = &call.shards;
            let outcomes = shards
                .each(appends, |part| async move {
                    let ShardAppend { shard, mut append, items, .. } = part;
                    (items, self::append(shards, shard, &mut append).await.err())
                })
                .await;
            (items, outcomes, false)
        }
        Some(once) => {
            drop(tasks);
            let plan = |once: &Once| planned(&call, parse_batch(&text, is_lines).map_err(Problem::invalid)?, Some(once));
            let Done { items, parts, is_replay } = once::carry_out(&call, &once, plan).await?;
            // The key's home may have taken nothing but the key.
            let parts = parts.into_iter().filter(|(part, _)| !part.items.is_empty());
            (items, parts.map(|(part, reply)| (part.items, reply.err())).collect(), is_replay)
        }
    };
    if !call.shards.map.is_single() {
        let given = items.iter().filter_map(|item| item.as_ref().ok()).filter(|id| !id.is_generated());
        drop_from_older_epochs(&call.shards, given.map(TaskId::as_str)).await?;
    }
    answer_batch(&items, outcomes).map(|answer| answer.replayed(is_replay))
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

fn planned<'a>(
    call: &'a Call<'_>,
    tasks: Vec<Result<NewTask<'a>, FieldError>>,
    once: Option<&Once>,
) -> Result<Plan<'a>, Problem> {
    let targets = Targets { handlers: &call.handlers, queues: &call.queues };
    let validator = match once {
        Some(once) => Validator::new(once.made.at, once.made.random, targets).with_ids(once.ids()),
        None => {
            let random = random_bytes().map_err(|_| Problem::unavailable("the platform gave no random numbers"))?;
            Validator::new(call.now, random, targets)
        }
    };
    let mut validator = validator.with_handler_retries(&call.handler_retries);
    let mut plan = plan(tasks, &mut validator, &call.shards.map);
    for part in &mut plan.appends {
        part.append.terms.share = call.share;
    }
    Ok(plan)
}

pub(crate) async fn append(shards: &Shards, shard: ShardId, append: &mut Append) -> Result<AppendReply, Problem> {
    shards
        .send(shard, paths::APPEND, |first| {
            // A request that is sent again may meet its own tasks.
            append.fresh &= first;
            append.encode()
        })
        .await
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
        .each(
            by_shard,
            |(shard, ids)| async move { shards.ask::<_, CancelReply>(shard, paths::CANCEL, &CancelRequest { ids }).await },
        )
        .await;
    let mut dropped = 0;
    for reply in replies {
        let outcomes = reply?.outcomes;
        dropped += outcomes.iter().filter(|outcome| **outcome == scheduler_core::wire::Cancelled::Cancelled).count() as u64;
    }
    Ok(dropped)
}

/// The one task of a part, as the API shows it.
fn shown_task(part: &ShardAppend) -> Vec<u8> {
    use scheduler_core::listing::write_task;
    use scheduler_core::time::UnixMillis;
    use scheduler_core::wire::Status;
    let mut out = Vec::new();
    if let Some(page) = part.append.pages.first() {
        let due = page.directory.get(0).map_or(UnixMillis::NEVER, |entry| entry.due);
        let status = if due == UnixMillis::NEVER { Status::Unscheduled } else { Status::Scheduled };
        write_task(status, due, &String::from_utf8_lossy(&page.body), &mut out);
    } else if let Some(record) = part.append.schedules.first() {
        write_task(Status::Scheduled, part.first_due, &String::from_utf8_lossy(record), &mut out);
    }
    out
}
