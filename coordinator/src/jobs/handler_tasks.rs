//! The recurring tasks of handlers with a schedule. Workers have no deploy hook. So the watchdog
//! compares these tasks with the code in its full turns, and the first request of an instance does
//! too. A task that is already correct costs one read.
//!
//! This module does not remember when it last ran, because the platform recycles instances often.
//! The full turns follow the clock, and they load the shards anyway.

use crate::clients::shards::Shards;
use crate::clients::{deployment, epochs};
use crate::jobs::watchdog::Done;
use crate::problem::Problem;
use futures::future::LocalBoxFuture;
use scheduler_calendar::time::UnixMillis;
use scheduler_dispatcher::Handlers;
use scheduler_model::batch::plan;
use scheduler_model::bounds::MAX_LIST_LIMIT;
use scheduler_model::input::FieldError;
use scheduler_model::protocol::{
    Among, AmongRequest, AppendReply, CancelRequest, Filter, GetRequest, Kind, ListItem, ListReply,
    ListRequest, Status, paths,
};
use scheduler_model::routing::ShardId;
use scheduler_model::task::{
    HANDLER_TASK_PREFIX, HandlerTask, Origin, Record, Targets, Validator, handler_of, parse_one,
};
use scheduler_platform::{now, settings};
use std::cell::Cell;
use std::collections::HashSet;
use worker::{Context, Env};

/// The most shards in which one round looks for tasks whose handler is gone. Each takes at most
/// [`MAX_ROUNDS`] lists and a cancel: 5,376 requests besides those of the watchdog. If a round has
/// loaded more shards, they take turns: 800 shards in an hour. An invocation with few subrequests
/// looks in a quarter as many shards as it has subrequests: in 12 on the platform's free plan.
const SWEEP_SHARDS: usize = 256;

/// The most lists of one shard in a sweep. Each list covers up to 20,000 recurring tasks, the most
/// that a shard has, or 4 MB of them.
const MAX_ROUNDS: usize = 20;

thread_local! {
    /// Whether this instance has had its first request.
    static BEGUN: Cell<bool> = const { Cell::new(false) };
}

/// Runs after each round of the watchdog, and does nothing unless the round has loaded shards. A
/// failure is logged, and the next full turn tries again.
pub(crate) async fn watch(env: &Env, handlers: &Handlers, round: &Done) {
    if round.in_full.is_empty() {
        return;
    }
    let shards = match Shards::new(env) {
        Ok(shards) => shards,
        Err(problem) => return log("settings", &problem),
    };
    shards.spend(round.requests);
    keep(&shards, handlers, now()).await;
    let slice = slice(&round.in_full, settings::subrequests(env), round.full_turn);
    sweep(&shards, slice, handlers).await;
}

/// Returns the shards in which a full turn looks for tasks whose handler is gone.
fn slice(loaded: &[ShardId], subrequests: u32, full_turn: usize) -> &[ShardId] {
    let most = SWEEP_SHARDS.min((subrequests as usize / 4).max(1));
    let slices = loaded.len().div_ceil(most).max(1);
    let slice = loaded.chunks(loaded.len().div_ceil(slices).max(1)).nth(full_turn % slices);
    slice.unwrap_or_default()
}

/// Updates the tasks after the first request of an instance, so that they need not wait for the
/// next full turn.
pub(crate) fn on_request(env: &Env, handlers: fn(&Env) -> Handlers, context: &Context) {
    if BEGUN.replace(true) || handlers(env).tasks().is_empty() {
        return;
    }
    let env = env.clone();
    context.wait_until(async move {
        if let Err(problem) = deployment::settle(&env).await {
            return log("settings", &problem);
        }
        match Shards::new(&env) {
            Ok(shards) => keep(&shards, &handlers(&env), now()).await,
            Err(problem) => log("settings", &problem),
        }
    });
}

/// Creates the tasks that are missing, and replaces those that differ from their declaration. The
/// future is boxed; otherwise its 20 kB would be in the wasm twice.
fn keep<'a>(shards: &'a Shards, handlers: &'a Handlers, now: UnixMillis) -> LocalBoxFuture<'a, ()> {
    let kept = move |task: HandlerTask<'static>| async move {
        (task.id(), keep_one(shards, handlers, &task, now).await)
    };
    Box::pin(async move {
        for (id, outcome) in shards.each(handlers.tasks(), kept).await {
            if let Err(problem) = outcome {
                log(&id, &problem);
            }
        }
    })
}

async fn keep_one(
    shards: &Shards,
    handlers: &Handlers,
    task: &HandlerTask<'_>,
    now: UnixMillis,
) -> Result<(), Problem> {
    let id = task.id();
    let mut is_right = false;
    let mut others = Vec::new();
    // A task may stay on a shard of an older epoch, but there must be only one.
    for shard in shards.map.homes(&id) {
        let item: Option<ListItem> =
            shards.ask(shard, paths::GET, &GetRequest { id: id.clone() }).await?;
        match item.filter(is_recurring_task) {
            Some(item)
                if !is_right
                    && Record::parse(item.record.get().as_bytes())
                        .is_ok_and(|record| task.is(&record)) =>
            {
                is_right = true;
            }
            Some(_) => others.push(shard),
            None => {}
        }
    }
    if !is_right {
        let lives_on = create(shards, handlers, task, now).await?;
        worker::console_log!("{id}: set to {:?} in {}", task.cron, task.timezone.unwrap_or("UTC"));
        // The new task has replaced the one on the same shard.
        others.retain(|shard| *shard != lives_on);
    }
    for shard in others {
        cancel(shards, shard, vec![id.clone()]).await?;
    }
    Ok(())
}

