//! What cancels and changes of many tasks have in common: which tasks a request selects, and how
//! all shards do their parts.

use crate::clients::shards::Shards;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::access::Share;
use scheduler_model::bounds::{DRY_RUN_SHOWN, MAX_LIST_LIMIT};
use scheduler_model::input::FieldError;
use scheduler_model::listing::{Page, share_of_page, share_of_search, write_item};
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    CancelMatchingReply, CancelMatchingRequest, Change, ChangeMatchingReply, ChangeMatchingRequest,
    CountReply, CountRequest, Filter, ListReply, ListRequest, PauseReason, paths,
};
use scheduler_model::routing::ShardId;
use scheduler_model::task::ChangeInput;
use std::collections::HashSet;

/// The most rounds of a request by filter on one shard. Each round of a change examines up to
/// 20,000 tasks, so this covers a full shard. If tasks are left, `done` is false. It is also false
/// if the invocation has no subrequests left.
const MAX_ROUNDS: usize = 60;

/// The tasks that a request selects.
pub(crate) enum Chosen {
    /// The tasks with these ids. No id occurs twice.
    Ids(Vec<String>),
    /// The tasks that match the filter, which may match all.
    Matching(Filter),
}

impl Chosen {
    /// Reads which of `ids`, `filter` and `all` is given. Refuses a request with none or several.
    pub(crate) fn of(input: ChangeInput<'_>) -> Result<Self, Problem> {
        match (input.ids, input.filter, input.all) {
            (Some(ids), None, None) => {
                let mut seen = HashSet::new();
                Ok(Self::Ids(ids.0.into_iter().filter(|id| seen.insert(id.clone())).collect()))
            }
            (None, Some(filter), None) => {
                Ok(Self::Matching(filter.check().map_err(Problem::invalid)?))
            }
            (None, None, Some(true)) => Ok(Self::Matching(Filter::default())),
            (None, None, Some(false)) => Err(Problem::invalid(FieldError::new(
                "all",
                "is false; leave it out, or send true to select every task",
            ))),
            _ => Err(Problem::invalid(FieldError::new(
                "body",
                "must have exactly one of ids, filter and all",
            ))),
        }
    }
}

