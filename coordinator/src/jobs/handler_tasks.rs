//! The recurring tasks of handlers with a schedule. Workers have no deploy hook. So the watchdog
//! compares these tasks with the code in each round, and the first request of an instance does too.
//! A task that is already right costs one read.

use crate::clients::shards::Shards;
use crate::clients::{deployment, epochs};
use crate::jobs::watchdog;
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
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use worker::{Context, Env};

/// How often an instance looks for tasks whose handler is gone, in milliseconds. A deployment
/// starts new instances, and each looks in its first minutes. The hourly sweep finds tasks that an
/// instance of the version before has created again.
const SWEEP_MILLIS: i64 = 3_600_000;

/// The most shards to sweep in one round. Each of them may take several requests, and the watchdog
/// needs one for each of its shards. An invocation with few subrequests sweeps a quarter of their
/// number: 12 shards on the platform's free plan.
const SWEEP_SHARDS: usize = 64;

/// The most lists of one shard in a sweep. Each list covers up to 20,000 recurring tasks, the most
/// that a shard has, or 4 MB of them.
const MAX_ROUNDS: usize = 20;

thread_local! {
    /// Whether this instance has had its first request, or its first round.
    static BEGUN: Cell<bool> = const { Cell::new(false) };
    /// The time of the last sweep by this instance, by slice of the shards.
    static SWEPT: RefCell<BTreeMap<usize, UnixMillis>> = const { RefCell::new(BTreeMap::new()) };
}

/// Runs in each round of the watchdog. A failure is logged, and the next round tries again.
pub(crate) async fn watch(env: &Env, handlers: &Handlers) {
    BEGUN.set(true);
    let shards = match Shards::new(env) {
        Ok(shards) => shards,
        Err(problem) => return log("settings", &problem),
    };
    let now = now();
    keep(&shards, handlers, now).await;
    let all: Vec<ShardId> = shards.map.all().collect();
    let most = (settings::subrequests(env) / 4).clamp(1, 1_000) as usize;
    let slices: Vec<&[ShardId]> = all.chunks(SWEEP_SHARDS.min(most)).collect();
    // The turn follows the clock, so that every slice has its turn even if no instance lives long.
    let turn = watchdog::round(now) % slices.len().max(1);
    let is_due = SWEPT
        .with_borrow(|swept| swept.get(&turn).is_none_or(|last| now.since(*last) >= SWEEP_MILLIS));
    if is_due
        && let Some(slice) = slices.get(turn)
        && sweep(&shards, slice, handlers).await
    {
        SWEPT.with_borrow_mut(|swept| swept.insert(turn, now));
    }
}

/// Updates the tasks after the first request of an instance, so that they need not wait for the
/// next round.
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

/// Removes the tasks whose handler is gone or has no schedule any more. Returns whether all of
/// these shards were checked.
async fn sweep(shards: &Shards, slice: &[ShardId], handlers: &Handlers) -> bool {
    let declared: HashSet<String> = handlers.tasks().iter().map(HandlerTask::id).collect();
    let declared = &declared;
    let swept = |shard| async move { (shard, sweep_one(shards, shard, declared).await) };
    let mut is_done = true;
    for (shard, outcome) in shards.each(slice.iter().copied(), swept).await {
        match outcome {
            Ok(removed) => removed.iter().for_each(|id| {
                worker::console_log!("{id}: removed, because its handler has no schedule")
            }),
            Err(problem) => {
                log(&format!("shard {shard}"), &problem);
                is_done = false;
            }
        }
    }
    is_done
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