/// Returns whether `item` is the recurring task itself. A shard returns that first; anything else
/// with its id belongs to one run.
fn is_recurring_task(item: &ListItem) -> bool {
    !matches!(item.status, Status::Retrying | Status::Running | Status::Dead)
}

/// Creates the task, and returns its shard. A task of an older epoch with the same schedule stays
/// on its shard.
async fn create(
    shards: &Shards,
    handlers: &Handlers,
    task: &HandlerTask<'_>,
    now: UnixMillis,
) -> Result<ShardId, Problem> {
    let (names, text) = (handlers.names(), task.to_json());
    let targets = Targets { handlers: &names, ..Targets::default() };
    // The task has an id, so no random number is needed.
    let validator = Validator::new(now, [0; 16], targets).with_reserved_ids();
    let mut validator = validator.with_origin(Origin::new(now, None));
    let plan = plan(vec![parse_one(&text)], &mut validator, &shards.map);
    if let Some(Err(problem)) = plan.items.into_iter().next() {
        return Err(Problem::invalid(problem));
    }
    let part = plan.appends.into_iter().next();
    let mut part = part.ok_or_else(|| Problem::invalid(FieldError::new("body", "has no task")))?;
    if let Some(shard) =
        epochs::go_on(shards, std::slice::from_mut(&mut part)).await?.remove(&task.id())
    {
        return Ok(shard);
    }
    shards.send::<AppendReply>(part.shard, paths::APPEND, |_| part.append.encode()).await?;
    Ok(part.shard)
}

/// Removes the tasks whose handler is gone or has no schedule any more.
async fn sweep(shards: &Shards, slice: &[ShardId], handlers: &Handlers) {
    let declared: HashSet<String> = handlers.tasks().iter().map(HandlerTask::id).collect();
    let declared = &declared;
    let swept = |shard| async move { (shard, sweep_one(shards, shard, declared).await) };
    for (shard, outcome) in shards.each(slice.iter().copied(), swept).await {
        match outcome {
            Ok(removed) => removed.iter().for_each(|id| {
                worker::console_log!("{id}: removed, because its handler has no schedule")
            }),
            Err(problem) => log(&format!("shard {shard}"), &problem),
        }
    }
}

async fn sweep_one(
    shards: &Shards,
    shard: ShardId,
    declared: &HashSet<String>,
) -> Result<Vec<String>, Problem> {
    let filter = Filter {
        prefix: Some(HANDLER_TASK_PREFIX.to_owned()),
        kind: Some(Kind::Cron),
        status: Some(Status::Scheduled),
        ..Filter::default()
    };
    let mut request =
        ListRequest { filter, after: None, limit: MAX_LIST_LIMIT, ..ListRequest::default() };
    let mut orphans = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let reply: ListReply = shards.ask(shard, paths::LIST, &request).await?;
        for item in &reply.items {
            let Ok(record) = Record::parse(item.record.get().as_bytes()) else { continue };
            if handler_of(&record).is_some() && !declared.contains(record.id.as_ref()) {
                orphans.push(record.id.into_owned());
            }
        }
        request.after = reply.next;
        if reply.next.is_none() {
            break;
        }
    }
    if !orphans.is_empty() {
        cancel(shards, shard, orphans.clone()).await?;
    }
    Ok(orphans)
}

async fn cancel(shards: &Shards, shard: ShardId, ids: Vec<String>) -> Result<(), Problem> {
    // The dead letters of earlier runs are kept.
    let asked = AmongRequest {
        among: Among::Live,
        share: None,
        by: None,
        request: CancelRequest { ids, if_match: None },
    };
    shards.ask_by_ids(shard, asked).await?;
    Ok(())
}

fn log(what: &str, problem: &Problem) {
    worker::console_error!("tasks of handlers: {what}: {}", problem.detail);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_turns_look_in_all_shards_and_in_few_at_once() {
        for (shards, subrequests, turns, most) in [
            (0, 10_000, 1, 0),
            (1, 10_000, 1, 1),
            (256, 10_000, 1, 256),
            (512, 10_000, 2, 256),
            (800, 10_000, 4, 200),
            // The free plan.
            (20, 50, 2, 12),
            (24, 50, 2, 12),
        ] {
            let loaded: Vec<ShardId> =
                (0..shards).map(|index| ShardId { epoch: 1, index }).collect();
            for start in [0, 490_000 / turns * turns] {
                let slices: Vec<_> = (start..start + turns)
                    .map(|full_turn| slice(&loaded, subrequests, full_turn))
                    .collect();
                assert!(slices.iter().all(|slice| slice.len() <= most), "{shards}");
                assert_eq!(slices.concat(), loaded, "{shards} from {start}");
            }
        }
    }
}
