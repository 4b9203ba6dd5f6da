//! The recurring tasks of handlers with a schedule. Workers have no hook for a deploy, so these
//! tasks are kept as the code declares them: by the watchdog every minute, and by the first request
//! of an instance. What is right already costs a read.

use crate::clients::epochs;
use crate::clients::shards::Shards;
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
use scheduler_platform::now;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use worker::{Context, Env};

/// How often an instance looks for tasks whose handler is gone, milliseconds. A deploy starts new
/// instances, and each looks in its first minutes; the hour is for what an instance of the version
/// before put back meanwhile.
const SWEEP_MILLIS: i64 = 3_600_000;

/// Shards that are looked at in one minute. An invocation may make 1,000 subrequests, of which the
/// watchdog needs one for each shard.
const SWEEP_SHARDS: usize = 64;

/// Lists of one shard in a sweep. Each looks at up to 20,000 recurring tasks, which is as many as a
/// shard has, or at 4 MB of them.
const MAX_ROUNDS: usize = 20;

thread_local! {
    /// Whether this instance has had its first request, or its first minute.
    static BEGUN: Cell<bool> = const { Cell::new(false) };
    /// When this instance last looked for tasks without a handler, by slice of the shards.
    static SWEPT: RefCell<BTreeMap<usize, UnixMillis>> = const { RefCell::new(BTreeMap::new()) };
}

/// Once a minute. What goes wrong is logged; the next minute brings the next try.
pub(crate) async fn watch(env: &Env, handlers: &Handlers) {
    BEGUN.set(true);
    let shards = match Shards::new(env) {
        Ok(shards) => shards,
        Err(problem) => return log("settings", &problem),
    };
    let now = now();
    keep(&shards, handlers, now).await;
    let all: Vec<ShardId> = shards.map.all().collect();
    let slices: Vec<&[ShardId]> = all.chunks(SWEEP_SHARDS).collect();
    // By the clock, so that every slice has its turn also where no instance lives long.
    let turn = usize::try_from(now.get() / 60_000).unwrap_or(0) % slices.len().max(1);
    let is_due = SWEPT
        .with_borrow(|swept| swept.get(&turn).is_none_or(|last| now.since(*last) >= SWEEP_MILLIS));
    if is_due
        && let Some(slice) = slices.get(turn)
        && sweep(&shards, slice, handlers).await
    {
        SWEPT.with_borrow_mut(|swept| swept.insert(turn, now));
    }
}

/// Keeps the tasks after the first request of an instance, which else would wait for the next
/// minute.
pub(crate) fn on_request(env: &Env, handlers: fn(&Env) -> Handlers, context: &Context) {
    if BEGUN.replace(true) || handlers(env).tasks().is_empty() {
        return;
    }
    let env = env.clone();
    context.wait_until(async move {
        match Shards::new(&env) {
            Ok(shards) => keep(&shards, &handlers(&env), now()).await,
            Err(problem) => log("settings", &problem),
        }
    });
}

/// Makes the tasks that are missing, and replaces those that are not as declared. Boxed, or its 20
/// kB would be in the wasm twice.
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
    // Of an older epoch a task may stay where it is. Only one may stay.
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
        // What was there it has replaced.
        others.retain(|shard| *shard != lives_on);
    }
    for shard in others {
        cancel(shards, shard, vec![id.clone()]).await?;
    }
    Ok(())
}

/// Returns whether this is the recurring task itself. A shard gives that first; anything else of
/// its id is of one run.
fn is_recurring_task(item: &ListItem) -> bool {
    !matches!(item.status, Status::Retrying | Status::Running | Status::Dead)
}

/// Says on which shard it is: one of an older epoch that has the same schedule goes on there.
async fn create(
    shards: &Shards,
    handlers: &Handlers,
    task: &HandlerTask<'_>,
    now: UnixMillis,
) -> Result<ShardId, Problem> {
    let (names, text) = (handlers.names(), task.to_json());
    let targets = Targets { handlers: &names, ..Targets::default() };
    // No id is generated, so no random number is needed.
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

/// Removes the tasks whose handler is gone or has no schedule any more, and says whether all of
/// these shards were looked at.
async fn sweep(shards: &Shards, slice: &[ShardId], handlers: &Handlers) -> bool {
    let declared: HashSet<String> = handlers.tasks().iter().map(HandlerTask::id).collect();
    let declared = &declared;
    let swept = |shard| async move { (shard, sweep_one(shards, shard, declared).await) };
    let mut is_done = true;
    for (shard, outcome) in shards.each(slice.iter().copied(), swept).await {
        match outcome {
            Ok(removed) => removed
                .iter()
                .for_each(|id| worker::console_log!("{id}: removed, its handler has no schedule")),
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
    // Its dead letters are of runs that were: they stay.
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