/// What happens to every task that matches a filter.
#[derive(Clone, Copy)]
pub(crate) enum Action<'a> {
    /// A cancel by the API key with this name.
    Cancel(&'a str),
    /// A change. The runs that it adds are charged to the share.
    Change(Change, Option<Share>),
    /// A pause for this reason.
    Pause(&'a PauseReason),
}

/// The result of a request by filter.
#[derive(Default)]
pub(crate) struct Done {
    /// The number of cancelled or changed tasks.
    pub(crate) tasks: u64,
    /// How many of these have an attempt in flight.
    pub(crate) running: u64,
    /// Whether no task is left.
    pub(crate) is_complete: bool,
    /// Whether tasks are left because their shards have no room for their limit keys.
    lacks_lanes: bool,
}

/// The result of a step on a shard.
struct Step {
    tasks: u64,
    running: u64,
    lacks_lanes: bool,
    next: Option<Position>,
}

/// Applies an action to the tasks of all shards that match the filter.
pub(crate) async fn by_filter(
    shards: &Shards,
    filter: &Filter,
    action: Action<'_>,
) -> Result<Done, Problem> {
    let replies =
        shards.each(shards.map.all(), |shard| on_shard(shards, shard, filter, action)).await;
    let mut all = Done { is_complete: true, ..Done::default() };
    for reply in replies {
        let Done { tasks, running, is_complete, lacks_lanes } = reply?;
        all.tasks += tasks;
        all.running += running;
        all.is_complete &= is_complete && !lacks_lanes;
        all.lacks_lanes |= lacks_lanes;
    }
    if all.lacks_lanes && all.tasks == 0 {
        return Err(Problem::no_lanes());
    }
    Ok(all)
}

async fn on_shard(
    shards: &Shards,
    shard: ShardId,
    filter: &Filter,
    action: Action<'_>,
) -> Result<Done, Problem> {
    let mut tasks = ListRequest {
        filter: filter.clone(),
        after: None,
        limit: MAX_LIST_LIMIT * 20,
        ..ListRequest::default()
    };
    let mut done = Done::default();
    for round in 0..MAX_ROUNDS {
        if round > 0 && !shards.may_go_on() {
            break;
        }
        let Step { tasks: count, running, lacks_lanes, next } =
            step(shards, shard, &tasks, action).await?;
        done.tasks += count;
        done.running += running;
        done.lacks_lanes |= lacks_lanes;
        done.is_complete = next.is_none();
        if done.is_complete {
            break;
        }
        tasks.after = next;
    }
    Ok(done)
}

/// Applies the action to some of the tasks of a shard.
async fn step(
    shards: &Shards,
    shard: ShardId,
    tasks: &ListRequest,
    action: Action<'_>,
) -> Result<Step, Problem> {
    let tasks = tasks.clone();
    let (change, share, pause) = match action {
        Action::Cancel(by) => {
            let request = CancelMatchingRequest { tasks, by: Some(by.to_owned()) };
            let reply: CancelMatchingReply =
                shards.ask(shard, paths::CANCEL_MATCHING, &request).await?;
            let CancelMatchingReply { cancelled: tasks, running, next } = reply;
            return Ok(Step { tasks, running, lacks_lanes: false, next });
        }
        Action::Change(change, share) => (change, share, None),
        Action::Pause(reason) => (Change::Pause, None, Some(reason.clone())),
    };
    let request = ChangeMatchingRequest { tasks, change, share, pause };
    let reply: ChangeMatchingReply = match change {
        Change::Run => shards.ask_once(shard, paths::CHANGE_MATCHING, &request).await?,
        _ => shards.ask(shard, paths::CHANGE_MATCHING, &request).await?,
    };
    let ChangeMatchingReply { changed: tasks, running, next, left: lacks_lanes } = reply;
    Ok(Step { tasks, running, lacks_lanes, next })
}

/// Counts the tasks of all shards that a request by filter would change. Answers with their number
/// and the first of them. Without `change`, counts those that the request would cancel. For a
/// pause, `pause` is who pauses and why.
pub(crate) async fn dry_run(
    call: &Call<'_>,
    filter: &Filter,
    change: Option<Change>,
    pause: Option<PauseReason>,
) -> Result<Answer, Problem> {
    let shards = &call.shards;
    let sources = shards.map.all().count();
    let tasks = ListRequest {
        filter: filter.clone(),
        after: None,
        limit: DRY_RUN_SHOWN,
        max_bytes: Some(share_of_page(sources)),
        max_read: Some(share_of_search(sources)),
    };
    let request = &CountRequest { tasks, change, pause };
    let ask = |shard| async move { Ok((shard, count_on_shard(shards, shard, request).await?)) };
    let mut page = Page::new(DRY_RUN_SHOWN);
    let (mut sum, mut in_flight, mut is_complete) = (0, 0, true);
    let take = |(shard, reply): (ShardId, CountReply)| {
        let CountReply { count, running, next, first } = reply;
        sum += count;
        in_flight += running;
        is_complete &= next.is_none();
        page.add(shard, ListReply { items: first, ..ListReply::default() });
    };
    shards.each_into(shards.map.all(), ask, take).await?;
    let mut out = format!("{{\"dryRun\":true,\"count\":{sum},").into_bytes();
    if in_flight > 0 {
        out.extend_from_slice(format!("\"running\":{in_flight},").as_bytes());
    }
    out.extend_from_slice(format!("\"done\":{is_complete},\"tasks\":[").as_bytes());
    for (at, item) in page.finish().items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_item(item, &call.visible(item.record.get()), &mut out);
    }
    out.extend_from_slice(b"]}");
    Ok(Answer::json(200, out))
}

/// Counts the tasks of a shard in rounds, as a change of them takes rounds. The reply has the sums
/// of all rounds, and the place at which the last one stopped.
async fn count_on_shard(
    shards: &Shards,
    shard: ShardId,
    request: &CountRequest,
) -> Result<CountReply, Problem> {
    let (most, most_bytes) = (request.tasks.limit, request.tasks.max_bytes.unwrap_or_default());
    let mut all: CountReply = shards.ask(shard, paths::COUNT, request).await?;
    for _ in 1..MAX_ROUNDS {
        let Some(after) = all.next else { break };
        if !shards.may_go_on() {
            break;
        }
        let bytes: usize = all.first.iter().map(|item| item.record.get().len()).sum();
        let room = most_bytes.saturating_sub(bytes);
        let mut further = request.clone();
        further.tasks.after = Some(after);
        further.tasks.limit = if room > 0 { most.saturating_sub(all.first.len()) } else { 0 };
        further.tasks.max_bytes = Some(room);
        let CountReply { count, running, next, first } =
            shards.ask(shard, paths::COUNT, &further).await?;
        all.count += count;
        all.running += running;
        all.next = next;
        all.first.extend(first);
    }
    Ok(all)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}
