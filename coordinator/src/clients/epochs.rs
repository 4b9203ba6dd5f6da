//! Finds, changes and cancels one task across the epochs of the shard map, as
//! [`scheduler_model::epochs`] decides.

use crate::clients::by_ids::{ByIds, OfShard};
use crate::clients::shards::Shards;
use crate::problem::Problem;
use scheduler_model::access::Share;
use scheduler_model::batch::ShardAppend;
use scheduler_model::epochs::{Best, CancelledId, GoingOn, Means, Search, others};
use scheduler_model::protocol::{
    Among, AmongRequest, CancelRequest, Cancelled, GetRequest, GoOnReply, ListItem, paths,
};
use scheduler_model::routing::ShardId;
use std::collections::HashMap;

/// The answers of all shards about ids.
pub(crate) struct Answered<O> {
    /// The outcomes, in the order of the ids.
    pub(crate) outcomes: Vec<O>,
    /// Whether a shard had to be asked again.
    pub(crate) is_repeat: bool,
    /// The task, if the request names one id: before a cancel, after a change.
    pub(crate) task: Option<ListItem>,
}

/// Cancels or changes tasks by their ids, in all epochs. `by` names the API key for the history.
/// `request` returns the request about some of the ids.
pub(crate) async fn by_ids<R: ByIds>(
    shards: &Shards,
    ids: &[String],
    means: Means,
    share: Option<Share>,
    by: Option<&str>,
    request: impl Fn(Vec<String>) -> R,
) -> Result<Answered<R::Outcome>, Problem> {
    let (mut search, request) = (Search::new(&shards.map, ids, means), &request);
    let mut task = Best::default();
    while let Some((among, by_shard)) = search.next_round() {
        let replies = shards
            .each(by_shard, |(shard, places)| async move {
                let of_shard = places.iter().filter_map(|at| ids.get(*at).cloned()).collect();
                let by = by.map(str::to_owned);
                let asked = AmongRequest { among, share, by, request: request(of_shard) };
                Ok::<_, Problem>((shard, places, shards.ask_by_ids(shard, asked).await?))
            })
            .await;
        for reply in replies {
            let (shard, places, OfShard { outcomes, is_repeat, task: of_shard }) = reply?;
            task.answered(shard, of_shard);
            search.answered(places, outcomes, is_repeat);
        }
    }
    let (outcomes, is_repeat) = search.finish();
    Ok(Answered { outcomes, is_repeat, task: task.finish().map(|(_, item)| item) })
}

/// Keeps the recurring tasks of a plan on shards of older epochs, if they are there and the plan
/// has their schedules. Removes these tasks from the plan, and returns their ids, each with its
/// shard.
pub(crate) async fn go_on(
    shards: &Shards,
    parts: &mut [ShardAppend],
) -> Result<HashMap<String, ShardId>, Problem> {
    let mut going_on = GoingOn::new(&shards.map, parts);
    while let Some((shard, append)) = going_on.next_ask() {
        let mut is_repeat = false;
        let reply: GoOnReply = shards
            .send(shard, paths::GO_ON, |first| {
                is_repeat = !first;
                append.encode()
            })
            .await?;
        going_on.answered(reply.went_on, is_repeat);
    }
    Ok(going_on.finish(parts))
}

/// The tasks that were dropped from other epochs.
#[derive(Debug, Default)]
pub(crate) struct CancelledElsewhere {
    pub(crate) cancelled: u64,
    /// The number of these with an attempt in flight.
    pub(crate) running: u64,
}

/// Cancels the tasks with these ids that wait or run in epochs other than the task's own, and
/// returns how many it cancelled. If no epoch is given, the newest is the task's own. Dead letters
/// are kept.
pub(crate) async fn drop_others(
    shards: &Shards,
    ids: impl Iterator<Item = (&str, Option<ShardId>)>,
) -> Result<CancelledElsewhere, Problem> {
    let replies = shards
        .each(others(&shards.map, ids), |(shard, ids)| async move {
            let asked = AmongRequest {
                among: Among::Live,
                share: None,
                by: None,
                request: CancelRequest { ids, if_match: None },
            };
            shards.ask_by_ids(shard, asked).await
        })
        .await;
    let mut dropped = CancelledElsewhere::default();
    for reply in replies {
        for CancelledId { outcome, is_running } in reply?.outcomes {
            dropped.cancelled += u64::from(outcome == Cancelled::Cancelled);
            dropped.running += u64::from(is_running);
        }
    }
    Ok(dropped)
}

/// Returns the task with this id, and its shard. The order of preference is that of a single shard:
/// a task that waits in any epoch, newest epoch first; otherwise an attempt that waits, one in
/// flight, or a dead letter.
pub(crate) async fn find(
    shards: &Shards,
    id: &str,
) -> Result<Option<(ShardId, ListItem)>, Problem> {
    let mut best = Best::default();
    for shard in shards.map.homes(id) {
        let item: Option<ListItem> =
            shards.ask(shard, paths::GET, &GetRequest { id: id.to_owned() }).await?;
        if best.answered(shard, item) {
            break;
        }
    }
    Ok(best.finish())
}
